"""Recordings as players fetch them: whole, or a range of bytes at a time.

Starlette's file response answers HEAD, ranges, ``If-Range`` and what cannot be satisfied (RFC 9110,
section 14); Datasette's own has none of these. It refuses ranges that it does not understand, which are to be passed
over (section 14.2), and so they do not reach it.
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import FileResponse, Response
from starlette.types import Message, Scope

from archive.site.http.negotiation import matches
from archive.site.http.policy import FILE_POLICY, OPEN_TO_ALL
from archive.site.http.respond import ASK_AGAIN
from archive.site.published import current
from archive.site.session_page.recordings import media_file
from metadata.names import readable_name

_SAFE = {"image/jpeg", "application/json", "text/vtt"}
"""What renditions are beside sound and pictures that move."""
_RANGE = re.compile(r"bytes=\s*(\d+-\d*|-\d+)(\s*,\s*(\d+-\d*|-\d+))*\s*", re.ASCII)
_DIGITS = 18
"""Digits of a byte's place; nothing has more."""


async def media(datasette: Any, request: Any, receive: Any, send: Any) -> bool:
    """Send a published recording; return False, with nothing sent, if there is none of this name."""
    sha256, suffix = request.url_vars["sha256"], request.url_vars["suffix"]
    database = current(datasette)
    known = await database.execute_fn(lambda conn: media_file(conn, sha256, suffix))
    path = database.publication.public / "media" / f"{sha256}{suffix}"
    # A publication holds files. A link in one that somebody else made may lead to any file of this machine.
    if known is None or path.is_symlink() or not path.is_file():
        return False
    media_type = known.media_type
    if not media_type.startswith(("audio/", "video/")) and media_type not in _SAFE:
        media_type = "application/octet-stream"  # a browser shall play it or save it, and never run it
    headers = {"cache-control": ASK_AGAIN, "etag": f'"{sha256}"', "content-security-policy": FILE_POLICY, **OPEN_TO_ALL}
    if _is_known(Headers(scope=request.scope), headers["etag"], path):
        response = Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    else:
        response = FileResponse(
            path,
            media_type=media_type,
            headers=headers,
            filename=readable_name(known.day, known.event, known.title, known.role, known.language) + suffix,
            content_disposition_type="inline",
        )

    async def send_open(message: Message) -> None:
        if message["type"] == "http.response.start":
            sent = MutableHeaders(raw=list(message["headers"]))
            for name, value in headers.items():
                sent.setdefault(name, value)  # Starlette's refusals have none of them
            message = {**message, "headers": sent.raw}
        await send(message)

    await response(_with_a_range_that_counts(request.scope), receive, send_open)
    return True


def _is_known(asked: Headers, tag: str, path: Path) -> bool:
    """Return whether a client has the file already (RFC 9110, sections 13.1.2 and 13.1.3)."""
    if known := asked.get("if-none-match"):
        return known.strip() == "*" or matches(known, tag)
    try:
        since = parsedate_to_datetime(asked.get("if-modified-since", ""))
        return since.tzinfo is not None and int(path.stat().st_mtime) <= since.timestamp()
    except (ValueError, OSError):
        return False


def _with_a_range_that_counts(scope: Scope) -> Scope:
    """Return a request without the range that is passed over: one of HEAD, or that is not understood."""
    asked = Headers(scope=scope).get("range", "")
    if scope["method"] == "GET" and _RANGE.fullmatch(asked) and all(map(_is_in_order, asked[6:].split(","))):
        return scope
    return {**scope, "headers": [each for each in scope["headers"] if each[0].lower() != b"range"]}


def _is_in_order(span: str) -> bool:
    first, _, last = (part.strip() for part in span.partition("-"))
    return max(len(first), len(last)) <= _DIGITS and not (first and last and int(first) > int(last))
