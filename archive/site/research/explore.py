"""For researchers: how something was said, how often, how evenly, and with what; and what one may ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, get_args
from urllib.parse import urlencode

from archive.research import Research
from archive.research.company import SIDES
from archive.research.frequency import BYS, Rate
from archive.search import exports
from archive.search.hits import Match
from archive.search.query import FIELDS, MAX_NEAR, MIN_PREFIX
from archive.search.results import FEWER
from archive.search.sessions import CHANCE_TERMS
from archive.site import queries
from archive.site.browsing import charts
from archive.site.render import render
from archive.site.research.asked import ORDERS, TERMS, Question, read
from archive.site.research.files import LINES, ordered
from metadata.captions import WRITERS

LINES_SHOWN = 200
"""Lines of a concordance on the page; its file has all."""
BARS = 60
"""Rows of the chart; its file has all."""
PAGE_BUDGET_MS = 1_000
WINDOWS = (1, 2, 3, 5, 10, 20)


class Compared(NamedTuple):
    """How often several queries were said, side by side.

    Attributes:
        terms: the queries.
        rows: each value that they are divided by: itself, how it reads, hours, and the rate of each query.
        lines: a chart of the same over years; none where it is not over years.
    """

    terms: tuple[str, ...]
    rows: tuple[tuple[str, str, float, tuple[float, ...]], ...]
    lines: tuple[charts.ChartLine, ...]


async def explore(datasette: Any, request: Any) -> Any:
    """``/explore?q=…&compare=…&by=year&order=left``: how a query was said, how often, and with what."""
    question = read(request)

    def address(path: str, **changed: str) -> str:
        return f"{path}?" + urlencode(question.named() | changed)

    chosen = {
        "query": question.query,
        "asked": question,
        "by": question.by,
        "bys": BYS,
        "order": question.order,
        "orders": ORDERS,
        "sides": SIDES,
        "windows": WINDOWS,
        "terms": TERMS,
        "address": address,
    }
    return await render(datasette, request, "explore.html", lambda conn: {**chosen, **_read(conn, question)})


def _read(conn: Any, question: Question) -> dict[str, Any]:
    if not question.query:
        return {"complete": True, "labels": queries.labels(conn, question.filters.chosen())}
    research = Research(conn, PAGE_BUDGET_MS)
    query, filters = question.query, question.filters
    lines = research.concordance(
        query, filters, limit=LINES if question.sample else LINES_SHOWN, sample=question.sample, seed=question.seed
    )
    whole = [research.complete or (not question.sample and len(lines) >= LINES_SHOWN)]
    told: list[list[Rate]] = []
    for term in question.terms:
        told.append(research.frequency(term, question.by, filters))
        whole.append(research.complete)
    spread = research.dispersion(query, filters)
    whole.append(research.complete)
    collocates = research.collocates(query, filters, window=question.window, side=question.side)
    whole.append(research.complete)
    rates = told[0]
    return {
        "lines": ordered(lines, question.order)[:LINES_SHOWN],
        "rates": rates[:BARS],
        "highest": max((rate.per_hour for rate in rates), default=0) or 1,
        "compared": compared(question.terms, told, by_year=question.by == "year") if len(told) > 1 else None,
        "spread": spread,
        "collocates": collocates,
        "complete": all(whole),
        "labels": queries.labels(conn, filters.chosen()),
    }


def compared(terms: Sequence[str], told: Sequence[Sequence[Rate]], *, by_year: bool) -> Compared:
    """Return the frequencies of several queries as one table, and as one chart where they are by year."""
    known = {rate.value: rate for rates in reversed(told) for rate in rates}
    per_hour = [{rate.value: rate.per_hour for rate in rates} for rates in told]
    order = sorted(known) if by_year else [rate.value for rate in told[0]]
    rows = tuple(
        (value, known[value].label, known[value].hours, tuple(rates.get(value, 0.0) for rates in per_hour))
        for value in order[:BARS]
    )
    values = [(int(value), rates) for value, _, _, rates in rows if by_year and value.isdecimal()]
    return Compared(tuple(terms), rows, charts.trends(terms, values))


async def search_help(datasette: Any, request: Any) -> Any:
    """``/search/help``: the query language, and the addresses for programs."""
    language = {"fields": FIELDS, "near": MAX_NEAR, "prefix": MIN_PREFIX, "fewer": FEWER, "apart": CHANCE_TERMS}
    files = {"columns": exports.COLUMNS, "orders": ORDERS, "bys": BYS, "lines": LINES}
    files |= {"matches": get_args(Match), "captions": list(WRITERS)}
    return await render(datasette, request, "search_help.html", lambda _conn: {**language, **files})
