"""Where a query matches in folded text: what FTS5 answers with yes or no, with places.

Since indexed words and these are the same (see `archive.index.tokens`), a run that FTS5 gives has a place here. Text is
asked as it was folded, with one space or more between words: to cut it into words takes longer than to look for some.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from heapq import heapify, heapreplace
from itertools import chain
from typing import NamedTuple, TypeAlias

from archive.search.query import And, Field, Leaf, Near, Node, Not, Or, Phrase, Prefix, Stemmed, Word, leaves


class Span(NamedTuple):
    """Characters ``start:end`` of a text: one or more whole words."""

    start: int
    end: int


Place: TypeAlias = tuple[Span, ...]
"""The words of one match, in order."""


class Matcher:
    """A folded text, ready to be asked."""

    def __init__(self, text: str) -> None:
        # Each word has a space before and after it; the one before stands where the word does in the text as given.
        self._text = f" {text} "
        self._found: dict[Leaf, list[Span]] = {}

    def part(self, start: int, end: int) -> Matcher:
        """Return what tells where a query matches in a part of the text, from one line's first character to another's.

        Places are characters of the whole text.
        """
        return _Part(self, start, end)

    def places(self, node: Node) -> list[Place]:
        """Return where a query matches, in order; of words that must all occur, where they are closest together."""
        match node:
            case Or(nodes):
                return sorted({place for child in nodes for place in self.places(child)})
            case And(nodes):
                if any(isinstance(child, Not) and self.places(child.node) for child in nodes):
                    return []
                return _closest([self.places(child) for child in nodes if not isinstance(child, Not)])
            case Near(terms, distance):
                return self._near([self._spans(term) for term in terms], distance)
            case Not() | Field():
                raise TypeError("what is not there has no place")
            case _:
                return [(span,) for span in self._spans(node)]

    def spans(self, node: Node) -> list[Span]:
        """Return every occurrence of every term that the query looks for, in order."""
        terms = [self._spans(leaf) for leaf in leaves(node)]
        return terms[0] if len(terms) == 1 else sorted(set(chain.from_iterable(terms)))

    def _spans(self, leaf: Leaf) -> list[Span]:
        if leaf not in self._found:
            self._found[leaf] = self._look_for(leaf)
        return self._found[leaf]

    def _look_for(self, leaf: Leaf) -> list[Span]:
        match leaf:
            case Word(text):
                return self._occurrences(text)
            case Phrase(parts):
                return self._occurrences(parts[0]) if len(parts) == 1 else self._runs(parts, "")
            case Prefix(parts):
                return self._runs(parts, "[^ ]*")
            case Stemmed():
                forms = leaf.forms(self._words_with(leaf.letter))
                return sorted(chain.from_iterable(map(self._occurrences, forms)))

    def _words_with(self, letter: str) -> set[str]:
        """Return the different words that begin with a letter; all of them where it is none."""
        return set(re.findall(f" ({letter or '[^ ]'}[^ ]*)", self._text))

    def _occurrences(self, word: str) -> list[Span]:
        """Return where a word stands."""
        # Python finds one text in another much sooner than a pattern.
        wanted, size = f" {word} ", len(word)
        found: list[Span] = []
        at = self._text.find(wanted)
        while at >= 0:
            found.append(Span(at, at + size))
            at = self._text.find(wanted, at + size + 1)
        return found

    def _runs(self, parts: Sequence[str], rest: str) -> list[Span]:
        """Return where words stand one after the other, the last of which may go on with what a pattern matches."""
        first, *others = map(re.escape, parts)
        # What is looked ahead at is not used up: runs may overlap.
        pattern = f" {first}(?=({''.join(f' +{part}' for part in others)}{rest}) )"
        return [Span(found.start(), found.end(1) - 1) for found in re.finditer(pattern, self._text)]

    def _near(self, groups: list[list[Span]], distance: int) -> list[Place]:
        """Return one span of each group, all ending at most so many words before the last of them starts.

        That is what NEAR means to FTS5: https://sqlite.org/fts5.html#fts5_near_queries.
        """
        found: set[Place] = set()
        for last in {span for group in groups for span in group}:
            others = [
                group[at - 1] if (at := bisect_right(group, last.start, key=_start)) else None for group in groups
            ]
            chosen = [span for span in others if span and self._words_between(span.end, last.start) <= distance]
            if len(chosen) == len(groups):
                found.add(tuple(sorted(set(chosen))))
        return sorted(found)

    def _words_between(self, start: int, end: int) -> int:
        return len(self._text[start + 1 : end + 1].split())


class _Part(Matcher):
    """A part of a text: what is found in the whole is not looked for again."""

    def __init__(self, whole: Matcher, start: int, end: int) -> None:
        self._whole, self._start, self._end = whole, start, end
        self._text, self._found = whole._text, {}  # noqa: SLF001  # of its own kind

    def _look_for(self, leaf: Leaf) -> list[Span]:
        spans = self._whole._spans(leaf)  # noqa: SLF001  # of its own kind
        begin = bisect_left(spans, (self._start,))
        return [span for span in spans[begin : bisect_left(spans, (self._end,), begin)] if span.end < self._end]


def _start(span: Span) -> int:
    return span.start


def _closest(groups: list[list[Place]]) -> list[Place]:
    """Return one place of each group joined to one, such that the first and last word are as close as can be."""
    if not all(groups):
        return []
    heap = [(group[0][0].start, number, 0) for number, group in enumerate(groups)]
    heapify(heap)
    furthest = max(group[0][-1].end for group in groups)
    best, chosen = None, [0] * len(groups)
    now = chosen.copy()
    while True:
        start, number, index = heap[0]
        if best is None or furthest - start < best:
            best, chosen = furthest - start, now.copy()
        if index + 1 == len(groups[number]):
            break
        now[number] = index + 1
        place = groups[number][index + 1]
        furthest = max(furthest, place[-1].end)
        heapreplace(heap, (place[0].start, number, index + 1))
    return [tuple(sorted({span for group, index in zip(groups, chosen, strict=True) for span in group[index]}))]
