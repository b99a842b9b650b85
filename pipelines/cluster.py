"""The same supervised children, on many machines, through Dask (https://distributed.dask.org).

A recording is one task. A Dask worker does nothing with it but have a child of its own do it (see
`pipelines.children`), so that crashes, hangs and poison are dealt with in one place; Dask is left with what
it alone can know: which machine has room, and which is gone. What a lost machine had in hand is given to
another and costs nobody an attempt.

Workers share the archive's file system with the driver, and offer resources: ``gpu`` for what a model does,
``io`` for the rest. To put another engine beside this one, write its `Executor` around `Child`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from distributed import Client, Future, KilledWorker, Security, get_worker
from distributed import wait as wait_for
from distributed.comm.core import CommClosedError

from pipelines.children import POLL_SECONDS, Child
from pipelines.config import Cluster as Certificates
from pipelines.errors import ClusterError, ConfigError, ItemCrashError, PipelineError
from pipelines.executors import Watcher
from pipelines.limits import Limits
from pipelines.stages.base import Item, Outcome, Prepares, Stage

TOPIC = "rostra-progress"
CONNECT_SECONDS = 10
WORKERLESS_SECONDS = 60.0
"""How long a run waits for a machine that offers what it needs."""

_own = threading.local()


@dataclass(frozen=True, slots=True)
class Cluster:
    """Dask workers behind a scheduler.

    Attributes:
        address: the scheduler's, ``tls://host:8786``.
        certificates: the certificates for it.
        work: the archive's folder for work files, which every worker must see under the same path.
        limits: what a child may take.
    """

    address: str
    certificates: Certificates
    work: Path
    limits: Limits

    def map(self, stage: Stage, items: Iterable[Item], watcher: Watcher) -> Iterator[tuple[Item, Outcome]]:
        """Keep as many tasks in flight as there is room for, and hand in outcomes as they come."""
        needs = {"gpu" if isinstance(stage, Prepares) else "io": 1.0}
        progress: dict[str, float] = {}
        waiting = deque(items)
        flying: dict[Future[Outcome], Item] = {}
        with self._connected() as client:
            client.subscribe_topic(TOPIC, lambda event: progress.update([event[1]]))
            seen = time.monotonic()
            while waiting or flying:
                room = _room(client, *needs)
                seen = time.monotonic() if room else seen
                if time.monotonic() - seen > WORKERLESS_SECONDS:
                    raise ClusterError(f"no worker at {self.address} offers {'/'.join(needs)}: see README, A cluster")
                while waiting and len(flying) < room:
                    watcher.started(item := waiting.popleft())
                    flying[client.submit(_supervise, stage, item, self, resources=needs, pure=False)] = item
                _pause(flying)
                for future, item in list(flying.items()):
                    if (done := progress.pop(item.subject, None)) is not None:
                        watcher.advanced(item, done)
                    if future.done():
                        del flying[future]
                        yield item, _outcome(future)

    @contextmanager
    def _connected(self) -> Iterator[Client]:
        secured = security(self.certificates, self.address)
        try:
            client = Client(self.address, security=secured, timeout=CONNECT_SECONDS)
        except (OSError, CommClosedError) as error:
            raise ClusterError(f"no scheduler answers at {self.address}: {error}") from error
        self.token.touch()
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

    @property
    def token(self) -> Path:
        """A file by which a worker sees that it shares the archive's file system."""
        return self.work / "shared"


def _outcome(future: Future[Outcome]) -> Outcome:
    try:
        outcome: Outcome = future.result()
    except PipelineError:
        raise
    except KilledWorker as error:
        return Outcome("failed", code=ItemCrashError.code, text=f"machines were lost with it: {error}")
    except Exception as error:
        if future.status != "error":  # not the task's, but the way to it
            raise
        raise ClusterError(f"the cluster cannot do it: {type(error).__name__}: {error}") from error
    return outcome


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
    files = (certificates.ca, certificates.certificate, certificates.key)
    for name, file in zip(("ca", "certificate", "key"), files, strict=True):
        if not Path(file).is_file():
            raise ConfigError(f"cluster.{name}: {file or 'nothing'} is not a file: {address} needs it")
    ca, certificate, key = files
    return Security(tls_ca_file=ca, tls_client_cert=certificate, tls_client_key=key, require_encryption=True)


def _room(client: Client, resource: str) -> int:
    """Return how many tasks the workers that are there can do at once."""
    workers = client.scheduler_info()["workers"].values()
    return int(sum(worker["resources"].get(resource, 0) for worker in workers))


def _pause(flying: Collection[Future[Outcome]]) -> None:
    """Wait a moment, or less when something ends."""
    if not flying:
        time.sleep(POLL_SECONDS)
        return
    with suppress(TimeoutError, CancelledError):
        wait_for(list(flying), timeout=POLL_SECONDS, return_when="FIRST_COMPLETED")


def _supervise(stage: Stage, item: Item, cluster: Cluster) -> Outcome:
    """Have this thread's child do an item, on a worker's machine.

    Raises:
        PipelineError: no item can be done here.
    """
    worker, task = get_worker(), get_worker().get_current_task()
    if not cluster.token.exists():
        raise ClusterError(f"worker {worker.address} does not see {cluster.work}: it must share that file system")
    child = _child(cluster.limits, worker.local_directory)
    child.begin(stage, item)
    while (outcome := child.outcome()) is None:
        if worker.state.tasks[task].state != "executing":  # the driver is gone, or wants it no more
            child.stop()
            raise ClusterError("nobody waits for it any more")
        with suppress(TimeoutError):
            child.future.exception(timeout=POLL_SECONDS)
        if (done := child.progress()) is not None:
            worker.log_event(TOPIC, (item.subject, done))
    return outcome


def _child(limits: Limits, folder: str) -> Child:
    """Return the child of this thread, which outlives the task and keeps its model."""
    if getattr(_own, "limits", None) != limits:
        if hasattr(_own, "child"):
            _own.child.stop()
        _own.limits, _own.child = limits, Child(Path(folder) / f"child-{threading.get_ident()}", limits)
    return cast("Child", _own.child)
