"""Indico's export (`/export/event/ID.json?detail=contributions`): a conference and its contributions.

Source: https://docs.getindico.io/en/stable/http-api/exporters/event/.
"""

from __future__ import annotations

from typing import Any

import msgspec

from metadata.model import Event, Person, Release, Role, RoleName, Session
from metadata.names import name_key
from metadata.timetables.base import EVENT_FIELDS, Notice, Reading, Source, TimetableFormat
from metadata.timetables.parts import Notes, event_slug, ids, review, said_of_any, unique_links, with_slugs
from metadata.timetables.plain_json import convert

SESSION_FIELDS = frozenset(
    {"title", "kind", "track", "room", "start", "planned_ms", "abstract", "people", "links", "external_ids"}
)
_EVENT_FIELDS = {"title", "description", "start_date", "end_date", "time_zone", "links", "external_ids"}


class _Moment(msgspec.Struct):
    date: str
    time: str
    tz: str = "UTC"


class _Named(msgspec.Struct):
    fullName: str | None = None  # noqa: N815 - as Indico writes it
    first_name: str | None = None
    last_name: str | None = None
    affiliation: str | None = None


class _Allowed(msgspec.Struct):
    """Who may see something that is protected. Both lists are empty where everybody may."""

    users: list[Any] = []
    groups: list[Any] = []


class _Contribution(msgspec.Struct):
    id: str | int
    title: str
    startDate: _Moment | None = None  # noqa: N815
    duration: float | None = None
    description: str | None = None
    room: str | None = None
    session: str | None = None
    track: str | None = None
    url: str | None = None
    type: Any = None
    speakers: list[_Named] = []
    primaryauthors: list[_Named] = []
    allowed: _Allowed | None = None


class _Conference(msgspec.Struct):
    id: str | int
    title: str
    startDate: _Moment | None = None  # noqa: N815
    endDate: _Moment | None = None  # noqa: N815
    timezone: str | None = None
    description: str | None = None
    url: str | None = None
    contributions: list[_Contribution] | None = None
    hasAnyProtection: bool | None = None  # noqa: N815
    allowed: _Allowed | None = None


class _Result(msgspec.Struct):
    results: list[_Conference]


def detect(source: Source, /) -> bool:
    """Return whether the file is a result of Indico's HTTP API."""
    return isinstance(source.json, dict) and source.json.get("_type") == "HTTPAPIResult"


def read(source: Source, /) -> Reading:
    """Return the conferences of an export.

    Raises:
        FormatError: the path, and what was expected there; or it was asked for without its contributions.
    """
    notes = Notes(source)
    events: list[Event] = []
    notices: list[Notice] = []
    fields = {"title"}
    for index, conference in enumerate(convert(source, _Result).results):
        where = f"$.results[{index}]"
        if conference.contributions is None:
            raise source.error(where, "no contributions: export it with ?detail=contributions")
        event, more = review(_event(conference, where, notes))
        events.append(event)
        notices += more
        fields |= {name for name in EVENT_FIELDS if getattr(event, name)} & _EVENT_FIELDS
    said = said_of_any((session for event in events for session in event.sessions), "release")
    return Reading(
        events=tuple(events),
        notices=(*notes.list, *notices),
        event_fields=frozenset(fields),
        session_fields=SESSION_FIELDS | {"roles", "affiliations"} | said,
    )


def _event(conference: _Conference, where: str, notes: Notes) -> Event:
    title = notes.line(conference.title) or f"Conference {conference.id}"
    start = notes.date(f"{where}.startDate", conference.startDate.date if conference.startDate else None)
    end = notes.date(f"{where}.endDate", conference.endDate.date if conference.endDate else None)
    if start and end and end < start:
        notes.note(where, f"ends on {end}, before it starts on {start}: its dates are left out")
        start = end = None
    contributions = conference.contributions or []
    wish = None
    if conference.hasAnyProtection or _is_limited(conference.allowed):
        wish = notes.private(where, "is in a conference that Indico protects", title)
    sessions = [_session(each, f"{where}.contributions[{i}]", wish, notes) for i, each in enumerate(contributions)]
    return Event(
        slug=event_slug(None, title, start),
        title=title,
        description=notes.block(conference.description),
        start_date=start,
        end_date=end,
        time_zone=notes.zone(f"{where}.timezone", conference.timezone or "UTC") or "UTC",
        links=notes.link(where, "website", conference.url),
        external_ids=ids(indico=conference.id),
        sessions=with_slugs(sorted(sessions, key=lambda session: session.start or "")),
    )


def _is_limited(allowed: _Allowed | None) -> bool:
    return allowed is not None and bool(allowed.users or allowed.groups)


def _session(contribution: _Contribution, where: str, wish: Release | None, notes: Notes) -> Session:
    title = notes.line(contribution.title) or "Untitled"
    if wish is None and _is_limited(contribution.allowed):
        wish = notes.private(where, "is protected in Indico", title)
    begins = contribution.startDate
    zone = notes.zone(f"{where}.startDate.tz", begins.tz) if begins else None
    roles: tuple[tuple[RoleName, list[_Named]], ...] = (
        ("speaker", contribution.speakers),
        ("author" if contribution.speakers else "speaker", contribution.primaryauthors),
    )
    people: dict[str, Role] = {}
    for role, named in roles:
        for each in named:
            name = notes.line(f"{each.first_name or ''} {each.last_name or ''}") or notes.line(each.fullName)
            if name:
                affiliation = notes.line(each.affiliation)
                people.setdefault(name_key(name), Role(person=Person(name=name), role=role, affiliation=affiliation))
    return Session(
        slug="",
        title=title,
        kind=notes.kind(where, contribution.type if isinstance(contribution.type, str) else ""),
        track=notes.line(contribution.track) or notes.line(contribution.session),
        room=notes.line(contribution.room),
        start=notes.moment(where, f"{begins.date}T{begins.time}", zone) if begins else None,
        planned_ms=notes.positive(
            where, contribution.duration and contribution.duration * 60_000, contribution.duration
        ),
        abstract=notes.block(contribution.description),
        people=tuple(people.values()),
        links=unique_links(notes.link(where, "page", contribution.url)),
        external_ids=ids(indico=contribution.id),
        release=wish,
    )


FORMAT = TimetableFormat(
    name="indico-json",
    title="Indico's export (`/export/event/ID.json?detail=contributions`): a conference and its contributions",
    suffixes=(".json",),
    media_types=("application/json",),
    release_wishes="`hasAnyProtection`, or users and groups under `allowed`: private",
    detect=detect,
    read=read,
)
