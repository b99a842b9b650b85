"""Where backups lie: a folder of another disk, or a bucket. Both hold files by name and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipelines.errors import ConfigError
from pipelines.storage.atomic import scratch, sync_file, sync_folder
from pipelines.storage.buckets import Bucket


class Vault(Protocol):
    """Files by name: a relative path with slashes. A file is there complete or not at all."""

    def sizes(self) -> dict[str, int]:
        """Return the size in bytes of all files, by name.

        Raises:
            OSError: the place cannot be read.
        """

    def put(self, source: Path, name: str) -> None:
        """Bring a file there, in the place of another of that name.

        Raises:
            OSError: it cannot be read, or there is no room for it.
        """

    def fetch(self, name: str, target: Path) -> None:
        """Bring a file here.

        Raises:
            FileNotFoundError: there is none of this name.
            OSError: it cannot be read, or not be written here.
        """

    def remove(self, name: str) -> None:
        """Remove a file, if it is there.

        Raises:
            OSError: it cannot be removed.
        """


@dataclass(frozen=True, slots=True)
class FolderVault:
    """A folder."""

    root: Path

    def sizes(self) -> dict[str, int]:
        """Return the sizes of all files below the folder; those that are half written are not counted."""
        return {path.relative_to(self.root).as_posix(): path.stat().st_size for path in self._files()}

    def _files(self) -> Iterator[Path]:
        return (path for path in self.root.rglob("*") if path.is_file() and not path.name.startswith("."))

    def put(self, source: Path, name: str) -> None:
        """Copy a file there and bring it to the disk."""
        target = self.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with scratch(target.parent) as temporary:
            with source.open("rb") as reader, temporary.open("wb") as writer:
                shutil.copyfileobj(reader, writer, 1 << 20)
                sync_file(writer)
            temporary.replace(target)
        sync_folder(target.parent)

    def fetch(self, name: str, target: Path) -> None:
        """Copy a file here."""
        shutil.copyfile(self.root / name, target)

    def remove(self, name: str) -> None:
        """Unlink a file."""
        (self.root / name).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class BucketVault:
    """A bucket, or a folder in it."""

    bucket: Bucket

    def sizes(self) -> dict[str, int]:
        """Return the sizes of all objects below the bucket's prefix."""
        skip = len(self.bucket.key(""))
        try:
            return {str(entry["path"])[skip:]: int(entry["size"]) for entry in self.bucket.entries()}
        except FileNotFoundError:  # nothing has been kept there yet
            return {}

    def put(self, source: Path, name: str) -> None:
        """Upload a file."""
        key = self.bucket.key(name)
        if not self.bucket.upload(source, key):
            self.bucket.remove(key)
            self.bucket.upload(source, key)

    def fetch(self, name: str, target: Path) -> None:
        """Download a file; a download that breaks goes on where it stopped."""
        self.bucket.download(self.bucket.key(name), target)

    def remove(self, name: str) -> None:
        """Remove an object."""
        self.bucket.remove(self.bucket.key(name))


def vault(place: str) -> Vault:
    """Return the vault at a folder's path or an ``s3://`` address.

    Raises:
        ConfigError: it is another kind of address.
    """
    if place.startswith("s3://"):
        return BucketVault(Bucket.at(place))
    if "://" in place:
        raise ConfigError(f"no way to keep a backup at {place}: give a folder or s3://bucket/folder")
    return FolderVault(Path(place).expanduser().absolute())
