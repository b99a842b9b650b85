"""From a passage that matches to the moments in it: which segments, which characters, which second."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple, TypeAlias

from archive.index.tokens import BARRIER, fold, places, standing, words
from archive.search.matcher import Matcher, Place, Span
from archive.search.query import Node
from archive.sqlite import sqlite3

CONTEXT_CHARACTERS = 90
"""Characters of the segments before and after a moment."""
REACH = 250
"""Characters that are near each other: about 15 seconds of speech."""
GAP = " … "
FOLDED_GAP = f" {BARRIER} "
"""What stands in folded text for `GAP`: as many characters."""


class Moment(NamedTuple):
    """A place where a query matches.

    Attributes:
        key: the transcript and the positions of its segments: no two moments of a query have the same.
        lines: which lines of the stretch the match lies in, in order.
        first: the character of the stretch's text with which the match begins.
        strength: how many different words and phrases of the query stand in these lines, then how many in all.
    """

    key: tuple[int, ...]
    lines: tuple[int, ...]
    first: int
    strength: tuple[int, int]


class Dense(NamedTuple):
    """A moment in which terms stand near each other, and what these terms count together."""

    weight: float
    moment: Moment


class Stretch:
    """Consecutive segments of a transcript, ready to be asked where a query matches.

    Args:
        transcript: which.
        positions: of the segments, in order.
        folded: the text of each (`archive.index.tokens.fold`); `archive.index.tokens.BARRIER` where it is not searched.

    Attributes:
        text: all lines, with a space between them.
        starts: which character of the text each line begins with.
        matcher: what tells where a query matches in this text.
    """

    def __init__(self, transcript: int, positions: Sequence[int], folded: Sequence[str]) -> None:
        self.transcript = transcript
        self.positions = positions
        self._folded = folded
        self.text = " ".join(folded)
        self.starts = [0, *accumulate(map((1).__add__, map(len, folded)))]
        self.matcher = Matcher(self.text)

    def beginning(self, moment: Moment) -> tuple[int, list[str], int]:
        """Return the position of the segment in which a moment begins, its words, and with which of them."""
        line, ahead = self.locate(moment.first)
        folded = self._folded[line]
        return self.positions[line], folded.split(), len(folded[:ahead].split())

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
        spans = self.matcher.spans(node)
        moments = []
        for lines, first in firsts.items():
            key = (self.transcript, *map(self.positions.__getitem__, lines))
            terms = [term for line in lines for term in self._terms(spans, line)]
            moments.append(Moment(key, lines, first, (len(set(terms)), len(terms))))
        return sorted(moments, key=_strength, reverse=True)

    def keys(self, node: Node, first: int, last: int) -> set[tuple[int, ...]]:
        """Return the keys of the moments that a part has, from one segment to another, by their positions."""
        begin, end = bisect_left(self.positions, first), bisect_right(self.positions, last)
        part = self.matcher.part(self.starts[begin], self.starts[end])
        lines = set(map(self._lines, part.places(node)))
        return {(self.transcript, *map(self.positions.__getitem__, its)) for its in lines}

    def densest(self, weights: Mapping[Node, float]) -> Dense | None:
        """Return the moment, `REACH` characters long at most, whose terms count most, each once; None without any.

        Args:
            weights: what each of some terms counts.
        """
        spans = sorted((span, number) for number, node in enumerate(weights) for span in self.matcher.spans(node))
        if not spans:
            return None
        counts = list(weights.values())
        held: Counter[int] = Counter()
        weight, first, best = 0.0, 0, (0.0, 0, 0, 0)
        for last, (span, number) in enumerate(spans):
            weight += 0 if held[number] else counts[number]
            held[number] += 1
            while first < last and (held[spans[first][1]] > 1 or span.end - spans[first][0].start > REACH):
                held[spans[first][1]] -= 1
                weight -= 0 if held[spans[first][1]] else counts[spans[first][1]]
                first += 1
            # Of moments that count alike, the shortest.
            best = max(best, (round(weight, 6), spans[first][0].start - span.end, -first, last))
        weight, _, first, last = best
        chosen = tuple(span for span, _ in spans[-first : last + 1])
        lines = self._lines(chosen)
        key = (self.transcript, *map(self.positions.__getitem__, lines))
        terms = [term for line in lines for term in self._terms([span for span, _ in spans], line)]
        return Dense(weight, Moment(key, lines, chosen[0].start, (len(set(terms)), len(terms))))

    def folded(self, moment: Moment) -> list[str]:
        """Return the folded text of each line of a moment."""
        return [self._folded[line] for line in moment.lines]

    def locate(self, character: int) -> tuple[int, int]:
        """Return the line of a character, and how many characters of the line stand before it."""
        line = bisect_right(self.starts, character) - 1
        return line, character - self.starts[line]

    def _lines(self, place: Place) -> tuple[int, ...]:
        lines: set[int] = set()
        for start, end in place:
            first = bisect_right(self.starts, start)
            last = bisect_right(self.starts, end - 1, first - 1)
            lines.update(range(first - 1, last))
        return tuple(sorted(lines))

    def _terms(self, spans: Sequence[Span], line: int) -> list[str]:
        """Return what stands at those of some spans, which are in order, that begin in a line."""
        begin = bisect_left(spans, (self.starts[line],))
        end = bisect_left(spans, (self.starts[line + 1],), begin)
        return [" ".join(self.text[start:stop].split()) for start, stop in spans[begin:end]]


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
    speaker: str | None


class StoredSegment(NamedTuple):
    """A segment as the catalogue has it."""

    id: int
    start_ms: int
    end_ms: int
    text: str
    language: str | None
    flags: str
    speaker: str | None


Segments: TypeAlias = dict[tuple[int, int], StoredSegment]
"""Segments by transcript and position."""


def read_segments(conn: sqlite3.Connection, moments: Iterable[Moment]) -> Segments:
    """Return the segments that moments lie in, and their neighbours."""
    wanted = {part for each in moments for part in _around(each)}
    rows = conn.execute(
        "SELECT transcript_id, position, segment.id, start_ms, end_ms, text, language, flags, coalesce(name, label)"
        " FROM json_each(?) AS wanted CROSS JOIN segment"
        " ON transcript_id = wanted.value ->> 0 AND position BETWEEN wanted.value ->> 1 AND wanted.value ->> 2"
        " LEFT JOIN speaker_tag ON speaker_tag.id = speaker_tag_id LEFT JOIN person ON person.id = person_id",
        (json.dumps(sorted(wanted)),),
    )
    return {(row[0], row[1]): StoredSegment(*row[2:]) for row in rows}


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
    told = [_told(moment.lines, _spoken_in(moment, segments), stretch.folded(moment)) for stretch, moment in shown]
    found = zip(shown, starts, told, _highlights(told, node), strict=True)
    return [_excerpt(moment, start, text.written, matches, segments) for (_, moment), start, text, matches in found]


def _excerpt(
    moment: Moment, start_ms: int, text: str, matches: tuple[tuple[int, int], ...], segments: Segments
) -> Excerpt:
    transcript, first, *_ = moment.key
    last = moment.key[-1]
    return Excerpt(
        start_ms=start_ms,
        end_ms=segments[transcript, last].end_ms,
        text=text,
        matches=matches,
        before=_end(_spoken(segments, transcript, first - 1)),
        after=_beginning(_spoken(segments, transcript, last + 1)),
        language=segments[transcript, first].language,
        speaker=segments[transcript, first].speaker,
    )


class _Told(NamedTuple):
    """Segments as one text.

    Attributes:
        written: with a space between segments that follow each other, and `GAP` between others.
        folded: the same, with `FOLDED_GAP` for `GAP`.
        moved: where in the one each word of the other begins and ends; empty where they do so in both alike.
    """

    written: str
    folded: str
    moved: dict[int, int]


def _told(lines: Sequence[int], written: Sequence[str], folded: Sequence[str]) -> _Told:
    text = said = ""
    moved: dict[int, int] = {}
    # To fold a plain text moves no character, but for what stands for the sign of a name.
    plain = all(map(str.isascii, written)) and all(map(_is_as_long, written, folded))
    for nth, (line, here, there) in enumerate(zip(lines, written, folded, strict=True)):
        if nth:
            follows = line == lines[nth - 1] + 1
            text += " " if follows else GAP
            said += " " if follows else FOLDED_GAP
        if not plain:
            for place, other in zip(standing(there), places(here), strict=True):
                moved |= {len(said) + at: len(text) + its for at, its in zip(place, other, strict=True)}
        text += here
        said += there
    return _Told(text, said, moved)


def _is_as_long(text: str, other: str) -> bool:
    return len(text) == len(other)


def highlights(text: str, node: Node) -> tuple[tuple[int, int], ...]:
    """Return the characters of a text to highlight for a query, in order and apart."""
    return _highlights([_told([0], [text], [fold(text)])], node)[0]


def _highlights(told: Sequence[_Told], node: Node) -> list[tuple[tuple[int, int], ...]]:
    """Return the characters to highlight in texts as they were written: every term that stands whole in one."""
    found: list[list[tuple[int, int]]] = [[] for _ in told]
    # All of them at once: to begin to look for a word takes longer than to go on.
    begins = list(accumulate((len(each.folded) + len(FOLDED_GAP) for each in told), initial=0))
    for start, end in Matcher(FOLDED_GAP.join(each.folded for each in told)).spans(node):
        nth = bisect_right(begins, start) - 1
        begin, stop, mine = start - begins[nth], end - begins[nth], found[nth]
        if mine and begin < mine[-1][1]:
            begin, stop = mine[-1][0], max(mine.pop()[1], stop)
        mine.append((begin, stop))
    return [
        tuple((each.moved[begin], each.moved[stop]) for begin, stop in mine) if each.moved else tuple(mine)
        for each, mine in zip(told, found, strict=True)
    ]


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


def _start(segment: StoredSegment, written: list[str], word: int, timed: Sequence[tuple[int, str]]) -> int:
    spelled = ["".join(words(text)) for _, text in timed]
    if "".join(spelled) != "".join(written):
        return segment.start_ms
    before = sum(map(len, written[:word]))
    return timed[bisect_right(list(accumulate(map(len, spelled))), before)][0]


def _spoken_in(moment: Moment, segments: Segments) -> list[str]:
    transcript, *positions = moment.key
    return [segments[transcript, position].text for position in positions]


def _spoken(segments: Segments, transcript: int, position: int) -> str:
    """Return the text of a segment; "" where there is none, or it is doubtful."""
    segment = segments.get((transcript, position))
    return segment.text.strip() if segment and segment.flags == "[]" else ""


def _end(text: str) -> str:
    return text if len(text) <= CONTEXT_CHARACTERS else "…" + text[-CONTEXT_CHARACTERS:].partition(" ")[2]


def _beginning(text: str) -> str:
    return text if len(text) <= CONTEXT_CHARACTERS else text[:CONTEXT_CHARACTERS].rpartition(" ")[0] + "…"
