from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from pipelines.transcribers.prefetch import parallel_map, prefetch


def test_ahead_gives_all_in_order() -> None:
    with prefetch(range(20), 3) as items:
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

    with prefetch(numbers(), 2) as items:
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

    with prefetch(numbers(), 2) as items:
        assert next(items) == 0
    assert closed.is_set()


def test_ahead_raises_what_the_items_raise() -> None:
    def numbers() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    with prefetch(numbers(), 2) as items:
        assert next(items) == 1
        with pytest.raises(ValueError, match="no more"):
            next(items)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_side_by_side_gives_what_is_made_in_the_order_of_the_items(threads: int) -> None:
    assert list(parallel_map(lambda number: number * 2, range(20), threads)) == list(range(0, 40, 2))


def test_side_by_side_makes_several_at_once() -> None:
    both = threading.Barrier(2)
    assert list(parallel_map(lambda _: both.wait(10) >= 0, range(4), 2)) == [True] * 4


@pytest.mark.parametrize("threads", [1, 2])
def test_side_by_side_takes_no_more_after_something_went_wrong(threads: int) -> None:
    taken: list[int] = []

    def numbers() -> Iterator[int]:
        for i in range(100):
            taken.append(i)
            yield i

    def make(number: int) -> int:
        if number == 3:
            raise ValueError("no more")
        return number

    with pytest.raises(ValueError, match="no more"):
        list(parallel_map(make, numbers(), threads))
    assert len(taken) <= 4 + threads
