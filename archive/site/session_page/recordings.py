"""What a session's page reads of its recordings: what plays, what was said, and what stands around it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from msgspec import UNSET

from archive.site.queries import Card, Reference, as_dict, attendance_of, links_of, session_cards
from archive.site.session_page.transcript import Line
from archive.sqlite import sqlite3
from metadata.model import DOUBTFUL_WORD, Attendance, Flag, Segment, Transcript, Word


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackTranscript:
    """A current transcript of a recording: what was said, or a translation of it, and whether it says who speaks."""

    id: int
    version: str
    kind: str
    language: str
    generator: str
    speakers: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A recording of a session, with its transcripts, what was said before translations.

    ``elsewhere`` is the address that plays it where no file of it is here ("" where nobody said), and None for others.
    """

    id: int
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
    web: str | None
    web_type: str | None
    web_bytes: int | None
    poster: str | None
    peaks: str | None
    previews: str | None
    elsewhere: str | None
    transcripts: tuple[TrackTranscript, ...]

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

    @property
    def spoken(self) -> str | None:
        """The language that is heard in it, as far as anybody knows."""
        heard = next((each.language for each in self.transcripts if each.kind != "translation"), None)
        return self.language or heard


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What stands around a session: those before and after it, and others that somebody may want next."""

    before: Card | None
    after: Card | None
    track: tuple[Card, ...]
    people: tuple[Card, ...]
    editions: tuple[tuple[str, str, str | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPage:
    """Everything that a session's page shows, but for the transcript."""

    card: Card
    abstract: str | None
    time_zone: str
    attendance: tuple[Attendance, ...]
    links: tuple[Reference, ...]
    tracks: tuple[Track, ...]


RELATED_SHOWN = 4
"""Sessions of the same track or speaker that are named."""

_TRACKS = """
SELECT recording.id, recording.sha256, recording.suffix, recording.media_type, recording.kind, recording.role,
       recording.language, recording.duration_ms, credit, licence, synthetic_voice AS synthetic,
       recording.elsewhere, web.sha256 || web.suffix AS web, web.media_type AS web_type, web.bytes AS web_bytes,
       poster.sha256 || poster.suffix AS poster,
       peaks.sha256 || peaks.suffix AS peaks, previews.sha256 || previews.suffix AS previews
FROM recording LEFT JOIN rendition AS web ON web.recording_id = recording.id AND web.kind = 'web'
     LEFT JOIN rendition AS poster ON poster.recording_id = recording.id AND poster.kind = 'poster'
     LEFT JOIN rendition AS peaks ON peaks.recording_id = recording.id AND peaks.kind = 'peaks'
     LEFT JOIN rendition AS previews ON previews.recording_id = recording.id AND previews.kind = 'previews'
WHERE session_id = ? ORDER BY recording.role = 'floor' DESC, recording.role, recording.id
"""
_VERSIONS = """
SELECT transcript.id, version, transcript.kind, transcript.language, generator, recording_id,
  EXISTS (SELECT 1 FROM segment WHERE transcript_id = transcript.id AND speaker_tag_id IS NOT NULL) AS speakers
FROM transcript JOIN recording ON recording.id = recording_id WHERE session_id = ? AND is_current
ORDER BY transcript.kind = 'translation', transcript.language, transcript.id DESC
"""


def session(conn: sqlite3.Connection, event_slug: str, slug: str) -> SessionPage | None:
    """Return a session and its recordings, the floor's first."""
    cards = session_cards(conn, "WHERE event.slug = ? AND session.slug = ?", (event_slug, slug))
    if not cards:
        return None
    card = cards[0]
    row = conn.execute(
        "SELECT abstract, time_zone FROM session JOIN event ON event.id = event_id WHERE session.id = ?", (card.id,)
    ).fetchone()
    return SessionPage(
        card=card,
        abstract=row["abstract"],
        time_zone=row["time_zone"],
        attendance=attendance_of(conn, "session_id", card.id),
        links=links_of(conn, "session_id", card.id),
        tracks=_tracks(conn, card.id),
    )


def _tracks(conn: sqlite3.Connection, session_id: int) -> tuple[Track, ...]:
    versions: defaultdict[int, dict[tuple[bool, str], TrackTranscript]] = defaultdict(dict)
    for row in conn.execute(_VERSIONS, (session_id,)):
        values = as_dict(row)
        version = versions[values.pop("recording_id")]
        # The newest of each language: of translations there may be several.
        version.setdefault(
            (row["kind"] == "translation", row["language"]),
            TrackTranscript(**{**values, "speakers": bool(row["speakers"])}),
        )
    rows = [as_dict(row) for row in conn.execute(_TRACKS, (session_id,))]
    return tuple(
        Track(**{**row, "synthetic": bool(row["synthetic"])}, transcripts=tuple(versions[row["id"]].values()))
        for row in rows
    )


def around(conn: sqlite3.Connection, card: Card) -> Around:
    """Return what stands around a session."""
    order = [
        row["id"]
        for row in conn.execute(
            "SELECT id FROM session WHERE event_id = (SELECT event_id FROM session WHERE id = ?)"
            " ORDER BY start_utc IS NULL, start_utc, position, id",
            (card.id,),
        )
    ]
    place = order.index(card.id)
    near = {
        "before": order[place - 1] if place else None,
        "after": order[place + 1] if place + 1 < len(order) else None,
    }
    track = conn.execute(
        "SELECT id FROM session WHERE event_id = (SELECT event_id FROM session WHERE id = ?1) AND track = ?2"
        " AND id <> ?1 ORDER BY start_utc IS NULL, start_utc, position LIMIT ?3",
        (card.id, card.track, RELATED_SHOWN),
    )
    in_track = [row["id"] for row in track]
    people = conn.execute(
        "SELECT DISTINCT other.session_id AS id FROM session_person AS own"
        " JOIN session_person AS other ON other.person_id = own.person_id AND other.role = 'speaker'"
        " JOIN session ON session.id = other.session_id"
        " WHERE own.session_id = ?1 AND own.role = 'speaker' AND other.session_id <> ?1"
        " ORDER BY start_utc DESC, other.session_id LIMIT ?2",
        (card.id, RELATED_SHOWN),
    )
    of_people = [row["id"] for row in people]
    editions = conn.execute(
        "SELECT slug, title, start_date FROM event WHERE series_id ="
        " (SELECT series_id FROM event JOIN session ON session.event_id = event.id WHERE session.id = ?)"
        " AND slug <> ? ORDER BY start_date DESC LIMIT ?",
        (card.id, card.event, 2 * RELATED_SHOWN),
    )
    wanted = [key for key in (*near.values(), *in_track, *of_people) if key is not None]
    cards = {
        each.id: each
        for each in session_cards(conn, "WHERE session.id IN (SELECT value FROM json_each(?))", (json.dumps(wanted),))
    }
    return Around(
        before=cards.get(near["before"] or 0),
        after=cards.get(near["after"] or 0),
        track=tuple(cards[key] for key in in_track),
        people=tuple(cards[key] for key in of_people),
        editions=tuple((row["slug"], row["title"], row["start_date"]) for row in editions),
    )


def lines(conn: sqlite3.Connection, transcript_id: int) -> tuple[Line, ...]:
    """Return a transcript's segments for reading."""
    rows = conn.execute(
        "SELECT position, start_ms, end_ms, text, segment.language, flags, overlapped,"
        " coalesce(name, label) AS speaker, slug AS person FROM segment"
        " LEFT JOIN speaker_tag ON speaker_tag.id = speaker_tag_id"
        " LEFT JOIN person ON person.id = speaker_tag.person_id WHERE transcript_id = ? ORDER BY position",
        (transcript_id,),
    )
    said = [
        Line(**{**as_dict(row), "flags": _flags(row["flags"]), "overlapped": bool(row["overlapped"])}) for row in rows
    ]
    marks = [
        Line(position=-row["id"], start_ms=row["start_ms"], end_ms=row["end_ms"], text=row["reason"] or "",
             language=None, flags=(), speaker=None, person=None, redacted=True)
        for row in _redactions(conn, transcript_id)
    ]  # fmt: skip
    return tuple(sorted([*said, *marks], key=lambda line: line.start_ms)) if marks else tuple(said)


@lru_cache(maxsize=256)
def _flags(array: str) -> tuple[str, ...]:
    """Return the flags of a segment; thousands of segments have the same few, most of them none."""
    return tuple(json.loads(array))


def _redactions(conn: sqlite3.Connection, transcript_id: int) -> list[sqlite3.Row]:
    """Return what was taken out of a transcript's recording, in order."""
    if not conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'redaction'").fetchone():
        return []  # an older Rostra published it
    return conn.execute(
        "SELECT redaction.id, start_ms, end_ms, reason FROM redaction JOIN transcript USING (recording_id)"
        " WHERE transcript.id = ? ORDER BY start_ms",
        (transcript_id,),
    ).fetchall()


def words(
    conn: sqlite3.Connection, transcript_id: int, start_ms: int = 0, end_ms: int = 2**62
) -> list[tuple[int, int, int, str]]:
    """Return the words of segments that last into a time: position of the segment, start, end, text."""
    rows = conn.execute(
        "SELECT segment.position, word.start_ms, word.end_ms, word.text"
        " FROM segment JOIN word ON segment_id = segment.id"
        " WHERE transcript_id = ? AND segment.start_ms < ? AND segment.end_ms > ?"
        " ORDER BY segment.position, word.position",
        (transcript_id, end_ms, start_ms),
    )
    return [tuple(row) for row in rows]


def words_beside_doubt(
    conn: sqlite3.Connection, transcript_id: int
) -> tuple[list[tuple[int, int, int, str]], set[tuple[int, int]]]:
    """Return the words of segments that have doubtful ones, as `words` does, and position and start of these."""
    rows = conn.execute(
        "SELECT segment.position, word.start_ms, word.end_ms, word.text, word.confidence < :least"
        " FROM segment JOIN word ON segment_id = segment.id WHERE transcript_id = :transcript AND flags = '[]'"
        " AND EXISTS (SELECT 1 FROM word AS doubted WHERE doubted.segment_id = segment.id AND confidence < :least)"
        " ORDER BY segment.position, word.position",
        {"transcript": transcript_id, "least": DOUBTFUL_WORD},
    ).fetchall()
    return [tuple(row)[:4] for row in rows], {(row[0], row[1]) for row in rows if row[4]}


def made_chapters(conn: sqlite3.Connection, recording_id: int) -> tuple[tuple[int, str], ...]:
    """Return the chapters that came with a recording: when each begins, and its title; of the newest file."""
    rows = conn.execute(
        "SELECT start_ms, text FROM segment WHERE transcript_id = (SELECT max(id) FROM transcript"
        " WHERE recording_id = ? AND parameters ->> 'track' = 'chapters') ORDER BY position",
        (recording_id,),
    )
    return tuple((start_ms, title) for start_ms, title in rows)


def current_transcript(conn: sqlite3.Connection, sha256: str) -> tuple[int, int, str]:
    """Return the ids of a recording and of the transcript of what is said in it, and its version; 0 and "" for none."""
    row = conn.execute(
        "SELECT recording.id, coalesce(transcript.id, 0), coalesce(version, '') FROM recording"
        " LEFT JOIN transcript ON recording_id = recording.id AND is_current AND transcript.kind <> 'translation'"
        " WHERE sha256 = ?",
        (sha256,),
    ).fetchone()
    return (0, 0, "") if row is None else (row[0], row[1], row[2])


def transcript(conn: sqlite3.Connection, transcript_id: int) -> Transcript | None:
    """Return a transcript with its words, for writing it in a format."""
    row = conn.execute(
        "SELECT language, duration_ms, kind, generator, generator_version, parameters FROM transcript WHERE id = ?",
        (transcript_id,),
    ).fetchone()
    if row is None:
        return None
    said: dict[int, list[Word]] = defaultdict(list)
    for word in conn.execute(
        "SELECT segment_id, word.start_ms, word.end_ms, word.text, word.confidence"
        " FROM word JOIN segment ON segment.id = segment_id WHERE transcript_id = ? ORDER BY segment_id, word.position",
        (transcript_id,),
    ):
        values = as_dict(word)
        said[values.pop("segment_id")].append(Word(**values))
    segments = conn.execute(
        "SELECT segment.id, start_ms, end_ms, text, confidence, flags, overlapped, language, label AS speaker"
        " FROM segment LEFT JOIN speaker_tag ON speaker_tag.id = speaker_tag_id"
        " WHERE transcript_id = ? ORDER BY position",
        (transcript_id,),
    )
    spoken = [_segment(as_dict(each), said) for each in segments]
    marks = [
        Segment(start_ms=each["start_ms"], end_ms=each["end_ms"], text=TAKEN_OUT)
        for each in _redactions(conn, transcript_id)
    ]
    return Transcript(
        **{**as_dict(row), "parameters": json.loads(row["parameters"])},
        segments=tuple(sorted([*spoken, *marks], key=lambda segment: segment.start_ms) if marks else spoken),
    )


TAKEN_OUT = "[taken out]"
"""What stands in captions where words were taken out."""


def _segment(row: dict[str, Any], said: dict[int, list[Word]]) -> Segment:
    key = row.pop("id")
    flags = tuple(Flag(flag) for flag in json.loads(row.pop("flags")))
    overlapped = bool(row.pop("overlapped")) or UNSET
    return Segment(**row, flags=flags, overlapped=overlapped, words=tuple(said[key]))


def other_recordings(conn: sqlite3.Connection, versions: Iterable[str | None]) -> dict[str, str]:
    """Return, for versions of transcripts that are not of their session's first recording, that recording's key."""
    rows = conn.execute(
        "SELECT version, substr(sha256, 1, 12) AS key FROM transcript JOIN recording ON recording.id = recording_id"
        " WHERE version IN (SELECT value FROM json_each(?)) AND recording.id <> (SELECT id FROM recording AS first"
        " WHERE first.session_id = recording.session_id ORDER BY role = 'floor' DESC, role, id LIMIT 1)",
        (json.dumps(list(versions)),),
    )
    return {row["version"]: row["key"] for row in rows}


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A rendition: its MIME type, and whose recording it is of, as far as that has a session."""

    media_type: str
    event: str | None
    day: str | None
    title: str | None
    role: str | None
    language: str | None


def media_file(conn: sqlite3.Connection, sha256: str, suffix: str) -> MediaFile | None:
    """Return what is known of a published rendition, or None if there is none of this name."""
    row = conn.execute(
        "SELECT rendition.media_type, event.title AS event,"
        " coalesce(substr(session.start_at, 1, 10), session.day, event.start_date) AS day, session.title,"
        " nullif(role, 'floor') AS role, recording.language FROM rendition"
        " JOIN recording ON recording.id = recording_id LEFT JOIN session ON session.id = session_id"
        " LEFT JOIN event ON event.id = event_id WHERE rendition.sha256 = ? AND rendition.suffix = ? LIMIT 1",
        (sha256, suffix),
    ).fetchone()
    return None if row is None else MediaFile(*row)


def chosen_track(tracks: Sequence[Track], wanted: str) -> Track | None:
    """Return the recording that a link names, else the first; None where it names one that is not there."""
    if not wanted:
        return tracks[0] if tracks else None
    return next((track for track in tracks if track.key == wanted), None)


def chosen_version(track: Track, language: str) -> TrackTranscript | None:
    """Return a recording's transcript in a language, else what was said in it, else whatever there is."""
    named = (each for each in track.transcripts if each.language == language)
    return next(named, track.transcripts[0] if track.transcripts else None)
