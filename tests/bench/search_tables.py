"""What `tests.bench.search` and `tests.bench.relevance` found, as a table in Markdown.

``python -m tests.bench.search_tables`` prints that of ``README.md``. Beside this module lie the files that ``--json``
wrote: ``search.json`` of a million segments, ``search_ten.json`` of ten million, ``search_random.json`` of random
queries, and ``relevance.json``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.bench import tables

FOLDER = Path(__file__).parent
OTHERS = (
    ("postgresql", "passages_ms", "PostgreSQL, same passages"),
    ("postgresql", "page_ms", "PostgreSQL, segments"),
    ("fts5", "page_ms", "FTS5, segments"),
    ("tantivy", "list_ms", "tantivy, list of segments"),
)


def pages(found: Mapping[str, Any], ten: Mapping[str, Any]) -> str:
    """Return what a page of results takes: Rostra's median and 95th percentile, others' medians, Rostra's at 10 M."""
    titles = ["asked for", "Rostra", "95 of 100 in", *(title for *_, title in OTHERS), "Rostra, 10 million"]
    rows = []
    for label, figures in found["rostra"].items():
        ours = figures["none"]
        others = (found["others"].get(name, {}).get(label, {}).get(way) for name, way, _ in OTHERS)
        grown = ten["rostra"].get(label, {}).get("none", {}).get("median_ms")
        rows.append([label, *(_ms(ms) for ms in (ours["median_ms"], ours["p95_ms"], *others, grown))])
    return tables.table(titles, rows)


def remarks(
    found: Mapping[str, Any], ten: Mapping[str, Any], chance: Mapping[str, Any], relevance: Mapping[str, Any]
) -> Iterator[str]:
    """Yield what else was measured, in sentences."""
    build, recall, grown, asked = found["build"], found["recall"], ten["recall"], chance["random"]
    over = sum(figures["over_budget"] for report in (found, ten) for figures in report["rostra"].values())
    yield (
        f"Both indexes of {build['segments']:,} segments are built at {build['segments_per_second']:,} segments"
        f" a second and take {build['bytes_per_segment']:g} bytes a segment."
    )
    yield (
        f"Of {recall['phrases']} phrases of 2 to 8 words, over any edge, recall against a scan of the text is"
        f" {recall['recall']:.3f} and precision {recall['precision']:.3f}; in ten million segments"
        f" {grown['recall']:.3f} and {grown['precision']:.3f}."
    )
    yield (
        f"Pages that passed their budget of a second, at both sizes: {over}. Of {asked['queries']:,} queries made of"
        f" operators, quotes, fields, controls and whatever Unicode has, asked of {asked['segments']:,} segments,"
        f" {asked['errors']} raised an error and {asked['over_budget_in_cpu_time']} computed for longer than a second."
    )
    ours, plain, junk = relevance["rostra"]["all"], relevance["plain FTS5"]["all"], relevance["rostra"]["junk"]
    yield (
        f"Of {ours['queries']} judged queries over real talks, the first session is a right one for"
        f" {100 * ours['success@1']:.0f}% (plain FTS5: {100 * plain['success@1']:.0f}%); nDCG@10 is"
        f" {ours['ndcg@10']:.2f} ({plain['ndcg@10']:.2f}); {junk['success@1'] * junk['queries']:.0f} of"
        f" {junk['queries']} that are junk find nothing."
    )


def section() -> str:
    """Return what ``README.md`` shows."""
    names = ("search", "search_ten", "search_random", "relevance")
    found, ten, chance, relevance = (tables.read(FOLDER / f"{name}.json") for name in names)
    return f"{pages(found, ten)}\n\n" + "\n".join(remarks(found, ten, chance, relevance))


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


if __name__ == "__main__":
    print(section())
