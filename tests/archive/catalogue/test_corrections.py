"""What a person corrected by hand stays, whatever is imported afterwards."""

from __future__ import annotations

from dataclasses import replace

import pytest

from archive.catalogue.corrections import correct_event, correct_person, correct_session, corrections
from archive.catalogue.importing import Retained, apply_reading
from archive.catalogue.rows import read_event
from archive.connection import transaction
from archive.errors import UnknownSubjectError
from archive.sqlite import Database
from metadata.model import Event, Person, Role, Session
from metadata.timetables.base import Reading

WHEN, BY = "2024-01-01T00:00:00Z", "noor"
OPENING = Session(
    slug="opening",
    title="Openning",
    room="Hall",
    start="2024-05-01T10:00:00+02:00",
    people=(Role(person=Person(name="Ada Lin")),),
)
EVENT = Event(slug="days", title="Days", time_zone="Europe/Berlin", sessions=(OPENING,))


@pytest.fixture
def db(catalogue: Database) -> Database:
    bring(catalogue, EVENT)
    return catalogue


def bring(db: Database, event: Event) -> tuple[Retained, ...]:
    """Import an event, and return what stayed as somebody corrected it."""
    db.conn.commit()
    with transaction(db):
        return apply_reading(db, Reading(events=(event,)), format_name="schedule-xml", decided_at=WHEN)[0].corrected


def test_a_corrected_title_outlives_every_import(db: Database) -> None:
    [done] = correct_session(db, "days", "opening", {"title": "Opening"}, by=BY, at=WHEN)
    assert (done.field, done.before, done.after, done.by) == ("title", "Openning", "Opening", BY)
    for title in ("Openning", "Oppening", "Opening", "Something else"):
        kept = bring(db, replace(EVENT, sessions=(replace(OPENING, title=title, track="Sea"),)))
        session = read_event(db, "days").sessions[0]
        assert (session.slug, session.title, session.track) == ("opening", "Opening", "Sea")
        assert [each.reason for each in kept] == ["corrected by hand: title"] * (title != "Opening")


def test_a_session_is_known_by_the_title_that_it_had_before_it_was_corrected(catalogue: Database) -> None:
    bare = Session(slug="opening", title="Openning")
    bring(catalogue, replace(EVENT, sessions=(bare,)))
    correct_session(catalogue, "days", "opening", {"title": "How it began"}, by=BY, at=WHEN)
    for title in ("Openning", "How it began"):
        bring(catalogue, replace(EVENT, sessions=(replace(bare, title=title),)))
        assert [(x.slug, x.title) for x in read_event(catalogue, "days").sessions] == [("opening", "How it began")]


def test_what_a_person_confirmed_stays_too(db: Database) -> None:
    assert correct_session(db, "days", "opening", {"title": "Openning"}, by=BY, at=WHEN) == []
    bring(db, replace(EVENT, sessions=(replace(OPENING, title="Opening"),)))
    assert read_event(db, "days").sessions[0].title == "Openning"
    assert len(corrections(db, "session_id", 1)) == 1
    correct_session(db, "days", "opening", {"title": "Openning"}, by=BY, at=WHEN)
    assert len(corrections(db, "session_id", 1)) == 1


def test_people_of_a_session_and_their_names_are_corrected(db: Database) -> None:
    people = (*OPENING.people, Role(person=Person(name="Bo Ek")))
    correct_session(db, "days", "opening", {"people": people}, by=BY, at=WHEN)
    correct_person(db, "ada-lin", {"name": "Ada Lind", "biography": "Keeps lamps."}, by=BY, at=WHEN)
    bring(db, EVENT)
    found = read_event(db, "days").sessions[0].people
    assert [(role.person.name, role.person.key) for role in found] == [("Ada Lind", None), ("Bo Ek", None)]
    assert db.execute("SELECT count(*) FROM person").fetchone()[0] == 2


def test_a_name_that_no_file_gave_is_known_under_the_old_one(catalogue: Database) -> None:
    with transaction(catalogue):
        catalogue.execute("INSERT INTO person(slug, name) VALUES ('ada-lin', 'Ada Lin')")
        correct_person(catalogue, "ada-lin", {"name": "Ada Lind"}, by=BY, at=WHEN)
    bring(catalogue, EVENT)
    assert catalogue.execute("SELECT slug, name FROM person").fetchall() == [("ada-lind", "Ada Lind")]


def test_an_event_is_corrected(db: Database) -> None:
    correct_event(db, "days", {"title": "Harbour days", "subtitle": None}, by=BY, at=WHEN)
    kept = bring(db, replace(EVENT, title="DAYS", subtitle="2024"))
    event = read_event(db, "days")
    assert (event.title, event.subtitle) == ("Harbour days", None)
    assert [each.reason for each in kept] == ["corrected by hand: title, subtitle"]


def test_a_corrected_session_that_is_gone_from_the_timetable_stays(db: Database) -> None:
    correct_session(db, "days", "opening", {"room": "Hall"}, by=BY, at=WHEN)
    bring(db, replace(EVENT, sessions=(Session(slug="closing", title="Closing"),)))
    assert [session.slug for session in read_event(db, "days").sessions] == ["closing", "opening"]


def test_what_is_not_there_cannot_be_corrected(db: Database) -> None:
    with pytest.raises(UnknownSubjectError, match="no session 'days/closing'"):
        correct_session(db, "days", "closing", {}, by=BY, at=WHEN)
    with pytest.raises(UnknownSubjectError, match="no person 'bo'"):
        correct_person(db, "bo", {}, by=BY, at=WHEN)
