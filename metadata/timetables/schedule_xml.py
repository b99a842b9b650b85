"""`schedule.xml`: frab, pentabarf, pretalx and the voc schema, with its dialects.

Source: https://c3voc.de/schedule/schema.xsd, https://c3voc.de/wiki/schedule. Older exporters leave out the
``date`` of a session (see `metadata.timetables.voc_session.placed`), and some put all elements into a namespace.
"""

from __future__ import annotations

from collections import defaultdict
from importlib.metadata import version
from xml.etree import ElementTree as ET

from metadata.model import Event, Session
from metadata.times import parse_moment
from metadata.timetables.base import Reading, Source, TimetableFormat, Written
from metadata.timetables.parts import OURS, Notes, event_slug, is_web, name_stem
from metadata.timetables.plain_xml import Node
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


def detect(source: Source, /) -> bool:
    """Return whether the root element is a schedule."""
    return source.xml is not None and source.xml.tag.rpartition("}")[2] == "schedule"


def read(source: Source, /) -> Reading:
    """Return the event of a schedule.

    Raises:
        FormatError: it has no ``conference``, or its days hold something else than sessions in rooms.
    """
    root = source.xml
    assert root is not None  # noqa: S101 - detected
    if root.tag != "schedule":
        root.without_namespace()
    conference = root.find("conference")
    if conference is None:
        raise source.error(
            root.where, "no <conference> in <schedule>: not a schedule of frab, pretalx or the voc schema"
        )
    generator = root.find("generator")
    ours = generator is not None and generator.attributes.get("name") == OURS
    notes = Notes(source, html=not ours)
    base = conference.get("base_url")
    notes.base = base if is_web(base) else None
    event, event_fields = _event(conference, notes)
    zone = event.time_zone if "time_zone" in event_fields else None
    change = conference.get("day_change")
    sessions = [
        placed(
            _session(node, room, source),
            VocDay(day.attributes.get("date"), day.attributes.get("start"), change),
            notes,
            zone,
        )
        for day, room, node in _places(root, source)
    ]
    read = read_sessions(event, sessions, notes, zone, ours=ours)
    return conclude(read, notes, event_fields, roles=False, ours=ours)


def _event(conference: Node, notes: Notes) -> tuple[Event, set[str]]:
    where = conference.where
    title = notes.line(conference.get("title"))
    acronym = notes.line(conference.get("acronym"))
    if title is None:
        notes.note(where, "the conference has no title: named by its acronym or file")
    title = title or acronym or name_stem(notes.source)
    start, end = notes.date(where, conference.get("start")), notes.date(where, conference.get("end"))
    if start and end and end < start:
        notes.note(where, f"the conference ends on {end}, before it starts on {start}: its dates are left out")
        start = end = None
    zone = notes.zone(where, conference.get("time_zone_name"))
    url = conference.get("url") or conference.get("base_url")
    links = notes.link(where, "website", url)
    fields = {"title"}
    fields |= {"start_date"} if start else set()
    fields |= {"end_date"} if end else set()
    fields |= {"time_zone"} if zone else set()
    fields |= {"links"} if links else set()
    event = Event(
        slug=event_slug(acronym, title, start),
        title=title,
        start_date=start,
        end_date=end,
        time_zone=zone or "UTC",
        links=links,
    )
    return event, fields


def _places(root: Node, source: Source) -> list[tuple[Node, Node, Node]]:
    places = []
    for day in root.all("day"):
        for room in day.children:
            if room.tag != "room":
                raise source.error(room.where, f"<{room.tag}> in <day>, where a <room> was expected")
            places += [(day, room, event) for event in room.all("event")]
    return places


def _session(node: Node, room: Node, source: Source) -> VocSession:
    if node.find("title") is None:
        raise source.error(node.where, "an <event> without a <title>")
    number = node.attributes.get("id", "")
    return VocSession(
        where=node.where,
        guid=node.attributes.get("guid"),
        id=int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None,
        code=node.attributes.get("code"),
        slug=node.get("slug"),
        title=node.get("title"),
        date=node.get("date"),
        start=node.get("start"),
        duration=node.get("duration"),
        room=node.get("room") or room.attributes.get("name"),
        subtitle=node.get("subtitle"),
        track=node.get("track"),
        type=node.get("type"),
        language=node.get("language"),
        abstract=node.get("abstract"),
        description=node.get("description"),
        do_not_record=_opted_out(node),
        persons=[_person(x) for persons in node.all("persons") for x in persons.all("person")],
        links=[_link(x) for links in node.all("links") for x in links.all("link")],
        attachments=[_link(x) for links in node.all("attachments") for x in links.all("attachment")],
        url=node.get("url") or node.get("full_conf_url"),
    )


def _opted_out(node: Node) -> bool:
    """Return whether a session asks not to be recorded, as frab and pretalx write it, or as the hub does."""
    recording = node.find("recording")
    said = [node.get("do_not_record"), recording.get("optout") if recording else ""]
    return any(text.lower() in {"true", "1", "yes"} for text in said)


def _person(node: Node) -> VocPerson:
    number = node.attributes.get("id", "")
    return VocPerson(
        id=int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None,
        guid=node.attributes.get("guid"),
        code=node.attributes.get("code"),
        name=node.text,
    )


def _link(node: Node) -> VocLink:
    title = node.text
    return VocLink(url=node.attributes.get("href"), title=title, type=node.attributes.get("type"))


def write(event: Event, /) -> Written:
    """Return an event as `schedule.xml` of the voc schema. A session without a start cannot be in it."""
    root = ET.Element("schedule")
    ET.SubElement(root, "generator", name=OURS, version=version("rostra"))
    _leaf(root, "version", "1")
    conference = ET.SubElement(root, "conference")
    _leaf(conference, "title", event.title)
    _leaf(conference, "acronym", event.slug)
    for name, value in (("start", event.start_date), ("end", event.end_date)):
        if value:
            _leaf(conference, name, value)
    _leaf(conference, "time_zone_name", event.time_zone)
    website = next((link.url for link in event.links if link.rel == "website" and link.url), None)
    if website:
        _leaf(conference, "url", website)
    days: dict[str, dict[str, list[VocSession]]] = defaultdict(lambda: defaultdict(list))
    for session in write_sessions(event):
        days[(session.date or "")[:10]][session.room or ""].append(session)
    for index, (date, rooms) in enumerate(sorted(days.items()), 1):
        every = [session for room in rooms.values() for session in room]
        starts, ends = [x.date or "" for x in every], [x.end or x.date or "" for x in every]
        key = parse_moment
        day = ET.SubElement(
            root, "day", date=date, index=str(index), start=min(starts, key=key), end=max(ends, key=key)
        )
        for name, sessions in rooms.items():
            room = ET.SubElement(day, "room", name=name)
            for session in sessions:
                _write_session(room, session)
    ET.indent(root)
    data = ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"
    return Written({"schedule.xml": data}, unplaced(event.sessions))


def unplaced(sessions: tuple[Session, ...]) -> tuple[str, ...]:
    """Return messages about the sessions without a start, which cannot be in a schedule."""
    return tuple(
        f"{session.title!r} has no start: it cannot stand in a schedule" for session in sessions if not session.start
    )


def _write_session(room: ET.Element, session: VocSession) -> None:
    event = ET.SubElement(room, "event", guid=session.guid or "", id=str(session.id))
    if session.code:
        event.set("code", session.code)
    for name in ("room", "title", "subtitle", "type", "date"):
        _leaf(event, name, getattr(session, name))
    _leaf(event, "start", session.start)
    for name in ("duration", "abstract", "slug", "track"):
        _leaf(event, name, getattr(session, name))
    persons = ET.SubElement(event, "persons")
    for person in session.persons or ():
        known = {name: str(value) for name in ("id", "guid") if (value := getattr(person, name)) is not None}
        ET.SubElement(persons, "person", known).text = person.name
    _leaf(event, "language", session.language)
    links = ET.SubElement(event, "links")
    for link in session.links or ():
        known = {"href": link.url} if link.url else {}
        ET.SubElement(links, "link", {**known, "type": link.type or ""}).text = link.title
    if session.url:
        _leaf(event, "url", session.url)


def _leaf(parent: ET.Element, name: str, text: str | None) -> None:
    ET.SubElement(parent, name).text = text


FORMAT = TimetableFormat(
    name="schedule-xml",
    title="`schedule.xml`: frab, pentabarf, pretalx and the voc schema, with its dialects",
    suffixes=(".xml",),
    media_types=("application/xml", "text/xml"),
    release_wishes="`recording/optout` or `do_not_record`: private, since the session asks not to be recorded",
    detect=detect,
    read=read,
    write=write,
    written_as="schedule.xml",
)
