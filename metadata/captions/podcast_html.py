"""HTML transcripts of podcasts: read only.

Source: Podcast namespace, transcripts, section "HTML"
(https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/examples/transcripts/transcripts.md):
``<cite>`` says who speaks, ``<time>`` since when, and ``<p>`` what. Paragraphs have no ends: each lasts until the next
time, and the sentences of all that stand behind one time share it by their length. Nothing else of a page is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import groupby

from metadata.captions.base import CaptionFormat, Source, imported, tidy
from metadata.captions.text import shared_out
from metadata.errors import InvalidTimeError
from metadata.markup import readable
from metadata.model import Transcript
from metadata.times import parse_offset

_MARKS = frozenset({"cite", "time", "p"})
_READINGS = frozenset({"rt", "rp", "rtc"})
"""What tells how ruby is read (HTML, 4.5.10); the base beside it is what is said."""


@dataclass(slots=True)
class _Paragraph:
    """What one says, from when on, and the line where it stands."""

    start_ms: int
    speaker: str | None
    text: str


def detect(text: str) -> bool:
    """Whether there are paragraphs with times, in a text that begins as HTML does."""
    return text.lstrip().startswith("<") and re.search(r"<time[\s>]", text) is not None and "<p" in text


def read(text: str, source: Source) -> Transcript:
    """Return what a page of a transcript says.

    Raises:
        FormatError: a time cannot be read, or a paragraph comes before the first.
    """
    reader = _Reader(source)
    reader.feed(readable(text))
    reader.close()
    found = reader.paragraphs
    turns = [list(each) for _, each in groupby(found, key=lambda paragraph: paragraph.start_ms)]
    ends = [*(each[0].start_ms for each in turns[1:]), source.duration_ms]
    segments = [
        segment
        for turn, end in zip(turns, ends, strict=False)
        for segment in shared_out([(each.text, each.speaker) for each in turn], turn[0].start_ms, end)
    ]
    return imported(source, segments, generator=FORMAT.title, language=reader.language)


class _Reader(HTMLParser):
    def __init__(self, source: Source) -> None:
        super().__init__(convert_charrefs=True)
        self.paragraphs: list[_Paragraph] = []
        self.language: str | None = None
        self._source = source
        self._inside = ""
        self._parts: list[str] = []
        self._reading = False
        self._speaker: str | None = None
        self._start_ms: int | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "html":
            self.language = dict(attrs).get("lang")
        if tag in _MARKS:
            self._finish()
            self._inside = tag
        elif tag == "br":
            self._parts.append(" ")
        self._reading = tag in _READINGS or (self._reading and tag not in {"rb", "ruby"})

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._finish()
        self._reading = self._reading and tag not in {*_READINGS, "ruby"}

    def handle_data(self, data: str) -> None:
        if self._inside and not self._reading:
            self._parts.append(data)

    def close(self) -> None:
        super().close()
        self._finish()

    def _finish(self) -> None:
        text, inside = tidy("".join(self._parts)), self._inside
        self._parts, self._inside = [], ""
        if inside == "cite":
            self._speaker = text.removesuffix(":").strip() or None
        elif inside == "time":
            try:
                self._start_ms = parse_offset(text.strip("()[]"))
            except InvalidTimeError as error:
                raise self._source.error(self.getpos()[0], str(error)) from None
        elif inside == "p" and text:
            if self._start_ms is None:
                raise self._source.error(self.getpos()[0], "what is said stands before the first time")
            self.paragraphs.append(_Paragraph(self._start_ms, self._speaker, text))


FORMAT = CaptionFormat(
    name="podcast-html", title="Podcast HTML", media_type="text/html", suffix=".html", read=read, detect=detect
)
