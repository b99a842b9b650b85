"""Events, days and sessions as calendars (iCalendar, RFC 5545), written by icalendar."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import icalendar

from archive import urls
from archive.site.http.respond import CALENDAR, respond
from archive.site.published import current
from archive.site.records import Reader, Session
from archive.site.render import argument, not_found
from archive.site.settings import site_settings
from metadata.errors import InvalidTimeError
from metadata.times import parse_zone

PRODUCT = "-//Rostra//Rostra//EN"
_CONTROL = dict.fromkeys(set(range(0x20)) - {0x9, 0xA})


async def calendar(datasette: Any, request: Any) -> Any:
    """``/events/EVENT/calendar.ics?day=2022-07-23`` and ``/events/EVENT/SESSION/calendar.ics``."""
    event, session = unquote(request.url_vars["event"]), unquote(request.url_vars["session"] or "")
    day = argument(request, "day")
    settings, database = site_settings(datasette), current(datasette)

    def read(conn: Any) -> bytes | None:
        reader = Reader(conn, settings, database.publication.built_at)
        found = reader.event(event)
        if found is None:
            return None
        one = ("WHERE event.slug = ? AND session.slug = ?", (event, session))
        every = (
            "WHERE event.slug = ? ORDER BY session.start_utc IS NULL, session.start_utc, session.position",
            (event,),
        )
        sessions = reader.sessions(*(one if session else every))
        kept = tuple(each for each in sessions if not day or each.day == day)
        if (session or day) and not kept:
            return None
        title = kept[0].title if session else found.title
        return write_calendar(kept, title, found.time_zone)

    body = await database.execute_fn(read)
    if body is None:
        return await not_found(datasette, request)
    return respond(body, CALENDAR, file=urls.CALENDAR)


def write_calendar(sessions: tuple[Session, ...], title: str, zone: str) -> bytes:
    """Return sessions as a calendar; those of no known day are not in it.

    Args:
        sessions: in order.
        title: of the calendar.
        zone: IANA's name of the event's time zone.
    """
    made = icalendar.Calendar()
    made.add("prodid", PRODUCT)
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", " ".join(_text(title).split()))  # icalendar escapes nothing in names of others
    for session in sessions:
        if (when := _when(session, zone)) is not None:
            made.add_component(_entry(session, *when))
    made.add_missing_timezones()
    return bytes(made.to_ical())


def _entry(session: Session, start: datetime | date, end: datetime | date | None) -> icalendar.Event:
    entry = icalendar.Event()
    entry.add("uid", session.permanent_url)
    entry.add("dtstamp", session.updated)
    entry.add("last-modified", session.updated)
    entry.add("dtstart", start)
    if end is not None:
        entry.add("dtend", end)
    entry.add("summary", _text(session.title))
    names = ", ".join(person.name for person in session.people)
    entry.add("description", _text("\n\n".join(filter(None, (names, session.abstract)))))
    if where := ", ".join(filter(None, (session.room, session.place))):
        entry.add("location", _text(where))
    if session.track:
        entry.add("categories", [_text(session.track)])
    entry.add("url", session.url)
    entry.add("status", "CONFIRMED")
    return entry


def _when(session: Session, zone: str) -> tuple[datetime | date, datetime | date | None] | None:
    """Return when a session begins and ends: on the event's clocks, or whole days where no hour is known."""
    start, end = session.starts, session.ends
    if start is None:
        day = date.fromisoformat(session.day) if session.day else None
        return (day, day + timedelta(days=1)) if day else None
    try:
        clocks = parse_zone(zone)
    except InvalidTimeError:
        return start, end
    return start.astimezone(clocks), end.astimezone(clocks) if end else None


def _text(text: str) -> str:
    return text.translate(_CONTROL)
