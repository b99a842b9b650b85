"""Spoilt files are refused or read, and never leave anything half done."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive.catalogue.importing import apply_people, apply_reading
from archive.connection import transaction
from archive.sqlite import Database
from metadata.errors import MetadataError
from metadata.timetables import WRITERS, read_timetables
from tests.metadata.timetables.test_cases import READABLE
from tests.mutations import mutations

SPOILT = 30
MORE = 400
"""How many copies of each file the long test spoils."""


class _EnoughError(Exception):
    """Ends a transaction that was only to show that the catalogue would take it."""


def take(db: Database, data: bytes, name: str) -> bool:
    """Read and apply a file as an import does, undo it, and say whether it was read."""
    try:
        reading = read_timetables(data, name)
    except MetadataError:
        return False
    try:
        with transaction(db):
            apply_reading(db, reading, format_name="any", decided_at="")
            apply_people(db, reading.people)
            raise _EnoughError  # noqa: TRY301 - the transaction's own way to roll back
    except _EnoughError:
        pass
    for event in reading.events:
        for writer in WRITERS.values():
            writer(event)
    return True


def size(db: Database) -> tuple[int, ...]:
    return tuple(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("event", "person", "imported"))


@pytest.mark.parametrize("path", READABLE, ids=lambda path: path.name)
@pytest.mark.parametrize(
    ("count", "seed"), [pytest.param(SPOILT, 5, id="some"), pytest.param(MORE, 6, id="many", marks=pytest.mark.long)]
)
def test_a_spoilt_file_is_read_or_refused(catalogue: Database, path: Path, count: int, seed: int) -> None:
    read = [take(catalogue, data, path.name) for data in mutations(path.read_bytes(), count, seed)]
    assert len(read) == count
    assert size(catalogue) == (0, 0, 0)
