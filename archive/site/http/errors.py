"""What stands in place of a page that is not there, or that could not be made."""

from __future__ import annotations

import errno
import logging
from html.parser import HTMLParser
from http import HTTPStatus
from typing import Any

from datasette import Response
from datasette.database import QueryInterrupted
from datasette.views.base import DatasetteError

from archive.site.frozen.places import as_served
from archive.site.http.respond import PROBLEM, UNMADE, for_programs, problem, respond_json
from archive.site.render import not_found, render

UNREAD = ("_through", "_timelimit")
"""Parameters that Datasette takes for JSON and for a number without looking whether they are."""

_log = logging.getLogger(__name__)


async def elsewhere(datasette: Any, request: Any) -> Any:
    """Any address that is no other page's: the one without its last slash, that of a file for this page, or none."""
    if request.path[1:2] in {"/", "\\"}:
        return await not_found(datasette, request)  # to a browser such a path is another site's name
    if there := as_served(request.path):
        more = f"{'&' if '?' in there else '?'}{request.query_string}" if request.query_string else ""
        return Response.redirect(there + more, status=301)
    path = request.path.rstrip("/")
    if path != request.path and path:
        return Response.redirect(path + (f"?{request.query_string}" if request.query_string else ""), status=301)
    return await not_found(datasette, request)


async def failed(datasette: Any, request: Any, exception: Exception) -> Any:
    """What stands in place of a page that raised.

    Datasette's errors have a status and a text that is meant for readers, such as SQLite's on a mistake in
    SQL. Of any other failure readers learn nothing, and the log everything.
    """
    if isinstance(exception, OSError) and exception.errno == errno.ENAMETOOLONG:  # what no file is called
        return await not_found(datasette, request)
    status, message = getattr(exception, "status", 500), UNMADE
    if isinstance(exception, DatasetteError) and status == HTTPStatus.INTERNAL_SERVER_ERROR:
        status = HTTPStatus.BAD_REQUEST  # Datasette calls some mistakes in a query its own
    unread = [name for name in UNREAD if name in request.args and request.path.startswith("/data")]
    if unread and isinstance(exception, ValueError | TypeError | LookupError):
        status, exception = HTTPStatus.BAD_REQUEST, ValueError(f"{unread[0]} cannot be read.")
    if isinstance(exception, QueryInterrupted):  # which Datasette 1.0 says of a table itself
        status, exception = HTTPStatus.BAD_REQUEST, ValueError("This took longer than a query may take.")
    if status < HTTPStatus.INTERNAL_SERVER_ERROR or getattr(exception, "for_readers", False):
        message = _readable(str(getattr(exception, "message", None) or exception))
    else:
        _log.error("%s failed", request.path, exc_info=exception)
    if request.path.startswith("/data"):
        return await _failed_data(datasette, request, status, message)
    if for_programs(request):
        return problem(request, status, message)
    if status == HTTPStatus.NOT_FOUND:
        return await not_found(datasette, request)
    return await _failed_page(datasette, request, status, message)


async def _failed_data(datasette: Any, request: Any, status: int, message: str) -> Any:
    """Answer as Datasette does, whose clients know ``ok`` and ``error``, and as a problem (RFC 9457) at once."""
    if request.path.endswith(".json"):
        title = HTTPStatus(status).phrase
        about = {"ok": False, "error": message, "title": title, "status": status, "detail": message}
        response = respond_json(about, media_type=PROBLEM, complete=False)
        response.status = status
        return response
    if status == HTTPStatus.NOT_FOUND:
        return await not_found(datasette, request)
    return await _failed_page(datasette, request, status, message)


async def _failed_page(datasette: Any, request: Any, status: int, message: str) -> Any:
    return await render(datasette, request, "failed.html", lambda _conn: {}, status=status, message=message)


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
