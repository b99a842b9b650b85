"""The picture of a podcast: what it is called, as a square that players show beside it.

Apple asks for 1,400 to 3,000 pixels, in RGB without transparency
(https://podcasters.apple.com/support/896-artwork-requirements). Networks show it for pages that have no still.
"""

from __future__ import annotations

import unicodedata
from asyncio import get_running_loop
from typing import Any
from urllib.parse import unquote

from archive.site.feeds.listings import KINDS
from archive.site.http.respond import respond
from archive.site.pictures.cards import INK, PAPER, RED, as_png, one_pen, write
from archive.site.pictures.looks import LIGHT, legible
from archive.site.published import current
from archive.site.render import not_found
from archive.site.settings import site_settings

SIDE = 1400
SIZES = (170, 144, 122, 104, 88, 74, 62, 52)


async def cover(datasette: Any, request: Any) -> Any:
    """``/cover.png``, ``/events/EVENT/cover.png`` and ``/series/SERIES/cover.png``: the picture of a podcast."""
    kind, key = request.url_vars["kind"], unquote(request.url_vars["key"] or "")
    settings = site_settings(datasette)

    def read(conn: Any) -> str | None:
        if kind is None:
            return settings.name
        known = conn.execute(KINDS[kind].thing, (key,)).fetchone()
        return None if known is None else str(known["title"])

    title = await current(datasette).execute_fn(read)
    if title is None:
        return await not_found(datasette, request)
    colour = legible(settings.accent, LIGHT, "#000000") if settings.accent else RED
    below = "" if kind is None else settings.name
    picture = await get_running_loop().run_in_executor(one_pen(), draw_cover, title, below, colour)
    return respond(picture, "image/png")


def draw_cover(title: str, archive: str, colour: str) -> bytes:
    """Return a square in PNG with a title and what the archive calls itself; a text that no font has is left out."""
    from PIL import Image, ImageDraw  # a fifth of a second, which only a picture is worth

    image = Image.new("RGB", (SIDE, SIDE), PAPER)
    pen = ImageDraw.Draw(image)
    rtl = next((unicodedata.bidirectional(each) in {"R", "AL"} for each in title if each.isalpha()), False)
    pen.rectangle((SIDE - 40, 0, SIDE, SIDE) if rtl else (0, 0, 40, SIDE), fill=colour)
    write(pen, title, 200, 860, SIZES, INK, rtl=rtl)
    write(pen, archive, SIDE - 240, 160, (64, 52, 42), colour, rtl=rtl)
    return as_png(image)
