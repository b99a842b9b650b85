"""What an archive looks like: its logo, and its accent colour as near as it can be read.

A logo is a stranger's file: an SVG may hold scripts. It is shown by ``img``, which runs none, and whoever opens it
alone gets it under a policy that runs and loads nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from archive.publication.folder import logo_type
from archive.site.http.policy import FILE_POLICY
from archive.site.http.respond import respond
from archive.site.render import not_found
from archive.site.settings import site_settings

LEGIBLE = 4.5
"""The contrast of text that WCAG 2.2 asks for (success criterion 1.4.3)."""
LIGHT, DARK = ("#fbfaf6", "#f2eee4", "#f6e4d8"), ("#181715", "#23211e", "#3a271f")
"""What the accent colour stands on, in ``site.css``: --paper, --wash and --now."""
STEPS = 100

Colour = tuple[float, float, float]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21 (WCAG 2.2, contrast ratio).

    >>> round(contrast("#ffffff", "#000000"), 1)
    21.0
    """
    light, dark = sorted((_luminance(_parts(one)), _luminance(_parts(other))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def legible(colour: str, papers: Iterable[str], towards: str) -> str:
    """Return the colour nearest to one, on the way to black or white, that can be read on some papers.

    Args:
        colour: ``#rrggbb``.
        papers: likewise.
        towards: likewise: where it goes until it can be read.
    """
    papers, begin, end = tuple(papers), _parts(colour), _parts(towards)
    for step in range(STEPS + 1):
        mixed = _written(tuple(a + (b - a) * step / STEPS for a, b in zip(begin, end, strict=True)))
        if all(contrast(mixed, paper) >= LEGIBLE for paper in papers):
            return mixed
    return towards


@cache
def accent_css(colour: str) -> str:
    """Return the style of an accent colour, on light and on dark paper."""
    light, dark = legible(colour, LIGHT, "#000000"), legible(colour, DARK, "#ffffff")
    rules = [f":root {{ --red: {each}; --on-red: {_upon(each)}; }}" for each in (light, dark)]
    # In print everything is black.
    return f"@media screen {{ {rules[0]} }}\n@media screen and (prefers-color-scheme: dark) {{ {rules[1]} }}\n"


def _upon(colour: str) -> str:
    return max(("#ffffff", "#000000"), key=lambda ink: contrast(ink, colour))


def _parts(colour: str) -> Colour:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _written(colour: Iterable[float]) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colour)


def _luminance(colour: Colour) -> float:
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


async def logo(datasette: Any, request: Any) -> Any:
    """``/logo``: the archive's own, as it was given."""
    data = site_settings(datasette).logo
    media_type = logo_type(data) if data else None
    if not data or media_type is None:
        return await not_found(datasette, request)
    policy = FILE_POLICY.replace("default-src 'none'", "default-src 'none'; style-src 'unsafe-inline'")
    return respond(data, media_type, headers={"content-security-policy": policy})


async def accent(datasette: Any, request: Any) -> Any:
    """``/accent.css``: the accent colour, on light and on dark paper."""
    colour = site_settings(datasette).accent
    if not colour:
        return await not_found(datasette, request)
    return respond(accent_css(colour), "text/css; charset=utf-8")
