from __future__ import annotations

import re
from pathlib import Path

import pytest

from metadata.timetables import read_timetables
from tests.readme import README, READMES, written


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.parent.name)
def test_readme_is_what_the_code_says(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text == written(text), "stale: python -m tests.readme"


def test_readme_opens_with_the_two_commands() -> None:
    assert README.read_text(encoding="utf-8").splitlines()[2:6] == [
        "```",
        "make demo     # sets everything up, transcribes an example event with Whisper, serves it",
        "make test     # sets everything up, runs every check",
        "```",
    ]


def test_readme_timetable_reads() -> None:
    [example] = re.findall(r"(?s)```yaml\n(.*?)```", README.read_text(encoding="utf-8"))
    assert read_timetables(example.encode(), "readme.yaml").notices == ()
