"""Results by session: the best sessions, in each its best moments and where all of them lie, and facets.

Sessions are ranked by the session-level index: first those that say the words as they were typed, then those
that say other forms of them. Where no more than `FEW` passages match, the best passage of each counts as
well, so that sessions come first in which the words stand near each other; where more do, passages are looked
up in the sessions of the page alone.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, NamedTuple, TypeAlias

from archive.budget import OVER_BUDGET, Budget
from archive.db import sqlite3
from archive.hits import (
    Hit,
    Passage,
    Ranked,
    known_of,
    moment_hit,
    read_doubtful,
    read_languages,
    read_passage,
    session_hit,
)
from archive.query import And, Node, Not, Or, Prefix, Query, Word, leaves, to_fts5, with_stems
from archive.scope import STARTED, Scope
from archive.suggest import suggest

Sort: TypeAlias = Literal["relevance", "date"]

MOST = "No session has all of these words: these have most of them."
FEW = 2_000
"""Passages that are all ranked."""
TERMS = 8
"""Terms of a query whose passages are ranked: FTS5 goes through the whole list of each before it ranks one."""
SHOWN = 3
"""Moments of a session on a page."""
READ = 4
"""Passages of a session that are read for them."""
MARKED = 500
"""Passages of a session that are marked on its strip."""
FACET = 12
"""Values of a facet that are shown."""
NAMED = 2.0
"""Weight of words in a title or a name beside those that were said."""
WEIGHTS = "10.0, 5.0, 2.0, 1.0"
"""Of a match in title, people, abstract and text."""


OF_SESSION = """
SELECT :wanted, rowid {} AND rowid BETWEEN (SELECT min(id) FROM passage WHERE session_id = :wanted)
AND (SELECT max(id) FROM passage WHERE session_id = :wanted)
AND +rowid IN (SELECT id FROM passage WHERE session_id = :wanted)
"""
OF_SESSIONS = """
SELECT session_id, id FROM passage WHERE id IN (SELECT rowid {})
AND +session_id IN (SELECT value FROM json_each(:wanted))
"""
THOSE = "(SELECT value FROM json_each(?))"
PEOPLE = f"""
SELECT person.slug, person.name, held.sessions FROM (
  SELECT person_id, count(DISTINCT session_id) AS sessions FROM session_person WHERE session_id IN {THOSE}
  GROUP BY 1 ORDER BY 2 DESC LIMIT {2 * FACET}
) AS held JOIN person ON person.id = held.person_id
"""
LANGUAGES = f"""
SELECT language, language, count(DISTINCT session_id) FROM (
  SELECT transcript.language, session_id FROM recording JOIN transcript ON recording_id = recording.id
  WHERE is_current = 1 AND superseded_by IS NULL AND session_id IN {THOSE}
) GROUP BY 1
"""


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


class FacetValue(NamedTuple):
    """A value to filter by, how it reads, and how many of the sessions that match have it."""

    value: str
    label: str
    sessions: int


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


class _Score(NamedTuple):
    """How good a session is: 2 where it says the words as typed, 1 other forms, then by relevance."""

    tier: int
    relevance: float


_Key: TypeAlias = "tuple[float | str, float, int]"


def search_sessions(
    conn: sqlite3.Connection,
    budget: Budget,
    text: str,
    query: Query,
    scope: Scope,
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
        sort: by ``relevance``, or by ``date``, the latest first.
        limit: sessions on the page.
        after: the ``next`` of the page before.
    """
    if query.node is None and not scope.rows:
        return SessionResults()
    run = _Run(conn, budget, query.node, scope, doubtful=query.doubtful)
    scores = run.scores()
    suggestion = note = None
    if not scores and query.node is not None and budget.complete:
        suggestion = suggest(conn, budget, text, query.node, scope)
        for node in () if suggestion or query.doubtful else _most(query.node):
            run = _Run(conn, budget, node, scope, doubtful=False)
            scores = run.scores()
            note = MOST
            if scores or budget.is_over():
                break
    ordered = _ordered(conn, scores, "date" if query.node is None else sort)
    start = _begin(ordered, after)
    page = ordered[start : start + limit]
    sessions = run.results([number for *_, number in page], scores)
    return SessionResults(
        sessions=sessions,
        total=len(scores),
        facets=_facets(conn, scores),
        note=(note if scores else None) if budget.complete else OVER_BUDGET,
        suggestion=suggestion,
        complete=budget.complete,
        next=json.dumps(page[-1]) if page and start + limit < len(ordered) else None,
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


def _ordered(conn: sqlite3.Connection, scores: dict[int, _Score], sort: Sort) -> list[_Key]:
    """Return the keys of sessions, in order; each ends in the session's id, so that no two are equal."""
    if sort == "date":
        rows = conn.execute(
            f"SELECT coalesce(start_utc, {STARTED}, ''), id FROM session WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(scores)),),
        )
        return sorted(((start, 0.0, number) for start, number in rows), key=_latest_first)
    return sorted(((-score.tier, -score.relevance, number) for number, score in scores.items()))


def _latest_first(key: _Key) -> tuple[tuple[int, ...], int]:
    return (*(-ord(char) for char in str(key[0])), 0), key[2]


def _begin(ordered: list[_Key], after: str | None) -> int:
    """Return where the page begins that follows a key; the first page where the key is none of ours."""
    if not after or not ordered:
        return 0
    try:
        first, second, number = json.loads(after)
        key = (type(ordered[0][0])(first), float(second), int(number))
    except (ValueError, TypeError, OverflowError, RecursionError):
        return 0
    if isinstance(key[0], str):
        return sum(_latest_first(each) <= _latest_first(key) for each in ordered)
    return sum(each <= key for each in ordered)


class _Run:
    """One search by session."""

    def __init__(
        self, conn: sqlite3.Connection, budget: Budget, node: Node | None, scope: Scope, *, doubtful: bool
    ) -> None:
        self._conn = conn
        self._budget = budget
        self._scope = scope
        self._node = node
        self._wide = with_stems(node, read_languages(conn, scope)) if node else None
        self._doubtful = doubtful
        self._passages: defaultdict[int, list[tuple[float, int]]] = defaultdict(list)
        self._segments: defaultdict[int, list[Passage]] = defaultdict(list)

    def scores(self) -> dict[int, _Score]:
        """Return all sessions that match."""
        if self._node is None or self._wide is None:
            rows = self._conn.execute(f"SELECT id FROM session WHERE true{self._scope.rows}", self._scope.values)
            return {number: _Score(0, 0.0) for (number,) in rows}
        if self._doubtful:
            for passage in read_doubtful(self._conn, self._budget, self._wide, self._scope):
                self._segments[passage.session].append(passage)
            return {number: _Score(2, float(len(found))) for number, found in self._segments.items()}
        exact = to_fts5(self._node)
        tiers = [(2, exact)]
        if self._wide != self._node:
            tiers.append((1, f"({to_fts5(self._wide)}) NOT ({exact})"))
        scores: dict[int, _Score] = {}
        for tier, match in tiers:
            for number, cost in self._of_sessions(match, 0.25 if tier > 1 else 0.35):
                scores.setdefault(number, _Score(tier, -cost))
        self._add_passages(scores, tiers)
        self._add_names(scores)
        return scores

    def _of_sessions(self, match: str, share: float) -> list[tuple[int, float]]:
        """Return the sessions that match as a whole, with what FTS5 thinks of them."""
        matching = f"FROM session_fts WHERE session_fts MATCH :query{self._scope.sessions}"
        values = self._scope.values | {"query": match}
        rows: list[tuple[int, float]] = []
        with self._budget.spend(share):
            rows = self._conn.execute(f"SELECT rowid, bm25(session_fts, {WEIGHTS}) {matching}", values).fetchall()
        if not rows and not self._budget.complete:
            with self._budget.spend(share + 0.1):
                rows = self._conn.execute(f"SELECT rowid, 0.0 {matching} LIMIT 1000", values).fetchall()
        return rows

    def _add_names(self, scores: dict[int, _Score]) -> None:
        """Let the words that stand in the title of a session, or in the names of its people, count again."""
        terms = dict.fromkeys(leaves(self._wide)) if self._wide else ()
        values = {"query": f"{{title people}} : ({' OR '.join(map(to_fts5, terms))})"}
        rows: list[tuple[int, float]] = []
        with self._budget.spend(0.65):
            rows = self._conn.execute(
                "SELECT rowid, bm25(session_fts) FROM session_fts WHERE session_fts MATCH :query", values
            ).fetchall()
        for number, cost in rows:
            if number in scores:
                tier, relevance = scores[number]
                scores[number] = _Score(tier, relevance - NAMED * cost)

    def _add_passages(self, scores: dict[int, _Score], tiers: Iterable[tuple[int, str]]) -> None:
        """Let the best passage of each session count, where few match; and add the sessions that only passages have.

        Those are sessions of which another passage, or a transcript in another language, is left out.
        """
        matching = f"FROM passage_fts WHERE passage_fts MATCH :query{self._scope.passages}"
        partly = self._scope.language is not None or _leaves_out(self._node)
        brief = self._node is not None and sum(1 for _ in leaves(self._node)) <= TERMS
        for tier, match in tiers:
            values = self._scope.values | {"query": match}
            count, rows = FEW + 1, []
            with self._budget.spend(0.45):
                counted = f"SELECT count(*) FROM (SELECT 1 {matching} LIMIT {FEW + 1})"
                (count,) = self._conn.execute(counted, values).fetchone()
            if count <= FEW and brief:
                with self._budget.spend(0.6):
                    rows = self._conn.execute(
                        f"SELECT session_id, cost, id FROM (SELECT rowid AS id, bm25(passage_fts) AS cost {matching})"
                        " JOIN passage USING (id) ORDER BY cost, id",
                        values,
                    ).fetchall()
                best: dict[int, float] = {}
                for number, cost, passage in rows:
                    self._passages[number].append((cost - tier * 1000, passage))
                    best.setdefault(number, -cost)
                for number, relevance in best.items():
                    before = scores.get(number, _Score(tier, 0.0))
                    scores[number] = _Score(max(before.tier, tier), before.relevance + relevance)
            elif partly:
                with self._budget.spend(0.6):
                    rows = self._conn.execute(
                        f"SELECT DISTINCT session_id FROM passage WHERE id IN (SELECT rowid {matching})", values
                    ).fetchall()
                for (number,) in rows:
                    scores.setdefault(number, _Score(tier, 0.0))

    def results(self, numbers: list[int], scores: dict[int, _Score]) -> tuple[SessionResult, ...]:
        """Return sessions with their moments and where their passages lie, as long as there is time."""
        if not self._doubtful and self._wide is not None:
            self._find_passages([number for number in numbers if number not in self._passages])
        spans = self._spans(passage for number in numbers for _, passage in self._passages.get(number, ())[:MARKED])
        results = []
        for number in numbers:
            if self._budget.is_over():
                break
            results.append(self._result(number, scores[number], spans))
        return tuple(results)

    def _find_passages(self, numbers: list[int]) -> None:
        """Look up which passages of some sessions match."""
        if not numbers or self._wide is None:
            return
        matching = f"FROM passage_fts WHERE passage_fts MATCH :query{self._scope.passages}"
        values = self._scope.values | {"query": to_fts5(self._wide)}
        asked: list[tuple[str, str | int]]
        if any(isinstance(leaf, Prefix) for leaf in leaves(self._wide)):
            # FTS5 merges the lists of all the words that a prefix stands for, each time anew: ask once.
            asked = [(OF_SESSIONS.format(matching), json.dumps(numbers))]
        else:
            asked = [(OF_SESSION.format(matching), number) for number in numbers]
        for statement, wanted in asked:
            with self._budget.spend(0.8):
                for number, passage in self._conn.execute(statement, values | {"wanted": wanted}):
                    self._passages[number].append((0.0, passage))

    def _spans(self, passages: Iterable[int]) -> dict[int, tuple[int, int]]:
        """Return from when to when passages last."""
        rows = self._conn.execute(
            "SELECT passage.id, first.start_ms, last.end_ms FROM passage"
            " JOIN segment AS first ON first.transcript_id = passage.transcript_id AND first.position = first_position"
            " JOIN segment AS last ON last.transcript_id = passage.transcript_id AND last.position = last_position"
            " WHERE passage.id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(passages)),),
        )
        return {number: (start, end) for number, start, end in rows}

    def _result(self, number: int, score: _Score, spans: dict[int, tuple[int, int]]) -> SessionResult:
        found = self._passages.get(number, [])
        hits, moments = self._moments(number, found)
        start, duration = self._conn.execute(
            f"SELECT {STARTED}, coalesce((SELECT max(transcript.duration_ms) FROM recording JOIN transcript"
            " ON recording_id = recording.id WHERE session_id = session.id AND is_current = 1"
            " AND superseded_by IS NULL), 0)"
            " FROM session WHERE id = ?",
            (number,),
        ).fetchone()
        places = moments or {spans[passage] for _, passage in found[:MARKED]}
        relevance = score.relevance / (1 + score.relevance)
        if not hits:
            hits = [session_hit(self._conn, number, relevance, self._wide)]
        known = known_of(self._conn, number)
        return SessionResult(
            **known,
            url=hits[0].url.partition("?")[0],
            start_at=start,
            duration_ms=duration,
            hits=tuple(replace(hit, score=score.tier + relevance / nth) for nth, hit in enumerate(hits, 1)),
            count=len(moments) or len(found),
            places=tuple(sorted(places)),
            score=score.tier + relevance,
        )

    def _moments(self, number: int, found: list[tuple[float, int]]) -> tuple[list[Hit], set[tuple[int, int]]]:
        """Return the best moments of a session: as typed first, then by what stands together.

        With them comes when all of its moments are, where it has so few passages that all are read.
        """
        if self._node is None or self._wide is None:
            return [], set()
        passages = self._segments.get(number) or self._read([passage for _, passage in sorted(found)[:READ]])
        whole = self._doubtful or len(found) <= READ
        ranked: dict[tuple[int, ...], tuple[bool, tuple[int, int], Ranked]] = {}
        for passage in passages[:MARKED]:
            if not whole and sum(typed for typed, _, _ in ranked.values()) >= SHOWN:
                break
            stretch = read_passage(self._conn, passage)
            for node in (self._node, self._wide):
                for moment in stretch.moments(node):
                    key = (passage.transcript, *(stretch.lines[line].position for line in moment.lines))
                    ranked.setdefault(key, (node is self._node, moment.strength, Ranked(passage, stretch, moment, 0.0)))
        best = sorted(ranked.items(), key=lambda item: (not item[1][0], [-x for x in item[1][1]], item[0]))
        shown = [each for _, (_, _, each) in best]
        places = {_lasts(each) for each in shown} if whole else set()
        return [moment_hit(self._conn, each, self._wide) for each in shown[:SHOWN]], places

    def _read(self, numbers: list[int]) -> list[Passage]:
        rows = self._conn.execute(
            "SELECT session_id, transcript_id, first_position, last_position, 0.0 FROM json_each(?)"
            " JOIN passage ON passage.id = value ORDER BY json_each.key",
            (json.dumps(numbers),),
        )
        return [Passage(*row) for row in rows]


def _lasts(ranked: Ranked) -> tuple[int, int]:
    """Return from when to when a moment lasts."""
    lines = [ranked.stretch.lines[line] for line in ranked.moment.lines]
    return lines[0].start_ms, lines[-1].end_ms


def _leaves_out(node: Node | None) -> bool:
    if isinstance(node, And | Or):
        return any(map(_leaves_out, node.nodes))
    return isinstance(node, Not)


def _facets(conn: sqlite3.Connection, scores: Iterable[int]) -> dict[str, tuple[FacetValue, ...]]:
    """Return how many of some sessions have each value that can be filtered by."""
    chosen = (json.dumps(list(scores)),)
    events = {
        number: (slug, title, series)
        for number, slug, title, series in conn.execute("SELECT id, slug, title, series_id FROM event")
    }
    series = {number: (slug, title) for number, slug, title in conn.execute("SELECT id, slug, title FROM series")}
    counts: dict[str, Counter[tuple[str, str]]] = {
        name: Counter() for name in ("event", "series", "person", "language", "track", "year", "kind")
    }
    rows = conn.execute(
        f"SELECT event_id, track, kind, substr({STARTED}, 1, 4), count(*) FROM session WHERE id IN {THOSE}"
        " GROUP BY 1, 2, 3, 4",
        chosen,
    )
    for event, track, kind, year, count in rows:
        slug, title, owner = events[event]
        counts["event"][slug, title] += count
        for name, value in (("track", track), ("year", year), ("kind", kind)):
            if value:
                counts[name][value, value] += count
        if owner in series:
            counts["series"][series[owner]] += count
    for name, statement in (("person", PEOPLE), ("language", LANGUAGES)):
        counts[name].update({(value, label): count for value, label, count in conn.execute(statement, chosen)})
    return {
        name: tuple(FacetValue(*each, count) for each, count in sorted(found.items(), key=_frequent)[:FACET])
        for name, found in counts.items()
        if found
    }


def _frequent(item: tuple[tuple[str, str], int]) -> tuple[int, str, str]:
    (value, label), count = item
    return -count, label, value
