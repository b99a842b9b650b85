"""Addresses of people follow their corrected names; old ones lead on, and tell nobody what they were."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive.catalogue.addresses import lead_on, person_at
from archive.catalogue.corrections import correct_person
from archive.catalogue.importing import apply_event, read_event
from archive.connection import transaction
from archive.publication.build import build
from archive.sqlite import Database, sqlite3
from metadata.model import Event, Person, Role, Session

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
