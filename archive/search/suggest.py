"""Did you mean: the words of the archive itself that are spelled nearly as what was asked for.

Only words that stand nowhere in the archive are replaced, and a suggestion is made only where all of them can
be and the result finds something. So nobody is told to search for something else while there are results, and
nonsense has no neighbours.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from rapidfuzz import process
from rapidfuzz.distance import OSA

from archive.index.tokens import MARK, shown, tokenize
from archive.search.budget import Budget
from archive.search.filters import Scope
from archive.search.query import And, Near, Node, Or, Phrase, Prefix, Stemmed, Word, to_fts5
from archive.sqlite import sqlite3

MIN_LETTERS = 4
"""Letters of a word that may be misspelled: shorter ones have too many neighbours."""
LONG = 8
"""Letters from which on two mistakes are forgiven instead of one."""
NEIGHBOURS = 8
"""Words at most for which another may be a mistake."""
TRIED = 12
"""Words of a query that are looked at."""
OCCURS = "SELECT 1 FROM session_fts WHERE session_fts MATCH ? LIMIT 1"


class Vocabulary:
    """The words of an archive, and in how many sessions each stands.

    To read them SQLite goes through the whole index. So that is done once, and a read that its budget ends is
    gone on with by the next search that needs it.
    """

    def __init__(self) -> None:
        self._words: defaultdict[int, dict[str, int]] = defaultdict(dict)
        """By how many letters they have."""
        self._last = ""
        self._read = False

    def read(self, conn: sqlite3.Connection) -> None:
        """Read what was not read yet, of a database that is always the same."""
        if self._read:
            return
        rest = "SELECT term, doc FROM vocabulary WHERE term > ? AND term < ? ORDER BY term"
        # Threads may do this at one time: each adds what another does.
        for word, documents in conn.execute(rest, (self._last, MARK)):
            self._words[len(word)][word] = documents
            self._last = word
        self._read = True

    def sessions(self, word: str) -> int:
        """Return in how many sessions a word stands."""
        return self._words[len(word)].get(word, 0) if len(word) in self._words else 0

    def nearest(self, word: str) -> str | None:
        """Return the word with the fewest mistakes between it and another, of those the most frequent."""
        near = self.near(word)
        return near[0][0] if near else None

    def near(self, word: str) -> list[tuple[str, int]]:
        """Return words with few mistakes between them and another, the nearest first, then the most frequent.

        With each comes in how many sessions it stands.
        """
        if len(word) < MIN_LETTERS:
            return []
        mistakes = 2 if len(word) >= LONG else 1
        near: list[tuple[int, bool, int, str]] = []
        for size in range(max(len(word) - mistakes, MIN_LETTERS - 1), len(word) + mistakes + 1):
            alike = self._words.get(size, {})
            found = process.extract(word, alike.keys(), scorer=OSA.distance, score_cutoff=mistakes, limit=None)
            near += [(distance, other[:1] != word[:1], -alike[other], other) for other, distance, _ in found]
        return [(other, -count) for _, _, count, other in sorted(near)[:NEIGHBOURS] if other != word]


def suggest(
    conn: sqlite3.Connection, budget: Budget, text: str, node: Node, scope: Scope, vocabulary: Vocabulary
) -> str | None:
    """Return a query like one that finds nothing, which finds something in the same scope; None if there is none.

    Args:
        conn: the database.
        budget: of the search.
        text: the query as it was typed.
        node: what was understood.
        scope: where it was looked for.
        vocabulary: of the database; it is read if it has to be.
    """
    spelled: dict[str, str] = {}
    with budget.spend(0.95):
        spelled = _spelled(conn, node, scope, vocabulary)
    if not spelled:
        return None
    changed, at = "", 0
    for token in tokenize(text):
        if token.text in spelled:
            changed, at = changed + text[at : token.start] + shown(spelled[token.text]), token.end
    return changed + text[at:]


def _spelled(conn: sqlite3.Connection, node: Node, scope: Scope, vocabulary: Vocabulary) -> dict[str, str]:
    """Return words of a query that stand nowhere, and what to write for them so that something is found."""
    looked_at = list(dict.fromkeys(_words(node)))[:TRIED]
    unknown = [word for word in looked_at if not conn.execute(OCCURS, (f'"{word}"',)).fetchone()]
    if not unknown or min(map(len, unknown)) < MIN_LETTERS:
        return {}
    vocabulary.read(conn)
    spelled: dict[str, str] = {}
    for word in unknown:
        better = vocabulary.nearest(word)
        if better is None:
            return {}
        spelled[word] = better
    matching = f"SELECT 1 FROM session_fts WHERE session_fts MATCH :query{scope.sessions} LIMIT 1"
    values = scope.values | {"query": to_fts5(_respelled(node, spelled))}
    return spelled if conn.execute(matching, values).fetchone() else {}


def _words(node: Node) -> list[str]:
    """Return the words that must occur in what is found, without the beginnings of words."""
    match node:
        case And(nodes) | Or(nodes):
            return [word for child in nodes for word in _words(child)]
        case Near(terms):
            return [word for term in terms for word in _words(term)]
        case Word(text) | Stemmed(text):
            return [text]
        case Phrase(parts):
            return list(parts)
        case Prefix(parts):
            return list(parts[:-1])
        case _:
            return []


def _respelled(node: Node, spelled: dict[str, str]) -> Node:
    match node:
        case And(nodes) | Or(nodes):
            return replace(node, nodes=tuple(_respelled(child, spelled) for child in nodes))
        case Near(terms):
            changed = tuple(_respelled(term, spelled) for term in terms)
            return replace(node, terms=changed)  # type: ignore[arg-type]  # terms stay terms
        case Word(text):
            return Word(spelled.get(text, text))
        case Phrase(parts) | Prefix(parts):
            return replace(node, words=tuple(spelled.get(part, part) for part in parts))
        case _:
            return node
