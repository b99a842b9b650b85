from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from archive.catalogue import runs
from archive.catalogue.database import catalogue_names
from archive.catalogue.migrations import catalogue_migrations
from archive.catalogue.speakers import read_turns, voices_of
from archive.catalogue.transcripts import read_transcript
from archive.connection import open_readonly, transaction
from archive.sqlite import Database, sqlite3
from archive.voices.decisions import find_voice, name_voice
from pipelines.config import Limits
from pipelines.errors import TranscriberError, WeightsError
from pipelines.exchange.captions import add_captions
from pipelines.media.samples import AudioBlock
from pipelines.run.executors import InProcess, Local
from pipelines.run.runner import RunSummary, due_in, run_stage
from pipelines.speakers.base import Diarization, Report
from pipelines.speakers.fake import FakeDiarizer
from pipelines.stages.base import Stage
from pipelines.stages.diarize import Diarize
from pipelines.stages.index import Index
from pipelines.stages.publish import Publish
from pipelines.stages.pull import Pull
from pipelines.stages.transcribe import Transcribe
from pipelines.storage.archive_folder import Context, init, open_archive
from pipelines.transcribers import FakeTranscriber
from tests.pipelines.sounds import write_wav
from tests.pipelines.trials import Watch

TALK = FakeTranscriber(("One two three four five six.",))
"""A sentence for every four seconds, with a word each half of a second."""
NOW = "2026-01-01T00:00:00Z"


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    init(tmp_path / "archive", title="Test")
    write_wav(tmp_path / "talk.wav", 12)
    with open_archive(tmp_path / "archive") as context:
        assert not do(context, Pull([tmp_path / "talk.wav"])).failed
        yield context


def do(context: Context, *stages: Stage) -> RunSummary:
    report = RunSummary()
    for stage in stages:
        report.merge(run_stage(context, stage, InProcess(), Watch()))
    return report


def said(context: Context) -> list[tuple[int, str, str | None]]:
    """Return the current transcript: where each segment begins, its text and its speaker."""
    [row] = context.db.execute("SELECT id FROM transcript WHERE is_current").fetchall()
    return [(s.start_ms, s.text, s.speaker) for s in read_transcript(context.db, row[0]).segments]


def name(context: Context, label: str, person: str | None) -> None:
    with transaction(context.db):
        if person:
            context.db.execute("INSERT OR IGNORE INTO person(slug, name) VALUES (?, 'Noor Okafor')", [person])
            context.db.execute("INSERT OR IGNORE INTO session_person(session_id, person_id) VALUES (1, 1)")
        name_voice(context.db, find_voice(context.db, 1, label), person, by="editor", at=NOW)


def test_words_get_voices_and_segments_are_divided_where_the_voice_changes(context: Context) -> None:
    assert not do(context, Transcribe(TALK), Diarize(FakeDiarizer((5_000, 4_000)))).failed
    assert said(context) == [
        (0, "One two three four five six.", "Voice 1"),
        (4000, "One two", "Voice 1"),
        (5000, "three four five six.", "Voice 2"),
        (8000, "One two", "Voice 2"),
        (9000, "three four five six.", "Voice 1"),
    ]
    voices = voices_of(context.db, 1)
    assert [(v.label, v.origin, v.talking_ms, v.turns, v.longest) for v in voices] == [
        ("Voice 1", "sound", 8_000, 2, (0, 5_000)),
        ("Voice 2", "sound", 4_000, 1, (5_000, 9_000)),
    ]


def test_doing_it_again_does_nothing(context: Context) -> None:
    stages = Transcribe(TALK), Diarize(FakeDiarizer()), Index()
    do(context, *stages)
    before = context.db.execute("SELECT count(*), max(id) FROM transcript").fetchone()
    assert not do(context, *stages).counts
    assert context.db.execute("SELECT count(*), max(id) FROM transcript").fetchone() == before


def test_a_recording_may_be_heard_before_it_is_transcribed_and_ends_in_the_same_state(context: Context) -> None:
    assert do(context, Diarize(FakeDiarizer((5_000, 4_000)))).counts == {"done": 1}
    do(context, Transcribe(TALK))
    assert said(context)[1:3] == [(4000, "One two", "Voice 1"), (5000, "three four five six.", "Voice 2")]
    assert not do(context, Transcribe(TALK), Diarize(FakeDiarizer((5_000, 4_000)))).counts


def test_a_recording_whose_file_is_elsewhere_is_not_heard(context: Context) -> None:
    context.db.execute("UPDATE recording SET elsewhere = 'https://example.org/talk'")
    assert not do(context, Diarize(FakeDiarizer())).counts


def test_switched_off_it_does_nothing(context: Context) -> None:
    assert not do(context, Transcribe(TALK), Diarize(FakeDiarizer(), enabled=False)).stages.get("diarize")


def test_switched_off_and_on_again_it_keeps_what_it_knows_and_does_nothing_twice(context: Context) -> None:
    do(context, Transcribe(TALK), Diarize(FakeDiarizer()))
    before = said(context)
    assert not do(context, Diarize(FakeDiarizer(), enabled=False)).counts
    assert said(context) == before
    assert not do(context, Diarize(FakeDiarizer())).counts
    assert {who for _, _, who in before} == {"Voice 1", "Voice 2"}


def test_the_only_voice_is_labelled_once_it_has_a_name(context: Context) -> None:
    do(context, Transcribe(TALK), Diarize(FakeDiarizer(voices=1)))
    assert {speaker for _, _, speaker in said(context)} == {None}
    name(context, "Voice 1", "noor-okafor")
    assert {speaker for _, _, speaker in said(context)} == {"Voice 1"}
    name(context, "Voice 1", None)
    assert {speaker for _, _, speaker in said(context)} == {None}


def test_a_new_transcript_gets_the_voices_that_are_known(context: Context) -> None:
    do(context, Transcribe(TALK), Diarize(FakeDiarizer()))
    do(context, Transcribe(FakeTranscriber(("Other words.",))))
    assert said(context) == [
        (0, "Other words.", "Voice 1"),
        (4000, "Other words.", "Voice 2"),
        (8000, "Other words.", "Voice 1"),
    ]
    assert not do(context, Diarize(FakeDiarizer())).counts, "the sound is the same"


def test_a_voice_keeps_its_label_and_name_when_it_is_heard_again(context: Context) -> None:
    do(context, Transcribe(TALK), Diarize(FakeDiarizer((4_000,), voices=2)))
    name(context, "Voice 2", "noor-okafor")
    do(context, Diarize(FakeDiarizer((3_900, 4_100, 2_000, 2_000), voices=3)))
    named = {voice.label: voice.person for voice in voices_of(context.db, 1)}
    assert named == {"Voice 1": None, "Voice 2": "noor-okafor", "Voice 3": None}
    assert [turn.label for turn in read_turns(context.db, 1)] == ["Voice 1", "Voice 2", "Voice 3", "Voice 1"]


def test_speakers_of_captions_and_peoples_words_stay(context: Context) -> None:
    do(context, Transcribe(TALK), Diarize(FakeDiarizer()))
    captions = (
        b"WEBVTT\n\n00:00.000 --> 00:05.000\n<v Noor Okafor>Welcome all\n\n00:06.000 --> 00:09.000\n<v Ken>Thanks\n"
    )
    with transaction(context.db):
        add_captions(context, captions, "talk.vtt", 1, kind="human", language="en")
    assert said(context) == [(0, "Welcome all", "Noor Okafor"), (6000, "Thanks", "Ken")]
    assert not do(context, Diarize(FakeDiarizer(revision=2))).counts
    assert said(context) == [(0, "Welcome all", "Noor Okafor"), (6000, "Thanks", "Ken")]


def test_captions_of_people_without_speakers_get_voices_and_keep_their_words(context: Context) -> None:
    do(context, Transcribe(TALK), Diarize(FakeDiarizer()))
    captions = b"WEBVTT\n\n00:00.000 --> 00:03.500\nWelcome all\n\n00:04.500 --> 00:07.000\nThanks\n"
    with transaction(context.db):
        add_captions(context, captions, "talk.vtt", 1, kind="human", language="en")
    assert said(context) == [(0, "Welcome all", "Voice 1"), (4500, "Thanks", "Voice 2")]
    assert context.db.execute("SELECT kind FROM transcript WHERE is_current").fetchone() == ("human",)


@pytest.mark.parametrize(
    "fault", [TranscriberError("it gave up"), WeightsError("no weights"), ImportError("onnxruntime")]
)
def test_a_failing_diarizer_costs_no_transcript_and_one_retry_brings_it(context: Context, fault: Exception) -> None:
    report = do(context, Transcribe(TALK), Diarize(FakeDiarizer(fails=fault)), Index(), Publish(grace_seconds=0.0))
    assert report.stages["diarize"] == {"failed": 1}
    assert [report.stages[stage] for stage in ("transcribe", "index", "publish")] == [{"done": 1}] * 3
    [trouble] = runs.troubles(context.db)
    assert (trouble.stage, trouble.code) == ("diarize", "speakers")
    assert trouble.text == f"who speaks is not known, and all else is: {fault}"
    assert said(context)[0] == (0, "One two three four five six.", None)
    assert not due_in(context, Diarize(FakeDiarizer())), "it was tried as often as it may be"
    with transaction(context.db):
        runs.retry(context.db, [trouble], retried_at=NOW)
    assert do(context, Diarize(FakeDiarizer()), Index(), Publish(grace_seconds=0.0)).stages["diarize"] == {"done": 1}
    assert said(context)[0] == (0, "One two three four five six.", "Voice 1")
    assert not runs.troubles(context.db)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_cache_that_takes_no_weights_ends_no_run(
    context: Context, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def load(_self: FakeDiarizer) -> None:
        raise WeightsError("the weights cannot be kept in the cache") from OSError(number, os.strerror(number))

    monkeypatch.setattr(FakeDiarizer, "load", load)
    assert do(context, Diarize(FakeDiarizer()), Transcribe(TALK)).counts == {"failed": 1, "done": 1}
    [trouble] = runs.troubles(context.db)
    assert trouble.code == "speakers"


@dataclass(frozen=True)
class Ill:
    """A diarizer that hangs, or dies, in a process of its own, until a file says that it is well."""

    way: str
    well: Path
    name: str = "ill"

    @property
    def parameters(self) -> dict[str, str | int | float | bool | None]:
        return {}

    def load(self) -> None:
        pass

    def diarize(self, audio: Iterable[AudioBlock], most: int | None, report: Report) -> Diarization:
        if self.well.exists():
            return FakeDiarizer().diarize(audio, most, report)
        if self.way == "hangs":
            self.well.with_name("hung").touch()
            time.sleep(600)
        if self.way == "eats":
            np.ones(2**31, dtype=np.uint8)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


SOON = Limits(240.0, -576.0, 2**30)
"""Much time to begin, and little to work on 12 seconds of sound."""
CODES = {"hangs": "timeout", "dies": "worker-died", "eats": "out-of-memory"}


@pytest.mark.parametrize("way", CODES)
def test_a_diarizer_that_hangs_or_dies_or_takes_too_much_memory_costs_no_transcript_and_one_retry_brings_it(
    context: Context, tmp_path: Path, way: str
) -> None:
    do(context, Transcribe(TALK))
    config = replace_attempts(context, 1)
    local = Local(1, context.layout.work, SOON)
    diarizer = Ill(way, tmp_path / "well")
    report = run_stage(config, Diarize(diarizer), local, Watch())
    assert report.stages["diarize"] == {"failed": 1}
    [trouble] = runs.troubles(context.db)
    assert trouble.code == CODES[way]
    assert not do(context, Index(), Publish(grace_seconds=0.0)).failed
    assert {who for _, _, who in said(context)} == {None}
    diarizer.well.touch()
    assert not do(config, Diarize(diarizer)).counts, "it was tried as often as it may be"
    with transaction(context.db):
        runs.retry(context.db, [trouble], retried_at=NOW)
    assert do(config, Diarize(diarizer)).stages["diarize"] == {"done": 1}
    assert [who for _, _, who in said(context)] == ["Voice 1", "Voice 2", "Voice 1"]
    assert not runs.troubles(context.db)


def test_a_diarizer_that_hangs_again_and_again_is_given_up_until_the_next_run(context: Context, tmp_path: Path) -> None:
    for seconds in (13, 14, 15):
        write_wav(tmp_path / f"{seconds}.wav", seconds)
    assert not do(context, Pull([tmp_path / f"{seconds}.wav" for seconds in (13, 14, 15)])).failed
    diarizer = Ill("hangs", tmp_path / "well")
    local = Local(1, context.layout.work, SOON)
    assert run_stage(context, Diarize(diarizer), local, Watch()).stages["diarize"] == {"failed": 2}
    assert len(due_in(context, Diarize(diarizer))) == 4, "each may be tried again"
    diarizer.well.touch()
    assert do(context, Diarize(diarizer)).stages["diarize"] == {"done": 4}


DRIVER = """
import sys
from pathlib import Path
from pipelines.cli import main
from pipelines.config import Limits
from pipelines.run.executors import Local
from pipelines.run.runner import run_stage
from pipelines.stages.diarize import Diarize
from pipelines.storage.archive_folder import open_archive
from tests.pipelines.stages.test_diarize import Ill
from tests.pipelines.trials import Watch

def drive():
    with open_archive(Path(sys.argv[1])) as context:
        run_stage(context, Diarize(Ill("hangs", Path(sys.argv[2]))), Local(1, context.layout.work, Limits()), Watch())

if __name__ == "__main__":
    main(drive)
"""


def test_ctrl_c_in_the_middle_loses_nothing_and_charges_nobody(tmp_path: Path) -> None:
    root, well = tmp_path / "archive", tmp_path / "well"
    init(root, title="Test")
    write_wav(tmp_path / "talk.wav", 12)
    with open_archive(root) as context:
        assert not do(context, Pull([tmp_path / "talk.wav"]), Transcribe(TALK), Index()).failed
        before = said(context)
    (tmp_path / "driver.py").write_text(DRIVER)
    command = [sys.executable, str(tmp_path / "driver.py"), str(root), str(well)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL, env=environment) as run:
        while not well.with_name("hung").exists():
            assert run.poll() is None
            time.sleep(0.1)
        run.send_signal(signal.SIGINT)
        assert run.wait() == 130
    with open_archive(root) as context:
        assert said(context) == before
        rows = context.db.execute("SELECT status, attempt FROM stage_run WHERE stage = 'diarize'").fetchall()
        assert [tuple(row) for row in rows] == [("interrupted", 1)]
        well.touch()
        assert do(context, Diarize(Ill("hangs", well))).stages["diarize"] == {"done": 1}
        assert [who for _, _, who in said(context)] == ["Voice 1", "Voice 2", "Voice 1"]


def replace_attempts(context: Context, attempts: int) -> Context:
    config = msgspec.structs.replace(context.config, run=msgspec.structs.replace(context.config.run, attempts=attempts))
    return replace(context, config=config)


def test_what_is_published_names_voices_and_tells_their_talking_time_and_no_more(context: Context) -> None:
    do(context, Transcribe(TALK), Diarize(FakeDiarizer((5_000, 4_000)), voiceprints=True))
    name(context, "Voice 2", "noor-okafor")
    assert context.db.execute("SELECT count(*), min(length(vector)) FROM voiceprint").fetchone() == (2, 768)
    do(context, Index(), Publish(grace_seconds=0.0))
    [path] = context.layout.public.glob("catalogue-*.db")
    public = open_readonly(path, immutable=True)
    rows = public.execute("SELECT label, talking_ms, turns, person_id FROM speaker_tag ORDER BY id").fetchall()
    tables = {row[0] for row in public.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    columns = {row[1] for row in public.execute("PRAGMA table_info(speaker_tag)")}
    public.close()
    assert [tuple(row) for row in rows] == [("Voice 1", 8_000, 2, None), ("Noor Okafor", 4_000, 1, 1)]
    assert not tables & {"voiceprint", "speaker_turn"}
    assert not columns & {"named_by", "named_at"}


def test_voiceprints_go_when_they_are_switched_off(context: Context) -> None:
    do(context, Transcribe(TALK), Diarize(FakeDiarizer(), voiceprints=True))
    assert context.db.execute("SELECT count(*) FROM voiceprint").fetchone() == (2,)
    do(context, Diarize(FakeDiarizer(), enabled=False))
    assert context.db.execute("SELECT count(*) FROM voiceprint").fetchone() == (0,)


def test_an_archive_of_before_is_diarized_without_being_transcribed_again(tmp_path: Path) -> None:
    """Its catalogue ends before voices; captions have given it a speaker."""
    root = tmp_path / "old"
    init(root, title="Old")
    path = root / "catalogue.db"
    path.unlink()
    old = Database(sqlite3.connect(path))
    catalogue_migrations.apply(old, stop_before=[name for name in catalogue_names() if name.endswith("_voices")])
    old.execute("INSERT INTO catalogue(id, content_revision) SELECT 1, 0 WHERE NOT EXISTS (SELECT 1 FROM catalogue)")
    old.conn.commit()
    old.close()
    write_wav(tmp_path / "talk.wav", 12)
    with open_archive(root) as context:
        assert not do(context, Pull([tmp_path / "talk.wav"]), Transcribe(TALK)).failed
        context.db.execute("INSERT INTO speaker_tag(recording_id, label) VALUES (1, 'Noor')")
        context.db.conn.commit()
        assert not do(context, Transcribe(TALK)).counts
        assert do(context, Diarize(FakeDiarizer())).stages == {"diarize": {"done": 1}}
        assert [(v.label, v.origin) for v in voices_of(context.db, 1)] == [
            ("Voice 1", "sound"),
            ("Voice 2", "sound"),
            ("Noor", "captions"),
        ]
        assert not do(context, Transcribe(TALK), Diarize(FakeDiarizer())).counts
