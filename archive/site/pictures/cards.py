"""A quote as a picture to post: published words of a moment, who said them, and where.

A picture is drawn once a publication (`archive.site.http.guard` keeps it), one at a time, from a few hundred letters at
most; what is doubtful or was taken out is not on it.
"""

from __future__ import annotations

import io
from asyncio import get_running_loop
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from archive.index.tokens import is_unspaced
from archive.site import labels, locales
from archive.site.http.respond import respond
from archive.site.pictures.looks import LIGHT, legible
from archive.site.published import current
from archive.site.render import argument, not_found, reader_language
from archive.site.session_page import recordings
from archive.site.session_page.moments import asked_for
from archive.site.session_page.page import TimeSpan, parse_span
from archive.site.session_page.recordings import TrackTranscript, chosen_version
from archive.site.session_page.transcript import Line, lit_marks, place_words
from archive.site.settings import SiteSettings, site_settings
from metadata.languages import direction

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

SIZE = (1200, 630)
"""What social networks show whole (https://ogp.me; 1.91 to 1)."""
MARGIN = 80
LETTERS = 360
"""The longest quote; a longer one ends in an ellipsis."""
SIZES = (68, 60, 52, 46, 40, 36, 32)
FOOT = 190
"""Pixels at the foot, for who and where."""
PAPER, INK, SOFT, RED = "#fbfaf6", "#1e1c19", "#5f594f", "#8f2d1c"


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of a moment.

    Attributes:
        words: as they were said and published.
        language: BCP-47.
        who: who said them; "" where nobody knows.
        where: the session, its event and the time.
        archive: what the archive calls itself.
        colour: of the archive, ``#rrggbb``.
    """

    words: str
    language: str
    who: str
    where: str
    archive: str
    colour: str = RED


async def card(datasette: Any, request: Any) -> Any:
    """``/events/EVENT/SESSION/card.png?t=61.2,75``: a quote as a picture."""
    span, tongue = parse_span(argument(request, "t")), argument(request, "language")
    settings = site_settings(datasette)

    def read(conn: Any) -> Quote | None:
        found = asked_for(request, conn)
        version = chosen_version(found[1], tongue) if found else None
        if found is None or version is None or span is None or tongue not in {"", version.language}:
            return None
        with locales.speaking(reader_language(request)):
            return _quote(conn, found[0].card, version, span, settings)

    quote = await current(datasette).execute_fn(read)
    picture = await get_running_loop().run_in_executor(one_pen(), draw, quote) if quote else None
    if picture is None:
        return await not_found(datasette, request)
    return respond(picture, "image/png")


@cache
def one_pen() -> ThreadPoolExecutor:
    """Return the one thread that draws."""
    return ThreadPoolExecutor(1, thread_name_prefix="cards")


def _quote(conn: Any, session: Any, version: TrackTranscript, span: TimeSpan, settings: SiteSettings) -> Quote | None:
    words, who, said_ms = said(conn, version, span)
    if not words:
        return None
    day = labels.day(session.day) if session.day else None
    where = " · ".join(filter(None, (session.title, session.event_title, day, labels.clock(said_ms))))
    speakers = ", ".join(dict.fromkeys(credit.name for credit in session.people if credit.role == "speaker"))
    colour = legible(settings.accent, LIGHT, "#000000") if settings.accent else RED
    return Quote(words, version.language, who or speakers, where, settings.name, colour)


def said(conn: Any, version: TrackTranscript, span: TimeSpan) -> tuple[str, str, int]:
    """Return the words of a moment, who said them, and at which millisecond.

    For what is doubtful or taken out between them stands "…".
    A moment without an end is the sentence that is said then, or that was said last: no time is later than its end.
    """
    lines = recordings.lines(conn, version.id)
    certain = [line for line in lines if not line.flags and not line.redacted]
    hidden = [line for line in lines if line.flags or line.redacted]
    if span.end_ms is None:
        begun = [line for line in lines if line.start_ms <= span.start_ms]
        parts = [(line, line.text) for line in begun[-1:] if line in certain]
    else:
        places = {line.position: line for line in certain}
        timed = place_words(places, recordings.words(conn, version.id, span.start_ms, span.end_ms))
        marks = lit_marks(certain, timed, span.start_ms, span.end_ms)
        parts = [(places[at], places[at].text[its[0].start : its[0].end]) for at, its in sorted(marks.items())]
    text = " ".join(" ".join(_joined(parts, hidden)).split())
    who = ", ".join(dict.fromkeys(line.speaker for line, _ in parts if line.speaker))
    return text, who, min(span.start_ms, max((line.end_ms for line, _ in parts), default=0))


def _joined(parts: Sequence[tuple[Line, str]], hidden: Sequence[Line]) -> Iterator[str]:
    """Yield words of lines, and "…" where a hidden line is between them: else a quote says what nobody said."""
    before = None
    for line, words in parts:
        if before and any(before.start_ms <= each.start_ms < line.start_ms for each in hidden):
            yield "…"
        yield words
        before = line


def draw(quote: Quote) -> bytes | None:
    """Return a quote as a picture in PNG; None where no font of this machine has all of its letters."""
    from PIL import Image, ImageDraw  # a fifth of a second, which only a picture is worth

    words = quote.words if len(quote.words) <= LETTERS else quote.words[:LETTERS].rsplit(" ", 1)[0] + " …"
    image = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(image)
    rtl = direction(quote.language) == "rtl"
    pen.rectangle((SIZE[0] - 16, 0, *SIZE) if rtl else (0, 0, 16, SIZE[1]), fill=quote.colour)
    written = (
        write(pen, f"“{words}”", MARGIN - 20, SIZE[1] - FOOT - MARGIN, SIZES, INK, rtl=rtl),
        write(pen, quote.who, SIZE[1] - FOOT, 50, (36, 30, 24), quote.colour, rtl=rtl),
        write(pen, quote.where, SIZE[1] - FOOT + 56, 60, (24, 20, 17), SOFT, rtl=rtl),
        write(pen, quote.archive, SIZE[1] - 52, 30, (20, 16), INK, rtl=rtl),
    )
    if not all(written):
        return None
    return as_png(image)


def as_png(image: Picture) -> bytes:
    """Return a picture as a file."""
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=6)
    return file.getvalue()


def write(pen: ImageDraw, text: str, top: int, height: int, sizes: Sequence[int], ink: str, *, rtl: bool) -> bool:
    """Write a text in the largest size in which it fits; return whether there is a font for it.

    Args:
        pen: on the picture, whose whole width is used but for margins.
        text: in lines as they fall.
        top: pixels from the top of the picture.
        height: pixels that there are for it.
        sizes: in pixels, the largest first.
        ink: the colour, ``#rrggbb``.
        rtl: whether it is written from right to left.
    """
    from archive.site.pictures import fonts

    file = fonts.font_file(frozenset(text))
    if file is None:
        return not text
    width = pen.im.size[0]
    for size in sizes:
        font = fonts.load(file, size)
        lines, spacing = wrap(pen, text, font, width - 2 * MARGIN), round(size * 1.35)
        if len(lines) * spacing <= height:
            break
    most = max(1, height // spacing)
    if len(lines) > most:
        lines = [*lines[: most - 1], f"{lines[most - 1][:-1]}…"]
    for number, line in enumerate(lines):
        at = (width - MARGIN, top + number * spacing) if rtl else (MARGIN, top + number * spacing)
        pen.text(at, line, fill=ink, font=font, anchor="ra" if rtl else "la", **_towards(rtl=rtl))
    return True


def _towards(*, rtl: bool) -> dict[str, Any]:
    from archive.site.pictures import fonts

    return {"direction": "rtl" if rtl else "ltr"} if fonts.can_shape() else {}


def wrap(pen: ImageDraw, text: str, font: FreeTypeFont, width: int) -> list[str]:
    """Return a text in lines of a width in pixels; scripts without spaces break anywhere, and so do endless words."""
    lines = [""]
    for piece in _pieces(text):
        longer = lines[-1] + piece
        if not lines[-1].strip() or pen.textlength(longer.rstrip(), font=font) <= width:
            lines[-1] = longer
        else:
            lines.append(piece.lstrip())
    return [part for line in lines for part in _broken(pen, line.rstrip(), font, width)]


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    for letter in text:
        joined = pieces and letter != " " and not is_unspaced(letter) and not is_unspaced(pieces[-1][-1:])
        if joined and not (pieces[-1] != " " and pieces[-1].endswith(" ")):
            pieces[-1] += letter
        else:
            pieces.append(letter)
    return pieces


def _broken(pen: ImageDraw, line: str, font: FreeTypeFont, width: int) -> list[str]:
    if pen.textlength(line, font=font) <= width:
        return [line]
    parts = [""]
    for letter in line:
        if parts[-1] and pen.textlength(parts[-1] + letter, font=font) > width:
            parts.append("")
        parts[-1] += letter
    return parts
