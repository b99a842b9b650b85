from __future__ import annotations

import pytest

from archive.catalogue.importing import set_release
from archive.catalogue.provenance import note_place, replaced_at, supersede
from archive.connection import transaction
from archive.sqlite import Database
from metadata.model import Release
from tests.archive.build import add_event, add_session, add_transcript

WHEN = "2022-07-01T00:00:00Z"


@pytest.fixture
def db(catalogue: Database) -> Database:
    """Return a catalogue of three recordings, each in a session of its own, and the first at two places."""
    with transaction(catalogue):
        event = add_event(catalogue)
        for number in range(3):
            add_transcript(catalogue, add_session(catalogue, event, f"talk-{number}"), ["words"])
        note_place(catalogue, 1, "/a", about="{}", pulled_at=WHEN)
        note_place(catalogue, 1, "/b", about="{}", pulled_at=WHEN)
        note_place(catalogue, 2, "/c", about="{}", pulled_at=WHEN)
    return catalogue


def sha(number: int) -> str:
    return f"{number - 1:064x}"


@pytest.mark.parametrize(
    ("place", "bytes_now", "expected"),
    [("/new", 3, None), ("/c", 2, None), ("/c", 3, 2), ("/a", 3, None)],
)
def test_place_that_gives_other_bytes_replaces_what_no_other_place_gives(
    db: Database, place: str, bytes_now: int, expected: int | None
) -> None:
    assert replaced_at(db, place, sha(bytes_now)) == expected


def test_recording_is_replaced_when_its_last_place_has_other_bytes(db: Database) -> None:
    with transaction(db):
        note_place(db, 2, "/a", about="{}", pulled_at=WHEN)
    assert replaced_at(db, "/b", sha(3)) == 1


def test_superseding_recording_takes_session_and_release(db: Database) -> None:
    with transaction(db):
        set_release(db, "recording_id", 2, Release(state="private", reason="asked"), decided_at=WHEN)
        supersede(db, 2, 3)
    rows = db.execute("SELECT id, session_id, superseded_by FROM recording ORDER BY id").fetchall()
    assert [tuple(row) for row in rows] == [(1, 1, None), (2, 2, 3), (3, 2, None)]
    releases = db.execute("SELECT recording_id, state, reason FROM release ORDER BY recording_id").fetchall()
    assert [tuple(row) for row in releases] == [(2, "private", "asked"), (3, "private", "asked")]


def test_superseded_recording_that_comes_back_is_current_again(db: Database) -> None:
    with transaction(db):
        supersede(db, 2, 3)
        supersede(db, 3, 2)
    rows = db.execute("SELECT id, superseded_by FROM recording ORDER BY id").fetchall()
    assert [tuple(row) for row in rows] == [(1, None), (2, None), (3, 2)]
