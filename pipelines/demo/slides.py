"""Slides for the example's video: a heading and a sentence, as a speaker would show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.errors import ConfigError

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

SIZE = (1280, 720)
_NIGHT, _LANTERN, _PAPER, _MIST = "#10182b", "#f4b942", "#f6f1e4", "#8c9bb8"
_MARGIN = 110


def draw_slides(footer: str, texts: Sequence[tuple[str, str]]) -> list[Image]:
    """Return an image of `SIZE` for every heading and sentence.

    Raises:
        ConfigError: Pillow is not installed.
    """
    try:
        # Lazy: Pillow is an extra that only the example needs.
        from PIL import Image, ImageDraw
    except ImportError:
        raise ConfigError("the example needs Pillow to draw its slides: pip install 'rostra[demo]'") from None
    images = []
    for number, (heading, sentence) in enumerate(texts, 1):
        image = Image.new("RGB", SIZE, _NIGHT)
        _draw(ImageDraw.Draw(image), heading, sentence, footer, number / len(texts))
        images.append(image)
    return images


def _draw(pen: ImageDraw, heading: str, sentence: str, footer: str, progress: float) -> None:
    width, height = SIZE
    pen.rectangle((_MARGIN, 150, _MARGIN + 96, 158), fill=_LANTERN)
    pen.text((_MARGIN, 190), heading, fill=_PAPER, font=_font(76))
    pen.multiline_text((_MARGIN, 330), _wrap(pen, sentence, _font(42)), fill=_MIST, font=_font(42), spacing=18)
    pen.text((_MARGIN, height - 90), footer, fill=_MIST, font=_font(24))
    pen.rectangle((0, height - 10, round(width * progress), height), fill=_LANTERN)


def _wrap(pen: ImageDraw, text: str, font: FreeTypeFont) -> str:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and pen.textlength(longer, font=font) <= SIZE[0] - 2 * _MARGIN:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)


def _font(size: int) -> FreeTypeFont:
    from PIL import ImageFont  # lazy: see draw_slides

    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise ConfigError("this Pillow was built without FreeType: pip install --force-reinstall pillow")
    return font
