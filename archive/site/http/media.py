"""Recordings as players fetch them: whole, or a range of bytes at a time.

Starlette's file response answers HEAD, ranges, ``If-Range`` and what cannot be satisfied (RFC 9110,
section 14); Datasette's own has none of these.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from starlette.responses import FileResponse, Response

from archive.site.http.negotiation import matches
from archive.site.http.policy import FILE_POLICY, OPEN_TO_ALL
from archive.site.http.respond import ASK_AGAIN
from archive.site.published import current
from archive.site.session_page.recordings import media_file
from metadata.names import readable_name

_SAFE = {"image/jpeg", "application/json", "text/vtt"}
"""What renditions are beside sound and pictures that move."""


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
    if matches(request.headers.get("if-none-match", ""), headers["etag"]):
        response = Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    else:
        response = FileResponse(
            path,
            media_type=media_type,
            headers=headers,
            filename=readable_name(known.day, known.event, known.title, known.role, known.language) + suffix,
            content_disposition_type="inline",
        )
    await response(request.scope, receive, send)
    return True
