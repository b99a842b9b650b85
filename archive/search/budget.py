"""The time that a search may take: computing time, so that it finds the same on a machine that has much else to do."""

from __future__ import annotations

import time
from collections.abc import Callable

from archive.sqlite import sqlite3

OVER_BUDGET = (
    "This search took too long and was stopped: these are not all, and perhaps not the best. Add a rarer word."
)
TICK = 4000
"""SQLite's instructions between two looks at the clock."""
CLOCK = time.thread_time
"""Seconds that this thread has computed: those in which it waited for others do not count."""


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

    def apart(self, seconds: float) -> Budget:
        """Return a time of its own for what a search can do without: where it is over, the search is still complete."""
        return Budget(self._conn, self._clock, seconds)

    def stop_the_clock(self) -> _Standstill:
        """Let what runs in a ``with`` block cost nothing: what is loaded once is no search's fault."""
        return _Standstill(self)

    def add(self, seconds: float) -> None:
        """Give a search more time."""
        self._seconds += seconds

    def now(self) -> float:
        """Return the seconds that the clock shows."""
        return self._clock()

    def spend(self, share: float) -> _Share:
        """Run statements, in a ``with`` block, until a share of the whole time is gone; they end, and the block."""
        return _Share(self, self._conn, self._clock, self._start + self._seconds * share)


class _Standstill:
    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def __enter__(self) -> None:
        self._began = self._budget.now()

    def __exit__(self, *_: object) -> None:
        self._budget.add(self._budget.now() - self._began)


class _Share:
    # Not a generator: a search enters half a dozen of these, and a class takes a third of the time.
    def __init__(self, budget: Budget, conn: sqlite3.Connection, clock: Callable[[], float], end: float) -> None:
        self._budget = budget
        self._conn = conn
        self._clock = clock
        self._end = end

    def __enter__(self) -> None:
        clock, end = self._clock, self._end
        self._conn.set_progress_handler(lambda: clock() >= end, TICK)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        self._conn.set_progress_handler(None, 0)
        if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            self._budget.complete = False
            return True
        return False
