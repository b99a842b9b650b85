from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipelines.media.files import probe, stream_audio
from pipelines.media.samples import SAMPLE_RATE
from pipelines.run.executors import InProcess
from pipelines.run.runner import run_stage
from pipelines.stages.pull import Pull
from pipelines.storage.archive_folder import init, open_archive
from tests.pipelines.media.test_renditions import ffmpeg
from tests.pipelines.trials import Watch

CLICK = "aevalsrc='if(between(t,1,1.1),0.8*sin(2*PI*880*t),0.0005*random(0))':d=6:s=48000"
"""Six seconds of faint noise, with a tone after the first."""


def joined(path: Path, first: str, second: str) -> Path:
    """Join two recordings by their bytes, as ``cat`` does."""
    parts = []
    for number, options in enumerate((first, second)):
        part = path.with_name(f"part-{number}{path.suffix}")
        parts.append(ffmpeg("-f", "lavfi", "-i", CLICK, *options.split(), part).read_bytes())
    path.write_bytes(b"".join(parts))
    return path


def clicks(path: Path) -> list[float]:
    """Return where tones begin, in seconds."""
    at = np.flatnonzero(np.abs(np.concatenate(list(stream_audio(path)))) > 0.2) / SAMPLE_RATE
    return [float(time) for number, time in enumerate(at) if number == 0 or time - at[number - 1] > 0.5]


JOINED = [
    ("a.ts", "-ac 2 -c:a aac", "-ac 2 -c:a aac"),
    ("a.ts", "-ac 2 -c:a aac", "-ac 6 -c:a aac"),
    ("a.ts", "-c:a aac -ar 44100", "-c:a aac -ar 48000"),
    ("a.ts", "-ac 1 -c:a mp2", "-ac 2 -c:a mp2"),
    ("a.mpg", "-ac 1 -c:a mp2", "-ac 2 -c:a mp2"),
    ("a.ogg", "-ac 1 -c:a libvorbis", "-ac 1 -c:a libvorbis"),
    ("a.ogg", "-c:a flac", "-c:a flac"),
    ("a.ogg", "-ac 1 -c:a libopus", "-ac 1 -c:a libopus"),
    ("a.mp3", "-ac 1 -ar 44100", "-ac 1 -ar 48000"),
    ("a.ac3", "-ac 2", "-ac 6"),
]


@pytest.mark.parametrize(("name", "first", "second"), JOINED)
def test_joined_recording_is_as_long_as_its_parts_and_everything_is_where_it_is_heard(
    tmp_path: Path, name: str, first: str, second: str
) -> None:
    path = joined(tmp_path / name, first, second)
    assert probe(path).duration_ms == pytest.approx(12_000, abs=150)
    assert clicks(path) == pytest.approx([1.0, 7.0], abs=0.1)


@pytest.mark.parametrize(("codec", "rate"), [("libopus", "48000"), ("libvorbis", "44100")])
def test_length_of_a_chain_is_counted_also_where_ffmpeg_stops_at_a_link(tmp_path: Path, codec: str, rate: str) -> None:
    path = joined(tmp_path / "a.ogg", f"-ac 1 -c:a {codec}", f"-ac 2 -c:a {codec} -ar {rate}")
    assert probe(path).duration_ms == pytest.approx(12_000, abs=100)


def test_pictures_count_and_a_gap_does_and_a_jump_of_the_clock_does_not(tmp_path: Path) -> None:
    picture = ("-f", "lavfi", "-i", "testsrc=size=64x64:rate=25:d=6", "-f", "lavfi", "-i", CLICK)
    whole = ffmpeg(*picture, "-c:v", "libx264", "-c:a", "aac", tmp_path / "a.ts")
    silent = ffmpeg("-i", whole, "-an", "-c", "copy", tmp_path / "silent.ts")
    assert probe(silent).duration_ms == pytest.approx(6_000, abs=100)
    gap = ffmpeg("-itsoffset", "9", "-i", whole, "-c", "copy", tmp_path / "gap.ts").read_bytes()
    far = ffmpeg("-itsoffset", "900", "-i", whole, "-c", "copy", tmp_path / "far.ts").read_bytes()
    (tmp_path / "with-gap.ts").write_bytes(whole.read_bytes() + gap)
    (tmp_path / "with-jump.ts").write_bytes(whole.read_bytes() + far)
    assert probe(tmp_path / "with-gap.ts").duration_ms == pytest.approx(15_000, abs=100)
    assert probe(tmp_path / "with-jump.ts").duration_ms == pytest.approx(12_000, abs=150)


@pytest.mark.parametrize("suffix", [".ogg", ".ts"])
def test_damaged_recording_has_the_length_of_what_is_there(tmp_path: Path, suffix: str) -> None:
    codec = "-c:a libvorbis" if suffix == ".ogg" else "-c:a aac"
    path = joined(tmp_path / f"a{suffix}", codec, codec)
    path.write_bytes(path.read_bytes()[:-2_000])
    assert probe(path).duration_ms == pytest.approx(11_800, abs=600)


def test_catalogue_has_the_counted_length(tmp_path: Path) -> None:
    init(tmp_path / "archive", title="Test")
    path = joined(tmp_path / "a.ts", "-c:a aac", "-c:a aac")
    with open_archive(tmp_path / "archive") as context:
        run_stage(context, Pull([path]), InProcess(), Watch())
        [length] = context.db.execute("SELECT duration_ms FROM recording").fetchone()
    assert length == pytest.approx(12_000, abs=100)
