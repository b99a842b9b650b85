"""From a passage that matches to the moments in it: which segments, which characters, which second."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain
from typing import Any, NamedTuple

from archive.db import sqlite3
from archive.matching import Matcher, Span
from archive.passages import Line, fold_spoken
from archive.query import Node
from archive.tokens import BARRIER, places, words

CONTEXT = 90
"""Characters of the segments before and after a moment."""
GAP = " … "


@dataclass(frozen=True, slots=True)
class Moment:
    """A place where a query matches.

    Attributes:
        lines: which lines of the stretch the match lies in, in order.
        first: the word of the stretch with which the match begins.
        strength: how many different words and phrases of the query stand in these lines, then how many in all.
    """

    lines: tuple[int, ...]
    first: int
    strength: tuple[int, int]


class Stretch:
    """Consecutive segments of a transcript, ready to be asked where a query matches."""

    def __init__(self, transcript: int, segments: Sequence[tuple[Any, ...]], *, doubtful: bool = False) -> None:
        self.transcript = transcript
        self._segments = segments
        self._doubtful = doubtful

    @cached_property
    def _folded(self) -> list[str]:
        return fold_spoken(self._segments, doubtful=self._doubtful)

    def line(self, index: int) -> Line:
        """Return a segment with its folded text."""
        position, key, start, end, language, text, _ = self._segments[index]
        return Line(key, position, start, end, text, language, self._folded[index])

    def __len__(self) -> int:
        """Return how many segments there are."""
        return len(self._segments)

    def key(self, moment: Moment) -> tuple[int, ...]:
        """Return the transcript and the positions of a moment's segments: no two moments of a query have the same."""
        return (self.transcript, *(self._segments[line][0] for line in moment.lines))

    def lasts(self, moment: Moment) -> tuple[int, int]:
        """Return from when to when a moment's segments last, in milliseconds."""
        return self._segments[moment.lines[0]][2], self._segments[moment.lines[-1]][3]

    @cached_property
    def _spelled(self) -> list[list[str]]:
        return [folded.split() for folded in self._folded]

    @cached_property
    def words(self) -> list[str]:
        """The folded words of all lines."""
        return list(chain.from_iterable(self._spelled))

    @cached_property
    def starts(self) -> list[int]:
        """Which word each line begins with, and how many there are."""
        return [0, *accumulate(map(len, self._spelled))]

    @cached_property
    def _matcher(self) -> Matcher:
        return Matcher(self.words)

    def moments(self, node: Node) -> list[Moment]:
        """Return the moments of a query, the best first. Matches that lie in the same segments are one moment."""
        firsts: dict[tuple[int, ...], int] = {}
        for place in self._matcher.places(node):
            lines = tuple(sorted({line for span in place for line in self._lines(span)}))
            firsts.setdefault(lines, place[0].start)
        counts = self._counts(node)
        moments = [
            Moment(lines, first, (len(set().union(*(counts[x] for x in lines))), sum(len(counts[x]) for x in lines)))
            for lines, first in firsts.items()
        ]
        return sorted(moments, key=lambda moment: moment.strength, reverse=True)

    def spans(self, node: Node, moment: Moment) -> list[Span]:
        """Return the words to highlight in a moment: every term that stands whole in its lines, none twice."""
        shown = set(moment.lines)
        begin, end = self.starts[moment.lines[0]], self.starts[moment.lines[-1] + 1]
        apart: list[Span] = []
        for span in self._matcher.spans(node):
            if span.start < begin or span.end > end or not shown.issuperset(self._lines(span)):
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

    def _lines(self, span: Span) -> range:
        return range(self.locate(span.start)[0], self.locate(span.end - 1)[0] + 1)

    def _counts(self, node: Node) -> defaultdict[int, list[tuple[str, ...]]]:
        counts: defaultdict[int, list[tuple[str, ...]]] = defaultdict(list)
        for span in self._matcher.spans(node):
            counts[self.locate(span.start)[0]].append(tuple(self.words[span.start : span.end]))
        return counts


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What a reader sees of a moment. ``matches`` are characters of ``text``; times are milliseconds."""

    start_ms: int
    end_ms: int
    text: str
    matches: tuple[tuple[int, int], ...]
    before: str
    after: str
    language: str | None


def excerpts(conn: sqlite3.Connection, shown: Sequence[tuple[Stretch, Moment]], node: Node) -> list[Excerpt]:
    """Return moments with their text, what is highlighted in it, their times and a little of their neighbours."""
    starts = _starts(conn, [_first(stretch, moment) for stretch, moment in shown])
    edges = [edge for stretch, moment in shown for edge in _edges(stretch, moment)]
    beyond = _spoken(conn, {(edge.transcript, edge.position) for edge in edges if edge.line is None})
    around = [_spelled(edge, beyond) for edge in edges]
    return [
        _excerpt(stretch, moment, node, start, before, after)
        for (stretch, moment), start, before, after in zip(shown, starts, around[::2], around[1::2], strict=True)
    ]


def _excerpt(stretch: Stretch, moment: Moment, node: Node, start_ms: int, before: str, after: str) -> Excerpt:
    text, characters = "", {}
    for previous, index in zip((None, *moment.lines), moment.lines, strict=False):
        if previous is not None:
            text += " " if index == previous + 1 else GAP
        line = stretch.line(index)
        for number, (start, end) in enumerate(places(line.text), stretch.starts[index]):
            characters[number] = (len(text) + start, len(text) + end)
        text += line.text
    return Excerpt(
        start_ms=start_ms,
        end_ms=stretch.lasts(moment)[1],
        text=text,
        matches=tuple((characters[span.start][0], characters[span.end - 1][1]) for span in stretch.spans(node, moment)),
        before=_end(before),
        after=_beginning(after),
        language=stretch.line(moment.lines[0]).language,
    )


def highlights(text: str, node: Node) -> tuple[tuple[int, int], ...]:
    """Return the characters of a text to highlight for a query, in order and apart."""
    characters = places(text)
    spans = Stretch(0, [(0, 0, 0, 0, None, text, "[]")]).spans(node, Moment((0,), 0, (0, 0)))
    return tuple((characters[span.start][0], characters[span.end - 1][1]) for span in spans)


def _first(stretch: Stretch, moment: Moment) -> tuple[Line, int]:
    """Return the line in which a moment begins, and with which of its words."""
    line, word = stretch.locate(moment.first)
    return stretch.line(line), word


def _starts(conn: sqlite3.Connection, begun: Sequence[tuple[Line, int]]) -> list[int]:
    """Return when words of segments begin: by their own times where words and segment have the same letters."""
    timed: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
    rows = conn.execute(
        "SELECT segment_id, start_ms, text FROM word WHERE segment_id IN (SELECT value FROM json_each(?))"
        " ORDER BY segment_id, position",
        (json.dumps([line.id for line, _ in begun]),),
    )
    for segment, start, text in rows:
        timed[segment].append((start, text))
    return [_start(line, word, timed.get(line.id, ())) for line, word in begun]


def _start(line: Line, word: int, timed: Sequence[tuple[int, str]]) -> int:
    spelled = ["".join(words(text)) for _, text in timed]
    written = line.words
    if "".join(spelled) != "".join(written):
        return line.start_ms
    before = sum(map(len, written[:word]))
    return timed[bisect_right(list(accumulate(map(len, spelled))), before)][0]


class _Edge(NamedTuple):
    """The segment before or after a moment, with its text where it was read already."""

    transcript: int
    position: int
    line: Line | None


def _edges(stretch: Stretch, moment: Moment) -> Iterator[_Edge]:
    for index, step in ((moment.lines[0], -1), (moment.lines[-1], 1)):
        position = stretch.line(index).position + step
        beside = stretch.line(index + step) if 0 <= index + step < len(stretch) else None
        yield _Edge(stretch.transcript, position, beside if beside and beside.position == position else None)


def _spoken(conn: sqlite3.Connection, wanted: set[tuple[int, int]]) -> dict[tuple[int, int], str]:
    """Return the text of segments, by transcript and position, without those that are doubtful."""
    if not wanted:
        return {}
    rows = conn.execute(
        "SELECT transcript_id, position, text FROM json_each(?) AS wanted CROSS JOIN segment"
        " ON transcript_id = wanted.value ->> 0 AND position = wanted.value ->> 1 WHERE flags = '[]'",
        (json.dumps(sorted(wanted)),),
    )
    return {(transcript, position): text for transcript, position, text in rows}


def _spelled(edge: _Edge, beyond: Mapping[tuple[int, int], str]) -> str:
    if edge.line is None:
        return beyond.get((edge.transcript, edge.position), "").strip()
    return "" if edge.line.folded == BARRIER else edge.line.text.strip()


def _end(text: str) -> str:
    return text if len(text) <= CONTEXT else "…" + text[-CONTEXT:].partition(" ")[2]


def _beginning(text: str) -> str:
    return text if len(text) <= CONTEXT else text[:CONTEXT].rpartition(" ")[0] + "…"
