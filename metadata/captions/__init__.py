"""Captions and transcripts as files: one module a format, one registry (see `metadata.captions.base`)."""

from __future__ import annotations

from metadata.captions import srt, text, transcript_json, webvtt
from metadata.captions.base import CaptionFormat, Writer
from metadata.errors import UnknownFormatError

__all__ = ["WRITERS", "CaptionFormat", "Writer", "writer"]

WRITERS: dict[str, CaptionFormat] = {
    each.name: each for each in (webvtt.FORMAT, srt.FORMAT, text.FORMAT, transcript_json.FORMAT)
}
"""Every format that a transcript can be written in, by name."""


def writer(name: str) -> Writer:
    """Return the function that writes this format: ``vtt``, ``srt``, ``txt`` or ``json``.

    Raises:
        UnknownFormatError: there is no such format.
    """
    try:
        return WRITERS[name].write
    except KeyError:
        raise UnknownFormatError(name, tuple(sorted(WRITERS))) from None
