"""Captions that repeat something many times: each is read or refused as said here, in time by its length."""

from __future__ import annotations

import time

import pytest

from metadata.captions import FORMATS, READERS, detect_format
from metadata.captions.base import Source, tidy
from metadata.errors import MetadataError, UnknownFormatError

TEXTS = {
    "vtt": "WEBVTT\n\n00:01.000 --> 00:02.000\n{}\n",
    "srt": "1\n00:00:01,000 --> 00:00:02,000\n{}\n",
    "sbv": "0:00:01.000,0:00:02.000\n{}\n",
    "ass": "[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{}\n",
    "ttml": '<tt xmlns="http://www.w3.org/ns/ttml"><body><div><p begin="1s" end="2s">{}</p></div></body></tt>',
    "txt": "{}\n",
    "podcast-html": "<cite>A</cite><time>0:01</time><p>{}</p>",
    "podcast-chapters": '{{"version":"1.2.0","chapters":[{{"startTime":1,"title":"{}"}}]}}',
    "podcast-json": '{{"version":"1.0.0","segments":[{{"startTime":1,"endTime":2,"body":"{}"}}]}}',
    "json": '{{"language":"en","duration_ms":9000,"segments":[{{"start_ms":1000,"end_ms":2000,"text":"{}"}}]}}',
    "whisper-json": '{{"text":"x","language":"en","segments":[{{"id":0,"start":1,"end":2,"text":"{}"}}]}}',
    "whisper-tsv": "start\tend\ttext\n1000\t2000\t{}\n",
}
"""Where a file says something."""

PLACES = {
    "vtt": (
        "WEBVTT {}\n\n00:01.000 --> 00:02.000\nx\n",
        "WEBVTT\n{}\n\n00:01.000 --> 00:02.000\nx\n",
        "WEBVTT\n\n{}\n\n00:01.000 --> 00:02.000\nx\n",
        "WEBVTT\n\n00:01.000 --> 00:02.000 {}\nx\n",
        "WEBVTT\n\n00:01.000 -->{} 00:02.000\nx\n",
        "WEBVTT\nX-TIMESTAMP-MAP={}\n\n00:01.000 --> 00:02.000\nx\n",
        "WEBVTT\n\n00:01.000 --> 00:02.000\n<v {}>x\n",
    ),
    "srt": (
        "{}\n00:00:01,000 --> 00:00:02,000\nx\n",
        "1\n00:00:01,000 --> 00:00:02,000 {}\nx\n",
        "1\n00:00:01,000{} --> 00:00:02,000\nx\n",
        "1\n00:00:01,000 --> 00:00:02,000\n<font {}>x</font>\n",
    ),
    "sbv": ("{}\n0:00:01.000,0:00:02.000\nx\n", "0:00:01.000{},0:00:02.000\nx\n"),
    "scc": ("Scenarist_SCC V1.0\n\n00:00:01:00\t{}\n", "Scenarist_SCC V1.0\n{}\n"),
    "ass": (
        "[Script Info]\n{}\n[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,x\n",
        "[Events]\nFormat: {}\nDialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,x\n",
        "[Events]\nDialogue: 0,0:00:01.00{},0:00:02.00,Default,Ada,0,0,0,,x\n",
        "[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,Default,{},0,0,0,,x\n",
    ),
    "ttml": (
        '{}<tt xmlns="http://www.w3.org/ns/ttml"><body><p begin="1s" end="2s">x</p></body></tt>',
        '<tt xmlns="http://www.w3.org/ns/ttml"><body><p begin="{}" end="2s">x</p></body></tt>',
    ),
    "txt": ("Ada: {}\n\nBen: {}\n",),
    "podcast-html": ("<cite>{}</cite><time>0:01</time><p>x</p>", "<time>{}</time><p>x</p>", "<!--{}--><p>x</p>"),
    "podcast-chapters": ('{{"chapters":[{{"startTime":1,"title":"x","{}":1}}]}}',),
    "podcast-json": ('{{"segments":[{{"startTime":1,"body":"x","{}":1}}]}}',),
    "json": ('{{"language":"{}","duration_ms":9,"segments":[]}}',),
    "whisper-json": ("[{}]", '{{"segments":[],"words":[{{"word":"{}","start":1}}],"text":"x"}}'),
    "whisper-tsv": ("{}\n1\t2\tx\n", 'start,end,text\n1,2,"{}"\n', "start\tend\ttext\n{}\n"),
}
"""Where a file says everything else."""

UNITS = (
    "<b ", "<b", "{\\", "<", "</", "&amp", "[", "(", ": ", "A: ", "-->", "00:", "<00:", "<v ", "{", "- ", "<c.",
    "<p>", "<br", "0:00:01 ", " ", "<rt>", "<?", "<!--", "1,", "a-", "a.", "\ufeff", "WEBVTT", "9420 ",
    ".jpg?", ".jpg? ", "LOCAL:00:", "W. ",
)  # fmt: skip
LINES = ("x\n", "\n", "1\n", "\r", "NOTE\n\n", "WEBVTT\n\n", "00:01.000 --> 00:02.000\nx\n\n", "A: x\n\n", "1\t2\tx\n")
"""Units that make many lines, captions or parts of the file."""

SHORT = 4_000
"""Characters of what is repeated."""
CLOCK_SECONDS = 0.02
"""Below this, what a clock says of a process is chance."""
ASKED = 3
"""How often a clock may be wrong, on a machine with much else to do, before it is believed."""
_TAGS = ("<b ", "<b", "</", "<v ", "<c.", "<p>", "<br", "<rt>", "<?")
OTHERS: dict[str, dict[str, str]] = {
    "vtt": dict.fromkeys((*_TAGS, "<", "-->", "<00:", "<!--"), "") | {"&amp": "&" * 20, ".jpg?": "NotSaidError"},
    "srt": {"-->": "FormatError"},
    "ass": {"{\\": "{" * 20},
    "podcast-chapters": {" ": "1"},
    "podcast-html": dict.fromkeys(_TAGS, "") | {"&amp": "&" * 20},
}
"""Units that are markup in a format, or break its rules, and what is read of them instead."""
CLAIMED = frozenset({"WEBVTT\n\n", "-->", "00:01.000 --> 00:02.000\nx\n\n"})
"""Units of which some format is made."""


def repeated(name: str, unit: str, length: int) -> str:
    text = unit * (length // len(unit))
    if FORMATS[name].suffix.endswith("json"):
        return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return text.replace("&", "&amp;").replace("<", "&lt;") if name == "ttml" else text


def source(name: str) -> Source:
    return Source(name=f"talk{FORMATS[name].suffix}", duration_ms=3_600_000)


def computing(name: str, file: str) -> float:
    """Return the seconds of computing in which a file is read, or refused with a reason; nothing else may happen."""
    reason, texts = f"talk{FORMATS[name].suffix}", ["read"]
    begin = time.process_time()
    try:
        texts = [segment.text for segment in READERS[name](file, source(name)).segments]
    except MetadataError as error:
        reason = str(error)
    except RecursionError:
        pass  # `read_captions` says so, with the file's name
    seconds = time.process_time() - begin
    assert reason.startswith(f"talk{FORMATS[name].suffix}")
    assert all(texts)
    return seconds


def test_every_reader_has_places() -> None:
    assert set(PLACES) == set(READERS) == {*TEXTS, "scc"}


def said_of(name: str, unit: str) -> str:
    """Return what is read of a text that repeats something, without blanks, or the name of the error."""
    try:
        read = READERS[name](TEXTS[name].format(repeated(name, unit, 400)), source(name))
    except MetadataError as error:
        return type(error).__name__
    return "".join("".join(segment.text for segment in read.segments).split())


@pytest.mark.parametrize("name", TEXTS)
def test_text_of_many_beginnings_is_text(name: str) -> None:
    """What is no markup in a format was said, and is read whole; what is markup, or breaks a rule, is named."""
    others = {
        unit: said_of(name, unit)[:20]
        for unit in UNITS
        if said_of(name, unit) != "".join(tidy(unit * (400 // len(unit))).split())
    }
    assert others == OTHERS.get(name, {})


def filled(place: str, text: str) -> str:
    return place.replace("{{", "\0").replace("}}", "\1").replace("{}", text).replace("\0", "{").replace("\1", "}")


@pytest.mark.parametrize(
    ("name", "place"),
    [(name, place) for name in PLACES for place in (*PLACES[name], *([TEXTS[name]] if name in TEXTS else []))],
)
def test_time_grows_by_the_length(name: str, place: str) -> None:
    # Eight times as long takes 8 times as long where every character is looked at once, and 64 where all are for each.
    slow = []
    for unit in (*UNITS, *LINES):
        short, long = (filled(place, repeated(name, unit, length)) for length in (SHORT, 8 * SHORT))
        if all(computing(name, long) > 32 * max(computing(name, short), CLOCK_SECONDS) for _ in range(ASKED)):
            slow.append(unit)
    assert slow == []


@pytest.mark.parametrize("unit", [*UNITS, *LINES])
def test_time_to_tell_a_format_grows_by_the_length(unit: str) -> None:
    def telling(length: int) -> float:
        begin = time.process_time()
        with pytest.raises(UnknownFormatError):
            detect_format(unit * (length // len(unit)), "talk")
        return time.process_time() - begin

    if unit not in CLAIMED:
        assert any(telling(8 * SHORT) <= 32 * max(telling(SHORT), CLOCK_SECONDS) for _ in range(ASKED))
