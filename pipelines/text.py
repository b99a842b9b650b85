"""How numbers and strangers' words stand in a line for people."""

from __future__ import annotations

import os


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
