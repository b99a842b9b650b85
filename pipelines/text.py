"""How numbers and strangers' words stand in a line for people."""

from __future__ import annotations

import json
import os
import re
from typing import Any

_COMMANDS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
"""What a terminal obeys, or what makes text read otherwise than it stands: control characters (Unicode's Cc) but for
tabs and ends of lines, marks of direction (Unicode Standard Annex 9, section 2), tags, halves of surrogate pairs."""


def counted(number: int, thing: str) -> str:
    """Return how many there are of a thing, whose plural ends in s: ``1 event``, ``2 events``."""
    return f"{number} {thing if number == 1 else f'{thing}s'}"


LONGEST_NAME = 255
"""Bytes of a file's name that file systems take (``NAME_MAX``, POSIX.1-2017, limits.h, as Linux and macOS have it)."""


def file_name(stem: str, ending: str = "") -> str:
    """Return a name for a file: as much of the stem as there is room for, whole characters, and all of the ending."""
    room = LONGEST_NAME - len(os.fsencode(ending))
    data = os.fsencode(stem)
    if len(data) <= room:
        return stem + ending
    return data[:room].decode("utf-8", "ignore").rstrip(". ") + ending


def one_line(text: str) -> str:
    """Return text with what a file's name or a tool could smuggle into a log or a terminal made visible."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def visible(text: str) -> str:
    """Return text, of any number of lines, of which a terminal obeys nothing and shows everything in its order."""
    return _COMMANDS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def to_json(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON that a terminal may be shown, and that says the same as any other."""
    return _COMMANDS.sub(_escaped, json.dumps(value, ensure_ascii=False, indent=indent))


def _escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
