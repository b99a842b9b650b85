"""The site's side of the processes that run visitors' SQL."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from http import HTTPStatus
from pathlib import Path

import archive
from archive.lane.limits import GRACE_SECONDS, MAX_OF_ONE, MAX_WAITING, PROCESSES
from archive.lane.messages import Reply, Request, receive, send

asker: ContextVar[str] = ContextVar("asker", default="")
"""Who asks for what runs in this context; "" for nobody in particular."""


class BusyError(Exception):
    """Too many statements wait already."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    for_readers = True
    message = "Too many queries are waiting. Please come again in a moment."


class Lane:
    """A few processes, and the statements that wait for them.

    Args:
        processes: how many statements run at once.
        waiting: how many may wait.
    """

    def __init__(self, processes: int = PROCESSES, waiting: int = MAX_WAITING) -> None:
        self._threads = ThreadPoolExecutor(processes, thread_name_prefix="lane")
        self._own = threading.local()
        self._taken, self._most = 0, processes + waiting
        self._taken_by: Counter[str] = Counter()

    async def run(self, request: Request) -> Reply:
        """Run a statement and return the answer, which may be an SQLite error.

        Raises:
            BusyError: too many statements wait, or too many of whoever asks.
        """
        with self._place():
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, request)

    def close(self) -> None:
        """End the processes when their statements are done."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    @contextmanager
    def _place(self) -> Iterator[None]:
        who = asker.get()
        if self._taken >= self._most or (who and self._taken_by[who] >= MAX_OF_ONE):
            raise BusyError
        self._taken += 1
        self._taken_by[who] += 1
        try:
            yield
        finally:
            self._taken -= 1
            self._taken_by -= Counter({who: 1})  # which drops who has none left

    def _run(self, request: Request) -> Reply:
        """Run a statement in this thread's process, or in a new one if that has ended, which it may do just now."""
        for _ in range(2):
            child: LaneProcess | None = getattr(self._own, "child", None)
            if child is None or not child.is_alive:
                child = self._own.child = LaneProcess()
            if (reply := child.run(request)) is not None:
                return reply
        return Reply(error="OperationalError", text="this query ended the process that ran it")


class LaneProcess:
    """One process. It ends with this object, since that closes its input."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "archive.lane.child"]
        here = str(Path(archive.__file__).parents[1])
        found = os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": found}
        )

    @property
    def is_alive(self) -> bool:
        """Whether the process can take a statement."""
        return self._process.poll() is None

    def __del__(self) -> None:
        self.end()

    def end(self) -> None:
        """End the process now."""
        with suppress(OSError):
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if pipe:
                    pipe.close()
        self._process.wait()

    def run(self, request: Request) -> Reply | None:
        """Run a statement and return the answer, or None if the process ended although there was time.

        A process that does not answer in time is killed.
        """
        until = time.monotonic() + request.seconds
        late = threading.Timer(request.seconds + GRACE_SECONDS, self._process.kill)
        late.daemon = True
        late.start()
        try:
            assert self._process.stdin is not None  # noqa: S101  # mypy sees that both are pipes
            assert self._process.stdout is not None  # noqa: S101
            send(self._process.stdin, request)
            reply = receive(self._process.stdout)
        except OSError:
            reply = None
        finally:
            late.cancel()
        if isinstance(reply, Reply):
            return reply
        self.end()
        return Reply(error="OperationalError", text="interrupted") if time.monotonic() >= until else None
