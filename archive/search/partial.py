"""Partial matches: the sessions that have most of the words of a query, for queries that few or none match whole.

A query is taken apart into terms: words, phrases and whatever else stands beside each other in it. Each may also stand
in another spelling: with a mistake put right, in one word or in two, with another ending. A term counts by how rare it
is, so that words which stand everywhere decide nothing. Sessions are ranked twice: by their best passage, in which
terms should stand near each other, and by all terms that the session has, its title and people included. The two
rankings are fused by rank (Cormack, Clarke and Büttcher 2009).

What somebody put in quotes, and words that are to be near each other, stay exactly that: a session has at least one of
them. What is left out stays left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice, pairwise
from operator import itemgetter
from typing import NamedTuple, TypeAlias

import numpy as np

from archive.search.asked import Asked
from archive.search.function_words import function_words, list_of
from archive.search.hits import Passage, Ranked, read_indexed
from archive.search.moments import Dense, Stretch
from archive.search.query import And, Leaf, Near, Node, Not, Or, Phrase, Prefix, Stemmed, Word, leaves, to_fts5
from archive.search.rank import FUSED, ranks
from archive.search.retrieve import NAMED, numbers
from archive.search.session_table import Marked, Overview, Real, Whole
from archive.search.spellings import as_written, with_forms
from archive.search.suggest import MIN_LETTERS, Vocabulary

MOST_TERMS = 24
"""Terms of a query that are looked for."""
COMMON_SHARE, COMMON_PASSAGES = 8, 100
"""A term that stands in more than one of eight passages, and in more than a hundred, is in all of them: it decides
nothing."""
OTHERWISE = 0.6
"""What a term counts in another spelling than the one that was typed."""
FUNCTION = 0.05
"""What a function word of a language that an archive does not speak counts of what others do."""
BELIEVED, OFTEN = 400, 0.9
"""Passages that a function word is believed to have been seen in, or not, before any was read; and in how many of them.

An archive of some thousand passages knows better which of its words are common; one of some dozens does not.
"""
PIECES = 0.8
"""What the pieces of a word count, that was written with an apostrophe or a hyphen, where they stand apart."""
MISTAKE_RATIO = 10
"""How many times as many sessions must have a word for which another is a mistake, if those are words as well."""
ENDING = 6
"""Letters of a word whose last one may be another, with whatever follows."""
PASSAGES_READ = 30
"""Passages that are read to see how near each other the terms stand."""
MOMENTS_SHOWN = 3
"""Moments of a session at most."""
AS_A_WHOLE = 0.25
"""What the ranking of whole sessions counts beside that of passages."""
LISTED = 50
"""Sessions or moments that are listed."""
ENOUGH = 1 / 3
"""Of what the best session has of a query, the least that others must have."""
FOUND_WELL = 0.5
"""Of what the words of a query count, so much stands in one passage of a session that words found well."""

Read: TypeAlias = tuple[Passage, Stretch, Dense | None]
"""A passage, its words, and the moment in it in which terms stand near each other."""


class Function(Enum):
    """Whether a term is a function word: of the language that an archive mostly speaks, or of another."""

    NONE = auto()
    OWN = auto()
    FOREIGN = auto()


class Term(NamedTuple):
    """A part of a query.

    Attributes:
        typed: as it was typed, or with other forms.
        spellings: other ways in which it may stand, and what each counts.
        demanded: whether somebody meant it as it stands.
        function: whether it is a function word, and of which language.
    """

    typed: Node
    spellings: tuple[tuple[Node, float], ...] = ()
    demanded: bool = False
    function: Function = Function.NONE

    @property
    def any(self) -> Node:
        """All spellings."""
        return _any([self.typed, *(node for node, _ in self.spellings)])


class Parts(NamedTuple):
    """A query, taken apart: its terms, and what is left out."""

    terms: tuple[Term, ...]
    unwanted: tuple[Node, ...]

    def may_be_partly_found(self, found: bool) -> bool:
        """Whether something may have most of a query, where all of it was found or not."""
        if len(self.terms) == 1 and not found:
            return not self.terms[0].demanded and not isinstance(self.terms[0].typed, Prefix)
        return len(self.terms) > 1


def take_apart(node: Node) -> Parts:
    """Return the terms of a query and what it leaves out."""
    unwanted: list[Node] = []
    terms = list(dict.fromkeys(_terms(node, unwanted)))
    return Parts(tuple(terms), tuple(unwanted))


def _terms(node: Node, unwanted: list[Node]) -> Iterator[Term]:
    match node:
        case Not(child):
            unwanted.append(child)
        case And(nodes):
            for child in nodes:
                yield from _terms(child, unwanted)
        case Or(nodes) if not all(isinstance(child, Leaf) for child in nodes):
            for child in nodes:
                yield from _terms(child, unwanted)
        case Or(nodes):
            pieces = [piece for child in nodes for piece in _pieces(child)]
            demanded = all(isinstance(child, Phrase) and child.quoted for child in nodes)
            yield Term(node, tuple((piece, PIECES) for piece in pieces), demanded)
        case Phrase() if not node.quoted:
            yield Term(node, tuple((piece, PIECES) for piece in _pieces(node)))
        case _:
            yield Term(node, demanded=isinstance(node, Phrase | Near))


def _pieces(node: Node) -> list[Node]:
    """Return the words of what was typed as one, apart from each other, but for single letters."""
    if not isinstance(node, Phrase) or node.quoted:
        return []
    words = [Word(word) for word in node.words if len(word) > 1]
    return [And(tuple(words)) if len(words) > 1 else words[0]] if words else []


def _words(term: Term) -> list[str]:
    """Return the words of a term that nobody meant as it stands; single letters are not words, beside others."""
    if term.demanded or not isinstance(term.typed, Word | Phrase | Or):
        return []
    written = [(leaf.text,) if isinstance(leaf, Word | Stemmed) else leaf.words for leaf in leaves(term.typed)]
    return [word for words in written for word in words if len(word) > 1 or len(words) == 1]


def _any(nodes: Sequence[Node]) -> Node:
    flat = [part for node in nodes for part in (node.nodes if isinstance(node, Or) else (node,))]
    return flat[0] if len(flat) == 1 else Or(tuple(dict.fromkeys(flat)))


@dataclass(frozen=True, slots=True)
class PartialMatches:
    """The sessions that have most of a query.

    Attributes:
        ids: of all sessions, in the overview's order.
        best: of each session, what its best passage has.
        whole: of each session, what it has as a whole.
        fused: of each session, how good it is by both rankings; 0 where it has nothing of the query.
        weights: what each term that was found counts.
        shares: of what the words of a query count that mean something, what one passage of each session has: from 0
            to 1.
    """

    ids: Whole
    best: Real
    whole: Real
    fused: Real
    weights: dict[Node, float]
    shares: Real
    _passages: Whole
    _scores: Real
    _owners: Whole
    _read: dict[int, Read]

    @property
    def share(self) -> float:
        """The most that a passage has."""
        return float(self.shares.max(initial=0.0))

    @property
    def leading(self) -> Marked:
        """Which sessions are the best by words, where words found them well: one, or some that are alike."""
        best = (self.fused > 0) & (self.fused == self.fused.max(initial=0.0))
        leading: Marked = best & (self.shares >= FOUND_WELL)
        return leading

    def found_well(self, session: int) -> bool:
        """Whether words found a session well, by its id."""
        return bool((self.shares[self.ids == session] >= FOUND_WELL).any())

    @property
    def node(self) -> Node | None:
        """All that was found of the query, to be highlighted."""
        return _any(list(self.weights)) if self.weights else None

    def beside(self, exact: Marked) -> Whole:
        """Return where sessions stand, the best first, that have most of a query, beside some that have all of it."""
        best, whole = np.where(exact, 0.0, self.best), np.where(exact, 0.0, self.whole)
        enough = (best >= ENOUGH * best.max(initial=0.0)) | (whole >= ENOUGH * whole.max(initial=0.0))
        places = np.flatnonzero(enough & (whole > 0))
        return places[np.argsort(-self.fused[places], kind="stable")]

    def passages(self, place: int) -> list[int]:
        """Return the passages of a session that have most of the query, the best first."""
        mine = np.flatnonzero(self._owners == place)
        best = mine[np.argsort(-self._scores[mine], kind="stable")][:MOMENTS_SHOWN]
        worth = self._scores[best] >= ENOUGH * self._scores[best].max(initial=0.0)
        found: list[int] = self._passages[best[worth]].tolist()
        return found

    def best_moments(self, asked: Asked, beside: Iterable[int]) -> list[Ranked]:
        """Return the best moments, the best first, as long as there is time; their scores are below 0.

        Args:
            asked: the database, and how long it may take.
            beside: sessions, by id, that have all of the query, and are left out.
        """
        others = np.where(np.isin(self.ids[self._owners], list(beside)), 0.0, self._scores)
        best = np.argsort(-others, kind="stable")[:LISTED]
        best = best[(others[best] > 0) & (others[best] >= ENOUGH * others.max(initial=0.0))]
        found: dict[tuple[int, ...], Ranked] = {}
        for passage, stretch, dense in self._densest(asked, self._passages[best].tolist()):
            if dense:
                ranked = Ranked(passage, stretch, dense.moment, dense.weight / (1 + dense.weight) - 1)
                found.setdefault(dense.moment.key, ranked)
        return sorted(found.values(), key=lambda each: each.score, reverse=True)

    def moments(self, asked: Asked, places: Iterable[int]) -> dict[int, list[Ranked]]:
        """Return the best moments of sessions, as long as there is time."""
        wanted = {place: self.passages(place) for place in places}
        read = self._densest(asked, [passage for passages in wanted.values() for passage in passages])
        found: dict[int, list[Ranked]] = {}
        for place, passages in wanted.items():
            if asked.budget.is_over():
                break
            moments = {
                each.moment.key: (passage, stretch, each)
                for passage, stretch, each in islice(read, len(passages))
                if each
            }
            best = sorted(moments.values(), key=lambda each: each[2].weight, reverse=True)
            found[place] = [Ranked(passage, stretch, each.moment, 0.0) for passage, stretch, each in best]
        return found

    def _densest(self, asked: Asked, passages: Sequence[int]) -> Iterator[Read]:
        """Yield passages and the moments in which terms stand near each other, as long as there is time."""
        unread = read_indexed(asked.conn, [each for each in passages if each not in self._read], asked.scope)
        for number in passages:
            if asked.budget.is_over():
                return
            if number not in self._read:
                passage, stretch = next(unread)
                self._read[number] = passage, stretch, stretch.densest(self.weights)
            yield self._read[number]


NO_NUMBERS = np.empty(0, dtype=np.int64)


def no_partial(overview: Overview) -> PartialMatches:
    """Return that no session has most of a query."""
    scores = np.zeros(len(overview.ids))
    return PartialMatches(overview.ids, scores, scores, scores, {}, scores, NO_NUMBERS, np.empty(0), NO_NUMBERS, {})


def find_partial(asked: Asked, parts: Parts, overview: Overview, vocabulary: Vocabulary) -> PartialMatches:
    """Return the sessions that have most of a query.

    Args:
        asked: where to search.
        parts: the query.
        overview: of all sessions.
        vocabulary: of the database; it is read if it has to be.
    """
    terms: list[Term] = []
    with asked.budget.spend(0.7):
        terms = _Speller(asked, overview, vocabulary).spell(parts.terms[:MOST_TERMS])
    found = _Found(asked, overview)
    for term in terms:
        with asked.budget.spend(0.8):
            found.add(term)
    with asked.budget.spend(0.85):
        found.leave_out(parts.unwanted)
    return found.ranked()


class _Speller:
    """Other ways in which the terms of a query may stand in an archive."""

    def __init__(self, asked: Asked, overview: Overview, vocabulary: Vocabulary) -> None:
        self._conn = asked.conn
        self._vocabulary = vocabulary
        self._languages = [asked.scope.language] if asked.scope.language else overview.languages
        self._spoken = asked.scope.language or overview.spoken

    def spell(self, terms: Sequence[Term]) -> list[Term]:
        """Return terms with all their spellings."""
        joined = self._joined(terms)
        words = [_words(term) for term in terms]
        language, listed = function_words({word for each in words for word in each}, self._spoken)
        function = [bool(each) and listed.issuperset(each) for each in words]
        if all(function):
            function = [False] * len(terms)
        kind = Function.OWN if language == list_of(self._spoken) else Function.FOREIGN
        return [
            term._replace(function=kind) if function[at] else self._spelled(term, joined[at])
            for at, term in enumerate(terms)
        ]

    def _spelled(self, term: Term, joined: Sequence[Node]) -> Term:
        typed = self._with_forms(term.typed)
        if term.demanded:
            return Term(typed, demanded=True)
        others = [(each, PIECES) for each in joined]
        others += [(self._with_forms(each), count) for each, count in term.spellings]
        if isinstance(term.typed, Word):
            respelled = self._respelled(term.typed.text)
            others += [(with_forms(self._conn, each, self._languages, doubtful=False), OTHERWISE) for each in respelled]
        return Term(typed, tuple(others))

    def _with_forms(self, node: Node) -> Node:
        return as_written(self._conn, node, self._languages, doubtful=False)[1]

    def _respelled(self, word: str) -> Iterator[Node]:
        """Yield what may be meant by a word, or another form of it."""
        if len(word) < MIN_LETTERS or not word.isalpha():
            return
        self._vocabulary.read(self._conn)
        known = self._vocabulary.sessions(word)
        for other, sessions in self._vocabulary.near(word):
            if sessions >= MISTAKE_RATIO * known:
                yield Word(other)
        if len(word) >= ENDING:
            yield Prefix((word[:-1],))

    def _joined(self, terms: Sequence[Term]) -> list[list[Node]]:
        """Return, for each term, the words that it makes with the one before or after it, where there are such."""
        joined: list[list[Node]] = [[] for _ in terms]
        for at, (first, second) in enumerate(pairwise(terms)):
            if isinstance(first.typed, Word) and isinstance(second.typed, Word):
                both = Word(first.typed.text + second.typed.text)
                if self._occurs(both):
                    joined[at].append(both)
                    joined[at + 1].append(both)
        return joined

    def _occurs(self, word: Word) -> bool:
        found = self._conn.execute(
            "SELECT 1 FROM passage_fts WHERE passage_fts MATCH ? LIMIT 1", (to_fts5(word),)
        ).fetchone()
        return found is not None


class _Found:
    """What passages and sessions have of a query; arrays have a place for each id of a passage, and each session."""

    def __init__(self, asked: Asked, overview: Overview) -> None:
        self._asked = asked
        self._overview = overview
        self._passages = np.zeros(overview.highest + 1)
        self._sessions = np.zeros(len(overview.ids))
        self._demanded: Marked | None = None
        self._weights: dict[Node, float] = {}
        self._asked_for = 0.0
        self._read: dict[int, Read] = {}

    def add(self, term: Term) -> None:
        """Count a term, where it is not everywhere."""
        passages, sessions = np.zeros(len(self._passages)), np.zeros(len(self._sessions))
        for node, count in sorted(((term.typed, 1.0), *term.spellings), key=itemgetter(1)):
            passages[self._in_passages(node, self._common)] = count
            sessions[self._in_sessions(node)] = count
        if term.demanded:
            self._demanded = sessions > 0 if self._demanded is None else self._demanded | (sessions > 0)
        rarity = _rarity(passages, self._overview.count, term.function)
        if term.function == Function.NONE:
            self._asked_for += rarity or math.log(1 + 2 * self._overview.count)
        if int(np.count_nonzero(passages)) < self._common and sessions.any():
            if term.function != Function.FOREIGN:
                self._weights[term.any] = rarity
            self._passages += rarity * passages
        self._sessions += _rarity(sessions, len(sessions), term.function) * sessions

    def leave_out(self, unwanted: Iterable[Node]) -> None:
        """Take away what must not be there: passages, and sessions of which no passage is left."""
        for node in unwanted:
            self._passages[self._in_passages(node, len(self._passages))] = 0.0
            left = np.zeros(len(self._sessions), dtype=np.bool_)
            left[self._overview.owners(np.flatnonzero(self._passages))] = True
            sessions = self._in_sessions(node)
            self._sessions[sessions] *= left[sessions]

    def ranked(self) -> PartialMatches:
        """Return what was found, in order."""
        if self._demanded is not None:
            self._sessions[~self._demanded] = 0.0
        passages = np.flatnonzero(self._passages)
        owners = self._overview.owners(passages)
        kept = self._sessions[owners] > 0
        passages, owners = passages[kept], owners[kept]
        shares = np.zeros(len(self._sessions))
        np.maximum.at(shares, owners, np.minimum(self._passages[passages] / max(self._asked_for, 1.0), 1.0))
        scores = self._near_each_other(passages, self._passages[passages])
        best = np.zeros(len(self._sessions))
        np.maximum.at(best, owners, scores)
        if self._asked.closely:
            self._sessions[best == 0] = 0.0
        named = self._overview.names.weights({leaf: None for node in self._weights for leaf in leaves(node)})
        whole = self._sessions + NAMED * named * (self._sessions > 0)
        fused = (1 / (FUSED + ranks(best)) + AS_A_WHOLE / (FUSED + ranks(whole))) * (whole > 0)
        return PartialMatches(
            self._overview.ids, best, whole, fused, self._weights, shares, passages, scores, owners, self._read
        )

    @property
    def _common(self) -> int:
        """In how many passages a term stands that counts nothing."""
        return max(self._overview.count // COMMON_SHARE, COMMON_PASSAGES)

    def _in_passages(self, node: Node, most: int) -> Whole:
        """Return the passages in which a term stands, so many at most."""
        matching = f"SELECT rowid FROM passage_fts WHERE passage_fts MATCH :query{self._asked.scope.passages}"
        values = self._asked.scope.values | {"query": to_fts5(node), "most": most}
        rows = self._asked.conn.execute(f"SELECT group_concat(rowid) FROM ({matching} LIMIT :most)", values)
        return numbers(rows.fetchone()[0])

    def _in_sessions(self, node: Node) -> Whole:
        """Return where the sessions stand that have a term, in what was said, their titles, people or abstracts."""
        matching = f"SELECT rowid FROM session_fts WHERE session_fts MATCH :query{self._asked.scope.sessions}"
        values = self._asked.scope.values | {"query": to_fts5(node)}
        rows = self._asked.conn.execute(f"SELECT group_concat(rowid) FROM ({matching})", values)
        places = self._overview.places(numbers(rows.fetchone()[0]))
        return places[places >= 0]

    def _near_each_other(self, passages: Whole, scores: Real) -> Real:
        """Return scores of passages, of which those count more in which terms stand near each other.

        Where only what some people say is searched, a passage that was not read, or in which they say nothing of the
        query, counts nothing.
        """
        best = np.argsort(-scores, kind="stable")[:PASSAGES_READ]
        raised = np.zeros(len(scores)) if self._asked.closely else scores.copy()
        read = read_indexed(self._asked.conn, passages[best].tolist(), self._asked.scope)
        for at, (passage, stretch) in zip(best.tolist(), read, strict=False):
            if self._asked.budget.is_over():
                break
            dense = stretch.densest(self._weights)
            self._read[int(passages[at])] = passage, stretch, dense
            if dense:
                raised[at] = scores[at] * (not self._asked.closely) + dense.weight
        return raised


def _rarity(counts: Real, of: int, function: Function) -> float:
    """Return what a term counts that some of so many have, and others do not: 0 where none has it.

    Source: the inverse document frequency of BM25, https://lucene.apache.org/core/9_0_0/core/org/apache/lucene/search/
    similarities/BM25Similarity.html
    """
    found, all_of_them = float(np.count_nonzero(counts)), float(of)
    if not found:
        return 0.0
    if function == Function.OWN:
        found, all_of_them = found + OFTEN * BELIEVED, all_of_them + BELIEVED
    share = FUNCTION if function == Function.FOREIGN else 1.0
    return share * math.log(1 + (all_of_them - found + 0.5) / (found + 0.5))
