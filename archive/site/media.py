"""Recordings as players fetch them: whole, or a range of bytes at a time.

Starlette's file response answers HEAD, ranges, ``If-Range`` and what cannot be satisfied (RFC 9110,
section 14); Datasette's own has none of these.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import FileResponse, Response

from archive.site import queries
from archive.site.published import current

ROUTE = r"/media/(?P<sha256>[0-9a-f]{64})(?P<suffix>\.[a-z0-9]{1,8})$"
"""The only names that are looked for, in the database first and then on the disk."""

_SAFE = {"image/jpeg", "application/json", "text/vtt"}
"""What renditions are beside sound and pictures that move."""
_ASK_AGAIN = "public, no-cache"
"""A shared cache keeps a file and asks each time whether it may still give it (RFC 9111, section 5.2.2.4): what was
taken back is gone from it, too. The answer to the question is short."""


def _asked(request: Any) -> list[str]:
    """Return the tags of what a client has already (RFC 9110, section 13.1.2)."""
    return str(request.headers.get("if-none-match") or "").split(",")


async def media(datasette: Any, request: Any, receive: Any, send: Any) -> bool:
    """Send a published recording; return False, with nothing sent, if there is none of this name."""
    sha256, suffix = request.url_vars["sha256"], request.url_vars["suffix"]
    database = current(datasette)
    media_type = await database.execute_fn(lambda conn: queries.media_type(conn, sha256, suffix))
    path = database.publication.public / "media" / f"{sha256}{suffix}"
    if media_type is None or not path.is_file():
        return False
    if not media_type.startswith(("audio/", "video/")) and media_type not in _SAFE:
        media_type = "application/octet-stream"  # a browser shall play it or save it, and never run it
    headers = {"cache-control": _ASK_AGAIN, "etag": f'"{sha256}"'}
    if sha256 in {tag.strip().removeprefix("W/").strip('"') for tag in _asked(request)}:
        await Response(status_code=304, headers=headers)(request.scope, receive, send)
        return True
    await FileResponse(path, media_type=media_type, headers=headers)(request.scope, receive, send)
    return True
