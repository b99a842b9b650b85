r"""Advanced SubStation Alpha (ASS), and SSA before it: what Aegisub edits, with a field for who speaks.

Source: the format's own description ("Sub Station Alpha v4.00+ Script Format", https://fileformats.fandom.com/wiki/SubStation_Alpha)
and what libass makes of it. The ``Format`` line of ``[Events]`` names the fields, in any order; the text is the last of
them and may hold commas. Times are in hundredths of a second. ``\N`` breaks a line, braces hold what changes the look
of text, and after ``{\p1}`` come shapes instead of words. Braces and backslashes of what is said are written as FFmpeg
writes them: ``\{``, and a backslash with a word joiner (U+2060) behind it. No field but the text may hold a comma: in
a name it is written as U+201A, which looks the same.

pysubs2 1.8 reads and writes the format, but does not say which line is broken, and takes what stands between ``\{`` and
``\}`` for a style.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from metadata.captions.base import CaptionFormat, Source, clock_ms, imported, join_lines, tidy
from metadata.captions.cues import Cue, clean, cues
from metadata.captions.prefixes import name_speakers
from metadata.languages import UNDETERMINED
from metadata.model import Segment, Transcript
from metadata.times import format_timestamp

FIELDS = ("Layer", "Start", "End", "Style", "Name", "MarginL", "MarginR", "MarginV", "Effect", "Text")
DEFAULT = tuple(field.casefold() for field in FIELDS)
"""What fields are called, whatever the case, in a file that does not say it."""
HEADER = f"""\
[Script Info]
ScriptType: v4.00+
WrapStyle: 2
ScaledBorderAndShadow: yes
PlayResX: 1280
PlayResY: 720

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, OutlineColour, BackColour, BorderStyle, Outline, Shadow, Alignment, \
MarginL, MarginR, MarginV
Style: Default,Arial,44,&H00FFFFFF,&H00000000,&H80000000,1,3,1,2,40,40,36

[Events]
Format: {", ".join(FIELDS)}
"""

_SECTION = re.compile(r"\[(script info|v4\+? styles|events)\]", re.IGNORECASE)
_TIME = re.compile(r"(\d{1,4}):(\d{1,2}):(\d{1,2})(?:[.:,](\d{1,9}))?", re.ASCII)
_STYLED = re.compile(r"(?<!\\)\{([^{}]*)\}")
_SHAPES = re.compile(r"\\p(\d)")
_SPECIAL = re.compile(r"[{}\\]")
_ESCAPED = re.compile(r"\\(?:(?P<brace>[{}])|(?P<joiner>\u2060)|(?P<line>[Nn])|h)")
_COMMA = "\u201a"


def write(transcript: Transcript) -> str:
    """Return an ASS file; flagged segments are left out."""
    return HEADER + "".join(map(_line, cues(transcript)))


def _line(cue: Cue) -> str:
    name = clean(cue.speaker or "").replace(",", _COMMA)
    text = r"\N".join(_SPECIAL.sub(_escape, line) for line in cue.lines)
    return f"Dialogue: 0,{_clock(cue.start_ms)},{_clock(cue.end_ms)},Default,{name},0,0,0,,{text}\n"


def _clock(ms: int) -> str:
    return format_timestamp(ms)[:-1].removeprefix("0")


def _escape(special: re.Match[str]) -> str:
    return "\\\u2060" if special[0] == "\\" else f"\\{special[0]}"


def detect(text: str) -> bool:
    """Whether the first line that is no comment begins one of the format's sections."""
    first = next((line for line in text.splitlines() if line.strip() and not line.lstrip().startswith((";", "!:"))), "")
    return _SECTION.match(first.strip()) is not None


def read(text: str, source: Source) -> Transcript:
    """Return what an ASS or SSA file says.

    Raises:
        FormatError: a line of dialogue has too few fields, or a time that is none.
    """
    segments = [*_segments(text, source)]
    if not any(segment.speaker for segment in segments):
        segments = [*name_speakers(segments)]
    return imported(source, segments, generator=FORMAT.title)


def _segments(text: str, source: Source) -> Iterator[Segment]:
    fields = DEFAULT
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        kind, _, rest = line.partition(":")
        if line.strip().casefold() == "[events]":
            fields = DEFAULT
        if kind.strip().casefold() == "format":
            fields = tuple(field.strip().casefold() for field in rest.split(","))
        if kind.strip().casefold() != "dialogue":
            continue
        values = dict(zip(fields, rest.split(",", len(fields) - 1), strict=False))
        if not {"start", "end", "text"} <= values.keys():
            raise source.error(number, f"expected {len(fields)} fields, as the line 'Format:' of the events names them")
        name = tidy(values.get("name") or values.get("actor") or "").replace(_COMMA, ",")
        yield Segment(
            start_ms=_ms(values["start"], number, source),
            end_ms=_ms(values["end"], number, source),
            text=join_lines(_said(values["text"]).split("\n"), source.language or UNDETERMINED),
            speaker=name or None,
        )


def _ms(value: str, number: int, source: Source) -> int:
    if (found := _TIME.fullmatch(value.strip())) is None:
        raise source.error(number, f"expected a time such as '0:00:01.50', not {value.strip()[:40]!r}")
    return clock_ms(found.groups())


def _said(text: str) -> str:
    """Return the words of a line, without what changes their look, and without shapes."""
    said, shapes = [], False
    for nth, part in enumerate(_STYLED.split(text)):
        if nth % 2:  # what was in braces
            shapes = shapes if (level := _SHAPES.findall(part)) == [] else level[-1] != "0"
        elif not shapes:
            said.append(_ESCAPED.sub(_unescape, part))
    return "".join(said)


def _unescape(found: re.Match[str]) -> str:
    if found["joiner"]:
        return "\\"
    return found["brace"] or ("\n" if found["line"] else " ")


FORMAT = CaptionFormat(
    name="ass",
    title="Advanced SubStation Alpha",
    media_type="text/x-ssa",
    suffix=".ass",
    other_suffixes=(".ssa",),
    write=write,
    read=read,
    detect=detect,
)
