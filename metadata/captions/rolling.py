"""Captions whose lines move up, as YouTube's automatic ones do: each line is shown twice, and said once.

Between two captions stands one of some milliseconds that repeats what is already shown. It is there even where a
conversion has left out the times of words by which such captions are told otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

BETWEEN_MS = range(5, 21)
"""How long a caption stands that only holds lines while they move."""

Lines = Sequence[str]


def may_roll(times: Sequence[tuple[int, int]]) -> bool:
    """Return whether at least two captions, and a quarter of all, stand for so short a time, whatever they say."""
    short = sum(end - start in BETWEEN_MS for start, end in times)
    return short >= 2 and short * 4 >= len(times)


def rolls(times: Sequence[tuple[int, int]], shown: Sequence[Lines]) -> bool:
    """Return whether at least two captions, and a quarter of all, repeat the one before and begin the next."""
    repeats = 0
    for at in range(1, len(times) - 1):
        start, end = times[at]
        said = [line for line in shown[at] if line]
        after = [line for line in shown[at + 1] if line]
        held = bool(said) and all(line in shown[at - 1] for line in said)
        repeats += held and end - start in BETWEEN_MS and len(after) > len(said) and after[: len(said)] == said
    return repeats >= 2 and repeats * 4 >= len(times)


def new_lines(shown: Sequence[Lines]) -> list[list[bool]]:
    """Return for each line of each caption whether the caption before did not show it already."""
    before: Lines = ()
    new = []
    for lines in shown:
        new.append([line not in before for line in lines])
        before = lines
    return new
