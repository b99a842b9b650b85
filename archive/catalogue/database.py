"""Opening the catalogue for writing, with every migration applied."""

from __future__ import annotations

from pathlib import Path

from archive.catalogue.migrations import catalogue_migrations
from archive.catalogue.seals import is_sealed, keep_seals, seal_all
from archive.connection import BUSY_SECONDS, CACHE_KIB, transaction
from archive.errors import CatalogueDamagedError, CatalogueMissingError, CatalogueVersionError, sqlite_errors
from archive.sqlite import Database, sqlite3


def create_catalogue(path: Path, *, patience: float = BUSY_SECONDS) -> Database:
    """Make a catalogue, or open the one that is there, with every migration applied.

    A new one appears under its name with its tables or not at all: a file without them is never taken for new.

    Args:
        path: where it is.
        patience: seconds to wait for others who write.

    Raises:
        ArchiveError: it cannot be written, is none of Rostra's, or was written by a newer Rostra.
    """
    if not path.exists():
        new = path.with_name(f".{path.name}.new")
        new.unlink(missing_ok=True)
        _open(new, patience).close()
        new.replace(path)
    return _open(path, patience, exists=True)


def _open(path: Path, patience: float, *, exists: bool = False) -> Database:
    with sqlite_errors():
        conn = sqlite3.connect(path, timeout=patience)
        if exists and not conn.execute("SELECT 1 FROM sqlite_master WHERE name = '_sqlite_migrations'").fetchone():
            conn.close()  # before anything is written to it
            raise CatalogueDamagedError(f"{path} is no catalogue of Rostra's: restore it from a backup")
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
        keep_seals(conn)
        if not is_sealed(conn, len(ours)):
            _seal(db, len(ours))
        return db


def _seal(db: Database, migrations: int) -> None:
    """Seal a catalogue that is new, or that an older Rostra wrote."""
    with transaction(db):
        if not is_sealed(db.conn, migrations):  # another process may have done it meanwhile
            seal_all(db.conn, migrations)


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


def open_catalogue(path: Path, *, patience: float = BUSY_SECONDS) -> Database:
    """Open an existing catalogue for reading and writing; ``patience`` is how long to wait for others, in seconds.

    Raises:
        CatalogueMissingError: there is none.
        ArchiveError: it cannot be opened.
    """
    if not path.is_file():
        raise CatalogueMissingError(path)
    return create_catalogue(path, patience=patience)
