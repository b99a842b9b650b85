from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from archive.site.app import create_app
from tests.archive.published_folder import publish

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
TALK = "/events/summer-university-2022/what-an-archive-owes"
PAGES = (
    "/",
    "/search?q=archive",
    "/search?q=nothing+like+this",
    "/search/help",
    "/explore?q=archive&by=person",
    "/events",
    "/events/summer-university-2022",
    "/events/hostile",
    TALK,
    f"{TALK}?t=18&q=lighthouse",
    "/events/summer-university-2022/arabic",
    "/events/hostile/hostile",
    "/people/eve",
    "/nothing/here",
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM}: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    public = tmp_path_factory.mktemp("public")
    publish(public)
    server = uvicorn.Server(uvicorn.Config(create_app(public).app(), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright_api = pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install playwright")
    with playwright_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield running
        running.close()


@pytest.fixture
def tab(browser: Any, address: str) -> Iterator[Any]:
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(address) else complaints.append(request.url))
    yield page
    assert complaints == []
    context.close()


def until(tab: Any, expression: str) -> None:
    """Wait until something is true of the player; the page's policy lets no polling be put into it."""
    for _ in range(200):
        if tab.evaluate(expression):
            return
        tab.wait_for_timeout(50)
    pytest.fail(f"never came true: {expression}")


def test_search_leads_to_the_second(tab: Any) -> None:
    tab.goto("/")
    tab.get_by_role("searchbox", name="Search what was said").fill("lighthouse")
    tab.keyboard.press("Enter")
    tab.get_by_role("link", name="What an archive owes its listeners").click()
    tab.wait_for_url("**/*?t=27.5")
    until(tab, "player.readyState >= 1")
    until(tab, "Math.abs(player.currentTime - 27.5) < 0.05")
    assert tab.locator("#lines > li.now").inner_text().startswith("0:27")


def test_click_on_a_sentence_plays_it(tab: Any) -> None:
    tab.goto(TALK)
    tab.get_by_text("The third debt is patience").click()
    until(tab, "!player.paused")
    until(tab, "player.currentTime >= 41")
    assert tab.evaluate("document.getElementById('player').currentTime") < 47
    assert tab.url.endswith("?t=41")
    assert "now" in tab.locator("#s7").get_attribute("class")


def test_spoken_sentence_is_marked_while_playing(tab: Any) -> None:
    tab.goto(f"{TALK}?t=3.5")
    until(tab, "player.readyState >= 1")
    tab.evaluate("document.getElementById('player').play()")
    tab.wait_for_selector("#s1.now[aria-current=true]")
    assert tab.locator("#lines > .now").count() == 1


def test_keyboard_reaches_and_plays_a_sentence(tab: Any) -> None:
    tab.goto(TALK)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the content"
    for _ in range(60):
        tab.keyboard.press("Tab")
        if tab.evaluate("document.activeElement.closest('li')?.id") == "s2":
            break
    assert tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    tab.keyboard.press("Enter")
    until(tab, "player.currentTime >= 9.1")
    assert tab.url.endswith("?t=9.1")


def test_hit_within_the_session_plays(tab: Any) -> None:
    tab.goto(TALK)
    tab.get_by_role("searchbox", name="Search this session").fill("lamp")
    tab.keyboard.press("Enter")
    tab.locator(".found").get_by_role("link", name="0:53").click()
    until(tab, "player.currentTime >= 53.2")
    assert tab.locator(".found").is_visible()


def test_link_to_the_moment_is_copied(tab: Any) -> None:
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.goto(f"{TALK}?t=18")
    until(tab, "player.currentTime === 18")
    tab.get_by_role("button", name="Copy link to").click()
    tab.wait_for_selector("#copied:not(:empty)")
    assert tab.evaluate("navigator.clipboard.readText()").endswith(f"{TALK}?t=18")


def test_session_works_without_javascript(browser: Any, address: str) -> None:
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto(TALK)
    page.get_by_role("link", name="0:27").click()
    assert page.url.endswith("?t=27.5")
    assert page.locator("#player source").first.get_attribute("src").endswith("#t=27.5")
    assert page.locator("#lines > li.now").get_attribute("id") == "s5"
    assert page.get_by_role("button", name="Copy link to").count() == 0
    context.close()


def test_captions_are_read_by_the_player(tab: Any) -> None:
    tab.goto(TALK)
    tab.evaluate("document.getElementById('player').textTracks[0].mode = 'showing'")
    until(tab, "player.textTracks[0].cues?.length > 5")
    cues = " ".join(tab.evaluate("[...player.textTracks[0].cues].map((cue) => cue.text)"))
    assert "The lamp has to burn when nobody is at sea." in cues.replace("\n", " ")
    assert "subscribe" not in cues


def test_pointing_at_the_timeline_shows_the_moment_and_a_click_plays_it(tab: Any) -> None:
    tab.goto(TALK)
    until(tab, "document.querySelector('#timeline path').getAttribute('d')?.length > 100")
    box = tab.locator("#timeline").bounding_box()
    tab.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 5)
    until(tab, "document.querySelector('#timeline .bubble div').style.background.includes('-160px')")
    assert tab.locator("#timeline .bubble span").inner_text() in {"0:44", "0:45"}
    tab.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + 5)
    until(tab, "player.currentTime >= 44 && player.currentTime < 55")
    until(tab, "Number.parseFloat(document.querySelector('#timeline .played').style.width) > 73")
    tab.mouse.move(0, 0)
    assert tab.locator("#timeline .bubble").is_hidden()


@pytest.mark.parametrize("path", PAGES)
def test_page_fits_a_phone(browser: Any, address: str, path: str) -> None:
    context = browser.new_context(base_url=address, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
