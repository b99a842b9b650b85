"""What pages read from a published database: every statement of the site stands here.

Functions take a connection whose rows have names (`sqlite3.Row`) and return plain values. A page makes
all its calls in one go on one connection, so that it never mixes two builds.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from archive.catalogue.announcements import COLUMNS, in_order
from archive.catalogue.mapping import EVENT_FACTS, SESSION_FACTS, columns, read_facts
from archive.catalogue.rows import Owner, read_attendance
from archive.site.labels import local_time
from archive.sqlite import sqlite3
from metadata.model import Announcement, Attendance, EventFacts, SessionFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How much the archive holds."""

    events: int
    sessions: int
    recorded_ms: int
    people: int
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """A person's part in a session; ``portrait`` changes with their picture, and is None where there is none."""

    slug: str
    name: str
    role: str
    affiliation: str | None
    portrait: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card(SessionFacts):
    """A session as it stands in lists: its facts, and what is known of its recordings.

    ``start`` is on the clocks of its event, ``day`` its date, which may be known without an hour; ``media`` is what
    was recorded, ``poster`` the file of a picture of it.
    """

    id: int
    event: str
    event_title: str
    start: datetime | None
    day: date | None
    recorded_ms: int | None
    media: str | None
    poster: str | None
    synthetic: bool
    transcribed: bool
    people: tuple[Credit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCard:
    """An event as it stands in lists."""

    slug: str
    title: str
    subtitle: str | None
    start_date: str | None
    end_date: str | None
    mode: str
    sessions: int
    recorded: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A link of an event, session or person."""

    rel: str
    url: str | None
    title: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceLine:
    """A place of an event."""

    kind: str
    name: str
    city: str | None
    country: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """What is left of something that was withdrawn: the day, in ISO 8601, and why, if the public may know."""

    withdrawn_on: str
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage(EventFacts):
    """Everything that an event's page shows. ``days`` are in order; sessions of no known day come last, under None."""

    series_slug: str | None
    floor: tuple[str, ...]
    interpreted: tuple[str, ...]
    places: tuple[PlaceLine, ...]
    attendance: tuple[Attendance, ...]
    announcements: tuple[Announcement, ...]
    links: tuple[Reference, ...]
    days: tuple[tuple[date | None, tuple[Card, ...]], ...]
    tracks: tuple[str, ...]
    people: tuple[Credit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonPage:
    """Everything that a person's page shows: sessions by role."""

    slug: str
    name: str
    biography: str | None
    portrait: str | None
    links: tuple[Reference, ...]
    roles: tuple[tuple[str, tuple[Card, ...]], ...]


_CARDS = f"""
SELECT session.id, event.slug AS event, event.title AS event_title, event.time_zone, session.start_at, session.day,
       {columns("session", SESSION_FACTS)},
       shown.duration_ms AS recorded_ms, shown.kind AS media, shown.synthetic_voice AS synthetic,
       still.sha256 || still.suffix AS poster,
       EXISTS (SELECT 1 FROM recording JOIN transcript ON transcript.recording_id = recording.id AND is_current
               WHERE session_id = session.id) AS transcribed
FROM session JOIN event ON event.id = session.event_id LEFT JOIN place ON place.id = session.place_id
     LEFT JOIN recording AS shown ON shown.id = (SELECT id FROM recording WHERE session_id = session.id
                                                 ORDER BY role = 'floor' DESC, role, id LIMIT 1)
     LEFT JOIN rendition AS still ON still.recording_id = shown.id AND still.kind = 'poster'
"""
_CREDITS = """
SELECT session_id, person.slug, person.name, session_person.role, session_person.affiliation,
       portrait.digest AS portrait
FROM session_person JOIN person ON person.id = session_person.person_id
     LEFT JOIN portrait ON portrait.person_id = person.id
WHERE session_id IN (SELECT value FROM json_each(?))
ORDER BY session_id, session_person.position, person.name
"""


# In this order: SQLite would look through all events, and not know that their slugs lead to few sessions.
_OF_SLUGS = """
WHERE session.id IN (SELECT session.id FROM json_each(?) AS wanted CROSS JOIN event ON event.slug = wanted.value ->> 0
                     CROSS JOIN session ON session.event_id = event.id AND session.slug = wanted.value ->> 1)
"""


def figures(conn: sqlite3.Connection) -> Figures:
    """Return how much there is."""
    row = conn.execute(
        "SELECT (SELECT count(*) FROM event) AS events, (SELECT count(*) FROM session) AS sessions,"
        " (SELECT coalesce(sum(duration_ms), 0) FROM recording WHERE role = 'floor') AS recorded_ms,"
        " (SELECT count(*) FROM person) AS people"
    ).fetchone()
    return Figures(
        events=row["events"],
        sessions=row["sessions"],
        recorded_ms=row["recorded_ms"],
        people=row["people"],
        languages=spoken(conn),
    )


def spoken(conn: sqlite3.Connection) -> tuple[str, ...]:
    """Return the languages of current transcripts, the most frequent first."""
    rows = conn.execute(
        "SELECT language FROM transcript WHERE is_current GROUP BY language ORDER BY count(*) DESC, language"
    )
    return tuple(row["language"] for row in rows)


def newest(conn: sqlite3.Connection, limit: int) -> tuple[Card, ...]:
    """Return the latest sessions that were recorded."""
    where = "WHERE EXISTS (SELECT 1 FROM recording WHERE session_id = session.id)"
    return session_cards(conn, f"{where} ORDER BY session.start_utc DESC, session.id DESC LIMIT ?", (limit,))


def events(conn: sqlite3.Connection, limit: int = -1) -> tuple[EventCard, ...]:
    """Return events, the latest first."""
    return event_cards(conn, "ORDER BY start_date DESC, id DESC LIMIT ?", (limit,))


def event_cards(conn: sqlite3.Connection, rest: str, values: Sequence[object]) -> tuple[EventCard, ...]:
    """Return events as they stand in lists; ``rest`` is what follows FROM."""
    rows = conn.execute(
        "SELECT slug, title, subtitle, start_date, end_date, mode,"
        " (SELECT count(*) FROM session WHERE event_id = event.id) AS sessions,"
        " (SELECT count(DISTINCT session_id) FROM session JOIN recording ON recording.session_id = session.id"
        "  WHERE event_id = event.id) AS recorded"
        f" FROM event {rest}",
        values,
    )
    return tuple(EventCard(**as_dict(row)) for row in rows)


def tombstone(conn: sqlite3.Connection, event: str, session: str) -> Tombstone | None:
    """Return what was withdrawn at an address, or None: an event as a whole, or one session."""
    if not conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'tombstone'").fetchone():
        return None  # an older Rostra published it
    row = conn.execute(
        "SELECT withdrawn_on, reason FROM tombstone WHERE event = ? AND (session IS NULL OR session = ?)",
        (_clean(event), _clean(session)),
    ).fetchone()
    return None if row is None else Tombstone(**as_dict(row))


def tombstones(conn: sqlite3.Connection) -> list[tuple[str, str | None]]:
    """Return what was withdrawn: the event's slug, and the session's, or None for an event as a whole."""
    return [tuple(row) for row in conn.execute("SELECT event, session FROM tombstone ORDER BY event, session")]


def played_files(conn: sqlite3.Connection) -> set[str]:
    """Return the names of the files that are played, rather than shown or read beside what is."""
    rows = conn.execute("SELECT sha256 || suffix FROM rendition WHERE media_type GLOB '[av][ui]d[ei]o/*'")
    return {row[0] for row in rows}


def holdings(conn: sqlite3.Connection) -> dict[tuple[str, str], tuple[list[str], list[str]]]:
    """Return of each session what must be taken back when it is taken back: its recordings, and what is not in them.

    Both are keys; the second are those of redactions, with their times.
    """
    rows = conn.execute(
        "SELECT event.slug, session.slug, recording.sha256, redaction.start_ms, redaction.end_ms FROM session"
        " JOIN event ON event.id = event_id LEFT JOIN recording ON session_id = session.id"
        " LEFT JOIN redaction ON redaction.recording_id = recording.id ORDER BY session.id, 3, 4, 5"
    )
    found: dict[tuple[str, str], tuple[list[str], list[str]]] = {}
    for event_slug, slug, recording, start, end in rows:
        recordings, redactions = found.setdefault((event_slug, slug), ([], []))
        if recording is not None and recording not in recordings:
            recordings.append(recording)
        if start is not None:
            redactions.append(f"{recording[:12]}:{start}-{end}")
    return found


def event(conn: sqlite3.Connection, slug: str) -> EventPage | None:
    """Return an event with its timetable."""
    row = conn.execute(
        f"SELECT event.id, series.slug AS series_slug, {columns('event', EVENT_FACTS)} FROM event"
        " LEFT JOIN series ON series.id = series_id"
        " WHERE event.slug = ?",
        (slug,),
    ).fetchone()
    if row is None:
        return None
    cards = session_cards(
        conn,
        "WHERE session.event_id = ? ORDER BY session.start_utc IS NULL, session.start_utc, session.position",
        (row["id"],),
    )
    tongues = conn.execute("SELECT language, role FROM event_language WHERE event_id = ?", (row["id"],)).fetchall()
    places = conn.execute("SELECT kind, name, city, country FROM place WHERE event_id = ? ORDER BY id", (row["id"],))
    days: dict[date | None, list[Card]] = defaultdict(list)
    for card in cards:
        days[card.day].append(card)
    return EventPage(
        **read_facts(row, EVENT_FACTS),
        series_slug=row["series_slug"],
        floor=tuple(each["language"] for each in tongues if each["role"] == "floor"),
        interpreted=tuple(each["language"] for each in tongues if each["role"] == "interpretation"),
        places=tuple(PlaceLine(**as_dict(each)) for each in places),
        attendance=attendance_of(conn, "event_id", row["id"]),
        announcements=announcements_of(conn, row["id"]),
        links=links_of(conn, "event_id", row["id"]),
        days=tuple((each, tuple(of_day)) for each, of_day in days.items()),
        tracks=tuple(dict.fromkeys(card.track for card in cards if card.track)),
        people=_unique(credit for card in cards for credit in card.people),
    )


def person(conn: sqlite3.Connection, slug: str) -> PersonPage | None:
    """Return a person with their sessions by role, the latest first."""
    row = conn.execute(
        "SELECT id, slug, name, biography, digest AS portrait FROM person LEFT JOIN portrait ON person_id = id"
        " WHERE slug = ?",
        (slug,),
    ).fetchone()
    if row is None:
        return None
    held = conn.execute("SELECT session_id, role FROM session_person WHERE person_id = ?", (row["id"],)).fetchall()
    cards = session_cards(
        conn,
        "WHERE session.id IN (SELECT session_id FROM session_person WHERE person_id = ?)"
        " ORDER BY session.start_utc DESC, session.id DESC",
        (row["id"],),
    )
    roles = sorted({each["role"] for each in held}, key=lambda role: (role != "speaker", role))
    sessions = {role: {each["session_id"] for each in held if each["role"] == role} for role in roles}
    return PersonPage(
        slug=row["slug"],
        name=row["name"],
        biography=row["biography"],
        portrait=row["portrait"],
        links=links_of(conn, "person_id", row["id"]),
        roles=tuple((role, tuple(card for card in cards if card.id in sessions[role])) for role in roles),
    )


def portrait(conn: sqlite3.Connection, slug: str) -> bytes | None:
    """Return a person's picture, or None."""
    row = conn.execute("SELECT picture FROM portrait JOIN person ON id = person_id WHERE slug = ?", (slug,)).fetchone()
    return None if row is None else bytes(row["picture"])


def cards_by_slug(conn: sqlite3.Connection, slugs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Card]:
    """Return sessions by the slugs of their event and their own."""
    wanted = json.dumps(sorted(set(slugs)))
    found = session_cards(conn, _OF_SLUGS, (wanted,))
    return {(card.event, card.slug): card for card in found}


def labels(conn: sqlite3.Connection, chosen: Mapping[str, str]) -> dict[str, str]:
    """Return how the values of filters read: titles and names of what is chosen by slug."""
    named = dict(chosen)
    kinds = (("event", "event", "title"), ("series", "series", "title"), ("person", "person", "name"))
    for name, table, column in (*kinds, ("speaker", "person", "name")):
        row = conn.execute(
            f"SELECT {column} AS label FROM {table} WHERE slug = ?", (_clean(chosen.get(name)),)
        ).fetchone()
        if row is not None:
            named[name] = row["label"]
    return named


def _clean(text: str | None) -> str | None:
    return None if text is None else text.encode(errors="replace").decode()


def as_dict(row: sqlite3.Row) -> dict[str, Any]:
    """Return a row as a dictionary."""
    return dict(zip(row.keys(), row, strict=True))


def session_cards(conn: sqlite3.Connection, rest: str, values: Sequence[object]) -> tuple[Card, ...]:
    """Return sessions; ``rest`` is what follows FROM and its joins."""
    rows = [as_dict(row) for row in conn.execute(_CARDS + rest, values)]
    people: dict[int, list[Credit]] = defaultdict(list)
    for credit in conn.execute(_CREDITS, (json.dumps([row["id"] for row in rows]),)):
        named = as_dict(credit)
        people[named.pop("session_id")].append(Credit(**named))
    return tuple(_card(row, tuple(people[row["id"]])) for row in rows)


def _card(row: dict[str, Any], people: tuple[Credit, ...]) -> Card:
    start = local_time(row.pop("start_at"), row.pop("time_zone"))
    said = row.pop("day")
    day = start.date() if start else date.fromisoformat(said) if said else None
    synthetic, transcribed = bool(row.pop("synthetic")), bool(row.pop("transcribed"))
    return Card(**row, synthetic=synthetic, transcribed=transcribed, start=start, day=day, people=people)


def attendance_of(conn: sqlite3.Connection, owner: Owner, key: int) -> tuple[Attendance, ...]:
    """Return figures in order of time, those of no known day first."""
    return tuple(sorted(read_attendance(conn, owner, key), key=lambda each: each.observed_on or ""))


def announcements_of(conn: sqlite3.Connection, event_id: int) -> tuple[Announcement, ...]:
    """Return what organisers published about an event, in order of time."""
    rows = conn.execute(f"SELECT {', '.join(COLUMNS)} FROM announcement WHERE event_id = ? ORDER BY id", (event_id,))
    return in_order(Announcement(**as_dict(row)) for row in rows)


def links_of(conn: sqlite3.Connection, owner: str, key: int) -> tuple[Reference, ...]:
    """Return the links of an event, session or person."""
    rows = conn.execute(
        f"SELECT rel, url, title FROM link WHERE {owner} = ? ORDER BY position, id",  # a name of ours
        (key,),
    )
    return tuple(Reference(**as_dict(row)) for row in rows)


def _unique(credits_: Iterable[Credit]) -> tuple[Credit, ...]:
    """Return one credit a person, by name."""
    return tuple(sorted({credit.slug: credit for credit in credits_}.values(), key=lambda credit: credit.name))
