"""Questions that were written from known moments are answered: a part of `tests.bench.questions`, with floors."""

import pytest

from tests.bench.questions import judge, read_questions, rostra
from tests.bench.talks import catalogue, read_talks
from tests.corpus import CORPUS

FLOORS = {"typed": (0.75, 0.95), "keywords": (0.9, 1.0), "typo": (0.85, 0.95), "paraphrase": (0.0, 0.1)}
"""Of each kind, the least success@1 and @5."""
EACH = 3
"""Every third question is asked."""


def test_there_are_questions_of_every_kind() -> None:
    questions = read_questions()
    assert len(questions) >= 150
    assert len({question.query for question in questions}) == len(questions)
    assert {question.language for question in questions} == {"en", "de", "es", "fr", "pt", "ru"}
    assert all(question.start < question.end for question in questions)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="no talks: set ROSTRA_TEST_DATA")
def test_questions_are_answered() -> None:
    asked = [question for question in read_questions() if question.kind in FLOORS][::EACH]
    figures = judge(rostra(catalogue(read_talks())), asked)
    found = {kind: (each["success@1"], each["success@5"]) for kind, each in figures.items()}
    worse = {kind: each for kind, each in found.items() if each[0] < FLOORS[kind][0] or each[1] < FLOORS[kind][1]}
    assert (worse, [each["empty"] for each in figures.values()]) == ({}, [0.0] * len(FLOORS))
