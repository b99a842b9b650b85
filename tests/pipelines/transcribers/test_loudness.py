"""Sound that a detector passes over, and what is left without words."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.media.samples import SAMPLE_RATE, AudioBlock
from pipelines.transcribers.loudness import Sounds, dynamic_range, levels, loud, thorough
from pipelines.transcribers.speech import FRAME, FRAMES_PER_SECOND, Probabilities


def voice(seconds: float, decibels: float, seed: int = 0) -> AudioBlock:
    """Noise that swells and fades four times a second, as syllables do, in whole frames."""
    count = int(seconds * FRAMES_PER_SECOND) * FRAME
    swell = 10 ** (1.5 * (np.sin(np.arange(count) * 2 * np.pi * 4 / SAMPLE_RATE) - 1))
    made = np.random.default_rng(seed).normal(0, 1, count) * swell
    return (made * 10 ** (decibels / 20) / np.sqrt(np.mean(made**2))).astype(np.float32)


def steady(seconds: float, decibels: float) -> AudioBlock:
    count = int(seconds * FRAMES_PER_SECOND) * FRAME
    return (np.random.default_rng(1).normal(0, 10 ** (decibels / 20), count)).astype(np.float32)


def hard_of_hearing(samples: AudioBlock) -> Probabilities:
    """A detector that hears what reaches -25 dB, and nothing after what is louder than 0 dB."""
    decibels = levels(samples)
    found = np.where(decibels > -25, 0.9, 0.05)
    deafened = np.flatnonzero(decibels > 0)
    if len(deafened):
        found[deafened[-1] + 1 :] = 0.0
    return found.astype(np.float32)


def test_what_a_loud_voice_hid_is_heard_by_itself() -> None:
    samples = np.concatenate([voice(5, -2), steady(1, -70), voice(5, -26, seed=2), steady(1, -70)])
    second = slice(int(6.5 * FRAMES_PER_SECOND), int(10.5 * FRAMES_PER_SECOND))
    assert float((hard_of_hearing(samples)[second] >= 0.5).mean()) == 0.0
    assert float((thorough(hard_of_hearing)(samples)[second] >= 0.5).mean()) > 0.2


def test_silence_and_what_is_all_one_level_are_not_listened_to_again() -> None:
    asked: list[int] = []

    def detect(samples: AudioBlock) -> Probabilities:
        asked.append(len(samples))
        return np.zeros(len(samples) // FRAME, dtype=np.float32)

    for samples in (np.zeros(20 * SAMPLE_RATE // FRAME * FRAME, np.float32), steady(20, -70)):
        asked.clear()
        thorough(detect)(samples)
        assert asked == [len(samples)]


def test_what_is_loud_and_without_words_is_told_from_silence() -> None:
    samples = np.concatenate([voice(6, -20), steady(4, -70), voice(6, -28, seed=3), steady(4, -70)])
    sounds = Sounds()
    sounds.note(0, samples, np.zeros(len(samples) // FRAME, dtype=np.float32))
    words = [(start, start + 400) for start in range(0, 6_000, 500)]
    [(start, end)] = sounds.without_words(words)
    assert abs(start - 10_000) < 200
    assert abs(end - 16_000) < 200
    assert sounds.without_words([*words, *((start + 10_000, end + 10_000) for start, end in words)]) == []


def test_steady_noise_and_short_sounds_are_not_taken_for_speech() -> None:
    samples = np.concatenate([voice(6, -20), steady(10, -24), steady(4, -70), voice(1, -20)])
    sounds = Sounds()
    sounds.note(0, samples, np.zeros(len(samples) // FRAME, dtype=np.float32))
    assert sounds.without_words([(start, start + 400) for start in range(0, 6_000, 500)]) == []


def test_speech_that_was_detected_is_marked_sooner() -> None:
    samples = np.concatenate([voice(6, -20), steady(4, -70), voice(1.5, -20), steady(2, -70)])
    speech = np.zeros(len(samples) // FRAME, dtype=np.float32)
    speech[int(10 * FRAMES_PER_SECOND) : int(11.5 * FRAMES_PER_SECOND)] = 0.8
    sounds = Sounds()
    sounds.note(0, samples, speech)
    [(start, end)] = sounds.without_words([(start, start + 400) for start in range(0, 6_000, 500)])
    assert (abs(start - 10_000) < 200, abs(end - 11_500) < 200) == (True, True)


def test_a_chapter_that_is_noted_again_counts_once() -> None:
    samples, sounds = np.concatenate([steady(4, -70), voice(6, -20)]), Sounds()
    speech = np.zeros(len(samples) // FRAME, dtype=np.float32)
    sounds.note(0, samples, speech)
    at = int(4 * FRAMES_PER_SECOND)
    sounds.note(at, samples[at * FRAME :], speech[at:])
    [(start, end)] = sounds.without_words([])
    assert abs(start - 4_000) < 200
    assert abs(end - 10_000) < 200


@pytest.mark.parametrize("count", [0, 100, FRAME])
def test_little_sound_has_no_range(count: int) -> None:
    samples = np.zeros(count, dtype=np.float32)
    assert dynamic_range(samples) == 0.0
    assert len(loud(levels(samples))) == count // FRAME
