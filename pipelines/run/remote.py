"""Work on an item on another machine than the driver's, in a child process as on this one.

The item has a temporary folder of its own. It reads its recording from a store that both machines can reach. The files
that it makes for the driver are sent back with its outcome, each with its SHA-256.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal
from urllib.parse import urlsplit

from pipelines.config import Certificates, Limits
from pipelines.errors import ClusterError, ConfigError
from pipelines.run.children import POLL_SECONDS, Child
from pipelines.stages.base import Artefact, Item, Movable, Outcome, Prepares, Stage

Kind = Literal["gpu", "io"]

_idle: dict[Kind, list[Child]] = {"gpu": [], "io": []}
"""Idle children of this machine. Only as many of them have loaded a model as items need one at the same time."""
_numbers = itertools.count()


def kind_of(stage: Stage) -> Kind:
    """Return what a stage needs of a machine: ``gpu`` where it loads a model, else ``io``."""
    return "gpu" if isinstance(stage, Prepares) else "io"


def is_secured(certificates: Certificates, address: str) -> bool:
    """Whether the connection to a scheduler needs certificates on both sides: yes, unless it is on this machine.

    Raises:
        ConfigError: the address is not that of a scheduler, or TLS is needed and no certificates are configured.
    """
    url = urlsplit(address)
    if url.scheme == "tcp" and url.hostname in {"127.0.0.1", "::1", "localhost"}:
        return False
    if url.scheme != "tls":
        raise ConfigError(f"{address}: tls://HOST:PORT is needed; tcp:// is for a scheduler on this machine alone")
    files = {"ca": certificates.ca, "certificate": certificates.certificate, "key": certificates.key}
    for name, file in files.items():
        if not Path(file).is_file():
            raise ConfigError(f"cluster.{name}: {file or 'nothing'} is not a file: {address} needs it")
    return True


def supervise(
    stage: Stage,
    item: Item,
    limits: Limits,
    folder: Path,
    *,
    wanted: Callable[[], bool],
    advanced: Callable[[float], None],
) -> Outcome:
    """Work on an item in a child process on this machine, and wait for it.

    Args:
        stage: the stage that is run.
        item: the item to work on.
        limits: how much time and memory the child may use.
        folder: a folder of this machine for temporary files.
        wanted: called a few times a second; returns whether the driver still waits for the item.
        advanced: called as often, with how much of the item's size is done.

    Raises:
        PipelineError: no item can be done here, or the driver no longer waits for this one.
    """
    with TemporaryDirectory(dir=folder) as own, _lent(kind_of(stage), limits, folder) as child:
        task = item.task.at(Path(own)) if isinstance(item.task, Movable) else item.task
        child.begin(stage, replace(item, task=task))
        while (outcome := child.outcome()) is None:
            if not wanted():
                child.stop()
                raise ClusterError("nobody waits for it any more")
            with suppress(TimeoutError):
                child.future.exception(timeout=POLL_SECONDS)
            if (done := child.progress()) is not None:
                advanced(done)
        left = outcome.result
        return replace(outcome, result=left.enclosed()) if isinstance(left, Artefact) else outcome


@contextmanager
def _lent(kind: Kind, limits: Limits, folder: Path) -> Iterator[Child]:
    """Lend an idle child. It keeps the model that it has loaded for the next item."""
    try:
        child = _idle[kind].pop()
    except IndexError:
        child = Child(folder / f"child-{next(_numbers)}", limits)
    if child.limits != limits:
        child.stop()
        child.limits = limits
    try:
        yield child
    finally:
        _idle[kind].append(child)
