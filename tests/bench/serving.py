"""How fast a published site answers, beside a bare Datasette over the same database: ``python -m tests.bench.serving``.

An archive is grown from real talks and published. ``rostra serve`` with one worker and with two, and a bare
Datasette, then answer wrk in turn, in every round: a page that is kept in memory ("kept"), and the same page made
anew for every request ("made", by an address that nobody asked for before). Datasette makes its table page anew for
every request, so that "made" is its like; the static file is Datasette's own. Ratios are those of the best round's
requests a second; each round asks all, since one machine may be a third slower for some minutes.

Other parts: pages while sixteen clients send SQL that never ends; publishing again and again under load, with how many
requests failed; memory after some requests and after many more; and results of search that no cache has, by class of
query and by how many ask at once. wrk (https://github.com/wg/wrk) takes a part of the machine's cores itself.

A careful measurement takes ``--rounds 3 --publishes 20 --many 100000``; without options all of it takes some minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote_plus

import httpx

from archive.connection import transaction
from archive.index.passages import rebuild
from pipelines.run.executors import InProcess
from pipelines.run.runner import Silent, run_stage
from pipelines.stages.publish import Publish
from pipelines.storage.archive_folder import Layout, init, open_archive
from tests.archive.published_folder import tone
from tests.bench.grown import SESSION, grow
from tests.bench.search import choose_queries
from tests.bench.sql_attacks import MANY, memory_of

TALK = "/events/event-1/session-1"
SLOW = f"/data.json?sql={quote_plus(f'{MANY} SELECT count(*) FROM n')}"
CLASSES = ("rare", "mid", "common", "two common", "phrase")
AT_ONCE = (1, 4, 16)
CONNECTIONS = 8
"""Clients that ask for pages."""
ATTACKERS = 16
SECONDS_OF_SOUND = 60
PATIENCE = 60
"""Seconds in which at least one answer comes."""

# Requests are written before wrk asks for them, and so cost it nothing. An address ends in what nobody asked before.
_SCRIPT = """
local paths, fresh, at = {%(paths)s}, %(fresh)s, 0
request = function()
  at = at + 1
  local path = paths[(at - 1) %% #paths + 1]
  if fresh then path = path .. (path:find("?", 1, true) and "&" or "?") .. "fresh=" .. fresh .. "-" .. at end
  return wrk.format("GET", path)
end
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("FOUND %%d %%d %%d %%d %%d\\n", summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), e.connect + e.read + e.write + e.timeout + e.status))
end
"""


class Asked(NamedTuple):
    """What wrk found: how many answers came a second, milliseconds of one, and how many requests failed."""

    requests: int
    per_second: float
    median_ms: float
    p99_ms: float
    failed: int


class Wrk:
    """Clients that ask for paths, over and over, until `enough`."""

    def __init__(self, site: str, paths: Sequence[str], *, fresh: bool, connections: int, seconds: float) -> None:
        nonce = f'"{time.monotonic_ns()}"' if fresh else "false"
        script = tempfile.NamedTemporaryFile("w", suffix=".lua", delete=False)  # noqa: SIM115  wrk reads it later
        with script:
            script.write(_SCRIPT % {"paths": ", ".join(json.dumps(path) for path in paths), "fresh": nonce})
        self._script = Path(script.name)
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s"]
        self._process = subprocess.Popen([*command, "-s", script.name, site], stdout=subprocess.PIPE, text=True)

    def enough(self, *, now: bool = False) -> Asked:
        """Return what was found, at once or when the time is over."""
        if now:
            self._process.send_signal(signal.SIGINT)
        told = self._process.communicate()[0]
        self._script.unlink()
        found = next((line.split()[1:] for line in told.splitlines() if line.startswith("FOUND ")), None)
        if found is None:
            raise RuntimeError(f"wrk said: {told}")
        count, took, median, worst, failed = map(int, found)
        return Asked(count, round(1e6 * count / max(took, 1), 1), median / 1000, worst / 1000, failed)


def ask(
    site: str, paths: Sequence[str], seconds: float, *, fresh: bool = False, connections: int = CONNECTIONS
) -> Asked:
    """Ask for paths for some seconds, or for longer where a machine that is very busy answers nothing in them."""
    while True:
        found = Wrk(site, paths, fresh=fresh, connections=connections, seconds=seconds).enough()
        if found.requests or seconds > PATIENCE:
            return found
        seconds *= 4


def make_archive(root: Path, sessions: int) -> list[list[str]]:
    """Grow, index and publish an archive of hours, and return what is said in it."""
    init(root, title="Grown")
    layout = Layout.at(root)
    grown = grow(layout.catalogue, sessions * SESSION)
    with transaction(grown.db):
        rebuild(grown.db)
    grown.db.execute("ANALYZE")
    grown.db.close()
    with open_archive(root) as context:
        tone(sound := root / "tone.wav", SECONDS_OF_SOUND, 440)
        blob = context.blobs.add(sound, ".wav")
        with transaction(context.db):
            context.db.execute(
                "INSERT INTO rendition(recording_id, kind, sha256, suffix, media_type, bytes)"
                " VALUES (1, 'web', ?, '.wav', 'audio/wav', ?)",
                (blob.sha256, blob.bytes),
            )
    publish(root)
    return grown.texts


def publish(root: Path, title: str | None = None) -> float:
    """Publish, after a title was changed where one is given; return how many seconds it took."""
    with open_archive(root) as context:
        if title:
            with transaction(context.db):
                context.db.execute("UPDATE session SET title = ? WHERE id = 1", (title,))
        began = time.monotonic()
        report = run_stage(context, Publish(again=True), InProcess(), Silent())
        if report.counts["done"] != 1:
            raise RuntimeError(f"not published: {report}")
        return time.monotonic() - began


@contextmanager
def serving(command: Sequence[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the end, from when it answers."""
    server = subprocess.Popen(
        [sys.executable, "-m", *command],
        env={**os.environ, "DATASETTE_LOAD_PLUGINS": ""} if command[0] == "datasette" else None,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for _ in range(600):
            with suppress(httpx.HTTPError):
                httpx.get(f"http://127.0.0.1:{port}/", trust_env=False, timeout=10)
                break
            if server.poll() is not None:
                raise RuntimeError(f"{command[0]} ended: {server.returncode}")
            time.sleep(0.1)
        yield server
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


class Site(NamedTuple):
    """A server: its address, and its process."""

    url: str
    pid: int


@contextmanager
def rostra(public: Path, workers: int) -> Iterator[Site]:
    """Serve with as many workers."""
    port = free_port()
    with serving(["pipelines", "serve", str(public), "--port", str(port), "--workers", str(workers)], port) as server:
        yield Site(f"http://127.0.0.1:{port}", server.pid)


@contextmanager
def datasette(public: Path) -> Iterator[Site]:
    """Serve the same database by Datasette alone: none of its plugins, Rostra's neither, is loaded."""
    port, file = free_port(), database_of(public)
    with serving(["datasette", "serve", "-i", str(file), "--port", str(port)], port) as server:
        yield Site(f"http://127.0.0.1:{port}", server.pid)


def database_of(public: Path) -> Path:
    """Return the file that is published."""
    name: str = json.loads((public / "current.json").read_bytes())["database"]
    return public / name


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def pages_of(public: Path) -> dict[str, str]:
    """Return what is asked for, by name."""
    sound = next(path.name for path in (public / "media").glob("*.wav"))
    return {
        "home": "/",
        "search": "/search?q=archive",
        "session": TALK,
        "captions": f"{TALK}/captions.vtt",
        "media": f"/media/{sound}",
    }


def bench_pages(sites: Mapping[int, Site], bare: Site, public: Path, seconds: float, rounds: int) -> dict[str, Any]:
    """Return the best round of each page, kept and made, of each number of workers; and of what stands beside it."""
    table = f"/{quote_plus(database_of(public).stem)}/session"
    pages = pages_of(public)
    best: dict[str, Asked] = {}
    for _ in range(rounds):
        turns = [("Datasette's table page", bare, table, False), ("static file", bare, "/-/static/app.css", False)]
        for workers, site in sites.items():
            turns += [(f"{name}, kept, {workers}", site, path, False) for name, path in pages.items()]
            turns += [(f"{name}, made, {workers}", site, path, True) for name, path in pages.items() if name != "media"]
        for name, site, path, fresh in turns:
            found = ask(site.url, [path], seconds, fresh=fresh)
            best[name] = max(best.get(name, found), found, key=lambda each: each.per_second)
    table_page, file = (best[name].per_second for name in ("Datasette's table page", "static file"))
    return {
        name: {
            **found._asdict(),
            "of_table_page": round(found.per_second / table_page, 2),
            "of_static_file": round(found.per_second / file, 2),
        }
        for name, found in best.items()
    }


def bench_slow_sql(site: Site, public: Path, seconds: float) -> dict[str, Any]:
    """Return what pages take alone and while clients send SQL that does not end."""
    pages = [path for name, path in pages_of(public).items() if name != "media"]
    alone = ask(site.url, pages, seconds, fresh=True, connections=2)
    crowd = Wrk(site.url, [SLOW], fresh=True, connections=ATTACKERS, seconds=600)
    time.sleep(min(1.0, seconds))
    try:
        attacked = ask(site.url, pages, seconds, fresh=True, connections=2)
    finally:
        crowd.enough(now=True)
    ratio = round(attacked.p99_ms / alone.p99_ms, 2)
    return {"alone": alone._asdict(), "attacked": attacked._asdict(), "p99_ratio": ratio}


def bench_publishing(site: Site, root: Path, times: int) -> dict[str, Any]:
    """Return how many requests came, and how many failed, while a changed archive was published so many times."""
    readers = Wrk(site.url, list(pages_of(root / "public").values()), fresh=True, connections=CONNECTIONS, seconds=3600)
    try:
        took = [publish(root, f"Changed {time.monotonic_ns()}") for _ in range(times)]
    finally:
        found = readers.enough(now=True)
    return {"publishes": times, "seconds_each": round(sum(took) / times, 2), **found._asdict()}


def bench_memory(public: Path, texts: list[list[str]], few: int, many: int) -> dict[str, Any]:
    """Return what one worker takes after few requests and after many, in MB.

    The few are made anew, until the site keeps no more; the many in every other second, so that most of them are kept.
    """
    queries = {" ".join(text.split()[:2]) for text in texts[0][:100]}
    pages = [*pages_of(public).values(), *(f"/search?q={quote_plus(query)}" for query in sorted(queries))]
    with rostra(public, 1) as site:
        made = done = 0
        while done < few:
            made = done = done + ask(site.url, pages, 1, fresh=True).requests
        before = memory_of(site.pid)
        while done < many:
            anew = ask(site.url, pages, 1, fresh=True).requests
            made, done = made + anew, done + anew + ask(site.url, pages, 1).requests
        after = memory_of(site.pid)
    few_mb, many_mb = (round(each * 1024 / 1e6, 1) for each in (before, after))
    ratio = round(after / before, 3)
    return {"few": few, "many": done, "made": made, "few_mb": few_mb, "many_mb": many_mb, "ratio": ratio}


def bench_search(sites: Mapping[int, Site], texts: list[list[str]], seconds: float) -> dict[str, Any]:
    """Return what results cost that no cache has, by class, number of workers and number of those who ask."""
    asked = choose_queries(texts, 20)
    paths = {label: [f"/search?q={quote_plus(query)}" for query in asked[label]] for label in CLASSES}
    return {
        label: {
            f"{at_once} at once, {workers}": ask(
                site.url, paths[label], seconds, fresh=True, connections=at_once
            )._asdict()
            for workers, site in sites.items()
            for at_once in AT_ONCE
        }
        for label in CLASSES
    }


PARTS = ("pages", "search", "sql", "publishing", "memory")


def measure(root: Path, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield what is known, after every part."""
    began = time.monotonic()
    texts = make_archive(root, options.sessions)
    public = root / "public"
    report: dict[str, Any] = {
        "sessions": len(texts),
        "database_mb": round(database_of(public).stat().st_size / 1e6, 1),
        "made_in_seconds": round(time.monotonic() - began, 1),
        "load_before": os.getloadavg()[0],
    }
    with ExitStack() as stack:
        sites = {workers: stack.enter_context(rostra(public, workers)) for workers in options.workers}
        site = sites[max(sites)]
        if "pages" in options.parts:
            with datasette(public) as bare:
                report["pages"] = bench_pages(sites, bare, public, options.seconds, options.rounds)
            yield report
        if "search" in options.parts:
            report["search"] = bench_search(sites, texts, options.seconds)
            yield report
        if "sql" in options.parts:
            report["slow_sql"] = bench_slow_sql(site, public, 3 * options.seconds)
            yield report
        if "publishing" in options.parts:
            report["publishing"] = bench_publishing(site, root, options.publishes)
            yield report
    if "memory" in options.parts:
        report["memory"] = bench_memory(public, texts, options.few, options.many)
    yield report


def tables(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a report for people."""
    yield f"{report['sessions']} sessions, {report['database_mb']} MB; load before {report['load_before']:.1f}"
    for name, each in report.get("pages", {}).items():
        yield (
            f"{name:32} {each['per_second']:9.1f} a second, 99th percentile {each['p99_ms']:8.1f} ms,"
            f" {each['of_table_page']:7.2f} of a table page, {each['of_static_file']:6.2f} of a static file,"
            f" {each['failed']} failed"
        )
    for label, ways in report.get("search", {}).items():
        for way, each in ways.items():
            yield f"search, {label}, {way}: {each['per_second']:.1f} a second, 99th percentile {each['p99_ms']:.1f} ms"
    if each := report.get("slow_sql"):
        alone, attacked = each["alone"]["p99_ms"], each["attacked"]["p99_ms"]
        yield (
            f"pages while {ATTACKERS} send slow SQL: 99th percentile {attacked:.1f} ms, alone {alone:.1f} ms:"
            f" {each['p99_ratio']} times"
        )
    if each := report.get("publishing"):
        yield (
            f"{each['publishes']} publishes of {each['seconds_each']} s under load:"
            f" {each['failed']} of {each['requests']} requests failed"
        )
    if each := report.get("memory"):
        yield (
            f"memory after {each['few']} requests {each['few_mb']} MB, after {each['many']}, {each['made']} of them"
            f" made anew, {each['many_mb']} MB: {each['ratio']} times"
        )


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options of a command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=200, help="hours of the archive, one a session")
    parser.add_argument("--seconds", type=float, default=2, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=1, help="in which all pages are asked in turn; the best counts")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--publishes", type=int, default=2)
    parser.add_argument("--few", type=int, default=1_000, help="requests before memory is measured first")
    parser.add_argument("--many", type=int, default=5_000, help="requests before it is measured again")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--json", type=Path, help="a file for the figures, written anew after every part")
    return parser.parse_args(arguments)


def main() -> None:
    options = parse()
    report: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="rostra-serving-") as folder:
        for report in measure(Path(folder) / "archive", options):
            if options.json:
                options.json.write_text(json.dumps(report, indent=1))
    print("\n".join(tables(report)))


if __name__ == "__main__":
    main()
