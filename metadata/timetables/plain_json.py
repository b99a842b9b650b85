"""JSON that is checked against the types of a format. Mistakes are named by their paths."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from metadata.shapes import ShapeWords, dotted, misfit
from metadata.timetables.base import Source

_T = TypeVar("_T")
_WORDS = ShapeWords(mapping="an object")


def convert(source: Source, kind: type[_T], raw: object = ..., path: str = "$") -> _T:
    """Return a JSON value as a struct; ``raw`` is a part of the file at ``path``, by default the whole.

    Raises:
        FormatError: the path, and what was expected there.
    """
    value = source.json if raw is ... else raw
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        found = misfit(error, kind, value, _WORDS)
        raise source.error(path + dotted(found.path).removeprefix("$"), found.reason) from None
