"""`rostra import` and `rostra export timetable`, from real and made files into a catalogue and back."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from archive.db import Database
from archive.events import read_event
from metadata.errors import MetadataError
from metadata.model import Event
from metadata.timetables import WRITERS
from pipelines.context import Context, Layout, init, open_archive
from pipelines.errors import SourceError, TimetableFetchError
from pipelines.fetching import fetch
from pipelines.timetables import export_timetable, import_timetables, save
from tests.metadata.test_timetables import CASES, READABLE, REFUSED


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


def rostra(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the real command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "pipelines", *map(str, arguments)], capture_output=True, text=True, check=False
    )


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
    assert "harbour-days-2024: event would be added; sessions: 4 would be added" in re.sub(r"\s+", " ", done.stderr)
    told = json.loads(rostra("import", CASES / "harbour.ics", "--archive", root, "--json").stdout)
    [imported] = told["imported"]
    assert (told["dry_run"], imported["format"], len(imported["applied"][0]["added"])) == (False, "icalendar", 4)
    assert [notice["text"] for notice in imported["notices"]][3] == "cancelled: left out"


def test_the_command_line_exports(tmp_path: Path) -> None:
    init(root := tmp_path / "talks", title="T")
    rostra("import", CASES / "voc.xml", "--archive", root)
    done = rostra("export", "timetable", "tides24", "--format", "csv", "--archive", root)
    assert done.stdout.count("tides24") == 3
    assert rostra("export", "timetable", "tides24", "--format", "pyvideo", "--archive", root).returncode == 2
    rostra("export", "timetable", "tides24", "--format", "pyvideo", "--archive", root, "--output", tmp_path / "out")
    assert len(list((tmp_path / "out" / "tides24" / "videos").iterdir())) == 3


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/there":
            self.send_response(302)
            self.send_header("Location", "/voc.xml")
            self.end_headers()
        elif self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()
        elif self.path == "/round":
            self.send_response(302)
            self.send_header("Location", "/round")
            self.end_headers()
        elif self.path in {"/voc.xml", "/export"}:
            self.send_response(200)
            self.send_header("Content-Type", "text/xml; charset=utf-8")
            self.end_headers()
            self.wfile.write((CASES / "voc.xml").read_bytes())
        else:
            self.send_response(404)
            self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}"
        httpd.shutdown()
        thread.join()


@pytest.mark.parametrize(("path", "name"), [("/voc.xml", "voc.xml"), ("/there", "voc.xml"), ("/export", "export.xml")])
def test_a_timetable_is_fetched(server: str, path: str, name: str) -> None:
    fetched = fetch(server + path, private=True)
    assert (fetched.name, fetched.data) == (name, (CASES / "voc.xml").read_bytes())


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/elsewhere", "only http:// and https://"),
        ("/round", "more than 5 redirections"),
        ("/nothing", "the server answers 404"),
    ],
)
def test_an_address_is_refused(server: str, path: str, message: str) -> None:
    with pytest.raises(TimetableFetchError, match=re.escape(message)):
        fetch(server + path, private=True)


def test_a_file_that_is_too_large_is_not_read_to_its_end(server: str) -> None:
    with pytest.raises(TimetableFetchError, match="larger than"):
        fetch(f"{server}/voc.xml", private=True, limit=100)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/", "http://[::1]/", "http://10.0.0.1/", "http://169.254.169.254/x", "http://localhost/",
     "http://[::ffff:127.0.0.1]/", "http://0.0.0.0/", "http://2130706433/"],
)  # fmt: skip
def test_a_local_network_is_not_fetched_from(url: str) -> None:
    with pytest.raises(TimetableFetchError, match="local network"):
        fetch(url)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a.example/", "http://", "http://[::", "gopher://x"])
def test_other_schemes_are_not_fetched(url: str) -> None:
    with pytest.raises(TimetableFetchError):
        fetch(url)


def test_import_takes_addresses_where_the_settings_allow_it(tmp_path: Path, server: str) -> None:
    init(root := tmp_path / "talks", title="T")
    refused = rostra("import", f"{server}/voc.xml", "--archive", root)
    assert (refused.returncode, "private_addresses" in refused.stderr) == (2, True)
    Layout(root).config.write_text("[import]\nprivate_addresses = true\n")
    assert "3 added" in rostra("import", f"{server}/voc.xml", "--archive", root).stderr
