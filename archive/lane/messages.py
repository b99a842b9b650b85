"""The messages between the site and the processes of the lane."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Mapping, Sequence
from typing import IO, Any, NamedTuple


class Request(NamedTuple):
    """A statement with its database file, values, time limit in seconds, and maximum number of rows (None for all)."""

    path: str
    sql: str
    values: Mapping[str, Any] | Sequence[Any]
    seconds: float
    most: int | None


class Reply(NamedTuple):
    """The answer: columns and rows, or the name and the text of an SQLite error."""

    columns: tuple[str, ...] = ()
    rows: Sequence[tuple[Any, ...]] = ()
    truncated: bool = False
    error: str = ""
    text: str = ""


def receive(source: IO[bytes]) -> Any:
    """Return the next message, or None at the end of the stream."""
    head = source.read(4)
    if len(head) < 4:
        return None
    (length,) = struct.unpack("!I", head)
    body = source.read(length)
    # Pickle is safe here: only this site's own processes write to these pipes.
    return pickle.loads(body) if len(body) == length else None  # noqa: S301


def send(sink: IO[bytes], message: Any) -> None:
    """Write a message."""
    body = pickle.dumps(message)
    sink.write(struct.pack("!I", len(body)) + body)
    sink.flush()
