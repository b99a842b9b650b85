"""CSV that Datasette writes, as a spreadsheet may open it: what would be a formula is text (`metadata.cells`).

Datasette has no hook for its CSV, and columns and values of a query are whatever a stranger's SQL says. So an
apostrophe is put before such cells on the way out, record by record; a number stays one.
"""

from __future__ import annotations

import codecs
import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from archive.urls import API
from metadata.cells import harmless

_CELL = re.compile(r'"(?:[^"]|"")*+"|[^",\r\n]+')
_NUMBER = re.compile(r"[+-]?\d{1,400}(?:\.\d{0,400})?(?:e[+-]?\d{1,4})?", re.ASCII | re.IGNORECASE)
CSV_TYPES = ("text/csv", "text/plain")
"""What Datasette calls CSV: it lets a browser show what nobody asked to download."""


def with_harmless_cells(app: ASGIApp) -> ASGIApp:
    """Wrap an application; what is asked for as ``.csv``, and is none of ours, is written again."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        asked = scope["type"] == "http" and _asks_for_csv(scope)
        await app(scope, receive, _Rewriting(send).send if asked else send)

    return wrapped


def _asks_for_csv(scope: Scope) -> bool:
    path, query = str(scope["path"]), bytes(scope.get("query_string", b""))
    return not path.startswith(f"{API}/") and (path.endswith(".csv") or b"_format=csv" in query)


class _Rewriting:
    """Sends an answer on; one that is CSV, cell by cell."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._records: _Records | None = None

    async def send(self, message: Message) -> None:
        """Send a part of an answer."""
        if message["type"] == "http.response.start":
            kind = Headers(raw=message["headers"]).get("content-type", "")
            if message["status"] == 200 and kind.startswith(CSV_TYPES):
                self._records = _Records()
                headers = MutableHeaders(raw=list(message["headers"]))
                del headers["content-length"]
                message = {**message, "headers": headers.raw}
        elif message["type"] == "http.response.body" and self._records is not None:
            last = not message.get("more_body", False)
            message = {**message, "body": self._records.written(message.get("body", b""), last=last)}
        await self._send(message)


class _Records:
    """Gathers text until a record is whole."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def written(self, data: bytes, *, last: bool) -> bytes:
        """Return the records that end in some bytes, harmless; at the last, whatever is left too."""
        text = self._rest + self._decoder.decode(data, last)
        end = len(text) if last else _end_of_records(text)
        self._rest = text[end:]
        return _CELL.sub(_harmless, text[:end]).encode()


def _end_of_records(text: str) -> int:
    """Return where the last whole record ends: a line ends there, and all quotes before it are closed."""
    quotes, after = text.count('"'), len(text)
    while end := text.rfind("\n", 0, after) + 1:
        quotes -= text.count('"', end, after)
        if quotes % 2 == 0:
            return end
        after = end - 1
    return 0


def _harmless(cell: re.Match[str]) -> str:
    quote, text = ('"', cell[0][1:]) if cell[0].startswith('"') else ("", cell[0])
    return cell[0] if _NUMBER.fullmatch(text.removesuffix(quote)) else quote + harmless(text)
