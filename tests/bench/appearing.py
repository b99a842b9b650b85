"""How soon pages appear on a slow phone, beside a bare Datasette's: ``python -m tests.bench.appearing``.

A Chromium with a phone's screen, a processor four times slower than this one, 1.6 megabits a second and 150 ms for
each request, opens every page in a new profile, in turn, as often as ``--loads`` says. Beside Rostra's pages stand
Datasette's front page and its table of sessions over the same database, served by Datasette alone, and a page of one
line without any style: nothing can appear before it. The browser itself tells when the first and the largest part of a
page were painted, and how far anything moved (https://www.w3.org/TR/largest-contentful-paint/,
https://wicg.github.io/layout-instability/). Medians and their ratios are printed.

``--public FOLDER`` measures a published site that is there; without it, an archive of hours is grown and published.
"""

from __future__ import annotations

import argparse
import http.server
import json
import os
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from playwright.sync_api import Browser, sync_playwright

from archive.connection import open_readonly
from tests.archive.written_site import answering
from tests.bench.serving import database_of, datasette, make_archive, rostra
from tests.browser.conftest import CHROMIUM, FLAGS

PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 780}, "is_mobile": True, "device_scale_factor": 2}
SLOWER = 4
LATENCY_MS = 150
BYTES_A_SECOND = 200_000
FLOOR = "one line"

# Both kinds of entries are buffered, so that nothing that was painted before this asks is missed.
_PAINTED = """(settled) => new Promise((done) => {
  const found = { largest_ms: 0, largest: "", moved: 0 };
  new PerformanceObserver((list) => {
    for (const each of list.getEntries()) {
      found.largest_ms = each.startTime;
      found.largest = each.element ? each.element.outerHTML.slice(0, 80) : each.url;
    }
  }).observe({ type: "largest-contentful-paint", buffered: true });
  new PerformanceObserver((list) => {
    for (const each of list.getEntries()) if (!each.hadRecentInput) found.moved += each.value;
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => {
    const [page] = performance.getEntriesByType("navigation");
    const [, first] = ["first-paint", "first-contentful-paint"].map((name) => performance.getEntriesByName(name)[0]);
    done({ ...found, first_ms: first ? first.startTime : 0, html_ms: page.responseEnd, load_ms: page.loadEventEnd });
  }, settled);
})"""
SETTLED_MS = 700
"""How long after it is loaded a page is watched."""


LINE = b"<!doctype html><meta name=viewport content=width=device-width><title>a</title><link rel=icon href=data:,>Here."


class _OneLine(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(LINE)))
        self.end_headers()
        self.wfile.write(LINE)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


def addresses(site: str, bare: str, floor: str, public: Path, query: str) -> dict[str, str]:
    """Return what is opened, by name: pages of a site, of a bare Datasette, and of one line."""
    db = open_readonly(database_of(public), immutable=True)
    found = db.execute(
        "SELECT event.slug, session.slug FROM segment JOIN transcript ON transcript.id = transcript_id"
        " JOIN recording ON recording.id = recording_id JOIN session ON session.id = session_id"
        " JOIN event ON event.id = event_id GROUP BY session.id ORDER BY count(*) DESC LIMIT 1"
    ).fetchone()
    db.close()
    event, session = found
    table = f"{bare}/{quote_plus(database_of(public).stem)}/session"
    return {
        FLOOR: floor,
        "Datasette's front page": f"{bare}/",
        "Datasette's table": table,
        "home": f"{site}/",
        "results": f"{site}/search?q={quote_plus(query)}",
        "event": f"{site}/events/{event}",
        "session": f"{site}/events/{event}/{session}",
    }


def load(browser: Browser, address: str) -> dict[str, Any]:
    """Open an address in a new profile, and return what the browser tells of it."""
    context = browser.new_context(**PHONE)
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    received: dict[str, int] = {}
    devtools.on("Network.loadingFinished", lambda told: received.update({told["requestId"]: told["encodedDataLength"]}))
    devtools.send("Network.enable")
    conditions = {"latency": LATENCY_MS, "downloadThroughput": BYTES_A_SECOND, "uploadThroughput": BYTES_A_SECOND}
    devtools.send("Network.emulateNetworkConditions", {"offline": False, **conditions})
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(address, wait_until="load")
    found: dict[str, Any] = page.evaluate(_PAINTED, SETTLED_MS)
    context.close()
    return {**found, "requests": len(received), "kb": sum(received.values()) / 1000}


def measure(pages: Mapping[str, str], loads: int) -> dict[str, dict[str, Any]]:
    """Return the medians of every page's loads, and what the largest part of it was."""
    seen: dict[str, list[dict[str, Any]]] = {name: [] for name in pages}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        for address in pages.values():  # what servers and the browser keep is made
            load(browser, address)
        for _ in range(loads):
            for name, address in pages.items():
                seen[name].append(load(browser, address))
        browser.close()
    report = {name: _medians(each) for name, each in seen.items()}
    for each in report.values():
        each["of_one_line"] = round(each["largest_ms"] / report[FLOOR]["largest_ms"], 2)
    return report


def _medians(loads: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    middle = {
        name: round(statistics.median(each[name] for each in loads), 1)
        for name in ("largest_ms", "first_ms", "html_ms", "load_ms", "requests", "kb")
    }
    worst = max(each["moved"] for each in loads)
    return {
        **middle,
        "slowest_ms": round(max(each["largest_ms"] for each in loads), 1),
        "moved": round(worst, 4),
        "largest": loads[-1]["largest"],
    }


def tables(report: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines of a report for people."""
    yield "page                    largest  slowest  first   html   load ms  of one line  moved  requests     kB"
    for name, each in report.items():
        yield (
            f"{name:22} {each['largest_ms']:8.0f} {each['slowest_ms']:8.0f} {each['first_ms']:6.0f}"
            f" {each['html_ms']:6.0f} {each['load_ms']:6.0f} {each['of_one_line']:14.2f} {each['moved']:8.4f}"
            f" {each['requests']:7.0f} {each['kb']:8.1f}   {each['largest']}"
        )


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options of a command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--public", type=Path, help="a published folder; without it, an archive is grown")
    parser.add_argument("--query", default="archive", help="what is searched for")
    parser.add_argument("--sessions", type=int, default=50, help="hours of an archive that is grown")
    parser.add_argument("--loads", type=int, default=9, help="of each page")
    parser.add_argument("--only", nargs="+", help="names of pages, beside the one of one line")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    return parser.parse_args(arguments)


def main() -> None:
    options = parse()
    with ExitStack() as stack:
        public = options.public
        if public is None:
            root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rostra-appearing-"))) / "archive"
            make_archive(root, options.sessions)
            public = root / "public"
        load_before = os.getloadavg()[0]
        site = stack.enter_context(rostra(public, 1))
        bare = stack.enter_context(datasette(public))
        floor = stack.enter_context(answering(http.server.ThreadingHTTPServer(("127.0.0.1", 0), _OneLine)))
        pages = addresses(site.url, bare.url, f"{floor}/", public, options.query)
        if options.only:
            pages = {name: address for name, address in pages.items() if name in {FLOOR, *options.only}}
        report = measure(pages, options.loads)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))
    print(f"load before {load_before:.1f}", *tables(report), sep="\n")


if __name__ == "__main__":
    main()
