"""How loud a recording is, where a detector of speech says nothing.

Detection depends on level and on what came before: after a loud voice, a hoarse one at -26 dB of full scale is
passed over that the detector finds where it stands alone, and finds better where it is louder. So what it passes
over although it is loud is listened to again by itself, brought to one level. And what is loud in the end and has no
words is told from silence: a reader must know that somebody may speak there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipelines.media.samples import AudioBlock, joined, stretches
from pipelines.transcribers.speech import FRAME, FRAMES_PER_SECOND, Detector, Probabilities

_LEAST_DB = -55.0
"""Of full scale. Nobody is meant to be heard who speaks more quietly."""
_BELOW_LOUD_DB, _ABOVE_FLOOR_DB = 32.0, 10.0
"""Speech is not so much quieter than the loudest of a recording, and so much louder than its quietest."""
_SPEECH, _FAINT = 0.5, 0.2
"""Probabilities from which on somebody speaks: at first, and where sound that is loud was passed over."""
_LEVEL_DB = -10.0
"""Of the loudest frames: a voice that is -20 dB of full scale on the whole, which one that was tried had to be."""
_MOST_GAIN_DB = 40.0
_GAP = int(1.0 * FRAMES_PER_SECOND)
_PIECE = int(8 * FRAMES_PER_SECOND)
_LOUD_IN_GAP = int(0.6 * FRAMES_PER_SECOND)

_BESIDE_WORDS_MS = 500
"""So far around a word, what sounds belongs to it."""
_JOINED = int(1.0 * FRAMES_PER_SECOND)
_LONG_DETECTED = int(1.2 * FRAMES_PER_SECOND)
"""Of what is left without words, so much of detected speech is marked."""
_LONG, _LOUD = int(2.5 * FRAMES_PER_SECOND), int(0.8 * FRAMES_PER_SECOND)
"""And a stretch of this length in which it is loud for so long, as it is in a quiet voice's syllables."""
_STEADY_DB = 0.42
"""From frame to frame, with high tones raised by 6 dB an octave: white, pink and brown noise change by 0.3 to 0.36, a
voice in pink noise as loud as itself by 0.55 to 1.1, and by itself by 4 to 6."""


def levels(samples: AudioBlock) -> NDArray[np.float32]:
    """Return the level of each whole frame, in decibels of full scale."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    found: NDArray[np.float32] = (10 * np.log10(np.mean(np.square(frames), axis=1) + 1e-10)).astype(np.float32)
    return found


def dynamic_range(samples: AudioBlock) -> float:
    """Return by how many decibels the loudest frames are louder than the quietest."""
    decibels = levels(samples)
    return float(np.subtract(*np.percentile(decibels, [95, 5]))) if len(decibels) else 0.0


def loud(decibels: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell of each frame whether it is loud enough to be speech."""
    if not len(decibels):
        return np.zeros(0, dtype=bool)
    floor, top = np.percentile(decibels, [5, 95])  # where they are near each other, it is noisy all the time
    heard: NDArray[np.bool_] = decibels >= max(
        _LEAST_DB, top - _BELOW_LOUD_DB, min(floor + _ABOVE_FLOOR_DB, (floor + top) / 2)
    )
    return heard


def thorough(detect: Detector) -> Detector:
    """Return a detector that listens again, at one level and from the start, to what another one passes over."""

    def again(samples: AudioBlock) -> Probabilities:
        speech = np.array(detect(samples), dtype=np.float32)
        sounds = loud(levels(samples))
        for first, last in list(_passed_over(speech, sounds)):
            # By itself: half a second of what came before would be the loud voice again.
            found = detect(_levelled(samples[first * FRAME : last * FRAME]))
            faint = (found >= _FAINT) & sounds[first:last]
            speech[first:last] = np.maximum(speech[first:last], np.where(faint, np.maximum(found, _SPEECH), found))
        return speech

    return again


def _passed_over(speech: Probabilities, sounds: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield stretches without speech, none of them long, in which it is loud for a while."""
    for first, last in stretches(speech < _SPEECH):
        if last - first < _GAP:
            continue
        count = -(-(last - first) // _PIECE)
        edges = [first + (last - first) * i // count for i in range(count + 1)]
        for start, end in pairwise(edges):
            if int(sounds[start:end].sum()) >= min(_LOUD_IN_GAP, end - start):
                yield start, end


def _levelled(samples: AudioBlock) -> AudioBlock:
    by = min(_LEVEL_DB - float(np.percentile(levels(samples), 95)), _MOST_GAIN_DB)
    louder: AudioBlock = np.clip(samples * np.float32(10 ** (by / 20)), -1.0, 1.0)
    return louder


class Sounds:
    """What a recording sounds like, frame by frame, kept while it is heard: 9 bytes a frame, a MB an hour."""

    def __init__(self) -> None:
        self._levels = np.zeros(0, dtype=np.float32)
        self._high = np.zeros(0, dtype=np.float32)  # with high tones raised: what changes in them is no room's noise
        self._speech = np.zeros(0, dtype=bool)

    def note(self, start: int, samples: AudioBlock, speech: Probabilities) -> None:
        """Keep a stretch that begins at a frame; what was kept from there on is given up."""
        self._levels = np.concatenate([self._levels[:start], levels(samples)])
        self._high = np.concatenate([self._high[:start], levels(np.diff(samples, prepend=np.float32(0.0)))])
        self._speech = np.concatenate([self._speech[:start], speech >= _SPEECH])

    def without_words(self, words: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return the stretches in which somebody may speak and none of these words is said, in milliseconds.

        Args:
            words: start and end of each, in milliseconds.
        """
        sounds = loud(self._levels) | self._speech
        for start, end in words:
            first, last = ((x * FRAMES_PER_SECOND / 1000) for x in (start - _BESIDE_WORDS_MS, end + _BESIDE_WORDS_MS))
            sounds[max(int(first), 0) : int(np.ceil(last))] = False
        return [
            (round(first / FRAMES_PER_SECOND * 1000), round(last / FRAMES_PER_SECOND * 1000))
            for first, last in joined(stretches(sounds), _JOINED)
            if self._may_be_speech(slice(first, last), sounds)
        ]

    def _may_be_speech(self, stretch: slice, sounds: NDArray[np.bool_]) -> bool:
        within = sounds[stretch]
        if int((within & self._speech[stretch]).sum()) >= _LONG_DETECTED:
            return True
        changes = float(np.abs(np.diff(self._high[stretch])).mean()) if len(within) > 1 else 0.0
        return len(within) >= _LONG and int(within.sum()) >= _LOUD and changes >= _STEADY_DB
