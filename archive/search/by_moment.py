"""Results by moment: where in what was said a query stands.

Passages are asked first: for the words as they were typed, then for other forms of them. A passage that
matches gives its best moment; where no more than `ALL` passages match, every other moment of theirs
follows. After them come the sessions that hold all the words, but not in one passage, or in their title,
people and abstract; and where all these are few, the moments that have most of the words (`archive.search.partial`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import NamedTuple

from archive.search.asked import Asked
from archive.search.budget import OVER_BUDGET
from archive.search.by_meaning import NO_WORDS, can_be_meant, covers, find_by_meaning, words_count
from archive.search.cache import Kept
from archive.search.filters import STARTED
from archive.search.hits import (
    Hit,
    Match,
    Passage,
    Ranked,
    moment_hits,
    moments_in,
    read_closely,
    read_passages,
    session_hit,
)
from archive.search.moments import Stretch
from archive.search.partial import Parts, find_partial, take_apart
from archive.search.query import Node, Query, to_fts5
from archive.search.rank import AHEAD, FUSED
from archive.search.results import ABOUT, FEWER, PARTLY, Results
from archive.search.retrieve import WEIGHTS
from archive.search.suggest import suggest

ALL = 200
"""Passages whose moments are all listed. Where more match, each gives its best."""
COUNTED = 10_000
"""Matching passages that are counted one by one."""
UNCOUNTED = f"More than {COUNTED} passages match."


def search_moments(
    asked: Asked, text: str, query: Query, kept: Kept, *, limit: int, offset: int, by_meaning: bool = True
) -> Results:
    """Return a page of the moments that match a query, or of the sessions of a scope where it has no words.

    Args:
        asked: what is looked for, and where.
        text: the query as it was typed.
        query: what was understood.
        kept: what is known of the database.
        limit: hits on the page.
        offset: hits on the pages before.
        by_meaning: whether what says the same in other words is found as well.
    """
    if asked.node is None or asked.wide is None or query.node is None:
        return _browse(asked, limit, offset)
    exact = _Moments(asked, asked.node, asked.wide)
    hits, total, sessions = exact.page(limit, offset)
    some = _find_others(asked, text, query, kept, exact, total, by_meaning=by_meaning)
    suggestion = note = None
    if some is not None:
        begin = max(offset - total, 0)
        hits += some.hits(asked, begin, limit - len(hits))
        if some.moments and not total:
            note = PARTLY if some.node else ABOUT
        spoken_of = exact.spoken_of | {each.passage.session for _, each in some.moments}
        total, sessions = total + len(some.moments), max(sessions, len(spoken_of))
    if not exact.total and asked.budget.complete and not asked.doubtful:
        suggestion = suggest(asked.conn, asked.budget, text, query.node, asked.scope, kept.vocabulary)
    if total > COUNTED:
        note = UNCOUNTED
    complete = asked.budget.complete
    return Results(tuple(hits), min(total, COUNTED), sessions, note if complete else OVER_BUDGET, complete, suggestion)


def every_moment(asked: Asked) -> list[Hit]:
    """Return all moments that have all of a query, as long as there is time, without sessions as a whole."""
    return [] if asked.node is None or asked.wide is None else _Moments(asked, asked.node, asked.wide).every()


def count_moments(asked: Asked) -> int:
    """Return how many `every_moment` would return, without reading their text."""
    return 0 if asked.node is None or asked.wide is None else _Moments(asked, asked.node, asked.wide).count()


class _Others(NamedTuple):
    """Moments that have most of a query or are about it, the best first, and what of the query they have."""

    moments: list[tuple[Match, Ranked]]
    node: Node | None

    def hits(self, asked: Asked, begin: int, count: int) -> list[Hit]:
        """Return some of them with their text."""
        shown = self.moments[begin : begin + count]
        node = self.node or NO_WORDS
        kinds: tuple[Match, ...] = ("some words", "about this")
        found = {
            kind: iter(moment_hits(asked.conn, [each for match, each in shown if match == kind], node, match=kind))
            for kind in kinds
        }
        return [next(found[match]) for match, _ in shown]


def _find_others(
    asked: Asked, text: str, query: Query, kept: Kept, exact: _Moments, total: int, *, by_meaning: bool
) -> _Others | None:
    """Return what has most of a query, or is about it, where few moments have all of it."""
    if query.node is None or query.doubtful or query.exact or total >= FEWER:
        return None
    parts = take_apart(query.node)
    if not parts.may_be_partly_found(total > 0):
        return None
    beside = exact.sessions()
    partial = find_partial(asked, parts, kept.overview(asked.conn), kept.vocabulary)
    some = partial.best_moments(asked, beside=beside)
    near = _about(asked, text, parts, kept, beside, partial.weights) if by_meaning else []
    ahead = bool(some) and partial.found_well(some[0].passage.session)
    return _Others(_fused(some, near, words_count(partial.share) if near else 1.0, ahead=ahead), partial.node)


def _about(
    asked: Asked, text: str, parts: Parts, kept: Kept, beside: set[int], weights: Mapping[Node, float]
) -> list[Ranked]:
    """Return the moments that are about a query, the best first, but for those of some sessions."""
    if not can_be_meant(asked, parts) or asked.budget.is_over():
        return []
    with asked.budget.stop_the_clock():
        meanings = kept.meanings(asked.conn)
    if meanings is None or kept.encoder is None:
        return []
    overview = kept.overview(asked.conn)
    found = find_by_meaning(asked, text, kept.encoder, meanings, overview, each_session_once=False)
    return [each for each in found.moments(asked, found.windows, weights) if each.passage.session not in beside]


def _fused(some: list[Ranked], near: list[Ranked], count: float, *, ahead: bool) -> list[tuple[Match, Ranked]]:
    """Return moments in the order of reciprocal rank; a window that has a moment in it lends it its own.

    Args:
        some: those that have some words, the best first.
        near: those that are about the same, the best first.
        count: what words count, of 1.
        ahead: whether the first of those that have some words stays before all others.
    """
    scored: list[tuple[float, Match, Ranked]] = []
    for rank, each in enumerate(some):
        lent = sum(1 / (FUSED + at) for at, window in enumerate(near) if covers(window, each))
        scored.append((count / (FUSED + rank) + (1 - count) * lent + AHEAD * (ahead and not rank), "some words", each))
    for rank, window in enumerate(near):
        if not any(covers(window, each) for each in some):
            scored.append(((1 - count) / (FUSED + rank), "about this", window))
    scored.sort(key=itemgetter(0), reverse=True)
    # Below 0, as what has all of the words is above it.
    return [(match, each._replace(score=score - 1)) for score, match, each in scored]


def _browse(asked: Asked, limit: int, offset: int) -> Results:
    """Return the sessions of a scope, the latest first."""
    conn, budget, scope = asked.conn, asked.budget, asked.scope
    total, rows = 0, []
    with budget.spend(0.8):
        values = scope.values | {"limit": limit, "offset": offset}
        (total,) = conn.execute(f"SELECT count(*) FROM session WHERE true{scope.rows}", values).fetchone()
        rows = conn.execute(
            f"SELECT id FROM session WHERE true{scope.rows} ORDER BY {STARTED} DESC, id LIMIT :limit OFFSET :offset",
            values,
        ).fetchall()
    hits = tuple(session_hit(conn, number, 0.0, None, scope=scope) for (number,) in rows)
    return Results(hits, total, total, None if budget.complete else OVER_BUDGET, budget.complete)


class _Moments:
    """The moments that have all of a query.

    Scores of passages with the words as they were typed are from 2 to 3, those with other forms of them from
    1 to 2, those of whole sessions below 1.
    """

    def __init__(self, asked: Asked, node: Node, wide: Node) -> None:
        self._asked = asked
        self._node = node
        self._wide = wide
        self.total = 0
        self.spoken_of: set[int] = set()
        """The sessions that they are of."""

    def page(self, limit: int, offset: int) -> tuple[list[Hit], int, int]:
        """Return one page of hits, how many there are in all, and of how many sessions."""
        self.total, passages = self._closely() if self._asked.closely else self._passages(limit + offset)
        few = self._asked.closely or self.total <= ALL
        moments = self._moments(passages, None if few else limit + offset)
        self.spoken_of = {each.passage.session for each in moments}
        hits = moment_hits(self._asked.conn, moments[offset : offset + limit], self._wide)
        if self._asked.closely:
            self.total = len(moments)
            return hits, self.total, len({passage.session for passage in passages})
        if not few:
            return hits, self.total, max(self._sessions(set(), 0, 0)[0], len(self.spoken_of))
        others, rows = self._sessions(self.spoken_of, limit - len(hits), max(offset - len(moments), 0))
        for number, score in rows:
            if self._asked.budget.is_over():
                break
            hits.append(session_hit(self._asked.conn, number, score, self._wide))
        self.total = len(moments) + others
        return hits, self.total, len(self.spoken_of) + others

    def every(self) -> list[Hit]:
        """Return all of them with their text, however many passages match."""
        return moment_hits(self._asked.conn, self.all(), self._wide)

    def all(self) -> list[Ranked]:
        """Return all of them, however many passages match."""
        _, passages = self._closely() if self._asked.closely else self._passages(COUNTED)
        return self._moments(passages, None)

    def count(self) -> int:
        """Return how many `all` returns: nobody asks which are best."""
        if self._asked.closely:
            return len(self.all())
        found = self._matching()
        return sum(moments_in(self._asked.conn, self._asked.budget, (self._node, self._wide), found).values())

    def _matching(self) -> list[Passage]:
        """Return the passages that match, as far as `COUNTED`, in no order."""
        ids = f"SELECT rowid FROM passage_fts WHERE passage_fts MATCH :query{self._asked.scope.passages} LIMIT :count"
        values = self._asked.scope.values | {"query": to_fts5(self._wide), "count": COUNTED}
        with self._asked.budget.spend(0.5):
            rows = self._asked.conn.execute(
                "SELECT session_id, transcript_id, first_position, last_position, 0.0 FROM passage"
                f" WHERE id IN ({ids})",
                values,
            )
            return [Passage(*row) for row in rows]
        return []

    def _closely(self) -> tuple[int, list[Passage]]:
        """Return how many passages match, and these, where no index can tell."""
        conn, budget, doubtful = self._asked.conn, self._asked.budget, self._asked.doubtful
        passages = read_closely(conn, budget, self._wide, self._asked.scope, doubtful=doubtful)
        return len(passages), passages

    def _passages(self, wanted: int) -> tuple[int, list[Passage]]:
        """Return how many passages match, and the best: all where they are few, else enough for so many hits."""
        # Where passages overlap, two of them may give the same moment.
        enough = max(ALL, 2 * wanted)
        total, best = self._tier(to_fts5(self._node), 2.0, enough, 0.0)
        if self._wide != self._node and total <= COUNTED and self._asked.budget.complete:
            others = f"({to_fts5(self._wide)}) NOT ({to_fts5(self._node)})"
            more, after = self._tier(others, 1.0, max(enough - len(best), 0), 0.3)
            total, best = total + more, best + after
        return total, best

    def _tier(self, query: str, base: float, enough: int, share: float) -> tuple[int, list[Passage]]:
        """Return how many passages match in one way, and the best with scores from ``base`` on."""
        matching = f"FROM passage_fts WHERE passage_fts MATCH :query{self._asked.scope.passages}"
        values = self._asked.scope.values | {"query": query, "count": enough, "base": base}
        total = 0
        with self._asked.budget.spend(share + 0.2):
            counted = f"SELECT count(*) FROM (SELECT 1 {matching} LIMIT {COUNTED + 1})"
            (total,) = self._asked.conn.execute(counted, values).fetchone()
        best: list[Passage] = []
        with self._asked.budget.spend(share + 0.5):
            best = self._read_passages(
                f"SELECT rowid AS id, bm25(passage_fts) AS cost {matching}"
                " ORDER BY bm25(passage_fts), rowid LIMIT :count",
                values,
            )
        if not self._asked.budget.complete and not best:
            with self._asked.budget.spend(0.9):
                best = self._read_passages(f"SELECT rowid AS id, 0 AS cost {matching} LIMIT :count", values)
        return max(total, len(best)), best

    def _read_passages(self, ranked: str, values: dict[str, int | str | float]) -> list[Passage]:
        rows = self._asked.conn.execute(
            "SELECT session_id, transcript_id, first_position, last_position, :base - cost / (1 - cost)"
            f" FROM ({ranked}) JOIN passage USING (id) ORDER BY cost, id",
            values,
        )
        return [Passage(*row) for row in rows]

    def _moments(self, passages: list[Passage], enough: int | None) -> list[Ranked]:
        """Return the moments of passages, the best first: all of them, or the best of each until there are enough."""
        seen: set[tuple[int, ...]] = set()
        moments: list[Ranked] = []
        for passage, stretch in read_passages(self._asked.conn, passages, self._asked.scope):
            if self._asked.budget.is_over() or (enough is not None and len(moments) >= enough):
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

    def sessions(self) -> set[int]:
        """Return the sessions that have all of the query, in a moment or as a whole, where they are few."""
        matching = f"SELECT rowid FROM session_fts WHERE session_fts MATCH :query{self._asked.scope.sessions}"
        if self._asked.closely:
            return self.spoken_of
        values = self._asked.scope.values | {"query": to_fts5(self._wide), "most": FEWER}
        rows = self._asked.conn.execute(f"{matching} LIMIT :most", values)
        return self.spoken_of | {number for (number,) in rows}

    def _sessions(self, spoken_of: set[int], limit: int, offset: int) -> tuple[int, list[tuple[int, float]]]:
        """Return how many sessions match as a whole, beside those named, and a page of them with scores below 1."""
        matching = (
            f"FROM session_fts WHERE session_fts MATCH :query{self._asked.scope.sessions}"
            " AND +session_fts.rowid NOT IN (SELECT value FROM json_each(:spoken_of))"
        )
        values = self._asked.scope.values | {
            "query": to_fts5(self._wide),
            "spoken_of": json.dumps(sorted(spoken_of)),
            "limit": limit,
            "offset": offset,
        }
        total, rows = 0, []
        with self._asked.budget.spend(0.95):
            (total,) = self._asked.conn.execute(f"SELECT count(*) {matching}", values).fetchone()
            if limit > 0 and total > offset:
                rows = self._asked.conn.execute(
                    f"SELECT rowid, bm25(session_fts, {WEIGHTS}) {matching}"
                    f" ORDER BY bm25(session_fts, {WEIGHTS}), rowid LIMIT :limit OFFSET :offset",
                    values,
                ).fetchall()
        return total, [(number, -rank / (1 - rank)) for number, rank in rows]
