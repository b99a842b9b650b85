from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import av
import pytest

from pipelines.errors import BrokenMediaError
from pipelines.limited import limited
from pipelines.media import StreamInfo, convert, ffmpeg_binary, probe
from pipelines.renditions import POINTS, is_played, render
from tests.pipelines.test_media import tone, write_video, write_wav


def recorded(path: Path, *options: str) -> Path:
    """Have ffmpeg record two seconds of a test picture and a tone."""
    picture = ["-f", "lavfi", "-i", "testsrc=size=320x180:rate=10", "-f", "lavfi", "-i", "sine"]
    subprocess.run(
        [ffmpeg_binary(), "-v", "error", *picture, "-t", "2", *options, str(path)], check=True, capture_output=True
    )
    return path


def made(path: Path, folder: Path) -> dict[str, Path]:
    folder.mkdir()
    return {each.kind: each.path for each in render(path, probe(path), folder)}


def codecs(path: Path) -> list[str]:
    return [stream.codec for stream in probe(path).streams]


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("a.avi", ["-c:v", "mpeg4", "-c:a", "mp3"], "video/mp4"),
        ("a.mkv", ["-c:v", "libx264", "-c:a", "aac"], "video/mp4"),
        ("a.mov", ["-c:v", "libx264", "-c:a", "pcm_s16le"], "video/mp4"),
        ("a.wmv", ["-c:v", "wmv2", "-c:a", "wmav2"], "video/mp4"),
        ("a.wma", ["-vn", "-c:a", "wmav2"], "audio/webm"),
        ("a.ogg", ["-vn", "-c:a", "libopus"], "audio/webm"),
        ("a.m4a", ["-vn", "-c:a", "alac"], "audio/webm"),
    ],
)
def test_what_browsers_do_not_play_is_put_into_a_form_that_they_do(
    tmp_path: Path, name: str, options: list[str], expected: str
) -> None:
    path = recorded(tmp_path / name, *options)
    assert not is_played(probe(path))
    info = probe(made(path, tmp_path / "made")["web"])
    assert is_played(info)
    assert info.media_type == expected
    assert info.duration_ms == pytest.approx(2000, abs=150)


@pytest.mark.parametrize("name", ["a.mp4", "a.webm", "a.m4a", "a.mp3", "a.wav", "a.flac"])
def test_what_browsers_play_is_left_as_it_is(tmp_path: Path, name: str) -> None:
    path = recorded(tmp_path / name, *([] if name in {"a.mp4", "a.webm"} else ["-vn"]))
    assert is_played(probe(path))
    assert set(made(path, tmp_path / "made")) == ({"poster", "peaks"} if name in {"a.mp4", "a.webm"} else {"peaks"})


def test_streams_that_are_right_are_copied(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.mkv", "-c:v", "libx264", "-c:a", "aac")
    web = made(path, tmp_path / "made")["web"]
    packets = []
    for each in (path, web):
        with av.open(str(each)) as container:
            packets.append([packet.size for packet in container.demux(video=0) if packet.size])
    assert packets[0] == packets[1]


def test_index_of_a_web_form_comes_first(tmp_path: Path) -> None:
    data = made(write_video(tmp_path / "a.mkv"), tmp_path / "made")["web"].read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_odd_sizes_are_made_even(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.mkv", "-vf", "crop=319:179", "-c:v", "ffv1", "-an")
    info = probe(made(path, tmp_path / "made")["web"])
    assert info.streams == (StreamInfo(type="video", codec="h264", width=318, height=178),)


def test_poster_is_a_picture_of_the_recording(tmp_path: Path) -> None:
    poster = made(recorded(tmp_path / "a.mp4"), tmp_path / "made")["poster"]
    with av.open(str(poster)) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (320, 180)


def test_peaks_are_the_shape_of_the_sound(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(3.05))
    shape = json.loads(made(path, tmp_path / "made")["peaks"].read_bytes())
    assert (shape["length"], shape["samples_per_pixel"], len(shape["data"])) == (31, 1600, 62)
    assert set(shape["data"][0:60:2]) <= {-32, -31}
    assert set(shape["data"][1:60:2]) <= {31, 32}


def test_peaks_of_a_long_recording_are_no_more(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(1.0).repeat(250, axis=0))
    shape = json.loads(made(path, tmp_path / "made")["peaks"].read_bytes())
    assert shape["length"] <= POINTS
    assert shape["length"] * shape["samples_per_pixel"] >= 250 * 16_000


def test_conversion_beyond_its_time_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines import media

    path = recorded(tmp_path / "a.avi", "-c:v", "mpeg4")
    monkeypatch.setattr(media, "RENDER_SECONDS", 0.0)
    info = replace(probe(path), duration_ms=1)
    with pytest.raises(BrokenMediaError, match="took more than"):
        convert(path, tmp_path / "out.mp4", info, "V:0", format="mp4", **{"c:v": "libx264", "preset": "placebo"})


@pytest.mark.parametrize(
    ("program", "memory", "seconds", "code"),
    [
        ("bytearray(1 << 30)", 1 << 29, 60, 1),
        ("while True: pass", 1 << 30, 1, -signal.SIGXCPU),
        ("pass", 1 << 30, 60, 0),
    ],
    ids=["memory", "time", "within"],
)
def test_program_is_held_to_its_limits(program: str, memory: int, seconds: int, code: int) -> None:
    command = limited([sys.executable, "-I", "-S", "-c", program], cpu_seconds=seconds, memory=memory)
    assert subprocess.run(command, capture_output=True, check=False).returncode == code
