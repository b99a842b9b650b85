import csv
import io
import json

import pytest

from archive.connection import transaction
from archive.index.passages import rebuild
from archive.research import Research
from archive.research.frequency import Rate
from archive.search import exports
from archive.search.sqlite_search import Filters
from archive.sqlite import Database
from tests.archive.build import add_event, add_session, add_transcript, blank

HOUR = 720
"""Segments of five seconds."""


@pytest.fixture(scope="module")
def db() -> Database:
    """An hour in 2021 and half an hour in 2022, by two people."""
    db = blank()
    early = add_session(db, add_event(db, "early", start_date="2021-01-01"), "first", ["Ada"])
    spoken = ["The lamp burns.", "=cmd lamps, lamp!", *["Waves come in."] * (HOUR - 2)]
    add_transcript(db, early, spoken, doubtful=[5])
    late = add_session(db, add_event(db, "late", start_date="2022-01-01"), "second", ["Bo"])
    add_transcript(db, late, ["A lamp by the sea.", *["Le vent."] * (HOUR // 2 - 1)], language="fr")
    with transaction(db):
        rebuild(db)
    return db


def test_every_moment_in_order(db: Database) -> None:
    hits = list(Research(db.conn).moments("lamp"))
    assert [(hit.session, hit.start_ms, len(hit.matches)) for hit in hits] == [
        ("first", 0, 1),
        ("first", 5_000, 2),
        ("second", 0, 1),
    ]
    assert len(list(Research(db.conn).moments("waves"))) == HOUR - 3
    research = Research(db.conn)
    assert len(list(research.moments("waves", limit=10))) == 10
    assert not research.complete


def test_concordance_has_a_line_for_every_match(db: Database) -> None:
    lines = Research(db.conn).concordance("lamp", Filters(event="early"))
    assert [(line.left.strip(), line.match, line.right.strip()) for line in lines] == [
        ("The", "lamp", "burns. =cmd lamps, lamp!"),
        ("The lamp burns. =cmd", "lamps", ", lamp! Waves come in."),
        ("The lamp burns. =cmd lamps,", "lamp", "! Waves come in."),
    ]


@pytest.mark.parametrize("query", ["lamp", "lamp OR lamps", "lam*"])
def test_frequency_an_hour(db: Database, query: str) -> None:
    research = Research(db.conn)
    assert research.frequency(query, "year") == [Rate("2021", "2021", 3, 1.0, 3.0), Rate("2022", "2022", 1, 0.5, 2.0)]
    assert [rate.label for rate in research.frequency(query, "person")] == ["Ada", "Bo"]
    assert research.frequency(query, "language", Filters(year="2022")) == [Rate("fr", "fr", 1, 0.5, 2.0)]
    assert [rate.value for rate in research.frequency(query, "event")] == ["early", "late"]
    assert research.complete


@pytest.mark.parametrize("query", ["", "…", "-lamp", "zeppelin", "lamp language:klatchian", "lamp event:nowhere"])
def test_nothing_to_find(db: Database, query: str) -> None:
    research = Research(db.conn)
    assert list(research.moments(query)) == []
    assert research.concordance(query) == []
    assert research.collocates(query) == []
    assert sum(rate.occurrences for rate in research.frequency(query, "year")) == 0
    assert list(research.moments("lamp", Filters(language="klatchian"))) == []


def test_without_time_the_answer_says_that_it_is_not_whole(db: Database) -> None:
    research = Research(db.conn, 0)
    assert list(research.moments("lamp")) == []
    assert not research.complete


def test_csv_does_not_let_formulas_run(db: Database) -> None:
    text = exports.moments_to_csv(Research(db.conn).moments("cmd"))
    (row,) = csv.DictReader(io.StringIO(text))
    assert row == {
        "event": "early",
        "session": "first",
        "title": "First",
        "language": "en",
        "start_ms": "5000",
        "end_ms": "10000",
        "text": "'=cmd lamps, lamp!",
        "url": "/events/early/first?t=5",
        "transcript": "v1",
        "start_at": "2021-01-01",
        "speaker": "",
        "match": "all words",
    }


def test_json_lines_and_parquet_keep_every_text(db: Database) -> None:
    hits = list(Research(db.conn).moments("lamp"))
    rows = [json.loads(line) for line in exports.write_moments(hits, "jsonl").decode().splitlines()]
    assert [row["text"] for row in rows] == ["The lamp burns.", "=cmd lamps, lamp!", "A lamp by the sea."]
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(io.BytesIO(exports.write_moments(hits, "parquet")))
    assert table.to_pylist() == rows
