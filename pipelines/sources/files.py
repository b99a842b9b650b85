"""Files and folders of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import ConfigError
from pipelines.sources.base import Fetched, Found, Shelf

COMPANIONS = frozenset(
    {".vtt", ".srt", ".sbv", ".ttml", ".json", ".xml", ".yaml", ".yml", ".md", ".nfo", ".csv", ".ics", ".rss"}
)
"""What lies beside recordings in a folder and is passed over there; named by itself, it is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File(Found):
    """A file: it is where it is, and stays there."""

    @contextmanager
    def fetch(self, shelf: Shelf) -> Iterator[Fetched]:  # noqa: ARG002 one signature for all sources
        """Give the file itself."""
        yield Fetched(Path(self.place))


def find(name: str | Path, shelf: Shelf) -> Iterator[Found]:  # noqa: ARG001 one signature for all sources
    """Yield the file of this name, or those of the folder.

    Raises:
        ConfigError: there is no such file or folder.
    """
    for path in expand(Path(name)):
        facts = path.stat()
        yield File(place=str(path), name=path.name, stamp=(facts.st_size, facts.st_mtime_ns), bytes=facts.st_size)


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


def wanted(name: str) -> bool:
    """Whether a file in a folder, or in a bucket, is taken for a recording by its name alone."""
    parts = Path(name).parts
    return not any(part.startswith(".") for part in parts) and Path(name).suffix.lower() not in COMPANIONS
