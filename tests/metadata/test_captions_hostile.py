"""Captions that hold many beginnings of something, or marks where none should be."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from metadata.captions import READERS, read_captions
from metadata.captions.base import Source
from metadata.errors import MetadataError

FILES = {
    "vtt": "WEBVTT\n\n00:01.000 --> 00:02.000\n{}\n",
    "srt": "1\n00:00:01,000 --> 00:00:02,000\n{}\n",
    "sbv": "0:00:01.000,0:00:02.000\n{}\n",
    "scc": "Scenarist_SCC V1.0\n\n00:00:01:00\t{}\n",
    "ttml": '<tt xmlns="http://www.w3.org/ns/ttml"><body><div><p begin="1s" end="2s">{}</p></div></body></tt>',
    "txt": "{}\n",
    "podcast-html": "<cite>A</cite><time>0:01</time><p>{}</p>",
    "podcast-json": '{{"version":"1.0.0","segments":[{{"startTime":1,"endTime":2,"body":"{}"}}]}}',
    "whisper-json": '{{"text":"x","language":"en","segments":[{{"id":0,"start":1,"end":2,"text":"{}"}}]}}',
}
UNITS = (
    "<b ", "<b", "{\\\\", "<", "</", "&amp", "[", "(", ": ", "A: ", "-->", "00:", "<00:", "<v ", "{", "- ", "<c.",
    "<p>", "<br", "0:00:01 ", " ",
)  # fmt: skip
SHORT = 12_000
"""Characters of a caption."""
CLOCK_SECONDS = 0.02
"""Below this, what a clock says of a process is chance."""


def computing(name: str, unit: str, length: int) -> float:
    """Return the seconds of computing that a reader takes for one caption that repeats something."""
    text = unit * (length // len(unit))
    if name == "ttml":
        text = text.replace("&", "&amp;").replace("<", "&lt;")
    file = FILES[name].format(text)
    begin = time.process_time()
    with suppress(MetadataError):
        READERS[name](file, Source(name=f"talk.{name}"))
    return time.process_time() - begin


@pytest.mark.parametrize("name", FILES)
def test_caption_of_many_beginnings_takes_time_by_its_length(name: str) -> None:
    # Eight times as long takes 8 times as long where every character is looked at once, and 64 where all are for each.
    slow = [
        unit
        for unit in UNITS
        if computing(name, unit, 8 * SHORT) > 32 * max(computing(name, unit, SHORT), CLOCK_SECONDS)
    ]
    assert slow == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("twice.srt", "\ufeff\ufeff1\n00:00:01,000 --> 00:00:02,000\nHello\n"),
        (
            "joined.srt",
            "\ufeff1\n00:00:01,0 --> 00:00:02,0\nHello\n\n\ufeff2\n00:00:03,0 --> 00:00:04,0\nthere\n",
        ),
        ("joined.vtt", "\ufeffWEBVTT\n\n00:01.000 --> 00:02.000\n\ufeffHello\n\n00:03.000 --> 00:04.000\nthere\n"),
        ("in-a-word.sbv", "0:00:01.000,0:00:02.000\nHel\ufefflo\n"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_marks_of_the_byte_order_are_no_text(name: str, text: str, encoding: str) -> None:
    read = read_captions(text.encode(encoding), Source(name=name))
    assert [segment.text for segment in read.segments] == ["Hello", "there"][: len(read.segments)]
    assert read.segments


@pytest.mark.parametrize(
    ("times", "span"),
    [
        ("00:00:01 --> 00:00:02", (1_000, 2_000)),
        ("00:00:03,000 --> 00:00:04", (3_000, 4_000)),
        ("01:02 --> 01:03,5", (62_000, 63_500)),
    ],
)
def test_times_without_milliseconds_are_whole_seconds(times: str, span: tuple[int, int]) -> None:
    read = read_captions(f"1\n{times}\nHello\n".encode(), Source(name="talk.srt"))
    assert [(each.start_ms, each.end_ms, each.text) for each in read.segments] == [(*span, "Hello")]
