from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.errors import WeightsError
from pipelines.run.executors import InProcess, Local
from pipelines.stages.base import Item, Outcome
from tests.pipelines.trials import Trial, Watch


def items(*tasks: tuple[str, str]) -> list[Item]:
    return [Item(subject, subject, "f", task, size=1.0) for subject, task in tasks]


def outcomes(found: list[tuple[Item, Outcome]]) -> dict[str, Outcome]:
    return {item.subject: replace(outcome, seconds=0.0) for item, outcome in found}


CASES = [
    ("good", "fine", Outcome("done", "fine")),
    ("broken", "broken", Outcome("refused", code="broken-media", text="damaged")),
    ("silent", "silent", Outcome("skipped", code="no-audio", text="no sound")),
    ("surprise", "surprise", Outcome("failed", code="unexpected", text="ZeroDivisionError: surprise")),
    ("memory", "memory", Outcome("failed", code="out-of-memory", text="there was not enough memory for it")),
]


def test_in_process_turns_whatever_happens_into_outcomes(tmp_path: Path) -> None:
    watch = Watch()
    stage = Trial((), tmp_path / "kept")
    found = list(InProcess().map(stage, items(*((s, t) for s, t, _ in CASES)), watch))
    assert outcomes(found) == {subject: outcome for subject, _, outcome in CASES}
    assert watch.begun == [subject for subject, _, _ in CASES]
    assert watch.progress[0] == ("good", 0.5)


def test_local_turns_whatever_happens_into_outcomes(tmp_path: Path) -> None:
    stage = Trial((), tmp_path / "kept")
    tasks = [(s, t) for s, t, _ in CASES] + [("dead", "die"), ("after", "fine"), ("where", "pid")]
    found = outcomes(list(Local(2, tmp_path / "work").map(stage, items(*tasks), Watch())))
    where = found.pop("where")
    assert where.status == "done"
    assert where.result != str(os.getpid())
    dead = Outcome("failed", code="worker-died", text="its worker process ended (SIGKILL: out of memory, perhaps)")
    assert found == {subject: outcome for subject, _, outcome in CASES} | {
        "dead": dead,
        "after": Outcome("done", "fine"),
    }


@pytest.mark.parametrize("executor", ["here", "local"])
def test_fault_that_is_not_the_items_ends_the_run(tmp_path: Path, executor: str) -> None:
    stage = Trial((), tmp_path / "kept")
    chosen = InProcess() if executor == "here" else Local(1, tmp_path / "work")
    with pytest.raises(WeightsError, match="no weights"):
        list(chosen.map(stage, items(("a", "no-weights"), ("b", "fine")), Watch()))
