"""The published database that the site shows, and the change to the next one.

``current.json`` in the published folder names a database that is complete and never changes; publishing
replaces that file in one step. The site looks at its modification time before every request and puts a
new database object in the place of the old one, which whoever is reading from it keeps until done.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from datasette.database import Database, QueryInterrupted, Results

from archive.errors import UnpublishedError
from archive.index.encoder import installed_encoder
from archive.lane.messages import Request
from archive.lane.pool import Lane
from archive.publication.folder import DATABASE
from archive.search.cache import Kept
from archive.search.sqlite_search import SqliteSearch
from archive.sqlite import sqlite3

CURRENT = "current.json"

_FILE = re.compile(r"catalogue-([0-9a-f]{16})\.db")
_Stamp = tuple[int, int, int]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Publication:
    """What ``current.json`` says.

    Attributes:
        public: the published folder.
        database: the file to open.
        built_at: when it was built, ISO 8601 in UTC.
        stamp: tells this state of ``current.json`` from the next.
    """

    public: Path
    database: Path
    built_at: str
    stamp: _Stamp


def read_publication(public: Path) -> Publication:
    """Return what is published in a folder now.

    Raises:
        UnpublishedError: nothing is, or ``current.json`` names no database that is there, whole.
    """
    try:
        stamp = _stamp(public)
        current = json.loads((public / CURRENT).read_bytes())
        name, built_at = str(current["database"]), str(current["built_at"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UnpublishedError(public) from None
    if not _FILE.fullmatch(name) or not _is_whole(public / name):
        raise UnpublishedError(public)
    return Publication(public, public / name, built_at, stamp)


def _is_whole(path: Path) -> bool:
    """Return whether a database file is as long as its header says (https://sqlite.org/fileformat.html#the_database_header).

    A copy that was cut short, or a disk that was full, is found before anybody reads from it.
    """
    try:
        with path.open("rb") as file:
            header = file.read(32)
            length = file.seek(0, 2)
    except OSError:
        return False
    page = int.from_bytes(header[16:18], "big")
    page = 65_536 if page == 1 else page
    return header.startswith(b"SQLite format 3\0") and length == page * int.from_bytes(header[28:32], "big") > 0


def _stamp(public: Path) -> _Stamp:
    stat = (public / CURRENT).stat()
    return stat.st_mtime_ns, stat.st_ino, stat.st_size


_LONG = ThreadPoolExecutor(2, thread_name_prefix="long")
"""Threads for what takes long: exports, lists of everything."""


_OF_THE_SCHEMA = re.compile(
    r"PRAGMA schema_version|select \* from sqlite_master where type = '(table|view)'", re.IGNORECASE
)
"""What Datasette asks of every build before it shows it: no more to read than the schema, whoever asks."""


class PublishedDatabase(Database):  # type: ignore[misc]  # Datasette has no types
    """One published build, opened immutable."""

    def __init__(self, datasette: Any, publication: Publication, lane: Lane) -> None:
        super().__init__(datasette, path=str(publication.database), is_mutable=False)
        self.name = self.route = DATABASE
        self.publication = publication
        self.lane = lane
        self._counts: dict[str, int] | None = None
        # Datasette would read the whole file to hash it, and use six letters of that as a colour.
        self.cached_hash = publication.database.stem.removeprefix("catalogue-")
        self._threads = threading.local()

    async def execute_fn(self, fn: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run a function on a read connection to this build, in one of Datasette's threads.

        Datasette 0.65 keeps a thread's connections by the database's name, so that after a change of
        build it would go on reading the old file.
        """
        return await self._run(self.ds.executor, fn)

    async def execute_long(self, fn: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run a function that may take seconds: one of a few at once, while pages have threads of their own."""
        return await self._run(_LONG, fn)

    async def _run(self, threads: ThreadPoolExecutor, fn: Callable[[sqlite3.Connection], _T]) -> _T:
        def in_thread() -> _T:
            conn: sqlite3.Connection | None = getattr(self._threads, "conn", None)
            if conn is None:
                conn = self.connect()
                self.ds._prepare_connection(conn, self.name)  # noqa: SLF001  # what the method above it calls
                conn.text_factory = str  # Datasette's reads what is no text as well, which Rostra never writes
                self._threads.conn = conn
            return fn(conn)

        return await asyncio.get_running_loop().run_in_executor(threads, in_thread)

    async def execute(
        self,
        sql: str,
        params: Any = None,
        truncate: bool = False,  # Datasette's signature
        custom_time_limit: int | None = None,
        page_size: int | None = None,
        log_sql_errors: bool = True,  # noqa: ARG002  # Datasette's signature
    ) -> Results:
        """Run a statement that a stranger may have written, or a part of it: in a process apart from the pages.

        What Datasette itself asks before it starts, and of each new build, must not fail on a busy machine.
        """
        if _OF_THE_SCHEMA.fullmatch(sql):
            return await self.execute_fn(lambda conn: _read_all(conn, sql))
        limit_ms = min(filter(None, (custom_time_limit, self.ds.setting("sql_time_limit_ms"))))
        most = self.ds.max_returned_rows + ((page_size or self.ds.page_size) == self.ds.max_returned_rows)
        values = dict(params) if isinstance(params, Mapping) else list(params or ())
        reply = await self.lane.run(Request(self.path, sql, values, limit_ms / 1000, most if truncate else None))
        if reply.error:
            error = getattr(sqlite3, reply.error, sqlite3.OperationalError)(reply.text)
            raise QueryInterrupted(error, sql, params) if reply.text == "interrupted" else error
        rows = _as_rows(reply.columns, reply.rows)
        return Results(rows, reply.truncated, [(name, None, None, None, None, None, None) for name in reply.columns])

    async def table_counts(self, limit: int = 10) -> dict[str, int | None]:  # noqa: ARG002  # Datasette's signature
        """Return the rows of every table; they never change."""
        if self._counts is None:
            self._counts = await self.execute_fn(_count_tables)
        return dict(self._counts)

    async def attached_databases(self) -> list[Any]:
        """Return what is attached to this file: nothing."""
        return []


def _read_all(conn: sqlite3.Connection, sql: str) -> Results:
    cursor = conn.execute(sql)
    return Results(cursor.fetchall(), False, cursor.description)


def _count_tables(conn: sqlite3.Connection) -> dict[str, int]:
    names = [row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {name: int(conn.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for name in names}


def _as_rows(columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> list[sqlite3.Row]:
    """Return rows as SQLite's own, which Datasette tells from others; those need a cursor that has their names."""
    if not columns:
        return []
    names = ", ".join('NULL AS "{}"'.format(name.replace('"', '""')) for name in columns)
    with closing(sqlite3.connect(":memory:")) as conn:
        cursor = conn.execute(f"SELECT {names}")
        return [sqlite3.Row(cursor, tuple(row)) for row in rows]


class _Build:
    """What is kept in memory of a published build, which never changes."""

    def __init__(self) -> None:
        self.search = Kept(installed_encoder())
        self.read: dict[Callable[[sqlite3.Connection], Any], Any] = {}


_builds: dict[str, _Build] = {}


def _build(conn: sqlite3.Connection) -> _Build:
    (_, _, file) = conn.execute("PRAGMA database_list").fetchone()
    build = _builds.get(file)
    if build is None:
        for other in list(_builds)[:-1]:  # the build before this one may still be read from
            _builds.pop(other, None)
        build = _builds.setdefault(file, _Build())
    return build


def search_in(datasette: Any, conn: sqlite3.Connection) -> SqliteSearch:
    """Return search over the build that a connection reads; what it keeps is read once for all connections."""
    return SqliteSearch(conn, datasette.setting("sql_time_limit_ms"), kept=_build(conn).search)


def once(conn: sqlite3.Connection, read: Callable[[sqlite3.Connection], _T]) -> _T:
    """Return what a function reads of the build that a connection reads: it is called once a publication."""
    kept = _build(conn).read
    if read not in kept:
        kept[read] = read(conn)
    found: _T = kept[read]
    return found


def install(datasette: Any, public: Path) -> None:
    """Put the published database into a Datasette.

    Raises:
        UnpublishedError: there is none.
    """
    _put(datasette, read_publication(public))


def open_anew(datasette: Any, public: Path) -> None:
    """Put the published database in the place of the files of its folder that a Datasette has opened.

    Raises:
        UnpublishedError: there is none.
    """
    opened = {name for name, each in datasette.databases.items() if each.path and Path(each.path).parent == public}
    kept = {name: each for name, each in datasette.databases.items() if name not in {*opened, "_memory"}}
    datasette.databases = type(datasette.databases)(kept)
    install(datasette, public)


def refresh(datasette: Any) -> None:
    """Change to the newest build if there is one; costs one ``stat`` if there is none.

    A ``current.json`` that is gone or cannot be read changes nothing: what is shown stays shown.
    """
    shown = current(datasette).publication
    try:
        if _stamp(shown.public) != shown.stamp:
            _put(datasette, read_publication(shown.public))
    except (OSError, UnpublishedError):
        return


def current(datasette: Any) -> PublishedDatabase:
    """Return the database that is shown now."""
    database: PublishedDatabase = datasette.databases[DATABASE]
    return database


def _put(datasette: Any, publication: Publication) -> None:
    # Neither add_database(), which renames on a clash, nor remove_database(), which in Datasette 1.0
    # closes what requests in flight are reading from. Like both, the mapping is replaced, not changed.
    databases = datasette.databases.copy()
    shown = databases.get(DATABASE)
    lane = shown.lane if isinstance(shown, PublishedDatabase) else Lane()
    databases[DATABASE] = PublishedDatabase(datasette, publication, lane)
    datasette.databases = databases
