from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from pipelines.transcribers.ahead import ahead


def test_ahead_gives_all_in_order() -> None:
    with ahead(range(20), 3) as items:
        assert list(items) == list(range(20))


def test_ahead_makes_no_more_than_asked_for() -> None:
    made: list[int] = []
    third = threading.Event()

    def numbers() -> Iterator[int]:
        for i in range(100):
            made.append(i)
            if i == 2:
                third.set()
            yield i

    with ahead(numbers(), 2) as items:
        assert third.wait(10)
        assert next(items) == 0
    assert len(made) <= 5


def test_ahead_closes_what_is_left_in_the_middle() -> None:
    closed = threading.Event()

    def numbers() -> Iterator[int]:
        try:
            yield from range(100)
        finally:
            closed.set()

    with ahead(numbers(), 2) as items:
        assert next(items) == 0
    assert closed.is_set()


def test_ahead_raises_what_the_items_raise() -> None:
    def numbers() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    with ahead(numbers(), 2) as items:
        assert next(items) == 1
        with pytest.raises(ValueError, match="no more"):
            next(items)
