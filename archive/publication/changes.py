"""What a publication has to change to be the next one: its rows are held against those that the rules let out now.

No command remembers what it changed. A copy of the last publication, which has all that was public, is brought to what
`archive.publication.rules` select of the catalogue at this moment, row by row and table by table. What is written of a
session in indexes and counts is written anew where anything that they are made of is no longer the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from archive.catalogue.current import CURRENT
from archive.errors import NotCarriedOverError
from archive.publication.rules import RULES, Rule
from archive.sqlite import sqlite3

FEW, SHARE, MANY = 50, 8, 1_000
"""So many sessions, or one in so many, may change before all is built anew; never more than `MANY`: they are in memory.
"""

ERASED = ("event", "session", "person", "recording", "transcript")
"""Tables whose rows are deleted only where somebody wants something gone for good."""

_TOLD = f"""
SELECT session.id, json_array(
  event.id, event.slug, event.start_date, start_at, start_utc, session.position, session.title, session.subtitle,
  abstract, session.language,
  (SELECT json_group_array(json_array(person_id, role, session_person.position, name) ORDER BY person_id, role)
    FROM session_person JOIN person ON person.id = person_id WHERE session_id = session.id),
  (SELECT json_group_array(json_array(recording.id, transcript.id, transcript.language, transcript.kind)
    ORDER BY transcript.id) FROM recording JOIN transcript ON recording_id = recording.id
    WHERE session_id = session.id AND {CURRENT}),
  (SELECT json_group_array(json_array(speaker_tag.id, person.slug) ORDER BY speaker_tag.id)
    FROM recording JOIN speaker_tag ON recording_id = recording.id LEFT JOIN person ON person.id = person_id
    WHERE session_id = session.id))
FROM session JOIN event ON event.id = event_id
"""
"""All that indexes and counts are made of, but what is said: by session."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be written anew, beside the rows that were copied.

    Attributes:
        rows: how many were written or deleted.
        sessions: the ids of those that are, or were, otherwise in indexes and counts.
        announcements: whether any of them changed.
    """

    rows: int
    sessions: frozenset[int]
    announcements: bool


def take_over(conn: sqlite3.Connection, before: sqlite3.Connection) -> Changes:
    """Bring the copied tables of a publication to what is released now; return what else must change.

    The caller owns the transaction, and has written the temporary tables that rules use.

    Args:
        conn: a copy of the last publication, with the catalogue attached as ``source``.
        before: the last publication.

    Raises:
        NotCarriedOverError: so much changed, or such things, that it is better built anew.
    """
    _refuse_what_is_in_doubt(conn)
    transcripts: set[int] = set()
    changed = {table: _bring(conn, table, rule, transcripts) for table, rule in RULES.items()}
    if changed["redaction"]:
        raise NotCarriedOverError("what is redacted has changed")
    told, now = (dict(map(tuple, each.execute(_TOLD))) for each in (before, conn))
    sessions = {session for session in told.keys() | now.keys() if told.get(session) != now.get(session)}
    for each in (before, conn):
        sessions |= _sessions_of(each, transcripts)
    _refuse_many(len(sessions), len(now))
    return Changes(sum(changed.values()), frozenset(sessions), bool(changed["announcement"]))


def _refuse_what_is_in_doubt(conn: sqlite3.Connection) -> None:
    """Raise NotCarriedOverError where something was deleted for good, or where much comes or goes."""
    for table in ERASED:
        if conn.execute(f"SELECT 1 FROM main.{table} WHERE id NOT IN (SELECT id FROM source.{table})").fetchone():
            raise NotCarriedOverError(f"{'an' if table == 'event' else 'a'} {table} was deleted")
    ((there,), (released,), (both,)) = (
        conn.execute(query).fetchone()
        for query in (
            "SELECT count(*) FROM main.session",
            "SELECT count(*) FROM released_session",
            "SELECT count(*) FROM released_session JOIN main.session USING (id)",
        )
    )
    _refuse_many(there + released - 2 * both, released)


def _refuse_many(changed: int, among: int) -> None:
    if changed > max(FEW, min(among // SHARE, MANY)):
        raise NotCarriedOverError(f"{changed} sessions have changed")


def _bring(conn: sqlite3.Connection, table: str, rule: Rule, transcripts: set[int]) -> int:
    """Bring a table to what its rule selects; return how many rows came, went or changed.

    The transcripts whose segments did are added to ``transcripts``.
    """
    before = conn.total_changes
    _follow_parents(conn, table)
    rows = conn.execute("SELECT name FROM pragma_table_info(?, 'main') WHERE pk ORDER BY pk", (table,)).fetchall()
    keys = [name for (name,) in rows]
    key, names = ", ".join(keys), rule.columns.split()
    same = " AND ".join(f"old.{name} = new.{name}" for name in keys)
    old, new = (", ".join(f"{side}.{name}" for name in names) for side in ("old", "new"))
    selected = f"(SELECT {rule.selected()} FROM source.{table} WHERE {rule.rows}) AS new"
    changed, there = conn.execute(
        f"SELECT json_group_array(json_array({', '.join(f'new.{name}' for name in keys)}))"
        f" FILTER (WHERE ({old}) IS NOT ({new})), count(old.{keys[0]})"
        f" FROM {selected} LEFT JOIN main.{table} AS old ON {same}"
    ).fetchone()
    picked = ", ".join(f"value ->> {place}" for place in range(len(keys)))
    conn.execute(f"CREATE TEMP TABLE away AS SELECT {key} FROM main.{table} WHERE false")
    conn.execute(f"INSERT INTO away SELECT {picked} FROM json_each(?)", (changed,))
    (count,) = conn.execute(f"SELECT count(*) FROM main.{table}").fetchone()
    if count > there:
        here = " AND ".join(f"{table}.{name} = old.{name}" for name in keys)
        conn.execute(
            f"INSERT INTO away SELECT {key} FROM main.{table} AS old"
            f" WHERE NOT EXISTS (SELECT 1 FROM source.{table} WHERE {here} AND ({rule.rows}))"
        )
    if table == "segment":
        transcripts |= _transcripts(conn)
    conn.execute(f"DELETE FROM main.{table} WHERE ({key}) IN away")
    conn.execute(
        f"INSERT INTO main.{table}({', '.join(names)}) SELECT {rule.selected()} FROM source.{table}"
        f" WHERE ({key}) IN (SELECT {picked} FROM json_each(?)) AND ({rule.rows})",
        (changed,),
    )
    if table == "segment":
        transcripts |= _transcripts(conn)
    conn.execute("DROP TABLE temp.away")
    return conn.total_changes - before


def _follow_parents(conn: sqlite3.Connection, table: str) -> None:
    """Delete rows of what is no longer there: that is quicker than to look for each of them."""
    for parent, column in conn.execute(
        'SELECT "table", "from" FROM pragma_foreign_key_list(?, \'main\')', (table,)
    ).fetchall():
        conn.execute(
            f"DELETE FROM main.{table} WHERE {column} IS NOT NULL AND {column} NOT IN (SELECT rowid FROM main.{parent})"
        )


def _transcripts(conn: sqlite3.Connection) -> set[int]:
    """Return the transcripts of segments that go, come or change."""
    rows = conn.execute("SELECT DISTINCT transcript_id FROM main.segment WHERE id IN (SELECT id FROM away)")
    return {number for (number,) in rows}


def _sessions_of(conn: sqlite3.Connection, transcripts: set[int]) -> set[int]:
    numbers = ", ".join(map(str, transcripts))
    rows = conn.execute(
        "SELECT session_id FROM transcript JOIN recording ON recording.id = recording_id"
        f" WHERE session_id IS NOT NULL AND transcript.id IN ({numbers})"
    )
    return {number for (number,) in rows}
