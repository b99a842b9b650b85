"""Which form of an answer a client gets: compressed as it understands, or only the news that nothing has changed."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Scope, Send

from archive.site.published import current
from archive.site.settings import site_settings
from archive.urls import CITE

_COMPRESSED = (
    "text/",
    "application/json",
    "application/xml",
    "application/jsonl",
    "image/svg+xml",
    "application/javascript",
)
MIN_BYTES = 500
"""What is smaller gains nothing from being compressed."""


def _brotli(body: bytes) -> bytes:
    import brotli  # an extra

    return bytes(brotli.compress(body, quality=5))


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, 6, mtime=0)


@cache
def encodings() -> dict[str, Callable[[bytes], bytes]]:
    """Return the ways to compress that are installed, the best first."""
    best: dict[str, Callable[[bytes], bytes]] = {"br": _brotli} if find_spec("brotli") else {}
    return best | {"gzip": _gzip}


def chosen_encoding(accepted: str) -> str | None:
    """Return the best encoding that an ``Accept-Encoding`` allows (RFC 9110, section 12.5.3); None for none."""
    weights: dict[str, float] = {}
    for item in accepted.lower().split(","):
        name, _, parameter = item.partition(";")
        weights[name.strip()] = _weight(parameter)
    allowed = [(weights.get(name, weights.get("*", 0.0)), name) for name in encodings()]
    best = max((weight for weight, _ in allowed), default=0.0)
    return next((name for weight, name in allowed if weight == best), None) if best > 0 else None


def _weight(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def as_wanted(scope: Scope, send: Send) -> tuple[Scope, Send]:
    """Return the request for the form of a moment that a client prefers (RFC 9110, section 12.5.1).

    The address of a moment answers people with a page, and programs that ask for an annotation with JSON-LD, as at the
    address that ends in ``.jsonld``.
    """
    if not _MOMENT.fullmatch(scope["path"]):
        return scope, send

    async def varying(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(raw=message["headers"]).add_vary_header("Accept")
        await send(message)

    if not _prefers_linked_data(Headers(scope=scope).get("accept", "")):
        return scope, varying
    path = f"{scope['path']}.jsonld"
    return {**scope, "path": path, "raw_path": path.encode()}, varying


_MOMENT = re.compile(rf"{CITE}/[0-9a-f]{{12}}/[0-9a-f]{{8,16}}")
_LINKED_DATA = ("application/ld+json", "application/json", "application/activity+json")
_PAGES = ("text/html", "application/xhtml+xml")


def _prefers_linked_data(accepted: str) -> bool:
    weights: dict[str, float] = {}
    for item in accepted.lower()[:1_000].split(","):
        name, _, parameters = item.partition(";")
        weights[name.strip()] = min((_weight(each) for each in parameters.split(";")), default=1.0)
    data = max((weights.get(name, 0.0) for name in _LINKED_DATA), default=0.0)
    return data > 0 and data > max(weights.get(name, 0.0) for name in _PAGES) and data >= weights.get("*/*", 0.0)


def is_compressible(media_type: str) -> bool:
    """Return whether a media type is text of some kind."""
    kind = media_type.partition(";")[0].strip()
    return kind.startswith(_COMPRESSED) or kind.endswith(("+xml", "+json"))


def validator(datasette: Any, path: str, query: bytes, language: str) -> str:
    """Return the entity tag of an address in a language: another publication, program or setting, another tag.

    It is weak (RFC 9110, section 8.8.1): the compressed forms of an answer have the same.
    """
    settings = site_settings(datasette)
    material = (current(datasette).cached_hash, _program(), settings.digest, path, query, language)
    return f'W/"{hashlib.sha256(repr(material).encode()).hexdigest()[:24]}"'


def matches(asked: str, tag: str) -> bool:
    """Return whether an ``If-None-Match`` names an entity tag, compared weakly (RFC 9110, section 8.8.3.2)."""
    opaque = tag.removeprefix("W/")
    return any(each.strip().removeprefix("W/") == opaque for each in asked.split(","))


@cache
def _program() -> str:
    """Return a digest of what pages are made with: this package's version and its templates."""
    digest = hashlib.sha256(f"{version('rostra')} {version('datasette')}".encode())
    here = Path(__file__).parents[1]
    for path in sorted([*here.rglob("*.html"), *(here / "static").iterdir(), *here.rglob("*.py"), *here.rglob("*.po")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
