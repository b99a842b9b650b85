from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.errors import FormatError, MetadataError, UnknownFormatError
from metadata.model import EXAMPLE_EVENT, Event
from metadata.timetables import FORMATS, detect_format, read_timetable
from metadata.timetables.yaml_event import EXAMPLE_YAML

CASES = Path(__file__).parents[1] / "cases" / "timetables"
READABLE = sorted(path for path in CASES.iterdir() if path.with_suffix(".expected.json").exists())
REFUSED = sorted(path for path in CASES.iterdir() if path.with_suffix(".error.txt").exists())


@pytest.mark.parametrize("path", READABLE, ids=lambda path: path.name)
def test_timetable_readable(path: Path) -> None:
    expected = msgspec.json.decode(path.with_suffix(".expected.json").read_bytes(), type=Event)
    assert read_timetable(path.read_bytes(), path.name) == expected


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.name)
def test_timetable_refused(path: Path) -> None:
    with pytest.raises(MetadataError) as caught:
        read_timetable(path.read_bytes(), path.name)
    assert str(caught.value) == path.with_suffix(".error.txt").read_text(encoding="utf-8").strip()


def test_timetable_cases_complete() -> None:
    inputs = {path for path in CASES.iterdir() if not path.name.endswith((".expected.json", ".error.txt"))}
    assert inputs == {*READABLE, *REFUSED}


def test_timetable_documented_example() -> None:
    assert read_timetable(EXAMPLE_YAML.encode(), "example.yaml") == EXAMPLE_EVENT


def test_timetable_error_attributes() -> None:
    with pytest.raises(FormatError) as caught:
        read_timetable(b"title: T\nsessions: [{title: S, language: Elvenish}]", "t.yaml")
    assert (caught.value.source, caught.value.where) == ("t.yaml", "$.sessions[0].language")


def test_timetable_unknown_suffix() -> None:
    with pytest.raises(UnknownFormatError) as caught:
        read_timetable(b"title: T", "notes.odt")
    assert caught.value.candidates == tuple(FORMATS)


def test_timetable_claimed_twice() -> None:
    yaml_event = FORMATS["yaml-event"]
    with pytest.raises(UnknownFormatError) as caught:
        detect_format(b"title: T", "t.yaml", {"one": yaml_event, "two": yaml_event})
    assert caught.value.candidates == ("one", "two")


_LINES = st.lists(st.sampled_from(EXAMPLE_YAML.splitlines()), max_size=30).map("\n".join)
_NOISE = st.text(alphabet="[]{}:-&*!|>'\"#?,~\n\t titleseon\0\x85é", max_size=60)


@given(st.one_of(st.binary(max_size=60), st.tuples(_LINES, _NOISE).map(lambda parts: "".join(parts).encode())))
def test_timetable_hostile_bytes(data: bytes) -> None:
    try:
        event = read_timetable(data, "hostile.yaml")
    except MetadataError:
        return
    assert isinstance(event, Event)
