"""What a release needs: one version, written in one place, and a changelog that has it."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
HEADING = re.compile(r"^## (\d+\.\d+\.\d+) \((unreleased|\d{4}-\d{2}-\d{2})\)$", re.MULTILINE)
needs_checkout = pytest.mark.skipif(not (ROOT / "Makefile").exists(), reason="the wheel's tests have no checkout")


def headings() -> list[tuple[str, str]]:
    return HEADING.findall((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))


@needs_checkout
def test_changelog_begins_with_this_version() -> None:
    found = headings()
    assert [version for version, _ in found][:1] == [VERSION]
    assert [version for version, date in found[1:] if date == "unreleased"] == []
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert len(found) == len(re.findall(r"^## ", text, re.MULTILINE))


@needs_checkout
def test_version_stands_in_one_place() -> None:
    naming = [
        path.relative_to(ROOT).as_posix()
        for package in ("archive", "metadata", "pipelines")
        for path in sorted((ROOT / package).rglob("*.py"))
        if f'"{VERSION}"' in path.read_text(encoding="utf-8")
    ]
    assert naming == []


@needs_checkout
@pytest.mark.skipif(not shutil.which("git") or not shutil.which("make"), reason="needs git and make")
@pytest.mark.parametrize(
    ("date", "tagged", "dirty", "status", "said"),
    [
        ("2026-12-24", False, False, 0, f"ready: git tag --sign v{VERSION}"),
        ("unreleased", False, False, 2, f"CHANGELOG.md has no date for {VERSION}"),
        ("2026-12-24", True, False, 2, f"v{VERSION} is released already"),
        ("2026-12-24", False, True, 2, "commit everything first"),
    ],
)
def test_release_demands_what_it_needs(
    tmp_path: Path, date: str, tagged: bool, dirty: bool, status: int, said: str
) -> None:
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n## {VERSION} ({date})\n")

    def git(*arguments: str) -> None:
        command = ["git", "-c", "user.name=Noor", "-c", "user.email=noor@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run([*command, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "All")
    if tagged:
        git("tag", f"v{VERSION}")
    if dirty:
        (tmp_path / "more").touch()
    done = subprocess.run(
        # The wheel is built and tested elsewhere: what it takes counts as up to date here.
        ["make", "--assume-old=wheel", "release"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, said in done.stdout + done.stderr) == (status, True), done.stderr
