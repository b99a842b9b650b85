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
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise, zip_longest
from operator import itemgetter

from metadata.model import Segment, Transcript

COLUMNS = 42
LONGEST_MS = 7_000
SHORTEST_MS = 833
READING_MS = 50
"""What a reader needs for a column."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
_PART = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]\s*|[^\s\u2e80-\u9fff]+\s*")
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
class _Spoken:
    """A segment's text, and the words into which it is cut.

    Attributes:
        text: all of it, on one line.
        words: of each, where it begins in the text, and when it starts and ends; it reaches to where the next begins.
        edges: of each word, and of the end, the columns before it: without the space that follows the word before, and
            with it. Lines are broken by trying, and this makes a trial two look-ups.
        pulls: of each word, how good a break after it is; None where only the pause after it tells.
    """

    text: str
    words: Sequence[tuple[int, int, int]]
    edges: Sequence[tuple[int, int]]
    pulls: Sequence[float | None]

    def columns(self, first: int, end: int) -> int:
        """Return what the words from ``first`` until before ``end`` take, without space around them."""
        return max(self.edges[end][0] - self.edges[first][1], 0)

    def line(self, first: int, end: int) -> str:
        """Return the text of these words."""
        until = self.words[end][0] if end < len(self.words) else None
        return self.text[self.words[first][0] : until].strip()


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
    text = clean(segment.text)
    words = _timed(segment, text) or _guessed(segment, text)
    if not words:
        return
    spoken = _Spoken(text, words, _edges(text, words), _pulls(text, words))
    for first, end, lines in _split(spoken, 0, len(words), longest_ms):
        keeps_start, keeps_end = (longest_ms is None and at in {0, len(words)} for at in (first, end))
        yield Cue(
            segment.start_ms if keeps_start else words[first][1],
            segment.end_ms if keeps_end else words[end - 1][2],
            lines,
            segment.speaker,
            bool(segment.overlapped),
        )


def clean(text: str) -> str:
    """Return text on one line: control characters and line breaks are spaces, and outer space is gone."""
    return _CONTROL.sub(" ", text).strip()


def width(text: str) -> int:
    """Return the columns that a text takes; combining marks take none."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(char: str) -> int:
    return 0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _timed(segment: Segment, text: str) -> list[tuple[int, int, int]]:
    """Cut a segment's text at its words; nothing where they do not match it."""
    found: list[tuple[int, int, int]] = []
    cursor = 0
    for word in segment.words:
        plain = clean(word.text)
        at = text.find(plain, cursor)
        if at < 0:
            return []
        found.append((at if found else 0, word.start_ms, word.end_ms))
        cursor = at + len(plain)
    return found


def _guessed(segment: Segment, text: str) -> list[tuple[int, int, int]]:
    """Cut text without words' times at spaces and wide characters; each part gets a share of the time by its length."""
    start_ms, whole = segment.start_ms, len(text)
    length = segment.end_ms - start_ms
    places = [match.start() for match in _PART.finditer(text)]
    times = [start_ms + length * place // whole for place in [*places, whole]] if places else []
    return list(zip(places, times, times[1:], strict=False))


def _edges(text: str, words: Sequence[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """Return the columns before each word and before the end: without space before the place, and with it."""
    columns = range(len(text) + 1) if text.isascii() else [*accumulate(map(_columns, text), initial=0)]
    found = []
    for place in [*(each[0] for each in words), len(text)]:
        before, after = place, place
        while before and text[before - 1].isspace():
            before -= 1
        while after < len(text) and text[after].isspace():
            after += 1
        found.append((columns[before], columns[after]))
    return found


def _pulls(text: str, words: Sequence[tuple[int, int, int]]) -> list[float | None]:
    places = [each[0] for each in words]
    return [_pull(text[start:end]) for start, end in pairwise([*places, len(text)])]


def _pull(word: str) -> float | None:
    bare = _without_closing(word)
    return 0.3 if bare.endswith(_SENTENCE_END) else 0.2 if bare.endswith(_CLAUSE_END) else None


def _split(spoken: _Spoken, first: int, end: int, longest_ms: int | None) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Halve, at the best place near the middle, until each part fits a cue; yield its words' range and its lines."""
    lasts_ms = spoken.words[end - 1][2] - spoken.words[first][1]
    lines = _lines(spoken, first, end) if longest_ms is None or lasts_ms <= longest_ms else ()
    if lines or end - first == 1:
        yield first, end, lines or _lines(spoken, first, end) or (spoken.line(first, end),)
        return
    at = _best_break(spoken, first, end, range(first + 1, end))
    yield from _split(spoken, first, at, longest_ms)
    yield from _split(spoken, at, end, longest_ms)


def ends_sentence(text: str) -> bool:
    """Whether a sentence ends with a text.

    >>> ends_sentence("He said ‘no.’ "), ends_sentence("He said")
    (True, False)
    """
    return _without_closing(text).endswith(_SENTENCE_END)


def _without_closing(text: str) -> str:
    return text.rstrip().rstrip(_CLOSING)


def _best_break(spoken: _Spoken, first: int, end: int, places: Iterable[int]) -> int:
    """Return the best of some words to break before: near the middle, and where a clause ends."""
    total = max(spoken.columns(first, end), 1)

    def badness(at: int) -> float:
        balance = abs(spoken.columns(first, at) / total - 0.5)
        pull = spoken.pulls[at - 1]
        if pull is None:
            pause_ms = spoken.words[at][1] - spoken.words[at - 1][2]
            pull = min(max(pause_ms, 0), 1_000) / 5_000
        return balance - pull

    return min(places, key=badness)


def _lines(spoken: _Spoken, first: int, end: int) -> tuple[str, ...]:
    """Return the words' text as one line or two, or nothing if it fits neither."""
    total = spoken.columns(first, end)
    if total <= COLUMNS:
        return (spoken.line(first, end),)
    earliest = bisect_left(spoken.edges, spoken.edges[end][0] - COLUMNS, first + 1, end, key=itemgetter(1))
    latest = bisect_right(spoken.edges, spoken.edges[first][1] + COLUMNS, first + 1, end, key=itemgetter(0))
    breaks = range(earliest, latest)
    if not breaks:
        return ()
    at = _best_break(spoken, first, end, breaks)
    return spoken.line(first, at), spoken.line(at, end)


def _spread(drafts: list[Cue]) -> Iterator[Cue]:
    """Give each cue the time it needs, as far as the next one allows; starts never stand still."""
    starts: list[int] = []
    for draft in drafts:
        starts.append(max(draft.start_ms, starts[-1] + 1) if starts else max(draft.start_ms, 0))
    for draft, start, following in zip_longest(drafts, starts, starts[1:]):
        reading = min(READING_MS * sum(map(width, draft.lines)), LONGEST_MS)
        end = max(draft.end_ms, start + max(SHORTEST_MS, reading))
        yield replace(draft, start_ms=start, end_ms=end if following is None else min(end, following))
