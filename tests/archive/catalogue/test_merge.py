"""What happens to the catalogue when a timetable changes."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace
from typing import Literal

import msgspec
import pytest

from archive.catalogue.importing import (
    Applied,
    Difference,
    Retained,
    apply_people,
    apply_reading,
    read_event,
    set_release,
)
from archive.connection import transaction
from archive.sqlite import Database
from metadata.model import Event, ExternalId, Link, Person, Place, RecordingNote, Release, Role, Session
from metadata.timetables.base import EVENT_FIELDS, Reading

WHEN = "2024-07-01T00:00:00Z"
ADA, BO = Person(name="Ada Lin"), Person(name="Bo Ek")


def guid(value: str) -> tuple[ExternalId, ...]:
    return (ExternalId(scheme="guid", value=value),)


OPENING = Session(
    slug="opening",
    title="Opening",
    room="Hall",
    start="2024-07-10T10:00:00+02:00",
    planned_ms=1_800_000,
    people=(Role(person=ADA),),
    links=(Link(rel="page", url="https://a.example/opening"),),
    external_ids=guid("1"),
)
TIDES = Session(slug="tides", title="On tides", room="Hall", start="2024-07-10T11:00:00+02:00", external_ids=guid("2"))
EVENT = Event(slug="days", title="Days", time_zone="Europe/Berlin", sessions=(OPENING, TIDES))
NAMELESS = tuple(replace(session, external_ids=()) for session in EVENT.sessions)


def read(*sessions: Session, **said: object) -> Reading:
    return replace(Reading(events=(replace(EVENT, sessions=sessions),)), **said)  # type: ignore[arg-type]


def apply(db: Database, reading: Reading, form: str = "schedule-xml") -> Applied:
    with transaction(db):
        return apply_reading(db, reading, format_name=form, decided_at=WHEN)[0]


def record(db: Database, slug: str) -> None:
    """Attach a recording to a session."""
    db.execute(
        "INSERT INTO recording(session_id, sha256, kind, bytes, media_type, suffix, original_name, pulled_at)"
        " SELECT id, ?, 'audio', 1, 'audio/mpeg', '.mp3', 'a.mp3', '' FROM session WHERE slug = ?",
        [f"{slug:x<64}", slug],
    )


def ids(db: Database) -> dict[str, int]:
    return dict(db.execute("SELECT slug, id FROM session").fetchall())


@pytest.fixture
def days(catalogue: Database) -> Database:
    apply(catalogue, read(*EVENT.sessions))
    return catalogue


def test_a_session_moved_and_renamed_at_once_is_the_same_by_its_id(days: Database) -> None:
    before = ids(days)
    moved = replace(OPENING, slug="x", title="Welcome", room="Tent", start="2024-07-11T09:00:00+02:00")
    assert apply(days, read(TIDES, moved)) == Applied(
        "changed", "days", changed=(Difference("opening", ("title", "room", "start")),)
    )
    assert ids(days) == before
    assert [session.title for session in read_event(days, "days").sessions] == ["On tides", "Welcome"]


@pytest.mark.parametrize(
    "new",
    [
        replace(NAMELESS[0], start="2024-07-11T09:00:00+02:00", room="Tent"),
        replace(NAMELESS[0], title="Grand opening"),
        replace(NAMELESS[0], title="Hello and welcome"),
    ],
    ids=["moved", "renamed", "renamed, same person"],
)
def test_a_session_without_ids_is_the_same_by_what_stayed(catalogue: Database, new: Session) -> None:
    apply(catalogue, read(*NAMELESS))
    before = ids(catalogue)
    applied = apply(catalogue, read(new, NAMELESS[1]))
    assert (applied.added, applied.dropped, ids(catalogue)) == ((), (), before)


def test_another_talk_in_the_same_slot_is_another(catalogue: Database) -> None:
    apply(catalogue, read(*NAMELESS))
    other = replace(NAMELESS[0], slug="knots", title="Knots for beginners", people=(Role(person=BO),))
    applied = apply(catalogue, read(other, NAMELESS[1]))
    assert (applied.added, applied.dropped) == (("knots",), ("opening",))


def test_a_slot_with_another_id_is_another(days: Database) -> None:
    applied = apply(days, read(replace(OPENING, external_ids=guid("9")), TIDES))
    assert (applied.added, applied.dropped) == (("opening-2",), ("opening",))


def test_a_session_that_was_split_leaves_its_recording_with_one_part(catalogue: Database) -> None:
    code = (ExternalId(scheme="code", value="AAAAAA"),)
    whole = replace(TIDES, external_ids=code)
    apply(catalogue, read(whole))
    record(catalogue, "tides")
    before = ids(catalogue)
    parts = [
        replace(whole, slug=f"p{n}", title=f"On tides, part {n}", start=f"2024-07-1{n}T11:00:00+02:00") for n in (1, 2)
    ]
    applied = apply(catalogue, read(*parts))
    assert (applied.added, applied.dropped, applied.gone) == (("p2",), (), ())
    assert ids(catalogue)["tides"] == before["tides"]


def test_a_cancelled_session_goes_unless_something_hangs_on_it(days: Database) -> None:
    record(days, "tides")
    applied = apply(days, read())
    assert applied.dropped == ("opening",)
    assert applied.gone == (Retained("tides", "gone from the timetable; it has recordings"),)
    assert list(ids(days)) == ["tides"]


def test_a_feed_that_ends_earlier_drops_nothing(days: Database) -> None:
    assert apply(days, read(TIDES, complete=False)) == Applied("unchanged", "days")


def test_a_file_of_another_format_drops_nothing_that_it_did_not_bring(days: Database) -> None:
    extra = replace(OPENING, slug="extra", title="By hand", room="Tent", external_ids=())
    assert apply(days, read(extra), "csv-sessions") == Applied("changed", "days", added=("extra",))
    assert apply(days, read(*EVENT.sessions)) == Applied("unchanged", "days")


def test_what_was_corrected_by_hand_stays(days: Database) -> None:
    days.execute("UPDATE session SET title = 'The opening', abstract = 'By hand.' WHERE slug = 'opening'")
    days.execute("UPDATE event SET title = 'The days'")
    days.execute("UPDATE person SET name = 'Ada Lin-Ek' WHERE slug = 'ada-lin'")
    applied = apply(days, read(replace(OPENING, title="Opening!", room="Tent"), TIDES))
    assert applied.changed == (Difference("opening", ("room",)),)
    assert applied.corrected == (
        Retained("ada-lin", "corrected by hand: name"),
        Retained("days", "corrected by hand: title"),
        Retained("opening", "corrected by hand: title, abstract"),
    )
    event = read_event(days, "days")
    assert (event.title, event.sessions[0].title, event.sessions[0].abstract) == ("The days", "The opening", "By hand.")
    assert event.sessions[0].people[0].person.name == "Ada Lin-Ek"


def test_a_link_added_by_hand_stays_and_one_that_the_timetable_took_back_goes(days: Database) -> None:
    days.execute(
        "INSERT INTO link(session_id, rel, url, position) SELECT id, 'reading', 'https://b.example', 1 FROM session"
        " WHERE slug = 'opening'"
    )
    new = Link(rel="slides", url="https://a.example/slides")
    apply(days, read(replace(OPENING, links=(new,)), TIDES))
    assert read_event(days, "days").sessions[0].links == (Link(rel="reading", url="https://b.example"), new)


def test_a_decision_on_release_is_not_taken_back_by_a_timetable(days: Database) -> None:
    days.execute(
        "INSERT INTO release(session_id, state, decided_at) SELECT id, 'private', '' FROM session WHERE slug = 'tides'"
    )
    apply(days, read(*EVENT.sessions))
    assert read_event(days, "days").sessions[1].release == Release(state="private")
    assert apply(days, read(OPENING)).gone == (
        Retained("tides", "gone from the timetable; somebody decided that it is private"),
    )


def test_what_a_format_cannot_say_stays(days: Database) -> None:
    chaired = replace(
        OPENING,
        people=(Role(person=ADA, role="chair", affiliation="Lamps"),),
        recordings=(RecordingNote(file="a.mp4"),),
    )
    apply(days, read(chaired, TIDES))
    poor = replace(OPENING, room=None, people=(Role(person=ADA),), recordings=())
    fields = frozenset({"title", "start", "people"})
    assert apply(days, read(poor, TIDES, session_fields=fields, event_fields=frozenset())) == Applied(
        "unchanged", "days"
    )
    assert read_event(days, "days").sessions[0] == chaired


def test_the_same_moment_with_another_offset_changes_nothing(days: Database) -> None:
    assert apply(days, read(replace(OPENING, start="2024-07-10T08:00:00+00:00"), TIDES)) == Applied("unchanged", "days")


def test_two_names_that_are_spelled_alike_in_ascii_are_two_people(catalogue: Database) -> None:
    people = tuple(Role(person=Person(name=name)) for name in ("王伟", "汪伟", "נועה"))
    session = replace(OPENING, people=people)
    apply(catalogue, read(session))
    assert [role.person.name for role in read_event(catalogue, "days").sessions[0].people] == ["王伟", "汪伟", "נועה"]
    assert apply(catalogue, read(session)) == Applied("unchanged", "days")


def test_a_person_who_is_renamed_is_the_same_by_id(catalogue: Database) -> None:
    one = replace(ADA, external_ids=(ExternalId(scheme="code", value="SPEAKA"),))
    apply(catalogue, read(replace(OPENING, people=(Role(person=one),))))
    apply(catalogue, read(replace(OPENING, people=(Role(person=replace(one, name="Ada Ek")),))))
    assert catalogue.execute("SELECT slug, name FROM person").fetchall() == [("ada-lin", "Ada Ek")]


def test_people_are_described_by_a_file_of_their_own(catalogue: Database) -> None:
    known = replace(ADA, external_ids=(ExternalId(scheme="code", value="SPEAKA"),))
    apply(catalogue, read(replace(OPENING, people=(Role(person=known),))))
    stranger = replace(BO, external_ids=(ExternalId(scheme="code", value="SPEAKB"),))
    described = replace(known, biography="Lights lamps.")
    assert apply_people(catalogue, (described, stranger)) == (("Ada Lin",), ("Bo Ek",))
    assert apply_people(catalogue, (described, stranger)) == ((), ("Bo Ek",))
    assert read_event(catalogue, "days").sessions[0].people[0].person == described


def test_an_event_is_the_same_by_an_id_that_means_the_same_everywhere(catalogue: Database) -> None:
    feed = replace(EVENT, external_ids=guid("feed"))
    apply(catalogue, Reading(events=(feed,)))
    renamed = Reading(events=(replace(feed, slug="nights", title="Nights"),), event_fields=EVENT_FIELDS)
    assert apply(catalogue, renamed) == Applied("changed", "days", fields=("title",))


def spelled(session: Session, form: Literal["NFC", "NFD"]) -> Session:
    """Return a session with all its texts in one of Unicode's forms."""
    text = unicodedata.normalize(form, json.dumps(msgspec.to_builtins(session), ensure_ascii=False))
    return msgspec.convert(json.loads(text), Session)


ACCENTED = Session(
    slug="opening",
    title="Café am Hafen",
    subtitle="Über Säle",
    room="Großer Säle",
    track="Häfen",
    abstract="Ein Gespräch über Bäume.",
    start="2024-07-10T10:00:00+02:00",
    people=(Role(person=Person(name="Zoë Krämer", biography="Hört Möwen."), affiliation="Universität"),),
    links=(Link(rel="reading", title="Die Möwe"),),
    recordings=(RecordingNote(file="Übersicht.wav", credit="Radio Köln"),),
)


@pytest.mark.parametrize(("first", "then"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_another_spelling_of_the_same_characters_changes_nothing(
    catalogue: Database, first: Literal["NFC", "NFD"], then: Literal["NFC", "NFD"]
) -> None:
    apply(catalogue, read(spelled(ACCENTED, first)))
    assert apply(catalogue, read(spelled(ACCENTED, then))) == Applied("unchanged", "days")
    assert read_event(catalogue, "days").sessions == (spelled(ACCENTED, first),)
    assert apply(catalogue, read(spelled(ACCENTED, then))) == Applied("unchanged", "days")


def test_another_spelling_or_case_of_a_name_is_the_same_person(catalogue: Database) -> None:
    names = ["Zoë Krämer", unicodedata.normalize("NFD", "Zoë Krämer"), "ZOË KRÄMER"]
    sessions = [
        Session(slug=f"s{number}", title=f"S {number}", people=(Role(person=Person(name=name)),))
        for number, name in enumerate(names)
    ]
    apply(catalogue, read(*sessions))
    assert [row["slug"] for row in catalogue.query("SELECT slug FROM person")] == ["zoe-kramer"]


def test_a_place_is_found_in_either_spelling(catalogue: Database) -> None:
    event = Event(
        slug="days",
        title="Days",
        places=(Place(name="Säle"),),
        sessions=(Session(slug="a", title="A", place=unicodedata.normalize("NFD", "Säle")),),
    )
    apply_reading(catalogue, Reading(events=(event,)), format_name="yaml-event", decided_at="")
    assert read_event(catalogue, "days").sessions[0].place == "Säle"


OPT_OUT = Release(state="private", reason="asks not to be recorded")
PUBLIC, PRIVATE = Release(state="public"), Release(state="private")


def decide(db: Database, release: Release) -> None:
    """Decide as a person does, whatever the timetable said."""
    [session_id] = ids(db).values()
    with transaction(db):
        set_release(db, "session_id", session_id, release, decided_at="")


@pytest.mark.parametrize(
    ("first", "person", "then", "holds"),
    [
        (None, None, OPT_OUT, OPT_OUT),  # a new wish applies
        (OPT_OUT, None, None, OPT_OUT),  # one that is no longer there does not publish
        (OPT_OUT, None, PUBLIC, PUBLIC),  # the same kind of file says otherwise
        (None, PRIVATE, PUBLIC, PRIVATE),  # a person's decision is not opened
        (PUBLIC, PRIVATE, PUBLIC, PRIVATE),
        (OPT_OUT, PUBLIC, OPT_OUT, PUBLIC),  # a person decided, knowing the wish
        (None, PUBLIC, OPT_OUT, OPT_OUT),  # the wish is newer than the decision
        (
            PUBLIC,
            Release(state="embargoed", until="2030-01-01"),
            PUBLIC,
            Release(state="embargoed", until="2030-01-01"),
        ),
        (
            None,
            Release(state="withdrawn", reason="by request"),
            OPT_OUT,
            Release(state="withdrawn", reason="by request"),
        ),
    ],
)
def test_release_after_a_wish_and_a_decision(
    catalogue: Database, first: Release | None, person: Release | None, then: Release | None, holds: Release
) -> None:
    session = Session(slug="a", title="A")
    fields = frozenset({"title"})
    apply(catalogue, read(replace(session, release=first), session_fields=fields | ({"release"} if first else set())))
    if person:
        decide(catalogue, person)
    wish = read(replace(session, release=then), session_fields=fields | {"release"})
    apply(catalogue, wish)
    assert read_event(catalogue, "days").sessions[0].release == holds
    assert apply(catalogue, wish).changed == ()


def test_release_that_one_format_kept_back_is_not_opened_by_another(catalogue: Database) -> None:
    session = Session(slug="a", title="A", release=OPT_OUT)
    apply(catalogue, read(session), "pretalx-api")
    applied = apply(catalogue, read(replace(session, release=PUBLIC)), "csv-sessions")
    assert applied.corrected == (Retained("a", "decided before: release"),)
    assert read_event(catalogue, "days").sessions[0].release == OPT_OUT


def test_release_keeps_its_reason_where_another_format_asks_the_same(catalogue: Database) -> None:
    session = Session(slug="a", title="A", release=OPT_OUT)
    apply(catalogue, read(session), "pretalx-api")
    other = read(replace(session, release=Release(state="private", reason="is marked PRIVATE")))
    assert apply(catalogue, other, "icalendar") == Applied("unchanged", "days")
