from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from archive.catalogue import runs
from archive.catalogue.sessions import add_session, ensure_event
from archive.connection import transaction
from pipelines.cli import cli
from pipelines.storage.archive_folder import init, open_archive

WHEN = "2022-01-01T00:00:00Z"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return an archive of 2,091 sessions' worth of runs: most with something to be said, some that went wrong."""
    init(tmp_path / "talks", title="Talks")
    with open_archive(tmp_path / "talks") as context, transaction(context.db):
        for number in range(2_091):
            remark = f"captions of talk-{number}.mp4" if number % 2 else None
            note(context.db, "captions", f"talk-{number}.vtt", "done", remark=remark)
            note(
                context.db,
                "transcribe",
                f"talks/talk-{number}",
                "done",
                remark="nobody speaks in it" if number < 4 else None,
            )
        for number in range(300):
            note(context.db, "pull", f"page-{number}.html", "refused", "not-media", "not a recording but text")
        for number in range(2):
            note(context.db, "transcribe", f"talks/silent-{number}", "skipped", "no-audio", "no sound in it")
    return tmp_path / "talks"


def note(
    db: runs.Database,
    stage: str,
    label: str,
    status: runs.Status,
    code: str | None = None,
    text: str | None = None,
    remark: str | None = None,
) -> None:
    run = runs.begin(db, stage, label, label=label, fingerprint="1", started_at=WHEN, worker="w")
    runs.finish(db, run, status, finished_at=WHEN, seconds=1.0, code=code, text=text, remark=remark)


def status(root: Path, *options: str, columns: int = 160) -> list[str]:
    done = CliRunner().invoke(cli, ["--archive", str(root), "status", *options], env={"COLUMNS": str(columns)})
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()


def test_status_cuts_no_word_on_a_narrow_terminal(root: Path) -> None:
    narrow = status(root, columns=40)
    assert "pull: 300 refused" in narrow
    assert "transcribe: 2091 done, 2 skipped" in narrow
    assert "captions: 2091 done" in narrow
    assert [line for line in narrow if "…" in line] == []


def test_status_is_a_screen(root: Path) -> None:
    lines = status(root)
    assert len(lines) <= 24
    assert "✗ pull: 300 refused (not-media): page-0.html, page-1.html, page-10.html and 297 more" in lines
    assert (
        "    not a recording but text · nothing to do, unless it should be a recording: then bring another copy"
        in lines
    )
    assert "– transcribe: 2 skipped (no-audio): talks/silent-0, talks/silent-1" in lines
    assert sum(line.startswith("· captions ") for line in lines) == 4
    assert sum(line.startswith("· transcribe ") for line in lines) == 4
    assert lines[-1] == f"{297 + 1_045 - 4} more are like these: rostra status --all lists them"


def test_all_of_it_is_listed_where_somebody_asks(root: Path) -> None:
    lines = status(root, "--all")
    assert sum(line.startswith("✗ pull page-") for line in lines) == 300
    assert sum(line.startswith("· captions talk-") for line in lines) == 1_045
    assert "rostra status --all" not in lines[-1]
    facts = json.loads("\n".join(status(root, "--json")))
    assert (len(facts["troubles"]), len(facts["remarks"])) == (302, 1_049)


def test_all_names_what_commands_take(tmp_path: Path) -> None:
    init(tmp_path / "talks", title="Talks")
    with open_archive(tmp_path / "talks") as context, transaction(context.db):
        for slug in ("winter", "autumn"):
            event = ensure_event(context.db, slug, slug.title())
            for title in ("Opening", "Closing"):
                add_session(context.db, event, title.lower(), title)
    told = CliRunner().invoke(cli, ["status", "--all", "--json", "--archive", str(tmp_path / "talks")])
    assert [tuple(each.values()) for each in json.loads(told.stdout)["names"]] == [
        ("event", "autumn", "Autumn"),
        ("session", "autumn/opening", "Opening"),
        ("session", "autumn/closing", "Closing"),
        ("event", "winter", "Winter"),
        ("session", "winter/opening", "Opening"),
        ("session", "winter/closing", "Closing"),
    ]
    shown = CliRunner().invoke(cli, ["status", "--all", "--archive", str(tmp_path / "talks")]).stdout
    assert "session  winter/opening  Opening" in shown


def test_an_announcement_is_not_taken_back_and_released_at_once(tmp_path: Path) -> None:
    init(tmp_path / "talks", title="Talks")
    told = ["announce", "winter", "--private", "news", "--public", "news", "--archive", str(tmp_path / "talks")]
    done = CliRunner().invoke(cli, told)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "one of --private, --public and --delete" in done.stderr
