"""What was not transcribed, and what is doubtful, is shown wherever a transcript is read or taken away."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.archive.site.test_pages import TALK, Site, read, serve_example, squeezed

FIRST, LAST = "Good evening, and welcome%", "The lamp has to burn%"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serve_example(
        tmp_path_factory.mktemp("public"),
        f"DELETE FROM word WHERE segment_id IN (SELECT id FROM segment WHERE text LIKE '{LAST}')",
        f"""UPDATE segment SET text = '', confidence = NULL, flags = '["not-transcribed"]' WHERE text LIKE '{LAST}'""",
        "INSERT INTO word SELECT id, 0, start_ms, start_ms + 500, 'evening,', 0.1 FROM segment"
        f" WHERE text LIKE '{FIRST}'",
    ) as made:
        yield made


def test_page_says_what_was_not_transcribed(site: Site) -> None:
    text = squeezed(read(site, TALK).text)
    assert "0:53Not transcribed until 0:58: somebody may speak here" in text
    assert "Doubtful: somebody may speak" not in text


def test_page_marks_doubtful_words(site: Site) -> None:
    page = read(site, TALK)
    unsure = [attrs for tag, attrs in page.elements if tag == "span" and attrs.get("class") == "unsure"]
    assert [attrs["title"] for attrs in unsure] == ["heard with little certainty"]
    assert "Good evening, and welcome" in squeezed(page.text)


def test_json_has_the_stretch_without_words(site: Site) -> None:
    segments = json.loads(site.get(f"{TALK}/captions.json").text)["segments"]
    (silent,) = [each for each in segments if each["flags"] == ["not-transcribed"]]
    assert (silent["text"], silent["words"]) == ("", [])
    assert silent["end_ms"] > silent["start_ms"]


def test_webvtt_has_a_comment_that_players_pass_over(site: Site) -> None:
    text = site.get(f"{TALK}/captions.vtt").text
    assert "\n\nNOTE not transcribed, although somebody may speak: 00:00:53.200 to 00:00:58.900\n" in text
