"""The process that runs visitors' SQL: ``python -m archive.lane.child`` reads requests from its standard input.

It imports little, since its memory is limited. It ends when its input ends, and the system ends it when it is idle, or
when it takes longer than the site should have let it: so it never outlives the site for long, whatever it is at.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from typing import Any
from urllib.parse import quote

from archive.lane.limits import GRACE_SECONDS, HEAP_BYTES, IDLE_SECONDS, MAX_ANSWER_BYTES, PROCESS_BYTES
from archive.lane.messages import Reply, Request, receive, send

try:
    from pysqlite3 import dbapi2 as sqlite3
except ImportError:  # the same module that Datasette chooses
    import sqlite3

INSTRUCTIONS = 1_000
"""Instructions of SQLite's virtual machine between two checks of the time."""
CACHE_KIB = 16 * 1024

_PRAGMAS = {
    "foreign_key_list", "index_info", "index_list", "index_xinfo", "table_info", "table_xinfo", "table_list",
    "function_list",
}  # fmt: skip
"""Pragmas that a statement may use; others reveal facts about this machine or change the connection's rights."""
_FIGURES = {"page_count", "page_size", "data_version", "schema_version"}
"""Pragmas that it may read but not set."""
_FUNCTIONS = {"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"}
"""Functions that no statement may call."""
_READ = {getattr(sqlite3, f"SQLITE_{name}", None) for name in ("SELECT", "READ", "RECURSIVE")} | {33}
_PRAGMA, _FUNCTION = sqlite3.SQLITE_PRAGMA, 31


def main() -> None:
    """Answer requests until the input ends."""
    _limit()
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    conn, opened = None, ""
    while True:
        _end_in(IDLE_SECONDS)
        if (request := receive(source)) is None:
            return
        _end_in(request.seconds + 2 * GRACE_SECONDS)
        if conn is None or opened != request.path:
            conn, opened = _connect(request.path), request.path
        send(sink, _answer(conn, request))


def _limit() -> None:
    """Lower this process's priority, and limit its memory."""
    with contextlib.suppress(OSError, AttributeError):
        os.nice(10)
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # not on Windows

        resource.setrlimit(resource.RLIMIT_AS, (PROCESS_BYTES, PROCESS_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _end_in(seconds: float) -> None:
    """Have the system end this process after some time, unless it is called again before."""
    if hasattr(signal, "setitimer"):  # not on Windows
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _connect(path: str) -> Any:
    conn = sqlite3.connect(f"file:{quote(path)}?immutable=1", uri=True, isolation_level=None)
    conn.text_factory = lambda data: str(data, "utf-8", "replace")
    conn.execute(f"PRAGMA hard_heap_limit = {HEAP_BYTES}")
    conn.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    conn.execute("PRAGMA query_only = 1")
    if hasattr(conn, "setlimit"):  # Python 3.11's own module has no limits of this kind; the heap limit holds for both
        conn.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_ANSWER_BYTES)
    # The first statement reads the schema, which needs more rights than a visitor's statement has.
    conn.execute("SELECT count(*) FROM sqlite_master").fetchone()
    conn.set_authorizer(_allow)
    return conn


def _allow(action: int, first: str | None, second: str | None, _schema: str | None, _view: str | None) -> int:
    allowed = action in _READ
    if action == _PRAGMA:
        name = (first or "").lower()
        allowed = name in _PRAGMAS or (name in _FIGURES and second is None)
    elif action == _FUNCTION:
        allowed = (second or "").lower() not in _FUNCTIONS
    return int(sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY)


def _answer(conn: Any, request: Request) -> Reply:
    deadline = time.monotonic() + request.seconds
    conn.set_progress_handler(lambda: time.monotonic() >= deadline, INSTRUCTIONS)
    try:
        return _read(conn, request)
    except MemoryError:
        return Reply(error="OperationalError", text="this query needs more memory than a query may have")
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
        name = type(error).__name__ if isinstance(error, sqlite3.Error) else "OperationalError"
        return Reply(error=name, text=str(error))
    finally:
        conn.set_progress_handler(None, INSTRUCTIONS)


def _read(conn: Any, request: Request) -> Reply:
    rows: list[tuple[Any, ...]] = []
    size = 0
    with contextlib.closing(conn.cursor()) as cursor:
        cursor.execute(request.sql, request.values)
        columns = tuple(each[0] for each in cursor.description or ())
        for row in cursor:
            if request.most is not None and len(rows) >= request.most:
                return Reply(columns, rows, truncated=True)
            size += sum(len(value) if isinstance(value, str | bytes) else 8 for value in row)
            if size > MAX_ANSWER_BYTES:
                text = f"the answer is larger than {MAX_ANSWER_BYTES >> 20} MiB: ask for less at once"
                return Reply(error="OperationalError", text=text)
            rows.append(row)
    return Reply(columns, rows)


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        main()
