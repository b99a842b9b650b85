"""What the name of a caption file says: which recording it belongs to, and which language it is in."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from metadata.errors import InvalidLanguageError
from metadata.languages import parse_language

NOTES = frozenset(
    {
        "auto", "captions", "cc", "closed", "default", "forced", "full", "generated", "hearing", "live", "orig",
        "original", "sdh", "subs", "subtitles", "transcript",
    }
)  # fmt: skip
"""Parts of names that tell what captions are for, and no language; ``sdh`` is for the deaf and hard of hearing."""
_HEARING_IMPAIRED = "hi"
"""Hindi where it stands alone, and a note after a language: ``talk.en.hi.srt``."""
_TAG = re.compile(r"[a-z]{2,3}([-_][a-z0-9]{1,8})+", re.IGNORECASE | re.ASCII)
_LONGEST_NAME = 8
"""Letters of a language's English name in a file's name."""


@dataclass(frozen=True, slots=True)
class CaptionName:
    """A name in parts: ``talk.wav.pt-BR.sdh.vtt`` has the stem ``talk`` and the language ``pt-BR``."""

    stem: str
    language: str | None = None


def parse_name(name: str, media: Collection[str] = ()) -> CaptionName:
    """Return what a caption file's name says.

    Args:
        name: the file's name, with its suffix.
        media: suffixes of recordings, with the dot: they are part of neither stem nor language.
    """
    parts = name.split(".")[:-1] or [name]
    language = None
    while len(parts) > 1:
        if not _is_note(parts, media):
            found = None if language else _language(parts[-1])
            if found is None:
                break
            language = found
        parts.pop()
    return CaptionName(".".join(parts), language)


def _is_note(parts: Sequence[str], media: Collection[str]) -> bool:
    """Tell whether the last part is neither stem nor language."""
    last = parts[-1].lower()
    impaired = last == _HEARING_IMPAIRED and _language(parts[-2]) is not None
    return last in NOTES or f".{last}" in media or impaired


def _language(part: str) -> str | None:
    text = part.removesuffix("-orig")  # YouTube's mark for the language that was spoken
    if part.lower() in NOTES or not (2 <= len(text) <= _LONGEST_NAME or _TAG.fullmatch(text)):
        return None
    try:
        return parse_language(text)
    except InvalidLanguageError:
        return None
