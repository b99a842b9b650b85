r"""SubRip (SRT): what most players and editors take.

There is no standard; this is what FFmpeg's and VLC's readers agree on: numbered blocks, a comma before
the milliseconds. The format has no escapes, so text that players would take for a tag (``<b``, ``{\an8}``)
is broken with a word joiner (U+2060), which is invisible, and an arrow is written as one character.
"""

from __future__ import annotations

import re

from metadata.captions.base import CaptionFormat
from metadata.captions.cues import Cue, cues
from metadata.model import Transcript
from metadata.times import format_timestamp

_TAG = re.compile(r"<(?=[A-Za-z/!?])|\{(?=\\)")


def write(transcript: Transcript) -> str:
    """Return an SRT file; flagged segments are left out."""
    return "\n".join(_block(number, cue) for number, cue in enumerate(cues(transcript), start=1))


def _block(number: int, cue: Cue) -> str:
    start = format_timestamp(cue.start_ms, separator=",")
    end = format_timestamp(cue.end_ms, separator=",")
    lines = "\n".join(map(_defuse, cue.lines))
    return f"{number}\n{start} --> {end}\n{lines}\n"


def _defuse(text: str) -> str:
    return _TAG.sub("\\g<0>\u2060", text.replace("-->", "→"))


FORMAT = CaptionFormat(name="srt", title="SubRip", media_type="application/x-subrip", suffix=".srt", write=write)
