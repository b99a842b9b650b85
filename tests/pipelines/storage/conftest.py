"""An archive that may be damaged, for the tests of what finds and mends the damage."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.pipelines.command import rostra
from tests.pipelines.sounds import write_wav


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an archive of two recordings, transcribed, indexed and published."""
    root = tmp_path_factory.mktemp("kept") / "talks"
    assert rostra("init", root).returncode == 0
    settings = root / "rostra.toml"
    settings.write_text(settings.read_text().replace('# engine = "faster-whisper"', 'engine = "fake"'))
    folder = root.parent / "in"
    folder.mkdir()
    for name, seconds in (("first.wav", 5), ("second talk.wav", 9)):
        write_wav(folder / name, seconds)
    assert rostra("pull", folder, "--archive", root).returncode == 0
    done = rostra("run", "--archive", root)
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture
def archive(kept: Path, tmp_path: Path) -> Path:
    """Return a copy of it that may be damaged."""
    return Path(shutil.copytree(kept, tmp_path / "talks"))
