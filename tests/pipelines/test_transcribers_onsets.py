"""Words held to the sound, on sound whose edges are known."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.transcribers.base import SAMPLE_RATE, AudioBlock
from pipelines.transcribers.onsets import Spoken, held, sounding

CHANCE = np.random.default_rng(0)


def recording(seconds: float, *sounds: tuple[float, float], noise: float = 1e-4) -> AudioBlock:
    """Faint noise with stretches of loud noise, each swelling and fading as syllables do."""
    samples = CHANCE.normal(0, noise, round(seconds * SAMPLE_RATE))
    for start, end in sounds:
        length = round((end - start) * SAMPLE_RATE)
        swell = 0.15 + 0.1 * np.sin(np.arange(length) * 2 * np.pi * 4 / SAMPLE_RATE)
        samples[round(start * SAMPLE_RATE) :][:length] += CHANCE.normal(0, 1, length) * swell
    return samples.astype(np.float32)


def word(start: float, end: float) -> Spoken:
    return Spoken(start, end, " word", 0.9, 0.0)


def times(words: list[Spoken]) -> list[tuple[float, float]]:
    return [(round(word.start, 2), round(word.end, 2)) for word in words]


@pytest.mark.parametrize("noise", [0.0, 1e-4, 0.02], ids=["digital silence", "quiet room", "20 dB of noise"])
def test_sound_between_pauses(noise: float) -> None:
    found = sounding(recording(6, (0.5, 2.0), (2.1, 3.0), (4.0, 5.5), noise=noise))
    assert [(round(start, 1), round(end, 1)) for start, end in found] == [(0.5, 3.0), (4.0, 5.5)]


def test_a_click_is_no_speech() -> None:
    assert len(sounding(recording(4, (1.0, 1.02), (2.0, 3.5)))) == 1


def test_words_are_held_to_the_sound() -> None:
    samples = recording(5, (0.5, 2.0), (3.0, 4.5))
    heard = [word(0.1, 0.8), word(0.8, 1.5), word(1.5, 2.6), word(2.6, 3.4), word(3.4, 4.9)]
    assert times(held(heard, samples)) == [(0.5, 0.8), (0.8, 1.5), (1.5, 2.0), (3.0, 3.4), (3.4, 4.5)]


def test_a_word_that_spans_a_pause_is_where_most_of_it_is() -> None:
    samples = recording(5, (0.5, 2.0), (3.0, 4.5))
    assert times(held([word(1.9, 3.5)], samples)) == [(3.0, 3.5)]
    assert times(held([word(1.2, 3.1)], samples)) == [(1.2, 2.0)]


def test_a_word_just_beside_the_sound_moves_to_it_and_one_far_away_stays() -> None:
    samples = recording(9, (3.0, 4.5))
    heard = [word(0.5, 1.0), word(2.6, 2.9), word(4.7, 4.9), word(7.0, 7.5)]
    assert times(held(heard, samples)) == [(0.5, 1.0), (3.0, 3.3), (4.5, 4.5), (7.0, 7.5)]


@pytest.mark.parametrize(
    "samples", [np.zeros(SAMPLE_RATE, np.float32), np.zeros(0, np.float32), recording(1, noise=0.1)],
    ids=["silence", "nothing", "steady noise"],
)  # fmt: skip
def test_where_it_is_never_quiet_or_never_loud_nothing_moves(samples: AudioBlock) -> None:
    assert held([word(0.1, 0.9)], samples) == [word(0.1, 0.9)]
