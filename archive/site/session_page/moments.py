"""Moments that leave the site: cited, and embedded in other sites' pages (https://oembed.com)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from archive.site import queries
from archive.site.cited.addresses import address_of
from archive.site.cited.resolving import identity_of, read_spoken
from archive.site.http.policy import PAGE_POLICY
from archive.site.http.respond import problem, respond, respond_json
from archive.site.labels import session_url
from archive.site.published import current
from archive.site.render import argument, not_found, render
from archive.site.session_page import citing, recordings
from archive.site.session_page.page import TimeSpan, parse_span
from archive.site.session_page.recordings import SessionPage, Track, chosen_track
from archive.site.settings import SiteSettings, site_settings
from archive.urls import embed_url, permanent_url, with_query
from metadata.names import readable_name

EMBED_POLICY = PAGE_POLICY.replace("frame-ancestors 'none'", "frame-ancestors *")
"""Of players, which are the only pages that other sites may show as their own."""
LINK = "link"
"""The style of a citation that is nothing but the address which stays."""
WIDTH, HEIGHT = 640, 400
SOUND_HEIGHT = 190


async def cite(datasette: Any, request: Any) -> Any:
    """``/events/EVENT/SESSION/cite?t=…``: a citation of a session or a moment in all styles and formats."""

    def read(conn: Any) -> dict[str, Any] | None:
        answer = _source(site_settings(datasette), request, conn)
        if answer is None:
            return None
        page, source, _track = answer
        texts = {title: citing.text(source, name) for name, title in citing.TEXTS.items()}
        files = {name: write(source) for name, (write, _media_type, _suffix) in citing.FILES.items()}
        return {"session": page, "source": source, "texts": texts, "files": files}

    kept = {name: argument(request, name) for name in ("t", "recording") if argument(request, name)}
    return await render(
        datasette,
        request,
        "cite.html",
        read,
        recording=argument(request, "recording"),
        address=lambda style: f"{request.path}.txt?{urlencode({**kept, 'style': style}, safe=',')}",
    )


async def cite_as(datasette: Any, request: Any) -> Any:
    """``/events/EVENT/SESSION/cite.txt?t=…&style=…``: a citation in one style or format."""
    style = argument(request, "style") or "apa"
    write: Callable[[citing.Source], str]
    if style == LINK:
        write, media_type, suffix = (lambda source: f"{source.url}\n"), "text/plain", ".txt"
    elif style in citing.TEXTS:
        write, media_type, suffix = partial(citing.text, style=style), "text/plain", ".txt"
    elif style in citing.FILES:
        write, media_type, suffix = citing.FILES[style]
    else:
        return await not_found(datasette, request)

    def read(conn: Any) -> tuple[str, str] | None:
        answer = _source(site_settings(datasette), request, conn)
        if answer is None:
            return None
        page, source, _track = answer
        day = page.card.day.isoformat() if page.card.day else None
        return write(source), readable_name(day, page.card.event_title, page.card.title) + suffix

    made = await current(datasette).execute_fn(read)
    if made is None:
        return await not_found(datasette, request)
    body, name = made
    return respond(body, f"{media_type}; charset=utf-8", shown_as=name)


async def embed(datasette: Any, request: Any) -> Any:
    """``/embed/EVENT/SESSION?t=…``: a player that other sites may frame."""

    def read(conn: Any) -> dict[str, Any] | None:
        found = asked_for(request, conn)
        return None if found is None else {"session": found[0], "track": found[1], "first": found[2]}

    event, session = unquote(request.url_vars["event"]), unquote(request.url_vars["session"])
    return await render(
        datasette,
        request,
        "embed.html",
        read,
        headers={"content-security-policy": EMBED_POLICY},
        span=parse_span(argument(request, "t")),
        canonical=session_url(event, session),
    )


async def oembed(datasette: Any, request: Any) -> Any:
    """``/oembed?url=…``: how to embed what stands at an address of this site, as JSON or XML.

    Source: https://oembed.com, sections 2.2 and 2.3.
    """
    form = argument(request, "format") or "json"
    if form not in {"json", "xml"}:
        return problem(request, HTTPStatus.NOT_IMPLEMENTED, "The formats are json and xml.")
    parts = urlsplit(argument(request, "url"))
    path = parts.path.removeprefix(site_settings(datasette).base)
    names = [unquote(each) for each in path.strip("/").split("/")]
    if len(names) != 3 or names[0] != "events":  # events, EVENT, SESSION
        return await not_found(datasette, request)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}

    def read(conn: Any) -> tuple[SessionPage, Track] | None:
        page = recordings.session(conn, names[1], names[2])
        track = chosen_track(page.tracks, asked.get("recording", "")) if page else None
        return (page, track) if page and track and track.file else None

    found = await current(datasette).execute_fn(read)
    if found is None:
        return await not_found(datasette, request)
    answer = _oembed(site_settings(datasette), request, *found, asked)
    return respond(_xml(answer), "text/xml; charset=utf-8") if form == "xml" else respond_json(answer)


def asked_for(request: Any, conn: Any) -> tuple[SessionPage, Track, bool] | None:
    """Return the session and the recording that an address names, if that plays here, and whether it is the first."""
    page = recordings.session(conn, unquote(request.url_vars["event"]), unquote(request.url_vars["session"]))
    track = chosen_track(page.tracks, argument(request, "recording")) if page else None
    return (page, track, track is page.tracks[0]) if page and track and track.file else None


def _source(settings: SiteSettings, request: Any, conn: Any) -> tuple[SessionPage, citing.Source, Track | None] | None:
    event, session = unquote(request.url_vars["event"]), unquote(request.url_vars["session"])
    span, wanted = parse_span(argument(request, "t")), argument(request, "recording")
    return source_of(conn, settings, event, session, span=span, wanted=wanted)


def source_of(
    conn: Any, settings: SiteSettings, event: str, session: str, *, span: TimeSpan | None, wanted: str = ""
) -> tuple[SessionPage, citing.Source, Track | None] | None:
    """Return a session, what is cited of it, and the recording; None where one of them is not there.

    Args:
        conn: the published database.
        settings: the site's.
        event: its slug.
        session: its slug.
        span: the moment; None for the whole session.
        wanted: the key of a recording; "" for the first.
    """
    page, of_event = recordings.session(conn, event, session), queries.event(conn, event)
    track = chosen_track(page.tracks, wanted) if page else None
    if page is None or of_event is None or (wanted and track is None):
        return None
    card, span = page.card, span if track else None
    venue = next((each for each in of_event.places if each.kind == "venue"), None)
    # A site of files cannot look a version up: there the page itself is what is cited.
    stays = None if settings.static else _permanent(conn, page, track, span)
    address = stays or session_url(event, session) + _query(span, wanted)
    speakers = [credit.name for credit in card.people if credit.role in {"speaker", "author", "reader", "panellist"}]
    return (
        page,
        citing.Source(
            key=f"{event}-{session}" + (f"-{span.start_ms // 1000}" if span else ""),
            title=card.title,
            people=tuple(dict.fromkeys(speakers or [credit.name for credit in card.people])),
            event=card.event_title,
            place=(venue.city or venue.name) if venue else None,
            publisher=settings.title,
            day=card.day,
            language=track.spoken if track else card.language,
            kind=track.kind if track else None,
            url=settings.absolute(address),
            start_ms=span.start_ms if span else None,
            end_ms=span.end_ms if span else None,
        ),
        track,
    )


def _permanent(conn: Any, page: SessionPage, track: Track | None, span: TimeSpan | None) -> str | None:
    """Return the address of a session or a moment that stays; None where an older Rostra published it."""
    identity = identity_of(conn, page.card.id)
    if identity is None:
        return None
    version = next((each for each in track.transcripts if each.kind != "translation"), None) if track else None
    if span is None or version is None:
        more = {"recording": track.key if track and track is not page.tracks[0] else None}
        return with_query(permanent_url(identity), {**more, "t": span.text if span else None}).replace("%2C", ",")
    return address_of(identity, version.version, read_spoken(conn, version.id), span).path


def _query(span: TimeSpan | None, recording: str) -> str:
    chosen = {"recording": recording, "t": span.text if span else ""}
    kept = {name: value for name, value in chosen.items() if value}
    return "?" + urlencode(kept, safe=",") if kept else ""


def _oembed(
    settings: SiteSettings, request: Any, page: SessionPage, track: Track, asked: dict[str, str]
) -> dict[str, Any]:
    from markupsafe import Markup

    span = parse_span(asked.get("t", ""))
    path = embed_url(page.card.event, page.card.slug)
    source = settings.absolute(path + _query(span, asked.get("recording", "")))
    width, height = WIDTH, HEIGHT if track.kind == "video" else SOUND_HEIGHT
    for name, value in (("maxwidth", width), ("maxheight", height)):
        wanted = argument(request, name)
        if wanted.isascii() and wanted.isdigit() and 0 < int(wanted[:6]) < value:
            share = int(wanted[:6]) / value
            width, height = round(width * share), round(height * share) if track.kind == "video" else height
    html = Markup(
        '<iframe src="{}" width="{}" height="{}" allow="autoplay; fullscreen" loading="lazy" title="{}"></iframe>'
    ).format(source, width, height, page.card.title)
    answer = {
        "version": "1.0",
        "type": "video" if track.kind == "video" else "rich",
        "title": page.card.title,
        "author_name": ", ".join(dict.fromkeys(credit.name for credit in page.card.people)),
        "provider_name": settings.name,
        "provider_url": settings.absolute("/"),
        "html": str(html),
        "width": width,
        "height": height,
        "thumbnail_url": settings.absolute(f"/media/{track.poster}") if track.poster else "",
    }
    return {name: value for name, value in answer.items() if value}


def _xml(answer: dict[str, Any]) -> str:
    from xml.sax.saxutils import escape  # nosec  # writes only

    inside = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in answer.items())
    return f'<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n<oembed>{inside}</oembed>\n'
