from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from archive.site.browsing.charts import attendance
from archive.site.browsing.timetable import grid
from archive.site.queries import Card
from metadata.model import Attendance, Figure
from tests.archive.site.test_pages import Reader, Site, serve_example, squeezed

DAY = date(2014, 12, 27)
EMPTY = Card(
    id=0, event="e", event_title="E", slug="s", title="T", subtitle=None, kind="talk", track=None, room=None,
    place=None, start=None, day=DAY, planned_ms=None, language=None, recorded_ms=None, media=None, poster=None,
    synthetic=False, transcribed=False, people=(),
)  # fmt: skip


def card(title: str, room: str, start: str, minutes: int | None) -> Card:
    hour, minute = map(int, start.split(":"))
    when = datetime(2014, 12, 27, hour, minute, tzinfo=ZoneInfo("Europe/Berlin"))
    return replace(EMPTY, title=title, room=room, start=when, planned_ms=minutes and minutes * 60_000)


def shown(cards: list[Card]) -> list[tuple[str, int, list[tuple[str, int] | None]]]:
    rows = grid(DAY, cards).rows
    return [
        (f"{row.start:%H:%M}", row.minutes, [(c.card.title, c.rows) if c.card else None for c in row.cells])
        for row in rows
    ]


def test_grid_has_a_column_a_room_and_sessions_as_long_as_they_last() -> None:
    cards = [card("A", "1", "10:00", 60), card("B", "2", "10:30", 60), card("C", "1", "12:00", None)]
    assert shown(cards) == [
        ("10:00", 30, [("A", 2), None]),
        ("10:30", 30, [("B", 2)]),
        ("11:00", 30, [None]),
        ("11:30", 30, [None, None]),
        ("12:00", 30, [("C", 1), None]),
    ]
    assert grid(DAY, cards).rooms == (("1", 1), ("2", 1))


def test_sessions_of_a_room_that_overlap_stand_side_by_side() -> None:
    cards = [card("A", "1", "10:00", 60), card("B", "1", "10:15", 30), card("C", "1", "10:45", 30)]
    assert grid(DAY, cards).rooms == (("1", 2),)
    assert shown(cards) == [
        ("10:00", 15, [("A", 3), None]),
        ("10:15", 30, [("B", 1)]),
        ("10:45", 15, [("C", 2)]),
        ("11:00", 15, [None]),
    ]


def test_every_row_of_a_grid_has_all_columns() -> None:
    cards = [card(str(n), str(n % 3), f"{10 + n // 4}:{15 * (n % 4):02}", 20 + 25 * (n % 5)) for n in range(40)]
    day = grid(DAY, cards)
    width = sum(count for _, count in day.rooms)
    covered = [0] * len(day.rows)
    for at, row in enumerate(day.rows):
        for cell in row.cells:
            for below in range(at, at + cell.rows):
                covered[below] += 1
    assert covered == [width] * len(day.rows)
    assert sorted(cell.card.title for row in day.rows for cell in row.cells if cell.card) == sorted(map(str, range(40)))


def test_night_is_drawn_short_and_a_session_without_an_hour_stands_below() -> None:
    cards = [card("A", "1", "00:30", 60), card("B", "1", "11:00", 60), EMPTY]
    day = grid(DAY, cards)
    assert [row.minutes for row in day.rows] == [60, 60, 60]
    assert day.loose == (EMPTY,)


def test_attendance_is_a_line_where_there_are_two_figures() -> None:
    figures = [
        Attendance(measure="registered", people=Figure(count=count), observed_on=day)
        for count, day in ((1000, "2022-06-01"), (1800, "2022-07-01"), (3800, "2022-07-31"))
    ]
    [line] = attendance([*figures, Attendance(measure="attended", people=Figure(count=9), observed_on="2022-07-31")])
    assert line.measure == "registered"
    assert line.dots == ((8, 84.6), (160.0, 62.7), (312.0, 8.0))
    assert attendance(figures[:1]) == ()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serve_example(
        tmp_path_factory.mktemp("public"),
    ) as made:
        yield made


def text(site: Site, path: str) -> str:
    main = site.get(path).text.partition("<main")[2].partition("</main>")[0]
    return squeezed(Reader(main.replace("</t", " </t")).text)


def test_event_is_narrowed_down(site: Site) -> None:
    event = "/events/summer-university-2022"
    every = text(site, f"{event}?view=list")
    assert "Open questions" in every
    recorded = text(site, f"{event}?view=list&recorded=1")
    assert ("What an archive owes" in recorded, "Open questions" in recorded) == (True, False)
    assert "No session is like that." in text(site, f"{event}?language=xx")


def test_person_page_tells_of_talks_and_companions(site: Site) -> None:
    shown = text(site, "/people/noor-okafor")
    assert "Together with Jonas Lindqvist 1 session" in shown
    assert "Speaker Summer University" in shown


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/people", "J Jonas Lindqvist 2 sessions N Noor Okafor 2 sessions"),
        ("/series", "Summer University 4 2 mins"),
        ("/series/summer", "Editions Event When Sessions Recorded 3. Summer University 23 – 26 Jul 2022 4 2 mins"),
        ("/tracks", "Memory 1 1 min"),
        ("/tracks/Memory", "What an archive owes its listeners"),
        ("/languages", "English 2 2 mins"),
        ("/languages/ar", "الأرشيف والصوت"),
        ("/places", "Hamburg, Germany Lighthouse Summer University"),
    ],
)
def test_indexes_list_what_there_is(site: Site, path: str, said: str) -> None:
    assert said in text(site, path)


def test_session_leads_on(site: Site) -> None:
    page = Reader(site.get("/events/summer-university-2022/open-questions").text)
    links = {str(attrs["rel"]): attrs["href"] for tag, attrs in page.elements if tag == "a" and "rel" in attrs}
    assert links["prev"] == "/events/summer-university-2022/what-an-archive-owes"
    assert links["next"] == "/events/summer-university-2022/arabic"


def test_empty_state_says_what_would_be_here(site: Site) -> None:
    shown = text(site, "/events/summer-university-2022/open-questions")
    assert "No recording of this session is published. When there is one, it plays here" in shown
