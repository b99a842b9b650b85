from __future__ import annotations

from pathlib import Path

import pytest
from sqlite_utils.migrations import Migrations

from archive.catalogue.database import catalogue_names, create_catalogue, open_catalogue
from archive.catalogue.migrations import SCHEMA_FILE, catalogue_migrations, dump_schema
from archive.connection import open_readonly
from archive.errors import (
    ArchiveError,
    CatalogueBusyError,
    CatalogueDamagedError,
    CatalogueMissingError,
    CatalogueVersionError,
    map_sqlite_error,
    sqlite_errors,
)
from archive.sqlite import Database, sqlite3


def test_schema_file_is_what_migrations_make(catalogue: Database) -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == dump_schema(catalogue)


def test_blank_file_gets_every_migration(catalogue: Database) -> None:
    assert tuple(m.name for m in catalogue_migrations.applied(catalogue)) == catalogue_names()


def test_opening_again_migrates_nothing(tmp_path: Path) -> None:
    create_catalogue(tmp_path / "c.db").close()
    before = (tmp_path / "c.db").read_bytes()
    open_catalogue(tmp_path / "c.db").close()
    assert (tmp_path / "c.db").read_bytes() == before


def test_migration_stopped_halfway_leaves_the_file_as_it_was() -> None:
    db = Database(memory=True)
    migrations = Migrations("test")

    @migrations()
    def breaks_off(db: Database) -> None:
        db.execute("CREATE TABLE half(id INTEGER)")
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        migrations.apply(db)
    assert db.table_names() in ([], ["_sqlite_migrations"])
    assert [m.name for m in migrations.pending(db)] == ["breaks_off"]
    db.close()


def test_catalogue_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    db = create_catalogue(path)
    db["_sqlite_migrations"].insert({"migration_set": "rostra", "name": "m9999_future", "applied_at": "2099"})
    db.close()
    with pytest.raises(CatalogueVersionError, match="m9999_future"):
        open_catalogue(path)


def test_missing_catalogue_says_how_to_make_one(tmp_path: Path) -> None:
    for opener in (open_catalogue, open_readonly):
        with pytest.raises(CatalogueMissingError, match="rostra init"):
            opener(tmp_path / "catalogue.db")


def test_file_that_is_no_database_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    path.write_text("no database " * 100)
    with pytest.raises(CatalogueDamagedError):
        open_catalogue(path)


def test_every_foreign_key_has_an_index(catalogue: Database) -> None:
    bare = []
    for table in catalogue.tables:
        leading = {index.columns[0] for index in table.indexes} | {table.pks[0]}
        bare += [f"{table.name}.{key.column}" for key in table.foreign_keys if key.column not in leading]
    assert bare == []


PRIMARY_CODES = sorted(
    {
        value & 0xFF
        for name, value in vars(sqlite3).items()
        if name.startswith("SQLITE_") and isinstance(value, int) and 0 < (value & 0xFF) < 27
    }
)


@pytest.mark.parametrize("code", PRIMARY_CODES)
def test_every_error_of_sqlite_is_one_of_ours(code: int) -> None:
    error = sqlite3.OperationalError("text")
    error.sqlite_errorcode = code
    assert isinstance(map_sqlite_error(error), ArchiveError)


def test_locked_catalogue_is_busy(tmp_path: Path) -> None:
    holder = sqlite3.connect(tmp_path / "x.db")
    holder.execute("BEGIN EXCLUSIVE")
    other = sqlite3.connect(tmp_path / "x.db", timeout=0)
    with pytest.raises(CatalogueBusyError), sqlite_errors():
        other.execute("CREATE TABLE t(x)")
    holder.close()
    other.close()
