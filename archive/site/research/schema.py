"""The schema of what is published, with what each table and column means."""

from __future__ import annotations

from typing import Any, NamedTuple

from archive.publication.documentation import TABLES, Documented, unit_of
from archive.site.render import render
from archive.site.research.canned import QUERIES
from archive.sqlite import sqlite3


class ColumnLine(NamedTuple):
    """A column: name, type, what it means, unit, and the table and column that it refers to."""

    name: str
    type: str
    about: str
    unit: str
    refers_to: tuple[str, str] | None


class TableLine(NamedTuple):
    """A table: name, what a row is, how many rows it has (None of a view), and its columns."""

    name: str
    about: str
    rows: int | None
    columns: tuple[ColumnLine, ...]


async def schema(datasette: Any, request: Any) -> Any:
    """``/schema``: every table and column, and queries to begin with."""
    return await render(
        datasette, request, "schema.html", lambda conn: {"tables": read_schema(conn), "queries": QUERIES}
    )


def read_schema(conn: sqlite3.Connection) -> list[TableLine]:
    """Return the tables of a published database that are documented; an older one has fewer."""
    kinds = dict(map(tuple, conn.execute("SELECT name, type FROM sqlite_master").fetchall()))
    return [_line(conn, name, kinds[name], known) for name, known in TABLES.items() if name in kinds]


def _line(conn: sqlite3.Connection, name: str, kind: str, known: Documented) -> TableLine:
    columns = {row[0]: row[1] for row in conn.execute("SELECT name, type FROM pragma_table_info(?)", (name,))}
    references = {
        row[0]: (row[1], row[2] or "id")
        for row in conn.execute('SELECT "from", "table", "to" FROM pragma_foreign_key_list(?)', (name,))
    }
    lines = tuple(
        ColumnLine(each, columns[each].lower(), about, unit_of(each), references.get(each))
        for each, about in known.columns.items()
        if each in columns
    )
    # What SQLite counted when it was published; a view has no rows of its own, and an index none to be read.
    plain = kind == "table" and not name.endswith("_fts") and name != "vocabulary"
    rows = conn.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] if plain else None  # a name of ours
    return TableLine(name, known.about, rows, lines)
