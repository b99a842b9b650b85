"""SCC (Scenarist closed captions, CEA-608): what broadcast gives; read only, through ttconv.

ttconv is the reference for the mapping of CEA-608 to text (SMPTE RP 2052-10). pycaption, which reads SCC too,
lost most letters of a paint-on file ("m sum am,nsadng") and ended a pop-on caption eight minutes late.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from fractions import Fraction

import ttconv.model
import ttconv.scc.reader

from metadata.captions.base import LONGEST_MS, CaptionFormat, Source, imported, join_lines
from metadata.model import Segment, Transcript

LAST_MS = 10_000
"""How long the last caption stands if nothing takes it away, where nobody knows the recording's length."""

CODED_HOUR_MS, DROPPED_HOUR_MS = 3_603_600, 3_600_000
"""An hour of time codes at 29.97 frames a second, which count 30; with a semicolon, some are left out to keep time."""
_DROPS = re.compile(r"^\d\d:\d\d:\d\d;", re.MULTILINE | re.ASCII)

# It warns of captions that run over a television's edge, which is nothing to a transcript.
logging.getLogger("ttconv").setLevel(logging.ERROR)

_HEADER = re.compile(r"Scenarist_SCC V1\.0")
_CAPTION = re.compile(r"\d\d:\d\d:\d\d[:;]\d\d\s+(?:[0-9A-Fa-f]{4}\s*)+", re.ASCII)
_MOVING = re.compile(r"\b9(?:425|426|4a7|429)\b", re.IGNORECASE)
"""The codes that put a decoder into roll-up and paint-on modes (CEA-608, 8.4), where lines come again."""


def detect(text: str) -> bool:
    """Whether the text begins as SCC does."""
    return _HEADER.match(text) is not None


def read(text: str, source: Source) -> Transcript:
    """Return what an SCC file shows.

    Raises:
        FormatError: the header, or a line of captions, is not as it should be.
    """
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        if number == 1 and not _HEADER.fullmatch(line.strip()):
            raise source.error(1, "an SCC file begins with 'Scenarist_SCC V1.0'")
        if number > 1 and line.strip() and not _CAPTION.fullmatch(line.strip()):
            raise source.error(number, "expected a time code and codes of four hexadecimal digits")
    try:
        document = ttconv.scc.reader.to_model(text)
    except Exception as error:
        raise source.error("", f"its codes make no captions ({error})") from error
    segments = list(_segments(document, source.duration_ms, moving=_MOVING.search(text) is not None))
    hour_ms = DROPPED_HOUR_MS if _DROPS.search(text) else CODED_HOUR_MS
    return imported(source, segments, generator=FORMAT.title, hour_ms=hour_ms)


def _segments(document: ttconv.model.ContentDocument, last_ms: int | None, *, moving: bool) -> Iterator[Segment]:
    """Return a segment for each caption; in the modes that move lines, without those shown just before."""
    shown: list[str] = []
    for paragraph in document.get_body().dfs_iterator() if document.get_body() else ():
        if not isinstance(paragraph, ttconv.model.P):
            continue
        lines = _lines(paragraph)
        start_ms = _ms(paragraph.get_begin())
        end = paragraph.get_end()
        end_ms = min(start_ms + LAST_MS, last_ms or LONGEST_MS) if end is None else _ms(end)
        new = [line for line in lines if not (moving and line in shown)]
        yield Segment(start_ms=start_ms, end_ms=end_ms, text=join_lines(new, "und"))
        shown = lines


def _lines(paragraph: ttconv.model.P) -> list[str]:
    parts = []
    for element in paragraph.dfs_iterator():
        if isinstance(element, ttconv.model.Br):
            parts.append("\n")
        elif isinstance(element, ttconv.model.Text):
            parts.append(element.get_text())
    return "".join(parts).split("\n")


def _ms(time: Fraction | None) -> int:
    return round((time or 0) * 1000)


FORMAT = CaptionFormat(name="scc", title="SCC", media_type="text/plain", suffix=".scc", read=read, detect=detect)
