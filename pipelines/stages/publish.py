"""Publish: from the catalogue to a database and media that hold only what is released, swapped in at once.

A new database is built beside the old under a name of its own, media are linked, and then one small file,
``current.json``, is replaced: readers see either the old publication or the new, never half of one. What
is no longer released leaves the folder after that.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import msgspec

from archive.catalogue.recordings import stored_files
from archive.connection import open_readonly
from archive.errors import ArchiveError, CatalogueBusyError, CatalogueFullError
from archive.publication import build as release
from archive.sqlite import Database
from pipelines.errors import ItemError
from pipelines.stages import Setup
from pipelines.stages.base import Item, Report, fingerprint
from pipelines.storage.archive_folder import Context, now, timestamp
from pipelines.storage.atomic import scratch, sync_folder, write_atomic
from pipelines.storage.blobs import BlobStore
from pipelines.storage.own import CURRENT, DATABASES, MEDIA
from pipelines.text import counted

GRACE_SECONDS = 2.0
"""How long the old database stays after the swap: a request that began on it may still open it."""


class NotPublishedError(ItemError):
    """The new publication could not be finished; the old one stands."""

    code = "not-published"


@dataclass(frozen=True, slots=True)
class Publish:
    """The stage. ``target`` is the folder that is published; None is the archive's own."""

    target: Path | None = None
    name: ClassVar[str] = "publish"
    unit: ClassVar[str] = ""

    def items(self, context: Context) -> Iterable[Item]:
        """Return one item; its fingerprint changes with the content and with what is released."""
        target = self._target(context)
        state = release.publication_fingerprint(context.db, default=context.config.publish.default_release, now=now())
        yield Item(
            subject=str(target.resolve()),
            label=target.name,
            fingerprint=fingerprint(state),
            lost=not (target / CURRENT).exists(),
        )

    def work(self, task: None, report: Report) -> None:
        """Do nothing: a publication is built where the catalogue is."""

    def commit(self, context: Context, item: Item, result: None) -> str | None:  # noqa: ARG002 one signature
        """Build a publication and swap it in."""
        try:
            return publish(context, self._target(context))
        except (CatalogueBusyError, CatalogueFullError):
            raise  # the next run may well finish it
        except (ArchiveError, OSError) as error:
            raise NotPublishedError(str(error)) from error

    def _target(self, context: Context) -> Path:
        return self.target or context.layout.public


def publish(context: Context, target: Path) -> str:
    """Build what is released into a folder and swap it in; return what it holds, in words.

    Raises:
        ArchiveError: the database cannot be built; what was published before stands.
        OSError: the folder cannot be written; what was published before stands.
    """
    target.mkdir(parents=True, exist_ok=True)
    for leftover in target.glob(".*.part*"):
        leftover.unlink()
    with scratch(target) as temporary:
        built = release.build(
            context.layout.catalogue, temporary, default=context.config.publish.default_release, now=now()
        )
        name = f"catalogue-{built.digest}.db"
        temporary.chmod(0o644)
        temporary.replace(target / name)
    db = open_readonly(target / name, immutable=True)
    try:
        wanted = _link_media(db, context.blobs, target / MEDIA)
    finally:
        db.close()
    sync_folder(target)
    write_atomic(target / CURRENT, msgspec.json.encode({"database": name, "built_at": timestamp()}))
    if any(path.name != name for path in target.glob(DATABASES)):
        time.sleep(GRACE_SECONDS)
    _remove_others(target / MEDIA, wanted)
    _remove_others(target, {name}, DATABASES)
    return ", ".join(counted(built.counts[thing], thing) for thing in ("session", "recording", "segment"))


def _link_media(db: Database, blobs: BlobStore, folder: Path) -> set[str]:
    """Bring released recordings and renditions into the folder, linked where that can be; return their names."""
    folder.mkdir(exist_ok=True)
    names = set()
    for file in stored_files(db):
        target = folder / f"{file.sha256}{file.suffix}"
        names.add(target.name)
        if target.exists():
            continue
        try:
            source = blobs.path(file.sha256, file.suffix)
        except FileNotFoundError:
            continue  # lost from the store: its player finds nothing, and transcribing it says so
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
