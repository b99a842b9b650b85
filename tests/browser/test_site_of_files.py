"""The site as files, in a real browser, from a server that knows nothing but files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from archive.publication.folder import SiteNames
from archive.sqlite import Database
from tests.archive.published_folder import publish
from tests.archive.written_site import serving_files, write
from tests.browser import plenary
from tests.browser.conftest import CHROMIUM, until
from tests.browser.plenary import add_plenary

pytest.importorskip("pagefind", reason="no Pagefind: pip install 'rostra[static]'")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM}: apt-get install chromium"),
]
BASE = "/talks"
GLUED = "Either/or, a dash—like this…and state-of-the-art <b>markup</b>, it’s under_scored by 1,000 at example.org."
"""Words without a space between them."""
TALK = f"{BASE}/events/summer-university-2022/what-an-archive-owes/"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    public, root = tmp_path_factory.mktemp("public"), tmp_path_factory.mktemp("www")

    def add(db: Database, media: Path) -> None:
        add_plenary(db, media)
        picture = io.BytesIO()
        Image.new("RGB", (320, 320), "teal").save(picture, "JPEG")
        db["segment"].insert(
            {"id": 303, "transcript_id": 3, "position": 3, "start_ms": 9_000, "end_ms": 14_000, "text": GLUED}
        )
        db["portrait"].insert({"person_id": 1, "picture": picture.getvalue(), "digest": "0a1b2c3d4e5f"})

    publish(public, more=add)
    with serving_files(root) as address:
        write(public, root / BASE.strip("/"), SiteNames(title="Radio Lighthouse", url=address + BASE))
        yield address


def paused_at(tab: Any, seconds: float) -> None:
    until(tab, f"Math.abs(document.getElementById('player')?.currentTime - {seconds}) < 0.3")


def test_search_leads_to_the_second_and_plays_from_there(tab: Any) -> None:
    tab.goto(f"{BASE}/")
    tab.get_by_role("searchbox").fill("ships where to go")
    tab.keyboard.press("Enter")
    hit = tab.locator(".hit .moment").first
    hit.wait_for()
    assert hit.locator("mark").all_inner_texts() == ["ships", "where", "to", "go,", "where"]
    hit.locator("a.at").click()
    assert urlsplit(tab.url).path == TALK
    assert urlsplit(tab.url).query == "t=27.5&q=ships+where+to+go"
    paused_at(tab, 27.5)
    tab.keyboard.press("k")
    until(tab, "document.getElementById('player')?.currentTime > 28")
    assert tab.locator(".said > a.now").inner_text().startswith("A lighthouse does not tell ships")


@pytest.mark.parametrize(
    ("query", "sessions", "times"),
    [
        ('"debt is honesty" -thank', ["What an archive owes its listeners"], ["0:22"]),
        ("oyentes", ["What an archive owes its listeners"], ["0:04"]),
        ("subscribe", [], []),
        ("الأرشيف", ["الأرشيف والصوت"], ["0:00"]),
        ("event:summer lantern", ["The plenary of two hours"], ["0:05", "0:20", "0:34"]),
    ],
    ids=["phrase", "other-language", "doubtful", "arabic", "field"],
)
def test_search_knows_phrases_languages_and_no_doubtful_words(
    tab: Any, query: str, sessions: list[str], times: list[str]
) -> None:
    tab.goto(f"{BASE}/search/?" + str(httpx.QueryParams({"q": query})))
    until(tab, "document.getElementById('finding').dataset.done === 'yes'")
    assert tab.locator(".hit h2").all_inner_texts() == sessions
    assert tab.locator(".hit .at").all_inner_texts() == times


OWED = "What an archive owes its listeners"


@pytest.mark.parametrize(
    ("query", "sessions", "note"),
    [
        *((query, [], None) for query in ("-debt", "&", '""', "*", "AND -debt")),
        ("NOT debt", [], None),
        ("honesty NOT debt", [], None),
        ("listeners", [OWED], None),
        ("hones*", [OWED], None),
        ("ＤＥＢＴ", [OWED], None),
        ("debt year:2022 kind:keynote,panel person:okafor", [OWED], None),
        ('debt event:"summer university"', [OWED], None),
        ("debt year:1999", [], None),
        ("debt -kind:keynote", [], None),
        ("debt language:es", [], None),
        ("oyentes lang:es", [OWED], None),
        ("speaker:lindqvist debt near/3 honesty", [OWED], "speaker:lindqvist near/3"),
        ("debt OR nothing:here", [], "OR"),
        ("<script>alert(1)</script>:debt", [], None),
    ],
)
def test_search_answers_as_a_program_does_or_says_what_it_does_not_know(
    tab: Any, query: str, sessions: list[str], note: str | None
) -> None:
    tab.goto(f"{BASE}/search/?" + str(httpx.QueryParams({"q": query})))
    until(tab, "document.getElementById('finding').dataset.done === 'yes'")
    assert tab.locator(".hit h2").all_inner_texts() == sessions
    said = f"This search knows no {note}: it looked for the rest."
    assert [each for each in tab.locator("#finding .note").all_inner_texts() if each] == ([said] if note else [])


@pytest.mark.parametrize(
    "query",
    [
        *(
            "either",
            "or",
            "dash",
            "like",
            "this",
            "and",
            "state",
            "art",
            "markup",
            "it's",
            "scored",
            "1,000",
            "example",
        ),
        *('"or a dash like"', "state-of-the-art", '"the art"', "example.org"),
    ],
)
def test_words_without_a_space_between_them_are_found_and_shown_as_written(tab: Any, query: str) -> None:
    tab.goto(f"{BASE}/search/?" + str(httpx.QueryParams({"q": query, "event": "hostile"})))
    until(tab, "document.getElementById('finding').dataset.done === 'yes'")
    assert "0:09" in tab.locator(".hit .at").all_inner_texts()
    assert GLUED in tab.locator(".hit .said").all_inner_texts()


def test_moment_of_two_hours_plays_from_a_server_without_ranges(tab: Any) -> None:
    tab.goto(f"{BASE}{plenary.PATH}/?t=3600")
    paused_at(tab, 3600)
    assert tab.locator(".said > a.now").count() == 1


def test_link_of_the_dynamic_site_leads_to_the_other_recording(tab: Any) -> None:
    tab.goto(TALK)
    other = tab.locator("a.keeps").last.get_attribute("href")
    key = other.split("~recording-")[1].strip("/")
    tab.goto(f"{TALK.rstrip('/')}?recording={key}&t=4.2")
    until(tab, f"location.pathname.endsWith('~recording-{key}/')")
    until(tab, "document.querySelector('.said > a.now')?.innerText === '¿Qué debe un archivo a sus oyentes?'")
    paused_at(tab, 4.2)
    tab.get_by_role("button", name="Share").first.click()
    assert urlsplit(tab.locator("#share-link").input_value()).query == f"recording={key}&t=4.2"
    until(tab, f"document.getElementById('share-citation').value.endsWith('?recording={key}&t=4.2 (0:04)')")


def test_clip_lights_its_words_and_is_cited(tab: Any) -> None:
    tab.goto(f"{BASE}{plenary.PATH}/?t=10,20")
    tab.locator("mark.lit").first.wait_for()
    assert float(tab.evaluate("document.getElementById('player').dataset.end")) == 20
    tab.goto(f"{TALK}cite/?t=4.2,9")
    until(tab, "document.querySelector('[data-style=apa]').textContent.endsWith('(0:04–0:09)')")
    assert "t=4.2,9" in tab.locator("[data-style=apa]").inner_text()
    assert "359998" not in tab.locator("main").inner_text()


@pytest.mark.parametrize("width", [1280, 320])
def test_portrait_is_there_and_as_wide_as_high(tab: Any, width: int) -> None:
    tab.set_viewport_size({"width": width, "height": 700})
    tab.goto(f"{BASE}/people/noor-okafor/")
    portrait = tab.locator("img.portrait.large")
    assert portrait.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") == 320
    box = portrait.bounding_box()
    assert abs(box["width"] - box["height"]) < 1


def test_timetable_is_narrowed_down(tab: Any) -> None:
    tab.goto(f"{BASE}/events/summer-university-2022/?person=jonas-lindqvist")
    until(tab, "document.querySelector('form.choose').hidden === false")
    shown = tab.locator("[data-session]:visible h3").all_inner_texts()
    assert shown == ["What an archive owes its listeners", "Open questions", "The plenary of two hours"]
    assert tab.locator("select[name=person]").input_value() == "jonas-lindqvist"


def test_pages_read_without_javascript(browser: Any, address: str) -> None:
    context = browser.new_context(base_url=address, java_script_enabled=False)
    tab = context.new_page()
    try:
        tab.goto(f"{BASE}/")
        tab.get_by_role("link", name="What an archive owes its listeners").first.click()
        assert tab.locator(".said > a").count() == 10
        tab.locator("a.keeps").last.click()
        assert tab.locator(".said > a").first.inner_text() == "Buenas noches y bienvenidos."
        tab.goto(f"{BASE}/search/")
        assert "needs JavaScript" in tab.locator("noscript").inner_text()
    finally:
        context.close()


def test_announcements_are_found_apart_from_what_was_said(tab: Any) -> None:
    tab.goto(f"{BASE}/search/?q=lantern+registered")
    until(tab, "document.getElementById('finding').dataset.done === 'yes'")
    assert tab.locator(".hit").count() == 0
    assert tab.locator(".announced h2").inner_text() == "1 announcement for lantern registered"
    link = tab.locator(".announced h3 a")
    assert tab.locator(".announced article p").all_inner_texts() == [
        "Summer University · Summer University · 2022-07-23",
        "Thank you! Bring a lantern.",
    ]
    link.click()
    assert tab.url.endswith("/events/summer-university-2022/#announcement-2022-07-23-over-3800")
    tab.goto(f"{BASE}/search/?q=registered&person=noor-okafor")
    until(tab, "document.getElementById('finding').dataset.done === 'yes'")
    assert (tab.locator(".hit").count(), tab.locator(".announced").is_visible()) == (0, False)
