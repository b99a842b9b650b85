"""What every source is: a function that lists the files of a place; each file can fetch itself.

To add a source: write a module beside this one with a function ``find(name, shelf)`` that yields `Found`
values of a class of its own, whose `Found.fetch` gives the file, and name it where names are told apart, in
``pipelines/sources/__init__.py``.

``find`` runs in the driver and must be cheap. A file that has not changed must get the same ``stamp`` as before; it is
then not fetched again. ``fetch`` runs in a child process, so `Found` values must pickle. The contents of feeds and
listings are hostile input: `file_name` makes names safe, `plain` makes texts safe, and every request goes through
`pipelines.sources.http`, which checks schemes and addresses.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import time
import unicodedata
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from metadata.model import Session
from pipelines.config import PullSettings as Settings
from pipelines.errors import CaptionsError, ItemError
from pipelines.text import file_name as fitting

Report: TypeAlias = Callable[[float], None]


def ignore_progress(_bytes: float) -> None:
    """Ignore the progress."""


Stamp: TypeAlias = tuple[Any, ...]
"""Values that change when the file changes. They can be written as JSON."""


KEPT_SECONDS = 86_400
"""How long a partial download is kept after it was given up, in seconds: ``rostra retry`` continues it."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """What listing and fetching have to go by.

    Attributes:
        folder: on this machine, kept between runs: for what is half fetched, and for what feeds last said.
        settings: the limits of ``rostra.toml``.
        report: told now and then how many bytes of a file are here.
    """

    folder: Path
    settings: Settings
    report: Report = ignore_progress

    def clear(self, names: set[str]) -> None:
        """Remove what is half fetched under names, unless somebody may still want to go on with it."""
        for path in self.folder.glob("*") if names else ():
            given_up = path.name.partition(".")[0] in names and ".feed" not in path.suffixes
            if given_up and time.time() - path.stat().st_mtime > KEPT_SECONDS:
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file on this machine.

    Attributes:
        companions: what its place gave with it: captions, and everything that it knows of the file.
        remark: what of that could not be had, and why.
    """

    path: Path
    companions: tuple[Path, ...] = ()
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class CaptionFiles:
    """Captions on this machine of a recording that stays where it is.

    Attributes:
        address: that plays the recording.
        companions: the captions, and everything that its place knows of it.
        remark: what of that could not be had, and why.
    """

    address: str
    companions: tuple[Path, ...] = ()
    remark: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One file that a source holds.

    Attributes:
        place: what the catalogue calls where it is: an absolute path or an address, the same every time.
        name: what the file is called, for matching it to a session.
        stamp: changes when the file does.
        bytes: its size, where the source says it.
        about: what the source says of the session that it is a recording of.
        licence: the address of the file's licence, or its name.
    """

    place: str
    name: str
    stamp: Stamp
    bytes: int | None = None
    about: Session | None = None
    licence: str | None = None

    @property
    def shelf_name(self) -> str:
        """The name of its files on the shelf, without suffixes."""
        return shelf_name(self.place)

    @property
    def failed(self) -> bool:
        """Whether it stands for a place that could not be listed and has to be tried again in the next run."""
        return False

    @property
    def empty(self) -> bool:
        """Whether it only says that a place can be listed again; there is nothing to fetch."""
        return False

    def fetch(self, shelf: Shelf) -> AbstractContextManager[Fetched]:
        """Fetch the file. It is on this machine until the block ends.

        Raises:
            ItemError: it cannot be had.
        """
        raise NotImplementedError

    def fetch_captions(self, shelf: Shelf) -> AbstractContextManager[CaptionFiles]:  # noqa: ARG002 one signature
        """Fetch the file's captions and what its place says of it. They are on this machine until the block ends.

        Raises:
            ItemError: they cannot be fetched, or not without the file.
        """
        raise CaptionsError("its place gives no captions by themselves; those of files: rostra caption FOLDER")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable(Found):
    """A place that could not be listed. Its item reports the error; the other places go on."""

    error: ItemError

    @property
    def failed(self) -> bool:
        """It is."""
        return True

    def fetch(self, shelf: Shelf) -> NoReturn:  # noqa: ARG002 one signature for all sources
        """Raise the error."""
        raise self.error


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable(Found):
    """A file that its place offers as a recording, but that is not one; its item says why."""

    error: ItemError

    def fetch(self, shelf: Shelf) -> NoReturn:  # noqa: ARG002 one signature for all sources
        """Raise the reason."""
        raise self.error


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached(Found):
    """A place that can be listed again, so that its item no longer counts as failed."""

    @property
    def empty(self) -> bool:
        """It is."""
        return True


def shelf_name(place: str) -> str:
    """Return a name for files on the shelf that no other place has."""
    return hashlib.sha256(place.encode()).hexdigest()[:32]


def file_name(text: str, fallback: str = "recording") -> str:
    """Make a file name of a stranger's text: no folders, no control characters, at most 150 characters.

    In bytes it is no longer than file systems allow.
    """
    last = re.split(r"[/\\]", plain(text))[-1].strip(". ")
    stem, dot, suffix = last.rpartition(".")
    if dot and len(suffix) <= 8:
        return fitting(stem[:140] or fallback, f".{suffix}")
    return fitting(last[:150]) or fallback


def plain(text: str, limit: int = 20_000) -> str:
    """Return a stranger's text without control characters, in NFC, cut at a limit."""
    kept = "".join(char for char in text[:limit] if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cs"})
    return unicodedata.normalize("NFC", kept).strip()
