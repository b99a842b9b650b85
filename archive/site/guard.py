"""What stands before every page: the site is read only, up to date, and lets nothing in from elsewhere."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from archive.site.published import DATABASE, refresh

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content Security Policy of Rostra's own pages, which carry no script or style of their own (W3C CSP3)."""

_DATA_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""The same for Datasette's pages, whose scripts and styles are partly in the page."""

_READING = {"GET", "HEAD", "OPTIONS"}


def guard(app: ASGIApp, datasette: Any) -> ASGIApp:
    """Wrap Datasette's application."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        if scope["method"] not in _READING:
            refusal = PlainTextResponse("This site is read only.\n", 405, {"allow": "GET, HEAD, OPTIONS"})
            await refusal(scope, receive, send)
            return
        if DATABASE in datasette.databases:  # from the plugin's startup on
            refresh(datasette)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=[(name.lower(), value) for name, value in message["headers"]])
                headers.setdefault("content-security-policy", _DATA_POLICY)
                headers.setdefault("x-content-type-options", "nosniff")
                headers.setdefault("referrer-policy", "same-origin")
                message = {**message, "headers": headers.raw}
            await send(message)

        await app(scope, receive, send_guarded)

    return guarded
