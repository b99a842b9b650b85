"""The site's pages. Each reads what it shows in one go, then renders one template."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from html.parser import HTMLParser
from http import HTTPStatus
from typing import Any

from datasette import Response

from archive.site import queries
from archive.site.browse import ROUTES as BROWSING
from archive.site.explore import ROUTES as EXPLORING
from archive.site.media import ROUTE as MEDIA_ROUTE
from archive.site.media import media
from archive.site.moments import ROUTES as MOMENTS
from archive.site.render import not_found, render
from archive.site.results import ROUTES as SEARCHING
from archive.site.session import ROUTES as SESSION
from archive.site.suggestions import ROUTES as SUGGESTING

_log = logging.getLogger(__name__)


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


async def recording(datasette: Any, request: Any, receive: Any, send: Any) -> Any:
    """``/media/NAME``: a published recording."""
    return None if await media(datasette, request, receive, send) else await not_found(datasette, request)


async def elsewhere(datasette: Any, request: Any) -> Any:
    """Any other address: without its last slash, or not found."""
    path = request.path.rstrip("/")
    if path != request.path and path and not path.startswith("//"):
        return Response.redirect(path + (f"?{request.query_string}" if request.query_string else ""), status=301)
    return await not_found(datasette, request)


async def failed(datasette: Any, request: Any, exception: Exception) -> Any:
    """What stands in place of a page that raised.

    Datasette's errors have a status and a text that is meant for readers, such as SQLite's on a mistake in
    SQL. Of any other failure readers learn nothing, and the log everything.
    """
    status, message = getattr(exception, "status", 500), "This page could not be made."
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        message = _readable(str(getattr(exception, "message", None) or exception))
    else:
        _log.error("%s failed", request.path, exc_info=exception)
    if request.path.endswith(".json"):
        return Response.json({"ok": False, "error": message, "status": status}, status=status)
    if status == HTTPStatus.NOT_FOUND:
        return await not_found(datasette, request)
    return await render(datasette, request, "failed.html", lambda _conn: {}, status=status, message=message)


ROUTES: tuple[tuple[str, Callable[..., Awaitable[Any]]], ...] = (
    (r"/$", home),
    *SEARCHING,
    *SUGGESTING,
    *EXPLORING,
    *BROWSING,
    *SESSION,
    *MOMENTS,
    (MEDIA_ROUTE, recording),
    # All but Datasette's pages over the published database and what those need: others of its pages
    # tell of the machine (paths, threads, configuration).
    (r"/(?!data(?:[./]|$)|-/(?:static|static-plugins|versions|jump|tables)(?:[./]|$)|favicon\.ico$)", elsewhere),
)
"""Patterns that a path must match from its start, and their pages."""


class _Text(HTMLParser):
    """Gathers what people read of a message in HTML: no script, no style, and not the query that they wrote."""

    _SILENT = ("script", "style", "textarea")

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self._inside = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self._inside += tag in self._SILENT

    def handle_endtag(self, tag: str) -> None:
        self._inside -= tag in self._SILENT and self._inside > 0

    def handle_data(self, data: str) -> None:
        self.text += "" if self._inside else data


def _readable(message: str) -> str:
    """Return what people read of a message, some of which Datasette has in HTML."""
    parser = _Text()
    parser.feed(message)
    parser.close()
    return " ".join(parser.text.split())
