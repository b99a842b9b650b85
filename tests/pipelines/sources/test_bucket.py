from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archive.search.sqlite_search import SqliteSearch
from archive.site.app import create_app
from pipelines.run.executors import InProcess, Local
from pipelines.run.runner import RunSummary, run_stage
from pipelines.stages.base import Stage
from pipelines.stages.index import Index
from pipelines.stages.publish import Publish
from pipelines.stages.pull import Pull
from pipelines.stages.render import Render
from pipelines.stages.transcribe import Transcribe
from pipelines.storage.archive_folder import Context, init, open_archive
from pipelines.storage.buckets import Bucket
from pipelines.transcribers import FakeTranscriber
from tests.archive.build import PATIENT_MS
from tests.pipelines.sounds import write_wav
from tests.pipelines.trials import Watch


@pytest.fixture
def context(tmp_path: Path, bucket: Bucket) -> Iterator[Context]:
    init(tmp_path / "archive", title="Test")
    (tmp_path / "archive" / "rostra.toml").write_text(f'[store]\nbucket = "s3://{bucket.name}/kept"\n')
    with open_archive(tmp_path / "archive") as context:
        yield context


def do(context: Context, stage: Stage) -> RunSummary:
    return run_stage(context, stage, InProcess(), Watch())


def put(bucket: Bucket, tmp_path: Path, key: str, seconds: int) -> None:
    bucket.upload(write_wav(tmp_path / "draft.wav", seconds), key)


def test_recording_goes_from_bucket_to_bucket_to_the_site(context: Context, bucket: Bucket, tmp_path: Path) -> None:
    put(bucket, tmp_path, "in/talk.wav", 9)
    put(bucket, tmp_path, "in/captions.vtt", 1)
    put(bucket, tmp_path, "in/.hidden.wav", 2)
    put(bucket, tmp_path, "elsewhere.wav", 3)
    pull = Pull([f"s3://{bucket.name}/in"])
    assert dict(do(context, pull).counts) == {"done": 1}
    assert dict(do(context, pull).counts) == {}
    [place] = context.db.execute("SELECT place FROM provenance").fetchone()
    assert place == f"s3://{bucket.name}/in/talk.wav"
    for copy in [path for path in context.layout.media.rglob("*") if path.is_file()]:
        copy.unlink()
    stages = (Transcribe(FakeTranscriber(("Words from afar.",))), Render(), Index(), Publish(grace_seconds=0.0))
    executor = Local(1, context.layout.work)
    for stage in stages:
        assert not run_stage(context, stage, executor if stage.unit else InProcess(), Watch()).failed
    assert SqliteSearch(context.db.conn, PATIENT_MS).search("afar").sessions == 1
    sha = context.db.execute("SELECT sha256 FROM recording").fetchone()[0]
    assert (context.layout.public / "media" / f"{sha}.wav").read_bytes() == (
        write_wav(tmp_path / "again.wav", 9).read_bytes()
    )
    assert played(context, f"/media/{sha}.wav", "bytes=1000-1999") == (tmp_path / "again.wav").read_bytes()[1000:2000]
    kept = {entry["path"].rpartition(".")[2] for entry in Bucket(bucket.name, "kept").entries()}
    assert kept == {"wav", "json"}


def played(context: Context, path: str, span: str) -> bytes:
    """Return what the site sends of a recording to a player that asks for a range."""
    site: Any = create_app(context.layout.public)
    response = asyncio.run(site.client.get(path, headers={"range": span}))
    assert response.status_code == 206
    return bytes(response.content)


def test_single_object_is_named_by_its_address(context: Context, bucket: Bucket, tmp_path: Path) -> None:
    put(bucket, tmp_path, "in/talk.wav", 4)
    assert dict(do(context, Pull([f"s3://{bucket.name}/in/talk.wav"])).counts) == {"done": 1}


def test_bucket_that_is_not_there_fails_with_the_reason(context: Context) -> None:
    report = do(context, Pull(["s3://no-such-bucket"]))
    assert [(outcome.status, outcome.code) for _, outcome in report.troubles] == [("failed", "not-fetched")]
    assert (report.troubles[0][1].text or "").startswith("bucket no-such-bucket: there is no such bucket: ")


def test_store_of_an_archive_in_a_bucket_is_no_source(context: Context, bucket: Bucket, tmp_path: Path) -> None:
    put(bucket, tmp_path, "in/talk.wav", 1)
    do(context, Pull([f"s3://{bucket.name}/in"]))
    report = do(context, Pull([f"s3://{bucket.name}"]))
    assert [(item.subject, outcome.status, outcome.code) for item, outcome in report.troubles] == [
        (f"s3://{bucket.name}", "skipped", "own-files")
    ]
    assert context.db.execute("SELECT slug FROM session").fetchall() == [("talk",)]
