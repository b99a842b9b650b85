"""YAML without its surprises: mappings, lists and text, and nothing that has to be guessed.

YAML 1.1 reads ``no`` as false, ``18:30`` as 1110 and ``2022-07-23`` as a date. Here every scalar is the text that was
written. Aliases can make a small file huge, and tags ask for types other than text: both are refused. So is a key that
comes twice (YAML 1.2.2, section 3.2.1.3, forbids it too).
"""

from __future__ import annotations

import re
from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError
from yaml.reader import ReaderError

from metadata.errors import FormatError
from metadata.shapes import Path

MAX_DEPTH = 16
"""Mappings and sequences may be this deep inside one another."""


def load_plain_yaml(data: bytes, source: str) -> object:
    """Return the one document of a UTF-8 file: dicts and lists of text, and None where nothing was written.

    Raises:
        FormatError: the line, and what is wrong there.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(source, _line(data.count(b"\n", 0, error.start)), "not UTF-8 text") from None
    try:
        return yaml.load(text, _PlainLoader)  # noqa: S506 - it makes nothing but text, lists, dicts and None
    except ReaderError as error:
        line = _line(text.count("\n", 0, error.position))
        raise FormatError(source, line, f"the character U+{error.character:04X} is not allowed") from None
    except yaml.MarkedYAMLError as error:
        where = _line(error.problem_mark.line) if error.problem_mark else ""
        raise FormatError(source, where, ", ".join(part for part in (error.context, error.problem) if part)) from None


def line_of(data: bytes, path: Path) -> int:
    """Return the line on which a part of a document stands, counted from 1.

    Args:
        data: a document that `load_plain_yaml` has read.
        path: the part. Where it does not exist, the line is that of the innermost part that does.
    """
    node = yaml.compose(data.decode("utf-8-sig"), _PlainLoader)
    line = node.start_mark.line if node else 0
    for step in path:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == step]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            found = [(item, item) for item in node.value[step : step + 1]]
        else:
            break
        if not found:
            break
        line, node = found[0][0].start_mark.line, found[0][1]
    return int(line) + 1


def _line(before: int) -> str:
    return f"line {before + 1}"


class _PlainLoader(yaml.BaseLoader):
    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        refusal = None
        if getattr(event, "anchor", None) is not None:
            refusal = "anchors and aliases are not used here"
        elif getattr(event, "tag", None) is not None:
            refusal = "tags are not used here"
        elif self._depth == MAX_DEPTH:
            refusal = f"nested more than {MAX_DEPTH} deep"
        if refusal:
            raise ComposerError(None, None, refusal, event.start_mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_scalar(self, node: yaml.ScalarNode) -> Any:
        # Raw ones the reader refuses itself; these were written as escapes, and no other format could hold them.
        if isinstance(node.value, str) and (found := _CONTROL.search(node.value)):
            refusal = f"the character U+{ord(found[0]):04X} is not allowed"
            raise ConstructorError(None, None, refusal, node.start_mark)
        return super().construct_scalar(node)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ConstructorError(None, None, "a key must be a word", key.start_mark)
            if key.value in seen:
                raise ConstructorError(None, None, f"{key.value!r} is given twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_NULL = "tag:yaml.org,2002:null"
_PlainLoader.add_implicit_resolver(_NULL, re.compile(r"~?$"), ["~", ""])
_PlainLoader.add_constructor(_NULL, lambda _loader, _node: None)
