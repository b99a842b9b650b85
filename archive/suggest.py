"""Did you mean: the words of the archive itself that are spelled nearly as what was asked for.

Only words that stand nowhere in the archive are replaced, and a suggestion is made only where all of them can
be and the result finds something. So nobody is told to search for something else while there are results, and
nonsense has no neighbours.
"""

from __future__ import annotations

from dataclasses import replace

from rapidfuzz import process
from rapidfuzz.distance import OSA

from archive.budget import Budget
from archive.db import sqlite3
from archive.query import And, Near, Node, Or, Phrase, Prefix, Stemmed, Word, to_fts5
from archive.scope import Scope
from archive.tokens import MARK, tokenize

SHORTEST = 4
"""Letters of a word that may be misspelled: shorter ones have too many neighbours."""
LONG = 8
"""Letters from which on two mistakes are forgiven instead of one."""
TRIED = 12
"""Words of a query that are looked at."""


def suggest(conn: sqlite3.Connection, budget: Budget, text: str, node: Node, scope: Scope) -> str | None:
    """Return a query like one that finds nothing, which finds something in the same scope; None if there is none.

    Args:
        conn: the database.
        budget: of the search.
        text: the query as it was typed.
        node: what was understood.
        scope: where it was looked for.
    """
    spelled: dict[str, str] = {}
    with budget.spend(0.95):
        spelled = _spelled(conn, node, scope)
    if not spelled:
        return None
    changed, at = "", 0
    for token in tokenize(text):
        if token.text in spelled:
            changed, at = changed + text[at : token.start] + spelled[token.text], token.end
    return changed + text[at:]


def _spelled(conn: sqlite3.Connection, node: Node, scope: Scope) -> dict[str, str]:
    """Return words of a query that stand nowhere, and what to write for them so that something is found."""
    spelled: dict[str, str] = {}
    for word in list(dict.fromkeys(_words(node)))[:TRIED]:
        if conn.execute("SELECT 1 FROM vocabulary WHERE term = ?", (word,)).fetchone():
            continue
        better = _nearest(conn, word)
        if better is None:
            return {}
        spelled[word] = better
    matching = f"SELECT 1 FROM session_fts WHERE session_fts MATCH :query{scope.sessions} LIMIT 1"
    values = scope.values | {"query": to_fts5(_respelled(node, spelled))}
    return spelled if spelled and conn.execute(matching, values).fetchone() else {}


def _nearest(conn: sqlite3.Connection, word: str) -> str | None:
    """Return the word of the archive with the fewest mistakes between it and another, of those the most frequent."""
    if len(word) < SHORTEST:
        return None
    mistakes = 2 if len(word) >= LONG else 1
    alike = "SELECT term, doc FROM vocabulary WHERE term < ? AND length(term) BETWEEN ? AND ?"
    sizes = max(len(word) - mistakes, SHORTEST - 1), len(word) + mistakes
    known: dict[str, int] = {term: documents for term, documents in conn.execute(alike, (MARK, *sizes))}  # noqa: C416 rows
    near = process.extract(word, known.keys(), scorer=OSA.distance, score_cutoff=mistakes, limit=None)
    if not near:
        return None
    best = min(near, key=lambda match: (match[1], match[0][:1] != word[:1], -known[match[0]], match[0]))
    return str(best[0])


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
