"""Opening the catalogue and published databases.

The SQLite is ``pysqlite3``'s: system libraries are often older than 3.43, which contentless-delete
indexes need, and 3.7.0 to 3.51.2 can corrupt a database in WAL mode when a checkpoint races a writer
(https://sqlite.org/wal.html#walresetbug). sqlite-utils and Datasette choose the same module.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from sqlite_utils import Database

from archive.errors import CatalogueMissingError, CatalogueVersionError, sqlite_errors
from archive.migrations import catalogue_migrations

if TYPE_CHECKING:
    import sqlite3
else:
    from pysqlite3 import dbapi2 as sqlite3

__all__ = [
    "Database",
    "create_catalogue",
    "open_catalogue",
    "open_readonly",
    "outdated",
    "reading",
    "sqlite3",
    "transaction",
]

BUSY_SECONDS = 30.0
CACHE_KIB = 16 * 1024
"""What a connection keeps of a file in memory. A search in a large archive reads more than the two MiB of SQLite."""


def create_catalogue(path: Path) -> Database:
    """Make a catalogue, or open the one that is there, with every migration applied.

    Raises:
        ArchiveError: it cannot be written, or was written by a newer Rostra.
    """
    with sqlite_errors():
        conn = sqlite3.connect(path, timeout=BUSY_SECONDS)
        conn.execute("PRAGMA journal_mode = WAL")
        conn.execute("PRAGMA synchronous = NORMAL")
        conn.execute("PRAGMA foreign_keys = ON")
        conn.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        db = Database(conn)
        applied = {migration.name for migration in catalogue_migrations.applied(db)}
        known = applied | {migration.name for migration in catalogue_migrations.pending(db)}
        ours = set(catalogue_names())
        if unknown := tuple(sorted(known - ours)):
            conn.close()
            raise CatalogueVersionError(path, unknown)
        catalogue_migrations.apply(db)
        return db


def catalogue_names() -> tuple[str, ...]:
    """Return the names of all migrations that this version knows, in order."""
    blank = Database(memory=True)
    names = tuple(migration.name for migration in catalogue_migrations.pending(blank))
    blank.close()
    return names


def outdated(db: Database) -> bool:
    """Tell whether an older Rostra wrote a catalogue."""
    with sqlite_errors():
        return bool(catalogue_migrations.pending(db))


def open_catalogue(path: Path) -> Database:
    """Open an existing catalogue for reading and writing.

    Raises:
        CatalogueMissingError: there is none.
        ArchiveError: it cannot be opened.
    """
    if not path.is_file():
        raise CatalogueMissingError(path)
    return create_catalogue(path)


def open_readonly(path: Path, *, immutable: bool = False) -> Database:
    """Open a database that is only read; ``immutable`` promises that nobody writes it either.

    Raises:
        CatalogueMissingError: there is none.
        ArchiveError: it cannot be opened.
    """
    if not path.is_file():
        raise CatalogueMissingError(path)
    flag = "immutable=1" if immutable else "mode=ro"
    with sqlite_errors():
        conn = sqlite3.connect(f"file:{quote(str(path))}?{flag}", uri=True, timeout=BUSY_SECONDS)
        conn.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        return Database(conn)


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
