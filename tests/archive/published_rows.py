"""What a published database holds, in a form in which two of them can be compared."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from archive.publication.rules import RULES
from archive.sqlite import sqlite3

_NUMBERED = {
    "speech": "SELECT session_id, transcript_id, speaker_tag_id, segments, words, spoken_ms FROM speech",
    "part": "SELECT kind, value, sessions, words, different FROM part",
    "part_word": "SELECT kind, value, word, count FROM part_word JOIN part ON part.id = part_id",
}
"""Tables whose rows have numbers that say nothing but in which order they were written."""


def published_rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of every table, view of words and setting of a published database, in order.

    The numbers of passages are left out, but for their order; indexes are read word by word and place by place.
    """
    # Not only read: tables of words are temporary ones.
    with closing(sqlite3.connect(path)) as conn:
        queries = {table: f"SELECT * FROM {table}" for table in (*RULES, "tombstone", "earlier_version")}
        queries |= _NUMBERED | {
            "schema": "SELECT type, name, tbl_name, sql FROM sqlite_master",
            "statistics": "SELECT * FROM sqlite_stat1 WHERE tbl NOT GLOB '*_fts_*'",
            "free": "SELECT freelist_count FROM pragma_freelist_count",
            "maker": "SELECT user_version FROM pragma_user_version",
        }
        found = {name: sorted(map(tuple, conn.execute(query)), key=repr) for name, query in queries.items()}
        passages = conn.execute("SELECT id, session_id, transcript_id, first_position, last_position FROM passage")
        rows = sorted(map(tuple, passages))
        found["passage"] = [row[1:] for row in rows]
        places = {row[0]: place for place, row in enumerate(rows)}
        for index in ("passage_fts", "session_fts", "announcement_fts"):
            place = places if index == "passage_fts" else {}
            conn.execute(f"CREATE VIRTUAL TABLE temp.{index}_words USING fts5vocab(main, {index}, instance)")
            words = conn.execute(f"SELECT term, doc, col, offset FROM temp.{index}_words").fetchall()
            found[index] = sorted((term, place.get(doc, doc), column, at) for term, doc, column, at in words)
            sizes = conn.execute(f"SELECT id, sz FROM {index}_docsize ORDER BY id").fetchall()
            found[f"{index}_docsize"] = [(place.get(doc, doc), size) for doc, size in sizes]
            found[f"{index}_config"] = sorted(map(tuple, conn.execute(f"SELECT * FROM {index}_config")))
            # How many rows and words there are (https://sqlite.org/fts5.html#fts5_data_structures).
            found[f"{index}_data"] = list(map(tuple, conn.execute(f"SELECT block FROM {index}_data WHERE id = 1")))
        return found


def holds(path: Path, word: str) -> bool:
    """Return whether a file has a word anywhere in its bytes.

    FTS5 writes of a word only that in which it differs from the word before
    (https://sqlite.org/fts5.html#fts5_data_structures): its last letters are looked for, too.
    """
    data, encoded = path.read_bytes(), word.encode()
    return encoded in data or encoded[4:] in data
