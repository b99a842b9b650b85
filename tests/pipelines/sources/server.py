"""A web server of this machine that does what a test wants of it, well or badly."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Behaviour = Callable[["Handler"], None]


@dataclass
class Site:
    """What the server answers at each path, and what it was asked: ``(path, range)``."""

    answers: dict[str, Behaviour] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def at(self, path: str) -> list[str | None]:
        """Return the ranges that were asked for at a path."""
        return [asked for where, asked in self.asked if where == path]


class Handler(BaseHTTPRequestHandler):
    site: Site
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.site.asked.append((self.path, self.headers.get("range")))
        answer = self.site.answers.get(self.path)
        if answer is None:
            self.send(404, b"")
        else:
            answer(self)

    def send(self, status: int, body: bytes, **headers: str) -> None:
        self.start(status, len(body), **headers)
        self.wfile.write(body)

    def start(self, status: int, length: int | None, **headers: str) -> None:
        self.send_response(status)
        if length is not None:
            self.send_header("content-length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def reset(self) -> None:
        """End the connection as a crash does: with a reset."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def log_message(self, *_arguments: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_arguments: object) -> None:
        """Say nothing: clients hang up on bad servers."""


@contextmanager
def serving(host: str = "127.0.0.1", port: int = 0) -> Iterator[Site]:
    """Serve a site, on a port of its own unless one is named."""
    site = Site()
    handler = type("SiteHandler", (Handler,), {"site": site})
    with _Server((host, port), handler) as server:
        site.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()


def file(body: bytes, *, etag: str | None = '"one"', resets_after: list[int] | None = None, **more: str) -> Behaviour:
    """Serve bytes with ranges; each of ``resets_after`` breaks one answer after that many bytes."""
    breaks = list(resets_after or [])

    def answer(handler: Handler) -> None:
        headers = ({"etag": etag} if etag else {}) | more
        asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("range", ""))
        start = int(asked[1]) if asked and handler.headers.get("if-range") in {None, etag} else 0
        if start:
            headers["content_range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        handler.start(206 if start else 200, len(body) - start, **headers)
        if breaks:
            handler.wfile.write(body[start : start + breaks.pop(0)])
            handler.reset()
        else:
            handler.wfile.write(body[start:])

    return answer


def redirect(target: str) -> Behaviour:
    return lambda handler: handler.send(302, b"", location=target)
