from __future__ import annotations

import os
import signal
import subprocess
import sys
import wave
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import jiwer
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from whisper_normalizer.english import EnglishTextNormalizer

from archive.catalogue.transcripts import read_transcript
from archive.connection import open_readonly
from metadata.languages import UNDETERMINED
from metadata.model import Segment, Transcript
from pipelines.errors import EngineError, SeamError, TranscriberError
from pipelines.media.files import probe, stream_audio
from pipelines.media.samples import AudioBlock
from pipelines.run.executors import InProcess
from pipelines.run.runner import RunSummary, run_stage
from pipelines.stages.pull import Pull
from pipelines.stages.transcribe import Transcribe
from pipelines.storage.archive_folder import Context, init, open_archive
from pipelines.transcribers.base import Hints, ignore_progress
from pipelines.transcribers.base import Report as Progress
from pipelines.transcribers.chunks import LONGEST_MS, Chunk, ChunkAudio, Heard, divide, join, pause
from pipelines.transcribers.faster_whisper import FasterWhisper
from pipelines.transcribers.speech import FRAME
from tests.pipelines.bursts import Ear, bursts, loud
from tests.pipelines.run.test_kill import wait_for
from tests.pipelines.trials import Watch

NOTHING = Transcript(language=UNDETERMINED, duration_ms=0, segments=())


def test_recording_within_the_limit_is_one_part() -> None:
    assert divide(None, 1000) == divide(0, 1000) == divide(1000, 1000) == (Chunk(),)


@given(st.integers(2, 10**9), st.integers(1, 10**8))
def test_parts_follow_each_other_and_are_about_as_long(duration_ms: int, longest_ms: int) -> None:
    if duration_ms > longest_ms * 1000:
        return
    found = divide(duration_ms, longest_ms)
    assert [part.number for part in found] == list(range(len(found)))
    assert (found[0].start_ms, found[-1].end_ms) == (0, None)
    lengths = [(part.end_ms or duration_ms) - part.start_ms for part in found]
    assert sum(lengths) == duration_ms
    assert max(lengths) <= longest_ms + 1
    assert max(lengths) - min(lengths) <= 1
    assert all(before.end_ms == after.start_ms for before, after in pairwise(found))


def heard(samples: AudioBlock, part: Chunk, ear: Ear) -> Heard:
    audio = samples[part.first_ms * 16 : None if part.last_ms is None else part.last_ms * 16]
    blocks = [audio[start : start + 4321] for start in range(0, len(audio), 4321)]
    sound = ChunkAudio(blocks, part, loud)
    return Heard(ear.transcribe(sound, Hints(), ignore_progress), sound.start_ms, sound.end_ms)


def divided(samples: AudioBlock, longest_ms: int, duration_ms: int | None = None, ear: Ear | None = None) -> Transcript:
    length = len(samples) // 16 if duration_ms is None else duration_ms
    return join([heard(samples, part, ear or Ear()) for part in divide(length, longest_ms)])


def at_once(samples: AudioBlock) -> Transcript:
    return Ear().transcribe([samples], Hints(), ignore_progress)


@given(st.lists(st.tuples(st.integers(200, 900), st.integers(50, 900)), min_size=1, max_size=20), st.integers(4, 30))
def test_parts_that_are_joined_equal_the_whole(lengths: list[tuple[int, int]], seconds: int) -> None:
    samples = bursts(lengths)
    assert divided(samples, seconds * 1000) == at_once(samples)


def test_recording_that_claims_to_be_longer_ends_where_it_ends() -> None:
    samples = bursts([(300, 500)] * 8)
    assert divided(samples, 4_000, duration_ms=60_000) == at_once(samples)


def test_recording_that_goes_on_after_its_claimed_end_is_heard_to_its_end() -> None:
    samples = bursts([(300, 500)] * 20)
    assert divided(samples, 4_000, duration_ms=9_000) == at_once(samples)


def test_recording_without_sound_has_no_parts_to_speak_of() -> None:
    assert divided(np.zeros(0, dtype=np.float32), 4_000, duration_ms=60_000) == at_once(np.zeros(0, dtype=np.float32))


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ([(1000, 1000), (500, 1000), (2000, 1000), (500, 1000)], 4.5),
        ([(0, 992), (992, 992), (992, 992), (992, 992)], 3.472),
        ([(4000, 0)], 2.0),
    ],
    ids=["longest", "nearest-the-middle", "silence"],
)
def test_pause_is_the_middle_of_the_longest(lengths: list[tuple[int, int]], expected: float) -> None:
    assert pause(bursts(lengths), loud) / 16_000 == pytest.approx(expected, abs=0.05)


def test_where_nobody_pauses_the_cut_is_where_speech_is_least_likely() -> None:
    likely = np.ones(40, dtype=np.float32)
    likely[13] = 0.6
    assert pause(np.ones(40 * FRAME, dtype=np.float32), lambda _: likely) == 13 * FRAME


def test_parts_that_do_not_meet_are_not_joined() -> None:
    with pytest.raises(SeamError, match="one ends at 5000 ms, the next begins at 7000"):
        join([Heard(NOTHING, 0, 5_000), Heard(NOTHING, 7_000)])


def test_part_in_another_language_says_so_in_its_segments() -> None:
    line = Segment(start_ms=100, end_ms=200, text="x")
    spoken = [
        NOTHING,
        *(
            Transcript(language=tag, duration_ms=1000, segments=(line, replace(line, language="fr")))
            for tag in ("de", "en")
        ),
    ]
    joined = join([Heard(each, n * 1000, n * 1000 + 1000) for n, each in enumerate(spoken)])
    assert (joined.language, joined.duration_ms) == ("de", 3_000)
    assert [(each.start_ms, each.language) for each in joined.segments] == [
        (1_100, None),
        (1_100, "fr"),
        (2_100, "en"),
        (2_100, "fr"),
    ]


LENGTHS = [(400 + 37 * (n % 7), 300 + 53 * (n % 5)) for n in range(40)]
LENGTH_MS = sum(map(sum, LENGTHS))


def write(path: Path, samples: AudioBlock) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    """An archive with a recording of three quarters of a minute."""
    init(tmp_path / "archive", title="Test")
    with open_archive(tmp_path / "archive") as context:
        source = write(tmp_path / "day.wav", bursts(LENGTHS))
        run_stage(context, Pull([source]), InProcess(), Watch())
        yield context


def transcript(context: Context) -> Transcript | None:
    row = context.db.execute("SELECT id FROM transcript WHERE is_current").fetchone()
    return read_transcript(context.db, row[0]) if row else None


def do(context: Context, stage: Transcribe) -> RunSummary:
    return run_stage(context, stage, InProcess(), Watch())


def test_long_recording_is_heard_in_parts_and_reads_as_if_it_were_not(context: Context) -> None:
    assert dict(do(context, Transcribe(Ear(), detect=loud)).counts) == {"done": 1}
    whole = transcript(context)
    assert whole is not None
    assert len(whole.segments) == len(LENGTHS)
    context.db.execute("DELETE FROM transcript")
    context.db.conn.commit()
    stage = Transcribe(Ear(), LENGTH_MS // 5 + 1, loud)
    assert dict(do(context, stage).counts) == {"done": 5}
    assert transcript(context) == whole
    assert context.db.execute("SELECT count(*) FROM heard_part").fetchone()[0] == 0
    assert dict(do(context, stage).counts) == {}


@dataclass(frozen=True)
class Deaf(Ear):
    """Fails in the part that ends with a certain tone."""

    last: str = ""

    def transcribe(self, audio: Iterator[AudioBlock], hints: Hints, report: Progress) -> Transcript:  # type: ignore[override]
        found = super().transcribe(audio, hints, report)
        if found.segments[-1].text == self.last:
            raise TranscriberError("it gave up")
        return found


def test_part_that_fails_is_named_and_the_others_are_kept_for_it(context: Context) -> None:
    whole, longest_ms = at_once(bursts(LENGTHS)), LENGTH_MS // 2 + 1
    report = do(context, Transcribe(Deaf(last=whole.segments[-1].text), longest_ms, loud))
    assert [(item.label.partition(", ")[2], outcome.code) for item, outcome in report.troubles] == [
        ("part 2 of 2", EngineError.code)
    ]
    assert transcript(context) is None
    watch = Watch()
    context.db.execute("UPDATE stage_run SET retried_at = 'now' WHERE status = 'failed'")
    context.db.conn.commit()
    run_stage(context, Transcribe(Ear(), longest_ms, loud), InProcess(), watch)
    assert [subject.partition("#")[2] for subject in watch.begun] == ["2/2"]
    assert transcript(context) == whole


@pytest.mark.skipif(sys.platform != "linux", reason="children end with their driver through PR_SET_PDEATHSIG")
def test_killed_run_redoes_only_the_parts_that_were_not_finished(tmp_path: Path) -> None:
    root = tmp_path / "archive"
    init(root, title="Test")
    with open_archive(root) as context:
        run_stage(context, Pull([write(tmp_path / "day.wav", bursts(LENGTHS))]), InProcess(), Watch())
    command = [sys.executable, "-m", "tests.pipelines.bursts", str(root), str(LENGTH_MS // 6 + 1)]

    def states() -> list[tuple[str, str]]:
        db = open_readonly(root / "catalogue.db")
        try:
            rows = db.execute("SELECT subject, status FROM stage_run WHERE stage = 'transcribe'").fetchall()
            return [(row[0].partition("#")[2], row[1]) for row in rows]
        finally:
            db.close()

    driver = subprocess.Popen(command)
    wait_for(lambda: [status for _, status in states()].count("done") >= 2)
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    before = {subject for subject, status in states() if status == "done"}
    assert subprocess.run(command, check=False).returncode == 0
    after = states()
    assert {subject for subject, status in after if status == "done"} == {f"{n}/6" for n in range(1, 7)}
    assert all([subject for subject, _ in after].count(done) == 1 for done in before)
    with open_archive(root) as context:
        found = transcript(context)
    assert found is not None
    assert found.segments == at_once(bursts(LENGTHS)).segments


@pytest.mark.speech
@pytest.mark.data
def test_real_speech_in_parts_reads_as_it_does_at_once(data: Path) -> None:
    path, engine = data / "audio" / "en" / "gb0_bush_radio_address.flac", FasterWhisper()
    texts = []
    for longest_ms in (LONGEST_MS, 40_000):
        found = []
        for part in divide(probe(path).duration_ms, longest_ms):
            sound = ChunkAudio(stream_audio(path, start_ms=part.first_ms, end_ms=part.last_ms), part)
            spoken = engine.transcribe(sound, Hints(language="en"), ignore_progress)
            found.append(Heard(spoken, sound.start_ms, sound.end_ms))
        texts.append(EnglishTextNormalizer()(" ".join(segment.text for segment in join(found).segments)))
    assert jiwer.wer(*texts) < 0.02
