"""Two versions' clocks compared: what a time of one is in the other, and how sure that is.

Versions agree in most words, whatever was corrected, heard again, or cut. Runs of words that each version has once, and
that follow each other in both, tie the clocks together (as lines do in Bram Cohen's patience diff). Between two ties a
time lies between; how far the ties beside it disagree is how far it may be off.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median_low

from archive.anchoring.prints import NOTHING, Prints

FAR_MS = 60_000
"""A tie so far away says nothing for certain."""
AROUND = 4
"""Ties on each side with which one is compared."""
ASTRAY_MS = 1_500
"""How much a tie's clocks may differ otherwise than theirs."""
EDGE = 3
"""Ties that must agree where nothing follows them."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """A time on another clock, and how far it may be off; both in milliseconds."""

    ms: int
    slack_ms: int


@dataclass(frozen=True, slots=True)
class Clock:
    """Ties between two clocks: times that are one moment, in order, strictly increasing on both."""

    there: tuple[int, ...]
    here: tuple[int, ...]

    def read(self, ms: int) -> Mapped | None:
        """Return a time on this clock that is given on the other one; None where there are no ties."""
        if self is SAME:
            return Mapped(ms, 0)
        if not self.there:
            return None
        after = bisect_left(self.there, ms)
        if after < len(self.there) and self.there[after] == ms:
            return Mapped(self.here[after], 0)
        if 0 < after < len(self.there):
            return self._between(after - 1, after, ms)
        return self._beyond(0 if after == 0 else len(self.there) - 1, ms)

    def _beyond(self, edge: int, ms: int) -> Mapped:
        """Return a time before the first tie or after the last: as far off as the ties that are next disagree."""
        offsets = [here - there for there, here in zip(self.there, self.here, strict=True)]
        next_ones = offsets[:EDGE] if edge == 0 else offsets[-EDGE:]
        away = abs(ms - self.there[edge])
        slack = max(next_ones) - min(next_ones) if len(next_ones) == EDGE else FAR_MS
        return Mapped(ms + offsets[edge], slack + min(away // 20, 500) + (0 if away < FAR_MS else away))

    def _between(self, one: int, other: int, ms: int) -> Mapped:
        before, after = (self.here[each] - self.there[each] for each in (one, other))
        share = (ms - self.there[one]) / (self.there[other] - self.there[one])
        near = min(ms - self.there[one], self.there[other] - ms)
        slack = abs(after - before) + (0 if near < FAR_MS else near)
        return Mapped(round(ms + before + (after - before) * share), slack)


SAME = Clock((0,), (0,))
"""One and the same clock."""


def compare(there: Prints, here: Prints) -> Clock:
    """Return the clock that reads times of one version on another one's; both have digests under the same name."""
    pairs = [
        (places[0], here.places[digest][0])
        for digest, places in there.places.items()
        if digest != NOTHING and len(places) == 1 and len(here.places.get(digest, ())) == 1
    ]
    pairs.sort()
    chosen = [pairs[number] for number in _increasing([place for _, place in pairs])]
    times = [(there.starts[one], here.starts[other]) for one, other in chosen]
    tied: list[tuple[int, int]] = []
    for one, other in times:
        if not tied or (one > tied[-1][0] and other > tied[-1][1]):
            tied.append((one, other))
    kept = list(_agreeing(tied))
    return Clock(tuple(one for one, _ in kept), tuple(other for _, other in kept))


def _agreeing(tied: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the ties whose clocks differ about as those of most ties around them: a phrase may be said again nearby."""
    offsets = [other - one for one, other in tied]
    for number, tie in enumerate(tied):
        around = offsets[max(number - AROUND, 0) : number + AROUND + 1]
        if abs(offsets[number] - median_low(around)) <= ASTRAY_MS:
            yield tie


def _increasing(numbers: list[int]) -> list[int]:
    """Return the places of a longest increasing subsequence (Fredman 1975)."""
    tails: list[int] = []
    values: list[int] = []
    before: list[int] = []
    for place, number in enumerate(numbers):
        at = bisect_left(values, number)
        before.append(tails[at - 1] if at else -1)
        if at == len(values):
            values.append(number)
            tails.append(place)
        else:
            values[at], tails[at] = number, place
    chosen = []
    place = tails[-1] if tails else -1
    while place >= 0:
        chosen.append(place)
        place = before[place]
    return chosen[::-1]
