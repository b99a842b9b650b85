"""Feeds as feed readers, podcast players and Rostra itself read them."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import feedparser
import icalendar
import pytest
from lxml import etree
from PIL import Image

from archive.search.hits import Hit
from archive.search.results import SessionResult
from archive.site.feeds import listings
from archive.site.feeds.listings import how_found
from archive.site.feeds.podcast import FEEDS, ITUNES, NAMESPACE
from archive.sqlite import sqlite3
from metadata.timetables.html_text import html_to_text
from tests.archive.published_folder import FIRST_BUILD, HOSTILE, publish
from tests.archive.site.test_pages import TALK, Site, serve_example

URL = "https://talks.example.org"
EVENT = "/events/summer-university-2022"
LISTED = {
    "": ["arabic", "hostile", "open-questions", "the-launch", "unplanned", "what-an-archive-owes"],
    EVENT: ["arabic", "open-questions", "unplanned", "what-an-archive-owes"],
    "/series/summer": ["arabic", "open-questions", "unplanned", "what-an-archive-owes"],
    "/people/noor-okafor": ["arabic", "what-an-archive-owes"],
    "/tracks/Memory": ["what-an-archive-owes"],
    "/languages/ar": ["arabic"],
}
RECORDED = {"arabic", "hostile", "what-an-archive-owes"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serve_example(
        tmp_path_factory.mktemp("public"), "UPDATE session SET updated_at = '2026-11-23T09:0' || id || ':00Z'", url=URL
    ) as made:
        yield made


def parsed(site: Site, path: str) -> Any:
    response = site.get(path)
    assert response.status_code == 200
    feed = feedparser.parse(response.content)
    assert (feed.bozo, response.headers["access-control-allow-origin"]) == (False, "*")
    return feed


@pytest.mark.parametrize("page", LISTED)
def test_atom_feed_names_every_session_of_its_page(site: Site, page: str) -> None:
    feed = parsed(site, f"{page}/feed.atom")
    assert feed.version == "atom10"
    assert sorted(entry.link.rpartition("/")[2] for entry in feed.entries) == LISTED[page]
    links = {link.rel: link.href for link in feed.feed.links}
    assert links == {"alternate": f"{URL}{page or '/'}", "self": f"{URL}{page}/feed.atom"}
    assert feed.feed.updated == max(entry.updated for entry in feed.entries)


def test_atom_entry_tells_of_a_session_whole(site: Site) -> None:
    [entry] = [each for each in parsed(site, "/feed.atom").entries if each.id == f"{URL}/cite/000000000001"]
    [enclosure] = entry.enclosures
    assert (entry.title, entry.published, entry.updated) == (
        "What an archive owes its listeners",
        "2022-07-23T18:00:00+02:00",
        "2026-11-23T09:01:00+00:00",
    )
    assert [author.name for author in entry.authors] == ["Noor Okafor", "Jonas Lindqvist"]
    assert [tag.term for tag in entry.tags] == ["Memory", "Summer University", "keynote"]
    assert entry.summary.startswith("Recordings that nobody can search are recordings that nobody has.")
    recording = site.get(enclosure.href.removeprefix(URL))
    assert (enclosure.type, int(enclosure.length)) == (recording.headers["content-type"], len(recording.content))


def test_newest_entry_is_first(site: Site) -> None:
    updated = [entry.updated for entry in parsed(site, "/feed.atom").entries]
    assert updated == sorted(updated, reverse=True)


def test_hostile_text_stays_text(site: Site) -> None:
    feed = parsed(site, "/events/hostile/feed.atom")
    assert feed.entries[0].title_detail.type == "text/plain"
    root = etree.fromstring(site.get("/events/hostile/feed.atom").content)
    assert root.findtext("{*}entry/{*}title") == HOSTILE


def test_description_of_an_episode_is_html_and_says_what_was_written(site: Site) -> None:
    """RSS takes it for HTML, and it alone: what looks like markup in a text is lost unless it is escaped."""
    [item] = element(site, "/events/hostile/podcast.rss").findall("item")
    assert "<script" not in item.findtext("description")
    assert html_to_text(item.findtext("description")) == HOSTILE
    assert item.findtext("title") == HOSTILE


def test_text_that_xml_cannot_hold_breaks_no_feed(tmp_path: Path) -> None:
    publish(tmp_path, extra_title="A bell \x07, half of a pair \ufffe and a tab\t.")
    site = Site(tmp_path, url=URL)
    titles = [entry.title for entry in parsed(site, "/feed.atom").entries]
    site.datasette.executor.shutdown()
    assert [title for title in titles if title.startswith("A bell")] == ["A bell , half of a pair  and a tab\t."]


def test_titles_that_xml_cannot_hold_break_no_feed_and_no_calendar(tmp_path: Path) -> None:
    publish(tmp_path, extra_title="\x01\x02")
    conn = sqlite3.connect(tmp_path / f"catalogue-{FIRST_BUILD}.db")
    conn.execute("UPDATE session SET track = '\x03', title = '\x04' WHERE id = 1")
    conn.execute("UPDATE session SET track = '\x03', title = 'One line\nand another' WHERE id = 2")
    conn.execute("UPDATE person SET name = '\x05' WHERE id = 1")
    conn.execute("UPDATE event SET title = '\x06' WHERE id = 1")
    conn.commit()
    conn.close()
    site = Site(tmp_path, url=URL)
    for page in ("", EVENT, "/tracks/%03", "/people/noor-okafor"):
        for name in ("feed.atom", "podcast.rss"):
            feed = parsed(site, f"{page}/{name}")
            assert [each for each in (feed.feed, *feed.entries) if not each.title.strip()] == []
    calendars = [site.get(f"{EVENT}{each}/calendar.ics") for each in ("", "/open-questions")]
    site.datasette.executor.shutdown()
    for each in calendars:
        icalendar.Calendar.from_ical(each.content)
    assert "X-WR-CALNAME:One line and another\r\n" in calendars[1].text
    assert "SUMMARY:One line\\nand another\r\n" in calendars[1].text


@pytest.mark.parametrize("page", LISTED)
def test_podcast_has_what_was_recorded(site: Site, page: str) -> None:
    feed = parsed(site, f"{page}/podcast.rss")
    assert feed.version == "rss20"
    assert sorted(entry.link.rpartition("/")[2] for entry in feed.entries) == sorted(RECORDED & {*LISTED[page]})
    for entry in feed.entries:
        [enclosure] = entry.enclosures
        recording = site.get(enclosure.href.removeprefix(URL))
        assert (enclosure.type, int(enclosure.length)) == (recording.headers["content-type"], len(recording.content))
        assert entry.itunes_duration == "60"


def test_podcast_without_episodes_changed_when_its_sessions_did(site: Site) -> None:
    [event] = {each.link.rpartition("/")[0] for each in parsed(site, "/feed.atom").entries if "launch" in each.link}
    feed = parsed(site, f"{event.removeprefix(URL)}/podcast.rss")
    assert feed.entries == []
    assert feed.feed.updated == "Mon, 23 Nov 2026 09:04:00 +0000"


def element(site: Site, path: str) -> Any:
    return etree.fromstring(site.get(path).content).find("channel")


def test_podcast_follows_the_rules_of_its_namespaces(site: Site) -> None:
    channel = element(site, f"{EVENT}/podcast.rss")
    address = "talks.example.org/events/summer-university-2022/podcast.rss"
    assert channel.findtext(f"{{{NAMESPACE}}}guid") == str(uuid.uuid5(FEEDS, address))
    assert channel.findtext(f"{{{NAMESPACE}}}medium") == "podcast"
    for required in ("title", "description", "link", "language"):
        assert channel.findtext(required)
    assert [channel.findtext(f"{{{ITUNES}}}{name}") for name in ("explicit", "type", "author")] == [
        "false",
        "episodic",
        "Rostra",
    ]
    assert channel.find(f"{{{ITUNES}}}category").get("text") == "Education"
    assert channel.find(f"{{{ITUNES}}}image").get("href") == f"{URL}{EVENT}/cover.png"
    [item] = [each for each in channel.findall("item") if each.findtext("link") == f"{URL}{TALK}"]
    assert item.find("guid").attrib == {"isPermaLink": "true"}
    people = [(each.text, each.get("role"), each.get("href")) for each in item.findall(f"{{{NAMESPACE}}}person")]
    assert people == [
        ("Noor Okafor", "guest", f"{URL}/people/noor-okafor"),
        ("Jonas Lindqvist", "host", f"{URL}/people/jonas-lindqvist"),
    ]
    assert item.findtext(f"{{{NAMESPACE}}}license") == "cc-by-4.0"
    assert item.findtext("pubDate") == "Sat, 23 Jul 2022 18:00:00 +0200"


def test_transcripts_of_an_episode_are_there_in_its_languages(site: Site) -> None:
    items = element(site, f"{EVENT}/podcast.rss").findall("item")
    [item] = [each for each in items if each.findtext("link") == f"{URL}{TALK}"]
    named = [dict(each.attrib) for each in item.findall(f"{{{NAMESPACE}}}transcript")]
    assert {(each["type"], each["language"]) for each in named} == {
        (media_type, language)
        for media_type in ("text/vtt", "application/x-subrip", "application/json")
        for language in ("en", "es")
    }
    for each in named:
        response = site.get(each["url"].removeprefix(URL))
        assert response.headers["content-type"].partition(";")[0] == each["type"]
    [other] = item.findall(f"{{{NAMESPACE}}}alternateEnclosure")
    assert (other.get("lang"), other.get("type")) == ("es", "audio/wav")
    assert site.get(other[0].get("uri").removeprefix(URL)).status_code == 200


def test_licence_of_an_episode_has_the_name_that_players_know_and_its_address(tmp_path: Path) -> None:
    by, own = "https://creativecommons.org/licenses/by-sa/4.0/deed.de", "https://radio.example.org/terms"
    with serve_example(
        tmp_path,
        f"UPDATE recording SET licence = '{by}' WHERE id = 1",
        f"UPDATE recording SET licence = '{own}' WHERE id = 3",
        "UPDATE session_person SET role = 'author' WHERE person_id = 2",
        url=URL,
    ) as site:
        channel = element(site, "/podcast.rss")
    found = [(each.text, each.get("url")) for each in channel.iter(f"{{{NAMESPACE}}}license")]
    assert found == [("cc-by-sa-4.0", by), ("radio.example.org", own)]
    roles = {(each.get("role"), each.get("group")) for each in channel.iter(f"{{{NAMESPACE}}}person")}
    assert roles == {("guest", "cast"), ("author", "writing")}


def test_who_interprets_is_no_author_of_an_entry(tmp_path: Path) -> None:
    with serve_example(tmp_path, "UPDATE session_person SET role = 'interpreter' WHERE person_id = 2", url=URL) as site:
        root = etree.fromstring(site.get(f"{EVENT}/feed.atom").content)
    [entry] = [each for each in root.iter("{*}entry") if each.findtext("{*}id") == f"{URL}/cite/000000000001"]
    named = {name: [each.findtext("{*}name") for each in entry.iter(f"{{*}}{name}")] for name in PEOPLE}
    assert named == {"author": ["Noor Okafor"], "contributor": ["Jonas Lindqvist"]}
    parts = [(each.text, each.get("role")) for each in entry.iter(f"{{{NAMESPACE}}}person")]
    assert parts == [("Noor Okafor", "guest"), ("Jonas Lindqvist", "translator")]


PEOPLE = ("author", "contributor")


def test_search_has_a_feed(site: Site) -> None:
    feed = parsed(site, "/search/feed.atom?q=debt&language=en")
    assert [entry.link for entry in feed.entries] == [f"{URL}{TALK}"]
    assert {link.rel: link.href for link in feed.feed.links}["self"] == f"{URL}/search/feed.atom?q=debt&language=en"
    assert parsed(site, "/search/feed.atom?q=nothing-like-this").entries == []
    assert parsed(site, "/search/feed.atom").entries == []


FOUND = {
    "debt": "all words",
    "debt zeppelin": "some words",
}


@pytest.mark.parametrize("query", FOUND)
def test_feed_of_a_search_says_how_each_was_found(site: Site, query: str) -> None:
    label, said = FOUND[query], "So the first debt is a table of contents, down to the second."
    address = urlencode({"q": query})
    programs = site.get(f"/api/1/search.json?{address}").json()["sessions"][0]
    assert (programs["match"], programs["hits"][0]["match"]) == (label, label)
    for name in ("feed.atom", "podcast.rss"):
        entry = parsed(site, f"/search/{name}?{address}").entries[0]
        assert {tag.term for tag in entry.tags if tag.scheme == f"{URL}/search/help"} == {label}
        assert html_to_text(entry.summary).splitlines()[0] == f"{label} · 23 July 2022 · 0:17: {said}"


def test_how_a_session_was_found_names_who_says_it() -> None:
    at = {"event": "e", "event_title": "E", "session": "s", "title": "S", "url": "/events/e/s", "score": 1.0}
    hit = Hit(
        **at, language="en", start_ms=61_000, end_ms=65_000, text="They slept.", matches=(), before="", after="",
        transcript="v1", match="about this", speaker="Noor Okafor",
    )  # fmt: skip
    found = SessionResult(
        **at, start_at="2022-02-19", duration_ms=0, match="about this", hits=(hit,), count=1, counted="moments",
        places=(),
    )  # fmt: skip
    assert how_found(found) == "about this · Noor Okafor · 19 February 2022 · 1:01: They slept."
    whole = replace(found, match="all words", start_at=None, hits=(replace(hit, start_ms=0, end_ms=0, speaker=None),))
    assert how_found(whole) == "all words"


@pytest.mark.parametrize(
    "path", ["/events/nothing", "/series/nothing", "/people/nobody", "/tracks/Nothing", "/languages/xx", "/places/x"]
)
def test_feed_of_nothing_is_not_there(site: Site, path: str) -> None:
    assert [site.get(f"{path}/{name}").status_code for name in ("feed.atom", "podcast.rss")] == [404, 404]


def test_long_feed_comes_in_pages(tmp_path: Path) -> None:
    publish(tmp_path)
    conn = sqlite3.connect(tmp_path / f"catalogue-{FIRST_BUILD}.db")
    conn.executemany(
        "INSERT INTO session(id, event_id, slug, title, position) VALUES (?, 2, ?, 'One of many', ?)",
        [(n, f"one-{n}", n) for n in range(1000, 1120)],
    )
    conn.commit()
    conn.close()
    site = Site(tmp_path, url=URL)
    path, seen = "/events/launch/feed.atom", list[str]()
    while path:
        feed = parsed(site, path)
        seen += [entry.id for entry in feed.entries]
        links = {link.rel: link.href for link in feed.feed.links}
        path = links.get("next", "").removeprefix(URL)
    site.datasette.executor.shutdown()
    assert (len(seen), len(set(seen))) == (121, 121)
    assert links["previous"] == f"{URL}/events/launch/feed.atom?page=2"


def test_long_podcast_comes_in_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings, "EPISODES", 2)
    publish(tmp_path)
    site = Site(tmp_path, url=URL)
    first, second = (parsed(site, f"/podcast.rss{query}").feed.links for query in ("", "?page=2"))
    site.datasette.executor.shutdown()
    there = [{link.rel: link.href for link in each if link.rel != "alternate"} for each in (first, second)]
    address = f"{URL}/podcast.rss"
    assert there == [
        {"self": address, "next": f"{address}?page=2"},
        {"self": f"{address}?page=2", "first": address, "previous": address},
    ]


@pytest.mark.parametrize("page", ["", EVENT, "/series/summer", "/people/noor-okafor", "/events/hostile"])
def test_podcast_has_a_square_picture_as_large_as_directories_ask(site: Site, page: str) -> None:
    image = element(site, f"{page}/podcast.rss").find(f"{{{ITUNES}}}image").get("href")
    answer = site.get(image.removeprefix(URL))
    picture = Image.open(io.BytesIO(answer.content))
    own = page if page.startswith(("/events", "/series")) else ""
    assert (image, answer.headers["content-type"]) == (f"{URL}{own}/cover.png", "image/png")
    assert (picture.format, picture.size, picture.mode) == ("PNG", (1400, 1400), "RGB")
    assert len(answer.content) < 512 << 10
    assert len(picture.getcolors(1 << 20)) > 2  # words, and not paper alone


def test_directories_are_told_of_a_contact_that_was_named(tmp_path: Path) -> None:
    publish(tmp_path)
    site = Site(tmp_path, url=URL, title="Talks", contact="talks@example.org")
    channel = element(site, "/podcast.rss")
    admin = etree.fromstring(site.get("/oai?verb=Identify").content).findtext(".//{*}adminEmail")
    site.datasette.executor.shutdown()
    owner = channel.find(f"{{{ITUNES}}}owner")
    assert [owner.findtext(f"{{{ITUNES}}}{name}") for name in ("name", "email")] == ["Talks", "talks@example.org"]
    assert (channel.findtext("managingEditor"), admin) == ("talks@example.org (Talks)", "talks@example.org")


def test_feed_names_the_hub_that_it_is_told_of(tmp_path: Path) -> None:
    publish(tmp_path)
    site = Site(tmp_path, url=URL, hub="https://hub.example.org/")
    for name in ("feed.atom", "podcast.rss"):
        hubs = [link.href for link in parsed(site, f"/{name}").feed.links if link.rel == "hub"]
        assert hubs == ["https://hub.example.org/"]
    site.datasette.executor.shutdown()
