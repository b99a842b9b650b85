from __future__ import annotations

import asyncio
import csv
import io
import re
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlencode, urlsplit

import pytest
from datasette.app import Datasette

from archive.errors import UnpublishedError
from archive.publication.folder import TIME_LIMIT_MS
from archive.research.frequency import BYS
from archive.search import exports
from archive.search.hits import Match
from archive.site.app import create_app
from archive.site.published import current, refresh
from archive.site.research import asked as exploring
from archive.site.research import files
from archive.site.routes import ROUTES
from archive.sqlite import sqlite3
from metadata.captions import WRITERS
from tests.archive.published_folder import FIRST_BUILD, HOSTILE, SECOND_BUILD, SENTENCES, point_to, publish

SCRIPTS = tuple(
    f"/-/static-plugins/rostra/{name}.js?v=" for name in ("embed", "player", "share", "site", "timeline", "transcript")
)
TALK = "/events/summer-university-2022/what-an-archive-owes"
PAGES = (
    "/",
    "/search",
    "/search?q=archive",
    "/search?q=lantern",
    "/search?q=%3Cscript%3Ealert(6)%3C%2Fscript%3E",
    "/search?q=%22%27%3E&event=%22%3E%3Cscript%3E&language=%22%3E&page=2",
    "/search?q=archive+OR+lighthouse&sort=date&person=noor-okafor",
    "/search?person=noor-okafor",
    "/search?q=lantern&track=%22%3E%3Cscript%3E&year=%22%3E&kind=%22%3E&after=%22%3E&sort=%22%3E",
    "/search/help",
    "/explore",
    "/explore?q=debt&by=person&order=left",
    "/explore?q=lantern&by=%22%3E&order=%22%3E&event=%22%3E%3Cscript%3E",
    "/explore?q=lantern+OR+quotes&by=event",
    "/explore?q=lantern&compare=%22%3E%3Cscript%3E,microphone&side=%22%3E&window=%22%3E&sample=%22%3E&seed=3",
    "/corpus",
    "/corpus?name=%22%3E%3Cscript%3E&event=hostile&q=%22%3E%3Cscript%3E&vs_event=%22%3E%3Cscript%3E&since=%22%3E",
    "/downloads",
    "/schema",
    "/events",
    "/events/summer-university-2022",
    "/events/launch",
    "/events/hostile",
    TALK,
    f"{TALK}?t=18&q=archive",
    f"{TALK}?t=%22%3E%3Cscript%3E&q=%22%3E%3Cscript%3E&language=%22%3E",
    f"{TALK}?t=4,19.5",
    f"{TALK}/cite?t=61.2,75",
    "/events/hostile/hostile/cite",
    "/embed/summer-university-2022/what-an-archive-owes?t=3",
    "/embed/hostile/hostile",
    "/events/summer-university-2022/arabic",
    "/events/summer-university-2022/open-questions",
    "/events/hostile/hostile",
    "/events/hostile/hostile?q=lantern",
    "/people",
    "/people/noor-okafor",
    "/people/eve",
    "/series",
    "/series/summer",
    "/tracks",
    "/tracks/Memory",
    "/languages",
    "/languages/en",
    "/places",
    "/events/summer-university-2022?view=grid",
    "/events/summer-university-2022?track=Memory&recorded=1&view=list&room=%22%3E",
)
MISSING = (
    "/nothing",
    "/events/nothing",
    "/events/launch/nothing",
    "/events/launch/the-launch/captions.vtt",
    f"{TALK}/captions.exe",
    f"{TALK}?recording=000000000000",
    f"{TALK}/captions.vtt?recording=000000000000",
    f"{TALK}/captions.vtt?language=de",
    f"{TALK}/cite?recording=000000000000",
    f"{TALK}/cite.txt?style=telepathy",
    f"{TALK}/card.png",
    f"{TALK}/card.png?t=soon",
    f"{TALK}/card.png?t=34",
    f"{TALK}/card.png?t=3&recording=000000000000",
    f"{TALK}/card.png?t=3&language=de",
    "/events/launch/the-launch/card.png?t=3",
    "/logo",
    "/accent.css",
    "/embed/launch/the-launch",
    "/oembed?url=https://example.org/events/launch",
    "/series/nothing",
    "/tracks/nothing",
    "/languages/xx",
    "/people/nobody",
    "/people/%3Cscript%3E",
    "/data/nothing",
    "/corpora/csv.zip",
    "/corpora/..%2f..%2fcatalogue.zip",
    "/_internal",
    "/_memory",
    "/-/metadata.json",
    "/-/databases.json",
    "/-/threads.json",
)


class Site:
    """The site, asked one request at a time."""

    def __init__(self, public: Path, time_limit_ms: int = 60_000, **settings: str) -> None:
        self.public = public  # and a busy machine is no fault of the site
        self.datasette: Any = create_app(public, time_limit_ms=time_limit_ms, **settings)

    def get(self, path: str, **options: Any) -> Any:
        return self.request("GET", path, **options)

    def request(self, method: str, path: str, **options: Any) -> Any:
        return asyncio.run(self.datasette.client.request(method, path, **options))


@contextmanager
def serve_example(public: Path, *changes: str, **settings: str) -> Iterator[Site]:
    """Publish the example into a folder, change its database by statements, and serve it."""
    publish(public)
    with closing(sqlite3.connect(public / f"catalogue-{FIRST_BUILD}.db")) as conn:
        for change in changes:
            conn.execute(change)
        conn.commit()
    made = Site(public, **settings)
    yield made
    made.datasette.executor.shutdown()


class Reader(HTMLParser):
    """Collects every element with its attributes, and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.text += " " if tag == "li" else ""

    def handle_data(self, data: str) -> None:
        self.text += data

    def attributes(self, tag: str, name: str) -> list[str | None]:
        return [attrs[name] for each, attrs in self.elements if each == tag and name in attrs]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serve_example(
        tmp_path_factory.mktemp("public"),
    ) as made:
        yield made


def read(site: Site, path: str) -> Reader:
    return Reader(site.get(path).text)


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("path", PAGES)
def test_page_carries_nothing_foreign(site: Site, path: str) -> None:
    response = site.get(path)
    assert response.status_code == 200
    page = Reader(response.text)
    scripts = [attrs for tag, attrs in page.elements if tag == "script" and attrs.get("type") != "application/ld+json"]
    assert all(str(attrs["src"]).startswith(SCRIPTS) for attrs in scripts)
    assert not {tag for tag, _ in page.elements} & {"iframe", "object", "embed", "style", "base"}
    assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on") or name == "style"]
    pictures = page.attributes("img", "src")
    assert all(re.fullmatch(r"/media/[0-9a-f]{64}\.jpg", str(address)) for address in pictures)
    loaded = [*page.attributes("script", "src"), *page.attributes("audio", "src"), *page.attributes("track", "src")]
    assert all(str(address).startswith("/") and not str(address).startswith("//") for address in loaded)
    schemes = {urlsplit(str(address)).scheme for address in page.attributes("a", "href")}
    assert schemes <= {"", "https", "http"}


@pytest.mark.parametrize("path", PAGES)
def test_page_is_complete(site: Site, path: str) -> None:
    page = read(site, path)
    assert [tag for tag, _ in page.elements].count("h1") == 1
    assert page.attributes("html", "lang") == ["en"]
    assert len([attrs for tag, attrs in page.elements if tag == "link" and attrs["rel"] == "canonical"]) == 1
    labelled = {*page.attributes("label", "for")}
    fields = [attrs for tag, attrs in page.elements if tag == "input" and attrs.get("type") == "search"]
    assert {attrs["id"] for attrs in fields} <= labelled
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("path", MISSING)
def test_missing_page_has_the_style_of_the_site(site: Site, path: str) -> None:
    response = site.get(path)
    assert response.status_code == 404
    assert "There is nothing at this address" in response.text
    assert "<script>" not in response.text


def test_security_headers_are_strict_on_pages_and_set_on_data(site: Site) -> None:
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in site.get("/").headers["content-security-policy"]
    data = site.get("/data/session").headers
    assert "default-src 'none'" in data["content-security-policy"]
    assert data["x-content-type-options"] == "nosniff"
    assert data["referrer-policy"] in {"same-origin", "no-referrer"}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_writing_is_refused(site: Site, method: str) -> None:
    response = site.request(method, "/data/session")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_last_slash_is_dropped(site: Site) -> None:
    response = site.get("/events/?a=1")
    assert (response.status_code, response.headers["location"]) == (301, "/events?a=1")


def test_last_slash_never_leads_to_another_host(site: Site) -> None:
    assert site.get("http://localhost//example.org/", avoid_path_rewrites=True).status_code == 404


def test_home_shows_figures_newest_sessions_and_events(site: Site) -> None:
    text = squeezed(read(site, "/").text)
    assert "6 sessions 3 mins recorded 3 languages 3 people" in text
    assert text.index("الأرشيف والصوت") < text.index("What an archive owes its listeners")
    assert "23 – 26 Jul 2022" in text


def test_event_shows_local_times_days_and_what_was_recorded(site: Site) -> None:
    text = squeezed(read(site, "/events/summer-university-2022?view=list").text)
    assert "Edition 3 of Summer University" in text
    assert "in English interpreted into Arabic and Spanish" in text
    assert "Saturday 23 July 18:00 What an archive owes its listeners" in text
    assert "Questions and answers 30 mins planned no recording" in text
    assert "Without a time A session without a time" in text
    assert "1,000 registered, from 91 countries (1 June 2022) 3,800 registered (23 July 2022)" in text
    assert "Lighthouse, Hamburg, Germany" in text
    assert "Times are those of Berlin." in text


def test_event_keeps_an_approximate_figure_approximate(site: Site) -> None:
    assert "over 300 attended, from 18 countries" in squeezed(read(site, "/events/launch").text)


def test_session_links_every_sentence_to_its_second(site: Site) -> None:
    page = read(site, TALK)
    links = [attrs for tag, attrs in page.elements if tag == "a" and re.fullmatch(r"s\d+", str(attrs.get("id")))]
    assert [attrs.get("tabindex") for attrs in links] == [None, *["-1"] * (len(SENTENCES) - 1)]
    assert [attrs["href"] for attrs in links] == [
        f"?t={f'{start / 1000:.3f}'.rstrip('0').rstrip('.')}" for start, _, _ in SENTENCES
    ]
    assert all(text in page.text for _, _, text in SENTENCES)


def test_session_starts_the_player_at_the_moment(site: Site) -> None:
    page = read(site, f"{TALK}?t=1:05.5")
    [source] = page.attributes("source", "src")
    assert re.fullmatch(r"/media/[0-9a-f]{64}\.wav#t=65\.5", str(source))
    [spoken] = [attrs for tag, attrs in page.elements if tag == "a" and attrs.get("class") == "now"]
    assert (spoken["id"], spoken["aria-current"], "autofocus" in spoken) == ("s9", "true", True)


def test_session_offers_the_form_for_browsers_and_a_poster(tmp_path: Path) -> None:
    publish(tmp_path)
    conn = sqlite3.connect(tmp_path / f"catalogue-{FIRST_BUILD}.db")
    conn.execute("DELETE FROM rendition WHERE recording_id = 1")
    for kind, sha256, suffix, media_type in (
        ("web", "a" * 64, ".webm", "audio/webm"),
        ("poster", "b" * 64, ".jpg", "image/jpeg"),
    ):
        conn.execute(
            "INSERT OR REPLACE INTO rendition(recording_id, kind, sha256, suffix, media_type, bytes)"
            " VALUES (1, ?, ?, ?, ?, 3)",
            (kind, sha256, suffix, media_type),
        )
        (tmp_path / "media" / f"{sha256}{suffix}").write_bytes(b"abc")
    conn.commit()
    conn.close()
    site = Site(tmp_path)
    page = read(site, f"{TALK}?t=2")
    sources = [(str(attrs["src"]), attrs["type"]) for tag, attrs in page.elements if tag == "source"]
    assert sources == [(f"/media/{'a' * 64}.webm#t=2", "audio/webm")]
    assert page.attributes("audio", "poster") == [f"/media/{'b' * 64}.jpg"]
    picture = site.get(f"/media/{'b' * 64}.jpg")
    site.datasette.executor.shutdown()
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")


def test_session_names_what_is_doubtful_and_why(site: Site) -> None:
    text = squeezed(read(site, TALK).text)
    assert (
        "Thank you for watching and do not forget to subscribe. "
        "Doubtful: a phrase that machines are known to invent; no speech was heard here" in text
    )


def test_session_credits_the_recording_and_calls_a_synthetic_voice_one(site: Site) -> None:
    floor = squeezed(read(site, TALK).text)
    assert "Recording: Radio Lighthouse. Licence: CC-BY-4.0." in floor
    assert "Synthetic voice" not in floor
    assert "Synthetic voice" in read(site, "/events/summer-university-2022/arabic").text


def test_session_shows_another_recording_with_its_own_transcript(site: Site) -> None:
    [link] = [href for href in read(site, TALK).attributes("a", "href") if str(href).startswith("?recording=")]
    page = read(site, f"{TALK}{link}")
    assert "Buenas noches y bienvenidos." in page.text
    assert "Synthetic voice" in page.text
    assert page.attributes("track", "src") == [f"{TALK}/captions.vtt{link}"]
    assert f"{link}&t=4.2" in page.attributes("a", "href")


def test_session_writes_a_transcript_from_right_to_left(site: Site) -> None:
    page = read(site, "/events/summer-university-2022/arabic")
    [lines] = [attrs for tag, attrs in page.elements if tag == "ol" and attrs.get("id") == "lines"]
    assert (lines["lang"], lines["dir"]) == ("ar", "rtl")


def test_session_searches_within_itself(site: Site) -> None:
    assert "1 moment with lighthouse" in squeezed(read(site, f"{TALK}?q=lighthouse").text)
    assert "lantern was not found in this recording." in squeezed(read(site, f"{TALK}?q=lantern").text)


@pytest.mark.parametrize(
    ("form", "media_type", "start"),
    [
        ("vtt", "text/vtt; charset=utf-8", "WEBVTT\n\n00:00:00.000 --> "),
        ("srt", "application/x-subrip; charset=utf-8", "1\n00:00:00,000 --> "),
        ("txt", "text/plain; charset=utf-8", "Good evening, and welcome to everyone who listens."),
        ("json", "application/json; charset=utf-8", '{\n "language": "en",'),
        ("ttml", "application/ttml+xml; charset=utf-8", '<?xml version="1.0" encoding="UTF-8"?>\n<tt '),
        ("podcast-json", "application/json; charset=utf-8", '{\n "version": "1.0.0",'),
    ],
)
def test_captions_are_written_in_every_format(site: Site, form: str, media_type: str, start: str) -> None:
    response = site.get(f"{TALK}/captions.{form}")
    assert (response.status_code, response.headers["content-type"]) == (200, media_type)
    assert response.text.startswith(start)
    assert ("subscribe" in response.text) == (form == "json")


def test_search_marks_what_matched_and_leads_to_the_second(site: Site) -> None:
    page = read(site, "/search?q=lighthouse")
    assert f"{TALK}?t=27.5&q=lighthouse" in page.attributes("a", "href")
    html = site.get("/search?q=lighthouse").text
    assert re.findall("<mark>(.*?)</mark>", html) == ["lighthouse"]
    text = squeezed(page.text)
    assert "1 session for lighthouse" in text
    assert "Noor Okafor, Jonas Lindqvist Summer University 23 July 2022 English" in text


def test_search_leads_to_the_recording_in_which_it_was_said(site: Site) -> None:
    [hit] = {href for href in read(site, "/search?q=oyentes").attributes("a", "href") if "t=4.2" in str(href)}
    assert re.fullmatch(re.escape(TALK) + r"\?recording=[0-9a-f]{12}&t=4\.2&q=oyentes", str(hit))
    assert "¿Qué debe un archivo a sus oyentes?" in read(site, str(hit)).text


def test_search_finds_a_session_by_its_title_without_naming_a_second(site: Site) -> None:
    assert "/events/launch/the-launch" in read(site, "/search?q=%22the+book+is+out%22").attributes("a", "href")


def test_search_escapes_what_was_said(site: Site) -> None:
    html = site.get("/search?q=lantern").text
    assert "&lt;img src=x onerror=alert(2)&gt; and a <mark>lantern</mark>" in html


def test_search_without_a_hit_helps(site: Site) -> None:
    text = squeezed(read(site, "/search?q=%22xylophone%22&event=launch").text)
    assert 'Nothing was found for "xylophone"' in text
    assert "Look everywhere instead, in all events and languages." in text
    assert "try it without the quotes" in text


@pytest.mark.parametrize("after", ["0", "[]", "[1e999,0,0]", "[[[", "%00"])
def test_search_survives_any_key_of_a_page(site: Site, after: str) -> None:
    page = site.get(f"/search?q=archive&after={after}")
    assert (page.status_code, "What an archive owes" in page.text) == (200, True)


def test_search_shows_where_in_the_session_and_what_to_narrow_down_by(site: Site) -> None:
    page = read(site, "/search?q=debt")
    assert [attrs["x"] for tag, attrs in page.elements if tag == "rect"] == ["283.3", "368.3", "683.3"]
    assert "/search?q=debt&person=noor-okafor" in page.attributes("a", "href")
    assert "Event Summer University 1" in squeezed(page.text)
    assert "Kind Keynote 1" in squeezed(page.text)


def test_search_by_filter_alone_lists_sessions(site: Site) -> None:
    text = squeezed(read(site, "/search?person=noor-okafor").text)
    assert "2 sessions" in text
    assert "Person: Noor Okafor" in text


def test_search_suggests_what_the_archive_says(site: Site) -> None:
    page = read(site, "/search?q=lighthuose&event=summer-university-2022")
    assert "Did you mean lighthouse?" in squeezed(page.text)
    assert "/search?q=lighthouse&event=summer-university-2022" in page.attributes("a", "href")


def test_what_has_some_words_is_marked_so(site: Site) -> None:
    answer = site.get("/api/1/search.json?q=debt+zeppelin").json()
    assert (answer["total"], answer["exact"]) == (1, 0)
    (session,) = answer["sessions"]
    assert (session["session"], session["match"], session["counted"]) == (
        "what-an-archive-owes",
        "some words",
        "moments",
    )
    assert {hit["match"] for hit in session["hits"]} == {"some words"}
    text = squeezed(read(site, "/search?q=debt+zeppelin").text)
    assert "Some words" in text
    assert "Nothing has all of these words: what follows has some of them." in text
    assert site.get("/api/1/search.json?q=debt+zeppelin+exact:yes").json()["sessions"] == []


@pytest.mark.parametrize("path", ["/search", "/explore", "/corpus", "/search/help"])
@pytest.mark.parametrize("name", ["q", "speaker", "event", "name", "year"])
def test_what_nobody_sees_of_an_address_is_in_no_page(site: Site, path: str, name: str) -> None:
    unseen = "\x1b\x07\x00\x85\u202e\u2066\u2028"
    answer = site.get(f"{path}?{urlencode({name: f'debt{unseen}owed'})}")
    assert answer.status_code in {200, 404}
    assert [char for char in unseen if char in answer.text] == []
    assert [char for char in unseen if f"%{char.encode()[0]:02X}" in answer.text] == []


def test_search_as_json(site: Site) -> None:
    answer = site.get("/api/1/search.json?q=debt&person=noor-okafor&limit=1").json()
    (session,) = answer.pop("sessions")
    assert {name: answer[name] for name in ("query", "filters", "sort", "total", "complete", "note", "next")} == {
        "query": "debt",
        "filters": {"person": "noor-okafor"},
        "sort": "relevance",
        "total": 1,
        "complete": True,
        "note": None,
        "next": None,
    }
    assert answer["facets"]["kind"] == [{"value": "keynote", "label": "keynote", "sessions": 1}]
    assert (session["session"], session["count"]) == ("what-an-archive-owes", 3)
    assert session["places"] == [[17_000, 22_000], [22_100, 27_400], [41_000, 47_000]]
    assert [hit["start_ms"] for hit in session["hits"]] == [17_000, 22_100, 41_000]


def test_search_as_json_page_by_page(site: Site) -> None:
    seen, address = [], "/api/1/search.json?q=kind:keynote+OR+kind:qa+OR+kind:talk&limit=2"
    while address:
        answer = site.get(address).json()
        seen += [session["session"] for session in answer["sessions"]]
        address = answer["next"]
    assert (len(seen), len(set(seen)), answer["total"]) == (5, 5, 5)


def test_help_tells_of_every_address_for_programs(site: Site) -> None:
    page = site.get("/search/help").text
    named = set(re.findall(r"(?:<code>|href=\")(/[^<\"]*)", page.partition("For programs")[2].partition("</main>")[0]))
    told = {answering(address) for address in named}
    assert [pattern for pattern, _ in ROUTES[:-1] if is_for_programs(pattern) and pattern not in told] == []
    assert [address for address in sorted(named) if answering(address) is None] == []
    assert {f"/api/1/{name}.csv" for name in files.TABLES} <= named
    columns = (*exports.COLUMNS, *exploring.ORDERS, *BYS, *get_args(Match), *WRITERS)
    assert [name for name in columns if f"<code>{name}</code>" not in page] == []


FOR_READERS = ("/logo$", "accent", r"card\.png", r"cover\.png", "portrait", "/media/")
"""Of routes to files, those to what pages show."""


def is_for_programs(pattern: str) -> bool:
    """Whether a route answers programs: the API, and files but those that pages show."""
    return pattern.startswith(("/oai", "/oembed", "/-/health", "/api/")) or (
        r"\." in pattern and not any(each in pattern for each in FOR_READERS)
    )


def answering(address: str) -> str | None:
    """Return the route of an address in the page of help, whose capitals stand for names."""
    path = address.partition("?")[0].replace("/cite/SESSION", f"/cite/{'a' * 12}").replace("VERSION", "a" * 8)
    path = path.replace("FORM", "csv")
    return next((pattern for pattern, _ in ROUTES[:-1] if re.match(pattern, path)), None)


def test_help_tells_of_what_is_found_and_how_it_is_marked(site: Site) -> None:
    text = squeezed(read(site, "/search/help").text)
    assert [f"“{label.capitalize()}”" in text for label in get_args(Match)[1:]] == [True, True]
    assert "with any other field there are none" in text
    fields = text.partition("Announcements")[2].partition("choose among announcements")[0]
    assert [field in fields for field in ("event:", "series:", "year:", "language:", "after:", "before:")] == [True] * 6


def test_explore_counts_and_shows_what_was_said(site: Site) -> None:
    text = squeezed(read(site, "/explore?q=debt&by=person").text)
    assert "Noor Okafor" in text
    assert "So the first debt is a table of contents" in text


@pytest.mark.parametrize(
    ("path", "media_type", "start"),
    [
        ("moments.csv", "text/csv; charset=utf-8", "event,session,title,language,start_ms"),
        ("moments.jsonl", "application/jsonl; charset=utf-8", '{"event": "summer-university-2022"'),
        ("concordance.csv", "text/csv; charset=utf-8", "left,match,right,event,session,start_ms,url"),
        ("frequency.csv", "text/csv; charset=utf-8", "year,label,occurrences,hours,per_hour"),
    ],
)
def test_research_as_files(site: Site, path: str, media_type: str, start: str) -> None:
    response = site.get(f"/api/1/{path}?q=debt")
    assert (response.status_code, response.headers["content-type"]) == (200, media_type)
    assert response.headers["rostra-complete"] == "yes"
    assert response.text.startswith(start)


def test_person_is_listed_by_role(site: Site) -> None:
    text = squeezed(read(site, "/people/jonas-lindqvist").text)
    assert text.index("Speaker") < text.index("Open questions") < text.index("Chair") < text.index("What an archive")


def test_hostile_text_is_shown_as_written(site: Site) -> None:
    page = read(site, "/events/hostile/hostile")
    assert page.text.count(HOSTILE) >= 6
    assert "</script><script>alert(1)</script> said the microphone." in page.text
    assert "\"Quotes\", 'apostrophes' & ampersands \N{GRINNING FACE}." in page.text


def test_data_pages_work_under_the_same_roof(site: Site) -> None:
    assert "Summer University" in site.get("/data/event").text
    assert site.get("/data/event.json?_shape=array&_col=slug").json()[0]["slug"] == "summer-university-2022"
    assert site.get("/data/event.csv?_col=slug").text.splitlines()[1].endswith("summer-university-2022")
    rows = site.get("/data.json?sql=select+count(*)+as+n+from+session&_shape=array", follow_redirects=True).json()
    assert rows == [{"n": 6}]
    assert site.get("/data.db").status_code in {403, 404}


def test_cells_of_datasettes_csv_are_no_formulas(site: Site) -> None:
    cells = ("=1+1", "+1", "-1", "-1 lamp", "@sum", "\t=1", '=cmd|"x"!A1', "a=1", "two\n=lines", "＝1")
    select = ", ".join(f"""'{cell}' as "{cell.strip()[:5].replace(chr(34), "")}" """ for cell in cells)
    query = urlencode({"sql": f"select {select}, -2.5 as n"})
    response = site.get(f"/data.csv?{query}", follow_redirects=True)
    header, row = csv.reader(io.StringIO(response.text, newline=""))
    assert [name for name in header if name.startswith(("=", "+", "-", "@"))] == ["+1", "-1"]  # numbers
    assert row == [
        "'=1+1", "+1", "-1", "'-1 lamp", "'@sum", "'\t'=1", '\'=cmd|"x"!A1', "a=1", "two\n'=lines", "'＝1", "-2.5",
    ]  # fmt: skip


def test_data_pages_lead_home_in_the_colours_of_the_site(site: Site) -> None:
    page = read(site, "/data/event")
    assert "/" in page.attributes("a", "href")
    styles = [str(href) for href in page.attributes("link", "href")]
    assert [href for href in styles if href.startswith("/-/static-plugins/rostra/data.css?v=")]


def test_sql_is_stopped_after_a_second(site: Site) -> None:
    assert TIME_LIMIT_MS == 1_000
    impatient = Site(site.public, TIME_LIMIT_MS)
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"
    response = impatient.get("/data.json", params={"sql": endless}, follow_redirects=True)
    impatient.datasette.executor.shutdown()
    assert (response.status_code, "query took too long" in response.text) == (400, True)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_have_contrast(theme: str) -> None:
    css = (Path(create_app.__code__.co_filename).parent / "static" / "site.css").read_text()
    blocks = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", blocks[theme == "dark"]))
    pairs = [("ink", "paper"), ("soft", "paper"), ("red", "paper"), ("soft", "wash"), ("ink", "wash"), ("ink", "now")]
    pairs += [("red", "now"), ("soft", "now"), ("on-red", "red"), ("on-mark", "mark")]
    assert dict.fromkeys(pairs, True) == {(a, b): _contrast(colours[a], colours[b]) >= 4.5 for a, b in pairs}


def _contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2, definition of relative luminance)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_create_app_without_a_publication_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UnpublishedError, match="run 'rostra run' or 'rostra publish'"):
        create_app(tmp_path)


def test_plugin_is_inert_without_its_configuration() -> None:
    async def ask() -> tuple[int, int, str | None]:
        plain = Datasette(memory=True)
        home, search = await plain.client.get("/"), await plain.client.get("/search")
        return home.status_code, search.status_code, home.headers.get("content-security-policy")

    assert asyncio.run(ask()) == (200, 404, None)


def test_new_build_is_shown_without_a_restart(tmp_path: Path) -> None:
    publish(tmp_path)
    site = Site(tmp_path)
    before = site.get("/events/summer-university-2022/extra").status_code, site.get("/data/session/90").status_code
    publish(tmp_path, SECOND_BUILD, extra_title="A session that came later")
    (tmp_path / f"catalogue-{FIRST_BUILD}.db").unlink()
    after = site.get("/events/summer-university-2022/extra").status_code, site.get("/data/session/90").status_code
    assert (before, after) == ((404, 404), (200, 200))


def test_request_in_flight_keeps_its_build(tmp_path: Path) -> None:
    publish(tmp_path)
    datasette: Any = create_app(tmp_path)
    begun, resume = threading.Event(), threading.Event()

    def slow(conn: Any) -> tuple[int, int]:
        first = conn.execute("SELECT count(*) FROM session").fetchone()[0]
        begun.set()
        resume.wait(30)
        return first, conn.execute("SELECT count(*) FROM session").fetchone()[0]

    async def ask() -> tuple[tuple[int, int], str, int]:
        reading = asyncio.create_task(current(datasette).execute_fn(slow))
        await asyncio.to_thread(begun.wait, 30)
        publish(tmp_path, SECOND_BUILD, extra_title="A session that came later")
        page = await datasette.client.get("/")
        resume.set()
        return await reading, page.text, page.status_code

    counts, text, status = asyncio.run(ask())
    assert (counts, "7</b> sessions" in text, status) == ((6, 6), True, 200)


def test_no_request_fails_while_builds_change(tmp_path: Path) -> None:
    publish(tmp_path, SECOND_BUILD, extra_title="A session that came later")
    publish(tmp_path)
    datasette: Any = create_app(tmp_path)

    async def ask() -> list[int]:
        await datasette.invoke_startup()  # as the server does before its first request
        statuses = []
        for turn in range(12):
            requests = [datasette.client.get(path) for path in (TALK, "/", "/search?q=archive", "/data/session.json")]
            pending = asyncio.gather(*requests)
            await asyncio.sleep(0)
            point_to(tmp_path, f"catalogue-{SECOND_BUILD if turn % 2 else FIRST_BUILD}.db")
            statuses += [response.status_code for response in await pending]
        return statuses

    assert asyncio.run(ask()) == [200] * 48


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"database": "catalogue-00000000000000ff.db", "built_at": "2026-11-23T10:00:00Z"}',
        '{"database": "../catalogue-00000000000000aa.db", "built_at": "2026-11-23T10:00:00Z"}',
        '{"database": "catalogue-00000000000000aa.db"}',
    ],
)
def test_broken_publication_leaves_what_is_shown(tmp_path: Path, content: str) -> None:
    publish(tmp_path)
    site = Site(tmp_path)
    shown = current(site.datasette)
    (tmp_path / "current.json").write_text(content)
    assert site.get("/").status_code == 200
    assert current(site.datasette) is shown


def test_vanished_publication_leaves_what_is_shown(tmp_path: Path) -> None:
    publish(tmp_path)
    site = Site(tmp_path)
    (tmp_path / "current.json").unlink()
    assert site.get("/").status_code == 200


def test_unchanged_publication_keeps_its_database_open(tmp_path: Path) -> None:
    publish(tmp_path)
    datasette: Any = create_app(tmp_path)
    shown = current(datasette)
    refresh(datasette)
    assert current(datasette) is shown


def test_mistake_in_sql_is_explained_and_not_printed(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    page = site.get("/data?sql=select+*+from+absent", follow_redirects=True)
    data = site.get("/data.json?sql=select+*+from+absent", follow_redirects=True)
    assert "no such table: absent" in Reader(page.text).text
    assert (data.status_code, data.json()["error"]) == (400, "no such table: absent")
    assert "Traceback" not in capsys.readouterr().out


def test_failure_tells_the_log_everything_and_readers_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    publish(tmp_path)
    conn = sqlite3.connect(tmp_path / f"catalogue-{FIRST_BUILD}.db")
    conn.execute("DROP TABLE person")
    conn.close()
    response = Site(tmp_path).get("/people/noor-okafor")
    assert response.status_code == 500
    assert "no such table" not in response.text
    assert "no such table: person" in caplog.text
