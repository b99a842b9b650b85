"""How the site answers: one function for every media type, and one for every error.

Whatever is answered with `respond` stays the same until the next publication, so that browsers and caches between
may keep it and ask whether it still holds (RFC 9110, section 13; RFC 9111). `archive.site.http.guard` adds the
validator, compresses, and keeps what was made.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import msgspec
from datasette import Response

from archive.site.http.policy import FILE_POLICY, OPEN_TO_ALL, PAGE_POLICY

FRESH = "public, max-age=5, s-maxage=30"
"""For how many seconds a browser, and a cache that many share, may answer without asking: a withdrawal shows soon."""
ASK_AGAIN = "public, no-cache"
"""May be kept, and must be asked for each time: what was withdrawn is not played from a cache."""
FOREVER = "public, max-age=31536000, immutable"
"""The address changes with the content."""
UNKEPT = "no-store"
"""Not to be kept: another time the answer may be better."""
UNMADE = "This page could not be made."
"""All that readers learn of a failure."""

HTML = "text/html; charset=utf-8"
JSON = "application/json; charset=utf-8"
PROBLEM = "application/problem+json"
CALENDAR = "text/calendar; charset=utf-8"


def respond(
    body: str | bytes,
    media_type: str,
    *,
    status: int = HTTPStatus.OK,
    complete: bool = True,
    file: str | None = None,
    shown_as: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return an answer of any media type.

    Pages are for this site alone. Everything else is a file that pages of other sites may read as well.

    Args:
        body: the content; text is sent as UTF-8.
        media_type: with its charset, where it has one.
        status: of HTTP.
        complete: False when time ran out while it was made, so that nobody keeps it.
        file: the name under which a browser saves it; None to show it.
        shown_as: the name that a browser proposes where a reader saves what it shows; any letters (RFC 6266).
        headers: any others.
    """
    page = media_type == HTML
    named = {"content-disposition": f'attachment; filename="{file}"'} if file else {}
    if shown_as:
        named = {"content-disposition": f"inline; filename*=utf-8''{quote(shown_as, safe='')}"}
    return Response(
        body,
        status=status,
        headers={
            "cache-control": FRESH if complete else UNKEPT,
            "content-security-policy": PAGE_POLICY if page else FILE_POLICY,
            **({} if page else OPEN_TO_ALL),
            **named,
            **(headers or {}),
        },
        content_type=media_type,
    )


def respond_json(value: Any, *, media_type: str = JSON, complete: bool = True) -> Response:
    """Return a value of any type that msgspec writes as JSON."""
    return respond(msgspec.json.encode(value), media_type, complete=complete)


class Problem(msgspec.Struct, omit_defaults=True, frozen=True):
    """What is wrong with a request, for programs (RFC 9457)."""

    title: str
    status: int
    detail: str = ""
    instance: str = ""
    type: str = "about:blank"


def problem_of(status: int, detail: str, path: str) -> bytes:
    """Return an error as JSON, for the path of a request."""
    about = Problem(title=HTTPStatus(status).phrase, status=int(status), detail=detail, instance=path)
    return msgspec.json.encode(about)


def problem(request: Any, status: int, detail: str, *, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error for programs.

    Args:
        request: its path becomes the ``instance``.
        status: of HTTP; its name is the title.
        detail: what to do about it.
        headers: any others, such as ``Retry-After``.
    """
    kept = {"cache-control": UNKEPT} if status >= HTTPStatus.INTERNAL_SERVER_ERROR else {}
    return respond(
        problem_of(status, detail, request.path), PROBLEM, status=status, headers={**kept, **(headers or {})}
    )


def for_programs(request: Any) -> bool:
    """Return whether an address is one of those that only programs ask."""
    return bool(request.path.startswith("/api/") or request.path.endswith(".json"))
