"""Is the archive as it was left: its database and indexes, every file in its store, and what is published?"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from archive.catalogue.holdings import revision
from archive.catalogue.provenance import places_of
from archive.catalogue.recordings import NamedFile, forget_rendition, named_files, published_files
from archive.catalogue.runs import make_due
from archive.catalogue.seals import broken_seals, told
from archive.connection import open_readonly, transaction
from archive.errors import ArchiveError, sqlite_errors
from archive.index.verify import verify, verify_file
from archive.publication.releases import unreleased
from archive.sqlite import Database
from pipelines.storage.archive_folder import Context, now, timestamp
from pipelines.storage.blobs import digest, key
from pipelines.storage.buckets import Bucket
from pipelines.storage.copies import Site, copies, sites, state, static_state
from pipelines.storage.own import CURRENT, DATABASES, MEDIA, SITE
from pipelines.storage.seen import Seen

Part: TypeAlias = Literal["database", "rows", "index", "media", "public", "copy", "orphan"]

NEXT: dict[Part, str] = {
    "database": "rostra restore BACKUP NEW-FOLDER; until then run nothing on this archive",
    "rows": "rostra restore BACKUP --repair; or, where no backup has it, look at it, and rostra check --accept",
    "index": "rostra run, if something is due; else rostra check --mend builds the index anew",
    "media": "rostra restore BACKUP --repair, or rostra check --mend and then pull the file again",
    "public": "rostra publish --again",
    "copy": "rostra publish --to FOLDER, or remove the folder",
    "orphan": "nothing refers to it: keep it elsewhere if it is wanted, and remove it",
}
"""What to do about a problem, by the part that it is in."""
REMAKE = "rostra check --mend, then rostra run makes it again"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it should be, in words, and what to do about it.

    Attributes:
        part: where it is.
        text: what is wrong.
        file: the file of the store that is gone or damaged, if it is one.
        again: commands that bring it back, where they are known.
    """

    part: Part
    text: str
    file: NamedFile | None = None
    again: str | None = None

    @property
    def next(self) -> str:
        """The next step."""
        return self.again or NEXT[self.part]


def check(context: Context, *, quick: bool, looked: Callable[[str], None]) -> Iterator[Problem]:
    """Yield what is wrong with an archive.

    Args:
        context: the archive, held for writing, so that nothing changes meanwhile.
        quick: whether to read only what has changed since the last whole check (see `pipelines.storage.seen`).
        looked: is told what is looked at next.
    """
    seen, now_at = Seen.at(context.layout.root / CHECKED, quick=quick), revision(context.db)
    wrong = [] if seen.spares_database(now_at) else list(_database(context.db, looked))
    yield from wrong
    if any(each.part == "database" for each in wrong):
        return  # what a broken file says of the rest is not to be relied on
    # A recording that browsers play as it is, is its own rendition: then it is an original.
    named = sorted(named_files(context.db), key=lambda each: not each.is_derived)
    known = {key(each.file.sha256, each.file.suffix): each for each in named}
    bucket = context.config.store.bucket
    if bucket:
        looked(bucket)
        yield from (_with_command(context.db, problem) for problem in _bucket(Bucket.at(bucket), known))
    damaged = _store(context.layout.media, known, seen=seen, copies=bool(bucket), looked=looked)
    yield from (_with_command(context.db, problem) for problem in damaged)
    for folder, made in copies(context).items():
        yield from (_published_in(context, folder, each) for each in _public(folder, seen=seen, looked=looked))
        yield from _stale(context, folder, made)
    for folder, (site, made) in sites(context).items():
        looked(folder.name)
        yield from _site(context, folder, site, made, seen=seen)
    seen.save("" if wrong else now_at)


CHECKED = ".checked.json"
"""The file in the archive's folder that says what checks have read."""


def _database(db: Database, looked: Callable[[str], None]) -> Iterator[Problem]:
    """Yield what is wrong with the database, or else with its indexes."""
    looked("database")
    damage = verify_file(db)
    yield from (Problem("database", text) for text in damage)
    if damage:
        return
    looked("rows")
    with transaction(db):
        broken = [*told(db, broken_seals(db))]
    yield from (Problem("rows", text) for text in broken)
    if broken:
        return  # an index that tells of what was there before is right
    looked("index")
    with transaction(db):
        problems = verify(db)
    yield from (Problem("index", text) for text in problems)


def mend(context: Context, problems: Iterable[Problem]) -> list[str]:
    """Prepare that lost and damaged files of the store come back, and return what was prepared, in words.

    What is left of a damaged file is moved to ``media/.damaged``. A rendition is made again by the next run; a
    recording, and what came with it, is taken again by the next pull of its place.

    Args:
        context: the archive, held for writing.
        problems: what `check` found.
    """
    prepared = []
    for file in dict.fromkeys(problem.file for problem in problems if problem.file):
        _set_aside(context, file)
        with transaction(context.db):
            if file.is_derived:
                forget_rendition(context.db, file.file.sha256)
                make_due(context.db, "render", file.recording, retried_at=timestamp())
            else:
                for place in places_of(context.db, file.recording):
                    make_due(context.db, "pull", place, retried_at=timestamp())
        prepared.append(f"{file.name} ({file.what})")
    return prepared


def _set_aside(context: Context, file: NamedFile) -> None:
    name = key(file.file.sha256, file.file.suffix)
    path = context.layout.media / name
    if path.exists():
        aside = context.layout.media / ".damaged" / path.name
        aside.parent.mkdir(exist_ok=True)
        path.replace(aside)
    if context.config.store.bucket:
        bucket = Bucket.at(context.config.store.bucket)
        bucket.remove(bucket.key(name))


def _with_command(db: Database, problem: Problem) -> Problem:
    """Return a problem of a file with the commands that bring it back."""
    if problem.file is None:
        return problem
    if problem.file.is_derived:
        return replace(problem, again=REMAKE)
    places = places_of(db, problem.file.recording)
    pull = f"rostra check --mend, then rostra pull {shlex.quote(places[0])}" if places else None
    return replace(problem, again=f"{pull}; or rostra restore BACKUP --repair" if pull else None)


def _store(
    folder: Path, known: dict[str, NamedFile], *, seen: Seen, copies: bool, looked: Callable[[str], None]
) -> Iterator[Problem]:
    """Yield what is wrong with the store; where it holds copies alone, none of them needs to be there."""
    for name, kept in known.items():
        path = folder / name
        if path.is_symlink():
            yield Problem("media", f"{kept.name} ({kept.what}) is a symbolic link, which is not followed: {path}", kept)
            continue
        if not path.is_file():
            if not copies:
                yield Problem("media", f"{kept.name} ({kept.what}) is gone: {path}", kept)
            continue
        looked(kept.name)
        wrong = _changed(path, kept.file.sha256, kept.file.bytes, seen=seen)
        if wrong:
            yield Problem("media", f"{kept.name} ({kept.what}) {wrong}: {path}", kept)
    for path in sorted(folder.glob("*/*")):
        here = path.relative_to(folder)
        if not here.parts[0].startswith(".") and here.as_posix() not in known:
            yield Problem("orphan", f"{path} is no recording, no rendition, and came with none")


def _bucket(bucket: Bucket, known: dict[str, NamedFile]) -> Iterator[Problem]:
    """Yield what is missing in a bucket, or has another size; its contents are the bucket's to keep."""
    sizes = {entry["path"]: entry["size"] for entry in bucket.entries()}
    for name, kept in known.items():
        size = sizes.get(bucket.key(name))
        if size is None:
            yield Problem("media", f"{kept.name} ({kept.what}) is not in the bucket: {bucket.key(name)}", kept)
        elif kept.file.bytes not in {None, size}:
            text = f"{kept.name} ({kept.what}) has {size} bytes of {kept.file.bytes} in the bucket"
            yield Problem("media", text, kept)


def _public(folder: Path, *, seen: Seen, looked: Callable[[str], None]) -> Iterator[Problem]:
    """Yield what is wrong with what is published; nothing where nothing is."""
    current = folder / CURRENT
    if not current.is_file():
        return
    looked("public")
    try:
        path = folder / str(json.loads(current.read_bytes())["database"])
        db = open_readonly(path, immutable=True)
    except (ValueError, KeyError, TypeError, ArchiveError) as error:
        yield Problem("public", f"{current} names no database that can be read ({error})")
        return
    try:
        if not seen.spares(path) and not path.stem.endswith(digest(path)[:16]):
            yield Problem("public", f"{path} is not what was published: its SHA-256 has changed")
            return
        seen.note(path)
        yield from _links(db, folder / MEDIA, seen=seen)
    finally:
        db.close()
    for other in sorted(folder.glob(DATABASES)):
        if other != path:
            yield Problem("orphan", f"{other} is not what is published")


def _published_in(context: Context, folder: Path, problem: Problem) -> Problem:
    """Return a problem of a publication with the command that builds it again where it is."""
    if problem.part != "public" or folder == context.layout.public:
        return problem
    return replace(problem, again=f"rostra publish --again --to {shlex.quote(str(folder))}")


def _stale(context: Context, folder: Path, made: str) -> Iterator[Problem]:
    """Yield what a folder holds that the public may have no longer, and of a copy whether it is an old one."""
    own = folder == context.layout.public
    try:
        name = str(json.loads((folder / CURRENT).read_bytes())["database"])
        db = open_readonly(folder / name, immutable=True)
    except (OSError, ValueError, KeyError, TypeError, ArchiveError):
        return  # which is said already
    try:
        default = context.config.publish.default_release
        with sqlite_errors():
            kept = unreleased(context.db, db, default=default, now=now())
    except ArchiveError:
        return
    finally:
        db.close()
    step: Part = "public" if own else "copy"
    again = None if own else f"remove that folder, or rostra publish --to {shlex.quote(str(folder))}"
    if kept:
        yield Problem(step, f"{folder} holds {kept} sessions and recordings that are no longer released", again=again)
    elif not own and made != state(context):
        yield Problem("copy", f"{folder} was published from an older state of the archive", again=again)


def _site(context: Context, folder: Path, site: Site, made: str, *, seen: Seen) -> Iterator[Problem]:
    """Yield what is wrong with a site that was written to files."""
    again = f"rostra publish --again --static {shlex.quote(str(folder))}"
    if not site.whole:
        yield Problem("copy", f"{folder} was not written to its end ({SITE})", again=again)
        return
    for name, sha256 in site.files.items():
        path = folder / name
        if not path.is_file():
            yield Problem("copy", f"{path} is gone", again=again)
        elif wrong := _changed(path, sha256, None, seen=seen):
            yield Problem("copy", f"{path} {wrong}", again=again)
    for name in site.played:
        path = folder / MEDIA / name
        if not path.is_file():
            yield Problem("copy", f"{path} is gone", again=again)
        elif wrong := _changed(path, Path(name).stem, None, seen=seen):
            yield Problem("copy", f"{path} {wrong}", again=again)
    if made != static_state(context, site.language, site.media):
        yield Problem("copy", f"{folder} was written from an older state of the archive ({SITE})", again=again)


def _links(db: Database, folder: Path, *, seen: Seen) -> Iterator[Problem]:
    files = {f"{each.sha256}{each.suffix}": each for each in published_files(db)}
    for name, file in files.items():
        path = folder / name
        if not path.is_file():
            yield Problem("public", f"{path} is gone")
        elif wrong := _changed(path, file.sha256, file.bytes, seen=seen):
            yield Problem("public", f"{path} {wrong}")
    for path in sorted(folder.glob("*")):
        if path.name not in files:
            yield Problem("orphan", f"{path} is in no published database")


def _changed(path: Path, sha256: str, size: int | None, *, seen: Seen) -> str | None:
    """Return how a file differs from what was kept, if it does."""
    try:
        here = path.stat().st_size
        if size not in {None, here}:
            return f"has {here} bytes of {size}"
        if not seen.spares(path, sha256) and digest(path) != sha256:
            return "has other bytes than when it was kept"
        seen.note(path, sha256)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return None
