"""Parts of a recording, and the file of chapters that podcast players read."""

from __future__ import annotations

import pytest

from archive.site.divisions import Division, divide
from archive.site.records import Segment
from tests.archive.published_folder import SENTENCES
from tests.archive.site.test_feeds import EVENT, URL, element, site
from tests.archive.site.test_pages import TALK, Site

__all__ = ["site"]

PODCAST = "{https://podcastindex.org/namespace/1.0}"


def said(*times: tuple[int, int]) -> tuple[Segment, ...]:
    return tuple(
        Segment(
            position=position,
            start_ms=start_ms,
            end_ms=end_ms,
            text=f" Sentence {position} ",
            language=None,
            speaker=None,
            confidence=None,
            flags=(),
            url="",
            words=(),
        )
        for position, (start_ms, end_ms) in enumerate(times)
    )


@pytest.mark.parametrize(
    ("times", "duration_ms", "parts"),
    [
        ((), 60_000, ()),
        (((500, 900),), None, ((500, 900, 0),)),
        (((0, 30_000), (32_000, 59_000), (61_000, 70_000)), 80_000, ((0, 61_000, 0), (61_000, 80_000, 2))),
        (((0, 61_000), (61_200, 90_000)), 90_000, ((0, 90_000, 0),)),
        (((0, 61_000), (63_000, 90_000)), 5_000, ((0, 63_000, 0), (63_000, 90_000, 1))),
    ],
)
def test_part_begins_after_a_pause_and_a_minute(
    times: tuple[tuple[int, int], ...], duration_ms: int | None, parts: tuple[tuple[int, int, int], ...]
) -> None:
    assert divide(said(*times), duration_ms) == tuple(
        Division(start_ms, end_ms, f"Sentence {position}") for start_ms, end_ms, position in parts
    )


def test_episode_names_its_chapters(site: Site) -> None:
    items = element(site, f"{EVENT}/podcast.rss").findall("item")
    [item] = [each for each in items if each.findtext("link") == f"{URL}{TALK}"]
    [named] = item.findall(f"{PODCAST}chapters")
    response = site.get(named.get("url").removeprefix(URL))
    assert response.headers["content-type"] == named.get("type") == "application/json+chapters"
    assert response.json() == {
        "version": "1.2.0",
        "title": "What an archive owes its listeners",
        "chapters": [{"startTime": 0.0, "endTime": 60.0, "title": SENTENCES[0][2]}],
    }


@pytest.mark.parametrize("path", ["/events/launch/the-launch", "/events/launch/nothing"])
def test_chapters_of_nothing_are_not_there(site: Site, path: str) -> None:
    assert site.get(f"{path}/chapters.json").status_code == 404
