from __future__ import annotations

from dataclasses import replace

import pytest

from archive.catalogue.importing import Applied, Difference, apply_event, read_event
from archive.connection import transaction
from archive.errors import UnknownSubjectError
from archive.sqlite import Database, sqlite3
from metadata.model import (
    EXAMPLE_EVENT,
    EXAMPLE_PERSON,
    EXAMPLE_SESSION,
    Attendance,
    Event,
    Figure,
    Place,
    Role,
    Session,
)
from tests.archive.real_year import REAL_YEAR

WHEN = "2022-07-01T00:00:00Z"


def apply(db: Database, event: Event) -> Applied:
    with transaction(db):
        return apply_event(db, event, decided_at=WHEN)


def revision(db: Database) -> int:
    return int(db.execute("SELECT content_revision FROM catalogue").fetchone()[0])


def test_event_reads_back_as_it_was_written(catalogue: Database) -> None:
    assert apply(catalogue, EXAMPLE_EVENT) == Applied("added", EXAMPLE_EVENT.slug, added=("what-an-archive-owes",))
    assert read_event(catalogue, EXAMPLE_EVENT.slug) == EXAMPLE_EVENT


@pytest.mark.parametrize("event", REAL_YEAR, ids=lambda event: event.slug)
def test_gatherings_of_a_real_year_read_back_as_they_were_written(catalogue: Database, event: Event) -> None:
    for each in REAL_YEAR:
        apply(catalogue, each)
    assert read_event(catalogue, event.slug) == event


def test_registrations_are_snapshots_that_sql_can_follow(catalogue: Database) -> None:
    for each in REAL_YEAR:
        apply(catalogue, each)
    rows = catalogue.execute(
        "SELECT observed_on, people, countries FROM attendance JOIN event ON event.id = event_id"
        " WHERE event.slug = 'online-university-2022' AND measure = 'registered' ORDER BY observed_on"
    ).fetchall()
    assert [tuple(row) for row in rows] == [
        ("2022-06-25", 1000, 91),
        ("2022-07-12", 1800, 100),
        ("2022-07-23", 3800, None),
    ]


def test_approximate_numbers_stay_approximate(catalogue: Database) -> None:
    for each in REAL_YEAR:
        apply(catalogue, each)
    rows = catalogue.execute(
        "SELECT event.slug, people_qualifier, people, countries FROM attendance JOIN event ON event.id = event_id"
        " WHERE people_qualifier <> 'exactly' ORDER BY event.slug"
    ).fetchall()
    assert [tuple(row) for row in rows] == [
        ("congress-2022", "about", 85, None),
        ("summer-school-2022", "over", 100, None),
    ]
    launch = catalogue.execute(
        "SELECT people_qualifier, people, countries FROM attendance JOIN session ON session.id = session_id"
    ).fetchall()
    assert [tuple(row) for row in launch] == [("over", 300, 18)]


def test_importing_again_changes_nothing(catalogue: Database) -> None:
    apply(catalogue, EXAMPLE_EVENT)
    before = revision(catalogue)
    assert apply(catalogue, EXAMPLE_EVENT) == Applied("unchanged", EXAMPLE_EVENT.slug)
    assert revision(catalogue) == before


def test_importing_again_changes_nothing_when_a_person_is_described_only_once(catalogue: Database) -> None:
    bare = replace(
        EXAMPLE_SESSION,
        slug="second",
        people=(Role(person=replace(EXAMPLE_PERSON, biography=None, links=())),),
        external_ids=(),
    )
    event = replace(EXAMPLE_EVENT, sessions=(EXAMPLE_SESSION, bare))
    apply(catalogue, event)
    before = revision(catalogue)
    assert apply(catalogue, event) == Applied("unchanged", EXAMPLE_EVENT.slug)
    assert revision(catalogue) == before


def test_a_renamed_session_keeps_its_place_and_its_id(catalogue: Database) -> None:
    event = replace(
        EXAMPLE_EVENT,
        places=(Place(name="Hall"),),
        sessions=(replace(EXAMPLE_SESSION, place="Hall"), Session(slug="other", title="Other", place="Hall")),
    )
    apply(catalogue, event)
    ids = catalogue.execute("SELECT slug, id FROM session ORDER BY id").fetchall()
    renamed = replace(event, sessions=(replace(event.sessions[0], title="Renamed"), event.sessions[1]))
    assert apply(catalogue, renamed) == Applied(
        "changed", event.slug, changed=(Difference("what-an-archive-owes", ("title",)),)
    )
    assert catalogue.execute("SELECT slug, id FROM session ORDER BY id").fetchall() == ids
    assert read_event(catalogue, event.slug) == renamed


def test_two_people_of_one_name_are_told_apart_by_key(catalogue: Database) -> None:
    one, two = replace(EXAMPLE_PERSON, biography="A"), replace(EXAMPLE_PERSON, key="noor-2", biography="B")
    event = replace(EXAMPLE_EVENT, sessions=(replace(EXAMPLE_SESSION, people=(Role(person=one), Role(person=two))),))
    apply(catalogue, event)
    assert read_event(catalogue, event.slug) == event


def test_a_rule_broken_halfway_leaves_nothing(catalogue: Database) -> None:
    broken = replace(
        EXAMPLE_EVENT,
        sessions=(EXAMPLE_SESSION, replace(EXAMPLE_SESSION, slug="second", planned_ms=-1)),
    )
    with pytest.raises(Exception, match="planned_ms > 0"):
        apply(catalogue, broken)
    assert catalogue.execute("SELECT count(*) FROM event").fetchone()[0] == 0
    assert catalogue.execute("SELECT count(*) FROM person").fetchone()[0] == 0


def test_an_unknown_event_is_named(catalogue: Database) -> None:
    with pytest.raises(UnknownSubjectError, match="no event 'nowhere'"):
        read_event(catalogue, "nowhere")


def test_attendance_belongs_to_one_thing(catalogue: Database) -> None:
    apply(catalogue, EXAMPLE_EVENT)
    with pytest.raises(sqlite3.IntegrityError):
        catalogue.execute("INSERT INTO attendance(measure, people) VALUES ('attended', 1)")
    assert Attendance(measure="attended", people=Figure(count=1)).countries is None
