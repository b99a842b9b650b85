from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from pipelines.errors import ConfigError
from pipelines.run.observers import Log, Metrics, notifying
from pipelines.run.runner import RunSummary
from pipelines.stages.base import Item, Outcome
from pipelines.storage.archive_folder import init
from tests.pipelines.cli.test_cli import rostra
from tests.pipelines.trials import Trial

ITEM = Item("a", "evening\n<3>forged", "f", size=60.0)
OUTCOMES = [
    (Outcome("done", seconds=2.0), "parts are lost"),
    (Outcome("failed", code="timeout", text="too long", seconds=1.5), None),
]


def told(log: Log | Metrics, tmp_path: Path) -> None:
    log.stage(Trial((), tmp_path), [ITEM, ITEM])
    for outcome, remark in OUTCOMES:
        log.started(ITEM)
        log.ended(ITEM, outcome, remark)


def test_log_is_one_line_an_event_whatever_names_hold(tmp_path: Path) -> None:
    stream = io.StringIO()
    told(Log(stream, journal=True), tmp_path)
    assert stream.getvalue().splitlines() == [
        "<6>trial: 2 due, 2:00 of sound",
        "<6>trial: 1 of 2: done evening\\n<3>forged in 2.0 s: parts are lost",
        "<3>trial: 2 of 2: failed evening\\n<3>forged in 1.5 s: too long",
    ]


def test_log_as_json_is_an_object_a_line(tmp_path: Path) -> None:
    stream = io.StringIO()
    told(Log(stream, as_json=True), tmp_path)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line.pop("time")[:2] for line in lines] == ["20"] * 3
    shared = {"stage": "trial", "event": "item", "subject": "a", "label": ITEM.label, "size": 60.0, "due": 2}
    shared |= dict.fromkeys(("code", "text", "remark"))
    assert lines == [
        {"stage": "trial", "event": "stage", "due": 2, "size": 120.0},
        shared
        | {"number": 1, "status": "done", "code": None, "text": None, "remark": "parts are lost", "seconds": 2.0},
        shared
        | {"number": 2, "status": "failed", "code": "timeout", "text": "too long", "remark": None, "seconds": 1.5},
    ]


def test_metrics_count_what_ended(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path / "rostra.prom")
    told(metrics, tmp_path)
    metrics.write()
    lines = (tmp_path / "rostra.prom").read_text().splitlines()
    assert {
        line for line in lines if not line.startswith("#") and "timestamp" not in line and "_created" not in line
    } == {
        'rostra_due_items{stage="trial"} 0.0',
        'rostra_due_audio_seconds{stage="trial"} 0.0',
        'rostra_items_in_hand{stage="trial"} 0.0',
        'rostra_items_total{stage="trial",status="done"} 1.0',
        'rostra_items_total{stage="trial",status="failed"} 1.0',
        'rostra_audio_seconds_total{stage="trial"} 60.0',
        'rostra_work_seconds_total{stage="trial"} 3.5',
    }


def test_command_is_told_the_counts_or_the_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    command = f"{sys.executable} -c 'import sys; print(sys.stdin.read())'"
    with notifying(command, tmp_path) as notice:
        notice.report.counts["failed"] += 1
        notice.report.troubles.append((ITEM, OUTCOMES[1][0]))
    assert json.loads(capfd.readouterr().out) == {
        "archive": str(tmp_path),
        "counts": {"failed": 1},
        "error": None,
        "troubles": [{"label": ITEM.label, "status": "failed", "code": "timeout", "text": "too long"}],
    }
    with pytest.raises(OSError, match="gone"), notifying(command, tmp_path):
        raise OSError("gone")
    assert json.loads(capfd.readouterr().out)["error"] == "gone"
    with notifying(command, tmp_path) as notice:
        notice.report = RunSummary()
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("command", ["/nonexistent/command", "false", "'unclosed"])
def test_command_that_fails_changes_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str], command: str) -> None:
    with notifying(command, tmp_path) as notice:
        notice.report.counts["done"] += 1
    assert "the notification was not sent" in capfd.readouterr().err


def test_run_is_told_in_every_way(tmp_path: Path) -> None:
    root = tmp_path / "talks"
    init(root, title="Talks")
    told_to = tmp_path / "told.json"
    (root / "rostra.toml").write_text(f"[run]\nnotify = 'tee {told_to}'\n")
    done = rostra("run", "--log-json", "--metrics", tmp_path / "rostra.prom", "--archive", root)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(line["event"], line["stage"], line.get("status")) for line in lines] == [
        ("stage", "publish", None),
        ("item", "publish", "done"),
    ]
    assert json.loads(told_to.read_text())["counts"] == {"done": 1}
    assert 'rostra_items_total{stage="publish",status="done"} 1.0' in (tmp_path / "rostra.prom").read_text()


def test_pull_is_told_as_json(tmp_path: Path) -> None:
    root = tmp_path / "talks"
    init(root, title="Talks")
    (tmp_path / "notes.mp3").write_text("no sound")
    done = rostra("pull", "--log-json", tmp_path / "notes.mp3", "--archive", root)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == 1
    assert [(line["event"], line["stage"], line.get("code")) for line in lines] == [
        ("stage", "pull", None),
        ("item", "pull", "not-media"),
    ]


def test_run_that_cannot_be_is_told_as_json_too(tmp_path: Path) -> None:
    done = rostra("run", "--log-json", "--archive", tmp_path / "nowhere")
    told_of = json.loads(done.stderr)
    assert (done.returncode, told_of["event"]) == (2, "error")
    assert "nowhere" in told_of["text"]


def test_metrics_need_a_folder_and_end_no_run_when_it_goes(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no folder"):
        Metrics(tmp_path / "gone" / "rostra.prom")
    (tmp_path / "gone").mkdir()
    metrics = Metrics(tmp_path / "gone" / "rostra.prom")
    (tmp_path / "gone").rmdir()
    metrics.write()
