"""Podcast chapters: what podcast apps take as ``podcast:chapters``.

Source: Podcast namespace, JSON chapters, version 1.2
(https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/examples/chapters/jsonChapters.md):
``{"version": "1.2.0", "chapters": [{"startTime", "endTime", "title", "toc"}]}``, times in seconds. What is not in the
table of contents changes a picture, and is no chapter. Chapters of which the file says that a program proposes them
(``"proposed": true``, as files of Rostra do) are nobody's, and not read.
"""

from __future__ import annotations

import msgspec

from metadata.captions.base import CaptionFormat, Source, imported, tidy
from metadata.captions.podcast_json import Seconds
from metadata.errors import NotSaidError
from metadata.model import Segment, Transcript


class _Chapter(msgspec.Struct, rename="camel"):
    """A chapter as the format has it."""

    start_time: Seconds
    end_time: Seconds | None = None
    title: str | int | float | None = None
    toc: bool | None = None


class _Document(msgspec.Struct):
    """The whole file."""

    chapters: list[_Chapter]
    proposed: bool = False


def detect(text: str) -> bool:
    """Whether it is JSON whose chapters have the format's own field."""
    return text.lstrip().startswith("{") and '"chapters"' in text and '"startTime"' in text and '"segments"' not in text


def read(text: str, source: Source) -> Transcript:
    """Return the chapters as a transcript of what nobody says; those without a title are numbered.

    Raises:
        NotSaidError: a program proposes them.
        FormatError: it is not JSON, or not of this form.
    """
    try:
        document = msgspec.json.decode(text, type=_Document, strict=False)  # some write numbers as texts
    except msgspec.DecodeError as error:
        raise source.error("", str(error)) from error
    if document.proposed:
        raise NotSaidError(source.name, "", "its chapters are those that a program proposes")
    listed = sorted((each for each in document.chapters if each.toc is not False), key=lambda each: each.start_time)
    ends = [*(each.start_time for each in listed[1:]), (source.duration_ms or 0) / 1000]
    segments = [
        Segment(
            start_ms=max(round(each.start_time * 1000), 0),
            end_ms=max(round((after if each.end_time is None else each.end_time) * 1000), 0),
            text=tidy(str(each.title or "")) or str(number),
        )
        for number, (each, after) in enumerate(zip(listed, ends, strict=False), 1)
    ]
    return imported(source, segments, generator=FORMAT.title, track="chapters")


FORMAT = CaptionFormat(
    name="podcast-chapters",
    title="Podcast chapters",
    media_type="application/json+chapters",
    suffix=".chapters.json",
    read=read,
    detect=detect,
)
