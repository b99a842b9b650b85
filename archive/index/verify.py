"""Is the catalogue as it should be: the file itself, and its indexes, held word by word against the transcripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from archive.catalogue.current import CURRENT
from archive.index.passages import INDEXES, LONGEST_PHRASE, to_index
from archive.index.tokens import MARK
from archive.sqlite import Database, sqlite3

STRAYS = (
    ("passage {} has no text", "SELECT id FROM passage EXCEPT SELECT id FROM passage_fts_docsize"),
    ("indexed text {} belongs to no passage", "SELECT id FROM passage_fts_docsize EXCEPT SELECT id FROM passage"),
    ("session {} is not indexed", "SELECT id FROM session EXCEPT SELECT id FROM session_fts_docsize"),
    ("indexed session {} does not exist", "SELECT id FROM session_fts_docsize EXCEPT SELECT id FROM session"),
    (
        "passage {} is not of a current transcript of its session",
        f"""
SELECT passage.id FROM passage LEFT JOIN transcript ON transcript.id = transcript_id
LEFT JOIN recording ON recording.id = recording_id
WHERE ({CURRENT}) IS NOT 1 OR recording.session_id IS NOT passage.session_id
""",
    ),
)

LISTED = 20
"""Problems of the file itself that are listed."""


def verify_file(db: Database) -> list[str]:
    """Return what SQLite finds wrong with the file and its references, in its words."""
    try:
        found = [text for (text,) in db.execute(f"PRAGMA integrity_check({LISTED})") if text != "ok"]
        references = db.execute("PRAGMA foreign_key_check").fetchmany(LISTED)
    except sqlite3.DatabaseError as error:
        return [str(error)]
    # What it says of FTS5's tables is said by `verify`, which tells more.
    return [
        *(text for text in found if "FTS5" not in text),
        *(f"row {row} of {table} refers to a row of {parent} that is gone" for table, row, parent, _ in references),
    ]


def verify(db: Database) -> list[str]:
    """Return what is wrong with the indexes, in words; nothing where every transcript is indexed as it stands.

    Each session has the passages that it should, each of them as many words as were said; both indexes have every
    word as often as it is said; and the last words of every transcript are found. The database must be writable:
    FTS5 runs its own check as an INSERT. The caller owns the transaction.
    """
    conn = db.conn
    damaged = [problem for table in INDEXES for problem in _damage(conn, table)]
    if damaged:
        return damaged
    said: dict[str, Counter[str]] = {table: Counter() for table in INDEXES}
    sessions = conn.execute("SELECT id FROM session ORDER BY id").fetchall()
    different = [problem for (session_id,) in sessions for problem in _differences(conn, session_id, said)]
    strays = list(_strays(conn))
    # Where rows are amiss, their words are too.
    return [*strays, *different] or [problem for table in INDEXES for problem in _miscounted(conn, table, said[table])]


def _damage(conn: sqlite3.Connection, table: str) -> list[str]:
    try:
        conn.execute(f"INSERT INTO {table}({table}) VALUES ('integrity-check')")
    except sqlite3.DatabaseError as error:
        return [f"{table} is damaged ({error})"]
    return []


def _strays(conn: sqlite3.Connection) -> Iterator[str]:
    """Yield what stands in an index and not beside it, or the other way round."""
    for problem, query in STRAYS:
        yield from (problem.format(number) for (number,) in conn.execute(query))


def _differences(conn: sqlite3.Connection, session_id: int, said: dict[str, Counter[str]]) -> Iterator[str]:
    """Yield how a session is indexed otherwise than it stands; add its words to those that are said."""
    passages, texts, columns = to_index(conn, session_id)
    written = conn.execute(
        "SELECT id, transcript_id, first_position, last_position, sz FROM passage"
        " LEFT JOIN passage_fts_docsize USING (id) WHERE session_id = ? ORDER BY id",
        (session_id,),
    ).fetchall()
    if [(transcript, first, last) for _, transcript, first, last, _ in written] != passages:
        yield f"session {session_id} has other passages than its transcripts ({len(written)} for {len(passages)})"
        return
    for (number, *_, size), text in zip(written, texts, strict=True):
        spelled = text.split()
        said["passage_fts"].update(spelled)
        if size is not None and numbers(size) != [len(spelled)]:
            yield f"passage {number} of session {session_id} is indexed with other words than were said"
    for (number, *_, size), text in _endings(written, texts):
        if size is not None and not _is_found(conn, number, text):
            yield f"the last words of passage {number} of session {session_id} are not found"
    size = conn.execute("SELECT sz FROM session_fts_docsize WHERE id = ?", (session_id,)).fetchone()
    words = [column.split() for column in columns or ()]
    said["session_fts"].update(chain.from_iterable(words))
    if size is not None and numbers(size[0]) != [len(each) for each in words]:
        yield f"session {session_id} is indexed with other words than it has"


def _endings(written: Sequence[tuple[Any, ...]], texts: Sequence[str]) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield the last passage of each transcript."""
    last = {transcript: (row, text) for row, text in zip(written, texts, strict=True) for transcript in row[1:2]}
    yield from last.values()


def _is_found(conn: sqlite3.Connection, passage: int, text: str) -> bool:
    """Whether the last words of a passage, before the marks of their stems, are found in it."""
    spoken = [word for word in text.split() if not word.startswith(MARK)]
    phrase = f'"{" ".join(spoken[-LONGEST_PHRASE:])}"'
    query = "SELECT 1 FROM passage_fts WHERE passage_fts MATCH ? AND rowid = ?"
    return conn.execute(query, (phrase, passage)).fetchone() is not None


def _miscounted(conn: sqlite3.Connection, table: str, said: Counter[str]) -> Iterator[str]:
    """Yield whether an index has words more or less often than they are said."""
    conn.execute(f"CREATE VIRTUAL TABLE temp.{table}_words USING fts5vocab(main, {table}, row)")
    indexed = dict(conn.execute(f"SELECT term, cnt FROM temp.{table}_words").fetchall())
    conn.execute(f"DROP TABLE temp.{table}_words")
    amiss = sorted(word for word in indexed.keys() | said.keys() if indexed.get(word) != said.get(word))
    if amiss:
        yield f"{table} has {len(amiss)} words more or less often than they are said, as {amiss[0]!r}"


def numbers(varints: bytes) -> list[int]:
    """Return the numbers in a blob of SQLite's varints (https://sqlite.org/fileformat2.html#varint)."""
    numbers, value = [], 0
    for byte in varints:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            numbers.append(value)
            value = 0
    return numbers
