"""An archive on disk, opened: where its parts are, its configuration, and its catalogue."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import filelock
import msgspec

from archive.catalogue.database import create_catalogue, open_catalogue, outdated
from archive.catalogue.runs import interrupt_running
from archive.connection import DRIVER_SECONDS, open_readonly, transaction
from archive.sqlite import Database
from pipelines import config as configuration
from pipelines.config import Config
from pipelines.errors import ConfigError, LockedError
from pipelines.storage.atomic import write_atomic
from pipelines.storage.blobs import BlobStore, LocalBlobStore
from pipelines.storage.buckets import Bucket, BucketBlobStore


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the parts of an archive are.

    Attributes:
        root: its folder.
        turn: tells the work of one that takes a short turn from a run's.
    """

    root: Path
    turn: str = ""

    @classmethod
    def at(cls, folder: Path, turn: str = "") -> Layout:
        """Return the layout of an archive as any process finds it, whatever its working directory is."""
        return cls(folder.expanduser().resolve(), turn)

    @property
    def config(self) -> Path:
        """The configuration, for people to edit."""
        return self.root / configuration.FILE_NAME

    @property
    def catalogue(self) -> Path:
        """The catalogue: everything, private, written only by Rostra."""
        return self.root / "catalogue.db"

    @property
    def media(self) -> Path:
        """The recordings, by the SHA-256 of their bytes."""
        return self.root / "media"

    @property
    def public(self) -> Path:
        """What is published."""
        return self.root / "public"

    @property
    def work(self) -> Path:
        """What a run hands from worker to driver; emptied when a run begins."""
        return self.root / f"work{self.turn}"

    @property
    def sources(self) -> Path:
        """What pulls remember: what is half fetched, and what feeds last said."""
        return self.root / "sources"

    @property
    def lock(self) -> Path:
        """Held by the run that is at work, and naming it."""
        return self.root / ".lock"

    @property
    def owner(self) -> Path:
        """Says who holds the lock."""
        return self.root / ".lock-owner"


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that is at work on an archive."""

    pid: int
    host: str
    since: str


@dataclass(frozen=True, slots=True)
class Context:
    """An opened archive, as stages see it."""

    layout: Layout
    config: Config
    db: Database

    @property
    def blobs(self) -> BlobStore:
        """The store of recordings."""
        here = LocalBlobStore(self.layout.media)
        return BucketBlobStore(Bucket.at(self.config.store.bucket), here) if self.config.store.bucket else here


def now() -> datetime:
    """Return the moment, in UTC."""
    return datetime.now(UTC)


def timestamp() -> str:
    """Return the moment as the catalogue writes it: ISO 8601, UTC, whole seconds."""
    return now().strftime("%Y-%m-%dT%H:%M:%SZ")


def init(root: Path, *, title: str) -> bool:
    """Make an archive in a folder, and return whether it is new. What is there already stays as it is.

    Raises:
        ConfigError: the folder cannot be made, or holds something else.
    """
    layout = Layout.at(root)
    new = not layout.catalogue.exists()
    try:
        root.mkdir(parents=True, exist_ok=True)
        if new and not layout.config.exists() and any(root.iterdir()):
            raise ConfigError(f"{root} is not empty: choose a new folder for the archive")
        if new and any(layout.media.glob("*/*")):
            raise ConfigError(f"{layout.catalogue} is gone, and {layout.media} is not empty: restore it from a backup")
        if not layout.config.exists():
            write_atomic(layout.config, configuration.template(title).encode())
        layout.media.mkdir(exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot make an archive in {root}: {error.strerror}") from error
    create_catalogue(layout.catalogue).close()
    return new


@contextmanager
def taking_turns(root: Path) -> Iterator[Context]:
    """Open an archive for writing in short turns, also while a run is at work: each transaction is one turn.

    Raises:
        ArchiveError: there is no archive here, or it cannot be opened.
        ConfigError: the configuration is wrong.
    """
    layout = Layout.at(root, f"-{os.getpid()}")
    config = configuration.load(layout.config)
    db = open_catalogue(layout.catalogue, patience=TURN_SECONDS)
    try:
        yield Context(layout, config, db)
    finally:
        shutil.rmtree(layout.work, ignore_errors=True)
        db.close()


TURN_SECONDS = 120.0
"""How long one who takes a turn waits for it."""


@contextmanager
def open_archive(root: Path, *, patience: float = DRIVER_SECONDS) -> Iterator[Context]:
    """Open an archive for a run: one at a time. Others may write in short turns meanwhile (`taking_turns`).

    What an interrupted run left behind is put right first: its runs are marked, its scraps removed.

    Args:
        root: its folder.
        patience: how many seconds to wait for another writer's turn to end.

    Raises:
        LockedError: another run is at work here.
        ArchiveError: there is no archive here, or it cannot be opened.
        ConfigError: the configuration is wrong.
    """
    layout = Layout.at(root)
    config = configuration.load(layout.config)
    db = open_catalogue(layout.catalogue, patience=patience)
    try:
        with _hold(layout):
            layout.work.mkdir(exist_ok=True)
            LocalBlobStore(layout.media).clean()
            with transaction(db):
                interrupt_running(db, finished_at=timestamp())
            yield Context(layout, config, db)
            shutil.rmtree(layout.work, ignore_errors=True)
    finally:
        db.close()


@contextmanager
def open_archive_readonly(root: Path) -> Iterator[Context]:
    """Open an archive to look at it, whoever else is at work there; an older Rostra's is brought up to date first.

    Raises:
        ArchiveError: there is no archive here, or it cannot be opened.
        ConfigError: the configuration is wrong.
    """
    layout = Layout.at(root)
    db = open_readonly(layout.catalogue)
    if outdated(db):
        db.close()
        open_catalogue(layout.catalogue).close()
        db = open_readonly(layout.catalogue)
    try:
        yield Context(layout, configuration.load(layout.config), db)
    finally:
        db.close()


def owner(layout: Layout) -> Owner | None:
    """Return who is at work on an archive, if anybody is; on another machine, whoever says so."""
    with suppress(OSError, msgspec.DecodeError):
        found = msgspec.json.decode(layout.owner.read_bytes(), type=Owner)
        if found.host != socket.gethostname() or _lives(found.pid):
            return found
    return None


def _lives(pid: int) -> bool:
    if not pid:
        return False  # which would mean this process's own group
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True


@contextmanager
def _hold(layout: Layout) -> Iterator[None]:
    """Hold the archive's lock; the operating system lets it go however this process ends."""
    lock = filelock.FileLock(layout.lock, blocking=False)
    try:
        lock.acquire()
    except filelock.Timeout:
        holder = owner(layout)
        name = f"process {holder.pid} on {holder.host} since {holder.since}" if holder else "another process"
        raise LockedError(f"{layout.root} is in use by {name}: wait for it, or stop it") from None
    try:
        for left in layout.root.glob("work-*"):
            if not _lives(int(digits) if (digits := left.name.removeprefix("work-")).isdecimal() else 0):
                shutil.rmtree(left, ignore_errors=True)
        write_atomic(layout.owner, msgspec.json.encode(Owner(os.getpid(), socket.gethostname(), timestamp())))
        shutil.rmtree(layout.work, ignore_errors=True)
        yield
    finally:
        layout.owner.unlink(missing_ok=True)
        lock.release()
