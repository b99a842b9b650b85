"""IIIF manifests as a library's viewer reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from iiif_prezi3 import AnnotationPage, Manifest

from tests.archive.published_folder import DOUBTFUL, HOSTILE, SENTENCES
from tests.archive.site.test_pages import TALK, Site, serve_example
from tests.node import ask as read_by_node

URL = "https://talks.example.org"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serve_example(
        tmp_path_factory.mktemp("public"),
        "UPDATE recording SET kind = 'video' WHERE id = 1",
        "UPDATE recording SET licence = 'https://creativecommons.org/licenses/by/4.0/' WHERE id = 1",
        url=URL,
    ) as made:
        yield made


def ask(site: Site, path: str) -> Any:
    response = site.get(path.removeprefix(URL))
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("application/ld+json;profile=")
    assert response.headers["access-control-allow-origin"] == "*"
    return response.json()


@pytest.mark.parametrize("path", [TALK, "/events/hostile/hostile", "/events/summer-university-2022/arabic"])
def test_manifest_and_its_annotations_are_valid(site: Site, path: str) -> None:
    made = ask(site, f"{path}/manifest.json")
    Manifest(**made)
    for canvas in made["items"]:
        for page in canvas["annotations"]:
            AnnotationPage(**({"@context": made["@context"]} | page))
            if "items" not in page:
                AnnotationPage(**ask(site, page["id"]))


@pytest.mark.parametrize("path", [TALK, "/events/hostile/hostile", "/events/summer-university-2022/arabic"])
def test_viewers_hold_all_of_a_manifest_with_its_pages(site: Site, path: str) -> None:
    made = ask(site, f"{path}/manifest.json")
    [search] = made["service"]
    found = [ask(site, f"{search['id']}?q={each}") for each in ("a*", "nothing-like-this", "%22")]
    said = [ask(site, each["id"]) for canvas in made["items"] for each in canvas["annotations"] if "items" not in each]
    for document in (made, *said, *found):
        read, warnings = read_by_node("iiif", json.dumps(document).encode())
        assert {"items": [], **read} == document  # of a page without any, the program writes none
        # IIIF's own schema, by which iiif-prezi3 reads, asks for one language in the body of an annotation.
        assert set(warnings) <= {'"language" should be Array of values'}


def test_manifest_holds_every_recording_with_its_captions(site: Site) -> None:
    made = ask(site, f"{TALK}/manifest.json")
    assert (made["id"], made["label"], made["rights"]) == (
        f"{URL}{TALK}/manifest.json",
        {"en": ["What an archive owes its listeners"]},
        "http://creativecommons.org/licenses/by/4.0/",
    )
    assert [(each["duration"], each.get("width"), each["label"]["none"]) for each in made["items"]] == [
        (60.0, 1280, ["Floor, en"]),
        (60.0, None, ["Interpretation, es"]),
    ]
    for canvas in made["items"]:
        [painting] = canvas["items"][0]["items"]
        assert (painting["motivation"], painting["target"]) == ("painting", canvas["id"])
        assert site.get(painting["body"]["id"].removeprefix(URL)).status_code == 200
        [caption] = canvas["annotations"][0]["items"]
        vtt = site.get(caption["body"]["id"].removeprefix(URL))
        assert vtt.text.startswith("WEBVTT")


def test_what_was_said_stands_at_its_seconds(site: Site) -> None:
    made = ask(site, f"{TALK}/manifest.json")
    items = ask(site, made["items"][0]["annotations"][1]["id"])["items"]
    said = [(each["body"]["value"], each["target"].partition("#t=")[2]) for each in items]
    expected = [
        (text, f"{start / 1000:g},{end / 1000:g}") for n, (start, end, text) in enumerate(SENTENCES) if n != DOUBTFUL
    ]
    assert said == expected


def test_search_within_finds_the_moment(site: Site) -> None:
    [service] = ask(site, f"{TALK}/manifest.json")["service"]
    found = ask(site, f"{service['id']}?q=lighthouse")
    AnnotationPage(**found)
    assert [each["target"] for each in found["items"]] == [f"{URL}{TALK}/canvas/1#t=27.5,33"]
    assert found["id"] == f"{service['id']}?q=lighthouse"
    assert ask(site, service["id"])["items"] == []
    [other] = ask(site, f"{service['id']}?q=oyentes")["items"]
    assert other["target"].startswith(f"{URL}{TALK}/canvas/2#t=")


def test_text_that_looks_like_markup_is_not_taken_for_it(tmp_path: Path) -> None:
    """What begins with < and ends with > counts as HTML (Presentation 3, 4.5); what has a space after it does not."""
    title, credit = "<b>Bold</b>", "<i>me</i>"
    with serve_example(
        tmp_path,
        f"UPDATE session SET title = '{title}', abstract = '<p>text</p>', track = '<u>x</u>' WHERE id = 1",
        f"UPDATE recording SET credit = '{credit}'",
        "UPDATE person SET name = '<a href=//x>' || slug || '</a>'",
        url=URL,
    ) as site:
        made = ask(site, f"{TALK}/manifest.json")
    Manifest(**made)
    texts = list(values_of(made))
    assert {f"{title} ", f"{credit} ", "<p>text</p> ", "<u>x</u> "} <= set(texts)
    assert [each for each in texts if each.startswith("<") and each.endswith(">")] == []


def values_of(made: Any) -> Iterator[str]:
    if isinstance(made, dict | list):
        for each in made.values() if isinstance(made, dict) else made:
            yield from values_of(each)
    else:
        yield str(made)


def test_hostile_text_stays_text(site: Site) -> None:
    made = ask(site, "/events/hostile/hostile/manifest.json")
    assert made["label"] == {"none": [HOSTILE]}
    assert "rights" not in made


@pytest.mark.parametrize(
    "path",
    [
        "/events/launch/the-launch/manifest.json",
        "/events/launch/nothing/manifest.json",
        f"{TALK}/annotations-3.json",
        f"{TALK}/annotations-0.json",
    ],
)
def test_what_was_not_recorded_has_no_manifest(site: Site, path: str) -> None:
    assert site.get(path).status_code == 404
