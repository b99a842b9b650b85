"""JSON as Whisper's own programs write it: read only.

openai-whisper and those that follow it (``whisper/utils.py``, WriteJSON; also stable-ts, MLX, WhisperKit, Groq) have
``segments`` with ``start`` and ``end`` in seconds, and ``words`` with ``--word_timestamps``. OpenAI's API
(``verbose_json``) has the words beside them, or alone, and then what they spell in ``text``. whisper-timestamped says
``text`` and ``confidence`` of a word. WhisperX adds ``speaker``, and words that may lack times. What dumps
faster-whisper's segments may be a bare list of them, as objects or (they are named tuples) as lists, with null for
words, or have ``info`` beside it. whisper.cpp (``--output-json``) has ``transcription`` with ``offsets`` in
milliseconds, and with ``--output-json-full`` ``tokens``, of which words are made.

The pipeline of transformers has ``chunks`` with a ``timestamp`` of two, which are segments, or words where somebody
asked for these; insanely-fast-whisper adds who spoke, as ``speakers``. Python writes NaN for a number that is none,
which JSON has not: it is read as nothing. whisper.cpp cuts characters of several bytes in two, so that its file is no
UTF-8: the two are joined.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Annotated, Any

import msgspec

from metadata.captions.base import EARLY_S, LONGEST_MS, PER_LETTER_MS, CaptionFormat, Source, imported, tidy
from metadata.captions.spans import begins_anew, hold_words
from metadata.captions.text import SENTENCES
from metadata.model import Segment, Transcript, Word

_FIELDS = ("id", "seek", "start", "end", "text")
_WORD_FIELDS = ("start", "end", "word", "probability")
"""What named tuples of faster-whisper begin with, and what those of its words hold."""
_CONTENT = ("segments", "words", "chunks", "transcription")
"""What is said stands under one of these."""
_PARTS = ("tokens", "words")
"""What holds parts of a text in whisper.cpp's forms."""
_TUPLE = re.compile(r"\[\s*\[\s*\d+\s*,\s*\d+\s*,\s*\d+(?:\.\d+)?\s*,\s*\d+(?:\.\d+)?\s*,\s*\"", re.ASCII)
Seconds = Annotated[float, msgspec.Meta(ge=EARLY_S, le=LONGEST_MS / 1000)]
Milliseconds = Annotated[int, msgspec.Meta(ge=int(EARLY_S * 1000), le=LONGEST_MS)]
_SUM_ERROR = 0.001
"""How far from 0 to 1 a probability may be, as sums of floats come out; what is further is none."""


class _Word(msgspec.Struct):
    """A word; WhisperX gives no times to numbers, and says ``score`` for ``probability``."""

    word: str | None = None
    text: str = ""
    start: Seconds | None = None
    end: Seconds | None = None
    probability: float | None = None
    score: float | None = None
    confidence: float | None = None

    @property
    def said(self) -> str:
        """What was said; a space before it begins a word."""
        return self.text if self.word is None else self.word

    @property
    def share(self) -> float | None:
        """How sure the program is; None where it does not say."""
        named = (self.probability, self.score, self.confidence)
        return next((_share(value) for value in named if value is not None), None)


class _Segment(msgspec.Struct):
    """A segment of openai-whisper's form."""

    start: Seconds
    end: Seconds
    text: str
    speaker: str | int | None = None
    words: list[_Word] | None = None


class _Offsets(msgspec.Struct, rename={"start": "from", "end": "to"}):
    """Milliseconds, in whisper.cpp's form."""

    start: Milliseconds
    end: Milliseconds


class _Token(msgspec.Struct):
    """A part of a word, in whisper.cpp's form; its marks are in square brackets."""

    text: str
    offsets: _Offsets | None = None
    p: float | None = None


class _Line(msgspec.Struct):
    """A segment of whisper.cpp's form."""

    offsets: _Offsets
    text: str
    speaker: str | int | None = None
    tokens: list[_Token] = []


class _Chunk(msgspec.Struct):
    """A segment, or a word, of transformers' form; the last may have no end."""

    text: str
    timestamp: tuple[Seconds | None, Seconds | None]
    speaker: str | int | None = None


class _Result(msgspec.Struct):
    """What whisper.cpp, or faster-whisper, found out."""

    language: str | None = None


class _Document(msgspec.Struct):
    """Any form."""

    segments: list[_Segment] = []
    words: list[_Word] | None = None
    text: str = ""
    chunks: list[_Chunk] = []
    speakers: list[_Chunk] = []
    language: str | None = None
    transcription: list[_Line] = []
    result: _Result | None = None
    info: _Result | None = None


def detect(text: str) -> bool:
    """Whether it is JSON with the fields of any form."""
    head = text.lstrip()
    if head.startswith("["):
        named = '"start"' in text and '"end"' in text and '"text"' in text
        return named or ('"chunks"' in text and '"timestamp"' in text) or _TUPLE.match(head) is not None
    if not head.startswith("{"):
        return False
    return (
        ('"segments"' in text and '"start"' in text)
        or ('"transcription"' in text and '"offsets"' in text)
        or ('"words"' in text and '"word"' in text and '"start"' in text)
        or ('"chunks"' in text and '"timestamp"' in text)
    )


def read(text: str, source: Source) -> Transcript:
    """Return what Whisper heard.

    Raises:
        FormatError: it is not JSON, or of no form.
    """
    document = _decode(text, source)
    found = document.result or document.info
    language = document.language or (found.language if found else None)
    lines = (
        Segment(
            start_ms=max(each.offsets.start, 0),
            end_ms=max(each.offsets.end, 0),
            text=tidy(each.text),
            speaker=_name(each.speaker),
            words=tuple(_joined(each.tokens)),
        )
        for each in document.transcription
    )
    _share_out(document)
    heard = document.segments or _from_chunks(document) or _from_words(document.words or [], document.text)
    return imported(source, [*map(_segment, heard), *lines], generator=FORMAT.title, language=language)


def _decode(text: str, source: Source) -> _Document:
    """Return a document of any form; a bare list is of segments, or of documents of one recording's parts."""
    try:
        data = _loaded(text)
        if isinstance(data, list):
            whole = [each for each in data if isinstance(each, dict) and "chunks" in each]
            data = whole[0] if whole else {"segments": [_named(each) for each in data]}
        if isinstance(data, dict) and data.keys().isdisjoint(_CONTENT):
            raise source.error("$", f"expected one of {', '.join(_CONTENT)}")
        return msgspec.convert(data, _Document)
    except (ValueError, msgspec.MsgspecError) as error:
        raise source.error("", str(error)) from error


def _loaded(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except UnicodeEncodeError:
        pass  # parts of characters
    except msgspec.DecodeError:
        if "NaN" not in text and "Infinity" not in text:
            raise
    return _whole(json.loads(text, parse_constant=lambda _: None))


def _whole(data: Any) -> Any:
    """Return data without parts of characters: whisper.cpp's tokens are bytes, and one may end inside a character.

    Raises:
        UnicodeEncodeError: half of a surrogate pair is no text.
    """
    if isinstance(data, str):
        return data.encode("utf-8", "surrogateescape").decode("utf-8", "ignore")
    if isinstance(data, list):
        return [_whole(each) for each in data]
    if isinstance(data, dict):
        joined = {
            name: _rejoined(each) if name in _PARTS and isinstance(each, list) else each for name, each in data.items()
        }
        return {name: _whole(each) for name, each in joined.items()}
    return data


def _rejoined(parts: list[Any]) -> list[Any]:
    """Join each token that ends inside a character with the next; how sure the program is, the first of them says."""
    whole: list[Any] = []
    for part in parts:
        name = _cut_text(whole[-1]) if whole else None
        if name and isinstance(part, dict) and isinstance(part.get(name), str):
            before = whole.pop()
            ends = {"end": part["end"]} if "end" in part else {}
            if isinstance(before.get("offsets"), dict) and isinstance(part.get("offsets"), dict):
                ends["offsets"] = before["offsets"] | {"to": part["offsets"].get("to")}
            whole.append(before | ends | {name: before[name] + part[name]})
        else:
            whole.append(part)
    return whole


def _cut_text(token: Any) -> str | None:
    """Return which field of a token ends inside a character: a byte that is none is a surrogate (PEP 383)."""
    for name in ("text", "word"):
        text = token.get(name) if isinstance(token, dict) else None
        if isinstance(text, str) and "\udc80" <= text[-1:] <= "\udcff":
            try:
                text.encode("utf-8", "surrogateescape").decode()
            except UnicodeDecodeError as error:
                return name if error.reason == "unexpected end of data" else None
    return None


def _named(segment: Any) -> Any:
    """Return a segment as an object, which Python wrote as the list of what a named tuple of faster-whisper holds."""
    if not isinstance(segment, list) or len(segment) < len(_FIELDS):
        return segment
    named = dict(zip(_FIELDS, segment, strict=False))
    for each in segment[len(_FIELDS) :]:
        if isinstance(each, list) and each and all(isinstance(word, list) for word in each):
            named["words"] = [dict(zip(_WORD_FIELDS, word, strict=False)) for word in each]
    return named


def _from_chunks(document: _Document) -> list[_Segment]:
    """Return segments from chunks; from those with speakers, where there are any."""
    chunks = document.speakers or document.chunks
    timed: list[tuple[float, float, _Chunk]] = []
    for chunk in chunks:
        before = timed[-1][1] if timed else 0.0
        start = before if chunk.timestamp[0] is None else chunk.timestamp[0]
        end = start + len(chunk.text) * PER_LETTER_MS / 1000 if chunk.timestamp[1] is None else chunk.timestamp[1]
        timed.append((start, end, chunk))
    if hold_words([chunk.text for _, _, chunk in timed], [(end - start) * 1000 for start, end, _ in timed]):
        words = [_Word(word=chunk.text, start=start, end=end) for start, end, chunk in timed]
        return _from_words(words, document.text or "".join(chunk.text for chunk in chunks))
    return [_Segment(start=start, end=end, text=chunk.text, speaker=chunk.speaker) for start, end, chunk in timed]


def _from_words(words: list[_Word], text: str) -> list[_Segment]:
    """Return a segment for each sentence of a text, with the words that spell it."""
    letters = [_letters(word.said) for word in words]
    sentences = [sentence for sentence in SENTENCES.split(text) if sentence.strip()]
    ends = list(accumulate(len(_letters(sentence)) for sentence in sentences))
    begins = list(accumulate(map(len, letters), initial=0))[:-1]
    if "".join(letters) != _letters(text):
        parts = _in_breaths(words)
        sentences = [" ".join(word.said.strip() for word in part) for part in parts]
    else:
        parts = [[] for _ in sentences]
        for word, begin in zip(words, begins, strict=True):
            parts[min(bisect_right(ends, begin), len(parts) - 1)].append(word)
    return [
        _Segment(start=each[0].start or 0.0, end=max(each[-1].end or 0.0, each[0].start or 0.0), text=said, words=each)
        for said, each in zip(sentences, parts, strict=True)
        if each
    ]


def _in_breaths(words: list[_Word]) -> list[list[_Word]]:
    """Return words in parts: each ends with a sentence, before a pause, or when it is long enough."""
    parts: list[list[_Word]] = [[]]
    for word in words:
        part = parts[-1]
        before = part[-1] if part else word
        pause = (word.start or 0.0) - (before.end or word.start or 0.0)
        if begins_anew(len(part), before.said, pause * 1000):
            parts.append([])
        parts[-1].append(word)
    return parts if words else []


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).lower()


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
            start = max(first.start, 0)
            yield Word(
                start_ms=start, end_ms=max(start, last.end), text=said, confidence=_share(min(shares, default=None))
            )


def _share(value: float | None) -> float | None:
    return None if value is None or not -_SUM_ERROR <= value <= 1 + _SUM_ERROR else min(max(value, 0.0), 1.0)


def _segment(segment: _Segment) -> Segment:
    return Segment(
        start_ms=_ms(segment.start),
        end_ms=_ms(segment.end),
        text=tidy(segment.text),
        speaker=_name(segment.speaker),
        words=tuple(_words(segment)),
    )


def _words(segment: _Segment) -> Iterator[Word]:
    """Yield words with times; one without gets those of the words around it."""
    at = segment.start
    for word in segment.words or ():
        start = at if word.start is None else word.start
        at = max(start, start if word.end is None else word.end)
        if text := tidy(word.said):
            yield Word(start_ms=_ms(start), end_ms=_ms(at), text=text, confidence=word.share)


def _ms(seconds: float) -> int:
    return max(round(seconds * 1000), 0)


def _name(speaker: str | int | None) -> str | None:
    return None if speaker is None else tidy(str(speaker)) or None


FORMAT = CaptionFormat(
    name="whisper-json",
    title="Whisper JSON",
    media_type="application/json",
    suffix=".json",
    read=read,
    detect=detect,
    cuts_characters=True,
)
