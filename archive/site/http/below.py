"""Addresses in JSON, for a site that begins at a path: each path that an answer names begins with the site's own.

Pages are made as if the site began at the root of its host, and so are Datasette's. In HTML `archive.site.links` puts
the site's own path before theirs. Here it is done in JSON, for which Datasette has no hook, and in whole addresses.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from archive.urls import DATA

_ADDRESSES = ("url", "path", "link", "next", "instance", "renderers")
"""How keys end whose values name paths: ``toggle_url``, ``tableUrl``, ``next``; and who holds such values alone."""
_SAID = {"rows", "value", "label"}
"""Keys whose values are the archive's: rows, and what a facet counts."""
_ROWS_ALONE = {b"_shape=array", b"_shape=arrayfirst", b"_shape=object"}
"""What Datasette is asked with for rows and nothing around them."""


def absolute_below(base: str, whole: Callable[[Any, str], str]) -> Callable[[Any, str], str]:
    """Return what makes a whole address of a path, in place of Datasette's own."""
    return lambda request, path: whole(request, _below(base, path) if path[:1] == "/" else path)


def with_addresses_below(app: ASGIApp, base: str) -> ASGIApp:
    """Wrap the application of a site that begins at a path, if it does."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        asked = {*bytes(scope.get("query_string", b"")).split(b"&")}
        names_some = scope["type"] == "http" and not asked & _ROWS_ALONE
        await app(scope, receive, _Rewriting(send, base, scope).send if names_some else send)

    return wrapped if base else app


class _Rewriting:
    """Sends an answer on; JSON when it is whole, with the site's own path in each address that it names."""

    def __init__(self, send: Send, base: str, scope: Scope) -> None:
        self._send, self._base = send, base
        self._origin = f"{scope['scheme']}://{Headers(scope=scope).get('host', '')}"
        self._start: Message | None = None
        self._body = bytearray()

    async def send(self, message: Message) -> None:
        """Send a part of an answer, or keep it until the last."""
        if message["type"] == "http.response.start" and _is_json(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                body = self._placed(bytes(self._body))
                headers = MutableHeaders(raw=list(self._start["headers"]))
                headers["content-length"] = str(len(body))
                await self._send({**self._start, "headers": headers.raw})
                await self._send({**message, "body": body})

    def _placed(self, body: bytes) -> bytes:
        if b'"/' not in body and f'"{self._origin}/'.encode() not in body:
            return body
        return json.dumps(self._of(json.loads(body), address=False), ensure_ascii=False).encode()

    def _of(self, value: Any, *, address: bool) -> Any:
        if isinstance(value, dict):
            return {
                key: each if key in _SAID else self._of(each, address=address or key.lower().endswith(_ADDRESSES))
                for key, each in value.items()
            }
        if isinstance(value, list):
            return [self._of(each, address=address) for each in value]
        return self._below(value) if address and isinstance(value, str) else value

    def _below(self, address: str) -> str:
        if address[:1] == "/":
            return _below(self._base, address)
        path = address.removeprefix(self._origin)
        whole = path != address and path[:1] == "/" and not path.startswith(self._base)
        return f"{self._origin}{self._base}{path}" if whole else address


def _is_json(message: Message) -> bool:
    kind = Headers(raw=message["headers"]).get("content-type", "")
    return kind.partition(";")[0] in ("application/json", "application/problem+json")


def _below(base: str, path: str) -> str:
    """Return a path with the site's own before it; Datasette 1.0 has it in some already."""
    return path if path.startswith(f"{base}{DATA}") else base + path
