"""WebVTT: what HTML's ``<track>`` takes.

Source: W3C WebVTT, section 4 (https://www.w3.org/TR/webvtt1/#syntax). Cue text escapes ``&``, ``<`` and
``>``, so it holds neither markup nor an arrow.
"""

from __future__ import annotations

from metadata.captions.base import CaptionFormat
from metadata.captions.cues import Cue, cues
from metadata.model import Transcript
from metadata.times import format_timestamp


def write(transcript: Transcript) -> str:
    """Return a WebVTT file; flagged segments are left out."""
    return "\n".join(["WEBVTT\n", *map(_block, cues(transcript))])


def _block(cue: Cue) -> str:
    lines = "\n".join(map(_escape, cue.lines))
    return f"{format_timestamp(cue.start_ms)} --> {format_timestamp(cue.end_ms)}\n{lines}\n"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


FORMAT = CaptionFormat(name="vtt", title="WebVTT", media_type="text/vtt", suffix=".vtt", write=write)
