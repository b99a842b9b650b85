"""Broken, strange and lying recordings, with real weights: what is there is heard, or the failure is clear."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from metadata.model import Flag, Transcript
from pipelines.errors import BrokenMediaError
from pipelines.media.files import stream_audio
from pipelines.media.samples import SAMPLE_RATE, AudioBlock
from pipelines.transcribers import FasterWhisper, Hints
from pipelines.transcribers.base import ignore_progress
from tests.pipelines.transcribers.test_faster_whisper import DATA, plain_words, recordings, text, weights

pytestmark = [pytest.mark.speech, pytest.mark.data, weights, recordings]


def heard(path: Path, language: str = "en") -> Transcript:
    return FasterWhisper().transcribe(stream_audio(path), Hints(language), ignore_progress)


def speech() -> AudioBlock:
    """Eleven seconds: "And so, my fellow Americans, … what you can do for your country"."""
    return np.concatenate(list(stream_audio(DATA / "audio" / "en" / "jfk.flac")))


def encoded(path: Path, samples: AudioBlock, codec: str) -> Path:
    """Write samples in the container that the file's suffix names."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=SAMPLE_RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray((samples * 32_767).astype("<i2")[None], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        fitted = av.AudioResampler(stream.format, "mono", SAMPLE_RATE, stream.frame_size or None)
        for each in [*fitted.resample(frame), *fitted.resample(None)]:
            container.mux(stream.encode(each))
        container.mux(stream.encode(None))
    return path


def broken(path: Path, change: Callable[[bytearray], bytearray]) -> Path:
    path.write_bytes(change(bytearray(path.read_bytes())))
    return path


def test_truncated(tmp_path: Path) -> None:
    path = broken(encoded(tmp_path / "talk.mp3", speech(), "mp3"), lambda data: data[: len(data) // 2])
    found = heard(path)
    assert plain_words(text(found))[:5] == ["and", "so", "my", "fellow", "americans"]
    assert "country" not in plain_words(text(found))[-1:]
    assert 4_000 <= found.duration_ms <= 7_000


def test_truncated_before_its_index(tmp_path: Path) -> None:
    path = broken(encoded(tmp_path / "talk.m4a", speech(), "aac"), lambda data: data[: data.rindex(b"moov") - 4])
    with pytest.raises(BrokenMediaError, match="damaged or incomplete"):
        heard(path)


def test_corrupt_in_the_middle(tmp_path: Path) -> None:
    def spoil(data: bytearray) -> bytearray:
        middle = len(data) // 2
        data[middle : middle + 2_000] = np.random.default_rng(0).bytes(2_000)
        return data

    said = plain_words(text(heard(broken(encoded(tmp_path / "talk.mp3", speech(), "mp3"), spoil))))
    assert said[:5] == ["and", "so", "my", "fellow", "americans"]
    assert said[-2:] == ["your", "country"]


@pytest.mark.parametrize("claimed", [1, 40_000_000], ids=["nothing", "hours"])
def test_container_that_lies_about_its_length(tmp_path: Path, claimed: int) -> None:
    def lie(data: bytearray) -> bytearray:
        for box, offset in ((b"mvhd", 20), (b"mdhd", 20), (b"tkhd", 24)):  # ISO/IEC 14496-12, version 0
            at = data.index(box) + offset
            data[at : at + 4] = claimed.to_bytes(4, "big")
        return data

    found = heard(broken(encoded(tmp_path / "talk.m4a", speech(), "aac"), lie))
    assert plain_words(text(found))[-2:] == ["your", "country"]
    assert 10_900 <= found.duration_ms <= 11_200


@pytest.mark.parametrize(("suffix", "codec"), [("flac", "flac"), ("m4a", "aac")])
def test_silent(tmp_path: Path, suffix: str, codec: str) -> None:
    path = encoded(tmp_path / f"talk.{suffix}", np.zeros(10 * SAMPLE_RATE, np.float32), codec)
    assert heard(path).segments == ()


@pytest.mark.parametrize(
    ("name", "flagged"), [("de/fleurs-de-002.ogg", True), ("fr/fleurs-fr-003.ogg", True), ("en/jfk.flac", False)]
)
def test_declared_in_a_language_that_is_not_spoken(name: str, flagged: bool) -> None:
    segments = heard(DATA / "audio" / name, "en").segments
    assert segments
    assert all((Flag.WRONG_LANGUAGE in segment.flags) is flagged for segment in segments)


def test_translation_of_a_talk_keeps_the_times_of_every_segment() -> None:
    path = DATA / "audio" / "de" / "librivox_simplicissimus.mp3"
    original = heard(path, "de")
    english = FasterWhisper().translate(stream_audio(path), original, ignore_progress)
    assert english.kind == "translation"
    times = [(segment.start_ms, segment.end_ms) for segment in original.segments if not segment.flags]
    assert len(times) > 3
    assert [(segment.start_ms, segment.end_ms) for segment in english.segments] == times
    assert len(re.findall(r"\b(the|and|of|he|has)\b", text(english))) > 10
