"""Making things in other threads: while those before are used, and several at once."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Full, Queue
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class _End:
    """Follows the last item, with what went wrong."""

    error: BaseException | None = None


@contextmanager
def prefetch(items: Iterable[Item], limit: int) -> Iterator[Iterator[Item]]:
    """Give an iterator over items that a thread makes, at most so many before they are asked for.

    What the items raise is raised where they are asked for. At the end of the block the thread is over, and a
    generator of items is closed.
    """
    queue: Queue[Item | _End] = Queue(limit)
    enough = threading.Event()
    thread = threading.Thread(target=_fill, args=(queue, items, enough), daemon=True)
    thread.start()
    try:
        yield _taken(queue)
    finally:
        enough.set()
        thread.join()


def _fill(queue: Queue[Item | _End], items: Iterable[Item], enough: threading.Event) -> None:
    end = _End()
    iterator = iter(items)
    try:
        for item in iterator:
            if not _put(queue, item, enough):
                break
    except BaseException as error:  # noqa: BLE001 it is raised in the thread that asks
        end = _End(error)
    finally:
        _close(iterator)
    _put(queue, end, enough)


def _put(queue: Queue[Item | _End], item: Item | _End, enough: threading.Event) -> bool:
    """Tell whether the item was put before there was enough."""
    while not enough.is_set():
        try:
            queue.put(item, timeout=0.1)
        except Full:
            continue
        return True
    return False


def _taken(queue: Queue[Item | _End]) -> Iterator[Item]:
    while not isinstance(item := queue.get(), _End):
        yield item
    if item.error is not None:
        raise item.error


def parallel_map(make: Callable[[Item], Made], items: Iterable[Item], threads: int) -> Iterator[Made]:
    """Yield what is made of each item, in their order, by so many threads at once.

    No more items are taken than threads have work for. With one thread, it is the caller's own. When nobody asks on,
    a generator of items is closed.
    """
    try:
        if threads == 1:
            yield from map(make, items)
        else:
            yield from _made(make, items, threads)
    finally:
        _close(items)


def _made(make: Callable[[Item], Made], items: Iterable[Item], threads: int) -> Iterator[Made]:
    begun: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                begun.append(pool.submit(make, item))
                if len(begun) == threads:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            for future in begun:
                future.cancel()


def _close(items: object) -> None:
    close = getattr(items, "close", None)
    if callable(close):
        close()
