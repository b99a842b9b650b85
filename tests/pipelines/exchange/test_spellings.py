"""One name in two of Unicode's spellings is one name, from file to catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from metadata.names import composed
from pipelines.exchange.timetables import import_timetables
from pipelines.storage.archive_folder import Context, init, open_archive

CASES = Path(__file__).parents[2] / "cases" / "timetables"


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    init(tmp_path / "archive", title="Test")
    with open_archive(tmp_path / "archive") as context:
        yield context


def test_two_spellings_of_a_name_are_one_person(context: Context) -> None:
    import_timetables(context, [str(CASES / "met_csv_nfd.csv")])
    [(name,)] = context.db.execute("SELECT name FROM person").fetchall()
    assert composed(name) == "Zoë Krämer"
    assert context.db.execute("SELECT count(*) FROM session_person").fetchone() == (2,)


@pytest.mark.parametrize(("first", "second"), [("nfc", "nfd"), ("nfd", "nfc")])
def test_the_other_spelling_changes_nothing(context: Context, first: str, second: str) -> None:
    import_timetables(context, [str(CASES / f"met_{first}.yaml")])
    [done] = import_timetables(context, [str(CASES / f"met_{second}.yaml")])
    [applied] = done.applied
    assert (applied.event, applied.added, applied.changed, applied.dropped) == ("unchanged", (), (), ())
