from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from archive.catalogue.importing import apply_event
from archive.catalogue.snapshot import kept_files
from archive.connection import transaction
from metadata.model import Event, ExternalId, Link, Person, Release, Role, Session
from pipelines.config import PullSettings as Settings
from pipelines.errors import FetchError, LimitError
from pipelines.run.executors import InProcess
from pipelines.run.runner import RunSummary, run_stage
from pipelines.sources import Found, Shelf, sites
from pipelines.sources.base import ignore_progress
from pipelines.sources.sites import _not_longer, described, is_known
from pipelines.stages.base import Item
from pipelines.stages.captions import Captions
from pipelines.stages.companions import Task
from pipelines.stages.index import Index
from pipelines.stages.pull import Pull
from pipelines.stages.words import PullWords
from pipelines.storage.archive_folder import Context, init, open_archive
from pipelines.storage.check import check
from tests.pipelines.media.test_files import write_video
from tests.pipelines.sources.server import Site, file, serving
from tests.pipelines.trials import Watch


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ", True),
        ("https://vimeo.com/76979871", True),
        ("https://media.ccc.de/v/36c3-10652-all_sorted_by_machines_of_loving_grace", True),
        ("https://example.org/talk.mp4", False),
        ("http://127.0.0.1/", False),
    ],
)
def test_site_is_known_by_name_or_left_alone(url: str, expected: bool) -> None:
    assert is_known(url) is expected


def test_what_a_site_says_describes_the_session() -> None:
    info = {
        "id": "abc",
        "extractor_key": "Youtube",
        "title": "On tides\x07",
        "description": "About the sea.",
        "timestamp": 1658592000,
        "language": "eng",
        "creators": ["Noor Okafor", "Noor Okafor"],
        "uploader": "A channel",
        "webpage_url": "https://www.youtube.com/watch?v=abc",
    }
    assert described(info) == Session(
        slug="on-tides",
        title="On tides",
        start="2022-07-23T16:00:00+00:00",
        language="en",
        abstract="About the sea.",
        people=(Role(person=Person(name="Noor Okafor")),),
        links=(Link(rel="website", url="https://www.youtube.com/watch?v=abc"),),
        external_ids=(ExternalId(scheme="youtube", value="abc"),),
    )


@pytest.mark.parametrize(
    "info", [{}, {"title": None, "timestamp": 1e300, "language": "??", "webpage_url": "javascript:x", "creators": None}]
)
def test_what_is_missing_or_wrong_is_left_out(info: dict[str, object]) -> None:
    assert described(info) == Session(slug="recording", title="Recording")


@pytest.mark.parametrize(
    ("availability", "reason"),
    [
        (None, None),
        ("public", None),
        ("unlisted", "is unlisted on its platform"),
        ("private", "is private on its platform"),
        ("subscriber_only", "is for members only on its platform"),
    ],
)
def test_video_that_is_not_for_everybody_is_private(availability: str | None, reason: str | None) -> None:
    release = described({"id": "abc", "availability": availability}).release
    assert release == (Release(state="private", reason=reason) if reason else None)


def test_recording_that_is_too_long_is_refused_before_it_is_downloaded() -> None:
    judge = _not_longer(Settings(max_hours=1))
    judge({"duration": 3599}, incomplete=False)
    with pytest.raises(LimitError, match="longer than 1 h"):
        judge({"duration": 3601}, incomplete=False)


PAGE = """<!DOCTYPE html><html><head><title>On tides</title>
<meta property="og:title" content="On tides"><meta property="og:description" content="About the sea."></head>
<body><video title="On tides"><source src="/talk.mp4" type="video/mp4">
<track kind="subtitles" src="/talk.en.vtt" srclang="en" label="English"></video></body></html>"""
GENERIC = Settings(extractors=("generic", "html5"))
CAPTIONS = b"WEBVTT\n\n00:00.000 --> 00:01.000\nThe tide is out.\n"


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Site]:
    """A page with a recording and captions, which yt-dlp reads by its generic extractor."""
    with serving() as site:
        site.answers["/watch"] = file(PAGE.encode(), etag=None, content_type="text/html")
        site.answers["/talk.mp4"] = file(write_video(tmp_path / "made.mp4").read_bytes(), content_type="video/mp4")
        site.answers["/talk.en.vtt"] = file(CAPTIONS, content_type="text/vtt")
        yield site


def test_page_is_listed_and_brought_with_all_that_it_says(page: Site, tmp_path: Path) -> None:
    told: list[float] = []
    shelf = Shelf(tmp_path / "shelf", GENERIC, told.append)
    [found] = sites.find(f"{page.url}/watch", shelf)
    assert found.about is not None
    assert (found.place, found.about.title) == (f"{page.url}/watch", "On tides (1)")
    with found.fetch(shelf) as fetched:
        assert fetched.path.read_bytes() == (tmp_path / "made.mp4").read_bytes()
        companions = {path.name: path.read_bytes() for path in fetched.companions}
    assert sorted(companions) == ["recording.en.vtt", "recording.info.json"]
    assert companions["recording.en.vtt"] == CAPTIONS
    assert json.loads(companions["recording.info.json"])["webpage_url"] == found.place
    assert told[-1] == (tmp_path / "made.mp4").stat().st_size + len(CAPTIONS)
    assert list(shelf.folder.iterdir()) == []


def test_recording_of_a_page_is_kept_with_its_companions(page: Site, tmp_path: Path) -> None:
    init(tmp_path / "archive", title="Test")
    with open_archive(tmp_path / "archive") as context:
        shelf = Shelf(context.layout.sources, GENERIC)
        [found] = sites.find(f"{page.url}/watch", shelf)
        pulled = Pull([]).work(Task(found, shelf, context.blobs), ignore_progress)
        assert pulled is not None
        assert (pulled.info.kind, pulled.name) == ("video", "On tides (1).mp4")
        names = {each.name: context.blobs.path(each.sha256, each.suffix) for each in pulled.companions}
        assert names["recording.en.vtt"].read_bytes() == CAPTIONS


def test_download_that_breaks_is_taken_up(page: Site, tmp_path: Path) -> None:
    whole = (tmp_path / "made.mp4").read_bytes()
    page.answers["/talk.mp4"] = file(whole, content_type="video/mp4", resets_after=[len(whole), len(whole) // 2])
    shelf = Shelf(tmp_path / "shelf", GENERIC)
    [found] = sites.find(f"{page.url}/watch", shelf)
    with found.fetch(shelf) as fetched:
        assert fetched.path.read_bytes() == whole


def test_page_without_a_recording_says_so(page: Site, tmp_path: Path) -> None:
    page.answers["/watch"] = file(b"<html><title>Nothing</title></html>", etag=None, content_type="text/html")
    [found] = sites.find(f"{page.url}/watch", Shelf(tmp_path, GENERIC))
    assert found.failed
    with pytest.raises(FetchError, match="Unsupported URL"), found.fetch(Shelf(tmp_path, GENERIC)):
        pass


def test_recording_of_a_page_that_is_too_large_is_not_brought(page: Site, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf", msgspec.structs.replace(GENERIC, max_gigabytes=1e-6))
    [found] = sites.find(f"{page.url}/watch", shelf)
    with pytest.raises(FetchError, match=r"larger than pull.max_gigabytes"), found.fetch(shelf):
        pass


def rows(context: Context) -> list[tuple[str, str | None, str | None, str | None]]:
    found = context.db.execute(
        "SELECT session.title, elsewhere, transcript.kind, transcript.language FROM session"
        " LEFT JOIN recording ON session_id = session.id"
        " LEFT JOIN transcript ON recording_id = recording.id AND is_current ORDER BY session.id"
    )
    return [tuple(row) for row in found.fetchall()]


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    init(tmp_path / "archive", title="Test")
    (tmp_path / "archive" / "rostra.toml").write_text("[pull]\nprivate_hosts = ['127.0.0.1']\n")
    with open_archive(tmp_path / "archive") as context:
        yield context


def pull_words(context: Context, found: Found) -> RunSummary:
    class Listed(PullWords):  # yt-dlp's generic extractor, which reads the page of these tests, is left out of `find`
        def items(self, context: Context) -> Iterator[Item]:
            yield Item(found.place, found.name, "1", Task(found, Shelf(context.layout.sources, GENERIC), context.blobs))

    report = run_stage(context, Listed([], kind="human"), InProcess(), Watch())
    report.merge(run_stage(context, Captions([]), InProcess(), Watch()))
    return report


def test_captions_of_a_page_are_kept_and_its_recording_stays_there(page: Site, context: Context) -> None:
    [found] = sites.find(f"{page.url}/watch", Shelf(context.layout.sources, GENERIC))
    assert dict(pull_words(context, found).counts) == {"done": 2}
    assert rows(context) == [("On tides (1)", f"{page.url}/watch", "human", "en")]
    assert {path.suffix for path in context.layout.media.rglob("*") if path.is_file()} == {".vtt", ".json"}
    assert not list(context.layout.sources.glob("*"))


def test_page_without_captions_says_so_and_makes_no_session(page: Site, context: Context) -> None:
    page.answers["/watch"] = file(PAGE.replace("<track", "<x").encode(), etag=None, content_type="text/html")
    [found] = sites.find(f"{page.url}/watch", Shelf(context.layout.sources, GENERIC))
    [(_, outcome)] = pull_words(context, found).troubles
    assert (outcome.status, outcome.text) == ("refused", "it has no captions by people")
    assert rows(context) == []


def test_captions_go_to_the_session_that_links_to_their_page(page: Site, context: Context) -> None:
    link = Link(rel="video", url=f"{page.url}/watch")
    sessions = (Session(slug="sea", title="The sea", start="2022-01-01T10:00:00+00:00", links=(link,)),)
    with transaction(context.db):
        apply_event(context.db, Event(slug="days", title="Days", sessions=sessions), decided_at="2022-01-01T00:00:00Z")
    [found] = sites.find(f"{page.url}/watch", Shelf(context.layout.sources, GENERIC))
    pull_words(context, found)
    assert rows(context) == [("The sea", f"{page.url}/watch", "human", "en")]


def test_what_came_with_a_recording_is_a_file_of_the_store_that_is_checked_and_backed_up(
    page: Site, context: Context
) -> None:
    [found] = sites.find(f"{page.url}/watch", Shelf(context.layout.sources, GENERIC))
    pull_words(context, found)
    run_stage(context, Index(), InProcess(), Watch())
    assert list(check(context, quick=False, looked=lambda _: None)) == []
    assert {file.suffix for file in kept_files(context.db)} == {".en.vtt", ".info.json"}
    [captions] = context.layout.media.rglob("*.vtt")
    captions.unlink()
    [problem] = check(context, quick=False, looked=lambda _: None)
    assert (problem.part, problem.text) == (
        "media",
        f"recording.en.vtt (companion) is gone: {captions}",
    )
