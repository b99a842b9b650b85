"""What stands at the permanent addresses of sessions and moments."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from datasette import Response

from archive import urls
from archive.site.cited.addresses import Address, BadAddressError, parse
from archive.site.cited.annotation import MEDIA_TYPE, annotated
from archive.site.cited.reading import read, session_page
from archive.site.cited.resolving import session_of
from archive.site.http.respond import problem, respond
from archive.site.published import current
from archive.site.queries import Tombstone
from archive.site.render import argument, gone, not_found, render
from archive.site.session_page.recordings import SessionPage
from archive.site.settings import site_settings


async def session(datasette: Any, request: Any) -> Any:
    """``/cite/SESSION``: leads to the session, wherever it is now."""

    def find(conn: Any) -> SessionPage | Tombstone | None:
        found = session_of(conn, request.url_vars["identity"])
        return session_page(conn, found) if isinstance(found, int) else found

    found = await current(datasette).execute_fn(find)
    if found is None:
        return await not_found(datasette, request)
    if isinstance(found, Tombstone):
        return await gone(datasette, request, found)
    query = {name: argument(request, name) or None for name in ("t", "recording")}
    return Response.redirect(urls.with_query(urls.session_url(found.card.event, found.card.slug), query))


async def moment(datasette: Any, request: Any) -> Any:
    """``/cite/SESSION/VERSION?t=…&words=…``: a moment as it was cited, beside what stands there now."""
    try:
        address = _address(request)
    except BadAddressError as error:
        return await _told(datasette, request, HTTPStatus.BAD_REQUEST, problem=str(error))
    found = await current(datasette).execute_fn(lambda conn: read(conn, address))
    if found is None:
        return await _told(datasette, request, HTTPStatus.NOT_FOUND, problem=None)
    if isinstance(found, Tombstone):
        return await gone(datasette, request, found)
    if found.outcome.state == "withheld":
        return await _told(datasette, request, HTTPStatus.GONE, shown=found)
    return await render(
        datasette, request, "cited.html", lambda _conn: {}, shown=found, cited=address, outcome=found.outcome,
        canonical=address.path, annotation=address.in_form(".jsonld"),
    )  # fmt: skip


async def _told(datasette: Any, request: Any, status: HTTPStatus, **context: Any) -> Any:
    """Say what is the matter with an address, and repeat nothing of it: its words may be those that are gone."""
    return await render(
        datasette,
        request,
        "uncited.html",
        lambda _conn: {},
        status=status,
        **{"shown": None, "problem": None, "in_language": lambda tag: f"?lang={tag}", **context},
    )


async def annotation(datasette: Any, request: Any) -> Any:
    """``/cite/SESSION/VERSION.jsonld?t=…&words=…``: a moment as Web Annotation."""
    try:
        address = _address(request)
    except BadAddressError as error:
        return problem(request, HTTPStatus.BAD_REQUEST, f"{error}.")
    found = await current(datasette).execute_fn(lambda conn: read(conn, address))
    if found is None:
        return problem(request, HTTPStatus.NOT_FOUND, NOWHERE)
    if isinstance(found, Tombstone):
        return problem(request, HTTPStatus.GONE, f"It was withdrawn on {found.withdrawn_on}.")
    if found.outcome.state == "withheld":
        return problem(request, HTTPStatus.GONE, TAKEN_BACK)
    settings = site_settings(datasette)
    media = urls.media_url(found.track.file) if found.track and found.track.file else None
    made = annotated(settings, address, found.outcome, found.session_path, media)
    return respond(msgspec.json.encode(made), MEDIA_TYPE)


NOWHERE = "No session of this archive, or no version of its transcripts, has this name, and its words are not said."
TAKEN_BACK = "What was said at this moment has been taken back."


def _address(request: Any) -> Address:
    named = request.url_vars
    return parse(named["identity"], named["version"], lambda name: argument(request, name))
