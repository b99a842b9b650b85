"""Stretches of a caption's text, in formats that say inside of it who speaks, or when a word begins.

In other formats each caption is a single word: `hold_words` tells, and `begins_anew` says where words are parted.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from msgspec import UNSET

from metadata.captions.base import join_lines
from metadata.model import Segment, Word

PAUSE_MS, LONGEST, SENTENCE_ENDS = 1_000, 24, (".", "?", "!", "…", "。", "？", "！")
"""Where words without segments are parted: at silences, after so many, and behind these."""
WORD_MS = 1_000
"""Words last shorter than this, sentences longer: this tells them apart where nothing stands between words."""


def hold_words(texts: Sequence[str], lengths_ms: Sequence[float]) -> bool:
    """Whether captions hold a word each, by their texts and how long they last: half of all words are short."""
    return len(texts) > 1 and all(len(text.split()) <= 1 for text in texts) and statistics.median(lengths_ms) < WORD_MS


def begins_anew(count: int, before: str, pause_ms: float) -> bool:
    """Whether a segment begins with a word, after so many words, the last one before it, and a pause."""
    return count > 0 and (pause_ms >= PAUSE_MS or count == LONGEST or before.rstrip().endswith(SENTENCE_ENDS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of a caption's text.

    Attributes:
        text: as it stands there, with its spaces.
        speaker: who says it, where the file says so.
        start_ms: when it begins, where the file says so.
        end_ms: when it ends; without, the next stretch that has a time begins then.
        overlapped: whether others speak at the same time.
    """

    text: str
    speaker: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    overlapped: bool = False


def spoken(spans: Sequence[Span], start_ms: int, end_ms: int, language: str) -> Iterator[Segment]:
    """Yield a segment for each voice of a caption; they share its time by the length of what they say.

    Args:
        spans: the caption's text; line ends in it break its lines.
        start_ms: when the caption begins.
        end_ms: when it ends, not before it begins.
        language: BCP-47: it says what stands between lines.
    """
    spans = [span for span in spans if span.text]
    voices = [(speaker, list(each)) for speaker, each in groupby(spans, key=lambda span: span.speaker)]
    total = sum(len(span.text) for span in spans)
    said = 0
    for speaker, each in voices:
        start = start_ms + (end_ms - start_ms) * said // total
        said += sum(len(span.text) for span in each)
        end = start_ms + (end_ms - start_ms) * said // total
        yield Segment(
            start_ms=start,
            end_ms=end,
            text=join_lines("".join(span.text for span in each).split("\n"), language),
            speaker=speaker,
            words=_words(each, start, end),
            overlapped=any(span.overlapped for span in each) or UNSET,
        )


def _words(spans: Sequence[Span], start_ms: int, end_ms: int) -> tuple[Word, ...]:
    """Return words with times, if the file times any; those of one span share its time by their length."""
    if all(span.start_ms is None for span in spans):
        return ()
    spans = [span for span in spans if span.text.strip()]
    starts: list[int] = []
    for span in spans:
        previous = starts[-1] if starts else start_ms
        starts.append(min(max(span.start_ms or previous, previous), end_ms))
    words = []
    for span, start, following in zip(spans, starts, [*starts[1:], end_ms], strict=True):
        end = following if span.end_ms is None else min(max(span.end_ms, start), end_ms)
        said = span.text.strip()
        words += [
            Word(
                start_ms=start + (end - start) * part.start() // len(said),
                end_ms=start + (end - start) * part.end() // len(said),
                text=part[0],
            )
            for part in re.finditer(r"\S+", said)
        ]
    return tuple(words)
