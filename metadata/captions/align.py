"""Text without times, laid along what a machine heard: every word that both have gets the time at which it was heard.

The words that both have, in order, are a longest common subsequence (rapidfuzz, bit-parallel: Hyyrö 2004). Words
between them share the time between them by their length.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rapidfuzz.distance import LCSseq

from metadata.model import Segment, Transcript, Word

LEAST_SHARED = 0.25
"""With fewer of its words heard, a text is another recording's."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """A text with times, and the share of its words that were heard, 0 to 1."""

    transcript: Transcript
    shared: float


def align(text: Transcript, heard: Transcript) -> Aligned:
    """Return a text's transcript with the times of another of the same recording, whose words have times.

    Args:
        text: in segments, whose times are not believed.
        heard: flagged segments are not believed either.
    """
    words = [(number, word) for number, segment in enumerate(text.segments) for word in segment.text.split()]
    known = [word for segment in heard.segments if not segment.flags for word in segment.words]
    starts: dict[int, Word] = {}
    blocks = LCSseq.opcodes([_key(word) for _, word in words], [_key(word.text) for word in known])
    for block in blocks:
        if block.tag == "equal":
            size = block.src_end - block.src_start
            starts |= {block.src_start + i: known[block.dest_start + i] for i in range(size)}
    timed = _filled([word for _, word in words], starts, text.duration_ms)
    of_segment: dict[int, list[Word]] = {}
    for (number, _), word in zip(words, timed, strict=True):
        of_segment.setdefault(number, []).append(word)
    segments = tuple(_placed(segment, of_segment[number]) for number, segment in enumerate(text.segments))
    return Aligned(replace(text, segments=segments), len(starts) / max(len(words), 1))


def _filled(words: Sequence[str], starts: dict[int, Word], duration_ms: int) -> list[Word]:
    """Return every word with times: those heard have theirs, those between share what is left by length."""
    result: list[Word] = []
    anchors = [-1, *sorted(starts), len(words)]
    for before, after in pairwise(anchors):
        if before >= 0:
            heard = starts[before]
            result.append(Word(start_ms=heard.start_ms, end_ms=heard.end_ms, text=words[before]))
        begin = starts[before].end_ms if before >= 0 else 0
        end = max(begin, starts[after].start_ms if after < len(words) else duration_ms)
        total, said = sum(map(len, words[before + 1 : after])), 0
        for word in words[before + 1 : after]:
            start_ms = begin + (end - begin) * said // total
            said += len(word)
            result.append(Word(start_ms=start_ms, end_ms=begin + (end - begin) * said // total, text=word))
    return result


def _placed(segment: Segment, words: Sequence[Word]) -> Segment:
    return replace(segment, start_ms=words[0].start_ms, end_ms=words[-1].end_ms, words=tuple(words))


def _key(word: str) -> str:
    """Return a word as it sounds: without case, marks and punctuation."""
    folded = unicodedata.normalize("NFKD", word.casefold())
    return "".join(char for char in folded if char.isalnum()) or word
