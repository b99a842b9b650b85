"""Plain text for reading: a paragraph ends where the speaker pauses."""

from __future__ import annotations

from itertools import pairwise

from metadata.captions.base import CaptionFormat
from metadata.captions.cues import clean
from metadata.languages import word_separator
from metadata.model import Segment, Transcript

PAUSE_MS = 2_000
"""Silence between two segments that starts a new paragraph."""


def write(transcript: Transcript) -> str:
    """Return paragraphs with an empty line between them; flagged segments are left out."""
    trusted = [segment for segment in transcript.segments if not segment.flags and segment.text.strip()]
    paragraphs: list[list[Segment]] = [trusted[:1]] if trusted else []
    for before, segment in pairwise(trusted):
        if segment.start_ms - before.end_ms >= PAUSE_MS:
            paragraphs.append([])
        paragraphs[-1].append(segment)
    separator = word_separator(transcript.language)
    return "\n".join(separator.join(clean(segment.text) for segment in part) + "\n" for part in paragraphs)


FORMAT = CaptionFormat(name="txt", title="Plain text", media_type="text/plain", suffix=".txt", write=write)
