"""Serving over HTTP: connections that ask nothing do not keep others out.

uvicorn closes a connection that is idle after an answer, but waits for ever for one whose request never ends. So
each connection has some seconds for the lines of a request, and when there are too many, the one that has waited
longest without asking anything makes room.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from socket import AF_INET, AF_INET6, IPPROTO_TCP, TCP_NODELAY
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 10.0
"""How long a client may take to send the lines of a request, or to begin one."""
MAX_CONNECTIONS = 1_000


class PatientProtocol(H11Protocol):
    """HTTP/1.1 with a time limit for requests and a limit of connections."""

    header_seconds = HEADER_SECONDS
    max_connections = MAX_CONNECTIONS
    waiting: dict[PatientProtocol, asyncio.TimerHandle] = {}  # noqa: RUF012  # one for the process, oldest first

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a request; make room where there is none."""
        super().connection_made(transport)
        # asyncio does so itself, but for a socket that several processes share: there the end of an answer would wait
        # until the client confirms its beginning, mostly 40 milliseconds.
        if (connection := transport.get_extra_info("socket")) is not None and connection.family in {AF_INET, AF_INET6}:
            connection.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        if len(self.connections) > self.max_connections:
            oldest = next(iter(self.waiting), self)
            oldest.expire()
        if not transport.is_closing():
            self._wait()

    def data_received(self, data: bytes) -> None:
        """Read what came; a request that has begun and not ended goes on waiting."""
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._wait()
        else:
            self._settle()

    def on_response_complete(self) -> None:
        """Go on to the next request, if it is there already."""
        super().on_response_complete()
        if self.cycle is not None and not self.cycle.response_complete:
            self._settle()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._settle()
        super().connection_lost(exc)

    def expire(self) -> None:
        """Close the connection: it did not ask anything in time."""
        self._settle()
        self.transport.close()

    def _wait(self) -> None:
        if self not in self.waiting:
            self.waiting[self] = asyncio.get_running_loop().call_later(self.header_seconds, self.expire)

    def _settle(self) -> None:
        if timer := self.waiting.pop(self, None):
            timer.cancel()


def raise_file_limit(wanted: int = 4 * MAX_CONNECTIONS) -> None:
    """Let this process open as many files as its connections need, where the system allows it."""
    if sys.platform == "win32":
        return
    import resource  # not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft < highest:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (highest, hard))
