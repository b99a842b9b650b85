"""Numbers of people as people write them: exact or vague."""

from __future__ import annotations

import re

from metadata.model import Figure, Qualifier

_FIGURE = re.compile(
    r"(?P<words>about|around|approximately|circa|~|over|more than|under|fewer than|less than)?"
    r"\s*(?P<digits>\d{1,3}(?:[, ]\d{3})+|\d{1,12})(?P<plus>\+)?",
    re.ASCII | re.IGNORECASE,
)
_QUALIFIERS: dict[str, Qualifier] = {
    "about": "about",
    "around": "about",
    "approximately": "about",
    "circa": "about",
    "~": "about",
    "over": "over",
    "more than": "over",
    "+": "over",
    "under": "under",
    "fewer than": "under",
    "less than": "under",
}


def parse_figure(text: str) -> Figure:
    """Return the number, and whether it is exact.

    >>> parse_figure("over 300").qualifier, parse_figure("1,800").count, parse_figure("300+").qualifier
    ('over', 1800, 'over')

    Raises:
        ValueError: it is not a number, or has more than one such word.
    """
    match = _FIGURE.fullmatch(text.strip())
    said = match and (match["words"] or match["plus"])
    if match is None or (match["words"] and match["plus"]):
        raise ValueError(f"cannot read {text!r} as a number of people: expected 85, '1,800', 'about 85' or 'over 300'")
    count = int(re.sub(r"\D", "", match["digits"]))
    return Figure(count=count, qualifier=_QUALIFIERS[said.lower()] if said else "exactly")
