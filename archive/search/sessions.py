"""Results by session: the best sessions, in each its best moments and where all of them lie, and facets.

Sessions are ranked by the session-level index: first those that say the words as they were typed, then those
that say other forms of them. Where no more than `FEW` passages match, to have one counts as well, so that sessions
come first in which the words stand near each other; where more do, passages are looked up in the sessions of the
page alone. How good a passage is beside others of its session matters only for which of them are read.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, combinations, islice
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from archive.search.budget import OVER_BUDGET, Budget
from archive.search.filters import Scope
from archive.search.hits import (
    Hit,
    Passage,
    Ranked,
    moment_hits,
    read_doubtful,
    read_indexed,
    read_passages,
    session_hit,
)
from archive.search.moments import Moment, Segments, Stretch, read_segments
from archive.search.query import And, Leaf, Node, Not, Or, Phrase, Prefix, Query, Word, in_any_order, leaves, to_fts5
from archive.search.session_table import FacetValue, Overview, Real, Whole
from archive.search.spellings import as_written
from archive.search.suggest import Vocabulary, suggest
from archive.sqlite import sqlite3

Sort: TypeAlias = Literal["relevance", "date"]

MOST = "No session has all of these words: these have most of them."
FEW = 1_000
"""Passages that are all looked at."""
CLOSELY = 5
"""Sessions that are read to see in which passages words stand in the order that is asked for."""
TOGETHER = 2.0
"""What it counts, beside what FTS5 thinks of a session, that the words stand in one passage."""
RANKED = 100_000
"""Passages of an archive in which a session's are ranked: FTS5 goes through the whole list of each word first."""
TERMS = 8
"""Words of a query of which most are looked for where no session has all."""
SHOWN = 3
"""Moments of a session on a page."""
READ = 4
"""Passages of a session that are read for them."""
# Of two ranges FTS5 keeps to the last, and a scope may have another.
MATCHING = "FROM passage_fts WHERE passage_fts MATCH :query{} AND rowid BETWEEN :begin AND :end"
# As one value a range: to make a row of each passage takes twice as long.
IN_RANGES = (
    "SELECT (SELECT group_concat(rowid) FROM passage_fts WHERE passage_fts MATCH :query{}"
    " AND rowid BETWEEN wanted.value ->> 0 AND wanted.value ->> 1) FROM json_each(:ranges) AS wanted"
)
EVERY = 2**62
"""Passages that are listed where FTS5 is to be asked once."""
ALL_PASSAGES = (0, 2**63 - 1)
"""From which passage to which: all of them."""
MARKED = 500
"""Passages of a session that are marked on its strip."""
NAMED = 2.0
"""Weight of words in a title or a name beside those that were said."""
WEIGHTS = "10.0, 5.0, 2.0, 1.0"
"""Of a match in title, people, abstract and text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionResult:
    """A session that matches.

    Attributes:
        event, session: slugs.
        event_title, title: the event's and the session's titles.
        url: the session's page.
        start_at: when it began, ISO 8601 with an offset, or its event's date; None where nobody said.
        duration_ms: of its longest transcript; 0 where it has none.
        hits: the best moments, the best first, or one that stands for the session as a whole.
        count: its moments; where more than `READ` passages (of about a minute) match, those passages; 0 where no
            moment does, but the session as a whole.
        places: from when to when each of them lasts, milliseconds, in order; `MARKED` at most.
        score: higher is better; comparable within one search only.
    """

    event: str
    event_title: str
    session: str
    title: str
    url: str
    start_at: str | None
    duration_ms: int
    hits: tuple[Hit, ...]
    count: int
    places: tuple[tuple[int, int], ...]
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionResults:
    """One page of the sessions that match.

    Attributes:
        sessions: in order.
        total: how many sessions all pages have.
        facets: by name of a filter, values with how many sessions have them, the most frequent first.
        note: what a reader should know, in whole sentences.
        suggestion: a query that would find something, where this one finds nothing.
        complete: False where the time budget ended the search.
        next: the key of the next page; None on the last.
    """

    sessions: tuple[SessionResult, ...] = ()
    total: int = 0
    facets: dict[str, tuple[FacetValue, ...]] | None = None
    note: str | None = None
    suggestion: str | None = None
    complete: bool = True
    next: str | None = None


class _Total(NamedTuple):
    """A session's score: its tier, and its relevance below 1."""

    tier: int
    relevance: float

    def at(self, nth: int) -> float:
        """Return the score of the nth of its moments."""
        return self.tier + self.relevance / nth


class _Scores:
    """How good each session is: 2 where it says the words as typed, 1 other forms, 0 neither; then by relevance."""

    def __init__(self, overview: Overview) -> None:
        self._overview = overview
        self.tiers = np.zeros(len(overview.ids), dtype=np.int8)
        self.relevance = np.zeros(len(overview.ids))

    def raise_to(self, tier: int, places: Whole, relevance: Real | float) -> None:
        """Count sessions, which stand at these places, as of a tier at least, and add to their relevance."""
        self.tiers[places] = np.maximum(self.tiers[places], tier)
        self.relevance[places] += relevance

    def best(self, sort: Sort) -> Whole:
        """Return where the sessions that match stand, in order."""
        found = np.flatnonzero(self.tiers)
        if sort == "date":
            return found[np.argsort(-np.unique(self._overview.dates[found], return_inverse=True)[1], kind="stable")]
        return found[np.lexsort((found, -self.relevance[found], -self.tiers[found]))]

    def total(self, place: int) -> _Total:
        """Return a session's score."""
        relevance = float(self.relevance[place])
        return _Total(int(self.tiers[place]), relevance / (1 + relevance))

    def key(self, place: int, sort: Sort) -> list[float | str | int]:
        """Return what names a session's place in the order; no two are equal."""
        number = int(self._overview.ids[place])
        if sort == "date":
            return [str(self._overview.dates[place]), 0.0, number]
        return [-float(self.tiers[place]), -float(self.relevance[place]), number]

    def after(self, ordered: Whole, sort: Sort, key: str | None) -> int:
        """Return where the page begins that follows a key; the first page where the key is none of ours."""
        if not key:
            return 0
        try:
            first, second, third = json.loads(key)
            number = int(third)
            ids, dates = self._overview.ids[ordered], self._overview.dates[ordered]
            if sort == "date":
                return int(np.sum((dates > str(first)) | ((dates == str(first)) & (ids <= number))))
            mine, theirs = (-self.tiers[ordered], -self.relevance[ordered]), (int(first), float(second))
            same = (mine[0] == theirs[0]) & (mine[1] == theirs[1]) & (ids <= number)
            return int(np.sum((mine[0] < theirs[0]) | ((mine[0] == theirs[0]) & (mine[1] < theirs[1])) | same))
        except (ValueError, TypeError, OverflowError, RecursionError):
            return 0


def search_sessions(
    conn: sqlite3.Connection,
    budget: Budget,
    text: str,
    query: Query,
    scope: Scope,
    overview: Overview,
    vocabulary: Vocabulary,
    *,
    sort: Sort,
    limit: int,
    after: str | None,
) -> SessionResults:
    """Return a page of the sessions that match a query, or of all in a scope where it has no words.

    Args:
        conn: the database.
        budget: of this search.
        text: the query as it was typed.
        query: what was understood.
        scope: where to search.
        overview: of all sessions.
        vocabulary: of the database.
        sort: by ``relevance``, or by ``date``, the latest first.
        limit: sessions on the page.
        after: the ``next`` of the page before.
    """
    if query.node is None and not scope.rows:
        return SessionResults()
    run = _Run(conn, budget, query.node, scope, overview, doubtful=query.doubtful)
    order: Sort = "date" if query.node is None else sort
    enough = limit if order == "relevance" and not after else None
    scores = run.scores(enough)
    suggestion = note = None
    if not scores.tiers.any() and query.node is not None and budget.complete and not query.doubtful:
        suggestion = suggest(conn, budget, text, query.node, scope, vocabulary)
        for node in () if suggestion else _most(query.node):
            run = _Run(conn, budget, node, scope, overview, doubtful=False)
            scores = run.scores(enough)
            note = MOST
            if scores.tiers.any() or budget.is_over():
                break
    ordered = scores.best(order)
    start = scores.after(ordered, order, after)
    page = ordered[start : start + limit]
    sessions = run.results(page, scores)
    return SessionResults(
        sessions=sessions,
        total=len(ordered),
        facets=overview.facets(scores.tiers > 0, run.heard(scores)),
        note=(note if len(ordered) else None) if budget.complete else OVER_BUDGET,
        suggestion=suggestion,
        complete=budget.complete,
        next=json.dumps(scores.key(page[-1], order)) if len(page) and start + limit < len(ordered) else None,
    )


def _most(node: Node) -> Iterator[Node]:
    """Yield what asks for most of a query's words, fewer each time; nothing where it is not three words or more."""
    if (
        not isinstance(node, And)
        or not 3 <= len(node.nodes) <= TERMS
        or not all(isinstance(x, Word) for x in node.nodes)
    ):
        return
    size = len(node.nodes)
    for count in range(size - 1, -(-size * 3 // 5) - 1, -1):
        yield Or(tuple(And(some) for some in combinations(node.nodes, count)))


class _Found:
    """The moments of a session."""

    def __init__(self) -> None:
        self._moments: dict[tuple[int, ...], tuple[bool, Ranked]] = {}
        self._read: list[tuple[Passage, Stretch, list[Moment]]] = []

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._moments)

    def read(self, passage: Passage, stretch: Stretch, node: Node) -> None:
        """Add the moments of a passage that have the words as they were typed."""
        typed = stretch.moments(node)
        self._read.append((passage, stretch, typed))
        self._add(passage, stretch, typed, typed=True)

    def widen(self, node: Node) -> None:
        """Add the moments that have other forms of the words, of all passages that were read."""
        for passage, stretch, typed in self._read:
            self._add(passage, stretch, stretch.moments(node, beside=typed), typed=False)

    def best(self) -> list[Ranked]:
        """Return them, as typed first, then by what stands together."""
        best = sorted(self._moments.values(), key=lambda each: each[1].moment.key)
        best.sort(key=lambda each: (each[0], each[1].moment.strength), reverse=True)
        return [each for _, each in best]

    def _add(self, passage: Passage, stretch: Stretch, moments: Iterable[Moment], *, typed: bool) -> None:
        """Add moments of a passage; those of overlapping passages are the same."""
        for moment in moments:
            self._moments.setdefault(moment.key, (typed, Ranked(passage, stretch, moment, 0.0)))


class _Moments(NamedTuple):
    """The moments of a page, by session.

    Attributes:
        best: those that are shown, the best first.
        lasting: from when to when each of them all lasts, milliseconds, where all of a session's were looked for.
        segments: of those that are shown, and around them.
    """

    best: dict[int, list[Ranked]]
    lasting: dict[int, set[tuple[int, int]]]
    segments: Segments


class _Run:
    """One search by session."""

    def __init__(
        self,
        conn: sqlite3.Connection,
        budget: Budget,
        node: Node | None,
        scope: Scope,
        overview: Overview,
        *,
        doubtful: bool,
    ) -> None:
        self._conn = conn
        self._budget = budget
        self._scope = scope
        self._overview = overview
        languages = [scope.language] if scope.language else overview.languages
        self._node: Node | None = None
        self._wide: Node | None = None
        if node is not None:
            self._node, self._wide = as_written(conn, node, languages, doubtful=doubtful)
        self._doubtful = doubtful
        self._passages: defaultdict[int, list[tuple[float, int]]] = defaultdict(list)
        """Of sessions, by id: cost and id of those that match, where they were looked up."""
        self._listed: list[tuple[Whole, Whole, int]] = []
        """Places of sessions, ids of passages, and their tier: all that match in one way, where they were listed."""
        self._all_listed = True
        self._stretches: dict[int, tuple[Passage, Stretch]] = {}
        """Passages that were read, by id."""
        self._segments: defaultdict[int, list[Passage]] = defaultdict(list)

    def scores(self, enough: int | None = None) -> _Scores:
        """Return which sessions match, and how well.

        Args:
            enough: so many that say the words as typed are all that is wanted: where there are, nobody asks how well
                others match. None where it matters in any case.
        """
        scores = _Scores(self._overview)
        if self._node is None or self._wide is None:
            rows = self._conn.execute(f"SELECT id FROM session WHERE true{self._scope.rows}", self._scope.values)
            scores.raise_to(1, self._places(_column(rows.fetchall())), 0.0)
        elif self._doubtful:
            for passage in read_doubtful(self._conn, self._budget, self._wide, self._scope):
                self._segments[passage.session].append(passage)
            counts = np.array([len(found) for found in self._segments.values()], dtype=np.float64)
            scores.raise_to(2, self._places(np.array(list(self._segments), dtype=np.int64)), counts)
        else:
            exact = to_fts5(self._node)
            tiers = {2: exact}
            found = self._add_sessions(scores, 2, exact, ranked=True)
            if self._wide != self._node:
                tiers[1] = f"({to_fts5(self._wide)}) NOT ({exact})"
                self._add_sessions(scores, 1, tiers[1], ranked=enough is None or found < enough)
            self._add_passages(scores, tiers)
            self._add_names(scores)
        return scores

    def _places(self, sessions: Whole) -> Whole:
        """Return where sessions stand that are known to be there."""
        places = self._overview.places(sessions)
        return places[places >= 0]

    def _add_sessions(self, scores: _Scores, tier: int, match: str, *, ranked: bool) -> int:
        """Count the sessions that match as a whole, with what FTS5 thinks of them; return how many they are."""
        matching = f"FROM session_fts WHERE session_fts MATCH :query{self._scope.sessions}"
        values = self._scope.values | {"query": match}
        share = 0.25 if tier > 1 else 0.35
        rows: list[tuple[int, float]] = []
        with self._budget.spend(share):
            cost = f"bm25(session_fts, {WEIGHTS})" if ranked else "0.0"
            # To rank a phrase, FTS5 looks for it once more: a single session needs no rank.
            if not ranked or not self._asks_for(Phrase) or len(rows := self._some(matching, values, 2)) > 1:
                rows = self._conn.execute(f"SELECT rowid, {cost} {matching}", values).fetchall()
        if not rows and not self._budget.complete:
            with self._budget.spend(share + 0.1):
                rows = self._some(matching, values, 1000)
        numbers, costs = _columns(rows)
        places = self._overview.places(numbers)
        scores.raise_to(tier, places[places >= 0], -costs[places >= 0])
        return len(rows)

    def _some(self, matching: str, values: dict[str, int | str | float], most: int) -> list[tuple[int, float]]:
        return self._conn.execute(f"SELECT rowid, 0.0 {matching} LIMIT {most}", values).fetchall()

    def _add_names(self, scores: _Scores) -> None:
        """Let the words that stand in the title of a session, or in the names of its people, count again."""
        if self._wide is not None:
            places = np.flatnonzero(scores.tiers)
            weights = self._overview.names.weights(dict.fromkeys(leaves(self._wide)))
            scores.relevance[places] += NAMED * weights[places]

    def _add_passages(self, scores: _Scores, tiers: dict[int, str]) -> None:
        """Let it count to have a passage that matches, where few do; and add the sessions that only passages have.

        Those are sessions of which another passage, or a transcript in another language, is left out.
        """
        partly = _leaves_out(self._node) or (self._scope.language is not None and len(self._overview.mixed) > 0)
        if not partly and self._read_closely(scores):
            return
        reach = ALL_PASSAGES if partly else self._overview.reach(np.flatnonzero(scores.tiers))
        # FTS5 merges the lists of all the words that a prefix stands for, each time anew: it is asked once for all.
        most = EVERY if len(tiers) == 1 and self._asks_for(Prefix) else FEW
        few = True
        for tier, match in tiers.items():
            # Where so many say the words as typed, nobody needs to know who has other forms of them together.
            passages = self._list_passages(self._values(match, reach), most) if few else None
            few = passages is not None and len(passages) <= FEW
            if passages is not None:
                places = self._list(tier, passages)
                if few:
                    scores.raise_to(tier, places, TOGETHER)
                    continue
            else:
                self._all_listed = False
                if not partly:
                    continue
                those = ALL_PASSAGES if _leaves_out(self._node) else self._overview.reach(self._overview.mixed)
                places = self._places(self._owning("session_id", match, those))
            scores.raise_to(tier, places[scores.tiers[places] == 0], 0.0)

    def _read_closely(self, scores: _Scores) -> bool:
        """See in their text which passages of a few sessions match; return False where that is not the way.

        It is for words that are to stand in some order. FTS5 does not stop at the end of the passages that it is
        asked for, but goes on to where the words stand so again, which may be nowhere; so it is asked for the words.
        """
        places = np.flatnonzero(scores.tiers)
        if self._node is None or self._wide is None or len(places) > CLOSELY or self._asks_for(Prefix):
            return False
        loosely = in_any_order(self._wide)
        if loosely == self._wide:
            return False
        ranges = [self._overview.passages(place) for place in places.tolist()]
        perhaps = self._within(to_fts5(loosely), ranges, 0.6).tolist()
        if len(perhaps) > FEW // 10 or not self._budget.complete:
            return False
        found: dict[int, list[int]] = {2: [], 1: []}
        for number, (passage, stretch) in zip(perhaps, read_indexed(self._conn, perhaps), strict=True):
            for tier, node in ((2, self._node), (1, self._wide)):
                if stretch.matcher.places(node):
                    found[tier].append(number)
                    self._stretches[number] = passage, stretch
                    break
        for tier, passages in found.items():
            scores.raise_to(tier, self._list(tier, np.array(passages, dtype=np.int64)), TOGETHER)
        return True

    def _list(self, tier: int, passages: Whole) -> Whole:
        """Keep passages that match in one way; return where their sessions stand."""
        owners = self._overview.owners(passages)
        self._listed.append((owners, passages, tier))
        return np.unique(owners)

    def _asks_for(self, *kinds: type[Leaf]) -> bool:
        return any(isinstance(leaf, kinds) for leaf in leaves(self._wide)) if self._wide else False

    def heard(self, scores: _Scores) -> list[int] | None:
        """Return the transcripts in which something matches, at least of sessions that have several languages.

        None where there is no such session among those that match, or nothing was asked for.
        """
        mixed = self._overview.mixed[scores.tiers[self._overview.mixed] > 0]
        if self._node is None or self._wide is None or not len(mixed):
            return None
        if self._doubtful:
            return [each.transcript for found in self._segments.values() for each in found]
        return list(map(int, self._owning("transcript_id", to_fts5(self._wide), self._overview.reach(mixed))))

    def _owning(self, column: str, match: str, reach: tuple[int, int]) -> Whole:
        """Return what those passages that match belong to, which are from one to another."""
        found: list[tuple[int]] = []
        with self._budget.spend(0.6):
            found = self._conn.execute(
                f"SELECT DISTINCT {column} FROM passage WHERE id IN (SELECT rowid {self._matching})",
                self._values(match, reach),
            ).fetchall()
        return _column(found)

    @property
    def _matching(self) -> str:
        return MATCHING.format(self._scope.passages)

    def _values(self, match: str, reach: tuple[int, int]) -> dict[str, int | str | float]:
        """Return what `MATCHING` names: what to look for, and from which passage to which."""
        return self._scope.values | {"query": match, "begin": reach[0], "end": reach[1]}

    def _list_passages(self, values: dict[str, int | str | float], most: int) -> Whole | None:
        """Return the passages that match; None where they are more than so many, or there is no time to see."""
        passages = None
        with self._budget.spend(0.6):
            some = f"SELECT group_concat(rowid) FROM (SELECT rowid {self._matching} LIMIT {most + 1})"
            passages = _numbers(self._conn.execute(some, values).fetchone()[0])
        return passages if passages is not None and len(passages) <= most else None

    def results(self, page: Whole, scores: _Scores) -> tuple[SessionResult, ...]:
        """Return sessions (their places), with their moments and where all of them lie, as long as there is time."""
        numbers = [int(number) for number in self._overview.ids[page]]
        if not self._doubtful and self._wide is not None:
            self._take_listed(page)
            if not self._all_listed:
                self._find_passages([place for place in page if int(self._overview.ids[place]) not in self._passages])
        known = {number: self._overview.known[place] for number, place in zip(numbers, page, strict=True)}
        moments = self._moments(numbers)
        marked = {number: self._passages[number][:MARKED] for number in moments.best if not moments.lasting.get(number)}
        spans = self._spans(passage for passages in marked.values() for _, passage in passages)
        total = {number: scores.total(place) for number, place in zip(numbers, page, strict=True)}
        shown = [
            each._replace(score=total[number].at(nth))
            for number, found in moments.best.items()
            for nth, each in enumerate(found, 1)
        ]
        found = moment_hits(self._conn, shown, self._wide, moments.segments) if self._wide else []
        hits: defaultdict[int, list[Hit]] = defaultdict(list)
        for each, hit in zip(shown, found, strict=True):
            hits[each.passage.session].append(hit)
        results = []
        for number in numbers:
            if number not in moments.best or (number not in hits and self._budget.is_over()):
                break
            mine = tuple(hits[number]) or (session_hit(self._conn, number, total[number].at(1), self._wide),)
            lasting = moments.lasting.get(number)
            results.append(
                SessionResult(
                    **known[number]._asdict(),
                    url=mine[0].url.partition("?")[0],
                    hits=mine,
                    count=len(lasting) if lasting else len(self._passages[number]),
                    places=tuple(sorted(lasting or {spans[passage] for _, passage in marked[number]})),
                    score=total[number].at(1),
                )
            )
        return tuple(results)

    def _take_listed(self, page: Whole) -> None:
        """Take the passages of a page's sessions from those that were listed: as typed first, of few the best first."""
        shown = np.zeros(len(self._overview.ids), dtype=np.bool_)
        shown[page] = True
        for owners, passages, tier in self._listed:
            here = shown[owners]
            for place, passage in zip(owners[here].tolist(), passages[here].tolist(), strict=True):
                self._passages[int(self._overview.ids[place])].append((-1000.0 * tier, passage))
        if any(len(passages) > FEW for _, passages, _ in self._listed):
            return
        crowded = {number: found for number, found in self._passages.items() if len(found) > READ}
        costs = self._costs([passage for found in crowded.values() for _, passage in found])
        for number, found in crowded.items():
            self._passages[number] = [(cost + costs.get(passage, 0.0), passage) for cost, passage in found]

    def _costs(self, passages: list[int]) -> dict[int, float]:
        """Return what FTS5 thinks of passages that match, where it takes no longer to ask than to search."""
        rows: list[tuple[int, float]] = []
        if passages and self._wide is not None and self._overview.highest <= RANKED:
            values = self._values(to_fts5(self._wide), (min(passages), max(passages)))
            those = f"{self._matching} AND +rowid IN (SELECT value FROM json_each(:those))"
            with self._budget.spend(0.7):
                rows = self._conn.execute(
                    f"SELECT rowid, bm25(passage_fts) {those}", values | {"those": json.dumps(passages)}
                ).fetchall()
        return dict(rows)

    def _find_passages(self, places: list[int]) -> None:
        """Look up which passages of some sessions match."""
        if not places or self._wide is None:
            return
        ranges = {int(self._overview.ids[place]): self._overview.passages(place) for place in places}
        wanted = [self._overview.reach(np.array(places))] if self._asks_for(Prefix) else list(ranges.values())
        passages = self._within(to_fts5(self._wide), wanted, 0.8)
        for number, (first, last) in ranges.items():
            here = passages[(passages >= first) & (passages <= last)]
            self._passages[number] += [(0.0, passage) for passage in here.tolist()]

    def _within(self, match: str, ranges: list[tuple[int, int]], share: float) -> Whole:
        """Return the passages that match, from one to another of each range, all of sessions in the scope."""
        values = self._scope.values | {"query": match, "ranges": json.dumps(ranges)}
        found = [np.empty(0, dtype=np.int64)]
        with self._budget.spend(share):
            found += (_numbers(row[0]) for row in self._conn.execute(IN_RANGES.format(self._scope.spoken), values))
        return np.concatenate(found)

    def _spans(self, passages: Iterable[int]) -> dict[int, tuple[int, int]]:
        """Return from when to when passages last."""
        wanted = list(passages)
        if not wanted:
            return {}
        rows = self._conn.execute(
            "SELECT passage.id, first.start_ms, last.end_ms FROM passage"
            " JOIN segment AS first ON first.transcript_id = passage.transcript_id AND first.position = first_position"
            " JOIN segment AS last ON last.transcript_id = passage.transcript_id AND last.position = last_position"
            " WHERE passage.id IN (SELECT value FROM json_each(?))",
            (json.dumps(wanted),),
        )
        return {number: (start, end) for number, start, end in rows}

    def _moments(self, numbers: list[int]) -> _Moments:
        """Return the best moments of sessions, as typed first, then by what stands together, as long as there is time.

        With them comes when all of a session's moments are, where it has so few passages that all are read.
        """
        if self._node is None or self._wide is None:
            return _Moments({number: [] for number in numbers}, {}, {})
        whole = {number for number in numbers if self._doubtful or len(self._passages[number]) <= READ}
        found: dict[int, _Found] = {}
        if self._doubtful:
            doubted = {number: self._segments[number][:MARKED] for number in numbers}
            stretches = read_passages(self._conn, list(chain(*doubted.values())))
            self._read({number: islice(stretches, len(some)) for number, some in doubted.items()}, whole, found)
        else:
            wanted = {number: [passage for _, passage in sorted(self._passages[number])[:READ]] for number in numbers}
            # Of a session with many passages, the first mostly has as many moments as are shown, but for several
            # words, which have one moment in each.
            first = SHOWN if isinstance(self._node, And) else 1
            self._read_indexed({n: some if n in whole else some[:first] for n, some in wanted.items()}, whole, found)
            again = {n: wanted[n][first:] for n, its in found.items() if n not in whole and its.count < SHOWN}
            self._read_indexed(again, whole, found)
        if self._wide != self._node:
            for number, its in found.items():
                if number in whole or its.count < SHOWN:
                    its.widen(self._wide)
        best = {number: its.best() for number, its in found.items()}
        known = (ranked if number in whole else ranked[:SHOWN] for number, ranked in best.items())
        segments = read_segments(self._conn, (each.moment for each in chain(*known)))
        lasting = {
            number: {
                (segments[key[0], key[1]].start_ms, segments[key[0], key[-1]].end_ms)
                for key in (each.moment.key for each in ranked)
            }
            for number, ranked in best.items()
            if number in whole
        }
        return _Moments({number: ranked[:SHOWN] for number, ranked in best.items()}, lasting, segments)

    def _read_indexed(self, wanted: dict[int, list[int]], whole: set[int], found: dict[int, _Found]) -> None:
        unread = read_indexed(self._conn, [each for each in chain(*wanted.values()) if each not in self._stretches])

        def stretches(some: list[int]) -> Iterator[tuple[Passage, Stretch]]:
            return (self._stretches[each] if each in self._stretches else next(unread) for each in some)

        self._read({number: stretches(some) for number, some in wanted.items()}, whole, found)

    def _read(
        self, wanted: Mapping[int, Iterable[tuple[Passage, Stretch]]], whole: set[int], found: dict[int, _Found]
    ) -> None:
        """Look for moments in passages of sessions: all, where a session is to be read whole, else enough to show."""
        if self._node is None:
            return
        for number, passages in wanted.items():
            if self._budget.is_over():
                break
            its = found.setdefault(number, _Found())
            for passage, stretch in passages:
                if number in whole or its.count < SHOWN:
                    its.read(passage, stretch, self._node)


def _leaves_out(node: Node | None) -> bool:
    if isinstance(node, And | Or):
        return any(map(_leaves_out, node.nodes))
    return isinstance(node, Not)


def _column(rows: list[tuple[int]]) -> Whole:
    return np.fromiter((number for (number,) in rows), np.int64, len(rows))


def _numbers(joined: str | None) -> Whole:
    """Return what `group_concat` joined."""
    return np.fromstring(joined or "", dtype=np.int64, sep=",")


def _columns(rows: list[tuple[int, float]]) -> tuple[Whole, Real]:
    """Return rows of an id and a cost as two arrays."""
    both = np.fromiter(chain.from_iterable(rows), np.float64, 2 * len(rows))  # ids beyond 2**53 are none of ours
    return both[::2].astype(np.int64), both[1::2]
