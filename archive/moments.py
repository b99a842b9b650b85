"""From a passage that matches to the moments in it: which segments, which characters, which second."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain
from typing import NamedTuple, TypeAlias

from archive.db import sqlite3
from archive.matching import Matcher, Place, Span
from archive.query import Node
from archive.tokens import places, words

CONTEXT = 90
"""Characters of the segments before and after a moment."""
GAP = " … "


class Moment(NamedTuple):
    """A place where a query matches.

    Attributes:
        key: the transcript and the positions of its segments: no two moments of a query have the same.
        lines: which lines of the stretch the match lies in, in order.
        first: the word of the stretch with which the match begins.
        strength: how many different words and phrases of the query stand in these lines, then how many in all.
    """

    key: tuple[int, ...]
    lines: tuple[int, ...]
    first: int
    strength: tuple[int, int]


class Stretch:
    """Consecutive segments of a transcript, ready to be asked where a query matches.

    Args:
        transcript: which.
        positions: of the segments, in order.
        spelled: the words of each (`archive.passages.spell_spoken`).

    Attributes:
        words: the folded words of all lines.
        starts: which word each line begins with, and how many there are.
        matcher: what tells where a query matches in these words.
    """

    def __init__(self, transcript: int, positions: Sequence[int], spelled: Sequence[list[str]]) -> None:
        self.transcript = transcript
        self.positions = positions
        self._spelled = spelled
        self.words = list(chain.from_iterable(spelled))
        self.starts = [0, *accumulate(map(len, spelled))]
        self.matcher = Matcher(self.words)

    def beginning(self, moment: Moment) -> tuple[int, list[str], int]:
        """Return the position of the segment in which a moment begins, its words, and with which of them."""
        line, word = self.locate(moment.first)
        return self.positions[line], self._spelled[line], word

    def moments(self, node: Node, beside: Iterable[Moment] = ()) -> list[Moment]:
        """Return the moments of a query, the best first, without those that lie in the same segments as others.

        Matches that lie in the same segments are one moment.
        """
        known = {moment.lines for moment in beside}
        firsts: dict[tuple[int, ...], int] = {}
        for place in self.matcher.places(node):
            lines = self._lines(place)
            if lines not in known:
                firsts.setdefault(lines, place[0].start)
        if not firsts:
            return []
        counts = self._counts(node, set(chain.from_iterable(firsts)))
        moments = []
        for lines, first in firsts.items():
            key = (self.transcript, *map(self.positions.__getitem__, lines))
            terms = list(chain.from_iterable(map(counts.__getitem__, lines)))
            moments.append(Moment(key, lines, first, (len(set(terms)), len(terms))))
        return sorted(moments, key=_strength, reverse=True)

    def spans(self, node: Node, moment: Moment) -> list[Span]:
        """Return the words to highlight in a moment: every term that stands whole in its lines, none twice."""
        begin, end = self.starts[moment.lines[0]], self.starts[moment.lines[-1] + 1]
        lines = set(moment.lines)
        apart: list[Span] = []
        for span in self.matcher.spans(node):
            if span.start < begin or span.end > end or not lines.issuperset(self._lines((span,))):
                continue
            if apart and span.start < apart[-1].end:
                apart[-1] = Span(apart[-1].start, max(apart[-1].end, span.end))
            else:
                apart.append(span)
        return apart

    def locate(self, word: int) -> tuple[int, int]:
        """Return the line of a word, and which of the line's words it is."""
        line = bisect_right(self.starts, word) - 1
        return line, word - self.starts[line]

    def _lines(self, place: Place) -> tuple[int, ...]:
        lines: set[int] = set()
        for start, end in place:
            first = bisect_right(self.starts, start)
            last = bisect_right(self.starts, end - 1, first - 1)
            lines.update(range(first - 1, last))
        return tuple(sorted(lines))

    def _counts(self, node: Node, lines: set[int]) -> dict[int, list[tuple[str, ...]]]:
        """Return the words and phrases of a query that begin in each of some lines."""
        counts: dict[int, list[tuple[str, ...]]] = {line: [] for line in lines}
        for start, end in self.matcher.spans(node):
            line = bisect_right(self.starts, start) - 1
            if line in counts:
                counts[line].append(tuple(self.words[start:end]))
        return counts


def _strength(moment: Moment) -> tuple[int, int]:
    return moment.strength


class Excerpt(NamedTuple):
    """What a reader sees of a moment. ``matches`` are characters of ``text``; times are milliseconds."""

    start_ms: int
    end_ms: int
    text: str
    matches: tuple[tuple[int, int], ...]
    before: str
    after: str
    language: str | None


class Segment(NamedTuple):
    """A segment as the catalogue has it."""

    id: int
    start_ms: int
    end_ms: int
    text: str
    language: str | None
    flags: str


Segments: TypeAlias = dict[tuple[int, int], Segment]
"""Segments by transcript and position."""


def read_segments(conn: sqlite3.Connection, moments: Iterable[Moment]) -> Segments:
    """Return the segments that moments lie in, and their neighbours."""
    wanted = {part for each in moments for part in _around(each)}
    rows = conn.execute(
        "SELECT transcript_id, position, segment.id, start_ms, end_ms, text, language, flags"
        " FROM json_each(?) AS wanted CROSS JOIN segment"
        " ON transcript_id = wanted.value ->> 0 AND position BETWEEN wanted.value ->> 1 AND wanted.value ->> 2",
        (json.dumps(sorted(wanted)),),
    )
    return {(row[0], row[1]): Segment(*row[2:]) for row in rows}


def _around(moment: Moment) -> list[tuple[int, int, int]]:
    """Return a moment's transcript, and from where to where its segments and their neighbours are."""
    transcript, first, *others = moment.key
    if not others or others[-1] - first <= 2 * len(others):
        return [(transcript, first - 1, (others or [first])[-1] + 1)]
    return [(transcript, position - 1, position + 1) for position in (first, *others)]


def excerpts(
    conn: sqlite3.Connection,
    shown: Sequence[tuple[Stretch, Moment]],
    node: Node,
    segments: Segments | None = None,
) -> list[Excerpt]:
    """Return moments with their text, what is highlighted in it, their times and a little of their neighbours.

    Args:
        conn: the database.
        shown: moments.
        node: what is highlighted.
        segments: those of the moments, if they were read before (`read_segments`).
    """
    if segments is None:
        segments = read_segments(conn, (moment for _, moment in shown))
    starts = _starts(conn, shown, segments)
    return [
        _excerpt(stretch, moment, node, start, segments) for (stretch, moment), start in zip(shown, starts, strict=True)
    ]


def _excerpt(stretch: Stretch, moment: Moment, node: Node, start_ms: int, segments: Segments) -> Excerpt:
    transcript, *positions = moment.key
    lines = [segments[transcript, position] for position in positions]
    text = lines[0].text
    characters = dict(enumerate(places(text), stretch.starts[moment.lines[0]]))
    for previous, index, line in zip(moment.lines, moment.lines[1:], lines[1:], strict=False):
        text += " " if index == previous + 1 else GAP
        ahead = len(text)
        for number, (start, end) in enumerate(places(line.text), stretch.starts[index]):
            characters[number] = ahead + start, ahead + end
        text += line.text
    return Excerpt(
        start_ms=start_ms,
        end_ms=lines[-1].end_ms,
        text=text,
        matches=tuple((characters[start][0], characters[end - 1][1]) for start, end in stretch.spans(node, moment)),
        before=_end(_spoken(segments, transcript, positions[0] - 1)),
        after=_beginning(_spoken(segments, transcript, positions[-1] + 1)),
        language=lines[0].language,
    )


def highlights(text: str, node: Node) -> tuple[tuple[int, int], ...]:
    """Return the characters of a text to highlight for a query, in order and apart."""
    characters = places(text)
    spans = Stretch(0, [0], [words(text)]).spans(node, Moment((0, 0), (0,), 0, (0, 0)))
    return tuple((characters[span.start][0], characters[span.end - 1][1]) for span in spans)


def _starts(conn: sqlite3.Connection, shown: Sequence[tuple[Stretch, Moment]], segments: Segments) -> list[int]:
    """Return when moments begin: by their words' own times where words and segment have the same letters."""
    begun = [stretch.beginning(moment) for stretch, moment in shown]
    first = [segments[stretch.transcript, at] for (stretch, _), (at, _, _) in zip(shown, begun, strict=True)]
    timed: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
    rows = conn.execute(
        "SELECT segment_id, start_ms, text FROM word WHERE segment_id IN (SELECT value FROM json_each(?))"
        " ORDER BY segment_id, position",
        (json.dumps([segment.id for segment in first]),),
    )
    for segment, start, text in rows:
        timed[segment].append((start, text))
    return [
        _start(segment, written, word, timed[segment.id]) if segment.id in timed else segment.start_ms
        for segment, (_, written, word) in zip(first, begun, strict=True)
    ]


def _start(segment: Segment, written: list[str], word: int, timed: Sequence[tuple[int, str]]) -> int:
    spelled = ["".join(words(text)) for _, text in timed]
    if "".join(spelled) != "".join(written):
        return segment.start_ms
    before = sum(map(len, written[:word]))
    return timed[bisect_right(list(accumulate(map(len, spelled))), before)][0]


def _spoken(segments: Segments, transcript: int, position: int) -> str:
    """Return the text of a segment; "" where there is none, or it is doubtful."""
    segment = segments.get((transcript, position))
    return segment.text.strip() if segment and segment.flags == "[]" else ""


def _end(text: str) -> str:
    return text if len(text) <= CONTEXT else "…" + text[-CONTEXT:].partition(" ")[2]


def _beginning(text: str) -> str:
    return text if len(text) <= CONTEXT else text[:CONTEXT].rpartition(" ")[0] + "…"
