"""Addresses of people follow their corrected names; old ones lead on, and tell nobody what they were."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive.catalogue.addresses import lead_on, person_at, session_at, slug_for
from archive.catalogue.corrections import correct_event, correct_person, correct_session
from archive.catalogue.importing import apply_event, apply_reading, read_event
from archive.catalogue.sessions import add_session, ensure_event, find_session
from archive.connection import transaction
from archive.errors import AddressTakenError
from archive.publication.build import build
from archive.publication.deciding import find_subject
from archive.sqlite import Database, sqlite3
from metadata.model import Event, Person, Role, Session
from metadata.timetables.base import Reading

WHEN = "2026-05-01T00:00:00Z"
EVENT = Event(
    slug="days",
    title="Days",
    sessions=(
        Session(slug="opening", title="Opening", people=(Role(person=Person(name="Noor Okafro")),)),
        Session(slug="closing", title="Closing", people=(Role(person=Person(name="Bo Ek")),)),
    ),
)


@pytest.fixture
def db(catalogue: Database) -> Database:
    bring(catalogue, EVENT)
    return catalogue


def bring(db: Database, event: Event) -> None:
    with transaction(db):
        apply_event(db, event, decided_at=WHEN)


def correct(db: Database, slug: str, name: str, *, taken_back: bool = False) -> None:
    with transaction(db):
        correct_person(db, slug, {"name": name}, by="somebody", at=WHEN, taken_back=taken_back)


def slugs(db: Database) -> list[str]:
    return [row[0] for row in db.execute("SELECT slug FROM person ORDER BY id").fetchall()]


def test_an_address_follows_the_name_and_the_old_one_leads_on(db: Database) -> None:
    correct(db, "noor-okafro", "Noor Okafor")
    assert slugs(db) == ["noor-okafor", "bo-ek"]
    assert lead_on(db.conn, "person_id", "noor-okafro") == "noor-okafor"
    assert (person_at(db, "noor-okafro"), person_at(db, "bo-ek"), person_at(db, "x")) == ("noor-okafor", "bo-ek", "x")


def test_a_timetable_with_the_old_name_means_the_same_person(db: Database) -> None:
    correct(db, "noor-okafro", "Noor Okafor")
    bring(db, EVENT)
    assert slugs(db) == ["noor-okafor", "bo-ek"]
    assert [role.person.name for role in read_event(db, "days").sessions[0].people] == ["Noor Okafor"]
    more = Role(person=Person(name="Ada Lin"))
    first, last = EVENT.sessions
    changed = Session(slug="opening", title="Opening", people=(*first.people, more))
    bring(db, Event(slug="days", title="Days", sessions=(changed, last)))
    people = read_event(db, "days").sessions[0].people
    assert [role.person.name for role in people] == ["Noor Okafor", "Ada Lin"]


def test_a_name_that_somebody_has_gets_a_number(db: Database) -> None:
    correct(db, "noor-okafro", "Bo Ek")
    assert slugs(db) == ["bo-ek-2", "bo-ek"]


def test_a_name_that_is_put_back_gets_its_address_back(db: Database) -> None:
    correct(db, "noor-okafro", "Noor Okafor")
    correct(db, "noor-okafro", "Noor Okafro")
    assert slugs(db) == ["noor-okafro", "bo-ek"]
    assert lead_on(db.conn, "person_id", "noor-okafor") == "noor-okafro"


@pytest.mark.parametrize("taken_back", [False, True])
def test_what_is_published_does_not_tell_an_old_name(db: Database, tmp_path: Path, taken_back: bool) -> None:
    correct(db, "noor-okafro", "Noor Okafor", taken_back=taken_back)
    built = build(
        tmp_path / "catalogue.db", tmp_path / "out.db", default="public", now=datetime(2026, 5, 2, tzinfo=UTC)
    )
    assert b"okafro" not in built.path.read_bytes().lower()
    conn = sqlite3.connect(built.path)
    assert lead_on(conn, "person_id", "noor-okafro") == (None if taken_back else "noor-okafor")
    conn.close()


def move(db: Database, session: str, new: str, event: str = "days") -> None:
    with transaction(db):
        correct_session(db, event, session, {"slug": new}, by="somebody", at=WHEN)


def sessions(db: Database, event: str = "days") -> list[tuple[str, str]]:
    return [(each.slug, each.title) for each in read_event(db, event).sessions]


def identities(db: Database) -> list[str]:
    return [row[0] for row in db.execute("SELECT identity FROM session ORDER BY id").fetchall()]


def test_a_session_and_its_event_are_found_at_every_address_that_they_had(db: Database) -> None:
    before = identities(db)
    move(db, "opening", "first-words")
    with transaction(db):
        correct_event(db, "days", {"slug": "tides"}, by="somebody", at=WHEN)
    move(db, "first-words", "words", "tides")
    assert sessions(db, "tides") == [("words", "Opening"), ("closing", "Closing")]
    for event in ("days", "tides"):
        for slug in ("opening", "first-words", "words"):
            assert session_at(db.conn, event, slug) == ("tides", "words")
            assert find_session(db, event, slug).label == "tides/words"
            assert find_subject(db, f"{event}/{slug}").label == "tides/words"
    assert session_at(db.conn, "days", "closed") is None
    assert identities(db) == before


def test_a_timetable_with_the_old_slugs_means_the_same_session_and_event(db: Database) -> None:
    move(db, "opening", "first-words")
    with transaction(db):
        correct_event(db, "days", {"slug": "tides"}, by="somebody", at=WHEN)
    first, last = EVENT.sessions
    other = Session(slug="opening", title="Another title", people=first.people)
    for one in (first, other):
        bring(db, Event(slug="days", title="Days", sessions=(one, last)))
        assert sessions(db, "tides") == [("first-words", one.title), ("closing", "Closing")]
    assert [row[0] for row in db.execute("SELECT slug FROM event").fetchall()] == ["tides"]


def test_a_new_session_does_not_get_an_address_that_was_left(db: Database) -> None:
    move(db, "opening", "first-words")
    with transaction(db):
        add_session(db, ensure_event(db, "days", "Days"), "opening", "Opening of the bar")
        new = Event(slug="days", title="Days", sessions=(Session(slug="opening", title="Nothing alike"),))
        apply_reading(db, Reading(events=(new,), complete=False), format_name="ics", decided_at=WHEN)
    assert sorted(sessions(db)) == [
        ("closing", "Closing"), ("first-words", "Opening"), ("opening-2", "Opening of the bar"),
        ("opening-3", "Nothing alike"),
    ]  # fmt: skip


def test_an_address_that_another_has_or_had_is_refused(db: Database) -> None:
    with pytest.raises(AddressTakenError, match="the address 'closing' is taken: choose another slug"):
        move(db, "opening", "closing")
    move(db, "opening", "first-words")
    with pytest.raises(AddressTakenError, match="'opening' was once that of 'first-words', and links still lead there"):
        move(db, "closing", "opening")
    assert slug_for(db, "Opening", "days", "closing") == "opening-2"
    move(db, "first-words", "opening")
    assert session_at(db.conn, "days", "first-words") == ("days", "opening")
    with transaction(db):
        ensure_event(db, "nights", "Nights")
    with pytest.raises(AddressTakenError, match="'nights' is taken"), transaction(db):
        correct_event(db, "days", {"slug": "nights"}, by="somebody", at=WHEN)
