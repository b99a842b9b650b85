"""Words for numbers, as people read them."""

from __future__ import annotations


def counted(number: int, thing: str) -> str:
    """Return how many there are of a thing, whose plural ends in s: ``1 event``, ``2 events``."""
    return f"{number} {thing if number == 1 else f'{thing}s'}"
