"""The page of results, and the same as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields, replace
from http import HTTPStatus
from itertools import chain, islice
from typing import Any, NamedTuple, cast
from urllib.parse import urlencode

from markupsafe import Markup, escape

from archive import urls
from archive.research.subcorpus import DATES, is_day
from archive.search.announcements import find_announcements
from archive.search.filters import Filters
from archive.search.hits import Hit
from archive.search.present import MARKED
from archive.search.results import SessionResult, SessionResults, Sort
from archive.site import labels as wording
from archive.site import queries
from archive.site.api.cursors import StaleCursorError, cursor_of, place_of
from archive.site.http.respond import problem, respond_json
from archive.site.published import current, once, search_in
from archive.site.render import argument, render
from archive.site.session_page import recordings

SESSIONS_A_PAGE = 10
MOST_SESSIONS = 100
"""Sessions that one answer of the JSON API may have."""
FACETS = tuple(field.name for field in fields(Filters) if field.name != "session")
SORTS = ("relevance", "date")
FEW_PLACES = 40
"""Places of a session that are marked one by one; of more there is a histogram."""
BARS = 100
"""Its columns."""


class ListedMoment(NamedTuple):
    """A hit, its address, and which recording it is in: None for the session's first."""

    hit: Hit
    url: str
    recording: str | None


class ListedSession(NamedTuple):
    """A session that matches.

    Attributes:
        result: it.
        moments: the best, in order of time, with their addresses.
        number: of all its moments; None where they were not counted.
        strip: the marks of where they are, as SVG a thousand wide and ten high; empty where there is none.
        tall: whether the marks have heights.
    """

    result: SessionResult
    moments: list[ListedMoment]
    number: int | None
    strip: Markup
    tall: bool


async def search(datasette: Any, request: Any) -> Any:
    """``/search?q=…&event=…&sort=…&after=…``: the sessions in which something was said."""
    query, filters, sort, after = _asked(request)

    def read(conn: Any) -> dict[str, Any]:
        found = None
        backend = search_in(datasette, conn)
        if query or filters.chosen():
            found = backend.sessions(query, filters, sort=sort, limit=SESSIONS_A_PAGE, after=after, count_more=True)
        sessions = found.sessions if found else ()
        hits = [apart(each.hits) for each in sessions]
        moments = iter(linked(conn, chain(*hits), query))
        shown = [(each, list(islice(moments, len(its)))) for each, its in zip(sessions, hits, strict=True)]
        return {
            "found": found,
            "complete": found is None or found.complete,
            "sessions": [
                ListedSession(each, its, _count(each), _drawn(each, its, query), len(each.places) > FEW_PLACES)
                for each, its in shown
            ],
            "announcements": find_announcements(conn, query, filters) if query and not after else (),
            "cards": queries.cards_by_slug(conn, {(each.event, each.session) for each in sessions}),
            "events": once(conn, queries.events),
            "spoken": once(conn, queries.spoken),
            "labels": queries.labels(conn, filters.chosen()),
        }

    chosen = {"q": query, **filters.chosen(), "sort": sort if sort != "relevance" else None}
    written = {name: urlencode({name: value}) if value else "" for name, value in chosen.items()}

    def address(**changed: str | None) -> str:
        parts = written | {name: urlencode({name: value}) if value else "" for name, value in changed.items()}
        return "/search?" + "&".join(filter(None, parts.values()))

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
        feed=urls.with_query("/search/feed.atom", {"q": query or None, **filters.chosen()}),
        canonical=address(after=after) if query else "/search",
    )


async def search_json(datasette: Any, request: Any) -> Any:
    """``/api/1/search.json``: the page of results for programs; described in ``/search/help``."""
    query, filters, sort, after = _asked(request)
    wanted = argument(request, "limit")
    limit = min(int(wanted), MOST_SESSIONS) if wanted.isascii() and wanted.isdigit() else SESSIONS_A_PAGE

    database = current(datasette)
    try:
        place = place_of(database.cached_hash, after or "")
    except StaleCursorError as error:
        return problem(request, HTTPStatus.CONFLICT, f"{error}.")

    def read(conn: Any) -> tuple[SessionResults, list[dict[str, Any]]]:
        found = search_in(datasette, conn).sessions(query, filters, sort=sort, limit=limit, after=place)
        announced = find_announcements(conn, query, filters) if query and not after else ()
        return found, [asdict(each) for each in announced]

    found, announced = await database.execute_fn(read)
    following = cursor_of(database.cached_hash, found.next)
    more = {"q": query, **filters.chosen(), "sort": sort, "limit": str(limit), "after": following}
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
        "announcements": announced,
        "facets": {name: [each._asdict() for each in values] for name, values in (found.facets or {}).items()},
        "next": f"/api/1/search.json?{urlencode(more)}" if following else None,
    }
    return respond_json(answer, complete=found.complete)


def linked(conn: Any, hits: Iterable[Hit], query: str = "") -> list[ListedMoment]:
    """Return hits with the addresses of the recordings that they were said in, at which the query is marked."""
    hits = list(hits)
    keys = recordings.other_recordings(conn, (hit.transcript for hit in hits))
    return [_moment_of(hit, keys.get(hit.transcript or ""), query) for hit in hits]


def _moment_of(hit: Hit, key: str | None, query: str) -> ListedMoment:
    if not hit.end_ms:  # a session that is about it, not a moment
        return ListedMoment(hit, wording.session_url(hit.event, hit.session, None, key), key)
    address = wording.session_url(hit.event, hit.session, hit.start_ms, key)
    # What says the same in other words has none to be marked.
    marked = query and hit.match != "about this"
    return ListedMoment(hit, f"{address}&{urlencode({'q': query})}" if marked else address, key)


def apart(hits: Sequence[Hit]) -> list[Hit]:
    """Return hits in order of time, so that no sentence is shown twice: neither as a hit nor as what is around one."""
    ordered = sorted(hits, key=lambda hit: (hit.transcript or "", hit.start_ms, len(hit.positions)))
    kept: list[Hit] = []
    for hit in ordered:
        mine = set(hit.positions)
        others = [set(each.positions) for each in kept if each.transcript == hit.transcript]
        if mine and any(mine & other for other in others):
            continue
        kept.append(hit)
    return [_without_neighbours(hit, kept) for hit in kept]


def _without_neighbours(hit: Hit, hits: Sequence[Hit]) -> Hit:
    """Return a hit without what is around it where that is shown already."""
    if not hit.positions:
        return hit
    said = {at for each in hits if each is not hit and each.transcript == hit.transcript for at in each.positions}
    # What comes after a hit is left to one that has it before itself.
    after = {each.positions[0] - 1 for each in hits if each.positions and each.transcript == hit.transcript}
    last = hit.positions[-1]
    return replace(
        hit,
        before="" if hit.positions[0] - 1 in said else hit.before,
        after="" if last + 1 in said or last + 1 in after else hit.after,
    )


def read_filters(request: Any) -> Filters:
    """Return the filters that an address names."""
    values = {name: argument(request, name) or None for name in FACETS}
    return Filters(**{name: value for name, value in values.items() if name not in DATES or is_day(value)})


def _asked(request: Any) -> tuple[str, Filters, Sort, str | None]:
    sort = argument(request, "sort")
    known = cast("Sort", sort) if sort in SORTS else "relevance"
    return argument(request, "q"), read_filters(request), known, argument(request, "after") or None


def _count(result: SessionResult) -> int | None:
    """Return how many moments a session has, as its own page counts them; None where they were not counted."""
    exact = result.match != "some words" and result.counted == "moments" and result.count < MARKED
    return result.count if exact or result.count == 0 else None


def _drawn(result: SessionResult, moments: Sequence[ListedMoment], query: str) -> Markup:
    """Return the strip of a session: at each mark, or each part that has marks, a link to its second."""
    page = escape(wording.session_url(result.event, result.session, None, moments[0].recording))
    before = f"{page}{'&amp;' if '?' in page else '?'}t="
    after = f"&amp;{escape(urlencode({'q': query}))}" if query else ""
    marks = (
        f'<a href="{before}{wording.seconds(start)}{after}" tabindex="-1"><title>{wording.clock(start)}</title>'
        f'<rect x="{left}" y="{10 - height}" width="{width}" height="{height}"></rect></a>'
        for start, left, width, height in _strip(result)
    )
    return Markup("".join(marks))  # noqa: S704  # numbers, and an address that is escaped


def _strip(result: SessionResult) -> list[tuple[int, float, float, float]]:
    """Return the marks of a session: each of its places, or, where they are many, how many are in each part.

    Each is when it begins (milliseconds), and its left, width and height.
    """
    whole = max(result.duration_ms, max((end for _, end in result.places), default=0), 1)
    if len(result.places) <= FEW_PLACES:
        return [
            (start, round(1000 * start / whole, 1), max(round(1000 * (end - start) / whole, 1), 4.0), 10.0)
            for start, end in result.places
        ]
    columns: dict[int, list[int]] = {}
    for start, _ in result.places:
        columns.setdefault(min(BARS * start // whole, BARS - 1), []).append(start)
    most = max(map(len, columns.values()))
    return [
        (its[0], at * 1000 / BARS, 1000 / BARS, round(max(10 * len(its) / most, 1.5), 1))
        for at, its in sorted(columns.items())
    ]
