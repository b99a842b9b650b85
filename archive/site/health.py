"""Is the site well? For load balancers and whoever watches over it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from archive.site import queries
from archive.site.http.respond import UNKEPT, problem, respond_json
from archive.site.published import current
from archive.sqlite import sqlite3


async def health(datasette: Any, request: Any) -> Any:
    """``/-/health``: 200 with what is published, or 503 when the database cannot be read."""
    database = current(datasette)
    try:
        sessions = (await database.execute_fn(queries.figures)).sessions
    except sqlite3.Error:
        return problem(request, HTTPStatus.SERVICE_UNAVAILABLE, "The published database cannot be read.")
    publication = database.publication
    about = {
        "status": "ok",
        "publication": database.cached_hash,
        "built_at": publication.built_at,
        "sessions": sessions,
    }
    response = respond_json(about)
    response.headers["cache-control"] = UNKEPT
    return response
