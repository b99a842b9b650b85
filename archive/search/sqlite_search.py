"""Search: a query is understood, then looked for, ranked and presented by moment or by session.

`archive.search.query` understands it, `archive.search.filters` and `archive.search.spellings` say where to look and
for what (`archive.search.asked`); from there `archive.search.by_moment` and `archive.search.sessions` go on.

What was measured at ten million segments, and is done: FTS5 ranks in a subquery that selects rowids
alone, by ``bm25(…)`` and not by ``rank`` (SQLite then keeps the best N and sorts no more); text is read
for what is shown only, and highlighted in Python; an event is a range of rowids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from archive.connection import reading
from archive.errors import sqlite_errors
from archive.index.passages import index_session, rebuild, remove_session
from archive.search.asked import Asked
from archive.search.budget import CLOCK, OVER_BUDGET, Budget
from archive.search.by_meaning import NO_WORDS, telling
from archive.search.by_moment import count_moments, every_moment, search_moments
from archive.search.cache import Kept, KeptUntilChanged
from archive.search.filters import EVERYWHERE, Filters, Scope, read_scope, unmatched
from archive.search.hits import (
    Hit,
    moment_hits,
    read_languages,
)
from archive.search.query import Node, Query, parse_query
from archive.search.results import Results, SessionResults, Sort
from archive.search.sessions import search_sessions
from archive.search.spellings import as_written
from archive.sqlite import sqlite3
from metadata.errors import InvalidLanguageError
from metadata.languages import display_name, parse_language

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

PARTLY_SHOWN = 500
"""Moments of a session that have some of the words, where none has all."""
DEEPEST = 1_000_000
"""Hits beyond which nobody turns pages."""

UNKNOWN_LANGUAGE = "No language is known by this name: use a code such as 'en', or an English name."
NO_SESSION_IN = "No session is in {}."
NO_SESSION_MATCHES = "No session matches {}:{}."


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
        clock: Callable[[], float] = CLOCK,
        kept: Kept | None = None,
    ) -> None:
        self._conn = conn
        self._kept = kept
        self._kept_here = KeptUntilChanged()
        self._written: dict[tuple[Node, tuple[str, ...], bool], tuple[Node, Node]] = {}
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
        kept = self._what_is_kept()
        with sqlite_errors(), reading(self._conn):
            asked = self._asked_in(budget, understood, filters)
            results = search_moments(asked, query, understood, kept, limit=_bounded(limit), offset=_bounded(offset))
            missing = self._missing(understood, filters) if results.complete and not results.total else None
        return replace(results, note=_joined(understood.note, results.note, missing))

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
        kept = self._what_is_kept()
        with sqlite_errors(), reading(self._conn):
            asked = self._asked_in(budget, understood, filters)
            hits, better, said = every_moment(asked), None, None
            if not hits:
                some = search_moments(asked, query, understood, kept, limit=PARTLY_SHOWN, offset=0, by_meaning=False)
                hits, better, said = [hit for hit in some.hits if hit.end_ms], some.suggestion, some.note
        hits.sort(key=lambda hit: (hit.transcript or "", hit.start_ms, hit.positions))
        note = _joined(understood.note, said if budget.complete else OVER_BUDGET)
        return Results(tuple(hits), len(hits), int(bool(hits)), note, budget.complete, better)

    def count_within(self, query: str, event: str, session: str, *, language: str | None = None) -> int | None:
        """Return how many moments `within` would return; None where there was no time to count them.

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
        if filters is None or understood.node is None:
            return 0
        budget = Budget(self._conn, self._clock, self._budget)
        with sqlite_errors(), reading(self._conn):
            count = count_moments(self._asked_in(budget, understood, filters))
        if count and budget.complete:
            return count
        found = self.within(query, event, session, language=language)
        return found.total if found.complete else None

    def related(self, session: int) -> tuple[Hit, ...]:
        """Return moments of other sessions that are like one of a session, the best first; none without vectors.

        Args:
            session: its id.

        Raises:
            ArchiveError: the database is damaged or cannot be read.
        """
        kept = self._what_is_kept()
        with sqlite_errors(), reading(self._conn):
            found = telling(self._conn, kept.like(self._conn, session), {})
            return tuple(moment_hits(self._conn, found, NO_WORDS, match="about this"))

    def sessions(
        self,
        query: str,
        filters: Filters = EVERYWHERE,
        *,
        sort: Sort = "relevance",
        limit: int = 10,
        after: str | None = None,
        count_more: bool = False,
    ) -> SessionResults:
        """Return the sessions that match, ``limit`` at most. No query is an error.

        Args:
            query: as people type it.
            filters: which sessions to search in, beside what the query says of that.
            sort: by ``relevance``, or by ``date``, the latest first.
            limit: sessions on the page.
            after: the ``next`` of the page before.
            count_more: whether moments are counted also of sessions that have some more of them than are shown.

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
            scope = read_scope(self._conn, tagged, understood.where, words=understood.node is not None)
            asked = self._asked(budget, understood, scope, [scope.language] if scope.language else overview.languages)
            limit = min(max(limit, 0), 100)
            results = search_sessions(
                asked, query, understood, overview, kept, sort=sort, limit=limit, after=after, count_more=count_more
            )
            missing = self._missing(understood, tagged) if results.complete and not results.total else None
        return replace(results, note=_joined(understood.note, results.note, missing))

    def _missing(self, query: Query, filters: Filters) -> str | None:
        """Return a note that names each filter and field that no session matches by itself; None where all do."""
        return _joined(
            *(
                NO_SESSION_IN.format(display_name(value))
                if name == "language" and value == filters.language
                else NO_SESSION_MATCHES.format(name, f'"{value}"' if " " in value else value)
                for name, value in unmatched(self._conn, filters, query.where).items()
            )
        )

    def _what_is_kept(self) -> Kept:
        """Return what is kept of the database as it is now."""
        with sqlite_errors():
            return self._kept or self._kept_here.of(self._conn)

    def _asked_in(self, budget: Budget, query: Query, filters: Filters) -> Asked:
        """Return what is asked of the part of the archive that the filters leave, in the languages spoken there."""
        scope = read_scope(self._conn, filters, query.where, words=query.node is not None)
        return self._asked(budget, query, scope, read_languages(self._conn, scope))

    def _asked(self, budget: Budget, query: Query, scope: Scope, languages: Iterable[str]) -> Asked:
        node = wide = None
        if query.node is not None:
            node, wide = self._as_written(query.node, tuple(languages), doubtful=query.doubtful)
        return Asked(self._conn, budget, scope, node, wide, query.doubtful)

    def _as_written(self, node: Node, languages: tuple[str, ...], *, doubtful: bool) -> tuple[Node, Node]:
        """Return `as_written`, asked once: a page of results looks for the same in each of its sessions."""
        key = (node, languages, doubtful)
        written = self._written.get(key) or as_written(self._conn, node, languages, doubtful=doubtful)
        if self._kept is not None:  # else the database may change
            self._written[key] = written
        return written


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
