"""The addresses of the API."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from datasette import Response

from archive import urls
from archive.site.api.cursors import StaleCursorError
from archive.site.api.endpoints import Asked, encode, find, is_complete
from archive.site.api.openapi import describe
from archive.site.api.questions import BadQuestionError, read_question
from archive.site.http.respond import JSON, problem, respond, respond_json
from archive.site.published import current, search_in
from archive.site.queries import Tombstone, tombstone
from archive.site.records import Reader
from archive.site.settings import site_settings


async def openapi(datasette: Any, request: Any) -> Any:  # noqa: ARG001 one signature for all pages
    """``/api/1/openapi.json``: the description of the API."""
    return respond_json(describe(site_settings(datasette)))


async def index(datasette: Any, request: Any) -> Any:  # noqa: ARG001 one signature for all pages
    """``/api/1``: leads to the description."""
    return Response.redirect(urls.OPENAPI)


async def api(datasette: Any, request: Any) -> Any:
    """``/api/1/…``: any endpoint of the API."""
    found = find(request.url_vars["path"])
    if found is None:
        return problem(request, HTTPStatus.NOT_FOUND, f"There is nothing at this address; see {urls.OPENAPI}.")
    endpoint, named = found
    try:
        query = read_question(request, endpoint.query)
    except BadQuestionError as error:
        return problem(request, HTTPStatus.BAD_REQUEST, f"{error}.")
    database, settings = current(datasette), site_settings(datasette)
    path = {name: unquote(value) for name, value in named.items()}

    def read(conn: Any) -> Any:
        reader = Reader(conn, settings, database.publication.built_at)
        answer = endpoint.read(Asked(reader, path, query, search_in(datasette, conn), database.cached_hash))
        return answer if answer is not None else tombstone(conn, path.get("event", ""), path.get("session", ""))

    try:
        answer = await (database.execute_long if endpoint.is_long else database.execute_fn)(read)
    except BadQuestionError as error:
        return problem(request, HTTPStatus.BAD_REQUEST, f"{error}.")
    except StaleCursorError as error:
        return problem(request, HTTPStatus.CONFLICT, f"{error}.")
    if isinstance(answer, Tombstone):
        return problem(request, HTTPStatus.GONE, f"It was withdrawn on {answer.withdrawn_on}.")
    if answer is None:
        return problem(request, HTTPStatus.NOT_FOUND, "There is none of this name.")
    return respond(encode(answer), JSON, complete=is_complete(answer))
