"""Which sessions and passages have all that a query asks for.

Sessions are looked up in the session-level index: first those that say the words as they were typed, then those that
say other forms of them. Where no more than `LISTED_PASSAGES` match, to have one counts as well, so that sessions come
first in which the words stand near each other; where more do, passages are looked up in the sessions of a page alone.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from itertools import chain

import numpy as np

from archive.search.asked import Asked
from archive.search.hits import Passage, read_closely, read_indexed
from archive.search.moments import Stretch
from archive.search.query import And, Node, Not, Or, Phrase, Prefix, in_any_order, leaves, to_fts5
from archive.search.rank import FORMS, TYPED, Scores
from archive.search.session_table import Overview, Real, Whole

LISTED_PASSAGES = 1_000
"""Passages that are all looked at."""
ORDER_CHECKED_SESSIONS = 5
"""Sessions that are read to see in which passages words stand in the order that is asked for."""
ONE_PASSAGE_WEIGHT = 2.0
"""What it counts, beside what FTS5 thinks of a session, that the words stand in one passage."""
RANKED = 100_000
"""Passages of an archive in which a session's are ranked: FTS5 goes through the whole list of each word first."""
PASSAGES_READ = 4
"""Passages of a session that are read."""
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
NAMED = 2.0
"""Weight of words in a title or a name beside those that were said."""
WEIGHTS = "10.0, 5.0, 2.0, 1.0"
"""Of a match in title, people, abstract and text."""


class Retrieval:
    """What one search finds.

    Attributes:
        stretches: passages that were read, by id.
        segments: of sessions, by id: the passages that match, where no index can tell, and so all are read.
        passages: of sessions, by id: cost and id of the passages that match, where they were looked up.
        all_listed: whether those are all that match; else some with other forms of the words may be missing.
    """

    def __init__(self, asked: Asked, overview: Overview) -> None:
        self._asked = asked
        self._overview = overview
        self.passages: defaultdict[int, list[tuple[float, int]]] = defaultdict(list)
        self.stretches: dict[int, tuple[Passage, Stretch]] = {}
        self.segments: defaultdict[int, list[Passage]] = defaultdict(list)
        self._listed: list[tuple[Whole, Whole, int]] = []
        """Places of sessions, ids of passages, and their tier: all that match in one way, where they were listed."""
        self.all_listed = True

    def scores(self, enough: int | None = None) -> Scores:
        """Return which sessions match, and how well.

        Args:
            enough: so many that say the words as typed are all that is wanted: where there are, nobody asks how well
                others match. None where it matters in any case.
        """
        scores = Scores(self._overview)
        if self._asked.node is None or self._asked.wide is None:
            rows = self._asked.conn.execute(
                f"SELECT id FROM session WHERE true{self._asked.scope.rows}", self._asked.scope.values
            )
            scores.raise_to(FORMS, self._places(_column(rows.fetchall())), 0.0)
        elif self._asked.closely:
            conn, budget, doubtful = self._asked.conn, self._asked.budget, self._asked.doubtful
            for passage in read_closely(conn, budget, self._asked.wide, self._asked.scope, doubtful=doubtful):
                self.segments[passage.session].append(passage)
            counts = np.array([len(found) for found in self.segments.values()], dtype=np.float64)
            scores.raise_to(TYPED, self._places(np.array(list(self.segments), dtype=np.int64)), counts)
        else:
            exact = to_fts5(self._asked.node)
            tiers = {TYPED: exact}
            found = self._add_sessions(scores, TYPED, exact, ranked=True)
            if self._asked.wide != self._asked.node:
                tiers[FORMS] = f"({to_fts5(self._asked.wide)}) NOT ({exact})"
                self._add_sessions(scores, FORMS, tiers[FORMS], ranked=enough is None or found < enough)
            self._add_passages(scores, tiers)
            self._add_names(scores)
        return scores

    def _places(self, sessions: Whole) -> Whole:
        """Return where sessions stand that are known to be there."""
        places = self._overview.places(sessions)
        return places[places >= 0]

    def _add_sessions(self, scores: Scores, tier: int, match: str, *, ranked: bool) -> int:
        """Count the sessions that match as a whole, with what FTS5 thinks of them; return how many they are."""
        matching = f"FROM session_fts WHERE session_fts MATCH :query{self._asked.scope.sessions}"
        values = self._asked.scope.values | {"query": match}
        share = 0.25 if tier == TYPED else 0.35
        rows: list[tuple[int, float]] = []
        with self._asked.budget.spend(share):
            cost = f"bm25(session_fts, {WEIGHTS})" if ranked else "0.0"
            # To rank a phrase, FTS5 looks for it once more: a single session needs no rank.
            if not ranked or not self._asked.has(Phrase) or len(rows := self._some(matching, values, 2)) > 1:
                rows = self._asked.conn.execute(f"SELECT rowid, {cost} {matching}", values).fetchall()
        if not rows and not self._asked.budget.complete:
            with self._asked.budget.spend(share + 0.1):
                rows = self._some(matching, values, 1000)
        numbers, costs = _columns(rows)
        places = self._overview.places(numbers)
        scores.raise_to(tier, places[places >= 0], -costs[places >= 0])
        return len(rows)

    def _some(self, matching: str, values: dict[str, int | str | float], most: int) -> list[tuple[int, float]]:
        return self._asked.conn.execute(f"SELECT rowid, 0.0 {matching} LIMIT {most}", values).fetchall()

    def _add_names(self, scores: Scores) -> None:
        """Let the words that stand in the title of a session, or in the names of its people, count again."""
        if self._asked.wide is not None:
            places = np.flatnonzero(scores.tiers)
            weights = self._overview.names.weights(dict.fromkeys(leaves(self._asked.wide)))
            scores.relevance[places] += NAMED * weights[places]

    def _add_passages(self, scores: Scores, tiers: dict[int, str]) -> None:
        """Let it count to have a passage that matches, where few do; and add the sessions that only passages have.

        Those are sessions of which another passage, or a transcript in another language, is left out.
        """
        partly = _leaves_out(self._asked.node) or (
            self._asked.scope.language is not None and len(self._overview.mixed) > 0
        )
        if not partly and self._read_closely(scores):
            return
        reach = ALL_PASSAGES if partly else self._overview.reach(np.flatnonzero(scores.tiers))
        # FTS5 merges the lists of all the words that a prefix stands for, each time anew: it is asked once for all.
        most = EVERY if len(tiers) == 1 and self._asked.has(Prefix) else LISTED_PASSAGES
        few = True
        for tier, match in tiers.items():
            # Where so many say the words as typed, nobody needs to know who has other forms of them together.
            passages = self._list_passages(self._values(match, reach), most) if few else None
            few = passages is not None and len(passages) <= LISTED_PASSAGES
            if passages is not None:
                places = self._list(tier, passages)
                if few:
                    scores.raise_to(tier, places, ONE_PASSAGE_WEIGHT)
                    continue
            else:
                self.all_listed = False
                if not partly:
                    continue
                those = ALL_PASSAGES if _leaves_out(self._asked.node) else self._overview.reach(self._overview.mixed)
                places = self._places(self._owning("session_id", match, those))
            scores.raise_to(tier, places[scores.tiers[places] == 0], 0.0)

    def _read_closely(self, scores: Scores) -> bool:
        """See in their text which passages of a few sessions match; return False where that is not the way.

        It is for words that are to stand in some order. FTS5 does not stop at the end of the passages that it is
        asked for, but goes on to where the words stand so again, which may be nowhere; so it is asked for the words.
        """
        places = np.flatnonzero(scores.tiers)
        if (
            self._asked.node is None
            or self._asked.wide is None
            or len(places) > ORDER_CHECKED_SESSIONS
            or self._asked.has(Prefix)
        ):
            return False
        loosely = in_any_order(self._asked.wide)
        if loosely == self._asked.wide:
            return False
        ranges = [self._overview.passages(place) for place in places.tolist()]
        perhaps = self._within(to_fts5(loosely), ranges, 0.6).tolist()
        if len(perhaps) > LISTED_PASSAGES // 10 or not self._asked.budget.complete:
            return False
        found: dict[int, list[int]] = {TYPED: [], FORMS: []}
        for number, (passage, stretch) in zip(perhaps, read_indexed(self._asked.conn, perhaps), strict=True):
            for tier, node in ((TYPED, self._asked.node), (FORMS, self._asked.wide)):
                if stretch.matcher.places(node):
                    found[tier].append(number)
                    self.stretches[number] = passage, stretch
                    break
        for tier, passages in found.items():
            scores.raise_to(tier, self._list(tier, np.array(passages, dtype=np.int64)), ONE_PASSAGE_WEIGHT)
        return True

    def _list(self, tier: int, passages: Whole) -> Whole:
        """Keep passages that match in one way; return where their sessions stand."""
        owners = self._overview.owners(passages)
        self._listed.append((owners, passages, tier))
        return np.unique(owners)

    def apart(self, scores: Scores) -> Whole:
        """Return where sessions stand that have all that is asked for, but nowhere together.

        That is neither in one passage nor in their title, people and abstract.
        """
        places = np.flatnonzero(scores.exact)
        if not self.all_listed or not len(places) or self._asked.wide is None:
            return places[:0]
        named = f"{{title people abstract}} : ({to_fts5(self._asked.wide)})"
        rows = self._asked.conn.execute(
            f"SELECT rowid FROM session_fts WHERE session_fts MATCH :query{self._asked.scope.sessions}",
            self._asked.scope.values | {"query": named},
        )
        together = [owners for owners, _, _ in self._listed]
        return np.setdiff1d(places, np.concatenate([self._places(_column(rows.fetchall())), *together]))

    def heard(self, sessions: Whole) -> list[int]:
        """Return the transcripts in which all that is asked for is found, at least of some sessions."""
        if self._asked.closely:
            return [each.transcript for found in self.segments.values() for each in found]
        if self._asked.wide is None:
            return []
        return list(map(int, self._owning("transcript_id", to_fts5(self._asked.wide), self._overview.reach(sessions))))

    def transcripts_of(self, passages: list[int]) -> list[int]:
        """Return the transcripts that passages are from."""
        rows = self._asked.conn.execute(
            "SELECT DISTINCT transcript_id FROM passage WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(passages),),
        )
        return [number for (number,) in rows]

    def _owning(self, column: str, match: str, reach: tuple[int, int]) -> Whole:
        """Return what those passages that match belong to, which are from one to another."""
        found: list[tuple[int]] = []
        with self._asked.budget.spend(0.6):
            found = self._asked.conn.execute(
                f"SELECT DISTINCT {column} FROM passage WHERE id IN (SELECT rowid {self._matching})",
                self._values(match, reach),
            ).fetchall()
        return _column(found)

    @property
    def _matching(self) -> str:
        return MATCHING.format(self._asked.scope.passages)

    def _values(self, match: str, reach: tuple[int, int]) -> dict[str, int | str | float]:
        """Return what `MATCHING` names: what to look for, and from which passage to which."""
        return self._asked.scope.values | {"query": match, "begin": reach[0], "end": reach[1]}

    def _list_passages(self, values: dict[str, int | str | float], most: int) -> Whole | None:
        """Return the passages that match; None where they are more than so many, or there is no time to see."""
        passages = None
        with self._asked.budget.spend(0.6):
            some = f"SELECT group_concat(rowid) FROM (SELECT rowid {self._matching} LIMIT {most + 1})"
            passages = numbers(self._asked.conn.execute(some, values).fetchone()[0])
        return passages if passages is not None and len(passages) <= most else None

    def look_up(self, page: Sequence[int]) -> None:
        """Look up which passages of some sessions match."""
        self._take_listed(page)
        if not self.all_listed:
            self._find_passages([place for place in page if int(self._overview.ids[place]) not in self.passages])

    def all_passages(self, sessions: Sequence[int]) -> list[int]:
        """Return all passages of some sessions, by id, that match with whatever forms of the words."""
        if self.all_listed:
            return [passage for number in sessions for _, passage in self.passages[number]]
        if self._asked.wide is None:
            return []
        places = self._overview.places(np.array(sessions, dtype=np.int64)).tolist()
        found = self._within(to_fts5(self._asked.wide), list(map(self._overview.passages, places)), 0.9)
        return list(map(int, found))

    def _take_listed(self, page: Sequence[int]) -> None:
        """Take the passages of a page's sessions from those that were listed: as typed first, of few the best first."""
        shown = np.zeros(len(self._overview.ids), dtype=np.bool_)
        shown[page] = True
        for owners, passages, tier in self._listed:
            here = shown[owners]
            for place, passage in zip(owners[here].tolist(), passages[here].tolist(), strict=True):
                self.passages[int(self._overview.ids[place])].append((-1000.0 * tier, passage))
        if any(len(passages) > LISTED_PASSAGES for _, passages, _ in self._listed):
            return
        crowded = {number: found for number, found in self.passages.items() if len(found) > PASSAGES_READ}
        costs = self._costs([passage for found in crowded.values() for _, passage in found])
        for number, found in crowded.items():
            self.passages[number] = [(cost + costs.get(passage, 0.0), passage) for cost, passage in found]

    def _costs(self, passages: list[int]) -> dict[int, float]:
        """Return what FTS5 thinks of passages that match, where it takes no longer to ask than to search."""
        rows: list[tuple[int, float]] = []
        if passages and self._asked.wide is not None and self._overview.count <= RANKED:
            values = self._values(to_fts5(self._asked.wide), (min(passages), max(passages)))
            those = f"{self._matching} AND +rowid IN (SELECT value FROM json_each(:those))"
            with self._asked.budget.spend(0.7):
                rows = self._asked.conn.execute(
                    f"SELECT rowid, bm25(passage_fts) {those}", values | {"those": json.dumps(passages)}
                ).fetchall()
        return dict(rows)

    def _find_passages(self, places: list[int]) -> None:
        """Look up which passages of some sessions match."""
        if not places or self._asked.wide is None:
            return
        ranges = {int(self._overview.ids[place]): self._overview.passages(place) for place in places}
        wanted = [self._overview.reach(np.array(places))] if self._asked.has(Prefix) else list(ranges.values())
        passages = self._within(to_fts5(self._asked.wide), wanted, 0.8)
        for number, (first, last) in ranges.items():
            here = passages[(passages >= first) & (passages <= last)]
            self.passages[number] += [(0.0, passage) for passage in here.tolist()]

    def _within(self, match: str, ranges: list[tuple[int, int]], share: float) -> Whole:
        """Return the passages that match, from one to another of each range, all of sessions in the scope."""
        values = self._asked.scope.values | {"query": match, "ranges": json.dumps(ranges)}
        found = [np.empty(0, dtype=np.int64)]
        with self._asked.budget.spend(share):
            found += (
                numbers(row[0]) for row in self._asked.conn.execute(IN_RANGES.format(self._asked.scope.spoken), values)
            )
        return np.concatenate(found)


def _leaves_out(node: Node | None) -> bool:
    if isinstance(node, And | Or):
        return any(map(_leaves_out, node.nodes))
    return isinstance(node, Not)


def _column(rows: list[tuple[int]]) -> Whole:
    return np.fromiter((number for (number,) in rows), np.int64, len(rows))


def numbers(joined: str | None) -> Whole:
    """Return what `group_concat` joined."""
    return np.fromstring(joined or "", dtype=np.int64, sep=",")


def _columns(rows: list[tuple[int, float]]) -> tuple[Whole, Real]:
    """Return rows of an id and a cost as two arrays."""
    both = np.fromiter(chain.from_iterable(rows), np.float64, 2 * len(rows))  # ids beyond 2**53 are none of ours
    return both[::2].astype(np.int64), both[1::2]
