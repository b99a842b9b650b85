"""A spreadsheet of sessions (`.csv`, `.tsv`): one row a session, the columns named in the first row.

`COLUMNS` lists the columns and what they hold. They stand in any order, and only ``title`` is needed. Case, spaces and
hyphens in their names do not matter. A column of an unknown name is refused, unless it has no name and no cells.

Cells are separated by commas, semicolons, tabs or bars. What spreadsheets add is ignored: a byte order mark, the first
line ``sep=;``, and empty rows, columns and cells.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from difflib import get_close_matches

from metadata.cells import as_written, harmless
from metadata.errors import MetadataError
from metadata.model import Event, Person, Release, Role, Session
from metadata.names import distinct_names
from metadata.times import has_offset, parse_date, parse_moment
from metadata.timetables.base import Notice, Reading, Source, TimetableFormat, Written
from metadata.timetables.parts import (
    NOT_RECORDED,
    Notes,
    event_slug,
    ids,
    is_date,
    name_stem,
    review,
    said_of_any,
    with_slugs,
)

COLUMNS = {
    "event": "the event's slug; without it, the file's name. Rows may belong to several events",
    "event_title": "the event's title",
    "title": "the session's title",
    "slug": "the session in addresses; made from the title where it is empty",
    "subtitle": "a second title",
    "kind": "talk, keynote, panel, plenary, workshop, lecture, launch, reading, qa, performance or other",
    "track": "the track",
    "room": "the room",
    "start": "such as `2024-07-01T18:00+02:00`; without an offset, in `time_zone`. A date alone is a day",
    "day": "the date, where nobody knows the hour, or of an hour alone in `start`",
    "minutes": "the planned length, which may have a fraction",
    "end": "as `start`, or an hour alone, such as `19:00` or `24:00`; without an offset, it has that of `start`",
    "language": "a BCP-47 tag, an ISO 639 code or an English name",
    "speakers": "names, separated by semicolons or line ends",
    "abstract": "what the session is about",
    "url": "the session's page",
    "guid": "an identifier that never changes",
    "time_zone": "the IANA zone of times without an offset, such as `Europe/Berlin`",
    "release": "`public`, `private REASON`, `embargoed DATE`, `withdrawn REASON`, or `do not record`, which is private",
}
"""Every column, and what it holds."""
_FIELDS = {
    "subtitle": "subtitle", "kind": "kind", "track": "track", "room": "room", "start": "start", "day": "day",
    "minutes": "planned_ms", "end": "planned_ms", "language": "language", "speakers": "people",
    "abstract": "abstract", "url": "links", "guid": "external_ids",
}  # fmt: skip
_DELIMITERS = ",;\t|"
_SEPARATOR = re.compile(r"\"?sep=(.)\"?[\s,;|]*", re.IGNORECASE)
_HOUR = re.compile(r"T?(\d{1,2}):([0-5]\d)(?::([0-5]\d|60))?\s*(Z|[+-]\d{2}(?::?\d{2})?)?", re.ASCII | re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"^(\d+),(\d{1,2})$", re.ASCII)
_OPT_OUT = frozenset({"do not record", "do-not-record", "optout", "opt-out"})


@dataclass(slots=True)
class _Sheet:
    """The rows of one event, as far as they are read."""

    title: str
    zone: str | None = None
    named: bool = False
    sessions: list[Session] = field(default_factory=list)
    slugs: list[str | None] = field(default_factory=list)


def detect(source: Source, /) -> bool:
    """Return whether the file's name ends as that of a spreadsheet's text."""
    return FORMAT.named(source)


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
    fields = frozenset({"title"}) | {_FIELDS[column] for column in header if column in _FIELDS}
    return Reading(
        events=tuple(events),
        notices=tuple(notices),
        event_fields=frozenset(name for name, value in said.items() if value),
        session_fields=fields | said_of_any((s for sheet in sheets.values() for s in sheet.sessions), "release"),
        slugs_identify="slug" in header,
    )


def _rows(source: Source) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Return the names of the columns, and the rows with their lines. Rows without a cell are left out."""
    text, skipped, delimiter = _without_separator_line(source.text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[int, dict[str, str]]] = []
    header: list[str] = []
    before = skipped
    try:
        for cells in ([as_written(cell) for cell in row] for row in reader):
            where, line, before = f"line {before + 1}", before + 1, reader.line_num + skipped
            if not any(cell.strip() for cell in cells):
                continue
            if header:
                rows.append((line, _row(header, cells, where, source)))
            else:
                header = [_column(name) for name in cells]
                _check(header, where, source)
    except csv.Error as error:
        raise source.error(f"line {reader.line_num + skipped}", str(error)) from None
    if not header:
        _check(header, "line 1", source)
    return header, rows


def _without_separator_line(text: str) -> tuple[str, int, str]:
    """Return a sheet without the line that tells Excel the delimiter, the number of such lines, and the delimiter.

    Where there is no such line, the delimiter is the one by which the first row names the most known columns.
    """
    first, line_end, rest = text.partition("\n")
    if said := _SEPARATOR.fullmatch(first.rstrip("\r")):
        return rest.lstrip("\ufeff"), len(line_end), said[1]
    return text, 0, max(_DELIMITERS, key=lambda delimiter: _known_columns(text, delimiter))


def _known_columns(text: str, delimiter: str) -> int:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        first = next((cells for cells in reader if any(cell.strip() for cell in cells)), [])
    except csv.Error:
        return 0
    return sum(_column(name) in COLUMNS for name in first)


def _column(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip("\ufeff \t\r\n\xa0").lower())


def _row(header: list[str], cells: list[str], where: str, source: Source) -> dict[str, str]:
    """Return the cells of a row that are not empty, by column."""
    filled = [(place, cell) for place, cell in enumerate(cells) if cell.strip()]
    for place, cell in filled:
        if place >= len(header):
            raise source.error(where, f"{place + 1} cells, where the first row names {len(header)}")
        if not header[place]:
            raise source.error(where, f"{cell.strip()[:40]!r} stands in column {place + 1}, which has no name")
    return {header[place]: cell for place, cell in filled}


def _check(header: list[str], where: str, source: Source) -> None:
    for name in filter(None, header):
        if name not in COLUMNS:
            near = get_close_matches(name, COLUMNS, 1)
            nearest = f" (nearest: {near[0]!r})" if near else ""
            raise source.error(where, f"unknown column {name!r}{nearest}: known are {', '.join(COLUMNS)}")
        if header.count(name) > 1:
            raise source.error(where, f"the column {name!r} is there twice")
    if "title" not in header:
        raise source.error(where, "no column 'title'")


def _session(row: dict[str, str], where: str, zone: str | None, notes: Notes) -> Session:
    title = notes.line(row.get("title"))
    if title is None:
        raise notes.source.error(where, "a session without a title")
    start_text, day_text = row.get("start", "").strip(), row.get("day", "").strip()
    if is_date(day_text) and (hour := _HOUR.fullmatch(start_text)):
        start_text = f"{day_text}T{hour[1].zfill(2)}:{hour[2]}:{hour[3] or '00'}{(hour[4] or '').upper()}"
        day_text = ""
    dated = is_date(start_text)
    start = None if dated else notes.moment(where, start_text, zone)
    # An end without an offset has that of the start, if the start has one (ISO 8601:2004, section 4.4.5).
    end_zone = None if start and has_offset(start_text) else zone or "UTC"
    names = (notes.line(name) for name in row.get("speakers", "").replace("\n", ";").split(";"))
    return Session(
        slug="",
        title=title,
        subtitle=notes.line(row.get("subtitle")),
        kind=notes.kind(where, row.get("kind")),
        track=notes.line(row.get("track")),
        room=notes.line(row.get("room")),
        start=start,
        day=notes.date(where, start_text if dated else day_text),
        planned_ms=_length(row, start, where, end_zone, notes),
        language=notes.language(where, row.get("language")),
        abstract=notes.block(row.get("abstract")),
        people=tuple(Role(person=Person(name=name)) for name in distinct_names(names)),
        links=notes.link(where, "page", row.get("url")),
        external_ids=ids(guid=row.get("guid")),
        release=_release(notes.line(row.get("release")) or "", title, where, notes),
    )


def _length(row: dict[str, str], start: str | None, where: str, zone: str | None, notes: Notes) -> int | None:
    """Return the planned length; ``zone`` is that of an end without an offset, None where it has the start's."""
    minutes, end = row.get("minutes", "").strip(), row.get("end", "").strip()
    if minutes:
        try:
            return notes.positive(where, float(_DECIMAL_COMMA.sub(r"\1.\2", minutes)) * 60_000, minutes)
        except ValueError:
            notes.note(where, f"{minutes[:20]!r} is no number of minutes: left out")
            return None
    if not end or not start:
        return None
    if is_date(end):
        notes.note(where, f"the end {end} has no hour: how long it was planned stays open")
        return None
    try:
        return notes.positive(where, (_end(end, start, zone) - parse_moment(start)) / timedelta(milliseconds=1), end)
    except MetadataError as error:
        notes.note(where, f"{error}: left out")
        return None


def _end(text: str, start: str, zone: str | None) -> datetime:
    """Return the moment of an end. An hour alone is on the day of the start, or else on the next day."""
    begin = parse_moment(start)
    offset = "" if zone else begin.isoformat()[-6:]
    hour = _HOUR.fullmatch(text)
    if hour is None:
        return parse_moment(text if zone or has_offset(text) else f"{text}{offset}", zone)
    clock = f"{hour[1].zfill(2)}:{hour[2]}:{hour[3] or '00'}{(hour[4] or '').upper() or offset}"
    end = parse_moment(f"{start[:10]}T{clock}", zone)
    return end if end >= begin else parse_moment(f"{parse_date(start[:10]) + timedelta(days=1)}T{clock}", zone)


def _release(text: str, title: str, where: str, notes: Notes) -> Release | None:
    """Return what the column ``release`` says. What is not understood is noted, and the session is private."""
    word, _, rest = text.partition(" ")
    if not text:
        return None
    if text.lower() in _OPT_OUT:
        return notes.private(where, NOT_RECORDED, title)
    match word.lower():
        case "public" if not rest:
            return Release(state="public")
        case "private":
            return Release(state="private", reason=rest or None)
        case "withdrawn" if rest:
            return Release(state="withdrawn", reason=rest)
        case "embargoed" if until := notes.date(where, rest.removeprefix("until ")):
            return Release(state="embargoed", until=until)
    return notes.private(where, f"has the release {text[:40]!r}, which is not understood", title)


def write(event: Event, /) -> Written:
    """Return an event as a sheet, which a spreadsheet runs nothing of, and from which `read` has the same texts."""
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
            "release": _written_release(session.release),
        }
        writer.writerow({column: harmless(value or "") for column, value in row.items()})
    unsaid = tuple(
        f"{role.person.name!r} holds a semicolon: it would be read as two people"
        for session in event.sessions
        for role in session.people
        if ";" in role.person.name
    )
    return Written({f"{event.slug}.csv": out.getvalue().encode("utf-8-sig")}, unsaid)


def _written_release(release: Release | None) -> str:
    if release is None:
        return ""
    detail = release.until if release.state == "embargoed" else release.reason if release.state != "public" else None
    return f"{release.state} {detail}" if detail else release.state


def _minutes(planned_ms: int | None) -> str:
    return f"{planned_ms / 60_000:.6f}".rstrip("0").rstrip(".") if planned_ms else ""


FORMAT = TimetableFormat(
    name="csv-sessions",
    title="A spreadsheet of sessions (`.csv`, `.tsv`): one row a session, the columns named in the first row",
    suffixes=(".csv", ".tsv"),
    media_types=("text/csv", "text/tab-separated-values"),
    release_wishes="the column `release`: as it says; `do not record`, and what is not understood: private",
    detect=detect,
    read=read,
    write=write,
    written_as="csv",
)
