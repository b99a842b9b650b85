from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.errors import FormatError, MetadataError, UnknownFormatError
from metadata.model import EXAMPLE_EVENT
from metadata.timetables import FORMATS, detect_format, read_timetables
from metadata.timetables.base import MAX_BYTES, Reading, Source
from metadata.timetables.yaml_event import EXAMPLE_YAML

CASES = Path(__file__).parents[2] / "cases" / "timetables"


def beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


INPUTS = sorted(path for path in CASES.iterdir() if not path.name.endswith((".expected.json", ".error.txt")))
READABLE = [path for path in INPUTS if beside(path, ".expected.json").exists()]
REFUSED = [path for path in INPUTS if beside(path, ".error.txt").exists()]


def said(reading: Reading) -> Any:
    """Return what a file says, without what it does not."""

    def dense(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: small for name, each in value.items() if (small := dense(each)) not in (None, [], {})}
        return [dense(each) for each in value] if isinstance(value, list | tuple) else value

    whole = dense(msgspec.to_builtins(reading))
    return {name: whole[name] for name in ("complete", "events", "notices", "people") if name in whole}


@pytest.mark.parametrize("path", READABLE, ids=lambda path: path.name)
def test_timetable_readable(path: Path) -> None:
    expected = msgspec.json.decode(beside(path, ".expected.json").read_bytes())
    assert said(read_timetables(path.read_bytes(), path.name)) == expected


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.name)
def test_timetable_refused(path: Path) -> None:
    with pytest.raises(MetadataError) as caught:
        read_timetables(path.read_bytes(), path.name)
    assert str(caught.value) == beside(path, ".error.txt").read_text(encoding="utf-8").strip()


def test_timetable_cases_complete() -> None:
    assert sorted(READABLE + REFUSED) == INPUTS


def test_timetable_every_format_has_a_case() -> None:
    found = {detect_format(Source(path.name, path.read_bytes())) for path in READABLE}
    assert found == set(FORMATS)


def test_timetable_documented_example() -> None:
    reading = read_timetables(EXAMPLE_YAML.encode(), "example.yaml")
    assert (reading.events, reading.notices) == ((EXAMPLE_EVENT,), ())


def test_timetable_error_attributes() -> None:
    with pytest.raises(FormatError) as caught:
        read_timetables(b"title: T\nsessions: [{title: S, language: Elvenish}]", "t.yaml")
    assert (caught.value.source, caught.value.where) == ("t.yaml", "line 2, $.sessions[0].language")


def test_timetable_unknown_suffix() -> None:
    with pytest.raises(UnknownFormatError) as caught:
        read_timetables(b"title: T", "notes.odt")
    assert caught.value.candidates == tuple(FORMATS)


def test_timetable_claimed_twice() -> None:
    # A page of a web address may end in .yaml and hold XML: which of the two it is, nobody can say.
    with pytest.raises(UnknownFormatError) as caught:
        read_timetables(b"<rss version='2.0'/>", "feed.yaml")
    assert caught.value.candidates == ("podcast-rss", "yaml-event")


def test_timetable_too_large() -> None:
    with pytest.raises(FormatError) as caught:
        read_timetables(bytes(MAX_BYTES + 1), "t.json")
    assert caught.value.reason == "larger than 64 MiB"


_LINES = st.lists(st.sampled_from(EXAMPLE_YAML.splitlines()), max_size=30).map("\n".join)
_NOISE = st.text(alphabet="[]{}:-&*!|>'\"#?,~\n\t titleseon\0\x85é", max_size=60)


@given(st.one_of(st.binary(max_size=60), st.tuples(_LINES, _NOISE).map(lambda parts: "".join(parts).encode())))
def test_timetable_hostile_bytes(data: bytes) -> None:
    try:
        reading = read_timetables(data, "hostile.yaml")
    except MetadataError:
        return
    assert isinstance(reading, Reading)


@pytest.mark.parametrize("build", [lambda: b"[" * 200_000, lambda: b'{"schedule":' * 100_000], ids=["lists", "objects"])
def test_timetable_deep_json(build: Callable[[], bytes]) -> None:
    with pytest.raises(FormatError):
        read_timetables(build(), "deep.json")
