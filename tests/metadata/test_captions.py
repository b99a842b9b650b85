from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from metadata.captions import FORMATS, WRITERS, Source, read_captions, without_speakers, writer
from metadata.captions.cues import COLUMNS, Cue, cues, width
from metadata.errors import UnknownFormatError
from metadata.model import EXAMPLE_TRANSCRIPT, Flag, Segment, Transcript, Word

CASES = Path(__file__).parents[1] / "cases" / "captions"


def spoken(text: str, *, start_ms: int = 0, word_ms: int = 400, separator: str = " ") -> Segment:
    """A segment whose words follow each other without a pause."""
    parts = text.split(" ")
    words = tuple(
        Word(start_ms=start_ms + i * word_ms, end_ms=start_ms + (i + 1) * word_ms, text=part)
        for i, part in enumerate(parts)
    )
    return Segment(start_ms=start_ms, end_ms=words[-1].end_ms, text=separator.join(parts), words=words)


def transcript(*segments: Segment, language: str = "en") -> Transcript:
    return Transcript(language=language, duration_ms=600_000, segments=segments)


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_writer_of_the_example(name: str) -> None:
    expected = (CASES / f"example{FORMATS[name].suffix}").read_text(encoding="utf-8")
    assert writer(name)(EXAMPLE_TRANSCRIPT) == expected


def test_writer_unknown() -> None:
    with pytest.raises(UnknownFormatError) as caught:
        writer("docx")
    assert caught.value.candidates == ("ass", "json", "podcast-json", "srt", "ttml", "txt", "vtt")


@pytest.mark.parametrize(
    ("name", "empty"),
    [("vtt", "WEBVTT\n"), ("srt", ""), ("txt", ""), ("json", None)],
)
def test_writer_of_silence(name: str, empty: str | None) -> None:
    written = writer(name)(transcript())
    if empty is None:
        assert json.loads(written) == {"language": "en", "duration_ms": 600_000, "segments": []}
    else:
        assert written == empty


def test_flagged_segments_are_in_json_alone() -> None:
    doubtful = Segment(start_ms=0, end_ms=900, text="Thanks for watching!", flags=(Flag.NO_SPEECH,))
    said = transcript(doubtful)
    assert {name: "watching" in writer(name)(said) for name in WRITERS} == {
        "vtt": False,
        "srt": False,
        "ttml": False,
        "ass": False,
        "txt": False,
        "podcast-json": False,
        "json": True,
    }
    assert json.loads(writer("json")(said))["segments"][0]["flags"] == ["no-speech"]


def test_webvtt_hostile_text() -> None:
    said = transcript(Segment(start_ms=0, end_ms=2000, text="a\n\n00:01 --> 00:02\nNOTE <b>&amp;"))
    assert writer("vtt")(said) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\na 00:01 --&gt; 00:02 NOTE &lt;b&gt;&amp;amp;\n"
    )


def test_srt_hostile_text() -> None:
    said = transcript(Segment(start_ms=0, end_ms=2000, text="1 < 2 --> <b>x</b> {\\an8}\r\n\r\n7"))
    assert writer("srt")(said) == ("1\n00:00:00,000 --> 00:00:02,000\n1 < 2 → <\u2060b>x<\u2060/b> {\u2060\\an8} 7\n")


def test_what_is_said_while_others_speak_is_marked_where_a_format_can() -> None:
    both = Segment(start_ms=0, end_ms=2000, text="Yes & no.", speaker="Ada <A>", overlapped=True)
    nobody = Segment(start_ms=3000, end_ms=5000, text="Who?", overlapped=True)
    alone = Segment(start_ms=6000, end_ms=8000, text="Well.", speaker="Ada <A>")
    said = transcript(both, nobody, alone)
    cues_ = writer("vtt")(said).split("\n\n")[1:]
    assert [cue.splitlines()[1] for cue in cues_] == [
        "<v.overlapped Ada &lt;A&gt;>Yes &amp; no.",
        "<c.overlapped>Who?",
        "<v Ada &lt;A&gt;>Well.",
    ]
    for name in ("vtt", "ttml", "json"):
        read = read_captions(writer(name)(said).encode(), Source(name=f"a{FORMATS[name].suffix}")).segments
        assert [(s.speaker, s.text, bool(s.overlapped)) for s in read] == [
            ("Ada <A>", "Yes & no.", True), (None, "Who?", True), ("Ada <A>", "Well.", False),
        ]  # fmt: skip
    for name in ("srt", "ass", "txt", "podcast-json"):
        assert writer(name)(said) == writer(name)(transcript(*(replace(s, overlapped=UNSET) for s in said.segments)))


def test_speakers_are_left_out_of_every_format_where_somebody_chooses_so() -> None:
    said = transcript(replace(spoken("One."), speaker="Ada"), replace(spoken("Two.", start_ms=5000), speaker="Ben"))
    for name in WRITERS:
        assert ("Ada" in writer(name)(said), "Ada" in writer(name)(without_speakers(said))) == (True, False), name
    assert writer("srt")(said).splitlines()[2] == "Ada: One."
    assert writer("srt")(without_speakers(said)).splitlines()[2] == "One."


@pytest.mark.parametrize("name", sorted(WRITERS))
@pytest.mark.parametrize(
    "label",
    [
        "Noor Okafor", "Voice 1", "A student", "Dr. María-José Núñez de la Cruz y Ortega", "Müller, Hans", "3. Voice",
        "山田太郎", "Chair: Ada", "S. (Bob) {x} <b>", "ضيف",
    ],
)  # fmt: skip
def test_who_speaks_is_read_again_as_it_was_written(name: str, label: str) -> None:
    lines = [("One.", label), ("Two.", "Ada"), ("Three.", label), ("And so on, at once.", label), ("Four.", "Ada")]
    said = transcript(
        *(replace(spoken(text, start_ms=5000 * nth), speaker=who) for nth, (text, who) in enumerate(lines))
    )
    source = Source(name=f"a{FORMATS[name].suffix}", duration_ms=600_000)
    back = read_captions(writer(name)(said).encode(), source).segments
    assert [(each.speaker, each.text) for each in back] == [(who, text) for text, who in lines]


def test_text_paragraph_at_a_pause() -> None:
    said = transcript(spoken("One."), spoken("Two.", start_ms=500), spoken("Three.", start_ms=5000))
    assert writer("txt")(said) == "One. Two.\n\nThree.\n"


def test_text_without_spaces_in_chinese() -> None:
    said = transcript(spoken("你好。"), spoken("再見。", start_ms=500), language="zh-Hant")
    assert writer("txt")(said) == "你好。再見。\n"


def test_cues_of_a_long_sentence() -> None:
    said = transcript(
        spoken(
            "We choose to go to the moon in this decade and do the other things, "
            "not because they are easy, but because they are hard."
        )
    )
    assert cues(said) == (
        Cue(0, 6000, ("We choose to go to the moon in this", "decade and do the other things,")),
        Cue(6000, 10_000, ("not because they are easy,", "but because they are hard.")),
    )


def test_cues_of_chinese_break_between_words() -> None:
    said = transcript(spoken("我們 選擇 " * 12 + "登月。", separator=""), language="zh")
    assert all(width(line) <= COLUMNS for cue in cues(said) for line in cue.lines)
    assert "".join(line for cue in cues(said) for line in cue.lines) == said.segments[0].text


def test_cues_without_words() -> None:
    said = transcript(Segment(start_ms=1000, end_ms=11_000, text="word " * 25))
    found = cues(said)
    assert " ".join(line for cue in found for line in cue.lines) == ("word " * 25).strip()
    assert (found[0].start_ms, found[-1].end_ms) == (1000, 11_000)


def test_cues_too_short_to_read_are_held() -> None:
    said = transcript(spoken("Yes.", word_ms=100), spoken("No.", start_ms=400, word_ms=100))
    assert cues(said) == (Cue(0, 400, ("Yes.",)), Cue(400, 1233, ("No.",)))


def test_cues_faster_to_say_than_to_read_are_held() -> None:
    said = transcript(spoken("Nobody has what nobody can find.", word_ms=100))
    assert cues(said) == (Cue(0, 1600, ("Nobody has what nobody can find.",)),)


def test_cues_that_people_timed_keep_their_times() -> None:
    said = (
        Segment(start_ms=0, end_ms=100, text="Nobody has what nobody can find.", speaker="Ada"),
        Segment(start_ms=50, end_ms=12_000, text="[ music ]"),
    )
    assert cues(replace(transcript(*said), kind="human")) == (
        Cue(0, 100, ("Nobody has what nobody can find.",), "Ada"),
        Cue(50, 12_000, ("[ music ]",)),
    )


times = st.integers(min_value=0, max_value=60_000)
segments = st.builds(
    lambda text, times: Segment(start_ms=min(times), end_ms=max(times), text=text),
    st.text(max_size=200),
    st.tuples(times, times),
)


@given(st.lists(segments, max_size=6))
def test_cues_never_overlap(said: list[Segment]) -> None:
    found = cues(transcript(*said))
    assert all(cue.start_ms < cue.end_ms for cue in found)
    assert all(before.end_ms <= cue.start_ms for before, cue in pairwise(found))
    assert all(len(line.splitlines()) == 1 for cue in found for line in cue.lines)


@given(st.lists(segments, max_size=6))
def test_webvtt_has_one_arrow_a_cue(said: list[Segment]) -> None:
    written = writer("vtt")(transcript(*said))
    blocks = written.rstrip("\n").split("\n\n")
    assert blocks[0] == "WEBVTT"
    assert written.count("-->") == len(blocks) - 1 == len(cues(transcript(*said)))
