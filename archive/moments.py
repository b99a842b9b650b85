"""From a passage that matches to the moments in it: which segments, which characters, which second."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from itertools import accumulate

from archive.db import sqlite3
from archive.matching import Matcher, Span
from archive.passages import Line
from archive.query import Node
from archive.tokens import BARRIER, tokenize, words

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

    def __init__(self, transcript: int, lines: list[Line]) -> None:
        self.transcript = transcript
        self.lines = lines
        spelled = [line.words for line in lines]
        self.words = [word for line in spelled for word in line]
        self.starts = [0, *accumulate(map(len, spelled))]
        self._matcher = Matcher(self.words)

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
        apart: list[Span] = []
        for span in self._matcher.spans(node):
            if not shown.issuperset(self._lines(span)):
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


def excerpt(conn: sqlite3.Connection, stretch: Stretch, node: Node, moment: Moment) -> Excerpt:
    """Return a moment with its text, what is highlighted in it, its times and a little of its neighbours."""
    lines = [stretch.lines[index] for index in moment.lines]
    text, characters = "", {}
    for previous, index in zip((None, *moment.lines), moment.lines, strict=False):
        if previous is not None:
            text += " " if index == previous + 1 else GAP
        for number, token in enumerate(tokenize(stretch.lines[index].text), stretch.starts[index]):
            characters[number] = (len(text) + token.start, len(text) + token.end)
        text += stretch.lines[index].text
    index, word = stretch.locate(moment.first)
    return Excerpt(
        start_ms=_time(conn, stretch.lines[index], word),
        end_ms=lines[-1].end_ms,
        text=text,
        matches=tuple((characters[span.start][0], characters[span.end - 1][1]) for span in stretch.spans(node, moment)),
        before=_end(_neighbour(conn, stretch, moment.lines[0], -1)),
        after=_beginning(_neighbour(conn, stretch, moment.lines[-1], 1)),
        language=lines[0].language,
    )


def highlights(text: str, node: Node) -> tuple[tuple[int, int], ...]:
    """Return the characters of a text to highlight for a query, in order and apart."""
    tokens = tokenize(text)
    line = Line(0, 0, 0, 0, text, None, " ".join(token.text for token in tokens))
    spans = Stretch(0, [line]).spans(node, Moment((0,), 0, (0, 0)))
    return tuple((tokens[span.start].start, tokens[span.end - 1].end) for span in spans)


def _time(conn: sqlite3.Connection, line: Line, word: int) -> int:
    """Return when a word of a segment begins: by the word's own time where words and segment have the same letters."""
    timed = conn.execute(
        "SELECT start_ms, text FROM word WHERE segment_id = ? ORDER BY position", (line.id,)
    ).fetchall()
    spelled = ["".join(words(text)) for _, text in timed]
    written = line.words
    if "".join(spelled) != "".join(written):
        return line.start_ms
    before = sum(map(len, written[:word]))
    ends = list(accumulate(map(len, spelled)))
    start: int = timed[bisect_right(ends, before)][0]
    return start


def _neighbour(conn: sqlite3.Connection, stretch: Stretch, index: int, step: int) -> str:
    """Return the text of the segment before or after one, "" where it is doubtful or there is none."""
    position = stretch.lines[index].position + step
    if 0 <= index + step < len(stretch.lines) and stretch.lines[index + step].position == position:
        line = stretch.lines[index + step]
        return "" if line.folded == BARRIER else line.text.strip()
    return _spoken(conn, stretch.transcript, position)


def _spoken(conn: sqlite3.Connection, transcript: int, position: int) -> str:
    row = conn.execute(
        "SELECT text FROM segment WHERE transcript_id = ? AND position = ? AND flags = '[]'", (transcript, position)
    ).fetchone()
    return str(row[0]).strip() if row else ""


def _end(text: str) -> str:
    return text if len(text) <= CONTEXT else "…" + text[-CONTEXT:].partition(" ")[2]


def _beginning(text: str) -> str:
    return text if len(text) <= CONTEXT else text[:CONTEXT].rpartition(" ")[0] + "…"
