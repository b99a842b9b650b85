from __future__ import annotations

import re

from metadata.timetables import read_timetables
from tests.readme import README, written


def test_readme_is_what_the_code_says() -> None:
    text = README.read_text(encoding="utf-8")
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
