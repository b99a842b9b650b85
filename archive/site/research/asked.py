"""What an address of a researcher's page asks for; what is not among what it may be is as if it were not there."""

from __future__ import annotations

from typing import Any, NamedTuple

from archive.research.company import SIDES, WIDEST, WINDOW, Side
from archive.research.frequency import BYS, By
from archive.research.subcorpus import FILTERS, Subcorpus, read_subcorpus
from archive.search.filters import Filters
from archive.site.render import argument
from archive.site.results import read_filters

ORDERS = ("time", "left", "right", "match", "speaker")
AGAINST = "vs_"
"""Stands before the filters of what a part of the archive is compared with: ``vs_year=2021``."""
TERMS = 5
"""Queries on one chart."""
MOST_DRAWN = 10_000


class Question(NamedTuple):
    """What an address asks.

    Attributes:
        query: what was said.
        filters: where.
        others: queries to compare it with.
        by: what its frequency is divided by.
        order: of the concordance.
        window, side: of words near it.
        sample: how many lines are drawn at random; None for all, in order.
        seed: by which they are drawn.
    """

    query: str
    filters: Filters
    others: tuple[str, ...]
    by: By
    order: str
    window: int
    side: Side
    sample: int | None
    seed: int

    @property
    def terms(self) -> tuple[str, ...]:
        """Return the queries that are compared, each once."""
        return tuple(dict.fromkeys([self.query, *self.others]))[:TERMS]

    def named(self) -> dict[str, str]:
        """Return the same as an address says it."""
        told = {
            "q": self.query,
            **self.filters.chosen(),
            "compare": ", ".join(self.others),
            "by": self.by,
            "order": self.order,
            "window": str(self.window),
            "side": self.side,
            "sample": "" if self.sample is None else str(self.sample),
            "seed": str(self.seed) if self.seed else "",
        }
        return {name: value for name, value in told.items() if value}


def read(request: Any) -> Question:
    """Return what an address asks."""
    sample = _number(argument(request, "sample"), 0, MOST_DRAWN)
    known_by: By = by if (by := argument(request, "by")) in BYS else "year"  # mypy sees that it is one
    known_side: Side = side if (side := argument(request, "side")) in SIDES else "both"
    order = argument(request, "order")
    compared = (" ".join(each.split()) for each in _terms(argument(request, "compare")))
    return Question(
        argument(request, "q"),
        read_filters(request),
        tuple(dict.fromkeys(each for each in compared if each))[: TERMS - 1],
        known_by,
        order if order in ORDERS else "time",
        _number(argument(request, "window"), WINDOW, WIDEST) or WINDOW,
        known_side,
        sample or None,
        _number(argument(request, "seed"), 0, 10**9),
    )


def read_part(request: Any) -> Subcorpus:
    """Return the part of the archive that an address means."""
    return read_subcorpus({name: argument(request, name) for name in ("name", "q", "translations", *FILTERS)})


def read_against(request: Any) -> Filters | None:
    """Return the part of the archive with which one is compared; None for all the rest."""
    values = {name: argument(request, f"{AGAINST}{name}") for name in FILTERS}
    filters = read_subcorpus(values).selection.filters
    return filters if filters.chosen() else None


def _number(text: str, otherwise: int, most: int) -> int:
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 12 else otherwise


def _terms(text: str) -> list[str]:
    """Return what stands between commas, but for those in quotes."""
    terms, inside = [""], False
    for char in text:
        inside ^= char == '"'
        if char == "," and not inside:
            terms.append("")
        else:
            terms[-1] += char
    return terms
