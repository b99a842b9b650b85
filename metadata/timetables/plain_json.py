"""JSON checked against the shape that a format has; what is wrong is named by its path."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from metadata.timetables.base import Source

_T = TypeVar("_T")
_SHAPE_NAMES = {"`object`": "an object", "`array`": "a list", "`str`": "text", "`null`": "nothing", "`int`": "a whole number"}
_SHAPES = re.compile("|".join(map(re.escape, _SHAPE_NAMES)))


def convert(source: Source, kind: type[_T], raw: object = None, path: str = "$") -> _T:
    """Return a JSON value as a struct; ``raw`` is a part of the file at ``path``, by default the whole.

    Raises:
        FormatError: the path, and what was expected there.
    """
    try:
        return msgspec.convert(source.json if raw is None else raw, kind)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `")
        reason = _SHAPES.sub(lambda match: _SHAPE_NAMES[match[0]], reason)
        raise source.error(path + place.removesuffix("`").removeprefix("$"), reason) from None
