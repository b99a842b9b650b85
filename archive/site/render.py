"""What all pages share: reading in one go, one template, one language, and what stands where nothing is."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from datasette import Response
from jinja2 import Environment

from archive import urls
from archive.catalogue.addresses import lead_on, session_at
from archive.site import labels as wording
from archive.site import locales, queries
from archive.site.discovery.pages import About, about_page
from archive.site.http.respond import HTML, for_programs, problem, respond
from archive.site.links import below
from archive.site.published import current
from archive.site.records import Reader
from archive.site.settings import site_settings

_STATIC = Path(__file__).with_name("static")
_ASSETS = "/-/static-plugins/rostra/"


async def render(
    datasette: Any,
    request: Any,
    template: str,
    read: Callable[[Any], dict[str, Any] | None],
    *,
    status: int = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> Any:
    """Read what a page shows and render it; where there is nothing to show, say that the page is not there.

    All of it happens in one go in one thread, while others are answered. A page whose context says that it is not
    ``complete`` is not kept. Its language is that which the reader asks for; `archive.site.http.guard` keeps an answer
    for each.
    """
    database = current(datasette)
    settings = site_settings(datasette)

    spoken = reader_language(request)
    filled = _templates(_environment(datasette)).get_template(f"rostra/{template}")

    def make(conn: Any) -> tuple[str, bool] | None:
        content = read(conn)
        if content is None:
            return None
        about = About()
        if status == HTTPStatus.OK:
            about = about_page(Reader(conn, settings, database.publication.built_at), request.path)
        values = {
            "w": wording,
            "url": urls,
            "about": about,
            "archive_title": settings.title,
            "looks": settings.looks,
            "built_at": database.publication.built_at,
            "canonical": request.path,
            "asset": asset,
            "spoken_here": spoken,
            "site": settings,
            "interface": locales.LANGUAGES,
            "asked_for": argument(request, "lang") in locales.LANGUAGES,
            "in_language": lambda tag: _in_language(request, tag),
            **context,
            **content,
        }
        values["canonical"] = settings.absolute(values["canonical"])
        with locales.speaking(spoken):
            return below(filled.render(values), settings.base), values.get("complete", True)

    made = await database.execute_fn(make)
    if made is None:
        return await not_found(datasette, request)
    html, complete = made
    own = {"content-language": spoken, **(headers or {})}
    lasts = complete and status < HTTPStatus.INTERNAL_SERVER_ERROR
    return respond(html, HTML, status=status, complete=lasts, headers=own)


def _environment(datasette: Any) -> Environment:
    """Return what a Datasette fills its templates with: an attribute before 1.0, and a method since."""
    method = getattr(datasette, "get_jinja_environment", None)
    environment: Environment = method() if method else datasette.jinja_env
    return environment


@cache
def _templates(environment: Environment) -> Environment:
    """Return the templates of a Datasette, compiled anew to be filled at once.

    Datasette's own environment awaits whatever a template shows, piece by piece, which takes twice as long.
    """
    return environment.overlay(enable_async=False, auto_reload=False)


async def not_found(datasette: Any, request: Any) -> Any:
    """What stands at addresses where nothing is, or nothing any more because it was withdrawn."""
    event, session = (unquote(request.url_vars.get(name) or "") for name in ("event", "session"))
    grave = await current(datasette).execute_fn(lambda conn: queries.tombstone(conn, event, session))
    if grave is not None:
        return await gone(datasette, request, grave)
    if there := await current(datasette).execute_fn(lambda conn: _moved(conn, request)):
        return Response.redirect(there, status=HTTPStatus.MOVED_PERMANENTLY)
    if for_programs(request):
        return problem(request, HTTPStatus.NOT_FOUND, f"There is nothing at this address; see {urls.OPENAPI}.")
    return await render(datasette, request, "missing.html", lambda _conn: {}, status=HTTPStatus.NOT_FOUND)


def _moved(conn: Any, request: Any) -> str | None:
    """Return where something is now that was once at an address, or something below it; None where nothing was."""
    event, session, person = (unquote(request.url_vars.get(name) or "") for name in ("event", "session", "person"))
    if person:
        moved = lead_on(conn, "person_id", person)
        return None if moved is None else urls.person_url(moved)
    found = session_at(conn, event, session) if session else (lead_on(conn, "event_id", event), "")
    if not event or found is None or found[0] is None or found == (event, session):
        return None
    before, now = (f"/{'/'.join(quote(each) for each in pair if each)}" for pair in ((event, session), found))
    there = request.path.replace(before, now, 1)
    return None if there == request.path else there + (f"?{request.query_string}" if request.query_string else "")


async def gone(datasette: Any, request: Any, grave: queries.Tombstone) -> Any:
    """What stands at the address of what was withdrawn (RFC 9110, section 15.5.11)."""
    if for_programs(request):
        return problem(request, HTTPStatus.GONE, f"It was withdrawn on {grave.withdrawn_on}.")
    return await render(datasette, request, "gone.html", lambda _conn: {"grave": grave}, status=HTTPStatus.GONE)


def argument(request: Any, name: str) -> str:
    """Return a value of the address's query, "" where there is none; what nobody sees of it is a space."""
    return seen(request.args.get(name) or "").strip()


def seen(text: str) -> str:
    """Return a text with spaces for what nobody sees of it: pages show a reader what was asked.

    That are control characters, but for tabs and ends of lines, and what turns the direction of all that follows it
    (Unicode Standard Annex 9, explicit formatting characters).
    """
    return _UNSEEN.sub(" ", text)


_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def reader_language(request: Any) -> str:
    """Return the language in which a reader is answered."""
    return locales.negotiate(argument(request, "lang"), str(request.headers.get("accept-language") or ""))


@cache
def asset(name: str) -> str:
    """Return the address of a static file, which changes when the file does."""
    digest = hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:12]
    return f"{_ASSETS}{name}?v={digest}"


def is_current_asset(path: str, query: bytes) -> bool:
    """Return whether an address is that of a static file as it is now."""
    name = path.removeprefix(_ASSETS)
    known = name != path and "/" not in name and (_STATIC / name).is_file()
    return known and asset(name).partition("?")[2].encode() == query


def _in_language(request: Any, tag: str) -> str:
    """Return the address of the same page in another language of the interface."""
    kept = [(seen(name), seen(value)) for name, value in parse_qsl(request.query_string) if name != "lang"]
    return f"{request.path}?" + urlencode([*kept, ("lang", tag)])
