"""An item on another machine than the driver's: a child does it there, as one would here.

The item works in a folder of its own, which goes when it ends. It reads its recording from a store that its machine
sees too, and what it leaves for the driver travels with its outcome, under its SHA-256.
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
"""Children of this machine between items: no more of them load a model than there are items at once that need one."""
_numbers = itertools.count()


def kind_of(stage: Stage) -> Kind:
    """Return what a stage needs of a machine: ``gpu`` where it loads a model, else ``io``."""
    return "gpu" if isinstance(stage, Prepares) else "io"


def is_secured(certificates: Certificates, address: str) -> bool:
    """Tell whether a scheduler is spoken to with certificates on both sides: always, unless it is on this machine.

    Raises:
        ConfigError: the address is no scheduler's, or TLS is wanted and there are no certificates for it.
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
    """Have a child do an item here, and wait for it.

    Args:
        stage: what to do.
        item: what to do it with.
        limits: what a child may take.
        folder: of this machine, for what is needed meanwhile.
        wanted: asked a few times a second whether anybody still waits for it.
        advanced: told then how much of the item's size is done.

    Raises:
        PipelineError: no item can be done here, or nobody waits for this one.
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
    """Lend a child, which keeps what it loaded from one item to the next."""
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
