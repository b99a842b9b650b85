"""The content-addressed store: every recording lies under the SHA-256 of its bytes.

A file appears under its name complete or not at all: it is written under a temporary name in the same
folder tree, brought to the disk, renamed, and the rename brought to the disk too.
"""

from __future__ import annotations

import errno
import hashlib
import re
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from pipelines.errors import ClusterError
from pipelines.storage.atomic import scratch, sync_file, sync_folder

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes in a store: their SHA-256 in hexadecimal, and how many they are."""

    sha256: str
    bytes: int


class BlobStore(Protocol):
    """Where recordings are kept."""

    def add(self, source: Path, suffix: str) -> Blob:
        """Copy a file in, streaming, and return its name. The same bytes are kept once.

        Raises:
            OSError: it cannot be read, or there is no room for it.
        """

    def path(self, sha256: str, suffix: str) -> Path:
        """Return where a blob is on this machine, brought here if need be.

        Raises:
            FileNotFoundError: there is none of this name.
            OSError: it cannot be brought here.
        """

    def remove(self, sha256: str, suffix: str) -> None:
        """Remove a blob for good, and every copy of it on this machine; nothing happens where there is none.

        Raises:
            OSError: it cannot be removed.
        """

    def at(self, folder: Path) -> BlobStore:
        """Return the same store for another machine, which keeps what it needs of it in a folder.

        Raises:
            ClusterError: that machine, this one, does not see it.
        """


@dataclass(frozen=True, slots=True)
class LocalBlobStore:
    """A store in a folder: ``ab/abcd….mp4``."""

    root: Path

    @property
    def incoming(self) -> Path:
        """The folder of files that are still being written."""
        return self.root / ".incoming"

    def path(self, sha256: str, suffix: str) -> Path:
        """Return where the blob of this name is. A symbolic link is none: it may lead anywhere."""
        path = self.root / key(sha256, suffix)
        if path.is_symlink() or not path.is_file():
            raise FileNotFoundError(errno.ENOENT, "not in the store", str(path))
        return path

    def add(self, source: Path, suffix: str) -> Blob:
        """Copy a file in, hashing as it streams: it is read once, and never held whole."""
        self.incoming.mkdir(parents=True, exist_ok=True)
        with scratch(self.incoming) as temporary:
            with source.open("rb") as reader, temporary.open("wb") as writer:
                blob = _copy(reader, writer)
            self.take(temporary, blob.sha256, suffix)
        return blob

    def take(self, file: Path, sha256: str, suffix: str) -> None:
        """Move a file in that is on the disk, under the name that its bytes are known to have.

        A file of that name that is damaged gives way; what a whole one is stays.
        """
        target = self.root / key(sha256, suffix)
        if not target.exists() or digest(target) != sha256:
            target.parent.mkdir(parents=True, exist_ok=True)
            file.replace(target)
            sync_folder(target.parent)

    def remove(self, sha256: str, suffix: str) -> None:
        """Remove a file, and bring that to the disk."""
        path = self.root / key(sha256, suffix)
        if path.exists():
            path.unlink()
            sync_folder(path.parent)

    def at(self, folder: Path) -> LocalBlobStore:  # noqa: ARG002 one signature
        """Return this store, which every machine must see under the same path."""
        if not self.root.is_dir():
            raise ClusterError(
                f"{socket.gethostname()} does not see {self.root}: share that folder with every worker,"
                " or keep media in a bucket (store.bucket)"
            )
        return self

    def clean(self) -> None:
        """Remove what an interrupted run left half-written. Only a driver that holds the lock may."""
        shutil.rmtree(self.incoming, ignore_errors=True)


def key(sha256: str, suffix: str) -> str:
    """Return a blob's name within a store."""
    return f"{sha256[:2]}/{sha256}{suffix}"


def is_key(name: str) -> bool:
    """Tell whether a path ends as the name of a blob does: ``ab/abcd….mp4``."""
    return (found := _KEY.search(name)) is not None and found[2].startswith(found[1])


_KEY = re.compile(r"(?:^|/)([0-9a-f]{2})/([0-9a-f]{64})(?:\.[A-Za-z0-9]{1,8})?$")


def digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy(reader: BinaryIO, writer: BinaryIO) -> Blob:
    digest, size = hashlib.sha256(), 0
    while chunk := reader.read(CHUNK):
        digest.update(chunk)
        writer.write(chunk)
        size += len(chunk)
    sync_file(writer)
    return Blob(digest.hexdigest(), size)
