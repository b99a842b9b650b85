"""Captions as shown over a recording: where they break, and from when to when they stand.

A cue has at most two lines of 42 columns and stands for at most seven seconds and, where the next cue
leaves room, at least five sixths of a second: Netflix Timed Text Style Guide, General Requirements,
sections 1 and 4, and English, section "Character limitation". It breaks where a reader would pause:
BBC Subtitle Guidelines, section "Line breaks" (https://www.bbc.co.uk/accessibility/forproducts/guides/subtitles/).
Wide characters (Unicode Standard Annex 11) take two columns. A cue that is faster to say than to read stays
as long as the next one and the seven seconds allow: readers manage 20 characters a second (Netflix, English,
section "Reading Speed Limits"; BBC, section "Timing", asks for 160 to 180 words a minute, which is less).

Captions that people timed keep their times: only what two lines do not hold is cut.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest

from metadata.model import Segment, Transcript

COLUMNS = 42
LONGEST_MS = 7_000
SHORTEST_MS = 833
READING_MS = 50
"""What a reader needs for a column."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
_SENTENCE_END = tuple(".?!…。？！؟।")
_CLAUSE_END = tuple(",;:—–、，；：،؛")
_CLOSING = "\"'”’»)]」』"


@dataclass(frozen=True, slots=True)
class Cue:
    """One caption: one or two ``lines``, shown from ``start_ms`` until ``end_ms``, said by ``speaker``.

    It is ``overlapped`` where others speak at the same time.
    """

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]
    speaker: str | None = None
    overlapped: bool = False


@dataclass(frozen=True, slots=True)
class _Piece:
    """A word with the space that follows it, and its times."""

    start_ms: int
    end_ms: int
    text: str


def cues(transcript: Transcript) -> tuple[Cue, ...]:
    """Return the captions of a transcript, in order; flagged segments are left out.

    They do not overlap, but where captions that people timed do.
    """
    timed = transcript.kind in {"human", "imported"}
    trusted = (segment for segment in transcript.segments if not segment.flags)
    drafts = [cue for segment in trusted for cue in _drafts(segment, None if timed else LONGEST_MS)]
    drafts.sort(key=lambda cue: cue.start_ms)
    return tuple(drafts) if timed else tuple(_spread(drafts))


def _drafts(segment: Segment, longest_ms: int | None) -> Iterator[Cue]:
    """Yield the cues of a segment; the first and last of captions that people timed keep its times."""
    pieces = tuple(_pieces(segment))
    if not pieces:
        return
    if longest_ms is None:
        pieces = (replace(pieces[0], start_ms=segment.start_ms), *pieces[1:])
        pieces = (*pieces[:-1], replace(pieces[-1], end_ms=segment.end_ms))
    for part in _split(pieces, longest_ms):
        yield replace(_cue(part), speaker=segment.speaker, overlapped=bool(segment.overlapped))


def clean(text: str) -> str:
    """Return text on one line: control characters and line breaks are spaces, and outer space is gone."""
    return _CONTROL.sub(" ", text).strip()


def width(text: str) -> int:
    """Return the columns that a text takes; combining marks take none."""
    if text.isascii():
        return len(text)  # lines are broken by trying: most of the time of writing captions is spent here
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def _pieces(segment: Segment) -> Iterator[_Piece]:
    """Cut a segment's text at its words; where they do not match it, at spaces and wide characters."""
    text = clean(segment.text)
    starts: list[int] = []
    cursor = 0
    for word in segment.words:
        found = text.find(clean(word.text), cursor)
        if found < 0:
            return (yield from _guessed(segment, text))
        starts.append(found)
        cursor = found + len(clean(word.text))
    if not starts:
        return (yield from _guessed(segment, text))
    starts[0] = 0
    for word, (start, end) in zip(segment.words, pairwise([*starts, len(text)]), strict=True):
        yield _Piece(word.start_ms, word.end_ms, text[start:end])


def _guessed(segment: Segment, text: str) -> Iterator[_Piece]:
    """Cut text without words' times: each part gets its share of the segment by length."""
    length = segment.end_ms - segment.start_ms
    for match in re.finditer(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]\s*|[^\s\u2e80-\u9fff]+\s*", text):
        yield _Piece(
            segment.start_ms + length * match.start() // len(text),
            segment.start_ms + length * match.end() // len(text),
            match[0],
        )


def _split(pieces: tuple[_Piece, ...], longest_ms: int | None) -> Iterator[tuple[_Piece, ...]]:
    """Halve, at the best place near the middle, until each part fits a cue."""
    if len(pieces) == 1 or ((longest_ms is None or _duration(pieces) <= longest_ms) and _lines(pieces)):
        yield pieces
        return
    total = max(width(_text(pieces)), 1)
    at = min(range(1, len(pieces)), key=lambda i: _cost(pieces, i, total))
    yield from _split(pieces[:at], longest_ms)
    yield from _split(pieces[at:], longest_ms)


def ends_sentence(text: str) -> bool:
    """Whether a sentence ends with a text.

    >>> ends_sentence("He said ‘no.’ "), ends_sentence("He said")
    (True, False)
    """
    return _without_closing(text).endswith(_SENTENCE_END)


def _without_closing(text: str) -> str:
    return text.rstrip().rstrip(_CLOSING)


def _cost(pieces: tuple[_Piece, ...], at: int, total: int) -> float:
    """Return how bad a break before ``pieces[at]`` is: far from the middle, or inside a clause."""
    balance = abs(width(_text(pieces[:at])) / total - 0.5)
    before = pieces[at - 1].text
    pause_ms = pieces[at].start_ms - pieces[at - 1].end_ms
    if ends_sentence(before):
        return balance - 0.3
    if _without_closing(before).endswith(_CLAUSE_END):
        return balance - 0.2
    return balance - min(max(pause_ms, 0), 1_000) / 5_000


def _lines(pieces: tuple[_Piece, ...]) -> tuple[str, ...]:
    """Return the cue's text as one line or two, or nothing if it fits neither."""
    text = _text(pieces)
    total = width(text)
    if total <= COLUMNS:
        return (text,)
    breaks = [
        i for i in range(1, len(pieces)) if width(_text(pieces[:i])) <= COLUMNS and width(_text(pieces[i:])) <= COLUMNS
    ]
    if not breaks:
        return ()
    at = min(breaks, key=lambda i: _cost(pieces, i, total))
    return _text(pieces[:at]), _text(pieces[at:])


def _cue(pieces: tuple[_Piece, ...]) -> Cue:
    return Cue(pieces[0].start_ms, pieces[-1].end_ms, _lines(pieces) or (_text(pieces),))


def _spread(drafts: list[Cue]) -> Iterator[Cue]:
    """Give each cue the time it needs, as far as the next one allows; starts never stand still."""
    starts: list[int] = []
    for draft in drafts:
        starts.append(max(draft.start_ms, starts[-1] + 1) if starts else max(draft.start_ms, 0))
    for draft, start, following in zip_longest(drafts, starts, starts[1:]):
        reading = min(READING_MS * sum(map(width, draft.lines)), LONGEST_MS)
        end = max(draft.end_ms, start + max(SHORTEST_MS, reading))
        yield replace(draft, start_ms=start, end_ms=end if following is None else min(end, following))


def _text(pieces: tuple[_Piece, ...]) -> str:
    return "".join(piece.text for piece in pieces).strip()


def _duration(pieces: tuple[_Piece, ...]) -> int:
    return pieces[-1].end_ms - pieces[0].start_ms
