"""Statistics of corpus linguistics: how much likelier, by how much, and how evenly.

Counts are of words; sizes are those of the parts that were counted in, in words.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple


def log_likelihood(count: float, size: float, other: float, other_size: float) -> float:
    """Return how much likelier two counts are by two rates than by one: G², 10.83 being one chance in a thousand.

    Source: Dunning, "Accurate methods for the statistics of surprise and coincidence" (1993), as Rayson and Garside,
    "Comparing corpora using frequency profiling" (2000), compare corpora with it.

    >>> round(log_likelihood(10, 1_000, 10, 10_000), 2)
    22.14
    """
    whole = size + other_size
    if whole <= 0:
        return 0.0
    rate = (count + other) / whole
    return 2 * sum(
        each * math.log(each / (amount * rate))
        for each, amount in ((count, size), (other, other_size))
        if each > 0 and amount > 0
    )


HALF = 0.5
"""What stands for a count of nothing where it is divided by."""


def log_ratio(count: float, size: float, other: float, other_size: float) -> float:
    """Return how many times a rate is twice another one: 1 is twice as often, -1 half as often.

    Source: Hardie, "Log Ratio: an informal introduction" (2014): what is not there counts half.

    >>> log_ratio(8, 1_000, 2, 1_000)
    2.0
    """
    return math.log2((max(count, HALF) / max(size, HALF)) / (max(other, HALF) / max(other_size, HALF)))


class Dispersion(NamedTuple):
    """How evenly something is spread over parts of a corpus.

    Attributes:
        parts: how many there are.
        found_in: in how many it stands.
        dp: Gries' deviation of proportions: 0 where every part has as much of it as of all words, towards 1 where one
            small part has it all; 0 where nothing was found.
        dp_norm: the same, divided by the most that it can be for parts of these sizes.
        juilland: Juilland's D: 1 is even, 0 is all in one place; of rates by part.
    """

    parts: int
    found_in: int
    dp: float
    dp_norm: float
    juilland: float


def dispersion(counts: Sequence[float], sizes: Sequence[float]) -> Dispersion:
    """Return how evenly something is spread.

    Sources: Gries, "Dispersions and adjusted frequencies in corpora" (2008), as Lijffijt and Gries (2012) normalise
    it; Juilland and Chang-Rodríguez, "Frequency Dictionary of Spanish Words" (1964), for parts of unlike sizes by
    their rates.

    Args:
        counts: how often it stands in each part.
        sizes: the size of each part, in words.

    >>> dispersion([2, 2], [100, 100])
    Dispersion(parts=2, found_in=2, dp=0.0, dp_norm=0.0, juilland=1.0)
    >>> dispersion([4, 0], [100, 100])
    Dispersion(parts=2, found_in=1, dp=0.5, dp_norm=1.0, juilland=0.0)
    """
    pairs = [(count, size) for count, size in zip(counts, sizes, strict=True) if size > 0]
    total, whole = sum(count for count, _ in pairs), sum(size for _, size in pairs)
    found_in = sum(count > 0 for count, _ in pairs)
    if not total:
        return Dispersion(len(pairs), found_in, 0.0, 0.0, 0.0)
    dp = sum(abs(count / total - size / whole) for count, size in pairs) / 2
    most = 1 - min(size / whole for _, size in pairs)
    juilland = _juilland([count / size for count, size in pairs])
    return Dispersion(
        len(pairs), found_in, round(dp, 4), round(dp / most, 4) if most else 0.0, round(min(max(juilland, 0), 1), 4)
    )


def _juilland(rates: Sequence[float]) -> float:
    mean = sum(rates) / len(rates)
    if len(rates) < 2 or not mean:
        return 1.0
    deviation = math.sqrt(sum((rate - mean) ** 2 for rate in rates) / len(rates))
    return 1 - deviation / mean / math.sqrt(len(rates) - 1)
