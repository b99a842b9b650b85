"""A withdrawal is served while a run of many recordings goes on: processes of their own, a real server."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import httpx

from tests.pipelines.cli.test_cli import rostra
from tests.pipelines.run.test_kill import make_archive, wait_for
from tests.pipelines.sounds import write_wav
from tests.pipelines.stages.test_publish_while_serving import served

RECORDINGS = 30
FAKE = '[transcribe]\nengine = "fake"\n[run]\nworkers = 1\n'


def fetch(address: str) -> httpx.Response:
    return httpx.get(address, trust_env=False)


def test_withdrawal_is_served_while_a_run_goes_on(tmp_path: Path) -> None:
    root, first, more = tmp_path / "archive", tmp_path / "first", tmp_path / "more"
    first.mkdir()
    more.mkdir()
    write_wav(first / "regretted.wav", 8)
    for number in range(RECORDINGS):
        write_wav(more / f"talk-{number}.wav", 120, frequency=200 + number)
    make_archive(root, first, FAKE)
    assert rostra("run", "--archive", root).returncode == 0
    copy = tmp_path / "copy"
    assert rostra("publish", "--to", copy, "--archive", root).returncode == 0
    assert rostra("pull", more, "--archive", root).returncode == 0
    with served(root) as site:
        page = f"{site}/events/recordings/regretted"
        media = [f"{site}/media/{path.name}" for path in sorted((root / "public" / "media").iterdir())]
        assert [fetch(each).status_code for each in (page, *media)] == [200] * 3
        run = subprocess.Popen(
            [sys.executable, "-m", "pipelines", "run", "--archive", str(root)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            wait_for((root / ".lock-owner").exists)
            began = time.monotonic()
            done = rostra("release", "regretted", "--withdraw", "It was not to be said", "--tell", "--archive", root)
            assert done.returncode == 0, done.stderr
            wait_for(lambda: fetch(page).status_code == 410)
            wait_for(lambda: [fetch(each).status_code for each in media] == [404, 404])
            seconds = time.monotonic() - began
            assert run.poll() is None, "the run was over before the withdrawal was served"
        finally:
            _, said = run.communicate()
        assert run.returncode == 0, said.decode()
        assert "It was not to be said" in fetch(page).text
        assert fetch(f"{page}/captions.vtt").status_code == 410
        assert [fetch(each).status_code for each in (page, *media)] == [410, 404, 404]
        assert fetch(f"{site}/events/recordings/talk-0").status_code == 200
    for folder in (root / "public", copy):
        names = {path.name for path in (folder / "media").iterdir()}
        assert not names & {address.rpartition("/")[2] for address in media}
        assert all(b"regretted.wav" not in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    print(f"a withdrawal was served {seconds:.1f} s after it was asked for")


def test_purged_recording_leaves_nothing_of_a_run_that_works_on_it(tmp_path: Path) -> None:
    root, sources = tmp_path / "archive", tmp_path / "in"
    sources.mkdir()
    for number in range(6):
        write_wav(sources / f"talk-{number}.wav", 300, frequency=200 + number)
    make_archive(root, sources, FAKE)
    run = subprocess.Popen(
        [sys.executable, "-m", "pipelines", "run", "--archive", str(root)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        wait_for((root / ".lock-owner").exists)
        for number in range(6):
            asked = ("release", f"talk-{number}", "--withdraw", "--purge", "--yes", "--archive", root)
            assert rostra(*asked).returncode == 0
    finally:
        _, said = run.communicate()
    assert run.returncode in {0, 1}, said.decode()
    assert rostra("run", "--archive", root).returncode == 0
    assert [path for path in (root / "media").rglob("*") if path.is_file()] == []
    assert rostra("check", "--archive", root).returncode == 0
    content = (root / "catalogue.db").read_bytes()
    assert [f"talk-{number}.wav".encode() in content for number in range(6)] == [False] * 6
