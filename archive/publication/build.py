"""The database that is published: it holds what is released, and nothing else.

What is embargoed, private or withdrawn is not hidden in a published database: it is not in it.
`archive.publication.rules` says which tables, rows and columns go out.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import unicodedata
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

import archive
import metadata
from archive.connection import open_readonly
from archive.errors import ArchiveError, NotCarriedOverError, sqlite_errors
from archive.index import carrying as index
from archive.index.tokens import FOLDING
from archive.index.verify import STRAYS
from archive.publication import releases
from archive.publication.changes import take_over
from archive.publication.cleaning import register
from archive.publication.earlier import write_earlier
from archive.publication.redaction import left
from archive.publication.releases import released
from archive.publication.rules import DERIVED, MADE, RULES, create_schema
from archive.research import recounting
from archive.research.vocabulary import write_counts
from archive.search import announcements
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
+ (SELECT count(*) FROM redacted_segment WHERE transcript_id = transcript.id AND text IS NULL)
<> (SELECT count(*) FROM source.segment WHERE transcript_id = transcript.id)
""",
    ),
)
"""What must hold between a new database and the catalogue: each query lists what breaks it."""


REDACTED = (
    (
        "segment {} has a word that is redacted",
        """
SELECT segment.id FROM main.redaction JOIN main.transcript ON transcript.recording_id = redaction.recording_id
JOIN main.segment ON transcript_id = transcript.id JOIN main.word ON segment_id = segment.id
AND word.start_ms < redaction.end_ms AND word.end_ms > redaction.start_ms
""",
    ),
    (
        "segment {} is redacted",
        """
SELECT segment.id FROM main.redaction JOIN main.transcript ON transcript.recording_id = redaction.recording_id
JOIN main.segment ON transcript_id = transcript.id
AND segment.start_ms < redaction.end_ms AND segment.end_ms > redaction.start_ms
WHERE segment.id NOT IN (SELECT segment_id FROM main.word)
""",
    ),
    (
        "meaning {} is of words that are redacted",
        """
SELECT meaning.id FROM main.redaction JOIN main.transcript ON transcript.recording_id = redaction.recording_id
JOIN main.meaning ON meaning.transcript_id = transcript.id
JOIN source.segment ON segment.transcript_id = transcript.id
AND segment.position BETWEEN first_position AND last_position
AND segment.start_ms < redaction.end_ms AND segment.end_ms > redaction.start_ms
""",
    ),
)
"""What must not be in a new database: what was taken out of recordings."""


TEMPORARY = (
    "released_event", "released_session", "released_recording", "voice", "redacted_segment", "redacted_word",
)  # fmt: skip
"""Tables that the rules use, and that are in no file."""


TABLES = (*RULES, *(table for table in (*DERIVED, *MADE) if not table.endswith("_fts") and table != "vocabulary"))
"""What is checked of a publication that is made of the last one: the indexes for search were checked as they were built
anew, and to go through all of their words takes longer than all else.
"""


@dataclass(frozen=True, slots=True)
class Built:
    """A database ready to be published.

    Attributes:
        path: where it is.
        digest: the first 16 hexadecimal digits of its SHA-256: all that are built anew of one state have the same.
        counts: rows by table.
        anew: why nothing of the last publication was taken over; "" where it was.
        changed: how many sessions changed since then; 0 where all was built anew.
    """

    path: Path
    digest: str
    counts: dict[str, int]
    anew: str = ""
    changed: int = 0


def publication_fingerprint(db: Database, *, default: ReleaseState, now: datetime, folding: int = FOLDING) -> str:
    """Return a digest that changes when a publication would: by content, releases, or how words are folded."""
    revision = db.execute("SELECT content_revision FROM catalogue").fetchone()[0]
    material = repr((RULES, revision, released(db, default=default, now=now), folding))
    return hashlib.sha256(material.encode()).hexdigest()[:16]


def build(
    catalogue: Path, target: Path, *, default: ReleaseState, now: datetime, last: Path | str = "it was asked for"
) -> Built:
    """Build a database at ``target`` from what is released in the catalogue, and verify it.

    The build reads one consistent state of the catalogue and ends on the disk, complete; on any error
    nothing is left at ``target``.

    Args:
        catalogue: the database of record.
        target: the new file.
        default: what holds for a session of which nothing is said.
        now: a zoned moment.
        last: the last publication, of which is taken over what has not changed; else why there is none.

    Raises:
        ArchiveError: it cannot be written, or does not pass SQLite's own check.
    """
    target.unlink(missing_ok=True)
    try:
        with sqlite_errors():
            anew = last if isinstance(last, str) else ""
            if isinstance(last, Path):
                try:
                    changed = _carry_over(catalogue, last, target, default=default, now=now)
                    return Built(target, _settle(target), _verify(target, TABLES), changed=changed)
                except (ArchiveError, OSError, sqlite3.DatabaseError) as error:
                    anew = str(error)
                    target.unlink(missing_ok=True)
            _fill(catalogue, target, default=default, now=now)
            return Built(target, _settle(target), _verify(target), anew)
    except BaseException:
        for leftover in (target, target.with_name(target.name + "-journal")):
            leftover.unlink(missing_ok=True)
        raise


def _fill(catalogue: Path, target: Path, *, default: ReleaseState, now: datetime) -> None:
    """Write everything anew."""
    with closing(_open(target)) as conn:
        db = _attach(conn, catalogue, default=default, now=now)
        create_schema(conn, "source")
        for table, rule in RULES.items():
            names = ", ".join(rule.columns.split())
            conn.execute(
                f"INSERT INTO main.{table}({names}) SELECT {rule.selected()} FROM source.{table} WHERE {rule.rows}"
            )
        write_earlier(conn)
        _detach(db, default=default)
        search.rebuild(db)
        announcements.write_index(conn)
        write_counts(conn)
        _finish(conn)


def _carry_over(catalogue: Path, last: Path, target: Path, *, default: ReleaseState, now: datetime) -> int:
    """Write the last publication with what has changed since; return how many sessions did.

    A copy of it is changed, and has in its pages what is not public any more. The new file is written from that copy's
    rows (https://sqlite.org/lang_vacuum.html#vacuum_with_an_into_clause), and so has nothing else.

    Raises:
        NotCarriedOverError: it is better built anew.
    """
    with closing(open_readonly(last, immutable=True)) as published:
        before = published.conn
        if before.execute("PRAGMA user_version").fetchone()[0] != maker():
            raise NotCarriedOverError("another version of Rostra made the last publication")
        work = target.with_name(f"{target.name}-last")
        try:
            shutil.copyfile(last, work)
            work.chmod(0o600)
            conn = _open(work)
            conn.execute("SELECT 1 FROM session").fetchone()  # now it is open
        finally:
            # What it holds is gone with this process, however that ends.
            work.unlink(missing_ok=True)
        with closing(conn):
            db = _attach(conn, catalogue, default=default, now=now)
            changes = take_over(conn, before)
            write_earlier(conn, before)
            conn.execute("DELETE FROM main.tombstone")
            _detach(db, default=default)
            if not changes.rows and _are_same(before, conn, ("tombstone", "earlier_version")):
                shutil.copyfile(last, target)  # so that copies of one state are one file
                return 0
            index.carry_over(conn, before, changes.sessions)
            if changes.announcements:
                announcements.write_index(conn)
            recounting.carry_over(conn, before, changes.sessions)
            index.merge(conn)
            _finish(conn)
            conn.execute("VACUUM INTO ?", (str(target),))
            return len(changes.sessions)


def _are_same(one: sqlite3.Connection, other: sqlite3.Connection, tables: Iterable[str]) -> bool:
    """Return whether some tables have the same rows in two databases."""
    queries = [f"SELECT * FROM main.{table} ORDER BY 1" for table in tables]
    return all(one.execute(query).fetchall() == other.execute(query).fetchall() for query in queries)


def _open(path: Path) -> sqlite3.Connection:
    conn = sqlite3.connect(path, isolation_level=None, uri=True)
    # A build that is cut short is thrown away, so it needs no journal of its own.
    conn.execute("PRAGMA journal_mode = OFF")
    conn.execute("PRAGMA synchronous = OFF")
    conn.execute("PRAGMA foreign_keys = OFF")
    # What is to be private lies in temporary tables for a while, and is not to lie in a file of its own.
    conn.execute("PRAGMA temp_store = MEMORY")
    register(conn)
    return conn


def _attach(conn: sqlite3.Connection, catalogue: Path, *, default: ReleaseState, now: datetime) -> Database:
    """Begin a transaction in which the catalogue is ``source``, and what rules need of it is in temporary tables."""
    db = Database(conn)
    conn.execute("ATTACH ? AS source", [f"file:{quote(str(catalogue))}?mode=ro"])
    conn.execute("BEGIN")
    _list_released(db, default=default, now=now)
    _list_voices(conn)
    _list_redacted(conn)
    return db


def _detach(db: Database, *, default: ReleaseState) -> None:
    """Check and complete what is taken from the catalogue, let go of it, and begin the next transaction."""
    conn = db.conn
    _refuse(conn, KEPT + REDACTED)
    _write_tombstones(db, default=default)
    for table in TEMPORARY:
        conn.execute(f"DROP TABLE temp.{table}")
    conn.execute("COMMIT")
    conn.execute("DETACH source")
    conn.execute("BEGIN")


def _finish(conn: sqlite3.Connection) -> None:
    conn.execute("COMMIT")
    conn.execute("ANALYZE")
    conn.execute(f"PRAGMA user_version = {maker()}")


@cache
def maker() -> int:
    """Return a number that is another for any other version of what makes publications: 31 bits of a digest.

    Words, counts and prints that an earlier version made may be others than this one would make.
    """
    made = [sqlite3.sqlite_version, sys.version, unicodedata.unidata_version, version("snowballstemmer")]
    digest = hashlib.sha256(repr(made).encode())
    for package in (archive, metadata):
        for path in sorted(Path(package.__file__ or "").parent.rglob("*.py")):
            digest.update(path.read_bytes())
    return int.from_bytes(digest.digest()[:4], "big") >> 1


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


def _list_voices(conn: sqlite3.Connection) -> None:
    """Write into a temporary table what each voice goes by.

    A voice that is a public person has that person's name: its label may be what they were called before that was
    corrected. Two voices that are one person become one. Someone with no part in anything released is only a label.
    """
    conn.execute("CREATE TEMP TABLE voice(id INTEGER PRIMARY KEY, becomes INTEGER, label TEXT, person_id INTEGER)")
    first: dict[tuple[int, int], int] = {}
    taken: set[tuple[int, str]] = set()
    for tag, recording, person, name in conn.execute(_VOICES).fetchall():
        becomes = tag if person is None else first.setdefault((recording, person), tag)
        label = f"{name} ({tag})" if (recording, name) in taken else name
        if becomes == tag:
            taken.add((recording, label))
        conn.execute("INSERT INTO voice VALUES (?, ?, ?, ?)", (tag, becomes, label, person))


_VOICES = """
SELECT speaker_tag.id, recording_id, person.id, public_name(coalesce(person.name, label))
FROM source.speaker_tag LEFT JOIN source.person ON person.id = person_id
  AND person.id IN (SELECT person_id FROM source.session_person WHERE session_id IN released_session)
WHERE recording_id IN released_recording ORDER BY speaker_tag.id
"""


def _list_redacted(conn: sqlite3.Connection) -> None:
    """Write into temporary tables what redactions leave: what is to be private is never written into the new file."""
    conn.execute(
        "CREATE TEMP TABLE redacted_segment(id INTEGER PRIMARY KEY, transcript_id INTEGER, text TEXT,"
        " start_ms INTEGER, end_ms INTEGER)"
    )
    conn.execute(
        "CREATE TEMP TABLE redacted_word(segment_id INTEGER, position INTEGER, PRIMARY KEY (segment_id, position))"
    )
    for each in left(conn, schema="source"):
        conn.execute(
            "INSERT INTO redacted_segment VALUES (?, ?, public_text(?), ?, ?)",
            (each.segment, each.transcript, each.text, each.start_ms, each.end_ms),
        )
        conn.executemany("INSERT INTO redacted_word VALUES (?, ?)", ((each.segment, place) for place in each.out))


def _write_tombstones(db: Database, *, default: ReleaseState) -> None:
    """Write the addresses of what was withdrawn: of sessions whose event is out, and of events as a whole."""
    withdrawn = [
        (each.id, each.since, each.reason)
        for each in releases.sessions(db, default=default, schema="source")
        if each.state == "withdrawn"
    ]
    db.conn.executemany(
        "INSERT INTO main.tombstone(event, session, withdrawn_on, reason, identity)"
        " SELECT event.slug, session.slug, date(?2), ?3, identity FROM source.session"
        " JOIN source.event ON event.id = event_id WHERE session.id = ?1 AND event_id IN released_event",
        withdrawn,
    )
    # Of sessions whose event is not out, permanent addresses alone are kept: those name nothing.
    db.conn.executemany(
        "INSERT INTO main.tombstone(event, session, withdrawn_on, reason, identity)"
        " SELECT '', identity, date(?2), ?3, identity FROM source.session"
        " WHERE id = ?1 AND event_id NOT IN released_event AND identity IS NOT NULL",
        withdrawn,
    )
    db.conn.execute(
        "INSERT INTO main.tombstone(event, session, withdrawn_on, reason)"
        " SELECT event.slug, NULL, date(decided_at), iif(reason_is_public, nullif(reason, ''), NULL)"
        " FROM source.release_default JOIN source.event ON event.id = event_id"
        " WHERE track IS NULL AND state = 'withdrawn' AND event_id NOT IN released_event"
    )


def _verify(path: Path, tables: Iterable[str] = ()) -> dict[str, int]:
    """Return how many rows each table of a finished database has. The file is checked, or some tables of it.

    Raises:
        ArchiveError: it breaks its own rules.
    """
    with closing(open_readonly(path)) as db:
        conn = db.conn
        for check in [f"quick_check({table})" for table in tables] or ["quick_check"]:
            if (verdict := conn.execute(f"PRAGMA {check}").fetchone()[0]) != "ok":
                raise ArchiveError(f"the new database is not sound: {verdict}")
        if broken := conn.execute("PRAGMA foreign_key_check").fetchone():
            raise ArchiveError(
                f"the new database is not complete: {broken[0]} refers to a {broken[2]} that is not in it"
            )
        _refuse(conn, STRAYS)
        return {table: int(conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in RULES}


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
