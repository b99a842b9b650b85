"""The SQLite library that all of Rostra uses.

It is ``pysqlite3``: the libraries of operating systems are often older than 3.43, which contentless-delete indexes
need, and versions 3.7.0 to 3.51.2 can corrupt a database in WAL mode when a checkpoint races a writer
(https://sqlite.org/wal.html#walresetbug). sqlite-utils and Datasette choose the same library by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlite_utils import Database

if TYPE_CHECKING:
    import sqlite3
else:
    from pysqlite3 import dbapi2 as sqlite3

__all__ = ["Database", "sqlite3"]
