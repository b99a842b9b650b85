"""Fonts of this machine, for pictures of words: the first that has every letter of a text.

Nothing is drawn with boxes in the place of letters: a text that no font has, or whose script needs shaping that this
machine's Pillow lacks, gets no picture. Noto and DejaVu cover most scripts (Debian: fonts-noto-core, fonts-noto-cjk).
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

from PIL import ImageFont, features

FOLDERS = {
    "darwin": ("/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts"),
    "win32": (r"C:\Windows\Fonts",),
}
"""Where systems keep fonts; others as the XDG and fontconfig have it."""
UNIX = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")
PREFERRED = (
    "notoserif-regular", "sourceserif4-regular", "dejavuserif", "liberationserif-regular", "georgia", "freeserif",
    "notonaskharabic-regular", "notosansarabic-regular", "notoserifcjk-regular", "notosanscjk-regular",
    "notoserifhebrew-regular", "notoserifdevanagari-regular", "ipam", "wqy-microhei", "droidsansfallback",
    "dejavusans", "arial unicode",
)  # fmt: skip
"""Names of files without their suffixes: serif first, as words stand on the site."""
SUFFIXES = {".ttf", ".otf", ".ttc"}
MOST = 600
"""Font files that are looked at."""
PROBE = 24
"""The size, in pixels, at which it is seen whether a font has a letter."""
NOWHERE = chr(0x10FFFF)
"""A code point that no font has a glyph for."""


@cache
def files() -> tuple[Path, ...]:
    """Return this machine's fonts, the preferred first; those that are not regular are left out."""
    found = sorted(set(_found()), key=lambda path: (_rank(path), path.name.lower()))
    return tuple(found[:MOST])


def _found() -> Iterator[Path]:
    for folder in FOLDERS.get(sys.platform, UNIX):
        for parent, _, names in os.walk(Path(folder).expanduser()):
            for name in names:
                path = Path(parent, name)
                if path.suffix.lower() in SUFFIXES and (_rank(path) < len(PREFERRED) or _is_regular(path)):
                    yield path


def _rank(path: Path) -> int:
    stem = path.stem.lower()
    return PREFERRED.index(stem) if stem in PREFERRED else len(PREFERRED)


def _is_regular(path: Path) -> bool:
    return path.stem.lower().endswith("regular") and "mono" not in path.stem.lower()


@lru_cache(maxsize=4096)
def _has(path: Path, letter: str) -> bool:
    font = _font(path, PROBE)
    return font is not None and bytes(font.getmask(letter)) != bytes(font.getmask(NOWHERE))


@lru_cache(maxsize=64)
def _font(path: Path, size: int) -> ImageFont.FreeTypeFont | None:
    try:
        return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
    except OSError:
        return None


@lru_cache(maxsize=256)
def font_file(letters: frozenset[str]) -> Path | None:
    """Return the first font that has all of some letters, or None."""
    shown = sorted(each for each in letters if not each.isspace() and unicodedata.category(each)[0] not in "CM")
    if needs_shaping(letters) and not can_shape():
        return None
    return next((path for path in files() if all(_has(path, each) for each in shown)), None)


def needs_shaping(letters: frozenset[str]) -> bool:
    """Return whether letters are of a script that joins its letters, or that is not written from left to right."""
    return any(unicodedata.bidirectional(each) in {"R", "AL"} or unicodedata.category(each) == "Mc" for each in letters)


def can_shape() -> bool:
    """Return whether this machine's Pillow shapes what it writes (https://pillow.readthedocs.io, libraqm)."""
    return bool(features.check("raqm")) and bool(features.check("fribidi"))


def load(path: Path, size: int) -> ImageFont.FreeTypeFont:
    """Return a font in a size, in pixels, which shapes what it writes where it can."""
    engine = ImageFont.Layout.RAQM if can_shape() else ImageFont.Layout.BASIC
    return ImageFont.truetype(path, size, layout_engine=engine)
