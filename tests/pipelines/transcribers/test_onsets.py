"""Words held to the sound, on sound whose edges are known."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.media.samples import SAMPLE_RATE, AudioBlock
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


def word(start: float, end: float, text: str = "word") -> Spoken:
    return Spoken(start, end, f" {text}", 0.9, 0.0)


def times(words: list[Spoken]) -> list[tuple[float, float]]:
    return [(round(word.start, 2), round(word.end, 2)) for word in words]


@pytest.mark.parametrize("noise", [0.0, 1e-4, 0.02], ids=["digital silence", "quiet room", "20 dB of noise"])
def test_sound_between_pauses(noise: float) -> None:
    found = sounding(recording(6, (0.5, 2.0), (2.1, 3.0), (4.0, 5.5), noise=noise))
    assert [(round(start, 1), round(end, 1)) for start, end in found] == [(0.5, 3.0), (4.0, 5.5)]


def test_a_click_is_no_speech() -> None:
    assert len(sounding(recording(4, (1.0, 1.02), (2.0, 3.5)))) == 1


def test_first_words_begin_and_last_words_end_where_the_sound_does() -> None:
    samples = recording(5, (0.5, 2.0), (3.0, 4.5))
    assert times(held([word(0.1, 2.6), word(2.6, 4.9)], samples)) == [(0.5, 2.0), (3.0, 4.5)]


def test_a_word_after_another_begins_later_by_half_of_what_that_one_lasts() -> None:
    samples = recording(5, (0.5, 2.0), (3.0, 4.5))
    heard = [
        word(0.2, 0.9, "ab"),
        word(0.9, 1.1, "abcdef"),
        word(1.1, 2.6, "abcdefg"),
        word(2.6, 4.9, "abcdefghijklmno"),
    ]
    # Thirty letters in three seconds: 0.1 s each.
    assert times(held(heard, samples)) == [(0.5, 1.0), (1.0, 1.4), (1.4, 2.0), (3.0, 4.5)]


def test_no_word_goes_over_the_end_of_its_sound() -> None:
    heard = [word(0.5, 1.9, "abcdefghijklmn"), word(1.9, 2.1, "a")]
    assert times(held(heard, recording(4, (0.5, 2.0)))) == [(0.5, 2.0), (2.0, 2.0)]


def test_a_word_that_spans_a_pause_is_where_most_of_it_is() -> None:
    samples = recording(5, (0.5, 2.0), (3.0, 4.5))
    assert times(held([word(1.9, 4.5)], samples)) == [(3.0, 4.5)]
    assert times(held([word(0.5, 3.1)], samples)) == [(0.5, 2.0)]


def test_a_word_just_beside_the_sound_moves_to_it_and_one_far_away_stays() -> None:
    samples = recording(9, (3.0, 4.5))
    assert [times(held([each], samples))[0][0] for each in (word(2.6, 2.9), word(4.7, 4.9))] == [3.0, 4.5]
    assert [held([each], samples)[0].start for each in (word(0.5, 1.0), word(7.0, 7.5))] == [0.5, 7.0]


@pytest.mark.parametrize(
    "samples", [np.zeros(SAMPLE_RATE, np.float32), recording(1, noise=0.1)],
    ids=["silence", "steady noise"],
)  # fmt: skip
def test_where_it_is_never_quiet_or_never_loud_first_words_stay(samples: AudioBlock) -> None:
    assert held([word(0.1, 0.9)], samples)[0].start == 0.1
    assert held([], samples) == []


@pytest.mark.parametrize("seed", range(20))
def test_no_start_passes_that_of_the_next_word(seed: int) -> None:
    chance = np.random.default_rng(seed)
    bounds = np.sort(chance.uniform(0, 9, 16))
    samples = recording(9, (0.5, 1.2), (2.0, 2.4), (5.0, 5.3), (7.5, 8.0), noise=float(chance.choice([1e-4, 0.02])))
    heard = [word(bounds[i], bounds[i + 1], "x" * int(chance.integers(1, 14))) for i in range(15)]
    found = held(heard, samples)
    assert [each.text for each in found] == [each.text for each in heard]
    starts = [each.start for each in found]
    assert starts == sorted(starts)
    assert all(each.end >= each.start for each in found)
