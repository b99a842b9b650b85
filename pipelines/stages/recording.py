"""A recording as a task: where its sound is, and where to leave what comes of it, on whatever machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from pipelines.errors import BrokenMediaError, FetchError
from pipelines.storage.blobs import BlobStore


@dataclass(frozen=True, slots=True)
class RecordingTask:
    """A recording to work on.

    Attributes:
        store: where it is kept.
        sha256: of its bytes.
        suffix: of its name.
        folder: for what is left of the work, and for what it needs meanwhile.
    """

    store: BlobStore
    sha256: str
    suffix: str
    folder: Path

    def at(self, folder: Path) -> Self:
        """Return the task for another machine, with its files in a folder there.

        Raises:
            ClusterError: that machine does not see the store.
        """
        return replace(self, store=self.store.at(folder), folder=folder)

    def recording(self) -> Path:
        """Return the recording's file on this machine.

        Raises:
            BrokenMediaError: the store has none.
            FetchError: the store does not give it.
        """
        try:
            return self.store.path(self.sha256, self.suffix)
        except FileNotFoundError as error:
            raise BrokenMediaError("its file is missing from the store: pull it again") from error
        except OSError as error:
            raise FetchError(str(error)) from error
