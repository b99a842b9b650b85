"""Recordings as players fetch them: whole, or a range of bytes at a time.

Starlette's file response answers HEAD, ranges, ``If-Range`` and what cannot be satisfied (RFC 9110,
section 14); Datasette's own has none of these.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import FileResponse

from archive.site.published import current
from archive.site.recordings import media_file, readable_name

ROUTE = r"/media/(?P<sha256>[0-9a-f]{64})(?P<suffix>\.[a-z0-9]{1,8})$"
"""The only names that are looked for, in the database first and then on the disk."""

_SAFE = {"image/jpeg", "application/json", "text/vtt"}
"""What renditions are beside sound and pictures that move."""
_FOREVER = "public, max-age=31536000, immutable"


async def media(datasette: Any, request: Any, receive: Any, send: Any) -> bool:
    """Send a published recording; return False, with nothing sent, if there is none of this name."""
    sha256, suffix = request.url_vars["sha256"], request.url_vars["suffix"]
    database = current(datasette)
    known = await database.execute_fn(lambda conn: media_file(conn, sha256, suffix))
    path = database.publication.public / "media" / f"{sha256}{suffix}"
    if known is None or not path.is_file():
        return False
    media_type = known.media_type
    if not media_type.startswith(("audio/", "video/")) and media_type not in _SAFE:
        media_type = "application/octet-stream"  # a browser shall play it or save it, and never run it
    headers = {"cache-control": _FOREVER, "etag": f'"{sha256}"'}
    name = readable_name(known.day, known.event, known.title, known.role, known.language) + suffix
    response = FileResponse(
        path, media_type=media_type, headers=headers, filename=name, content_disposition_type="inline"
    )
    await response(request.scope, receive, send)
    return True
