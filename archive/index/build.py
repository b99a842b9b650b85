"""Full-text indexes written anew, on two cores.

Half of this work is Python's, which prepares what is indexed, and half is FTS5's. SQLite lets go of Python's lock
while it runs a statement, so both go on side by side: each index grows in a database of its own, whose connection
nothing else waits for, by statements of many rows, each of which has to wait for the lock but once. Then the tables
that FTS5 made are copied row by row, as ``VACUUM`` copies them (https://sqlite.org/lang_vacuum.html). Until then the
old indexes stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from archive.sqlite import sqlite3

SHADOWS = ("data", "idx", "docsize")
"""What FTS5 keeps an index in, beside its settings (https://sqlite.org/fts5.html#fts5_data_structures)."""
CHARACTERS, ROWS = 1 << 22, 1 << 13
"""Most of a batch. FTS5 writes a b-tree after each statement, so that many small ones would take longer."""
SETTINGS = {"hashsize": 1 << 26, "automerge": 0}
"""A batch makes one b-tree, and all of them are merged at the end."""

Row: TypeAlias = tuple[int, tuple[str, ...]]
"""A rowid, and the text of each column."""


def write_indexes(
    conn: sqlite3.Connection, tables: Sequence[str], rows: Iterable[tuple[str, Row]], work: Path | None = None
) -> None:
    """Replace contentless FTS5 tables by an index of some rows, each merged into one b-tree.

    The caller owns the transaction. Two batches of rows of each table are in memory, whatever their number.

    Args:
        conn: where the tables are.
        tables: their names.
        rows: each with the table that it goes to; the iterator may use the connection.
        work: the folder for temporary files; the system's, unless it is given.
    """
    with (
        TemporaryDirectory(prefix="rostra-index-", dir=work) as folder,
        ExitStack() as opened,
        ThreadPoolExecutor(len(tables)) as pool,
    ):
        drafts = {table: _Draft(conn, table, Path(folder), pool) for table in tables}
        for draft in drafts.values():
            opened.enter_context(closing(draft.conn))
        for table, row in rows:
            drafts[table].add(row)
        finished = [draft.finish() for draft in drafts.values()]
        for table, each in zip(tables, finished, strict=True):
            each.result()
            _copy(drafts[table].conn, conn, table)
    # FTS5 remembers what it last knew of its tables; this has it look at them again.
    conn.execute("PRAGMA writable_schema = RESET")
    for table in tables:
        # Nothing is left to be done, but now it takes part in the transaction, and forgets what is rolled back.
        conn.execute(f"INSERT INTO {table}({table}) VALUES ('optimize')")


class _Draft:
    """An index that is being built: one batch of it by a thread, while the next is gathered."""

    def __init__(self, like: sqlite3.Connection, table: str, folder: Path, pool: ThreadPoolExecutor) -> None:
        self._table, self._pool = table, pool
        self._rows: list[Row] = []
        self._characters = 0
        self.conn = sqlite3.connect(folder / f"{table}.db", isolation_level=None, check_same_thread=False)
        for setting in ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE"):
            self.conn.execute(f"PRAGMA {setting}")
        (ddl,) = like.execute("SELECT sql FROM main.sqlite_master WHERE name = ?", (table,)).fetchone()
        self.conn.execute(ddl)
        self.conn.executemany(f"INSERT INTO {table}({table}, rank) VALUES (?, ?)", SETTINGS.items())
        self._columns = [name for _, name, *_ in self.conn.execute(f"PRAGMA table_info({table})")]
        self.conn.execute("BEGIN")
        self._writing: Future[None] | None = None

    def add(self, row: Row) -> None:
        """Gather a row; have what was gathered indexed if it is enough."""
        self._rows.append(row)
        self._characters += sum(map(len, row[1]))
        if self._characters >= CHARACTERS or len(self._rows) == ROWS:
            self._wait()
            self._writing = self._pool.submit(self._insert, self._rows)
            self._rows, self._characters = [], 0

    def finish(self) -> Future[None]:
        """Have the rest indexed, and all of it merged."""
        self._wait()
        return self._pool.submit(self._finish)

    def _wait(self) -> None:
        if self._writing:
            self._writing.result()

    def _insert(self, rows: list[Row]) -> None:
        row = f"({', '.join('?' * (1 + len(self._columns)))})"
        self.conn.execute(
            f"INSERT INTO {self._table}(rowid, {', '.join(self._columns)}) VALUES {', '.join([row] * len(rows))}",
            [value for rowid, texts in rows for value in (rowid, *texts)],
        )

    def _finish(self) -> None:
        if self._rows:
            self._insert(self._rows)
        self.conn.execute(f"INSERT INTO {self._table}({self._table}) VALUES ('optimize')")
        self.conn.execute("COMMIT")  # only now does FTS5 write how many rows and words there are


def _copy(own: sqlite3.Connection, conn: sqlite3.Connection, table: str) -> None:
    conn.execute(f"INSERT INTO {table}({table}) VALUES ('delete-all')")
    for shadow in SHADOWS:
        rows = own.execute(f"SELECT * FROM {table}_{shadow}")
        row = f"({', '.join('?' * len(rows.description))})"
        conn.execute(f"DELETE FROM {table}_{shadow}")
        conn.executemany(f"INSERT INTO {table}_{shadow} VALUES {row}", rows)
