"""Connections to SQLite files, and the transactions that all of Rostra's statements run in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from archive.errors import CatalogueMissingError, sqlite_errors
from archive.sqlite import Database, sqlite3

BUSY_SECONDS = 30.0
DRIVER_SECONDS = 600.0
"""How long a run waits for others who write: it must not end because somebody imports a long timetable."""
CACHE_KIB = 16 * 1024
"""KiB of a file that a connection keeps in memory. A search in a large archive reads more than SQLite's 2 MiB."""


def open_readonly(path: Path, *, immutable: bool = False) -> Database:
    """Open a database that is only read; ``immutable`` promises that nobody writes it either.

    On a disk that is there for reading alone nobody can, and SQLite could not make the file that readers of a WAL
    share (https://sqlite.org/wal.html#read_only_databases).

    Raises:
        CatalogueMissingError: there is none.
        ArchiveError: it cannot be opened.
    """
    if not path.is_file():
        raise CatalogueMissingError(path)
    flag = "immutable=1" if immutable or _kept_from_writing(path) else "mode=ro"
    with sqlite_errors():
        conn = sqlite3.connect(f"file:{quote(str(path))}?{flag}", uri=True, timeout=BUSY_SECONDS)
        conn.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        return Database(conn)


def _kept_from_writing(path: Path) -> bool:
    """Return whether a file is on a disk that is there for reading alone, and whole without what its WAL holds."""
    wal = path.with_name(f"{path.name}-wal")
    if not hasattr(os, "statvfs") or (wal.exists() and wal.stat().st_size):
        return False
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


@contextmanager
def reading(conn: sqlite3.Connection) -> Iterator[None]:
    """Let all statements of a block read one state of the database, and take its lock once."""
    if conn.in_transaction:
        yield
        return
    conn.execute("BEGIN")
    try:
        yield
    finally:
        conn.execute("COMMIT")


def empty_journal(db: Database) -> bool:
    """Write what is in the journal into the file, and empty it, so that it holds nothing that was deleted since.

    Returns:
        Whether it is empty: whoever reads an old state keeps it until done.
    """
    with sqlite_errors():
        return not db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]


@contextmanager
def transaction(db: Database) -> Iterator[None]:
    """Run a block as one transaction that takes the write lock at its start: all of it happens, or nothing."""
    with sqlite_errors():
        conn = db.conn
        conn.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            conn.execute("ROLLBACK")
            raise
        conn.execute("COMMIT")
