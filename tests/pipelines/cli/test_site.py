"""What time alone publishes, and what a timetable takes back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from archive.connection import open_readonly
from pipelines.cli import cli
from pipelines.cli.site import LOOK_SECONDS, _embargo_ended, _publish, _watch
from pipelines.run.runner import RunSummary
from pipelines.stages.publish import Publish
from pipelines.stages.static import Static

TIMETABLE = """
title: Coast
slug: coast
start_date: 2026-05-01
end_date: 2026-05-02
time_zone: Pacific/Auckland
sessions:
  - title: Opening
  - title: Tides
"""
MIDNIGHT = datetime(2026, 5, 3, 12, tzinfo=UTC)
"""When the fourth of May begins in Auckland, twelve hours east."""


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(each) for each in arguments])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return an archive of two sessions."""
    assert run("init", tmp_path / "talks").exit_code == 0
    (tmp_path / "coast.yaml").write_text(TIMETABLE)
    assert run("import", tmp_path / "coast.yaml", "--archive", tmp_path / "talks").exit_code == 0
    return tmp_path / "talks"


def shown(folder: Path) -> list[str]:
    """Return the sessions that are published in a folder."""
    name = json.loads((folder / "current.json").read_bytes())["database"]
    db = open_readonly(folder / name, immutable=True)
    try:
        return [str(row[0]) for row in db.execute("SELECT slug FROM session ORDER BY slug").fetchall()]
    finally:
        db.close()


class EnoughError(Exception):
    """Ends a watch."""


class Night:
    """A clock that goes on while others sleep, and what is published meanwhile."""

    def __init__(self, begin: datetime, looks: int) -> None:
        self.now, self.looks = begin, looks

    def clock(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds == LOOK_SECONDS
        if not self.looks:
            raise EnoughError
        self.looks -= 1
        self.now += timedelta(seconds=seconds)


def embargoed(root: Path) -> None:
    assert run("release", "tides", "--embargo", "2026-05-04", "--later", "--archive", root).exit_code == 0


def test_watch_publishes_when_an_embargo_ends(root: Path, tmp_path: Path) -> None:
    embargoed(root)
    night = Night(MIDNIGHT - timedelta(seconds=2 * LOOK_SECONDS), looks=6)
    publish = partial(_publish, root, Publish(tmp_path / "public", clock=night.clock))
    publish()
    assert shown(tmp_path / "public") == ["opening"]
    told: list[tuple[datetime, list[str]]] = []

    def noted() -> RunSummary:
        report = publish()
        told.append((night.now, shown(tmp_path / "public")))
        return report

    with pytest.raises(EnoughError):
        _watch(noted, partial(_embargo_ended, root), night.now, clock=night.clock, sleep=night.sleep)
    assert told == [(MIDNIGHT, ["opening", "tides"])]


def test_watch_tries_again_what_could_not_be_published(root: Path, tmp_path: Path) -> None:
    embargoed(root)
    night = Night(MIDNIGHT - timedelta(seconds=LOOK_SECONDS), looks=4)
    publish = partial(_publish, root, Publish(tmp_path / "public", clock=night.clock))
    broken = iter([True, True, False])
    tried: list[datetime] = []

    def sometimes() -> RunSummary:
        tried.append(night.now)
        if not next(broken):
            return publish()
        report = RunSummary()
        report.counts["failed"] = 1
        return report

    with pytest.raises(EnoughError):
        _watch(sometimes, partial(_embargo_ended, root), night.now, clock=night.clock, sleep=night.sleep)
    assert tried == [MIDNIGHT + timedelta(seconds=number * LOOK_SECONDS) for number in range(3)]
    assert shown(tmp_path / "public") == ["opening", "tides"]


def test_watch_publishes_what_opened_while_it_published(root: Path, tmp_path: Path) -> None:
    embargoed(root)
    night = Night(MIDNIGHT - timedelta(seconds=1), looks=1)
    publish = partial(_publish, root, Publish(tmp_path / "public", clock=night.clock))
    began = night.now
    publish()
    night.now += timedelta(seconds=2)  # it took so long
    with pytest.raises(EnoughError):
        _watch(publish, partial(_embargo_ended, root), began, clock=night.clock, sleep=night.sleep)
    assert shown(tmp_path / "public") == ["opening", "tides"]


def test_timer_publishes_at_the_first_call_after_an_embargo(root: Path, tmp_path: Path) -> None:
    embargoed(root)
    counts = []
    for minutes in (-60, -1, 0, 60):
        night = Night(MIDNIGHT + timedelta(minutes=minutes), looks=0)
        counts.append(dict(_publish(root, Publish(tmp_path / "public", clock=night.clock)).counts))
    assert counts == [{"done": 1}, {}, {"done": 1}, {}]
    assert shown(tmp_path / "public") == ["opening", "tides"]


def test_timer_writes_a_site_of_files_at_the_first_call_after_an_embargo(root: Path, tmp_path: Path) -> None:
    pytest.importorskip("pagefind", reason="no Pagefind: pip install 'rostra[static]'")
    embargoed(root)
    folder, counts, states = tmp_path / "www", [], []
    for minutes in (-60, -1, 0, 60):
        night = Night(MIDNIGHT + timedelta(minutes=minutes), looks=0)
        counts.append(dict(_publish(root, Static(folder, clock=night.clock)).counts))
        states.append({path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*")})
    assert counts == [{"done": 1}, {}, {"done": 1}, {}]
    _, before, after, _ = states
    assert not [name for name, data in before.items() if b"tides" in data.lower()]
    assert "events/coast/tides/index.html" in after
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    lists = {name for name in changed & before.keys() if not name.startswith(("pagefind/", "."))}
    assert lists == {
        "index.html", "feed.atom", "sitemaps/sessions-1.xml", "events/index.html", "events/coast/index.html",
        "events/coast/feed.atom", "events/coast/opening/index.html",
    }  # fmt: skip


@pytest.fixture
def gone(root: Path) -> Result:
    """Return what is said when a session that has captions is no longer in its timetable."""
    captions, timetable = root.parent / "tides.vtt", root.parent / "coast.yaml"
    captions.write_text("WEBVTT\n\n00:00.000 --> 00:02.000\nThe tide is high.\n")
    assert run("caption", captions, "--session", "coast/tides", "--archive", root).exit_code == 0
    timetable.write_text(TIMETABLE.replace("  - title: Tides\n", ""))
    return run("import", timetable, "--archive", root)


def test_import_says_what_is_gone_from_the_timetable_and_still_public(root: Path, gone: Result) -> None:
    assert gone.exit_code == 0
    said = " ".join(gone.stderr.split())
    assert "gone from the timetable, and still public. To hide them, or to say that they stay:" in said
    assert "rostra release coast/tides --private or --public" in said
    timetable = root.parent / "coast.yaml"
    told = json.loads(run("import", timetable, "--json", "--archive", root).stdout)
    assert [each["still_public"] for each in told["imported"]] == [["coast/tides"]]


@pytest.mark.parametrize(("choice", "left"), [("--private", ["opening"]), ("--public", ["opening", "tides"])])
def test_one_command_decides_about_what_is_gone(root: Path, gone: Result, choice: str, left: list[str]) -> None:
    assert run("publish", "--archive", root).exit_code == 0
    assert run("release", "coast/tides", choice, "--archive", root).exit_code == 0
    assert shown(root / "public") == left
    again = run("import", root.parent / "coast.yaml", "--archive", root)
    assert (again.exit_code, "still public" in again.stderr) == (0, False)
