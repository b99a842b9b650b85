"""Sessions as `schedule.xml` and `schedule.json` have them, from frab, pentabarf, pretalx and the CCC's hub.

Source: the schemas of the C3VOC, https://github.com/voc/schedule (validator/xsd, validator/json).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from metadata.errors import MetadataError
from metadata.model import Event, ExternalId, Link, Person, Role, RoleName, Session
from metadata.names import name_key
from metadata.times import has_offset, parse_date, parse_moment, parse_zone
from metadata.timetables.base import Reading
from metadata.timetables.parts import NOT_RECORDED, Notes, ids, is_date, review, said_of_any, unique_links, with_slugs

SESSION_FIELDS = frozenset(
    {"title", "subtitle", "kind", "track", "room", "start", "day", "planned_ms", "language", "abstract", "people",
     "links", "external_ids"}
)  # fmt: skip

_HOUR = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)
_UNITS = ("hours", "minutes", "seconds")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ROLES: dict[str, RoleName] = {
    "speaker": "speaker", "moderator": "chair", "chair": "chair", "host": "host", "interpreter": "interpreter",
    "panellist": "panellist", "panelist": "panellist", "author": "author", "reader": "reader",
}  # fmt: skip


class VocLink(msgspec.Struct, kw_only=True):
    """A link or an attachment."""

    url: str | None = None
    title: str | None = None
    type: str | None = None


class VocPerson(msgspec.Struct, kw_only=True):
    """A person. Each exporter fills other fields."""

    id: int | None = None
    guid: str | None = None
    code: str | None = None
    name: str | None = None
    public_name: str | None = None
    full_public_name: str | None = None
    biography: str | None = None
    role: str | None = None
    affiliation: str | None = None
    url: str | None = None
    links: list[VocLink] | None = None


class VocSession(msgspec.Struct, kw_only=True):
    """One event of a schedule, which is a session of ours. ``where`` is its place in the file."""

    title: str
    where: str = ""
    guid: str | None = None
    id: int | None = None
    code: str | None = None
    slug: str | None = None
    date: str | None = None
    start: str | None = None
    end: str | None = None
    duration: str | int | None = None
    room: str | None = None
    subtitle: str | None = None
    track: str | None = None
    type: str | None = None
    language: str | None = None
    abstract: str | None = None
    description: str | None = None
    do_not_record: bool | None = None
    persons: list[VocPerson] | None = None
    links: list[VocLink] | None = None
    attachments: list[VocLink] | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class VocDay:
    """A day of a schedule. It gives the date of sessions that name only an hour.

    Attributes:
        date: the date on which the day begins.
        start: the moment at which it begins; an earlier hour is after midnight.
        change: the hour at which one day of the programme ends and the next begins, which older exporters give for all.
    """

    date: str | None = None
    start: str | None = None
    change: str | None = None


def placed(voc: VocSession, day: VocDay, notes: Notes, zone: str | None) -> VocSession:
    """Return a session with its date and hour, which older exporters give by its day and ``start``.

    A programme goes on after midnight: an hour before the beginning of the day is on the next date. The hour is in the
    schedule's time zone if it names one, or else has the offset of the day.
    """
    if voc.date and not is_date(voc.date):
        return voc
    text = voc.date or day.date
    hour = _HOUR.fullmatch((voc.start or "").strip())
    if not text or not hour:
        if text and voc.start:
            notes.note(voc.where, f"{voc.start!r} is no hour: left out")
        return msgspec.structs.replace(voc, date=notes.date(voc.where, text))
    try:
        begins = parse_moment(day.start, zone or "UTC") if day.start else None
        clock = timedelta(**{unit: int(part or 0) for unit, part in zip(_UNITS, hour.groups(), strict=True)})
        local = datetime.combine(parse_date(text[:10]), time()) + clock
    except (MetadataError, OverflowError) as error:
        notes.note(voc.where, f"{error}: left out")
        return msgspec.structs.replace(voc, date=None)
    change = _HOUR.fullmatch((day.change or "").strip())
    if voc.date:
        night = False
    elif begins is not None:
        there = begins.astimezone(parse_zone(zone)) if zone else begins
        night = local < there.replace(tzinfo=None)
    else:
        night = change is not None and clock < timedelta(hours=int(change[1]), minutes=int(change[2]))
    local += timedelta(days=night)
    offset = begins.tzinfo if begins is not None and not zone and has_offset(day.start or "") else None
    return msgspec.structs.replace(voc, date=local.replace(tzinfo=offset).isoformat())


def read_sessions(event: Event, sessions: Sequence[VocSession], notes: Notes, zone: str | None, *, ours: bool) -> Event:
    """Return an event with sessions.

    Args:
        event: what is known of it.
        sessions: as the file has them.
        notes: of the file.
        zone: the schedule's time zone, where it names one.
        ours: whether Rostra wrote the file.
    """
    prefix = f"{event.slug}-"
    slugs = [(voc.slug or "").removeprefix(prefix) if ours else None for voc in sessions]
    read = [_session(event, voc, slug, notes, zone, ours=ours) for voc, slug in zip(sessions, slugs, strict=True)]
    if not sessions:
        notes.note("", "there are no sessions in it")
    return replace(event, sessions=with_slugs(read, slugs))


def conclude(event: Event, notes: Notes, event_fields: set[str], *, roles: bool, ours: bool) -> Reading:
    """Return the reading of a schedule; ``roles`` tells whether it names parts, ``ours`` whether Rostra wrote it."""
    if "time_zone" not in event_fields and not notes.floating:
        zone = fixed_zone(event.sessions)
        said = f"{zone}, the offset of all its times" if zone else "UTC; times keep their own offsets"
        notes.note("", f"no time zone is named: taken as {said}")
        event, event_fields = replace(event, time_zone=zone or "UTC"), event_fields | ({"time_zone"} if zone else set())
    event, notices = review(event)
    fields = SESSION_FIELDS | said_of_any(event.sessions, "release") | ({"roles"} if roles else set())
    return Reading(
        events=(event,),
        notices=(*notes.list, *notices),
        event_fields=frozenset(event_fields),
        session_fields=fields,
        slugs_identify=ours,
    )


def _session(event: Event, voc: VocSession, slug: str | None, notes: Notes, zone: str | None, *, ours: bool) -> Session:
    title = notes.line(voc.title)
    if title is None:
        notes.note(voc.where, "has no title")
        title = "Untitled"
    wish = notes.private(voc.where, NOT_RECORDED, title) if voc.do_not_record else None
    dated = is_date(voc.date or "")
    start = None if dated else notes.moment(voc.where, voc.date, zone)
    links = [
        *notes.link(voc.where, "page", voc.url),
        *(link for each in voc.links or () for link in _link(each, "website", voc.where, notes)),
        *(link for each in voc.attachments or () for link in _link(each, "attachment", voc.where, notes)),
    ]
    return Session(
        slug="",
        title=title,
        subtitle=notes.line(voc.subtitle),
        kind=notes.kind(voc.where, voc.type),
        track=notes.line(voc.track),
        room=notes.line(voc.room),
        start=start,
        day=voc.date if dated else None,
        planned_ms=_length(voc, start, event.time_zone, notes, ours=ours),
        language=notes.language(voc.where, voc.language),
        abstract=notes.block(voc.abstract, voc.description),
        people=_roles(voc, notes),
        links=unique_links(links),
        external_ids=_ids(event, voc, slug, ours=ours),
        release=wish,
    )


def _ids(event: Event, voc: VocSession, slug: str | None, *, ours: bool) -> tuple[ExternalId, ...]:
    made = ours and slug is not None
    guid = None if made and voc.guid == str(made_guid(event, slug or "")) else voc.guid
    number = None if made and voc.id == made_id(event, slug or "") else voc.id
    return ids(guid=guid and _guid(guid), code=voc.code, id=number)


def fixed_zone(sessions: Sequence[Session]) -> str | None:
    """Return the zone with a fixed offset that all starts share, since nothing more is known of their zone; else None.

    Its IANA name counts westwards, as POSIX does: ``Etc/GMT-1`` is an hour ahead of UTC.
    """
    offsets = {parse_moment(session.start).utcoffset() for session in sessions if session.start}
    hours, rest = (
        divmod(next(iter(offsets)) or timedelta(), timedelta(hours=1)) if len(offsets) == 1 else (0, timedelta(1))
    )
    return None if rest or not -14 <= -hours <= 12 else f"Etc/GMT{-hours:+d}" if hours else "UTC"


def made_guid(event: Event, slug: str) -> UUID:
    """Return the guid that is written for a session without one. It is always the same (RFC 9562, version 5)."""
    return uuid5(NAMESPACE_URL, f"rostra:{event.slug}/{slug}")


def made_id(event: Event, slug: str) -> int:
    """Return the number that is written for a session without one."""
    return made_guid(event, slug).int % 10**9 + 1


def _length(voc: VocSession, start: str | None, zone: str, notes: Notes, *, ours: bool) -> int | None:
    if voc.end and start:
        try:
            length = parse_moment(voc.end, zone) - parse_moment(start)
        except MetadataError as error:
            notes.note(voc.where, f"{error}: left out")
            return None
        return notes.positive(voc.where, length / timedelta(milliseconds=1), voc.end)
    if ours and voc.duration in {None, "", "00:00"}:
        return None
    return notes.length(voc.where, None if voc.duration is None else str(voc.duration))


def _roles(voc: VocSession, notes: Notes) -> tuple[Role, ...]:
    roles: dict[tuple[str, str], Role] = {}
    for person in voc.persons or ():
        name = notes.line(person.name or person.public_name or person.full_public_name)
        if name is None:
            notes.note(voc.where, "somebody without a name: left out")
            continue
        links = [*notes.link(voc.where, "website", person.url)]
        links += [link for each in person.links or () for link in _link(each, "website", voc.where, notes)]
        external = ids(guid=person.guid and _guid(person.guid), code=person.code, id=person.id)
        role = Role(
            person=Person(
                name=name, biography=notes.block(person.biography), links=unique_links(links), external_ids=external
            ),
            role=_ROLES.get((person.role or "speaker").lower(), "speaker"),
            affiliation=notes.line(person.affiliation),
        )
        roles.setdefault((external[0].value if external else name_key(name), role.role), role)
    return tuple(roles.values())


def _link(link: VocLink, rel: str, where: str, notes: Notes) -> tuple[Link, ...]:
    rel = notes.line((link.type or "").lower()) or rel
    if not link.url and (title := notes.line(link.title)):
        return (Link(rel=rel, title=title),)
    title = None if link.title == link.url else link.title
    return notes.link(where, rel, link.url, title)


def write_sessions(event: Event) -> list[VocSession]:
    """Return the sessions with a start, in the form of a schedule and in order of time."""
    placed = [session for session in event.sessions if session.start]
    return [_written(event, s) for s in sorted(placed, key=lambda s: (instant(s.start or ""), s.room or ""))]


def _written(event: Event, session: Session) -> VocSession:
    known = {external.scheme: external.value for external in session.external_ids}
    number = known.get("id", "")
    pages = [link for link in session.links if link.rel == "page" and link.url and not link.title]
    end = None
    if session.planned_ms and session.start:
        end = (parse_moment(session.start) + timedelta(milliseconds=session.planned_ms)).isoformat()
    return VocSession(
        guid=known.get("guid") or str(made_guid(event, session.slug)),
        id=int(number) if number.isascii() and number.isdigit() else made_id(event, session.slug),
        code=known.get("code"),
        slug=f"{event.slug}-{session.slug}",
        title=session.title,
        date=session.start,
        start=(session.start or "")[11:16],
        end=end,
        duration=written_length(session.planned_ms),
        room=session.room or "",
        subtitle=session.subtitle or "",
        track=session.track or "",
        type=session.kind,
        language=session.language or "",
        abstract=session.abstract or "",
        description="",
        persons=[_written_person(role) for role in session.people],
        links=[VocLink(url=x.url, title=x.title, type=x.rel) for x in session.links if x not in pages[:1]],
        url=pages[0].url if pages else None,
    )


def _written_person(role: Role) -> VocPerson:
    person = role.person
    known = {external.scheme: external.value for external in person.external_ids}
    number = known.get("id", "")
    return VocPerson(
        id=int(number) if number.isascii() and number.isdigit() else None,
        guid=known.get("guid"),
        code=known.get("code"),
        name=person.name,
        biography=person.biography,
        role=role.role,
        affiliation=role.affiliation,
        links=[VocLink(url=x.url, title=x.title, type=x.rel) for x in person.links] or None,
    )


def written_length(planned_ms: int | None) -> str:
    """Return ``HH:MM`` or ``HH:MM:SS``. An unknown length is ``00:00``, since both schemas require one."""
    seconds = (planned_ms or 0) // 1000
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}"
    return f"{text}:{seconds % 60:02}" if seconds % 60 else text


def instant(start: str) -> datetime:
    """Return a start as a moment in UTC, by which sessions are sorted."""
    return parse_moment(start).astimezone(UTC)


def _guid(text: str) -> str:
    """Return an id; a UUID in small letters. In other ids, such as those of frab in 2014, case makes a difference."""
    return text.lower() if _UUID.fullmatch(text) else text
