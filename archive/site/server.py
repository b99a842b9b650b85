"""Serving over HTTP: connections that ask nothing do not keep others out.

uvicorn closes a connection that is idle after an answer, but waits for ever for one whose request never ends, or who
never reads the answer. So each connection has some seconds to send a request, and when there are too many, one makes
room: that which has asked nothing for the longest, or else that which has read nothing of its answer for the longest. A
player that pauses is one of those; it asks again for the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from socket import AF_INET, AF_INET6, IPPROTO_TCP, TCP_NODELAY
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from archive.site.http.policy import COMMON, FILE_POLICY
from archive.site.http.respond import UNKEPT

HEADER_SECONDS = 10.0
"""How long a client may take to send a request, or to begin one."""
MAX_CONNECTIONS = 1_000


class PatientProtocol(H11Protocol):
    """HTTP/1.1 with a time limit for requests and a limit of connections."""

    header_seconds = HEADER_SECONDS
    max_connections = MAX_CONNECTIONS
    waiting: dict[PatientProtocol, asyncio.TimerHandle] = {}  # noqa: RUF012  # one for the process, oldest first
    stalled: dict[PatientProtocol, None] = {}  # noqa: RUF012  # likewise
    _idle = False

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a request; make room where there is none."""
        super().connection_made(transport)
        # asyncio does so itself, but for a socket that several processes share: there the end of an answer would wait
        # until the client confirms its beginning, mostly 40 milliseconds.
        if (connection := transport.get_extra_info("socket")) is not None and connection.family in {AF_INET, AF_INET6}:
            connection.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        if len(self.connections) > self.max_connections:
            oldest = next(iter(self.waiting), None) or next(iter(self.stalled), self)
            oldest.make_room()
        if not transport.is_closing():
            self._wait()

    def data_received(self, data: bytes) -> None:
        """Read what came; a request that has begun and not ended goes on waiting, also for its body."""
        super().data_received(data)
        if self._is_asked() or self._idle:
            self._settle()
        if not self._is_asked():
            self._wait()

    def on_response_complete(self) -> None:
        """Go on to the next request, if it is there already; else it is waited for."""
        super().on_response_complete()
        if self._is_asked():
            self._settle()
        elif self not in self.stalled:  # uvicorn closes it soon, when the answer was read
            self._wait()
            self._idle = True

    def pause_writing(self) -> None:
        """Note that the client does not read as fast as it is answered."""
        super().pause_writing()
        self.stalled[self] = None

    def resume_writing(self) -> None:
        """Note that it has read."""
        super().resume_writing()
        self.stalled.pop(self, None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._settle()
        self.stalled.pop(self, None)
        super().connection_lost(exc)

    def expire(self) -> None:
        """Close the connection: it did not ask anything in time."""
        self._settle()
        self.transport.close()

    def make_room(self) -> None:
        """End the connection at once, whatever of an answer was not read yet."""
        self._settle()
        self.stalled.pop(self, None)
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, with the headers of every answer."""
        if self.conn.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            self.transport.close()  # an answer has begun already
            return
        body = f"{msg}\n".encode()
        told = {**COMMON, "content-security-policy": FILE_POLICY, "cache-control": UNKEPT, "connection": "close"}
        told |= {"content-type": "text/plain; charset=utf-8", "content-length": str(len(body))}
        headers = [(name.encode(), value.encode()) for name, value in told.items()]
        for event in (h11.Response(status_code=400, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _should_upgrade(self) -> bool:
        return False  # to a protocol that nobody speaks here; RFC 9110, section 7.8: an Upgrade may be passed over

    def _is_asked(self) -> bool:
        """Return whether a request is there as a whole, and not answered yet."""
        return self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body

    def _wait(self) -> None:
        if self not in self.waiting:
            self.waiting[self] = asyncio.get_running_loop().call_later(self.header_seconds, self.expire)

    def _settle(self) -> None:
        self._idle = False
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
