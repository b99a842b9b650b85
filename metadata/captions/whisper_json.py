"""JSON as Whisper's own programs write it: read only.

openai-whisper and those that follow it (``whisper/utils.py``, WriteJSON) have ``segments`` with ``start`` and ``end``
in seconds, and ``words`` with ``--word_timestamps``; OpenAI's API has the words beside them (``verbose_json``).
WhisperX adds ``speaker``, and words that may lack times; what dumps faster-whisper's segments may be a bare list of
them, with null for words, or have ``info`` beside it. whisper.cpp (``--output-json``) has ``transcription`` with
``offsets`` in milliseconds, and with ``--output-json-full`` ``tokens``, of which words are made.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Annotated

import msgspec

from metadata.captions.base import LONGEST_MS, CaptionFormat, Source, imported, tidy
from metadata.model import Segment, Transcript, Word

Seconds = Annotated[float, msgspec.Meta(ge=0, le=LONGEST_MS / 1000)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=LONGEST_MS)]
_Share = Annotated[float, msgspec.Meta(ge=-0.001, le=1.001)]
"""A probability, as sums of floats come out."""


class _Word(msgspec.Struct):
    """A word; WhisperX gives no times to numbers, and says ``score`` for ``probability``."""

    word: str
    start: Seconds | None = None
    end: Seconds | None = None
    probability: _Share | None = None
    score: _Share | None = None


class _Segment(msgspec.Struct):
    """A segment of openai-whisper's form."""

    start: Seconds
    end: Seconds
    text: str
    speaker: str | None = None
    words: list[_Word] | None = None


class _Offsets(msgspec.Struct, rename={"start": "from", "end": "to"}):
    """Milliseconds, in whisper.cpp's form."""

    start: Milliseconds
    end: Milliseconds


class _Token(msgspec.Struct):
    """A part of a word, in whisper.cpp's form; its marks are in square brackets."""

    text: str
    offsets: _Offsets | None = None
    p: _Share | None = None


class _Line(msgspec.Struct):
    """A segment of whisper.cpp's form."""

    offsets: _Offsets
    text: str
    speaker: str | None = None
    tokens: list[_Token] = []


class _Result(msgspec.Struct):
    """What whisper.cpp, or faster-whisper, found out."""

    language: str | None = None


class _Document(msgspec.Struct):
    """Any form."""

    segments: list[_Segment] = []
    words: list[_Word] | None = None
    language: str | None = None
    transcription: list[_Line] = []
    result: _Result | None = None
    info: _Result | None = None


def detect(text: str) -> bool:
    """Whether it is JSON with the fields of any form."""
    head = text.lstrip()
    if head.startswith("["):
        return '"start"' in text and '"end"' in text and '"text"' in text
    if not head.startswith("{"):
        return False
    return ('"segments"' in text and '"start"' in text) or ('"transcription"' in text and '"offsets"' in text)


def read(text: str, source: Source) -> Transcript:
    """Return what Whisper heard.

    Raises:
        FormatError: it is not JSON, or of neither form.
    """
    try:
        bare = text.lstrip().startswith("[")
        document = msgspec.json.decode(f'{{"segments":{text}}}' if bare else text, type=_Document)
    except msgspec.DecodeError as error:
        raise source.error("", str(error)) from error
    found = document.result or document.info
    language = document.language or (found.language if found else None)
    lines = (
        Segment(
            start_ms=each.offsets.start,
            end_ms=each.offsets.end,
            text=tidy(each.text),
            speaker=tidy(each.speaker or "") or None,
            words=tuple(_joined(each.tokens)),
        )
        for each in document.transcription
    )
    _share_out(document)
    segments = [*map(_segment, document.segments), *lines]
    return imported(source, segments, generator=FORMAT.title, language=language)


def _share_out(document: _Document) -> None:
    """Give words that stand beside the segments to those that they begin in."""
    if not document.words or any(segment.words for segment in document.segments):
        return
    starts = [segment.start for segment in document.segments]
    for word in document.words:
        if word.start is not None and (at := bisect_right(starts, word.start + 0.001)):
            segment = document.segments[at - 1]
            segment.words = [*(segment.words or ()), word]


def _joined(tokens: list[_Token]) -> Iterator[Word]:
    """Yield the words of whisper.cpp's tokens: one begins with a space; the least sure of its tokens speaks for it."""
    words: list[tuple[str, list[_Token]]] = []
    for token in tokens:
        if token.offsets is None or (token.text.startswith("[_") and token.text.endswith("]")):
            continue
        if words and not token.text.startswith(" "):
            text, parts = words.pop()
            words.append((text + token.text, [*parts, token]))
        else:
            words.append((token.text, [token]))
    for text, parts in words:
        first, last = parts[0].offsets, parts[-1].offsets
        if first and last and (said := tidy(text)):
            shares = [part.p for part in parts if part.p is not None]
            end = max(first.start, last.end)
            yield Word(start_ms=first.start, end_ms=end, text=said, confidence=_share(min(shares, default=None)))


def _share(value: float | None) -> float | None:
    return None if value is None else min(max(value, 0.0), 1.0)


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
    for word in segment.words or ():
        start = at if word.start is None else word.start
        at = max(start, start if word.end is None else word.end)
        if text := tidy(word.word):
            share = word.score if word.probability is None else word.probability
            yield Word(start_ms=_ms(start), end_ms=_ms(at), text=text, confidence=_share(share))


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
