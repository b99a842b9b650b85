"""Seals: digests of what Rostra wrote into the catalogue, by which damage inside of it is found.

SQLite's own check finds pages that are broken, and not a byte of a title that has changed on the disk. So every
connection that writes (`archive.catalogue.database`) has temporary triggers that keep, beside each row of every table,
a digest of it: a row that was changed by anything else no longer has the digest of its seal. Of segments and words, a
thousand rows share a seal.

Digests of rows are added up (modulo 2**48), so that a row which comes, goes or changes is one addition. They are to
find accidents: whoever can write the file can write its seals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from archive.connection import open_readonly
from archive.errors import called_by_sqlite, sqlite_errors
from archive.sqlite import Database, sqlite3

MASK = (1 << 48) - 1
FUNCTION = "digest_of_row"
SHARED_BITS = {"segment": 10, "word": 10}
"""How many bits of the number that names a row do not count for its seal."""
_WITHOUT = {"seal", "passage"}
"""Tables without seals: `archive.index.verify` holds passages against the transcripts."""


@dataclass(frozen=True, slots=True)
class Broken:
    """Rows that are not what Rostra wrote: their table, the number of their seal, and the digest that they should have.

    Attributes:
        count: how many rows there are now.
    """

    table: str
    number: int
    digest: int
    count: int

    def __str__(self) -> str:
        bits = SHARED_BITS.get(self.table)
        if bits:
            return f"{self.table}: rows {self.number << bits} to {((self.number + 1) << bits) - 1}"
        return f"{self.table}: row {self.number}"


@called_by_sqlite
def _digest(*values: bytes | None) -> int:
    text = b"\x1e".join([b"\0" if value is None else value for value in values])
    return int.from_bytes(blake2b(text, digest_size=6).digest(), "big")


def sealed_tables(conn: sqlite3.Connection) -> list[str]:
    """Return the tables whose rows have seals: all but indexes for search."""
    rows = conn.execute(
        "SELECT name FROM main.sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
        " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_sqlite%' ESCAPE '\\'"
        " AND name NOT GLOB '*_fts_*' ORDER BY name"
    ).fetchall()
    return [row[0] for row in rows if row[0] not in _WITHOUT]


def _columns(conn: sqlite3.Connection, table: str, schema: str = "main") -> list[str]:
    return [row[0] for row in conn.execute("SELECT name FROM pragma_table_info(?, ?)", (table, schema)).fetchall()]


def _number(table: str, columns: list[str], row: str) -> str:
    """Return the expression of the number of a row's seal: rows without an id are told by their first column."""
    name = "id" if "id" in columns else columns[0]
    return f"({row}{name} >> {SHARED_BITS.get(table, 0)})"


def _digest_of(columns: list[str], row: str) -> str:
    # As bytes: what is damaged may be no text any more.
    return f"{FUNCTION}({', '.join(f'CAST({row}{name} AS BLOB)' for name in columns)})"


def keep_seals(conn: sqlite3.Connection) -> None:
    """Have a connection seal whatever it writes."""
    conn.create_function(FUNCTION, -1, _digest, deterministic=True)
    # Rows that an INSERT OR REPLACE removes count as removed (https://sqlite.org/lang_conflict.html).
    conn.execute("PRAGMA recursive_triggers = ON")
    for table in sealed_tables(conn):
        columns = _columns(conn, table)
        for event in ("INSERT", "DELETE", "UPDATE"):
            changes = "".join(_change(table, columns, row, sign) for row, sign in _CHANGES[event])
            conn.execute(f"CREATE TEMP TRIGGER seal_{event}_{table} AFTER {event} ON main.{table} BEGIN {changes}END")


_CHANGES = {"INSERT": (("new.", 1),), "DELETE": (("old.", -1),), "UPDATE": (("old.", -1), ("new.", 1))}


def _change(table: str, columns: list[str], row: str, sign: int) -> str:
    """Return the statement that adds a row to its seal, or takes it away."""
    return (
        f"INSERT INTO seal(part, number, digest) VALUES ('{table}', {_number(table, columns, row)},"
        f" ({sign} * {_digest_of(columns, row)}) & {MASK}) ON CONFLICT(part, number)"
        f" DO UPDATE SET digest = (digest + excluded.digest) & {MASK}; "
    )


def is_sealed(conn: sqlite3.Connection, migrations: int) -> bool:
    """Return whether everything was sealed since the last of so many migrations: they change what a row has."""
    row = conn.execute("SELECT digest FROM main.seal WHERE part = ''").fetchone()
    return row is not None and row[0] == migrations


def seal_all(conn: sqlite3.Connection, migrations: int) -> None:
    """Seal everything as it is now, after so many migrations."""
    conn.execute("DELETE FROM main.seal")
    conn.execute("INSERT INTO main.seal VALUES ('', 0, ?)", (migrations,))
    for table in sealed_tables(conn):
        conn.execute(f"INSERT INTO main.seal(part, number, digest) SELECT '{table}', * FROM ({_sums(conn, table)})")


def _sums(conn: sqlite3.Connection, table: str, schema: str = "main") -> str:
    columns = _columns(conn, table, schema)
    number = _number(table, columns, "")
    return f"SELECT {number} AS number, sum({_digest_of(columns, '')}) & {MASK} FROM {schema}.{table} GROUP BY 1"


def broken_seals(db: Database) -> list[Broken]:
    """Return the rows of a catalogue that are not what Rostra wrote. The caller owns the transaction."""
    conn = db.conn
    conn.create_function(FUNCTION, -1, _digest, deterministic=True)
    return [each for table in sealed_tables(conn) for each in _broken(conn, table)]


def told(db: Database, broken: list[Broken]) -> Iterator[str]:
    """Yield what people call rows that are not what Rostra wrote."""
    for each in broken:
        where = f"{_number(each.table, _columns(db.conn, each.table), '')} = ?"
        labels = []
        if query := _LABELS.get(each.table):
            rows = db.execute(
                f"{query} IN (SELECT id FROM {each.table} WHERE {where}) LIMIT 3", [each.number]
            ).fetchall()
            labels = [bytes(row[0] or b"").decode(errors="replace") for row in rows]
        yield f"{each} was changed, and not by Rostra" + (f" ({', '.join(labels)})" if labels else "")


_OF_RECORDING = (
    "SELECT DISTINCT CAST(coalesce(event.slug || '/' || session.slug, original_name) AS BLOB) FROM recording"
    " LEFT JOIN session ON session.id = session_id LEFT JOIN event ON event.id = session.event_id"
)
_LABELS = {
    "event": "SELECT CAST(slug AS BLOB) FROM event WHERE id",
    "session": "SELECT CAST(event.slug || '/' || session.slug AS BLOB) FROM session JOIN event ON event.id = event_id"
    " WHERE session.id",
    "person": "SELECT CAST(slug AS BLOB) FROM person WHERE id",
    "recording": f"{_OF_RECORDING} WHERE recording.id",
    "transcript": f"{_OF_RECORDING} JOIN transcript ON recording_id = recording.id WHERE transcript.id",
    "segment": f"{_OF_RECORDING} JOIN transcript ON recording_id = recording.id JOIN segment ON transcript_id ="
    " transcript.id WHERE segment.id",
}
"""Queries of what people call a row of a table, up to its id."""


def _broken(conn: sqlite3.Connection, table: str) -> Iterator[Broken]:
    sealed = dict(conn.execute("SELECT number, digest FROM seal WHERE part = ?", (table,)).fetchall())
    there = dict(conn.execute(_sums(conn, table)).fetchall())
    counts = {}
    for number in sorted(sealed.keys() | there.keys()):
        if sealed.get(number, 0) != there.get(number, 0):
            where = f"{_number(table, _columns(conn, table), '')} = ?"
            counts[number] = conn.execute(f"SELECT count(*) FROM {table} WHERE {where}", (number,)).fetchone()[0]
    yield from (Broken(table, number, sealed.get(number, 0), count) for number, count in counts.items())


def accept(db: Database, broken: list[Broken]) -> None:
    """Seal rows as they are now: somebody has looked at them. The caller owns the transaction."""
    conn = db.conn
    for each in broken:
        where = f"{_number(each.table, _columns(conn, each.table), '')} = ?"
        conn.execute("DELETE FROM seal WHERE part = ? AND number = ?", (each.table, each.number))
        conn.execute(
            f"INSERT INTO seal(part, number, digest) SELECT ?, ?, sum({_digest_of(_columns(conn, each.table), '')})"
            f" & {MASK} FROM {each.table} WHERE {where} HAVING count(*) > 0",
            (each.table, each.number, each.number),
        )


def bring_back(catalogue: Path, copy: Path, broken: list[Broken]) -> list[Broken]:
    """Bring back rows of a catalogue from a copy that has them as they were written; return those that it has not.

    The seals say how rows should be, so that what was written since the copy was made is never undone.

    Raises:
        ArchiveError: the catalogue cannot be written, or the copy not be read.
    """
    open_readonly(copy, immutable=True).close()
    with sqlite_errors():
        conn = sqlite3.connect(catalogue, isolation_level=None, uri=True)
        try:
            conn.create_function(FUNCTION, -1, _digest, deterministic=True)
            conn.execute("ATTACH ? AS copy", (f"file:{copy}?mode=ro",))
            conn.execute("PRAGMA foreign_keys = OFF")
            conn.execute("BEGIN IMMEDIATE")
            # Triggers would note that these rows change now.
            triggers = conn.execute("SELECT name, sql FROM main.sqlite_master WHERE type = 'trigger'").fetchall()
            for name, _ in triggers:
                conn.execute(f'DROP TRIGGER main."{name}"')
            left = [each for each in broken if not _bring_back(conn, each)]
            for _, sql in triggers:
                conn.execute(sql)
            conn.execute("COMMIT")
        finally:
            conn.close()
    return left


def _bring_back(conn: sqlite3.Connection, broken: Broken) -> bool:
    """Put a copy's rows in the place of broken ones, if they have the digest that those should have."""
    table, columns = broken.table, _columns(conn, broken.table)
    if _columns(conn, table, "copy") != columns:
        return False
    where = f"{_number(table, columns, '')} = ?"
    (digest,) = conn.execute(
        f"SELECT coalesce(sum({_digest_of(columns, '')}), 0) & {MASK} FROM copy.{table} WHERE {where}", (broken.number,)
    ).fetchone()
    if digest != broken.digest:
        return False
    conn.execute(f"DELETE FROM main.{table} WHERE {where}", (broken.number,))
    conn.execute(f"INSERT INTO main.{table} SELECT * FROM copy.{table} WHERE {where}", (broken.number,))
    return True
