"""`schedule.json`: frab, pretalx, and the CCC hub's version 2.

Source: https://c3voc.de/schedule/schema.json. In version 2, sessions and persons stand beside the conference
(``schedule.events``, ``schedule.persons``), and refer to tracks and rooms.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import msgspec

from metadata.errors import FormatError
from metadata.model import Event
from metadata.times import parse_moment
from metadata.timetables.base import Reading, Source, TimetableFormat, Written
from metadata.timetables.parts import OURS, Notes, event_slug, is_web
from metadata.timetables.plain_json import convert
from metadata.timetables.schedule_xml import unplaced
from metadata.timetables.voc_session import (
    VocDay,
    VocLink,
    VocPerson,
    VocSession,
    conclude,
    placed,
    read_sessions,
    write_sessions,
)


class _Generator(msgspec.Struct):
    name: str = ""
    made: list[str] = []


class _Track(msgspec.Struct):
    name: str | None = None
    slug: str | None = None


class _Room(msgspec.Struct):
    name: str
    guid: str | None = None


class _Participant(msgspec.Struct):
    guid: str | None = None
    name: str | None = None
    role: str | None = None


class _HubSession(msgspec.Struct):
    title: str
    start: str
    end: str
    guid: str | None = None
    code: str | None = None
    slug: str | None = None
    type: str | None = None
    room: _Room | None = None
    track: _Track | None = None
    url: str | None = None
    subtitle: str | None = None
    language: str | None = None
    abstract: str | None = None
    description: str | None = None
    participants: list[_Participant] = []
    links: list[VocLink] | None = None
    attachments: list[VocLink] | None = None
    do_not_record: bool | None = None


class _Day(msgspec.Struct):
    date: str
    day_start: str | None = None
    rooms: dict[str, list[Any]] = {}


class _Conference(msgspec.Struct):
    title: str
    acronym: str | None = None
    start: str | None = None
    end: str | None = None
    time_zone_name: str | None = None
    url: str | None = None
    description: str | dict[str, Any] | None = None
    languages: list[str] = []
    tracks: list[_Track] = []
    days: list[_Day] = []


class _Schedule(msgspec.Struct):
    conference: _Conference
    base_url: str | None = None
    events: list[_HubSession] = []
    persons: list[VocPerson] = []
    rooms: msgspec.UnsetType | None = msgspec.UNSET


class _File(msgspec.Struct):
    schedule: _Schedule
    generator: _Generator = msgspec.field(default_factory=_Generator)


def detect(source: Source, /) -> bool:
    """Return whether the file is an object with a ``schedule``."""
    return isinstance(source.json, dict) and "schedule" in source.json


def read(source: Source, /) -> Reading:
    """Return the event of a schedule.

    Raises:
        FormatError: the path, and what was expected there.
    """
    file = convert(source, _File)
    ours = file.generator.name == OURS
    notes = Notes(source, html=not ours)
    schedule = file.schedule
    if schedule.base_url and is_web(schedule.base_url):
        notes.base = schedule.base_url
    event, event_fields = _event(schedule, notes)
    if ours and "dates" in file.generator.made:
        event, event_fields = replace(event, start_date=None, end_date=None), event_fields - {"start_date", "end_date"}
    zone = event.time_zone if "time_zone" in event_fields else None
    sessions = [
        placed(session, VocDay(day.date, day.day_start), notes, zone) for day, session in _from_days(schedule, source)
    ]
    sessions += _from_hub(schedule)
    roles = ours or bool(schedule.events)
    read = read_sessions(event, sessions, notes, zone, ours=ours)
    return conclude(read, notes, event_fields, roles=roles, ours=ours)


def _from_days(schedule: _Schedule, source: Source) -> Iterator[tuple[_Day, VocSession]]:
    """Yield sessions with their days. Each is checked on its own, so that messages name its room."""
    for index, day in enumerate(schedule.conference.days):
        for room, listed in day.rooms.items():
            for number, raw in enumerate(listed):
                where = f"$.schedule.conference.days[{index}].rooms[{room!r}][{number}]"
                session = convert(source, VocSession, raw, where)
                yield day, msgspec.structs.replace(session, where=where, room=session.room or room)


def _event(schedule: _Schedule, notes: Notes) -> tuple[Event, set[str]]:
    where = "$.schedule.conference"
    conference = schedule.conference
    title = notes.line(conference.title) or notes.line(conference.acronym)
    if title is None:
        raise FormatError(notes.source.name, f"{where}.title", "neither a title nor an acronym")
    start, end = notes.date(f"{where}.start", conference.start), notes.date(f"{where}.end", conference.end)
    if start and end and end < start:
        notes.note(where, f"the conference ends on {end}, before it starts on {start}: its dates are left out")
        start = end = None
    zone = notes.zone(f"{where}.time_zone_name", conference.time_zone_name)
    read = (notes.language(f"{where}.languages", language) for language in conference.languages)
    languages = tuple(dict.fromkeys(language for language in read if language))
    links = notes.link(where, "website", conference.url or schedule.base_url)
    description = notes.block(conference.description) if isinstance(conference.description, str) else None
    event = Event(
        slug=event_slug(conference.acronym, title, start),
        title=title,
        description=description,
        start_date=start,
        end_date=end,
        time_zone=zone or "UTC",
        languages=languages,
        links=links,
    )
    said = {"start_date": start, "end_date": end, "time_zone": zone, "languages": languages, "links": links}
    said["description"] = description
    return event, {"title"} | {name for name, value in said.items() if value}


def _from_hub(schedule: _Schedule) -> list[VocSession]:
    persons = {person.guid: person for person in schedule.persons if person.guid}
    tracks = {track.slug: track.name for track in schedule.conference.tracks}
    return [
        VocSession(
            where=f"$.schedule.events[{index}]",
            title=hub.title,
            guid=hub.guid,
            code=hub.code,
            slug=hub.slug,
            date=hub.start,
            end=hub.end,
            room=hub.room.name if hub.room else None,
            track=(hub.track.name or tracks.get(hub.track.slug)) if hub.track else None,
            type=hub.type,
            language=hub.language,
            subtitle=hub.subtitle,
            abstract=hub.abstract,
            description=hub.description,
            persons=[_participant(each, persons) for each in hub.participants],
            links=hub.links,
            attachments=hub.attachments,
            do_not_record=hub.do_not_record,
            url=hub.url,
        )
        for index, hub in enumerate(schedule.events)
    ]


def _participant(participant: _Participant, persons: dict[str, VocPerson]) -> VocPerson:
    known = persons.get(participant.guid or "", VocPerson(guid=participant.guid))
    return msgspec.structs.replace(known, name=participant.name or known.name, role=participant.role)


def write(event: Event, /) -> Written:
    """Return an event as `schedule.json` of the voc schema."""
    days: dict[str, dict[str, list[VocSession]]] = {}
    for session in write_sessions(event):
        days.setdefault((session.date or "")[:10], {}).setdefault(session.room or "", []).append(session)
    dates = sorted(days)
    conference: dict[str, Any] = {
        "acronym": event.slug,
        "title": event.title,
        "start": event.start_date or (dates[0] if dates else ""),
        "end": event.end_date or (dates[-1] if dates else ""),
        "daysCount": len(days),
        "timeslot_duration": "00:05",
        "time_zone_name": event.time_zone,
        "days": [_write_day(index, date, days[date]) for index, date in enumerate(dates, 1)],
    }
    website = next((link.url for link in event.links if link.rel == "website" and link.url), None)
    conference |= {"url": website} if website else {}
    conference |= {"description": event.description} if event.description else {}
    schedule = {"version": "1", "conference": conference}
    # The schema demands dates; that these were made from the sessions is for ourselves to know.
    made = [] if event.start_date and event.end_date else ["dates"]
    file = {"generator": {"name": OURS, "version": version("rostra"), "made": made}, "schedule": schedule}
    data = msgspec.json.format(msgspec.json.encode(file), indent=2)
    return Written({"schedule.json": data + b"\n"}, unplaced(event.sessions))


def _write_day(index: int, date: str, rooms: dict[str, list[VocSession]]) -> dict[str, Any]:
    every = [session for sessions in rooms.values() for session in sessions]
    return {
        "index": index,
        "date": date,
        "day_start": min((x.date or "" for x in every), key=parse_moment),
        "day_end": max((x.end or x.date or "" for x in every), key=parse_moment),
        "rooms": {room: [_write_session(session) for session in sessions] for room, sessions in rooms.items()},
    }


def _write_session(session: VocSession) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(session)
    length = ":".join(str(session.duration or "").split(":")[:2])  # the schema has no seconds here; `end` has them
    row |= {"duration": length, "url": session.url or ""}
    return {name: _dense(value) for name, value in row.items() if value is not None and name != "where"}


def _dense(value: Any) -> Any:
    """Return a value without the fields that are None, which the schema does not allow in links and persons."""
    if isinstance(value, list):
        return [_dense(each) for each in value]
    if isinstance(value, dict):
        return {name: _dense(each) for name, each in value.items() if each is not None}
    return value


FORMAT = TimetableFormat(
    name="schedule-json",
    title="`schedule.json`: frab, pretalx, and the CCC hub's version 2",
    suffixes=(".json",),
    media_types=("application/json",),
    release_wishes="`do_not_record`: private, since the session asks not to be recorded",
    detect=detect,
    read=read,
    write=write,
    written_as="schedule.json",
)
