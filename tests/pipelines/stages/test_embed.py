from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.catalogue import runs
from archive.connection import open_readonly, transaction
from archive.errors import UnknownSubjectError
from archive.publication import redaction
from archive.publication.purging import purge_session
from archive.search.cache import Kept
from archive.search.sqlite_search import SqliteSearch
from pipelines.config import Config, MeaningSettings
from pipelines.run.executors import InProcess
from pipelines.run.runner import RunSummary, run_stage
from pipelines.stages import Setup
from pipelines.stages.base import Stage
from pipelines.stages.embed import ABSENT, Embed, make
from pipelines.stages.index import Index
from pipelines.stages.publish import Publish
from pipelines.stages.pull import Pull
from pipelines.stages.transcribe import Transcribe
from pipelines.storage.archive_folder import Context, init, open_archive
from pipelines.transcribers import FakeTranscriber
from tests.archive.encoders import FakeEncoder
from tests.pipelines.sounds import write_wav
from tests.pipelines.trials import Watch

TALK = FakeTranscriber(("The lighthouse keeper slept.",))
NOW = "2026-01-01T00:00:00Z"


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    init(tmp_path / "archive", title="Test")
    write_wav(tmp_path / "talk.wav", 100)
    with open_archive(tmp_path / "archive") as context:
        assert not do(context, Pull([tmp_path / "talk.wav"]), Transcribe(TALK)).failed
        yield context


def do(context: Context, *stages: Stage) -> RunSummary:
    report = RunSummary()
    for stage in stages:
        report.merge(run_stage(context, stage, InProcess(), Watch()))
    return report


def kept(context: Context) -> list[tuple[int, int, int, str]]:
    return context.db.execute(
        "SELECT transcript_id, first_position, last_position, encoder FROM meaning ORDER BY id"
    ).fetchall()


def published(context: Context) -> list[tuple[int, int]]:
    assert not do(context, Publish(grace_seconds=0)).failed
    [path] = context.layout.public.glob("*.db")
    db = open_readonly(path, immutable=True)
    try:
        return db.execute("SELECT first_position, last_position FROM meaning ORDER BY id").fetchall()
    finally:
        db.close()


def test_a_transcript_gets_a_vector_a_minute_and_is_found_by_what_it_means(context: Context) -> None:
    assert not do(context, Embed(FakeEncoder()), Index()).failed
    assert kept(context) == [(1, 0, 14, "fake/1"), (1, 15, 24, "fake/1")]
    assert published(context) == [(0, 14), (15, 24)]
    [path] = context.layout.public.glob("*.db")
    db = open_readonly(path, immutable=True)
    found = SqliteSearch(db.conn, kept=Kept(FakeEncoder())).search("Leuchtturm Wärter")
    assert [(hit.match, hit.start_ms) for hit in found.hits] == [("about this", 0), ("about this", 60_000)]
    db.close()


def test_doing_it_again_does_nothing_and_another_encoder_does_it_anew(context: Context) -> None:
    do(context, Embed(FakeEncoder()))
    assert not do(context, Embed(FakeEncoder())).counts
    assert do(context, Embed(FakeEncoder("fake/2"))).counts == {"done": 1}
    assert {encoder for *_, encoder in kept(context)} == {"fake/2"}


def test_a_new_transcript_gets_vectors_of_its_own(context: Context) -> None:
    do(context, Embed(FakeEncoder()), Transcribe(FakeTranscriber(("Quite other words are said.",))))
    assert do(context, Embed(FakeEncoder())).counts == {"done": 1}
    assert {transcript for transcript, *_ in kept(context)} == {1, 2}
    assert published(context) == [(0, 14), (15, 24)]


def test_without_the_extra_it_is_refused_once_and_nothing_else_is_lost(context: Context) -> None:
    assert do(context, Embed(None), Index(), Publish(grace_seconds=0)).counts == {"refused": 1, "done": 2}
    [trouble] = runs.troubles(context.db)
    assert (trouble.stage, trouble.code, trouble.text) == ("embed", "meaning", ABSENT)
    assert not do(context, Embed(None)).counts
    assert do(context, Embed(FakeEncoder())).counts == {"done": 1}, "once it is installed, it is done"
    assert runs.troubles(context.db) == []


def test_an_encoder_that_gives_up_costs_no_transcript(context: Context) -> None:
    assert do(context, Embed(FakeEncoder(fails=True)), Index()).counts == {"refused": 1, "done": 1}
    [trouble] = runs.troubles(context.db)
    assert trouble.text == "what is said is found by its words alone: no such word"


def test_switched_off_it_takes_back_what_it_made(context: Context) -> None:
    do(context, Embed(FakeEncoder()))
    assert published(context) != []
    assert not do(context, Embed(FakeEncoder(), enabled=False)).counts
    assert (kept(context), published(context)) == ([], [])
    assert do(context, Embed(FakeEncoder())).counts == {"done": 1}


def test_it_is_switched_on_in_the_settings() -> None:
    assert not make(Setup(config=Config())).enabled
    assert make(Setup(config=Config(meaning=MeaningSettings(enabled=True)))).enabled


def test_a_redaction_takes_the_vectors_of_its_words_out(context: Context) -> None:
    do(context, Embed(FakeEncoder()))
    with transaction(context.db):
        number, _ = redaction.redact(
            context.db, 1, (70_000, 71_000), reason="", reason_is_public=False, by="editor", at=NOW
        )
    assert published(context) == [(0, 14)]
    with transaction(context.db):
        redaction.undo(context.db, number, by="editor", at=NOW)
    assert published(context) == [(0, 14), (15, 24)]
    with transaction(context.db):
        redaction.redact(context.db, 1, (1_000, 2_000), reason="", reason_is_public=False, by="editor", at=NOW)
        redaction.take_out(context.db, 1)
    assert kept(context) == [(1, 15, 24, "fake/1")]


def test_a_purge_leaves_neither_vectors_nor_runs(context: Context) -> None:
    do(context, Embed(FakeEncoder()))
    with transaction(context.db):
        purge_session(context.db, 1, by="editor", at=NOW)
    assert kept(context) == []
    assert context.db.execute("SELECT count(*) FROM stage_run WHERE stage = 'embed'").fetchone() == (0,)


def test_a_transcript_that_is_gone_meanwhile_is_no_ones_fault(context: Context) -> None:
    [item] = Embed(FakeEncoder()).items(context)
    result = Embed(FakeEncoder()).work(item.task, lambda _: None)
    with transaction(context.db):
        context.db.execute("DELETE FROM transcript")
    with transaction(context.db), pytest.raises(UnknownSubjectError):
        Embed(FakeEncoder()).commit(context, item, result)
