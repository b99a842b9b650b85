"""The example archive, made by the real command with real weights: what a new user sees first."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import msgspec
import pytest

from archive.connection import open_readonly
from archive.search.sqlite_search import SqliteSearch
from archive.sqlite import Database
from pipelines.demo import SEARCHES
from tests.archive.build import PATIENT_MS
from tests.pipelines.cli.test_cli import rostra

pytestmark = pytest.mark.speech


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("demo") / "demo"
    done = rostra("demo", root, "--no-serve")
    assert done.returncode == 0, done.stderr
    return root


def published(root: Path) -> Database:
    current = msgspec.json.decode((root / "public" / "current.json").read_bytes())
    return open_readonly(root / "public" / current["database"], immutable=True)


def test_demo_holds_what_it_promises(demo: Path) -> None:
    db = published(demo)
    kinds = [row[0] for row in db.execute("SELECT kind FROM recording").fetchall()]
    languages = {row[0] for row in db.execute("SELECT language FROM transcript WHERE is_current").fetchall()}
    uncredited = db.execute("SELECT count(*) FROM recording WHERE credit IS NULL OR licence IS NULL").fetchone()[0]
    db.close()
    assert len(kinds) >= 6
    assert "video" in kinds
    assert len(languages) >= 3
    assert uncredited == 0


def test_last_words_of_every_transcript_are_found(demo: Path) -> None:
    db = published(demo)
    last = list(
        db.query(
            "SELECT session.slug, text, max(segment.position) FROM segment"
            " JOIN transcript ON transcript.id = transcript_id AND is_current"
            " JOIN recording ON recording.id = recording_id JOIN session ON session.id = session_id"
            " WHERE flags = '[]' GROUP BY session.id"
        )
    )
    assert len(last) == db.execute("SELECT count(*) FROM recording").fetchone()[0]
    search = SqliteSearch(db.conn, PATIENT_MS)
    unfound = [
        row["slug"]
        for row in last
        if row["slug"] not in {hit.session for hit in search.search('"' + row["text"].replace('"', " ") + '"').hits}
    ]
    db.close()
    assert unfound == []


@pytest.mark.parametrize("query", SEARCHES)
def test_searches_to_try_find_something(demo: Path, query: str) -> None:
    assert json.loads(rostra("search", query, "--json", "--archive", demo).stdout)


def test_demo_again_finds_nothing_due(demo: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (demo / "public").rglob("*")}
    again = rostra("demo", demo, "--no-serve")
    assert again.returncode == 0
    assert "Nothing is due" in again.stderr
    assert f"rostra --archive {demo} search {shlex.quote(SEARCHES[0])}" in again.stdout
    assert {path: path.stat().st_mtime_ns for path in (demo / "public").rglob("*")} == before
