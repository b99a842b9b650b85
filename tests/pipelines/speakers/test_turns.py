from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from pipelines.media.samples import SAMPLE_RATE, AudioBlock
from pipelines.speakers.base import Turn
from pipelines.speakers.local import CHUNK, CLOSE_STEP, CLOSELY, LEVEL, STEP, Chunk, activity_of, chunks, windows
from pipelines.speakers.turns import Heard, name_all, turns
from pipelines.transcribers.speech import FRAME, Probabilities

FRAMES = 589
VOICES = np.eye(192, dtype=np.float32)[:3]


def at(seconds: float) -> int:
    """Return the frame of a chunk in which a moment of it lies."""
    return round((seconds * SAMPLE_RATE - 495) / 270)


def activity(*spoken: tuple[int, float, float]) -> np.ndarray:
    """Return a chunk's activity from local speakers with beginnings and ends in seconds."""
    found = np.zeros((FRAMES, 3), dtype=bool)
    for speaker, start, end in spoken:
        found[max(at(start), 0) : at(end), speaker] = True
    return found


def divided(seconds: float, block: int = 7_777) -> list[Chunk]:
    sound = np.arange(round(seconds * SAMPLE_RATE), dtype=np.float32)
    return list(chunks(sound[i : i + block] for i in range(0, len(sound), block)))


@pytest.mark.parametrize("seconds", [0.01, 4, 10, 10.001, 15, 24.9, 25, 61.7, 90])
def test_chunks_are_responsible_for_all_of_a_recording(seconds: float) -> None:
    found = divided(seconds)
    samples = round(seconds * SAMPLE_RATE)
    assert found[0].own[0] == 0
    assert found[-1].own[1] == samples
    for one, other in pairwise(found):
        assert one.own[1] == other.own[0]
        assert other.start - one.start == (CLOSE_STEP if one.start < CLOSELY else STEP)
    for chunk in found:
        assert chunk.start <= chunk.own[0] < chunk.own[1] <= chunk.start + CHUNK
        its = chunk.samples[: samples - chunk.start]
        assert len(chunk.samples) == CHUNK
        assert its[0] == chunk.start
        assert its[-1] == min(chunk.start + CHUNK, samples) - 1


def test_no_sound_has_no_chunks() -> None:
    assert divided(0) == []


SILENCE = np.zeros(CHUNK, dtype=np.float32)


def sounding(*speech: float) -> AudioBlock:
    """Return a chunk that is silent but from one second to another."""
    sound = SILENCE.copy()
    if speech:
        sound[round(speech[0] * SAMPLE_RATE) : round(speech[1] * SAMPLE_RATE)] = 0.1
    return sound


def detect_sound(samples: AudioBlock) -> Probabilities:
    """Return that any sound is speech."""
    return np.where(samples.reshape(-1, FRAME).any(axis=1), 0.9, 0.02).astype(np.float32)


def test_classes_are_speakers_alone_and_in_twos() -> None:
    output = np.log(np.eye(7, dtype=np.float32) * 0.9 + 0.01)
    found = activity_of(output, SILENCE, detect_sound)
    assert [list(np.flatnonzero(row)) for row in found] == [[], [0], [1], [2], [0, 1], [0, 2], [1, 2]]


@pytest.mark.parametrize(
    ("certainty", "speech", "expected"),
    [
        (0.7, (), []),
        (0.7, (1.0, 3.0), [(0.5, 3.5)]),
        # Whoever plainly speaks in the middle does so before and after.
        (0.7, (4.0, 6.0), [(0.0, 10.0)]),
        # Whoever hums is taken for speech for a moment, and not for most of the time.
        (0.7, (8.0, 8.4), []),
        # A sure network is believed without asking the detector.
        (0.95, (), [(0.0, 10.0)]),
    ],
)
def test_an_unsure_network_is_believed_near_speech(
    certainty: float, speech: tuple[float, ...], expected: list[tuple[float, float]]
) -> None:
    output = np.full((589, 7), (1 - certainty) / 6, dtype=np.float32)
    output[:, 1] = certainty
    frames = np.flatnonzero(activity_of(np.log(output), sounding(*speech), detect_sound)[:, 0])
    runs = np.split(frames, np.flatnonzero(np.diff(frames) > 1) + 1) if len(frames) else []
    times = [(run[0] * 270 / SAMPLE_RATE, (run[-1] + 1) * 270 / SAMPLE_RATE) for run in runs]
    assert times == [pytest.approx(each, abs=0.1) for each in expected]


def test_only_who_is_doubtful_is_asked_about() -> None:
    output = np.full((FRAMES, 7), 0.01, dtype=np.float32)
    output[: at(5), 1], output[at(5) :, 2] = 0.95, 0.6
    found = activity_of(np.log(output), SILENCE, detect_sound)
    assert found[: at(5), 0].all()
    assert not found[:, 1].any()


@pytest.mark.parametrize("level", [0.1, 0.001])
def test_the_quiet_are_heard_at_the_level_of_the_loud(level: float) -> None:
    """Whispering that is not made louder is no speech for the detector."""
    heard = []

    def detect(samples: AudioBlock) -> Probabilities:
        heard.append(float(np.sqrt(np.mean(np.square(samples)))))
        return np.full(len(samples) // FRAME, 0.9, dtype=np.float32)

    sound = np.random.default_rng(0).normal(size=CHUNK).astype(np.float32) * np.float32(level)
    assert activity_of(np.log(np.full((FRAMES, 7), [0, 0.7, *[0.06] * 5], np.float32) + 1e-6), sound, detect).any()
    assert heard == [pytest.approx(LEVEL, rel=0.1)]


def test_windows_hold_one_speaker_alone() -> None:
    random = np.random.default_rng(0)
    chunk = Chunk(0, (0, CHUNK), random.normal(size=CHUNK).astype(np.float32))
    found = windows(chunk, activity((0, 0.5, 5), (1, 3.5, 6.4), (2, 7, 7.1)))
    # Speaker 0 is alone for 3 s, 1 for 1.4 s; 2 speaks for too short a time.
    assert [(w.speaker, round(w.seconds, 1)) for w in found] == [(0, 1.5), (0, 1.5), (1, 1.4)]
    assert [round(w.centre * 270 / SAMPLE_RATE, 1) for w in found] == pytest.approx([1.2, 2.7, 5.7], abs=0.1)
    for window in found:
        assert window.features.shape == (150, 80)
        np.testing.assert_allclose(window.features.mean(axis=0), 0, atol=1e-4)


def test_turns_are_of_the_voices_that_windows_are_like() -> None:
    # Two chunks of 15 s; the local speakers change their numbers from one to the other.
    heard = [
        Heard(0, activity((0, 0, 4), (1, 5, 10)), ((0, at(2), 1.5, 0), (1, at(7), 1.5, 1))),
        Heard(CLOSE_STEP, activity((2, 0, 7), (0, 6, 10)), ((2, at(3), 1.5, 2), (0, at(8), 1.5, 3))),
    ]
    vectors = VOICES[[0, 1, 1, 0]]
    named = name_all(heard, vectors, VOICES[:2])
    found = list(turns(heard, named, 2, 15_000))
    close = [(t.voice, t.start_ms, t.end_ms) for t in found]
    assert [each[0] for each in close] == [0, 1, 0]
    assert [x for each in close for x in each[1:]] == pytest.approx([0, 4000, 5000, 12000, 11000, 15000], abs=50)


def test_a_window_clearly_of_another_voice_divides_its_speaker() -> None:
    heard = [Heard(0, activity((0, 0, 10)), ((0, at(2), 1.5, 0), (0, at(4), 1.5, 1), (0, at(8), 1.5, 2)))]
    named = name_all(heard, VOICES[[0, 0, 1]], VOICES[:2])
    found = list(turns(heard, named, 2, 10_000))
    assert [t.voice for t in found] == [0, 1]
    assert found[0].end_ms == pytest.approx(6000, abs=40)
    assert found[0].end_ms == found[1].start_ms


def test_who_is_too_short_for_a_window_gets_the_voice_that_overlaps() -> None:
    heard = [
        Heard(0, activity((0, 7, 10)), ((0, at(8), 1.5, 0),)),
        Heard(CLOSE_STEP, activity((1, 2, 5.3)), ()),
    ]
    named = name_all(heard, VOICES[[2]], VOICES)
    assert set(named[1][:, 1].tolist()) == {2}
    assert set(named[1][:, 0].tolist()) == {-1}


def test_two_local_speakers_are_two_voices() -> None:
    heard = [Heard(0, activity((0, 0, 4), (1, 4, 8)), ((0, at(2), 1.5, 0), (1, at(6), 1.5, 1)))]
    near = VOICES[[0, 0]] * 0.9
    near[1, 1] = 0.4
    named = name_all(heard, near, VOICES[:2])
    assert (named[0][at(2), 0], named[0][at(6), 1]) == (0, 0), "the second is clearly more like the first voice"
    near[1, 1] = 0.85
    named = name_all(heard, near, VOICES[:2])
    assert (named[0][at(2), 0], named[0][at(6), 1]) == (0, 1)


def test_turns_go_on_over_the_edges_of_slabs() -> None:
    heard = [Heard(CLOSE_STEP * i, np.repeat([[True, False, False]], FRAMES, axis=0)) for i in range(120)]
    named = [np.where(each.activity, 0, -1).astype(np.int16) for each in heard]
    assert list(turns(heard, named, 1, 600_000)) == [Turn(0, 600_000, 0)]
