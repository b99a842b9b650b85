"""`rostra import --announcements` and `rostra announce`, from organisers' feeds to the site."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import asdict
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import httpx
import pytest
from click.testing import CliRunner, Result

from archive.catalogue.addresses import move_event
from archive.catalogue.announcements import find_event_id, read_announcements
from archive.catalogue.importing import apply_event
from archive.catalogue.rows import read_event
from archive.connection import transaction
from archive.site.app import create_app
from metadata.model import EXAMPLE_EVENT, Announcement, Event
from pipelines.cli import cli
from pipelines.errors import SourceError
from pipelines.exchange.announcements import TEXT, read_feed
from pipelines.storage.archive_folder import init, open_archive
from tests.archive.real_year import REAL_YEAR
from tests.pipelines.sources.server import file, serving

YEAR = json.loads((Path(__file__).parents[2] / "cases" / "announcements" / "year.json").read_text(encoding="utf-8"))
KINDS = {
    "online-university-2022": "online university",
    "winter-school-2022": "Winter School",
    "summer-school-2022": "summer school",
    "congress-2022": "congreso",
    "book-launch-2022": "Book launch",
    "day-of-events-2022": "day of events",
}
"""What the entries of a feed about each event of the year have in common."""


def as_json(items: list[dict[str, Any]] = YEAR["items"]) -> bytes:
    return json.dumps(YEAR | {"items": items}).encode()


def as_atom(items: list[dict[str, Any]] = YEAR["items"]) -> bytes:
    entries = "".join(
        f"<entry xml:lang='{each.get('language', 'en')}'><id>{each['id']}</id><title>{escape(each['title'])}</title>"
        f"<link href='{each['url']}'/><published>{each['date_published']}</published>"
        f"<category term='{each['tags'][0]}'/><content type='html'>{escape(each['content_html'])}</content></entry>"
        for each in items
    )
    return f"<feed xmlns='http://www.w3.org/2005/Atom'><title>{YEAR['title']}</title>{entries}</feed>".encode()


def as_rss(items: list[dict[str, Any]] = YEAR["items"]) -> bytes:
    def date(each: dict[str, Any]) -> str:
        text = each["date_published"]
        return format_datetime(datetime.fromisoformat(text)) if "T" in text else str(text)

    entries = "".join(
        f"<item><guid isPermaLink='false'>{each['id']}</guid><title>{escape(each['title'])}</title>"
        f"<link>{each['url']}</link><pubDate>{date(each)}</pubDate><category>{each['tags'][0]}</category>"
        f"<description>{escape(each['content_html'])}</description></item>"
        for each in items
    )
    return (
        f"<rss version='2.0'><channel><title>{YEAR['title']}</title><language>en</language>{entries}</channel></rss>"
    ).encode()


def rostra(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(each) for each in arguments])


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an archive with the events of a year, and the announcements of each from one feed."""
    root = tmp_path_factory.mktemp("year") / "archive"
    init(root, title="Harbour")
    with open_archive(root) as context, transaction(context.db):
        for event in REAL_YEAR:
            apply_event(context.db, event, decided_at="2022-12-31T00:00:00Z")
    feed = root / "news.json"
    feed.write_bytes(as_json())
    for event, about in KINDS.items():
        done = rostra("import", feed, "--announcements", event, "--about", about, "--archive", root)
        assert done.exit_code == 0, done.output
    return root


def known(root: Path, event: str) -> tuple[Announcement, ...]:
    with open_archive(root) as context:
        (key,) = context.db.execute("SELECT id FROM event WHERE slug = ?", [event]).fetchone()
        return read_announcements(context.db, key)


def test_a_year_of_announcements_stands_with_its_events_in_order_of_time(year: Path) -> None:
    assert {event: [each.title for each in known(year, event)] for event in KINDS} == {
        "online-university-2022": [
            "Registration for the Online University is open",
            "1,000 people from 91 countries",
            "Over 1,800 from 100 countries",
            "الترجمة متاحة",
            "Over 3,800 have registered",
        ],
        "winter-school-2022": [
            "Winter School: call for texts",
            "Winter School: the reading list",
            "Winter School begins on Saturday",
        ],
        "summer-school-2022": [
            "Summer School: places are left",
            "Summer School: how to get there",
            "Over a hundred at the Summer School",
        ],
        "congress-2022": [
            "Congreso: convocatoria abierta",
            "Congreso: programa y transmisión",
            "Congreso: gracias a todas",
        ],
        "book-launch-2022": [
            "Pre-order “The Keeper’s Book”",
            "Tonight: the launch, live",
            "Over 300 came to the launch",
        ],
        "day-of-events-2022": ["36 places, one day", "Where to meet on 5 October", "Pictures of the day"],
    }


def test_what_a_feed_says_is_plain_text_and_its_addresses_are_the_webs(year: Path) -> None:
    hostile, launch = known(year, "winter-school-2022")[2], known(year, "book-launch-2022")[1]
    assert (hostile.text, launch.text) == (
        "Doors open at 9 <sharp>.",
        "Join at six.\n\n- A reading\n- Questions & answers",
    )
    assert known(year, "day-of-events-2022")[1:] == (
        Announcement(
            slug="2022-10-01-where-to-meet-on-5-october",
            title="Where to meet on 5 October",
            text="The list of places.",
            url="https://harbour.example/n/19",
            published="2022-10-01",
            source="Harbour Institute",
            language="en",
        ),
        Announcement(
            slug="2022-10-07-pictures-of-the-day",
            title="Pictures of the day",
            text="See all of them.",
            url=None,
            published="2022-10-07T08:00:00+00:00",
            source="Harbour Institute",
            language="en",
        ),
    )


@pytest.mark.parametrize("write", [as_atom, as_rss])
def test_every_kind_of_feed_says_the_same(write: Any) -> None:
    wanted, _ = read_feed("news", as_json())
    items, doubts = read_feed("news", write())
    assert len(items) == 20
    for one, other in zip(items, wanted, strict=True):
        facts = ("title", "text", "url", "published", "source", "slug")
        assert [getattr(one.announcement, name) for name in facts] == [
            getattr(other.announcement, name) for name in facts
        ]
        assert one.guid == other.guid
    assert [doubt for doubt in doubts if "only the day is kept" in doubt] == [
        "Where to meet on 5 October: 2022-10-01 has no hour: only the day is kept"
    ]
    assert len(doubts) == 1


def test_feed_that_comes_again_changes_nothing_and_tells_what_changed_or_went(tmp_path: Path) -> None:
    init(root := tmp_path / "archive", title="T")
    with open_archive(root) as context, transaction(context.db):
        apply_event(context.db, EXAMPLE_EVENT, decided_at="2022-12-31T00:00:00Z")
    event = EXAMPLE_EVENT.slug
    with serving() as site:
        (root / "rostra.toml").write_text('[pull]\nprivate_hosts = ["127.0.0.1"]\n')

        def fetch(items: list[dict[str, Any]], *more: str) -> dict[str, Any]:
            site.answers["/news"] = file(as_atom(items), etag=None)
            done = rostra("import", f"{site.url}/news", "--announcements", event, "--json", *more, "--archive", root)
            assert done.exit_code == 0, done.output
            answer: dict[str, Any] = json.loads(done.stdout)["imported"][0]["done"]
            return answer

        items = YEAR["items"][12:16]
        assert len(fetch(items, "--dry-run")["added"]) == 4
        assert [each.slug for each in known(root, event)] == ["2022-06-01-a-thousand-have-registered"]
        assert fetch(items) == {
            "added": [
                "2022-05-15-registration-for-the-online-university-is-open",
                "2022-06-25-1000-people-from-91-countries",
                "2022-07-12-over-1800-from-100-countries",
                "2022-07-23-over-3800-have-registered",
            ],
            "changed": [],
            "unchanged": 0,
            "gone": [],
            "kept": [],
        }
        with open_archive(root) as context:
            (before,) = context.db.execute("SELECT content_revision FROM catalogue").fetchone()
        assert fetch(items)["unchanged"] == 4
        with open_archive(root) as context:
            assert context.db.execute("SELECT content_revision FROM catalogue").fetchone() == (before,)
        slugs = [each.slug for each in known(root, event)]
        corrected = items[1] | {"title": "1,001 people from 91 countries"}
        # The first falls off the end of the feed, as all do in time; the third is taken out of its middle.
        answer = fetch([corrected, items[3]])
        assert (answer["changed"], answer["gone"]) == ([slugs[2]], [slugs[3]])
        assert [each.title for each in known(root, event)][1:3] == ["A thousand have registered", corrected["title"]]
        assert rostra("announce", event, "--private", slugs[3], "--delete", slugs[4], "--archive", root).exit_code == 0
        answer = fetch([corrected, *items[2:]])
        assert sorted(answer["kept"]) == slugs[3:5]
        assert (answer["added"], answer["changed"]) == ([], [])
    assert [(each.slug, each.private) for each in known(root, event)] == [
        (slugs[0], False),
        (slugs[1], False),
        (slugs[2], False),
        (slugs[3], True),
    ]
    with open_archive(root) as context:
        left = context.db.execute("SELECT title, text, url FROM announcement WHERE state = 'deleted'").fetchall()
    assert left == [(slugs[4], None, None)]


def test_timetable_that_comes_again_leaves_feeds_and_take_backs_alone(tmp_path: Path) -> None:
    init(root := tmp_path / "archive", title="T")
    (root / "event.yaml").write_text(rostra("import", "--example").stdout)
    (root / "news.atom").write_bytes(as_atom(YEAR["items"][12:13]))
    assert rostra("import", root / "event.yaml", "--archive", root).exit_code == 0
    event, own = EXAMPLE_EVENT.slug, EXAMPLE_EVENT.announcements[0].slug
    assert rostra("import", root / "news.atom", "--announcements", event, "--archive", root).exit_code == 0
    done = rostra("announce", event, "It rains", "--on", "2022-07-24", "--private", own, "--archive", root)
    assert done.exit_code == 0, done.output
    assert rostra("import", root / "event.yaml", "--archive", root).exit_code == 0
    assert [(each.slug, each.private) for each in known(root, event)] == [
        ("2022-05-15-registration-for-the-online-university-is-open", False),
        (own, True),
        ("2022-07-24-it-rains", False),
    ]
    shorter = (root / "event.yaml").read_text().replace("  - title: A thousand", "  - title: Two thousand")
    (root / "event.yaml").write_text(shorter)
    assert rostra("import", root / "event.yaml", "--archive", root).exit_code == 0
    assert [each.title for each in known(root, event)][1:3] == [
        "A thousand have registered",
        "Two thousand have registered",
    ]
    written = rostra("export", "timetable", event, "--archive", root).stdout
    (root / "again.yaml").write_text(written)
    assert rostra("import", root / "again.yaml", "--archive", root).exit_code == 0
    assert len(known(root, event)) == 4
    with open_archive(root) as context:
        assert read_event(context.db, event).attendance[0].announcement == own


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("page", b"<html><body>No feed</body></html>"),
        ("empty", b""),
        ("json", b'{"version": "2", "items": []}'),
        ("broken", b'{"version": "https://jsonfeed.org/version/1", "items": [{"id": []}]}'),
        ("binary", bytes(range(256)) * 50),
    ],
)
def test_what_is_no_feed_is_refused(name: str, data: bytes) -> None:
    with pytest.raises(SourceError, match=name):
        read_feed(name, data)


def test_entries_without_anything_and_with_too_much_are_read() -> None:
    items = [
        {"id": 1, "content_text": "x" * (TEXT * 5)},
        {"id": 1, "title": "Again"},
        {"id": 2, "date_published": "soon", "url": "http://[", "language": "no language at all"},
    ]
    data = json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items}).encode()
    (first, second), doubts = read_feed("feed", data)
    assert (first.announcement.title, len(first.announcement.text or "")) == ("x" * 80, TEXT)
    assert second.announcement == Announcement(slug="announcement", title="Announcement")
    assert [doubt.partition(":")[0] for doubt in doubts] == ["Again", "Announcement"]


def test_unknown_event_and_announcement_are_told(year: Path) -> None:
    for arguments in (("nothing-2022",), ("congress-2022", "--private", "nothing")):
        done = rostra("announce", *arguments, "--archive", year)
        assert done.exit_code != 0
        assert "nothing" in str(done.exception)


def test_list_is_json_for_scripts(year: Path) -> None:
    event = "congress-2022"
    done = rostra("announce", event, "--json", "--archive", year)
    assert done.exit_code == 0, done.exception
    assert json.loads(done.output) == [asdict(each) for each in known(year, event)] != []


def test_commands_say_what_became_of_an_announcement(tmp_path: Path) -> None:
    init(tmp_path, title="News")
    with open_archive(tmp_path) as context, transaction(context.db):
        apply_event(context.db, Event(slug="days", title="Days"), decided_at="2022-01-01T00:00:00Z")
        move_event(context.db, find_event_id(context.db, "days"), "harbour-days")
    for arguments, says in (
        (("A\x1b[31m bell\x07", "--text", "One.\x1b[0m\n\nTwo.\x07"), "a-31m-bell was written"),
        (("--private", "a-31m-bell"), "a-31m-bell is private"),
        (("--public", "a-31m-bell"), "a-31m-bell is public again"),
        (("--delete", "a-31m-bell", "Another"), "a-31m-bell is deleted; another was written"),
    ):
        done = rostra("announce", "days", *arguments, "--archive", tmp_path)  # by the event's former slug, too
        assert (done.exit_code, says in done.output) == (0, True), (done.output, done.exception)
        if arguments[0].startswith("A\x1b"):
            [made] = known(tmp_path, "harbour-days")
            assert (made.title, made.text) == ("A[31m bell", "One.[0m\n\nTwo.")


def test_bags_are_not_imported_as_news(year: Path, tmp_path: Path) -> None:
    (tmp_path / "bagit.txt").write_text("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
    done = rostra("import", tmp_path, "--announcements", "congress-2022", "--archive", year)
    assert (done.exit_code, "import bags by themselves" in done.output) == (2, True)


@pytest.mark.parametrize("title", ["", " ", "…!"])
def test_announcement_without_words_in_its_title_is_refused(year: Path, title: str) -> None:
    event = "congress-2022"
    before = known(year, event)
    for more in ((), ("--private", before[0].slug)):
        done = rostra("announce", event, title, *more, "--archive", year)
        assert done.exit_code != 0
        assert "needs some" in str(done.exception)
    assert known(year, event) == before


def test_words_to_choose_by_need_an_event_to_import_news_for(year: Path) -> None:
    done = rostra("import", year / "news.json", "--about", "harbour", "--archive", year)
    assert (done.exit_code, "--about goes with --announcements EVENT" in done.output) == (2, True)


def test_site_shows_and_finds_announcements_and_none_that_was_taken_back(year: Path) -> None:
    event, text = "online-university-2022", "Zephyrs of the harbour"
    assert rostra("announce", event, text, "--on", "2022-07-24", "--archive", year).exit_code == 0
    assert rostra("announce", event, "--private", "2022-07-24-zephyrs-of-the-harbour", "--archive", year).exit_code == 0
    assert rostra("publish", "--archive", year).exit_code == 0
    datasette: Any = create_app(year / "public")

    async def read(*paths: str) -> list[str]:
        transport = httpx.ASGITransport(app=datasette.app())
        async with httpx.AsyncClient(transport=transport, base_url="http://site") as client:
            return [(await client.get(path)).text for path in paths]

    page, found, arabic, by_speaker, elsewhere, hidden, said = asyncio.run(
        read(
            f"/events/{event}",
            "/search?q=registering",
            "/search?q=العربية",
            "/search?q=registered speaker:eve",
            "/search?q=registered&event=congress-2022",
            "/search?q=zephyr",
            "/api/1/search.json?q=registered",
        )
    )
    datasette.executor.shutdown()
    assert page.count('<article id="announcement-') == 5
    assert page.index("1,000 people from 91 countries") < page.index("Over 3,800 have registered")
    assert "2 announcements for" in found
    assert "#announcement-2022-07-23-over-3800-have-registered" in found
    assert "What organisers published, and nobody said" in found
    assert "الترجمة متاحة" in arabic
    assert [" announcement" in each.partition("<main")[2] for each in (by_speaker, elsewhere, hidden)] == [False] * 3
    programs = json.loads(said)
    assert programs["total"] == 0
    assert [each["slug"] for each in programs["announcements"]] == re.findall(
        r'#announcement-([^"]+)"', found.partition("<main")[2]
    )[:2]
    assert b"ephyrs" not in b"".join(each.read_bytes() for each in (year / "public").rglob("*") if each.is_file())


def test_days_are_those_on_the_clocks_of_the_organiser() -> None:
    late = {"id": "1", "title": "Late", "date_published": "2022-05-23T23:30:00-05:00"}
    data = json.dumps({"version": "https://jsonfeed.org/version/1", "items": [late]}).encode()
    [[item], _] = read_feed("feed", data)
    assert (item.announcement.day, item.announcement.slug) == ("2022-05-23", "2022-05-23-late")
    assert datetime.fromisoformat(item.announcement.published or "").astimezone(UTC).day == 24
