"""Which channel is heard where the mix of all would lose it, and which lengths are counted."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from pipelines.media.files import probe, stream_audio
from pipelines.media.renditions import is_played, render
from pipelines.media.samples import SAMPLE_RATE
from tests.pipelines.media.test_files import Samples, tone, write_wav


def in_channel(number: int, channels: int) -> Samples:
    """Three seconds of a tone in one channel, counted from 0, and silence in the others."""
    samples = np.zeros((3 * SAMPLE_RATE, channels), dtype=np.int16)
    samples[:, number] = tone(3.0)[:, 0]
    return samples


def opposite(channels: int = 2) -> Samples:
    """Three seconds of a tone, and the same with its phase turned round in every second channel."""
    return tone(3.0, channels=channels) * np.array([(-1) ** n for n in range(channels)], dtype=np.int16)


def heard_peak(path: Path) -> float:
    return float(max(np.abs(block).max() for block in stream_audio(path)))


@pytest.mark.parametrize(
    ("samples", "channel"),
    [
        (opposite(), 0),
        (opposite(4), 0),
        (in_channel(2, 3), 2),
        (in_channel(3, 4), None),
        (in_channel(3, 6), 3),
        (in_channel(3, 8), 3),
        (in_channel(0, 2), None),
        (in_channel(1, 2), None),
        (tone(3.0, channels=2), None),
        (tone(3.0, channels=6), None),
        (tone(3.0, channels=1), None),
        (np.zeros((3 * SAMPLE_RATE, 6), dtype=np.int16), None),
    ],
    ids=["opposite", "pairs", "3of3", "4of4", "4of6", "4of8", "left", "right", "both", "all", "mono", "silence"],
)
def test_channel_that_a_mix_would_lose_is_heard_alone(tmp_path: Path, samples: Samples, channel: int | None) -> None:
    path = write_wav(tmp_path / "talk.wav", samples)
    assert probe(path).channel == channel
    if samples.any():
        assert heard_peak(path) > 0.04


def test_browsers_get_the_channel_that_is_heard(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "talk.wav", opposite())
    info = probe(path)
    assert not is_played(info)
    web = next(file for file in render(path, info, tmp_path).files if file.kind == "web")
    assert probe(web.path).channel is None
    assert heard_peak(web.path) > 0.05


def encoded(source: Path, target: Path, *arguments: str) -> Path:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-i", source, *arguments, target]
    subprocess.run(command, check=True)
    return target


def changing(path: Path) -> Path:
    """Ten seconds of silence, then ten of noise: an encoder with a variable bit rate gives them other sizes."""
    noise = np.random.default_rng(1).integers(-9000, 9000, (10 * SAMPLE_RATE, 1)).astype(np.int16)
    return write_wav(path, np.concatenate([np.zeros_like(noise), noise]))


@pytest.mark.parametrize(
    ("name", "arguments", "played"),
    [
        ("constant.mp3", ("-b:a", "64k"), True),
        ("variable.mp3", ("-q:a", "4"), False),
        ("variable-without-xing.mp3", ("-q:a", "4", "-write_xing", "0"), False),
        ("constant-without-xing.mp3", ("-b:a", "64k", "-write_xing", "0"), True),
        ("raw.aac", ("-b:a", "64k"), False),
    ],
)
def test_lengths_of_raw_frames_are_counted(tmp_path: Path, name: str, arguments: tuple[str, ...], played: bool) -> None:
    info = probe(encoded(changing(tmp_path / "talk.wav"), tmp_path / name, *arguments))
    assert info.duration_ms == pytest.approx(20_000, abs=150)
    assert is_played(info) is played


def test_length_that_a_file_states_stands(tmp_path: Path) -> None:
    whole = encoded(changing(tmp_path / "talk.wav"), tmp_path / "talk.mp3", "-b:a", "64k")
    half = tmp_path / "half.mp3"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert probe(half).duration_ms == pytest.approx(20_000, abs=150)


@pytest.mark.parametrize(
    ("first", "second", "suffix"),
    [
        (("-ac", "1", "-ar", "44100", "-b:a", "64k"), ("-ac", "2", "-ar", "44100", "-b:a", "64k"), ".mp3"),
        (("-ac", "1", "-ar", "44100", "-b:a", "64k"), ("-ac", "1", "-ar", "48000", "-b:a", "64k"), ".mp3"),
        (("-ac", "2", "-c:a", "aac"), ("-ac", "6", "-c:a", "aac"), ".aac"),
    ],
    ids=["stereo", "rate", "surround"],
)
def test_format_that_changes_in_the_middle_moves_nothing(
    tmp_path: Path, first: tuple[str, ...], second: tuple[str, ...], suffix: str
) -> None:
    source = write_wav(tmp_path / "tone.wav", tone(6.0))
    parts = [encoded(source, tmp_path / f"{n}{suffix}", *each) for n, each in enumerate((first, second))]
    path = tmp_path / f"joined{suffix}"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert sum(map(len, stream_audio(path))) / SAMPLE_RATE == pytest.approx(12.0, abs=0.3)
    assert not is_played(probe(path))


@pytest.mark.parametrize("suffix", [".ts", ".mpg", ".mkv", ".mp4"])
def test_sound_that_starts_after_the_picture_is_heard_when_it_is_played(tmp_path: Path, suffix: str) -> None:
    source = write_wav(tmp_path / "tone.wav", tone(3.0))
    path = tmp_path / f"late{suffix}"
    pictures = ("-f", "lavfi", "-i", "testsrc=s=64x48:r=25:d=9", "-itsoffset", "5", "-i", str(source))
    codecs = ("-c:v", "mpeg2video" if suffix == ".mpg" else "libx264", "-c:a", "mp2" if suffix == ".mpg" else "aac")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *pictures, *codecs, str(path)]
    subprocess.run(command, check=True)
    samples = np.concatenate(list(stream_audio(path)))
    assert np.flatnonzero(np.abs(samples) > 0.05)[0] / SAMPLE_RATE == pytest.approx(5.0, abs=0.1)
    later = np.concatenate(list(stream_audio(path, start_ms=4_000)))
    assert np.flatnonzero(np.abs(later) > 0.05)[0] / SAMPLE_RATE == pytest.approx(1.0, abs=0.1)
