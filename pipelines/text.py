"""How numbers and strangers' words stand in a line for people."""

from __future__ import annotations


def counted(number: int, thing: str) -> str:
    """Return how many there are of a thing, whose plural ends in s: ``1 event``, ``2 events``."""
    return f"{number} {thing if number == 1 else f'{thing}s'}"


def one_line(text: str) -> str:
    """Return text with what a file's name or a tool could smuggle into a log or a terminal made visible."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )
