"""Tables as Whisper's programs write them: read only.

openai-whisper (``--output_format tsv``; ``whisper/utils.py``, WriteTSV) has the columns ``start``, ``end`` and ``text``
with tabs between them, milliseconds, and a blank for every tab in the text. whisper.cpp (``--output-csv``) has commas,
text in quotes, and ``speaker`` before the text where it tells who spoke.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from metadata.captions.base import LONGEST_MS, CaptionFormat, Source, imported, tidy
from metadata.model import Segment, Transcript

_COLUMNS = ("start", "end", "text")
_HEADER = re.compile(r"\s*(?:start\tend\t(?:speaker\t)?text|start,end,(?:speaker,)?text)[ \t]*(?:\r|\n|$)")


def detect(text: str) -> bool:
    """Whether the first line names the columns."""
    return _HEADER.match(text) is not None


def read(text: str, source: Source) -> Transcript:
    """Return what a table says.

    Raises:
        FormatError: the columns are others, or a line does not begin with two times.
    """
    if not detect(text):
        raise source.error(1, f"expected the columns {', '.join(_COLUMNS)}")
    return imported(source, _segments(text.lstrip(), source), generator=FORMAT.title)


def _segments(text: str, source: Source) -> Iterator[Segment]:
    lines = re.split(r"\r\n|\r|\n", text)
    tabs = lines[0].count("\t")
    quoted = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)  # a text in quotes may hold line ends
    rows: Iterator[list[str]] = (line.split("\t", tabs) for line in lines) if tabs else quoted
    columns = [name.strip() for name in next(rows)]
    try:
        for number, row in enumerate(rows, start=2):
            if any(cell.strip() for cell in row):
                yield _segment(dict(zip(columns, row, strict=False)), source, number)
    except csv.Error as error:
        raise source.error("", str(error)) from error


def _segment(row: dict[str, str], source: Source, line: int) -> Segment:
    times = [row.get(name, "").strip() for name in ("start", "end")]
    if not all(re.fullmatch(r"\d{1,12}", time, re.ASCII) and int(time) <= LONGEST_MS for time in times):
        raise source.error(line, "expected two times in milliseconds, and text")
    return Segment(
        start_ms=int(times[0]),
        end_ms=int(times[1]),
        text=tidy(row.get("text", "")),
        speaker=tidy(row.get("speaker", "")) or None,
    )


FORMAT = CaptionFormat(
    name="whisper-tsv",
    title="Whisper TSV",
    media_type="text/tab-separated-values",
    suffix=".tsv",
    read=read,
    detect=detect,
)
