from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from metadata.captions import FORMATS, READERS, WRITERS, Source, detect_format, read_captions
from metadata.captions.base import tidy
from metadata.captions.cues import cues
from metadata.captions.spans import hold_words
from metadata.errors import FormatError, MetadataError
from metadata.model import EXAMPLE_TRANSCRIPT, Flag, Segment, Transcript, Word
from tests.mutations import mutations

CASES = Path(__file__).parents[1] / "cases" / "captions"


def read(text: str, name: str = "talk.vtt", **known: object) -> Transcript:
    return read_captions(text.encode(), Source(name=name, **known))  # type: ignore[arg-type]


def said(transcript: Transcript) -> list[tuple[int, int, str | None, str]]:
    return [(each.start_ms, each.end_ms, each.speaker, each.text) for each in transcript.segments]


COUNTS = {
    "GMT20240124-202901_Recording.cc.vtt": ("vtt", 100),
    "GMT20240124-202901_Recording.transcript.vtt": ("vtt", 102),
    "podcast-chapters-example.json": ("podcast-chapters", 9),
    "podcast-transcript-example.html": ("podcast-html", 136),
    "podcast-transcript-example.json": ("podcast-json", 2),
    "podcast-transcript-example.srt": ("srt", 222),
    "podcast-transcript-example.vtt": ("vtt", 7),
    "ttconv_body_only.ttml": ("ttml", 0),
    "ttconv_lwsp_default.ttml": ("ttml", 2),
    "ttconv_lwsp_preserve.ttml": ("ttml", 1),
    "ttconv_mix-rows-roll-up.scc": ("scc", 16),
    "ttconv_paint-on.scc": ("scc", 4),
    "ttconv_pop-on.scc": ("scc", 3),
    "ttconv_referential_styling.ttml": ("ttml", 2),
    "webvtt-py_captions_with_bom.vtt": ("vtt", 4),
    "webvtt-py_comments.vtt": ("vtt", 3),
    "webvtt-py_cue_tags.vtt": ("vtt", 3),
    "webvtt-py_invalid_timeframe_in_cue_text.vtt": ("vtt", 3),
    "webvtt-py_metadata_headers.vtt": ("vtt", 2),
    "webvtt-py_missing_timeframe.vtt": ("vtt", 6),
    "webvtt-py_sample.sbv": ("sbv", 5),
    "webvtt-py_sample.srt": ("srt", 5),
    "webvtt-py_styles.vtt": ("vtt", 1),
    "webvtt-py_using_identifiers.vtt": ("vtt", 6),
    "webvtt-py_youtube_dl.vtt": ("vtt", 3),
    "wwa_captions_de.vtt": ("vtt", 15),
    "wwa_captions_en.vtt": ("vtt", 15),
    "wwa_captions_es.vtt": ("vtt", 15),
    "wwa_captions_fr.vtt": ("vtt", 15),
    "wwa_captions_ja.vtt": ("vtt", 15),
    "wwa_chapters_en.vtt": ("vtt", 2),
    "wwa_description_en.vtt": ("vtt", 3),
}
"""Captions of real files: lines with an arrow or a comma of times, or elements, less those that hold no text
(one in ``invalid_timeframe``, the last in ``youtube_dl``); of the HTML, its sentences."""

REFUSED = {
    "webvtt-py_invalid.vtt": FormatError,
}


@pytest.mark.data
def test_every_real_file_is_read_or_refused(data: Path) -> None:
    found: dict[str, tuple[str, int]] = {}
    refused: dict[str, type[Exception]] = {}
    for file in sorted((data / "captions").iterdir()):
        raw = file.read_bytes()
        try:
            transcript = read_captions(raw, Source(name=file.name))
            found[file.name] = (detect_format(raw.decode("utf-8-sig"), file.name), len(transcript.segments))
        except MetadataError as error:
            refused[file.name] = type(error)
    assert (found, refused) == (COUNTS, REFUSED)


@pytest.mark.data
def test_zooms_speakers_are_all_found(data: Path) -> None:
    file = data / "captions" / "GMT20240124-202901_Recording.transcript.vtt"
    transcript = read_captions(file.read_bytes(), Source(name=file.name))
    assert sorted({each.speaker or "" for each in transcript.segments}) == [
        "",
        "Ada Example",
        "Ben Example",
        "Cleo Example",
        "Dan Example",
        "Eve Example",
    ]
    assert sum(each.speaker is None for each in transcript.segments) == 1


@pytest.mark.data
def test_captions_in_other_languages_say_so(data: Path) -> None:
    languages = {
        language: read_captions(file.read_bytes(), Source(name=file.name)).language
        for language in ("de", "en", "es", "fr", "ja")
        for file in [data / "captions" / f"wwa_captions_{language}.vtt"]
    }
    assert languages == {"de": "en", "en": "en", "es": "es", "fr": "fr", "ja": "ja"}  # the German file says so


def test_webvtt_voices_entities_and_markup() -> None:
    text = (
        "\ufeffWEBVTT a title\r\nlanguage: fr\r\n\r\nNOTE a comment\r\n\r\nSTYLE\r\n::cue { color: red }\r\n\r\n"
        "intro\r\n00:01.000 --> 00:02.000 align:start\r\n<v.loud Zoé>Q&amp;A <i>now</i>\r\n&lt;b&gt;\r\n\r\n"
        "00:02.000 --> 00:04.000\r\n<v A>one </v><v B>two</v>\r\n"
    )
    transcript = read(text)
    assert transcript.language == "fr"
    assert said(transcript) == [
        (1000, 2000, "Zoé", "Q&A now <b>"),
        (2000, 3142, "A", "one"),
        (3142, 4000, "B", "two"),
    ]


def test_webvtt_of_youtube_gives_words_their_times_once() -> None:
    text = (
        "WEBVTT\nKind: captions\nLanguage: en\n\n"
        "00:01.000 --> 00:02.000 align:start position:0%\n \nwe<00:01.400><c> begin</c>\n\n"
        "00:02.000 --> 00:02.010 align:start position:0%\nwe begin\n \n\n"
        "00:02.010 --> 00:03.000 align:start position:0%\nwe begin\nnow<00:02.500><c> here</c>\n\n"
    )
    assert read(text).segments == (
        Segment(
            start_ms=1000,
            end_ms=2000,
            text="we begin",
            words=(Word(start_ms=1000, end_ms=1400, text="we"), Word(start_ms=1400, end_ms=2000, text="begin")),
        ),
        Segment(
            start_ms=2010,
            end_ms=3000,
            text="now here",
            words=(Word(start_ms=2010, end_ms=2500, text="now"), Word(start_ms=2500, end_ms=3000, text="here")),
        ),
    )


@pytest.mark.parametrize("suffix", ["srt", "vtt"])
def test_lines_that_move_up_are_said_once_without_words_times_too(suffix: str) -> None:
    cues_ = [
        ("00.160", "02.389", " \nhello and welcome"),
        ("02.389", "02.399", "hello and welcome\n "),
        ("02.399", "05.000", "hello and welcome\nto the show"),
        ("05.000", "05.010", "to the show\n "),
        ("05.010", "07.000", "to the show\ntonight"),
    ]
    text = "\n\n".join(f"00:00:{start} --> 00:00:{end}\n{lines}" for start, end, lines in cues_)
    transcript = read(text if suffix == "srt" else f"WEBVTT\n\n{text}", f"a.{suffix}")
    assert [(each.start_ms, each.text) for each in transcript.segments] == [
        (160, "hello and welcome"),
        (2399, "to the show"),
        (5010, "tonight"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "times"),
    [
        ("a.vtt", "WEBVTT\n\n0:00:01,000 --> 0:00:02,500\nHi\n", (1000, 2500)),
        ("a.srt", "1\n00:01,000 --> 00:02,500\nHi\n", (1000, 2500)),
        ("a.srt", "00:00:01, 000 --> 00:00:02, 500\nHi\n", (1000, 2500)),
        ("a.sbv", "0:00:01.0,0:00:02.50\nHi\n", (1000, 2500)),
        ("a.ttml", '<tt><body><div><p begin="0:00:01.0" end="0:00:02.5">Hi</p></div></body></tt>', (1000, 2500)),
        ("a.json", '{"segments": [{"startTime": 1, "body": "Hi"}]}', (1000, 9000)),
    ],
)
def test_times_as_others_write_them(name: str, text: str, times: tuple[int, int]) -> None:
    [segment] = read(text, name, duration_ms=9000).segments
    assert (segment.start_ms, segment.end_ms, segment.text) == (*times, "Hi")


def test_podcast_html_shares_time_between_sentences() -> None:
    transcript = read(SEEDS["podcast-html"], "a.html", duration_ms=9000)
    assert said(transcript) == [
        (1000, 2875, "Ada", "One & two."),
        (2875, 4000, "Ada", "Three."),
        (4000, 9000, "Ada", "Four"),
    ]
    for broken in ("<p>Hi</p><time>0:01</time>", "<time>soon</time><p>Hi</p>"):
        with pytest.raises(FormatError, match="line 1"):
            read(broken, "a.html")


def test_captions_of_a_tape_begin_at_its_hour() -> None:
    text = '<tt><body><div><p begin="10:00:01.5" end="10:00:02">Hi</p></div></body></tt>'
    transcript = read(text, "a.ttml", duration_ms=60_000)
    assert (said(transcript), transcript.parameters) == ([(1500, 2000, None, "Hi")], {"hours_off": 10})
    assert said(read(text, "a.ttml")) == [(36_001_500, 36_002_000, None, "Hi")]  # nobody knows how long it is


def test_sbv_without_an_empty_line_between() -> None:
    text = "0:00:01.000,0:00:02.000\nHi\n0:00:03.000,0:00:04.000\nyou\n"
    assert said(read(text, "a.sbv")) == [(1000, 2000, None, "Hi"), (3000, 4000, None, "you")]


def test_whisper_json_of_other_programs() -> None:
    bare = [{"start": 0.0, "end": 1.0, "text": " Hi", "words": None}]
    with_info = {"info": {"language": "de"}, "segments": bare}
    beside = {
        "language": "english",
        "segments": [{"start": 0, "end": 1, "text": "Hi"}, {"start": 1, "end": 2, "text": "you"}],
        "words": [{"word": "Hi", "start": 0.0, "end": 0.5}, {"word": "you", "start": 1.0, "end": 1.5}],
    }
    tokens = [
        {"text": "[_BEG_]", "offsets": {"from": 0, "to": 0}, "p": 0.9},
        {"text": " Wel", "offsets": {"from": 0, "to": 400}, "p": 0.9},
        {"text": "come", "offsets": {"from": 400, "to": 900}, "p": 0.8},
    ]
    cpp = {"transcription": [{"offsets": {"from": 0, "to": 1000}, "text": " Welcome", "tokens": tokens}]}
    assert [each.text for each in read(json.dumps(bare), "a.json").segments] == ["Hi"]
    assert read(json.dumps(with_info), "a.json").language == "de"
    first, second = read(json.dumps(beside), "a.json").segments
    assert (first.words, second.words) == (
        (Word(start_ms=0, end_ms=500, text="Hi"),),
        (Word(start_ms=1000, end_ms=1500, text="you"),),
    )
    [welcome] = read(json.dumps(cpp), "a.json").segments
    assert welcome.words == (Word(start_ms=0, end_ms=900, text="Welcome", confidence=0.8),)


def test_webvtt_of_zoom_sends_a_sentence_once() -> None:
    text = (
        "WEBVTT\n\n00:01.000 --> 00:02.000\nAnd these are the steps. Okay.\n\n"
        "00:02.000 --> 00:03.000\nAnd these are the steps. One by one.\n\n"
        "00:04.000 --> 00:05.000\nAnd these are the steps. Again.\n"
    )
    assert [each.text for each in read(text).segments] == [
        "And these are the steps. Okay.",
        "One by one.",
        "And these are the steps. Again.",
    ]


def test_repetition_in_a_speech_is_kept() -> None:
    text = (
        "WEBVTT\n\n00:01.000 --> 00:02.000\nWe shall fight on the beaches\n\n"
        "00:02.000 --> 00:03.000\nWe shall fight on the landing grounds\n\n00:03.000 --> 00:04.000\nNever.\n\n"
        "00:04.000 --> 00:05.000\nNever.\n"
    )
    assert [each.text for each in read(text).segments] == [
        "We shall fight on the beaches",
        "We shall fight on the landing grounds",
        "Never.",
        "Never.",
    ]


def test_colon_alone_makes_no_speaker() -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\nNote: it is late\n\n2\n00:00:02,000 --> 00:00:03,000\nso we go\n\n"
    text += "3\n00:00:03,000 --> 00:00:04,000\nhome\n"
    assert [each.speaker for each in read(text, "a.srt").segments] == [None, None, None]


def test_srt_names_hold_until_the_next() -> None:
    lines = ["Ada: Hello", "again", "and", "Ben: Yes", "indeed", "Ada: So", "then", "Ben: Well", "no"]
    text = "\n".join(
        f"{number}\n00:00:0{number},000 --> 00:00:0{number},900\n{line}\n" for number, line in enumerate(lines, 1)
    )
    assert [(each.speaker, each.text) for each in read(text, "a.srt").segments] == [
        ("Ada", "Hello"),
        ("Ada", "again"),
        ("Ada", "and"),
        ("Ben", "Yes"),
        ("Ben", "indeed"),
        ("Ada", "So"),
        ("Ada", "then"),
        ("Ben", "Well"),
        ("Ben", "no"),
    ]


def test_whisper_json_of_three_programs() -> None:
    word = {"word": " Hi", "start": 0.5, "end": 0.75, "probability": 0.9}
    segment = {"id": 0, "seek": 0, "start": 0.5, "end": 1.0, "text": " Hi there.", "avg_logprob": -0.2}
    openai = {"text": " Hi there.", "segments": [segment | {"words": [word]}], "language": "english"}
    whisperx = {
        "segments": [segment | {"speaker": "SPEAKER_00", "words": [{"word": "2024"}, {"word": "x", "score": 0.5}]}]
    }
    cpp = {
        "result": {"language": "de"},
        "transcription": [{"offsets": {"from": 500, "to": 1000}, "text": " Hallo."}],
    }
    heard = [read(json.dumps(each), "talk.json") for each in (openai, whisperx, cpp)]
    assert [(each.language, each.generator) for each in heard] == [
        ("en", "Whisper JSON"),
        ("und", "Whisper JSON"),
        ("de", "Whisper JSON"),
    ]
    assert [each.segments for each in heard] == [
        (
            Segment(
                start_ms=500,
                end_ms=1000,
                text="Hi there.",
                words=(Word(start_ms=500, end_ms=750, text="Hi", confidence=0.9),),
            ),
        ),
        (
            Segment(
                start_ms=500,
                end_ms=1000,
                text="Hi there.",
                speaker="SPEAKER_00",
                words=(
                    Word(start_ms=500, end_ms=500, text="2024"),
                    Word(start_ms=500, end_ms=500, text="x", confidence=0.5),
                ),
            ),
        ),
        (Segment(start_ms=500, end_ms=1000, text="Hallo."),),
    ]


def test_ttml_times_nest_and_count_in_frames_and_ticks() -> None:
    text = (
        '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter"'
        ' ttp:frameRate="25" ttp:tickRate="10" xml:lang="en"><body begin="10s"><div begin="1s">'
        '<p begin="00:00:01:05" end="00:00:02.5">a<br/><span>b</span></p><p begin="30t" dur="500ms">c</p>'
        '<p><span begin="5s" end="6s">d</span></p></div></body></tt>'
    )
    assert said(read(text, "a.ttml")) == [
        (12_200, 13_500, None, "a b"),
        (14_000, 14_500, None, "c"),
        (16_000, 17_000, None, "d"),
    ]


def taped(parameters: str, begin: str) -> str:
    space = "http://www.w3.org/ns/ttml"
    return (
        f'<tt xmlns="{space}" xmlns:ttp="{space}#parameter" ttp:timeBase="smpte" {parameters}>'
        f'<body><p begin="{begin}">a</p></body></tt>'
    )


@pytest.mark.parametrize(
    ("name", "text", "start_ms", "hours"),
    [
        ("a.ttml", taped('ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001"', "10:00:05:00"), 5_005, 10),
        ("a.ttml", taped('ttp:frameRate="25"', "10:00:05:00"), 5_000, 10),
        ("a.scc", "Scenarist_SCC V1.0\n\n01:00:10:00\t9420 9470 c849 ae80 942f\n\n01:00:12:00\t942c\n", 10_143, 1),
        ("a.scc", "Scenarist_SCC V1.0\n\n01:00:10;00\t9420 9470 c849 ae80 942f\n\n01:00:12;00\t942c\n", 10_140, 1),
    ],
)
def test_hours_of_a_tape_are_taken_off_as_its_time_code_counts_them(
    name: str, text: str, start_ms: int, hours: int
) -> None:
    found = read(text, name, duration_ms=60_000)
    assert ([each.start_ms for each in found.segments], found.parameters["hours_off"]) == ([start_ms], hours)


def test_text_shares_the_recording_by_length() -> None:
    transcript = read("Ada: One two. Three!\n\nBen: Four five six.\n", "talk.txt", duration_ms=27_000)
    assert said(transcript) == [
        (0, 7_714, "Ada", "One two."),
        (7_714, 13_500, "Ada", "Three!"),
        (13_500, 27_000, "Ben", "Four five six."),
    ]


@pytest.mark.parametrize(
    ("name", "text", "where"),
    [
        ("a.vtt", "00:01.000 --> 00:02.000\nno header\n", "line 1"),
        ("a.vtt", "WEBVTT\n\n1\n00:0x --> 00:02\nhi\n", "line 4"),
        ("a.vtt", "WEBVTT\n\n00:01 --> 00:02\nhi\n\nWEBVTT\n\n00:0x --> 00:02\nho\n", "line 8"),
        ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\nhi\n\n2\n00:00:0x,000 --> 00:00:03,000\nho\n", "line 6"),
        ("a.srt", "hello\n", "line 1"),
        ("a.sbv", "0:00:01.000,0:00:02.000\nhi\n\nnot times\n", "line 4"),
        ("a.scc", "Scenarist_SCC V1.0\n\n00:00:01:00\tzzzz\n", "line 3"),
        ("a.ttml", "<tt>\n<body></tt>", "line 2, column 8"),
        ("a.ttml", '<tt xmlns="http://www.w3.org/ns/ttml"><body><p begin="soon">x</p></body></tt>', "body/p[1]"),
        ("a.ttml", '<!DOCTYPE tt [<!ENTITY a "b">]>\n<tt><body><p>&a;</p></body></tt>', ""),
        ("a.txt", "hello", ""),
    ],
)
def test_broken_file_is_refused_with_the_place(name: str, text: str, where: str) -> None:
    with pytest.raises(FormatError) as caught:
        read(text, name)
    assert (caught.value.source, caught.value.where) == (name, where)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.ttml", f"<tt><body><p>{'<span>' * 20_000}{'</span>' * 20_000}</p></body></tt>"),
        ("a.ttml", f"<tt><body>{'<div>' * 20_000}{'</div>' * 20_000}</body></tt>"),
        ("a.ttml", "<??>" * 900 + "<x/>"),
        (
            "a.json",
            '{"segments": [{"startTime": 1, "endTime": 2, "body": "x", "y": '
            + "[" * 1_000_000
            + "]" * 1_000_000
            + "}]}",
        ),
        ("a.json", '{"segments": [{"startTime": 1e308, "endTime": 2, "body": "x"}]}'),
        ("a.json", '{"segments": [{"startTime": 1, "endTime": 2, "body": "\\ud800"}]}'),
        ("a.vtt", "WEBVTT\n\n99999:00:00.000 --> 99999:00:01.000\nx\n"),
    ],
)
def test_hostile_file_is_refused(name: str, text: str) -> None:
    with pytest.raises(MetadataError):
        read(text, name)


def test_file_that_is_not_text_is_refused_with_the_line() -> None:
    with pytest.raises(FormatError) as caught:
        read_captions(b"WEBVTT\n\n\xff\xff", Source(name="a.vtt"))
    assert (caught.value.where, caught.value.reason) == ("line 3", "not UTF-8 text: save it in that encoding")


def test_utf_16_with_a_mark_is_read() -> None:
    data = "WEBVTT\n\n00:01.000 --> 00:02.000\nß\n".encode("utf-16")
    assert [each.text for each in read_captions(data, Source(name="a.vtt")).segments] == ["ß"]


BLANKS = st.sampled_from([" ", "\n", "\u3000", "\t"])
LETTERS = st.characters(exclude_categories=("Cs", "Cn"))
TEXTS = st.text(st.one_of(LETTERS, BLANKS, st.sampled_from("<>&{}\\:-→1ا你")), max_size=60)
NAMES = st.text(st.characters(exclude_categories=("Cs", "Cn", "Cc", "Zl", "Zp")), max_size=12).map(tidy)
TIMES = st.tuples(st.integers(0, 3_600_000), st.integers(0, 20_000))
SEGMENTS = st.builds(
    lambda text, times, name: Segment(start_ms=times[0], end_ms=sum(times), text=text, speaker=name or None),
    TEXTS,
    TIMES,
    NAMES,
)
TRANSCRIPTS = st.builds(
    lambda segments, kind: Transcript(language="en", duration_ms=4_000_000, segments=tuple(segments), kind=kind),
    st.lists(SEGMENTS, max_size=5),
    st.sampled_from(["asr", "human"]),
)


def shown(transcript: Transcript) -> list[tuple[int, int, str | None, str]]:
    """Return the captions that have text."""
    found = ((cue.start_ms, cue.end_ms, cue.speaker, tidy(" ".join(cue.lines))) for cue in cues(transcript))
    return [each for each in found if each[3]]


@pytest.mark.parametrize("name", ["vtt", "ttml"])
@given(transcript=TRANSCRIPTS)
def test_captions_keep_text_times_and_speakers(name: str, transcript: Transcript) -> None:
    back = READERS[name](WRITERS[name](transcript), Source(name="a"))
    assert said(back) == shown(transcript)


@given(TRANSCRIPTS)
def test_ass_keeps_text_speakers_and_times_to_a_hundredth(transcript: Transcript) -> None:
    back = READERS["ass"](WRITERS["ass"](transcript), Source(name="a"))
    wanted = [(a - a % 10, b - b % 10, who, words) for a, b, who, words in shown(transcript)]
    assert sorted(said(back), key=str) == sorted(wanted, key=str)


@given(TRANSCRIPTS)
def test_srt_keeps_times_and_text(transcript: Transcript) -> None:
    plain = replace(transcript, segments=tuple(replace(each, speaker=None) for each in transcript.segments))
    back = READERS["srt"](WRITERS["srt"](plain), Source(name="a"))
    text = [f"{each[2]}: {each[3]}" if each[2] else each[3] for each in said(back)]
    wanted = [(a, b, tidy(words.replace("-->", "→"))) for a, b, _, words in shown(plain)]
    assert [(a, b, words) for (a, b, _, _), words in zip(said(back), text, strict=True)] == wanted


def is_of_words(transcript: Transcript) -> bool:
    """Whether Podcast JSON takes its segments for words."""
    segments = [each for each in transcript.segments if tidy(each.text)]
    return hold_words([tidy(each.text) for each in segments], [each.end_ms - each.start_ms for each in segments])


@pytest.mark.parametrize("name", ["podcast-json", "json"])
@given(transcript=TRANSCRIPTS)
def test_json_keeps_segments(name: str, transcript: Transcript) -> None:
    assume(name == "json" or not is_of_words(transcript))
    back = READERS[name](WRITERS[name](transcript), Source(name="a"))
    segments = sorted(transcript.segments, key=lambda each: each.start_ms)
    assert said(back) == [(a.start_ms, a.end_ms, a.speaker, tidy(a.text)) for a in segments if tidy(a.text)]


@pytest.mark.parametrize("name", ["vtt", "ttml", "podcast-json", "json"])
@given(transcript=TRANSCRIPTS)
def test_written_again_what_was_read_is_the_same(name: str, transcript: Transcript) -> None:
    assume(name != "podcast-json" or not is_of_words(transcript))
    once = READERS[name](WRITERS[name](transcript), Source(name="a", language="en"))
    again = READERS[name](WRITERS[name](once), Source(name="a", language="en"))
    assert again == once


def test_json_keeps_everything() -> None:
    full = replace(EXAMPLE_TRANSCRIPT.segments[0], speaker="Ada", language="de", flags=(Flag.TOO_FAST,))
    transcript = replace(EXAMPLE_TRANSCRIPT, segments=(full,))
    assert READERS["json"](WRITERS["json"](transcript), Source(name="a")).segments == (full,)


SEEDS = {
    "vtt": "WEBVTT\nKind: captions\n\nNOTE x\n\n"
    "1\n00:01.000 --> 00:02.000 position:0%\n<v Ada>One<00:01.500><c> two</c>\n",
    "srt": "1\n00:00:01,000 --> 00:00:02,000\nAda: <i>One</i>\n\n2\n00:00:02,000 --> 00:00:03,500\nBen: two\n",
    "sbv": "0:00:01.000,0:00:02.000\nOne[br]two\n\n0:00:02.000,0:00:03.000\nthree\n",
    "scc": "Scenarist_SCC V1.0\n\n00:00:00;22\t9425 9425 94ad 94ad 9470 9470 c849 ae80\n\n"
    "00:00:02;23\t94ae 9420 c849 942f\n",
    "whisper-json": '{"segments": [{"start": 0.5, "end": 1, "text": "Hi", "words": [{"word": "Hi", "start": 0.5}]}]}',
    "whisper-tsv": "start\tend\ttext\n0\t1500\tHi there.\n1500\t2500\tYes\n",
    "ttml": WRITERS["ttml"](replace(EXAMPLE_TRANSCRIPT, kind="human")),
    "podcast-chapters": '{"chapters": [{"startTime": 0.5, "endTime": 1, "title": "One"}, {"startTime": 2}]}',
    "podcast-json": WRITERS["podcast-json"](EXAMPLE_TRANSCRIPT),
    "json": WRITERS["json"](EXAMPLE_TRANSCRIPT),
    "podcast-html": "<cite>Ada:</cite><time>0:01</time><p>One &amp; two. Three.</p><time>0:04</time><p>Four</p>",
    "txt": "Ada: One. Two!\n\nBen: Three.\n",
    "ass": WRITERS["ass"](replace(EXAMPLE_TRANSCRIPT, kind="human"))
    + "Dialogue: 0,0:00:03.00,0:00:04.00,,Ada,,,,,b\\Nc\n",
}


SCRAPS = (b"\n", b"-->", b"<", b"\0", b"9" * 30, b'"', b"\xff", "é你\u2028".encode())


def mutated(seed: bytes, random_: random.Random) -> bytes:
    """Return a file with a few of its bytes changed, lost, doubled or moved, or its end cut off."""
    data = bytearray(seed)
    for _ in range(random_.randint(1, 6)):
        at, size = random_.randrange(len(data) + 1), random_.randint(1, 12)
        match random_.randrange(5):
            case 0:
                data[at : at + size] = b""
            case 1:
                data[at:at] = random_.choice(
                    [b"\n", b"-->", b"<", b"\0", b"9" * 30, b'"', b"\xff", "é你\u2028".encode()]
                )
            case 2:
                data[at:at] = data[at : at + size]
            case 3 if at < len(data):
                data[at] = random_.randrange(256)
            case _:
                del data[at + size * 8 :]
    return bytes(data)


def check_mutations(name: str, count: int) -> int:
    """Read broken files of a format, and return how many were still read; any other error than ours is raised."""
    random_ = random.Random(name)  # noqa: S311 the same broken files every time
    seed = SEEDS[name].encode()
    bytewise = (mutated(seed, random_) for _ in range(count - count // 2))
    read_ = 0
    for data in (*bytewise, *mutations(seed, count // 2, seed=1)):  # the second kind spoils values, past the parser
        try:
            transcript = read_captions(data, Source(name=f"a{FORMATS[name].suffix}", duration_ms=60_000))
        except MetadataError:
            continue
        assert all(0 <= each.start_ms <= each.end_ms and each.text for each in transcript.segments)
        assert all(0 <= word.start_ms <= word.end_ms for each in transcript.segments for word in each.words)
        for write in WRITERS.values():
            write(transcript)
        read_ += 1
    return read_


@pytest.mark.parametrize("name", sorted(READERS))
def test_broken_files_are_read_or_refused(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("ERROR")
    assert sorted(SEEDS) == sorted(READERS)
    assert check_mutations(name, 300) > 0
