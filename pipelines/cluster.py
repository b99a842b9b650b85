"""The same supervised children, on many machines, through Dask (https://distributed.dask.org).

A Dask worker does nothing with an item but have a child of its own do it (see `pipelines.remote`), so that
crashes, hangs and poison are dealt with in one place; Dask is left with what it alone can know: which machine
has room, and which is gone. What a lost machine had in hand is given to another and costs nobody an attempt.

Workers offer the resources ``gpu``, for what loads a model, and ``io``, for the rest. To put another engine
beside this one, write its `Executor` around `pipelines.remote.supervise`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from distributed import Client, Future, KilledWorker, Security, get_worker
from distributed import wait as wait_for
from distributed.comm.core import CommClosedError

from pipelines.children import POLL_SECONDS
from pipelines.config import Cluster as Certificates
from pipelines.errors import ClusterError, ConfigError, ItemCrashError, PipelineError
from pipelines.executors import Watcher
from pipelines.limits import Limits
from pipelines.remote import Kind, kind_of, supervise
from pipelines.stages.base import Item, Outcome, Stage

TOPIC = "rostra-progress"
CONNECT_SECONDS = 10
WORKERLESS_SECONDS = 60.0
"""How long a run waits for a machine that offers what it needs."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Dask workers behind a scheduler.

    Attributes:
        address: the scheduler's, ``tls://host:8786``.
        certificates: the certificates for it.
        limits: what a child may take.
    """

    address: str
    certificates: Certificates
    limits: Limits

    def map(self, stage: Stage, items: Iterable[Item], watcher: Watcher) -> Iterator[tuple[Item, Outcome]]:
        """Keep as many tasks in flight as there is room for, and hand in outcomes as they come."""
        kind = kind_of(stage)
        progress: dict[str, float] = {}
        waiting = iter(items)
        upcoming = next(waiting, None)
        flying: dict[Future[Outcome], Item] = {}
        with self._connected() as client:
            client.subscribe_topic(TOPIC, lambda event: progress.update([event[1]]))
            seen = time.monotonic()
            while upcoming or flying:
                room = _room(client, kind)
                seen = time.monotonic() if room else seen
                if time.monotonic() - seen > WORKERLESS_SECONDS:
                    raise ClusterError(f"no worker at {self.address} offers {kind}: see README, A cluster")
                while upcoming and len(flying) < room:
                    watcher.started(upcoming)
                    task = client.submit(_supervise, stage, upcoming, self.limits, resources={kind: 1}, pure=False)
                    flying[task] = upcoming
                    upcoming = next(waiting, None)
                with suppress(TimeoutError, CancelledError):
                    wait_for(list(flying), POLL_SECONDS, "FIRST_COMPLETED") if flying else time.sleep(POLL_SECONDS)
                for task, item in list(flying.items()):
                    if (done := progress.pop(item.subject, None)) is not None:
                        watcher.advanced(item, done)
                    if task.done():
                        del flying[task]
                        yield item, _outcome(task)

    @contextmanager
    def _connected(self) -> Iterator[Client]:
        secured = security(self.certificates, self.address)
        try:
            client = Client(self.address, security=secured, timeout=CONNECT_SECONDS)
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


def security(certificates: Certificates, address: str) -> Security | None:
    """Return how to speak to a scheduler: with certificates on both sides, unless it is on this machine.

    Raises:
        ConfigError: the address is no scheduler's, or TLS is wanted and there are no certificates for it.
    """
    url = urlsplit(address)
    if url.scheme == "tcp" and url.hostname in {"127.0.0.1", "::1", "localhost"}:
        return None
    if url.scheme != "tls":
        raise ConfigError(f"{address}: tls://HOST:PORT is needed; tcp:// is for a scheduler on this machine alone")
    files = {"ca": certificates.ca, "certificate": certificates.certificate, "key": certificates.key}
    for name, file in files.items():
        if not Path(file).is_file():
            raise ConfigError(f"cluster.{name}: {file or 'nothing'} is not a file: {address} needs it")
    ca, certificate, key = files.values()
    return Security(tls_ca_file=ca, tls_client_cert=certificate, tls_client_key=key, require_encryption=True)


def _room(client: Client, kind: Kind) -> int:
    """Return how many tasks the workers that are there can do at once."""
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return sum(min(int(worker["resources"].get(kind, 0)), worker["nthreads"]) for worker in workers)


def _outcome(task: Future[Outcome]) -> Outcome:
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
