"""Several processes that answer at one port: those that die are begun anew, and all end when the site is told to stop.

uvicorn's own (`uvicorn.supervisors`) waits for an answer of each process before it looks whether it is to stop, which a
busy machine's take a minute to give while they start; and they go on for ever when whoever began them is killed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from socket import socket

from uvicorn import Server

from archive.errors import NotStartedError

LOOK_SECONDS = 0.2
"""How often it is looked whether all are well, and whether the site is to stop."""
SILENT_SECONDS = 60.0
"""How long a process may be silent, also while it starts, until another takes its place."""
TELL_SECONDS = 5
"""How often a process tells that it is well."""
END_SECONDS = 5.0
"""How long a process that was told to stop may take until it is killed; answers in flight take less."""

_spawn = multiprocessing.get_context("spawn")


def run_workers(make: Callable[[], Server], listening: socket, count: int) -> None:
    """Serve in several processes until a signal says to stop (SIGINT, SIGTERM); a second one ends them at once.

    Args:
        make: returns the server of one process; it is called there, and so has to be picklable.
        listening: the socket that all of them share.
        count: of processes.

    Raises:
        NotStartedError: a process failed before it answered anything, and no other answers.
    """
    workers: list[_Worker] = []
    stopping = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        if stopping.is_set():
            for worker in workers:
                worker.process.kill()
        stopping.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        workers += [_Worker(make, listening) for _ in range(count)]
        while not stopping.wait(LOOK_SECONDS):
            for place, worker in enumerate(workers):
                if worker.is_well():
                    continue
                _end([worker])
                if worker.failed and not any(other.answers for other in workers):
                    raise NotStartedError
                workers[place] = _Worker(make, listening)
    finally:
        _end(workers)
        for number, handler in before.items():
            signal.signal(number, handler)


class _Worker:
    """One process, and what it told last."""

    def __init__(self, make: Callable[[], Server], listening: socket) -> None:
        self._told, theirs = _spawn.Pipe()
        self.process = _spawn.Process(target=_work, args=(make, listening, theirs))
        self._heard, self.answers = time.monotonic(), False
        with _interrupts_kept_from_children():
            self.process.start()
        theirs.close()

    def is_well(self) -> bool:
        """Return whether it lives, and was heard of lately."""
        with suppress(EOFError, OSError):
            while self._told.poll():
                self._told.recv_bytes()
                self._heard, self.answers = time.monotonic(), True
        alive = self.process.is_alive()
        self.answers = self.answers and alive
        return alive and time.monotonic() - self._heard < SILENT_SECONDS

    @property
    def failed(self) -> bool:
        """Whether it ended by itself, and not well; another process or the system may have killed it."""
        return (self.process.exitcode or 0) > 0


def _end(workers: Sequence[_Worker]) -> None:
    """Have processes end what they are at; kill those that do not."""
    for worker in workers:
        worker.process.terminate()
    until = time.monotonic() + END_SECONDS
    for worker in workers:
        worker.process.join(max(until - time.monotonic(), 0))
        worker.process.kill()
        worker.process.join()


@contextmanager
def _interrupts_kept_from_children() -> Iterator[None]:
    """Begin processes to which Ctrl-C in a terminal means nothing: it comes to all, and this one ends the others."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker

    # Its process is begun with the first child, and lets interrupts through when it has begun: so it begins before.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(make: Callable[[], Server], listening: socket, told: Connection) -> None:
    """Serve until told to stop, or until whoever began this process is gone."""
    threading.Thread(target=_end_with_parent, args=(told,), daemon=True).start()
    server = make()

    async def tell() -> None:
        told.send_bytes(b"well")

    server.config.callback_notify, server.config.timeout_notify = tell, TELL_SECONDS
    server.run(sockets=[listening])


def _end_with_parent(told: Connection) -> None:
    with suppress(EOFError, OSError):
        told.recv_bytes()
    os.kill(os.getpid(), signal.SIGTERM)
