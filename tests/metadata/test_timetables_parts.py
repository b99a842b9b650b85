from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.errors import FormatError
from metadata.model import Figure
from metadata.timetables.figures import parse_figure
from metadata.timetables.plain_yaml import MAX_DEPTH, load_plain_yaml
from metadata.timetables.slugs import MAX_SLUG_LENGTH, fill_slugs, is_slug, make_slug


@pytest.mark.parametrize(
    ("text", "figure"),
    [
        ("85", Figure(count=85)),
        ("0", Figure(count=0)),
        ("1,800", Figure(count=1800)),
        ("1 800", Figure(count=1800)),
        ("3,800,000", Figure(count=3_800_000)),
        ("about 85", Figure(count=85, qualifier="about")),
        ("Circa 85", Figure(count=85, qualifier="about")),
        ("~85", Figure(count=85, qualifier="about")),
        ("over 300", Figure(count=300, qualifier="over")),
        ("More than 1,000", Figure(count=1000, qualifier="over")),
        ("300+", Figure(count=300, qualifier="over")),
        (" under 50 ", Figure(count=50, qualifier="under")),
    ],
)
def test_figure_readable(text: str, figure: Figure) -> None:
    assert parse_figure(text) == figure


@pytest.mark.parametrize("text", ["", "many", "-3", "3.5", "1,80", "over", "over 300+", "over about 3", "٣", "1" * 13])
def test_figure_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected 85, '1,800', 'about 85' or 'over 300'"):
        parse_figure(text)


@given(st.integers(min_value=0, max_value=10**9), st.sampled_from(["", "about ", "over ", "under "]))
def test_figure_as_written(count: int, said: str) -> None:
    assert parse_figure(f"{said}{count:,}") == parse_figure(f"{said}{count}")


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Café society", "cafe-society"),
        ("  What is 1984?  ", "what-is-1984"),
        ("Грампластинки", "gramplastinki"),
        ("…", ""),
        ("word " * 40, "-".join(["word"] * 15)),
    ],
)
def test_slug_of_title(title: str, slug: str) -> None:
    assert make_slug(title) == slug


def test_slugs_filled() -> None:
    titles = ["Questions", "Questions", "Questions", "…", "Answers"]
    assert fill_slugs([None, None, "questions-2", None, "a"], titles) == [
        "questions",
        "questions-3",
        "questions-2",
        "session-4",
        "a",
    ]


@given(st.lists(st.text(max_size=100), max_size=8))
def test_slugs_filled_any_titles(titles: list[str]) -> None:
    slugs = fill_slugs([None] * len(titles), titles)
    assert len(set(slugs)) == len(titles)
    assert all(is_slug(slug) for slug in slugs)


@pytest.mark.parametrize("text", ["", "A", "a--b", "-a", "a-", "a b", "é", "a\n", "a" * (MAX_SLUG_LENGTH + 1)])
def test_slug_refused(text: str) -> None:
    assert not is_slug(text)


def test_yaml_scalars_are_text() -> None:
    document = b"\xef\xbb\xbfa: no\nb: 18:30\nc: 2022-07-23\nd: 0x1F\ne: null\nf:\ng: ~\nh: ''\ni: [1, .5]\n"
    assert load_plain_yaml(document, "t.yaml") == {
        "a": "no",
        "b": "18:30",
        "c": "2022-07-23",
        "d": "0x1F",
        "e": "null",
        "f": None,
        "g": None,
        "h": "",
        "i": ["1", ".5"],
    }


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"a: 1\nb: [1,\n", "t.yaml: line 3: while parsing a flow node, expected the node content, but found "),
        (b"a: 1\n\tb: 2\n", "t.yaml: line 2: while scanning for the next token, found character '\\t' that cannot"),
        (b"a: 1\nb: 2\na: 3\n", "t.yaml: line 3: 'a' is given twice"),
        (b"a:\n  b: 1\n  b: 2\n", "t.yaml: line 3: 'b' is given twice"),
        (b"a: &x 1\nb: *x\n", "t.yaml: line 1: anchors and aliases are not used here"),
        (b"a: 1\nb: *x\n", "t.yaml: line 2: anchors and aliases are not used here"),
        (b"a: !!python/name:os.system\n", "t.yaml: line 1: tags are not used here"),
        (b"? [a]\n: 1\n", "t.yaml: line 1: a key must be a word"),
        (b"a: 1\n---\na: 2\n", "t.yaml: line 2: expected a single document in the stream, but found another"),
        (b"a: 1\nb: \x07\n", "t.yaml: line 2: the character U+0007 is not allowed"),
        (b"a: 1\nb: \xff\n", "t.yaml: line 2: not UTF-8 text"),
        (b"[" * 100_000, f"t.yaml: line 1: nested more than {MAX_DEPTH} deep"),
    ],
)
def test_yaml_refused(document: bytes, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        load_plain_yaml(document, "t.yaml")
    assert str(caught.value).startswith(message)
