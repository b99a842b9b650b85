"""Publish: from the catalogue to a database and media that hold only what is released, swapped in at once.

A new database is built beside the old under a name of its own, media are linked, and then one small file,
``current.json``, is replaced: readers see either the old publication or the new, never half of one. What
is no longer released leaves the folder after that.

Of media only renditions go out, never recordings: what a camera or a program wrote into a recording's file, where it
was made and by whom, stays in the archive.

Publishing takes no turn at the catalogue: it reads one consistent state of it, however long it builds, and only one
process publishes into a folder at once. Whoever waits builds a newer state than the one who is at work, so that what
was taken back stays so.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import ClassVar, TypeAlias

import filelock
import msgspec

from archive.catalogue.recordings import StoredFile, published_files
from archive.catalogue.snapshot import origin
from archive.connection import open_readonly
from archive.errors import ArchiveError, CatalogueBusyError, CatalogueFullError
from archive.publication import build as release
from archive.publication.folder import files
from pipelines.config import Config
from pipelines.errors import DiskFullError, ItemError, LockedError
from pipelines.exchange.corpora import is_as_told, write_corpora
from pipelines.stages import Setup
from pipelines.stages.base import Item, Report
from pipelines.storage.archive_folder import Context, now, timestamp
from pipelines.storage.atomic import scratch, sync_folder, write_atomic
from pipelines.storage.blobs import BlobStore, digest
from pipelines.storage.copies import PUBLISH, database_of, origin_of, read_site, state
from pipelines.storage.own import CURRENT, DATABASES, MEDIA
from pipelines.text import counted

LOCK = ".publishing"
"""Held by the process that publishes into a folder."""
DATABASE_PREFIX = "catalogue-"
"""With which the name of a published database begins; the digest of its bytes follows."""
WAIT_SECONDS = 1_800.0
"""How long to wait for another process that publishes into the same folder."""


Clock: TypeAlias = Callable[[], datetime]
"""Tells the moment, in UTC."""


class NotPublishedError(ItemError):
    """The new publication could not be finished; the old one stands."""

    code = "not-published"


@dataclass(frozen=True, slots=True)
class Publication:
    """What is published, and where.

    Attributes:
        catalogue: the database of record.
        config: the archive's.
        blobs: where media are.
        target: the folder that is published.
        own: the archive's own, whose publication is taken over where the target has none.
        origin: tells this archive's publications from those of others.
        again: whether media that are there are compared with their SHA-256, and copied again where they are damaged.
        grace_seconds: how long the old database stays: a request that began on it may still open it.
        clock: tells the moment, at which embargoes have ended or have not.
    """

    catalogue: Path
    config: Config
    blobs: BlobStore
    target: Path
    own: Path
    origin: str
    grace_seconds: float
    again: bool = False
    clock: Clock = now


@dataclass(frozen=True, slots=True)
class Publish:
    """The stage. ``target`` is the folder that is published; None is the archive's own.

    ``again`` builds the publication although nothing has changed: what is there may be damaged.
    """

    target: Path | None = None
    again: bool = False
    grace_seconds: float = 2.0
    clock: Clock = now
    name: ClassVar[str] = PUBLISH
    unit: ClassVar[str] = ""

    def items(self, context: Context) -> Iterable[Item]:
        """Return one item; its fingerprint changes with the content and with what is released."""
        target = self.target or context.layout.public
        yield Item(
            subject=str(target.resolve()),
            label=target.name,
            fingerprint=state(context, self.clock()),
            task=Publication(
                context.layout.catalogue,
                context.config,
                context.blobs,
                target,
                context.layout.public,
                origin=origin(context.db),
                again=self.again,
                grace_seconds=self.grace_seconds,
                clock=self.clock,
            ),
            lost=self.again or not is_as_told(target, context.config),
        )

    def work(self, task: Publication, report: Report) -> str:  # noqa: ARG002 one signature
        """Build a publication and swap it in, where the catalogue is."""
        with failing():
            return publish(task)

    def commit(self, context: Context, item: Item, result: str) -> str | None:  # noqa: ARG002 one signature
        """Say what is published."""
        return result


@contextlib.contextmanager
def failing() -> Iterator[None]:
    """Say of whatever goes wrong that the old publication stands, and whether the next run may finish it."""
    try:
        yield
    except CatalogueBusyError as error:
        raise LockedError(str(error)) from error  # the next run may well finish it
    except CatalogueFullError as error:
        raise DiskFullError(str(error)) from error  # it may also be that the folder cannot be written
    except (ArchiveError, OSError) as error:
        raise NotPublishedError(str(error)) from error


def publish(task: Publication) -> str:
    """Build what is released into a folder and swap it in; return what it holds, in words.

    Raises:
        ArchiveError: the database cannot be built; what was published before stands.
        OSError: the folder cannot be written; what was published before stands.
        NotPublishedError: the folder holds another archive's publication.
    """
    target = task.target
    target.mkdir(parents=True, exist_ok=True)
    if read_site(target) is not None:
        raise NotPublishedError(f"{target} holds a site of files: choose another folder, or remove it")
    if origin_of(target) not in {task.origin, "", None}:
        raise NotPublishedError(f"{target} holds another archive's publication: choose another folder, or remove it")
    with alone(target):
        for leftover in target.glob(".*.part*"):
            leftover.unlink()
        built = build(task, target)
        name = built.path.name
        db = open_readonly(target / name, immutable=True)
        try:
            wanted = link_media(published_files(db), task.blobs, target / MEDIA, again=task.again)
        finally:
            db.close()
        sync_folder(target)
        for file, data in files(task.config.site.names()).items():
            write_atomic(target / file, data)
        point_to(target, name, task.origin)
        if any(path.name != name for path in target.glob(DATABASES)):
            time.sleep(task.grace_seconds)
        _remove_others(target / MEDIA, wanted)
        _remove_others(target, {name}, DATABASES)
        write_corpora(target, task.config)
    held = ", ".join(counted(built.counts[thing], thing) for thing in ("session", "recording", "segment"))
    return f"{held} ({how(built)})"


def how(built: release.Built) -> str:
    """Say how a publication came about."""
    return f"built anew: {built.anew}" if built.anew else f"from the last one: {counted(built.changed, 'session')} anew"


def build(task: Publication, folder: Path) -> release.Built:
    """Build the database of what is released in a folder, under a name of its own, from the last one that is sound.

    Raises:
        ArchiveError: it cannot be built.
        OSError: the folder cannot be written.
    """
    with scratch(folder) as temporary:
        default, moment = task.config.publish.default_release, task.clock()
        last = "it was asked for" if task.again else last_of(task, folder, task.own)
        built = release.build(task.catalogue, temporary, default=default, now=moment, last=last)
        path = folder / f"{DATABASE_PREFIX}{built.digest}.db"
        temporary.chmod(0o644)
        temporary.replace(path)
    return replace(built, path=path)


def last_of(task: Publication, *folders: Path) -> Path | str:
    """Return the last publication in the first folder that has one which is this archive's and sound; else why none is.

    The name of a database says what its bytes are.
    """
    why = "nothing was published before"
    for folder in folders:
        if (database := database_of(folder)) is None or origin_of(folder) != task.origin:
            continue
        try:
            if database.stem == f"{DATABASE_PREFIX}{digest(database)[:16]}":
                return database
        except OSError as error:
            why = str(error)
            continue
        why = f"{database.name} is damaged"
    return why


def point_to(folder: Path, database: str, origin: str) -> None:
    """Make a folder's database the one that is published there."""
    current = {"database": database, "built_at": timestamp(), "origin": origin}
    write_atomic(folder / CURRENT, msgspec.json.encode(current))


@contextlib.contextmanager
def alone(target: Path) -> Iterator[None]:
    """Let one process at a time publish into a folder; the operating system frees it however that process ends."""
    lock = filelock.FileLock(target / LOCK, timeout=WAIT_SECONDS)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise NotPublishedError(f"another process has been publishing into {target} for too long") from None
    try:
        yield
    finally:
        lock.release()


def link_media(files: Iterable[StoredFile], blobs: BlobStore, folder: Path, *, again: bool) -> set[str]:
    """Bring renditions of what is released into the folder, linked where that can be; return their names."""
    folder.mkdir(exist_ok=True)
    names = set()
    for file in files:
        target = folder / f"{file.sha256}{file.suffix}"
        names.add(target.name)
        if target.exists() and not (again and digest(target) != file.sha256):
            continue
        try:
            source = blobs.path(file.sha256, file.suffix)
        except FileNotFoundError:
            continue  # lost from the store: its player finds nothing, and 'rostra check' says so
        with scratch(folder) as temporary:
            try:
                os.link(source, temporary)
            except OSError:
                shutil.copyfile(source, temporary)
            temporary.replace(target)
    sync_folder(folder)
    return names


def _remove_others(folder: Path, wanted: set[str], pattern: str = "*") -> None:
    for path in folder.glob(pattern):
        if path.name not in wanted:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()


def make(setup: Setup) -> Publish:  # noqa: ARG001 one signature for all stages
    """Return the stage for a command: the archive's own folder is published."""
    return Publish()
