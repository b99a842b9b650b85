"""For researchers: concordance, frequency and companions on a page, and as files; and what one may ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from archive.errors import MissingExtraError
from archive.index.tokens import words
from archive.research import Research
from archive.research.concordance import Line
from archive.research.frequency import BYS, By, Rate
from archive.search import exports
from archive.search.query import FIELDS, MAX_NEAR, MIN_PREFIX
from archive.search.results import FEWER
from archive.search.sessions import CHANCE_TERMS
from archive.site import queries
from archive.site.published import current
from archive.site.render import argument, not_found, render
from archive.site.respond import respond
from archive.site.results import read_filters

LINES_SHOWN = 200
"""Lines of a concordance on the page; its file has all."""
BARS = 60
"""Rows of the chart; its file has all."""
PAGE_BUDGET_MS = 1_000
FILE_BUDGET_MS = 10_000
FILE_LINES = 100_000
ORDERS = ("time", "left", "right", "match")
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}


async def explore(datasette: Any, request: Any) -> Any:
    """``/explore?q=…&by=year&order=left``: how a query was said, how often, and with what."""
    query, by, order, filters = _asked(request)

    def read(conn: Any) -> dict[str, Any]:
        research = Research(conn, PAGE_BUDGET_MS)
        if not query:
            return {"lines": [], "rates": [], "collocates": [], "complete": True, "labels": {}}
        lines = ordered(research.concordance(query, filters, limit=LINES_SHOWN), order)
        complete = research.complete or len(lines) >= LINES_SHOWN
        rates = research.frequency(query, by, filters)
        complete = complete and research.complete
        collocates = research.collocates(query, filters)
        return {
            "lines": lines[:LINES_SHOWN],
            "rates": rates[:BARS],
            "highest": max((rate.per_hour for rate in rates), default=0) or 1,
            "collocates": collocates,
            "complete": complete and research.complete,
            "labels": queries.labels(conn, filters.chosen()),
        }

    def address(path: str, **changed: str) -> str:
        return f"{path}?" + urlencode({"q": query, **filters.chosen(), "by": by, "order": order} | changed)

    chosen = {"query": query, "by": by, "bys": BYS, "order": order, "orders": ORDERS, "address": address}
    return await render(datasette, request, "explore.html", lambda conn: {**chosen, **read(conn)})


async def moments(datasette: Any, request: Any) -> Any:
    """``/api/1/moments.FORMAT?q=…``: every moment of a query."""
    form = request.url_vars["format"]
    query, _, _, filters = _asked(request)

    def read(conn: Any) -> tuple[bytes, bool]:
        research = Research(conn, FILE_BUDGET_MS)
        found = list(research.moments(query, filters, limit=FILE_LINES))
        return exports.write_moments(found, form), research.complete

    try:
        body, complete = await current(datasette).execute_long(read)
    except MissingExtraError:
        return await not_found(datasette, request)
    return _file(body, f"moments.{form}", MEDIA_TYPES[form], complete=complete)


async def concordance(datasette: Any, request: Any) -> Any:
    """``/api/1/concordance.csv?q=…&order=…``: every match with what stands around it."""
    query, _, order, filters = _asked(request)

    def read(conn: Any) -> tuple[str, bool]:
        research = Research(conn, FILE_BUDGET_MS)
        lines = ordered(research.concordance(query, filters, limit=FILE_LINES), order)
        rows = (
            (
                x.left,
                x.match,
                x.right,
                x.hit.event,
                x.hit.session,
                x.hit.start_ms,
                x.hit.url,
                x.hit.start_at,
                x.hit.speaker,
            )
            for x in lines
        )
        columns = ("left", "match", "right", "event", "session", "start_ms", "url", "start_at", "speaker")
        return exports.to_csv(columns, rows), research.complete

    text, complete = await current(datasette).execute_long(read)
    return _file(text.encode(), "concordance.csv", MEDIA_TYPES["csv"], complete=complete)


async def frequency(datasette: Any, request: Any) -> Any:
    """``/api/1/frequency.csv?q=…&by=…``: how often a query was said an hour."""
    query, by, _, filters = _asked(request)

    def read(conn: Any) -> tuple[str, bool]:
        research = Research(conn, FILE_BUDGET_MS)
        rates = research.frequency(query, by, filters)
        return exports.to_csv((by, "label", *Rate._fields[2:]), rates), research.complete

    text, complete = await current(datasette).execute_long(read)
    return _file(text.encode(), f"frequency-by-{by}.csv", MEDIA_TYPES["csv"], complete=complete)


async def search_help(datasette: Any, request: Any) -> Any:
    """``/search/help``: the query language, and the addresses for programs."""
    language = {"fields": FIELDS, "near": MAX_NEAR, "prefix": MIN_PREFIX, "fewer": FEWER, "apart": CHANCE_TERMS}
    files = {"columns": exports.COLUMNS, "orders": ORDERS, "bys": BYS, "lines": FILE_LINES}
    return await render(datasette, request, "search_help.html", lambda _conn: {**language, **files})


def ordered(lines: list[Line], order: str) -> list[Line]:
    """Return a concordance in order of what stands on one side of the match, word by word away from it."""
    keys: dict[str, Callable[[Line], Any]] = {
        "left": lambda line: words(line.left)[::-1],
        "right": lambda line: words(line.right),
        "match": lambda line: words(line.match),
    }
    return sorted(lines, key=keys[order]) if order in keys else lines


def _asked(request: Any) -> tuple[str, By, str, Any]:
    by, order = argument(request, "by"), argument(request, "order")
    known: By = by if by in BYS else "year"  # mypy sees that it is one
    return argument(request, "q"), known, order if order in ORDERS else "time", read_filters(request)


def _file(body: bytes, name: str, media_type: str, *, complete: bool) -> Any:
    """Return a download; one that ran out of time or lines says so in a header."""
    marked = {"rostra-complete": "yes" if complete else "no"}
    return respond(body, media_type, file=name, complete=complete, headers=marked)
