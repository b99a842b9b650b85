"""Whatever a format can hold comes back from it as it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.model import EXAMPLE_EVENT, Event, ExternalId, Link, Person, Role, Session
from metadata.names import name_key
from metadata.timetables import WRITERS, pyvideo_json, read_timetables
from metadata.timetables.base import EVENT_FIELDS, Reading, Source, Written
from metadata.timetables.parts import with_slugs

FORMS = [name for name in WRITERS if name != "pyvideo"]


def read(written: Written) -> Reading:
    """Return what a written file says; of several, as a folder."""
    if len(written.files) == 1 and not next(iter(written.files)).endswith("category.json"):
        [(name, data)] = written.files.items()
        return read_timetables(data, name)
    sources = [Source(name, data) for name, data in written.files.items()]
    [category] = [source for source in sources if source.name.endswith("category.json")]
    folder = category.name.partition("/")[0]
    return pyvideo_json.read_folder(folder, category, [source for source in sources if source is not category])


def carried(event: Event, reading: Reading) -> Event:
    """Return an event with only what a reading can say of one, and people with their names alone."""
    blank = Event(slug=event.slug, title="-")
    session_fields = reading.session_fields - {"roles", "affiliations"}

    def trim(session: Session) -> Session:
        small = replace(
            Session(slug=session.slug, title="-"), **{name: getattr(session, name) for name in session_fields}
        )
        people = tuple(Role(person=Person(name=role.person.name)) for role in small.people)
        return replace(small, people=people, external_ids=(), start=_instant(small.start))

    fields = {name: getattr(event, name) for name in EVENT_FIELDS & reading.event_fields - {"external_ids", "links"}}
    return replace(blank, **fields, sessions=tuple(trim(s) for s in event.sessions))


def _instant(start: str | None) -> str | None:
    return start and datetime.fromisoformat(start).astimezone(UTC).isoformat()


_LETTERS = st.characters(exclude_categories=["C", "Z"], include_characters="אבגד\u200e עربي北京é<>&\"',;:=#-")
_LINE = st.text(_LETTERS, min_size=1, max_size=40).map(lambda text: " ".join(text.split())).filter(bool)
_TITLE = st.one_of(_LINE, st.just("x" * 200), st.just("<b>not bold</b> & <br>"), st.just("no"), st.just("=1+1"))
_BLOCK = st.lists(_LINE, min_size=1, max_size=3).map("\n\n".join)
_LIKE_ESCAPES = st.text("\\,:nx^\"'", min_size=1, max_size=6)
_NAME = (_LINE | _LIKE_ESCAPES).filter(lambda name: ";" not in name)  # which stands between names in a table
_OFFSET = st.integers(-14 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
_START = st.builds(
    lambda day, minute, zone: (datetime(1990, 1, 1, tzinfo=zone) + timedelta(days=day, minutes=minute)).isoformat(),
    st.integers(0, 20_000),
    st.integers(0, 1439),
    _OFFSET,
)


def _distinct(names: list[str]) -> tuple[Role, ...]:
    return tuple(Role(person=Person(name=name)) for name in {name_key(name): name for name in names}.values())


_SESSION = st.builds(
    Session,
    slug=st.just(""),
    title=_TITLE,
    subtitle=st.none() | _LINE,
    kind=st.sampled_from(["talk", "keynote", "panel", "qa", "other"]),
    track=st.none() | _LINE,
    room=st.none() | _LINE,
    start=_START,
    planned_ms=st.none() | st.integers(1, 48 * 3600).map(lambda seconds: seconds * 1000),
    language=st.none() | st.sampled_from(["en", "pt-BR", "ar", "zh-Hant"]),
    abstract=st.none() | _BLOCK,
    people=st.lists(_NAME, max_size=3).map(_distinct),
    links=st.lists(st.sampled_from(["https://a.example/?q=1&r=2", "https://b.example/é"]), max_size=1).map(
        lambda urls: tuple(Link(rel="page", url=url) for url in urls)
    ),
    external_ids=st.lists(st.uuids(), max_size=1).map(
        lambda guids: tuple(ExternalId(scheme="guid", value=str(guid)) for guid in guids)
    ),
)
_EVENT = st.builds(
    Event,
    slug=st.just("days-2024"),
    start_date=st.just("1990-01-01"),
    end_date=st.just("2046-01-01"),
    title=_TITLE,
    description=st.none() | _BLOCK,
    time_zone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"]),
    sessions=st.lists(_SESSION, min_size=1, max_size=4).map(lambda sessions: with_slugs(_in_order(sessions))),
)


def _in_order(sessions: list[Session]) -> list[Session]:
    """Return sessions as a schedule has them: by time, one at a moment."""
    starts = {datetime.fromisoformat(session.start or ""): session for session in sessions}
    return [starts[start] for start in sorted(starts)]


@pytest.mark.parametrize("form", FORMS)
@given(event=_EVENT)
@settings(max_examples=30, deadline=None)
def test_written_timetable_reads_back(form: str, event: Event) -> None:
    reading = read(WRITERS[form](event))
    assert carried(reading.events[0], reading) == carried(event, reading)


@given(event=_EVENT)
@settings(max_examples=20, deadline=None)
def test_written_pyvideo_folder_reads_back(event: Event) -> None:
    dated = replace(
        event,
        start_date="2024-07-10",
        end_date="2024-07-11",
        sessions=tuple(
            replace(session, start=None, day="2024-07-10", planned_ms=None, links=()) for session in event.sessions
        ),
    )
    reading = read(WRITERS["pyvideo"](dated))
    back = {session.slug: session for session in carried(reading.events[0], reading).sessions}
    assert back == {session.slug: session for session in carried(dated, reading).sessions}


@pytest.mark.parametrize("form", [*FORMS, "pyvideo"])
@given(event=_EVENT)
@settings(max_examples=15, deadline=None)
def test_writing_what_was_read_writes_the_same(form: str, event: Event) -> None:
    once = WRITERS[form](event)
    if form in {"ics", "pyvideo"}:  # neither can hold all, so what it cannot is lost the first time
        once = WRITERS[form](read(once).events[0])
    assert WRITERS[form](read(once).events[0]).files == once.files


@pytest.mark.parametrize("name", ["\\:", "a\\;b", "a\\", "a\\\\b", "\\,"])
def test_name_that_calendars_read_otherwise_comes_back_and_is_told(name: str) -> None:
    people = _distinct(["Ada; Bo", name])
    written = WRITERS["ics"](
        Event(slug="e", title="E", sessions=(Session(slug="a", title="A", day="2024-07-10", people=people),))
    )
    assert written.unsaid == (
        f"{name!r} has a backslash that many calendars take for an escape: they may show it otherwise",
    )
    assert read(written).events[0].sessions[0].people == people


def test_yaml_holds_everything() -> None:
    assert read(WRITERS["yaml"](EXAMPLE_EVENT)).events == (EXAMPLE_EVENT,)


def test_what_a_schedule_cannot_hold_is_said() -> None:
    event = Event(slug="e", title="E", sessions=(Session(slug="a", title="A"),))
    assert WRITERS["schedule.xml"](event).unsaid == ("'A' has no start: it cannot stand in a schedule",)
