"""`rostra import` and `rostra export timetable`, from real and made files into a catalogue and back."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive.catalogue.importing import read_event
from archive.publication.releases import released
from archive.sqlite import Database
from metadata.errors import MetadataError
from metadata.model import Event
from metadata.timetables import WRITERS
from metadata.timetables.base import MAX_BYTES
from pipelines.config import Config, PullSettings
from pipelines.errors import SourceError
from pipelines.exchange.timetables import _fetch, export_timetable, import_timetables, save
from pipelines.storage.archive_folder import Context, Layout, init, open_archive
from tests.metadata.timetables.test_cases import CASES, READABLE, REFUSED
from tests.pipelines.command import rostra
from tests.pipelines.sources.server import Site, file, redirect, serving

WISHES = [path for path in READABLE if path.name.startswith("wish_")]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Context]:
    init(tmp_path / "archive", title="T")
    with open_archive(tmp_path / "archive") as context:
        yield context


def count(db: Database, table: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def everything(db: Database) -> list[tuple[object, ...]]:
    tables = ("event", "session", "person", "session_person", "link", "external_id", "attendance", "place", "imported")
    return [row for table in tables for row in db.execute(f"SELECT '{table}', * FROM {table} ORDER BY 2").fetchall()]


def known(db: Database) -> list[Event]:
    """Return all events, whatever the order of their sessions."""
    events = [read_event(db, slug) for (slug,) in db.execute("SELECT slug FROM event ORDER BY slug").fetchall()]
    return [replace(event, sessions=tuple(sorted(event.sessions, key=lambda s: s.slug))) for event in events]


@pytest.mark.parametrize(
    "path", [path for path in READABLE if path.name.startswith("wish_")], ids=lambda path: path.name
)
def test_what_a_timetable_keeps_back_is_not_released(archive: Context, path: Path) -> None:
    import_timetables(archive, [str(path)])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    sessions, _ = released(archive.db, default="public", now=now)
    titles = {row["title"] for row in archive.db.query("SELECT id, title FROM session") if row["id"] in sessions}
    assert titles <= {"For everybody", "Nothing said", "Unknown", "Not on one platform"}
    assert count(archive.db, "session") > len(sessions)


@pytest.mark.parametrize("path", READABLE, ids=lambda path: path.name)
def test_importing_again_changes_nothing(archive: Context, path: Path) -> None:
    import_timetables(archive, [str(path)])
    before = everything(archive.db)
    assert [applied.event for each in import_timetables(archive, [str(path)]) for applied in each.applied] == [
        "unchanged"
    ] * count(archive.db, "event")
    assert everything(archive.db) == before


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize(
    "path", [path for path in READABLE if path.name != "speakers.json"], ids=lambda path: path.name
)
def test_what_was_exported_changes_nothing(archive: Context, tmp_path: Path, path: Path, form: str) -> None:
    import_timetables(archive, [str(path)])
    before = known(archive.db)
    for (slug,) in archive.db.execute("SELECT slug FROM event").fetchall():
        folder = tmp_path / slug
        folder.mkdir()
        save(export_timetable(archive, slug, form), folder)
        [source] = folder.iterdir()
        for imported in import_timetables(archive, [str(source)]):
            assert {(x.event, x.added, x.changed, x.dropped) for x in imported.applied} <= {("unchanged", (), (), ())}
    assert known(archive.db) == before


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.name)
def test_a_refused_file_leaves_nothing_of_the_others_either(archive: Context, path: Path) -> None:
    before = everything(archive.db)
    with pytest.raises(MetadataError):
        import_timetables(archive, [str(CASES / "voc.xml"), str(path)])
    assert everything(archive.db) == before


def test_a_rehearsal_tells_the_same_and_changes_nothing(archive: Context) -> None:
    before = everything(archive.db)
    rehearsed = import_timetables(archive, [str(CASES / "voc.xml")], dry_run=True)
    assert everything(archive.db) == before
    assert import_timetables(archive, [str(CASES / "voc.xml")]) == rehearsed


def test_a_file_that_names_no_event_goes_where_it_is_told(archive: Context) -> None:
    import_timetables(archive, [str(CASES / "page.json"), str(CASES / "speakers.json")], event="py-days")
    assert archive.db.execute("SELECT slug FROM event").fetchall() == [("py-days",)]
    assert archive.db.execute("SELECT name, biography FROM person").fetchall() == [("Ada Lin", "Lights lamps.")]
    with pytest.raises(SourceError, match="holds 2 events"):
        import_timetables(archive, [str(CASES / "sessions.csv")], event="py-days")


def test_a_folder_is_an_event_and_a_repository_several(archive: Context, tmp_path: Path) -> None:
    for name in ("one", "two"):
        videos = tmp_path / "data" / name / "videos"
        videos.mkdir(parents=True)
        (videos / "talk.json").write_bytes((CASES / "talk.json").read_bytes())
    (tmp_path / "data" / "one" / "category.json").write_text('{"title": "Number one"}')
    import_timetables(archive, [str(tmp_path / "data")])
    assert archive.db.execute("SELECT slug, title, start_date FROM event").fetchall() == [
        ("one", "Number one", "2010-05-19"),
        ("two", "two", "2010-05-19"),
    ]
    with pytest.raises(SourceError, match="videos/"):
        import_timetables(archive, [str(tmp_path / "data" / "one" / "videos")])


def test_a_file_that_is_not_there_is_named(archive: Context, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        import_timetables(archive, [str(tmp_path / "nothing.ics")])


def test_the_command_line_says_what_it_does(tmp_path: Path) -> None:
    init(root := tmp_path / "talks", title="T")
    done = rostra("import", CASES / "harbour.ics", "--archive", root, "--dry-run")
    assert "harbour-days-2024: event would be added; sessions: 6 would be added" in re.sub(r"\s+", " ", done.stderr)
    told = json.loads(rostra("import", CASES / "harbour.ics", "--archive", root, "--json").stdout)
    [imported] = told["imported"]
    assert (told["dry_run"], imported["format"], len(imported["applied"][0]["added"])) == (False, "icalendar", 6)
    assert [notice["text"] for notice in imported["notices"]][3] == "cancelled: left out"


def test_the_command_line_exports(tmp_path: Path) -> None:
    init(root := tmp_path / "talks", title="T")
    rostra("import", CASES / "voc.xml", "--archive", root)
    done = rostra("export", "timetable", "tides24", "--format", "csv", "--archive", root)
    assert done.stdout.count("tides24") == 3
    assert rostra("export", "timetable", "tides24", "--format", "pyvideo", "--archive", root).returncode == 2
    rostra("export", "timetable", "tides24", "--format", "pyvideo", "--archive", root, "--output", tmp_path / "out")
    assert len(list((tmp_path / "out" / "tides24" / "videos").iterdir())) == 3


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        site.answers["/voc.xml"] = site.answers["/export"] = file(
            (CASES / "voc.xml").read_bytes(), content_type="text/xml; charset=utf-8"
        )
        yield site


@pytest.mark.parametrize("path", ["/voc.xml", "/there", "/export"])
def test_a_timetable_is_fetched(archive: Context, site: Site, path: str) -> None:
    site.answers["/there"] = redirect("/voc.xml")
    allowed = replace(archive, config=Config(pull=PullSettings(private_hosts=("127.0.0.1",))))
    [imported] = import_timetables(allowed, [site.url + path])
    assert (imported.source, imported.format, len(imported.applied[0].added)) == (site.url + path, "schedule-xml", 3)


def test_a_file_at_an_address_is_named_by_where_it_was_found_and_what_it_is(site: Site) -> None:
    site.answers["/a/list"] = file(b"title\n", content_type="text/csv")
    site.answers["/"] = site.answers["/b.ics?key=1"] = file(b"", content_type="text/calendar")
    site.answers["/export"] = redirect("/b.ics?key=1")
    paths = ("/a/list", "/", "/export", "/b.ics?key=1")
    assert [_fetch(site.url + path, PullSettings(private_hosts=("127.0.0.1",))).name for path in paths] == [
        "list.csv", "timetable.ics", "b.ics", "b.ics"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/elsewhere", "the scheme 'file' is not among pull.schemes"),
        ("/round", "it leads on and on: more than 10 redirects"),
        ("/nothing", "the server answers 404 Not Found"),
        ("/part", "the server answers 206 Partial Content"),
        ("/large", "it is larger than 67 MB"),
        ("http://169.254.169.254/x", "169.254.169.254 is at 169.254.169.254, a private address: if it is yours, add"),
        ("ftp://a.example/schedule.xml", "the scheme 'ftp' is not among pull.schemes"),
        ("http://[::", "no address that can be asked"),
        ("http://", ""),
    ],
)
def test_an_address_is_refused(archive: Context, site: Site, path: str, message: str) -> None:
    site.answers["/elsewhere"] = redirect("file:///etc/passwd")
    site.answers["/round"] = redirect("/round")
    site.answers["/part"] = lambda handler: handler.send(206, b"<schedule/>")
    site.answers["/large"] = file(gzip.compress(bytes(MAX_BYTES + 1)), content_encoding="gzip")
    allowed = replace(archive, config=Config(pull=PullSettings(private_hosts=("127.0.0.1",))))
    url = site.url + path if path.startswith("/") else path
    with pytest.raises(SourceError, match=re.escape(f"{url}: {message}")):
        import_timetables(allowed, [str(CASES / "voc.xml"), url])
    assert count(archive.db, "event") == 0


def test_import_takes_addresses_where_the_settings_allow_it(tmp_path: Path, site: Site) -> None:
    init(root := tmp_path / "talks", title="T")
    refused = rostra("import", f"{site.url}/voc.xml", "--archive", root)
    assert (refused.returncode, "pull.private_hosts" in re.sub(r"\s+", " ", refused.stderr)) == (2, True)
    Layout(root).config.write_text('[pull]\nprivate_hosts = ["127.0.0.1"]\n')
    assert "3 added" in rostra("import", f"{site.url}/voc.xml", "--archive", root).stderr


def test_what_a_format_has_no_place_for_is_said(archive: Context) -> None:
    import_timetables(archive, [str(CASES / "voc.xml")])
    [slug] = [slug for (slug,) in archive.db.execute("SELECT slug FROM event").fetchall()]
    said = {form: export_timetable(archive, slug, form).unsaid for form in ("yaml", "ics", "pyvideo")}
    assert said["yaml"] == ()
    assert any("has no place for sessions'" in line and "subtitle" in line for line in said["ics"])
    assert any("room" in line and "start" in line for line in said["pyvideo"])
