"""The rows of an extract taken into a catalogue, which may hold some of them already.

What both have is known by its name: an event by its slug, a recording by its SHA-256, a version of a transcript by the
digest of its words. Of what is known, the catalogue must say all that the extract says: where it does not, that is a
*conflict*, and nothing of it is overwritten. What is new comes with its ids where they are free, and with others where
they are not.

An extract opens nothing: a session that was kept back where it comes from is kept back here, whatever the defaults are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from archive.catalogue.addresses import address_digest
from archive.catalogue.recordings import StoredFile
from archive.catalogue.rows import Owner, touch
from archive.catalogue.snapshot import kept_files
from archive.errors import sqlite_errors
from archive.extracts.parts import PARTS, Part
from archive.index.passages import index_session
from archive.publication.deciding import CLOSED
from archive.publication.releases import sessions
from archive.sqlite import Database
from metadata.model import ReleaseState

THINGS = ("series", "event", "session", "person", "recording", "transcript")
"""Tables whose rows people count."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something that the catalogue has otherwise than the extract: what it is, for people, and where they differ."""

    thing: str
    text: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What an extract would change.

    Attributes:
        new: how many rows would come, by table.
        known: how many things are here already, by table.
        conflicts: what is here otherwise.
        purged: the SHA-256 of recordings that were deleted for good here, and do not come back.
        files: the files of the store that the new rows name.
    """

    new: dict[str, int]
    known: dict[str, int]
    conflicts: tuple[Conflict, ...]
    purged: tuple[str, ...]
    files: tuple[StoredFile, ...]


@contextmanager
def beside(db: Database, extract: Path) -> Iterator[None]:
    """Attach an extract's catalogue (`archive.extracts.rows.make_catalogue`) to a catalogue as ``bag``."""
    with sqlite_errors():
        db.execute("ATTACH ? AS bag", [str(extract)])
        try:
            yield
        finally:
            for table in _NUMBERED:
                db.execute(f"DROP TABLE IF EXISTS temp.map_{table}")
            db.execute("DETACH bag")


_NUMBERED = (
    "series",
    "event",
    "announcement",
    "place",
    "session",
    "person",
    "recording",
    "transcript",
    "speaker_tag",
    "segment",
)
"""Tables to whose ids others refer."""


@dataclass(slots=True)
class _Table:
    """A table of both catalogues."""

    name: str
    part: Part
    columns: list[str]
    refers: dict[str, str]
    """The table that a column refers to, by column."""
    wanted: str = field(init=False)
    """A condition on a row ``b`` of the extract: it may come here."""

    def __post_init__(self) -> None:
        self.wanted = " AND ".join([_WANTED.get(self.name, "1"), *self._resolved()])

    def _resolved(self) -> Iterator[str]:
        """Yield that what a row refers to is there, or comes."""
        for column in self.refers:
            if column not in self.part.outward:
                yield f"(b.{column} IS NULL OR {self.here(column)} IS NOT NULL)"

    @property
    def has_id(self) -> bool:
        return "id" in self.columns

    def here(self, column: str) -> str:
        """Return the expression of what stands here in the place of an extract's column."""
        if column not in self.refers:
            return f"b.{column}"
        return f"(SELECT new FROM temp.map_{self.refers[column]} WHERE old = b.{column})"

    def owned_by(self, *, fresh: bool) -> str:
        """Return the condition that a row belongs to something that is new, or to something that is known."""
        parts = (
            f"EXISTS (SELECT 1 FROM temp.map_{self.refers[column]} WHERE old = b.{column} AND fresh = {int(fresh)})"
            for column in self.part.owners
        )
        return f"({' OR '.join(parts)})"

    def same(self, columns: tuple[str, ...] | list[str]) -> str:
        """Return the condition that a row ``m`` of the catalogue and a row ``b`` of the extract say the same there."""
        return " AND ".join(f"m.{column} IS {self.here(column)}" for column in columns)

    def compared(self) -> list[str]:
        """Return the columns of something known that must be the same."""
        return [name for name in self.columns if name not in {"id", *self.part.ours}]


_WANTED = {
    "former_address": "b.digest NOT IN (SELECT digest FROM main.former_address)",
    "recording": "b.sha256 NOT IN (SELECT sha256 FROM main.purge WHERE sha256 IS NOT NULL)",
    "stage_run": "(substr(b.subject, 1, 64) IN (SELECT sha256 FROM bag.recording JOIN temp.map_recording ON old = id"
    " AND fresh) OR EXISTS (SELECT 1 FROM bag.provenance AS p JOIN temp.map_recording ON old = p.recording_id AND fresh"
    " WHERE p.place = b.subject OR substr(b.subject, 1, length(p.place) + 1) = p.place || '#'))",
    "purge": "(b.sha256 IS NULL OR b.sha256 NOT IN (SELECT sha256 FROM main.recording))",
}  # fmt: skip
"""What comes of a table, beside what every row must have."""
_CURRENT = (
    "iif(b.is_current AND b.kind <> 'translation' AND EXISTS (SELECT 1 FROM main.transcript AS t WHERE t.is_current"
    " AND t.kind <> 'translation' AND t.recording_id = {recording}), 0, b.is_current)"
)
"""A version that is new stands beside the one that is current here."""


def _tables(db: Database) -> Iterator[_Table]:
    for name, part in PARTS.items():
        columns = [row[0] for row in db.execute("SELECT name FROM pragma_table_info(?, 'main')", [name]).fetchall()]
        refers = db.execute('SELECT "from", "table" FROM pragma_foreign_key_list(?, \'main\')', [name]).fetchall()
        yield _Table(name, part, columns, dict(refers))


def compare(db: Database) -> Comparison:
    """Compare an extract with the catalogue that it is attached to. The caller owns the transaction."""
    new: dict[str, int] = {}
    conflicts: list[Conflict] = []
    tables = list(_tables(db))
    for table in tables:
        if table.name in _NUMBERED:
            _map(db, table)
    for table in tables:
        new[table.name] = int(db.execute(f"SELECT count(*) FROM {_fresh(table)}").fetchone()[0])
        if "*" not in table.part.ours:
            conflicts += _otherwise(db, table) if table.part.key else _missing(db, table)
    known = {
        name: int(db.execute(f"SELECT count(*) FROM temp.map_{name} WHERE NOT fresh").fetchone()[0]) for name in THINGS
    }
    purged = db.execute(
        "SELECT sha256 FROM bag.recording WHERE sha256 IN (SELECT sha256 FROM main.purge) ORDER BY sha256"
    ).fetchall()
    return Comparison(new, known, tuple(conflicts), tuple(row[0] for row in purged), _files(db))


def _map(db: Database, table: _Table) -> None:
    """Write down which id each row of the extract has here, or gets."""
    name = table.name
    db.execute(f"DROP TABLE IF EXISTS temp.map_{name}")
    db.execute(f"CREATE TEMP TABLE map_{name}(old INTEGER PRIMARY KEY, new INTEGER NOT NULL, fresh INTEGER NOT NULL)")
    for key in filter(None, (table.part.key, table.part.other_key)):
        db.execute(
            f"INSERT OR IGNORE INTO temp.map_{name} SELECT b.id, m.id, 0 FROM bag.{name} AS b"
            f" JOIN main.{name} AS m ON {table.same(key)} WHERE {table.wanted}"
        )
    if name in {"event", "person"}:
        db.conn.executemany(f"INSERT OR IGNORE INTO temp.map_{name} VALUES (?, ?, 0)", _moved(db, name))
    owned = table.owned_by(fresh=True) if table.part.owners else "1"
    db.execute(
        f"INSERT INTO temp.map_{name} SELECT b.id, b.id + ?, 1 FROM bag.{name} AS b"
        f" WHERE {table.wanted} AND {owned} AND b.id NOT IN (SELECT old FROM temp.map_{name})",
        [_offset(db, name)],
    )


def _moved(db: Database, table: str) -> Iterator[tuple[int, int]]:
    """Yield the events or people that have another address here than in the extract: their ids there, and here."""
    owner: Owner = "event_id" if table == "event" else "person_id"
    ours, theirs = (
        {row[1]: row[0] for row in db.execute(f"SELECT id, slug FROM {schema}.{table}").fetchall()}
        for schema in ("main", "bag")
    )
    left, moved = (
        {
            row[0]: row[1]
            for row in db.execute(
                f"SELECT digest, {owner} FROM {schema}.former_address WHERE {owner} IS NOT NULL"
            ).fetchall()
        }
        for schema in ("main", "bag")
    )
    for slug, number in theirs.items():
        if slug not in ours and (here := left.get(address_digest(owner, slug))):
            yield number, here
    for slug, number in ours.items():
        if slug not in theirs and (there := moved.get(address_digest(owner, slug))):
            yield there, number


def _offset(db: Database, table: str) -> int:
    """Return by how much the ids of an extract's rows are raised: by nothing where all of them are free."""
    taken = db.execute(f"SELECT 1 FROM bag.{table} WHERE id IN (SELECT id FROM main.{table}) LIMIT 1").fetchone()
    return int(db.execute(f"SELECT coalesce(max(id), 0) FROM main.{table}").fetchone()[0]) if taken else 0


def _fresh(table: _Table) -> str:
    """Return what follows FROM for the rows ``b`` of a table that are new."""
    if table.name in _NUMBERED:
        return f"bag.{table.name} AS b JOIN temp.map_{table.name} AS own ON own.old = b.id AND own.fresh"
    if table.part.owners:
        return f"bag.{table.name} AS b WHERE {table.wanted} AND {table.owned_by(fresh=True)}"
    return (
        f"bag.{table.name} AS b WHERE {table.wanted} AND NOT EXISTS"
        f" (SELECT 1 FROM main.{table.name} AS m WHERE {table.same(table.part.key)})"
    )


def _otherwise(db: Database, table: _Table) -> Iterator[Conflict]:
    """Yield the things that both have, and that differ."""
    columns = table.compared()
    if not columns:
        return
    differ = ", ".join(
        f"m.{name} IS NOT {table.here(name)}" + (f" AND b.{name} IS NOT NULL" if name in table.part.outward else "")
        for name in columns
    )
    rows = db.execute(
        f"SELECT b.id, {differ} FROM bag.{table.name} AS b JOIN temp.map_{table.name} AS own ON own.old = b.id"
        f" AND NOT own.fresh JOIN main.{table.name} AS m ON m.id = own.new ORDER BY b.id"
    ).fetchall()
    for number, *flags in rows:
        if names := [name for name, flag in zip(columns, flags, strict=True) if flag]:
            yield Conflict(_label(db, table.name, number), f"another {', '.join(names)}")


def _missing(db: Database, table: _Table) -> Iterator[Conflict]:
    """Yield what the extract says of known things, and the catalogue does not."""
    columns = [name for name in table.columns if name not in {"id", *table.part.outward}]
    columns += [name for name in table.part.outward if name not in columns]
    said = " AND ".join(
        f"(m.{name} IS {table.here(name)}" + (f" OR b.{name} IS NULL)" if name in table.part.outward else ")")
        for name in columns
    )
    rows = db.execute(
        f"SELECT {', '.join(table.part.owners)}, count(*) FROM bag.{table.name} AS b"
        f" WHERE {table.wanted} AND {table.owned_by(fresh=False)}"
        f" AND NOT EXISTS (SELECT 1 FROM main.{table.name} AS m WHERE {said})"
        f" GROUP BY {', '.join(table.part.owners)} ORDER BY 1"
    ).fetchall()
    for *owners, count in rows:
        owner, number = next(
            (table.refers[name], value)
            for name, value in zip(table.part.owners, owners, strict=True)
            if value is not None
        )
        yield Conflict(_label(db, owner, number), f"another {table.name.replace('_', ' ')} ({count} that are not here)")


_LABELS = {
    "series": "SELECT 'series ' || slug FROM bag.series WHERE id = ?",
    "event": "SELECT 'event ' || slug FROM bag.event WHERE id = ?",
    "announcement": "SELECT 'announcement ' || slug FROM bag.announcement WHERE id = ?",
    "place": "SELECT 'place ' || name FROM bag.place WHERE id = ?",
    "session": "SELECT 'session ' || event.slug || '/' || session.slug FROM bag.session"
    " JOIN bag.event ON event.id = event_id WHERE session.id = ?",
    "person": "SELECT 'person ' || slug FROM bag.person WHERE id = ?",
    "recording": "SELECT 'recording ' || substr(sha256, 1, 12) FROM bag.recording WHERE id = ?",
    "transcript": "SELECT 'transcript ' || version FROM bag.transcript WHERE id = ?",
    "speaker_tag": "SELECT 'voice ' || label FROM bag.speaker_tag WHERE id = ?",
}


def _label(db: Database, table: str, number: int) -> str:
    return str(db.execute(_LABELS[table], [number]).fetchone()[0])


def _files(db: Database) -> tuple[StoredFile, ...]:
    """Return the files of the store that new rows name."""
    bag = Database(db.execute("SELECT file FROM pragma_database_list WHERE name = 'bag'").fetchone()[0])
    try:
        named = kept_files(bag)
    finally:
        bag.close()
    coming = {
        row[0]
        for row in db.execute(
            "SELECT sha256 FROM bag.recording JOIN temp.map_recording ON old = id AND fresh UNION"
            " SELECT rendition.sha256 FROM bag.rendition JOIN temp.map_recording ON old = recording_id AND fresh UNION"
            " SELECT each.value ->> 'sha256' FROM bag.provenance JOIN temp.map_recording ON old = recording_id"
            " AND fresh, json_each(about, '$.companions') AS each"
        ).fetchall()
    }
    return tuple(file for file in named if file.sha256 in coming)


def take_in(db: Database, *, theirs: ReleaseState, ours: ReleaseState, by: str, at: str) -> list[int]:
    """Write what is new of an extract, and make it searchable. The caller owns the transaction, and has compared.

    Args:
        db: the catalogue, with the extract attached.
        theirs: what held, where the extract comes from, for sessions of which nothing was said.
        ours: what holds for them here.
        by: who takes it in.
        at: ISO 8601, UTC.

    Returns:
        The sessions that were kept back by a default there, and are by a decision here.
    """
    db.execute("PRAGMA defer_foreign_keys = ON")
    for table in _tables(db):
        _insert(db, table)
    kept = list(_keep_back(db, theirs=theirs, ours=ours, by=by, at=at))
    db.execute(
        "UPDATE main.session SET updated_at = (SELECT b.updated_at FROM bag.session AS b JOIN temp.map_session"
        " ON old = b.id WHERE new = session.id) WHERE id IN (SELECT new FROM temp.map_session WHERE fresh)"
    )
    touched = db.execute(
        "SELECT new FROM temp.map_session WHERE fresh UNION SELECT session_id FROM main.recording"
        " WHERE id IN (SELECT new FROM temp.map_recording WHERE fresh) AND session_id IS NOT NULL"
        " UNION SELECT session_id FROM main.recording JOIN main.transcript ON recording_id = recording.id"
        " WHERE transcript.id IN (SELECT new FROM temp.map_transcript WHERE fresh) AND session_id IS NOT NULL"
        " ORDER BY 1"
    ).fetchall()
    for (session,) in touched:
        index_session(db, session)
    touch(db)
    return kept


def _insert(db: Database, table: _Table) -> None:
    values = {name: table.here(name) for name in table.columns}
    if table.name in _NUMBERED:
        values["id"] = "own.new"
    elif table.has_id:
        values["id"] = f"b.id + {_offset(db, table.name)}"
    if table.name == "transcript":
        values["is_current"] = _CURRENT.format(recording=table.here("recording_id"))
    order = "ORDER BY b.id" if table.has_id else ""
    db.execute(
        f"INSERT INTO main.{table.name}({', '.join(values)}) SELECT {', '.join(values.values())}"
        f" FROM {_fresh(table)} {order}"
    )


def _keep_back(db: Database, *, theirs: ReleaseState, ours: ReleaseState, by: str, at: str) -> Iterator[int]:
    """Let sessions be kept back here as they were there."""
    came = dict(db.execute("SELECT old, new FROM temp.map_session WHERE fresh").fetchall())
    here = {each.id: each for each in sessions(db, default=ours)}
    for there in sessions(db, default=theirs, schema="bag"):
        if there.id not in came:
            continue
        now = here[came[there.id]]
        if CLOSED[now.state] > CLOSED[there.state] or (now.state, now.until) == (there.state, there.until):
            continue
        if CLOSED[now.state] == CLOSED[there.state] and now.state != "embargoed":
            continue
        db.execute(
            "INSERT OR REPLACE INTO main.release(session_id, state, until, reason, decided_at, decided_by)"
            " VALUES (?, ?, ?, '', ?, ?)",
            [now.id, there.state, there.until, at, by],
        )
        yield now.id
