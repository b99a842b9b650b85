"""The site's pages. Each reads what it shows in one go, then renders one template."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from archive.site import queries
from archive.site.media import media
from archive.site.published import current, search_in
from archive.site.render import argument, not_found, render
from archive.site.respond import respond
from archive.site.results import linked
from metadata.captions import FORMATS, WRITERS
from metadata.errors import InvalidTimeError
from metadata.times import parse_offset

HITS_IN_A_SESSION = 50


async def home(datasette: Any, request: Any) -> Any:
    """``/``: a search box, the newest sessions, events, and how much there is."""
    return await render(
        datasette,
        request,
        "home.html",
        lambda conn: {
            "figures": queries.figures(conn),
            "newest": queries.newest(conn, 6),
            "events": queries.events(conn, 6),
        },
    )


async def events(datasette: Any, request: Any) -> Any:
    """``/events``: all of them, the latest first."""
    return await render(datasette, request, "events.html", lambda conn: {"events": queries.events(conn)})


async def event(datasette: Any, request: Any) -> Any:
    """``/events/EVENT``: the timetable and what else is known of an event."""
    slug = unquote(request.url_vars["event"])
    return await render(datasette, request, "event.html", lambda conn: _found(event=queries.event(conn, slug)))


async def person(datasette: Any, request: Any) -> Any:
    """``/people/PERSON``: a person's sessions by role."""
    slug = unquote(request.url_vars["person"])
    return await render(datasette, request, "person.html", lambda conn: _found(person=queries.person(conn, slug)))


async def session(datasette: Any, request: Any) -> Any:
    """``/events/EVENT/SESSION?t=…``: the player and the transcript; ``q`` searches within the session."""
    event_slug, slug = unquote(request.url_vars["event"]), unquote(request.url_vars["session"])
    query, at_ms = argument(request, "q"), _parse_moment(argument(request, "t"))
    wanted = argument(request, "recording")

    def read(conn: Any) -> dict[str, Any] | None:
        page = queries.session(conn, event_slug, slug)
        if page is None:
            return None
        track = _chosen(page.tracks, wanted)
        first = track is None or track is page.tracks[0]
        lines = queries.lines(conn, track.transcript_id) if track and track.transcript_id else ()
        found = None
        if query and lines:
            found = search_in(datasette, conn).search(query, event=event_slug, session=slug, limit=HITS_IN_A_SESSION)
        return {
            "session": page,
            "track": track,
            "first": first,
            "lines": lines,
            "now": _spoken_at(lines, at_ms),
            "found": found,
            "moments": [moment for moment in linked(conn, found.hits if found else ()) if moment.hit.end_ms],
            "canonical": request.path + (f"?recording={track.key}" if track and not first else ""),
        }

    return await render(
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
    form, wanted = request.url_vars["format"], argument(request, "recording")
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
    name = f'inline; filename="{_ascii(slug)}{FORMATS[form].suffix}"'
    return respond(text, f"{FORMATS[form].media_type}; charset=utf-8", headers={"content-disposition": name})


async def recording(datasette: Any, request: Any, receive: Any, send: Any) -> Any:
    """``/media/NAME``: a published recording."""
    return None if await media(datasette, request, receive, send) else await not_found(datasette, request)


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


def _parse_moment(text: str) -> int | None:
    try:
        return parse_offset(text)
    except InvalidTimeError:
        return None


def _ascii(slug: str) -> str:
    """Return a slug as a file's name that needs no quoting in a header."""
    return "".join(char if char.isascii() and (char.isalnum() or char in "-_") else "-" for char in slug) or "session"
