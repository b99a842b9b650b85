"""Recordings as players fetch them: whole, or a range of bytes at a time.

Starlette's file response answers HEAD, ranges, ``If-Range`` and what cannot be satisfied (RFC 9110,
section 14); Datasette's own has none of these. It refuses ranges that it does not understand, which are to be passed
over (section 14.2), and those of which a part begins beyond the end: so what reaches it is what counts of a range.
"""

from __future__ import annotations

import os
import re
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from stat import S_ISREG
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
_RANGE = re.compile(r"bytes=(\s*(?:\d+-\d*|-\d+)\s*(?:,\s*(?:\d+-\d*|-\d+)\s*)*)", re.ASCII | re.IGNORECASE)
_DIGITS = 18
"""Digits of a byte's place; nothing has more."""


async def media(datasette: Any, request: Any, receive: Any, send: Any) -> bool:
    """Send a published recording; return False, with nothing sent, if there is none of this name."""
    sha256, suffix = request.url_vars["sha256"], request.url_vars["suffix"]
    database = current(datasette)
    known = await database.execute_fn(lambda conn: media_file(conn, sha256, suffix))
    path = database.publication.public / "media" / f"{sha256}{suffix}"
    # A publication holds files. A link in one that somebody else made may lead to any file of this machine.
    try:
        stat = path.lstat()
    except OSError:
        return False
    if known is None or not S_ISREG(stat.st_mode):
        return False
    media_type = known.media_type
    if not media_type.startswith(("audio/", "video/")) and media_type not in _SAFE:
        media_type = "application/octet-stream"  # a browser shall play it or save it, and never run it
    headers = {"cache-control": ASK_AGAIN, "etag": f'"{sha256}"', "content-security-policy": FILE_POLICY, **OPEN_TO_ALL}
    if _is_known(Headers(scope=request.scope), headers["etag"], stat):
        response = Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    else:
        response = FileResponse(
            path,
            media_type=media_type,
            headers=headers,
            stat_result=stat,
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

    await response(_with_a_range_that_counts(request.scope, stat.st_size), receive, send_open)
    return True


def _is_known(asked: Headers, tag: str, stat: os.stat_result) -> bool:
    """Return whether a client has the file already (RFC 9110, sections 13.1.2 and 13.1.3)."""
    if known := asked.get("if-none-match"):
        return known.strip() == "*" or matches(known, tag)
    try:
        since = parsedate_to_datetime(asked.get("if-modified-since", ""))
        return since.tzinfo is not None and int(stat.st_mtime) <= since.timestamp()
    except ValueError:
        return False


def _with_a_range_that_counts(scope: Scope, size: int) -> Scope:
    """Return a request with what counts of its range: of one of HEAD, or that is not understood, nothing.

    Spans that begin beyond the end are left out, unless all of them do.
    """
    found = _RANGE.fullmatch(Headers(scope=scope).get("range", ""))
    others = [each for each in scope["headers"] if each[0].lower() != b"range"]
    spans = [_span(each, size) for each in found[1].split(",")] if found and scope["method"] == "GET" else []
    if not spans or any(first > last for first, last in spans):
        return {**scope, "headers": others}
    there = [(first, last) for first, last in spans if first < size] or spans[:1]
    counts = ",".join(f"{first}-{last}" for first, last in there)
    return {**scope, "headers": [*others, (b"range", f"bytes={counts}".encode())]}


def _span(written: str, size: int) -> tuple[int, int]:
    """Return the first and the last byte of a part of a file; both beyond its end, where it has no such part."""
    first, _, last = (part.strip() for part in written.partition("-"))
    if not first:
        many = min(_place(last), size)
        return (size - many, size - 1) if many else (size, size)
    if last and _place(last) < _place(first):
        return _place(first), _place(last)
    return _place(first), max(_place(first), min(_place(last) if last else size, size - 1))


def _place(digits: str) -> int:
    return int(digits.lstrip("0")[:_DIGITS] or 0)
