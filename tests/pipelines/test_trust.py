"""What Rostra trusts, as .github/SECURITY.md writes it: links in folders, links in stores, commands in settings."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pipelines.exchange.captioned import caption_files
from pipelines.exchange.captions import beside
from pipelines.run.executors import InProcess
from pipelines.run.observers import notifying
from pipelines.run.runner import Silent, run_stage
from pipelines.sources.files import FolderListing, look_through
from pipelines.stages.publish import Publish
from pipelines.stages.pull import Pull
from pipelines.stages.render import Render
from pipelines.storage.archive_folder import init, open_archive
from pipelines.storage.check import check
from tests.pipelines.sounds import write_wav
from tests.pipelines.trials import Watch

SECURITY = Path(__file__).resolve().parents[2] / ".github" / "SECURITY.md"


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    """Return a folder that somebody filled with links to what is not theirs."""
    folder, private = tmp_path / "upload", tmp_path / "private"
    for each in (folder / "inner", private / "more"):
        each.mkdir(parents=True)
    write_wav(folder / "inner" / "talk.wav", 1)
    write_wav(private / "secret.wav", 1, frequency=500)
    (private / "secret.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:01.000\nA secret\n")
    (private / "more" / "other.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:01.000\nAnother\n")
    (folder / "out.wav").symlink_to(private / "secret.wav")
    (folder / "relative.wav").symlink_to(Path("..", "private", "secret.wav"))
    (folder / "chain.wav").symlink_to("out.wav")
    (folder / "folder").symlink_to(private)
    (folder / "same.wav").symlink_to(Path("inner", "talk.wav"))
    (folder / "inner" / "talk.vtt").symlink_to(private / "secret.vtt")
    return folder


def test_links_that_lead_out_of_a_folder_are_passed_over(upload: Path) -> None:
    outside = tuple(upload / name for name in ("chain.wav", "out.wav", "relative.wav"))
    assert look_through(upload) == FolderListing([upload / "inner" / "talk.wav", upload / "same.wav"], [], outside)
    assert beside(upload / "inner" / "talk.wav") == []
    assert list(caption_files([upload])) == []


def test_who_names_a_link_takes_what_it_leads_to(upload: Path, tmp_path: Path) -> None:
    init(tmp_path / "talks", title="Talks")
    with open_archive(tmp_path / "talks") as context:
        report = run_stage(context, Pull([upload]), InProcess(), Watch())
        assert sorted((item.label, outcome.code) for item, outcome in report.troubles) == [
            ("chain.wav", "leads-out"), ("out.wav", "leads-out"), ("relative.wav", "leads-out"),
        ]  # fmt: skip
        names = context.db.execute("SELECT original_name FROM recording ORDER BY id")
        assert [row[0] for row in names.fetchall()] == ["talk.wav"]
        run_stage(context, Pull([upload / "out.wav"]), InProcess(), Watch())
        names = context.db.execute("SELECT original_name FROM recording ORDER BY id")
        assert [row[0] for row in names.fetchall()] == ["talk.wav", "out.wav"]


def test_link_in_a_store_is_neither_published_nor_whole(tmp_path: Path) -> None:
    init(tmp_path / "talks", title="Talks")
    write_wav(tmp_path / "talk.wav", 1)
    with open_archive(tmp_path / "talks") as context:
        for stage in (Pull([tmp_path / "talk.wav"]), Render()):
            assert not run_stage(context, stage, InProcess(), Silent()).failed
        secret = tmp_path / "secret"
        secret.write_text("root:x:0:0")
        for path in list(context.layout.media.glob("??/*")):
            path.unlink()
            path.symlink_to(secret)
        assert not run_stage(context, Publish(grace_seconds=0.0), InProcess(), Silent()).failed
        assert [path.read_text() for path in context.layout.public.rglob("*") if path.is_symlink()] == []
        assert list((context.layout.public / "media").iterdir()) == []
        found = [each.text for each in check(context, quick=True, looked=lambda _what: None) if each.part == "media"]
        assert found
        assert all("is a symbolic link, which is not followed" in text for text in found)


def notified(root: Path, capfd: pytest.CaptureFixture[str]) -> tuple[str, str]:
    with notifying(f"{sys.executable} -c 'print(1)'", root) as notice:
        notice.report.counts["done"] += 1
    captured = capfd.readouterr()
    return captured.out, captured.err


def test_command_of_settings_that_anybody_may_write_is_not_run(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "rostra.toml"
    settings.touch()
    settings.chmod(0o664)
    assert notified(tmp_path, capfd) == ("1\n", "")
    settings.chmod(0o666)
    out, err = notified(tmp_path, capfd)
    assert (out, f"run.notify was not run: anybody may write {settings}: chmod o-w" in err) == ("", True)


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root gives files away")
def test_command_of_another_users_settings_is_not_run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settings = tmp_path / "rostra.toml"
    settings.touch()
    os.chown(settings, 4711, -1)
    out, err = notified(tmp_path, capfd)
    assert (out, "belongs to another user" in err) == ("", True)


def test_boundary_is_written_down() -> None:
    text = SECURITY.read_text(encoding="utf-8")
    for words in ("links in a folder that is pulled", "files in `media/`", "run.notify", "| bags |"):
        assert words in text
