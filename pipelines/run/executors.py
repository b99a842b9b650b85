"""Executors map items to outcomes, and know nothing of the catalogue.

`InProcess` works in the driver: for stages that only move rows, and for tests.
`Local` gives each item to a supervised child process (see `pipelines.run.children`). If a child is killed, hangs or
runs out of memory, its item loses one attempt and no other item is affected: the child is replaced, and the run goes
on. `pipelines.run.dask_cluster` uses the same children on other machines.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, wait
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self, TypeAlias

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

    def map(self, stage: Stage, items: Iterable[Item], watcher: Watcher) -> Generator[tuple[Item, Outcome], None, None]:
        """Work on each item once, and yield it with its outcome.

        Raises:
            PipelineError: no item can be done.
        """


class InProcess:
    """Works on one item after the other, in this process."""

    def map(self, stage: Stage, items: Iterable[Item], watcher: Watcher) -> Generator[tuple[Item, Outcome], None, None]:
        """Work on each item in order."""
        for item in items:
            watcher.started(item)

            def report(done: float, item: Item = item) -> None:
                watcher.advanced(item, done)

            yield item, perform(stage, item.task, report)


Step: TypeAlias = tuple[Item, Outcome] | None
"""An item that ended, or None where a while has passed, so that others may work meanwhile."""


class Pool:
    """Child processes that several stages may share: each of them goes to whoever asks first.

    Args:
        size: how many there are.
        work: the folder in which they note their progress.
        limits: how much time and memory each may use.
    """

    def __init__(self, size: int, work: Path, limits: Limits) -> None:
        work.mkdir(parents=True, exist_ok=True)
        self.children = [Child(work / f"child-{number}", limits) for number in range(size)]
        self.idle = list(self.children)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for child in self.children:
            child.stop()


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

    def map(self, stage: Stage, items: Iterable[Item], watcher: Watcher) -> Generator[tuple[Item, Outcome], None, None]:
        """Keep every child busy with one item, and yield each item with its outcome when it ends."""
        with (
            Pool(self.workers, self.work, self.limits) as pool,
            closing(steps(pool, self.workers, stage, items, watcher)) as found,
        ):
            yield from (each for each in found if each is not None)


def steps(pool: Pool, most: int, stage: Stage, items: Iterable[Item], watcher: Watcher) -> Generator[Step, None, None]:
    """Keep idle children of a pool busy with one item each, and yield each item with its outcome when it ends.

    Args:
        pool: the children, of which others may have some.
        most: how many of them to take at once.
        stage: does the work.
        items: what there is to do.
        watcher: is told how it goes.

    Raises:
        PipelineError: no item can be done.
    """
    waiting = iter(items)
    upcoming = next(waiting, None)
    busy: dict[Child, Item] = {}
    try:
        while busy or upcoming:
            while pool.idle and upcoming and len(busy) < most:
                child = pool.idle.pop()
                busy[child] = upcoming
                watcher.started(upcoming)
                child.begin(stage, upcoming)
                upcoming = next(waiting, None)
            yield None
            wait([child.future for child in busy], timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            for child, item in list(busy.items()):
                if (done := child.progress()) is not None:
                    watcher.advanced(item, done)
                if (outcome := child.outcome()) is not None:
                    del busy[child]
                    pool.idle.append(child)
                    yield item, outcome
    finally:
        for child in busy:
            child.stop()
            pool.idle.append(child)
