"""A stage whose items do what their task says, in real processes: succeed, raise, die, hang, crash natively."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pipelines.context import Context
from pipelines.errors import BrokenMediaError, NoAudioError, WeightsError
from pipelines.stages.base import Item, Outcome, Report, Stage


@dataclass(frozen=True)
class Trial:
    """The stage. Each item is ``(subject, task)``; what ``work`` returns is added to ``kept``."""

    tasks: Sequence[tuple[str, str]]
    kept: Path
    name: ClassVar[str] = "trial"
    unit: ClassVar[str] = "s"

    def items(self, context: Context) -> Iterable[Item]:
        return [Item(subject, subject, f"fp-{subject}-{task}", task, size=1.0) for subject, task in self.tasks]

    def work(self, task: str, report: Report) -> str:
        report(0.5)
        match task.split(":", 1):
            case ["die"]:
                os.kill(os.getpid(), signal.SIGKILL)
            case ["die-once", flag]:
                if not Path(flag).exists():
                    Path(flag).touch()
                    os.kill(os.getpid(), signal.SIGKILL)
            case ["broken"]:
                raise BrokenMediaError("damaged")
            case ["silent"]:
                raise NoAudioError("no sound")
            case ["surprise"]:
                raise ZeroDivisionError("surprise")
            case ["memory"]:
                raise MemoryError
            case ["no-weights"]:
                raise WeightsError("no weights")
            case ["hang"]:
                time.sleep(600)
            case ["pid"]:
                return str(os.getpid())
        return task

    def commit(self, context: Context, item: Item, result: Any) -> str | None:
        if result == "uncommittable":
            raise OSError("disk full")
        with self.kept.open("a") as file:
            file.write(f"{item.subject}={result}\n")
        return None


class Watch:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.progress: list[tuple[str, float]] = []
        self.over: list[tuple[str, str]] = []

    def stage(self, stage: Stage, items: Sequence[Item]) -> None:
        pass

    def started(self, item: Item) -> None:
        self.begun.append(item.subject)

    def advanced(self, item: Item, done: float) -> None:
        self.progress.append((item.subject, done))

    def ended(self, item: Item, outcome: Outcome, remark: str | None) -> None:
        self.over.append((item.subject, outcome.status))
