"""The same supervised children, on many machines, through Dask (https://distributed.dask.org).

A Dask worker hands each item to a child process of its own (see `pipelines.run.remote`), so that one module deals with
crashes, hangs and items that kill their process. Dask decides only what it alone can know: which machine has room, and
which machine is gone. The items of a lost machine are given to another one, and no item is charged an attempt for it.
Workers offer the resources ``gpu``, for stages that load a model, and ``io``, for the others.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from distributed import Client, Future, KilledWorker, Security, get_worker
from distributed import wait as wait_for
from distributed.comm.core import CommClosedError

from pipelines.config import Certificates, Limits
from pipelines.errors import ClusterError, ItemCrashError, PipelineError
from pipelines.run.children import POLL_SECONDS
from pipelines.run.executors import Watcher
from pipelines.run.remote import is_secured, kind_of, supervise
from pipelines.stages.base import Item, Outcome, Stage

TOPIC = "rostra-progress"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Dask workers behind a scheduler.

    Attributes:
        address: the scheduler's address, such as ``tls://host:8786``.
        certificates: for the connection to the scheduler.
        limits: how much time and memory a child may use.
        workerless_seconds: how long a run waits for a worker that offers what it needs.
        connect_seconds: how long it waits for the scheduler.
    """

    address: str
    certificates: Certificates
    limits: Limits
    workerless_seconds: float = 60.0
    connect_seconds: float = 10.0

    def map(self, stage: Stage, items: Iterable[Item], watcher: Watcher) -> Generator[tuple[Item, Outcome], None, None]:
        """Keep as many items in flight as there is room for, and yield each with its outcome when it ends."""
        with self._connected() as client:
            yield from self._drive(_Workers(client, stage, self.limits), items, watcher)

    def _drive(self, workers: _Workers, items: Iterable[Item], watcher: Watcher) -> Iterator[tuple[Item, Outcome]]:
        """Keep as many items in flight as there is room for, and yield each with its outcome as it comes.

        Raises:
            ClusterError: no worker offers what the stage needs, and none appears in time.
            PipelineError: no item can be done.
        """
        waiting = iter(items)
        upcoming = next(waiting, None)
        flying: dict[Future[Outcome], Item] = {}
        seen = time.monotonic()
        while upcoming or flying:
            room = workers.room()
            seen = time.monotonic() if room else seen
            if time.monotonic() - seen > self.workerless_seconds:
                raise ClusterError(f"no worker at {self.address} offers {workers.kind}: see README, A cluster")
            while upcoming and len(flying) < room:
                watcher.started(upcoming)
                flying[workers.begin(upcoming)] = upcoming
                upcoming = next(waiting, None)
            if not flying:
                time.sleep(POLL_SECONDS)
            ended = workers.ended(list(flying)) if flying else []
            for item in flying.values():
                if (done := workers.progress.pop(item.subject, None)) is not None:
                    watcher.advanced(item, done)
            for each in ended:
                yield flying.pop(each), workers.outcome(each)

    @contextmanager
    def _connected(self) -> Iterator[Client]:
        own, security = self.certificates, None
        if is_secured(own, self.address):
            files = {"tls_ca_file": own.ca, "tls_client_cert": own.certificate, "tls_client_key": own.key}
            security = Security(**files, require_encryption=True)
        try:
            client = Client(self.address, security=security, timeout=self.connect_seconds)
        except (OSError, CommClosedError) as error:
            raise ClusterError(f"no scheduler answers at {self.address}: {error}") from error
        try:
            yield client
        except PipelineError:
            raise
        except Exception as error:
            if client.status == "running" and not isinstance(error, CancelledError | CommClosedError | OSError):
                raise
            raise ClusterError(
                f"the scheduler at {self.address} was lost; what was in hand is charged to nobody: run it again"
            ) from error
        finally:
            client.close(timeout=2)


class _Workers:
    """The workers that can do a stage's items.

    Attributes:
        kind: what the stage needs of them.
        progress: how much of each item's size is done, by subject; reports that were not yet taken out.
    """

    def __init__(self, client: Client, stage: Stage, limits: Limits) -> None:
        self.client, self.stage, self.limits = client, stage, limits
        self.kind = kind_of(stage)
        self.progress: dict[str, float] = {}
        client.subscribe_topic(TOPIC, lambda event: self.progress.update([event[1]]))

    def room(self) -> int:
        """Return how many items they can do at once."""
        workers = self.client.scheduler_info(n_workers=-1)["workers"].values()
        return sum(min(int(worker["resources"].get(self.kind, 0)), worker["nthreads"]) for worker in workers)

    def begin(self, item: Item) -> Future[Outcome]:
        """Submit an item. If its worker is lost, Dask gives the item to another one."""
        resources = {self.kind: 1}
        return self.client.submit(_supervise, self.stage, item, self.limits, resources=resources, pure=False)

    def ended(self, tasks: Sequence[Future[Outcome]]) -> list[Future[Outcome]]:
        """Wait up to `POLL_SECONDS` for an item to end, and return those that have ended."""
        with suppress(TimeoutError, CancelledError):
            wait_for(tasks, POLL_SECONDS, "FIRST_COMPLETED")
        return [task for task in tasks if task.done()]

    def outcome(self, task: Future[Outcome]) -> Outcome:
        """Return the outcome of an item that has ended.

        Raises:
            PipelineError: no item can be done.
        """
        try:
            outcome: Outcome = task.result()
        except PipelineError:
            raise
        except KilledWorker as error:
            return Outcome("failed", code=ItemCrashError.code, text=f"machines were lost with it: {error}")
        except Exception as error:
            if task.status != "error":  # the fault lies with the connection, not with the task
                raise
            raise ClusterError(f"the cluster cannot do it: {type(error).__name__}: {error}") from error
        return outcome


def _supervise(stage: Stage, item: Item, limits: Limits) -> Outcome:
    """Do an item on the worker that Dask chose."""
    worker, key = get_worker(), get_worker().get_current_task()
    return supervise(
        stage,
        item,
        limits,
        Path(worker.local_directory),
        wanted=lambda: worker.state.tasks[key].state == "executing",
        advanced=lambda done: worker.log_event(TOPIC, (item.subject, done)),
    )
