"""Files and folders of this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from metadata.captions import SUFFIXES as CAPTIONS
from metadata.timetables import SUFFIXES as TIMETABLES
from pipelines.errors import ConfigError, LeadsOutError, OwnFilesError
from pipelines.sources.base import Fetched, Found, Shelf, Unusable
from pipelines.storage.own import keeper, kept_in

COMPANIONS = TIMETABLES | CAPTIONS | {".md", ".nfo"}
"""Suffixes of files that may lie beside recordings. In a folder they are passed over; named alone, they are refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFile(Found):
    """A file of this machine. It is read where it is."""

    path: Path

    @contextmanager
    def fetch(self, shelf: Shelf) -> Iterator[Fetched]:  # noqa: ARG002 one signature for all sources
        """Return the file itself."""
        yield Fetched(self.path)


def find(name: str | Path, shelf: Shelf) -> Iterator[Found]:  # noqa: ARG001 one signature for all sources
    """Yield a file, or the files of a folder. One item says that Rostra's own files there were passed over.

    Raises:
        ConfigError: there is no such file or folder.
    """
    listing = look_through(Path(name))
    for path in listing.files:
        with suppress(FileNotFoundError):  # it was removed meanwhile
            facts = path.stat()
            stamp = facts.st_size, facts.st_mtime_ns
            yield LocalFile(place=shown(path), name=shown(path.name), stamp=stamp, bytes=facts.st_size, path=path)
    for path in listing.outside:
        yield Unusable(place=shown(path), name=shown(path.name), stamp=("outside",), error=LeadsOutError())
    for path in listing.own:
        yield Unusable(place=shown(path), name=shown(path.name), stamp=("own",), error=OwnFilesError())


class FolderListing(NamedTuple):
    """What a path names: files that may be recordings, the paths of Rostra's own files, and links that lead out."""

    files: list[Path]
    own: list[Path]
    outside: tuple[Path, ...] = ()


def look_through(source: Path) -> FolderListing:
    """Return the files that a path names. A folder is walked in order of name, without hidden files.

    The files of an archive or a publication are passed over too (see `pipelines.storage.own`), and so are symbolic
    links that lead out of a folder: who fills a folder for others to pull is not to choose any file of this machine.

    Raises:
        ConfigError: there is no such file or folder.
    """
    path = source.expanduser().absolute()
    if not path.exists():
        raise ConfigError(f"no file or folder {source}")
    if keeper(path):
        return FolderListing([], [path])
    return _walk(path) if path.is_dir() else FolderListing([path], [])


def expand(source: Path) -> list[Path]:
    """Return the files that a path names, as `look_through` finds them.

    Raises:
        ConfigError: there is no such file or folder.
    """
    return look_through(source).files


def _walk(folder: Path) -> FolderListing:
    files, own, outside = [], [], []
    for place, folders, names in os.walk(folder):
        here = Path(place)
        if kept := kept_in(here):
            own.append(here)
        folders[:] = [name for name in folders if name not in kept and not name.startswith(".")]
        for path in (here / name for name in names if name not in kept and wanted(name)):
            if path.is_symlink() and keeper(path):
                own.append(path)
            elif leads_out(path, folder):
                outside.append(path)
            elif path.is_file():
                files.append(path)
    return FolderListing(sorted(files), sorted(own), tuple(sorted(outside)))


def leads_out(path: Path, folder: Path) -> bool:
    """Return whether a path in a folder is a symbolic link to something that is there and lies elsewhere."""
    return path.is_symlink() and path.exists() and not path.resolve().is_relative_to(folder.resolve())


def shown(path: Path | str) -> str:
    """Return a path as text. Bytes that are not UTF-8, as in names on old disks, are shown as their numbers."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def wanted(name: str) -> bool:
    """Whether a file in a folder or bucket may be a recording, judged by its name alone."""
    parts = Path(name).parts
    return not any(part.startswith(".") for part in parts) and Path(name).suffix.lower() not in COMPANIONS
