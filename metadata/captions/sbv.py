"""SBV (SubViewer as YouTube writes it): read only.

A line ``H:MM:SS.mmm,H:MM:SS.mmm``, lines of text (``[br]`` breaks them too), and an empty line:
https://support.google.com/youtube/answer/2734698, "Basic file formats".
"""

from __future__ import annotations

import re

from metadata.captions.base import CaptionFormat, Source, clock_ms, imported, join_lines
from metadata.captions.prefixes import name_speakers
from metadata.languages import UNDETERMINED
from metadata.model import Segment, Transcript

_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,9})(?!\d))?"
_TIMINGS = re.compile(rf"\s*{_TIME}\s*,\s*{_TIME}\s*", re.ASCII)
_FIRST = re.compile(r"\s*+(?:\d+:)?\d+:\d\d(?:[.,]\d+)?\s*,\s*(?:\d+:)?\d+:\d\d", re.ASCII)


def detect(text: str) -> bool:
    """Whether the first line of text holds two times and a comma."""
    return _FIRST.match(text) is not None


def read(text: str, source: Source) -> Transcript:
    """Return what an SBV file says.

    Raises:
        FormatError: a caption does not begin with its times.
    """
    blocks: list[tuple[int, int, list[str]]] = []
    inside = False
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        if not line.strip():
            inside = False
        elif match := _TIMINGS.fullmatch(line):  # also where the empty line before it is missing
            parts = match.groups()
            blocks.append((clock_ms(parts[:4]), clock_ms(parts[4:]), []))
            inside = True
        elif inside:
            blocks[-1][2].extend(line.split("[br]"))
        else:
            raise source.error(number, "expected times such as '0:00:01.000,0:00:02.500'")
    language = source.language or UNDETERMINED
    segments = [Segment(start_ms=a, end_ms=b, text=join_lines(lines, language)) for a, b, lines in blocks]
    return imported(source, name_speakers(segments), generator=FORMAT.title)


FORMAT = CaptionFormat(
    name="sbv", title="SubViewer (SBV)", media_type="text/plain", suffix=".sbv", read=read, detect=detect
)
