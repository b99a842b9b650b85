"""The server under connections that ask nothing, ask slowly, or come in crowds."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import httpx
import pytest

from archive.site.server import PatientProtocol, raise_file_limit
from tests.archive.published_folder import publish
from tests.archive.served import serving

CROWD = 1_100


class Hurried(PatientProtocol):
    """The server with a limit of time that a test can wait for."""

    header_seconds = 0.3


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("public")
    publish(folder)
    return folder


@pytest.fixture(scope="module")
def hurried(public: Path) -> Iterator[str]:
    with serving(public, Hurried) as address:
        yield address


class Watched(PatientProtocol):
    """The server, which tells of each connection whether it sends at once."""

    at_once: ClassVar[list[int]] = []

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.at_once.append(transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))


def connect(address: str) -> socket.socket:
    parts = urlsplit(address)
    assert parts.hostname
    assert parts.port
    return socket.create_connection((parts.hostname, parts.port), timeout=60)


def received(connection: socket.socket) -> bytes:
    """Return what comes until the server closes the connection."""
    data = b""
    try:
        while part := connection.recv(65_536):
            data += part
    except ConnectionResetError:
        pass
    return data


@pytest.mark.parametrize(
    "beginning", [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "]
)
def test_request_that_does_not_end_is_closed(hurried: str, beginning: bytes) -> None:
    with connect(hurried) as connection:
        connection.sendall(beginning)
        assert received(connection) == b""


def test_second_request_that_does_not_end_is_closed(hurried: str) -> None:
    with connect(hurried) as connection:
        connection.sendall(b"GET /-/health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /events HTTP/1.1\r\nHost: ")
        answer = received(connection)
    assert answer.count(b"HTTP/1.1 200 OK") == 1


def test_several_requests_on_a_connection_are_answered(hurried: str) -> None:
    whole = b"GET /-/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with connect(hurried) as connection:
        connection.sendall(whole + whole)
        assert received(connection).count(b'"status":"ok"') == 2


def test_answers_are_sent_at_once_on_a_socket_that_processes_may_share(public: Path) -> None:
    with serving(public, Watched) as address:
        assert httpx.get(f"{address}/-/health", timeout=60).status_code == 200
    assert Watched.at_once
    assert all(Watched.at_once)


def test_crowd_that_asks_nothing_keeps_nobody_out(public: Path) -> None:
    raise_file_limit(8 * CROWD)
    with serving(public) as address, ExitStack() as stack:
        for _ in range(CROWD):
            stack.enter_context(connect(address)).sendall(b"GET / HTTP/1.1\r\n")
        assert httpx.get(f"{address}/events", timeout=60).status_code == 200
    assert PatientProtocol.waiting == {}
