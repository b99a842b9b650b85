"""Whose words they are: a transcript's segments, divided where the voice changes.

Words are given to voices by time, and each word to one: to the voice that speaks for most of it. What is divided says
the same words at the same times. A segment without words of its own stays whole, and is its main voice's.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from metadata.model import Segment, Word

REACH_MS = 500
"""How far a word may be from the nearest turn and still be its voice's: both have times that are not exact."""
SHORT_MS = 400
"""A single word that is shorter, between words of another voice, is that voice's."""


class Turn(NamedTuple):
    """A stretch in which one voice speaks, in milliseconds; the voice goes by its label in the recording."""

    start_ms: int
    end_ms: int
    label: str


def labelled(segments: Sequence[Segment], turns: Sequence[Turn]) -> tuple[Segment, ...]:
    """Return segments with speakers, divided where the voice changes.

    Args:
        segments: of a transcript, in order.
        turns: of all its voices, in order of their beginnings; they may overlap.
    """
    voices = _Voices(turns)
    return tuple(part for segment in segments for part in _divided(segment, voices))


def is_overlapped(start_ms: int, end_ms: int, turns: Sequence[Turn]) -> bool:
    """Return whether two voices speak at once for half of a stretch or more."""
    edges = sorted(
        (at, step)
        for turn in turns
        if turn.start_ms < end_ms and turn.end_ms > start_ms
        for at, step in ((max(turn.start_ms, start_ms), 1), (min(turn.end_ms, end_ms), -1))
    )
    speaking, since, both = 0, start_ms, 0
    for at, step in edges:
        both += at - since if speaking > 1 else 0
        speaking, since = speaking + step, at
    return 2 * both >= end_ms - start_ms > 0


class _Voices:
    """Turns, to be asked who speaks in a stretch."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self._turns = sorted(turns)
        self._starts = [turn.start_ms for turn in self._turns]
        self._longest = max((turn.end_ms - turn.start_ms for turn in turns), default=0)

    def most(self, start_ms: int, end_ms: int, before: str | None = None) -> str | None:
        """Return the voice that speaks for most of a stretch, of equals the one before, or the nearest one."""
        shares: dict[str, int] = {}
        for turn in self._near(start_ms, end_ms):
            # Negative is how far away it is, which counts only where nobody speaks in the stretch itself.
            share = min(turn.end_ms, end_ms) - max(turn.start_ms, start_ms)
            other = shares.get(turn.label)
            shares[turn.label] = share if other is None else max(share, 0) + max(other, 0) or max(share, other)
        if not shares:
            return None
        return max(shares, key=lambda label: (shares[label], label == before))

    def _near(self, start_ms: int, end_ms: int) -> Iterator[Turn]:
        first = bisect_left(self._starts, start_ms - REACH_MS - self._longest)
        for turn in self._turns[first : bisect_left(self._starts, end_ms + REACH_MS)]:
            if turn.end_ms > start_ms - REACH_MS:
                yield turn


def _divided(segment: Segment, voices: _Voices) -> Iterator[Segment]:
    places = _places(segment)
    if places is None:
        yield replace(segment, speaker=voices.most(segment.start_ms, segment.end_ms))
        return
    labels = _labels(segment.words, voices)
    runs = [[index for index, _ in run] for _, run in groupby(enumerate(labels), key=lambda each: each[1])]
    for number, run in enumerate(runs):
        last = number + 1 == len(runs)
        words = segment.words[run[0] : run[-1] + 1]
        yield replace(
            segment,
            start_ms=words[0].start_ms if number else segment.start_ms,
            end_ms=segment.end_ms if last else max(words[-1].end_ms, words[0].start_ms),
            text=segment.text[places[run[0]] if number else 0 : None if last else places[run[-1] + 1]].strip(),
            words=words,
            speaker=labels[run[0]],
        )


def _labels(words: Sequence[Word], voices: _Voices) -> list[str | None]:
    """Return the voice of each word; a word near no turn is of the voice before it, or after it."""
    labels: list[str | None] = []
    for word in words:
        before = labels[-1] if labels else None
        labels.append(voices.most(word.start_ms, word.end_ms, before) or before)
    following: str | None = None
    for index in reversed(range(len(labels))):
        following = labels[index] = labels[index] or following
    for index in range(1, len(labels) - 1):
        around = labels[index - 1]
        short = words[index].end_ms - words[index].start_ms < SHORT_MS
        if short and labels[index] != around and labels[index + 1] == around:
            labels[index] = around
    return labels


def _places(segment: Segment) -> list[int] | None:
    """Return where each word begins in the text, or None where the text is not that of the words."""
    places, at = [], 0
    for word in segment.words:
        text = word.text.strip()
        place = segment.text.find(text, at)
        if place < 0 or not text or word.start_ms < (segment.start_ms - REACH_MS):
            return None
        places.append(place)
        at = place + len(text)
    return places or None
