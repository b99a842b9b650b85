"""HTTP and HTTPS: look at an address and download from it. Addresses and answers are hostile input.

Every request, and each redirect, goes through `Guard`. It checks that the scheme is allowed, resolves the host, and
checks that none of its addresses is private (RFC 6890's registries, as `ipaddress` knows them). It connects to the
address that was checked, so that a second answer of the name server changes nothing. Proxies that the environment names
are not used, since they would resolve names unchecked.

A download is written to a partial file beside its final name. After a break it continues (RFC 9110, section 14:
``Range`` with ``If-Range``) if the server identifies the version that it sends; otherwise it begins anew. The file must
match what the server promises by ``Content-Length`` and ``Repr-Digest`` (RFC 9530), and the ``#sha256=…`` at the end of
the address, if there is one.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import msgspec

from pipelines.config import PullSettings as Settings
from pipelines.errors import AddressError, FetchError, LimitError
from pipelines.sources.base import Fetched, Found, Report, Shelf, file_name, ignore_progress
from pipelines.storage.atomic import sync_file, sync_folder, write_atomic

CONNECT_SECONDS = 20.0
SLOWEST = 1_000
"""A server that sends fewer bytes a second, during ``pull.silent_seconds``, is given up."""
REDIRECTS = 10
LOOK_BYTES = 2_048

_AGENT = "Rostra (archive of recordings)"
_BUSY = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


Resolve = Callable[[str, int, Settings], list[str]]
NameServer = Callable[..., Sequence[tuple[Any, ...]]]


class BrokenTransferError(FetchError):
    """The transfer broke and may be continued."""


@dataclass(frozen=True, slots=True)
class Look:
    """What an address answers: facts from the headers, and the first bytes.

    Attributes:
        stamp: identifies this version of the file, as far as the server does.
        size: the promised number of bytes.
    """

    name: str
    media_type: str
    stamp: tuple[str, ...]
    size: int | None
    beginning: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class WebFile(Found):
    """A file at an address."""

    url: str

    @contextmanager
    def fetch(self, shelf: Shelf) -> Iterator[Fetched]:
        """Download the file, or continue a partial download. The file is removed when the block ends."""
        shelf.folder.mkdir(parents=True, exist_ok=True)
        path = shelf.folder / self.shelf_name
        download(self.url, path, shelf.settings, shelf.report)
        try:
            yield Fetched(path)
        finally:
            path.unlink(missing_ok=True)


def look(url: str, settings: Settings) -> Look:
    """Request an address, and read only the beginning of its answer.

    Raises:
        ItemError: the request fails, or the answer is an error.
    """
    beginning = b""
    with _in_time(settings) as extensions, _asked(url, settings, extensions=extensions) as response:
        _refuse(response)
        for piece in response.iter_raw(LOOK_BYTES):
            beginning += piece
            if len(beginning) >= LOOK_BYTES:
                break
    headers = response.headers
    return Look(
        name=_name(response),
        media_type=headers.get("content-type", "").partition(";")[0].strip().lower(),
        stamp=tuple(headers.get(name, "") for name in ("etag", "last-modified", "content-length")),
        size=_length(response),
        beginning=beginning[:LOOK_BYTES],
    )


@contextmanager
def _in_time(settings: Settings) -> Iterator[dict[str, Any]]:
    """Yield httpx extensions that end the requests of this block after ``pull.answer_seconds``.

    The time limits of httpx apply to each read, so a server that sends one byte now and then never exceeds them.

    Raises:
        BrokenTransferError: the server took longer.
    """
    connections: list[socket.socket] = []
    over = threading.Event()

    def note(event: str, facts: dict[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            # A duplicate, since TLS detaches the original's descriptor.
            connections.append(facts["return_value"].get_extra_info("socket").dup())
            if over.is_set():
                end()

    def end() -> None:
        over.set()
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(settings.answer_seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield {"trace": note}
    except FetchError as error:
        if over.is_set():
            raise BrokenTransferError(f"the server took more than {settings.answer_seconds:g} s to answer") from error
        raise
    finally:
        timer.cancel()
        for connection in connections:
            connection.close()


@contextmanager
def _asked(
    url: str, settings: Settings, headers: dict[str, str] | None = None, extensions: dict[str, Any] | None = None
) -> Iterator[httpx.Response]:
    """Request an address, follow redirects, and raise Rostra's errors for those of httpx."""
    timeout = httpx.Timeout(settings.silent_seconds, connect=CONNECT_SECONDS)
    known = {"user-agent": _AGENT, "accept-encoding": "identity"}
    try:
        with (
            httpx.Client(
                transport=Guard(settings),
                timeout=timeout,
                follow_redirects=True,
                max_redirects=REDIRECTS,
                trust_env=False,
            ) as client,
            client.stream("GET", url, headers=known | (headers or {}), extensions=extensions) as response,
        ):
            yield response
    except httpx.InvalidURL as error:
        raise AddressError(f"no address that can be asked: {error}") from error
    except httpx.TimeoutException as error:
        raise BrokenTransferError(f"the server was silent for too long ({type(error).__name__})") from error
    except httpx.TooManyRedirects as error:
        raise FetchError(f"it leads on and on: more than {REDIRECTS} redirects") from error
    except httpx.HTTPError as error:
        raise BrokenTransferError(f"the connection failed: {error}") from error


def request(url: str, settings: Settings, headers: dict[str, str], *, limit: int) -> tuple[httpx.Response, bytes]:
    """Return the answer of an address, and its whole body, decoded.

    Raises:
        ItemError: the request fails, or the body is larger than ``limit`` bytes.
    """
    body = bytearray()
    asked = {"accept-encoding": "gzip"} | headers
    with _in_time(settings) as extensions, _asked(url, settings, asked, extensions) as response:
        for piece in response.iter_bytes(65_536):
            body += piece
            if len(body) > limit:
                raise LimitError(f"it is larger than {limit // 1_000_000} MB")
    return response, bytes(body)


class Guard(httpx.BaseTransport):
    """Lets requests through to allowed schemes and addresses alone, and resolves names itself.

    Args:
        settings: which schemes, and which private hosts, may be asked.
        resolve: returns the addresses of a host, every one of which may be asked; see `addresses`.
    """

    def __init__(self, settings: Settings, resolve: Resolve | None = None) -> None:
        self._settings, self._resolve = settings, resolve or addresses
        # A kept connection would serve another host at the same address without a check.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._inner = httpx.HTTPTransport(verify=_certificates(), trust_env=False, limits=limits)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Ask the first address of the host that answers.

        Raises:
            AddressError: the scheme or an address is not allowed.
            FetchError: the host is unknown.
            httpx.HTTPError: no address answers.
        """
        url = request.url
        if url.scheme not in self._settings.schemes:
            raise AddressError(f"the scheme {url.scheme!r} is not among pull.schemes in rostra.toml: {shown(url)}")
        failure: httpx.HTTPError | None = None
        for address in self._resolve(url.host, url.port or (443 if url.scheme == "https" else 80), self._settings):
            moved = httpx.Request(
                request.method,
                url.copy_with(host=address),
                headers=request.headers,
                stream=request.stream,
                extensions=request.extensions | {"sni_hostname": url.host},
            )
            try:
                return self._inner.handle_request(moved)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        raise failure or httpx.ConnectError("the name has no address")

    def close(self) -> None:
        """Close what connections are open."""
        self._inner.close()


@cache
def _certificates() -> ssl.SSLContext:
    """Return the trusted certificates. They are cached, since reading them takes longer than most requests."""
    return httpx.create_ssl_context(trust_env=False)


def shown(url: httpx.URL) -> str:
    """Return an address without its user and query, which may hold secrets."""
    return f"{url.scheme}://{url.host}{url.path}"


def addresses(
    host: str,
    port: int,
    settings: Settings,
    name_server: NameServer = socket.getaddrinfo,
    allowed: Callable[[str], bool] | None = None,
) -> list[str]:
    """Return the IP addresses of a host, after checking that each of them may be asked.

    Args:
        host: its name, or an address.
        port: where it is to be asked.
        settings: which private hosts may be asked.
        name_server: answers as `socket.getaddrinfo` does.
        allowed: whether an address may be asked; `is_public`, unless it is given.

    Raises:
        AddressError: one of them may not be asked.
        FetchError: the host is unknown.
    """
    try:
        answers = name_server(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise BrokenTransferError(f"no host {host!r} is known: {error}") from error
    found = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
    if host.lower() not in {name.lower() for name in settings.private_hosts}:
        for address in found:
            if not (allowed or is_public)(address):
                raise AddressError(
                    f"{host} is at {address}, a private address: if it is yours, add {host!r} to pull.private_hosts"
                    " in rostra.toml"
                )
    return found


def is_public(address: str) -> bool:
    """Whether an IP address is public. If it embeds another address, that one must be public too.

    Sources: RFC 6890 with its registries; IANA's "Internet Protocol Version 6 Address Space", by which all global
    unicast is in 2000::/3; RFC 4291 (IPv4-mapped), RFC 3056 (6to4), RFC 4380 (Teredo) and RFC 6052 (NAT64) for
    addresses in addresses.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not ip.is_multicast and ip not in _PROTOCOL
    if ip in _NAT64:
        return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
    if ip.ipv4_mapped:
        return is_public(str(ip.ipv4_mapped))
    inside = [ip.sixtofour, *(ip.teredo or ())]
    unicast = ip in _UNICAST and ip.is_global and ip not in _EXAMPLES
    return unicast and all(is_public(str(each)) for each in inside if each is not None)


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_UNICAST = ipaddress.IPv6Network("2000::/3")
# Younger Pythons know these two as well (RFC 9637; RFC 6890, 2.2.2).
_EXAMPLES = ipaddress.IPv6Network("3fff::/20")
_PROTOCOL = ipaddress.IPv4Network("192.0.0.0/24")


class _Progress(msgspec.Struct, frozen=True):
    """What is known of a partial file: the version that it belongs to, and the size of the whole."""

    validator: str
    total: int | None


def download(url: str, target: Path, settings: Settings, report: Report = ignore_progress) -> None:
    """Download a file. It gets its name when it is complete.

    Raises:
        ItemError: it cannot be downloaded, does not match what was promised, or is larger than allowed.
        OSError: it cannot be written.
    """
    part, note = target.with_suffix(".part"), target.with_suffix(".part.json")
    furthest, tries = 0, 0
    while True:
        try:
            digest = _take_up(url, part, note, settings, report)
            break
        except LimitError:
            _forget(part, note)
            raise
        except BrokenTransferError as error:
            here = part.stat().st_size if part.exists() else 0
            furthest, tries = (here, 1) if here > furthest else (furthest, tries + 1)
            if tries >= settings.tries:
                raise FetchError(f"{error}; given up after {tries} tries, {here} bytes are here") from error
            time.sleep(settings.retry_seconds * 2 ** (tries - 1))
    _check(part, note, url, digest)
    note.unlink(missing_ok=True)
    part.replace(target)
    sync_folder(target.parent)


def _take_up(url: str, part: Path, note: Path, settings: Settings, report: Report) -> str | None:
    """Continue where the last try broke. Return the SHA-256 that the server promises, or None."""
    have, known = _half(part, note)
    if known and known.total == have:
        return None
    ranged = {"range": f"bytes={have}-", "if-range": known.validator} if known else {}
    with _asked(url, settings, ranged) as response:
        if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and known:
            _forget(part, note)
            raise BrokenTransferError("the server has less than it had")
        if response.status_code in _BUSY or response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise BrokenTransferError(f"the server answers {response.status_code}")
        _refuse(response)
        if response.headers.get("content-encoding", "identity") != "identity":
            raise FetchError("the server sends it compressed, unasked")
        goes_on = response.status_code == HTTPStatus.PARTIAL_CONTENT
        total = _total(response, have if goes_on else 0)
        if goes_on and not _fits(response, have, known):
            _forget(part, note)
            raise BrokenTransferError("the server sent another part than was asked for")
        if total is not None and total > settings.max_bytes:
            raise LimitError(_too_large(settings))
        if not goes_on:
            _begin(part, note, response, total)
        _receive(response, part, settings, report)
    here = part.stat().st_size
    if total is not None and here != total:
        raise BrokenTransferError(f"the server promised {total} bytes and sent {here}")
    return _promised_digest(response)


def _half(part: Path, note: Path) -> tuple[int, _Progress | None]:
    """Return how many bytes are here that the server can continue, and their version."""
    try:
        known = msgspec.json.decode(note.read_bytes(), type=_Progress)
        have = part.stat().st_size
    except (OSError, msgspec.DecodeError):
        return 0, None
    return (have, known) if have and known.validator else (0, None)


def _begin(part: Path, note: Path, response: httpx.Response, total: int | None) -> None:
    """Begin a file anew. Only a strong validator proves that a later part belongs to it (RFC 9110, 13.1.5)."""
    etag = response.headers.get("etag", "")
    validator = etag if etag and not etag.startswith("W/") else response.headers.get("last-modified", "")
    part.write_bytes(b"")
    write_atomic(note, msgspec.json.encode(_Progress(validator, total)))


def _forget(part: Path, note: Path) -> None:
    note.unlink(missing_ok=True)
    part.unlink(missing_ok=True)


def _receive(response: httpx.Response, part: Path, settings: Settings, report: Report) -> None:
    here, window, arrived = part.stat().st_size, time.monotonic(), 0
    with part.open("ab") as file:
        try:
            for piece in response.iter_raw():
                here, arrived = here + len(piece), arrived + len(piece)
                if here > settings.max_bytes:
                    raise LimitError(_too_large(settings))
                file.write(piece)
                report(here)
                if (passed := time.monotonic() - window) > settings.silent_seconds:
                    if arrived < SLOWEST * passed:
                        raise BrokenTransferError(f"the server sends less than {SLOWEST} bytes a second")
                    window, arrived = time.monotonic(), 0
        finally:
            sync_file(file)


def _check(part: Path, note: Path, url: str, promised: str | None) -> None:
    """Raise an error if the file does not have the SHA-256 that the address or the server promises."""
    named = re.search(r"#(?:.*&)?sha256=([0-9a-fA-F]{64})(?:&|$)", url)
    wanted = {named[1].lower()} if named else set()
    wanted |= {promised} if promised else set()
    if not wanted:
        return
    with part.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if wanted != {digest}:
        _forget(part, note)
        raise FetchError(f"its SHA-256 is {digest}, and not {' or '.join(sorted(wanted - {digest}))} as was promised")


def _promised_digest(response: httpx.Response) -> str | None:
    found = re.search(r"sha-256=:([A-Za-z0-9+/=]+):", response.headers.get("repr-digest", ""))
    return base64.b64decode(found[1]).hex() if found else None


def _refuse(response: httpx.Response) -> None:
    if response.status_code not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
        raise FetchError(f"the server answers {response.status_code} {response.reason_phrase}".rstrip())


def _length(response: httpx.Response) -> int | None:
    text = response.headers.get("content-length", "")
    return int(text) if text.isdecimal() else None


def _total(response: httpx.Response, have: int) -> int | None:
    """Return the promised size of the whole file, in bytes."""
    length = _length(response)
    return None if length is None else have + length


def _fits(response: httpx.Response, have: int, known: _Progress | None) -> bool:
    """Whether a partial answer begins where the file here ends, and belongs to a file of the same size."""
    found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", response.headers.get("content-range", ""))
    if found is None or known is None or int(found[1]) != have:
        return False
    return found[3] == "*" or known.total in {None, int(found[3])}


def _too_large(settings: Settings) -> str:
    return f"it is larger than {settings.max_gigabytes:g} GB, which pull.max_gigabytes in rostra.toml allows"


def _name(response: httpx.Response) -> str:
    """Return the name of a file: from ``Content-Disposition`` (RFC 6266), or from the end of its address."""
    header = Message()
    header["content-disposition"] = response.headers.get("content-disposition", "")
    return file_name(header.get_filename() or unquote(response.url.path))
