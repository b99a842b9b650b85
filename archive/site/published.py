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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from datasette.database import Database

from archive.errors import UnpublishedError
from archive.search.cache import Kept
from archive.search.sqlite_search import SqliteSearch
from archive.sqlite import sqlite3

DATABASE = "data"
"""What Datasette calls the published database, whichever file it is: its own pages are at ``/data``."""

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


class PublishedDatabase(Database):  # type: ignore[misc]  # Datasette has no types
    """One published build, opened immutable."""

    def __init__(self, datasette: Any, publication: Publication) -> None:
        super().__init__(datasette, path=str(publication.database), is_mutable=False)
        self.name = self.route = DATABASE
        self.publication = publication
        # Datasette would read the whole file to hash it, and use six letters of that as a colour.
        self.cached_hash = publication.database.stem.removeprefix("catalogue-")
        self._threads = threading.local()

    async def execute_fn(self, fn: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run a function on a read connection to this build, in one of Datasette's threads.

        Datasette 0.65 keeps a thread's connections by the database's name, so that after a change of
        build it would go on reading the old file.
        """

        def in_thread() -> _T:
            conn: sqlite3.Connection | None = getattr(self._threads, "conn", None)
            if conn is None:
                conn = self.connect()
                self.ds._prepare_connection(conn, self.name)  # noqa: SLF001  # what the method above it calls
                self._threads.conn = conn
            return fn(conn)

        return await asyncio.get_running_loop().run_in_executor(self.ds.executor, in_thread)


_kept: dict[str, Kept] = {}


def search_in(datasette: Any, conn: sqlite3.Connection) -> SqliteSearch:
    """Return search over the build that a connection reads; what it keeps is read once for all connections."""
    (_, _, file) = conn.execute("PRAGMA database_list").fetchone()
    kept = _kept.get(file)
    if kept is None:
        for other in list(_kept)[:-1]:  # the build before this one may still be read from
            _kept.pop(other, None)
        kept = _kept.setdefault(file, Kept())
    return SqliteSearch(conn, datasette.setting("sql_time_limit_ms"), kept=kept)


def install(datasette: Any, public: Path) -> None:
    """Put the published database into a Datasette.

    Raises:
        UnpublishedError: there is none.
    """
    _put(datasette, read_publication(public))


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
    databases[DATABASE] = PublishedDatabase(datasette, publication)
    datasette.databases = databases
