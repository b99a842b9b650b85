"""Our own format: its documentation and its example hold every field."""

from __future__ import annotations

import re

import pytest

from metadata.model import EXAMPLE_EVENT
from metadata.timetables import read_timetables
from metadata.timetables.plain_yaml import line_of
from metadata.timetables.yaml_event import EXAMPLE_YAML
from metadata.timetables.yaml_fields import OTHER_NAMES, SECTIONS, documented


def test_every_field_is_documented() -> None:
    assert [f"{each.section}.{each.name}" for each in documented() if not each.meaning] == []
    assert {each.section for each in documented()} == set(SECTIONS)


@pytest.mark.parametrize("name", sorted({each.name for each in documented()}))
def test_every_field_is_in_the_example(name: str) -> None:
    assert re.search(rf"(?:^|[\s{{#-]){name}:", EXAMPLE_YAML)


def test_example_says_what_is_allowed() -> None:
    choices = [each.allowed.replace("`", "").split(", ") for each in documented() if "`, `" in each.allowed]
    lines = EXAMPLE_YAML.splitlines()
    shown = [words for words in choices if any(all(word in line for word in words) for line in lines)]
    assert [
        words for words in choices if words not in shown and len(words) < 8
    ] == []  # a long list ends in an ellipsis


def test_example_with_every_comment_opened_imports() -> None:
    """Fields that the example shows in comments are right as they stand."""
    skipped = ("# day:", "# An event")  # a session has a start or a day
    opened = "\n".join(
        re.sub(r"^(\s*)# (?=[a-z_]+: )", r"\1", line)
        for line in EXAMPLE_YAML.splitlines()
        if not line.strip().startswith(skipped)
    )
    [event] = read_timetables(opened.encode(), "e.yaml").events
    assert event != EXAMPLE_EVENT
    assert event.subtitle == "A second title"
    assert event.sessions[0].place == "Lighthouse"
    assert event.sessions[0].recordings[0].synthetic_voice


def test_other_names_lead_to_fields() -> None:
    assert set(OTHER_NAMES.values()) <= {each.name for each in documented()}


def test_line_of_a_part() -> None:
    document = b"title: T\nsessions:\n  - title: A\n  - title: B\n    abstract: |\n      x\n      y\n    room: R\n"
    assert [
        line_of(document, path)
        for path in [(), ("title",), ("sessions", 1), ("sessions", 1, "room"), ("sessions", 1, "none"), ("nothing",)]
    ] == [1, 1, 4, 8, 4, 1]
