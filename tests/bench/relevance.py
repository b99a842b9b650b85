"""Are the right sessions first? Judged queries over real talks, beside plain FTS5.

``python -m tests.bench.relevance [--json FILE] [--verbose]``

``tests/cases/search/judged.json`` names, for each query, the talks that answer it (3 is about it, 1 touches it):
titles, paraphrases, names, words with a mistake in them, and junk, for which nothing may be found. A query that
finds nothing is asked again as Rostra itself suggests, as a reader would click. Plain FTS5 is a table by segment,
titles and names among the segments, with ``ORDER BY rank``; its sessions are in order of their best segment.
Figures are nDCG@10 (Järvelin and Kekäläinen 2002) and success@1.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from archive.connection import transaction
from archive.index.passages import rebuild
from archive.index.tokens import words
from archive.search.sqlite_search import SqliteSearch
from archive.sqlite import Database, sqlite3
from tests.archive.build import add_event, add_session, add_transcript, blank
from tests.corpus import CORPUS, strings

JUDGED = Path(__file__).parents[1] / "cases" / "search" / "judged.json"
DEPTH = 10

Search = Callable[[str], list[str]]


class Talk(NamedTuple):
    """A talk as it was published."""

    slug: str
    title: str
    people: tuple[str, ...]
    segments: list[str]


def read_talks() -> Iterator[Talk]:
    """Yield every talk with its title and speakers; sentences are segments."""
    for path in sorted(CORPUS.rglob("*.md")):
        head, _, text = path.read_text(encoding="utf-8").removeprefix("---\n").partition("\n---\n")
        title = re.search(r"^title: *(.+)$", head, re.MULTILINE)
        people = re.search(r"^speakers:\n((?: +- .+\n?)+)", head, re.MULTILINE)
        slug = str(path.relative_to(CORPUS / "bitcointranscripts").with_suffix(""))
        names = tuple(line.strip(" -") for line in people[1].splitlines()) if people else ()
        sentences = [part for part in re.split(r"(?<=[.?!])\s+", text) if part.strip()]
        yield Talk(slug, title[1].strip("\"' ") if title else slug, names, sentences)
    for path in sorted(CORPUS.rglob("*.vtt")):
        lines = [line for line in path.read_text(encoding="utf-8").splitlines()[1:] if line and "-->" not in line]
        title = path.stem.partition("-")[2].replace("-", " ")
        yield Talk(f"python_bytes/{path.stem}", title, ("Michael Kennedy", "Brian Okken"), lines)
    apollo = json.loads((CORPUS / "apollo-13-tecatg.min.json").read_text(encoding="utf-8"))
    yield Talk("apollo", apollo["metadata"]["title"], (), [text for text in strings(apollo) if text.strip()])


def rostra(talks: list[Talk]) -> Search:
    """Return Rostra's results by session, or those of what it suggests where there are none."""
    db: Database = blank()
    event = add_event(db)
    with transaction(db):
        for talk in talks:
            language = "zh" if talk.slug.endswith(".zh") else "en"
            session = add_session(db, event, talk.slug, talk.people, title=talk.title)
            add_transcript(db, session, talk.segments, language=language)
        rebuild(db)
    backend = SqliteSearch(db.conn, 10_000)

    def search(query: str) -> list[str]:
        found = backend.sessions(query, limit=DEPTH)
        if found.suggestion:
            found = backend.sessions(found.suggestion, limit=DEPTH)
        return [each.session for each in found.sessions]

    return search


def plain_fts5(talks: list[Talk]) -> Search:
    """Return sessions in order of their best segment."""
    conn = sqlite3.connect(":memory:")
    conn.execute("CREATE VIRTUAL TABLE said USING fts5(slug UNINDEXED, text)")
    conn.executemany(
        "INSERT INTO said VALUES (?, ?)",
        ((talk.slug, text) for talk in talks for text in (talk.title, " / ".join(talk.people), *talk.segments)),
    )

    def search(query: str) -> list[str]:
        match = " ".join(f'"{word}"' for word in words(query))
        rows = conn.execute("SELECT slug FROM said WHERE said MATCH ? ORDER BY rank LIMIT 500", (match,))
        return list(dict.fromkeys(slug for (slug,) in rows))[:DEPTH]

    return search


def ndcg(found: list[str], relevant: dict[str, int]) -> float:
    """Return the discounted gain of the first ten by that of the best ten; 1 for junk that finds nothing."""
    if not relevant:
        return float(not found)
    best = _gain(sorted(relevant.values(), reverse=True)[:DEPTH])
    return _gain([relevant.get(slug, 0) for slug in found[:DEPTH]]) / best


def _gain(grades: list[int]) -> float:
    return sum((2**grade - 1) / math.log2(at + 2) for at, grade in enumerate(grades))


def judge(search: Search, *, verbose: bool = False) -> dict[str, Any]:
    """Return the figures of a search, by kind of query and over all."""
    gains: dict[str, list[float]] = defaultdict(list)
    first: dict[str, list[float]] = defaultdict(list)
    for case in json.loads(JUDGED.read_text(encoding="utf-8")):
        found, relevant = search(case["query"]), case["relevant"]
        top = max(relevant.values(), default=0)
        right = relevant.get(found[0], 0) == top if found and relevant else not relevant and not found
        for kind in (case["kind"], "all"):
            gains[kind].append(ndcg(found, relevant))
            first[kind].append(float(right))
        if verbose and not right:
            print(f"{case['query']!r}: {found[:3]}")
    return {
        kind: {
            "queries": len(gains[kind]),
            "ndcg@10": round(statistics.mean(gains[kind]), 3),
            "success@1": round(statistics.mean(first[kind]), 3),
        }
        for kind in gains
    }


def main() -> None:
    """Judge both, and write figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--verbose", action="store_true", help="name queries whose first result is not the best")
    options = parser.parse_args()
    talks = list(read_talks())
    report = {
        "rostra": judge(rostra(talks), verbose=options.verbose),
        "plain FTS5": judge(plain_fts5(talks)),
    }
    text = json.dumps(report, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
