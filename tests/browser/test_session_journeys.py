from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from tests.browser import plenary
from tests.browser.conftest import CHROMIUM, serving, until

TALK = "/events/summer-university-2022/what-an-archive-owes"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
LANDSCAPE = {"viewport": {"width": 844, "height": 390}, "has_touch": True, "is_mobile": True}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM}: apt-get install chromium"),
]


def in_view(tab: Any, selector: str) -> bool:
    return bool(
        tab.evaluate(
            """(selector) => {
                const box = document.querySelector(selector).getClientRects()[0];
                const over = document.elementFromPoint(box.left + 5, box.top + box.height / 2);
                return box.top >= 0 && box.bottom <= innerHeight && over?.closest(selector) !== null;
            }""",
            selector,
        )
    )


def test_search_steps_through_every_hit_of_two_hours(tab: Any) -> None:
    hits = len(range(2, plenary.CUES, plenary.EVERY))
    tab.goto(f"/search?q={plenary.WORD}")
    tab.get_by_role("link", name="More in this session").click()  # so many are counted on its own page alone
    assert f"{hits} moments with {plenary.WORD}" in tab.locator(".found").inner_text()
    tab.locator("#hit-number:not(:empty)").wait_for()
    assert tab.locator("#hit-number").inner_text() == f"1 of {hits}"
    seen = []
    for nth in range(1, hits + 1):
        assert tab.locator("#hit-number").inner_text() == f"{nth} of {hits}"
        if nth % 100 == 1:
            seen.append(int(tab.locator("mark.here").evaluate("(mark) => mark.closest('a').id.slice(1)")))
            assert in_view(tab, "mark.here")
        tab.evaluate("document.getElementById('hit-after').click()")
    assert seen == [2, 502, 1002, 1502, 2002]
    assert tab.locator("#hit-number").inner_text() == f"1 of {hits}"
    tab.keyboard.press("p")
    assert tab.locator("#hit-number").inner_text() == f"{hits} of {hits}"
    assert tab.locator("mark[data-hit]").count() == hits


def test_two_hours_are_one_stop_of_the_tab_key(tab: Any) -> None:
    tab.goto(plenary.PATH)
    assert tab.locator("#lines a:not([tabindex='-1'])").count() == 1
    assert tab.locator(".said > a").count() == plenary.CUES
    assert tab.locator("#lines .at").count() < plenary.CUES / 5


@pytest.mark.parametrize("options", [{}, PHONE, LANDSCAPE, {"java_script_enabled": False}])
def test_moment_late_in_two_hours_is_in_view_at_once(open_tab: Callable[..., Any], browser: Any, options: Any) -> None:
    tab = open_tab(**options)
    tab.goto(f"{plenary.PATH}?t=5400")
    if options.get("java_script_enabled", True):
        assert in_view(tab, "#lines .now")
        assert tab.evaluate("scrollY") > 5_000
    else:
        box = tab.locator("#lines .now").bounding_box()
        assert 0 <= box["y"] <= 900
    assert tab.locator("#lines .now").get_attribute("aria-current") == "true"


def test_following_stops_when_the_reader_scrolls_and_is_taken_up_again(tab: Any) -> None:
    tab.goto(f"{plenary.PATH}?t=600")
    tab.evaluate("document.getElementById('player').play()")
    until(tab, "!player.paused && player.currentTime > 600.2")
    assert tab.locator("#back").is_hidden()
    tab.mouse.move(900, 500)
    tab.mouse.wheel(0, 3_000)
    tab.locator("#back").wait_for(state="visible")
    before = tab.evaluate("scrollY")
    tab.evaluate("player.currentTime = 640")
    tab.wait_for_timeout(400)
    assert tab.evaluate("scrollY") == before
    tab.locator("#back").click()
    until(tab, "!document.getElementById('back').offsetParent")
    tab.wait_for_timeout(600)
    assert in_view(tab, "#lines .now")


def test_word_that_is_said_is_marked(tab: Any) -> None:
    tab.goto(f"{plenary.PATH}?t=300")
    tab.evaluate("document.getElementById('player').play()")
    until(tab, "[...CSS.highlights.get('spoken')].length === 1")
    word = tab.evaluate("[...CSS.highlights.get('spoken')][0].toString()")
    sentence = tab.locator("#lines .now").inner_text()
    assert word.strip(".,") in sentence
    assert " " not in word


KEYS = [
    ("k", "!player.paused"),
    (" ", "!player.paused"),
    ("l", "Math.abs(player.currentTime - 40) < 0.5"),
    ("j", "Math.abs(player.currentTime - 20) < 0.5"),
    ("ArrowRight", "Math.abs(player.currentTime - 35) < 0.5"),
    ("ArrowLeft", "Math.abs(player.currentTime - 25) < 0.5"),
    ("5", "Math.abs(player.currentTime - 30) < 0.5"),
    (".", "Math.abs(player.currentTime - 30.04) < 0.001"),
    (",", "Math.abs(player.currentTime - 29.96) < 0.001"),
    ("m", "player.muted"),
    (">", "player.playbackRate === 1.25"),
    ("<", "player.playbackRate === 0.75"),
    ("c", "!document.getElementById('caption').hidden"),
    ("/", "document.activeElement.id === 'q-session'"),
    ("?", "document.getElementById('sheet').open"),
    ("s", "document.getElementById('share').open"),
]


@pytest.mark.parametrize(("key", "becomes"), KEYS, ids=[key for key, _ in KEYS])
def test_keys_are_those_of_other_players(tab: Any, key: str, becomes: str) -> None:
    tab.goto(f"{TALK}?t=30")
    until(tab, "player.readyState >= 1 && player.currentTime === 30")
    tab.evaluate("document.activeElement.blur()")
    tab.keyboard.press(key)
    until(tab, becomes)


def test_keys_write_where_somebody_writes(tab: Any) -> None:
    tab.goto(TALK)
    tab.keyboard.press("/")
    tab.keyboard.type("k?jm")
    assert tab.locator("#q-session").input_value() == "k?jm"
    assert tab.evaluate("player.paused && !player.muted")


def test_speed_is_remembered_and_captions_over_sound_are(tab: Any) -> None:
    tab.goto(TALK)
    tab.get_by_label("Speed").select_option("1.5")
    tab.get_by_label("Captions").select_option("en")
    tab.goto(f"{TALK}?t=18")
    until(tab, "player.playbackRate === 1.5")
    until(tab, "document.getElementById('caption').textContent.includes('table of contents')")


def test_place_is_kept_in_another_recording(tab: Any) -> None:
    tab.goto(TALK)
    tab.evaluate("player.currentTime = 33.4")
    until(tab, "player.currentTime > 33 && !player.seeking")
    tab.get_by_role("link", name="Interpretation, Spanish").click()
    tab.wait_for_url("**/*recording=*")
    assert "t=33.4" in tab.url
    until(tab, "Math.abs(player.currentTime - 33.4) < 0.1")
    assert "Buenas noches" in tab.locator("#lines").inner_text()


def test_clip_plays_to_its_end_and_lights_its_words(tab: Any) -> None:
    tab.goto(f"{TALK}?t=17,18.2")
    assert tab.locator("mark.lit").first.inner_text().startswith("So the first debt")
    tab.evaluate("document.getElementById('player').play()")
    until(tab, "player.currentTime >= 18.1 && player.paused")
    assert tab.evaluate("player.currentTime") < 19


def test_what_played_is_drawn_when_media_came_first(tab: Any) -> None:
    tab.route("**/timeline.js*", lambda route: (tab.wait_for_timeout(600), route.continue_()))
    tab.goto(f"{TALK}?t=30")
    until(tab, "Number.parseFloat(document.querySelector('#timeline .played').style.width) > 45")


def test_system_controls_know_what_plays(tab: Any) -> None:
    tab.goto(TALK)
    shown = tab.evaluate("(({ title, artist, album }) => [title, artist, album])(navigator.mediaSession.metadata)")
    assert shown == ["What an archive owes its listeners", "Noor Okafor, Jonas Lindqvist", "Summer University"]


def test_current_sentence_differs_in_forced_colours(open_tab: Callable[..., Any]) -> None:
    tab = open_tab(forced_colors="active")
    tab.goto(f"{TALK}?t=18")
    colour = "(selector) => getComputedStyle(document.querySelector(selector)).backgroundColor"
    assert tab.evaluate(colour, "#s3") != tab.evaluate(colour, "#s4")


def test_times_past_an_hour_stay_on_one_line(open_tab: Callable[..., Any]) -> None:
    for width in (320, 390, 1280):
        tab = open_tab(viewport={"width": width, "height": 800})
        tab.goto(f"{plenary.PATH}?t=4000&q={plenary.WORD}")
        heights = tab.evaluate(
            "[...document.querySelectorAll('#lines .at')].filter((each) => each.textContent.length > 6)"
            ".map((each) => each.getClientRects().length)"
        )
        assert set(heights) == {1}
        assert tab.evaluate("document.documentElement.scrollWidth") <= width


def select(tab: Any, sentence: str, first: int, last: int) -> None:
    tab.evaluate(
        """([id, first, last]) => {
            const text = document.getElementById(id).firstChild;
            getSelection().setBaseAndExtent(text, first, text, last);
        }""",
        [sentence, first, last],
    )


def test_selected_words_are_shared_and_light_up_where_the_link_is_opened(open_tab: Callable[..., Any]) -> None:
    tab = open_tab()
    tab.goto(plenary.PATH)
    words = tab.evaluate("document.getElementById('s7').textContent").split()
    start = len(" ".join(words[:2])) + 1
    select(tab, "s7", start, start + len(" ".join(words[2:4])))
    tab.get_by_role("button", name="Share this moment").click()
    until(tab, "document.getElementById('share-link').value")  # the times of words come first
    link = tab.get_by_label("Link", exact=True).input_value()
    assert re.search(r"\?t=[\d.]+,[\d.]+$", link)
    quote = tab.get_by_label("Quote").input_value()
    assert quote.startswith(
        f"“{' '.join(words[2:4])}” — Noor Okafor, “The plenary of two hours”, Summer University, at 0:"
    )
    other = open_tab()
    other.goto(link)
    assert other.locator("mark.lit").all_inner_texts() == [" ".join(words[2:4])]
    assert in_view(other, "mark.lit")
    until(other, f"Math.abs(player.currentTime - {re.findall(r't=([0-9.]+)', link)[0]}) < 0.05")


def test_moment_is_cited_in_every_style_from_the_panel(tab: Any) -> None:
    tab.goto(f"{TALK}?t=18")
    until(tab, "player.currentTime === 18")
    tab.keyboard.press("s")
    starts = {"apa": "Noor Okafor. (2022", "chicago": "Noor Okafor. 2022", "bibtex": "@misc{", "ris": "TY  - SOUND"}
    for style, start in starts.items():
        tab.get_by_label("Style").select_option(style)
        until(tab, f"document.getElementById('share-citation').value.startsWith({start!r})")
    tab.keyboard.press("Escape")
    assert tab.evaluate("!document.getElementById('share').open")


def test_link_is_copied(tab: Any) -> None:
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.goto(f"{TALK}?t=18")
    until(tab, "player.currentTime === 18")
    tab.get_by_role("button", name="Share 0:18").click()
    tab.get_by_role("button", name="Copy link").click()
    tab.get_by_text("Copied").wait_for()
    assert tab.evaluate("navigator.clipboard.readText()").endswith(f"{TALK}?t=18")


def test_player_is_embedded_in_a_page_of_another_site_and_the_page_is_not(browser: Any, address: str) -> None:
    embed = f"{address}/embed{urlsplit(TALK).path.removeprefix('/events')}?t=17,18.2"

    async def page(_request: Any) -> HTMLResponse:
        return HTMLResponse(
            f'<!doctype html><iframe id=a src="{embed}"></iframe><iframe id=b src="{address}{TALK}"></iframe>'
        )

    context = browser.new_context()
    with serving(Starlette(routes=[Route("/", page)])) as foreign:
        tab = context.new_page()
        tab.goto(foreign)
        player = tab.frame_locator("#a").locator("#player")
        player.wait_for(state="visible")
        player.evaluate("(player) => player.play()")
        for _ in range(100):
            if player.evaluate("(player) => player.currentTime >= 18.1 && player.paused"):
                break
            tab.wait_for_timeout(50)
        assert 18 <= player.evaluate("(player) => player.currentTime") < 19
        assert tab.frame_locator("#b").locator("#player").count() == 0
        context.close()


def test_from_home_to_sharing_by_keyboard_alone(tab: Any) -> None:
    tab.goto("/")

    def to(expression: str) -> None:
        for _ in range(80):
            tab.keyboard.press("Tab")
            if tab.evaluate(f"((active) => {expression})(document.activeElement)"):
                return
        pytest.fail(expression)

    to("active.type === 'search'")
    tab.keyboard.type("lighthouse")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/search?*")
    to("active.textContent.includes('What an archive owes')")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/what-an-archive-owes?*")
    until(tab, "player.readyState >= 1")
    tab.keyboard.press("k")
    until(tab, "!player.paused")
    tab.keyboard.press("k")
    tab.keyboard.press("s")
    until(tab, "document.activeElement.id === 'share-link'")
    assert "?t=2" in tab.evaluate("document.activeElement.value")


def test_suggestions_are_chosen_by_key(tab: Any) -> None:
    tab.goto("/")
    tab.get_by_role("combobox", name="Search what was said").press_sequentially("noo", delay=30)
    option = tab.get_by_role("option", name="Noor Okafor")
    option.wait_for()
    tab.keyboard.press("ArrowDown")
    assert option.get_attribute("aria-selected") == "true"
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/people/noor-okafor")


@pytest.mark.parametrize(("tag", "search"), [("de", "Suchen"), ("fr", "Chercher"), ("es", "Buscar")])
def test_language_that_somebody_chooses_stays(open_tab: Callable[..., Any], tag: str, search: str) -> None:
    tab = open_tab(locale="en-GB")
    tab.goto("/")
    tab.locator(f".tongues a[hreflang={tag}]").click()
    assert tab.evaluate("document.documentElement.lang") == tag
    tab.locator(".top nav a").first.click()
    until(tab, f"document.documentElement.lang === '{tag}'")
    tab.goto("/search")
    until(tab, f"document.documentElement.lang === '{tag}'")
    assert tab.get_by_role("button", name=search).is_visible()
    assert tab.context.cookies() == []


def test_small_player_stays_while_one_reads_on_a_low_screen(open_tab: Callable[..., Any]) -> None:
    tab = open_tab(**LANDSCAPE)
    tab.goto(f"{plenary.PATH}?t=5400")
    tab.evaluate("document.getElementById('player').play()")
    tab.wait_for_selector(".holder.mini")
    assert tab.locator("#player").is_visible()
    assert in_view(tab, "#lines .now")


def test_sql_that_takes_too_long_says_so_without_code(open_tab: Callable[..., Any]) -> None:
    tab = open_tab()
    slow = "with recursive c(n) as (select 1 union all select n %2B 1 from c) select count(*) from c"
    answer = tab.request.get(f"/data?sql={slow}")
    assert answer.status == 400
    text = answer.text().partition("<main")[2]
    assert "SQL query took too long" in text
    assert "function" not in text
    assert "style.height" not in text
