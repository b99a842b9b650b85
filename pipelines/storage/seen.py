"""What the last whole check read, so that a quick one reads only what has changed since.

A file counts as unchanged if it has the size and the time that it had then: who changes one by accident changes its
time, and a disk that loses bits does not. So quick checks are for every day, and whole ones for now and then.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import msgspec

from pipelines.storage.atomic import write_atomic

Facts: TypeAlias = tuple[int, int]
"""A file's size in bytes, and when it changed, in nanoseconds."""


class _Notes(msgspec.Struct, frozen=True):
    revision: str = ""
    files: dict[str, Facts] = {}


@dataclass(slots=True)
class Seen:
    """What was read and found right, by the last checks and by this one.

    Attributes:
        file: where it is written down.
        quick: whether what is unchanged since is spared.
    """

    file: Path
    quick: bool
    _notes: _Notes = field(default_factory=_Notes)
    _files: dict[str, Facts] = field(default_factory=dict)
    _read: set[tuple[int, int, str]] = field(default_factory=set)

    @classmethod
    def at(cls, file: Path, *, quick: bool) -> Seen:
        """Return what a file says was read; one that cannot be read says nothing."""
        notes = _Notes()
        with suppress(OSError, msgspec.DecodeError):
            notes = msgspec.json.decode(file.read_bytes(), type=_Notes)
        return cls(file, quick, notes)

    def spares_database(self, revision: str) -> bool:
        """Return whether a quick check need not read the database, whose state is this one."""
        return self.quick and revision == self._notes.revision

    def spares(self, path: Path, sha256: str = "") -> bool:
        """Return whether a file need not be read.

        No check reads a file twice that has two names, as published media are links to the store. A quick check spares
        one that was never read, or is as it was then.

        Args:
            path: the file's.
            sha256: that it should have; "" where it is not known.
        """
        if _as_read(path, sha256) in self._read:
            return True
        return self.quick and self._notes.files.get(str(path)) in {None, _facts(path)}

    def note(self, path: Path, sha256: str = "") -> None:
        """Note that a file was read, or spared, and is right."""
        self._read.add(_as_read(path, sha256))
        known = self._notes.files.get(str(path))
        if not self.quick or known is not None:
            self._files[str(path)] = _facts(path)

    def save(self, revision: str) -> None:
        """Write down what was read, with the state of a database that is right ("" for one that is not)."""
        write_atomic(self.file, msgspec.json.encode(_Notes(revision, self._files)))


def _as_read(path: Path, sha256: str) -> tuple[int, int, str]:
    """Return what tells a file from all others, whatever its name, and the SHA-256 that it should have."""
    facts = path.stat()
    return facts.st_dev, facts.st_ino, sha256


def _facts(path: Path) -> Facts:
    facts = path.stat()
    return facts.st_size, facts.st_mtime_ns
