from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archive.site.app import create_app
from archive.sqlite import Database
from tests.archive.published_folder import publish
from tests.browser import plenary
from tests.browser.conftest import CHROMIUM, serving

EVENT = "/events/summer-university-2022"
TALK = f"{EVENT}/what-an-archive-owes"
KINDS = {
    "home": "/",
    "results": "/search?q=debt+OR+lantern",
    "no results": "/search?q=xylophone",
    "how to search": "/search/help",
    "explore": "/explore?q=debt&by=event",
    "compared": "/explore?q=the&compare=debt,+lantern&window=2&side=left&sample=5&seed=3",
    "part": "/corpus?name=Debts&event=summer-university-2022&q=debt",
    "all parts": "/corpus",
    "downloads": "/downloads",
    "schema": "/schema",
    "events": "/events",
    "list": f"{EVENT}?view=list",
    "grid": f"{EVENT}?view=grid",
    "session": f"{TALK}?t=18&q=debt",
    "clip": f"{TALK}?t=17,27.4",
    "plenary": f"{plenary.PATH}?t=5400&q=lantern",
    "not recorded": f"{EVENT}/open-questions",
    "arabic": f"{EVENT}/arabic",
    "cite": f"{TALK}/cite?t=17,27.4",
    "embed": f"/embed{TALK.removeprefix('/events')}?t=3",
    "people": "/people",
    "person": "/people/noor-okafor",
    "series": "/series/summer",
    "tracks": "/tracks",
    "track": "/tracks/Memory",
    "languages": "/languages",
    "places": "/places",
    "missing": "/nothing/here",
    "data": "/data",
    "table": "/data/session?_facet=kind",
    "row": "/data/session/1",
    "query": "/data?sql=select+1",
    "view": "/data/said",
    "ready query": "/data/who-spoke-how-long?event=",
    "words of a part": "/data/words-of-a-part?kind=event&value=summer-university-2022",
}
MODES: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "narrow": {"viewport": {"width": 320, "height": 700}},
}
INITIAL_KB = 150
"""What a session of two hours may take until it is drawn."""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM}: apt-get install chromium"),
]


@pytest.mark.parametrize("mode", MODES)
def test_axe_finds_nothing_on_any_kind_of_page(browser: Any, address: str, mode: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    context = browser.new_context(base_url=address, bypass_csp=True, **MODES[mode])
    page, found = context.new_page(), {}
    for kind, path in KINDS.items():
        page.goto(path)
        answer = axe.run(page).response
        assert answer["passes"]
        found |= {(kind, each["id"]): each["nodes"][0]["html"][:200] for each in answer["violations"]}
        if mode == "narrow" and (width := page.evaluate("document.documentElement.scrollWidth")) > 320:
            found[kind, "width"] = str(width)
    context.close()
    assert found == {}


LONG_WORD = "Donaudampfschifffahrt" * 15
"""What people write may be one word."""


@pytest.mark.parametrize("width", [320, 1280])
def test_no_word_makes_a_page_wider_than_the_window(browser: Any, tmp_path: Path, width: int) -> None:
    def write(db: Database, _media: Path) -> None:
        db.execute("UPDATE person SET name = ?1", [LONG_WORD])
        db.execute("UPDATE session SET title = ?1, room = ?1, track = ?1", [LONG_WORD])
        db.execute("UPDATE session_person SET affiliation = ?1", [LONG_WORD])
        db.execute("UPDATE event SET title = ?1, subtitle = ?1 WHERE id = 1", [LONG_WORD])

    publish(tmp_path, more=write)
    wide = {}
    with serving(create_app(tmp_path).app()) as address:
        context = browser.new_context(base_url=address, viewport={"width": width, "height": 700})
        page = context.new_page()
        for path in (
            "/",
            EVENT,
            f"{EVENT}?view=list",
            TALK,
            "/search?q=debt",
            "/people",
            "/people/noor-okafor",
            "/tracks",
        ):
            page.goto(path)
            if (found := page.evaluate("document.documentElement.scrollWidth")) > width:
                wide[path] = found
        context.close()
    assert wide == {}


def test_two_hours_of_speech_come_in_few_bytes(open_tab: Callable[..., Any]) -> None:
    tab = open_tab(viewport={"width": 390, "height": 844})
    tab.goto(plenary.PATH, wait_until="load")
    kilobytes = tab.evaluate(
        """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
            .filter((each) => !each.name.includes("/media/") && !each.name.includes("words.json"))
            .reduce((sum, each) => sum + each.transferSize, 0) / 1000"""
    )
    assert 20 < kilobytes <= INITIAL_KB
    assert tab.evaluate("document.querySelectorAll('*').length") < 2 * plenary.CUES


@pytest.mark.parametrize("kind", ["home", "results", "list", "plenary"])
def test_nothing_moves_while_a_page_comes(open_tab: Callable[..., Any], kind: str) -> None:
    tab = open_tab(viewport={"width": 390, "height": 844})
    tab.add_init_script(
        """window.moved = 0;
        new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) window.moved += entry.value;
        }).observe({ type: "layout-shift", buffered: true });"""
    )
    tab.goto(KINDS[kind], wait_until="load")
    tab.wait_for_timeout(300)
    assert tab.evaluate("window.moved") <= 0.02


def test_page_is_printed_as_a_document(open_tab: Callable[..., Any]) -> None:
    tab = open_tab()
    tab.goto(TALK)
    tab.emulate_media(media="print")
    for hidden in ("#player", ".tools", ".top form", "nav", "footer .tongues"):
        assert not tab.locator(hidden).first.is_visible(), hidden
    for shown in ("h1", "#s5", ".origin"):
        assert tab.locator(shown).first.is_visible(), shown
