from __future__ import annotations

import math
import os
import shutil
import struct
import subprocess
import sys
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.errors import BrokenMediaError, ItemCrashError, NoAudioError, NotMediaError
from pipelines.media.files import BLOCK_SECONDS, LEAST_RATE, StreamInfo, ffmpeg_binary, probe, stream_audio
from pipelines.media.samples import SAMPLE_RATE, AudioBlock

Samples = NDArray[np.int16]


def tone(seconds: float, *, rate: int = SAMPLE_RATE, channels: int = 1) -> Samples:
    """A 440 Hz tone at a quarter of full scale, shape (samples, channels)."""
    times = np.arange(int(seconds * rate)) / rate
    wave_ = (np.sin(2 * math.pi * 440 * times) * 8192).astype(np.int16)
    return np.repeat(wave_[:, None], channels, axis=1)


def write_wav(path: Path, samples: Samples, *, rate: int = SAMPLE_RATE) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path


def write_video(path: Path, *, seconds: float = 1.0, sound_from: float | None = 0.0) -> Path:
    """A grey video of 64 by 48, with a tone that starts late, or without sound."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono") if sound_from is not None else None
        for i in range(int(seconds * 10)):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), i % 256, dtype=np.uint8), format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 10)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio is not None and sound_from is not None:
            samples = tone(seconds)
            for start in range(0, int((seconds - sound_from) * SAMPLE_RATE) - 1023, 1024):
                piece = samples[start : start + 1024].T.copy()
                sound = av.AudioFrame.from_ndarray(piece, format="s16", layout="mono")
                sound.sample_rate, sound.time_base = SAMPLE_RATE, Fraction(1, SAMPLE_RATE)
                sound.pts = start + int(sound_from * SAMPLE_RATE)
                container.mux(audio.encode(sound))
            container.mux(audio.encode(None))
    return path


def heard(path: Path, *, start_ms: int = 0) -> AudioBlock:
    return np.concatenate(list(stream_audio(path, start_ms=start_ms)))


def loudness(samples: AudioBlock) -> float:
    return float(np.sqrt(np.mean(samples**2)))


@pytest.mark.parametrize(
    ("suffix", "media_type"), [(".mp4", "video/mp4"), (".mkv", "video/x-matroska"), (".mov", "video/quicktime")]
)
def test_probe_video_whatever_its_name(tmp_path: Path, suffix: str, media_type: str) -> None:
    path = write_video(tmp_path / f"talk{suffix}", seconds=2).rename(tmp_path / "talk.txt")
    info = probe(path)
    assert (info.kind, info.media_type, info.suffix, info.has_audio) == ("video", media_type, suffix, True)
    assert info.duration_ms == pytest.approx(2000, abs=100)
    assert info.streams == (
        StreamInfo(type="video", codec="mpeg4", width=64, height=48, pixels="yuv420p"),
        StreamInfo(type="audio", codec="aac", channels=1, rate=SAMPLE_RATE),
    )


def test_probe_wav(tmp_path: Path) -> None:
    info = probe(write_wav(tmp_path / "talk.wav", tone(1.5, channels=2)))
    assert (info.kind, info.media_type, info.suffix, info.duration_ms) == ("audio", "audio/wav", ".wav", 1500)
    assert info.streams == (StreamInfo(type="audio", codec="pcm_s16le", channels=2, rate=SAMPLE_RATE),)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("talk.mp4", b"", "not a recording: the file is empty"),
        ("talk.mp4", b"Minutes of the meeting.\n" * 100, "not a recording but text"),
        ("talk.mp3", "Größe – \u2026\n".encode() * 999, "not a recording but text"),
        ("talk.srt", b"1\n00:00:01,000 --> 00:00:02,000\nHello\n", "not a recording but subtitles"),
        ("talk.mp4", b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n", "not a recording but subtitles"),
        ("talk.mp4", b"\x89PNG\r\n\x1a\n" + bytes(200), "not a recording but an image"),
        ("talk.mp4", struct.pack(">I", 24) + b"ftypavif" + bytes(200), "not a recording but an image"),
        ("talk.mp4", bytes(range(256)) * 20, "not a recording, or in a format"),
    ],
)
def test_probe_not_a_recording(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(NotMediaError, match=reason):
        probe(path)


@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{secret}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{secret}'\n",
    ],
)
@pytest.mark.parametrize("name", ["talk.mp4", "talk.m3u8", "talk.ffconcat"])
def test_probe_playlist_in_disguise(tmp_path: Path, playlist: str, name: str) -> None:
    secret = write_wav(tmp_path / "secret.wav", tone(1))
    path = tmp_path / name
    path.write_text(playlist.format(secret=secret), encoding="utf-8")
    with pytest.raises(NotMediaError, match="a playlist"):
        probe(path)
    with pytest.raises(NotMediaError, match="a playlist"):
        stream_audio(path)


def test_probe_mp4_without_its_index(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.mp4", seconds=2).read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BrokenMediaError, match="damaged or incomplete"):
        probe(path)


def test_probe_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(BrokenMediaError, match="no such file"):
        probe(tmp_path / "nothing.mp4")
    with pytest.raises(BrokenMediaError, match="not a file"):
        probe(tmp_path)


def test_probe_name_that_ffmpeg_would_take_for_a_protocol(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "concat:a|b.wav", tone(0.5))
    assert probe(path).duration_ms == 500
    assert len(heard(path)) == SAMPLE_RATE // 2


def test_video_without_sound(tmp_path: Path) -> None:
    path = write_video(tmp_path / "silent.mp4", sound_from=None)
    assert probe(path).has_audio is False
    with pytest.raises(NoAudioError, match="no sound"):
        stream_audio(path)


def test_stream_audio_blocks(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "talk.wav", tone(BLOCK_SECONDS + 1.5))
    blocks = list(stream_audio(path))
    assert [(len(block) / SAMPLE_RATE, block.dtype) for block in blocks] == [
        (BLOCK_SECONDS, np.float32),
        (1.5, np.float32),
    ]
    assert loudness(blocks[0]) == pytest.approx(0.25 / math.sqrt(2), rel=0.01)


def test_stream_audio_from_the_middle(tmp_path: Path) -> None:
    samples = np.concatenate([np.zeros((SAMPLE_RATE * 2, 1), dtype=np.int16), tone(1)])
    found = heard(write_wav(tmp_path / "talk.wav", samples), start_ms=2_000)
    assert len(found) == SAMPLE_RATE
    assert loudness(found) > 0.1


@pytest.mark.parametrize(("channels", "rate"), [(1, 8_000), (2, 192_000), (7, 48_000), (12, 48_000)])
def test_stream_audio_channels_and_rates(tmp_path: Path, channels: int, rate: int) -> None:
    path = write_wav(tmp_path / "talk.wav", tone(1, rate=rate, channels=channels), rate=rate)
    found = heard(path)
    assert len(found) == pytest.approx(SAMPLE_RATE, abs=32)
    assert loudness(found) > 0.1


def test_stream_audio_that_starts_late(tmp_path: Path) -> None:
    found = heard(write_video(tmp_path / "late.mp4", seconds=3, sound_from=1.0))
    assert loudness(found[: int(0.9 * SAMPLE_RATE)]) < 0.001
    assert loudness(found[int(1.2 * SAMPLE_RATE) : int(2.8 * SAMPLE_RATE)]) > 0.1


@pytest.mark.parametrize("claimed", [0, 100, 0x7FFFFFF0, 0xFFFFFFFF])
def test_stream_audio_of_a_wav_that_lies_about_its_length(tmp_path: Path, claimed: int) -> None:
    data = bytearray(write_wav(tmp_path / "talk.wav", tone(2)).read_bytes())
    data[40:44] = struct.pack("<I", claimed)
    path = tmp_path / "lies.wav"
    path.write_bytes(data)
    if claimed == 100:  # what follows is no sound, as far as anyone can tell
        assert len(heard(path)) == 50
    else:
        assert len(heard(path)) == 2 * SAMPLE_RATE


def test_stream_audio_whose_timestamps_run_away_ends(tmp_path: Path) -> None:
    path = tmp_path / "talk.caf"
    write_wav(tmp_path / "talk.wav", tone(2))
    subprocess.run([ffmpeg_binary(), "-v", "error", "-i", str(tmp_path / "talk.wav"), str(path)], check=True)
    data = bytearray(path.read_bytes())
    at = data.index(b"desc") + 12 + 20  # mFramesPerPacket: Apple Core Audio Format Specification 1.0
    assert data[at : at + 4] == b"\0\0\0\1"
    data[at : at + 4] = b"\0\x0e\0\1"
    path.write_bytes(data)
    assert sum(map(len, stream_audio(path))) / SAMPLE_RATE == pytest.approx(2 + len(data) / LEAST_RATE, abs=1)


def test_stream_audio_damaged_in_the_middle(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "talk.mp3"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libmp3lame", rate=SAMPLE_RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone(10).T.copy(), format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3_000] = bytes(range(250)) * 12
    path.write_bytes(data)
    found = heard(path)
    assert len(found) > 7 * SAMPLE_RATE
    assert loudness(found[-SAMPLE_RATE:]) > 0.1
    [said] = caplog.messages
    assert said.startswith("parts of the sound could not be decoded: ")
    assert "0x" not in said  # the same each time


@pytest.mark.skipif(sys.platform == "darwin", reason="its file system takes no such names")
def test_stream_audio_of_a_file_whose_name_is_not_utf8(tmp_path: Path) -> None:
    path = write_wav(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav")), tone(1))
    assert len(heard(path)) == SAMPLE_RATE


def test_stream_audio_truncated(tmp_path: Path) -> None:
    whole = write_wav(tmp_path / "talk.wav", tone(4)).read_bytes()
    path = tmp_path / "cut.wav"
    path.write_bytes(whole[: len(whole) // 2])
    assert len(heard(path)) == pytest.approx(2 * SAMPLE_RATE, abs=64)


def test_stream_audio_left_early(tmp_path: Path) -> None:
    blocks = stream_audio(write_wav(tmp_path / "talk.wav", tone(4 * BLOCK_SECONDS)))
    assert len(next(blocks)) == BLOCK_SECONDS * SAMPLE_RATE
    getattr(blocks, "close")()  # noqa: B009 - what leaving a loop does to a generator
    assert list(blocks) == []


def test_ffmpeg_binary_on_the_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "ffmpeg"
    own.write_text("#!/bin/sh\n", encoding="ascii")
    own.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ffmpeg_binary() == str(own)


def test_ffmpeg_binary_from_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Path(ffmpeg_binary()).is_file()


def test_ffmpeg_that_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_wav(tmp_path / "talk.wav", tone(1))
    own = tmp_path / "ffmpeg"
    own.write_text("#!/bin/sh\nkill -9 $$\n", encoding="ascii")
    own.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{Path(shutil.which('sh') or '/bin/sh').parent}")
    with pytest.raises(ItemCrashError, match="killed by signal 9"):
        heard(path)
