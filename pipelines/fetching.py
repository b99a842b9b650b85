"""One small file from the web: over http or https, of a bounded size, and from a public address.

An address in a timetable's place may point into the network that this machine stands in (CWE-918), so every
name is resolved once, its address judged, and the connection made to that address; each redirection is
judged again.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import httpx

from metadata.timetables.base import MAX_BYTES
from pipelines.errors import TimetableFetchError
from pipelines.sources.http import is_public

TIMEOUT_SECONDS = 30.0
MAX_REDIRECTS = 5
_KINDS = {
    "application/json": ".json", "text/calendar": ".ics", "application/xml": ".xml", "text/xml": ".xml",
    "application/rss+xml": ".xml", "application/atom+xml": ".xml", "text/csv": ".csv", "application/yaml": ".yaml",
    "text/yaml": ".yaml",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file from the web: its name, from its address, and its bytes."""

    name: str
    data: bytes


def is_url(text: str) -> bool:
    """Return whether this is an address, and not a file's name."""
    return "://" in text


def fetch(url: str, *, private: bool = False, limit: int = MAX_BYTES) -> Fetched:
    """Return the file at an address.

    Args:
        url: ``http`` or ``https``.
        private: whether addresses of local networks are allowed.
        limit: bytes at most.

    Raises:
        TimetableFetchError: it is not there, too large, or somewhere that is not fetched from.
    """
    here = url
    with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False, headers={"User-Agent": "rostra"}) as client:
        for _ in range(MAX_REDIRECTS + 1):
            request = _request(client, here, private=private)
            try:
                response = client.send(request, stream=True)
                try:
                    if response.is_redirect:
                        here = urljoin(here, response.headers["location"])
                        continue
                    if response.status_code != httpx.codes.OK:
                        raise TimetableFetchError(f"{here}: the server answers {response.status_code}")
                    return Fetched(_name(here, response), _body(here, response, limit))
                finally:
                    response.close()
            except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
                raise TimetableFetchError(f"{here}: {error or type(error).__name__}") from error
    raise TimetableFetchError(f"{url}: more than {MAX_REDIRECTS} redirections")


def _request(client: httpx.Client, url: str, *, private: bool) -> httpx.Request:
    """Return a request to the one address that was judged, in the name of its host."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise TimetableFetchError(f"{url}: not an address: {error}") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise TimetableFetchError(f"{url}: only http:// and https:// addresses are fetched")
    try:
        found = socket.getaddrinfo(host, port or (443 if parts.scheme == "https" else 80), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise TimetableFetchError(f"{url}: no such host: {error}") from error
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    if not private and not all(is_public(address) for address in addresses):
        raise TimetableFetchError(
            f"{url}: an address of a local network: set import.private_addresses in rostra.toml to allow it"
        )
    literal = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
    try:
        there = httpx.URL(url).copy_with(host=literal)
        name = httpx.URL(url).netloc.decode("ascii")
        return client.build_request("GET", there, headers={"Host": name}, extensions={"sni_hostname": host})
    except (httpx.InvalidURL, ValueError) as error:
        raise TimetableFetchError(f"{url}: not an address: {error}") from None


def _body(url: str, response: httpx.Response, limit: int) -> bytes:
    parts, size = [], 0
    for part in response.iter_bytes():
        size += len(part)
        if size > limit:
            raise TimetableFetchError(f"{url}: larger than {limit // 2**20} MiB")
        parts.append(part)
    return b"".join(parts)


def _name(url: str, response: httpx.Response) -> str:
    """Return a file's name for what is at an address: its last step, with its media type's suffix if it has none."""
    last = urlsplit(url).path.rstrip("/").rpartition("/")[2] or urlsplit(url).hostname or "timetable"
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return last if "." in last else last + _KINDS.get(kind, "")
