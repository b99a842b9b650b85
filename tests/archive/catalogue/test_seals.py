"""Damage inside of the catalogue: a single byte that has changed is found, named and brought back."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from archive.catalogue.database import create_catalogue
from archive.catalogue.seals import accept, bring_back, broken_seals, sealed_tables, told
from archive.connection import transaction
from archive.errors import ArchiveError
from archive.index.verify import verify, verify_file
from archive.sqlite import Database, sqlite3
from pipelines.cli import cli
from pipelines.storage.archive_folder import init
from tests.pipelines.exchange.test_bags import made
from tests.pipelines.storage.test_backup import tables

FLIPS = 60


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a catalogue that people have imported into, corrected, redacted, released and purged."""
    folder = tmp_path_factory.mktemp("whole")
    with made() as machine:
        machine.purge(number=5)
        machine.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(machine.folder / "archive" / "catalogue.db", folder / "catalogue.db")
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(whole / "catalogue.db", tmp_path / "catalogue.db"))


@pytest.fixture
def opened(copy: Path) -> Iterator[Database]:
    db = create_catalogue(copy)
    yield db
    db.close()


def test_whatever_rostra_does_is_sealed(opened: Database) -> None:
    assert broken_seals(opened) == []
    filled = {row[0] for row in opened.execute("SELECT part FROM seal WHERE digest").fetchall()}
    assert {"session", "word", "release", "purge", "stage_run", "imported", "correction", "redaction"} < filled


def test_rows_that_are_replaced_or_go_with_others_are_sealed(opened: Database) -> None:
    with transaction(opened):
        opened.execute(
            "INSERT OR REPLACE INTO heard_part SELECT recording_id, fingerprint, number, '1' FROM heard_part"
        )
        opened.execute("UPDATE recording SET id = id + 1000 WHERE id = 1 AND 0")
        opened.execute("DELETE FROM event WHERE id = 1")
    assert broken_seals(opened) == []
    with transaction(opened):
        opened.execute("DELETE FROM recording")
    assert broken_seals(opened) == []


def test_every_value_of_every_table_is_found_and_brought_back(whole: Path, copy: Path) -> None:
    before, changed, flipped = tables(whole), 0, set()
    with closing(sqlite3.connect(copy)) as conn:
        conn.execute("PRAGMA ignore_check_constraints = 1")
        for table in sealed_tables(conn):
            columns = conn.execute("SELECT name, pk FROM pragma_table_info(?)", (table,)).fetchall()
            key = "id" if any(name == "id" for name, _ in columns) else columns[0][0]
            for name, _ in [each for each in columns if not each[1]]:
                row = conn.execute(
                    f"SELECT {key}, {name} FROM {table} WHERE {name} IS NOT NULL AND typeof({name}) = 'text' LIMIT 1"
                ).fetchone()
                unique = name in {"slug", "sha256", "version", "identity"}
                if row is None or unique:
                    continue
                conn.execute(f"UPDATE {table} SET {name} = {name} || '~' WHERE {key} = ?", (row[0],))
                flipped.add((table, row[0] >> (10 if table in {"segment", "word"} else 0)))
                changed += 1
        conn.commit()
    assert changed > 60
    db = create_catalogue(copy)
    found = broken_seals(db)
    assert flipped <= {(each.table, each.number) for each in found}
    # A trigger notes when a session changed, which changes its row, too.
    assert {each.table for each in found} == {table for table, _ in flipped}
    db.close()
    assert bring_back(copy, whole / "catalogue.db", found) == []
    assert tables(copy.parent) == before


def test_flipped_bytes_of_the_file_are_found(whole: Path, tmp_path: Path) -> None:
    data, before = (whole / "catalogue.db").read_bytes(), tables(whole)
    draw, harmless = random.Random(7), 0  # noqa: S311 it draws bytes to flip
    for number in range(FLIPS):
        folder = tmp_path / str(number)
        folder.mkdir()
        spoilt, at = bytearray(data), draw.randrange(100, len(data))
        spoilt[at] ^= 1 << draw.randrange(8)
        (folder / "catalogue.db").write_bytes(spoilt)
        if not is_found(folder / "catalogue.db"):
            # Of what is deleted, and of what SQLite keeps between rows, nothing is said.
            assert tables(folder) == before, f"byte {at}"
            harmless += 1
        shutil.rmtree(folder)
    assert harmless < FLIPS


def is_found(path: Path) -> bool:
    try:
        db = create_catalogue(path)
        try:
            with transaction(db):
                return bool(verify_file(db) or broken_seals(db) or verify(db))
        finally:
            db.close()
    except (ArchiveError, sqlite3.Error, UnicodeDecodeError):
        return True


def damaged_title(path: Path) -> None:
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("DROP TRIGGER session_changed")
        conn.execute("UPDATE session SET title = 'Tidez' WHERE slug = 'tides'")
        conn.commit()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return an archive with a backup, in whose catalogue a byte of a title has changed."""
    init(tmp_path / "talks", title="Talks")
    (tmp_path / "coast.yaml").write_text("title: Coast\nslug: coast\nsessions:\n  - title: Opening\n  - title: Tides\n")
    for arguments in (["import", str(tmp_path / "coast.yaml")], ["run"], ["backup", str(tmp_path / "backup")]):
        done = CliRunner().invoke(cli, [*arguments, "--archive", str(tmp_path / "talks")])
        assert done.exit_code == 0, done.output
    damaged_title(tmp_path / "talks" / "catalogue.db")
    return tmp_path / "talks"


def run(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(cli, [str(each) for each in arguments])
    return done.exit_code, done.output


def title(archive: Path) -> str:
    return next(str(row[3]) for row in tables(archive)["session"] if row[2] == "tides")


def test_damaged_title_is_not_blessed_but_brought_back(archive: Path, tmp_path: Path) -> None:
    for options in ((), ("--mend",)):
        status, said = run("check", *options, "--archive", archive)
        assert (status, "session: row 2 was changed, and not by Rostra (coast/tides)" in said) == (1, True)
        assert "rostra restore BACKUP --repair" in said
    status, said = run("restore", tmp_path / "backup", "--repair", "--archive", archive)
    assert (status, said.strip()) == (0, "Repaired: 1.")
    assert title(archive) == "Tides"
    assert run("check", "--archive", archive) == (0, "Everything is as it was kept.\n")


def test_what_was_written_since_the_backup_is_never_undone(archive: Path, tmp_path: Path) -> None:
    status, said = run("correct", "session", "coast/opening", "title=Beginning", "--archive", archive)
    assert status == 0, said
    assert run("restore", tmp_path / "backup", "--repair", "--archive", archive)[0] == 0
    assert {row[3] for row in tables(archive)["session"]} == {"Beginning", "Tides"}


def test_rows_that_no_backup_has_may_be_accepted(archive: Path, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "backup")
    init(tmp_path / "empty", title="Empty")
    db = create_catalogue(archive / "catalogue.db")
    broken = broken_seals(db)
    assert list(told(db, broken)) == ["session: row 2 was changed, and not by Rostra (coast/tides)"]
    assert bring_back(archive / "catalogue.db", tmp_path / "empty" / "catalogue.db", broken) == broken
    with transaction(db):
        accept(db, broken)
    assert broken_seals(db) == []
    db.close()
    assert title(archive) == "Tidez"
