"""What is wrong with a value that does not have the shape of a type, in words for whoever wrote it.

``msgspec`` checks values against types, and its messages speak of ``object``, ``array`` and "enum". `misfit` says the
same with what is allowed in that place and which of it is nearest to what was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeAlias

import msgspec
from msgspec import inspect

Path: TypeAlias = tuple[str | int, ...]
"""Where something stands in a value: the keys of mappings and the indices of lists, from the outside in."""

_AT = re.compile(r"(.*?)(?: - at `(key` in `)?\$(.*)`)?", re.DOTALL)
_STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]", re.ASCII)
_SHAPE = re.compile(r"`([a-z]+(?: \| [a-z]+)*)`")
_FIELD = re.compile(r"Object (contains unknown|missing required) field `(.*)`")


@dataclass(frozen=True, slots=True)
class Misfit:
    """What is wrong with a value, and where.

    Attributes:
        path: the place. Of a field that is not known, its own place; of a missing one, that of its mapping.
        reason: what is wrong there, what is allowed, and what is nearest to it.
    """

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class ShapeWords:
    """How a kind of file calls its shapes.

    Attributes:
        mapping: an object, mapping or table.
        sequence: a list or an array.
        entry: what stands in a mapping under a name.
        other_names: names that people give to fields, and the fields that they mean.
    """

    mapping: str = "a mapping"
    sequence: str = "a list"
    entry: str = "field"
    other_names: Mapping[str, str] = field(default_factory=dict)

    def shapes(self, names: str) -> str:
        """Return msgspec's names of shapes in words."""
        words = {
            "object": self.mapping, "array": self.sequence, "str": "text", "null": "nothing", "int": "a whole number",
            "float": "a number", "bool": "true or false",
        }  # fmt: skip
        return " or ".join(words.get(name, name) for name in names.split(" | "))


def misfit(error: msgspec.ValidationError, kind: Any, raw: object, words: ShapeWords) -> Misfit:
    """Return what is wrong with a value.

    Args:
        error: what ``msgspec`` says of it.
        kind: the type that the value should have.
        raw: the value.
        words: of the file from which it comes.
    """
    match = _AT.fullmatch(str(error))
    said, _, place = match.groups() if match else (str(error), None, "")
    path = tuple(name or int(number) for name, number in _STEP.findall(place or ""))
    here = _type_at(inspect.type_info(kind), path)
    value = _value_at(raw, path)
    if found := _FIELD.fullmatch(said):
        if found[1] == "missing required":
            return Misfit(path, f"the {words.entry} {found[2]!r} is missing")
        names = [each.encode_name for each in _struct(here).fields]
        hint = nearest(found[2], names, words.other_names)
        return Misfit((*path, found[2]), f"unknown {words.entry} {found[2]!r}{hint}")
    if said.startswith("Invalid enum value"):
        allowed = [str(each) for each in _allowed(here)]
        return Misfit(path, f"{value!r} is not allowed{nearest(str(value), allowed)}")
    reason = _SHAPE.sub(lambda shape: words.shapes(shape[1]), said)
    if "length >= 1" in reason:
        return Misfit(path, "expected text, got an empty one")
    reason = (
        re.sub("^Expected", "expected", reason)
        .replace(" or nothing, got", ", got")
        .replace(" matching regex ", " that matches ")
    )
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        reason = re.sub(r", got (text|a whole number|a number)$", "", reason) + f", got {value!r}"
    allowed = [str(each) for each in _allowed(here)]
    return Misfit(path, reason + (nearest("", allowed) if allowed else ""))


def nearest(written: str, allowed: Iterable[str], other_names: Mapping[str, str] | None = None) -> str:
    """Return what may stand in a place, and what of it is nearest to what was written, as the end of a sentence.

    >>> nearest("in person", ["in-person", "online"])
    ': use in-person or online (nearest: in-person)'
    """
    allowed = list(allowed)
    plain = re.sub(r"[\s_-]+", "-", written.strip().lower())
    by_plain = {each.lower().replace("_", "-"): each for each in allowed}
    meant = (other_names or {}).get(plain)
    close = [meant] if meant in allowed else [by_plain[each] for each in get_close_matches(plain, by_plain, 1)]
    listed = " or ".join(filter(None, (", ".join(allowed[:-1]), *allowed[-1:])))
    return f": use {listed}" + (f" (nearest: {close[0]})" if close else "")


def dotted(path: Path) -> str:
    """Return a path as messages show it: ``$.sessions[3].start``."""
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def _value_at(raw: Any, path: Path) -> Any:
    for step in path:
        try:
            raw = raw[step]
        except (KeyError, IndexError, TypeError):
            return None
    return raw


def _kinds(kind: inspect.Type) -> list[inspect.Type]:
    """Return the types that a type is made of: those of a union, or itself."""
    if isinstance(kind, inspect.Metadata):
        return _kinds(kind.type)
    return [each for part in kind.types for each in _kinds(part)] if isinstance(kind, inspect.UnionType) else [kind]


def _type_at(kind: inspect.Type, path: Path) -> inspect.Type:
    for step in path:
        for each in _kinds(kind):
            if isinstance(step, int) and isinstance(each, inspect.ListType | inspect.VarTupleType):
                kind = each.item_type
                break
            if isinstance(step, str) and isinstance(each, inspect.StructType):
                kind = next(field.type for field in each.fields if field.encode_name == step)
                break
            if isinstance(step, str) and isinstance(each, inspect.DictType):
                kind = each.value_type
                break
    return kind


def _struct(kind: inspect.Type) -> inspect.StructType:
    return next(each for each in _kinds(kind) if isinstance(each, inspect.StructType))


def _allowed(kind: inspect.Type) -> tuple[Any, ...]:
    for each in _kinds(kind):
        if isinstance(each, inspect.LiteralType):
            return tuple(each.values)
    return ()
