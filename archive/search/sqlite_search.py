"""Search: from a query to the moments in which something was said.

Passages are asked first: for the words as they were typed, then for other forms of them. A passage that
matches gives its best moment; where no more than `ALL` passages match, every other moment of theirs
follows. After them come the sessions that hold all the words, but not in one passage, or in their title,
people and abstract. Results by session are `archive.search.sessions`'.

What was measured at ten million segments, and is done here: FTS5 ranks in a subquery that selects rowids
alone, by ``bm25(…)`` and not by ``rank`` (SQLite then keeps the best N and sorts no more); text is read
for what is shown only, and highlighted in Python; an event is a range of rowids.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from archive.connection import reading
from archive.errors import sqlite_errors
from archive.index.passages import index_session, rebuild, remove_session
from archive.search.budget import OVER_BUDGET, Budget
from archive.search.cache import Kept, KeptUntilChanged
from archive.search.filters import EVERYWHERE, STARTED, Filters, Scope, read_scope
from archive.search.hits import (
    Hit,
    Passage,
    Ranked,
    moment_hits,
    read_doubtful,
    read_languages,
    read_passages,
    session_hit,
    with_forms,
)
from archive.search.moments import Stretch
from archive.search.query import Node, Query, parse_query, to_fts5
from archive.search.sessions import WEIGHTS, SessionResults, Sort, search_sessions
from archive.search.suggest import suggest
from archive.sqlite import sqlite3
from metadata.errors import InvalidLanguageError
from metadata.languages import parse_language

__all__ = [
    "Filters",
    "Hit",
    "Results",
    "SessionResults",
    "SqliteSearch",
    "index_session",
    "rebuild",
    "remove_session",
]

ALL = 200
"""Passages whose moments are all listed. Where more match, each gives its best."""
COUNTED = 10_000
"""Matching passages that are counted one by one."""

DEEPEST = 1_000_000
"""Hits beyond which nobody turns pages."""

UNCOUNTED = f"More than {COUNTED} passages match."
UNKNOWN_LANGUAGE = "No language is known by this name: use a code such as 'en', or an English name."


@dataclass(frozen=True, slots=True)
class Results:
    """One page of what was found.

    Attributes:
        hits: best first.
        total: how many hits all pages have; an upper bound where more than `ALL` passages match.
        sessions: how many sessions they are from.
        note: what a reader should know, in whole sentences.
        complete: False where the time budget ended the search.
        suggestion: a query that would find something, where this one finds nothing.
    """

    hits: tuple[Hit, ...]
    total: int
    sessions: int
    note: str | None
    complete: bool
    suggestion: str | None = None


class SqliteSearch:
    """Search over the catalogue or a published database.

    Args:
        conn: an open connection; nothing is written through it. Its progress handler is replaced while a
            search runs, and removed after.
        budget_ms: milliseconds that one search may take.
        clock: seconds that only grow.
        kept: of a database that never changes, shared by all who search it; without it, what is read once is read
            again when the database has changed.
    """

    def __init__(
        self,
        conn: sqlite3.Connection,
        budget_ms: int = 1000,
        *,
        clock: Callable[[], float] = time.monotonic,
        kept: Kept | None = None,
    ) -> None:
        self._conn = conn
        self._kept = kept
        self._kept_here = KeptUntilChanged()
        self._budget = budget_ms / 1000
        self._clock = clock

    def search(
        self,
        query: str,
        *,
        event: str | None = None,
        session: str | None = None,
        language: str | None = None,
        limit: int = 20,
        offset: int = 0,
    ) -> Results:
        """Return the hits from ``offset`` on, ``limit`` at most. No query is an error.

        Args:
            query: as people type it; the language is described in `archive.search.query`.
            event: the slug of the only event to search in.
            session: the slug of the only session to search in.
            language: of the transcripts to search in; ``en`` includes ``en-GB``.
            limit: hits on the page.
            offset: hits on the pages before.

        Raises:
            ArchiveError: the database is damaged or cannot be read. No query raises.
        """
        understood = parse_query(query)
        filters = _tagged(Filters(event=event, session=session, language=language), understood)
        if filters is None:
            return Results((), 0, 0, UNKNOWN_LANGUAGE, complete=True)
        if understood.node is None and understood.where is None and understood.language is None:
            return Results((), 0, 0, understood.note, complete=True)
        budget = Budget(self._conn, self._clock, self._budget)
        with sqlite_errors():
            kept = self._kept or self._kept_here.of(self._conn)
        with sqlite_errors(), reading(self._conn):
            scope = read_scope(self._conn, filters, understood.where)
            if understood.node is None:
                results = _browse(self._conn, budget, scope, _bounded(limit), _bounded(offset))
            else:
                languages = read_languages(self._conn, scope)
                wide = with_forms(self._conn, understood.node, languages, doubtful=understood.doubtful)
                run = _Run(self._conn, budget, understood.node, wide, scope)
                results = run.page(_bounded(limit), _bounded(offset), doubtful=understood.doubtful)
                if not results.total and results.complete and not understood.doubtful:
                    better = suggest(self._conn, budget, query, understood.node, scope, kept.vocabulary)
                    results = replace(results, suggestion=better, complete=budget.complete)
        return replace(results, note=_joined(understood.note, results.note))

    def within(self, query: str, event: str, session: str, *, language: str | None = None) -> Results:
        """Return every moment of a session in order of time, recording by recording, however many there are.

        Args:
            query: as people type it.
            event: the slug of its event.
            session: its slug.
            language: of the transcripts to search in; None for all of them.

        Raises:
            ArchiveError: the database is damaged or cannot be read. No query raises.
        """
        understood = parse_query(query)
        filters = _tagged(Filters(event=event, session=session, language=language), understood)
        if filters is None:
            return Results((), 0, 0, UNKNOWN_LANGUAGE, complete=True)
        if understood.node is None:
            return Results((), 0, 0, understood.note, complete=True)
        budget = Budget(self._conn, self._clock, self._budget)
        with sqlite_errors():
            kept = self._kept or self._kept_here.of(self._conn)
        with sqlite_errors(), reading(self._conn):
            scope = read_scope(self._conn, filters, understood.where)
            wide = with_forms(
                self._conn, understood.node, read_languages(self._conn, scope), doubtful=understood.doubtful
            )
            run = _Run(self._conn, budget, understood.node, wide, scope)
            hits = run.every_moment(doubtful=understood.doubtful)
            better = None
            if not hits and budget.complete and not understood.doubtful:
                better = suggest(self._conn, budget, query, understood.node, scope, kept.vocabulary)
        hits.sort(key=lambda hit: (hit.transcript or "", hit.start_ms, hit.positions))
        note = _joined(understood.note, None if budget.complete else OVER_BUDGET)
        return Results(tuple(hits), len(hits), int(bool(hits)), note, budget.complete, better)

    def sessions(
        self,
        query: str,
        filters: Filters = EVERYWHERE,
        *,
        sort: Sort = "relevance",
        limit: int = 10,
        after: str | None = None,
    ) -> SessionResults:
        """Return the sessions that match, ``limit`` at most. No query is an error.

        Args:
            query: as people type it.
            filters: which sessions to search in, beside what the query says of that.
            sort: by ``relevance``, or by ``date``, the latest first.
            limit: sessions on the page.
            after: the ``next`` of the page before.

        Raises:
            ArchiveError: the database is damaged or cannot be read. No query raises.
        """
        understood = parse_query(query)
        tagged = _tagged(filters, understood)
        if tagged is None:
            return SessionResults(note=UNKNOWN_LANGUAGE)
        budget = Budget(self._conn, self._clock, self._budget)
        with sqlite_errors():
            kept = self._kept or self._kept_here.of(self._conn)
            overview = kept.overview(self._conn)
        with sqlite_errors(), reading(self._conn):
            scope = read_scope(self._conn, tagged, understood.where)
            results = search_sessions(
                self._conn,
                budget,
                query,
                understood,
                scope,
                overview,
                kept.vocabulary,
                sort=sort,
                limit=min(max(limit, 0), 100),
                after=after,
            )
        return replace(results, note=_joined(understood.note, results.note))


def _tagged(filters: Filters, understood: Query) -> Filters | None:
    """Return filters with the language's tag, which may stand in the query; None where nobody knows the language."""
    named = filters.language or understood.language
    if not named:
        return replace(filters, language=None)
    try:
        return replace(filters, language=parse_language(named))
    except InvalidLanguageError:
        return None


def _joined(*notes: str | None) -> str | None:
    return " ".join(filter(None, notes)) or None


def _bounded(count: int) -> int:
    return min(max(count, 0), DEEPEST)


def _browse(conn: sqlite3.Connection, budget: Budget, scope: Scope, limit: int, offset: int) -> Results:
    """Return the sessions of a scope, the latest first."""
    total, rows = 0, []
    with budget.spend(0.8):
        values = scope.values | {"limit": limit, "offset": offset}
        (total,) = conn.execute(f"SELECT count(*) FROM session WHERE true{scope.rows}", values).fetchone()
        rows = conn.execute(
            f"SELECT id FROM session WHERE true{scope.rows} ORDER BY {STARTED} DESC, id LIMIT :limit OFFSET :offset",
            values,
        ).fetchall()
    hits = tuple(session_hit(conn, number, 0.0, None) for (number,) in rows)
    return Results(hits, total, total, None if budget.complete else OVER_BUDGET, budget.complete)


class _Run:
    """One search, from the first statement to the last hit.

    Scores of passages with the words as they were typed are from 2 to 3, those with other forms of them from
    1 to 2, those of whole sessions below 1.
    """

    def __init__(self, conn: sqlite3.Connection, budget: Budget, node: Node, wide: Node, scope: Scope) -> None:
        self._conn = conn
        self._budget = budget
        self._node = node
        self._wide = wide
        self._scope = scope

    def page(self, limit: int, offset: int, *, doubtful: bool) -> Results:
        """Return one page of hits."""
        if doubtful:
            passages = read_doubtful(self._conn, self._budget, self._wide, self._scope)
            total = len(passages)
        else:
            total, passages = self._passages(limit + offset)
        few = total <= ALL
        moments = self._moments(passages, None if few else limit + offset)
        spoken_of = {moment.passage.session for moment in moments}
        hits = moment_hits(self._conn, moments[offset : offset + limit], self._wide)
        if doubtful:
            total, sessions = max(total, len(moments)), len({passage.session for passage in passages})
        elif few:
            others, rows = self._sessions(spoken_of, limit - len(hits), max(offset - len(moments), 0))
            for number, score in rows:
                if self._budget.is_over():
                    break
                hits.append(session_hit(self._conn, number, score, self._wide))
            total, sessions = len(moments) + others, len(spoken_of) + others
        else:
            sessions = max(self._sessions(set(), 0, 0)[0], len(spoken_of))
        note = UNCOUNTED if total > COUNTED else None
        if not self._budget.complete:
            note = OVER_BUDGET
        return Results(tuple(hits), min(total, COUNTED), sessions, note, self._budget.complete)

    def every_moment(self, *, doubtful: bool) -> list[Hit]:
        """Return all moments, as long as there is time, without sessions that match as a whole."""
        if doubtful:
            passages = read_doubtful(self._conn, self._budget, self._wide, self._scope)
        else:
            _, passages = self._passages(DEEPEST)
        return moment_hits(self._conn, self._moments(passages, None), self._wide)

    def _passages(self, wanted: int) -> tuple[int, list[Passage]]:
        """Return how many passages match, and the best: all where they are few, else enough for so many hits."""
        # Where passages overlap, two of them may give the same moment.
        enough = max(ALL, 2 * wanted)
        total, best = self._tier(to_fts5(self._node), 2.0, enough, 0.0)
        if self._wide != self._node and total <= COUNTED and self._budget.complete:
            others = f"({to_fts5(self._wide)}) NOT ({to_fts5(self._node)})"
            more, after = self._tier(others, 1.0, max(enough - len(best), 0), 0.3)
            total, best = total + more, best + after
        return total, best

    def _tier(self, query: str, base: float, enough: int, share: float) -> tuple[int, list[Passage]]:
        """Return how many passages match in one way, and the best with scores from ``base`` on."""
        matching = f"FROM passage_fts WHERE passage_fts MATCH :query{self._scope.passages}"
        values = self._scope.values | {"query": query, "count": enough, "base": base}
        total = 0
        with self._budget.spend(share + 0.2):
            counted = f"SELECT count(*) FROM (SELECT 1 {matching} LIMIT {COUNTED + 1})"
            (total,) = self._conn.execute(counted, values).fetchone()
        best: list[Passage] = []
        with self._budget.spend(share + 0.5):
            best = self._read_passages(
                f"SELECT rowid AS id, bm25(passage_fts) AS cost {matching}"
                " ORDER BY bm25(passage_fts), rowid LIMIT :count",
                values,
            )
        if not self._budget.complete and not best:
            with self._budget.spend(0.9):
                best = self._read_passages(f"SELECT rowid AS id, 0 AS cost {matching} LIMIT :count", values)
        return max(total, len(best)), best

    def _read_passages(self, ranked: str, values: dict[str, int | str | float]) -> list[Passage]:
        rows = self._conn.execute(
            "SELECT session_id, transcript_id, first_position, last_position, :base - cost / (1 - cost)"
            f" FROM ({ranked}) JOIN passage USING (id) ORDER BY cost, id",
            values,
        )
        return [Passage(*row) for row in rows]

    def _moments(self, passages: list[Passage], enough: int | None) -> list[Ranked]:
        """Return the moments of passages, the best first: all of them, or the best of each until there are enough."""
        seen: set[tuple[int, ...]] = set()
        moments: list[Ranked] = []
        for passage, stretch in read_passages(self._conn, passages):
            if self._budget.is_over() or (enough is not None and len(moments) >= enough):
                break
            for ranked in self._of_passage(passage, stretch):
                if ranked.moment.key in seen:
                    continue
                seen.add(ranked.moment.key)
                moments.append(ranked)
                if enough is not None:
                    break
        return sorted(moments, key=lambda ranked: ranked.score, reverse=True)

    def _of_passage(self, passage: Passage, stretch: Stretch) -> Iterator[Ranked]:
        """Yield the moments of a passage: as typed, then (some of them again) with other forms."""
        base = int(passage.score)
        for node, below in ((self._node, base), (self._wide, 1)) if base > 1 else ((self._wide, 1),):
            for nth, moment in enumerate(stretch.moments(node), 1):
                yield Ranked(passage, stretch, moment, below + (passage.score - base) / nth)

    def _sessions(self, spoken_of: set[int], limit: int, offset: int) -> tuple[int, list[tuple[int, float]]]:
        """Return how many sessions match as a whole, beside those named, and a page of them with scores below 1."""
        matching = (
            f"FROM session_fts WHERE session_fts MATCH :query{self._scope.sessions}"
            " AND +session_fts.rowid NOT IN (SELECT value FROM json_each(:spoken_of))"
        )
        values = self._scope.values | {
            "query": to_fts5(self._wide),
            "spoken_of": json.dumps(sorted(spoken_of)),
            "limit": limit,
            "offset": offset,
        }
        total, rows = 0, []
        with self._budget.spend(0.95):
            (total,) = self._conn.execute(f"SELECT count(*) {matching}", values).fetchone()
            if limit > 0 and total > offset:
                rows = self._conn.execute(
                    f"SELECT rowid, bm25(session_fts, {WEIGHTS}) {matching}"
                    f" ORDER BY bm25(session_fts, {WEIGHTS}), rowid LIMIT :limit OFFSET :offset",
                    values,
                ).fetchall()
        return total, [(number, -rank / (1 - rank)) for number, rank in rows]
