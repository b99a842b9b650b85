"""Executors map items to outcomes, and know nothing of the catalogue.

`InProcess` does the work where it is: for stages that only move rows, and for tests.
`Local` gives each item to a supervised child process (Pebble). A child that is killed, that hangs or runs
out of memory costs its item an attempt and nobody else anything: it is replaced, and the run goes on.
"""

from __future__ import annotations

import ctypes
import hashlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from pebble import ProcessExpired, ProcessPool

from pipelines.errors import ItemCrashError, ItemError, PipelineError
from pipelines.stages.base import Item, Outcome, Report, Stage

POLL_SECONDS = 0.2


class Watcher(Protocol):
    """Told what happens to items while an executor works."""

    def started(self, item: Item) -> None:
        """Note that an item is being worked on."""

    def advanced(self, item: Item, done: float) -> None:
        """Note how much of an item's size is done."""


class Executor(Protocol):
    """Maps items to outcomes, in whatever order they come to an end."""

    def map(self, stage: Stage, items: Iterable[Item], watcher: Watcher) -> Iterator[tuple[Item, Outcome]]:
        """Work on each item once, and yield it with its outcome.

        Raises:
            PipelineError: no item can be done.
        """


def perform(stage: Stage, task: Any, report: Report) -> Outcome:
    """Work on one item, and turn whatever happens to it into an outcome.

    Raises:
        PipelineError: the fault is not the item's.
    """
    began = time.monotonic()
    try:
        outcome = Outcome("done", stage.work(task, report))
    except ItemError as error:
        outcome = Outcome(error.verdict, code=error.code, text=str(error))
    except MemoryError:
        outcome = Outcome("failed", code="out-of-memory", text="there was not enough memory for it")
    except PipelineError:
        raise
    except Exception as error:  # noqa: BLE001 an item's surprise must not end the run
        outcome = Outcome("failed", code="unexpected", text=f"{type(error).__name__}: {error}")
    return replace(outcome, seconds=time.monotonic() - began)


class InProcess:
    """Works on one item after the other, here."""

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
        work: a folder for children to note their progress in.
        patience: how many times an item's size (in seconds) a child may take for it, beyond `GRACE_SECONDS`.
    """

    workers: int
    work: Path
    patience: float = 30.0

    def map(self, stage: Stage, items: Iterable[Item], watcher: Watcher) -> Iterator[tuple[Item, Outcome]]:
        """Keep every child busy with one item, and hand in outcomes as they come."""
        self.work.mkdir(parents=True, exist_ok=True)
        pool: Any = ProcessPool(
            max_workers=self.workers,
            context=multiprocessing.get_context("spawn"),
            initializer=_begin_child,
            initargs=(os.getpid(),),
        )
        waiting = iter(items)
        busy: dict[Future[Outcome], Item] = {}
        try:
            while True:
                while len(busy) < self.workers and (item := next(waiting, None)) is not None:
                    watcher.started(item)
                    limit = GRACE_SECONDS + self.patience * item.size
                    note = self._note(item)
                    busy[pool.schedule(_child, args=(stage, item.task, note), timeout=limit)] = item
                if not busy:
                    break
                finished, _ = wait(busy, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
                for future in finished:
                    item = busy.pop(future)
                    self._note(item).unlink(missing_ok=True)
                    yield item, _outcome(future)
                for item in busy.values():
                    if (done := _read_note(self._note(item))) is not None:
                        watcher.advanced(item, done)
            pool.close()
        except BaseException:
            pool.stop()
            raise
        finally:
            pool.join()

    def _note(self, item: Item) -> Path:
        return self.work / f"progress-{hashlib.sha256(item.subject.encode()).hexdigest()[:16]}"


GRACE_SECONDS = 600.0
"""What any item may take, whatever its size: loading weights on a slow disk is part of it."""


def _outcome(future: Future[Outcome]) -> Outcome:
    """Return what a child said, or what its silence means."""
    try:
        return future.result()
    except ProcessExpired as error:
        text = f"its worker process ended ({_how_it_ended(error.exitcode)})"
        return Outcome("failed", code=ItemCrashError.code, text=text)
    except TimeoutError:
        return Outcome("failed", code="timeout", text="it took far longer than its length warrants, and was stopped")


def _how_it_ended(exitcode: int) -> str:
    if exitcode >= 0:
        return f"exit status {exitcode}"
    with suppress(ValueError):
        name = signal.Signals(-exitcode).name
        return f"{name}: out of memory, perhaps" if -exitcode == signal.SIGKILL else name
    return f"signal {-exitcode}"


def _child(stage: Stage, task: Any, note: Path) -> Outcome:
    """Work on one item inside a child process, noting progress in a file, which no crash can leave locked."""
    noted = 0.0

    def report(done: float) -> None:
        nonlocal noted
        if time.monotonic() - noted < POLL_SECONDS:
            return
        noted = time.monotonic()
        with suppress(OSError):
            note.write_text(f"{done:.2f}\n", encoding="ascii")

    return perform(stage, task, report)


def _read_note(note: Path) -> float | None:
    with suppress(OSError, ValueError):
        text = note.read_text(encoding="ascii")
        return float(text) if text.endswith("\n") else None
    return None


def _begin_child(driver: int) -> None:
    """Tie a child's life to its driver's, and leave Ctrl-C to the driver."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        # prctl(PR_SET_PDEATHSIG, SIGKILL): the kernel ends this process with the thread that made it.
        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)
    threading.Thread(target=_watch_driver, args=(driver,), daemon=True).start()


def _watch_driver(driver: int) -> None:
    """End this process when its driver is gone: for systems whose kernel does not."""
    while os.getppid() == driver:
        time.sleep(1)
    os._exit(1)
