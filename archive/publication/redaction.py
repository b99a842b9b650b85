"""Minutes that are taken out of everything published: words, sound and picture.

The catalogue keeps what was said. A publication is built without the words of a redaction (`left`), and renditions
without its sound and picture (`pipelines.stages.render`). What was made before a redaction is no longer published from
the moment that it is decided.

A redaction reaches as far as the words that it touches: no half of a word stays to be heard.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archive.catalogue.recordings import StoredFile
from archive.catalogue.rows import touch
from archive.errors import UnknownSubjectError
from archive.sqlite import Database, sqlite3

Span = tuple[int, int]
"""From when to when, in milliseconds of a recording."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """Minutes of a recording that are taken out.

    Attributes:
        id: names it.
        sha256: the recording's.
        start_ms, end_ms: in milliseconds.
        reason: why, and whether the public may know.
        by, at: who decided it, and when, ISO 8601 UTC.
        undone_at: when it was taken back; None while it holds.
    """

    id: int
    sha256: str
    start_ms: int
    end_ms: int
    reason: str
    reason_is_public: bool
    by: str
    at: str
    undone_at: str | None


def redact(
    db: Database, recording: int, span: Span, *, reason: str, reason_is_public: bool, by: str, at: str
) -> tuple[int, list[StoredFile]]:
    """Take minutes out of a recording. The caller owns the transaction, and deletes the files.

    Returns:
        What names the redaction, and the renditions that nobody may have any more.
    """
    start_ms, end_ms = _whole_words(db, recording, span)
    cursor = db.execute(
        "INSERT INTO redaction(recording_id, start_ms, end_ms, reason, reason_is_public, decided_by, decided_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [recording, start_ms, end_ms, reason, int(reason_is_public), by, at],
    )
    return int(cursor.lastrowid or 0), forget_renditions(db, recording)


def undo(db: Database, redaction: int, *, by: str, at: str) -> list[StoredFile]:
    """Take a redaction back: what it took out is published again. See `redact` for what is returned.

    Raises:
        UnknownSubjectError: there is none that holds.
    """
    row = db.execute(
        "UPDATE redaction SET undone_by = ?, undone_at = ? WHERE id = ? AND undone_at IS NULL RETURNING recording_id",
        [by, at, redaction],
    ).fetchone()
    if row is None:
        raise UnknownSubjectError("redaction", str(redaction))
    return forget_renditions(db, row[0])


def redactions(db: Database, recordings: Sequence[int]) -> list[Redaction]:
    """Return the redactions of some recordings, also those that were taken back, in order."""
    marks = ", ".join("?" * len(recordings))
    rows = db.execute(
        "SELECT redaction.id, sha256, start_ms, end_ms, reason, reason_is_public, decided_by, decided_at, undone_at"
        f" FROM redaction JOIN recording ON recording.id = recording_id WHERE recording_id IN ({marks})"
        " ORDER BY recording_id, start_ms, redaction.id",
        list(recordings),
    ).fetchall()
    return [Redaction(*[*row[:5], bool(row[5]), *row[6:]]) for row in rows]


def hidden(db: Database, sha256: str) -> tuple[int, tuple[Span, ...]]:
    """Return what is taken out of a recording, and how often anything was decided about that."""
    rows = db.execute(
        "SELECT start_ms, end_ms, undone_at FROM redaction JOIN recording ON recording.id = recording_id"
        " WHERE sha256 = ? ORDER BY start_ms, end_ms",
        [sha256],
    ).fetchall()
    spans = tuple((row[0], row[1]) for row in rows if row[2] is None)
    return len(rows) + sum(row[2] is not None for row in rows), spans


def _whole_words(db: Database, recording: int, span: Span) -> Span:
    """Return a span that also has the whole of the words that it touches, in whatever is spoken by now."""
    row = db.execute(
        "SELECT min(word.start_ms), max(word.end_ms) FROM word JOIN segment ON segment.id = segment_id"
        " JOIN transcript ON transcript.id = transcript_id WHERE recording_id = ? AND is_current"
        " AND kind <> 'translation' AND word.start_ms < ? AND word.end_ms > ?",
        [recording, span[1], span[0]],
    ).fetchone()
    return min(span[0], row[0] or span[0]), max(span[1], row[1] or span[1])


def forget_renditions(db: Database, recording: int) -> list[StoredFile]:
    """Let nothing be published that was made of a recording so far, and return the files that nothing else needs."""
    rows = db.execute("DELETE FROM rendition WHERE recording_id = ? RETURNING sha256, suffix, bytes", [recording])
    files = [StoredFile(*row) for row in rows.fetchall()]
    touch(db)
    used = "SELECT 1 FROM rendition WHERE sha256 = ?1 UNION ALL SELECT 1 FROM recording WHERE sha256 = ?1"
    return [file for file in files if db.execute(used, [file.sha256]).fetchone() is None]


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a segment of which something is redacted.

    Attributes:
        segment, transcript: their ids.
        text: what is still said; None where nothing is.
        start_ms, end_ms: from the first word that is left to the last.
        out: the positions of the words that are taken out.
    """

    segment: int
    transcript: int
    text: str | None
    start_ms: int
    end_ms: int
    out: tuple[int, ...]


def left(conn: sqlite3.Connection, *, schema: str = "main", recording: int | None = None) -> Iterator[Left]:
    """Yield what redactions leave of the segments that they touch, of all recordings or of one.

    A segment keeps the words that are not redacted; one whose words have no times of their own is taken out whole.
    """
    rows = conn.execute(_TOUCHED.format(schema=schema), {"recording": recording}).fetchall()
    for segment, transcript, text, first_ms, last_ms, spans in rows:
        words = conn.execute(
            f"SELECT position, start_ms, end_ms, text FROM {schema}.word WHERE segment_id = ? ORDER BY position",
            (segment,),
        ).fetchall()
        yield left_of((segment, transcript, text, first_ms, last_ms), words, _spans(spans))


def left_of(
    segment: tuple[int, int, str, int, int], words: Sequence[tuple[int, int, int, str]], spans: Sequence[Span]
) -> Left:
    """Return what is left of a segment when spans are taken out of it.

    Args:
        segment: its id, its transcript's, its text, and from when to when it lasts.
        words: position, start, end and text of each, in order.
        spans: what is taken out, in milliseconds.
    """
    number, transcript, text, first_ms, last_ms = segment
    kept = [word for word in words if not _touches(word[1], word[2], spans)]
    out = tuple(word[0] for word in words if word not in kept)
    if not kept:
        return Left(number, transcript, None, first_ms, last_ms, out)
    return Left(number, transcript, _without(text, words, kept), kept[0][1], max(word[2] for word in kept), out)


def take_out(db: Database, recording: int) -> None:
    """Take the redacted words of a recording out of all versions of its transcript. The caller owns the transaction."""
    for each in list(left(db.conn, recording=recording)):
        leave(db, each)


def leave(db: Database, each: Left) -> None:
    """Write what is left of a segment in its place. The caller owns the transaction."""
    db.execute(
        "DELETE FROM meaning WHERE transcript_id = ? AND (SELECT position FROM segment WHERE id = ?)"
        " BETWEEN first_position AND last_position",
        [each.transcript, each.segment],
    )
    db.conn.executemany(
        "DELETE FROM word WHERE segment_id = ? AND position = ?", ((each.segment, place) for place in each.out)
    )
    if each.text is None:
        db.execute("DELETE FROM segment WHERE id = ?", [each.segment])
    else:
        db.execute(
            "UPDATE segment SET text = ?, start_ms = ?, end_ms = ? WHERE id = ?",
            [each.text, each.start_ms, each.end_ms, each.segment],
        )


_TOUCHED = """
SELECT segment.id, transcript.id, segment.text, segment.start_ms, segment.end_ms,
  group_concat(redaction.start_ms || '-' || redaction.end_ms)
FROM {schema}.redaction JOIN {schema}.transcript ON transcript.recording_id = redaction.recording_id
  JOIN {schema}.segment ON transcript_id = transcript.id
  AND segment.start_ms < redaction.end_ms AND max(segment.end_ms, segment.start_ms + 1) > redaction.start_ms
WHERE coalesce(:recording, redaction.recording_id) = redaction.recording_id AND undone_at IS NULL
GROUP BY segment.id
"""

_Word = tuple[int, int, int, str]


def _spans(text: str) -> list[Span]:
    return [(int(start), int(end)) for start, _, end in (each.partition("-") for each in text.split(","))]


def _touches(start_ms: int, end_ms: int, spans: Sequence[Span]) -> bool:
    return any(start_ms < end and max(end_ms, start_ms + 1) > start for start, end in spans)


def _without(text: str, words: Sequence[_Word], kept: Sequence[_Word]) -> str:
    """Return a segment's text without some of its words: as it is written, where its words are found in it."""
    places = list(_places(text, words))
    if len(places) < len(words):
        joint = "" if any(word[3][:1].isspace() for word in words) else " "
        return joint.join(word[3] for word in kept).strip()
    parts, at = [], 0
    for number, word in enumerate(words):
        end = places[number + 1] if number + 1 < len(words) else len(text)
        if word in kept:
            parts.append(text[at:end])
        at = end
    return " ".join("".join(parts).split())


def _places(text: str, words: Sequence[_Word]) -> Iterator[int]:
    """Yield where each word begins in a text, in order, until one is not there."""
    at = 0
    for word in words:
        said = word[3].strip()
        found = text.find(said, at)
        if not said or found < 0:
            return
        yield found
        at = found + len(said)
