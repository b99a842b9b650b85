"""A purge reaches whatever the archive keeps: catalogue, store, bucket, publications, and what pulls remember."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from pipelines.cli import cli
from pipelines.run.executors import InProcess
from pipelines.run.runner import Silent, run_stage
from pipelines.stages.index import Index
from pipelines.stages.publish import Publish
from pipelines.stages.pull import Pull
from pipelines.stages.render import Render
from pipelines.stages.transcribe import Transcribe
from pipelines.storage.archive_folder import open_archive, open_archive_readonly
from pipelines.storage.buckets import Bucket
from pipelines.transcribers.fake import FakeTranscriber
from tests.pipelines.sounds import write_wav


def run(*arguments: str | Path) -> Result:
    done = CliRunner().invoke(cli, [str(each) for each in arguments])
    assert done.exit_code == 0, done.output
    return done


def test_purge_deletes_from_a_bucket_and_says_nothing_of_it(bucket: Bucket, tmp_path: Path) -> None:
    root, sources = tmp_path / "talks", tmp_path / "in"
    sources.mkdir()
    for number, name in enumerate(("regretted-words.wav", "kept.wav")):
        write_wav(sources / name, 5, frequency=300 + number)
    run("init", root)
    settings = (root / "rostra.toml").read_text()
    settings = settings.replace('# engine = "faster-whisper"', 'engine = "fake"')
    (root / "rostra.toml").write_text(settings.replace('# bucket = ""', f'bucket = "s3://{bucket.name}/media"'))
    with open_archive(root) as context:
        for stage in (Pull([sources]), Transcribe(FakeTranscriber()), Render(), Index(), Publish(grace_seconds=0.0)):
            assert not run_stage(context, stage, InProcess(), Silent()).failed
    store = Bucket(bucket.name, "media")
    before = {entry["path"] for entry in store.entries()}
    run(
        "release",
        "regretted-words",
        "--withdraw",
        "Noor asked for it",
        "--purge",
        "--yes",
        "--by",
        "Ines",
        "--archive",
        root,
    )
    after = {entry["path"] for entry in store.entries()}
    with open_archive_readonly(root) as context:
        files = context.db.execute("SELECT sha256, suffix FROM recording UNION SELECT sha256, suffix FROM rendition")
        assert after == {f"media/{sha256[:2]}/{sha256}{suffix}" for sha256, suffix in files.fetchall()}
        log = context.db.execute("SELECT purged_by, what, sha256 FROM purge ORDER BY id").fetchall()
    assert after < before
    gone = {path.rpartition("/")[2].partition(".")[0] for path in before - after}
    assert log == [("Ines", "recording", log[0][2]), ("Ines", "session", None)]
    assert log[0][2] in gone
    for path in root.rglob("*"):
        assert not any(digest in path.name for digest in gone)
        if path.is_file():
            content = path.read_bytes()
            assert b"regretted-words.wav" not in content, path
            assert b"Noor asked for it" not in content, path
    again = CliRunner().invoke(cli, ["pull", str(sources), "--archive", str(root)])
    assert "deleted from this archive for good" in again.output
    assert {entry["path"] for entry in store.entries()} == after
