"""The rows of an extract as JSON lines, one file a table, and a catalogue made of such files.

The catalogue of an extract is made by the migrations that its own had, and then brought up to date like any other. So
its rows pass every rule of the schema, whoever wrote the files.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

import msgspec

from archive.catalogue.database import catalogue_names
from archive.catalogue.migrations import catalogue_migrations
from archive.catalogue.snapshot import kept_files
from archive.catalogue.transcripts import read_transcript
from archive.connection import transaction
from archive.errors import ArchiveError, CatalogueVersionError, ExtractError, sqlite_errors
from archive.extracts.parts import PARTS
from archive.sqlite import Database, sqlite3
from metadata.timetables.slugs import is_slug

Value: TypeAlias = str | int | float | None
Row: TypeAlias = dict[str, Value]

MAX_ROW_BYTES = 64 << 20
"""Of one line: nobody's abstract is as long."""


def tables(db: Database) -> list[str]:
    """Return the tables of an extract that a database has, parents before children."""
    there = set(db.table_names())
    return [name for name in PARTS if name in there]


def dump(db: Database, table: str) -> Iterator[Row]:
    """Yield the rows of a table that belong to what was chosen (`archive.extracts.parts.choose`), in their order."""
    part = PARTS[table]
    columns = ", ".join(
        f"iif({part.outward[name]}, {name}, NULL) AS {name}" if name in part.outward else name
        for name in (column.name for column in db[table].columns)
    )
    order = ", ".join(column.name for column in db[table].columns if column.is_pk) or "rowid"
    yield from db.query(f"SELECT {columns} FROM {table} WHERE {part.rows} ORDER BY {order}")


def write_rows(rows: Iterable[Row], path: Path) -> int:
    """Write rows as JSON lines, and return how many."""
    count = 0
    with path.open("wb") as file:
        for row in rows:
            file.write(msgspec.json.encode(row) + b"\n")
            count += 1
    return count


def applied(db: Database) -> list[str]:
    """Return the names of the migrations that made a catalogue, in order."""
    return [each.name for each in catalogue_migrations.applied(db)]


def make_catalogue(path: Path, folder: Path, migrations: list[str], named: list[str]) -> Database:
    """Make a catalogue of an extract's rows, with every migration applied, and check what no rule of the schema says.

    Args:
        path: where it is made; nothing is there yet.
        folder: holds ``TABLE.jsonl``.
        migrations: those that made the catalogue which the rows are of.
        named: the tables of which there are rows.

    Raises:
        ExtractError: a row breaks a rule.
        CatalogueVersionError: a newer Rostra wrote them.
    """
    if unknown := tuple(sorted(set(migrations) - set(catalogue_names()))):
        raise CatalogueVersionError(folder, unknown)
    db = Database(sqlite3.connect(path, isolation_level=None))
    try:
        later = [name for name in catalogue_names() if name not in migrations]
        catalogue_migrations.apply(db, stop_before=later[:1])
        if applied(db) != migrations:
            raise ExtractError(f"{folder} is not of a catalogue that Rostra made")
        if strange := set(named) - set(tables(db)):
            raise ExtractError(f"the catalogue that {folder} is of has no table {min(strange)!r}")
        _drop_triggers(db)
        with transaction(db):
            for table in (each for each in tables(db) if each in named):
                _load(db, table, folder / f"{table}.jsonl")
            if broken := db.execute("PRAGMA foreign_key_check").fetchone():
                raise ExtractError(
                    f"{broken[0]}.jsonl: row {broken[1]} refers to a row of {broken[2]} that is not in it"
                )
        catalogue_migrations.apply(db)
        _drop_triggers(db)
        with sqlite_errors():
            _check(db)
    except ArchiveError as error:
        db.close()
        raise error if isinstance(error, ExtractError | CatalogueVersionError) else ExtractError(str(error)) from error
    return db


def _drop_triggers(db: Database) -> None:
    """Let rows be as they are written: triggers would note that they change now."""
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f'DROP TRIGGER "{name}"')


def _load(db: Database, table: str, path: Path) -> None:
    known = {column.name for column in db[table].columns}
    bytes_in = {column.name for column in db[table].columns if column.type == "BLOB"}
    for number, row in enumerate(_read(path), 1):
        if strange := row.keys() - known:
            raise ExtractError(f"{path.name}, line {number}: {table} has no column {min(strange)!r}")
        names = ", ".join(row)
        try:
            values = [_as_bytes(value) if name in bytes_in else value for name, value in row.items()]
            db.execute(f"INSERT INTO {table}({names}) VALUES ({', '.join('?' * len(row))})", values)
        except (sqlite3.Error, OverflowError, ValueError) as error:
            raise ExtractError(f"{path.name}, line {number}: the catalogue refuses it ({error})") from error


def _as_bytes(value: Value) -> bytes | None:
    """Return the bytes that JSON has in base64 (RFC 4648)."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("bytes are written in base64")  # noqa: TRY004 to be told with the row
    return base64.b64decode(value, validate=True)


def _read(path: Path) -> Iterator[Row]:
    decoder = msgspec.json.Decoder(Row)
    with path.open("rb") as file:
        number = 0
        while line := file.readline(MAX_ROW_BYTES + 1):
            number += 1
            if len(line) > MAX_ROW_BYTES:
                raise ExtractError(f"{path.name}, line {number}: a row is longer than {MAX_ROW_BYTES >> 20} MiB")
            try:
                row = decoder.decode(line)
            except msgspec.DecodeError as error:
                raise ExtractError(f"{path.name}, line {number}: it is no row ({error})") from error
            if not row:
                raise ExtractError(f"{path.name}, line {number}: the row is empty")
            yield row


def _check(db: Database) -> None:
    """Raise ExtractError where rows would mislead who uses them: names of files, addresses, unreadable words."""
    named = db.execute("SELECT sha256, suffix FROM recording").fetchall()
    for sha256, suffix, *_ in (*named, *kept_files(db)):
        if not is_stored_name(sha256, suffix):
            raise ExtractError(f"{sha256!r} and {suffix!r} are no name of a file in a store")
    for table in ("series", "event", "session", "person"):
        for (slug,) in db.execute(f"SELECT slug FROM {table}").fetchall():
            if not is_slug(slug):
                raise ExtractError(f"{slug!r} is no name of a {table} in an address")
    for table, column, kind in _SHAPES:
        wrong = db.execute(f"SELECT 1 FROM {table} WHERE json_type({column}) <> ?", [kind]).fetchone()
        if wrong:
            raise ExtractError(f"{table}.jsonl: {column} is no JSON {kind}")
    for (number,) in db.execute("SELECT id FROM transcript ORDER BY id").fetchall():
        try:
            read_transcript(db, number)
        except (msgspec.MsgspecError, ValueError) as error:
            raise ExtractError(f"transcript {number} cannot be read ({error})") from error


_SHAPES = (
    ("recording_source", "tags", "array"), ("recording", "streams", "array"), ("provenance", "about", "object"),
    ("person_source", "said", "object"), ("imported", "said", "object"), ("transcript", "parameters", "object"),
)  # fmt: skip
"""Columns of JSON, and what it is."""


def is_stored_name(sha256: object, suffix: object) -> bool:
    """Return whether these name a file in a store: a digest, and an ending without a path."""
    return (
        isinstance(sha256, str)
        and isinstance(suffix, str)
        and re.fullmatch("[0-9a-f]{64}", sha256) is not None
        and re.fullmatch(r"(\.[A-Za-z0-9]{1,8})?", suffix) is not None
    )
