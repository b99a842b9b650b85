"""The query language: what people type into a search box, as a tree, and as FTS5's own syntax.

::

    query   = any
    any     = all { "OR" all }
    all     = near { [ "AND" ] near }
    near    = item { "near/" number item }
    item    = ( "-" | "NOT" ) item | "(" any ")" | field | term
    field   = name ":" ( word { "," word } | '"' words '"' )
    term    = ( word | '"' phrase '"' ) [ "*" ]

Words must all occur; ``OR``, ``AND`` and ``NOT`` are operators in capitals only. A word that is written
in pieces is a phrase (``state-of-the-art``, ``don't``), and is also found in one piece (``dont``); ``Müller`` is
also found as ``Mueller``. A word in quotes is meant as it stands; any other may be found by its stem
(`with_stems`). How else words are written is looked up in an archive (`archive.search.spellings`). Fields say which
sessions to search in, or who said it (``speaker:``), and so stand beside everything else, not in an OR with words;
of values with commas between them (``kind:talk,panel``), any may hold.
What does not parse is searched as plain words, and a note says so: no text is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from functools import cached_property
from itertools import product
from math import prod
from typing import TypeAlias, get_args

from archive.index import stems
from archive.index.spellings import in_one_piece, with_digraphs
from archive.index.tokens import is_unspaced, words
from metadata.errors import InvalidLanguageError
from metadata.languages import parse_language, primary
from metadata.model import SessionKind

MAX_CHARACTERS = 4_000
MAX_WORDS = 64
MAX_DEPTH = 16
MIN_PREFIX = 3
MAX_NEAR = 15
"""Words between two words: so many stand in one passage, wherever it begins (see `archive.index.passages`)."""


@dataclass(frozen=True, slots=True)
class Word:
    """A folded word."""

    text: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """Folded words, one directly after the other; a single word in quotes is one too.

    ``quoted`` says whether they stood in quotes, or were typed as one word (``don't``), which finds the same.
    """

    words: tuple[str, ...]
    quoted: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Prefix:
    """Folded words, the last of which may go on: ``stat*``, ``re-us*``."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class Stemmed:
    """A folded word, or any that has the same stem in one of these languages (primary subtags)."""

    text: str
    languages: tuple[str, ...]

    @cached_property
    def stems(self) -> frozenset[tuple[str, str]]:
        """The languages and what the word's stem is in each."""
        return frozenset((language, stems.stem(language, self.text)) for language in self.languages)

    @cached_property
    def terms(self) -> tuple[str, ...]:
        """The words to look for in an index: this, its stems as words, and their marks."""
        found = sorted(self.stems)
        plain = (stem for _, stem in found)
        return tuple(dict.fromkeys((self.text, *plain, *(stems.mark_of(*each) for each in found))))

    @cached_property
    def letter(self) -> str:
        """The letter with which every form of this word begins; "" where they may begin with others."""
        return self.text[0] if stems.SUFFIXED.issuperset(self.languages) else ""

    def forms(self, words: set[str]) -> set[str]:
        """Return those of some folded words that are forms of this one."""
        found = words.intersection(self.terms)
        for language, stem in self.stems:
            found |= stems.forms(language, stem, words)
        return found


@dataclass(frozen=True, slots=True)
class Near:
    """All of these, with at most so many words between the end of each and the start of the last."""

    terms: tuple[Word | Phrase | Prefix, ...]
    distance: int


@dataclass(frozen=True, slots=True)
class Field:
    """Something that is known of a session, from outside what was said in it, or of who said it.

    Attributes:
        name: one of `FIELDS`.
        value: folded words for what has a name; else a BCP-47 tag, a year, a day (ISO 8601), a kind, ``yes``.
    """

    name: str
    value: str


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


Leaf: TypeAlias = Word | Phrase | Prefix | Stemmed
Node: TypeAlias = Leaf | Near | Field | And | Or | Not


@dataclass(frozen=True, slots=True)
class Query:
    """What was understood.

    Attributes:
        node: what to search for, never a `Not`; None where there are no words to search for.
        note: what a reader should know about how the text was understood, in whole sentences.
        where: which sessions to search in, as a tree of fields; None for all.
        language: of the transcripts to search in, BCP-47; None for all.
        doubtful: whether to search in what was heard with doubt, and in nothing else.
        exact: whether only what has all that is asked for is to be found.
    """

    node: Node | None
    note: str | None = None
    where: Node | None = None
    language: str | None = None
    doubtful: bool = False
    exact: bool = False


NOTHING = 'There is no word in this search: type a word, or a "phrase" in quotes.'
ONLY_NOT = "A search that only leaves out finds nothing: add a word that should occur."
NOT_IN_OR = "What only leaves out cannot stand beside OR, and was ignored."
PLAIN = "This does not read as a query ({}), so its words were searched as they stand."
TOO_LONG = f"Only the first {MAX_WORDS} words were searched."
ONLY_NOT_WITH_FIELDS = "What only leaves out needs a word beside it that should occur, and was ignored."
FIELD_IN_OR = "A field such as {}: stands beside words, not in an OR with them: it was searched as words."
NO_FIELD = "There is no field {}: (did you mean {}:?), so it was searched as words. Fields are {}."
NO_FIELD_LIKE_IT = "There is no field {}: and it was searched as words. Fields are {}."
NOT_A_VALUE = "{}: needs {}, so it was searched as words."
FAR = f"near/ reaches over {MAX_NEAR} words at most, and was taken for near/{MAX_NEAR}."
BARE_NEAR = "near/ needs a number of words, as in near/10: it was searched as it stands."
SHORT_PREFIX = f"A * needs {MIN_PREFIX} letters before it, and was ignored."

FIELDS = {
    "speaker": "a name",
    "with": "a name",
    "person": "a name",
    "event": "a name",
    "series": "a name",
    "title": "words of a title",
    "language": "a language's code or English name",
    "track": "a name",
    "year": "four digits",
    "after": "a date such as 2022, 2022-07 or 2022-07-23",
    "before": "a date such as 2022, 2022-07 or 2022-07-23",
    "kind": f"one of {', '.join(get_args(SessionKind))}",
    "doubtful": "yes or no",
    "exact": "yes or no",
}
"""The names of fields, and what each needs for a value."""
MEANT = {
    "lang": "language",
    "in": "language",
    "by": "speaker",
    "who": "speaker",
    "said": "speaker",
    "name": "person",
    "people": "person",
    "talk": "title",
    "session": "title",
    "type": "kind",
    "date": "year",
    "since": "after",
    "from": "after",
    "until": "before",
    "to": "before",
}
"""What is meant by names that are none of a field."""
WAYS = ("doubtful", "exact")
"""Fields that say how to search, not where."""

_NAMED = {"speaker", "with", "person", "event", "series", "title", "track"}
_DAY = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?", re.ASCII)
_COMMA = re.compile("[,،、，]")  # of other scripts, too
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂", '"'))
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_LEXEME = re.compile(
    r"""(?P<operator>(?:AND|OR|NOT)(?![^\s"()])|[()]|"(?![^"]*"))|"[^"]*"(?P<star>\*)?|(?P<near>(?i:near)/(?P<far>\d{1,9})(?![^\s"()]))"""
    rf"""|(?P<less>-)?(?P<field>(?i:{"|".join(FIELDS)})):(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s"()]*))"""
    r"""|(?P<minus>-(?!-))?(?P<word>[^\s"()]*)""",
)

_PERHAPS_FIELD = re.compile(r"-?([a-z]{2,12}):(?![:/\\])[^\s:]", re.ASCII)
"""How a field is written, and few other things are."""

Lexeme: TypeAlias = "str | Node"
"""One of ``( ) " AND OR NOT``, ``near/10``, a field, or a term."""


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
        tree = _Parser(lexemes, notes).parse()
    except _NotAQueryError as reason:
        notes[PLAIN.format(reason)] = None
        tree = _and(terms)
    return _sort_out(tree, notes)


def _sort_out(tree: Node, notes: dict[str, None]) -> Query:
    """Return the words of a query apart from its fields."""
    parts = tree.nodes if isinstance(tree, And) else (tree,)
    fields = [part for part in parts if _is_where(part)]
    node = _only([_without_fields(part, notes) for part in parts if part not in fields], notes, alone=not fields)
    languages = [part for part in fields if isinstance(part, Field) and part.name == "language"]
    ways = [part for part in fields if isinstance(part, Field) and part.name in WAYS]
    where = [part for part in fields if part not in ways and part not in languages[:1]]
    return Query(
        node,
        " ".join(notes) or None,
        where=_and(where) if where else None,
        language=languages[0].value if languages else None,
        doubtful=Field("doubtful", "yes") in ways,
        exact=Field("exact", "yes") in ways,
    )


def _only(nodes: list[Node], notes: dict[str, None], *, alone: bool) -> Node | None:
    node = _and(nodes) if nodes else None
    if isinstance(node, Not):
        notes[ONLY_NOT if alone else ONLY_NOT_WITH_FIELDS] = None
        return None
    return node


def _is_where(node: Node) -> bool:
    if isinstance(node, And | Or):
        return all(map(_is_where, node.nodes))
    return _is_where(node.node) if isinstance(node, Not) else isinstance(node, Field)


def _without_fields(node: Node, notes: dict[str, None]) -> Node:
    """Return a node whose fields are words."""
    match node:
        case And(nodes):
            return _and([_without_fields(child, notes) for child in nodes])
        case Or(nodes):
            return _or([_without_fields(child, notes) for child in nodes], notes)
        case Not(child):
            return _not(_without_fields(child, notes))
        case Field(name, value):
            notes[FIELD_IN_OR.format(name)] = None
            return _phrase([name, *words(value)])
        case _:
            return node


def leaves(node: Node) -> Iterator[Leaf]:
    """Yield the terms that are looked for, without those that are left out."""
    if isinstance(node, And | Or):
        for child in node.nodes:
            yield from leaves(child)
    elif isinstance(node, Near):
        yield from node.terms
    elif not isinstance(node, Not | Field):
        yield node


def with_stems(node: Node, languages: Iterable[str], occur: Callable[[Stemmed], bool] = lambda _: True) -> Node:
    """Return a query whose plain words may also be found by their stems.

    What is left out, or said to be near, is meant as it was typed.

    Args:
        node: the query.
        languages: of the stems, BCP-47.
        occur: whether there may be other forms of a word: one that has none stays as it is.
    """
    known = tuple(sorted({primary(language) for language in languages if stems.is_stemmed(language)}))
    return _stemmed(node, known, occur) if known else node


def _stemmed(node: Node, languages: tuple[str, ...], occur: Callable[[Stemmed], bool]) -> Node:
    match node:
        case Word(text):
            stemmed = Stemmed(text, languages)
            return stemmed if occur(stemmed) else node
        case And(nodes):
            return And(tuple(_stemmed(child, languages, occur) for child in nodes))
        case Or(nodes):
            return Or(tuple(_stemmed(child, languages, occur) for child in nodes))
        case _:
            return node


def in_any_order(node: Node) -> Node:
    """Return a query that leaves nothing out for all words of another, wherever they stand."""
    match node:
        case Phrase(parts) if len(parts) > 1:
            return And(tuple(map(Word, parts)))
        case Prefix(parts) if len(parts) > 1:
            return And((*map(Word, parts[:-1]), Prefix(parts[-1:])))
        case Near(nodes) | And(nodes):
            return And(tuple(map(in_any_order, nodes)))
        case Or(nodes):
            return Or(tuple(map(in_any_order, nodes)))
        case _:
            return node


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
        case Stemmed():
            return "({})".format(" OR ".join(f'"{term}"' for term in node.terms))
        case Near(terms, distance):
            return f"NEAR({' '.join(map(to_fts5, terms))}, {distance})"
        case Or(nodes):
            return f"({' OR '.join(map(to_fts5, nodes))})"
        case And(nodes):
            wanted = " AND ".join(to_fts5(child) for child in nodes if not isinstance(child, Not))
            unwanted = " OR ".join(to_fts5(child.node) for child in nodes if isinstance(child, Not))
            return f"(({wanted}) NOT ({unwanted}))" if unwanted else f"({wanted})"
        case Not():
            raise TypeError("FTS5 has no way to say only what is not there")
        case Field():
            raise TypeError("a field is not in what was said")


def _lex(text: str, notes: dict[str, None]) -> list[Lexeme]:
    """Cut a text into operators and terms; what has no letter or digit is passed over."""
    if len(text) > MAX_CHARACTERS:
        notes[TOO_LONG] = None
    text = _UNPRINTABLE.sub(" ", text[:MAX_CHARACTERS].translate(_QUOTES))
    lexemes: list[Lexeme] = []
    room = MAX_WORDS
    for match in _LEXEME.finditer(text):
        if match["operator"] or match["near"]:
            lexemes.append(match[0])
            continue
        found = words(match[0])
        if len(found) > room:
            notes[TOO_LONG] = None
            found = found[:room]
        room -= len(found)
        if match["field"]:
            if found:
                lexemes += ["NOT"] * bool(match["less"])
                lexemes.append(_field(match["field"].lower(), match["quoted"], match["bare"] or "", found, notes))
            continue
        if match["minus"] and (found or text[match.end() : match.end() + 1] in ('"', "(")):
            lexemes.append("NOT")
        if found and match["word"] is None:
            quoted = [Phrase(each, quoted=True) for each in _spellings(match[0], found)]
            lexemes.append(_or(_beginnings(quoted, notes) if match["star"] else quoted, notes))
        elif found:
            if match["word"].lower() == "near/":
                notes[BARE_NEAR] = None
            if unknown := _PERHAPS_FIELD.match(match[0] + text[match.end() : match.end() + 1]):
                notes[_no_field(unknown[1])] = None
            lexemes.append(_written(match["word"], found, notes))
    return lexemes


def _no_field(name: str) -> str:
    """Return what a reader should know of a name that is none of a field."""
    known = ", ".join(FIELDS)
    meant = MEANT.get(name) or next(iter(get_close_matches(name, FIELDS, 1)), None)
    return NO_FIELD.format(name, meant, known) if meant else NO_FIELD_LIKE_IT.format(name, known)


def _field(name: str, quoted: str | None, bare: str, found: list[str], notes: dict[str, None]) -> Node:
    """Return a field, any of several where commas part its values, or its words where a value is none."""
    listed = [] if quoted or name in WAYS else [each for each in _COMMA.split(bare) if words(each)][: len(found)]
    fields = [_one_field(name, each) for each in listed or [quoted or bare]]
    if None in fields:
        notes[NOT_A_VALUE.format(name, FIELDS[name])] = None
        return _phrase(found)
    return _or(filter(None, fields), notes)


def _one_field(name: str, value: str) -> Node | None:
    """Return a field, in each of the ways in which its value may be written; None where the value is none."""
    if name in _NAMED and (named := words(value)):
        return _or([Field(name, " ".join(each)) for each in _spellings(value, named)], {})
    understood = _value(name, value.strip())
    return None if understood is None else Field(name, understood)


def _value(name: str, text: str) -> str | None:
    """Return the value of a field as `Field` has it; None where the text is none."""
    if name == "language":
        try:
            return parse_language(text)
        except InvalidLanguageError:
            return None
    if name in {"after", "before"}:
        return _day(text)
    known = get_args(SessionKind) if name == "kind" else ("yes", "no") if name in WAYS else None
    if known:
        return text.lower() if text.lower() in known else None
    return text if re.fullmatch(r"\d{4}", text, re.ASCII) else None


def _day(text: str) -> str | None:
    match = _DAY.fullmatch(text)
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2] or 1), int(match[3] or 1)).isoformat()
    except ValueError:
        return None


def _phrase(found: Sequence[str]) -> Word | Phrase:
    return Word(found[0]) if len(found) == 1 else Phrase(tuple(found))


def _beginnings(spellings: Sequence[Phrase], notes: dict[str, None]) -> list[Phrase | Prefix]:
    """Return what words with a star after them ask for: those that begin so, where enough letters stand before it."""
    # Where every character is a word, whatever follows it is found anyway.
    if all(is_unspaced(each.words[-1]) for each in spellings):
        return list(spellings)
    long_enough = [each for each in spellings if len(each.words[-1]) >= MIN_PREFIX]
    if not long_enough:
        notes[SHORT_PREFIX] = None
    return [Prefix(each.words) for each in long_enough] or list(spellings)


def _written(source: str, found: list[str], notes: dict[str, None]) -> Node:
    """Return the term for a word as it was typed: with a star, with hyphens, or in pieces."""
    spellings = _spellings(source, found)
    if not source.endswith("*"):
        return _or(map(_phrase, spellings), notes)
    terms = _beginnings([Phrase(each) for each in spellings], notes)
    return _or([_phrase(term.words) if isinstance(term, Phrase) else term for term in terms], notes)


def _spellings(source: str, found: list[str]) -> list[tuple[str, ...]]:
    """Return the words of a text, and what they are in one piece (Ph.D.) and with two letters for one (Müller).

    Initials of two letters are not put together: the word that they make is mostly another (us).
    """
    initials = len(found) == 2 and all(len(word) == 1 and word.isalpha() for word in found)
    joined = source if initials else in_one_piece(source)
    spelled = [found, *map(words, (joined, with_digraphs(source), with_digraphs(joined)))]
    return list(dict.fromkeys(tuple(each) for each in spelled if each and len(each) <= len(found)))


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
        nodes = [self._near(depth)]
        while self._take("AND") or self._peek() not in (None, "OR", ")"):
            nodes.append(self._near(depth))
        return _and(nodes)

    def _near(self, depth: int) -> Node:
        nodes, distance = [self._item(depth)], 0
        while isinstance(ahead := self._peek(), str) and ahead[:5].lower() == "near/":
            self._at += 1
            distance = max(distance, int(ahead[5:]))
            nodes.append(self._item(depth))
        return _close(nodes, distance, self._notes) if len(nodes) > 1 else nodes[0]

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


def _close(nodes: list[Node], distance: int, notes: dict[str, None]) -> Node:
    """Return what nodes close to each other ask for; a word with several spellings is one of them each time."""
    if distance > MAX_NEAR:
        notes[FAR] = None
    terms: list[tuple[Word | Phrase | Prefix, ...]] = []
    for node in nodes:
        spellings = node.nodes if isinstance(node, Or) else (node,)
        simple = tuple(each for each in spellings if isinstance(each, Word | Phrase | Prefix))
        if len(simple) < len(spellings):
            raise _NotAQueryError("near/ stands between words and phrases alone")
        terms.append(simple)
    if prod(map(len, terms)) > MAX_WORDS:
        raise _NotAQueryError("near/ joins too many spellings")
    return _or([Near(each, min(distance, MAX_NEAR)) for each in product(*terms)], notes)


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
