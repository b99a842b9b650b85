"""Parts of a recording, and the file of chapters that podcast players read."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.archive.published_folder import SENTENCES
from tests.archive.site.test_feeds import EVENT, URL, element, site
from tests.archive.site.test_pages import TALK, Site, serve_example

__all__ = ["site"]

PODCAST = "{https://podcastindex.org/namespace/1.0}"


CHAPTERS = (
    """
INSERT INTO transcript VALUES
(90, 1, 'v90', 'en', 'imported', 'webvtt', '', '{"track": "chapters"}', '-', 60000, 0, '2026-11-23T09:00:00Z')
""",
    """
INSERT INTO segment(id, transcript_id, position, start_ms, end_ms, text)
VALUES (901, 90, 0, 0, 17000, 'Welcome'), (902, 90, 1, 17000, 60000, 'Debts')
""",
)


def test_page_feed_and_search_engines_get_the_same_chapters(tmp_path: Path) -> None:
    with serve_example(tmp_path / "public", *CHAPTERS) as site:
        page, programs = site.get(TALK).text, site.get(f"{TALK}/chapters.json").json()
    listed = page.partition('<details class="chapters"')[2].partition("</details>")[0]
    assert [each in listed for each in ("Welcome", "Debts", 'data-start="17000"')] == [True] * 3
    assert "proposed" not in listed
    assert "proposed" not in programs
    assert programs["chapters"] == [
        {"startTime": 0.0, "endTime": 17.0, "title": "Welcome"},
        {"startTime": 17.0, "endTime": 60.0, "title": "Debts"},
    ]
    data = json.loads(page.partition('<script type="application/ld+json">')[2].partition("</script>")[0])
    found = next(each["recordedIn"] for each in data["@graph"] if "recordedIn" in each)
    assert [(each["name"], each["startOffset"], each["endOffset"]) for each in found["hasPart"]] == [
        ("Welcome", 0.0, 17.0),
        ("Debts", 17.0, 60.0),
    ]


ASKED = (
    "UPDATE session SET kind = 'qa' WHERE id = 1",
    "INSERT INTO speaker_tag(id, recording_id, label, person_id) VALUES (91, 1, 'A', 1), (92, 1, 'B', NULL)",
    "UPDATE segment SET speaker_tag_id = CASE WHEN position IN (2, 4) THEN 92 ELSE 91 END WHERE transcript_id = 1",
)


def test_page_players_and_search_engines_get_the_same_questions(tmp_path: Path) -> None:
    with serve_example(tmp_path / "public", *ASKED) as site:
        page, programs = site.get(TALK).text, site.get(f"{TALK}/chapters.json").json()
    data = json.loads(page.partition('<script type="application/ld+json">')[2].partition("</script>")[0])
    found = next(each["recordedIn"] for each in data["@graph"] if "recordedIn" in each)
    chapters = [(each["startTime"], each["endTime"], each["title"]) for each in programs["chapters"]]
    starts = [SENTENCES[at][0] / 1000 for at in (2, 4)]
    assert chapters == [(starts[0], starts[1], SENTENCES[2][2]), (starts[1], 60.0, SENTENCES[4][2])]
    assert [(each["startOffset"], each["endOffset"], each["name"]) for each in found["hasPart"]] == chapters
    listed = page.partition('<details class="chapters"')[2].partition("</details>")[0]
    assert re.findall(r'data-start="(\d+)"', listed) == [str(round(start * 1000)) for start in starts]


def test_episode_names_its_chapters(site: Site) -> None:
    items = element(site, f"{EVENT}/podcast.rss").findall("item")
    [item] = [each for each in items if each.findtext("link") == f"{URL}{TALK}"]
    [named] = item.findall(f"{PODCAST}chapters")
    response = site.get(named.get("url").removeprefix(URL))
    assert response.headers["content-type"] == named.get("type") == "application/json+chapters"
    assert response.json() == {
        "version": "1.2.0",
        "title": "What an archive owes its listeners",
        "proposed": True,
        "chapters": [{"startTime": 0.0, "endTime": 60.0, "title": "What an archive owes its listeners"}],
    }


def test_recording_in_which_nothing_was_heard_yet_has_a_page_and_no_chapters(tmp_path: Path) -> None:
    told = [f"DELETE FROM {each} WHERE transcript_id = 1" for each in ("segment", "passage")]
    with serve_example(tmp_path, *told, "DELETE FROM transcript WHERE id = 1") as site:
        codes = [site.get(f"{TALK}{each}").status_code for each in ("", "/manifest.json", "/chapters.json")]
        assert codes == [200, 200, 404]
        assert site.get(f"/api/1{TALK.replace('/events', '/sessions')}").json()["recordings"][0]["transcript"] is None
        feed = site.get("/podcast.rss")
        assert feed.status_code == 200
        assert f"{TALK}/chapters.json" not in feed.text


@pytest.mark.parametrize("path", ["/events/launch/the-launch", "/events/launch/nothing"])
def test_chapters_of_nothing_are_not_there(site: Site, path: str) -> None:
    assert site.get(f"{path}/chapters.json").status_code == 404
