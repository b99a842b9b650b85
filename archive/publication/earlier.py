"""What is published of earlier versions of transcripts: what confirms a quotation from them, and none of their words.

A citation names the version that it was taken from. When another is current, its prints (`archive.anchoring.prints`)
still tell whether the words were said there, and how its clock differs from the present one. What was redacted or taken
back has no prints.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archive.anchoring.clocks import compare
from archive.anchoring.prints import Span, pack, prints_of
from archive.anchoring.spoken import Spoken, spoken
from archive.catalogue.current import successors
from archive.catalogue.transcripts import said_segments
from archive.publication.redaction import left
from archive.sqlite import sqlite3
from metadata.model import Word
from metadata.revising import timed_words

MARGIN_MS = 2_000
"""How much more is withheld where another recording's redaction is found by comparing clocks."""

_VERSIONS = """
SELECT transcript.id, version, session_id, recording_id, transcript.language, transcript.kind, created_at
FROM source.transcript JOIN source.recording ON recording.id = recording_id
WHERE session_id IN released_session AND transcript.id NOT IN (SELECT id FROM main.transcript)
  AND parameters ->> 'track' IS NULL ORDER BY transcript.id
"""
_SUCCESSOR = f"{successors('source')} SELECT id FROM later WHERE id IN released_recording ORDER BY step LIMIT 1"


def write_earlier(conn: sqlite3.Connection, before: sqlite3.Connection | None = None) -> None:
    """Write what is left of earlier versions into a publication that has all other rows, from the catalogue.

    What a version said changes only by what is redacted or taken back. Where nothing ever was, the prints that the last
    publication (``before``) has of it are taken from there.
    """
    conn.execute("DELETE FROM main.earlier_version")
    gone = {each.segment for each in left(conn, schema="source") if each.text is None}
    for transcript, version, session, recording, *about in conn.execute(_VERSIONS).fetchall():
        now = conn.execute(_SUCCESSOR, (recording,)).fetchone()
        if now is None:
            continue
        row = (version, session, now[0], *about, int(now[0] != recording))
        if before and (there := before.execute(_PRINTS, row).fetchone()) and not _taken_out(conn, recording, now[0]):
            conn.execute(_INSERT, (*row, there[0]))
            continue
        said, whole = _read(conn, transcript, gone)
        withheld = [*whole, *_redacted(conn, recording), *_taken_back(conn, recording)]
        if now[0] != recording:
            later = list(_elsewhere(conn, said, now[0]))
            if None in later:
                continue  # what is redacted there cannot be found here, so that nothing is confirmed
            withheld += [span for span in later if span]
        conn.execute(_INSERT, (*row, pack(prints_of(said, version, withheld))))


_COLUMNS = "version, session_id, recording_id, language, kind, created_at, replaced"
_INSERT = f"INSERT INTO main.earlier_version({_COLUMNS}, prints) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_PRINTS = f"SELECT prints FROM earlier_version WHERE ({_COLUMNS}) = (?, ?, ?, ?, ?, ?, ?)"


def _taken_out(conn: sqlite3.Connection, *recordings: int) -> bool:
    """Return whether anything of some recordings was ever redacted, or taken back."""
    return any(
        conn.execute("SELECT 1 FROM source.redaction WHERE recording_id = ?", (recording,)).fetchone()
        or _taken_back(conn, recording)
        for recording in recordings
    )


def _read(conn: sqlite3.Connection, transcript: int, gone: Iterable[int] = ()) -> tuple[Spoken, list[Span]]:
    """Return what a version says, and the spans of segments that are redacted as a whole."""
    words: list[Word] = []
    spans = []
    for number, segment in said_segments(conn, transcript, schema="source"):
        words += timed_words(segment)
        if number in gone:
            spans.append((segment.start_ms, max(segment.end_ms, segment.start_ms + 1)))
    return spoken(words), spans


def _redacted(conn: sqlite3.Connection, recording: int) -> list[Span]:
    rows = conn.execute(
        "SELECT start_ms, end_ms FROM source.redaction WHERE recording_id = ? AND undone_at IS NULL", (recording,)
    )
    return [(row[0], row[1]) for row in rows]


def _taken_back(conn: sqlite3.Connection, recording: int) -> list[Span]:
    """Return where words were taken back in any version of a recording: a later one may have heard them again."""
    rows = conn.execute(
        "SELECT DISTINCT start_ms, end_ms FROM source.taken_back JOIN source.transcript"
        " ON transcript.id = transcript_id WHERE recording_id = ?",
        (recording,),
    )
    return [(row[0], row[1]) for row in rows]


def _elsewhere(conn: sqlite3.Connection, said: Spoken, recording: int) -> Iterator[Span | None]:
    """Yield the redactions of a recording on the clock of a version of another, a margin around; None for unknown."""
    redacted = _redacted(conn, recording)
    row = conn.execute(
        "SELECT max(id) FROM source.transcript WHERE recording_id = ? AND is_current AND kind <> 'translation'",
        (recording,),
    ).fetchone()
    if not redacted:
        return
    if row[0] is None:
        yield None
        return
    clock = compare(prints_of(_read(conn, row[0])[0], ""), prints_of(said, ""))
    for start, end in redacted:
        first, last = clock.read(start), clock.read(end)
        if first is None or last is None:
            yield None
            return
        yield max(first.ms - first.slack_ms - MARGIN_MS, 0), max(last.ms + last.slack_ms + MARGIN_MS, 1)
