"""iCalendar (`.ics`): RFC 5545, as conference systems and calendars write it.

``icalendar`` parses the calendar. Each VEVENT is a session. Its times are in UTC, in a named zone (of IANA, of Windows
or described in the calendar), or in none, and then in the calendar's ``X-WR-TIMEZONE``. An event that comes again is
one session a date (`metadata.timetables.recurrence`).
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from importlib.metadata import version
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
from icalendar.cal import Component

from metadata.errors import MetadataError
from metadata.model import Event, ExternalId, Person, Release, Role, Session
from metadata.names import distinct_names
from metadata.times import parse_date, parse_moment
from metadata.timetables.base import Reading, Source, TimetableFormat, Written
from metadata.timetables.parts import Notes, event_slug, ids, local_doubt, name_stem, review, said_of_any, with_slugs
from metadata.timetables.recurrence import MOST_OCCURRENCES, YEARS, Replaced, reach, replaced, time_of, unrolled
from metadata.timetables.schedule_xml import unplaced

SESSION_FIELDS = frozenset(
    {"title", "room", "start", "day", "planned_ms", "abstract", "people", "links", "external_ids"}
)
MAX_EVENTS = 100_000

_PRODUCT = "-//Rostra//"
_ZONES = ("X-WR-TIMEZONE", "TIMEZONE-ID", "VTIMEZONE")
_SLUG = "X-ROSTRA-SLUG"
_LENGTH = "X-ROSTRA-MILLISECONDS"
_PERSON = "X-ROSTRA-PERSON"
_FOLD = re.compile(rb"\r?\n[ \t]|\r[ \t]")
_TIME_PROPERTY = re.compile(
    r"^(?:DT[A-Z]+|EXDATE|RDATE|RECURRENCE-ID|RRULE|CREATED|LAST-MODIFIED)[;:].*$",
    re.ASCII | re.IGNORECASE | re.MULTILINE,
)
_LEAP_SECOND = re.compile(r"(\d{8}T\d{2}[0-5]\d)60(?!\d)", re.ASCII)  # RFC 5545, 3.3.12: read as 59
_MIDNIGHT = re.compile(r"(\d{8})T240000(?!\d)", re.ASCII)
# RFC 5545, 3.2 knows no escapes in parameters; many readers, ``icalendar`` among them, take these for some.
_LIKE_AN_ESCAPE = re.compile(r"\\(?:[,:;\\]|$)")


def detect(source: Source, /) -> bool:
    """Return whether the file begins as a calendar."""
    return source.head[:15].upper() == b"BEGIN:VCALENDAR"


def read(source: Source, /) -> Reading:
    """Return the event of a calendar.

    Raises:
        FormatError: it cannot be parsed as a calendar, or is a message that cancels events.
    """
    calendar = _calendar(source)
    if (_text(calendar, "METHOD") or "").upper() == "CANCEL":  # RFC 5546, section 3.2.5
        raise source.error(
            "METHOD:CANCEL", "a message that cancels events, no timetable: import the calendar itself again"
        )
    ours = str(calendar.get("PRODID", "")).startswith(_PRODUCT)
    notes = Notes(source, html=not ours)
    title = notes.line(_text(calendar, "X-WR-CALNAME") or _text(calendar, "NAME"))
    if title is None:
        notes.note("", "the calendar has no name: the event is named by the file (--event names another)")
    events = _latest(list(calendar.walk("VEVENT")), notes)
    # Sloppy exporters name the zone where a component should describe it.
    said_zone = next((text for name in _ZONES if (text := _text(calendar, name))), None)
    zone = notes.zone("", said_zone) or _shared_zone(events)
    if not events:
        notes.note("", "there are no events in it")
    sessions: list[Session] = []
    slugs: list[str | None] = []
    own = replaced(events)
    local_zone = ZoneInfo(zone) if zone else UTC
    for number, component in enumerate(events, 1):
        if len(sessions) > MAX_EVENTS:
            raise source.error("", f"more than {MAX_EVENTS:,} events, with those that come again")
        for single in _singles(component, own, local_zone, f"event {number}", notes):
            if session := _session(single, f"event {number}", zone, notes):
                sessions.append(session)
                slugs.append(_text(component, _SLUG) if ours else None)
    name = title or name_stem(source)
    description = notes.block(_text(calendar, "DESCRIPTION") or _text(calendar, "X-WR-CALDESC"))
    days = sorted(day for session in sessions if (day := (session.start or session.day or "")[:10]))
    slug = _text(calendar, _SLUG) if ours else None
    event, notices = review(
        Event(
            slug=event_slug(slug or (None if title else name), name, days[0] if days else None),
            title=name,
            description=description,
            start_date=days[0] if days else None,
            end_date=days[-1] if days else None,
            time_zone=zone or "UTC",
            sessions=with_slugs(sessions, slugs),
        )
    )
    said = {
        "title": title,
        "description": description,
        "time_zone": zone,
        "start_date": days and not ours,
        "end_date": days and not ours,
    }
    # Most calendars say nothing of these, and then what is known of them from elsewhere stays.
    besides = said_of_any(sessions, "track", "language", "release")
    return Reading(
        events=(event,),
        notices=(*notes.list, *notices),
        event_fields=frozenset(name for name, value in said.items() if value),
        session_fields=SESSION_FIELDS | besides,
        slugs_identify=ours,
    )


def _latest(events: Sequence[Component], notes: Notes) -> list[Component]:
    """Return events without those that a later revision replaces, which has a greater SEQUENCE (RFC 5545, 3.8.7.4)."""
    latest: dict[tuple[str, str], int] = {}
    revisions = [((_text(each, "UID") or "", str(time_of(each, "RECURRENCE-ID"))), _sequence(each)) for each in events]
    for key, number in revisions:
        latest[key] = max(number, latest.get(key, number))
    kept = []
    for at, (each, (key, number)) in enumerate(zip(events, revisions, strict=True), 1):
        if key[0] and number < latest[key]:
            notes.note(f"event {at}", f"an earlier revision (SEQUENCE {number}) of one that is here too: left out")
        else:
            kept.append(each)
    return kept


def _sequence(component: Component) -> int:
    number = _text(component, "SEQUENCE") or "0"
    return int(number) if re.fullmatch("[0-9]{1,9}", number) else 0


def _singles(
    component: Component, own: dict[str, Replaced], zone: tzinfo, where: str, notes: Notes
) -> Sequence[Component]:
    """Return an event for each of its dates."""
    if reach(component) == "THISANDPRIOR":
        notes.note(where, "RANGE=THISANDPRIOR, which RFC 5545 removed: only its own date is changed")
    if "RRULE" not in component and "RDATE" not in component:
        return (component,)
    found = unrolled(component, own.get(str(component.get("UID")), Replaced()), zone)
    if found is None:
        notes.note(where, "comes again, without an end or in a way that is not known here: only the first is taken")
        return (component,)
    singles, all_of_them = found
    count = f"{len(singles)} session{'' if len(singles) == 1 else 's'}"
    notes.note(where, f"comes again: it is {count} here")
    if not all_of_them:
        notes.note(where, f"comes again for longer: only {YEARS} years and {MOST_OCCURRENCES} dates are taken")
    return singles


def _shared_zone(events: Sequence[Component]) -> str | None:
    """Return the IANA zone in which all events begin, where there is one."""
    zones = {
        getattr(start.tzinfo, "key", None) for each in events if isinstance(start := time_of(each, "DTSTART"), datetime)
    }
    [zone] = zones if len(zones) == 1 else [None]
    return None if zone is None else str(zone)


def _calendar(source: Source) -> Component:
    try:
        with warnings.catch_warnings():
            # It guesses the zone of names such as "/vendor/Europe/Berlin", which is right.
            warnings.simplefilter("ignore")
            calendars = icalendar.Calendar.from_ical(_content(source), multiple=True)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise source.error("", f"not a readable calendar: {str(error)[:200]}") from None
    if len(calendars) != 1:
        raise source.error("", f"{len(calendars)} calendars in one file, where one was expected")
    return calendars[0]


def _content(source: Source) -> str:
    """Return the content lines of a calendar, with times that Python knows.

    Lines are unfolded before they are decoded: they are folded by octets, and so perhaps inside a character (RFC 5545,
    section 3.1).

    Raises:
        FormatError: a line is not UTF-8.
    """
    lines = source.data if b"\n" in source.data else source.data.replace(b"\r", b"\n")
    unfolded = _FOLD.sub(b"", lines)
    try:
        text = unfolded.decode()
    except UnicodeDecodeError:
        _ = source.text  # raises the error, with the line in the file
        raise source.error("", "not UTF-8 text: save it in that encoding") from None
    return _TIME_PROPERTY.sub(lambda line: _MIDNIGHT.sub(_next_midnight, _LEAP_SECOND.sub(r"\g<1>59", line[0])), text)


def _next_midnight(match: re.Match[str]) -> str:
    """Return the hour 24 as the next day's hour 0."""
    try:
        return f"{parse_date(match[1]) + timedelta(days=1):%Y%m%d}T000000"
    except (MetadataError, OverflowError):
        return match[0]


def _values(component: Component, name: str) -> list[Any]:
    value = component.get(name)
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(component: Component, name: str) -> str | None:
    values = _values(component, name)
    return str(values[0]) if values else None


def _session(component: Component, where: str, zone: str | None, notes: Notes) -> Session | None:
    title = notes.line(_text(component, "SUMMARY"))
    if title is None:
        notes.note(where, "no SUMMARY: named 'Untitled'")
        title = "Untitled"
    where = f"{where} ({title[:60]!r})"
    for name, reason in component.errors:
        notes.note(where, f"{name}: {reason}: left out" if name else f"{reason}: left out")
    if (_text(component, "STATUS") or "").upper() == "CANCELLED":
        notes.note(where, "cancelled: left out")
        return None
    start, day = _start(component, where, zone, notes)
    return Session(
        slug="",
        title=title,
        track=_track(component, notes),
        language=notes.language(where, _language(component)),
        room=notes.line(_text(component, "LOCATION")),
        start=start,
        day=day,
        planned_ms=_length(component, start, where, zone, notes),
        abstract=notes.block(_text(component, "DESCRIPTION")),
        people=_people(component, notes),
        links=notes.link(where, "page", _text(component, "URL")),
        external_ids=_ids(component),
        release=_release(component, title, where, notes),
    )


def _release(component: Component, title: str, where: str, notes: Notes) -> Release | None:
    """Return private for an event that is not for everybody (CLASS: RFC 5545, 3.8.1.3); None says nothing.

    A class that nobody knows counts as private there too.
    """
    for name in ("CLASS", "X-CALENDARSERVER-ACCESS"):
        said = (_text(component, name) or "").strip().upper()
        if said not in {"", "PUBLIC"}:
            return notes.private(where, f"is marked {said[:40]} ({name})", title)
    return None


def _track(component: Component, notes: Notes) -> str | None:
    """Return the category of an event as its track, if it has exactly one. Several categories are tags."""
    value = component.get("CATEGORIES")
    found = [
        str(each) for part in (value if isinstance(value, list) else [value]) for each in getattr(part, "cats", ())
    ]
    return notes.line(found[0]) if len(found) == 1 else None


def _language(component: Component) -> str | None:
    """Return the language of a title (RFC 5545, 3.2.10)."""
    params = getattr(component.get("SUMMARY"), "params", {})
    language = params.get("LANGUAGE")
    return str(language) if language else None


def _ids(component: Component) -> tuple[ExternalId, ...]:
    uid = _text(component, "UID")
    when = time_of(component, "RECURRENCE-ID")
    if uid and isinstance(when, date):  # one date of many, which share their UID
        uid = f"{uid}/{when.isoformat()}"
    return () if uid and uid.endswith("@rostra") else ids(uid=uid)


def _start(component: Component, where: str, zone: str | None, notes: Notes) -> tuple[str | None, str | None]:
    value = time_of(component, "DTSTART")
    if isinstance(value, datetime):
        if value.tzinfo is None:
            _note_floating(component, where, zone, notes)
        return _moment(_local(value, zone), where, notes), None
    if isinstance(value, date):
        end = time_of(component, "DTEND")
        if type(end) is date and end - value > timedelta(days=1):  # a moment is a date to Python, too
            notes.note(where, f"lasts until {end - timedelta(days=1)}: only its first day is kept")
        return None, value.isoformat()
    notes.note(where, "no start")
    return None, None


def _note_floating(component: Component, where: str, zone: str | None, notes: Notes) -> None:
    """Note how a time in an unknown zone is read: in the zone of the calendar, or in UTC."""
    start = component.get("DTSTART")
    named = start.params.get("TZID") if hasattr(start, "params") else None
    if named:
        notes.note(where, f"nobody here knows the time zone {str(named)[:60]!r}: taken as {zone or 'UTC'}")
    elif zone is None:
        notes.no_zone(where)


def _moment(local: datetime, where: str, notes: Notes) -> str | None:
    """Return a time in its zone as text. Doubts are noted here, since the text keeps only the offset of the zone."""
    try:
        doubt, text = local_doubt(local), local.isoformat()
    except (OverflowError, ValueError):
        notes.note(where, "a start that no calendar has: left out")
        return None
    if doubt:
        notes.note(where, doubt)
    return notes.moment(where, text, None)


def _local(value: datetime, zone: str | None) -> datetime:
    if value.tzinfo is None:
        return value.replace(tzinfo=ZoneInfo(zone) if zone else UTC)
    return value


def _length(component: Component, start: str | None, where: str, zone: str | None, notes: Notes) -> int | None:
    if exact := _text(component, _LENGTH):
        return notes.positive(where, int(exact) if exact.isascii() and exact.isdigit() else 0, exact)
    if start is None:
        return None
    end, length = time_of(component, "DTEND"), time_of(component, "DURATION")
    if isinstance(end, datetime):
        length = _local(end, zone) - parse_moment(start)
    if not isinstance(length, timedelta):
        notes.note(where, "no end: how long it was planned stays open")
        return None
    return notes.positive(where, length / timedelta(milliseconds=1), str(length))


def _people(component: Component, notes: Notes) -> tuple[Role, ...]:
    """Return the people of an event: attendees with names, or else its organizer, where many exporters name one."""
    for name in (_PERSON, "ATTENDEE", "ORGANIZER"):
        names = (notes.line(each) for value in _values(component, name) for each in _names(name, value))
        if found := distinct_names(names):
            return tuple(Role(person=Person(name=each)) for each in found)
    return ()


def _names(said_by: str, value: Any) -> list[str]:
    if said_by == _PERSON:
        return [str(value)]
    return _common_names(value.params.get("CN", "")) if hasattr(value, "params") else []


def _common_names(value: str | list[str]) -> list[str]:
    """Return the people in a CN. A comma without quotes separates people, or the last name of one from the first."""
    if isinstance(value, str):
        return [value]
    return list(value) if all(len(each.split()) > 1 for each in value) else [",".join(value)]


def write(event: Event, /) -> Written:
    """Return an event as a calendar."""
    calendar = icalendar.Calendar()
    calendar.add("PRODID", f"{_PRODUCT}{version('rostra')}//EN")
    calendar.add("VERSION", "2.0")
    calendar.add("X-WR-CALNAME", " ".join(event.title.split()))  # of all texts this one alone is not escaped
    calendar.add("X-WR-TIMEZONE", event.time_zone)
    if event.description:
        calendar.add("DESCRIPTION", event.description)  # RFC 7986, 5.2
    calendar.add(_SLUG, event.slug)
    for session in event.sessions:
        if session.start or session.day:
            calendar.add_component(_component(event, session))
    without = tuple(session for session in event.sessions if not session.start and not session.day)
    names = dict.fromkeys(role.person.name for session in event.sessions for role in session.people)
    unsaid = tuple(
        f"{name!r} has a backslash that many calendars take for an escape: they may show it otherwise"
        for name in names
        if _LIKE_AN_ESCAPE.search(name)
    )
    return Written({f"{event.slug}.ics": calendar.to_ical()}, unplaced(without) + unsaid)


def _component(event: Event, session: Session) -> icalendar.Event:
    component = icalendar.Event()
    uid = next((x.value for x in session.external_ids if x.scheme == "uid"), f"{event.slug}/{session.slug}@rostra")
    component.add("UID", uid)
    component.add(_SLUG, session.slug)
    # RFC 5545 demands a stamp; one that never changes keeps the file the same for the same timetable.
    component.add("DTSTAMP", datetime(2000, 1, 1, tzinfo=UTC))
    component.add("SUMMARY", session.title, parameters={"LANGUAGE": session.language} if session.language else {})
    if session.track:
        component.add("CATEGORIES", [session.track])
    if session.planned_ms and (session.planned_ms % 1000 or not session.start):
        component.add(_LENGTH, str(session.planned_ms))
    if session.start:
        start = parse_moment(session.start).astimezone(UTC)
        component.add("DTSTART", start)
        if session.planned_ms:
            component.add("DTEND", start + timedelta(milliseconds=session.planned_ms))
    elif session.day:
        component.add("DTSTART", date.fromisoformat(session.day))
    for name, value in (("LOCATION", session.room), ("DESCRIPTION", session.abstract)):
        if value:
            component.add(name, value)
    page = next((link.url for link in session.links if link.rel == "page" and link.url), None)
    if page:
        component.add("URL", page)
    for role in session.people:
        attendee = icalendar.vCalAddress("invalid:nomail")
        attendee.params["CN"] = role.person.name
        component.add("ATTENDEE", attendee)
    if any(_LIKE_AN_ESCAPE.search(role.person.name) for role in session.people):
        for role in session.people:
            component.add(_PERSON, role.person.name)
    return component


FORMAT = TimetableFormat(
    name="icalendar",
    title="iCalendar (`.ics`): RFC 5545, as conference systems and calendars write it",
    suffixes=(".ics", ".ical", ".ifb", ".icalendar"),
    media_types=("text/calendar",),
    release_wishes="`CLASS` other than PUBLIC (RFC 5545, 3.8.1.3), or `X-CALENDARSERVER-ACCESS`: private",
    detect=detect,
    read=read,
    write=write,
    written_as="ics",
)
