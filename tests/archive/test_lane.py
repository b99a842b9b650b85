"""SQL of strangers: it takes little time and memory, tells nothing of the machine, and leaves the pages alone."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from archive.lane import messages
from archive.lane.limits import MAX_ANSWER_BYTES, MAX_OF_ONE
from archive.lane.messages import Reply, Request
from archive.lane.pool import BusyError, Lane, LaneProcess
from archive.site.published import current
from archive.sqlite import sqlite3
from tests.archive.site.test_pages import TALK, Site, serve_example

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
STUCK = "SELECT instr(hex(zeroblob(10000000)), hex(zeroblob(4000000)) || 'x')"
"""Looks at no clock."""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("lane") / "a b?.db"
    conn = sqlite3.connect(file)
    conn.execute("CREATE TABLE number(value)")
    conn.executemany("INSERT INTO number VALUES (?)", [(n,) for n in range(5)])
    conn.commit()
    conn.close()
    return str(file)


@pytest.fixture(scope="module")
def child() -> Iterator[LaneProcess]:
    made = LaneProcess()
    yield made
    made.end()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serve_example(
        tmp_path_factory.mktemp("public"),
    ) as made:
        yield made


def run(
    child: LaneProcess, path: str, sql: str, values: Any = (), *, seconds: float = 30, most: int | None = None
) -> Reply:
    reply = child.run(Request(path, sql, values, seconds, most))
    assert reply is not None
    return reply


def test_rows_come_back_with_their_columns(child: LaneProcess, path: str) -> None:
    named = run(child, path, "SELECT value, value AS twice, :x AS said FROM number LIMIT 2", {"x": "ü\0"})
    assert named == Reply(("value", "twice", "said"), [(0, 0, "ü\0"), (1, 1, "ü\0")])
    assert run(child, path, "SELECT value FROM number WHERE value > ?", [2]).rows == [(3,), (4,)]
    assert run(child, path, "SELECT value FROM number", most=3) == Reply(("value",), [(0,), (1,), (2,)], truncated=True)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT length(hex(zeroblob(200000000)))",
        "SELECT hex(zeroblob(200000000))",
        "SELECT randomblob(900000000)",
        "SELECT length(printf('%.*c', 900000000, 'x'))",
        "SELECT group_concat(hex(zeroblob(1000000))) FROM number a, number b, number c",
        "SELECT replace(hex(zeroblob(10000000)), '00', '0000000000000000000000000000')",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT hex(zeroblob(50000)) FROM n ORDER BY 1",
    ],
)
def test_much_memory_is_refused_and_the_next_statement_runs(child: LaneProcess, path: str, sql: str) -> None:
    reply = run(child, path, sql)
    assert (reply.error, reply.rows) != ("", ())
    assert "memory" in reply.text or "too big" in reply.text
    assert run(child, path, "SELECT 1").rows == [(1,)]


def test_process_stays_small(child: LaneProcess, path: str) -> None:
    run(child, path, "SELECT hex(zeroblob(200000000))")
    status = Path(f"/proc/{child._process.pid}/status").read_text()
    [peak] = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")]
    assert peak < 400_000  # KiB; the statement alone asks for as much


def test_large_answer_is_refused(child: LaneProcess, path: str) -> None:
    sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT hex(zeroblob(50000)) FROM n"
    assert run(child, path, sql).text == f"the answer is larger than {MAX_ANSWER_BYTES >> 20} MiB: ask for less at once"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM pragma_database_list",
        "PRAGMA database_list",
        "PRAGMA hard_heap_limit = 0",
        "PRAGMA query_only = 0",
        "PRAGMA schema_version = 7",
        "SELECT * FROM pragma_compile_options",
        "SELECT * FROM pragma_temp_store_directory",
        "ATTACH '/etc/passwd' AS other",
        "SELECT load_extension('x')",
        "VACUUM INTO '/tmp/copy.db'",
        "CREATE TEMP TABLE t(a)",
        "DELETE FROM number",
        "INSERT INTO number VALUES (1)",
        "BEGIN",
    ],
)
def test_what_tells_of_the_machine_or_changes_anything_is_refused(child: LaneProcess, path: str, sql: str) -> None:
    reply = run(child, path, sql)
    assert (reply.error in {"DatabaseError", "OperationalError"}, reply.rows) == (True, ())
    assert path not in reply.text
    assert run(child, path, "SELECT count(*) FROM number").rows == [(5,)]


def test_statement_has_its_time(child: LaneProcess, path: str) -> None:
    assert run(child, path, ENDLESS, seconds=0.05) == Reply(error="OperationalError", text="interrupted")
    assert run(child, path, "SELECT 1").rows == [(1,)]


def test_process_that_looks_at_no_clock_is_ended_and_another_goes_on(path: str) -> None:
    lane = Lane(processes=1)

    async def ask() -> tuple[Reply, Reply]:
        first = await lane.run(Request(path, STUCK, (), 0.0, None))
        return first, await lane.run(Request(path, "SELECT 1", (), 30, None))

    first, second = asyncio.run(ask())
    lane.close()
    assert (first.text, second.rows) == ("interrupted", [(1,)])


def test_too_many_statements_are_turned_away(path: str) -> None:
    lane = Lane(processes=1, waiting=2)

    async def ask() -> list[Any]:
        request = Request(path, ENDLESS, (), 0.2, None)
        return await asyncio.gather(*(lane.run(request) for _ in range(5)), return_exceptions=True)

    answers = asyncio.run(ask())
    lane.close()
    assert [type(each) for each in answers] == [Reply, Reply, Reply, BusyError, BusyError]


def test_one_address_takes_no_places_of_others(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    lane = Lane(processes=1)
    monkeypatch.setattr(current(site.datasette), "lane", lane)
    app, go_on = site.datasette.app(), threading.Event()

    async def ask(address: str, number: int) -> int:
        transport = httpx.ASGITransport(app=app, client=(address, 1))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://site", timeout=600, follow_redirects=True
        ) as client:  # Datasette 1.0 leads SQL to another address
            sql = f"SELECT 1 -- {address} {number}"
            return (await client.get("/data.json", params={"sql": sql, "_shape": "array"})).status_code

    async def all_at_once() -> list[int]:
        lane._threads.submit(go_on.wait)
        addresses = [*(f"2001:db8::{number}" for number in range(40)), "2001:db8:0:1::1", "203.0.113.5", "127.0.0.1"]
        asking = [asyncio.create_task(ask(address, number)) for number, address in enumerate(addresses)]
        async with asyncio.timeout(600):  # or else it would wait for ever
            while lane._taken < MAX_OF_ONE + 3:  # noqa: ASYNC110  # the lane tells nobody
                await asyncio.sleep(0.01)
        go_on.set()
        return await asyncio.gather(*asking)

    answers = asyncio.run(all_at_once())
    lane.close()
    assert (answers[:40].count(200), answers[:40].count(503), answers[40:]) == (MAX_OF_ONE, 40 - MAX_OF_ONE, [200] * 3)
    assert (lane._taken, lane._taken_by) == (0, {})


def test_datasette_starts_while_every_place_is_taken(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = current(site.datasette)
    monkeypatch.setattr(shown, "lane", Lane(processes=1, waiting=-1))

    async def ask() -> set[str]:
        await site.datasette._refresh_schemas()
        if hasattr(site.datasette, "get_internal_database"):  # Datasette 1.0
            internal, table = site.datasette.get_internal_database(), "catalog_tables"
        else:
            internal, table = site.datasette.get_database("_internal"), "tables"
        return {
            row[0] for row in await internal.execute(f"SELECT table_name FROM {table} WHERE database_name = 'data'")
        }

    with pytest.raises(BusyError):
        asyncio.run(shown.execute("SELECT 1"))
    assert asyncio.run(ask()) == set(asyncio.run(shown.table_counts()))


@pytest.mark.parametrize("sql", ["SELECT 1", ENDLESS, STUCK])
def test_process_ends_with_the_site_whatever_it_is_at(path: str, sql: str) -> None:
    code = f"""
from archive.lane.messages import Request, send
from archive.lane.pool import LaneProcess
child = LaneProcess()
send(child._process.stdin, Request({path!r}, {sql!r}, (), 0.2, None))
print(child._process.pid, flush=True)
input()
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
        time.sleep(0.02)


def test_process_that_has_nothing_to_do_ends_and_the_next_statement_begins_another(path: str) -> None:
    lane = Lane(processes=1)

    def ask() -> tuple[Reply, LaneProcess]:
        reply = asyncio.run(lane.run(Request(path, "SELECT 1", (), 30, None)))
        return reply, lane._threads.submit(lambda: lane._own.child).result()

    first, child = ask()
    child._process.send_signal(signal.SIGALRM)  # which the system sends after a while
    second, other = ask()
    lane.close()
    assert (first, second, child.is_alive, other is child) == (Reply(("1",), [(1,)]),) * 2 + (False, False)


def test_statement_that_ends_its_process_is_refused(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lane = Lane(processes=1)
    send = messages.send

    def killed(sink: Any, message: Any) -> None:
        lane._own.child._process.kill()
        send(sink, message)

    monkeypatch.setattr("archive.lane.pool.send", killed)
    reply = asyncio.run(lane.run(Request(path, "SELECT 1", (), 30, None)))
    lane.close()
    assert reply.text == "this query ended the process that ran it"


def test_pages_are_read_while_slow_statements_wait(site: Site) -> None:
    async def ask() -> tuple[list[int], list[int]]:
        client = site.datasette.client
        site.datasette._settings["sql_time_limit_ms"] = 300
        slow = [
            asyncio.create_task(client.get("/data.json", params={"sql": ENDLESS + f" -- {n}"}, follow_redirects=True))
            for n in range(16)
        ]
        await asyncio.sleep(0)
        pages = [(await client.get(path)).status_code for path in (TALK, "/", "/search?q=lighthouse", "/events")]
        assert not all(each.done() for each in slow)
        return pages, [(await each).status_code for each in slow]

    pages, slow = asyncio.run(ask())
    assert (pages, set(slow)) == ([200] * 4, {400})


def test_datasette_shows_rows_tables_and_mistakes_as_before(site: Site) -> None:
    def ask(sql: str) -> Any:
        return site.get(f"/data.json?sql={sql}&_shape=array", follow_redirects=True)

    rows = ask("select+slug,+title+from+event+order+by+slug").json()
    assert rows[1] == {"slug": "launch", "title": "Book launch"}
    assert "Book launch" in site.get("/data/event?_facet=mode&_search=launch").text
    assert site.get("/data/event/1.json?_shape=array").json()[0]["slug"] == "summer-university-2022"
    assert site.get("/data/event.csv?_stream=on").text.count("\n") == 4
    mistake = ask("select+*+from+pragma_database_list")
    assert (mistake.status_code, str(site.public) in mistake.text) == (400, False)
    memory = ask("select+hex(zeroblob(200000000))")
    assert (memory.status_code, memory.json()["error"]) == (400, "this query needs more memory than a query may have")


def test_pages_have_threads_of_their_own_beside_long_reading(site: Site) -> None:
    resume = threading.Event()

    async def ask() -> tuple[int, list[int]]:
        shown = current(site.datasette)
        long = [asyncio.create_task(shown.execute_long(lambda _conn: resume.wait(60))) for _ in range(20)]
        await asyncio.sleep(0)
        page = (await site.datasette.client.get("/people/noor-okafor?fresh=1")).status_code
        resume.set()
        return page, [int(each) for each in await asyncio.gather(*long)]

    assert asyncio.run(ask()) == (200, [1] * 20)
