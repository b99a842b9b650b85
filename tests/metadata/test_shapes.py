from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest

from metadata.shapes import Misfit, ShapeWords, dotted, misfit, nearest

_Text = Annotated[str, msgspec.Meta(min_length=1)]


class Small(msgspec.Struct, forbid_unknown_fields=True):
    name: _Text
    share: Annotated[float, msgspec.Meta(gt=0)] = 1.0


class Whole(msgspec.Struct, forbid_unknown_fields=True):
    title: _Text
    mode: Literal["in-person", "online"] = "online"
    parts: list[_Text | Small] = []
    names: dict[str, str] = {}
    one: _Text | Small | None = None
    count: int | None = None
    flag: bool = False


WORDS = ShapeWords(mapping="a table", sequence="an array", other_names={"speakers": "parts"})


@pytest.mark.parametrize(
    ("raw", "path", "reason"),
    [
        ({}, (), "the field 'title' is missing"),
        ("x", (), "expected a table, got 'x'"),
        ({"title": ""}, ("title",), "expected text, got an empty one"),
        ({"title": None}, ("title",), "expected text, got nothing"),
        (
            {"title": "T", "mode": "in person"},
            ("mode",),
            "'in person' is not allowed: use in-person or online (nearest: in-person)",
        ),
        ({"title": "T", "mode": "xyz"}, ("mode",), "'xyz' is not allowed: use in-person or online"),
        ({"title": "T", "mode": ["online"]}, ("mode",), "expected text, got an array: use in-person or online"),
        ({"title": "T", "parts": "A"}, ("parts",), "expected an array, got 'A'"),
        (
            {"title": "T", "parts": ["A", {"name": "B", "nam": "C"}]},
            ("parts", 1, "nam"),
            "unknown field 'nam': use name or share (nearest: name)",
        ),
        (
            {"title": "T", "parts": [{"name": "B", "share": "0"}]},
            ("parts", 0, "share"),
            "expected a number > 0.0, got '0'",
        ),
        (
            {"title": "T", "speakers": []},
            ("speakers",),
            "unknown field 'speakers'" + nearest("parts", ["title", "mode", "parts", "names", "one", "count", "flag"]),
        ),
        ({"title": "T", "one": {}}, ("one",), "the field 'name' is missing"),
        ({"title": "T", "one": []}, ("one",), "expected text or a table, got an array"),
        ({"title": "T", "names": {"a": ["b"]}}, ("names",), "expected text, got an array"),
        ({"title": "T", "count": "many"}, ("count",), "expected a whole number, got 'many'"),
        ({"title": "T", "flag": "maybe"}, ("flag",), "expected true or false, got 'maybe'"),
    ],
)
def test_misfit_in_words(raw: Any, path: tuple[str | int, ...], reason: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(raw, Whole, strict=False)
    assert misfit(caught.value, Whole, raw, WORDS) == Misfit(path, reason)


def test_path_dotted() -> None:
    assert (dotted(()), dotted(("sessions", 3, "start"))) == ("$", "$.sessions[3].start")


@pytest.mark.parametrize(
    ("written", "allowed", "said"),
    [
        ("Start Date", ["start_date", "end_date"], ": use start_date or end_date (nearest: start_date)"),
        ("WATCH_PARTY", ["venue", "watch-party"], ": use venue or watch-party (nearest: watch-party)"),
        ("q", ["venue"], ": use venue"),
    ],
)
def test_nearest(written: str, allowed: list[str], said: str) -> None:
    assert nearest(written, allowed) == said
