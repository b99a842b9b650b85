from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.errors import ConfigError
from pipelines.sources.watched import Watched
from pipelines.storage.archive_folder import init
from tests.pipelines.cli.test_cli import rostra
from tests.pipelines.sounds import write_wav


def test_file_is_complete_when_it_has_stopped_growing(tmp_path: Path) -> None:
    watched = Watched([tmp_path], quiet=30)
    path = tmp_path / "talk.mp4"
    seen = []
    for now in range(0, 130, 10):
        if now <= 40:
            with path.open("ab") as file:
                file.write(b"more")
        ready = watched.look(float(now))
        watched.took(ready)
        seen += [(now, each.name) for each in ready]
    assert seen == [(70, "talk.mp4")]


def test_file_that_grows_after_all_is_complete_again_later(tmp_path: Path) -> None:
    watched = Watched([tmp_path], quiet=10)
    path = tmp_path / "talk.mp4"
    taken = []
    for now, data in ((0, b"one"), (10, b""), (20, b"two"), (30, b""), (40, b"")):
        with path.open("ab") as file:
            file.write(data)
        ready = watched.look(float(now))
        watched.took(ready)
        taken += [now for _ in ready]
    assert taken == [10, 30]


def test_what_could_not_be_taken_is_offered_again(tmp_path: Path) -> None:
    watched = Watched([tmp_path], quiet=0)
    (tmp_path / "talk.mp4").write_bytes(b"x")
    watched.look(0)
    assert [watched.look(1), watched.look(2)] == [[tmp_path / "talk.mp4"]] * 2


def test_empty_hidden_and_companion_files_are_passed_over(tmp_path: Path) -> None:
    watched = Watched([tmp_path], quiet=0)
    for name in ("empty.mp4", ".part.mp4", "talk.vtt"):
        (tmp_path / name).write_bytes(b"" if name == "empty.mp4" else b"x")
    watched.look(0)
    assert watched.look(1) == []


def test_folder_that_goes_away_is_named(tmp_path: Path) -> None:
    watched = Watched([tmp_path / "gone"])
    with pytest.raises(ConfigError, match="no file or folder"):
        watched.look(0)


def test_command_pulls_what_arrives_and_leaves_the_archive_free(tmp_path: Path) -> None:
    init(tmp_path / "archive", title="Talks")
    (tmp_path / "in").mkdir()
    program = (
        "from pipelines.cli import main, recordings; from pipelines.sources import watched;"
        "recordings.LOOK_SECONDS = 0.2;"
        "recordings.Watched = lambda folders: watched.Watched(folders, quiet=0.3); main()"
    )
    command = [sys.executable, "-c", program, "pull", "--watch", str(tmp_path / "in"), "--archive"]
    watching = subprocess.Popen([*command, str(tmp_path / "archive")], stderr=subprocess.PIPE)
    try:
        write_wav(tmp_path / "in" / "talk.wav", 1)
        for _ in range(200):
            facts = json.loads(rostra("status", "--json", "--archive", tmp_path / "archive").stdout)
            if facts["holds"]["recordings"]:
                break
            time.sleep(0.1)
        assert facts["holds"]["recordings"] == 1
    finally:
        os.kill(watching.pid, signal.SIGINT)
        said = watching.communicate()[1].decode()
    assert watching.returncode == 130, said


def test_watching_what_is_no_folder_is_wrong_usage(tmp_path: Path) -> None:
    init(tmp_path / "archive", title="Talks")
    done = rostra("pull", "--watch", "https://example.org", "--archive", tmp_path / "archive")
    assert done.returncode == 2
    assert "--watch takes folders" in done.stderr
