"""Supervised child processes: whatever an item does to its process, the run goes on.

Each `Child` is a Pebble pool of one process. If that process dies while it holds a lock of its pool, only this pool
is lost, and it is thrown away. Time limits are kept here and use the monotonic clock, since Pebble's limits use the
wall clock, which can jump.

A child must not outlive its driver. On Linux the kernel ends the child together with the thread that made it
(``PR_SET_PDEATHSIG``, prctl(2)). On other systems a thread of the child looks for the driver every second. Where an
item holds the interpreter's lock, so that this thread cannot run, faulthandler's timer ends the process at the item's
limit.
"""

from __future__ import annotations

import ctypes
import faulthandler
import logging
import multiprocessing
import os
import re
import resource
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from pebble import ProcessExpired, ProcessPool

from pipelines.config import Limits
from pipelines.errors import TIMEOUT, ItemCrashError, ItemError, PipelineError, WorkerError, disk_full
from pipelines.stages.base import Item, Outcome, Prepares, Report, Stage

POLL_SECONDS = 0.2
STARTS = 3
"""How many times in a row a child may die before it begins its item. Then the run is given up: loading fails."""

HELD_UP_SECONDS = 1.0
"""A longer gap between two looks at a child, in seconds, is added to the child's deadline."""
TIED = sys.platform == "linux"
"""Whether the kernel ends a child with its driver. On other systems a child has a timer of its own, which keeps
running while the machine is suspended."""
TIMER_SECONDS = 60.0
"""How many seconds after its driver's limit a child with a timer ends itself."""


class Child:
    """One supervised process. It works on one item at a time and is replaced when it dies.

    Args:
        note: the file in which the child notes its process id and its progress. It is a file because a crash cannot
            leave a file locked. It exists once the child works on its item.
        limits: how much time and memory the child may use.
    """

    def __init__(self, note: Path, limits: Limits) -> None:
        self.note = note
        self.limits = limits
        self.future: Future[Outcome] = Future()
        self._pool: Any = None
        self._starts = 0

    def begin(self, stage: Stage, item: Item) -> None:
        """Start the work on an item."""
        self.note.unlink(missing_ok=True)
        self._given = (stage, item)
        self._group: int | None = None
        self._done = 0.0
        self._looked = time.monotonic()
        self._deadline = self._looked + self.limits.grace
        if self._pool is None:
            self._pool = ProcessPool(
                max_workers=1,
                context=multiprocessing.get_context("spawn"),
                initializer=_begin_child,
                initargs=(os.getpid(), self.limits.memory),
            )
        self.future = self._pool.schedule(_work, args=(stage, item.task, self.note, self.limits, item.seconds))

    def outcome(self) -> Outcome | None:
        """Return the item's outcome, or None while the child still works on it.

        Raises:
            PipelineError: no item can be done.
        """
        self._look()
        if not self.future.done():
            if time.monotonic() < self._deadline:
                return None
            self.stop()
            if self._group is None:
                raise WorkerError("a worker process was not ready in time: what it loads is too much for this machine")
            return Outcome("failed", code=TIMEOUT, text="it took far longer than its length warrants, and was stopped")
        try:
            outcome = self.future.result()
        except PipelineError:
            raise
        except Exception as error:  # noqa: BLE001 whatever ended the process, or garbled what it said
            return self._died(error)
        self._starts = 0
        self.note.unlink(missing_ok=True)
        return outcome

    def _look(self) -> None:
        """Read the child's progress. An item with a size has a deadline; another may go on while it makes progress."""
        passed, self._looked = time.monotonic() - self._looked, time.monotonic()
        if passed > HELD_UP_SECONDS:
            # The driver itself was stopped or busy: it could not have noticed that the child was done.
            self._deadline += passed
        size = self._given[1].seconds
        if (noted := self._noted()) is None:
            return
        group, done = noted
        if self._group is None or (not size and done > self._done):
            self._deadline = time.monotonic() + self.limits.seconds(size)
        self._group, self._done = group, done

    def _died(self, error: Exception) -> Outcome | None:
        self.stop()
        how = _how_it_ended(error)
        if self._group is not None:
            self._starts = 0
            return Outcome("failed", code=ItemCrashError.code, text=f"its worker process ended ({how})")
        self._starts += 1
        if self._starts == STARTS:
            raise WorkerError(
                f"a worker process ended {STARTS} times before it was ready ({how}):"
                " choose a smaller model, fewer workers or a higher run.memory"
            )
        self.begin(*self._given)
        return None

    def progress(self) -> float | None:
        """Return how much of the item's size is done; None before the child begins it."""
        noted = self._noted()
        return noted[1] if noted else None

    def _noted(self) -> tuple[int, float] | None:
        with suppress(OSError, ValueError):
            pid, done = self.note.read_text(encoding="ascii").split()
            return int(pid), float(done)
        return None

    def stop(self) -> None:
        """End the process. If it works on an item, kill it and every program that it runs."""
        if self._pool is None:
            return
        self._pool.stop()
        self._look()
        idle = self.future.done() and not self.future.cancelled() and self.future.exception() is None
        if self._group is not None and not idle:
            with suppress(OSError):
                os.killpg(self._group, signal.SIGKILL)
        self._pool.join()
        self._pool = None
        self.note.unlink(missing_ok=True)


def perform(stage: Stage, task: Any, report: Report) -> Outcome:
    """Work on one item and turn whatever happens into an outcome, which includes the warnings that were given.

    Raises:
        PipelineError: the fault is not the item's.
    """
    began = time.monotonic()
    with _warnings() as warnings:
        try:
            outcome = Outcome("done", stage.work(task, report))
        except MemoryError:
            outcome = Outcome("failed", code="out-of-memory", text="there was not enough memory for it")
        except Exception as error:  # an item's surprise must not end the run
            if (full := disk_full(error)) is not None:
                raise full from error
            if isinstance(error, ItemError):
                outcome = Outcome(error.verdict, code=error.code, text=str(error))
            elif isinstance(error, PipelineError):
                raise
            else:
                outcome = Outcome("failed", code="unexpected", text=f"{type(error).__name__}: {error}")
    return replace(outcome, seconds=time.monotonic() - began, warnings=tuple(dict.fromkeys(warnings)))


@contextmanager
def _warnings() -> Iterator[list[str]]:
    """Collect the warnings of Rostra's own code: nobody reads a child's standard error."""
    gathered: list[str] = []

    class Gather(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            gathered.append(record.getMessage())

    handler = Gather(logging.WARNING)
    ours = logging.getLogger("pipelines")
    ours.addHandler(handler)
    propagated, ours.propagate = ours.propagate, False
    try:
        yield gathered
    finally:
        ours.removeHandler(handler)
        ours.propagate = propagated


def _how_it_ended(error: Exception) -> str:
    if not isinstance(error, ProcessExpired):
        return str(error) or type(error).__name__
    if error.exitcode >= 0:
        return f"exit status {error.exitcode}"
    with suppress(ValueError):
        name = signal.Signals(-error.exitcode).name
        return f"{name}: out of memory, perhaps" if -error.exitcode == signal.SIGKILL else name
    return f"signal {-error.exitcode}"


def _work(stage: Stage, task: Any, note: Path, limits: Limits, size: float) -> Outcome:
    """Work on one item inside a child process.

    Raises:
        PipelineError: the fault is not the item's.
    """
    noted = 0.0

    def report(done: float) -> None:
        nonlocal noted
        if time.monotonic() - noted >= POLL_SECONDS:
            noted = time.monotonic()
            _write_note(note, done)

    with _ending_itself(limits.grace):
        _prepare(stage)
    with _ending_itself(limits.seconds(size)):
        _write_note(note, 0.0)
        return perform(stage, task, report)


@contextmanager
def _ending_itself(seconds: float) -> Iterator[None]:
    """End this process when the block takes far longer than allowed. The driver ends it earlier, unless it is gone."""
    if not TIED:
        faulthandler.dump_traceback_later(seconds + TIMER_SECONDS, exit=True, file=2)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def _prepare(stage: Stage) -> None:
    if not isinstance(stage, Prepares):
        return
    try:
        stage.prepare()
    except (MemoryError, PipelineError) as error:
        if isinstance(error, PipelineError) and not _NO_MEMORY.search(str(error)):
            raise
        raise WorkerError(
            f"there is not enough memory to begin {stage.name}: choose a smaller model, fewer workers"
            " or a higher run.memory"
        ) from None


_NO_MEMORY = re.compile(r"alloc|out of memory", re.IGNORECASE)
"""How engines report that memory is exhausted, MKL and CUDA among them."""


def _write_note(note: Path, done: float) -> None:
    with suppress(OSError):
        note.write_text(f"{os.getpid()} {done:.2f}\n", encoding="ascii")


def _begin_child(driver: int, memory: int) -> None:
    """End this child with its driver, limit its memory, and leave Ctrl-C to the driver."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.setpgid(0, 0)  # so that its programs can be ended with it, and no Ctrl-C reaches them either
    if sys.platform == "linux":
        # prctl(PR_SET_PDEATHSIG, SIGKILL): the kernel ends this process with the thread that made it (see TIED).
        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)
    if os.getppid() != driver:  # it went before that was in force
        os._exit(1)
    threading.Thread(target=_watch_driver, args=(driver,), daemon=True).start()
    if memory:
        resource.setrlimit(resource.RLIMIT_DATA, (memory, resource.getrlimit(resource.RLIMIT_DATA)[1]))


def _watch_driver(driver: int) -> None:
    """End this process when its driver is gone, on systems whose kernel does not do it."""
    while os.getppid() == driver:
        time.sleep(1)
    os._exit(1)
