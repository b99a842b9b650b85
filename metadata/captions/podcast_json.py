"""Podcast JSON: what podcast apps take as ``podcast:transcript``.

Source: Podcast namespace, transcripts, section "JSON"
(https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/examples/transcripts/transcripts.md):
``{"version": "1.0.0", "segments": [{"speaker", "startTime", "endTime", "body"}]}``, times in seconds.
"""

from __future__ import annotations

import json
from typing import Annotated

import msgspec

from metadata.captions.base import LONGEST_MS, CaptionFormat, Source, imported, tidy
from metadata.captions.cues import clean
from metadata.model import Segment, Transcript

Seconds = Annotated[float, msgspec.Meta(ge=0, le=LONGEST_MS / 1000)]


class _Segment(msgspec.Struct, rename="camel"):
    """A segment as the format has it."""

    start_time: Seconds
    body: str
    end_time: Seconds | None = None
    speaker: str | None = None


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
    segments = (
        Segment(
            start_ms=round(each.start_time * 1000),
            end_ms=round((after if each.end_time is None else each.end_time) * 1000),
            text=tidy(each.body),
            speaker=tidy(each.speaker or "") or None,
        )
        for each, after in zip(document.segments, following, strict=False)
    )
    return imported(source, segments, generator=FORMAT.title)


FORMAT = CaptionFormat(
    name="podcast-json",
    title="Podcast JSON",
    media_type="application/json",
    suffix=".podcast.json",
    write=write,
    read=read,
    detect=detect,
)
