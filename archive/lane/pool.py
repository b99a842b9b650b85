"""The processes that run strangers' SQL, as the site sees them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path

import archive
from archive.lane.limits import GRACE_SECONDS, MAX_WAITING, PROCESSES
from archive.lane.messages import Reply, Request, receive, send


class BusyError(Exception):
    """So many statements wait already that another one would wait too long."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    for_readers = True
    message = "Too many queries are waiting. Please come again in a moment."


class Lane:
    """A few processes, and who waits for them.

    Args:
        processes: how many statements run at once.
        waiting: how many may wait.
    """

    def __init__(self, processes: int = PROCESSES, waiting: int = MAX_WAITING) -> None:
        self._threads = ThreadPoolExecutor(processes, thread_name_prefix="lane")
        self._own = threading.local()
        self._taken, self._most = 0, processes + waiting

    async def run(self, request: Request) -> Reply:
        """Return the answer to a statement, an error of SQLite's too.

        Raises:
            BusyError: too many are waiting.
        """
        with self._place():
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, request)

    def close(self) -> None:
        """End the processes when they are done."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._taken >= self._most:
            raise BusyError
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    def _run(self, request: Request) -> Reply:
        """Run a statement in this thread's process; one that was ended in between is started anew."""
        child: LaneProcess | None = getattr(self._own, "child", None)
        if child is None or not child.is_alive:
            child = self._own.child = LaneProcess()
        return child.run(request)


class LaneProcess:
    """One process. It ends when this object does, since its input does."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "archive.lane.child"]
        here = str(Path(archive.__file__).parents[1])
        found = os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": found}
        )

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
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

    def run(self, request: Request) -> Reply:
        """Return the answer to a statement; a process that does not answer in time is ended."""
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
        return Reply(error="OperationalError", text="interrupted")
