"""The timetable of a large congress as a grid: 31C3, as its schedule has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from archive.site.app import create_app
from pipelines.cli import cli
from tests.browser.conftest import CHROMIUM, serving
from tests.corpus import DATA

SCHEDULE = DATA / "events" / "31c3-schedule.xml"
PUBLIC = 136
"""Of its 138 sessions; two ask not to be recorded, and are private."""
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM}: apt-get install chromium"),
    pytest.mark.skipif(not SCHEDULE.exists(), reason="no real timetables: see tests/README.md"),
]
CELLS = """() => [...document.querySelectorAll(".timetable section")].map((day) => ({
  rooms: [...day.querySelectorAll("thead th bdi")].map((each) => each.textContent),
  cells: [...day.querySelectorAll("td[rowspan]")].map((cell) => {
    const box = cell.getBoundingClientRect();
    return { title: cell.querySelector("h3").textContent.trim(), left: box.left, top: box.top, bottom: box.bottom };
  }),
}))"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("31c3") / "archive"
    for arguments in (["init", root], ["import", SCHEDULE, "--archive", root], ["publish", "--archive", root]):
        done = CliRunner().invoke(cli, [str(each) for each in arguments])
        assert done.exit_code == 0, done.output
    with serving(create_app(root / "public", title="Chaos").app()) as address:
        yield address


def test_sessions_stand_by_room_and_hour_and_none_on_another(open_tab: Callable[..., Any]) -> None:
    tab = open_tab()
    tab.goto("/events/31c3")
    days = tab.evaluate(CELLS)
    assert [day["rooms"] for day in days] == [["Saal 1", "Saal 2", "Saal G", "Saal 6"]] * 4
    assert sum(len(day["cells"]) for day in days) == PUBLIC
    placed = {cell["title"]: cell for cell in days[0]["cells"]}
    opening, keynote = placed["31C3 Opening Event"], placed["31C3 Keynote"]
    assert opening["left"] == keynote["left"]
    assert 0 <= keynote["top"] - opening["bottom"] <= 4  # but for the line between them
    reproducible, scada = placed["Reproducible Builds"], placed["SCADA StrangeLove: Too Smart Grid in da Cloud"]
    assert abs(reproducible["top"] - scada["top"]) <= 1
    assert reproducible["left"] > scada["left"]
    overlapping = [
        (one["title"], other["title"])
        for day in days
        for one in day["cells"]
        for other in day["cells"]
        if one is not other
        and one["left"] == other["left"]
        and one["top"] < other["bottom"] - 1
        and other["top"] < one["bottom"] - 1
    ]
    assert overlapping == []


def test_grid_is_narrowed_down_and_left_by_keyboard(open_tab: Callable[..., Any]) -> None:
    tab = open_tab()
    tab.goto("/events/31c3")
    tab.get_by_label("Room").select_option("Saal 6")
    tab.get_by_role("button", name="Show").press("Enter")
    tab.wait_for_url("**room=Saal+6**")
    days = tab.evaluate(CELLS)
    assert {room for day in days for room in day["rooms"]} == {"Saal 6"}
    assert 20 < sum(len(day["cells"]) for day in days) < 60
    tab.get_by_role("link", name="Show all").press("Enter")
    tab.wait_for_url("**/events/31c3")
    tab.get_by_label("View").select_option("list")
    tab.get_by_role("button", name="Show").press("Enter")
    tab.wait_for_url("**view=list**")
    assert tab.locator(".slots > li").count() == PUBLIC
    tab.get_by_role("link", name="Reproducible Builds").press("Enter")
    tab.wait_for_url("**/events/31c3/**")
    assert tab.locator("h1").inner_text() == "Reproducible Builds"


def test_grid_scrolls_inside_itself_on_a_phone(open_tab: Callable[..., Any]) -> None:
    tab = open_tab(viewport={"width": 320, "height": 700})
    tab.goto("/events/31c3")
    assert tab.evaluate("document.documentElement.scrollWidth") == 320
    inside = tab.locator(".table.grid").first.evaluate("(each) => [each.scrollWidth > each.clientWidth, each.tabIndex]")
    assert inside == [True, 0]
