"""Many files of captions, read by other processes while this one writes the catalogue.

A process only reads: where it fails, or has something to say of a file, the file is read again by whoever takes it, who
says what is wrong. So nothing is different with it but the time that it takes. Pebble's processes leave Ctrl-C to the
one that writes, and end with it.
"""

from __future__ import annotations

import logging
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from pebble import ProcessPool

from metadata.captions import Source, read_captions
from metadata.model import Transcript
from pipelines.config import cores

Read = Callable[[bytes, Source], Transcript]
"""What turns the bytes of a file into a transcript, as `metadata.captions.read_captions` does."""
MANY = 100
"""Files for which it is worth to start processes, each of which takes about half a second to begin."""
TOGETHER = 16
"""Files that a process is given at once."""
AHEAD = 4
"""How many times as many are given to each process before the first are taken."""
MOST_PROCESSES = 4
"""Processes that read as fast as one writes, and some."""


def reading_ahead(paths: Sequence[Path], source_of: Callable[[Path], Source]) -> Iterator[tuple[Path, Read]]:
    """Yield files in order, each with what reads it.

    Args:
        paths: the files.
        source_of: what is likely to be known of a file when it is read; where more is known then, it is read anew.
    """
    others = min(cores() - 1, MOST_PROCESSES)
    if len(paths) < MANY or others < 1:
        yield from ((path, read_captions) for path in paths)
        return
    wanted = iter([paths[at : at + TOGETHER] for at in range(0, len(paths), TOGETHER)])
    given: deque[tuple[Sequence[Path], list[Source], Future[list[bytes | None]]]] = deque()
    pool: Any = ProcessPool(others, context=multiprocessing.get_context("spawn"))
    with pool:
        try:
            while True:
                for some in islice(wanted, others * AHEAD - len(given)):
                    sources = [source_of(path) for path in some]
                    given.append((some, sources, pool.schedule(_read, args=(some, sources))))
                if not given:
                    break
                some, sources, future = given.popleft()
                for path, source, found in zip(some, sources, _result(future, len(some)), strict=True):
                    yield path, _reads(source, found)
        finally:
            pool.stop()


def _result(future: Future[list[bytes | None]], count: int) -> list[bytes | None]:
    """Return what a process read, or nothing of so many files where it ended."""
    try:
        return future.result()
    except Exception:  # noqa: BLE001 whatever ended the process: this one reads the files, and says what is wrong
        return [None] * count


def _reads(known: Source, found: bytes | None) -> Read:
    def read(data: bytes, source: Source) -> Transcript:
        if found is None or source != known:
            return read_captions(data, source)
        return msgspec.msgpack.decode(found, type=Transcript)

    return read


def _read(paths: Sequence[Path], sources: Sequence[Source]) -> list[bytes | None]:
    return [_transcript(path, source) for path, source in zip(paths, sources, strict=True)]


def _transcript(path: Path, source: Source) -> bytes | None:
    """Return what a file says, as MessagePack; None where something is to be said of it."""
    said = _Said()
    ours = logging.getLogger("metadata")
    ours.addHandler(said)
    ours.propagate = False
    try:
        found = msgspec.msgpack.encode(read_captions(path.read_bytes(), source))
    except Exception:  # noqa: BLE001 whoever takes the file meets the same
        return None
    finally:
        ours.removeHandler(said)
    return None if said.anything else found


class _Said(logging.Handler):
    """Notes whether anything was said."""

    anything = False

    def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002 what was said is said again
        self.anything = True
