"""Passages: the runs of segments that are indexed, and keeping both indexes true to the transcripts.

A passage holds 16 new segments and, before them, as many of the segments before as hold 16 words. A
phrase of up to 17 words therefore stands whole in one passage, whichever edges it crosses: one that
reaches over the first new segment and does not start in the overlap would have to hold all 16 words of
the overlap and one on either side. Doubtful segments (with any flag) keep their position, but not a word
of theirs is indexed, and no phrase reaches across one.

The caller owns the transaction in every function here.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from archive.db import Database, sqlite3
from archive.stems import marks
from archive.tokens import BARRIER, fold, fold_each, words
from metadata.languages import UNDETERMINED

SEGMENTS = 16
OVERLAP_WORDS = 16
LONGEST_PHRASE = OVERLAP_WORDS + 1
"""Words of a phrase that is found in a passage wherever it stands."""


STRAYS = (
    ("passage {} has no text", "SELECT id FROM passage EXCEPT SELECT id FROM passage_fts_docsize"),
    ("indexed text {} belongs to no passage", "SELECT id FROM passage_fts_docsize EXCEPT SELECT id FROM passage"),
    ("session {} is not indexed", "SELECT id FROM session EXCEPT SELECT id FROM session_fts_docsize"),
    ("indexed session {} does not exist", "SELECT id FROM session_fts_docsize EXCEPT SELECT id FROM session"),
    (
        "passage {} is not of a current transcript of its session",
        """
SELECT passage.id FROM passage LEFT JOIN transcript ON transcript.id = transcript_id
LEFT JOIN recording ON recording.id = recording_id
WHERE is_current IS NOT 1 OR superseded_by IS NOT NULL OR recording.session_id IS NOT passage.session_id
""",
    ),
)


class Line(NamedTuple):
    """A segment and its folded text. A doubtful one has `BARRIER` for its only word."""

    id: int
    position: int
    start_ms: int
    end_ms: int
    text: str
    language: str | None
    folded: str

    @property
    def words(self) -> list[str]:
        """The folded words of the segment."""
        return self.folded.split()


def to_lines(rows: Sequence[tuple[Any, ...]], *, doubtful: bool = False) -> list[Line]:
    """Return segments (position, id, start, end, language, text and flags) with their folded text.

    With ``doubtful`` it is the others that have `BARRIER` for their only word.
    """
    folded = fold_each([text for *_, text, _ in rows])
    return [
        Line(key, position, start, end, text, language, BARRIER if (flags == "[]") is doubtful else spelled)
        for (position, key, start, end, language, text, flags), spelled in zip(rows, folded, strict=True)
    ]


class Folded(NamedTuple):
    """As much of a transcript as is indexed: of each segment its position, its language if it says, its words."""

    positions: tuple[int, ...]
    languages: tuple[str | None, ...]
    texts: list[str]


def read_folded(conn: sqlite3.Connection, transcript: int) -> Folded:
    """Return a transcript as it is indexed, in order."""
    rows = conn.execute(
        "SELECT position, language, text, flags FROM segment WHERE transcript_id = ? ORDER BY position", (transcript,)
    ).fetchall()
    positions, languages, texts, flags = zip(*rows, strict=True) if rows else ((), (), (), ())
    folded = fold_each(texts)
    if flags.count("[]") < len(flags):
        folded = [text if flag == "[]" else BARRIER for text, flag in zip(folded, flags, strict=True)]
    return Folded(positions, languages, folded)


def is_spoken(text: str) -> bool:
    """Whether the folded text of a segment has words that are indexed."""
    return text != BARRIER and text != "" and not text.isspace()


def plan(texts: Sequence[str]) -> Iterator[slice]:
    """Yield the passages of a transcript: each the segments that it spans, doubtful ones between them included."""
    spoken = [at for at, text in enumerate(texts) if is_spoken(text)]
    for begin in range(0, len(spoken), SEGMENTS):
        first, overlap = begin, 0
        while first > 0 and overlap < OVERLAP_WORDS:
            first -= 1
            overlap += len(texts[spoken[first]].split())
        last = spoken[min(begin + SEGMENTS, len(spoken)) - 1]
        yield slice(spoken[first], last + 1)


def index_session(db: Database, session_id: int) -> int:
    """Write a session's passages and its row in the session-level index anew; return the number of passages."""
    remove_session(db, session_id)
    (highest,) = db.execute("SELECT coalesce(max(id), 0) FROM passage").fetchone()
    return _write_session(db.conn, session_id, highest + 1)


def remove_session(db: Database, session_id: int) -> None:
    """Take a session out of both indexes. Do this before its row is deleted, or they keep what nobody can open."""
    conn = db.conn
    conn.execute("DELETE FROM passage_fts WHERE rowid IN (SELECT id FROM passage WHERE session_id = ?)", (session_id,))
    conn.execute("DELETE FROM passage WHERE session_id = ?", (session_id,))
    conn.execute("DELETE FROM session_fts WHERE rowid = ?", (session_id,))


def rebuild(db: Database) -> None:
    """Write both indexes anew, in order of event, session and time, and merge each into one b-tree.

    In this order the passages of an event are one range of ids, and a search in it need not look outside.
    """
    conn = db.conn
    conn.execute("INSERT INTO passage_fts(passage_fts) VALUES ('delete-all')")
    conn.execute("INSERT INTO session_fts(session_fts) VALUES ('delete-all')")
    conn.execute("DELETE FROM passage")
    sessions = conn.execute(
        "SELECT session.id FROM session JOIN event ON event.id = event_id ORDER BY event.start_date IS NULL,"
        " event.start_date, event.id, start_utc IS NULL, start_utc, session.position, session.id"
    ).fetchall()
    following = 1
    # Nothing here refers to itself, and looking for what does takes a fifth of the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        for (session_id,) in sessions:
            following += _write_session(conn, session_id, following)
    finally:
        if collecting:
            gc.enable()
    conn.execute("INSERT INTO passage_fts(passage_fts) VALUES ('optimize')")
    conn.execute("INSERT INTO session_fts(session_fts) VALUES ('optimize')")


def verify(db: Database) -> list[str]:
    """Return what is wrong with the indexes, in words; nothing where every transcript is indexed as it stands.

    The database must be writable: FTS5 runs its own check as an INSERT.
    """
    return [
        *(problem for table in ("passage_fts", "session_fts") for problem in _damage(db.conn, table)),
        *_strays(db.conn),
        *(
            problem
            for (session_id,) in db.execute("SELECT id FROM session ORDER BY id").fetchall()
            for transcript, _language in _current(db.conn, session_id)
            for problem in _gaps(db.conn, transcript, session_id)
        ),
    ]


def _write_session(conn: sqlite3.Connection, session_id: int, following: int) -> int:
    """Index a session that is not indexed, with ids from ``following`` on; return the number of passages."""
    passages: list[tuple[int, int, int, int, int]] = []
    texts: list[tuple[int, str]] = []
    said: list[str] = []
    marked: set[str] = set()
    for transcript, language in _current(conn, session_id):
        positions, languages, folded = read_folded(conn, transcript)
        said += [*folded, BARRIER]
        for span in plan(folded):
            number = following + len(passages)
            passages.append((number, session_id, transcript, positions[span.start], positions[span.stop - 1]))
            stems = _marks(folded[span], languages[span], language)
            marked |= stems
            texts.append((number, " ".join((*folded[span], *sorted(stems)))))
    conn.executemany("INSERT INTO passage VALUES (?, ?, ?, ?, ?)", passages)
    # REPLACE, since a session that was deleted without being removed leaves its rows behind.
    conn.executemany("INSERT OR REPLACE INTO passage_fts(rowid, text) VALUES (?, ?)", texts)
    known = conn.execute(
        "SELECT title || ' ' || coalesce(subtitle, ''), coalesce((SELECT group_concat(name, ' / ' ORDER BY"
        " session_person.position) FROM session_person JOIN person ON person.id = person_id"
        " WHERE session_id = session.id), ''), coalesce(abstract, ''), coalesce(language, (SELECT transcript.language"
        " FROM recording JOIN transcript ON recording_id = recording.id WHERE session_id = session.id AND is_current"
        " AND superseded_by IS NULL ORDER BY recording.id LIMIT 1), ?) FROM session WHERE id = ?",
        (UNDETERMINED, session_id),
    ).fetchone()
    if known:
        title, people, abstract, language = known
        conn.execute(
            "INSERT OR REPLACE INTO session_fts(rowid, title, people, abstract, text) VALUES (?, ?, ?, ?, ?)",
            (
                session_id,
                _with_marks(title, language),
                fold(people),
                _with_marks(abstract, language),
                " ".join([*said, *sorted(marked)]),
            ),
        )
    return len(passages)


def _marks(texts: Sequence[str], languages: Sequence[str | None], language: str) -> set[str]:
    """Return the marks of the stems of segments, of which some may be in a language of their own."""
    if languages.count(None) == len(languages):
        return marks(language, " ".join(texts).split(" "))
    spoken = zip(texts, languages, strict=True)
    return set().union(*(marks(own or language, text.split()) for text, own in spoken))


def _with_marks(text: str, language: str) -> str:
    spelled = words(text)
    return " ".join([*spelled, *sorted(marks(language, spelled))])


def _current(conn: sqlite3.Connection, session_id: int) -> list[tuple[int, str]]:
    """Return a session's current transcripts and their languages, recording by recording."""
    return conn.execute(
        "SELECT transcript.id, transcript.language FROM transcript JOIN recording ON recording.id = recording_id"
        " WHERE is_current = 1 AND superseded_by IS NULL AND session_id = ? ORDER BY recording.id, transcript.id",
        (session_id,),
    ).fetchall()


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


def _gaps(conn: sqlite3.Connection, transcript: int, session_id: int) -> Iterator[str]:
    """Yield how a transcript's passages differ from what they should be, and whether its last words are missed."""
    lines = read_folded(conn, transcript)
    planned = [(lines.positions[span.start], lines.positions[span.stop - 1]) for span in plan(lines.texts)]
    written = conn.execute(
        "SELECT first_position, last_position FROM passage WHERE transcript_id = ? ORDER BY first_position, id",
        (transcript,),
    ).fetchall()
    if written != planned:
        yield f"transcript {transcript} of session {session_id} has {len(written)} passages for {len(planned)}"
    ending = _ending(lines.texts)
    if ending and not _is_found(conn, transcript, ending):
        yield f"the last words of transcript {transcript} of session {session_id} are not found"


def _ending(texts: Sequence[str]) -> list[str]:
    spoken = [text for text in texts if is_spoken(text)]
    return spoken[-1].split()[-LONGEST_PHRASE:] if spoken else []


def _is_found(conn: sqlite3.Connection, transcript: int, phrase: list[str]) -> bool:
    return bool(
        conn.execute(
            "SELECT 1 FROM passage_fts WHERE passage_fts MATCH ? AND rowid IN"
            " (SELECT id FROM passage WHERE transcript_id = ?)",
            (f'"{" ".join(phrase)}"', transcript),
        ).fetchone()
    )
