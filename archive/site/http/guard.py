"""What stands before every page: the site is read only, up to date, and made once a publication.

Nobody logs in here, so cookies and passwords are dropped before a page is made: no answer depends on them, and every
answer may be kept by a cache.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
from http import HTTPStatus
from typing import Any
from urllib.parse import SplitResult, unquote, unquote_plus, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from archive.lane.pool import asker
from archive.site.http.answers import MAX_BYTES, Answer, Answers, Key
from archive.site.http.below import absolute_below, with_addresses_below
from archive.site.http.negotiation import (
    MIN_BYTES,
    as_wanted,
    chosen_encoding,
    encodings,
    is_compressible,
    matches,
    validator,
)
from archive.site.http.policy import COMMON, OPEN_TO_ALL, TLS_ONLY, data_policy
from archive.site.http.respond import FOREVER, FRESH, PROBLEM, UNKEPT, UNMADE, problem_of
from archive.site.locales import negotiate
from archive.site.published import refresh
from archive.site.render import is_current_asset
from archive.site.settings import site_settings
from archive.urls import API, DATA, OAI

_log = logging.getLogger(__name__)

_READING = ("GET", "HEAD", "OPTIONS")
_OPTIONS = OPEN_TO_ALL | {
    "access-control-allow-headers": "Accept, If-Modified-Since, If-None-Match, If-Range, Range",
    "access-control-max-age": "86400",
}
"""What a page of another site is told before it reads this one (WHATWG Fetch, CORS preflight)."""
MAX_SQL_BYTES = 8_192
"""Bytes of a query string with SQL. Datasette looks for comments in SQL by patterns whose time grows with the square of
its length, and answers nobody else meanwhile: 50 KB without the end of a comment take seconds."""
_OF_THE_MOMENT = re.compile(
    r"\b(now|random|randomblob|current_(date|time|timestamp))\b"
    r"|\b((date|time|datetime|julianday|unixepoch)\s*\(|strftime\s*\(\s*('[^']*'|:\w+))\s*\)",
    re.IGNORECASE,
)
"""What a query says whose answer may be another the next time, though nothing was published
(https://sqlite.org/lang_datefunc.html, https://sqlite.org/lang_corefunc.html#random)."""
_TOO_LONG = f"This query is longer than {MAX_SQL_BYTES} bytes.\n"
_CREDENTIALS = {b"cookie", b"authorization"}
_DROPPED = ("set-cookie", "vary")
"""Headers of Datasette's that speak of logging in."""
_LASTING = {200, 206, 301, 302, 304, 404, 410}
"""Answers that others may be given as well, for as long as a page: a browser would keep a redirect for good."""
_VARY = "Accept-Encoding"
_UNNAMED = {"127.0.0.1", "localhost", "0.0.0.0", "::1", "::"}  # noqa: S104  # nobody listens here
_ORIGIN = re.compile(rb"https?://[^/]*", re.IGNORECASE)
"""What a whole address begins with, before its path."""
_FORM = "application/x-www-form-urlencoded"
_FORM_BYTES = 4 << 10
_PIECE_BYTES = 128 << 10
"""The next piece of an answer is sent when the one before it was taken: who reads slowly takes little memory."""
_IN_THREAD_BYTES = 64 << 10
"""A longer text is compressed in a thread, while other requests go on."""


def guard(app: ASGIApp, datasette: Any) -> ASGIApp:
    """Wrap Datasette's application."""
    answers = Answers()
    base, site = site_settings(datasette).base, urlsplit(site_settings(datasette).url)
    app = with_addresses_below(app, base)
    datasette.absolute_url = absolute_below(base, datasette.absolute_url)

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        scope = _within(base, _by_its_path(scope))
        sending = _WithPolicy(scope, send, base)
        try:
            await answered(scope, receive, sending)
        except Exception:
            if sending.begun:
                raise
            # Not even the page that says so could be made.
            _log.exception("%s failed", scope["path"])
            failure = PlainTextResponse(f"{UNMADE}\n", HTTPStatus.INTERNAL_SERVER_ERROR)
            await failure(scope, receive, sending)

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        sent = await _sent(scope, receive)
        if scope["method"] == "POST" and scope["path"] == OAI:
            scope = _asked_in_a_form(scope, sent) or scope
        if scope["method"] not in _READING:
            await _refusal(scope)(scope, receive, send)
            return
        if scope["path"].startswith(DATA) and len(scope.get("query_string", b"")) > MAX_SQL_BYTES:
            await PlainTextResponse(_TOO_LONG, HTTPStatus.REQUEST_URI_TOO_LONG)(scope, receive, send)
            return
        if scope["method"] == "OPTIONS":
            methods = _allowed(scope)
            preflight = {**_OPTIONS, "allow": methods, "access-control-allow-methods": methods}
            await Response(status_code=204, headers=preflight)(scope, receive, send)
            return
        await datasette.invoke_startup()  # once; Datasette itself does so only if all is well at the first request
        refresh(datasette)
        headers = [each for each in scope["headers"] if each[0].lower() not in _CREDENTIALS]
        scope = _as_named(site, {**scope, "headers": headers, "path": scope["path"] or "/"})
        scope, send = as_wanted(scope, send)
        asker.set(_network(scope))
        await _Exchange(app, datasette, answers, scope, receive, send).run()

    return guarded


async def _sent(scope: Scope, receive: Receive) -> bytes:
    """Return the body of a request, or its beginning where it is longer than a form may be.

    Every body is read before the answer begins, also one that nobody wants: a proxy that passes on both as they come
    (Caddy) ends the connection when the answer is earlier, and the reader gets no answer.
    """
    headers, body = Headers(scope=scope), b""
    more = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    while more and len(body) <= _FORM_BYTES:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _asked_in_a_form(scope: Scope, body: bytes) -> Scope | None:
    """Return a harvester's question in a form as one in an address; None where it is no such form.

    OAI-PMH asks of a repository that both are answered (https://www.openarchives.org/OAI/openarchivesprotocol.html,
    section 3.1.1).
    """
    if Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        return None
    if len(body) > _FORM_BYTES:
        return None
    query = b"&".join(filter(None, (scope.get("query_string", b""), body.strip())))
    return {**scope, "method": "GET", "query_string": query}


def _allowed(scope: Scope) -> str:
    """Return the methods of an address."""
    return ", ".join([*_READING, *(["POST"] if scope["path"] == OAI else [])])


def _refusal(scope: Scope) -> Response:
    """Return the answer to who wants to write."""
    allow = {"allow": _allowed(scope)}
    if not scope["path"].startswith(f"{API}/"):
        return PlainTextResponse("This site is read only.\n", HTTPStatus.METHOD_NOT_ALLOWED, allow)
    about = problem_of(HTTPStatus.METHOD_NOT_ALLOWED, "This site is read only.", scope["path"])
    return Response(about, HTTPStatus.METHOD_NOT_ALLOWED, allow | OPEN_TO_ALL, PROBLEM)


def _by_its_path(scope: Scope) -> Scope:
    """Return a request for a whole address, as a proxy's client sends it, as one for its path (RFC 9112, 3.2.2)."""
    raw = scope.get("raw_path") or b""
    if not (origin := _ORIGIN.match(raw)):
        return scope
    path = raw[origin.end() :] or b"/"
    return {**scope, "path": unquote(path.decode("ascii", "replace")), "raw_path": path}


def _within(base: str, scope: Scope) -> Scope:
    """Return a request by its path within the site; a proxy may have taken away the path at which the site begins."""
    if not base or not f"{scope['path']}/".startswith(f"{base}/"):
        return scope
    raw = scope.get("raw_path") or scope["path"].encode()
    start = raw.partition(b"?")[0]
    rest = raw[len(base) :] if start.startswith(base.encode()) else scope["path"][len(base) :].encode()
    return {**scope, "path": scope["path"][len(base) :] or "/", "raw_path": rest or b"/"}


def _network(scope: Scope) -> str:
    """Return the address that a request comes from, of IPv6 the network; "" for this machine, such as a proxy on it."""
    try:
        address = ipaddress.ip_address((scope.get("client") or ("",))[0])
    except ValueError:
        return ""
    if address.is_loopback:
        return ""
    return str(ipaddress.ip_network((address, 64), strict=False) if address.version == 6 else address)


def _as_named(site: SplitResult, scope: Scope) -> Scope:
    """Return a request to the host that the site is called by, whatever host whoever asks has named.

    Datasette writes whole addresses with it, and answers are kept for others. A site that nobody gave a name answers at
    any address of its machine, and keeps what it answers for those who ask at the same one.
    """
    if site.hostname in _UNNAMED:
        return scope
    headers = [each for each in scope["headers"] if each[0].lower() != b"host"]
    return {**scope, "headers": [*headers, (b"host", site.netloc.encode())], "scheme": site.scheme}


class _WithPolicy:
    """A ``send`` that sets the headers of every answer, and knows whether one has begun."""

    def __init__(self, scope: Scope, send: Send, base: str) -> None:
        self._scope, self._send, self._base = scope, send, base
        self.begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            headers = MutableHeaders(raw=[(name.lower(), value) for name, value in message["headers"]])
            if "content-security-policy" not in headers:
                headers["content-security-policy"] = data_policy()
            headers.setdefault("cache-control", FRESH if message["status"] in _LASTING else UNKEPT)
            for name, value in (COMMON | (TLS_ONLY if self._scope.get("scheme") == "https" else {})).items():
                headers.setdefault(name, value)
            if headers.get("location", "").startswith("/"):
                headers["location"] = self._base + headers["location"]
            message = {**message, "headers": headers.raw}
        await self._send(message)


class _Exchange:
    """One request and its answer: from memory, made anew, or only the news that nothing has changed."""

    def __init__(
        self, app: ASGIApp, datasette: Any, answers: Answers, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self.app, self.answers, self.scope, self.receive, self._send = app, answers, scope, receive, send
        asked = Headers(scope=scope)
        path = scope.get("raw_path") or scope["path"].encode()
        address, query = path.decode("latin-1").partition("?")[0], scope.get("query_string", b"")
        if scope["path"].startswith(DATA):  # Datasette's answers hold the host
            address = f"{scope.get('scheme')}://{asked.get('host', '')}{address}"
        self.any_tag = validator(datasette, address, query, "")
        self.tag = self.spoken_tag = validator(
            datasette, address, query, negotiate("", asked.get("accept-language", ""))
        )
        self.packed_tag = validator(datasette, address, query, "packed")
        self.encoding = chosen_encoding(asked.get("accept-encoding", ""))
        known = asked.get("if-none-match", "")
        tags = (self.any_tag, self.spoken_tag, self.packed_tag)
        self.known = next((tag for tag in tags if matches(known, tag)), None)
        self.knows_some = known.strip() == "*"
        self.lasts = not (
            scope["path"].startswith(DATA) and _OF_THE_MOMENT.search(unquote_plus(query.decode("latin-1")))
        )
        self._start: MutableHeaders | None = None
        self._body = bytearray()
        self._passing = False

    async def run(self) -> None:
        """Answer the request."""
        if not self.lasts:
            await self.app(self._whole(), self.receive, self.send)
            return
        making = (self.spoken_tag, self.encoding)
        keys: tuple[Key, ...] = (making, (self.any_tag, self.encoding), (self.packed_tag, None))
        if self.known:
            # This tag was given to no other address, and only with an answer that was complete.
            self.tag = self.known
            await self._answer(Response(status_code=304, headers=self._lasting()))
            return
        for key in keys:
            if kept := await self.answers.get(key):
                self.tag = key[0]
                await self._give(kept)
                break
        else:
            self.answers.begin(making)
            try:
                await self.app(self._whole(), self.receive, self.send)
            finally:
                self.answers.give_up(making)

    def _whole(self) -> Scope:
        """Return the request for the whole of a page where only its headers are asked for: it will be kept."""
        return self.scope if self.scope["path"].startswith("/media/") else {**self.scope, "method": "GET"}

    def _lasting(self) -> dict[str, str]:
        return {"etag": self.tag, "cache-control": self._freshness(), **self._varies()}

    def _varies(self) -> dict[str, str]:
        """Return what an answer depends on: pages, which name their language, on the reader's; pictures on nothing."""
        if self.tag == self.packed_tag:
            return {}
        return {"vary": f"{_VARY}, Accept-Language" if self.tag == self.spoken_tag else _VARY}

    def _freshness(self) -> str:
        return FOREVER if is_current_asset(self.scope["path"], self.scope.get("query_string", b"")) else FRESH

    async def send(self, message: Message) -> None:
        """Take a message of the application's: gather a text that can be kept, pass on everything else."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=[(name.lower(), value) for name, value in message["headers"]])
            for name in _DROPPED:
                del headers[name]
            if not self._keeps(message["status"], headers):
                self._passing = True
                if not self.lasts:
                    headers["cache-control"] = UNKEPT
                self.answers.give_up((self.spoken_tag, self.encoding))
                if "content-language" in headers:
                    headers["vary"] = "Accept-Language"
                await self._send({**message, "headers": headers.raw})
                return
            self._start = headers
            if not is_compressible(headers.get("content-type", "")):
                self.tag, self.encoding = self.packed_tag, None
            else:
                self.tag = self.spoken_tag if "content-language" in headers else self.any_tag
            headers["etag"] = self.tag
            if self._freshness() == FOREVER or headers.get("cache-control", "").startswith("max-age="):
                headers["cache-control"] = self._freshness()  # Datasette's own says nothing of caches between
            headers.setdefault("cache-control", FRESH)
        elif self._passing or self._start is None:
            await self._send({**message, "body": b""} if self.scope["method"] == "HEAD" else message)
        else:
            await self._gather(message, self._start)

    def _keeps(self, status: int, headers: MutableHeaders) -> bool:
        unkept = UNKEPT in headers.get("cache-control", "")
        own = "etag" in headers and "/-/static" not in self.scope["path"]  # media have their own
        kind = headers.get("content-type", "")
        made = is_compressible(kind) or kind.startswith("image/")  # which is drawn for a publication
        return status == 200 and self.lasts and not unkept and not own and made

    async def _gather(self, message: Message, start: MutableHeaders) -> None:
        self._body += message.get("body", b"")
        if not message.get("more_body"):
            answer = await self._make(start, bytes(self._body))
            self.answers.put((self.tag, self.encoding), answer)
            await self._give(answer)
        elif len(self._body) > MAX_BYTES:
            self._passing = True
            self.answers.give_up((self.spoken_tag, self.encoding))
            del start["content-length"]
            await self._send({"type": "http.response.start", "status": 200, "headers": start.raw})
            await self._send({"type": "http.response.body", "body": bytes(self._body), "more_body": True})
            self._body.clear()

    async def _make(self, headers: MutableHeaders, body: bytes) -> Answer:
        headers.update(self._varies())
        if self.encoding and len(body) >= MIN_BYTES:
            compress = encodings()[self.encoding]
            long = len(body) > _IN_THREAD_BYTES
            body = await asyncio.to_thread(compress, body) if long else compress(body)
            headers["content-encoding"] = self.encoding
        headers["content-length"] = str(len(body))
        return Answer(headers.raw, body)

    async def _give(self, answer: Answer) -> None:
        if self.knows_some:
            await self._answer(Response(status_code=304, headers=self._lasting()))
            return
        body = b"" if self.scope["method"] == "HEAD" else answer.body
        await self._send({"type": "http.response.start", "status": 200, "headers": answer.headers})
        for start in range(0, len(body) or 1, _PIECE_BYTES):
            piece, more = body[start : start + _PIECE_BYTES], start + _PIECE_BYTES < len(body)
            await self._send({"type": "http.response.body", "body": piece, "more_body": more})

    async def _answer(self, response: Response) -> None:
        await response(self.scope, self.receive, self._send)
