"""From words to segments: a segment ends where a sentence or a pause does.

Times are the words' own. A word that ends late or early changes nothing but itself: no other time is
moved or scaled to fit it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from metadata.model import Flag, Segment, Word

LONGEST_MS = 15_000
LONGEST_TEXT = 240
PAUSE_MS = 1_500
"""Silence that ends a segment, whatever was being said."""
SHORTEST_MS = 20
"""Of a word: attention, which counts in these, puts several on one moment, but none was said in no time."""

_SENTENCE = re.compile(r"[.?!…。？！؟।][\"'”’»)\]」』]*$")
_CLAUSE = re.compile(r"[,;:、，；：،؛—–][\"'”’»)\]」』]*$")
# "Dr. Gray", "J. Smith" and German "21. Juli" go on; so does a number that Whisper splits at its point.
_ABBREVIATION = re.compile(r"^[\W_]*(Mr|Mrs|Ms|Dr|Prof|St|Sr|Sra|Mme|vs|No|Nr|bzw|[^\W\d_]|\d+)\.$")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardWord:
    """A word as an engine decoded it, with what speaks for it.

    Attributes:
        start_ms: in the recording.
        end_ms: in the recording.
        text: with the space before it, where the language writes one.
        confidence: the model's probability, 0 to 1.
        speech: mean probability that someone speaks in its time, from speech detection, 0 to 1.
        no_speech: the model's probability that its window holds no speech, 0 to 1.
        language: as a BCP-47 tag, where it is another than the recording's.
        range_db: from the quietest to the loudest of its window; little of it is noise, or many voices.
        foreign: probability that its window is in another language than it was decoded in, 0 to 1.
    """

    start_ms: int
    end_ms: int
    text: str
    confidence: float
    speech: float = 1.0
    no_speech: float = 0.0
    language: str | None = None
    foreign: float = 0.0
    range_db: float = 60.0


def in_order(words: Sequence[HeardWord]) -> list[HeardWord]:
    """Return the words with times that never run backwards: each starts after the one before, and lasts a moment."""
    ordered: list[HeardWord] = []
    for word in words:
        start = max(word.start_ms, ordered[-1].start_ms + SHORTEST_MS if ordered else 0)
        ordered.append(replace(word, start_ms=start, end_ms=max(word.end_ms, start + SHORTEST_MS)))
    return [
        replace(word, end_ms=min(word.end_ms, following.start_ms)) for word, following in pairwise(ordered)
    ] + ordered[-1:]


def sentences(words: Sequence[HeardWord]) -> Iterator[tuple[HeardWord, ...]]:
    """Group words into sentences, none longer than 15 seconds or 240 characters, none over a long pause."""
    begun = 0
    for i in range(1, len(words) + 1):
        if i == len(words) or _ends(words[i - 1], words[i]):
            yield from _short(words[begun:i])
            begun = i


def segment(words: Sequence[HeardWord], flags: tuple[Flag, ...]) -> Segment:
    """Return words as one segment, from the first word's start to the last one's end."""
    return Segment(
        start_ms=words[0].start_ms,
        end_ms=words[-1].end_ms,
        text=text_of(words),
        confidence=round(sum(word.confidence for word in words) / len(words), 4),
        flags=flags,
        language=words[0].language,
        words=tuple(
            Word(
                start_ms=word.start_ms, end_ms=word.end_ms, text=word.text.strip(), confidence=round(word.confidence, 4)
            )
            for word in words
        ),
    )


def text_of(words: Sequence[HeardWord]) -> str:
    """Return the words as they are written, with single spaces."""
    return " ".join("".join(word.text for word in words).split())


def _ends(word: HeardWord, following: HeardWord) -> bool:
    pause = following.start_ms - word.end_ms
    if pause >= PAUSE_MS or word.language != following.language:
        return True
    return bool(_SENTENCE.search(word.text)) and not _ABBREVIATION.match(word.text.strip())


def _short(words: Sequence[HeardWord]) -> Iterator[tuple[HeardWord, ...]]:
    """Halve at the best place near the middle until each part is short enough."""
    length = words[-1].end_ms - words[0].start_ms
    if len(words) == 1 or (length <= LONGEST_MS and len(text_of(words)) <= LONGEST_TEXT):
        yield tuple(words)
        return
    at = min(range(1, len(words)), key=lambda i: _cost(words, i, max(length, 1)))
    yield from _short(words[:at])
    yield from _short(words[at:])


def _cost(words: Sequence[HeardWord], at: int, length: int) -> float:
    balance = abs((words[at].start_ms - words[0].start_ms) / length - 0.5)
    pause = min(words[at].start_ms - words[at - 1].end_ms, 1_000) / 5_000
    return balance - pause - (0.2 if _CLAUSE.search(words[at - 1].text) else 0.0)
