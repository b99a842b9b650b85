"""Every moment of a query, and its concordance: what is said on both sides of each match."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple, TypeVar

from archive.errors import sqlite_errors
from archive.research.asking import Asking, wanted
from archive.search.filters import EVERYWHERE, Filters
from archive.search.hits import Hit, Ranked, moment_hits

T = TypeVar("T")

CONTEXT = 70
"""Characters on each side of a word in a concordance."""


class Line(NamedTuple):
    """A line of a concordance: what matched, what is said around it, and where."""

    left: str
    match: str
    right: str
    hit: Hit


class Concordance(Asking):
    """Questions about single matches."""

    def moments(self, query: str, filters: Filters = EVERYWHERE, *, limit: int = 1_000_000) -> Iterator[Hit]:
        """Yield every moment of a query, in order of event, session and time; their scores are 0.

        Raises:
            ArchiveError: the database is damaged or cannot be read. No query raises.
        """
        with sqlite_errors():
            asked = self._ask(query, filters)
            if asked is None:
                return
            seen: set[tuple[int, ...]] = set()
            for passage, stretch in self._stretches(asked):
                if len(seen) >= limit:
                    self.complete = False
                    return
                found = []
                for moment in sorted(stretch.moments(wanted(asked)), key=lambda moment: moment.first):
                    if moment.key not in seen and len(seen) < limit:
                        seen.add(moment.key)
                        found.append(Ranked(passage, stretch, moment, 0.0))
                yield from moment_hits(self._conn, found, wanted(asked))
            self.complete = asked.budget.complete

    def concordance(
        self,
        query: str,
        filters: Filters = EVERYWHERE,
        *,
        limit: int = 1_000,
        sample: int | None = None,
        seed: int = 0,
    ) -> list[Line]:
        """Return what was said on both sides of every match, in order of event, session and time.

        Args:
            query: in the language of the search page.
            filters: where to look.
            limit: moments at most.
            sample: as many lines, drawn at random from all of them, each as likely as any other; None for all.
            seed: the same lines are drawn for the same seed from the same publication.
        """
        lines = self._lines(query, filters, limit)
        return list(lines) if sample is None else drawn(lines, sample, seed)

    def _lines(self, query: str, filters: Filters, limit: int) -> Iterator[Line]:
        for hit in self.moments(query, filters, limit=limit):
            whole = f"{hit.before} {hit.text} {hit.after}"
            ahead = len(hit.before) + 1
            for start, end in hit.matches:
                left, right = whole[: ahead + start], whole[ahead + end :]
                yield Line(_end(left), hit.text[start:end], _beginning(right), hit)


def drawn(items: Iterator[T], size: int, seed: int) -> list[T]:
    """Return so many items drawn at random, in their order, without keeping the others.

    Source: algorithm R (Vitter, "Random sampling with a reservoir", 1985).

    >>> drawn(iter("abcdefgh"), 3, seed=1) == drawn(iter("abcdefgh"), 3, seed=1)
    True
    """
    chance = random.Random(seed)  # noqa: S311  # no secret hangs on it
    kept = list(enumerate(islice(items, size)))
    for number, item in enumerate(items, size):
        place = chance.randrange(number + 1)
        if place < size:
            kept[place] = (number, item)
    return [item for _, item in sorted(kept, key=lambda each: each[0])]


def _end(text: str) -> str:
    return text.lstrip() if len(text) <= CONTEXT else text[-CONTEXT:].partition(" ")[2]


def _beginning(text: str) -> str:
    return text.rstrip() if len(text) <= CONTEXT else text[:CONTEXT].rpartition(" ")[0]
