from __future__ import annotations

import re
from pathlib import Path

import pytest

from metadata.timetables import read_timetables
from tests.readme import README, READMES, parts, written


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.parent.name)
def test_readme_is_what_the_code_says(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text == written(text), "stale: python -m tests.readme"


@pytest.mark.parametrize("name", parts())
def test_generated_part_stands_in_one_readme(name: str) -> None:
    marks = [text.count(f"<!-- {name} -->") for text in (path.read_text(encoding="utf-8") for path in READMES)]
    assert sum(marks) == 1


def test_readme_opens_with_the_two_commands_and_is_short() -> None:
    lines = README.read_text(encoding="utf-8").splitlines()
    assert lines[2:6] == [
        "```",
        "make demo     # sets everything up, transcribes an example event with Whisper, serves it",
        "make test     # sets everything up, runs every check",
        "```",
    ]
    assert len(lines) < 150


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.parent.name)
def test_relative_links_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_readme_timetable_reads() -> None:
    text = (README.parent / "metadata" / "README.md").read_text(encoding="utf-8")
    [example] = re.findall(r"(?s)```yaml\n(.*?)```", text)
    assert read_timetables(example.encode(), "readme.yaml").notices == ()
