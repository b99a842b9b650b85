"""The database that is published: it holds what is released, and nothing else.

What is embargoed, private or withdrawn is not hidden in a published database: it is not in it.
`archive.publication.rules` says which tables, rows and columns go out.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from archive.errors import ArchiveError, sqlite_errors
from archive.index.verify import STRAYS
from archive.publication import releases
from archive.publication.cleaning import register
from archive.publication.releases import released
from archive.publication.rules import RULES, create_schema
from archive.search import sqlite_search as search
from archive.sqlite import Database, sqlite3
from metadata.model import ReleaseState

KEPT = (
    ("session {} is in it and not released", "SELECT id FROM main.session EXCEPT SELECT id FROM released_session"),
    ("session {} is not in it", "SELECT id FROM released_session EXCEPT SELECT id FROM main.session"),
    (
        "recording {} is in it and not released",
        "SELECT id FROM main.recording EXCEPT SELECT id FROM released_recording",
    ),
    ("recording {} is not in it", "SELECT id FROM released_recording EXCEPT SELECT id FROM main.recording"),
    (
        "transcript {} is of a recording that is not in it",
        "SELECT id FROM main.transcript WHERE recording_id NOT IN released_recording",
    ),
    (
        "transcript {} is not whole",
        """
SELECT id FROM main.transcript WHERE (SELECT count(*) FROM main.segment WHERE transcript_id = transcript.id)
<> (SELECT count(*) FROM source.segment WHERE transcript_id = transcript.id)
""",
    ),
)
"""What must hold between a new database and the catalogue: each query lists what breaks it."""


@dataclass(frozen=True, slots=True)
class Built:
    """A database ready to be published.

    Attributes:
        path: where it is.
        digest: the first 16 hexadecimal digits of its SHA-256: the same content, the same digest.
        counts: rows by table.
    """

    path: Path
    digest: str
    counts: dict[str, int]


def publication_fingerprint(db: Database, *, default: ReleaseState, now: datetime) -> str:
    """Return a digest that changes when a publication would: by content, or by what is released."""
    revision = db.execute("SELECT content_revision FROM catalogue").fetchone()[0]
    material = repr((RULES, revision, released(db, default=default, now=now)))
    return hashlib.sha256(material.encode()).hexdigest()[:16]


def build(catalogue: Path, target: Path, *, default: ReleaseState, now: datetime) -> Built:
    """Build a database at ``target`` from what is released in the catalogue, and verify it.

    The build reads one consistent state of the catalogue and ends on the disk, complete; on any error
    nothing is left at ``target``.

    Raises:
        ArchiveError: it cannot be written, or does not pass SQLite's own check.
    """
    target.unlink(missing_ok=True)
    try:
        with sqlite_errors():
            counts = _fill(catalogue, target, default=default, now=now)
        return Built(target, _settle(target), counts)
    except BaseException:
        for leftover in (target, target.with_name(target.name + "-journal")):
            leftover.unlink(missing_ok=True)
        raise


def _fill(catalogue: Path, target: Path, *, default: ReleaseState, now: datetime) -> dict[str, int]:
    conn = sqlite3.connect(target, isolation_level=None, uri=True)
    try:
        db = Database(conn)
        # A build that is cut short is thrown away, so it needs no journal of its own.
        conn.execute("PRAGMA journal_mode = OFF")
        conn.execute("PRAGMA synchronous = OFF")
        conn.execute("PRAGMA foreign_keys = OFF")
        register(conn)
        conn.execute("ATTACH ? AS source", [f"file:{quote(str(catalogue))}?mode=ro"])
        conn.execute("BEGIN")
        create_schema(conn, "source")
        _list_released(db, default=default, now=now)
        for table, rule in RULES.items():
            names = ", ".join(rule.columns.split())
            conn.execute(
                f"INSERT INTO main.{table}({names}) SELECT {rule.selected()} FROM source.{table} WHERE {rule.rows}"
            )
        _name_speakers(conn)
        _refuse(conn, KEPT)
        _write_tombstones(db, default=default)
        conn.execute("DROP TABLE released_event")
        conn.execute("DROP TABLE released_session")
        conn.execute("DROP TABLE released_recording")
        conn.execute("COMMIT")
        conn.execute("DETACH source")
        conn.execute("BEGIN")
        search.rebuild(db)
        conn.execute("COMMIT")
        conn.execute("ANALYZE")
        _verify(conn)
        return {table: int(conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in RULES}
    finally:
        conn.close()


def _list_released(db: Database, *, default: ReleaseState, now: datetime) -> None:
    """Write the ids that may go out into temporary tables."""
    conn = db.conn
    conn.execute("CREATE TEMP TABLE released_session(id INTEGER PRIMARY KEY)")
    conn.execute("CREATE TEMP TABLE released_recording(id INTEGER PRIMARY KEY)")
    conn.execute("CREATE TEMP TABLE released_event(id INTEGER PRIMARY KEY)")
    sessions, recordings = released(db, default=default, now=now, schema="source")
    events = releases.released_events(db, sessions, default=default, now=now, schema="source")
    for table, ids in (("session", sessions), ("recording", recordings), ("event", events)):
        conn.executemany(f"INSERT INTO released_{table} VALUES (?)", ((each,) for each in ids))


def _name_speakers(conn: sqlite3.Connection) -> None:
    """Let voices that are people go by their names: a label may be what they were called before it was corrected.

    Two voices that are one person become one. Someone who no longer has a part in anything released is not in it,
    not even as a voice.
    """
    for statement in _VOICES:
        conn.execute(statement)


_VOICES = (
    "UPDATE main.speaker_tag SET person_id = NULL WHERE person_id NOT IN (SELECT id FROM main.person)",
    """
UPDATE main.speaker_tag SET (talking_ms, turns) = (
  SELECT sum(one.talking_ms), sum(one.turns) FROM main.speaker_tag AS one
  WHERE one.recording_id = speaker_tag.recording_id AND one.person_id = speaker_tag.person_id
) WHERE person_id IS NOT NULL
""",
    """
UPDATE main.segment SET speaker_tag_id = (
  SELECT min(one.id) FROM main.speaker_tag AS one JOIN main.speaker_tag AS tag
  ON tag.recording_id = one.recording_id AND tag.person_id = one.person_id WHERE tag.id = segment.speaker_tag_id
) WHERE speaker_tag_id IN (SELECT id FROM main.speaker_tag WHERE person_id IS NOT NULL)
""",
    """
DELETE FROM main.speaker_tag
WHERE id NOT IN (SELECT speaker_tag_id FROM main.segment WHERE speaker_tag_id IS NOT NULL)
""",
    # A label is unique in its recording; another voice may have the name that this one is to get.
    "UPDATE main.speaker_tag SET label = char(0) || id WHERE person_id IS NOT NULL",
    """
UPDATE main.speaker_tag SET label = (SELECT name FROM main.person WHERE person.id = speaker_tag.person_id) || iif(
  EXISTS (SELECT 1 FROM main.speaker_tag AS other, main.person WHERE person.id = speaker_tag.person_id
    AND other.recording_id = speaker_tag.recording_id AND other.label = person.name), ' (' || id || ')', '')
WHERE person_id IS NOT NULL
""",
)


def _write_tombstones(db: Database, *, default: ReleaseState) -> None:
    """Write the addresses of what was withdrawn: of sessions whose event is out, and of events as a whole."""
    withdrawn = [
        (each.id, each.since, each.reason)
        for each in releases.sessions(db, default=default, schema="source")
        if each.state == "withdrawn"
    ]
    db.conn.executemany(
        "INSERT INTO main.tombstone(event, session, withdrawn_on, reason)"
        " SELECT event.slug, session.slug, date(?2), ?3 FROM source.session JOIN source.event ON event.id = event_id"
        " WHERE session.id = ?1 AND event_id IN released_event",
        withdrawn,
    )
    db.conn.execute(
        "INSERT INTO main.tombstone(event, session, withdrawn_on, reason)"
        " SELECT event.slug, NULL, date(decided_at), iif(reason_is_public, nullif(reason, ''), NULL)"
        " FROM source.release_default JOIN source.event ON event.id = event_id"
        " WHERE track IS NULL AND state = 'withdrawn' AND event_id NOT IN released_event"
    )


def _verify(conn: sqlite3.Connection) -> None:
    """Raise ArchiveError where the finished database breaks its own rules."""
    if (verdict := conn.execute("PRAGMA quick_check").fetchone()[0]) != "ok":
        raise ArchiveError(f"the new database is not sound: {verdict}")
    if broken := conn.execute("PRAGMA foreign_key_check").fetchone():
        raise ArchiveError(f"the new database is not complete: {broken[0]} refers to a {broken[2]} that is not in it")
    _refuse(conn, STRAYS)


def _refuse(conn: sqlite3.Connection, rules: Iterable[tuple[str, str]]) -> None:
    """Raise ArchiveError where a rule, which lists what breaks it, lists anything."""
    for problem, query in rules:
        if found := conn.execute(query).fetchone():
            raise ArchiveError(f"the new database is not what it should be: {problem.format(found[0])}")


def _settle(path: Path) -> str:
    """Bring a finished file to the disk, and return its digest."""
    with path.open("rb+") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:16]
        os.fsync(file.fileno())
    return digest
