"""What the one registry of formats must hold, and what each format does with wishes about publication."""

from __future__ import annotations

from pathlib import Path

import pytest

from metadata.model import Release
from metadata.timetables import FORMATS, SUFFIX_OF_MEDIA_TYPE, SUFFIXES, WRITERS, detect_format, read_timetables
from metadata.timetables.base import Source
from tests.metadata.timetables.test_cases import CASES, READABLE

WISHES = sorted(CASES.glob("wish_*"))


def wish(name: str) -> Path:
    """Return the case that holds a wish in a format."""
    [found] = [path for path in CASES.glob(f"wish_{name}.*") if path in READABLE]
    return found


def test_every_format_is_described() -> None:
    for each in FORMATS.values():
        assert each.title
        assert each.release_wishes
        assert each.suffixes
        assert each.media_types
        assert (each.write is None) == (each.written_as is None)
        assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in each.suffixes)


def test_writers_are_those_of_the_formats() -> None:
    assert {each.written_as: each.write for each in FORMATS.values() if each.write} == WRITERS
    assert set(SUFFIX_OF_MEDIA_TYPE.values()) <= SUFFIXES


@pytest.mark.parametrize("name", FORMATS)
def test_wish_makes_a_session_private(name: str) -> None:
    path = wish(name)
    assert detect_format(Source(path.name, path.read_bytes())) == name
    reading = read_timetables(path.read_bytes(), path.name)
    releases = [session.release for event in reading.events for session in event.sessions]
    assert releases[0] is not None
    assert releases[0].state == "private"
    assert "release" in reading.session_fields


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "pyvideo-json"])
def test_without_a_wish_a_format_says_nothing(name: str) -> None:
    path = wish(name)
    reading = read_timetables(path.read_bytes(), path.name)
    everybody = [s.release for e in reading.events for s in e.sessions if s.title == "For everybody"]
    said = Release(state="public") if name in {"csv-sessions", "yaml-event"} else None
    assert everybody == [said]


@pytest.mark.parametrize("path", READABLE, ids=lambda path: path.name)
def test_no_format_makes_public_what_does_not_say_so(path: Path) -> None:
    reading = read_timetables(path.read_bytes(), path.name)
    public = [s for e in reading.events for s in e.sessions if s.release and s.release.state == "public"]
    assert not public or b"public" in path.read_bytes()


def test_two_spellings_are_one_event() -> None:
    composed, decomposed = (
        read_timetables((CASES / name).read_bytes(), "e.yaml")
        for name in ("yaml_composed.yaml", "yaml_decomposed.yaml")
    )
    [one], [other] = composed.events, decomposed.events
    assert one.sessions[0].people[0].person.name != other.sessions[0].people[0].person.name
    assert (one.slug, one.sessions[0].slug) == (other.slug, other.sessions[0].slug)
    # A session's place is named as the event's list of places has it.
    assert [event.sessions[0].place == event.places[0].name for event in (one, other)] == [True, True]
