"""Executors map items to outcomes, and know nothing of the catalogue.

`InProcess` works in the driver: for stages that only move rows, and for tests.
`Local` gives each item to a supervised child process (see `pipelines.run.children`). If a child is killed, hangs or
runs out of memory, its item loses one attempt and no other item is affected: the child is replaced, and the run goes
on. `pipelines.run.dask_cluster` uses the same children on other machines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pipelines.config import Limits
from pipelines.run.children import POLL_SECONDS, Child, perform
from pipelines.stages.base import Item, Outcome, Stage


class Watcher(Protocol):
    """Told what happens to items while an executor works."""

    def started(self, item: Item) -> None:
        """Note that an item is being worked on."""

    def advanced(self, item: Item, done: float) -> None:
        """Note how much of an item's size is done."""


class Executor(Protocol):
    """Maps items to outcomes, in the order in which they end."""

    def map(self, stage: Stage, items: Iterable[Item], watcher: Watcher) -> Iterator[tuple[Item, Outcome]]:
        """Work on each item once, and yield it with its outcome.

        Raises:
            PipelineError: no item can be done.
        """


class InProcess:
    """Works on one item after the other, in this process."""

    def map(self, stage: Stage, items: Iterable[Item], watcher: Watcher) -> Iterator[tuple[Item, Outcome]]:
        """Work on each item in order."""
        for item in items:
            watcher.started(item)

            def report(done: float, item: Item = item) -> None:
                watcher.advanced(item, done)

            yield item, perform(stage, item.task, report)


@dataclass(frozen=True, slots=True)
class Local:
    """Supervised child processes on this machine.

    Attributes:
        workers: how many items at once.
        work: the folder in which children note their progress.
        limits: how much time and memory a child may use.
    """

    workers: int
    work: Path
    limits: Limits = field(default_factory=Limits)

    def map(self, stage: Stage, items: Iterable[Item], watcher: Watcher) -> Iterator[tuple[Item, Outcome]]:
        """Keep every child busy with one item, and yield each item with its outcome when it ends."""
        self.work.mkdir(parents=True, exist_ok=True)
        idle = [Child(self.work / f"child-{number}", self.limits) for number in range(self.workers)]
        waiting = iter(items)
        busy: dict[Child, Item] = {}
        try:
            while True:
                while idle and (item := next(waiting, None)) is not None:
                    child = idle.pop()
                    busy[child] = item
                    watcher.started(item)
                    child.begin(stage, item)
                if not busy:
                    break
                wait([child.future for child in busy], timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
                for child, item in list(busy.items()):
                    if (done := child.progress()) is not None:
                        watcher.advanced(item, done)
                    if (outcome := child.outcome()) is not None:
                        del busy[child]
                        idle.append(child)
                        yield item, outcome
        finally:
            for child in [*idle, *busy]:
                child.stop()
