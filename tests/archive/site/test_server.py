"""The server under connections that ask nothing, ask slowly, or come in crowds."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import httpx
import pytest

from archive.site.http.policy import COMMON, FILE_POLICY
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
    "beginning",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nver",
        b"POST /oai HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
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


@pytest.mark.parametrize("target", ["http://localhost/-/health", "HTTP://other.example:80/-/health?a=b"])
def test_request_for_a_whole_address_is_one_for_its_path(hurried: str, target: str) -> None:
    with connect(hurried) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert b'"status":"ok"' in received(connection)


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


class Small(PatientProtocol):
    """The server with room for few."""

    max_connections = 5
    header_seconds = 600.0


WHOLE = b"GET /-/health HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_crowd_that_reads_nothing_keeps_nobody_out(public: Path) -> None:
    [recording, *_] = sorted((public / "media").glob("*.wav"), key=lambda path: -path.stat().st_size)
    asked = f"GET /media/{recording.name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * 30
    with serving(public, Small) as address, ExitStack() as stack:
        for come in range(1, 2 * Small.max_connections + 1):
            connection = stack.enter_context(connect(address))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            connection.sendall(asked)
            while len(Small.stalled) < min(come, Small.max_connections - 1):
                time.sleep(0.02)
            assert httpx.get(f"{address}/-/health", timeout=60).status_code == 200
    assert Small.stalled == {}


def test_crowd_that_has_asked_and_keeps_its_connections_keeps_nobody_out(public: Path) -> None:
    with serving(public, Small) as address, ExitStack() as stack:
        for _ in range(3 * Small.max_connections):
            connection = stack.enter_context(connect(address))
            connection.sendall(WHOLE)
            assert b"200 OK" in connection.recv(65_536)


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_with_the_headers_of_every_answer(hurried: str, sent: bytes) -> None:
    with connect(hurried) as connection:
        connection.sendall(sent)
        head, _, body = received(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    for name, value in {**COMMON, "content-security-policy": FILE_POLICY, "cache-control": "no-store"}.items():
        assert f"\r\n{name}: {value}".encode() in head
    assert body == b"Invalid HTTP request received.\n"


def test_bytes_after_which_no_request_is_understood_end_the_connection(
    hurried: str, caplog: pytest.LogCaptureFixture
) -> None:
    many = b"%x\r\n%s\r\n" % (9_000, b"x" * 9_000)  # an answer begins before all of it is read
    with connect(hurried) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + many)
        assert connection.recv(12) == b"HTTP/1.1 405"
        connection.sendall(b"zz\r\n")
        received(connection)
    assert [each.message for each in caplog.records if each.exc_info] == []


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
def test_other_protocols_are_passed_over_in_silence(
    hurried: str, protocol: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with connect(hurried) as connection:
        more = b"Connection: Upgrade\r\nUpgrade: " + protocol
        connection.sendall(WHOLE.replace(b"\r\n\r\n", b"\r\n" + more + b"\r\n\r\n"))
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
    assert caplog.messages == []


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"])
def test_crowd_that_asks_nothing_keeps_nobody_out(public: Path, sent: bytes) -> None:
    raise_file_limit(8 * CROWD)
    with serving(public) as address, ExitStack() as stack:
        for _ in range(CROWD):
            stack.enter_context(connect(address)).sendall(sent)
        assert httpx.get(f"{address}/events", timeout=60).status_code == 200
    assert PatientProtocol.waiting == {}
