from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from archive.catalogue.importing import apply_event
from archive.connection import open_readonly, transaction
from archive.search.sqlite_search import SqliteSearch
from archive.site.app import create_app
from metadata.model import Event, ExternalId, Link, Session
from pipelines.cli import cli
from pipelines.exchange.reading_ahead import MANY, TOGETHER
from pipelines.storage.archive_folder import init, open_archive
from pipelines.storage.check import check
from tests.archive.build import PATIENT_MS
from tests.pipelines.sounds import write_wav

TUBE = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
EVENT = Event(
    slug="days",
    title="Harbour Days",
    sessions=(
        Session(
            slug="opening", title="Opening", start="2022-02-19T18:00:00+00:00", links=(Link(rel="video", url=TUBE),)
        ),
        Session(
            slug="tides", title="Tides & currents", external_ids=(ExternalId(scheme="youtube", value="AbC-123_xyz"),)
        ),
        Session(slug="fog", title="Fog"),
    ),
)


def vtt(path: Path, *lines: str) -> Path:
    """Write captions of five seconds each."""
    cues = (
        f"00:{n * 5 // 60:02}:{n * 5 % 60:02}.000 --> 00:{n * 5 // 60:02}:{n * 5 % 60 + 4:02}.000\n{line}"
        for n, line in enumerate(lines)
    )
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n\n".join(("WEBVTT", *cues)) + "\n")
    return path


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    root = tmp_path / "archive"
    init(root, title="Talks")
    (root / "rostra.toml").write_text("[transcribe]\nengine = 'fake'\n")
    return root


@pytest.fixture
def timetable(root: Path) -> Path:
    with open_archive(root) as context, transaction(context.db):
        apply_event(context.db, EVENT, decided_at="2022-01-01T00:00:00Z")
    return root


def rostra(root: Path, *words: str | Path) -> Result:
    return CliRunner().invoke(cli, ["--archive", str(root), *map(str, words)])


def rows(root: Path) -> list[tuple[str, str | None, str | None, str | None]]:
    """Return sessions with where they are played, and the kind of their current transcript."""
    db = open_readonly(root / "catalogue.db")
    found = db.execute(
        "SELECT session.slug, elsewhere, transcript.kind, transcript.language FROM session"
        " LEFT JOIN recording ON session_id = session.id"
        " LEFT JOIN transcript ON recording_id = recording.id AND is_current ORDER BY session.id, transcript.id"
    ).fetchall()
    db.close()
    return [tuple(row) for row in found]


def page(root: Path, address: str) -> str:
    """Return a page of the published site."""

    async def get() -> str:
        answer = await create_app(root / "public").client.get(address)
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    return asyncio.run(get())


def test_session_without_media_is_searched_read_and_leads_to_the_second_elsewhere(
    timetable: Path, tmp_path: Path
) -> None:
    file = vtt(tmp_path / "talk.vtt", *["Welcome."] * 16, "The lighthouse keeper counts the waves.", "Goodbye.")
    done = rostra(timetable, "caption", file, "--session", "opening", "--kind", "human")
    assert done.exit_code == 0, done.output
    assert rows(timetable)[0] == ("opening", TUBE, "human", "und")
    done = rostra(timetable, "run")
    assert done.exit_code == 0, done.output
    assert "transcribe" not in done.output
    assert "render" not in done.output
    current = msgspec.json.decode((timetable / "public" / "current.json").read_bytes())
    db = open_readonly(timetable / "public" / current["database"], immutable=True)
    [hit] = SqliteSearch(db.conn, PATIENT_MS).search('"lighthouse keeper counts"').hits
    db.close()
    assert (hit.session, hit.start_ms) == ("opening", 80_000)
    assert not list((timetable / "public" / "media").iterdir())
    text = page(timetable, "/events/days/opening?t=80")
    assert "The lighthouse keeper counts the waves." in text
    assert f'<a href="{TUBE}&amp;t=80s"' in text
    assert f'class="away" href="{TUBE}' in text
    assert "YouTube" in text
    assert "<video" not in text
    assert f'<a href="{TUBE}" rel="noopener"' in page(timetable, "/events/days/opening")
    assert "keeper counts the waves" in page(timetable, "/search?q=lighthouse")
    with open_archive(timetable) as context:
        assert list(check(context, quick=False, looked=lambda _: None)) == []
    assert rostra(timetable, "run").output.splitlines()[-1] == "Nothing is due."


def test_captions_stay_when_the_media_come(timetable: Path, tmp_path: Path) -> None:
    vtt(tmp_path / "in" / "opening.vtt", "Welcome.", "Goodbye.")
    assert (
        rostra(
            timetable, "caption", tmp_path / "in" / "opening.vtt", "--session", "opening", "--kind", "human"
        ).exit_code
        == 0
    )
    write_wav(tmp_path / "opening.wav", 10)
    done = rostra(timetable, "pull", tmp_path / "opening.wav", "--event", "days")
    assert done.exit_code == 0, done.output
    assert rows(timetable)[0] == ("opening", None, "human", "und")
    assert rostra(timetable, "run").exit_code == 0
    assert "<audio" in page(timetable, "/events/days/opening")


def test_media_that_are_shorter_than_what_was_said_are_another_recording(timetable: Path, tmp_path: Path) -> None:
    file = vtt(tmp_path / "talk.vtt", *["Welcome."] * 9)
    assert rostra(timetable, "caption", file, "--session", "opening").exit_code == 0
    write_wav(tmp_path / "opening.wav", 5)
    assert rostra(timetable, "pull", tmp_path / "opening.wav", "--event", "days").exit_code == 0
    assert rows(timetable)[:2] == [("opening", None, None, None), ("opening", TUBE, "imported", "und")]


def test_folder_of_captions_alone_makes_sessions(root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "captions"
    vtt(folder / "First talk.en.vtt", "Hello.")
    vtt(folder / "First talk.de.vtt", "Hallo.")
    (folder / "sub").mkdir()
    vtt(folder / "sub" / "second.vtt", "Good evening.")
    (folder / "README.txt").write_text("Read me.\n")
    (folder / "list.json").write_text("[1, 2]")
    (folder / "talk.info.json").write_text("{}")
    (folder / "broken.srt").write_text("1\n00:00:01,000 --> nowhere\nHello.\n")
    done = rostra(root, "caption", folder, "--kind", "human", "--json")
    assert done.exit_code == 1
    told = {Path(each["file"]).name: (each["status"], each.get("captions")) for each in json.loads(done.stdout)}
    assert told == {
        "First talk.de.vtt": ("added", 1),
        "First talk.en.vtt": ("added", 1),
        "broken.srt": ("refused", None),
        "list.json": ("skipped", None),
        "second.vtt": ("added", 1),
    }
    assert rows(root) == [("first-talk", "", "human", "en"), ("second", "", "human", "und")]
    again = rostra(root, "caption", folder / "sub" / "second.vtt", "--kind", "human")
    assert "this transcript is in the archive already" in again.output


def test_names_say_whose_captions_files_hold(timetable: Path, tmp_path: Path) -> None:
    folder = tmp_path / "captions"
    for name in (
        "Opening.en.vtt",
        "Tidal talk [AbC-123_xyz].en.vtt",
        "Tides & currents.de.vtt",
        "FOG.vtt",
        "Nobody.vtt",
    ):
        vtt(folder / name, f"This is {name}")
    done = rostra(timetable, "caption", folder, "--event", "days", "--language", "en")
    assert done.exit_code == 1
    assert "Nobody.vtt: no session is called so; if it is one of the timetable" in done.output
    assert [(slug, language) for slug, _, _, language in rows(timetable)] == [
        ("opening", "en"),
        ("tides", "en"),
        ("fog", "en"),
    ]


def test_recording_that_is_here_is_found_by_its_name(root: Path, tmp_path: Path) -> None:
    write_wav(tmp_path / "GMT2022_Recording.wav", 10)
    assert rostra(root, "pull", tmp_path / "GMT2022_Recording.wav").exit_code == 0
    vtt(tmp_path / "captions" / "gmt2022_recording.en.vtt", "Hello.")
    assert rostra(root, "caption", tmp_path / "captions", "--kind", "human").exit_code == 0
    assert rows(root) == [("gmt2022-recording", None, "human", "en")]


def test_address_of_a_session_is_named_where_no_link_says_it(timetable: Path, tmp_path: Path) -> None:
    file = vtt(tmp_path / "talk.vtt", "Hello.")
    address = "https://vimeo.com/76979871"
    assert rostra(timetable, "caption", file, "--session", "days/fog", "--at", address).exit_code == 0
    assert ("fog", address, "imported", "und") in rows(timetable)
    assert rostra(timetable, "caption", file, "--at", address).exit_code == 2
    right = "https://youtu.be/dQw4w9WgXcQ"
    assert rostra(timetable, "caption", file, "--session", "days/fog", "--at", right).exit_code == 0
    assert [row[:3] for row in rows(timetable) if row[0] == "fog"] == [("fog", right, "imported")]
    assert rostra(timetable, "caption", file, "--session", "fog", "--recording", "ab").exit_code == 2


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "talk.mp4", "ftp://example.org/a", "https://", "http://[::1"]
)
def test_what_is_no_address_of_the_web_plays_nothing(timetable: Path, tmp_path: Path, address: str) -> None:
    told = rostra(timetable, "caption", vtt(tmp_path / "talk.vtt", "Hello."), "--session", "days/fog", "--at", address)
    assert told.exit_code == 1
    assert "is no address of the web" in told.output
    assert all(row[1] is None for row in rows(timetable) if row[0] == "fog")


def test_a_recording_that_is_here_is_not_said_to_be_elsewhere(root: Path, tmp_path: Path) -> None:
    write_wav(tmp_path / "opening.wav", 10)
    assert rostra(root, "pull", tmp_path / "opening.wav").exit_code == 0
    file = vtt(tmp_path / "captions" / "opening.vtt", "Hello.")
    told = rostra(root, "caption", file, "--session", "opening", "--at", "https://youtu.be/dQw4w9WgXcQ")
    assert told.exit_code == 1
    assert "is here" in told.output


def test_two_thousand_files_are_one_command(root: Path, tmp_path: Path) -> None:
    """What a file costs is its own captions, and no start of a program or reading of the archive."""
    for number in range(300):
        vtt(tmp_path / "captions" / f"Talk {number}.vtt", f"This is talk {number}.", "Goodbye.")
    statements: list[str] = []
    with open_archive(root) as context:
        context.db.conn.set_trace_callback(statements.append)
        from pipelines.exchange.captioned import Names, add_files, caption_files

        names = Names(context)
        paths = list(caption_files([tmp_path / "captions"]))
        told = list(add_files(context, paths, names.recording_of, kind="imported"))
        context.db.conn.set_trace_callback(None)
    assert [each.fault for each in told] == [False] * 300
    assert len(statements) < 300 * 100  # those of triggers, which keep a digest of every row, are among them


def test_many_files_are_read_ahead_and_end_as_few_do(tmp_path: Path) -> None:
    folder = tmp_path / "captions"
    for number in range(MANY + TOGETHER):
        vtt(folder / f"talk-{number}.en.vtt", f"The {number}th tide.", "<v Ada>It comes again.")
    (folder / "talk-1.en.vtt").write_text("WEBVTT\n\n00:61 --> 00:62\nNo time.\n")
    (folder / "talk-2.en.vtt").write_bytes(b"WEBVTT\n\n\xff\n")
    (folder / "talk-3.en.vtt").write_text("WEBVTT\n\nNo times.\n\n00:01.000 --> 00:02.000\nTimes.\n")
    (folder / "talk-4.json").write_text("{}")
    ends = []
    for name, parts in (("at-once", [[folder]]), ("in-parts", _halves(folder))):
        init(tmp_path / name, title="Talks")
        said = [rostra(tmp_path / name, "caption", *part, "--json") for part in parts]
        told = [{**each, "file": Path(each["file"]).name} for one in said for each in json.loads(one.stdout)]
        db = open_readonly(tmp_path / name / "catalogue.db")
        versions = db.execute("SELECT version FROM transcript ORDER BY version").fetchall()
        db.close()
        ends.append((sorted(told, key=lambda each: each["file"]), versions))
    assert ends[0] == ends[1]
    assert {each["status"]: sum(one["status"] == each["status"] for one in ends[0][0]) for each in ends[0][0]} == {
        "added": MANY + TOGETHER - 2,
        "refused": 2,
        "skipped": 1,
    }


def _halves(folder: Path) -> list[list[Path]]:
    paths = sorted(folder.iterdir())
    return [paths[: MANY - 1], paths[MANY - 1 :]]
