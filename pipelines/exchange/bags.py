"""Bags: a session, an event or the archive as files that need no Rostra to be read, and that prove themselves whole.

Source: The BagIt File Packaging Format, version 1.0 (RFC 8493). The Library of Congress's ``bagit`` writes the
manifests. What lies in ``data/``::

    README.txt                   what this is
    bag.json                     an `About`
    contents.csv                 every file, what it is, whose, and under which licence
    catalogue/TABLE.jsonl        the catalogue's rows; schema.sql beside them says what they are
    media/ab/abcd….mp4           recordings and what was made of them, under the SHA-256 of their bytes
    transcripts/EVENT/SESSION/   every version, as WebVTT and as JSON
    premis.xml                   what was done to them, by whom and when (PREMIS 3.0)

A private bag holds all that the archive knows, but for what was withdrawn or deleted for good. A public one is made of
a publication: it holds what is released, in the form in which it is, and nothing else.
"""

from __future__ import annotations

import csv
import hashlib
import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import bagit
import msgspec
from rich.filesize import decimal

from archive.catalogue.migrations import SCHEMA_FILE
from archive.catalogue.recordings import NamedFile
from archive.catalogue.snapshot import identity, origin
from archive.catalogue.transcripts import read_transcript
from archive.connection import open_readonly, reading
from archive.errors import sqlite_errors
from archive.extracts import facts, history, parts, rows
from archive.publication import build
from archive.publication.deciding import Subject, find_subject
from archive.sqlite import Database
from metadata.captions import writer
from metadata.cells import harmless
from metadata.model import ReleaseState
from metadata.premis import Happening, KeptFile, write_premis
from pipelines.errors import BagError, ConfigError
from pipelines.storage.archive_folder import Context, now, timestamp
from pipelines.storage.atomic import sync_file, sync_folder
from pipelines.storage.blobs import CHUNK, key
from pipelines.text import file_name

ALGORITHMS = ("sha256", "sha512")
DECLARATION = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
MEDIA, CATALOGUE, ABOUT = "media", "catalogue", "bag.json"
FORMAT = 1
SOFTWARE = f"rostra {version('rostra')}"

Step = Callable[[int, int], None]
"""Called with the bytes that are done, and with all that there are."""


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What a bag of Rostra's says of itself.

    Attributes:
        format: of the bag.
        access: ``private``, or ``public`` where it holds only what is released.
        scope: what it is of, in words.
        origin: what tells the archive that it comes from: its identity, or what its publications say of that.
        made_at: ISO 8601, UTC.
        default_release: what holds in that archive for sessions of which nothing is said.
        migrations: those that made its catalogue.
        tables: rows by table.
    """

    format: int
    access: Literal["private", "public"]
    scope: str
    origin: str
    made_at: str
    default_release: ReleaseState
    migrations: list[str]
    tables: dict[str, int]


@dataclass(frozen=True, slots=True)
class Bagged:
    """A bag that was made: where, what it says of itself, and how many files and bytes its payload has."""

    path: Path
    about: About
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class _Taken:
    """What an extract was chosen to hold, so that it can be seen whether it may still."""

    chosen: parts.Chosen
    files: tuple[NamedFile, ...]


def export_bag(
    context: Context,
    target: Path,
    name: str | None,
    *,
    public: bool,
    renditions: Sequence[str] = parts.RENDITIONS,
    step: Step = lambda _done, _total: None,
) -> Bagged:
    """Make a bag. It appears under its name whole or not at all; others may work on the archive meanwhile.

    Args:
        context: the archive, opened for reading.
        target: the bag's folder, which is new.
        name: of a session or an event; None for all that is in the archive.
        public: whether it holds only what is released, as it is published.
        renditions: the kinds of what was made of recordings that go into it.
        step: told how far it is.

    Raises:
        ConfigError: the folder is not new, or lies in the archive.
        ArchiveError: there is no such thing, or it is withdrawn or not released.
        BagError: files of it are gone or damaged, or it was taken back meanwhile.
        OSError: the bag cannot be written.
    """
    _refuse(context, target)
    subject = find_subject(context.db, name) if name is not None else None
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        with _source(context, public=public) as db, sqlite_errors():
            with reading(db.conn):
                taken, about = _write_catalogue(context, db, part, subject, public=public, renditions=renditions)
                _write_transcripts(db, part)
                told = list(history.happenings(db, everything=not public))
                licences = history.licences(db)
                whose = facts.whose(db)
                identifiers = facts.identifiers(db)
            kept = [*_copy_media(context, taken.files, part / MEDIA, step)]
        _still_allowed(context, taken.chosen, public=public)
        told.append(Happening("fixity check", about.made_at, "compared with the SHA-256 under which they are kept",
                              SOFTWARE, tuple(each.path for each in kept), "pass", True))  # fmt: skip
        (part / "premis.xml").write_bytes(write_premis(kept, told, licences))
        (part / "README.txt").write_text(_README.format(about=about), encoding="utf-8")
        _write_contents(part, whose, taken.files)
        done = _seal(context, part, about, subject, identifiers)
        _to_disk(part)
        part.replace(target)
        sync_folder(target.parent)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return Bagged(target, about, *done)


def _refuse(context: Context, target: Path) -> None:
    """Raise ConfigError where a bag cannot be made."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigError(f"{target} is there already: name a new folder for the bag")
    if target.resolve().is_relative_to(context.layout.root):
        raise ConfigError(f"{target} is inside the archive: choose another place")


@contextmanager
def _source(context: Context, *, public: bool) -> Iterator[Database]:
    """Give what a bag is made of: the catalogue, or a publication that is built for it."""
    if not public:
        yield context.db
        return
    with tempfile.TemporaryDirectory(prefix="rostra-") as folder:
        path = Path(folder) / "public.db"
        build.build(context.layout.catalogue, path, default=context.config.publish.default_release, now=now())
        db = open_readonly(path, immutable=True)
        try:
            yield db
        finally:
            db.close()


def _write_catalogue(
    context: Context, db: Database, part: Path, subject: Subject | None, *, public: bool, renditions: Sequence[str]
) -> tuple[_Taken, About]:
    """Choose what the bag holds, and write its rows."""
    default = context.config.publish.default_release
    without = parts.Withheld() if public else parts.withheld(db, default=default)
    if public and subject is not None and not facts.is_there(db, subject):
        raise BagError(f"nothing of {subject.label} is released: see rostra release, or leave out --public")
    chosen = parts.choose(db, subject, without, tuple(renditions))
    folder = part / CATALOGUE
    folder.mkdir()
    counts = {table: rows.write_rows(rows.dump(db, table), folder / f"{table}.jsonl") for table in rows.tables(db)}
    (folder / "schema.sql").write_bytes(SCHEMA_FILE.read_bytes())
    about = About(
        format=FORMAT,
        access="public" if public else "private",
        scope=f"the {subject.kind} {subject.label}" if subject else "the archive",
        origin=origin(context.db) if public else identity(context.db),
        made_at=timestamp(),
        default_release=default,
        migrations=rows.applied(context.db),
        tables=counts,
    )
    (part / ABOUT).write_bytes(msgspec.json.format(msgspec.json.encode(about)) + b"\n")
    return _Taken(chosen, tuple(facts.files(db, tuple(renditions)))), about


def _write_transcripts(db: Database, part: Path) -> None:
    """Write every version of every transcript, for people and for programs."""
    for each in facts.transcripts(db):
        folder = part / "transcripts" / (Path(each.event, each.session) if each.session else Path("recordings"))
        folder.mkdir(parents=True, exist_ok=True)
        transcript = read_transcript(db, each.id)
        stem = re.sub("[^A-Za-z0-9.-]", "-", f"{each.version}.{each.language}")
        for form in ("vtt", "json"):
            (folder / file_name(stem, f".{form}")).write_text(writer(form)(transcript), encoding="utf-8")


def _copy_media(context: Context, files: Sequence[NamedFile], folder: Path, step: Step) -> Iterator[KeptFile]:
    """Copy files, and yield what PREMIS says of each.

    Raises:
        BagError: some are gone or damaged; it names all of them.
    """
    wrong, done, total = [], 0, sum(each.file.bytes or 0 for each in files)
    for each in dict.fromkeys(files):
        step(done, total)
        name = key(each.file.sha256, each.file.suffix)
        try:
            source = context.blobs.path(each.file.sha256, each.file.suffix)
        except FileNotFoundError:
            wrong.append(f"{each.name} is gone")
            continue
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if _copied(source, target) != each.file.sha256:
            wrong.append(f"{each.name} is damaged")
            continue
        size = target.stat().st_size
        done += size
        yield KeptFile(f"{MEDIA}/{name}", each.file.sha256, size, facts.media_type(each), each.name)
    step(total, total)
    if wrong:
        raise BagError(f"no bag is made of what is not whole: {'; '.join(wrong[:20])}. 'rostra check' says what to do")


def _copied(source: Path, target: Path) -> str:
    """Copy a file, and return the SHA-256 of what was read."""
    digest = hashlib.sha256()
    with source.open("rb") as reader, target.open("wb") as sink:
        while chunk := reader.read(CHUNK):
            digest.update(chunk)
            sink.write(chunk)
        sync_file(sink)
    return digest.hexdigest()


def _still_allowed(context: Context, chosen: parts.Chosen, *, public: bool) -> None:
    """Raise BagError where something was taken back while it was copied."""
    default = context.config.publish.default_release
    if not facts.may_leave(context.db, chosen, default=default, now=now() if public else None):
        raise BagError("something of it was taken back while the bag was made: make it again")


def _write_contents(part: Path, whose: dict[str, facts.Whose], files: Sequence[NamedFile]) -> None:
    """Write the list of files for people, in a form that no spreadsheet runs."""
    named = {f"{MEDIA}/{key(each.file.sha256, each.file.suffix)}": each for each in files}
    with (part / "contents.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("file", "what", "of", "original name", "licence", "credit"))
        for path in sorted(each for each in part.rglob("*") if each.is_file()):
            name = path.relative_to(part).as_posix()
            each = named.get(name)
            of = whose.get(each.recording if each else path.name.partition(".")[0], facts.NOBODY)
            what = each.what if each else _WHAT.get(name.partition("/")[0], "")
            cells = (name, what, of.label, each.name if each else "", of.licence, of.credit)
            table.writerow([harmless(cell) for cell in cells])


_WHAT = {
    "README.txt": "about this bag", ABOUT: "about this bag, for programs", CATALOGUE: "rows of the catalogue",
    "transcripts": "transcript", "premis.xml": "what was done (PREMIS)", "contents.csv": "this list",
}  # fmt: skip
_README = """\
This is a bag (BagIt 1.0, RFC 8493) of {about.scope}, made at {about.made_at} by Rostra, an archive for recorded
sessions. It is {about.access}.

  bag.json                    what this bag is, for programs
  contents.csv                every file, what it is, and under which licence
  catalogue/TABLE.jsonl       the catalogue's rows, a JSON object a line; schema.sql says what they are
  media/ab/abcd....mp4        recordings and what was made of them, under the SHA-256 of their bytes
  transcripts/EVENT/SESSION/  every version of what was said, as WebVTT and as JSON
  premis.xml                  what was done to the files, by whom and when (PREMIS 3.0)

What was withdrawn, or deleted for good, is not in it.
"""


def _seal(
    context: Context, part: Path, about: About, subject: Subject | None, identifiers: Sequence[str]
) -> tuple[int, int]:
    """Make a folder a bag, and return how many files and bytes its payload has."""
    size = sum(path.stat().st_size for path in part.rglob("*") if path.is_file())
    site = context.config.site
    address = f"{site.url.rstrip('/')}/events/{subject.label}" if site.url and subject else site.url
    info = {
        "Source-Organization": site.title,
        "External-Description": f"{about.scope} of {site.title}, {about.access}",
        "External-Identifier": [*filter(None, (address, *identifiers))] or [about.origin],
        "Internal-Sender-Identifier": f"{about.origin}/{subject.label if subject else ''}".rstrip("/"),
        "Bag-Size": decimal(size),
        "Bag-Software-Agent": SOFTWARE,
        "Bagging-Date": about.made_at[:10],
        "Access": "public: all of it is released" if about.access == "public" else "PRIVATE: do not publish",
    }
    with quiet():
        bagit.make_bag(str(part), info, checksums=list(ALGORITHMS))
        (part / "bagit.txt").write_text(DECLARATION, encoding="utf-8")
        bag = bagit.Bag(str(part))
        bag.save()
        bag.validate(completeness_only=True)
    oxum = str(bag.info["Payload-Oxum"]).partition(".")
    return int(oxum[2]), int(oxum[0])


@contextmanager
def quiet() -> Iterator[None]:
    """Keep bagit from telling people what its errors tell, and Python from telling them how it opens files."""
    bagit.LOGGER.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        bagit.LOGGER.disabled = False


def _to_disk(folder: Path) -> None:
    """Bring a folder to the disk, with all that it holds."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            sync_folder(path)
        else:
            with path.open("rb") as file:
                os.fsync(file.fileno())
    sync_folder(folder)
