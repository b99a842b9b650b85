"""A page of results: sessions with their best moments, and where all of them lie.

Which passages of a session are read follows from how good each is beside others of its session; of a session that has
all that is asked for, the moments come first that have it as it was typed, then those in which more stands together.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import NamedTuple

from archive.search.asked import Asked
from archive.search.by_meaning import NO_WORDS, AboutMatches, covers, words_count
from archive.search.hits import (
    Hit,
    Match,
    Passage,
    Ranked,
    moment_hits,
    moments_in,
    passages_of,
    read_indexed,
    read_passages,
    session_hit,
)
from archive.search.moments import Moment, Segments, Stretch, read_segments
from archive.search.partial import PartialMatches
from archive.search.query import And, Node
from archive.search.rank import AHEAD, PARTIAL, Scores
from archive.search.results import SessionResult
from archive.search.retrieve import Retrieval
from archive.search.session_table import Overview, Real, Whole

MOMENTS_SHOWN = 3
"""Moments of a session on a page."""
PASSAGES_READ = 4
"""Passages of a session that are read for them."""
MARKED = 500
"""Passages of a session that are marked on its strip."""
COUNTED = 12
"""Passages of a session whose moments are all counted; where more match, the session's own page counts them."""
COUNTING_S = 0.4
"""Seconds in which the moments of a page's sessions are counted."""


class Shown(NamedTuple):
    """What a page shows of a session.

    Attributes:
        hits: its best moments, the best first.
        places: from when to when its moments last, milliseconds.
        found: how many there are; where they were not all looked for, how many passages match.
        in_all: whether they were.
    """

    hits: tuple[Hit, ...]
    places: tuple[tuple[int, int], ...]
    found: int
    in_all: bool = True


class Others(NamedTuple):
    """What was found beside sessions that have all of a query: those that have most of it, and those about it."""

    partial: PartialMatches
    about: AboutMatches

    @property
    def fused(self) -> Real:
        """How good each session is by both: what means the same never stands before what words found well and best."""
        both = self.partial.fused * self._words_count + self.about.fused * (1 - self._words_count)
        return both + AHEAD * self.partial.leading

    @property
    def _words_count(self) -> float:
        return words_count(self.partial.share) if self.about.windows else 1.0

    def match(self, place: int) -> Match:
        """Return how much of the query one of these sessions has, by what it is found by the sooner."""
        by_words = self.partial.fused[place] * self._words_count
        return "some words" if by_words >= self.about.fused[place] * (1 - self._words_count) else "about this"


def present(
    asked: Asked,
    overview: Overview,
    retrieval: Retrieval,
    others: Others,
    page: Whole,
    scores: Scores,
    *,
    count_more: bool = False,
) -> tuple[SessionResult, ...]:
    """Return sessions, which stand at some places, in their order, as long as there is time.

    Args:
        asked: what is looked for, and where.
        overview: of all sessions.
        retrieval: what has all of it.
        others: what has most of it, or is about it.
        page: the places.
        scores: how good sessions are.
        count_more: whether moments are counted also where there are more than are shown, in `COUNTED` passages at most.
    """
    whole = [place for place in page.tolist() if scores.tiers[place] > PARTIAL]
    matches = _WholeMatches(asked, overview, retrieval)
    shown = matches.shown(whole, scores)
    if count_more:
        shown |= matches.counted(shown)
    some = [place for place in page.tolist() if scores.tiers[place] == PARTIAL]
    if some:
        shown |= _others_shown(asked, others, some, scores)
    results = []
    for place in page.tolist():
        if place not in shown:
            break
        results.append(
            SessionResult(
                **overview.known[place]._asdict(),
                url=shown[place].hits[0].url.partition("?")[0],
                match="all words" if scores.tiers[place] > PARTIAL else others.match(place),
                hits=shown[place].hits,
                count=shown[place].found,
                counted="moments" if shown[place].in_all else "passages",
                places=shown[place].places,
                score=scores.total(place).at(1),
            )
        )
    return tuple(results)


def _others_shown(asked: Asked, others: Others, places: list[int], scores: Scores) -> dict[int, Shown]:
    """Return what is shown of sessions that have most of a query, or are about it."""
    node = others.partial.node or NO_WORDS
    chosen = _chosen(asked, others, places)
    scored = [
        (match, each._replace(score=scores.total(place).at(nth)))
        for place, found in chosen.items()
        for nth, (match, each) in enumerate(found, 1)
    ]
    kinds: tuple[Match, ...] = ("some words", "about this")
    hits = {
        kind: iter(moment_hits(asked.conn, [each for match, each in scored if match == kind], node, match=kind))
        for kind in kinds
    }
    shown = {}
    for place, found in chosen.items():
        mine = tuple(next(hits[match]) for match, _ in found)
        if not mine:
            number, score = int(others.partial.ids[place]), scores.total(place).at(1)
            shown[place] = Shown((session_hit(asked.conn, number, score, node, match="some words"),), (), 0)
            continue
        lasting = sorted({(hit.start_ms, hit.end_ms) for hit in mine})
        shown[place] = Shown(mine, tuple(lasting), len(mine))
    return shown


def _chosen(asked: Asked, others: Others, places: list[int]) -> dict[int, list[tuple[Match, Ranked]]]:
    """Return the moments of sessions that are shown, the best first, as long as there is time."""
    ranked: dict[int, list[Ranked]] = {place: [] for place in places}
    if others.partial.node is not None:
        ranked = others.partial.moments(asked, places)
    windows = others.about.of(ranked)
    near = dict(zip(windows, others.about.moments(asked, windows.values(), others.partial.weights), strict=True))
    chosen: dict[int, list[tuple[Match, Ranked]]] = {}
    for place, found in ranked.items():
        some: list[tuple[Match, Ranked]] = [("some words", each) for each in found[:MOMENTS_SHOWN]]
        if place in near and not any(covers(near[place], each) for _, each in some):
            at = 0 if others.match(place) == "about this" else MOMENTS_SHOWN - 1
            some.insert(at, ("about this", near[place]))
        chosen[place] = some[:MOMENTS_SHOWN]
    return chosen


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
    lasting: dict[int, list[tuple[int, int]]]
    segments: Segments


class _WholeMatches:
    """Sessions of a page that have all that is asked for."""

    def __init__(self, asked: Asked, overview: Overview, retrieval: Retrieval) -> None:
        self._asked = asked
        self._overview = overview
        self._retrieval = retrieval

    def shown(self, page: list[int], scores: Scores) -> dict[int, Shown]:
        """Return what is shown of them, by place, as long as there is time."""
        numbers = {place: int(self._overview.ids[place]) for place in page}
        passages = self._retrieval.passages
        if page and not self._asked.closely and self._asked.wide is not None:
            self._retrieval.look_up(page)
        moments = self._moments(list(numbers.values()))
        marked = {number: passages[number][:MARKED] for number in moments.best if not moments.lasting.get(number)}
        spans = self._spans(passage for those in marked.values() for _, passage in those)
        hits = self._hits(moments, {number: scores.total(place).at for place, number in numbers.items()})
        shown: dict[int, Shown] = {}
        for place, number in numbers.items():
            if number not in moments.best or (number not in hits and self._asked.budget.is_over()):
                break
            score = scores.total(place).at(1)
            mine = tuple(hits[number]) or (
                session_hit(self._asked.conn, number, score, self._asked.wide, scope=self._asked.scope),
            )
            lasting = moments.lasting.get(number)
            places = tuple(sorted({*lasting} if lasting else {spans[passage] for _, passage in marked[number]}))
            counted = bool(lasting) or not passages[number]
            shown[place] = Shown(mine, places, len(lasting or passages[number]), counted)
        return shown

    def counted(self, shown: Mapping[int, Shown]) -> dict[int, Shown]:
        """Return those sessions of whose moments not all were looked for, with how many they are."""
        if self._asked.node is None or self._asked.wide is None or self._asked.closely:
            return {}
        sure = self._retrieval.all_listed
        many = {
            int(self._overview.ids[place]): place
            for place, each in shown.items()
            if each.found and not (each.in_all and sure)
        }
        passages = self._retrieval.passages
        # To look up passages in which frequent words stand together takes as long as all the rest.
        known = sure or not isinstance(self._asked.wide, And)
        some = [number for number in many if known and len(passages[number]) <= COUNTED]
        found = passages_of(self._asked.conn, self._retrieval.all_passages(some)) if some else []
        held = Counter(each.session for each in found)
        few = [each for each in found if held[each.session] <= COUNTED]
        nodes = self._asked.node, self._asked.wide
        counts = moments_in(self._asked.conn, self._asked.budget.apart(COUNTING_S), nodes, few)
        uncounted = {place: shown[place]._replace(in_all=False) for place in many.values()}
        return uncounted | {
            many[session]: shown[many[session]]._replace(found=count, in_all=True) for session, count in counts.items()
        }

    def _hits(self, moments: _Moments, score: Mapping[int, Callable[[int], float]]) -> defaultdict[int, list[Hit]]:
        """Return the best moments of sessions with their text."""
        if self._asked.wide is None:
            return defaultdict(list)
        best = [
            each._replace(score=score[number](nth))
            for number, found in moments.best.items()
            for nth, each in enumerate(found, 1)
        ]
        hits: defaultdict[int, list[Hit]] = defaultdict(list)
        found = moment_hits(self._asked.conn, best, self._asked.wide, moments.segments)
        for each, hit in zip(best, found, strict=True):
            hits[each.passage.session].append(hit)
        return hits

    def _spans(self, passages: Iterable[int]) -> dict[int, tuple[int, int]]:
        """Return from when to when passages last."""
        wanted = list(passages)
        if not wanted:
            return {}
        rows = self._asked.conn.execute(
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
        if self._asked.node is None or self._asked.wide is None:
            return _Moments({number: [] for number in numbers}, {}, {})
        whole = {
            number
            for number in numbers
            if self._asked.closely or len(self._retrieval.passages[number]) <= PASSAGES_READ
        }
        found: dict[int, _Found] = {}
        if self._asked.closely:
            closely = {number: self._retrieval.segments[number][:MARKED] for number in numbers}
            stretches = read_passages(self._asked.conn, list(chain(*closely.values())), self._asked.scope)
            self._read({number: islice(stretches, len(some)) for number, some in closely.items()}, whole, found)
        else:
            wanted = {
                number: [passage for _, passage in sorted(self._retrieval.passages[number])[:PASSAGES_READ]]
                for number in numbers
            }
            # Of a session with many passages, the first mostly has as many moments as are shown, but for several
            # words, which have one moment in each.
            first = MOMENTS_SHOWN if isinstance(self._asked.node, And) else 1
            self._read_indexed({n: some if n in whole else some[:first] for n, some in wanted.items()}, whole, found)
            again = {n: wanted[n][first:] for n, its in found.items() if n not in whole and its.count < MOMENTS_SHOWN}
            self._read_indexed(again, whole, found)
        if self._asked.wide != self._asked.node:
            for number, its in found.items():
                if number in whole or its.count < MOMENTS_SHOWN:
                    its.widen(self._asked.wide)
        best = {number: its.best() for number, its in found.items()}
        known = (ranked if number in whole else ranked[:MOMENTS_SHOWN] for number, ranked in best.items())
        segments = read_segments(self._asked.conn, (each.moment for each in chain(*known)))
        lasting = {
            number: [
                (segments[key[0], key[1]].start_ms, segments[key[0], key[-1]].end_ms)
                for key in (each.moment.key for each in ranked)
            ]
            for number, ranked in best.items()
            if number in whole
        }
        return _Moments({number: ranked[:MOMENTS_SHOWN] for number, ranked in best.items()}, lasting, segments)

    def _read_indexed(self, wanted: dict[int, list[int]], whole: set[int], found: dict[int, _Found]) -> None:
        unread = read_indexed(
            self._asked.conn, [each for each in chain(*wanted.values()) if each not in self._retrieval.stretches]
        )

        def stretches(some: list[int]) -> Iterator[tuple[Passage, Stretch]]:
            return (
                self._retrieval.stretches[each] if each in self._retrieval.stretches else next(unread) for each in some
            )

        self._read({number: stretches(some) for number, some in wanted.items()}, whole, found)

    def _read(
        self, wanted: Mapping[int, Iterable[tuple[Passage, Stretch]]], whole: set[int], found: dict[int, _Found]
    ) -> None:
        """Look for moments in passages of sessions: all, where a session is to be read whole, else enough to show."""
        if self._asked.node is None:
            return
        for number, passages in wanted.items():
            if self._asked.budget.is_over():
                break
            its = found.setdefault(number, _Found())
            for passage, stretch in passages:
                if number in whole or its.count < MOMENTS_SHOWN:
                    its.read(passage, stretch, self._asked.node)
