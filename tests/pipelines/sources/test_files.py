from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.run.executors import InProcess
from pipelines.run.runner import RunSummary, run_stage
from pipelines.sources.files import FolderListing, expand, look_through
from pipelines.stages.captions import Captions
from pipelines.stages.publish import Publish
from pipelines.stages.pull import Pull
from pipelines.stages.render import Render
from pipelines.storage.archive_folder import Context, init, open_archive
from pipelines.storage.own import keeper, kept_in
from tests.pipelines.sounds import write_silent_video, write_wav
from tests.pipelines.trials import Watch

PASSED_OVER = "what Rostra keeps there for itself is no source of recordings, and is passed over"


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    """Return an archive of one silent film, rendered and published."""
    init(tmp_path / "talks", title="Talks")
    write_silent_video(tmp_path / "film.mp4")
    with open_archive(tmp_path / "talks") as context:
        for stage in (
            Pull([tmp_path / "film.mp4"]),
            Render(),
            Publish(grace_seconds=0.0),
            Publish(tmp_path / "talks" / "site", grace_seconds=0.0),
        ):
            run_stage(context, stage, InProcess(), Watch())
        (tmp_path / "film.mp4").unlink()
        yield context


def pull(context: Context, *sources: str | Path) -> tuple[RunSummary, list[str]]:
    report = run_stage(context, Pull(sources), InProcess(), Watch())
    slugs = context.db.execute("SELECT slug FROM session ORDER BY id").fetchall()
    return report, [slug for (slug,) in slugs]


def told(report: RunSummary) -> dict[str, tuple[str, str | None, str | None]]:
    return {item.label: (outcome.status, outcome.code, outcome.text) for item, outcome in report.troubles}


def test_archive_is_pulled_from_without_what_is_its_own(context: Context) -> None:
    root = context.layout.root
    (root / "mine").mkdir()
    write_wav(root / "mine" / "talk.wav", 1)
    (root / "mine" / "talk.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:01.000\nWelcome\n")
    report, slugs = pull(context, root)
    assert slugs == ["film", "talk"]
    assert told(report) == {
        "talks": ("skipped", "own-files", PASSED_OVER),
        "site": ("skipped", "own-files", PASSED_OVER),
    }
    assert not report.failed
    captions = run_stage(context, Captions([root]), InProcess(), Watch())
    assert dict(captions.counts) == {"done": 1}
    assert not pull(context, root)[0].counts


@pytest.mark.parametrize(
    "source",
    [
        ".",
        "..",
        "../talks",
        "../link",
        "media",
        "media/..",
        "public",
        "public/media",
        "site",
        "site/media",
        "../link/media",
        "../link/public/media",
        "../inner",
    ],
)
def test_nothing_of_an_archive_is_a_source(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    (tmp_path / "link").symlink_to(context.layout.root)
    (tmp_path / "inner").symlink_to(context.layout.media)
    monkeypatch.chdir(context.layout.root)
    report, slugs = pull(context, source)
    assert slugs == ["film"]
    assert {outcome.code for _, outcome in report.troubles} == {"own-files"}
    assert not report.failed


def test_files_that_a_shell_names_are_no_source_either(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(context.layout.root)
    names = sorted(path.name for path in context.layout.root.iterdir() if not path.name.startswith("."))
    inside = [path for path in context.layout.media.rglob("*.jpg") if path.is_file()]
    (tmp_path / "poster.jpg").symlink_to(inside[0])
    report, slugs = pull(context, *names, *inside, tmp_path)
    assert slugs == ["film"]
    assert {code for _, code, _ in told(report).values()} == {"own-files"}


def test_another_archive_and_a_publication_elsewhere_are_no_sources(context: Context, tmp_path: Path) -> None:
    run_stage(context, Publish(tmp_path / "web"), InProcess(), Watch())
    write_wav(tmp_path / "web" / "talk.wav", 1)
    init(tmp_path / "other", title="Other")
    with open_archive(tmp_path / "other") as other:
        report, slugs = pull(other, context.layout.root, tmp_path / "web")
    assert slugs == ["talk"]
    assert set(told(report)) == {"talks", "site", "web"}


def test_folder_is_no_archive_for_the_names_in_it_alone(tmp_path: Path) -> None:
    for name in ("media/talk.wav", "public/a.wav", "catalogue.db.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    names = ["catalogue.db.wav", "media/talk.wav", "public/a.wav"]
    assert [path.relative_to(tmp_path).as_posix() for path in expand(tmp_path)] == names
    assert kept_in(tmp_path) == frozenset()
    assert keeper(tmp_path / "media" / "talk.wav") is None
    (tmp_path / "catalogue.db").touch()
    assert keeper(tmp_path / "media" / "talk.wav") == tmp_path.resolve()


def test_folder_is_walked_in_order_without_what_is_hidden_or_no_file(tmp_path: Path) -> None:
    for name in ("b.wav", "a/c.wav", ".hidden/d.wav", "a/.e.wav", "a/f.vtt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "dangling.wav").symlink_to(tmp_path / "nowhere.wav")
    (tmp_path / "link.wav").symlink_to(tmp_path / "b.wav")
    files = [tmp_path / "a" / "c.wav", tmp_path / "b.wav", tmp_path / "link.wav"]
    assert look_through(tmp_path) == FolderListing(files, [])
