r"""SubRip (SRT): what most players and editors take.

There is no standard; this is what FFmpeg's and VLC's readers agree on: numbered blocks, a comma before
the milliseconds. The format has no escapes, so text that players would take for a tag (``<b``, ``{\an8}``)
is broken with a word joiner (U+2060), which is invisible, and an arrow is written as one character. It has
no speakers either: their names stand before what they say (`metadata.captions.prefixes`).

Reading, a caption's text goes on until the next line of times, so that empty lines inside it do no harm; a
line with an arrow that is no line of times is an error. pysubs2 would take such a line for speech.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from metadata.captions.base import CaptionFormat, Source, imported, join_lines, tidy
from metadata.captions.cues import Cue, cues
from metadata.captions.prefixes import name_speakers
from metadata.captions.rolling import may_roll, new_lines, rolls
from metadata.languages import UNDETERMINED
from metadata.model import Segment, Transcript
from metadata.times import format_timestamp

_TAG = re.compile(r"<(?=[A-Za-z/!?])|\{(?=\\)")
_TIME = r"(?:(\d{1,4}):)?([0-5]?\d):([0-5]?\d)(?:[,.] ?(\d{1,3}))?"
_TIMINGS = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?", re.ASCII | re.DOTALL)
# A tag holds no "<": a search that begins at one ends at the next, so that text of many beginnings takes no longer.
_STYLE = re.compile(r"</?(?:b|i|u|s|font)(?:\s[^<>]*)?>|\{\\[^{}]*\}", re.IGNORECASE)
_JOINED = re.compile(r"(?<=[<{])\u2060")


def write(transcript: Transcript) -> str:
    """Return an SRT file; flagged segments are left out."""
    return "\n".join(_block(number, cue) for number, cue in enumerate(cues(transcript), start=1))


def _block(number: int, cue: Cue) -> str:
    start = format_timestamp(cue.start_ms, separator=",")
    end = format_timestamp(cue.end_ms, separator=",")
    name = f"{_defuse(cue.speaker)}: " if cue.speaker else ""
    lines = "\n".join(map(_defuse, cue.lines))
    return f"{number}\n{start} --> {end}\n{name}{lines}\n"


def _defuse(text: str) -> str:
    return _TAG.sub("\\g<0>\u2060", text.replace("-->", "→"))


@dataclass(frozen=True, slots=True)
class _Block:
    """A caption as it stands in a file."""

    start_ms: int
    end_ms: int
    lines: list[str] = field(default_factory=list)


def detect(text: str) -> bool:
    """Whether the first line of text is a number or times, and times follow."""
    lines = text.lstrip().splitlines()[:2]
    if lines and lines[0].strip().isdigit():
        lines = lines[1:]
    return bool(lines) and "-->" in lines[0]


def read(text: str, source: Source) -> Transcript:
    """Return what an SRT file says.

    Raises:
        FormatError: text stands before the first caption, or times cannot be read.
    """
    blocks: list[_Block] = []
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        if "-->" in line:
            match = _TIMINGS.fullmatch(line)
            if match is None:
                raise source.error(number, "expected times such as '00:00:01,000 --> 00:00:02,500'")
            if blocks and blocks[-1].lines and blocks[-1].lines[-1].strip().isdigit():
                blocks[-1].lines.pop()
            groups = match.groups()
            blocks.append(_Block(_ms(groups[:4]), _ms(groups[4:])))
        elif blocks:
            blocks[-1].lines.append(line)
        elif line.strip() and not line.strip().isdigit():
            raise source.error(number, "expected a caption's number, and its times on the next line")
    times = [(each.start_ms, each.end_ms) for each in blocks]
    if may_roll(times):
        shown = [[tidy(_STYLE.sub("", line)) for line in each.lines] for each in blocks]
        if rolls(times, shown):
            for each, new in zip(blocks, new_lines(shown), strict=True):
                each.lines[:] = [line for line, is_new in zip(each.lines, new, strict=True) if is_new]
    language = source.language or UNDETERMINED
    segments = [Segment(start_ms=each.start_ms, end_ms=each.end_ms, text=_text(each, language)) for each in blocks]
    return imported(source, name_speakers(segments), generator=FORMAT.title)


def _ms(parts: Sequence[str | None]) -> int:
    hours, minutes, seconds = (int(part or 0) for part in parts[:3])
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + int((parts[3] or "").ljust(3, "0"))


def _text(block: _Block, language: str) -> str:
    return _JOINED.sub("", join_lines((_STYLE.sub("", line) for line in block.lines), language))


FORMAT = CaptionFormat(
    name="srt",
    title="SubRip",
    media_type="application/x-subrip",
    suffix=".srt",
    write=write,
    read=read,
    detect=detect,
)
