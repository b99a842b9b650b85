"""Every kind of statement that strangers may send to take a site down is stopped, and the next one runs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from archive.lane.messages import Reply, Request
from archive.lane.pool import Lane
from archive.sqlite import sqlite3
from tests.archive.site.test_pages import serve_example
from tests.bench.sql_attacks import ATTACKS, TEXT

SECONDS = 0.3
"""That a statement has here before it is interrupted; what looks at no clock is ended a second later."""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("attacked") / "public.db"
    conn = sqlite3.connect(file)
    for table in ("session", "series"):
        conn.execute(f"CREATE TABLE {table}(id INTEGER PRIMARY KEY, slug TEXT, title TEXT)")
        conn.execute(f"INSERT INTO {table} VALUES (1, 'talk', 'Talk')")
    conn.commit()
    conn.close()
    return str(file)


@pytest.fixture(scope="module")
def lane() -> Iterator[Lane]:
    made = Lane(processes=1)
    yield made
    made.close()


def ask(lane: Lane, path: str, sql: str, seconds: float) -> Reply:
    return asyncio.run(lane.run(Request(path, sql, (), seconds, None)))


def test_text_that_takes_long_to_read_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with serve_example(tmp_path) as site:
        for kind, sql in TEXT.items():
            for page in ("/data.json", "/data", "/data/session"):
                answer = site.get(f"{page}?{urlencode({'sql': sql})}", follow_redirects=True)
                assert answer.status_code == 414, kind
        whole = f"SELECT count(*) AS n FROM session -- {'x' * 7_000}"
        answer = site.get(f"/data.json?{urlencode({'sql': whole})}&_shape=array", follow_redirects=True)
        assert answer.json() == [{"n": 6}]


def test_there_are_many_kinds() -> None:
    assert len(ATTACKS) >= 50
    assert len(set(ATTACKS.values())) == len(ATTACKS)


@pytest.mark.parametrize("kind", ATTACKS)
def test_attack_is_stopped_and_the_next_statement_runs(lane: Lane, path: str, kind: str) -> None:
    before = Path(path).read_bytes()
    reply = ask(lane, path, ATTACKS[kind], SECONDS)
    assert (reply.error != "", len(reply.rows)) == (True, 0)
    assert path not in reply.text
    assert "/etc" not in str(reply.rows)
    assert ask(lane, path, "SELECT title FROM session", 30).rows == [("Talk",)]
    assert Path(path).read_bytes() == before
