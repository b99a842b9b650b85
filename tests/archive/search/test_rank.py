import time

import numpy as np
import pytest

from archive.connection import transaction
from archive.index.passages import rebuild
from archive.search.budget import CLOCK
from archive.search.moments import REACH, Dense, Moment, Stretch
from archive.search.query import Phrase, Word
from archive.search.rank import FORMS, FUSED, PARTIAL, TYPED, Scores, ranks
from archive.search.session_table import Overview
from archive.sqlite import Database
from tests.archive.build import add_event, add_session, blank


def four() -> Overview:
    """Return an overview of four sessions, the first of which is the latest."""
    db: Database = blank()
    event = add_event(db)
    for number in range(4):
        add_session(db, event, f"s{number}", start_at=f"202{4 - number}-01-01", start_utc=f"202{4 - number}-01-01")
    with transaction(db):
        rebuild(db)
    return Overview.read(db.conn)


@pytest.fixture
def scores() -> Scores:
    scores = Scores(four())
    scores.raise_to(PARTIAL, np.array([0]), 9.0)
    scores.raise_to(FORMS, np.array([1]), 5.0)
    scores.raise_to(TYPED, np.array([2, 3]), np.array([1.0, 2.0]))
    return scores


def test_sessions_are_ordered_by_tier_then_by_relevance(scores: Scores) -> None:
    assert scores.best("relevance").tolist() == [3, 2, 1, 0]
    assert scores.exact.tolist() == [False, True, True, True]
    assert [scores.total(place).at(1) for place in (3, 1, 0)] == [2 + 2 / 3, 1 + 5 / 6, 0.9]


def test_by_date_what_has_all_words_comes_first_too(scores: Scores) -> None:
    assert scores.best("date").tolist() == [1, 2, 3, 0]


def test_what_is_left_out_does_not_match(scores: Scores) -> None:
    scores.leave_out(np.array([2, 1]))
    assert scores.best("relevance").tolist() == [3, 0]


def test_two_rankings_are_fused_by_rank(scores: Scores) -> None:
    scores.fuse(np.array([0.0, 1.0, 9.0, 0.5]))
    assert scores.relevance.tolist() == [
        9.0, 1 / (FUSED + 2) + 1 / (FUSED + 1), 1 / (FUSED + 1) + 1 / FUSED, 1 / FUSED + 1 / (FUSED + 2),
    ]  # fmt: skip
    assert scores.best("relevance").tolist() == [2, 3, 1, 0]


def test_what_is_equal_has_the_same_rank() -> None:
    assert ranks(np.array([1.0, 3.0, 3.0, 0.0])).tolist() == [1, 0, 0, 2]
    assert ranks(np.array([])).tolist() == []


@pytest.mark.parametrize(
    ("lines", "weights", "expected"),
    [
        (["a b", "c"], {Word("z"): 1.0}, None),
        (["a x b", "c"], {Word("a"): 1.0, Word("b"): 2.0}, Dense(3.0, Moment((7, 0), (0,), 0, (2, 2)))),
        # The shortest of those that count alike; a term counts once.
        (["a x x b", "x a b a"], {Word("a"): 1.0, Word("b"): 2.0}, Dense(3.0, Moment((7, 1), (1,), 10, (2, 3)))),
        # What counts more, though it is longer.
        (
            ["a b", "x", "a c b"],
            {Word("a"): 1.0, Word("b"): 1.0, Word("c"): 0.5},
            Dense(2.5, Moment((7, 2), (2,), 6, (3, 3))),
        ),
        # Too far apart.
        (
            ["a", "x " * REACH, "b"],
            {Word("a"): 1.0, Word("b"): 2.0},
            Dense(2.0, Moment((7, 2), (2,), 2 * REACH + 2, (1, 1))),
        ),
        # A phrase that is longer than that is one term still.
        (["x " * REACH + "y"], {Phrase(("x",) * 200): 1.0}, Dense(1.0, Moment((7, 0), (0,), 0, (1, 51)))),
    ],
)
def test_the_densest_moment(lines: list[str], weights: dict[Word, float], expected: Dense | None) -> None:
    stretch = Stretch(7, range(len(lines)), [line.strip() for line in lines])
    assert stretch.densest(weights) == expected


def test_a_search_is_given_computing_time() -> None:
    assert CLOCK is time.thread_time
