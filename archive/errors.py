"""What can go wrong in the catalogue, its search, and what is published from it.

::

    ArchiveError
    ├── CatalogueMissingError    there is no catalogue here
    ├── CatalogueVersionError    a newer Rostra wrote it
    ├── CatalogueBusyError       another program holds it
    ├── CatalogueDamagedError    SQLite says that the file is broken
    ├── CatalogueFullError       there is no room left on the disk
    ├── CatalogueConflictError   a row would break the catalogue's own rules
    ├── UnknownSubjectError      no such event, session or recording
    ├── AmbiguousSubjectError    several have the name
    ├── AddressTakenError        another has the address, or once had it
    ├── ExtractError             rows of a part of a catalogue break a rule
    ├── UnpublishedError         nothing has been published yet
    ├── NotListeningError        the site cannot listen at an address
    ├── NotStartedError          no process of the site could start
    ├── NotCarriedOverError      the last publication is no basis for the next
    └── MissingExtraError        what was asked for needs an extra that is not installed

Errors of SQLite pass through `map_sqlite_error` alone; a test demands that every one of them is mapped.
"""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

from archive.sqlite import sqlite3

P = ParamSpec("P")
T = TypeVar("T")


class ArchiveError(Exception):
    """Base of every error that this package raises."""


class CatalogueMissingError(ArchiveError):
    """There is no catalogue at this path.

    Attributes:
        path: where it was looked for.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(f"no archive at {path.parent}: make one: rostra init {shlex.quote(str(path.parent))}")
        self.path = path


class CatalogueVersionError(ArchiveError):
    """The catalogue carries migrations that this version of Rostra does not know.

    Attributes:
        unknown: their names.
    """

    def __init__(self, path: Path, unknown: tuple[str, ...]) -> None:
        super().__init__(f"{path} was written by a newer Rostra ({', '.join(unknown)}): upgrade with pip")
        self.path = path
        self.unknown = unknown


class CatalogueBusyError(ArchiveError):
    """Another program holds the catalogue for writing."""


class CatalogueDamagedError(ArchiveError):
    """SQLite cannot read the file as a database."""


class CatalogueFullError(ArchiveError):
    """The disk is full, or the file may not be written."""


class CatalogueConflictError(ArchiveError):
    """A row would break a rule of the schema: a duplicate, a missing parent, a value that is not allowed."""


_LISTS = {
    "announcement": "rostra announce EVENT",
    "moment": "rostra search",
    "portrait": "rostra portrait",
    "redaction": "rostra redact SESSION --list",
    "voice": "rostra speakers SESSION",
    "voice or person": "rostra speakers SESSION",
}
"""The command that lists what is of a kind, where it is not ``rostra status --all``."""


class UnknownSubjectError(ArchiveError):
    """Nothing of a kind goes by this name.

    Attributes:
        kind: ``event``, ``session``, ``recording``, ``person`` and so on.
        name: as it was given.
    """

    def __init__(self, kind: str, name: str) -> None:
        lists = _LISTS.get(kind, "rostra status --all")
        super().__init__(f"no {kind} {name!r} in this archive: '{lists}' lists what there is")
        self.kind = kind
        self.name = name


class AddressTakenError(ArchiveError):
    """An address is another's, or once was: links to it lead there.

    Attributes:
        slug: the one that was asked for.
        owner: the slug of what has it, or once had it.
    """

    def __init__(self, slug: str, owner: str) -> None:
        had = "is taken" if slug == owner else f"was once that of {owner!r}, and links still lead there"
        super().__init__(f"the address {slug!r} {had}: choose another slug")
        self.slug = slug
        self.owner = owner


class AmbiguousSubjectError(ArchiveError):
    """Several things go by this name.

    Attributes:
        name: as it was given.
        meant: what it may mean.
    """

    def __init__(self, name: str, meant: Sequence[str]) -> None:
        super().__init__(f"{name!r} may mean {', or '.join(meant)}: write EVENT/SESSION for a session")
        self.name = name
        self.meant = tuple(meant)


class ExtractError(ArchiveError):
    """The rows of a part of a catalogue, written by somebody else, break a rule."""


class UnpublishedError(ArchiveError):
    """There is no published database in this folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"nothing is published in {folder} yet: run 'rostra run' or 'rostra publish'")
        self.folder = folder


class NotListeningError(ArchiveError):
    """The site cannot listen at this address.

    Attributes:
        host: of the address.
        port: of the address.
    """

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"{host}, port {port}, cannot be listened at ({reason}): choose another --port or --host")
        self.host, self.port = host, port


class NotStartedError(ArchiveError):
    """No process of the site could start."""

    def __init__(self) -> None:
        super().__init__("the site could not start: what is printed above says why")


class NotCarriedOverError(ArchiveError):
    """A publication cannot be made of the last one, and is built anew; the text says why."""


class MissingExtraError(ArchiveError):
    """What was asked for needs an extra that is not installed.

    Attributes:
        extra: its name.
    """

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs an extra that is not installed: pip install 'rostra[{extra}]'")
        self.extra = extra


def map_sqlite_error(error: sqlite3.Error) -> ArchiveError:
    """Return the error of ours that stands for one of SQLite's, by its primary result code.

    Source: https://sqlite.org/rescode.html, primary codes.
    """
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    text = str(error)
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return CatalogueBusyError("the catalogue is in use by another program: try again when it has finished")
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}:
        return CatalogueDamagedError(f"the database is damaged ({text}): restore it from a backup")
    if code in {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
    }:
        return CatalogueFullError(f"the database cannot be written ({text}): check free space and permissions")
    if code in {sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG}:
        return CatalogueConflictError(f"the catalogue refused a row: {text}")
    return ArchiveError(f"SQLite: {text}")


class _Raised(threading.local):
    """What ended a function that SQLite called, until the statement has ended as well."""

    error: BaseException | None = None


_raised = _Raised()
_FUNCTION_RAISED = "user-defined function raised exception"


def called_by_sqlite(function: Callable[P, T]) -> Callable[P, T]:
    """Return a function for SQL whose exceptions come out of `sqlite_errors`: SQLite says only that there was one.

    Ctrl-C is one of them: it must end a command, and not count as an error of the row that was written just then.
    """

    def called(*args: P.args, **named: P.kwargs) -> T:
        try:
            return function(*args, **named)
        except BaseException as error:
            _raised.error = error
            raise

    return called


@contextmanager
def sqlite_errors() -> Iterator[None]:
    """Translate SQLite's errors into ours."""
    try:
        yield
    except sqlite3.Error as error:
        raised, _raised.error = _raised.error, None
        if raised is None and str(error) == _FUNCTION_RAISED:
            raised = KeyboardInterrupt()  # it came just before the function could keep it
        raise raised or map_sqlite_error(error) from error
