"""Plain text for reading: a paragraph ends where the speaker pauses or another one begins.

Text has no times. What is read gets its share of the recording by its length, sentence by sentence, until it is
laid along what was heard (`metadata.captions.align`); the first line of a speaker begins with the name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate, pairwise

from metadata.captions.base import CaptionFormat, Source, imported, join_lines
from metadata.captions.cues import clean
from metadata.captions.prefixes import name_speakers, prefixed
from metadata.languages import UNDETERMINED, word_separator
from metadata.model import Segment, Transcript

PAUSE_MS = 2_000
"""Silence between two segments that starts a new paragraph."""

_PARAGRAPHS = re.compile(r"(?:\r\n|\r|\n)\s*?(?:\r\n|\r|\n)")
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
        FormatError: it is not text, or nobody knows how long the recording is.
    """
    if "\0" in text:
        raise source.error(text.count("\n", 0, text.index("\0")) + 1, "not text: it holds a NUL character")
    if source.duration_ms is None:
        raise source.error("", "text has no times, so the length of its recording must be known")
    language = source.language or UNDETERMINED
    paragraphs = [join_lines(part.splitlines(), language) for part in _PARAGRAPHS.split(text)]
    named = name_speakers([Segment(start_ms=0, end_ms=0, text=each) for each in paragraphs if each])
    said = [(sentence, each.speaker) for each in named for sentence in SENTENCES.split(each.text) if sentence]
    ends = list(accumulate((len(sentence) for sentence, _ in said), initial=0))
    times = [source.duration_ms * end // max(ends[-1], 1) for end in ends]
    segments = [
        Segment(start_ms=start, end_ms=end, text=sentence, speaker=speaker)
        for (sentence, speaker), (start, end) in zip(said, pairwise(times), strict=True)
    ]
    return imported(source, segments, generator=FORMAT.title)


FORMAT = CaptionFormat(name="txt", title="Plain text", media_type="text/plain", suffix=".txt", write=write, read=read)
