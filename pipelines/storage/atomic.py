"""Files written so that a reader, or a power cut, never meets half of one."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file so that it has either its old content or all of the new."""
    with scratch(path.parent) as temporary:
        with temporary.open("wb") as file:
            file.write(data)
            sync_file(file)
        temporary.replace(path)
    sync_folder(path.parent)


@contextlib.contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """Give a fresh temporary name in a folder, and remove what is still there at the end."""
    path = folder / f".{uuid.uuid4().hex}.part"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def remove_scratch(folder: Path) -> None:
    """Remove what processes that were killed left of such names in a folder; nobody else may be writing there."""
    for path in folder.glob(f".{'[0-9a-f]' * 32}.part"):
        path.unlink(missing_ok=True)


def sync_file(file: BinaryIO) -> None:
    """Bring what was written to a file to the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Bring a folder's own entries to the disk, without which a rename may be lost with the power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
