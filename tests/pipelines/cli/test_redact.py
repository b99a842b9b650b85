"""Minutes taken out of a video of real speech: of its words, its sound, its pictures and its shape."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from archive.catalogue.transcripts import read_transcript
from archive.connection import open_readonly
from archive.site.session_page import recordings as queries
from archive.sqlite import sqlite3
from metadata.model import Segment
from pipelines.media.files import stream_audio
from pipelines.storage.archive_folder import open_archive_readonly
from pipelines.transcribers import FasterWhisper, Hints
from pipelines.transcribers.base import ignore_progress
from tests.pipelines.cli.test_cli import rostra
from tests.pipelines.media.test_renditions import ffmpeg
from tests.pipelines.transcribers.test_faster_whisper import DATA, recordings, weights

WORDS = ("fellow", "americans")
WHITE = ("-f", "lavfi", "-i", "color=white:size=320x180:rate=10")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an archive of one video: a white picture, and a sentence that everybody knows."""
    folder = tmp_path_factory.mktemp("redact")
    (folder / "in").mkdir()
    speech = (
        "-i",
        DATA / "audio" / "en" / "jfk.flac",
        "-shortest",
        "-pix_fmt",
        "yuv420p",
        "-c:v",
        "libx264",
        "-c:a",
        "aac",
    )
    ffmpeg(*WHITE, *speech, folder / "in" / "inaugural.mp4")
    root = folder / "archive"
    for command in (("init", root), ("pull", folder / "in", "--archive", root), ("run", "--archive", root)):
        done = rostra(*command)
        assert done.returncode == 0, done.stderr
    return root


def spoken(segments: tuple[Segment, ...]) -> list[str]:
    return re.findall(r"[a-z]+", " ".join(segment.text for segment in segments).lower())


def published(root: Path) -> tuple[sqlite3.Connection, dict[str, Path], bytes]:
    """Return the published database, its media by kind, and every byte of it."""
    name = json.loads((root / "public" / "current.json").read_bytes())["database"]
    db = open_readonly(root / "public" / name, immutable=True)
    db.conn.row_factory = sqlite3.Row
    files = {
        row["kind"]: root / "public" / "media" / f"{row['sha256']}{row['suffix']}"
        for row in db.query("SELECT * FROM rendition")
    }
    return db.conn, files, (root / "public" / name).read_bytes()


def pictures(video: Path) -> list[tuple[float, float]]:
    """Return the time of each picture in seconds, and its mean brightness."""
    with av.open(str(video)) as container:
        return [
            (float(frame.time or 0), float(frame.to_ndarray(format="gray").mean()))
            for frame in container.decode(video=0)
        ]


def loudest(sound: Path, start: float, end: float) -> float:
    samples = np.concatenate(list(stream_audio(sound)))
    return float(np.abs(samples[round(start * 16_000) : round(end * 16_000)]).max())


def said_from_to(root: Path) -> tuple[float, float]:
    """Return when the words begin and end, as the archive itself heard them, in seconds."""
    with open_archive_readonly(root) as context:
        words = [word for segment in read_transcript(context.db, 1).segments for word in segment.words]
    [found] = [(a, b) for a, b in pairwise(words) if (plain(a.text), plain(b.text)) == WORDS]
    return found[0].start_ms / 1000, found[1].end_ms / 1000


def plain(text: str) -> str:
    return re.sub("[^a-z]", "", text.lower())


@pytest.mark.speech
@weights
@recordings
def test_what_is_taken_out_is_in_no_published_form_and_comes_back(archive: Path) -> None:
    start, end = said_from_to(archive)
    # The middle of each word is enough: no half of one stays.
    span = f"{start + 0.1:.2f}-{end - 0.1:.2f}"
    done = rostra("redact", "inaugural", span, "--why", "a test", "--tell", "--archive", archive)
    assert done.returncode == 0, done.stderr
    db, files, content = published(archive)
    lines = queries.lines(db, 1)
    assert [line.text for line in lines if line.redacted] == ["a test"]
    [mark] = [line for line in lines if line.redacted]
    assert mark.start_ms / 1000 <= start
    assert mark.end_ms / 1000 >= end
    transcript = queries.transcript(db, 1)
    assert transcript is not None
    assert not set(WORDS) & set(spoken(transcript.segments))
    assert queries.TAKEN_OUT in [segment.text for segment in transcript.segments]
    assert [word in content.lower() for word in (b"fellow", b"american", b"country")] == [False, False, True]
    heard = FasterWhisper().transcribe(stream_audio(files["web"]), Hints("en"), ignore_progress)
    assert not {"fellow", "american", "americans"} & set(spoken(heard.segments))
    assert {"ask", "country"} <= set(spoken(heard.segments))
    assert loudest(files["web"], start, end) < 0.001
    inside = [light for at, light in pictures(files["web"]) if start <= at <= end]
    outside = [light for at, light in pictures(files["web"]) if at > end + 0.5]
    assert (max(inside) < 20, min(outside) > 230) == (True, True)
    shape = json.loads(files["peaks"].read_bytes())
    step = shape["samples_per_pixel"] / shape["sample_rate"]
    quiet = shape["data"][2 * int(start / step + 1) : 2 * int(end / step - 1)]
    assert quiet
    assert set(quiet) <= {-1, 0, 1}
    db.close()
    kept = next((archive / "media").glob("*/*.mp4"))
    assert kept.is_file()
    assert rostra("redact", "inaugural", "--undo", "1", "--archive", archive).returncode == 0
    db, files, content = published(archive)
    assert b"fellow" in content.lower()
    assert loudest(files["web"], start, end) > 0.05
    db.close()


@pytest.mark.speech
@weights
@recordings
def test_what_is_purged_is_in_no_byte_of_the_archive(archive: Path) -> None:
    start, end = said_from_to(archive)
    originals = {path for path in (archive / "media").rglob("*") if path.is_file()}
    asked = ("redact", "inaugural", f"{start:.2f}-{end:.2f}", "--why", "asked", "--purge", "--yes")
    done = rostra(*asked, "--archive", archive)
    assert done.returncode == 0, done.stderr
    files = [path for path in archive.rglob("*") if path.is_file()]
    assert [path for path in files if b"fellow" in path.read_bytes().lower()] == []
    assert not {path for path in originals if path.suffix == ".mp4"} & set(files)
    for video in archive.rglob("*.mp4"):
        assert loudest(video, start, end) < 0.001
    assert rostra("check", "--archive", archive).returncode in {0, 1}
