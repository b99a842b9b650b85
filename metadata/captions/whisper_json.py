"""JSON as Whisper's own programs write it: read only.

Three forms: openai-whisper and those that follow it (``whisper/utils.py``, WriteJSON: ``segments`` with ``start``
and ``end`` in seconds, and ``words`` with ``--word_timestamps``), WhisperX (the same, with ``speaker``, and
words that may lack times), and whisper.cpp (``--output-json``: ``transcription`` with ``offsets`` in
milliseconds).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec

from metadata.captions.base import LONGEST_MS, CaptionFormat, Source, imported, tidy
from metadata.model import Segment, Transcript, Word

Seconds = Annotated[float, msgspec.Meta(ge=0, le=LONGEST_MS / 1000)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=LONGEST_MS)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class _Word(msgspec.Struct):
    """A word; WhisperX gives no times to numbers, and says ``score`` for ``probability``."""

    word: str
    start: Seconds | None = None
    end: Seconds | None = None
    probability: Share | None = None
    score: Share | None = None


class _Segment(msgspec.Struct):
    """A segment of openai-whisper's form."""

    start: Seconds
    end: Seconds
    text: str
    speaker: str | None = None
    words: list[_Word] = []


class _Offsets(msgspec.Struct, rename={"start": "from", "end": "to"}):
    """Milliseconds, in whisper.cpp's form."""

    start: Milliseconds
    end: Milliseconds


class _Line(msgspec.Struct):
    """A segment of whisper.cpp's form."""

    offsets: _Offsets
    text: str


class _Result(msgspec.Struct):
    """What whisper.cpp found out."""

    language: str | None = None


class _Document(msgspec.Struct):
    """Either form."""

    segments: list[_Segment] = []
    language: str | None = None
    transcription: list[_Line] = []
    result: _Result | None = None


def detect(text: str) -> bool:
    """Whether it is JSON with the fields of either form."""
    if not text.lstrip().startswith("{"):
        return False
    return ('"segments"' in text and '"start"' in text) or ('"transcription"' in text and '"offsets"' in text)


def read(text: str, source: Source) -> Transcript:
    """Return what Whisper heard.

    Raises:
        FormatError: it is not JSON, or of neither form.
    """
    try:
        document = msgspec.json.decode(text, type=_Document)
    except msgspec.DecodeError as error:
        raise source.error("", str(error)) from error
    language = document.language or (document.result.language if document.result else None)
    lines = (
        Segment(start_ms=each.offsets.start, end_ms=each.offsets.end, text=tidy(each.text))
        for each in document.transcription
    )
    segments = [*map(_segment, document.segments), *lines]
    return imported(source, segments, generator=FORMAT.title, language=language)


def _segment(segment: _Segment) -> Segment:
    return Segment(
        start_ms=_ms(segment.start),
        end_ms=_ms(segment.end),
        text=tidy(segment.text),
        speaker=tidy(segment.speaker or "") or None,
        words=tuple(_words(segment)),
    )


def _words(segment: _Segment) -> Iterator[Word]:
    """Yield words with times; one without gets those of the words around it."""
    at = segment.start
    for word in segment.words:
        start = at if word.start is None else word.start
        at = max(start, start if word.end is None else word.end)
        if text := tidy(word.word):
            share = word.score if word.probability is None else word.probability
            yield Word(start_ms=_ms(start), end_ms=_ms(at), text=text, confidence=share)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


FORMAT = CaptionFormat(
    name="whisper-json",
    title="Whisper JSON",
    media_type="application/json",
    suffix=".json",
    read=read,
    detect=detect,
)
