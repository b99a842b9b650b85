from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import CHROMIUM, until

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
    "/events/summer-university-2022?view=grid",
    "/people",
    "/people/eve",
    "/series/summer",
    "/tracks",
    "/languages",
    "/places",
    f"{TALK}/cite?t=3,9",
    "/events/summer-university-2022/plenary?q=lantern",
    "/nothing/here",
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM}: apt-get install chromium"),
]


def test_search_leads_to_the_second(tab: Any) -> None:
    tab.goto("/")
    tab.get_by_role("combobox", name="Search what was said").fill("lighthouse")
    tab.keyboard.press("Enter")
    tab.get_by_role("link", name="What an archive owes its listeners").click()
    tab.wait_for_url("**/*?t=27.5&q=lighthouse")
    until(tab, "player.readyState >= 1")
    until(tab, "Math.abs(player.currentTime - 27.5) < 0.05")
    assert tab.locator("#lines a.now").inner_text().startswith("A lighthouse does not tell ships")
    assert tab.locator("#lines a.now mark.here").inner_text() == "lighthouse"


def test_click_on_a_sentence_plays_it(tab: Any) -> None:
    tab.goto(TALK)
    tab.get_by_text("The third debt is patience").click()
    until(tab, "!player.paused")
    until(tab, "player.currentTime >= 41")
    assert tab.evaluate("document.getElementById('player').currentTime") < 47
    assert tab.url.endswith("?t=41")
    assert tab.locator("#s7").get_attribute("class") == "now"


def test_spoken_sentence_is_marked_while_playing(tab: Any) -> None:
    tab.goto(f"{TALK}?t=3.5")
    until(tab, "player.readyState >= 1")
    tab.evaluate("document.getElementById('player').play()")
    tab.wait_for_selector("#s1.now[aria-current=true]")
    assert tab.locator("#lines .now").count() == 1


def test_keyboard_reaches_and_plays_a_sentence(tab: Any) -> None:
    tab.goto(TALK)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the content"
    for _ in range(60):
        tab.keyboard.press("Tab")
        if tab.evaluate("document.activeElement.id") == "s0":
            break
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowDown")
    assert tab.evaluate("document.activeElement.id") == "s2"
    assert tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    tab.keyboard.press("Enter")
    until(tab, "player.currentTime >= 9.1")
    assert tab.url.endswith("?t=9.1")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.closest('#lines')") is None


def test_hit_within_the_session_plays(tab: Any) -> None:
    tab.goto(TALK)
    tab.get_by_role("searchbox", name="Search this session").fill("lamp")
    tab.keyboard.press("Enter")
    tab.locator(".found").get_by_role("link", name="0:53").click()
    until(tab, "player.currentTime >= 53.2")
    assert tab.locator(".found").is_visible()


def test_session_works_without_javascript(browser: Any, address: str) -> None:
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto(TALK)
    page.get_by_role("link", name="A lighthouse does not tell").click()
    assert page.url.endswith("?t=27.5")
    assert page.locator("#player source").first.get_attribute("src").endswith("#t=27.5")
    assert page.locator("#lines a.now").get_attribute("id") == "s5"
    assert page.locator(".tools").is_hidden()
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


def test_tables_and_sql_of_datasette_do_what_they_offer(tab: Any) -> None:
    tab.goto("/data/session")
    tab.locator("th", has_text="subtitle").locator("svg").click()
    tab.get_by_text("Facet by this").locator("visible=true").first.click()
    tab.wait_for_url("**/data/session?*_facet=subtitle*")
    tab.goto("/data?sql=select+slug,+title+from+session")
    tab.get_by_text("Format SQL").click()
    tab.get_by_role("button", name="Run SQL").click()
    tab.wait_for_url(lambda address: "sql=select%0D%0A++slug%2C" in address)
    assert tab.locator("th").all_inner_texts() == ["slug", "title"]


def test_columns_are_chosen_on_a_phone(open_tab: Callable[..., Any]) -> None:
    tab = open_tab(viewport={"width": 390, "height": 800})
    tab.goto("/data/session")
    button = tab.get_by_text("Choose columns").locator("visible=true")
    if not button.count():
        pytest.skip("Datasette 0.65 has no list of columns")
    button.first.click()
    tab.get_by_role("button", name="Deselect all").click()
    tab.get_by_role("checkbox", name="title", exact=True).check()
    tab.get_by_role("button", name="Apply", exact=True).click()
    tab.wait_for_url("**/data/session?_col=title")
