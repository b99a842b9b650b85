"""The counts of a publication, made of those of the one before: only sessions that changed are counted again.

What was said in them before is taken from each part of the archive, and what is said now is added. A part lists no word
that it has but once (`archive.research.vocabulary.LEAST`); whether a word that is new in a session is one of those, the
index for search can tell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import TypeAlias

from archive.errors import NotCarriedOverError
from archive.index.tokens import shown
from archive.research.vocabulary import LEAST, Kind, Tally, of_person, spoken, write_speech
from archive.search.filters import STARTED
from archive.sqlite import sqlite3

Part: TypeAlias = tuple[Kind, str]

_OF_KIND: dict[Kind, str] = {
    "all": "true",
    "year": f"substr({STARTED}, 1, 4) = :value",
    "event": "event.slug = :value",
    "speaker": "person.slug = :value",
    "language": "transcript.language = :value",
}
"""SQL for what belongs to a part."""
_SIZE = (
    "SELECT count(DISTINCT session_id), coalesce(sum(words), 0) FROM speech JOIN session ON session.id = session_id"
    " JOIN event ON event.id = event_id JOIN transcript ON transcript.id = transcript_id"
    " LEFT JOIN speaker_tag ON speaker_tag.id = speaker_tag_id LEFT JOIN person ON person.id = person_id WHERE "
)


def carry_over(conn: sqlite3.Connection, before: sqlite3.Connection, sessions: Collection[int]) -> None:
    """Count some sessions as they are now. The caller owns the transaction.

    Args:
        conn: a copy of the last publication, whose rows and indexes are those of the next.
        before: the last publication.
        sessions: those that changed.

    Raises:
        NotCarriedOverError: the last publication has other counts than it should.
    """
    then, now = _tallies(before, sessions), _tallies(conn, sessions)
    conn.executemany("DELETE FROM speech WHERE session_id = ?", ((session,) for session in sessions))
    for session in sorted(sessions):
        for each in spoken(conn, session):
            write_speech(conn, session, each)
    for part in sorted(then.keys() | now.keys()):
        _recount(conn, part, then[part], now[part], sessions)


def _tallies(conn: sqlite3.Connection, sessions: Collection[int]) -> defaultdict[Part, Tally]:
    """Return what some sessions say, for each part of the archive that they belong to."""
    found: defaultdict[Part, Tally] = defaultdict(Tally)
    people: dict[int | None, str] = dict(
        map(tuple, conn.execute("SELECT speaker_tag.id, slug FROM speaker_tag JOIN person ON person.id = person_id"))
    )
    for session in sessions:
        for event, year in conn.execute(_ABOUT, (session,)).fetchall():
            for each in spoken(conn, session):
                told: tuple[tuple[Kind, str | None], ...] = (
                    ("all", ""), ("event", event), ("year", year), ("language", each.language),
                    ("speaker", people.get(each.speaker)),
                )  # fmt: skip
                for kind, value in told:
                    if value is not None:
                        found[kind, value].add(session, each.words)
    return found


_ABOUT = (
    f"SELECT event.slug, substr({STARTED}, 1, 4) FROM session JOIN event ON event.id = event_id WHERE session.id = ?"
)


def _recount(conn: sqlite3.Connection, part: Part, then: Tally, now: Tally, sessions: Collection[int]) -> None:
    """Bring the counts of a part from what some of its sessions said to what they say."""
    kind, value = part
    size = conn.execute(_SIZE + _OF_KIND[kind], {"value": value}).fetchone()
    row = conn.execute("SELECT id, different FROM part WHERE kind = ? AND value = ?", part).fetchone()
    number, different = map(int, row or (conn.execute(_NEW, part).lastrowid or 0, 0))
    if not size[1]:
        conn.execute("DELETE FROM part_word WHERE part_id = ?", (number,))
        conn.execute("DELETE FROM part WHERE id = ?", (number,))
        return
    changed = {word for word in then.counts.keys() | now.counts.keys() if then.counts[word] != now.counts[word]}
    listed = {word: count for word in changed if (count := _listed(conn, number, word))}
    once = _said_elsewhere(conn, part, {word for word in changed - listed.keys() if not then.counts[word]}, sessions)
    for word in changed:
        before = listed.get(word) or then.counts[word] or (word in once)
        after = before - then.counts[word] + now.counts[word]
        if after < 0 or (before >= LEAST and word not in listed):
            raise NotCarriedOverError("the last publication has other counts than it should")
        different += (after > 0) - (before > 0)
        if after >= LEAST:
            conn.execute("INSERT OR REPLACE INTO part_word VALUES (?, ?, ?)", (number, shown(word), after))
        elif before >= LEAST:
            conn.execute("DELETE FROM part_word WHERE part_id = ? AND word = ?", (number, shown(word)))
    conn.execute("UPDATE part SET sessions = ?, words = ?, different = ? WHERE id = ?", (*size, different, number))


_NEW = "INSERT INTO part(kind, value, sessions, words, different) VALUES (?, ?, 0, 0, 0)"


def _listed(conn: sqlite3.Connection, part: int, word: str) -> int:
    row = conn.execute("SELECT count FROM part_word WHERE part_id = ? AND word = ?", (part, shown(word))).fetchone()
    return int(row[0]) if row else 0


def _said_elsewhere(conn: sqlite3.Connection, part: Part, words: set[str], sessions: Collection[int]) -> set[str]:
    """Return those of some words that are said in a part of the archive, but for some sessions."""
    kind, value = part
    if not words:
        return set()
    if kind == "speaker":
        person = conn.execute("SELECT id FROM person WHERE slug = ?", (value,)).fetchone()
        return words & of_person(conn, person[0], sessions).counts.keys()
    conn.execute("CREATE TEMP TABLE elsewhere(id INTEGER PRIMARY KEY)")
    conn.execute(
        "INSERT INTO elsewhere SELECT transcript.id FROM transcript JOIN recording ON recording.id = recording_id"
        " JOIN session ON session.id = session_id JOIN event ON event.id = event_id"
        f" WHERE transcript.kind <> 'translation' AND {_OF_KIND[kind]} AND session_id NOT IN ({_list(sessions)})",
        {"value": value},
    )
    reach = conn.execute(_REACH).fetchone()
    found = {word for word in words if conn.execute(_IS_SAID, (f'"{word}"', *reach)).fetchone()}
    conn.execute("DROP TABLE temp.elsewhere")
    return found


_REACH = "SELECT coalesce(min(id), 1), coalesce(max(id), 0) FROM passage WHERE transcript_id IN elsewhere"
_IS_SAID = (
    "SELECT 1 FROM passage_fts JOIN passage ON passage.id = passage_fts.rowid WHERE passage_fts MATCH ?"
    " AND passage_fts.rowid BETWEEN ? AND ? AND transcript_id IN elsewhere LIMIT 1"
)


def _list(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))
