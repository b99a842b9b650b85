"""Where recordings came from, what was said of them there, and which of them others have replaced.

A place is a file's path or an address. When a place that gave a recording gives other bytes, the new
recording *supersedes* the old one, which stays in the catalogue with its transcripts, and is neither
published nor searched any more. The caller owns the transaction in every function here.
"""

from __future__ import annotations

from typing import NamedTuple

from archive.catalogue.rows import touch
from archive.sqlite import Database


class Origin(NamedTuple):
    """A place that gave a recording, what it says of it as JSON, and the SHA-256 of the recording's bytes."""

    place: str
    about: str
    sha256: str


def note_place(db: Database, recording: int, place: str, *, about: str, pulled_at: str) -> None:
    """Note that a place gave a recording.

    Args:
        db: the catalogue.
        recording: its id.
        place: where it came from: a path or an address.
        about: what the place says of it, as JSON.
        pulled_at: ISO 8601, UTC.
    """
    db.execute(
        "INSERT INTO provenance(recording_id, place, about, pulled_at) VALUES (?, ?, ?, ?)",
        [recording, place, about, pulled_at],
    )


def replaced_at(db: Database, place: str, sha256: str) -> int | None:
    """Return the recording that these bytes replace: the one that the place gave last, if it gives other bytes now.

    A recording that another place still gives is not replaced.
    """
    found = db.execute(
        "SELECT recording_id, sha256, superseded_by FROM provenance JOIN recording ON recording.id = recording_id"
        " WHERE place = ? ORDER BY provenance.id DESC LIMIT 1",
        [place],
    ).fetchone()
    if found is None or found[1] == sha256 or found[2] is not None:
        return None
    elsewhere = db.execute(
        "SELECT 1 FROM provenance WHERE recording_id = ? AND place <> ? AND id IN"
        " (SELECT max(id) FROM provenance GROUP BY place)",
        [found[0], place],
    ).fetchone()
    return None if elsewhere else int(found[0])


def supersede(db: Database, old: int, new: int) -> None:
    """Let one recording take another's place: its session, what was noted of it, and who may have it."""
    db.execute("UPDATE recording SET superseded_by = NULL WHERE id = ?", [new])
    db.execute("UPDATE recording SET superseded_by = ? WHERE id = ?", [new, old])
    db.execute(
        "UPDATE recording SET (session_id, role, language, credit, licence, synthetic_voice) ="
        " (SELECT session_id, role, language, credit, licence, synthetic_voice FROM recording WHERE id = ?)"
        " WHERE id = ?",
        [old, new],
    )
    db.execute("DELETE FROM release WHERE recording_id = ?", [new])
    db.execute(
        "INSERT INTO release(recording_id, state, until, reason, reason_is_public, decided_at, decided_by)"
        " SELECT ?, state, until, reason, reason_is_public, decided_at, decided_by FROM release"
        " WHERE recording_id = ?",
        [new, old],
    )
    copy_redactions(db, old, new)
    touch(db)


def copy_redactions(db: Database, old: int, new: int, *, from_ms: int = 0) -> None:
    """Take out of a recording what is taken out of the one that it replaces, or was cut from.

    What was made of it before is made anew.

    Args:
        db: the catalogue.
        old: the other recording.
        new: the recording.
        from_ms: where in the other the recording begins.
    """
    done = db.execute(
        "INSERT INTO redaction(recording_id, start_ms, end_ms, reason, reason_is_public, decided_by, decided_at)"
        " SELECT :new, max(start_ms - :from, 0), end_ms - :from, reason, reason_is_public, decided_by, decided_at"
        " FROM redaction AS theirs WHERE recording_id = :old AND undone_at IS NULL AND end_ms > :from"
        " AND NOT EXISTS (SELECT 1 FROM redaction AS ours WHERE ours.recording_id = :new AND ours.undone_at IS NULL"
        " AND ours.start_ms = max(theirs.start_ms - :from, 0) AND ours.end_ms = theirs.end_ms - :from)",
        {"new": new, "old": old, "from": from_ms},
    )
    if done.rowcount:
        db.execute("DELETE FROM rendition WHERE recording_id = ?", [new])


def origins_with(db: Database, key: str) -> list[Origin]:
    """Return the places that say something under this key of their JSON, pull by pull."""
    rows = db.execute(
        "SELECT place, about, sha256 FROM provenance JOIN recording ON recording.id = recording_id"
        " WHERE json_type(about, '$.' || ?) IS NOT NULL ORDER BY provenance.id",
        [key],
    )
    return [Origin(*row) for row in rows.fetchall()]


def places_of(db: Database, sha256: str) -> list[str]:
    """Return the places that gave a recording, the latest first."""
    rows = db.execute(
        "SELECT place FROM provenance JOIN recording ON recording.id = recording_id WHERE sha256 = ?"
        " GROUP BY place ORDER BY max(provenance.id) DESC",
        [sha256],
    )
    return [str(row[0]) for row in rows.fetchall()]
