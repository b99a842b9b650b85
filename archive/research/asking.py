"""What all questions of researchers share: a query understood, the passages that match, and the time that is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from archive.search.asked import Asked
from archive.search.budget import CLOCK, Budget
from archive.search.filters import Filters, Scope, read_scope
from archive.search.hits import Passage, read_closely, read_languages, read_passages
from archive.search.matcher import Place
from archive.search.moments import Stretch
from archive.search.query import Node, parse_query, to_fts5
from archive.search.spellings import as_written
from archive.sqlite import sqlite3
from metadata.errors import InvalidLanguageError
from metadata.languages import parse_language


class Asking:
    """Who asks, and how long they wait.

    Args:
        conn: an open connection; nothing is written through it.
        budget_ms: milliseconds that one question may take; what is found until then is the answer.
        clock: seconds that only grow.
    """

    def __init__(self, conn: sqlite3.Connection, budget_ms: int = 5_000, *, clock: Callable[[], float] = CLOCK) -> None:
        self._conn = conn
        self._budget_ms = budget_ms
        self._clock = clock
        self.complete = True
        """Whether the last answer is whole."""

    def _begin(self) -> Budget:
        self.complete = True
        return Budget(self._conn, self._clock, self._budget_ms / 1000)

    def _ask(self, query: str, filters: Filters) -> Asked | None:
        """Return a query ready to be looked for; None where nothing can be found."""
        budget = self._begin()
        understood = parse_query(query)
        tagged = with_tag(filters, understood.language)
        if understood.node is None or tagged is None:
            return None
        scope = read_scope(self._conn, tagged, understood.where)
        languages = read_languages(self._conn, scope)
        node, wide = as_written(self._conn, understood.node, languages, doubtful=understood.doubtful)
        return Asked(self._conn, budget, scope, node, wide, understood.doubtful)

    def _scope(self, filters: Filters) -> Scope | None:
        """Return where filters look; None where nothing can be found."""
        tagged = with_tag(filters)
        return None if tagged is None else read_scope(self._conn, tagged, None)

    def _passages(self, asked: Asked) -> list[Passage]:
        """Return the passages that match, in order."""
        node = wanted(asked)
        if asked.closely:
            return read_closely(self._conn, asked.budget, node, asked.scope, doubtful=asked.doubtful)
        rows: list[tuple[int, int, int, int, float]] = []
        with asked.budget.spend(0.5):
            rows = self._conn.execute(
                "SELECT session_id, transcript_id, first_position, last_position, 0.0 FROM passage WHERE id IN"
                f" (SELECT rowid FROM passage_fts WHERE passage_fts MATCH :query{asked.scope.passages}) ORDER BY id",
                asked.scope.values | {"query": to_fts5(node)},
            ).fetchall()
        return [Passage(*row) for row in rows]

    def _stretches(self, asked: Asked) -> Iterator[tuple[Passage, Stretch]]:
        """Yield the passages that match with their words, until time is up."""
        for passage, stretch in read_passages(self._conn, self._passages(asked), asked.scope):
            if asked.budget.is_over():
                return
            yield passage, stretch

    def _matches(self, asked: Asked) -> Iterator[tuple[Passage, Stretch, Place, tuple[int, int, int]]]:
        """Yield every match once, although passages overlap: where it is, and what tells it from others.

        The last is the transcript, the position of the segment in which the match begins, and the character there.
        """
        seen: set[tuple[int, int, int]] = set()
        for passage, stretch in self._stretches(asked):
            for place in stretch.matcher.places(wanted(asked)):
                line, character = stretch.locate(place[0].start)
                key = (passage.transcript, stretch.positions[line], character)
                if key not in seen:
                    seen.add(key)
                    yield passage, stretch, place, key


def wanted(asked: Asked) -> Node:
    """Return what is looked for, which `Asking` has seen that there is."""
    assert asked.wide is not None  # noqa: S101  # mypy sees it
    return asked.wide


def with_tag(filters: Filters, language: str | None = None) -> Filters | None:
    """Return filters with their language, or else another one, as its tag; None where nobody knows the language."""
    named = filters.language or language
    try:
        return replace(filters, language=parse_language(named) if named else None)
    except InvalidLanguageError:
        return None
