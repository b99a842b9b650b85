"""Words held to the sound that they are.

Attention tells which word is said when, but two things not. Where the first one after a pause begins: it spreads
over the silence before it, as it does over the one after the last. The sound itself tells that to a hundredth of a
second wherever a recording is quiet between words, by its energy alone (Rabiner and Sambur 1975, "An algorithm for
determining the endpoints of isolated utterances", https://doi.org/10.1002/j.1538-7305.1975.tb02840.x). And where
one word follows another without a pause: attention goes over to the next one while the one before is still being
said, and the longer that is, the earlier. On 870 words of a synthetic voice, whose durations are known, starts
were 80 ms early after short words and 180 ms after long ones, about half of the word; half of what a word of so
many letters lasts in its window is what they are moved by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby

import numpy as np

from pipelines.media.samples import SAMPLE_RATE, AudioBlock, joined, stretches

PAUSE_SECONDS = 0.2
"""Quiet for so long is a pause; the closure before a plosive lasts half as long."""
NEAR_SECONDS = 0.5
"""A word that stands in a pause is moved no further than this: beyond, it was not heard but invented."""

_FRAME = SAMPLE_RATE // 100
_PAUSE = round(PAUSE_SECONDS * 100)
_CLICK = 3
"""Frames: what sounds no longer between two quiet stretches is no speech."""
_LEAST_DB = 15.0
"""From the quietest to the loudest: where there is less between them, nothing tells a pause from speech."""
_BELOW_LOUD_DB = 30.0
_ABOVE_FLOOR = 0.35
"""Of the way from the quietest to the loudest: it counts where noise leaves no 30 dB between them."""

Stretch = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Spoken:
    """A word as an engine gives it: times in seconds of its window, and probabilities of it and of no speech there."""

    start: float
    end: float
    text: str
    confidence: float
    no_speech: float


def held(words: Sequence[Spoken], samples: AudioBlock) -> list[Spoken]:
    """Return the words with starts and ends where the sound has them, in the order in which they were decoded.

    No start passes that of the next word: attention never goes back, and where the sound would have it so, it is
    the sound that misleads (voices on top of each other, words that nobody says).
    """
    sounds = sounding(samples) or [(0.0, len(samples) / SAMPLE_RATE)]
    runs = [
        (sound, [_inside(word, *sound) for word in run])
        for sound, run in groupby(words, key=lambda word: _nearest(word, sounds))
    ]
    return _in_turn([word for (_, end), run in runs for word in _later(run, end, _pace(runs))])


def _in_turn(words: Sequence[Spoken]) -> list[Spoken]:
    starts = list(accumulate((word.start for word in reversed(words)), min))[::-1]
    return [replace(word, start=start, end=max(word.end, start)) for word, start in zip(words, starts, strict=True)]


def sounding(samples: AudioBlock) -> list[Stretch]:
    """Return the stretches between pauses, in seconds."""
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME)
    if not len(frames):
        return []
    decibels = 10 * np.log10(np.mean(np.square(frames), axis=1) + 1e-12)
    floor, loud = np.percentile(decibels, [5, 95])
    if loud - floor < _LEAST_DB:
        return []
    threshold = max(loud - _BELOW_LOUD_DB, floor + _ABOVE_FLOOR * (loud - floor))
    sounding = [(start, end) for start, end in stretches(decibels > threshold) if end - start > _CLICK]
    return [(start / 100, end / 100) for start, end in joined(sounding, _PAUSE)]


def _nearest(word: Spoken, sounds: Sequence[Stretch]) -> Stretch:
    """Return the stretch that holds most of a word, or else is the least away from it."""
    return max(sounds, key=lambda sound: min(word.end, sound[1]) - max(word.start, sound[0]))


def _inside(word: Spoken, start: float, end: float) -> Spoken:
    if word.end > start and word.start < end:
        return replace(word, start=max(word.start, start), end=min(word.end, end))
    if max(start - word.end, word.start - end) > NEAR_SECONDS:
        return word
    if word.end <= start:
        return replace(word, start=start, end=min(start + word.end - word.start, end))
    return replace(word, start=end, end=end)


def _pace(runs: Sequence[tuple[Stretch, Sequence[Spoken]]]) -> float:
    """Return how many seconds a letter lasts."""
    letters = sum(_letters(word) for _, run in runs for word in run)
    return sum(run[-1].end - run[0].start for _, run in runs) / max(letters, 1)


def _letters(word: Spoken) -> int:
    return max(sum(map(str.isalnum, word.text)), 1)


def _later(run: Sequence[Spoken], end: float, pace: float) -> Iterator[Spoken]:
    """Yield the words of a stretch, but for the first moved by half of the one before, and none over its end."""
    before = 0.0
    for word in run:
        half = pace * _letters(word) / 2
        yield replace(word, start=_moved(word.start, before, end), end=_moved(word.end, half, end))
        before = half


def _moved(at: float, by: float, limit: float) -> float:
    return max(at, min(at + by, limit))
