from pathlib import Path

import pytest

from archive.catalogue.database import create_catalogue, open_catalogue
from archive.connection import transaction
from archive.index.passages import rebuild
from archive.index.verify import verify, verify_file
from archive.sqlite import Database
from tests.archive.build import add_event, add_session, add_transcript


@pytest.fixture
def db(tmp_path: Path) -> Database:
    """A catalogue with a session of several passages, some of it doubtful."""
    db = create_catalogue(tmp_path / "catalogue.db")
    with transaction(db):
        session = add_session(db, add_event(db), "talk", ["Noor Okafor"], abstract="On running waters.")
        add_transcript(db, session, [f"Running words of segment {at}, dont stop." for at in range(40)], doubtful=[7])
        rebuild(db)
    return db


def test_what_was_just_built_is_sound(db: Database) -> None:
    with transaction(db):
        assert (verify(db), verify_file(db)) == ([], [])


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            "UPDATE segment SET text = 'Running words of fragment 3, dont stop.' WHERE position = 3",
            ["passage_fts has 2 words more or less often than they are said, as 'fragment'",
             "session_fts has 2 words more or less often than they are said, as 'fragment'"],
        ),
        (
            "UPDATE segment SET flags = '[]' WHERE position = 7",
            ["session 1 has other passages than its transcripts (3 for 3)"],
        ),
        ("UPDATE session SET abstract = 'On waters.'", ["session 1 is indexed with other words than it has"]),
        (
            "UPDATE session SET title = 'Tale'",
            ["session_fts has 2 words more or less often than they are said, as 'tale'"],
        ),
        ("DELETE FROM passage WHERE id = 2",
         ["indexed text 2 belongs to no passage", "session 1 has other passages than its transcripts (2 for 3)"]),
        ("DELETE FROM passage_fts WHERE rowid = 3", ["passage 3 has no text"]),
        ("DELETE FROM session_fts", ["session 1 is not indexed"]),
        (
            "INSERT OR REPLACE INTO passage_fts(rowid, text) VALUES (1, 'other words')",
            ["passage 1 of session 1 is indexed with other words than were said"],
        ),
        (
            "UPDATE transcript SET is_current = 0",
            [*(f"passage {number} is not of a current transcript of its session" for number in (1, 2, 3)),
             "session 1 has other passages than its transcripts (3 for 0)"],
        ),
    ],
)  # fmt: skip
def test_an_index_that_says_something_else(db: Database, statement: str, expected: list[str]) -> None:
    with transaction(db):
        db.execute(statement)
        assert verify(db) == expected
        rebuild(db)
        assert verify(db) == []


def test_a_broken_index_is_told(db: Database) -> None:
    with transaction(db):
        (block,) = db.execute("SELECT min(id) FROM passage_fts_data WHERE id > 10").fetchone()
        db.execute("UPDATE passage_fts_data SET block = zeroblob(length(block)) WHERE id = ?", [block])
        assert verify(db)[0].startswith("passage_fts is damaged (")
        rebuild(db)
        assert verify(db) == []


def test_a_broken_file_is_told(tmp_path: Path, db: Database) -> None:
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (size,) = db.execute("PRAGMA page_size").fetchone()
    (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'segment'").fetchone()
    db.close()
    path = tmp_path / "catalogue.db"
    with path.open("r+b") as file:
        file.seek((root - 1) * size + 8)
        file.write(bytes(64))
    broken = open_catalogue(path)
    assert verify_file(broken) != []


def test_a_reference_to_nothing_is_told(db: Database) -> None:
    db.execute("PRAGMA foreign_keys = OFF")
    with transaction(db):
        db.execute("DELETE FROM transcript")
    assert verify_file(db)[0] == "row 1 of segment refers to a row of transcript that is gone"
