"""What is said in about a minute, as a vector: for a search by meaning, and for moments that are like each other.

A window holds consecutive segments of a transcript that last `WINDOW_MS` together at most, or one that is longer. What
is doubtful is in none, as in the index; nor is a segment with an address, which may carry a key
(`archive.publication.cleaning`). A vector has a byte a number. It belongs to a version of a transcript, and says as
much as the words do: it is published, redacted, withdrawn and purged with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from archive.catalogue.current import CURRENT
from archive.catalogue.rows import touch
from archive.errors import UnknownSubjectError
from archive.index.encoder import Vectors
from archive.sqlite import Database, sqlite3

WINDOW_MS = 60_000
SHORTEST = 3
"""Words that a window has at least: fewer mean anything."""


class Window(NamedTuple):
    """Consecutive segments of a transcript, by their positions, and what is said in them."""

    first: int
    last: int
    text: str


class Embeddable(NamedTuple):
    """A current transcript: its id and version, what people call it, and its length."""

    id: int
    version: str
    label: str
    duration_ms: int


def transcripts_to_embed(db: Database) -> list[Embeddable]:
    """Return the current transcripts, translations among them, in the order of recordings."""
    rows = db.execute(
        "SELECT transcript.id, version, coalesce(event.slug || '/' || session.slug, original_name),"
        " transcript.duration_ms FROM transcript JOIN recording ON recording.id = recording_id"
        " LEFT JOIN session ON session.id = session_id LEFT JOIN event ON event.id = event_id"
        f" WHERE {CURRENT} ORDER BY recording.id, transcript.id"
    )
    return [Embeddable(*row) for row in rows.fetchall()]


def read_windows(conn: sqlite3.Connection, transcript: int) -> list[Window]:
    """Return the windows of a transcript, in order."""
    rows = conn.execute(
        "SELECT position, start_ms, end_ms, text FROM segment WHERE transcript_id = ? AND flags = '[]'"
        " AND instr(text, '://') = 0 ORDER BY position",
        (transcript,),
    ).fetchall()
    windows = (Window(part[0][0], part[-1][0], " ".join(row[3] for row in part)) for part in _parts(rows))
    return [each for each in windows if _says_something(each.text)]


_Row = tuple[int, int, int, str]


def _parts(rows: Iterable[_Row]) -> Iterator[list[_Row]]:
    part: list[_Row] = []
    for row in rows:
        if part and (row[2] - part[0][1] > WINDOW_MS or row[0] != part[-1][0] + 1):
            yield part
            part = []
        part.append(row)
    if part:
        yield part


def _says_something(text: str) -> bool:
    """Whether a text has some words; scripts without spaces have a word in a letter or two."""
    letters = sum(character.isalpha() for character in text)
    return len(text.split()) >= SHORTEST or letters >= 4 * SHORTEST


def pack(vectors: Vectors) -> list[bytes]:
    """Return vectors with a byte a number; their lengths are not kept, as only directions are compared."""
    largest = np.maximum(np.abs(vectors).max(axis=1, keepdims=True, initial=0.0), np.finfo(np.float32).tiny)
    return [row.tobytes() for row in np.rint(vectors / largest * 127).astype(np.int8)]


def unpack(packed: Sequence[bytes], dimensions: int) -> npt.NDArray[np.int8]:
    """Return packed vectors, a row each."""
    return np.frombuffer(b"".join(packed), dtype=np.int8).reshape(-1, dimensions)


def set_meanings(
    db: Database, transcript: int, encoder: str, windows: Sequence[tuple[int, int]], vectors: Sequence[bytes]
) -> None:
    """Write the vectors of a transcript anew. The caller owns the transaction.

    Args:
        db: the catalogue.
        transcript: its id.
        encoder: what made the vectors.
        windows: from which position to which each of them is.
        vectors: what `pack` returned.

    Raises:
        UnknownSubjectError: there is no such transcript any more.
    """
    if db.execute("SELECT 1 FROM transcript WHERE id = ?", [transcript]).fetchone() is None:
        raise UnknownSubjectError("transcript", str(transcript))
    db.execute("DELETE FROM meaning WHERE transcript_id = ?", [transcript])
    db.conn.executemany(
        "INSERT INTO meaning(transcript_id, first_position, last_position, encoder, vector) VALUES (?, ?, ?, ?, ?)",
        ((transcript, *window, encoder, vector) for window, vector in zip(windows, vectors, strict=True)),
    )
    touch(db)


def forget_meanings(db: Database, stage: str) -> None:
    """Delete all vectors, and let what a stage made of them be due again. The caller owns the transaction."""
    if db.execute("SELECT 1 FROM meaning LIMIT 1").fetchone() is not None:
        db.execute("DELETE FROM meaning")
        db.execute("DELETE FROM stage_run WHERE stage = ?", [stage])
        touch(db)
