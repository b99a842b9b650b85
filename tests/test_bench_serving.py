"""The bench of the served site measures what it says, on an archive of two sessions."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.bench.serving import measure, parse, tables

SMALL = ["--sessions=2", "--seconds=1", "--publishes=1", "--few=1", "--many=2", "--workers", "1"]


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_every_part_asks_and_is_answered(tmp_path: Path) -> None:
    parts = ["--parts", "pages", "sql", "publishing", "memory"]
    *_, report = measure(tmp_path / "archive", parse([*SMALL, *parts]))
    pages, slow, published, memory = (report[part] for part in ("pages", "slow_sql", "publishing", "memory"))
    assert pages.keys() == {
        "Datasette's table page",
        "static file",
        *(f"{name}, kept, 1" for name in ("home", "search", "session", "captions", "media")),
        *(f"{name}, made, 1" for name in ("home", "search", "session", "captions")),
    }
    assert {each["failed"] for each in pages.values()} == {0}
    assert pages["Datasette's table page"]["of_table_page"] == pages["static file"]["of_static_file"] == 1
    assert slow["alone"]["failed"] == slow["attacked"]["failed"] == 0
    assert (report["sessions"], published["publishes"], published["failed"]) == (2, 1, 0)
    assert memory["many_mb"] > 0
    assert json.loads(json.dumps(report)) == report
    assert len(list(tables(report))) == 1 + len(pages) + 3
