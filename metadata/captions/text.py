"""Plain text for reading: a paragraph ends where the speaker pauses or another one begins.

Text has no times, unless lines begin with them, as those of transcribing programs and meetings do, or stand behind
names (``[00:01] Welcome``, ``Noor Okafor  0:01``). What is read gets its share of the recording, or of what lies
between two such times, by its length, sentence by sentence, until it is laid along what was heard
(`metadata.captions.align`); the first line of a speaker begins with the name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby, pairwise
from typing import NamedTuple

from metadata.captions.base import LONGEST_MS, PER_LETTER_MS, CaptionFormat, Source, clock_ms, imported, join_lines
from metadata.captions.cues import clean
from metadata.captions.prefixes import name_speakers, prefixed
from metadata.languages import UNDETERMINED, word_separator
from metadata.model import Segment, Transcript

PAUSE_MS = 2_000
"""Silence between two segments that starts a new paragraph."""

_PARAGRAPHS = re.compile(r"(?:\r\n|\r|\n)\s*?(?:\r\n|\r|\n)")
_TIME = r"(?:(\d{1,3}):)?(\d{1,3}):([0-5]\d)(?:[.,](\d{1,9}))?"
_FROM = re.compile(rf"[\[(]?{_TIME}(?:\s*(?:-->|[-–—])\s*{_TIME})?[\])]?\s*?[:–—-]?(?:\s+(.*))?", re.ASCII)
_NAME_FROM = re.compile(rf"([^\W\d_][^\s:]*(?: [^\s:]+){{0,4}})\s+[\[(]?{_TIME}[\])]?:?")
_LATE_MS = 5_000
"""How long after a recording's end its last time may be, since lengths are rounded."""
SENTENCES = re.compile(r"(?<=[.?!…])\s+|(?<=[。？！])\s*")


def write(transcript: Transcript) -> str:
    """Return paragraphs with an empty line between them; flagged segments are left out."""
    trusted = [segment for segment in transcript.segments if not segment.flags and segment.text.strip()]
    paragraphs: list[list[Segment]] = [trusted[:1]] if trusted else []
    for before, segment in pairwise(trusted):
        if segment.start_ms - before.end_ms >= PAUSE_MS or segment.speaker != before.speaker:
            paragraphs.append([])
        paragraphs[-1].append(segment)
    return "\n".join(_paragraph(part, word_separator(transcript.language)) for part in paragraphs)


def _paragraph(part: Sequence[Segment], separator: str) -> str:
    return prefixed(clean(part[0].speaker or "")) + separator.join(clean(segment.text) for segment in part) + "\n"


def read(text: str, source: Source) -> Transcript:
    """Return what a text says, a segment for each sentence.

    Raises:
        FormatError: it is not text, or it has no times and nobody knows how long the recording is.
    """
    if "\0" in text:
        raise source.error(text.count("\n", 0, text.index("\0")) + 1, "not text: it holds a NUL character")
    language, lines = source.language or UNDETERMINED, text.splitlines()
    parts = _timed(lines, source.duration_ms)
    if not parts and source.duration_ms is None:
        raise source.error("", "text has no times, so the length of its recording must be known")
    paragraphs = [
        (part, Segment(start_ms=part.start_ms, end_ms=part.start_ms, text=paragraph, speaker=part.speaker))
        for part in parts or [_Part(0, None, None, lines)]
        for each in _PARAGRAPHS.split("\n".join(part.lines))
        if (paragraph := join_lines(each.splitlines(), language))
    ]
    named = name_speakers([segment for _, segment in paragraphs])
    segments: list[Segment] = []
    for part, turns in groupby(zip(paragraphs, named, strict=True), key=lambda pair: pair[0][0]):
        said = [(segment.text, segment.speaker) for _, segment in turns]
        segments += shared_out(said, part.start_ms, part.end_ms or source.duration_ms)
    return imported(source, segments, generator=FORMAT.title)


def shared_out(
    paragraphs: Iterable[tuple[str, str | None]], start_ms: int, end_ms: int | None = None
) -> Iterator[Segment]:
    """Yield the sentences of paragraphs, which share a time by their length.

    Args:
        paragraphs: texts, and who says them.
        start_ms: when the first begins.
        end_ms: when the last ends; None where nobody knows.
    """
    said = [(sentence, speaker) for text, speaker in paragraphs for sentence in SENTENCES.split(text) if sentence]
    ends = list(accumulate((len(sentence) for sentence, _ in said), initial=0))
    if end_ms is None:
        end_ms = min(start_ms + ends[-1] * PER_LETTER_MS, LONGEST_MS)
    length = max(end_ms - start_ms, 0)
    times = [start_ms + length * end // max(ends[-1], 1) for end in ends]
    for (sentence, speaker), (start, end) in zip(said, pairwise(times), strict=True):
        yield Segment(start_ms=start, end_ms=end, text=sentence, speaker=speaker)


class _Part(NamedTuple):
    """Lines that stand behind one time, from when to when they are said, and by whom, as far as the text tells."""

    start_ms: int
    end_ms: int | None
    speaker: str | None
    lines: list[str]


def _timed(lines: Iterable[str], duration_ms: int | None) -> list[_Part]:
    """Return the parts of a text that begin with times in order; none where the text has no such times.

    Lines before the first are a heading, where they are fewer than the times.
    """
    parts: list[_Part] = []
    heading = 0
    for line in map(str.strip, lines):
        if found := _FROM.fullmatch(line):
            end = clock_ms(found.groups()[4:8]) if found[6] else None
            parts.append(_Part(clock_ms(found.groups()[:4]), end, None, [found[9] or ""]))
        elif found := _NAME_FROM.fullmatch(line):
            parts.append(_Part(clock_ms(found.groups()[1:]), None, found[1], []))
        elif parts:
            parts[-1].lines.append(line)
        else:
            heading += bool(line)
    starts = [part.start_ms for part in parts]
    latest = LONGEST_MS if duration_ms is None else duration_ms + _LATE_MS
    if len(parts) < max(2, heading + 1) or starts != sorted(starts) or starts[-1] > latest:
        return []
    return [part._replace(end_ms=part.end_ms or end) for part, end in zip(parts, [*starts[1:], None], strict=True)]


FORMAT = CaptionFormat(name="txt", title="Plain text", media_type="text/plain", suffix=".txt", write=write, read=read)
