"""What all pages share: reading in one go, one template, one language, and what stands where nothing is."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from datasette import Response

from archive.site import labels as wording
from archive.site import locales
from archive.site.guard import PAGE_POLICY
from archive.site.published import current

_STATIC = Path(__file__).with_name("static")
_SMALL = 1_000
"""Bytes below which compressing a page saves nothing."""


async def render(
    datasette: Any,
    request: Any,
    template: str,
    read: Callable[[Any], dict[str, Any] | None],
    *,
    status: int = 200,
    policy: str = PAGE_POLICY,
    **context: Any,
) -> Any:
    """Read what a page shows and render it; where there is nothing to show, say that the page is not there."""
    database = current(datasette)
    content = await database.execute_fn(read)
    if content is None:
        return await not_found(datasette, request)
    config: Mapping[str, str] = datasette.plugin_config("rostra")
    with locales.speaking(spoken := locales.negotiate(argument(request, "lang"), _header(request, "accept-language"))):
        values = {
            "w": wording,
            "archive_title": config.get("title"),
            "built_at": database.publication.built_at,
            "canonical": request.path,
            "asset": asset,
            "spoken_here": spoken,
            "interface": locales.LANGUAGES,
            "in_language": lambda tag: _in_language(request, tag),
            **context,
            **content,
        }
        values["canonical"] = datasette.absolute_url(request, values["canonical"])
        html = await datasette.render_template(f"rostra/{template}", values, request=request)
    headers = {
        "content-security-policy": policy,
        "cache-control": fresh(datasette),
        "vary": "Accept-Language, Accept-Encoding",
        "content-language": spoken,
    }
    body = html.encode()
    if len(body) > _SMALL and "gzip" in _header(request, "accept-encoding"):
        body, headers["content-encoding"] = gzip.compress(body, 6, mtime=0), "gzip"
    return Response(body, status=status, headers=headers, content_type="text/html; charset=utf-8")


async def not_found(datasette: Any, request: Any) -> Any:
    """What stands at addresses where nothing is."""
    return await render(datasette, request, "missing.html", lambda _conn: {}, status=404)


def argument(request: Any, name: str) -> str:
    """Return a value of the address's query, "" where there is none."""
    return (request.args.get(name) or "").strip()


def fresh(datasette: Any) -> str:
    """Return how long a page may be kept, for its headers."""
    return f"max-age={datasette.setting('default_cache_ttl')}"


@cache
def asset(name: str) -> str:
    """Return the address of a static file, which changes when the file does."""
    digest = hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/-/static-plugins/rostra/{name}?v={digest}"


def _header(request: Any, name: str) -> str:
    return str(request.headers.get(name) or "")


def _in_language(request: Any, tag: str) -> str:
    """Return the address of the same page in another language of the interface."""
    kept = [(name, value) for name, value in parse_qsl(request.query_string) if name != "lang"]
    return f"{request.path}?" + urlencode([*kept, ("lang", tag)])
