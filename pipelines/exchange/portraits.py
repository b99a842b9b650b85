"""Portraits from files and addresses: cut square, small, and without what a camera wrote beside the picture."""

from __future__ import annotations

import io
import warnings

from pipelines.config import PullSettings
from pipelines.errors import SourceError
from pipelines.exchange.places import read_place

BYTES = 20_000_000
"""The largest picture that is read."""
PIXELS = 50_000_000
"""The most that a picture may unpack to."""
SIDE = 320
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


def read_portrait(place: str, settings: PullSettings) -> bytes:
    """Return a picture as a portrait: JPEG, square, `SIDE` pixels at most, without metadata.

    Args:
        place: a file, or an address.
        settings: which addresses may be asked.

    Raises:
        SourceError: it cannot be had, or is no picture.
    """
    return to_portrait(read_place(place, settings, limit=BYTES), place)


def to_portrait(data: bytes, name: str) -> bytes:
    """Return a picture as a portrait; ``name`` is for errors.

    Raises:
        SourceError: it is no picture that can be read, or unpacks to more than `PIXELS`.
    """
    from PIL import Image, ImageOps  # a fifth of a second, which only a picture is worth

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
                if opened.width * opened.height > PIXELS:
                    raise SourceError(f"{name}: more than {PIXELS // 1_000_000} million pixels")
                upright = ImageOps.exif_transpose(opened).convert("RGB")
        side = min(SIDE, *upright.size)
        # A face is rather above the middle.
        square = ImageOps.fit(upright, (side, side), Image.Resampling.LANCZOS, centering=(0.5, 0.35))
        clean = Image.frombytes("RGB", square.size, square.tobytes())
        clean.save(file := io.BytesIO(), "JPEG", quality=82, optimize=True)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise SourceError(f"{name}: it is no picture that can be read: {', '.join(FORMATS)} are") from error
    return file.getvalue()
