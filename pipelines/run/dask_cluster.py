"""The same supervised children, on many machines, through Dask (https://distributed.dask.org).

A Dask worker does nothing with an item but have a child of its own do it (see `pipelines.run.remote`), so that
crashes, hangs and poison are dealt with in one place; Dask is left with what it alone can know: which machine
has room, and which is gone. What a lost machine had in hand is given to another and costs nobody an attempt.
Workers offer the resources ``gpu``, for what loads a model, and ``io``, for the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from distributed import Client, Future, KilledWorker, Security, get_worker
from distributed import wait as wait_for
from distributed.comm.core import CommClosedError

from pipelines.config import Cluster as Certificates
from pipelines.errors import ClusterError, ItemCrashError, PipelineError
from pipelines.run.children import POLL_SECONDS
from pipelines.run.executors import Watcher
from pipelines.run.limits import Limits
from pipelines.run.remote import drive, is_secured, kind_of, supervise
from pipelines.stages.base import Item, Outcome, Stage

TOPIC = "rostra-progress"
CONNECT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Cluster:
    """Dask workers behind a scheduler, ``tls://host:8786``, with the certificates for it and a child's limits."""

    address: str
    certificates: Certificates
    limits: Limits

    def map(self, stage: Stage, items: Iterable[Item], watcher: Watcher) -> Iterator[tuple[Item, Outcome]]:
        """Keep as many tasks in flight as there is room for, and hand in outcomes as they come."""
        with self._connected() as client:
            yield from drive(_Workers(client, stage, self.limits), kind_of(stage), self.address, items, watcher)

    @contextmanager
    def _connected(self) -> Iterator[Client]:
        own, security = self.certificates, None
        if is_secured(own, self.address):
            files = {"tls_ca_file": own.ca, "tls_client_cert": own.certificate, "tls_client_key": own.key}
            security = Security(**files, require_encryption=True)
        try:
            client = Client(self.address, security=security, timeout=CONNECT_SECONDS)
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
    """The workers, as `drive` sees them."""

    def __init__(self, client: Client, stage: Stage, limits: Limits) -> None:
        self.client, self.stage, self.limits = client, stage, limits
        self.progress: dict[str, float] = {}
        client.subscribe_topic(TOPIC, lambda event: self.progress.update([event[1]]))

    def room(self) -> int:
        workers, kind = self.client.scheduler_info(n_workers=-1)["workers"].values(), kind_of(self.stage)
        return sum(min(int(worker["resources"].get(kind, 0)), worker["nthreads"]) for worker in workers)

    def begin(self, item: Item) -> Future[Outcome]:
        resources = {kind_of(self.stage): 1}
        return self.client.submit(_supervise, self.stage, item, self.limits, resources=resources, pure=False)

    def ended(self, tasks: Sequence[Future[Outcome]]) -> list[Future[Outcome]]:
        with suppress(TimeoutError, CancelledError):
            wait_for(tasks, POLL_SECONDS, "FIRST_COMPLETED")
        return [task for task in tasks if task.done()]

    def outcome(self, task: Future[Outcome]) -> Outcome:
        try:
            outcome: Outcome = task.result()
        except PipelineError:
            raise
        except KilledWorker as error:
            return Outcome("failed", code=ItemCrashError.code, text=f"machines were lost with it: {error}")
        except Exception as error:
            if task.status != "error":  # not the task's, but the way to it
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
