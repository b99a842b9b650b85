"""Whatever file of an archive is damaged, what `rostra check` prescribes brings it back."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.storage.blobs import digest
from tests.pipelines.cli.test_cli import rostra


@pytest.fixture(scope="module")
def backup(kept: Path) -> Path:
    """Return a backup of the archive while it is whole."""
    place = kept.parent / "backup"
    assert rostra("backup", place, "--archive", kept).returncode == 0
    return place


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.unlink()  # what is published may be the same file
    path.write_bytes(data)


def cut_short(path: Path) -> None:
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data[:-1])


def empty(path: Path) -> None:
    path.unlink()
    path.write_bytes(b"")


def found(archive: Path) -> list[dict[str, str]]:
    listed: list[dict[str, str]] = json.loads(rostra("check", "--json", "--archive", archive).stdout)
    return listed


def files(archive: Path) -> dict[str, str]:
    """Return the digests of everything in the store that is not set aside."""
    return {path.name: digest(path) for path in sorted((archive / "media").glob("[0-9a-f][0-9a-f]/*"))}


def follow(steps: str, archive: Path) -> None:
    """Run the commands that a next step names, in order."""
    for command in re.split(r", then ", steps.partition("; or ")[0]):
        words = [word for word in shlex.split(command) if word not in {"makes", "it", "again", "the", "anew"}]
        assert words[0] == "rostra", steps
        done = rostra(*words[1:], "--archive", archive)
        assert done.returncode in {0, 1}, done.stderr


@pytest.mark.parametrize("damage", [flip, cut_short, empty, Path.unlink], ids=lambda damage: damage.__name__)
def test_every_file_of_the_store_comes_back(archive: Path, damage: Callable[[Path], None]) -> None:
    whole = files(archive)
    for path in sorted((archive / "media").glob("[0-9a-f][0-9a-f]/*")):
        damage(path)
    listed = [each for each in found(archive) if each["part"] == "media"]
    assert len(listed) == len(whole)
    assert {name for name in whole if any(name in each["text"] for each in listed)} == set(whole)
    for steps in dict.fromkeys(each["next"] for each in listed):
        follow(steps, archive)
    rostra("run", "--archive", archive)
    assert {name: sha256 for name, sha256 in files(archive).items() if name in whole} == whole
    assert [each for each in found(archive) if each["part"] == "media"] == []


@pytest.mark.parametrize("damage", [flip, Path.unlink], ids=lambda damage: damage.__name__)
def test_backup_brings_every_file_back(archive: Path, backup: Path, damage: Callable[[Path], None]) -> None:
    whole = files(archive)
    for path in sorted((archive / "media").glob("[0-9a-f][0-9a-f]/*")):
        damage(path)
    assert rostra("restore", backup, "--repair", "--archive", archive).returncode == 0
    assert files(archive) == whole


def test_good_file_that_is_pulled_from_elsewhere_takes_the_place_of_a_damaged_one(archive: Path, kept: Path) -> None:
    whole = files(archive)
    path = max((archive / "media").glob("*/*.wav"), key=lambda each: each.stat().st_size)
    flip(path)
    moved = shutil.copy(kept.parent / "in" / "second talk.wav", archive.parent / "found again.wav")
    assert rostra("pull", moved, "--archive", archive).returncode == 0
    assert files(archive) == whole


@pytest.mark.parametrize("damage", [flip, cut_short, empty, Path.unlink], ids=lambda damage: damage.__name__)
def test_whatever_is_published_is_built_again(archive: Path, damage: Callable[[Path], None]) -> None:
    assert rostra("publish", "--again", "--archive", archive).returncode == 0
    public = {path: digest(path) for path in sorted((archive / "public").rglob("*.*")) if path.is_file()}
    kept = {path: sha256 for path, sha256 in public.items() if path.parent.name == "media" or path.suffix == ".db"}
    for path in kept:
        damage(path)
    steps = {each["next"] for each in found(archive) if each["part"] == "public"}
    assert steps == {"rostra publish --again"}
    follow(*steps, archive)
    assert {path: digest(path) for path in kept} == kept
    assert found(archive) == []
