"""JSON checked against the shape that a format has; what is wrong is named by its path."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from metadata.timetables.base import Source

_T = TypeVar("_T")
_SHAPES = {
    "object": "an object", "array": "a list", "str": "text", "null": "nothing", "int": "a whole number",
    "float": "a number", "bool": "true or false",
}  # fmt: skip
_SHAPE = re.compile(r"`([a-z]+(?: \| [a-z]+)*)`")


def convert(source: Source, kind: type[_T], raw: object = ..., path: str = "$") -> _T:
    """Return a JSON value as a struct; ``raw`` is a part of the file at ``path``, by default the whole.

    Raises:
        FormatError: the path, and what was expected there.
    """
    try:
        return msgspec.convert(source.json if raw is ... else raw, kind)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `")
        reason = re.sub("^(Expected|Object)", lambda match: match[0].lower(), _SHAPE.sub(_in_words, reason))
        raise source.error(path + place.removesuffix("`").removeprefix("$"), reason) from None


def _in_words(match: re.Match[str]) -> str:
    names = match[1].split(" | ")
    return " or ".join(_SHAPES[name] for name in names) if set(names) <= set(_SHAPES) else match[0]
