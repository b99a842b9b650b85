"""SQL that strangers send to take a site down, while others read its pages: ``python -m tests.bench.sql_attacks``.

A published example is served by ``rostra serve``. Readers ask for pages, first alone and then while attackers send
every kind of statement below, over and over. What comes out: the 99th percentile of the time of a page with and
without attackers, in one run, and the most memory that the server and its processes took together.
"""

from __future__ import annotations

import argparse
import itertools
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import httpx

from tests.archive.published_folder import publish

MANY = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
FEW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000)"
LETTERS = "replace(hex(zeroblob({})), '00', 'a')"

TIME = {
    "endless recursion": f"{MANY} SELECT count(*) FROM n",
    "endless recursion of two": "WITH RECURSIVE a(i) AS (SELECT 1 UNION ALL SELECT i FROM a) SELECT max(i) FROM a",
    "cross join": f"{FEW} SELECT count(*) FROM n AS a, n AS b, n AS c",
    "join without an index": f"{FEW} SELECT count(*) FROM n AS a JOIN n AS b ON a.i % 7 = b.i % 11 JOIN n AS c"
    " ON c.i < a.i",
    "correlated subqueries": f"{FEW} SELECT sum((SELECT count(*) FROM n AS b"
    " WHERE (SELECT count(*) FROM n WHERE i < b.i) > a.i)) FROM n AS a",
    "window over much": f"{MANY} SELECT sum(i) OVER (ORDER BY i ROWS BETWEEN 5000 PRECEDING AND CURRENT ROW) FROM n",
    "LIKE in long texts": f"{MANY} SELECT count(*) FROM n WHERE {LETTERS.format(20_000)} LIKE '%a%a%a%' || i",
    "GLOB in long texts": f"{MANY} SELECT count(*) FROM n WHERE {LETTERS.format(20_000)} GLOB '*a*a*a*' || i",
    "search in a long text": "SELECT instr(hex(zeroblob(7000000)), hex(zeroblob(3000000)) || 'x')",
    "trimming of long texts": f"{MANY} SELECT max(length(trim({LETTERS.format(20_000)}, 'a' || i))) FROM n",
    "endless rows that are dropped": f"{MANY} SELECT i FROM n WHERE i < 0",
    "endless EXISTS": f"{MANY} SELECT 1 WHERE EXISTS (SELECT 1 FROM n WHERE i < 0)",
    "random until it fits": f"{MANY} SELECT i FROM n WHERE random() = 7",
}  # fmt: skip
"""What takes long."""
MEMORY = {
    "blob of zeroes": "SELECT hex(zeroblob(200000000))",
    "random blob": "SELECT randomblob(900000000)",
    "width of printf": "SELECT length(printf('%.*c', 900000000, 'x'))",
    "width of format": "SELECT length(format('%900000000d', 1))",
    "replacement that grows": "SELECT replace(hex(zeroblob(10000000)), '00', '0000000000000000000000000000')",
    "text that doubles": "WITH RECURSIVE n(s) AS (SELECT 'x' UNION ALL SELECT s || s FROM n) SELECT length(s) FROM n",
    "group_concat": f"{MANY} SELECT group_concat(hex(zeroblob(1000000))) FROM n",
    "array of much": f"{MANY} SELECT json_group_array(hex(zeroblob(100000))) FROM n",
    "object of much": f"{MANY} SELECT json_group_object(i, hex(zeroblob(100000))) FROM n",
    "sort of much": f"{MANY} SELECT hex(zeroblob(50000)) FROM n ORDER BY 1",
    "DISTINCT of much": f"{MANY} SELECT DISTINCT hex(zeroblob(50000)) || i FROM n",
    "groups of much": f"{MANY} SELECT count(*) FROM n GROUP BY hex(zeroblob(50000)) || i",
    "UNION of much": f"{MANY} SELECT hex(zeroblob(50000)) || i FROM n UNION SELECT 1",
    "materialised view": f"{MANY}, m AS MATERIALIZED (SELECT hex(zeroblob(50000)) AS s FROM n)"
    " SELECT count(*) FROM m, m AS o",
    "queue of recursion": "WITH RECURSIVE n(s) AS (SELECT hex(zeroblob(50000)) UNION SELECT s || random() FROM n)"
    " SELECT 1 FROM n",
    "quoted blob": "SELECT quote(zeroblob(200000000))",
}  # fmt: skip
"""What takes much memory."""
SIZE = {
    "endless rows": f"{MANY} SELECT hex(zeroblob(50000)) FROM n",
    "one large value": "SELECT zeroblob(17000000)",
    "many columns": "SELECT " + ", ".join(["hex(zeroblob(90000))"] * 150),
}
"""What is a large answer."""
MACHINE = {
    "where the file is": "SELECT * FROM pragma_database_list",
    "compile options": "SELECT * FROM pragma_compile_options",
    "another file": "ATTACH '/etc/passwd' AS other",
    "copy of the file": "VACUUM INTO '/tmp/copy.db'",
    "extension": "SELECT load_extension('x')",
    "file that is read": "SELECT readfile('/etc/passwd')",
    "file that is written": "SELECT writefile('/tmp/x', 'x')",
    "tokenizer by address": "SELECT fts3_tokenizer('simple', x'00')",
    "limit of memory": "PRAGMA hard_heap_limit = 0",
    "leave to write": "PRAGMA query_only = 0",
    "schema that may be written": "PRAGMA writable_schema = 1",
    "folder for what is temporary": "PRAGMA temp_store_directory = '/tmp'",
    "deletion": "DELETE FROM session",
    "insertion": "INSERT INTO series(slug, title) VALUES ('x', 'x')",
    "temporary table": "CREATE TEMP TABLE t(a)",
    "transaction that stays open": "BEGIN",
    "index of its own": "CREATE INDEX slow ON session(title)",
    "two statements": "SELECT 1; SELECT 2",
    "brackets in brackets": f"SELECT {'(' * 5_000}1{')' * 5_000}",
    "expression that is too deep": f"SELECT {'NOT ' * 5_000}1",
    "very many parts": " UNION ALL ".join(["SELECT 1"] * 5_000),
    "JSON in JSON": "SELECT json(replace(hex(zeroblob(5000)), '00', '['))",
}  # fmt: skip
"""What tells of the machine, changes anything, or breaks what reads statements."""

TEXT = {
    "comments without an end": f"SELECT 1 {chr(39).join(['/* '] * 4_000)}",
    "lines of comments without an end": "SELECT 1 " + "/*\n" * 4_000,
    "very many words": "SELECT 1 " + ":a " * 4_000,
}
"""What takes long before it is run, where patterns look for comments and names in it."""

ATTACKS: dict[str, str] = TIME | MEMORY | SIZE | MACHINE
PAGES = ("/", "/events", "/search?q=archive", "/events/summer-university-2022", "/people")


class Figures(NamedTuple):
    """Seconds of a page (the median, and the 99th percentile), and how many were asked for."""

    median: float
    worst: float
    pages: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=400, help="asked for, with and without attackers")
    parser.add_argument("--attackers", type=int, default=8)
    parser.add_argument("--attack", metavar="SITE", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.attack:
        attack_together(arguments.attack, arguments.attackers)
        return
    with tempfile.TemporaryDirectory() as folder:
        publish(Path(folder))
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "pipelines", "serve", folder, "--port", str(port)]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            report(f"http://127.0.0.1:{port}", server.pid, arguments.pages, arguments.attackers)
        finally:
            server.terminate()
            server.wait()


def report(site: str, pid: int, pages: int, attackers: int) -> None:
    """Ask for pages alone and under attack, and print what it cost."""
    with httpx.Client(base_url=site, trust_env=False, timeout=120) as client:
        for _ in range(600):
            with suppress(httpx.HTTPError):
                client.get("/")
                break
            time.sleep(0.1)
        asked(client, len(PAGES) * 4)
        alone = asked(client, pages)
        stop, peak = threading.Event(), [0]
        watching = threading.Thread(target=watch, args=(pid, stop, peak))
        watching.start()
        # In a process of their own: their work is not to be counted as the site's.
        command = [sys.executable, "-m", "tests.bench.sql_attacks", "--attack", site, "--attackers", str(attackers)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as crowd:
            assert crowd.stdout is not None
            crowd.stdout.readline()
            attacked = asked(client, pages)
            answers = crowd.communicate("enough")[0].strip()
        stop.set()
        watching.join()
    print(f"{len(ATTACKS)} kinds of statements, {attackers} attackers, answers by status: {answers}")
    for name, figures in (("alone", alone), ("under attack", attacked)):
        print(f"pages {name}: median {figures.median * 1000:.1f} ms, 99th percentile {figures.worst * 1000:.1f} ms")
    print(f"99th percentile: {attacked.worst / alone.worst:.2f} times; peak memory {peak[0] * 1024 / 1e6:.0f} MB")


def attack_together(site: str, attackers: int) -> None:
    """Attack until the input says that it is enough, and every kind was answered; then print the answers."""
    stop, answers = threading.Event(), Counter[int]()
    crowd = [threading.Thread(target=attack, args=(site, stop, answers, first)) for first in range(attackers)]
    for each in crowd:
        each.start()
    while not answers:
        time.sleep(0.1)
    print("begun", flush=True)
    sys.stdin.read()
    while sum(answers.values()) < len(ATTACKS):
        time.sleep(0.1)
    stop.set()
    for each in crowd:
        each.join()
    print(dict(answers), flush=True)


def asked(client: httpx.Client, count: int) -> Figures:
    """Ask for pages that no cache has."""
    seconds = []
    for number, page in zip(range(count), itertools.cycle(PAGES), strict=False):
        began = time.perf_counter()
        answer = client.get(f"{page}{'&' if '?' in page else '?'}fresh={time.monotonic_ns()}-{number}")
        seconds.append(time.perf_counter() - began)
        assert answer.status_code == 200, (page, answer.status_code)
    return Figures(statistics.median(seconds), statistics.quantiles(seconds, n=100)[98], count)


def attack(site: str, stop: threading.Event, answers: Counter[int], first: int) -> None:
    """Send statements one after the other until told to stop."""
    statements = itertools.cycle(
        [*TEXT.values(), *list(ATTACKS.values())[first * 7 % len(ATTACKS) :], *ATTACKS.values()]
    )
    with httpx.Client(base_url=site, trust_env=False, timeout=120, follow_redirects=True) as client:
        while not stop.is_set():
            with suppress(httpx.HTTPError):
                answers[client.get("/data.json", params={"sql": next(statements)[:60_000]}).status_code] += 1


def watch(pid: int, stop: threading.Event, peak: list[int]) -> None:
    """Note the most memory, in KiB, that a process and its children take together: what they share counts once."""
    while not stop.wait(0.05):
        peak[0] = max(peak[0], memory_of(pid))


def memory_of(pid: int) -> int:
    """Return the memory, in KiB, that a process and its children take together."""
    return sum(_resident(each) for each in (pid, *_children(pid)))


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        found = [
            int(number)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for number in (task / "children").read_text().split()
        ]
        return found + [inner for each in found for inner in _children(each)]
    return []


def _resident(pid: int) -> int:
    with suppress(OSError, IndexError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


if __name__ == "__main__":
    main()
