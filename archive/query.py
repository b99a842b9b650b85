"""The query language: what people type into a search box, as a tree, and as FTS5's own syntax.

::

    query   = any
    any     = all { "OR" all }
    all     = item { [ "AND" ] item }
    item    = ( "-" | "NOT" ) item | "(" any ")" | term
    term    = word | word "*" | '"' phrase '"'

Words must all occur; ``OR``, ``AND`` and ``NOT`` are operators in capitals only. A word that is written
in pieces is a phrase (``state-of-the-art``, ``don't``); one with hyphens is also found without them. What
does not parse is searched as plain words, and a note says so: no text is an error. A field such as
``speaker:`` would be one more kind of term.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from archive.tokens import words

MAX_CHARACTERS = 4_000
MAX_WORDS = 64
MAX_DEPTH = 16
MIN_PREFIX = 3


@dataclass(frozen=True, slots=True)
class Word:
    """A folded word."""

    text: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """Two or more folded words, one directly after the other."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prefix:
    """Folded words, the last of which may go on: ``stat*``, ``re-us*``."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class And:
    """All of these, at least one of them not a `Not`."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of these, none of them a `Not`."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Not this."""

    node: Node


Leaf: TypeAlias = Word | Phrase | Prefix
Node: TypeAlias = Leaf | And | Or | Not


@dataclass(frozen=True, slots=True)
class Query:
    """What was understood.

    Attributes:
        node: what to search for, never a `Not`; None where nothing can be found.
        note: what a reader should know about how the text was understood, in whole sentences.
    """

    node: Node | None
    note: str | None = None


NOTHING = 'There is no word in this search: type a word, or a "phrase" in quotes.'
ONLY_NOT = "A search that only leaves out finds nothing: add a word that should occur."
NOT_IN_OR = "What only leaves out cannot stand beside OR, and was ignored."
PLAIN = "This does not read as a query ({}), so its words were searched as they stand."
TOO_LONG = f"Only the first {MAX_WORDS} words were searched."
SHORT_PREFIX = f"A * needs {MIN_PREFIX} letters before it, and was ignored."

_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂", '"'))
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_LEXEME = re.compile(
    r"""(?P<operator>(?:AND|OR|NOT)(?![^\s"()])|[()]|"(?![^"]*"))|"[^"]*"|(?P<minus>-(?!-))?(?P<word>[^\s"()]*)""",
)
_HYPHEN = re.compile("[-\u2010\u2011]")

Lexeme: TypeAlias = "str | Node"
"""One of ``( ) " AND OR NOT``, or a term."""


class _NotAQueryError(Exception):
    """Why a text does not parse."""


def parse_query(text: str) -> Query:
    """Return what a text asks for. Every text is understood somehow; nothing is raised."""
    notes: dict[str, None] = {}
    lexemes = _lex(text, notes)
    terms = [lexeme for lexeme in lexemes if not isinstance(lexeme, str)]
    if not terms:
        said = words(" ".join(lexeme for lexeme in lexemes if isinstance(lexeme, str)))
        return Query(_and(map(Word, said)), PLAIN.format("it is operators alone")) if said else Query(None, NOTHING)
    try:
        node = _Parser(lexemes, notes).parse()
    except _NotAQueryError as reason:
        notes[PLAIN.format(reason)] = None
        node = _and(terms)
    if isinstance(node, Not):
        return Query(None, ONLY_NOT)
    return Query(node, " ".join(notes) or None)


def leaves(node: Node) -> Iterator[Leaf]:
    """Yield the terms that are looked for, without those that are left out."""
    if isinstance(node, And | Or):
        for child in node.nodes:
            yield from leaves(child)
    elif not isinstance(node, Not):
        yield node


def to_fts5(node: Node) -> str:
    """Return a node, which must not be a `Not`, in FTS5's syntax, with every word inside quotes.

    Source: https://sqlite.org/fts5.html#full_text_query_syntax
    """
    match node:
        case Word(text):
            return f'"{text}"'
        case Phrase(parts):
            return f'"{" ".join(parts)}"'
        case Prefix(parts):
            return f'"{" ".join(parts)}" *'
        case Or(nodes):
            return f"({' OR '.join(map(to_fts5, nodes))})"
        case And(nodes):
            wanted = " AND ".join(to_fts5(child) for child in nodes if not isinstance(child, Not))
            unwanted = " OR ".join(to_fts5(child.node) for child in nodes if isinstance(child, Not))
            return f"(({wanted}) NOT ({unwanted}))" if unwanted else f"({wanted})"
        case Not():
            raise TypeError("FTS5 has no way to say only what is not there")


def _lex(text: str, notes: dict[str, None]) -> list[Lexeme]:
    """Cut a text into operators and terms; what has no letter or digit is passed over."""
    if len(text) > MAX_CHARACTERS:
        notes[TOO_LONG] = None
    text = _UNPRINTABLE.sub(" ", text[:MAX_CHARACTERS].translate(_QUOTES))
    lexemes: list[Lexeme] = []
    room = MAX_WORDS
    for match in _LEXEME.finditer(text):
        if match["operator"]:
            lexemes.append(match[0])
            continue
        found = words(match[0])
        if len(found) > room:
            notes[TOO_LONG] = None
            found = found[:room]
        room -= len(found)
        if match["minus"] and (found or text[match.end() : match.end() + 1] in ('"', "(")):
            lexemes.append("NOT")
        if found:
            lexemes.append(_phrase(found) if match["word"] is None else _written(match["word"], found, notes))
    return lexemes


def _phrase(found: list[str]) -> Word | Phrase:
    return Word(found[0]) if len(found) == 1 else Phrase(tuple(found))


def _written(source: str, found: list[str], notes: dict[str, None]) -> Node:
    """Return the term for a word as it was typed: with a star, with hyphens, or in pieces."""
    starred = source.endswith("*")
    if starred and len(found[-1]) < MIN_PREFIX:
        notes[SHORT_PREFIX] = None
        starred = False
    joined = words(_HYPHEN.sub("", source))
    spellings = [found] if len(found) == 1 or not joined else [found, joined]
    return _or([Prefix(tuple(spelling)) if starred else _phrase(spelling) for spelling in spellings], notes)


class _Parser:
    """Recursive descent over lexemes; each method reads one rule of the grammar."""

    def __init__(self, lexemes: list[Lexeme], notes: dict[str, None]) -> None:
        self._lexemes = lexemes
        self._notes = notes
        self._at = 0

    def parse(self) -> Node:
        node = self._any(0)
        if self._at < len(self._lexemes):
            raise _NotAQueryError(f"a {self._peek()} too many")
        return node

    def _peek(self) -> Lexeme | None:
        return self._lexemes[self._at] if self._at < len(self._lexemes) else None

    def _take(self, operator: str) -> bool:
        taken = self._peek() == operator
        self._at += taken
        return taken

    def _any(self, depth: int) -> Node:
        nodes = [self._all(depth)]
        while self._take("OR"):
            nodes.append(self._all(depth))
        return _or(nodes, self._notes)

    def _all(self, depth: int) -> Node:
        nodes = [self._item(depth)]
        while self._take("AND") or self._peek() not in (None, "OR", ")"):
            nodes.append(self._item(depth))
        return _and(nodes)

    def _item(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise _NotAQueryError("it is nested too deeply")
        if self._take("NOT"):
            return _not(self._item(depth + 1))
        if self._take("("):
            node = self._any(depth + 1)
            if not self._take(")"):
                raise _NotAQueryError("a ( is not closed")
            return node
        lexeme = self._peek()
        if lexeme == '"':
            raise _NotAQueryError("a quote is not closed")
        if lexeme is None or isinstance(lexeme, str):
            raise _NotAQueryError(f"nothing stands {'at the end' if lexeme is None else f'before {lexeme}'}")
        self._at += 1
        return lexeme


def _and(nodes: Iterable[Node]) -> Node:
    """Return what all nodes ask for: where all of them leave out, what leaves out any."""
    flat = [part for node in nodes for part in (node.nodes if isinstance(node, And) else (node,))]
    unique = tuple(dict.fromkeys(flat))
    if len(unique) == 1:
        return unique[0]
    unwanted = tuple(node.node for node in unique if isinstance(node, Not))
    return Not(Or(unwanted)) if len(unwanted) == len(unique) else And(unique)


def _or(nodes: Iterable[Node], notes: dict[str, None]) -> Node:
    """Return what any of the nodes asks for, of those that ask for something."""
    flat = [part for node in nodes for part in (node.nodes if isinstance(node, Or) else (node,))]
    unique = tuple(dict.fromkeys(flat))
    if len(unique) == 1:
        return unique[0]
    unwanted = tuple(node.node for node in unique if isinstance(node, Not))
    if len(unwanted) == len(unique):
        return Not(And(unwanted))
    if unwanted:
        notes[NOT_IN_OR] = None
        return _or([node for node in unique if not isinstance(node, Not)], notes)
    return Or(unique)


def _not(node: Node) -> Node:
    return node.node if isinstance(node, Not) else Not(node)
