from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.media.samples import AudioBlock
from pipelines.transcribers.speech import (
    FRAME,
    FRAMES_PER_SECOND,
    Probabilities,
    Window,
    WindowPart,
    cut,
    spans,
    windows,
)

LIMIT = int(30 * FRAMES_PER_SECOND)


def recording(*stretches: tuple[float, float]) -> AudioBlock:
    """Seconds of (silence, speech) in turn; the samples of speech are 1, those of silence 0."""
    return np.concatenate(
        [
            np.full(int(seconds * FRAMES_PER_SECOND) * FRAME, value, np.float32)
            for both in stretches
            for value, seconds in enumerate(both)
        ]
    )


def loud(samples: AudioBlock) -> Probabilities:
    """A detector that takes what is not 0 for speech."""
    return samples.reshape(-1, FRAME).max(axis=1)


def blocks(samples: AudioBlock, seconds: int = 30) -> Iterator[AudioBlock]:
    for start in range(0, len(samples), seconds * 16_000):
        yield samples[start : start + seconds * 16_000]


def found(samples: AudioBlock) -> list[Window]:
    return list(windows(blocks(samples), loud))


def test_spans_of_speech() -> None:
    speech = np.array([0, 0.6, 0.4, 0.9, 0.2, 0.7, 0, 0, 0, 0, 0.4, 0.5], dtype=np.float32)
    assert spans(speech) == [(1, 6), (11, 12)]


def test_windows_of_silence() -> None:
    assert found(recording((700, 0))) == []


def test_windows_of_no_audio() -> None:
    assert found(np.zeros(0, dtype=np.float32)) == []


def test_windows_leave_long_pauses_out() -> None:
    (window,) = found(recording((10, 5), (60, 5)))
    pad = int(0.4 * FRAMES_PER_SECOND)
    second = int(10 * FRAMES_PER_SECOND) + int(5 * FRAMES_PER_SECOND) + int(60 * FRAMES_PER_SECOND)
    length = int(5 * FRAMES_PER_SECOND)
    assert window.parts == (
        WindowPart(int(10 * FRAMES_PER_SECOND) - pad, 0, length + 2 * pad),
        WindowPart(second - pad, length + 2 * pad, length + pad),
    )
    assert len(window.samples) == len(window.speech) * FRAME == (2 * length + 3 * pad) * FRAME


def test_windows_are_cut_in_the_longest_late_pause() -> None:
    first, second = found(recording((0, 10), (0.5, 12), (1.5, 5), (0.5, 20)))
    assert sum(part.length for part in first.parts) < int(24 * FRAMES_PER_SECOND)
    assert float(first.samples.sum() + second.samples.sum()) == float(
        recording((0, 10), (0.5, 12), (1.5, 5), (0.5, 20)).sum()
    )


def test_window_places_words_in_the_recording() -> None:
    (window,) = found(recording((10, 5), (60, 5)))
    assert window.place(0.4, 1.0) == (10_000, 10_600)
    start_ms, end_ms = window.place(5.7, 7.5)  # the middle lies in the second part, the start in the first
    assert (start_ms, end_ms) == (74_592, 76_332)


stretches = st.lists(
    st.tuples(st.floats(min_value=0.0, max_value=100.0), st.floats(min_value=0.1, max_value=70.0)),
    min_size=1,
    max_size=10,
)


@settings(deadline=None, max_examples=25)
@given(stretches)
def test_windows_hold_all_speech_once_and_fit(parts: list[tuple[float, float]]) -> None:
    samples = recording(*parts)
    packed = found(samples)
    assert all(len(window.speech) <= LIMIT for window in packed)
    every = [part for window in packed for part in window.parts]
    assert all(before.recording + before.length <= part.recording for before, part in pairwise(every))
    assert sum(float(window.samples.sum()) for window in packed) == float(samples.sum())


def test_speech_without_words_is_found() -> None:
    (window,) = found(recording((10, 5), (60, 5)))
    (first, second) = window.unheard([(10_000, 10_800), (11_000, 11_400), (78_000, 78_400), (78_400, 79_000)])
    assert first.place(0.0, 60.0) == (11_424, 15_360)
    assert second.place(0.0, 60.0) == (74_592, 77_984)
    assert first.samples.shape == (len(first.speech) * FRAME,)


def test_speech_with_words_all_through_is_heard() -> None:
    (window,) = found(recording((10, 5), (60, 5)))
    words = [(start, start + 600) for start in (*range(10_000, 15_000, 1_500), *range(75_000, 80_000, 1_500))]
    assert window.unheard(words) == []


def test_a_word_that_lasts_too_long_hides_no_speech() -> None:
    (window,) = found(recording((10, 5)))
    (missed,) = window.unheard([(10_000, 14_900)])
    assert missed.place(0.0, 60.0) == (11_008, 14_976)


def test_windows_are_cut_out_of_a_recording() -> None:
    samples = np.arange(60 * 16_000, dtype=np.float32)
    first, second, late = cut(blocks(samples, 7), [(1_000, 4_000), (20_000, 25_000), (59_000, 70_000)])
    assert [each.parts[0].recording for each in (first, second, late)] == [25, 619, 1837]
    assert float(first.samples[0]) == 25 * FRAME
    assert float(second.samples[0]) == 619 * FRAME
    assert second.samples.shape == (len(second.speech) * FRAME,)
    assert float(late.samples[-1]) == 0.0
