"""What exporters write that no schema has: read as it is meant, or said."""

from __future__ import annotations

import json
from typing import Any

import pytest

from metadata.model import Session
from metadata.timetables import FORMATS, detect_format, read_timetables
from metadata.timetables.base import Reading, Source


def schedule(sessions: str, *, conference: str = "", day: str = 'date="2024-10-26"') -> Reading:
    """Return what a `schedule.xml` of one day and one room says."""
    head = f"<schedule><conference><title>Days</title><acronym>days</acronym>{conference}</conference>"
    return read_timetables(
        f'{head}<day {day}><room name="A">{sessions}</room></day></schedule>'.encode(), "schedule.xml"
    )


def talk(start: str, *, duration: str = "00:30", more: str = "") -> str:
    return f"<event><title>T {start}</title><start>{start}</start><duration>{duration}</duration>{more}</event>"


def from_json(**fields: Any) -> Reading:
    """Return what a `schedule.json` says whose one session has these fields."""
    session = {"title": "T", "date": "2023-05-01T10:00:00+02:00", "duration": "00:30"} | fields
    day = {"date": "2023-05-01", "day_start": "2023-05-01T04:00:00+02:00", "rooms": {"A": [session]}}
    file = {"schedule": {"conference": {"title": "Days", "acronym": "days", "days": [day]}}}
    return read_timetables(json.dumps(file).encode(), "schedule.json")


def calendar(*lines: str, head: str = "") -> Reading:
    """Return what a calendar of one event says."""
    event = "\r\n".join(("BEGIN:VEVENT", "UID:1", "SUMMARY:T", *lines, "END:VEVENT"))
    return read_timetables(
        f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//\r\nX-WR-CALNAME:C\r\n{head}{event}\r\nEND:VCALENDAR\r\n".encode(),
        "c.ics",
    )


def only(reading: Reading) -> Session:
    [session] = reading.events[0].sessions
    return session


def told(reading: Reading) -> list[str]:
    return [notice.text for notice in reading.notices]


FLOATING = "a time in no zone that is named: such are taken as UTC (--time-zone names another)"


def test_hours_before_the_change_of_day_are_of_the_next_date() -> None:
    reading = schedule(talk("23:30") + talk("00:30") + talk("24:45"), conference="<day_change>04:00</day_change>")
    starts = [session.start for session in reading.events[0].sessions]
    assert starts == ["2024-10-26T23:30:00+00:00", "2024-10-27T00:30:00+00:00", "2024-10-27T00:45:00+00:00"]
    assert FLOATING in told(reading)


def test_hours_are_those_of_the_named_zone_over_a_change_of_its_clocks() -> None:
    zone = "<time_zone_name>Europe/Berlin</time_zone_name>"
    day = 'date="2024-10-26" start="2024-10-26T10:00:00+02:00"'
    reading = schedule(talk("02:30") + talk("03:30"), conference=zone, day=day)
    starts = [session.start for session in reading.events[0].sessions]
    assert starts == ["2024-10-27T02:30:00+02:00", "2024-10-27T03:30:00+01:00"]
    assert told(reading) == ["2024-10-27 02:30 came twice in Europe/Berlin: taken as the first"]
    skipped = schedule(talk("02:30"), conference=zone, day='date="2024-03-31"')
    assert told(skipped) == ["2024-03-31 02:30 was skipped by the clocks in Europe/Berlin: taken as 03:30"]


def test_an_hour_that_is_none_leaves_the_day() -> None:
    session = only(reading := schedule(talk("noon")))
    assert (session.start, session.day) == (None, "2024-10-26")
    assert "'noon' is no hour: left out" in told(reading)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("0:45", 45), ("01:05:00", 65), ("45", 45), ("45m", 45), ("45 min", 45), ("PT1H30M", 90), ("1:00:00:00", 1440)],
)
def test_lengths_in_other_ways(text: str, minutes: int) -> None:
    reading = schedule(talk("10:00", duration=text))
    assert only(reading).planned_ms == minutes * 60_000
    assert ("lengths without a unit are taken as minutes" in told(reading)) == text.isdigit()


def test_pretalxs_languages_addresses_and_namespaces() -> None:
    more = (
        '<language>de-formal</language><attachments><attachment href="/media/a.pdf">A</attachment></attachments>'
        "<full_conf_url>https://p.example/t/1</full_conf_url>"
    )
    reading = schedule(talk("10:00", more=more), conference="<base_url>https://p.example/x/</base_url>")
    session = only(reading)
    assert session.language == "de"
    assert [link.url for link in session.links] == ["https://p.example/t/1", "https://p.example/media/a.pdf"]
    assert "the language 'de-formal' is taken as 'de'" in told(reading)
    spaced = '<schedule xmlns="https://c3voc.de/s"><conference><title>N</title></conference></schedule>'
    assert read_timetables(spaced.encode(), "s.xml").events[0].title == "N"


@pytest.mark.parametrize(
    ("fields", "start"),
    [
        ({"date": None, "start": "10:15"}, "2023-05-01T10:15:00+02:00"),
        ({"date": "2023-05-02", "start": "01:00"}, "2023-05-02T01:00:00+02:00"),
        ({"date": None, "start": "01:00"}, "2023-05-02T01:00:00+02:00"),
        ({"date": "2023-05-01"}, None),
    ],
)
def test_json_without_moments(fields: dict[str, Any], start: str | None) -> None:
    session = only(from_json(**fields))
    assert (session.start, session.day) == (start, None if start else "2023-05-01")


def test_json_of_other_exporters() -> None:
    people = [{"id": 1, "full_public_name": "Ann"}]
    assert only(from_json(persons=people, duration=30)).people[0].person.name == "Ann"
    assert only(from_json(persons=None)).people == ()


def test_calendar_in_a_zone_that_nobody_knows_says_so() -> None:
    reading = calendar("DTSTART;TZID=Nowhere/X:20240701T100000", "DURATION:PT1H")
    assert only(reading).start == "2024-07-01T10:00:00+00:00"
    assert told(reading) == ["nobody here knows the time zone 'Nowhere/X': taken as UTC"]
    assert told(calendar("DTSTART:20240701T100000", "DURATION:PT1H")) == [FLOATING]


@pytest.mark.parametrize(
    ("line", "head", "zone", "start"),
    [
        ("DTSTART;TZID=Europe/Rome:20240701T100000", "", "Europe/Rome", "2024-07-01T10:00:00+02:00"),
        ("DTSTART;TZID=/x.org/Europe/Rome:20240701T100000", "", "Europe/Rome", "2024-07-01T10:00:00+02:00"),
        ("DTSTART:20240701T080000Z", "VTIMEZONE: Europe/Rome\r\n", "Europe/Rome", "2024-07-01T08:00:00+00:00"),
        (
            "DTSTART:20240701T100000",
            "X-WR-TIMEZONE:W. Europe Standard Time\r\n",
            "Europe/Berlin",
            "2024-07-01T10:00:00+02:00",
        ),
    ],
)
def test_calendars_zone(line: str, head: str, zone: str, start: str) -> None:
    reading = calendar(line, "DURATION:PT1H", head=head)
    assert (reading.events[0].time_zone, only(reading).start, told(reading)) == (zone, start, [])


def test_calendars_category_and_language() -> None:
    when = ("DTSTART:20240701T080000Z", "DURATION:PT1H")
    assert only(calendar(*when, "CATEGORIES:Sea")).track == "Sea"
    assert "track" not in calendar(*when).session_fields  # so that one known from elsewhere stays
    assert only(calendar(*when, "CATEGORIES:Sea,Talk")).track is None  # tags


def test_what_comes_again_is_a_session_a_date() -> None:
    zone = ";TZID=Europe/Berlin"
    own = "\r\n".join(
        ("BEGIN:VEVENT", "UID:1", f"RECURRENCE-ID{zone}:20241028T100000", "SUMMARY:T (moved)",
         f"DTSTART{zone}:20241028T140000", f"DTEND{zone}:20241028T150000", "END:VEVENT\r\n")
    )  # fmt: skip
    times = (f"DTSTART{zone}:20241021T100000", f"DTEND{zone}:20241021T110000")
    reading = calendar(*times, "RRULE:FREQ=WEEKLY;COUNT=4", f"EXDATE{zone}:20241104T100000", head=own)
    found = {(each.title, each.start, each.planned_ms) for each in reading.events[0].sessions}
    assert found == {
        ("T (moved)", "2024-10-28T14:00:00+01:00", 3_600_000),
        ("T", "2024-10-21T10:00:00+02:00", 3_600_000),
        ("T", "2024-11-11T10:00:00+01:00", 3_600_000),
    }
    assert told(reading) == ["comes again: it is 2 sessions here"]
    until = calendar("DTSTART:20240701T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;UNTIL=20240703T100000Z")
    assert len(until.events[0].sessions) == 3


@pytest.mark.parametrize(
    "rule", ["FREQ=WEEKLY", "FREQ=SECONDLY;COUNT=9", "FREQ=NEVER;COUNT=2", "FREQ=DAILY;COUNT=2;BYDAY=XX"]
)
def test_what_comes_again_without_end_is_taken_once(rule: str) -> None:
    assert only(calendar("DTSTART:20240701T100000Z", "DURATION:PT1H", f"RRULE:{rule}"))


@pytest.mark.parametrize(("rule", "count"), [("FREQ=WEEKLY;COUNT=600", 157), ("FREQ=DAILY;UNTIL=20300101", 400)])
def test_what_comes_again_for_longer_than_is_taken_is_said(rule: str, count: int) -> None:
    reading = calendar("DTSTART:20240701T100000Z", "DURATION:PT1H", f"RRULE:{rule}")
    assert len(reading.events[0].sessions) == count
    assert told(reading) == [
        f"comes again: it is {count} sessions here",
        "comes again for longer: only 3 years and 400 dates are taken",
    ]


def test_days_that_are_left_out_are_said() -> None:
    reading = calendar("DTSTART;VALUE=DATE:20240701", "DTEND;VALUE=DATE:20240703")
    assert only(reading).day == "2024-07-01"
    assert told(reading) == ["lasts until 2024-07-02: only its first day is kept"]


def test_rows_of_a_sheet_have_zones_of_their_own() -> None:
    rows = (
        "title,start,end,time_zone\nA,2024-07-01T23:30,0:30,Europe/Berlin\nB,2024-07-01T10:00,11:00,America/New_York\n"
    )
    sessions = read_timetables(rows.encode("utf-16"), "days.csv").events[0].sessions
    assert [(each.start, each.planned_ms) for each in sessions] == [
        ("2024-07-01T23:30:00+02:00", 3_600_000),
        ("2024-07-01T10:00:00-04:00", 3_600_000),
    ]


def test_who_imports_may_name_the_zone() -> None:
    source = Source("days.csv", b"title,start\nA,2024-07-01T10:00\n", "Asia/Tokyo")
    reading = FORMATS[detect_format(source)].read(source)
    assert (reading.events[0].time_zone, only(reading).start) == ("Asia/Tokyo", "2024-07-01T10:00:00+09:00")
    assert FLOATING not in told(reading)


def test_pretalxs_newer_api() -> None:
    slot = {"start": "2024-07-01T10:00:00+02:00", "end": "2024-07-01T10:45:00+02:00", "room": {"name": {"en": "Hall"}}}
    one = {"code": "A", "title": "One", "submission_type": {"id": 1, "name": {"en": "Talk"}}, "slots": [slot]}
    two = {"code": "B", "title": "Two", "track": 3, "slots": [7], "speakers": ["XYZ"], "duration": 30}
    reading = read_timetables(json.dumps({"results": [one, two]}).encode(), "page.json")
    first, second = reading.events[0].sessions
    assert (first.room, first.planned_ms, first.kind) == ("Hall", 2_700_000, "talk")
    assert (second.track, second.start) == (None, None)
    assert any("by number alone" in text for text in told(reading))


def test_feeds_people_and_times() -> None:
    atom = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>S</title><entry><title>E</title><published>2024-07-01'
        "</published><author><name>Al</name></author><author><name>Bo</name></author></entry></feed>"
    )
    session = only(reading := read_timetables(atom.encode(), "s.xml"))
    assert ([role.person.name for role in session.people], session.start) == (["Al", "Bo"], None)
    assert told(reading) == ["2024-07-01 has no hour: only the day is kept"]
