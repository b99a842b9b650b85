"""Whose words they are: a transcript's segments, divided where the voice changes.

Words are given to voices by time, and each word to one: to the voice that speaks for most of it. What is divided says
the same words at the same times. A segment without words of its own stays whole, and is its main voice's. What is
said while others speak is marked. Where people said whose words they are, nothing else counts.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from metadata.captions.cues import ends_sentence
from metadata.model import Segment

REACH_MS = 500
"""How far a word may be from the nearest turn and still be its voice's: both have times that are not exact."""
SHORT_MS = 400
"""A single word that is shorter, between words of another voice, is that voice's; so is the first or the last word of a
segment, which is a sentence mostly, unless a sentence ends behind it or before it: "Yes." may be somebody else's."""
OVERLAP_MS = 1_000
"""For how long others must speak during a segment, where that is less than half of it, for it to be overlapped."""


NEARLY = 0.8
"""The part of what is spoken in a stretch from which it is one voice's."""
NOBODY = ""
"""The label in what people said where they know of nobody."""


class Turn(NamedTuple):
    """A stretch in which one voice speaks, in milliseconds; the voice goes by its label in the recording."""

    start_ms: int
    end_ms: int
    label: str


def labelled(segments: Sequence[Segment], turns: Sequence[Turn], said: Sequence[Turn] = ()) -> tuple[Segment, ...]:
    """Return segments with speakers, divided where the voice changes; a speaker of a segment's own stays.

    Args:
        segments: of a transcript, in order.
        turns: of all its voices, in order of their beginnings; they may overlap.
        said: whose words people said that they are, in order; they do not overlap.
    """
    voices = _Voices(turns, said)
    return tuple(part for segment in segments for part in _divided(segment, voices))


def latest(said: Iterable[Turn]) -> list[Turn]:
    """Return what people said, the latest last, as stretches that do not overlap, in order: the latest counts."""
    kept: list[Turn] = []
    for each in said:
        kept = [*without(kept, [each]), each]
    return sorted(kept)


def without(turns: Iterable[Turn], stretches: Sequence[Turn]) -> list[Turn]:
    """Return turns without what lies in some stretches, which are in order and do not overlap."""
    left: list[Turn] = []
    for turn in turns:
        start = turn.start_ms
        for stretch in stretches:
            if stretch.end_ms <= start or stretch.start_ms >= turn.end_ms:
                continue
            if stretch.start_ms > start:
                left.append(Turn(start, stretch.start_ms, turn.label))
            start = stretch.end_ms
        if start < turn.end_ms:
            left.append(Turn(start, turn.end_ms, turn.label))
    return left


def speaker_within(turns: Sequence[Turn], start_ms: int, end_ms: int) -> str | None:
    """Return the voice that speaks for nearly all of what is spoken in a stretch, or None."""
    shares: dict[str, int] = {}
    for turn in turns:
        if turn.start_ms >= end_ms:
            break
        both = min(turn.end_ms, end_ms) - max(turn.start_ms, start_ms)
        if both > 0:
            shares[turn.label] = shares.get(turn.label, 0) + both
    return next((label for label, share in shares.items() if share >= NEARLY * sum(shares.values())), None)


def overlaps(turns: Sequence[Turn]) -> list[tuple[int, int]]:
    """Return from when to when two voices or more speak at once, in order; turns of one voice do not overlap."""
    edges = sorted(edge for turn in turns for edge in ((turn.start_ms, 1), (turn.end_ms, -1)))
    found: list[tuple[int, int]] = []
    speaking = since = 0
    for at, step in edges:
        if speaking > 1 and at > since:
            if found and found[-1][1] == since:
                found[-1] = (found[-1][0], at)
            else:
                found.append((since, at))
        speaking, since = speaking + step, at
    return found


class _Voices:
    """Turns, and what people said, to be asked who speaks in a stretch."""

    def __init__(self, turns: Sequence[Turn], said: Sequence[Turn]) -> None:
        self._said = said
        self._turns = sorted(turns)
        self._starts = [turn.start_ms for turn in self._turns]
        self._longest = max((turn.end_ms - turn.start_ms for turn in turns), default=0)
        self._overlaps = overlaps(turns)

    def said(self, start_ms: int, end_ms: int) -> str | None:
        """Return whose words people said that a stretch is, by its middle; None where they said nothing of it."""
        middle = (start_ms + end_ms) // 2
        nth = bisect_right(self._said, middle, key=lambda each: each.start_ms) - 1
        return self._said[nth].label if nth >= 0 and middle < self._said[nth].end_ms else None

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

    def overlapped(self, start_ms: int, end_ms: int) -> bool | UnsetType:
        """Return whether others speak during a stretch: for half of it, or for a second."""
        first = bisect_left(self._overlaps, start_ms, key=lambda each: each[1])
        last = bisect_left(self._overlaps, end_ms, key=lambda each: each[0])
        both = sum(min(end, end_ms) - max(start, start_ms) for start, end in self._overlaps[first:last])
        return (both > 0 and (both >= OVERLAP_MS or 2 * both >= end_ms - start_ms)) or UNSET

    def _near(self, start_ms: int, end_ms: int) -> Iterator[Turn]:
        first = bisect_left(self._starts, start_ms - REACH_MS - self._longest)
        for turn in self._turns[first : bisect_left(self._starts, end_ms + REACH_MS)]:
            if turn.end_ms > start_ms - REACH_MS:
                yield turn


def _divided(segment: Segment, voices: _Voices) -> Iterator[Segment]:
    places = _places(segment)
    if places is None:
        span = segment.start_ms, segment.end_ms
        said = voices.said(*span)
        speaker = (segment.speaker or voices.most(*span)) if said is None else said
        yield replace(segment, speaker=speaker or None, overlapped=voices.overlapped(*span) or segment.overlapped)
        return
    labels = _labels(segment, voices)
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
            speaker=labels[run[0]] or None,
            overlapped=voices.overlapped(words[0].start_ms, words[-1].end_ms) or segment.overlapped,
        )


def _labels(segment: Segment, voices: _Voices) -> list[str | None]:
    """Return the voice of each word; a word near no turn is of the voice before it, or after it."""
    words = segment.words
    said = [voices.said(word.start_ms, word.end_ms) for word in words]
    labels: list[str | None] = []
    for word, label in zip(words, said, strict=True):
        before = labels[-1] if labels else None
        heard = segment.speaker or voices.most(word.start_ms, word.end_ms, before) or before
        labels.append(heard if label is None else label)
    following: str | None = None
    for index in reversed(range(len(labels))):
        following = labels[index] = following if labels[index] is None else labels[index]
    for index, word in enumerate(words):
        if word.end_ms - word.start_ms >= SHORT_MS or said[index] is not None:
            continue
        before = labels[index - 1] if index else None
        after = labels[index + 1] if index + 1 < len(labels) else None
        if index == 0:
            alone = len(labels) > 2 and after == labels[2] and not ends_sentence(word.text)
        elif after is None:
            alone = index > 1 and before == labels[index - 2] and not ends_sentence(words[index - 1].text)
        else:
            alone = before == after
        if alone:
            labels[index] = before if index else after
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
