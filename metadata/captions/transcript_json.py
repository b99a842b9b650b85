"""JSON with everything that is known of each word: what scripts should read.

One object::

    {"language", "duration_ms",
     "segments": [{"start_ms", "end_ms", "text", "speaker", "language", "confidence", "flags",
                   "words": [{"start_ms", "end_ms", "text", "confidence"}]}]}

Times are integer milliseconds, confidences 0 to 1 or null, flags as in `metadata.model.Flag`; speaker and
language are null where nobody has said. A segment during which others speak has ``"overlapped": true``, too.
Flagged segments are here: whoever reads them sees that they are doubtful.
"""

from __future__ import annotations

import json
from typing import Annotated

import msgspec
from msgspec import UNSET

from metadata.captions.base import LONGEST_MS, CaptionFormat, Source, declared_language, imported, tidy
from metadata.model import Flag, Segment, Transcript, Word

Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=LONGEST_MS)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class _Word(msgspec.Struct):
    """A word as the format has it."""

    start_ms: Milliseconds
    end_ms: Milliseconds
    text: str
    confidence: Share | None = None


class _Segment(msgspec.Struct):
    """A segment as the format has it."""

    start_ms: Milliseconds
    end_ms: Milliseconds
    text: str
    speaker: str | None = None
    language: str | None = None
    confidence: Share | None = None
    flags: tuple[Flag, ...] = ()
    overlapped: bool = False
    words: tuple[_Word, ...] = ()


class _Document(msgspec.Struct):
    """The whole file."""

    segments: list[_Segment]
    language: str | None = None
    duration_ms: Milliseconds | None = None


def write(transcript: Transcript) -> str:
    """Return the transcript as one JSON object."""
    document = {
        "language": transcript.language,
        "duration_ms": transcript.duration_ms,
        "segments": [_segment(segment) for segment in transcript.segments],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _segment(segment: Segment) -> dict[str, object]:
    return {
        "start_ms": segment.start_ms,
        "end_ms": segment.end_ms,
        "text": segment.text,
        "speaker": segment.speaker,
        "language": segment.language,
        "confidence": segment.confidence,
        "flags": [flag.value for flag in segment.flags],
        **({"overlapped": True} if segment.overlapped else {}),
        "words": [
            {"start_ms": word.start_ms, "end_ms": word.end_ms, "text": word.text, "confidence": word.confidence}
            for word in segment.words
        ],
    }


def detect(text: str) -> bool:
    """Whether it is JSON with the format's own fields."""
    return text.lstrip().startswith("{") and '"segments"' in text and ('"start_ms"' in text or '"duration_ms"' in text)


def read(text: str, source: Source) -> Transcript:
    """Return a transcript that was written so.

    Raises:
        FormatError: it is not JSON, or not of this form.
    """
    try:
        document = msgspec.json.decode(text, type=_Document)
    except msgspec.DecodeError as error:
        raise source.error("", str(error)) from error
    return imported(source, map(_read, document.segments), generator=FORMAT.title, language=document.language)


def _read(segment: _Segment) -> Segment:
    return Segment(
        start_ms=segment.start_ms,
        end_ms=segment.end_ms,
        text=tidy(segment.text),
        speaker=tidy(segment.speaker or "") or None,
        language=declared_language(segment.language) if segment.language else None,
        confidence=segment.confidence,
        flags=segment.flags,
        overlapped=segment.overlapped or UNSET,
        words=tuple(
            Word(
                start_ms=word.start_ms,
                end_ms=max(word.start_ms, word.end_ms),
                text=tidy(word.text),
                confidence=word.confidence,
            )
            for word in segment.words
        ),
    )


FORMAT = CaptionFormat(
    name="json",
    title="JSON",
    media_type="application/json",
    suffix=".json",
    write=write,
    read=read,
    detect=detect,
)
