from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archive.catalogue.database import create_catalogue, open_catalogue
from archive.connection import transaction
from archive.errors import CatalogueDamagedError, called_by_sqlite
from pipelines.errors import ConfigError
from pipelines.storage.archive_folder import init
from pipelines.storage.atomic import write_atomic


def empty(path: Path) -> None:
    path.write_bytes(b"")


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("CREATE TABLE letters(text)")
        conn.commit()


def truncated(path: Path) -> None:
    create_catalogue(path).close()
    path.write_bytes(path.read_bytes()[: 3 * 4096])


def headless(path: Path) -> None:
    create_catalogue(path).close()
    path.write_bytes(b"\0" * 100 + path.read_bytes()[100:])


def text(path: Path) -> None:
    path.write_text("not a database\n" * 1000)


@pytest.mark.parametrize("spoil", [empty, foreign, truncated, headless, text])
def test_file_that_is_no_catalogue_is_refused_and_left_as_it_is(tmp_path: Path, spoil: object) -> None:
    path = tmp_path / "catalogue.db"
    assert callable(spoil)
    spoil(path)
    before = path.read_bytes()
    for opening in (open_catalogue, create_catalogue):
        with pytest.raises(CatalogueDamagedError, match="restore it from a backup"):
            opening(path)
    assert path.read_bytes() == before


def test_new_catalogue_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    write_atomic(tmp_path / ".catalogue.db.new", b"half of one, from a power cut")
    create_catalogue(path).close()
    assert [each.name for each in tmp_path.iterdir()] == ["catalogue.db"]


def test_archive_whose_catalogue_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    root = tmp_path / "talks"
    assert init(root, title="Talks")
    (root / "media" / "ab").mkdir()
    (root / "media" / "ab" / "talk.wav").write_bytes(b"sound")
    (root / "catalogue.db").unlink()
    with pytest.raises(ConfigError, match="restore it from a backup"):
        init(root, title="Talks")
    assert not (root / "catalogue.db").exists()


def test_ctrl_c_while_sqlite_calls_a_function_ends_the_transaction_and_the_command(tmp_path: Path) -> None:
    def interrupted() -> int:
        raise KeyboardInterrupt

    with closing(create_catalogue(tmp_path / "catalogue.db")) as db:
        for name, function in (("kept", called_by_sqlite(interrupted)), ("just_before", interrupted)):
            db.conn.create_function(name, 0, function)
            with pytest.raises(KeyboardInterrupt), transaction(db):
                db.execute(f"INSERT INTO series(slug, title) VALUES ('one', {name}())")
        assert db.execute("SELECT count(*) FROM series").fetchone() == (0,)
