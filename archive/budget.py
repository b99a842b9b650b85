"""The time that a search may take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from archive.db import sqlite3

OVER_BUDGET = (
    "This search took too long and was stopped: these are not all, and perhaps not the best. Add a rarer word."
)
TICK = 1000
"""SQLite's instructions between two looks at the clock."""


class Budget:
    """The time that a search has left.

    Args:
        conn: its progress handler is replaced while statements run, and removed after.
        clock: seconds that only grow.
        seconds: how many a search has.
    """

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
