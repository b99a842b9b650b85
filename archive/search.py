"""Search: from a query to the moments in which something was said.

Passages are asked first. A passage that matches gives its best moment; where no more than `ALL` passages
match, every other moment of theirs follows. After them come the sessions that hold all the words, but not
in one passage, or in their title, people and abstract.

What was measured at ten million segments, and is done here: FTS5 ranks in a subquery that selects rowids
alone, by ``bm25(…)`` and not by ``rank`` (SQLite then keeps the best N and sorts no more); text is read
for what is shown only, and highlighted in Python; an event is a range of rowids.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol
from urllib.parse import quote

from archive.db import sqlite3
from archive.errors import sqlite_errors
from archive.moments import Moment, Stretch, excerpt, highlights, read_stretch
from archive.passages import LONGEST_PHRASE, index_session, rebuild, remove_session, verify
from archive.query import Leaf, Node, Or, Phrase, Word, leaves, parse_query, to_fts5
from metadata.errors import InvalidLanguageError
from metadata.languages import UNDETERMINED, parse_language
from metadata.times import format_seconds

__all__ = [
    "Hit",
    "Results",
    "SearchBackend",
    "SqliteSearch",
    "index_session",
    "rebuild",
    "remove_session",
    "verify",
]

ALL = 200
"""Passages whose moments are all listed. Where more match, each gives its best."""
COUNTED = 10_000
"""Matching passages that are counted one by one."""

DEEPEST = 1_000_000
"""Hits beyond which nobody turns pages."""
WEIGHTS = "10.0, 5.0, 2.0, 1.0"
"""Of a match in title, people, abstract and text."""
TICK = 1000
"""SQLite's instructions between two looks at the clock."""

OVER_BUDGET = (
    "This search took too long and was stopped: these are not all, and perhaps not the best. Add a rarer word."
)
UNCOUNTED = f"More than {COUNTED} passages match."
UNKNOWN_LANGUAGE = "No language is known by this name: use a code such as 'en', or an English name."


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A moment in which the query was said, or a session that is about it (then at 0, with its abstract).

    Attributes:
        event, session: slugs.
        event_title, title: the event's and the session's titles.
        language: BCP-47, of the segment where it says, else of the transcript.
        start_ms: where the first matching word begins, or its segment where words have no times.
        end_ms: where the last segment of the hit ends.
        text: the segments that the match lies in; an ellipsis stands for segments between them.
        matches: characters ``(start, end)`` of ``text`` to highlight, in order and apart.
        before, after: the ends of the neighbouring segments' text, or "".
        url: the session's page at this moment.
        score: higher is better; comparable within one search only.
        transcript: the version that the text stands in; None where the session has none.
    """

    event: str
    event_title: str
    session: str
    title: str
    language: str
    start_ms: int
    end_ms: int
    text: str
    matches: tuple[tuple[int, int], ...]
    before: str
    after: str
    url: str
    score: float
    transcript: str | None


@dataclass(frozen=True, slots=True)
class Results:
    """One page of what was found.

    Attributes:
        hits: best first.
        total: how many hits all pages have; an upper bound where more than `ALL` passages match.
        sessions: how many sessions they are from.
        note: what a reader should know, in whole sentences.
        complete: False where the time budget ended the search.
    """

    hits: tuple[Hit, ...]
    total: int
    sessions: int
    note: str | None
    complete: bool


class SearchBackend(Protocol):
    """The seam to whatever keeps the index."""

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
            query: as people type it; the language is described in `archive.query`.
            event: the slug of the only event to search in.
            session: the slug of the only session to search in.
            language: of the transcripts to search in; ``en`` includes ``en-GB``.
            limit: hits on the page.
            offset: hits on the pages before.
        """


class SqliteSearch:
    """Search over the catalogue or a published database.

    Args:
        conn: an open connection; nothing is written through it. Its progress handler is replaced while a
            search runs, and removed after.
        budget_ms: milliseconds that one search may take.
        clock: seconds that only grow.
    """

    def __init__(
        self, conn: sqlite3.Connection, budget_ms: int = 1000, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._conn = conn
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
        """Return the hits from ``offset`` on, ``limit`` at most: see `SearchBackend.search`.

        Raises:
            ArchiveError: the database is damaged or cannot be read. No query raises.
        """
        understood = parse_query(query)
        if understood.node is None:
            return Results((), 0, 0, understood.note, complete=True)
        try:
            tag = parse_language(language) if language else None
        except InvalidLanguageError:
            return Results((), 0, 0, UNKNOWN_LANGUAGE, complete=True)
        budget = _Budget(self._conn, self._clock, self._budget)
        with sqlite_errors():
            scope = _read_scope(self._conn, event, session, tag)
            results = _Run(self._conn, budget, understood.node, scope).page(_bounded(limit), _bounded(offset))
        notes = [note for note in (understood.note, results.note) if note]
        return replace(results, note=" ".join(notes) or None)


class _Budget:
    """The time that a search has left."""

    def __init__(self, conn: sqlite3.Connection, clock: Callable[[], float], seconds: float) -> None:
        self._conn = conn
        self._clock = clock
        self._start = clock()
        self._seconds = seconds
        self.complete = True

    def is_over(self) -> bool:
        """Whether time is up; the search is incomplete if it is."""
        over = self._clock() - self._start >= self._seconds
        self.complete = self.complete and not over
        return over

    @contextmanager
    def spend(self, share: float) -> Iterator[None]:
        """Run statements until a share of the whole time is gone; then they end, and the block with them."""
        end = self._start + self._seconds * share
        self._conn.set_progress_handler(lambda: self._clock() >= end, TICK)
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            self.complete = False
        finally:
            self._conn.set_progress_handler(None, 0)


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where to search: conditions on a rowid of ``passage_fts`` and of ``session_fts``, and what they name."""

    passages: str
    sessions: str
    values: dict[str, int | str]


_IN_LANGUAGE = "(transcript.language = :language OR transcript.language LIKE :language || '-%')"
_TRANSCRIPTS = (
    "SELECT 1 FROM recording JOIN transcript ON recording_id = recording.id"
    " WHERE recording.session_id = session_fts.rowid AND superseded_by IS NULL AND is_current = 1 AND "
)
_ONLY_IN_LANGUAGE = f" AND EXISTS ({_TRANSCRIPTS}{_IN_LANGUAGE}) AND NOT EXISTS ({_TRANSCRIPTS} NOT {_IN_LANGUAGE})"


def _read_scope(conn: sqlite3.Connection, event: str | None, session: str | None, language: str | None) -> _Scope:
    """Return the conditions of a search. An event or session that does not exist has no rows to search."""
    passages = sessions = ""
    values: dict[str, int | str] = {}
    owners = []
    if event is not None or session is not None:
        rows = conn.execute(
            "SELECT session.id FROM session JOIN event ON event.id = event_id"
            " WHERE event.slug = ifnull(?, event.slug) AND session.slug = ifnull(?, session.slug)",
            (_encodable(event), _encodable(session)),
        )
        values["owners"] = json.dumps([number for (number,) in rows])
        values["first"], values["last"], count = conn.execute(
            "SELECT coalesce(min(id), 1), coalesce(max(id), 0), count(*) FROM passage"
            " WHERE session_id IN (SELECT value FROM json_each(:owners))",
            values,
        ).fetchone()
        passages = " AND passage_fts.rowid BETWEEN :first AND :last"
        # The plus keeps SQLite from asking the index once for each of these sessions.
        sessions = " AND +session_fts.rowid IN (SELECT value FROM json_each(:owners))"
        if count != int(values["last"]) - int(values["first"]) + 1:
            owners = ["passage.session_id IN (SELECT value FROM json_each(:owners))"]
    if language is not None:
        values["language"] = language
        owners.append(_IN_LANGUAGE)
        sessions += _ONLY_IN_LANGUAGE
    if owners:
        passages += (
            " AND EXISTS (SELECT 1 FROM passage JOIN transcript ON transcript.id = transcript_id"
            f" WHERE passage.id = passage_fts.rowid AND {' AND '.join(owners)})"
        )
    return _Scope(passages, sessions, values)


def _bounded(count: int) -> int:
    return min(max(count, 0), DEEPEST)


def _encodable(slug: str | None) -> str | None:
    return None if slug is None else slug.encode(errors="replace").decode()


class _Passage(NamedTuple):
    """A passage that matches; the score is above 1, higher is better."""

    session: int
    transcript: int
    first: int
    last: int
    score: float


class _Ranked(NamedTuple):
    """A moment of a passage, with a score of its own."""

    passage: _Passage
    stretch: Stretch
    moment: Moment
    score: float


IN_SESSION = """
SELECT rowid FROM passage_fts WHERE passage_fts MATCH :query
AND rowid BETWEEN (SELECT min(id) FROM passage WHERE session_id = :session)
AND (SELECT max(id) FROM passage WHERE session_id = :session)
AND +rowid IN (SELECT id FROM passage WHERE session_id = :session)
"""


class _Run:
    """One search, from the first statement to the last hit."""

    def __init__(self, conn: sqlite3.Connection, budget: _Budget, node: Node, scope: _Scope) -> None:
        self._conn = conn
        self._budget = budget
        self._node = node
        self._scope = scope
        self._values = scope.values | {"query": to_fts5(node)}

    def page(self, limit: int, offset: int) -> Results:
        """Return one page of hits."""
        total, passages = self._passages(limit + offset)
        few = total <= ALL
        moments = self._moments(passages, None if few else limit + offset)
        spoken_of = {moment.passage.session for moment in moments}
        hits = [self._hit(moment) for moment in moments[offset : offset + limit]]
        if few:
            others, rows = self._sessions(spoken_of, limit - len(hits), max(offset - len(moments), 0))
            for row in rows:
                if self._budget.is_over():
                    break
                hits.append(self._session_hit(*row))
            total, sessions = len(moments) + others, len(spoken_of) + others
        else:
            sessions = max(self._sessions(set(), 0, 0)[0], len(spoken_of))
        note = UNCOUNTED if total > COUNTED else None
        if not self._budget.complete:
            note = OVER_BUDGET
        return Results(tuple(hits), min(total, COUNTED), sessions, note, self._budget.complete)

    def _passages(self, wanted: int) -> tuple[int, list[_Passage]]:
        """Return how many passages match, and the best: all where they are few, else enough for so many hits."""
        matching = f"FROM passage_fts WHERE passage_fts MATCH :query{self._scope.passages}"
        total = 0
        with self._budget.spend(0.3):
            counted = f"SELECT count(*) FROM (SELECT 1 {matching} LIMIT {COUNTED + 1})"
            (total,) = self._conn.execute(counted, self._values).fetchone()
        # Where passages overlap, two of them may give the same moment.
        values = self._values | {"count": max(ALL, 2 * wanted)}
        best: list[_Passage] = []
        with self._budget.spend(0.7):
            best = self._read_passages(
                f"SELECT rowid AS id, bm25(passage_fts) AS cost {matching}"
                " ORDER BY bm25(passage_fts), rowid LIMIT :count",
                values,
            )
        if not self._budget.complete and not best:
            with self._budget.spend(0.9):
                best = self._read_passages(f"SELECT rowid AS id, 0 AS cost {matching} LIMIT :count", values)
        return max(total, len(best)), best

    def _read_passages(self, ranked: str, values: dict[str, int | str]) -> list[_Passage]:
        rows = self._conn.execute(
            "SELECT session_id, transcript_id, first_position, last_position, 1 - cost"
            f" FROM ({ranked}) JOIN passage USING (id) ORDER BY cost, id",
            values,
        )
        return [_Passage(*row) for row in rows]

    def _moments(self, passages: list[_Passage], enough: int | None) -> list[_Ranked]:
        """Return the moments of passages, the best first: all of them, or the best of each until there are enough."""
        seen: set[tuple[int, ...]] = set()
        moments: list[_Ranked] = []
        for passage in passages:
            if self._budget.is_over() or (enough is not None and len(moments) >= enough):
                break
            stretch = read_stretch(self._conn, passage.transcript, passage.first, passage.last)
            for nth, moment in enumerate(stretch.moments(self._node), 1):
                key = (passage.transcript, *(stretch.lines[line].position for line in moment.lines))
                if key in seen:
                    continue
                seen.add(key)
                moments.append(_Ranked(passage, stretch, moment, 1 + (passage.score - 1) / nth))
                if enough is not None:
                    break
        return sorted(moments, key=lambda ranked: ranked.score, reverse=True)

    def _sessions(self, spoken_of: set[int], limit: int, offset: int) -> tuple[int, list[tuple[int, float]]]:
        """Return how many sessions match as a whole, beside those named, and a page of them with scores below 1."""
        matching = (
            f"FROM session_fts WHERE session_fts MATCH :query{self._scope.sessions}"
            " AND +session_fts.rowid NOT IN (SELECT value FROM json_each(:spoken_of))"
        )
        values = self._values | {"spoken_of": json.dumps(sorted(spoken_of)), "limit": limit, "offset": offset}
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

    def _hit(self, ranked: _Ranked) -> Hit:
        found = excerpt(self._conn, ranked.stretch, self._node, ranked.moment)
        known = self._known(ranked.passage.session)
        version, language = self._conn.execute(
            "SELECT version, language FROM transcript WHERE id = ?", (ranked.passage.transcript,)
        ).fetchone()
        return Hit(
            **known,
            language=found.language or language,
            start_ms=found.start_ms,
            end_ms=found.end_ms,
            text=found.text,
            matches=found.matches,
            before=found.before,
            after=found.after,
            url=_url(known["event"], known["session"], found.start_ms),
            score=ranked.score,
            transcript=version,
        )

    def _session_hit(self, session: int, score: float) -> Hit:
        """Return a session's best moment, or its abstract where nothing of the query was said in it."""
        terms = _terms(self._node)
        weights: defaultdict[int, float] = defaultdict(float)
        for term in terms:
            values = {"query": to_fts5(term), "session": session}
            found = self._conn.execute(IN_SESSION, values).fetchall()
            for (passage,) in found:
                weights[passage] += 1 / len(found)  # a word that is rare here tells more
        if not weights:
            return self._about(session, score)
        best = max(weights, key=lambda passage: (weights[passage], -passage))
        row = self._conn.execute(
            "SELECT session_id, transcript_id, first_position, last_position, ? FROM passage WHERE id = ?",
            (score, best),
        ).fetchone()
        passage = _Passage(*row)
        stretch = read_stretch(self._conn, passage.transcript, passage.first, passage.last)
        return self._hit(_Ranked(passage, stretch, stretch.moments(Or(terms))[0], score))

    def _about(self, session: int, score: float) -> Hit:
        known = self._known(session)
        abstract, language, version = self._conn.execute(
            "SELECT abstract, coalesce(session.language, transcript.language), version FROM session"
            " LEFT JOIN recording ON recording.session_id = session.id AND superseded_by IS NULL"
            " LEFT JOIN transcript ON recording_id = recording.id AND is_current = 1"
            " WHERE session.id = ? ORDER BY version IS NULL, recording.id LIMIT 1",
            (session,),
        ).fetchone()
        text = abstract or known["title"]
        return Hit(
            **known,
            language=language or UNDETERMINED,
            start_ms=0,
            end_ms=0,
            text=text,
            matches=highlights(text, self._node),
            before="",
            after="",
            url=_url(known["event"], known["session"], 0),
            score=score,
            transcript=version,
        )

    def _known(self, session: int) -> dict[str, str]:
        row = self._conn.execute(
            "SELECT event.slug, event.title, session.slug, session.title FROM session"
            " JOIN event ON event.id = event_id WHERE session.id = ?",
            (session,),
        ).fetchone()
        return dict(zip(("event", "event_title", "session", "title"), row, strict=True))


def _terms(node: Node) -> tuple[Leaf, ...]:
    """Return the terms that are looked for, each short enough to stand in one passage."""
    return tuple(
        leaf if isinstance(leaf, Word) or len(leaf.words) <= LONGEST_PHRASE else Phrase(leaf.words[:LONGEST_PHRASE])
        for leaf in dict.fromkeys(leaves(node))
    )


def _url(event: str, session: str, start_ms: int) -> str:
    return f"/events/{quote(event, safe='')}/{quote(session, safe='')}?t={format_seconds(start_ms)}"
