"""The SQLite library that all of Rostra uses.

It is ``pysqlite3``: the libraries of operating systems are often older than 3.43, which contentless-delete indexes
need, and versions 3.7.0 to 3.51.2 can corrupt a database in WAL mode when a checkpoint races a writer
(https://sqlite.org/wal.html#walresetbug). sqlite-utils and Datasette choose the same library by themselves.

sqlite-utils imports pandas and NumPy where they are installed, so that it can write their types, which Rostra never
has. That would take longer than all of Rostra's own imports, in every process.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, cast


@contextmanager
def _absent(name: str) -> Iterator[None]:
    """Let imports of a package within a block fail as if it were not installed, unless it is imported already.

    An import of what is None in ``sys.modules`` raises `ModuleNotFoundError`
    (https://docs.python.org/3/reference/import.html#the-module-cache).
    """
    if name in sys.modules:
        yield
        return
    sys.modules[name] = cast("ModuleType", None)
    try:
        yield
    finally:
        del sys.modules[name]


with _absent("pandas"), _absent("numpy"):
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations

if TYPE_CHECKING:
    import sqlite3
else:
    from pysqlite3 import dbapi2 as sqlite3

__all__ = ["Database", "Migrations", "sqlite3"]
