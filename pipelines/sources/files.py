"""Files and folders of this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from metadata.captions import SUFFIXES as CAPTIONS
from metadata.timetables import SUFFIXES as TIMETABLES
from pipelines.errors import ConfigError
from pipelines.sources.base import Fetched, Found, Shelf

COMPANIONS = TIMETABLES | CAPTIONS | {".md", ".nfo"}
"""Suffixes of files that lie beside recordings. In a folder they are passed over; named alone, they are refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File(Found):
    """A file: it is where it is, and stays there."""

    path: Path

    @contextmanager
    def fetch(self, shelf: Shelf) -> Iterator[Fetched]:  # noqa: ARG002 one signature for all sources
        """Give the file itself."""
        yield Fetched(self.path)


def find(name: str | Path, shelf: Shelf) -> Iterator[Found]:  # noqa: ARG001 one signature for all sources
    """Yield the file of this name, or those of the folder.

    Raises:
        ConfigError: there is no such file or folder.
    """
    for path in expand(Path(name)):
        with suppress(FileNotFoundError):  # it went meanwhile
            facts = path.stat()
            stamp = facts.st_size, facts.st_mtime_ns
            yield File(place=shown(path), name=shown(path.name), stamp=stamp, bytes=facts.st_size, path=path)


def expand(source: Path) -> Iterator[Path]:
    """Yield the files that a path names, a folder walked in order of name; hidden files are passed over.

    Raises:
        ConfigError: there is no such file or folder.
    """
    path = source.expanduser().absolute()
    if path.is_dir():
        yield from sorted(file for file in path.rglob("*") if file.is_file() and wanted(str(file.relative_to(path))))
    elif path.exists():
        yield path
    else:
        raise ConfigError(f"no file or folder {source}")


def shown(path: Path | str) -> str:
    """Return a path as text; what is not UTF-8 in it, as in names of old disks, stands as its number."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def wanted(name: str) -> bool:
    """Whether a file in a folder, or in a bucket, is taken for a recording by its name alone."""
    parts = Path(name).parts
    return not any(part.startswith(".") for part in parts) and Path(name).suffix.lower() not in COMPANIONS
