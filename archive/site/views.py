"""The site's pages. Each reads what it shows in one go, then renders one template."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlencode

from datasette import Response
from markupsafe import Markup

from archive.search import Hit, Results, SqliteSearch
from archive.site import queries, wording
from archive.site.guard import PAGE_POLICY
from archive.site.media import ROUTE as MEDIA_ROUTE
from archive.site.media import media
from archive.site.published import current
from metadata.captions import FORMATS, WRITERS
from metadata.errors import InvalidTimeError
from metadata.times import parse_offset

HITS_A_PAGE = 20
HITS_IN_A_SESSION = 50
DEEPEST_PAGE = 500
"""Nobody reads on beyond this many pages; robots would."""

_log = logging.getLogger(__name__)
_STATIC = Path(__file__).with_name("static")


class Moment(NamedTuple):
    """A hit, its address, and which recording it is in: None for the session's first."""

    hit: Hit
    url: str
    recording: str | None


async def home(datasette: Any, request: Any) -> Any:
    """``/``: a search box, the newest sessions, events, and how much there is."""
    return await _page(
        datasette,
        request,
        "home.html",
        lambda conn: {
            "figures": queries.figures(conn),
            "newest": queries.newest(conn, 6),
            "events": queries.events(conn, 6),
        },
    )


async def search(datasette: Any, request: Any) -> Any:
    """``/search?q=…&event=…&language=…&page=…``: moments in which something was said."""
    query = _argument(request, "q")
    event, language = _argument(request, "event") or None, _argument(request, "language") or None
    page = _page_number(_argument(request, "page"))

    def read(conn: Any) -> dict[str, Any]:
        found = None
        if query:
            found = SqliteSearch(conn).search(
                query, event=event, language=language, limit=HITS_A_PAGE, offset=(page - 1) * HITS_A_PAGE
            )
        return {
            "found": found,
            "moments": _linked(conn, found),
            "cards": queries.cards_by_slug(conn, {(hit.event, hit.session) for hit in found.hits} if found else ()),
            "events": queries.events(conn),
            "spoken": queries.spoken(conn),
        }

    def address(number: int) -> str:
        chosen = {"q": query, "event": event, "language": language, "page": number if number > 1 else None}
        return "/search?" + urlencode({name: value for name, value in chosen.items() if value})

    return await _page(
        datasette,
        request,
        "search.html",
        read,
        query=query,
        event=event,
        language=language,
        page=page,
        per_page=HITS_A_PAGE,
        deepest=DEEPEST_PAGE,
        address=address,
        canonical=address(page) if query else "/search",
    )


async def events(datasette: Any, request: Any) -> Any:
    """``/events``: all of them, the latest first."""
    return await _page(datasette, request, "events.html", lambda conn: {"events": queries.events(conn)})


async def event(datasette: Any, request: Any) -> Any:
    """``/events/EVENT``: the timetable and what else is known of an event."""
    slug = unquote(request.url_vars["event"])
    return await _page(datasette, request, "event.html", lambda conn: _found(event=queries.event(conn, slug)))


async def person(datasette: Any, request: Any) -> Any:
    """``/people/PERSON``: a person's sessions by role."""
    slug = unquote(request.url_vars["person"])
    return await _page(datasette, request, "person.html", lambda conn: _found(person=queries.person(conn, slug)))


async def session(datasette: Any, request: Any) -> Any:
    """``/events/EVENT/SESSION?t=…``: the player and the transcript; ``q`` searches within the session."""
    event_slug, slug = unquote(request.url_vars["event"]), unquote(request.url_vars["session"])
    query, at_ms = _argument(request, "q"), _parse_moment(_argument(request, "t"))
    wanted = _argument(request, "recording")

    def read(conn: Any) -> dict[str, Any] | None:
        page = queries.session(conn, event_slug, slug)
        if page is None:
            return None
        track = _chosen(page.tracks, wanted)
        first = track is None or track is page.tracks[0]
        lines = queries.lines(conn, track.transcript_id) if track and track.transcript_id else ()
        found = None
        if query and lines:
            found = SqliteSearch(conn).search(query, event=event_slug, session=slug, limit=HITS_IN_A_SESSION)
        return {
            "session": page,
            "track": track,
            "first": first,
            "lines": lines,
            "now": _spoken_at(lines, at_ms),
            "found": found,
            "moments": [moment for moment in _linked(conn, found) if moment.hit.end_ms],
            "canonical": request.path + (f"?recording={track.key}" if track and not first else ""),
        }

    return await _page(
        datasette,
        request,
        "session.html",
        read,
        query=query,
        at_ms=at_ms,
        formats=tuple(FORMATS[name] for name in WRITERS),
    )


async def captions(datasette: Any, request: Any) -> Any:
    """``/events/EVENT/SESSION/captions.FORMAT``: the transcript of a recording, in any format that is written."""
    event_slug, slug = unquote(request.url_vars["event"]), unquote(request.url_vars["session"])
    form, wanted = request.url_vars["format"], _argument(request, "recording")
    if form not in WRITERS:
        return await not_found(datasette, request)

    def read(conn: Any) -> str | None:
        page = queries.session(conn, event_slug, slug)
        track = _chosen(page.tracks, wanted) if page else None
        if track is None or track.transcript_id is None:
            return None
        transcript = queries.transcript(conn, track.transcript_id)
        return WRITERS[form](transcript) if transcript else None

    text = await current(datasette).execute_fn(read)
    if text is None:
        return await not_found(datasette, request)
    return Response(
        text,
        headers={
            "cache-control": _fresh(datasette),
            "content-disposition": f'inline; filename="{_ascii(slug)}{FORMATS[form].suffix}"',
        },
        content_type=f"{FORMATS[form].media_type}; charset=utf-8",
    )


async def recording(datasette: Any, request: Any, receive: Any, send: Any) -> Any:
    """``/media/NAME``: a published recording."""
    return None if await media(datasette, request, receive, send) else await not_found(datasette, request)


async def elsewhere(datasette: Any, request: Any) -> Any:
    """Any other address: without its last slash, or not found."""
    path = request.path.rstrip("/")
    if path != request.path and path and not path.startswith("//"):
        return Response.redirect(path + (f"?{request.query_string}" if request.query_string else ""), status=301)
    return await not_found(datasette, request)


async def not_found(datasette: Any, request: Any) -> Any:
    """What stands at addresses where nothing is."""
    return await _page(datasette, request, "missing.html", lambda _conn: {}, status=404)


async def failed(datasette: Any, request: Any, exception: Exception) -> Any:
    """What stands in place of a page that raised.

    Datasette's errors have a status and a text that is meant for readers, such as SQLite's on a mistake in
    SQL. Of any other failure readers learn nothing, and the log everything.
    """
    status, message = getattr(exception, "status", 500), "This page could not be made."
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        text = getattr(exception, "message", None) or exception
        message = Markup(text).striptags()  # noqa: S704  # some are HTML; what is left is escaped again
    else:
        _log.error("%s failed", request.path, exc_info=exception)
    if request.path.endswith(".json"):
        return Response.json({"ok": False, "error": message, "status": status}, status=status)
    if status == HTTPStatus.NOT_FOUND:
        return await not_found(datasette, request)
    return await _page(datasette, request, "failed.html", lambda _conn: {}, status=status, message=message)


ROUTES: tuple[tuple[str, Callable[..., Awaitable[Any]]], ...] = (
    (r"/$", home),
    (r"/search$", search),
    (r"/events$", events),
    (r"/events/(?P<event>[^/]+)$", event),
    (r"/events/(?P<event>[^/]+)/(?P<session>[^/]+)$", session),
    (r"/events/(?P<event>[^/]+)/(?P<session>[^/]+)/captions\.(?P<format>[a-z-]+)$", captions),
    (r"/people/(?P<person>[^/]+)$", person),
    (MEDIA_ROUTE, recording),
    # All but Datasette's pages over the published database and what those need: others of its pages
    # tell of the machine (paths, threads, configuration).
    (r"/(?!data(?:[./]|$)|-/(?:static|static-plugins|versions|jump|tables)(?:[./]|$)|favicon\.ico$)", elsewhere),
)
"""Patterns that a path must match from its start, and their pages."""


async def _page(
    datasette: Any,
    request: Any,
    template: str,
    read: Callable[[Any], dict[str, Any] | None],
    *,
    status: int = 200,
    **context: Any,
) -> Any:
    """Read what a page shows and render it; where there is nothing to show, say that the page is not there."""
    database = current(datasette)
    content = await database.execute_fn(read)
    if content is None:
        return await not_found(datasette, request)
    config: Mapping[str, str] = datasette.plugin_config("rostra")
    values = {
        "w": wording,
        "archive_title": config.get("title"),
        "built_at": database.publication.built_at,
        "canonical": request.path,
        "style": asset("site.css"),
        "script": asset("player.js"),
        "icon": asset("icon.svg"),
        **context,
        **content,
    }
    values["canonical"] = datasette.absolute_url(request, values["canonical"])
    html = await datasette.render_template(f"rostra/{template}", values, request=request)
    headers = {"content-security-policy": PAGE_POLICY, "cache-control": _fresh(datasette)}
    return Response.html(html, status=status, headers=headers)


def _found(**content: Any) -> dict[str, Any] | None:
    return None if None in content.values() else content


def _chosen(tracks: tuple[queries.Track, ...], wanted: str) -> queries.Track | None:
    """Return the recording that a link names, else the first."""
    named = (track for track in tracks if track.key == wanted)
    return next(named, tracks[0] if tracks else None)


def _spoken_at(lines: tuple[queries.Line, ...], at_ms: int | None) -> int | None:
    """Return the position of the last segment that has begun at a moment."""
    begun = [line.position for line in lines if at_ms is not None and line.start_ms <= at_ms]
    return begun[-1] if begun else None


def _linked(conn: Any, found: Results | None) -> list[Moment]:
    """Return hits with the addresses of the recordings that they were said in."""
    hits = found.hits if found else ()
    keys = queries.other_recordings(conn, (hit.transcript for hit in hits))
    return [_moment_of(hit, keys.get(hit.transcript or "")) for hit in hits]


def _moment_of(hit: Hit, key: str | None) -> Moment:
    at_ms = hit.start_ms if hit.end_ms else None  # a session that is about it, not a moment
    return Moment(hit, wording.session_url(hit.event, hit.session, at_ms, key), key)


def _argument(request: Any, name: str) -> str:
    return (request.args.get(name) or "").strip()


def _page_number(text: str) -> int:
    return min(max(int(text), 1), DEEPEST_PAGE) if text.isascii() and text.isdigit() and len(text) < 6 else 1


def _parse_moment(text: str) -> int | None:
    try:
        return parse_offset(text)
    except InvalidTimeError:
        return None


def _fresh(datasette: Any) -> str:
    return f"max-age={datasette.setting('default_cache_ttl')}"


def _ascii(slug: str) -> str:
    """Return a slug as a file's name that needs no quoting in a header."""
    return "".join(char if char.isascii() and (char.isalnum() or char in "-_") else "-" for char in slug) or "session"


@cache
def asset(name: str) -> str:
    """Return the address of a static file, which changes when the file does."""
    digest = hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/-/static-plugins/rostra/{name}?v={digest}"
