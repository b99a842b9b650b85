from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.cli import cli
from pipelines.sources.base import file_name as safe
from pipelines.storage.archive_folder import init
from pipelines.text import LONGEST_NAME, file_name
from tests.pipelines.sounds import write_wav

CHARACTERS = {"cjk": "山川异域风月同天" * 40, "emoji": "🎙️" * 90, "ascii": "a" * 400, "thai": "สวัสดี" * 60}


@pytest.mark.parametrize("kind", CHARACTERS)
def test_name_of_a_file_has_as_many_bytes_as_file_systems_take(tmp_path: Path, kind: str) -> None:
    name = file_name(CHARACTERS[kind], ".podcast.json")
    assert LONGEST_NAME - 3 <= len(name.encode()) <= LONGEST_NAME
    assert name.endswith(".podcast.json")
    assert CHARACTERS[kind].startswith(name.removesuffix(".podcast.json"))
    (tmp_path / name).touch()
    (tmp_path / safe(f"{CHARACTERS[kind]}.mp4")).touch()
    (tmp_path / safe(CHARACTERS[kind])).touch()
    assert file_name("talk", ".vtt") == "talk.vtt"


@pytest.mark.parametrize("length", [80, 83])
def test_recording_with_a_long_name_goes_in_and_out(tmp_path: Path, length: int) -> None:
    """The name has 80 characters and three bytes for each, which in Latin letters are hundreds."""
    root = init(tmp_path / "archive", title="Test") and tmp_path / "archive"
    stem = ("讨论机器翻译与档案检索的未来" * 6)[:length]
    write_wav(tmp_path / f"{stem}.wav", 5)
    (tmp_path / f"{stem}.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\n欢迎大家。\n")
    run = CliRunner(catch_exceptions=False)
    assert run.invoke(cli, ["--archive", str(root), "pull", str(tmp_path / f"{stem}.wav")]).exit_code == 0
    assert run.invoke(cli, ["--archive", str(root), "run", "--only", "index"]).exit_code == 0
    found = run.invoke(cli, ["--archive", str(root), "search", "欢迎", "--json"])
    slug = json.loads(found.stdout)[0]["session"]
    assert len(slug) <= 80
    done = run.invoke(cli, ["--archive", str(root), "export", "captions", slug, "--to", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert [path.suffix for path in (tmp_path / "out").iterdir()] == [".vtt"]
