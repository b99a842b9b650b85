r"""SubRip (SRT): what most players and editors take.

There is no standard; this is what FFmpeg's and VLC's readers agree on: numbered blocks, a comma before
the milliseconds. The format has no escapes, so text that players would take for a tag (``<b``, ``{\an8}``)
is broken with a word joiner (U+2060), which is invisible, and an arrow is written as one character. It has
no speakers either: their names stand before what they say (`metadata.captions.prefixes`).

Reading, a caption's text goes on until the next line of times, so that empty lines inside it do no harm; a
line with an arrow that is no line of times is an error. pysubs2 would take such a line for speech. Times are read in
the ways in which programs and people have written them: with any number of digits of a fraction, with 60 and more
seconds or minutes, a little before the beginning, and with arrows that an editor has changed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from metadata.captions.base import CaptionFormat, Source, clock_ms, imported, join_lines, tidy
from metadata.captions.cues import Cue, cues
from metadata.captions.prefixes import name_speakers, prefixed
from metadata.captions.rolling import may_roll, new_lines, rolls
from metadata.languages import UNDETERMINED
from metadata.model import Segment, Transcript
from metadata.times import format_timestamp

_TAG = re.compile(r"<(?=[A-Za-z/!?])|\{(?=\\)")
_TIME = r"(-?)(?:([0-9]{1,4}) ?: ?)?([0-9]{1,2}) ?: ?([0-9]{1,2})(?: ?(?:[,.;] ?|:(?=[0-9]{3}))([0-9]{1,9}))?"
_ARROW = "(?:-->|->|- ->|[–—]>|--&gt;)"
_TIMINGS = re.compile(rf"\s*{_TIME}\s*{_ARROW}\s*{_TIME}(?P<rest>\s.*)?", re.DOTALL)
_SETTINGS = re.compile(r"(?:\s+[A-Za-z]\w*:\S*)*\s*")
"""Where a caption stands, behind its times: ``X1:201 X2:516``, ``position:50%``."""
_INVISIBLE = "[\u200b-\u200f\u202a-\u202e\u2060]"
_FIRST = re.compile(rf"\s*+(?:[0-9]+\s*[\r\n]\s*)?(?:{_INVISIBLE}|\s)*+-?[0-9][^\r\n>]*{_ARROW}")
# A tag holds no "<": a search that begins at one ends at the next, so that text of many beginnings takes no longer.
_STYLE = re.compile(r"</?(?:b|i|u|s|font)(?:\s[^<>]*)?>|\{\\[^{}]*\}", re.IGNORECASE)
_JOINED = re.compile(r"(?<=[<{])\u2060")


def write(transcript: Transcript) -> str:
    """Return an SRT file; flagged segments are left out."""
    return "\n".join(_block(number, cue) for number, cue in enumerate(cues(transcript), start=1))


def _block(number: int, cue: Cue) -> str:
    start = format_timestamp(cue.start_ms, separator=",")
    end = format_timestamp(cue.end_ms, separator=",")
    lines = "\n".join(map(_defuse, cue.lines))
    return f"{number}\n{start} --> {end}\n{_defuse(prefixed(cue.speaker))}{lines}\n"


def _defuse(text: str) -> str:
    return _TAG.sub("\\g<0>\u2060", text.replace("-->", "→"))


@dataclass(frozen=True, slots=True)
class _Block:
    """A caption as it stands in a file."""

    start_ms: int
    end_ms: int
    lines: list[str] = field(default_factory=list)


def detect(text: str) -> bool:
    """Whether an arrow follows a number or what looks like a time, in the first lines of text."""
    return _FIRST.match(text) is not None


def read(text: str, source: Source) -> Transcript:
    """Return what an SRT file says.

    Raises:
        FormatError: text stands before the first caption, or times cannot be read.
    """
    blocks: list[_Block] = []
    numbered = False
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        if match := _TIMINGS.fullmatch(re.sub(_INVISIBLE, "", line)):
            if blocks:
                _drop_number(blocks[-1].lines, len(blocks) + 1, numbered=numbered)
            groups = match.groups()
            blocks.append(_Block(_ms(groups[:5]), _ms(groups[5:10])))
            if not _SETTINGS.fullmatch(rest := match["rest"] or ""):
                blocks[-1].lines.append(rest)
        elif "-->" in line:
            raise source.error(number, "expected times such as '00:00:01,000 --> 00:00:02,500'")
        elif blocks:
            blocks[-1].lines.append(line)
        elif _is_number(line):
            numbered = True
        elif line.strip():
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


def _is_number(line: str) -> bool:
    return line.strip().isdecimal()


def _drop_number(lines: list[str], expected: int, *, numbered: bool) -> None:
    """Take the next caption's number from the lines of a caption, also where an empty line stands behind it.

    Args:
        lines: of the caption before; they are changed.
        expected: what the number is, if captions are counted from 1.
        numbered: whether the file numbers its captions: without, a number is what somebody says.
    """
    last = next((at for at in range(len(lines) - 1, -1, -1) if lines[at].strip()), None)
    if last is None or not _is_number(lines[last]):
        return
    follows, is_expected = last == len(lines) - 1, lines[last].strip().lstrip("0") == str(expected)
    if follows + is_expected + numbered >= 2:
        del lines[last:]


def _ms(parts: Sequence[str | None]) -> int:
    return 0 if parts[0] else clock_ms(parts[1:])


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
