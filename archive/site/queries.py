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

from archive.catalogue.mapping import EVENT_FACTS, SESSION_FACTS, columns, read_facts
from archive.catalogue.rows import Owner, read_attendance
from archive.site.labels import local_time
from archive.sqlite import sqlite3
from metadata.model import Attendance, EventFacts, Flag, Segment, SessionFacts, Transcript, Word


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
    """A person's part in a session."""

    slug: str
    name: str
    role: str
    affiliation: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card(SessionFacts):
    """A session as it stands in lists: its facts, and what is known of its recordings.

    ``start`` is on the clocks of its event, ``day`` its date, which may be known without an hour; ``media`` is what
    was recorded.
    """

    id: int
    event: str
    event_title: str
    start: datetime | None
    day: date | None
    recorded_ms: int | None
    media: str | None
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

    floor: tuple[str, ...]
    interpreted: tuple[str, ...]
    places: tuple[PlaceLine, ...]
    attendance: tuple[Attendance, ...]
    links: tuple[Reference, ...]
    days: tuple[tuple[date | None, tuple[Card, ...]], ...]
    tracks: tuple[str, ...]
    people: tuple[Credit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One segment on the session's page."""

    position: int
    start_ms: int
    end_ms: int
    text: str
    language: str | None
    flags: tuple[str, ...]
    pause: bool
    redacted: bool = False
    """Whether this stands where words were taken out; ``text`` then says why, if the public may know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A recording of a session and its current transcript, if it has one.

    ``elsewhere`` is the address that plays it where no file of it is here ("" where nobody said), and None for others.
    """

    sha256: str
    suffix: str
    media_type: str
    kind: str
    role: str
    language: str | None
    duration_ms: int | None
    credit: str | None
    licence: str | None
    synthetic: bool
    transcript_id: int | None
    transcript_kind: str | None
    transcript_language: str | None
    generator: str | None
    web: str | None
    web_type: str | None
    poster: str | None
    peaks: str | None
    previews: str | None
    elsewhere: str | None

    @property
    def sources(self) -> tuple[tuple[str, str], ...]:
        """What a player may choose from: files in the published folder, and their types; none before there is one."""
        return ((self.web, self.web_type),) if self.web and self.web_type else ()

    @property
    def file(self) -> str | None:
        """The name of its file in the published folder: a form without what was written into the recording's own."""
        return self.web

    @property
    def key(self) -> str:
        """What names it among the session's recordings, in links."""
        return self.sha256[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPage:
    """Everything that a session's page shows, but for the transcript."""

    card: Card
    abstract: str | None
    time_zone: str
    attendance: tuple[Attendance, ...]
    links: tuple[Reference, ...]
    tracks: tuple[Track, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonPage:
    """Everything that a person's page shows: sessions by role."""

    slug: str
    name: str
    biography: str | None
    links: tuple[Reference, ...]
    roles: tuple[tuple[str, tuple[Card, ...]], ...]


PAUSE_MS = 1_500
"""Silence before a segment that sets it off as a new paragraph."""

_CARDS = f"""
SELECT session.id, event.slug AS event, event.title AS event_title, event.time_zone, session.start_at, session.day,
       {columns("session", SESSION_FACTS)},
       shown.duration_ms AS recorded_ms, shown.kind AS media, shown.synthetic_voice AS synthetic,
       EXISTS (SELECT 1 FROM recording JOIN transcript ON transcript.recording_id = recording.id AND is_current
               WHERE session_id = session.id) AS transcribed
FROM session JOIN event ON event.id = session.event_id LEFT JOIN place ON place.id = session.place_id
     LEFT JOIN recording AS shown ON shown.id = (SELECT id FROM recording WHERE session_id = session.id
                                                 ORDER BY role = 'floor' DESC, role, id LIMIT 1)
"""
_CREDITS = """
SELECT session_id, person.slug, person.name, session_person.role, session_person.affiliation
FROM session_person JOIN person ON person.id = session_person.person_id
WHERE session_id IN (SELECT value FROM json_each(?))
ORDER BY session_id, session_person.position, person.name
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
    return _cards(conn, f"{where} ORDER BY session.start_utc DESC, session.id DESC LIMIT ?", (limit,))


def events(conn: sqlite3.Connection, limit: int = -1) -> tuple[EventCard, ...]:
    """Return events, the latest first."""
    rows = conn.execute(
        "SELECT slug, title, subtitle, start_date, end_date, mode,"
        " (SELECT count(*) FROM session WHERE event_id = event.id) AS sessions,"
        " (SELECT count(DISTINCT session_id) FROM session JOIN recording ON recording.session_id = session.id"
        "  WHERE event_id = event.id) AS recorded"
        " FROM event ORDER BY start_date DESC, id DESC LIMIT ?",
        (limit,),
    )
    return tuple(EventCard(**_named(row)) for row in rows)


def tombstone(conn: sqlite3.Connection, event: str, session: str) -> Tombstone | None:
    """Return what was withdrawn at an address, or None: an event as a whole, or one session."""
    if not conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'tombstone'").fetchone():
        return None  # an older Rostra published it
    row = conn.execute(
        "SELECT withdrawn_on, reason FROM tombstone WHERE event = ? AND (session IS NULL OR session = ?)",
        (_clean(event), _clean(session)),
    ).fetchone()
    return None if row is None else Tombstone(**_named(row))


def event(conn: sqlite3.Connection, slug: str) -> EventPage | None:
    """Return an event with its timetable."""
    row = conn.execute(
        f"SELECT event.id, {columns('event', EVENT_FACTS)} FROM event LEFT JOIN series ON series.id = series_id"
        " WHERE event.slug = ?",
        (slug,),
    ).fetchone()
    if row is None:
        return None
    cards = _cards(
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
        floor=tuple(each["language"] for each in tongues if each["role"] == "floor"),
        interpreted=tuple(each["language"] for each in tongues if each["role"] == "interpretation"),
        places=tuple(PlaceLine(**_named(each)) for each in places),
        attendance=_attendance(conn, "event_id", row["id"]),
        links=_links(conn, "event_id", row["id"]),
        days=tuple((each, tuple(of_day)) for each, of_day in days.items()),
        tracks=tuple(dict.fromkeys(card.track for card in cards if card.track)),
        people=_unique(credit for card in cards for credit in card.people),
    )


def session(conn: sqlite3.Connection, event_slug: str, slug: str) -> SessionPage | None:
    """Return a session and its recordings, the floor's first."""
    cards = _cards(conn, "WHERE event.slug = ? AND session.slug = ?", (event_slug, slug))
    if not cards:
        return None
    card = cards[0]
    row = conn.execute(
        "SELECT abstract, time_zone FROM session JOIN event ON event.id = event_id WHERE session.id = ?", (card.id,)
    ).fetchone()
    tracks = conn.execute(
        "SELECT recording.sha256, recording.suffix, recording.media_type, recording.kind, recording.role,"
        " recording.elsewhere,"
        " recording.language, recording.duration_ms, credit, licence, synthetic_voice AS synthetic,"
        " transcript.id AS transcript_id, transcript.kind AS transcript_kind,"
        " transcript.language AS transcript_language, generator,"
        " web.sha256 || web.suffix AS web, web.media_type AS web_type, poster.sha256 || poster.suffix AS poster,"
        " peaks.sha256 || peaks.suffix AS peaks, previews.sha256 || previews.suffix AS previews"
        " FROM recording LEFT JOIN rendition AS web ON web.recording_id = recording.id AND web.kind = 'web'"
        " LEFT JOIN rendition AS poster ON poster.recording_id = recording.id AND poster.kind = 'poster'"
        " LEFT JOIN rendition AS peaks ON peaks.recording_id = recording.id AND peaks.kind = 'peaks'"
        " LEFT JOIN rendition AS previews ON previews.recording_id = recording.id AND previews.kind = 'previews'"
        " LEFT JOIN transcript ON transcript.recording_id = recording.id AND is_current"
        "  AND transcript.kind <> 'translation'"
        " WHERE session_id = ? ORDER BY recording.role = 'floor' DESC, recording.role, recording.id",
        (card.id,),
    )
    return SessionPage(
        card=card,
        abstract=row["abstract"],
        time_zone=row["time_zone"],
        attendance=_attendance(conn, "session_id", card.id),
        links=_links(conn, "session_id", card.id),
        tracks=tuple(Track(**{**_named(each), "synthetic": bool(each["synthetic"])}) for each in tracks),
    )


def lines(conn: sqlite3.Connection, transcript_id: int) -> tuple[Line, ...]:
    """Return a transcript's segments for reading."""
    rows = conn.execute(
        "SELECT position, start_ms, end_ms, text, language, flags,"
        " start_ms - lag(end_ms) OVER (ORDER BY position) >= ? AS pause"
        " FROM segment WHERE transcript_id = ? ORDER BY position",
        (PAUSE_MS, transcript_id),
    )
    said = [
        Line(**{**_named(row), "flags": tuple(json.loads(row["flags"])), "pause": bool(row["pause"])}) for row in rows
    ]
    marks = [
        Line(position=-row["id"], start_ms=row["start_ms"], end_ms=row["end_ms"], text=row["reason"], language=None,
             flags=(), pause=False, redacted=True)
        for row in _redactions(conn, transcript_id)
    ]  # fmt: skip
    return tuple(sorted([*said, *marks], key=lambda line: line.start_ms)) if marks else tuple(said)


def _redactions(conn: sqlite3.Connection, transcript_id: int) -> list[sqlite3.Row]:
    """Return what was taken out of a transcript's recording, in order."""
    if not conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'redaction'").fetchone():
        return []  # an older Rostra published it
    return conn.execute(
        "SELECT redaction.id, start_ms, end_ms, reason FROM redaction JOIN transcript USING (recording_id)"
        " WHERE transcript.id = ? ORDER BY start_ms",
        (transcript_id,),
    ).fetchall()


def transcript(conn: sqlite3.Connection, transcript_id: int) -> Transcript | None:
    """Return a transcript with its words, for writing it in a format."""
    row = conn.execute(
        "SELECT language, duration_ms, kind, generator, generator_version, parameters FROM transcript WHERE id = ?",
        (transcript_id,),
    ).fetchone()
    if row is None:
        return None
    words: dict[int, list[Word]] = defaultdict(list)
    for word in conn.execute(
        "SELECT segment_id, word.start_ms, word.end_ms, word.text, word.confidence"
        " FROM word JOIN segment ON segment.id = segment_id WHERE transcript_id = ? ORDER BY segment_id, word.position",
        (transcript_id,),
    ):
        values = _named(word)
        words[values.pop("segment_id")].append(Word(**values))
    segments = conn.execute(
        "SELECT segment.id, start_ms, end_ms, text, confidence, flags, language, label AS speaker FROM segment"
        " LEFT JOIN speaker_tag ON speaker_tag.id = speaker_tag_id WHERE transcript_id = ? ORDER BY position",
        (transcript_id,),
    )
    said = [_segment(_named(each), words) for each in segments]
    marks = [
        Segment(start_ms=each["start_ms"], end_ms=each["end_ms"], text=TAKEN_OUT)
        for each in _redactions(conn, transcript_id)
    ]
    return Transcript(
        **{**_named(row), "parameters": json.loads(row["parameters"])},
        segments=tuple(sorted([*said, *marks], key=lambda segment: segment.start_ms) if marks else said),
    )


TAKEN_OUT = "[taken out]"
"""What stands in captions where words were taken out."""


def person(conn: sqlite3.Connection, slug: str) -> PersonPage | None:
    """Return a person with their sessions by role, the latest first."""
    row = conn.execute("SELECT id, slug, name, biography FROM person WHERE slug = ?", (slug,)).fetchone()
    if row is None:
        return None
    held = conn.execute("SELECT session_id, role FROM session_person WHERE person_id = ?", (row["id"],)).fetchall()
    cards = _cards(
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
        links=_links(conn, "person_id", row["id"]),
        roles=tuple((role, tuple(card for card in cards if card.id in sessions[role])) for role in roles),
    )


def cards_by_slug(conn: sqlite3.Connection, slugs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Card]:
    """Return sessions by the slugs of their event and their own."""
    wanted = json.dumps(sorted(set(slugs)))
    found = _cards(
        conn,
        "JOIN json_each(?) AS wanted ON event.slug = wanted.value ->> 0 AND session.slug = wanted.value ->> 1",
        (wanted,),
    )
    return {(card.event, card.slug): card for card in found}


def labels(conn: sqlite3.Connection, chosen: Mapping[str, str]) -> dict[str, str]:
    """Return how the values of filters read: titles and names of what is chosen by slug."""
    named = dict(chosen)
    for name, column in (("event", "title"), ("series", "title"), ("person", "name")):
        row = conn.execute(
            f"SELECT {column} AS label FROM {name} WHERE slug = ?", (_clean(chosen.get(name)),)
        ).fetchone()
        if row is not None:
            named[name] = row["label"]
    return named


def _clean(text: str | None) -> str | None:
    return None if text is None else text.encode(errors="replace").decode()


def other_recordings(conn: sqlite3.Connection, versions: Iterable[str | None]) -> dict[str, str]:
    """Return, for versions of transcripts that are not of their session's first recording, that recording's key."""
    rows = conn.execute(
        "SELECT version, substr(sha256, 1, 12) AS key FROM transcript JOIN recording ON recording.id = recording_id"
        " WHERE version IN (SELECT value FROM json_each(?)) AND recording.id <> (SELECT id FROM recording AS first"
        " WHERE first.session_id = recording.session_id ORDER BY role = 'floor' DESC, role, id LIMIT 1)",
        (json.dumps(list(versions)),),
    )
    return {row["version"]: row["key"] for row in rows}


def media_type(conn: sqlite3.Connection, sha256: str, suffix: str) -> str | None:
    """Return the MIME type of a published rendition, or None if there is none of this name."""
    row = conn.execute(
        "SELECT media_type FROM rendition WHERE sha256 = ? AND suffix = ?",
        (sha256, suffix),
    ).fetchone()
    return None if row is None else str(row["media_type"])


def _named(row: sqlite3.Row) -> dict[str, Any]:
    return dict(zip(row.keys(), row, strict=True))


def _cards(conn: sqlite3.Connection, rest: str, values: Sequence[object]) -> tuple[Card, ...]:
    rows = [_named(row) for row in conn.execute(_CARDS + rest, values)]
    people: dict[int, list[Credit]] = defaultdict(list)
    for credit in conn.execute(_CREDITS, (json.dumps([row["id"] for row in rows]),)):
        named = _named(credit)
        people[named.pop("session_id")].append(Credit(**named))
    return tuple(_card(row, tuple(people[row["id"]])) for row in rows)


def _card(row: dict[str, Any], people: tuple[Credit, ...]) -> Card:
    start = local_time(row.pop("start_at"), row.pop("time_zone"))
    said = row.pop("day")
    day = start.date() if start else date.fromisoformat(said) if said else None
    synthetic, transcribed = bool(row.pop("synthetic")), bool(row.pop("transcribed"))
    return Card(**row, synthetic=synthetic, transcribed=transcribed, start=start, day=day, people=people)


def _attendance(conn: sqlite3.Connection, owner: Owner, key: int) -> tuple[Attendance, ...]:
    """Return figures in order of time, those of no known day first."""
    return tuple(sorted(read_attendance(conn, owner, key), key=lambda each: each.observed_on or ""))


def _links(conn: sqlite3.Connection, owner: str, key: int) -> tuple[Reference, ...]:
    rows = conn.execute(
        f"SELECT rel, url, title FROM link WHERE {owner} = ? ORDER BY position, id",  # a name of ours
        (key,),
    )
    return tuple(Reference(**_named(row)) for row in rows)


def _unique(credits_: Iterable[Credit]) -> tuple[Credit, ...]:
    """Return one credit a person, by name."""
    return tuple(sorted({credit.slug: credit for credit in credits_}.values(), key=lambda credit: credit.name))


def _segment(row: dict[str, Any], words: dict[int, list[Word]]) -> Segment:
    key = row.pop("id")
    flags = tuple(Flag(flag) for flag in json.loads(row.pop("flags")))
    return Segment(**row, flags=flags, words=tuple(words[key]))
