"""The company that words keep: what stands near a query, and what one part of the archive says more than another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, TypeAlias

from archive.errors import sqlite_errors
from archive.index.tokens import BARRIER, shown
from archive.research.asking import Asking, with_tag
from archive.research.measures import log_likelihood, log_ratio
from archive.research.vocabulary import Vocabulary, read_words
from archive.search.budget import Budget
from archive.search.filters import EVERYWHERE, Filters, read_scope
from archive.search.matcher import Place

Side: TypeAlias = Literal["both", "left", "right"]
SIDES: tuple[Side, ...] = ("both", "left", "right")
WINDOW = 5
"""Words on a side that are near, unless somebody says otherwise."""
WIDEST = 20
TOGETHER = 3
"""Times that a word stands near a query, or in a part, before anybody takes note of it."""
LIKELY = 10.83
"""A log-likelihood that chance alone gives once in a thousand times."""


class Collocate(NamedTuple):
    """A word that stands near a query more often than elsewhere.

    Attributes:
        word: folded, as people write it (`archive.index.tokens.shown`).
        near: how often it stands there.
        in_all: how often it is said in the part of the archive that the filters choose.
        likelihood: `archive.research.measures.log_likelihood`.
        log_ratio: `archive.research.measures.log_ratio`, near against elsewhere.
    """

    word: str
    near: int
    in_all: int
    likelihood: float
    log_ratio: float


class Keyword(NamedTuple):
    """A word that one part of the archive says more than another.

    Attributes:
        word: folded, as people write it.
        here: how often the part says it.
        there: how often what it is compared with says it.
        here_per_million, there_per_million: the same, a million words.
        likelihood: `archive.research.measures.log_likelihood`.
        log_ratio: `archive.research.measures.log_ratio`.
    """

    word: str
    here: int
    there: int
    here_per_million: float
    there_per_million: float
    likelihood: float
    log_ratio: float


class Company(Asking):
    """Questions about words beside others."""

    def collocates(
        self,
        query: str,
        filters: Filters = EVERYWHERE,
        *,
        window: int = WINDOW,
        side: Side = "both",
        limit: int = 30,
    ) -> list[Collocate]:
        """Return the words that stand near a query more often than elsewhere, the likeliest first.

        Args:
            query: in the language of the search page.
            filters: where to look.
            window: how many words on a side are near, `WIDEST` at most.
            side: which side.
            limit: words at most.

        Raises:
            ArchiveError: the database is damaged or cannot be read. No query raises.
        """
        with sqlite_errors():
            asked = self._ask(query, filters)
            if asked is None:
                return []
            near: Counter[str] = Counter()
            for _, stretch, place, _ in self._matches(asked):
                near.update(_beside(stretch.text, place, min(max(window, 1), WIDEST), side))
            everywhere = self._words(filters, asked.budget)
            self.complete = asked.budget.complete and everywhere.complete
        return _collocates(near, everywhere)[:limit]

    def keywords(
        self, filters: Filters, reference: Filters | None = None, *, limit: int = 50, rarer: bool = False
    ) -> list[Keyword]:
        """Return the words that a part of the archive says more than another, the likeliest first.

        Args:
            filters: the part.
            reference: what it is compared with; None for all that is not in the part.
            limit: words at most.
            rarer: those that it says less, instead.

        Raises:
            ArchiveError: the database is damaged or cannot be read.
        """
        with sqlite_errors():
            budget = self._begin()
            part = self._words(filters, budget)
            whole = self._words(reference or EVERYWHERE, budget)
            self.complete = budget.complete and part.complete and whole.complete
        return _keywords(part, whole if reference else whole.without(part), rarer=rarer)[:limit]

    def vocabulary(self, filters: Filters = EVERYWHERE, *, limit: int = 1_000) -> list[tuple[str, int]]:
        """Return the words of a part of the archive and how often each is said, the most frequent first.

        Raises:
            ArchiveError: the database is damaged or cannot be read.
        """
        with sqlite_errors():
            budget = self._begin()
            found = self._words(filters, budget)
            self.complete = budget.complete and found.complete
        return sorted(found.counts.items(), key=lambda each: (-each[1], each[0]))[:limit]

    def _words(self, filters: Filters, budget: Budget) -> Vocabulary:
        tagged = with_tag(filters)
        if tagged is None:
            return Vocabulary()
        return read_words(self._conn, tagged, read_scope(self._conn, tagged, None), budget)


def _beside(text: str, place: Place, window: int, side: Side) -> Iterable[str]:
    """Return the words on the sides of a match, up to where the text does not go on."""
    left: Sequence[str] = ()
    right: Sequence[str] = ()
    if side != "right":
        start = place[0].start
        left = text[max(start - window * LONGEST, 0) : start].rpartition(BARRIER)[2].split()[-window:]
    if side != "left":
        end = place[-1].end
        right = text[end : end + window * LONGEST].partition(BARRIER)[0].split()[:window]
    return (*left, *right)


LONGEST = 60
"""Characters of a word, with the spaces between: to cut more of a text into words takes time."""


def _collocates(near: Counter[str], everywhere: Vocabulary) -> list[Collocate]:
    size = near.total()
    rest = max(everywhere.size - size, 1)
    found = []
    for folded, count in near.items():
        word = shown(folded)
        in_all = max(everywhere.counts[word], count)
        likelihood = log_likelihood(count, size, in_all - count, rest)
        ratio = log_ratio(count, size, in_all - count, rest)
        if count >= TOGETHER and ratio > 0 and likelihood >= LIKELY:
            found.append(Collocate(word, count, in_all, round(likelihood, 1), round(ratio, 2)))
    return sorted(found, key=lambda each: (-each.likelihood, each.word))


def _keywords(part: Vocabulary, other: Vocabulary, *, rarer: bool) -> list[Keyword]:
    found = []
    for word in other.counts if rarer else part.counts:
        here, there = part.counts[word], other.counts[word]
        ratio = log_ratio(here, part.size, there, other.size)
        likelihood = log_likelihood(here, part.size, there, other.size)
        if max(here, there) >= TOGETHER and ratio and (ratio < 0) == rarer and likelihood >= LIKELY:
            rates = _per_million(here, part.size), _per_million(there, other.size)
            found.append(Keyword(word, here, there, *rates, round(likelihood, 1), round(ratio, 2)))
    return sorted(found, key=lambda each: (-each.likelihood, each.word))


def _per_million(count: int, size: int) -> float:
    return round(1e6 * count / size, 1) if size else 0.0
