"""Deleting for good: recordings and all that came of them, and what is known of a session.

What is deleted leaves no trace in the catalogue's file: SQLite overwrites it, the search index is merged anew, and the
file is written anew. Of a recording its SHA-256 stays, so that the same bytes are never taken in again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from archive.catalogue.recordings import StoredFile
from archive.catalogue.rows import touch
from archive.connection import empty_journal, transaction
from archive.errors import ArchiveError, sqlite_errors
from archive.index.passages import index_session, remove_session
from archive.publication.redaction import take_out
from archive.sqlite import Database

NAMELESS = "Withdrawn"
"""The title of a session that was purged."""


def purge_session(db: Database, session: int, *, by: str, at: str) -> list[StoredFile]:
    """Delete what a session's recordings hold and all that is known of the session but its address.

    The caller owns the transaction, and deletes the files.

    Returns:
        Files of the store that nothing refers to any more.
    """
    remove_session(db, session)
    files: list[StoredFile] = []
    for (recording,) in db.execute("SELECT id FROM recording WHERE session_id = ?", [session]).fetchall():
        files += purge_recording(db, recording, by=by, at=at)
    people = [row[0] for row in db.execute("SELECT person_id FROM session_person WHERE session_id = ?", [session])]
    for table in _OF_SESSION:
        db.execute(f"DELETE FROM {table} WHERE session_id = ?", [session])
    db.execute("UPDATE release SET reason = iif(reason_is_public, reason, '') WHERE session_id = ?", [session])
    db.execute(
        "UPDATE session SET title = ?, subtitle = NULL, kind = 'other', track = NULL, room = NULL,"
        " place_id = NULL, start_at = NULL, start_utc = NULL, day = NULL, planned_ms = NULL, language = NULL,"
        " abstract = NULL WHERE id = ?",
        [NAMELESS, session],
    )
    for person in people:
        _forget(db, person)
    db.execute("DELETE FROM stage_run WHERE subject = ?", [f"session/{session}"])
    index_session(db, session)
    _log(db, "session", None, by, at)
    touch(db)
    return files


_OF_SESSION = (
    "session_person", "person_source", "attendance", "external_id", "link", "expected_recording", "imported",
    "correction",
)  # fmt: skip
"""Tables that tell of a session."""


def _forget(db: Database, person: int) -> None:
    """Delete a person who has a part in nothing any more."""
    db.execute(
        "DELETE FROM person WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM session_person WHERE person_id = ?1)", [person]
    )


def purge_recording(db: Database, recording: int, *, by: str, at: str) -> list[StoredFile]:
    """Delete a recording with its transcripts, renditions and stage results; see `purge_session`."""
    row = db.execute("SELECT session_id, sha256 FROM recording WHERE id = ?", [recording]).fetchone()
    session, sha256 = row
    if session is not None:
        remove_session(db, session)
    held = list(_files_of(db, recording))
    places = [each[0] for each in db.execute("SELECT place FROM provenance WHERE recording_id = ?", [recording])]
    heard = db.execute("SELECT id FROM transcript WHERE recording_id = ?", [recording]).fetchall()
    for subject in (sha256, *places, *(f"transcript/{number}" for (number,) in heard)):
        db.execute(
            "DELETE FROM stage_run WHERE subject = ?1 OR substr(subject, 1, length(?1) + 1) = ?1 || '#'", [subject]
        )
    db.execute("DELETE FROM recording WHERE id = ?", [recording])
    if session is not None:
        index_session(db, session)
    _log(db, "recording", sha256, by, at)
    touch(db)
    return [file for file in held if not _is_used(db, file)]


def replace_bytes(db: Database, recording: int, *, by: str, at: str) -> list[StoredFile]:
    """Let a recording's form for browsers take the place of its file, and take out for good what is redacted.

    The caller owns the transaction, has rendered the recording since it was redacted, and deletes the files.

    Returns:
        Files of the store that nothing refers to any more: the recording's own, and captions that came with it.

    Raises:
        ArchiveError: it is not rendered.
    """
    row = db.execute(
        "SELECT recording.sha256, session_id, rendition.sha256, rendition.suffix, rendition.bytes,"
        " rendition.media_type FROM recording JOIN rendition ON recording_id = recording.id AND rendition.kind = 'web'"
        " WHERE recording.id = ?",
        [recording],
    ).fetchone()
    if row is None:
        raise ArchiveError("it is not rendered yet, so that nothing can take its place")
    old, session, *web = row
    held = list(_files_of(db, recording))
    take_out(db, recording)
    db.execute("DELETE FROM heard_part WHERE recording_id = ?", [recording])
    db.execute("UPDATE provenance SET about = '{}' WHERE recording_id = ?", [recording])
    db.execute("DELETE FROM stage_run WHERE subject = ?1 OR substr(subject, 1, length(?1) + 1) = ?1 || '#'", [old])
    db.execute(
        "UPDATE recording SET sha256 = ?, suffix = ?, bytes = ?, media_type = ?, streams = '[]' WHERE id = ?",
        [*web, recording],
    )
    if session is not None:
        index_session(db, session)
    _log(db, "recording", old, by, at)
    touch(db)
    return [file for file in held if not _is_used(db, file)]


def _files_of(db: Database, recording: int) -> Iterator[StoredFile]:
    """Yield a recording's file, its renditions, and what came with it."""
    yield from (
        StoredFile(*row)
        for row in db.execute(
            "SELECT sha256, suffix, bytes FROM recording WHERE id = ?1"
            " UNION SELECT sha256, suffix, bytes FROM rendition WHERE recording_id = ?1",
            [recording],
        ).fetchall()
    )
    for (about,) in db.execute("SELECT about FROM provenance WHERE recording_id = ?", [recording]).fetchall():
        for each in json.loads(about).get("companions", ()):
            yield StoredFile(each["sha256"], each["suffix"], 0)


def _is_used(db: Database, file: StoredFile) -> bool:
    found = db.execute(
        "SELECT 1 FROM recording WHERE sha256 = ?1 UNION ALL SELECT 1 FROM rendition WHERE sha256 = ?1"
        " UNION ALL SELECT 1 FROM provenance WHERE instr(about, ?1)",
        [file.sha256],
    )
    return found.fetchone() is not None


def _log(db: Database, what: str, sha256: str | None, by: str, at: str) -> None:
    db.execute("INSERT INTO purge(purged_at, purged_by, what, sha256) VALUES (?, ?, ?, ?)", [at, by, what, sha256])


def is_purged(db: Database, sha256: str) -> bool:
    """Return whether a recording of these bytes was deleted for good."""
    return db.execute("SELECT 1 FROM purge WHERE sha256 = ?", [sha256]).fetchone() is not None


def overwrite_deleted(db: Database) -> bool:
    """Take what was deleted out of the catalogue's file, too: out of free pages, the search index and the journal.

    This writes the whole file anew, between the turns of others.

    Returns:
        Whether the journal is empty, too; whoever reads an old state keeps it until done.

    Raises:
        ArchiveError: others did not let it.
    """
    with transaction(db):
        for index in ("passage_fts", "session_fts"):
            db.execute(f"INSERT INTO {index}({index}) VALUES ('optimize')")
    with sqlite_errors():
        db.conn.execute("VACUUM")
    return empty_journal(db)
