"""A spreadsheet of sessions (`.csv`, `.tsv`): one row a session, the columns named in the first row.

Columns, in any order and any case; only ``title`` is needed, and an unknown one is refused by name::

    event, event_title, title, slug, subtitle, kind, track, room, start, day, minutes, end, language, speakers,
    abstract, url, guid, time_zone

``start`` and ``end`` are ISO 8601, in ``time_zone`` where they name no offset, and ``end`` may be an hour alone;
``minutes`` may have a fraction. Speakers are separated by semicolons or line ends. ``event`` is the event's slug,
and rows may belong to several.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from datetime import timedelta

from metadata.errors import FormatError, MetadataError
from metadata.model import Event, Person, Role, Session
from metadata.times import parse_moment
from metadata.timetables.base import Notice, Reading, Source, Written
from metadata.timetables.parts import Notes, event_slug, ids, name_stem, review, with_slugs

COLUMNS = (
    "event", "event_title", "title", "slug", "subtitle", "kind", "track", "room", "start", "day", "minutes", "end",
    "language", "speakers", "abstract", "url", "guid", "time_zone",
)  # fmt: skip
_FIELDS = {
    "subtitle": "subtitle", "kind": "kind", "track": "track", "room": "room", "start": "start", "day": "day",
    "minutes": "planned_ms", "end": "planned_ms", "language": "language", "speakers": "people",
    "abstract": "abstract", "url": "links", "guid": "external_ids",
}  # fmt: skip
MAX_CELL = 1_000_000
_HOUR = re.compile(r"([01]?\d|2[0-3]):[0-5]\d", re.ASCII)


@dataclass(slots=True)
class _Sheet:
    """The rows of one event, as far as they are read."""

    title: str
    zone: str | None = None
    named: bool = False
    sessions: list[Session] = field(default_factory=list)
    slugs: list[str | None] = field(default_factory=list)


def detect(source: Source, /) -> bool:
    """Return whether the file's name ends as a spreadsheet's text does."""
    return source.name.lower().endswith((".csv", ".tsv"))


def read(source: Source, /) -> Reading:
    """Return the events of a sheet.

    Raises:
        FormatError: the line and the column, and what is wrong there.
    """
    notes = Notes(source, html=False)
    header, rows = _rows(source)
    sheets: dict[str, _Sheet] = {}
    for line, row in rows:
        where = f"line {line}"
        stem = event_slug(row.get("event") or name_stem(source), "", None)
        sheet = sheets.setdefault(stem, _Sheet(title=name_stem(source) if not row.get("event") else stem))
        if name := notes.line(row.get("event_title")):
            sheet.title, sheet.named = name, True
        zone = notes.zone(where, row.get("time_zone")) or sheet.zone
        sheet.zone = sheet.zone or zone
        sheet.sessions.append(_session(row, where, zone, notes))
        sheet.slugs.append(row.get("slug"))
    if not rows:
        notes.note("", "no sessions, and so no event")
    elif not any(row.get("event") for _, row in rows):
        notes.note("", "no column 'event': the event is named by the file (--event names another)")
    notices: list[Notice] = list(notes.list)
    events = []
    for slug, sheet in sheets.items():
        event, more = review(
            Event(
                slug=slug,
                title=sheet.title,
                time_zone=sheet.zone or "UTC",
                sessions=with_slugs(sheet.sessions, sheet.slugs),
            )
        )
        events.append(event)
        notices += more
    said = {"title": any(sheet.named for sheet in sheets.values()), "time_zone": any(s.zone for s in sheets.values())}
    fields = {"title"} | {_FIELDS[column] for column in header if column in _FIELDS}
    return Reading(
        events=tuple(events),
        notices=tuple(notices),
        event_fields=frozenset(name for name, value in said.items() if value),
        session_fields=frozenset(fields),
        slugs_identify="slug" in header,
    )


def _rows(source: Source) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    text = source.text
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[int, dict[str, str]]] = []
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        _check(header, source)
        before = reader.line_num
        for cells in reader:
            line, before = before + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(header):
                raise FormatError(
                    source.name, f"line {line}", f"{len(cells)} cells, where the first row names {len(header)}"
                )
            rows.append((line, dict(zip(header, cells, strict=False))))
    except csv.Error as error:
        raise FormatError(source.name, f"line {reader.line_num}", str(error)) from None
    return header, rows


def _check(header: list[str], source: Source) -> None:
    for name in header:
        if name not in COLUMNS:
            raise source.error("line 1", f"unknown column {name!r}: known are {', '.join(COLUMNS)}")
        if header.count(name) > 1:
            raise source.error("line 1", f"the column {name!r} is there twice")
    if "title" not in header:
        raise source.error("line 1", "no column 'title'")


def _session(row: dict[str, str], where: str, zone: str | None, notes: Notes) -> Session:
    title = notes.line(row.get("title"))
    if title is None:
        raise notes.source.error(where, "a session without a title")
    start_text = row.get("start", "").strip()
    dated = len(start_text) == 10
    start = None if dated else notes.moment(where, start_text, zone)
    names = (notes.line(name) for name in row.get("speakers", "").replace("\n", ";").split(";"))
    return Session(
        slug="",
        title=title,
        subtitle=notes.line(row.get("subtitle")),
        kind=notes.kind(where, row.get("kind")),
        track=notes.line(row.get("track")),
        room=notes.line(row.get("room")),
        start=start,
        day=notes.date(where, start_text if dated else row.get("day")),
        planned_ms=_length(row, start, where, zone, notes),
        language=notes.language(where, row.get("language")),
        abstract=notes.block(row.get("abstract")),
        people=tuple(Role(person=Person(name=name)) for name in dict.fromkeys(names) if name),
        links=notes.link(where, "page", row.get("url")),
        external_ids=ids(guid=row.get("guid")),
    )


def _length(row: dict[str, str], start: str | None, where: str, zone: str | None, notes: Notes) -> int | None:
    minutes, end = row.get("minutes", "").strip(), row.get("end", "").strip()
    if minutes:
        try:
            return notes.positive(where, float(minutes) * 60_000, minutes)
        except ValueError:
            notes.note(where, f"{minutes[:20]!r} is no number of minutes: left out")
            return None
    if not end or not start:
        return None
    if _HOUR.fullmatch(end):  # on the day on which it starts, or after midnight
        end = f"{start[:10]}T{end.zfill(5)}"
        if parse_moment(end, zone or "UTC") < parse_moment(start):
            end = (parse_moment(end, zone or "UTC") + timedelta(days=1)).isoformat()
    try:
        return notes.positive(
            where, (parse_moment(end, zone or "UTC") - parse_moment(start)) / timedelta(milliseconds=1), end
        )
    except MetadataError as error:
        notes.note(where, f"{error}: left out")
        return None


def write(event: Event, /) -> Written:
    """Return an event as a sheet. A cell that a spreadsheet would run as a formula keeps its text."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for session in event.sessions:
        page = next((link.url for link in session.links if link.rel == "page" and link.url), "")
        row = {
            "event": event.slug,
            "event_title": event.title,
            "title": session.title,
            "slug": session.slug,
            "subtitle": session.subtitle,
            "kind": session.kind,
            "track": session.track,
            "room": session.room,
            "start": session.start,
            "day": session.day,
            "minutes": _minutes(session.planned_ms),
            "language": session.language,
            "speakers": "; ".join(role.person.name for role in session.people),
            "abstract": session.abstract,
            "url": page,
            "guid": next((x.value for x in session.external_ids if x.scheme == "guid"), ""),
            "time_zone": event.time_zone,
        }
        writer.writerow({column: value or "" for column, value in row.items()})
    unsaid = tuple(
        f"{role.person.name!r} holds a semicolon: it would be read as two people"
        for session in event.sessions
        for role in session.people
        if ";" in role.person.name
    )
    return Written({f"{event.slug}.csv": out.getvalue().encode("utf-8-sig")}, unsaid)


def _minutes(planned_ms: int | None) -> str:
    return f"{planned_ms / 60_000:.6f}".rstrip("0").rstrip(".") if planned_ms else ""
