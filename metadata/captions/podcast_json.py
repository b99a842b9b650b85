"""Podcast JSON: what podcast apps take as ``podcast:transcript``.

Source: Podcast namespace, transcripts, section "JSON"
(https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/examples/transcripts/transcripts.md):
``{"version": "1.0.0", "segments": [{"speaker", "startTime", "endTime", "body"}]}``, times in seconds. The
example there, and Buzzsprout's files, have a segment for each word: such are read as words.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated

import msgspec

from metadata.captions.base import EARLY_S, LONGEST_MS, CaptionFormat, Source, imported, tidy
from metadata.captions.cues import clean
from metadata.captions.spans import begins_anew, hold_words
from metadata.model import Segment, Transcript, Word

Seconds = Annotated[float, msgspec.Meta(ge=EARLY_S, le=LONGEST_MS / 1000)]


class _Segment(msgspec.Struct, rename="camel"):
    """A segment as the format has it."""

    start_time: Seconds
    body: str | None = None
    end_time: Seconds | None = None
    speaker: str | int | None = None


class _Document(msgspec.Struct):
    """The whole file."""

    segments: list[_Segment]


def write(transcript: Transcript) -> str:
    """Return the transcript's segments as one JSON object; flagged ones are left out."""
    segments = [_written(each) for each in transcript.segments if not each.flags]
    return json.dumps({"version": "1.0.0", "segments": segments}, ensure_ascii=False, indent=1) + "\n"


def _written(segment: Segment) -> dict[str, str | float]:
    speaker = {"speaker": segment.speaker} if segment.speaker else {}
    times = {"startTime": segment.start_ms / 1000, "endTime": segment.end_ms / 1000}
    return speaker | times | {"body": clean(segment.text)}


def detect(text: str) -> bool:
    """Whether it is JSON whose segments have the format's own field."""
    return text.lstrip().startswith("{") and '"segments"' in text and '"startTime"' in text


def read(text: str, source: Source) -> Transcript:
    """Return what a podcast's transcript says.

    Raises:
        FormatError: it is not JSON, or not of this form.
    """
    try:
        document = msgspec.json.decode(text, type=_Document)
    except msgspec.DecodeError as error:
        raise source.error("", str(error)) from error
    last = (source.duration_ms or 0) / 1000
    following = [*(each.start_time for each in document.segments[1:]), last]
    segments = [
        Segment(
            start_ms=max(round(each.start_time * 1000), 0),
            end_ms=max(round((after if each.end_time is None else each.end_time) * 1000), 0),
            text=tidy(each.body or ""),
            speaker=None if each.speaker is None else tidy(str(each.speaker)) or None,
        )
        for each, after in zip(document.segments, following, strict=False)
    ]
    segments = [each for each in segments if each.text]
    if hold_words([each.text for each in segments], [each.end_ms - each.start_ms for each in segments]):
        segments = list(_of_words(segments))
    return imported(source, segments, generator=FORMAT.title)


def _of_words(words: Sequence[Segment]) -> Iterator[Segment]:
    """Yield segments of what are words, as in the example of the namespace: each is said by one, in one breath."""
    parts: list[list[Segment]] = [[]]
    for word in words:
        part = parts[-1]
        before = part[-1] if part else word
        if word.speaker != before.speaker or begins_anew(len(part), before.text, word.start_ms - before.end_ms):
            parts.append([])
        parts[-1].append(word)
    for part in parts:
        timed = [Word(start_ms=each.start_ms, end_ms=max(each.start_ms, each.end_ms), text=each.text) for each in part]
        text = " ".join(each.text for each in part)
        yield replace(part[0], end_ms=max(word.end_ms for word in timed), text=text, words=tuple(timed))


FORMAT = CaptionFormat(
    name="podcast-json",
    title="Podcast JSON",
    media_type="application/json",
    suffix=".podcast.json",
    write=write,
    read=read,
    detect=detect,
)
