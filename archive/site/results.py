"""The page of results, and the same as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, fields
from typing import Any, NamedTuple, cast
from urllib.parse import urlencode

from archive.search.filters import Filters
from archive.search.hits import Hit
from archive.search.results import SessionResult, SessionResults, Sort
from archive.site import labels as wording
from archive.site import queries
from archive.site.published import current, search_in
from archive.site.render import argument, render
from archive.site.respond import respond_json

SESSIONS_A_PAGE = 10
MOST_SESSIONS = 100
"""Sessions that one answer of the JSON API may have."""
FACETS = tuple(field.name for field in fields(Filters) if field.name != "session")
SORTS = ("relevance", "date")


class Moment(NamedTuple):
    """A hit, its address, and which recording it is in: None for the session's first."""

    hit: Hit
    url: str
    recording: str | None


class Found(NamedTuple):
    """A session that matches, its moments with their addresses, and where its strip is marked (in thousandths)."""

    result: SessionResult
    moments: list[Moment]
    strip: list[tuple[int, float, float]]


async def search(datasette: Any, request: Any) -> Any:
    """``/search?q=…&event=…&sort=…&after=…``: the sessions in which something was said."""
    query, filters, sort, after = _asked(request)

    def read(conn: Any) -> dict[str, Any]:
        found = None
        if query or filters.chosen():
            found = search_in(datasette, conn).sessions(query, filters, sort=sort, limit=SESSIONS_A_PAGE, after=after)
        sessions = found.sessions if found else ()
        moments = iter(linked(conn, [hit for each in sessions for hit in each.hits]))
        return {
            "found": found,
            "complete": found is None or found.complete,
            "sessions": [Found(each, [next(moments) for _ in each.hits], _strip(each)) for each in sessions],
            "cards": queries.cards_by_slug(conn, {(each.event, each.session) for each in sessions}),
            "events": queries.events(conn),
            "spoken": queries.spoken(conn),
            "labels": queries.labels(conn, filters.chosen()),
        }

    def address(**changed: str | None) -> str:
        chosen = {"q": query, **filters.chosen(), "sort": sort if sort != "relevance" else None} | changed
        return "/search?" + urlencode({name: value for name, value in chosen.items() if value})

    return await render(
        datasette,
        request,
        "search.html",
        read,
        query=query,
        filters=filters.chosen(),
        sort=sort,
        sorts=SORTS,
        after=after,
        address=address,
        canonical=address(after=after) if query else "/search",
    )


async def search_json(datasette: Any, request: Any) -> Any:
    """``/api/1/search.json``: the page of results for programs; described in ``/search/help``."""
    query, filters, sort, after = _asked(request)
    wanted = argument(request, "limit")
    limit = min(int(wanted), MOST_SESSIONS) if wanted.isascii() and wanted.isdigit() else SESSIONS_A_PAGE

    def read(conn: Any) -> SessionResults:
        return search_in(datasette, conn).sessions(query, filters, sort=sort, limit=limit, after=after)

    found = await current(datasette).execute_fn(read)
    following = {"q": query, **filters.chosen(), "sort": sort, "limit": str(limit), "after": found.next}
    answer = {
        "query": query,
        "filters": filters.chosen(),
        "sort": sort,
        "total": found.total,
        "exact": found.exact,
        "complete": found.complete,
        "note": found.note,
        "suggestion": found.suggestion,
        "sessions": [asdict(each) for each in found.sessions],
        "facets": {name: [each._asdict() for each in values] for name, values in (found.facets or {}).items()},
        "next": f"/api/1/search.json?{urlencode(following)}" if found.next else None,
    }
    return respond_json(answer, complete=found.complete)


def linked(conn: Any, hits: Iterable[Hit]) -> list[Moment]:
    """Return hits with the addresses of the recordings that they were said in."""
    hits = list(hits)
    keys = queries.other_recordings(conn, (hit.transcript for hit in hits))
    return [_moment_of(hit, keys.get(hit.transcript or "")) for hit in hits]


def _moment_of(hit: Hit, key: str | None) -> Moment:
    at_ms = hit.start_ms if hit.end_ms else None  # a session that is about it, not a moment
    return Moment(hit, wording.session_url(hit.event, hit.session, at_ms, key), key)


def read_filters(request: Any) -> Filters:
    """Return the filters that an address names."""
    return Filters(**{name: argument(request, name) or None for name in FACETS})


def _asked(request: Any) -> tuple[str, Filters, Sort, str | None]:
    sort = argument(request, "sort")
    known = cast("Sort", sort) if sort in SORTS else "relevance"
    return argument(request, "q"), read_filters(request), known, argument(request, "after") or None


def _strip(result: SessionResult) -> list[tuple[int, float, float]]:
    """Return where each passage begins (milliseconds), and its place and width in thousandths of the session."""
    whole = max(result.duration_ms, max((end for _, end in result.places), default=0), 1)
    return [
        (start, round(1000 * start / whole, 1), max(round(1000 * (end - start) / whole, 1), 4.0))
        for start, end in result.places
    ]
