"""Calendars as a calendar program, and Rostra itself, read them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

import icalendar
import pytest

from metadata.timetables import read_timetables
from tests.archive.published_folder import HOSTILE
from tests.archive.site.test_pages import TALK, Site, serve_example

URL = "https://talks.example.org"
EVENT = "/events/summer-university-2022"
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serve_example(
        tmp_path_factory.mktemp("public"),
        "UPDATE session SET day = '2022-07-25' WHERE slug = 'unplanned'",
        "UPDATE session SET updated_at = '2026-11-20T10:00:00Z', room = 'Hall; one, \\two' WHERE id = 1",
        url=URL,
    ) as made:
        yield made


def read(site: Site, path: str) -> list[icalendar.Event]:
    response = site.get(path)
    assert (response.status_code, response.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    calendar = icalendar.Calendar.from_ical(response.content)
    assert [str(zone["tzid"]) for zone in calendar.walk("VTIMEZONE")] in ([], ["Europe/Berlin"])
    return calendar.walk("VEVENT")


def test_event_has_every_session_of_a_known_day(site: Site) -> None:
    found = {str(each["summary"]): each for each in read(site, f"{EVENT}/calendar.ics")}
    assert list(found) == [
        "What an archive owes its listeners",
        "Open questions",
        "الأرشيف والصوت",
        "A session without a time",
    ]
    talk = found["What an archive owes its listeners"]
    assert (talk.start, talk.end) == (
        datetime(2022, 7, 23, 18, 0, tzinfo=BERLIN),
        datetime(2022, 7, 23, 18, 45, tzinfo=BERLIN),
    )
    assert (str(talk["uid"]), str(talk["url"]), str(talk["location"])) == (
        f"{URL}/cite/000000000001",
        f"{URL}{TALK}",
        "Hall; one, \\two",
    )
    assert str(talk["description"]) == (
        "Noor Okafor, Jonas Lindqvist\n\nRecordings that nobody can search are recordings that nobody has."
    )
    assert talk["dtstamp"].dt.isoformat() == "2026-11-20T10:00:00+00:00"
    assert (found["A session without a time"].start, found["A session without a time"].end) == (
        date(2022, 7, 25),
        date(2022, 7, 26),
    )


def test_day_and_session_have_a_calendar_of_their_own(site: Site) -> None:
    day = [str(each["summary"]) for each in read(site, f"{EVENT}/calendar.ics?day=2022-07-24")]
    assert day == ["Open questions", "الأرشيف والصوت"]
    assert [str(each["uid"]) for each in read(site, f"{TALK}/calendar.ics")] == [f"{URL}/cite/000000000001"]


def test_hostile_text_stays_in_its_line(site: Site) -> None:
    site_of_hostile = [str(each["summary"]) for each in read(site, "/events/hostile/hostile/calendar.ics")]
    assert site_of_hostile == []  # it has no day
    assert HOSTILE in site.get("/events/hostile/calendar.ics").text.replace("\r\n ", "")


@pytest.mark.parametrize(
    "path", ["/events/nothing/calendar.ics", f"{EVENT}/nothing/calendar.ics", f"{EVENT}/calendar.ics?day=2030-01-01"]
)
def test_calendar_of_nothing_is_not_there(site: Site, path: str) -> None:
    assert site.get(path).status_code == 404


def test_rostra_reads_its_own_calendar(site: Site) -> None:
    reading = read_timetables(site.get(f"{EVENT}/calendar.ics").content, "calendar.ics")
    sessions = {each.title: each for event in reading.events for each in event.sessions}
    talk = sessions["What an archive owes its listeners"]
    assert (talk.start, talk.planned_ms) == ("2022-07-23T18:00:00+02:00", 2_700_000)
