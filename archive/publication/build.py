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

from archive.catalogue.current import NOT_SUPERSEDED
from archive.errors import ArchiveError, sqlite_errors
from archive.index.verify import STRAYS
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


def released(
    db: Database, *, default: ReleaseState, now: datetime, schema: str = "main"
) -> tuple[list[int], list[int]]:
    """Return the ids of the sessions and of the recordings that the public may have now.

    A recording is out when its session is, no later one supersedes it, and its own release, where it has one,
    does not forbid it.

    Args:
        db: the catalogue.
        default: what holds for a session of which nothing is said.
        now: a zoned moment; an embargo ends when its date has come.
        schema: the name under which the catalogue is attached.
    """
    sessions = [
        row[0]
        for row in db.execute(
            f"SELECT session.id, state, until FROM {schema}.session"
            f" LEFT JOIN {schema}.release ON release.session_id = session.id ORDER BY session.id"
        )
        if is_public(row[1] or default, row[2], now)
    ]
    out = set(sessions)
    recordings = [
        row[0]
        for row in db.execute(
            f"SELECT recording.id, state, until, recording.session_id FROM {schema}.recording"
            f" LEFT JOIN {schema}.release ON release.recording_id = recording.id"
            f" WHERE {NOT_SUPERSEDED} ORDER BY recording.id"
        )
        if row[3] in out and is_public(row[1] or "public", row[2], now)
    ]
    return sessions, recordings


def is_public(state: ReleaseState, until: str | None, now: datetime) -> bool:
    """Return whether something in this state is out. An embargo whose end cannot be read holds."""
    if state != "embargoed" or until is None:
        return state == "public"
    try:
        end = datetime.fromisoformat(until)
    except ValueError:
        return False
    return now >= (end if end.tzinfo else end.replace(tzinfo=now.tzinfo))


def publication_fingerprint(db: Database, *, default: ReleaseState, now: datetime) -> str:
    """Return a digest that changes when a publication would: by content, or by what is released."""
    revision = db.execute("SELECT content_revision FROM catalogue").fetchone()[0]
    material = repr((revision, released(db, default=default, now=now)))
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
        conn.execute("ATTACH ? AS source", [f"file:{quote(str(catalogue))}?mode=ro"])
        conn.execute("BEGIN")
        create_schema(conn, "source")
        _list_released(db, default=default, now=now)
        for table, rule in RULES.items():
            names = ", ".join(rule.columns.split())
            conn.execute(f"INSERT INTO main.{table}({names}) SELECT {names} FROM source.{table} WHERE {rule.rows}")
        # Someone who no longer has a part in anything released is not in it, not even as a voice.
        conn.execute("UPDATE main.speaker_tag SET person_id = NULL WHERE person_id NOT IN (SELECT id FROM main.person)")
        _refuse(conn, KEPT)
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
    """Write the ids that may go out into temporary tables. An event is out with its sessions, or if it has none."""
    conn = db.conn
    conn.execute("CREATE TEMP TABLE released_session(id INTEGER PRIMARY KEY)")
    conn.execute("CREATE TEMP TABLE released_recording(id INTEGER PRIMARY KEY)")
    conn.execute("CREATE TEMP TABLE released_event(id INTEGER PRIMARY KEY)")
    sessions, recordings = released(db, default=default, now=now, schema="source")
    conn.executemany("INSERT INTO released_session VALUES (?)", ((x,) for x in sessions))
    conn.executemany("INSERT INTO released_recording VALUES (?)", ((x,) for x in recordings))
    conn.execute(
        "INSERT INTO released_event SELECT id FROM source.event WHERE"
        " id IN (SELECT event_id FROM source.session WHERE id IN released_session)"
        " OR id NOT IN (SELECT event_id FROM source.session)"
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
