from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.errors import FormatError
from metadata.model import Event, Figure, Session
from metadata.times import parse_moment
from metadata.timetables import read_timetables
from metadata.timetables.figures import parse_figure
from metadata.timetables.html_text import html_to_text
from metadata.timetables.parts import local_doubt, review
from metadata.timetables.plain_xml import MAX_DEPTH as MAX_XML_DEPTH
from metadata.timetables.plain_xml import load_plain_xml
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
        (b'a: 1\nb: "\\a"\n', "t.yaml: line 2: the character U+0007 is not allowed"),
        (b"a: 1\nb: \xff\n", "t.yaml: line 2: not UTF-8 text"),
        (b"[" * 100_000, f"t.yaml: line 1: nested more than {MAX_DEPTH} deep"),
    ],
)
def test_yaml_refused(document: bytes, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        load_plain_yaml(document, "t.yaml")
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Tea &amp; talk</p><ul><li>one</li><li>two</li></ul>", "Tea & talk\n\n- one\n- two"),
        ("first<br>second<br/>third", "first\nsecond\nthird"),
        ("<script>alert(1)</script><p>kept</p><style>p{}</style>", "kept"),
        ("<b>unclosed <i>marks", "unclosed marks"),
        ("<a href='javascript:alert(1)'>press</a>", "press"),
        ("if a < b & c > d, List<String> x", "if a < b & c > d, List<String> x"),
        ("AT&amp;T as it was typed", "AT&amp;T as it was typed"),
        ("<p>שלום <em>עולם</em></p>", "שלום עולם"),
    ],
)
def test_html_becomes_text(html: str, text: str) -> None:
    assert html_to_text(html) == text


@given(st.text(alphabet="<>/&;#xp br=\"'!-ab\x00\n", max_size=80))
def test_html_of_any_kind_becomes_text(html: str) -> None:
    assert isinstance(html_to_text(html), str)


def test_xml_keeps_lines_and_namespaces() -> None:
    root = load_plain_xml(b'<a xmlns:p="urn:p">\n <p:b c="1">x<!-- no -->y</p:b></a>', "t.xml")
    node = root.children[0]
    assert (node.tag, node.attributes, node.text, node.where) == ("urn:p}b", {"c": "1"}, "xy", "line 2")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"<a>\n<b></a>", "t.xml: line 2: not well-formed XML: mismatched tag"),
        (b"<!DOCTYPE a><a/>", "t.xml: line 1: a document type declaration"),
        (b"<a>&nbsp;</a>", "t.xml: line 1: not well-formed XML: undefined entity"),
        (b"<a>" * (MAX_XML_DEPTH + 1), f"t.xml: line 1: nested more than {MAX_XML_DEPTH} deep"),
        (b"<?xml version='1.0' encoding='rot13'?><a/>", "t.xml: line 1: not "),
        (b"<a>\xff</a>", "t.xml: line 1: not well-formed XML: not well-formed (invalid token)"),
        (b"", "t.xml: line 1: not well-formed XML: no element found"),
    ],
)
def test_xml_refused(document: bytes, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        load_plain_xml(document, "t.xml")
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("local", "zone", "doubt"),
    [
        ("2024-03-31T02:30", "Europe/Berlin", "was skipped by the clocks in Europe/Berlin: taken as 03:30"),
        ("2024-10-27T02:30", "Europe/Berlin", "came twice in Europe/Berlin: taken as the first"),
        ("2024-10-27T03:00", "Europe/Berlin", None),
        ("2024-04-07T01:45", "Australia/Lord_Howe", "came twice in Australia/Lord_Howe: taken as the first"),
        ("2024-10-27T02:30+01:00", "Europe/Berlin", None),
    ],
)  # fmt: skip
def test_an_hour_at_a_change_of_the_clocks_is_doubted(local: str, zone: str, doubt: str | None) -> None:
    said = local_doubt(parse_moment(local, zone))
    assert said == (doubt and f"{local.replace('T', ' ')} {doubt}")


def test_long_titles_are_kept_and_told() -> None:
    event = Event(slug="e", title="E", sessions=(Session(slug="long", title="x" * 201),))
    reviewed, notices = review(event)
    assert (reviewed, [notice.text for notice in notices]) == (event, ["the title has 201 characters"])


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("Lupi, Valerio", ["Lupi, Valerio"]),
        ('"Lupi, Valerio"', ["Lupi, Valerio"]),
        ("Valerio Lupi, Gabriele Zuddas", ["Valerio Lupi", "Gabriele Zuddas"]),
        ("Valerio Lupi", ["Valerio Lupi"]),
    ],
)
def test_commas_of_a_calendar_part_people_only_where_they_cannot_part_names(written: str, names: list[str]) -> None:
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "BEGIN:VEVENT",
        "SUMMARY:T",
        "DTSTART:20240913T100000Z",
        f"ORGANIZER;CN={written}:MAILTO:info@example.org",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    [event] = read_timetables("\r\n".join(lines).encode(), "calendar.ics").events
    assert [role.person.name for session in event.sessions for role in session.people] == names


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("HOqeNIb6G7M4hYFKFRkCmQ", "HOqeNIb6G7M4hYFKFRkCmQ"),
        ("5F2B0D5E-92A4-4C0B-8C58-3D07B9E1A6F4", "5f2b0d5e-92a4-4c0b-8c58-3d07b9e1a6f4"),
    ],
)
def test_only_the_letters_of_a_uuid_mean_the_same_large_and_small(written: str, kept: str) -> None:
    xml = (
        "<schedule><conference><title>T</title></conference><day date='2014-12-27'><room name='R'>"
        f"<event id='1' guid='{written}'><title>T</title></event></room></day></schedule>"
    )
    [event] = read_timetables(xml.encode(), "schedule.xml").events
    assert [each.value for each in event.sessions[0].external_ids if each.scheme == "guid"] == [kept]


def test_marked_sections_are_comments_to_html() -> None:
    assert html_to_text("<p>a<![if !vml]>b<![CDATtwo. c]> d</p>") == "ab d"
