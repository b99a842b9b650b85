"""Where words are said: quotations found in a transcript, also where some of their words are heard otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from rapidfuzz.distance import LCSseq

from archive.anchoring.spoken import Spoken

OFTEN = 400
"""A word that is said so many times tells nothing of where, unless all words of a quotation are as frequent."""
BEST = 6
"""Places that are looked at closely."""
LOOSE = 6
"""Tokens that may be missing, or too many, on each side of a quotation."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a quotation may be said.

    Attributes:
        first, end: its tokens, as ``first:end``.
        score: the share of it, and of what stands around it, that is there in this order, from 0 to 1; rare words
            count more.
    """

    first: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Quote:
    """Folded words of a quotation, and those before and after it."""

    exact: tuple[str, ...]
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def tokens(self) -> tuple[str, ...]:
        """All of them, in order."""
        return (*self.before, *self.exact, *self.after)


def weights(said: Spoken) -> dict[str, float]:
    """Return how much each word of a transcript tells of where it is said."""
    counts = Counter(said.tokens)
    whole = len(said.tokens) + 1
    return {token: log(whole / count) for token, count in counts.items()}


def find(said: Spoken, quote: Quote, *, within: tuple[int, int] | None = None) -> list[Place]:
    """Return where a quotation may be said, the best place first; places do not overlap.

    Args:
        said: the transcript.
        quote: what is looked for.
        within: only in the tokens ``first:end``.
    """
    tokens = quote.tokens
    if not quote.exact or not said.tokens:
        return []
    heavy = weights(said)
    low, high = within or (0, len(said.tokens))
    found: list[Place] = []
    for diagonal in _diagonals(said.tokens[low:high], tokens, heavy):
        place = _aligned(said, quote, low + diagonal, heavy)
        if place and not any(place.first < other.end and place.end > other.first for other in found):
            found.append(place)
    return sorted(found, key=lambda place: (-place.score, place.first))


def _diagonals(text: Sequence[str], tokens: Sequence[str], heavy: dict[str, float]) -> list[int]:
    """Return where the first token may stand, by how many tokens are where they should be from there, or near it."""
    places: dict[str, list[int]] = {token: [] for token in tokens}
    for position, token in enumerate(text):
        if token in places:
            places[token].append(position)
    telling = {token for token, found in places.items() if 0 < len(found) <= OFTEN}
    votes: Counter[int] = Counter()
    for number, token in enumerate(tokens):
        if token in telling or not telling:
            for position in places[token][: OFTEN * 5]:
                votes[position - number] += heavy.get(token, 0.0)  # type: ignore[assignment]
    near = {
        diagonal: sum(votes.get(diagonal + step, 0) for step in range(-LOOSE, LOOSE + 1))
        for diagonal in sorted(votes, key=lambda each: -votes[each])[: BEST * 20]
    }
    chosen: list[int] = []
    for diagonal in sorted(near, key=lambda each: (-near[each], -votes[each], each)):
        if all(abs(diagonal - other) > LOOSE for other in chosen):
            chosen.append(diagonal)
        if len(chosen) == BEST:
            break
    return chosen


def _aligned(said: Spoken, quote: Quote, start: int, heavy: dict[str, float]) -> Place | None:
    """Return the place of a quotation whose words begin at about a token; None where nothing of it is there."""
    tokens = quote.tokens
    low = max(start - LOOSE, 0)
    window = said.tokens[low : start + len(tokens) + LOOSE]
    pairs = [
        (block.src_start + step, low + block.dest_start + step)
        for block in LCSseq.opcodes(tokens, window)
        if block.tag == "equal"
        for step in range(block.src_end - block.src_start)
    ]
    if not pairs:
        return None
    most = log(len(said.tokens) + 1)
    whole = sum(heavy.get(token, most) for token in tokens)
    there = sum(heavy.get(tokens[number], most) for number, _ in pairs)
    first, end = _edges(pairs, len(quote.before), len(quote.exact), len(said.tokens))
    return Place(first, end, min(there / whole, 1.0) if whole else float(len(pairs) == len(tokens)))


def _edges(pairs: Sequence[tuple[int, int]], before: int, length: int, count: int) -> tuple[int, int]:
    """Return where a quotation begins and ends, given pairs of its tokens and of the transcript's.

    Where the first or last word is heard otherwise, it stands as far from the next one that is there as it was said.
    """
    last = before + length - 1
    inside = [pair for pair in pairs if before <= pair[0] <= last]
    one = min(inside or pairs, key=lambda pair: abs(pair[0] - before))
    other = min(inside or pairs, key=lambda pair: abs(pair[0] - last))
    lower = max((pair[1] + 1 for pair in pairs if pair[0] < before), default=0)
    upper = min((pair[1] for pair in pairs if pair[0] > last), default=count)
    first = min(max(one[1] - (one[0] - before), lower), count - 1)
    end = min(max(other[1] + (last - other[0]) + 1, first + 1), max(upper, first + 1), count)
    return first, end
