"""Recordings and their transcripts in the catalogue."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import msgspec

from archive.catalogue.importing import touch
from archive.errors import UnknownSubjectError
from archive.sqlite import Database
from metadata.model import Flag, MediaKind, RecordingRole, Segment, Transcript, Word

_RANKS = {"imported": 0, "asr": 1, "human": 2}
"""Which kind of transcript stands when there are several: a higher one, or a later one of the same kind."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRendition:
    """A file that was made of a recording for the site, as it stands in the store.

    Attributes:
        kind: ``web``, a form that browsers play; ``poster``, a still picture; ``peaks``, the shape of its sound;
            ``sprite``, a sheet of small pictures, and ``previews``, which says what moment each is of.
    """

    kind: Literal["web", "poster", "peaks", "sprite", "previews"]
    sha256: str
    suffix: str
    media_type: str
    bytes: int


def recording_id(db: Database, sha256: str) -> int | None:
    """Return the id of the recording with these bytes, or None."""
    found = db.execute("SELECT id FROM recording WHERE sha256 = ?", [sha256]).fetchone()
    return int(found[0]) if found else None


def recording_of(db: Database, sha256: str) -> int:
    """Return the id of the recording with these bytes.

    Raises:
        UnknownSubjectError: there is none.
    """
    found = recording_id(db, sha256)
    if found is None:
        raise UnknownSubjectError("recording", sha256)
    return found


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


def set_renditions(db: Database, recording: int, renditions: tuple[NewRendition, ...]) -> None:
    """Note what was made of a recording, in place of what was made before. The caller owns the transaction."""
    db.execute("DELETE FROM rendition WHERE recording_id = ?", [recording])
    for each in renditions:
        db.execute(
            "INSERT INTO rendition(recording_id, kind, sha256, suffix, media_type, bytes) VALUES (?, ?, ?, ?, ?, ?)",
            [recording, each.kind, each.sha256, each.suffix, each.media_type, each.bytes],
        )
    touch(db)


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
    machine's, nor a machine's, which knows how sure it is, by captions of unknown origin. One in which nothing
    can be searched ranks below all others, whoever made it. What describes pictures or names chapters
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
        "SELECT EXISTS (SELECT 1 FROM segment WHERE transcript_id = transcript.id AND flags = '[]'), kind"
        " FROM transcript WHERE recording_id = ? AND is_current AND kind <> 'translation'",
        [recording],
    ).fetchone()
    says = any(not segment.flags for segment in transcript.segments)
    return row is None or (says, _RANKS[transcript.kind]) >= (bool(row[0]), _RANKS[row[1]])


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

    The caller owns the transaction, and tells people what was found.

    Returns:
        The names of those that were found now, by label.
    """
    found = list(
        db.query(
            "SELECT speaker_tag.id, label, person.id AS person, name FROM speaker_tag"
            " JOIN recording ON recording.id = recording_id"
            " JOIN session_person ON session_person.session_id = recording.session_id"
            " JOIN person ON person.id = session_person.person_id AND name = label COLLATE NOCASE"
            " WHERE recording.id = ? AND speaker_tag.person_id IS NULL GROUP BY speaker_tag.id"
            " HAVING count(DISTINCT person.id) = 1 ORDER BY label",
            [recording],
        )
    )
    for row in found:
        db.execute("UPDATE speaker_tag SET person_id = ? WHERE id = ?", [row["person"], row["id"]])
    if found:
        touch(db)
    return {row["label"]: row["name"] for row in found}


def _insert_segments(db: Database, transcript_id: int, segments: tuple[Segment, ...], tags: dict[str, int]) -> None:
    first = int(db.execute("SELECT coalesce(max(id), 0) + 1 FROM segment").fetchone()[0])
    db.conn.executemany(
        "INSERT INTO segment(id, transcript_id, position, start_ms, end_ms, text, speaker_tag_id, language,"
        " confidence, flags) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
