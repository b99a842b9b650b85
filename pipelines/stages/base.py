"""What every stage is: a list of items, work on one of them, and what is kept of it.

`pipelines.stages` lists all stages, and says how to add one.

``items`` and ``commit`` run in the driver, which alone opens the catalogue. ``work`` runs wherever the
executor puts it, usually in a child process: it gets the item's task, which must pickle, and returns a
small result, which must too; whatever is large it writes to a file and returns as an `Artefact`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeAlias, runtime_checkable

import msgspec

from archive.catalogue.runs import Status
from pipelines.errors import ItemError
from pipelines.storage.archive_folder import Context
from pipelines.storage.atomic import write_atomic

Report: TypeAlias = Callable[[float], None]
"""Called from inside ``work`` with how much of the item's size is done."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing for one stage to do.

    Attributes:
        subject: what it is about, for the catalogue: a file's path, a recording's sha256, a session's id.
        label: the same for people.
        fingerprint: of everything that goes into the result; the same fingerprint is the same result.
        task: what ``work`` needs.
        size: how much there is to do, in the stage's unit, or 0 where nobody knows.
        rules: a fingerprint of settings that it may be refused by; what was refused is due again under others.
        pace: how much of it is done in a second, as limits of time reckon it.
        lost: whether an earlier result is known to be gone, so that it must be made again.
    """

    subject: str
    label: str
    fingerprint: str
    task: Any = None
    size: float = 0.0
    lost: bool = False
    rules: str = ""
    pace: float = 1.0

    @property
    def ruled(self) -> str:
        """Its fingerprint with that of the rules."""
        return fingerprint(self.fingerprint, self.rules) if self.rules else self.fingerprint

    def is_settled(self, settled: set[tuple[str, str]]) -> bool:
        """Whether it is among what needs no more work, by subject and fingerprint."""
        return (self.subject, self.fingerprint) in settled or (self.subject, self.ruled) in settled

    @property
    def seconds(self) -> float:
        """What its size is reckoned to take."""
        return self.size / self.pace


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one item went. ``result`` is what ``work`` returned; ``code`` and ``text`` say why it did not.

    ``warnings`` are for people: what was logged as such while it was worked on.
    """

    status: Status
    result: Any = None
    code: str | None = None
    text: str | None = None
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()


class ArtefactError(ItemError):
    """A file that a worker left is not what it wrote: short, altered or gone."""

    code: ClassVar[str] = "artefact"


@dataclass(frozen=True, slots=True)
class Artefact:
    """What a worker leaves for the driver in a file, and the SHA-256 that tells whether it is whole.

    ``data`` is what was in the file, for a driver that does not see it.
    """

    path: Path
    sha256: str
    data: bytes | None = None

    @classmethod
    def write(cls, path: Path, data: bytes) -> Artefact:
        """Leave data in a file."""
        write_atomic(path, data)
        return cls(path, hashlib.sha256(data).hexdigest())

    def enclosed(self) -> Artefact:
        """Return it with what is in the file, to be sent to another machine."""
        with suppress(OSError):  # reading it there says what is wrong
            return replace(self, data=self.path.read_bytes())
        return self

    def discard(self) -> None:
        """Remove the file, once what it held is in the catalogue."""
        self.path.unlink(missing_ok=True)

    def read(self) -> bytes:
        """Return what was left.

        Raises:
            ArtefactError: it is not whole, and the item is to be done again.
        """
        try:
            data = self.path.read_bytes() if self.data is None else self.data
        except OSError as error:
            raise ArtefactError(
                f"{self.path.name}, which its worker wrote, cannot be read: {error.strerror}"
            ) from error
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise ArtefactError(f"{self.path.name} is not what its worker wrote")
        return data


class Stage(Protocol):
    """One step of the pipeline."""

    @property
    def name(self) -> str:
        """What the command line and the catalogue call it."""

    @property
    def unit(self) -> str:
        """What an item's size is counted in, for the progress display: ``s`` for seconds of audio, ``B`` for bytes."""

    def items(self, context: Context) -> Iterable[Item]:
        """Return everything that this stage could do, whether or not it was done before."""

    def work(self, task: Any, report: Report) -> Any:
        """Do one item, away from the catalogue.

        Raises:
            ItemError: this item cannot be done.
            PipelineError: no item can be done; the run ends.
        """

    def commit(self, context: Context, item: Item, result: Any) -> str | None:
        """Keep the result, inside the driver's transaction, and return a remark for people, if there is one.

        Raises:
            ItemError: this item cannot be done.
            ArchiveError: the catalogue refuses it.
        """


@runtime_checkable
class Prepares(Protocol):
    """A stage whose worker processes load something first, such as a model."""

    def prepare(self) -> None:
        """Load what ``work`` needs, once a process. Whatever happens meanwhile is no item's fault.

        Raises:
            PipelineError: it cannot be loaded; the run ends.
        """


@runtime_checkable
class Spared(Protocol):
    """A stage without which all else is whole, so that no run waits long for it.

    After ``hangs`` items that hung, with none between them that did not, the rest is left for the next run.
    """

    @property
    def hangs(self) -> int:
        """How many."""


@runtime_checkable
class Movable(Protocol):
    """A task that names files, and can be done on a machine that does not see them."""

    def at(self, folder: Path) -> Movable:
        """Return it with its files in a folder of the machine that does it.

        Raises:
            ClusterError: it cannot be done there.
        """


def fingerprint(*parts: Any) -> str:
    """Return a digest of values; equal values give equal digests, on any machine."""
    return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()[:16]
