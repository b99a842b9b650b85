"""Lists that are read while a new publication takes the place of the old: no item comes twice, and none is left out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from oaipmh_scythe import Scythe

from archive.site.oai import RECORDS_A_PAGE
from archive.sqlite import Database
from tests.archive.published_folder import FIRST_BUILD, SECOND_BUILD, point_to, publish
from tests.archive.served import serving

MANY = RECORDS_A_PAGE + 5


def grown(title: str) -> Any:
    """Return what adds sessions to the example; the first of them, in any order, is there in one publication only."""

    def more(db: Database, _media: Path) -> None:
        db.executescript(f"UPDATE session SET title = '{title}' WHERE id = 1")
        db.execute("INSERT INTO event(id, slug, title, start_date) VALUES (50, 'a-conference', 'One', '2026-10-01')")
        talks = [(f"talk-{number:03}", f"2026-10-{1 + number // 24:02}T00:00:00Z") for number in range(MANY)]
        if title == "Afterwards":
            talks = [*talks[1:], ("talk-0001", "2026-11-29T00:00:00Z")]
        statement = "INSERT INTO session(event_id, slug, title, position, updated_at) VALUES (50, ?1, ?1, 0, ?2)"
        db.conn.executemany(statement, talks)
        db.conn.commit()

    return more


@pytest.fixture
def public(tmp_path: Path) -> Path:
    publish(tmp_path, SECOND_BUILD, more=grown("Afterwards"))
    publish(tmp_path, more=grown("Before"))
    return tmp_path


@pytest.fixture
def site(public: Path) -> Iterator[httpx.Client]:
    with serving(public) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


LISTS = ("/search?q=the&limit=1", "/moments?q=the&limit=2", "/concordance?q=the&limit=2", "/vocabulary?limit=2")


def test_cursor_of_another_order_holds_for_its_publication(public: Path, site: httpx.Client) -> None:
    following = [site.get(f"/api/1{path}").json()["next"] for path in LISTS]
    asked = [f"/api/1{path}&{urlencode({'cursor': cursor})}" for path, cursor in zip(LISTS, following, strict=True)]
    assert [site.get(address).status_code for address in asked] == [200] * len(LISTS)
    point_to(public, f"catalogue-{SECOND_BUILD}.db")
    for refused in map(site.get, asked):
        assert (refused.status_code, refused.headers["content-type"]) == (409, "application/problem+json")
        assert refused.json()["detail"].startswith("the cursor is of another publication")
    point_to(public, f"catalogue-{FIRST_BUILD}.db")
    assert [site.get(address).status_code for address in asked] == [200] * len(LISTS)


def test_cursor_that_is_none_is_refused(site: httpx.Client) -> None:
    for path in LISTS:
        for cursor in ("x", ":", f"{FIRST_BUILD}:", "-1", "1" * 30, "١٢"):
            asked = f"/api/1{path}&{urlencode({'cursor': cursor})}"
            assert site.get(asked).status_code == 400, asked


def test_numbers_alone_pass_over_items(site: httpx.Client) -> None:
    whole = site.get("/api/1/moments?q=the&limit=4").json()["items"]
    assert site.get("/api/1/moments?q=the&limit=2&cursor=2").json()["items"] == whole[2:4]


def test_results_for_programs_go_on_in_their_publication_only(public: Path, site: httpx.Client) -> None:
    following = site.get("/api/1/search.json?q=the&limit=1").json()["next"]
    assert site.get(following).status_code == 200
    point_to(public, f"catalogue-{SECOND_BUILD}.db")
    refused = site.get(following)
    assert (refused.status_code, refused.json()["title"]) == (409, "Conflict")


def test_lists_by_name_go_on_in_the_next_publication(public: Path, site: httpx.Client) -> None:
    seen = list[str]()
    page: dict[str, Any] = {"next": ""}
    while page["next"] is not None:
        asked = {"event": "a-conference", "limit": "40", "cursor": page["next"]}
        page = site.get("/api/1/sessions", params=asked).json()
        seen += [each["slug"] for each in page["items"]]
        point_to(public, f"catalogue-{SECOND_BUILD}.db")
    assert seen == [f"talk-{number:03}" for number in range(MANY)]


def test_harvest_goes_on_in_the_next_publication(public: Path, site: httpx.Client) -> None:
    with Scythe(f"{str(site.base_url).rstrip('/')}/oai") as scythe:
        found: Iterator[Any] = iter(scythe.list_identifiers(set_="event:a-conference"))
        names = [next(found).identifier]
        point_to(public, f"catalogue-{SECOND_BUILD}.db")
        names += [each.identifier for each in found]
    slugs = [name.rpartition("/")[2] for name in names]
    assert slugs == [*(f"talk-{number:03}" for number in range(MANY)), "talk-0001"]
