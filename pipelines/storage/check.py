"""Is the archive as it was left: its database and indexes, every file in its store, and what is published?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from archive.catalogue.recordings import NamedFile, named_files, published_files
from archive.connection import open_readonly, transaction
from archive.errors import ArchiveError
from archive.index.verify import verify, verify_file
from archive.publication.releases import unreleased
from archive.sqlite import Database
from pipelines.storage.archive_folder import Context, now
from pipelines.storage.blobs import CHUNK, key
from pipelines.storage.buckets import Bucket
from pipelines.storage.copies import copies, state
from pipelines.storage.own import CURRENT, DATABASES, MEDIA

Part: TypeAlias = Literal["database", "index", "media", "public", "copy", "orphan"]

NEXT: dict[Part, str] = {
    "database": "restore catalogue.db from a backup; until then nothing should be run on it",
    "index": "rostra run, if something is due; else rostra check --mend builds the index anew",
    "media": "bring the recording's file again and pull it, or restore media/ from a backup, then rostra run",
    "public": "rostra publish",
    "copy": "rostra publish --to that folder, or remove the folder",
    "orphan": "nothing refers to it: keep it elsewhere if it is wanted, and remove it",
}
"""What to do about a problem, by the part that it is in."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it should be, in words, and what to do about it."""

    part: Part
    text: str

    @property
    def next(self) -> str:
        """The next step."""
        return NEXT[self.part]


def check(context: Context, *, quick: bool, looked: Callable[[str], None]) -> Iterator[Problem]:
    """Yield what is wrong with an archive.

    Args:
        context: the archive, held for writing, so that nothing changes meanwhile.
        quick: whether to compare sizes of files only, not their SHA-256.
        looked: is told what is looked at next.
    """
    looked("database")
    damage = verify_file(context.db)
    yield from (Problem("database", text) for text in damage)
    if damage:
        return  # what a broken file says of the rest is not to be relied on
    looked("index")
    with transaction(context.db):
        problems = verify(context.db)
    yield from (Problem("index", text) for text in problems)
    known = {key(each.file.sha256, each.file.suffix): each for each in named_files(context.db)}
    bucket = context.config.store.bucket
    if bucket:
        looked(bucket)
        yield from _bucket(Bucket.at(bucket), known)
    yield from _store(context.layout.media, known, quick=quick, copies=bool(bucket), looked=looked)
    for folder, made in copies(context).items():
        yield from _public(folder, quick=quick, looked=looked)
        yield from _stale(context, folder, made)


def _store(
    folder: Path, known: dict[str, NamedFile], *, quick: bool, copies: bool, looked: Callable[[str], None]
) -> Iterator[Problem]:
    """Yield what is wrong with the store; where it holds copies alone, none of them needs to be there."""
    for name, kept in known.items():
        path = folder / name
        if not path.is_file():
            if not copies:
                yield Problem("media", f"{kept.name} ({kept.what}) is gone: {path}")
            continue
        looked(kept.name)
        wrong = _changed(path, kept.file.sha256, kept.file.bytes, quick=quick)
        if wrong:
            yield Problem("media", f"{kept.name} ({kept.what}) {wrong}: {path}")
    for path in sorted(folder.glob("*/*")):
        here = path.relative_to(folder)
        if not here.parts[0].startswith(".") and here.as_posix() not in known:
            yield Problem("orphan", f"{path} is no recording and no rendition")


def _bucket(bucket: Bucket, known: dict[str, NamedFile]) -> Iterator[Problem]:
    """Yield what is missing in a bucket, or has another size; its contents are the bucket's to keep."""
    sizes = {entry["path"]: entry["size"] for entry in bucket.entries()}
    for name, kept in known.items():
        size = sizes.get(bucket.key(name))
        if size is None:
            yield Problem("media", f"{kept.name} ({kept.what}) is not in the bucket: {bucket.key(name)}")
        elif size != kept.file.bytes:
            yield Problem("media", f"{kept.name} ({kept.what}) has {size} bytes of {kept.file.bytes} in the bucket")


def _public(folder: Path, *, quick: bool, looked: Callable[[str], None]) -> Iterator[Problem]:
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
        if not quick and not path.stem.endswith(_digest(path)[:16]):
            yield Problem("public", f"{path} is not what was published: its SHA-256 has changed")
            return
        yield from _links(db, folder / MEDIA)
    finally:
        db.close()
    for other in sorted(folder.glob(DATABASES)):
        if other != path:
            yield Problem("orphan", f"{other} is not what is published")


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
        kept = unreleased(context.db, db, default=default, now=now())
    finally:
        db.close()
    step: Part = "public" if own else "copy"
    if kept:
        yield Problem(step, f"{folder} holds {kept} sessions and recordings that are no longer released")
    elif not own and made != state(context):
        yield Problem("copy", f"{folder} was published from an older state of the archive")


def _links(db: Database, folder: Path) -> Iterator[Problem]:
    files = {f"{each.sha256}{each.suffix}": each.bytes for each in published_files(db)}
    for name, size in files.items():
        path = folder / name
        if not path.is_file():
            yield Problem("public", f"{path} is gone")
        elif path.stat().st_size != size:
            yield Problem("public", f"{path} has {path.stat().st_size} bytes of {size}")
    for path in sorted(folder.glob("*")):
        if path.name not in files:
            yield Problem("orphan", f"{path} is in no published database")


def _changed(path: Path, sha256: str, size: int, *, quick: bool) -> str | None:
    """Return how a file differs from what was kept, if it does."""
    try:
        here = path.stat().st_size
        if here != size:
            return f"has {here} bytes of {size}"
        if not quick and _digest(path) != sha256:
            return "has other bytes than when it was kept"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return None


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
