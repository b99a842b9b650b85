"""How else an archive writes the words of a query: in one piece or in several, with two letters for one, elsewhere.

*wifi* finds Wi-Fi and *Mueller* Müller, since the index knows how they are written (`archive.index.spellings`); *wi fi*
finds wifi where one of the two is no word by itself; *colour* finds color, and *csharp* finds C#. Only what the archive
holds is looked for, so no query grows by guesses. In quotes, a word is found in all its pieces, and is otherwise meant
as it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice, product, takewhile
from typing import TypeAlias

from archive.index import stems
from archive.index.spellings import Pieces, pieces_of, spelling_mark
from archive.index.tokens import SIGNS, is_unspaced
from archive.search.english import other_spellings
from archive.search.query import And, Near, Node, Not, Or, Phrase, Prefix, Stemmed, Word, to_fts5, with_stems
from archive.sqlite import sqlite3
from metadata.languages import primary

WAYS_A_TERM = 12
"""Ways in which a term is looked for."""
LOOKED_AT = 200
"""Marks of spellings that are looked at for the forms of one word."""
LONGEST_ENDING = 4
"""Letters that another form of a word may have more."""
LONGEST_RUN = 4
"""Words in a row that may be one."""
LAST_CHARACTER = chr(0x10FFFF)
"""A character that no word has, after all others."""
PLUSES, SHARP, POINT = SIGNS["++"], SIGNS["#"], SIGNS["."]
SAID = tuple(
    tuple(tuple(each.split()) for each in ways)
    for ways in (
        (f"c{PLUSES}", "cpp", "c plus plus"),
        (f"c{SHARP}", "csharp", "c sharp"),
        (f"f{SHARP}", "fsharp", "f sharp"),
        (f"net{POINT}", "dotnet", "dot net"),
    )
)
"""Names that are spelled with signs, and how they are said."""
SAID_ONCE = {tuple(dict.fromkeys(way)): way for ways in SAID for way in ways}
"""How they are said where each word of a query stands once."""
OCCURS = "SELECT 1 FROM session_fts WHERE session_fts MATCH ? LIMIT 1"
COUNT = "SELECT count(*) FROM (SELECT 1 FROM session_fts WHERE session_fts MATCH ? LIMIT 1000)"
MARKS = "SELECT term FROM vocabulary WHERE term >= ? AND term < ? LIMIT ?"

Simple: TypeAlias = Word | Phrase | Prefix


def as_written(conn: sqlite3.Connection, node: Node, languages: Sequence[str], *, doubtful: bool) -> tuple[Node, Node]:
    """Return what a query asks for as it was typed, and with other forms of its words, each as an archive writes it.

    Args:
        conn: the database.
        node: the query.
        languages: in which it is looked for, BCP-47.
        doubtful: whether to search in what was heard with doubt: of that no index knows which words there are.
    """
    known, tags = _Known(conn), sorted(set(map(primary, languages)))
    wide = _Spelling(known, tags, forms=True).of(node)
    return _Spelling(known, tags).of(node), with_forms(conn, wide, languages, doubtful=doubtful)


def with_forms(conn: sqlite3.Connection, node: Node, languages: Iterable[str], *, doubtful: bool) -> Node:
    """Return a query whose plain words may also be found by their stems, but for words that have no other form here.

    Args:
        conn: the database.
        node: the query.
        languages: of the stems, BCP-47.
        doubtful: whether to search in what was heard with doubt: of that no index knows which words there are.
    """

    @cache
    def occur(word: Stemmed) -> bool:
        others = " OR ".join(f'"{term}"' for term in word.terms if term != word.text)
        found = conn.execute("SELECT 1 FROM session_fts WHERE session_fts MATCH ? LIMIT 1", (others,))
        return found.fetchone() is not None

    return with_stems(node, languages) if doubtful else with_stems(node, languages, occur)


def spelled(conn: sqlite3.Connection, node: Node) -> Node:
    """Return a query, as it was typed, whose terms may also be written as the archive writes them."""
    return _Spelling(_Known(conn), ()).of(node)


class _Known:
    """What the session-level index knows, looked up once for a query."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self.occurs = cache(self._occurs)
        self.marks = cache(self._marks)

    def count(self, parts: Pieces) -> int:
        """Return in how many sessions words follow each other; no more than are worth counting."""
        return int(self._conn.execute(COUNT, (to_fts5(Phrase(parts)),)).fetchone()[0])

    def _occurs(self, word: str) -> bool:
        return self._conn.execute(OCCURS, (f'"{word}"',)).fetchone() is not None

    def _marks(self, start: str, most: int) -> list[tuple[str, Pieces]]:
        """Return words, and the pieces in which they are written, whose marks begin with something."""
        rows = self._conn.execute(MARKS, (start, start + LAST_CHARACTER, most)).fetchall()
        return [pieces_of(mark) for (mark,) in rows]


class _Spelling:
    """How a query is written otherwise.

    Args:
        known: what the archive has.
        languages: in which it is looked for, primary subtags.
        forms: whether words may be written as their other forms are (*email* as e-mails).
    """

    def __init__(self, known: _Known, languages: Sequence[str], *, forms: bool = False) -> None:
        self._known = known
        self._english = "en" in languages
        self._stemmed = [language for language in languages if stems.is_stemmed(language)] if forms else []
        self._forms = forms

    def of(self, node: Node) -> Node:
        """Return a node with its other spellings."""
        match node:
            case Word() | Phrase() | Prefix():
                return _any(self._ways(node))
            case And(nodes):
                return _all(self._in_a_row(nodes))
            case Or(nodes):
                return _any(map(self.of, nodes))
            case Not(child):
                return Not(self.of(child))
            case Near(terms, distance):
                ways = islice(product(*(list(self._ways(term)) for term in terms)), WAYS_A_TERM)
                return _any(Near(some, distance) for some in ways)
            case _:
                return node

    def _ways(self, term: Simple) -> Iterator[Simple]:
        """Yield a term, then how else it is written."""
        yield term
        match term:
            case Word(text):
                yield from islice(map(_term, self._of_word(text)), WAYS_A_TERM)
            case Phrase(parts):
                yield from map(Phrase, islice(self._of_phrase(parts), 1, WAYS_A_TERM))
                if self._forms and _is_initials(parts) and self._known.occurs("".join(parts)):
                    yield Word("".join(parts))
            case Prefix([*before, last]):
                written = (pieces for _, pieces in self._known.marks(spelling_mark(last)[:-1], LOOKED_AT))
                others = (pieces for pieces in written if not pieces[0].startswith(last))  # which are found anyway
                yield from (Phrase((*before, *pieces)) for pieces in islice(others, WAYS_A_TERM))

    def _of_word(self, word: str) -> Iterator[Pieces]:
        written = [pieces for _, pieces in self._known.marks(spelling_mark(word), WAYS_A_TERM)]
        written += [pieces for pieces in self._of_forms(word) if pieces not in written]
        written += [way for ways in SAID if (word,) in ways for way in ways if way != (word,)]
        if self._english:
            written += [(other,) for other in other_spellings(word) if self._occurs_in_english(other)]
        yield from written or self._apart(word)

    def _of_forms(self, word: str) -> Iterator[Pieces]:
        """Yield the pieces in which other words of the same stem are written."""
        for language in self._stemmed:
            stem = stems.stem(language, word)
            start = "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], zip(stem, word, strict=False)))
            if len(start) > 1:
                for other, pieces in self._known.marks(spelling_mark(start)[:-1], LOOKED_AT):
                    if len(other) <= len(word) + LONGEST_ENDING and stems.stem(language, other) == stem:
                        yield pieces

    def _apart(self, word: str) -> Iterator[Pieces]:
        """Yield the two words in which a word that nobody says may be said: words that hardly stand elsewhere."""
        if len(word) > LOOKED_AT or self._known.occurs(word) or not word.isalnum():
            return
        for at in (len(word) - 3,) if word.isdigit() else range(1, len(word)):
            pair = (word[:at], word[at:])
            both = self._known.count(pair) if at > 0 else 0
            if both and 2 * both >= min(self._known.count(pair[:1]), self._known.count(pair[1:])):
                yield pair

    def _of_phrase(self, parts: Pieces) -> Iterator[Pieces]:
        """Yield a phrase, then what it is with some of its words in pieces or in one."""
        if not parts:
            yield ()
            return
        heads: list[tuple[int, Pieces]] = [(1, parts[:1])]
        heads += [(1, pieces) for _, pieces in self._known.marks(spelling_mark(parts[0]), WAYS_A_TERM)]
        heads += [(size, (joined,)) for size, joined in self._joined(parts)]
        # Every choice for the rest before the next one here: what is yielded first changes least.
        for size, head in heads:
            for rest in islice(self._of_phrase(parts[size:]), WAYS_A_TERM):
                yield (*head, *rest)

    def _joined(self, parts: Pieces) -> Iterator[tuple[int, str]]:
        """Yield the words that the first of some words are in one piece, and how many these are."""
        for size in range(2, min(len(parts), LONGEST_RUN) + 1):
            joined = "".join(parts[:size])
            if self._known.occurs(joined) and any(
                pieces == parts[:size] for _, pieces in self._known.marks(spelling_mark(joined), WAYS_A_TERM)
            ):
                yield size, joined
        yield from self._spelled(parts, {way: way for ways in SAID for way in ways})

    def _spelled(self, parts: Pieces, said: Mapping[Pieces, Pieces]) -> Iterator[tuple[int, str]]:
        """Yield the names with signs that some words say first (*c plus plus*), and how many words these are."""
        for words, way in said.items():
            if len(words) > 1 and parts[: len(words)] == words:
                others = (other for ways in SAID if way in ways for other, *more in ways if not more)
                yield from ((len(words), other) for other in others if self._known.occurs(other))

    def _in_a_row(self, nodes: tuple[Node, ...]) -> Iterator[Node]:
        """Yield the nodes of a query for all of them; words in a row that are one word are looked for as either."""
        at = 0
        while at < len(nodes):
            size, joined = self._run(nodes[at : at + LONGEST_RUN])
            apart = [self.of(node) for node in nodes[at : at + (size or 1)]]
            yield _any((_all(apart), self.of(Word(joined)))) if size else apart[0]
            at += size or 1

    def _run(self, nodes: tuple[Node, ...]) -> tuple[int, str]:
        """Return how many of the first nodes are words that are also written as one, and that; 0 where none is."""
        words = takewhile(lambda node: isinstance(node, Word), nodes)
        parts = tuple(node.text for node in words if isinstance(node, Word) and not is_unspaced(node.text))
        return max([*self._joined(parts), *self._spelled(parts, SAID_ONCE), *self._guessed(parts[:2])], default=(0, ""))

    def _guessed(self, pair: Pieces) -> list[tuple[int, str]]:
        """Return what two words are in one piece, where one of them is no word by itself."""
        joined = "".join(pair)
        if len(pair) == 2 and not all(map(self._known.occurs, pair)) and self._known.occurs(joined):
            return [(2, joined)]
        return []

    def _occurs_in_english(self, word: str) -> bool:
        stem = stems.stem("en", word)
        also = (stem, stems.mark_of("en", stem)) if self._forms else ()
        return any(map(self._known.occurs, (word, *also)))


def _term(pieces: Pieces) -> Word | Phrase:
    return Word(pieces[0]) if len(pieces) == 1 else Phrase(pieces)


def _is_initials(parts: Pieces) -> bool:
    return len(parts) > 1 and all(len(part) == 1 and part.isalpha() for part in parts)


def _any(nodes: Iterable[Node]) -> Node:
    flat = [part for node in nodes for part in (node.nodes if isinstance(node, Or) else (node,))]
    unique = tuple(dict.fromkeys(flat))
    return unique[0] if len(unique) == 1 else Or(unique)


def _all(nodes: Iterable[Node]) -> Node:
    several = tuple(nodes)
    return several[0] if len(several) == 1 else And(several)
