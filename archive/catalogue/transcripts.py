"""Transcripts in the catalogue: versions of what is said in a recording, and the voices in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

import msgspec
from msgspec import UNSET

from archive.catalogue.current import CURRENT, KEPT
from archive.catalogue.recordings import FILE, WITH_SESSION, RecordingFile
from archive.catalogue.rows import touch
from archive.errors import UnknownSubjectError
from archive.sqlite import Database, sqlite3
from metadata.model import Flag, Segment, Transcript, Word
from metadata.names import name_key

REVISES = "revises"
"""The parameter that names the version which people corrected; such a transcript stands as people's work does."""
LABELS = "speakers"
"""The parameter of a transcript that names the version which voices were added to."""
_RANKS = {"imported": 0, "asr": 1, "human": 2}
"""Which kind of transcript stands when there are several: a higher one, or a later one of the same kind."""


class SessionTranscript(NamedTuple):
    """The current transcript of one of a session's recordings."""

    id: int
    recording: int
    sha256: str


class ForeignTranscript(NamedTuple):
    """A current transcript that may be translated, and its recording's file."""

    id: int
    version: str
    language: str
    duration_ms: int
    file: RecordingFile


class Speech(NamedTuple):
    """From when to when somebody speaks, segment by segment, in a transcript of this length; in milliseconds."""

    spans: tuple[tuple[int, int], ...]
    duration_ms: int


def transcript_version(sha256: str, transcript: Transcript) -> str:
    """Return the name under which a transcript is cited: the same words for the same recording, the same name."""
    digest = hashlib.sha256(sha256.encode() + b"\0" + msgspec.json.encode(transcript, order="sorted"))
    return digest.hexdigest()[:16]


def parameters_hash(transcript: Transcript) -> str:
    """Return a short digest of what made a transcript: generator, version and parameters."""
    made_by = (transcript.generator, transcript.generator_version, transcript.parameters)
    return hashlib.sha256(msgspec.json.encode(made_by, order="sorted")).hexdigest()[:16]


def add_transcript(db: Database, recording: int, transcript: Transcript, *, created_at: str) -> int:
    """Add a version of a recording's transcript; earlier versions stay, and the same version again is no other.

    It becomes the current one unless the one that is ranks higher: people's work is not replaced by a
    machine's, nor a machine's, which knows how sure it is, by captions of unknown origin. One in which
    nothing can be searched ranks below all others, whoever made it. What describes pictures or names chapters
    (``parameters["track"]``) is never current, as nobody says it.

    The caller owns the transaction.

    Raises:
        UnknownSubjectError: there is no such recording.

    Returns:
        The transcript's id.
    """
    found = db.execute("SELECT sha256 FROM recording WHERE id = ?", [recording]).fetchone()
    if found is None:
        raise UnknownSubjectError("recording", str(recording))
    version = transcript_version(found[0], transcript)
    current = _becomes_current(db, recording, transcript)
    known = db.execute("SELECT id, is_current FROM transcript WHERE version = ?", [version]).fetchone()
    if known and known[1] >= current:
        return int(known[0])
    touch(db)
    if current and transcript.kind != "translation":
        db.execute("UPDATE transcript SET is_current = 0 WHERE recording_id = ? AND kind <> 'translation'", [recording])
    if known:
        db.execute("UPDATE transcript SET is_current = 1 WHERE id = ?", [known[0]])
        return int(known[0])
    cursor = db.execute(
        "INSERT INTO transcript(recording_id, version, language, kind, generator, generator_version, parameters,"
        " parameters_hash, duration_ms, is_current, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            recording,
            version,
            transcript.language,
            transcript.kind,
            transcript.generator,
            transcript.generator_version,
            msgspec.json.encode(transcript.parameters, order="sorted").decode(),
            parameters_hash(transcript),
            transcript.duration_ms,
            int(current),
            created_at,
        ],
    )
    transcript_id = int(cursor.lastrowid or 0)
    tags = _speaker_tags(db, recording, transcript)
    _insert_segments(db, transcript_id, transcript.segments, tags)
    return transcript_id


def keep_part(db: Database, recording: int, fingerprint: str, number: int, heard: str) -> None:
    """Keep what was heard in a part of a recording until all parts are there. The caller owns the transaction.

    Args:
        db: the catalogue.
        recording: its id.
        fingerprint: of what they are made with, the same for all parts.
        number: the part's, from 0.
        heard: what is to be kept, as JSON.
    """
    db.execute(
        "INSERT OR REPLACE INTO heard_part(recording_id, fingerprint, number, heard) VALUES (?, ?, ?, ?)",
        [recording, fingerprint, number, heard],
    )


def take_parts(db: Database, recording: int, fingerprint: str, count: int) -> list[str] | None:
    """Return what was heard in all parts of a recording, in order, and keep it no longer; None if some are missing.

    The caller owns the transaction.
    """
    rows = db.execute(
        "SELECT heard FROM heard_part WHERE recording_id = ? AND fingerprint = ? ORDER BY number",
        [recording, fingerprint],
    ).fetchall()
    if len(rows) < count:
        return None
    db.execute("DELETE FROM heard_part WHERE recording_id = ? AND fingerprint = ?", [recording, fingerprint])
    return [row[0] for row in rows]


def _becomes_current(db: Database, recording: int, transcript: Transcript) -> bool:
    if "track" in transcript.parameters:
        return False
    if transcript.kind == "translation":
        return True
    row = db.execute(
        "SELECT EXISTS (SELECT 1 FROM segment WHERE transcript_id = transcript.id AND flags = '[]'), kind,"
        " parameters ->> ? FROM transcript WHERE recording_id = ? AND is_current AND kind <> 'translation'",
        [f"$.{REVISES}", recording],
    ).fetchone()
    says = any(not segment.flags for segment in transcript.segments)
    rank = _rank(transcript.kind, transcript.parameters.get(REVISES))
    return row is None or (says, rank) >= (bool(row[0]), _rank(row[1], row[2]))


def _rank(kind: str, revises: object) -> int:
    return _RANKS["human" if revises else kind]


def count_captions(db: Database, recording: int) -> int:
    """Return how many captions that people made, or that came with a recording, are its current transcript."""
    row = db.execute(
        "SELECT count(*) FROM segment JOIN transcript ON transcript.id = transcript_id"
        " WHERE recording_id = ? AND is_current AND kind IN ('imported', 'human')",
        [recording],
    ).fetchone()
    return int(row[0])


def _speaker_tags(db: Database, recording: int, transcript: Transcript) -> dict[str, int]:
    """Return the recording's speaker tags by label, with those added that this transcript brings."""
    for segment in transcript.segments:
        if segment.speaker is not None:
            db.execute(
                "INSERT OR IGNORE INTO speaker_tag(recording_id, label) VALUES (?, ?)", [recording, segment.speaker]
            )
    rows = db.execute("SELECT label, id FROM speaker_tag WHERE recording_id = ?", [recording])
    return dict(rows.fetchall())


def name_speakers(db: Database, recording: int) -> dict[str, str]:
    """Make speaker tags the people whom the timetable has in the recording's session under just that name.

    What people decided of a voice stays. The caller owns the transaction, and tells people what was found.

    Returns:
        The names of those that were found now, by label.
    """
    people: dict[str, set[tuple[int, str]]] = {}
    for person, name in db.execute(
        "SELECT person.id, name FROM recording JOIN session_person USING (session_id)"
        " JOIN person ON person.id = person_id WHERE recording.id = ?",
        [recording],
    ).fetchall():
        people.setdefault(name_key(name), set()).add((person, name))
    tags = db.execute(
        "SELECT id, label FROM speaker_tag WHERE recording_id = ? AND person_id IS NULL AND NOT EXISTS"
        " (SELECT 1 FROM naming WHERE speaker_tag_id = speaker_tag.id AND what = 'named' AND undone_at IS NULL)"
        " ORDER BY label",
        [recording],
    ).fetchall()
    found = {}
    for tag, label in tags:
        if len(its := people.get(name_key(label), set())) == 1:
            [(person, found[label])] = its
            db.execute("UPDATE speaker_tag SET person_id = ? WHERE id = ?", [person, tag])
    if found:
        touch(db)
    return found


def _insert_segments(db: Database, transcript_id: int, segments: tuple[Segment, ...], tags: dict[str, int]) -> None:
    first = int(db.execute("SELECT coalesce(max(id), 0) + 1 FROM segment").fetchone()[0])
    db.conn.executemany(
        "INSERT INTO segment(id, transcript_id, position, start_ms, end_ms, text, speaker_tag_id, language,"
        " confidence, flags, overlapped) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                first + position,
                transcript_id,
                position,
                segment.start_ms,
                segment.end_ms,
                segment.text,
                None if segment.speaker is None else tags[segment.speaker],
                segment.language,
                segment.confidence,
                msgspec.json.encode(segment.flags).decode(),
                int(bool(segment.overlapped)),
            )
            for position, segment in enumerate(segments)
        ),
    )
    db.conn.executemany(
        "INSERT INTO word(segment_id, position, start_ms, end_ms, text, confidence) VALUES (?, ?, ?, ?, ?, ?)",
        (
            (first + position, index, word.start_ms, word.end_ms, word.text, word.confidence)
            for position, segment in enumerate(segments)
            for index, word in enumerate(segment.words)
        ),
    )


def read_transcript(db: Database, transcript_id: int) -> Transcript:
    """Return a transcript with its segments and words.

    Raises:
        UnknownSubjectError: there is none.
    """
    row = next(iter(db.query("SELECT * FROM transcript WHERE id = ?", [transcript_id])), None)
    if row is None:
        raise UnknownSubjectError("transcript", str(transcript_id))
    words: dict[int, list[Word]] = {}
    for word in db.query(
        "SELECT word.* FROM word JOIN segment ON segment.id = segment_id WHERE transcript_id = ?"
        " ORDER BY segment_id, word.position",
        [transcript_id],
    ):
        words.setdefault(word["segment_id"], []).append(
            Word(start_ms=word["start_ms"], end_ms=word["end_ms"], text=word["text"], confidence=word["confidence"])
        )
    segments = tuple(
        Segment(
            start_ms=segment["start_ms"],
            end_ms=segment["end_ms"],
            text=segment["text"],
            language=segment["language"],
            confidence=segment["confidence"],
            flags=msgspec.json.decode(segment["flags"], type=tuple[Flag, ...]),
            words=tuple(words.get(segment["id"], ())),
            speaker=segment["label"],
            overlapped=bool(segment["overlapped"]) or UNSET,
        )
        for segment in db.query(
            "SELECT segment.*, label FROM segment LEFT JOIN speaker_tag ON speaker_tag.id = speaker_tag_id"
            " WHERE transcript_id = ? ORDER BY position",
            [transcript_id],
        )
    )
    return Transcript(
        language=row["language"],
        duration_ms=row["duration_ms"],
        segments=segments,
        kind=row["kind"],
        generator=row["generator"],
        generator_version=row["generator_version"],
        parameters=msgspec.json.decode(row["parameters"]),
    )


def said_segments(conn: sqlite3.Connection, transcript: int, *, schema: str = "main") -> Iterator[tuple[int, Segment]]:
    """Yield the segments of a transcript with their ids and words, in order; without voices and flags.

    Args:
        conn: a catalogue or a publication.
        transcript: its id.
        schema: the name under which it is attached.
    """
    rows = conn.execute(
        "SELECT segment.id, segment.start_ms, segment.end_ms, segment.text, word.start_ms, word.end_ms, word.text"
        f" FROM {schema}.segment LEFT JOIN {schema}.word ON segment_id = segment.id WHERE transcript_id = ?"
        " ORDER BY segment.position, word.position",
        (transcript,),
    )
    for number, group in groupby(rows, key=lambda row: int(row[0])):
        one, *others = group
        words = (Word(start_ms=row[4], end_ms=row[5], text=row[6]) for row in (one, *others) if row[4] is not None)
        yield number, Segment(start_ms=one[1], end_ms=one[2], text=one[3], words=tuple(words))


def count_transcripts(db: Database) -> int:
    """Return how many versions of transcripts there are."""
    return int(db.execute("SELECT count(*) FROM transcript").fetchone()[0])


def is_current(db: Database, transcript: int) -> bool:
    """Return whether a transcript is its recording's current one."""
    return bool(db.execute("SELECT is_current FROM transcript WHERE id = ?", [transcript]).fetchone()[0])


def heard_transcript(db: Database, recording: int) -> Transcript | None:
    """Return what a machine heard in a recording, the current version first, or None where it was not heard."""
    row = db.execute(
        "SELECT id FROM transcript WHERE recording_id = ? AND kind = 'asr' ORDER BY is_current DESC, id DESC",
        [recording],
    ).fetchone()
    return read_transcript(db, row[0]) if row else None


def speech(db: Database, recording: int) -> Speech | None:
    """Return where somebody speaks, by a recording's current transcript without doubtful segments.

    None stands for a recording without a transcript.
    """
    rows = db.execute(
        "SELECT start_ms, end_ms, duration_ms FROM segment JOIN transcript ON transcript.id = transcript_id"
        " WHERE recording_id = ? AND is_current AND transcript.kind <> 'translation' AND flags = '[]'"
        " ORDER BY start_ms",
        [recording],
    ).fetchall()
    return Speech(tuple((start, end) for start, end, _ in rows), rows[-1][2]) if rows else None


def transcripts_of(db: Database, session: int) -> list[SessionTranscript]:
    """Return the current transcripts of a session's recordings, the floor's first, without translations."""
    rows = db.execute(
        "SELECT transcript.id, recording_id, sha256 FROM transcript JOIN recording ON recording.id = recording_id"
        " WHERE session_id = ? AND is_current AND transcript.kind <> 'translation'"
        " ORDER BY role <> 'floor', recording.id",
        [session],
    )
    return [SessionTranscript(*row) for row in rows.fetchall()]


def transcripts_to_translate(db: Database) -> list[ForeignTranscript]:
    """Return the current transcripts, whatever their language, in the order of recordings."""
    rows = db.execute(
        f"SELECT transcript.id, version, transcript.language, transcript.duration_ms, {FILE}"
        f" FROM {WITH_SESSION} JOIN transcript ON transcript.recording_id = recording.id"
        f" WHERE {CURRENT} AND {KEPT} AND transcript.kind <> 'translation' ORDER BY recording.id"
    )
    return [
        ForeignTranscript(id_, version, language, duration_ms, RecordingFile(*file))
        for id_, version, language, duration_ms, *file in rows.fetchall()
    ]
