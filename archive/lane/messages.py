"""What the site and the processes of the lane say to each other."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Mapping, Sequence
from typing import IO, Any, NamedTuple


class Request(NamedTuple):
    """A statement: on which file, with which values, for how long, and how many rows at most (None: all)."""

    path: str
    sql: str
    values: Mapping[str, Any] | Sequence[Any]
    seconds: float
    most: int | None


class Reply(NamedTuple):
    """What comes back: rows and their columns, or the name of an error of SQLite's and its text."""

    columns: tuple[str, ...] = ()
    rows: Sequence[tuple[Any, ...]] = ()
    truncated: bool = False
    error: str = ""
    text: str = ""


def receive(source: IO[bytes]) -> Any:
    """Return the next message, None after the last one."""
    head = source.read(4)
    if len(head) < 4:
        return None
    (length,) = struct.unpack("!I", head)
    body = source.read(length)
    # Between this site's own processes: nobody else writes to their pipes.
    return pickle.loads(body) if len(body) == length else None  # noqa: S301


def send(sink: IO[bytes], message: Any) -> None:
    """Write a message."""
    body = pickle.dumps(message)
    sink.write(struct.pack("!I", len(body)) + body)
    sink.flush()
