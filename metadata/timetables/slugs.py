"""Slugs: titles in the form in which they stand in addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import count

from slugify import slugify

MAX_SLUG_LENGTH = 80
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_ROOM_FOR_NUMBER = len("-999")


def is_slug(text: str) -> bool:
    """Return whether a text is a slug."""
    return len(text) <= MAX_SLUG_LENGTH and _SLUG.fullmatch(text) is not None


def make_slug(title: str) -> str:
    """Return the slug of a title, in ASCII: ``Café society`` → ``cafe-society``. It is empty if no letter is left."""
    return slugify(title, max_length=MAX_SLUG_LENGTH - _ROOM_FOR_NUMBER, word_boundary=True)


def fill_slugs(given: Sequence[str | None], titles: Sequence[str]) -> list[str]:
    """Return a slug for every title: the one given, or one made from the title, with a number if it is taken.

    ``given`` and ``titles`` have the same length, and the slugs that are given differ.
    """
    taken = {slug for slug in given if slug is not None}
    numbers: dict[str, Iterator[int]] = {}
    slugs = []
    for index, (slug, title) in enumerate(zip(given, titles, strict=True), 1):
        slugs.append(slug if slug is not None else _free_slug(make_slug(title) or f"session-{index}", taken, numbers))
        taken.add(slugs[-1])
    return slugs


def _free_slug(base: str, taken: set[str], numbers: dict[str, Iterator[int]]) -> str:
    if base not in taken:
        return base
    # Numbers that were taken stay so: a thousand breaks are not counted from two each time.
    return next(slug for number in numbers.setdefault(base, count(2)) if (slug := f"{base}-{number}") not in taken)
