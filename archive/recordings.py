"""Recordings and their transcripts in the catalogue."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import msgspec

from archive.db import Database
from archive.errors import UnknownSubjectError
from archive.events import touch
from metadata.model import Flag, MediaKind, RecordingRole, Segment, Transcript, Word


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecording:
    """A media file as it stands in the store.

    Attributes:
        sha256: of its bytes, in hexadecimal: its name in the store, with ``suffix``.
        bytes: its size.
        streams: what the container holds, as JSON.
        original_name: what the file was called where it came from.
    """

    sha256: str
    kind: MediaKind
    duration_ms: int | None
    bytes: int
    media_type: str
    suffix: str
    streams: str
    original_name: str
    role: RecordingRole = "floor"
    language: str | None = None
    credit: str | None = None
    licence: str | None = None
    synthetic_voice: bool = False


def recording_id(db: Database, sha256: str) -> int | None:
    """Return the id of the recording with these bytes, or None."""
    found = db.execute("SELECT id FROM recording WHERE sha256 = ?", [sha256]).fetchone()
    return int(found[0]) if found else None


def add_recording(db: Database, recording: NewRecording, session_id: int | None, *, pulled_at: str) -> int:
    """Add a recording; the same bytes are one recording, however often and under whatever name they come.

    The caller owns the transaction.

    Returns:
        The recording's id.
    """
    known = recording_id(db, recording.sha256)
    if known is not None:
        return known
    row = {
        **msgspec.to_builtins(recording),
        "synthetic_voice": int(recording.synthetic_voice),
        "session_id": session_id,
        "pulled_at": pulled_at,
    }
    columns, marks = ", ".join(row), ", ".join("?" * len(row))
    cursor = db.execute(f"INSERT INTO recording({columns}) VALUES ({marks})", list(row.values()))
    touch(db)
    return int(cursor.lastrowid or 0)


def transcript_version(sha256: str, transcript: Transcript) -> str:
    """Return the name under which a transcript is cited: the same words for the same recording, the same name."""
    digest = hashlib.sha256(sha256.encode() + b"\0" + msgspec.json.encode(transcript, order="sorted"))
    return digest.hexdigest()[:16]


def parameters_hash(transcript: Transcript) -> str:
    """Return a short digest of what made a transcript: generator, version and parameters."""
    made_by = (transcript.generator, transcript.generator_version, transcript.parameters)
    return hashlib.sha256(msgspec.json.encode(made_by, order="sorted")).hexdigest()[:16]


def add_transcript(db: Database, recording: int, transcript: Transcript, *, created_at: str) -> int:
    """Add a version of a recording's transcript and make it the current one; earlier versions stay.

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
    if transcript.kind == "translation":
        db.execute(
            "UPDATE transcript SET is_current = 0 WHERE recording_id = ? AND kind = 'translation' AND language = ?",
            [recording, transcript.language],
        )
    else:
        db.execute("UPDATE transcript SET is_current = 0 WHERE recording_id = ? AND kind <> 'translation'", [recording])
    touch(db)
    known = db.execute("SELECT id FROM transcript WHERE version = ?", [version]).fetchone()
    if known:
        db.execute("UPDATE transcript SET is_current = 1 WHERE id = ?", [known[0]])
        return int(known[0])
    cursor = db.execute(
        "INSERT INTO transcript(recording_id, version, language, kind, generator, generator_version, parameters,"
        " parameters_hash, duration_ms, is_current, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)",
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
            created_at,
        ],
    )
    transcript_id = int(cursor.lastrowid or 0)
    _insert_segments(db, transcript_id, transcript.segments)
    return transcript_id


def _insert_segments(db: Database, transcript_id: int, segments: tuple[Segment, ...]) -> None:
    first = int(db.execute("SELECT coalesce(max(id), 0) + 1 FROM segment").fetchone()[0])
    db.conn.executemany(
        "INSERT INTO segment(id, transcript_id, position, start_ms, end_ms, text, language, confidence, flags)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                first + position,
                transcript_id,
                position,
                segment.start_ms,
                segment.end_ms,
                segment.text,
                segment.language,
                segment.confidence,
                msgspec.json.encode(segment.flags).decode(),
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
        )
        for segment in db.query("SELECT * FROM segment WHERE transcript_id = ? ORDER BY position", [transcript_id])
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
