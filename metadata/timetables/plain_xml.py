"""XML without its surprises: elements, attributes and text, with their lines. Nothing is fetched.

A document type declaration can define entities that expand without end, or that read files and addresses (CWE-776,
CWE-611), so none is accepted. Expat (https://libexpat.github.io) parses. The number of elements, and how deep they
are nested, is limited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from metadata.errors import FormatError

MAX_DEPTH = 64
MAX_ELEMENTS = 2_000_000


@dataclass(slots=True)
class Node:
    """An element. Names in a namespace are written ``namespace}name``."""

    tag: str
    attributes: dict[str, str]
    line: int
    children: list[Node] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    behind: int = 0
    """How many of its parent's texts stand before it."""

    @property
    def text(self) -> str:
        """The element's own text, stripped."""
        return "".join(self.texts).strip()

    @property
    def whole_text(self) -> str:
        """The text of the element and of all inside it, in their order."""
        parts, at = [], 0
        for child in self.children:
            parts += [*self.texts[at : child.behind], child.whole_text]
            at = child.behind
        return "".join([*parts, *self.texts[at:]])

    @property
    def where(self) -> str:
        """The place, for messages."""
        return f"line {self.line}"

    def find(self, tag: str) -> Node | None:
        """Return the first child of this name."""
        return next(self.all(tag), None)

    def all(self, tag: str) -> Iterator[Node]:
        """Yield the children of this name."""
        return (child for child in self.children if child.tag == tag)

    def without_namespace(self) -> Node:
        """Return the element after removing the namespaces from its name and the names of everything inside it."""
        self.tag = self.tag.rpartition("}")[2]
        for child in self.children:
            child.without_namespace()
        return self

    def get(self, tag: str) -> str:
        """Return the text of the first child of this name, or an empty text."""
        child = self.find(tag)
        return child.text if child else ""


def load_plain_xml(data: bytes, source: str) -> Node:
    """Return the root element of a document.

    Raises:
        FormatError: the line, and what is wrong there.
    """
    # Where blanks stand before the declaration, as broken plugins of web sites write them, XML does not allow it.
    late = _LATE_DECLARATION.match(data)
    builder = _Builder(source, late[2].decode() if late and late[2] else None)
    data = late[1] + data[late.end() :] if late else data
    try:
        return builder.parse(data)
    except expat.ExpatError as error:
        raise FormatError(
            source, f"line {error.lineno}", f"not well-formed XML: {expat.ErrorString(error.code)}"
        ) from None
    except (LookupError, ValueError) as error:  # an encoding that Python does not know, or cannot use here
        raise FormatError(source, "line 1", f"not readable XML: {error}") from None


_LATE_DECLARATION = re.compile(rb"""(\s+)<\?xml(?:[^>]*?\sencoding\s*=\s*["']([\w.-]{1,40})["'])?[^>]*\?>""", re.ASCII)


class _Builder:
    def __init__(self, source: str, encoding: str | None) -> None:
        self._source = source
        self._open: list[Node] = []
        self._root: Node | None = None
        self._count = 0
        self._parser = parser = expat.ParserCreate(encoding, namespace_separator="}")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text

    def parse(self, data: bytes) -> Node:
        self._parser.Parse(data, True)
        if self._root is None:
            raise FormatError(self._source, "", "no element in it")
        return self._root

    def _refuse(self, reason: str) -> FormatError:
        return FormatError(self._source, f"line {self._parser.CurrentLineNumber}", reason)

    def _doctype(self, *_: object) -> None:
        raise self._refuse("a document type declaration (<!DOCTYPE …>) is not accepted: remove it")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) == MAX_DEPTH:
            raise self._refuse(f"nested more than {MAX_DEPTH} deep")
        if self._count > MAX_ELEMENTS:
            raise self._refuse(f"more than {MAX_ELEMENTS:,} elements")
        node = Node(tag, attributes, self._parser.CurrentLineNumber)
        if self._open:
            node.behind = len(self._open[-1].texts)
            self._open[-1].children.append(node)
        else:
            self._root = node
        self._open.append(node)

    def _end(self, _tag: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        self._open[-1].texts.append(text)
