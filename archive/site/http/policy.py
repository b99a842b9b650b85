"""What browsers are told a page may do. Every answer carries these headers, pages of Datasette's too.

Sources: Content Security Policy Level 3 (W3C), Permissions Policy (W3C), Cross-Origin-Opener-Policy and
Cross-Origin-Resource-Policy (WHATWG HTML and Fetch), Strict-Transport-Security (RFC 6797).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import datasette

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Rostra's own pages, which carry no script or style of their own."""


def static_policy(media: str) -> str:
    """Return the policy of a page that is a file, which may say it only itself.

    Search runs WebAssembly in a worker, and recordings may be played from memory.

    Args:
        media: the address from which it plays, if that is another site; "" if it is its own.
    """
    rest = PAGE_POLICY.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'")
    rest = rest.removesuffix("; frame-ancestors 'none'")  # which is heeded only in a header
    other = urlsplit(media)
    elsewhere = f" {other.scheme}://{other.netloc}" if media else ""
    for directive in ("media-src", "connect-src"):
        rest = rest.replace(f"{directive} 'self'", f"{directive} 'self'{elsewhere}")
    return rest.replace("media-src 'self'", "media-src 'self' blob:")


FILE_POLICY = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox"
"""Files: what a browser shows of them runs nothing and loads nothing."""

_REFUSED = (
    "accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "hid", "magnetometer", "microphone",
    "midi", "payment", "publickey-credentials-get", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip

COMMON = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": ", ".join(f"{name}=()" for name in _REFUSED),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
"""Headers of every answer that does not say otherwise."""

OPEN_TO_ALL = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "ETag, Content-Range, Accept-Ranges, Rostra-Complete",
    "cross-origin-resource-policy": "cross-origin",
}
"""Headers of what pages of other sites may read: files, feeds and the API. It is public, and nobody logs in."""

TLS_ONLY = {"strict-transport-security": "max-age=31536000"}
"""Headers of what came over TLS."""


@cache
def data_policy() -> str:
    """Return the policy of Datasette's pages: of scripts and styles in a page, only those that Datasette ships run.

    They are known by the hash of their text. Scripts that hold values of the page are not among them; pages do
    without (`archive.site.dress`).
    """
    scripts, styles = (" ".join(sorted(set(_hashes(element)))) for element in ("script", "style"))
    return (
        f"default-src 'none'; script-src 'self' {scripts}; style-src 'self' {styles}; img-src 'self' data:;"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def runs(text: str) -> bool:
    """Return whether `data_policy` lets a script or a style of this text count."""
    return _hash(text) in data_policy()


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _hashes(element: str) -> Iterator[str]:
    for template in sorted((Path(datasette.__file__).parent / "templates").glob("*.html")):
        for text in _inline(template.read_text(encoding="utf-8"), element):
            if text and "{{" not in text and "{%" not in text:
                yield _hash(text)


def _inline(html: str, element: str) -> Iterable[str]:
    reader = _Inline(element)
    reader.feed(html)
    return reader.found


class _Inline(HTMLParser):
    """Collects the text of elements that name no file."""

    def __init__(self, element: str) -> None:
        super().__init__(convert_charrefs=False)
        self.element, self.found, self._inside = element, list[str](), False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag == self.element and "src" not in dict(attrs)
        if self._inside:
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != self.element

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[-1] += data
