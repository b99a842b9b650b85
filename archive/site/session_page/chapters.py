"""Chapters that nobody made: proposed where the words change, best after a pause."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from archive.index.tokens import words
from archive.site.session_page.transcript import Paragraph

SHORTEST_MS = 4 * 60_000
"""Between two chapters."""
TYPICAL_MS = 7 * 60_000
LEAST_MS = 15 * 60_000
"""Of a recording that is worth dividing."""
AROUND_MS = 3 * 60_000
"""Before and after a place whose words are compared."""
KEYWORDS = 3
SHORTEST_WORD = 4


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of a recording: when it begins, what it is called, and whether somebody from the audience begins it."""

    start_ms: int
    title: str
    begins_with: Literal["question", "interruption"] | None = None


def propose(paragraphs: Sequence[Paragraph], stop: frozenset[str] = frozenset()) -> tuple[Chapter, ...]:
    """Return chapters with their most telling words as titles; none where a recording is short.

    Source: M. A. Hearst, TextTiling (1997): windows of text beside a gap are compared by the words they share.

    Args:
        paragraphs: the transcript.
        stop: words that tell nothing, folded.
    """
    said = [each for each in paragraphs if not each.doubts and not each.redacted]
    if not said or said[-1].sentences[-1].line.end_ms - said[0].start_ms < LEAST_MS:
        return ()
    texts = [Counter(_telling(each, stop)) for each in said]
    scored = sorted(((_change(said, texts, nth), nth) for nth in range(1, len(said))), reverse=True)
    whole = said[-1].sentences[-1].line.end_ms - said[0].start_ms
    chosen = [0]
    for _, nth in scored:
        if len(chosen) >= max(2, round(whole / TYPICAL_MS)):
            break
        start = said[nth].start_ms
        if all(abs(start - said[other].start_ms) >= SHORTEST_MS for other in chosen):
            chosen.append(nth)
    bounds = [*sorted(chosen), len(said)]
    parts = [sum(texts[begin:end], Counter()) for begin, end in pairwise(bounds)]
    all_of_it = sum(parts, Counter())
    spelled = _spelling(said)
    return tuple(
        Chapter(said[begin].start_ms, " · ".join(spelled.get(word, word) for word in _keywords(part, all_of_it)))
        for begin, part in zip(bounds, parts, strict=False)
    )


def _telling(paragraph: Paragraph, stop: frozenset[str]) -> list[str]:
    return [
        word
        for sentence in paragraph.sentences
        for word in words(sentence.line.text)
        if len(word) >= SHORTEST_WORD and word not in stop and not word.isdigit()
    ]


def _change(said: Sequence[Paragraph], texts: Sequence[Counter[str]], nth: int) -> float:
    """Return how much the words change before a paragraph; a pause counts for a little."""
    at = said[nth].start_ms
    before: Counter[str] = Counter()
    for other in range(nth - 1, -1, -1):
        if said[other].start_ms < at - AROUND_MS:
            break
        before += texts[other]
    after: Counter[str] = Counter()
    for other in range(nth, len(said)):
        if said[other].start_ms > at + AROUND_MS:
            break
        after += texts[other]
    pause = max(at - said[nth - 1].sentences[-1].line.end_ms, 0)
    return 1 - _likeness(before, after) + min(pause / 20_000, 0.25)


def _likeness(one: Counter[str], other: Counter[str]) -> float:
    shared = sum(count * other[word] for word, count in one.items() if word in other)
    size = math.sqrt(sum(x * x for x in one.values()) * sum(x * x for x in other.values()))
    return shared / size if size else 0.0


def _keywords(part: Counter[str], whole: Counter[str]) -> list[str]:
    """Return the words that stand in a part more often than in the whole, by how unlikely that is by chance.

    Source: T. Dunning, Accurate Methods for the Statistics of Surprise and Coincidence (1993), the greater term.
    """
    share = part.total() / max(whole.total(), 1)
    weighed = {word: count * math.log(count / (whole[word] * share)) for word, count in part.items()}
    return sorted(weighed, key=lambda word: (-weighed[word], word))[:KEYWORDS]


def _spelling(said: Sequence[Paragraph]) -> dict[str, str]:
    """Return how words are written mostly, by how they are folded."""
    forms: dict[str, Counter[str]] = {}
    for paragraph in said:
        for sentence in paragraph.sentences:
            for written in sentence.line.text.split():
                bare = written.strip(".,;:!?\"'()[]«»“”„…")
                folded = words(bare)
                if len(folded) == 1:
                    forms.setdefault(folded[0], Counter())[bare] += 1
    return {word: counted.most_common(1)[0][0] for word, counted in forms.items()}
