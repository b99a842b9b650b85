"""Corrections of transcripts: each makes a new version, and is kept place by place.

What a machine wrote stays in the catalogue. The caller owns the transaction in every function that writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from archive.catalogue.rows import touch
from archive.catalogue.transcripts import LABELS, REVISES, add_transcript, read_transcript, transcript_version
from archive.errors import ArchiveError
from archive.sqlite import Database
from metadata.model import Transcript
from metadata.revising import Change

TAKEN_BACK = (
    "words were taken back since the version before, and nothing brings them back:"
    " correct what is wrong now with 'rostra correct transcript SESSION --at … --from … --to …'"
)
"""Why a correction cannot be undone."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a transcript: its row, and the recording that it is of."""

    id: int
    recording: int
    sha256: str
    transcript: Transcript

    @property
    def name(self) -> str:
        """The name under which it is cited."""
        return transcript_version(self.sha256, self.transcript)


@dataclass(frozen=True, slots=True)
class Revision:
    """A place that somebody corrected: who, when (ISO 8601, UTC), and the words before and after."""

    change: Change
    by: str
    at: str


def current_version(db: Database, recording: int) -> Version | None:
    """Return the current transcript of what is spoken in a recording, or None where there is none."""
    row = db.execute(
        "SELECT transcript.id, sha256 FROM transcript JOIN recording ON recording.id = recording_id"
        " WHERE recording_id = ? AND is_current AND transcript.kind <> 'translation'",
        [recording],
    ).fetchone()
    return Version(row[0], recording, row[1], read_transcript(db, row[0])) if row else None


def base_of(db: Database, version: Version) -> Version | None:
    """Return the version that people corrected to make this one, or None where they corrected none."""
    name = version.transcript.parameters.get(REVISES)
    row = db.execute("SELECT id FROM transcript WHERE version = ?", [name]).fetchone() if name else None
    return replace(version, id=row[0], transcript=read_transcript(db, row[0])) if row else None


def root_of(db: Database, version: Version) -> Version:
    """Return the version with which a chain of corrections began."""
    seen = {version.id}
    while (base := base_of(db, version)) and base.id not in seen:
        seen.add(base.id)
        version = base
    return version


def newer_heard(db: Database, root: Version) -> Version | None:
    """Return what a machine heard in the recording after a version was made, the latest; None where nothing was."""
    row = db.execute(
        "SELECT id FROM transcript WHERE recording_id = ? AND kind = 'asr' AND id > ?"
        " AND parameters ->> ? IS NULL AND parameters ->> ? IS NULL ORDER BY id DESC LIMIT 1",
        [root.recording, root.id, f"$.{REVISES}", f"$.{LABELS}"],
    ).fetchone()
    return replace(root, id=row[0], transcript=read_transcript(db, row[0])) if row else None


def revise(
    db: Database, base: Version, corrected: Transcript, changes: Sequence[Change], *, by: str, at: str
) -> Version:
    """Make a corrected transcript the current one, and keep what changed.

    Args:
        db: the catalogue.
        base: the version that was corrected.
        corrected: what it is now.
        changes: what people did, place by place.
        by: who did it.
        at: ISO 8601, UTC.
    """
    parameters = {key: value for key, value in corrected.parameters.items() if key != LABELS} | {REVISES: base.name}
    corrected = replace(corrected, parameters=parameters)
    number = add_transcript(db, base.recording, corrected, created_at=at)
    _note(db, number, base.id, changes, by, at)
    return replace(base, id=number, transcript=corrected)


def check_undo(db: Database, version: Version, base: Version) -> None:
    """Refuse to make a version current again out of which words were taken back since it was corrected.

    Raises:
        ArchiveError: words of the base were taken back.
    """
    found = db.execute(
        "SELECT 1 FROM taken_back WHERE transcript_id = ? AND taken_at >="
        " (SELECT created_at FROM transcript WHERE id = ?)",
        [base.id, corrected_id(db, version)],
    )
    if found.fetchone():
        raise ArchiveError(TAKEN_BACK)


def take_back(db: Database, version: Version, *, by: str, at: str) -> Version | None:
    """Make the version current again that people corrected to make this one; None where there is none.

    Raises:
        ArchiveError: words of that version were taken back since.
    """
    base = base_of(db, version)
    if base is None:
        return None
    check_undo(db, version, base)
    done = [each.change for each in revisions(db, version)]
    swapped = [replace(change, before=change.after, after=change.before) for change in done]
    db.execute("UPDATE transcript SET is_current = 0 WHERE id = ?", [version.id])
    db.execute("UPDATE transcript SET is_current = 1 WHERE id = ?", [base.id])
    touch(db)
    _note(db, base.id, version.id, swapped, by, at)
    return base


def corrected_id(db: Database, version: Version) -> int:
    """Return the id of the version that people made: this one, or the one that its voices were added to."""
    name = version.transcript.parameters.get(LABELS)
    row = db.execute("SELECT id FROM transcript WHERE version = ?", [name]).fetchone() if name else None
    return int(row[0]) if row else version.id


def revisions(db: Database, version: Version) -> list[Revision]:
    """Return the places that were corrected last to make a version, or the one that its voices were added to."""
    corrected = corrected_id(db, version)
    rows = db.execute(
        "SELECT start_ms, end_ms, before, after, revised_by, revised_at FROM revision WHERE transcript_id = ?"
        " AND revised_at = (SELECT max(revised_at) FROM revision WHERE transcript_id = ?) ORDER BY start_ms, id",
        [corrected, corrected],
    )
    return [Revision(Change(*row[:4]), row[4], row[5]) for row in rows.fetchall()]


def history(db: Database, recording: int) -> list[Revision]:
    """Return everything that people corrected in the transcripts of a recording, the oldest first."""
    rows = db.execute(
        "SELECT revision.start_ms, revision.end_ms, before, after, revised_by, revised_at FROM revision"
        " JOIN transcript ON transcript.id = transcript_id WHERE recording_id = ? ORDER BY revision.id",
        [recording],
    )
    return [Revision(Change(*row[:4]), row[4], row[5]) for row in rows.fetchall()]


def corrected_words(db: Database) -> list[tuple[str, str, str, int | None]]:
    """Return what people replaced in all transcripts: words before and after, the language, and the session's id."""
    rows = db.execute(
        "SELECT before, after, transcript.language, session_id FROM revision"
        " JOIN transcript ON transcript.id = transcript_id JOIN recording ON recording.id = recording_id"
        " WHERE revision.before <> '' ORDER BY revision.id"
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows.fetchall()]


def _note(db: Database, number: int, base: int, changes: Sequence[Change], by: str, at: str) -> None:
    db.conn.executemany(
        "INSERT INTO revision(transcript_id, base_id, start_ms, end_ms, before, after, revised_by, revised_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (number, base, each.start_ms, max(each.end_ms, each.start_ms), each.before, each.after, by, at)
            for each in changes
        ],
    )
