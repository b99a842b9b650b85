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
from typing import NamedTuple

from archive.catalogue.current import CURRENT
from archive.index.build import Row, write_indexes
from archive.index.spellings import spelling_marks
from archive.index.stems import marks
from archive.index.tokens import BARRIER, RECORD, fold, fold_each, fold_records, words
from archive.sqlite import Database, sqlite3
from metadata.languages import UNDETERMINED

INDEXES = ("passage_fts", "session_fts")
IN_ORDER = (
    "SELECT session.id FROM session JOIN event ON event.id = event_id ORDER BY event.start_date IS NULL,"
    " event.start_date, event.id, start_utc IS NULL, start_utc, session.position, session.id"
)
"""SQL for all sessions, in order of event and time."""
# A session's passages are written at one time, so that no other's are between them.
SPANS = "SELECT session_id, min(id), max(id) FROM passage GROUP BY session_id"
"""SQL for the first and the last passage of each session."""
GAP = 256
"""Ids that are left free after each session's passages: room for what is said in a session that comes later."""
SEGMENTS = 16
OVERLAP_WORDS = 16
LONGEST_PHRASE = OVERLAP_WORDS + 1
"""Words of a phrase that is found in a passage wherever it stands."""

TITLE_LANGUAGE = f"""
coalesce(session.language, (SELECT transcript.language FROM recording JOIN transcript ON recording_id = recording.id
WHERE session_id = session.id AND {CURRENT} ORDER BY recording.id, transcript.id LIMIT 1), '{UNDETERMINED}')
"""
"""SQL for the language in which the title and abstract of a row of ``session`` are indexed."""


class Folded(NamedTuple):
    """As much of a transcript as is indexed: of each segment its position, its language if it says, its words.

    ``spelled`` are the marks of words that are written in another way too (`archive.index.spellings`).
    """

    positions: Sequence[int]
    languages: Sequence[str | None]
    texts: list[str]
    spelled: dict[str, None]


# As one value: to make a row of each segment takes twice as long.
JOINED = f"""
SELECT count(*), min(position), max(position), count(language),
group_concat(CASE WHEN flags <> '[]' THEN position END), group_concat(text, char({ord(RECORD)}) ORDER BY position)
FROM segment WHERE transcript_id = ?
"""


def read_folded(conn: sqlite3.Connection, transcript: int) -> Folded:
    """Return a transcript as it is indexed, in order."""
    count, first, last, named, doubtful, joined = conn.execute(JOINED, (transcript,)).fetchone()
    if not count or named or last - first + 1 != count or joined.count(RECORD) != count - 1:
        return _read_folded(conn, transcript)
    folded = fold_records(joined)
    if not doubtful:
        return Folded(range(first, last + 1), (None,) * count, folded, spelling_marks([joined]))
    texts = joined.split(RECORD)
    for position in doubtful.split(","):
        folded[int(position) - first] = BARRIER
        texts[int(position) - first] = ""
    return Folded(range(first, last + 1), (None,) * count, folded, spelling_marks(texts))


def _read_folded(conn: sqlite3.Connection, transcript: int) -> Folded:
    """Return a transcript that has languages, gaps, or texts that hold what stands between texts."""
    rows = conn.execute(
        "SELECT position, language, text, flags FROM segment WHERE transcript_id = ? ORDER BY position", (transcript,)
    ).fetchall()
    positions, languages, texts, flags = zip(*rows, strict=True) if rows else ((), (), (), ())
    folded = [text if flag == "[]" else BARRIER for text, flag in zip(fold_each(texts), flags, strict=True)]
    certain = (text for text, flag in zip(texts, flags, strict=True) if flag == "[]")
    return Folded(positions, languages, folded, spelling_marks(certain))


def plan(texts: Sequence[str]) -> Iterator[slice]:
    """Yield the passages of a transcript: each the segments that it spans, doubtful ones between them included."""
    spoken = [at for at, text in enumerate(texts) if text and text != BARRIER and not text.isspace()]
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
    conn = db.conn
    (following,) = conn.execute(f"SELECT coalesce(max(id) + 1 + {GAP}, 1) FROM passage").fetchone()
    passages, texts, columns = to_index(conn, session_id)
    write_passages(conn, session_id, passages, following)
    # REPLACE, since a session that was deleted without being removed leaves its rows behind.
    conn.executemany("INSERT OR REPLACE INTO passage_fts(rowid, text) VALUES (?, ?)", enumerate(texts, following))
    if columns:
        conn.execute(
            "INSERT OR REPLACE INTO session_fts(rowid, title, people, abstract, text) VALUES (?, ?, ?, ?, ?)",
            (session_id, *columns),
        )
    return len(passages)


def remove_session(db: Database, session_id: int) -> None:
    """Take a session out of both indexes. Do this before its row is deleted, or they keep what nobody can open."""
    conn = db.conn
    conn.execute("DELETE FROM passage_fts WHERE rowid IN (SELECT id FROM passage WHERE session_id = ?)", (session_id,))
    conn.execute("DELETE FROM passage WHERE session_id = ?", (session_id,))
    conn.execute("DELETE FROM session_fts WHERE rowid = ?", (session_id,))


def rebuild(db: Database) -> None:
    """Write both indexes anew, in order of event, session and time, and merge each into one b-tree.

    In this order the passages of an event are one range of ids, and a search in it need not look outside. Between
    those of two sessions, `GAP` ids are free.
    """
    conn = db.conn
    conn.execute("DELETE FROM passage")
    # Nothing here refers to itself, and looking for what does takes a fifth of the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        write_indexes(conn, INDEXES, _write_sessions(conn))
    finally:
        if collecting:
            gc.enable()


def _write_sessions(conn: sqlite3.Connection) -> Iterator[tuple[str, Row]]:
    """Write the passages of all sessions; yield their rows of both indexes."""
    following = 1
    for (session_id,) in conn.execute(IN_ORDER).fetchall():
        passages, texts, columns = to_index(conn, session_id)
        write_passages(conn, session_id, passages, following)
        for number, text in enumerate(texts, following):
            yield "passage_fts", (number, (text,))
        if columns:
            yield "session_fts", (session_id, columns)
        following += len(passages) + GAP


class Indexed(NamedTuple):
    """A session as the indexes have it.

    Attributes:
        passages: transcript, first and last position of each.
        texts: of each passage, its folded words and the marks of their stems.
        columns: title, people, abstract and text of the session; None where there is no such session.
    """

    passages: list[tuple[int, int, int]]
    texts: list[str]
    columns: tuple[str, str, str, str] | None


def to_index(conn: sqlite3.Connection, session_id: int) -> Indexed:
    """Return what is to be indexed of a session."""
    passages: list[tuple[int, int, int]] = []
    texts: list[str] = []
    said: list[str] = []
    marked: dict[str, None] = {}  # stems, and spellings, which no passage needs
    for transcript, language in _current(conn, session_id):
        positions, languages, folded, spelled = read_folded(conn, transcript)
        marked |= spelled
        said += [*folded, BARRIER]
        mixed = any(languages)
        for span in plan(folded):
            passages.append((transcript, positions[span.start], positions[span.stop - 1]))
            text = " ".join(folded[span])
            stems = _marks(folded[span], languages[span], language) if mixed else marks(language, text.split())
            marked |= stems
            texts.append(" ".join((text, *stems)))
    known = conn.execute(
        "SELECT title || ' ' || coalesce(subtitle, ''), coalesce((SELECT group_concat(name, ' / ' ORDER BY"
        " session_person.position, person_id, role) FROM session_person JOIN person ON person.id = person_id"
        f" WHERE session_id = session.id), ''), coalesce(abstract, ''), {TITLE_LANGUAGE} FROM session WHERE id = ?",
        (session_id,),
    ).fetchone()
    if known is None:
        return Indexed(passages, texts, None)
    title, people, abstract, language = known
    marked |= spelling_marks((title, people, abstract))
    text = " ".join([*said, *marked])
    return Indexed(passages, texts, (_with_marks(title, language), fold(people), _with_marks(abstract, language), text))


def write_passages(
    conn: sqlite3.Connection, session_id: int, passages: Sequence[tuple[int, int, int]], following: int
) -> None:
    """Write a session's passages, with ids from ``following`` on."""
    conn.executemany(
        "INSERT INTO passage VALUES (?, ?, ?, ?, ?)",
        ((number, session_id, *passage) for number, passage in enumerate(passages, following)),
    )


def _marks(texts: Sequence[str], languages: Sequence[str | None], language: str) -> dict[str, None]:
    """Return the marks of the stems of segments, of which some are in a language of their own."""
    spoken = zip(texts, languages, strict=True)
    return {mark: None for text, own in spoken for mark in marks(own or language, text.split())}


def _with_marks(text: str, language: str) -> str:
    spelled = words(text)
    return " ".join([*spelled, *marks(language, spelled)])


def _current(conn: sqlite3.Connection, session_id: int) -> list[tuple[int, str]]:
    """Return a session's current transcripts and their languages, recording by recording."""
    return conn.execute(
        "SELECT transcript.id, transcript.language FROM transcript JOIN recording ON recording.id = recording_id"
        f" WHERE {CURRENT} AND session_id = ? ORDER BY recording.id, transcript.id",
        (session_id,),
    ).fetchall()
