"""Recordings in the catalogue: their files, the sessions that they are of, and what was made or cut from them.

A recording may be *elsewhere*: another site plays it, and no file of it is here. It has captions as others have, and
stands in the place of its file until that comes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import msgspec

from archive.catalogue.current import KEPT, NOT_SUPERSEDED
from archive.catalogue.provenance import copy_redactions
from archive.catalogue.rows import touch
from archive.catalogue.sessions import DESCRIPTION, SessionDescription
from archive.errors import UnknownSubjectError
from archive.sqlite import Database
from metadata.model import MediaKind, RecordingRole


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recording, and what its file says of itself.

    Attributes:
        folder: the name of the folder that it lay in, or nothing.
        started_at: when its container says that it began, ISO 8601.
        tags: what its container says in words.
    """

    id: int
    sha256: str
    suffix: str
    duration_ms: int | None
    original_name: str
    role: RecordingRole
    language: str | None
    credit: str | None
    licence: str | None
    synthetic_voice: bool
    folder: str
    started_at: str | None
    tags: tuple[str, ...]


class RecordingFile(NamedTuple):
    """A recording's file in the store, and what people call it: ``EVENT/SESSION``, or the file's first name."""

    sha256: str
    suffix: str
    duration_ms: int | None
    label: str


class UnheardRecording(NamedTuple):
    """A recording to transcribe, the language that it is declared to be in, and what is known of its session."""

    file: RecordingFile
    language: str | None
    session: SessionDescription


class SessionRecording(NamedTuple):
    """One of a session's recordings."""

    id: int
    sha256: str
    role: RecordingRole


class NamedRecording(NamedTuple):
    """A recording, what its file was called, and the session that it is of."""

    id: int
    name: str
    session: int | None


class StoredFile(NamedTuple):
    """A file as the store keeps it: what names it there, and its size in bytes, None where nobody noted it."""

    sha256: str
    suffix: str
    bytes: int | None


class NamedFile(NamedTuple):
    """A file that the store must hold, for people.

    Attributes:
        file: what names it in the store.
        name: the recording's first name, or the file's own.
        what: ``recording``, ``companion`` (it came with a recording), or the kind of a rendition.
        recording: the SHA-256 of the recording that it is, came with or was made of.
    """

    file: StoredFile
    name: str
    what: str
    recording: str

    @property
    def is_derived(self) -> bool:
        """Whether it can be made again from the recording."""
        return self.what not in {"recording", "companion"}


WITH_SESSION = (
    "recording LEFT JOIN session ON session.id = recording.session_id LEFT JOIN event ON event.id = session.event_id"
)
"""Recordings, joined with their session and event where they have them."""
FILE = (
    "recording.sha256, recording.suffix, recording.duration_ms,"
    " coalesce(event.slug || '/' || session.slug, original_name) AS label"
)
"""Columns of `RecordingFile` in a query of `WITH_SESSION`."""
_SOURCED = (
    "SELECT recording.id, sha256, suffix, duration_ms, original_name, role, language, credit, licence,"
    " synthetic_voice, coalesce(folder, '') AS folder, started_at, coalesce(tags, '[]') AS tags"
    " FROM recording LEFT JOIN recording_source ON recording_source.recording_id = recording.id"
)
NOT_CUT = "recording.id NOT IN (SELECT cut_from FROM recording_source WHERE cut_from IS NOT NULL)"
"""The condition of recordings that are heard whole: others are heard in the parts that were cut from them."""


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


def add_elsewhere(
    db: Database, session_id: int, *, address: str, name: str, kind: MediaKind = "video", pulled_at: str
) -> int:
    """Add the recording of a session that is played elsewhere. The caller owns the transaction.

    Args:
        db: the catalogue.
        session_id: the session's id.
        address: of a page or a file that plays it; "" where nobody said.
        name: what people call it.
        kind: what it is.
        pulled_at: ISO 8601, UTC.

    Returns:
        The recording's id. It has no bytes; what stands for their SHA-256 is that of what it is.
    """
    key = hashlib.sha256(f"elsewhere\0{session_id}\0{address}".encode()).hexdigest()
    if (known := recording_id(db, key)) is not None:
        return known
    new = NewRecording(
        sha256=key, kind=kind, duration_ms=None, bytes=0, media_type="", suffix="", streams="[]", original_name=name
    )
    added = add_recording(db, new, session_id, pulled_at=pulled_at)
    db.execute("UPDATE recording SET elsewhere = ? WHERE id = ?", [address, added])
    return added


def elsewhere_of(db: Database, session: int) -> int | None:
    """Return the id of a session's recording that is played elsewhere, or None."""
    row = db.execute(
        f"SELECT id FROM recording WHERE session_id = ? AND NOT ({KEPT}) AND {NOT_SUPERSEDED} ORDER BY id", [session]
    ).fetchone()
    return None if row is None else int(row[0])


def move_elsewhere(db: Database, recording: int, address: str) -> None:
    """Say that a recording which is not here is played at another address. The caller owns the transaction."""
    db.execute("UPDATE recording SET elsewhere = ? WHERE id = ?", [address, recording])
    touch(db)


def last_said_ms(db: Database, recording: int) -> int:
    """Return where the last segment of a recording's transcripts begins, in milliseconds, or 0."""
    row = db.execute(
        "SELECT max(start_ms) FROM segment JOIN transcript ON transcript.id = transcript_id WHERE recording_id = ?",
        [recording],
    ).fetchone()
    return int(row[0] or 0)


def bring_here(db: Database, recording: int, file: NewRecording, *, pulled_at: str) -> None:
    """Give a recording that was elsewhere its file; it keeps its transcripts. The caller owns the transaction."""
    row = {**msgspec.to_builtins(file), "synthetic_voice": int(file.synthetic_voice), "pulled_at": pulled_at}
    columns = ", ".join(f"{name} = ?" for name in row)
    db.execute(f"UPDATE recording SET elsewhere = NULL, {columns} WHERE id = ?", [*row.values(), recording])
    touch(db)


def named_recordings(db: Database) -> list[NamedRecording]:
    """Return the recordings that no other has replaced, with the name that their file had."""
    rows = db.execute(f"SELECT id, original_name, session_id FROM recording WHERE {NOT_SUPERSEDED} ORDER BY id")
    return [NamedRecording(*row) for row in rows.fetchall()]


def set_renditions(db: Database, recording: int, renditions: tuple[NewRendition, ...]) -> None:
    """Note what was made of a recording, in place of what was made before. The caller owns the transaction."""
    db.execute("DELETE FROM rendition WHERE recording_id = ?", [recording])
    for each in renditions:
        db.execute(
            "INSERT INTO rendition(recording_id, kind, sha256, suffix, media_type, bytes) VALUES (?, ?, ?, ?, ?, ?)",
            [recording, each.kind, each.sha256, each.suffix, each.media_type, each.bytes],
        )
    touch(db)


def read_recording(db: Database, recording: int) -> Recording:
    """Return a recording.

    Raises:
        UnknownSubjectError: there is none.
    """
    row = next(iter(db.query(f"{_SOURCED} WHERE recording.id = ?", [recording])), None)
    if row is None:
        raise UnknownSubjectError("recording", str(recording))
    return _recording(row)


def recordings_without_session(db: Database, recording: int | None = None) -> list[Recording]:
    """Return the recordings that have no session and were not cut into any: all of them, or the one of this id."""
    rows = db.query(
        f"{_SOURCED} WHERE session_id IS NULL AND (recording.id = :one OR :one IS NULL) AND {NOT_CUT}"
        " ORDER BY started_at, recording.id",
        {"one": recording},
    )
    return [_recording(row) for row in rows]


def count_without_session(db: Database) -> int:
    """Return how many recordings have no session and were not cut into any."""
    return int(db.execute(f"SELECT count(*) FROM recording WHERE session_id IS NULL AND {NOT_CUT}").fetchone()[0])


def _recording(row: dict[str, Any]) -> Recording:
    tags = tuple(msgspec.json.decode(row["tags"]))
    return Recording(**{**row, "synthetic_voice": bool(row["synthetic_voice"]), "tags": tags})


def recordings_beginning(db: Database, sha256: str) -> list[int]:
    """Return the ids of the recordings whose SHA-256 begins with these hexadecimal digits."""
    rows = db.execute("SELECT id FROM recording WHERE substr(sha256, 1, ?) = ?", [len(sha256), sha256.lower()])
    return [row[0] for row in rows.fetchall()]


def recordings_of(db: Database, session: int) -> list[SessionRecording]:
    """Return a session's recordings, in the order in which they came."""
    rows = db.execute("SELECT id, sha256, role FROM recording WHERE session_id = ? ORDER BY id", [session])
    return [SessionRecording(*row) for row in rows.fetchall()]


def recording_label(db: Database, recording: int) -> str:
    """Return what people call a recording: ``EVENT/SESSION (NAME)``, or its file's first name alone."""
    event, session, name = db.execute(
        f"SELECT event.slug, session.slug, original_name FROM {WITH_SESSION} WHERE recording.id = ?", [recording]
    ).fetchone()
    return f"{event}/{session} ({name})" if session else str(name)


def spoken_language(db: Database, recording: int) -> str | None:
    """Return the language (BCP-47) that a recording, or else its session, is declared to be in."""
    row = db.execute(
        f"SELECT coalesce(recording.language, session.language) FROM {WITH_SESSION} WHERE recording.id = ?",
        [recording],
    ).fetchone()
    return None if row[0] is None else str(row[0])


def assign(db: Database, recording: int, session: int) -> None:
    """Make a recording a session's. The caller owns the transaction."""
    db.execute("UPDATE recording SET session_id = ? WHERE id = ?", [session, recording])
    touch(db)


def note_source(db: Database, recording: int, *, folder: str, started_at: str | None, tags: tuple[str, ...]) -> None:
    """Note what a recording's file says of itself (`Recording`). The caller owns the transaction."""
    db.execute(
        "INSERT INTO recording_source(recording_id, folder, started_at, tags) VALUES (?, ?, ?, ?)",
        [recording, folder, started_at, msgspec.json.encode(tags).decode()],
    )


def note_cut(db: Database, part: int, whole: Recording, *, start_ms: int, started_at: str) -> None:
    """Note that a recording was cut from another, from where in it, and when it began (ISO 8601).

    The caller owns the transaction.
    """
    db.execute(
        "INSERT OR REPLACE INTO recording_source(recording_id, folder, started_at, tags, cut_from, cut_start_ms)"
        " VALUES (?, ?, ?, '[]', ?, ?)",
        [part, whole.folder, started_at, whole.id, start_ms],
    )
    copy_redactions(db, whole.id, part, from_ms=start_ms)


def is_cut_for(db: Database, recording: int, session: int) -> bool:
    """Return whether a session has its part of a recording already."""
    found = db.execute(
        "SELECT 1 FROM recording JOIN recording_source ON recording_id = recording.id"
        " WHERE cut_from = ? AND session_id = ?",
        [recording, session],
    )
    return found.fetchone() is not None


def note_loudness(db: Database, recording: int, loudness: float | None) -> None:
    """Note how loud a recording is, in LUFS; None for silence. The caller owns the transaction."""
    db.execute("UPDATE recording SET loudness = ? WHERE id = ?", [loudness, recording])


def note_duration(db: Database, recording: int, duration_ms: int) -> None:
    """Note a recording's length in milliseconds where its container does not say. The caller owns the transaction."""
    db.execute("UPDATE recording SET duration_ms = ? WHERE id = ? AND duration_ms IS NULL", [duration_ms, recording])


def current_recordings(db: Database) -> list[RecordingFile]:
    """Return the files of all recordings that no other has replaced, in the order in which they came."""
    rows = db.execute(f"SELECT {FILE} FROM {WITH_SESSION} WHERE {NOT_SUPERSEDED} AND {KEPT} ORDER BY recording.id")
    return [RecordingFile(*row) for row in rows.fetchall()]


def recordings_to_transcribe(db: Database, *, always: bool, untimed: str) -> list[UnheardRecording]:
    """Return the recordings that a machine is to hear, in the order of events and sessions.

    A recording that was cut into sessions is heard in its parts.

    Args:
        db: the catalogue.
        always: whether those are heard, too, whose current captions people made and timed.
        untimed: the generator of transcripts that have no times of their own.
    """
    rows = db.query(
        f"SELECT {FILE}, recording.language, {DESCRIPTION} FROM {WITH_SESSION} WHERE {NOT_SUPERSEDED} AND {KEPT}"
        f" AND {NOT_CUT} AND (:always OR recording.id NOT IN (SELECT recording_id FROM transcript"
        " WHERE is_current AND kind = 'human' AND generator <> :untimed))"
        " ORDER BY event.start_date, session.start_utc, session.position, recording.id",
        {"always": always, "untimed": untimed},
    )
    return [
        UnheardRecording(
            RecordingFile(row["sha256"], row["suffix"], row["duration_ms"], row["label"]),
            row["language"],
            SessionDescription.of(row),
        )
        for row in rows
    ]


def is_rendition(db: Database, sha256: str) -> bool:
    """Return whether a file was made of a recording that is in the catalogue."""
    return db.execute("SELECT 1 FROM rendition WHERE sha256 = ?", [sha256]).fetchone() is not None


def current_recordings_of(db: Database, session: int) -> dict[str, int]:
    """Return the recordings of a session that no other has replaced: their ids by SHA-256."""
    rows = db.execute(
        f"SELECT sha256, id FROM recording WHERE session_id = ? AND {NOT_SUPERSEDED} ORDER BY id", [session]
    )
    return dict(rows.fetchall())


def published_files(db: Database) -> list[StoredFile]:
    """Return the media files of a published database, once each: renditions, as recordings stay in the archive."""
    rows = db.execute("SELECT DISTINCT sha256, suffix, bytes FROM rendition ORDER BY sha256")
    return [StoredFile(*row) for row in rows.fetchall()]


def named_files(db: Database) -> list[NamedFile]:
    """Return every file that the store must hold, in order of SHA-256, with what it is for people."""
    rows = db.execute(
        f"SELECT sha256, suffix, bytes, original_name, 'recording', sha256 FROM recording WHERE {KEPT}"
        " UNION SELECT rendition.sha256, rendition.suffix, rendition.bytes, original_name, rendition.kind,"
        " recording.sha256 FROM rendition JOIN recording ON recording.id = recording_id"
        " UNION SELECT each.value ->> 'sha256', each.value ->> 'suffix', NULL, each.value ->> 'name', 'companion',"
        " recording.sha256 FROM provenance JOIN recording ON recording.id = recording_id,"
        " json_each(about, '$.companions') AS each"
        " ORDER BY 1, 2"
    )
    return [NamedFile(StoredFile(*row[:3]), *row[3:]) for row in rows.fetchall()]


def forget_rendition(db: Database, sha256: str) -> None:
    """Let a rendition be made again: its file is lost. The caller owns the transaction."""
    db.execute("DELETE FROM rendition WHERE sha256 = ?", [sha256])
