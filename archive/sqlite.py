"""The SQLite library that all of Rostra uses.

It is ``pysqlite3``: the libraries of operating systems are often older than 3.43, which contentless-delete indexes
need, and versions 3.7.0 to 3.51.2 can corrupt a database in WAL mode when a checkpoint races a writer
(https://sqlite.org/wal.html#walresetbug). sqlite-utils and Datasette choose the same library by themselves.

sqlite-utils imports pandas where that is installed, so that it can write its types, which Rostra never has. That would
take longer than all of Rostra's own imports, in every process: it is told that there is none.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations
else:
    _hidden = "pandas" not in sys.modules
    if _hidden:
        sys.modules["pandas"] = None  # makes an import of it fail
    try:
        from pysqlite3 import dbapi2 as sqlite3
        from sqlite_utils import Database
        from sqlite_utils.migrations import Migrations
    finally:
        if _hidden:
            del sys.modules["pandas"]

__all__ = ["Database", "Migrations", "sqlite3"]
