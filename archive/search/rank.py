"""Sessions in order: by how much of a query they have, then by relevance or by date."""

from __future__ import annotations

import json
from typing import NamedTuple

import numpy as np

from archive.search.results import Sort
from archive.search.session_table import Marked, Overview, Real, Whole

TYPED, FORMS, PARTIAL = 3, 2, 1
"""Tiers: a session has the words as they were typed, has other forms of them, or has most of them."""
FUSED = 60
"""The constant of reciprocal rank fusion: the larger, the less the first ranks count."""
AHEAD = 2 / FUSED
"""More than two rankings give: what stays first is ahead by that."""


class Total(NamedTuple):
    """A session's score: its tier, and its relevance below 1."""

    tier: int
    relevance: float

    def at(self, nth: int) -> float:
        """Return the score of the nth of its moments."""
        return self.tier - PARTIAL + self.relevance / nth


class Scores:
    """How good each session is: its tier, 0 where it does not match; then its relevance."""

    def __init__(self, overview: Overview) -> None:
        self._overview = overview
        self.tiers = np.zeros(len(overview.ids), dtype=np.int8)
        self.relevance = np.zeros(len(overview.ids))

    @property
    def exact(self) -> Marked:
        """Which sessions have all that is asked for."""
        return self.tiers > PARTIAL

    def raise_to(self, tier: int, places: Whole, relevance: Real | float) -> None:
        """Count sessions, which stand at these places, as of a tier at least, and add to their relevance."""
        self.tiers[places] = np.maximum(self.tiers[places], tier)
        self.relevance[places] += relevance

    def leave_out(self, places: Whole) -> None:
        """Count sessions, which stand at these places, as if they did not match."""
        self.tiers[places] = 0
        self.relevance[places] = 0.0

    def fuse(self, ranking: Real) -> None:
        """Order sessions that have all that is asked for by rank in this order and in that of other scores."""
        places = np.flatnonzero(self.exact)
        own = self.tiers[places] + self.relevance[places] / (1 + self.relevance[places])
        self.relevance[places] = 1 / (FUSED + ranks(own)) + 1 / (FUSED + ranks(ranking[places]))

    def best(self, sort: Sort) -> Whole:
        """Return where the sessions that match stand, in order."""
        found = np.flatnonzero(self.tiers)
        if sort == "date":
            dates = np.unique(self._overview.dates[found], return_inverse=True)[1]
            return found[np.lexsort((found, -dates, self.tiers[found] == PARTIAL))]
        return found[np.lexsort((found, -self.relevance[found], -self.tiers[found]))]

    def total(self, place: int) -> Total:
        """Return a session's score."""
        relevance = float(self.relevance[place])
        return Total(int(self.tiers[place]), relevance / (1 + relevance))

    def key(self, place: int, sort: Sort) -> list[float | str | int]:
        """Return what names a session's place in the order; no two are equal."""
        number = int(self._overview.ids[place])
        if sort == "date":
            return [str(self._overview.dates[place]), float(self.tiers[place] == PARTIAL), number]
        return [-float(self.tiers[place]), -float(self.relevance[place]), number]

    def after(self, ordered: Whole, sort: Sort, key: str | None) -> int:
        """Return where the page begins that follows a key; the first page where the key is none of ours."""
        if not key:
            return 0
        try:
            first, second, third = json.loads(key)
            number = int(third)
            ids, dates = self._overview.ids[ordered], self._overview.dates[ordered]
            if sort == "date":
                partial, theirs = self.tiers[ordered] == PARTIAL, bool(int(second))
                before = (dates > str(first)) | ((dates == str(first)) & (ids <= number))
                return int(np.sum((~partial & theirs) | ((partial == theirs) & before)))
            mine, key_of = (-self.tiers[ordered], -self.relevance[ordered]), (int(first), float(second))
            same = (mine[0] == key_of[0]) & (mine[1] == key_of[1]) & (ids <= number)
            return int(np.sum((mine[0] < key_of[0]) | ((mine[0] == key_of[0]) & (mine[1] < key_of[1])) | same))
        except (ValueError, TypeError, OverflowError, RecursionError):
            return 0


def ranks(scores: Real) -> Whole:
    """Return the rank of each of some scores, the best first; equal ones have the same."""
    return np.unique(-scores, return_inverse=True)[1].astype(np.int64)
