"""The first page, and recordings as files."""

from __future__ import annotations

from typing import Any

from archive.site import queries
from archive.site.http.media import media
from archive.site.render import not_found, render


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
