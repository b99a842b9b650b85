"""Questions that were written from known moments are answered: a part of `tests.bench.questions`, with floors."""

import pytest

from archive.index.encoder import installed_encoder
from tests.bench.questions import embed, judge, read_questions, rostra
from tests.bench.talks import Talk, catalogue, read_talks
from tests.corpus import CORPUS

FLOORS = {"typed": (0.75, 0.95), "keywords": (0.9, 1.0), "typo": (0.85, 0.95), "paraphrase": (0.0, 0.1)}
"""Of each kind, the least success@1 and @5."""
EACH = 3
"""Every third question is asked."""
BY_MEANING = {"paraphrase": (0.3, 0.8), "cross-language": (0.7, 0.85)}
"""The same with vectors, among `SHORTEST` talks."""
SHORTEST = 8
"""Talks that have vectors: the shortest of those that answer a question. All talks would take a minute."""


def test_there_are_questions_of_every_kind() -> None:
    questions = read_questions()
    assert len(questions) >= 150
    assert len({question.query for question in questions}) == len(questions)
    assert {question.language for question in questions} == {"en", "de", "es", "fr", "pt", "ru"}
    assert all(question.start < question.end for question in questions)


@pytest.fixture(scope="module")
def talks() -> list[Talk]:
    return list(read_talks())


@pytest.mark.skipif(not CORPUS.is_dir(), reason="no talks: set ROSTRA_TEST_DATA")
def test_questions_are_answered(talks: list[Talk]) -> None:
    asked = [question for question in read_questions() if question.kind in FLOORS][::EACH]
    figures = judge(rostra(catalogue(talks)), asked)
    found = {kind: (each["success@1"], each["success@5"]) for kind, each in figures.items()}
    worse = {kind: each for kind, each in found.items() if each[0] < FLOORS[kind][0] or each[1] < FLOORS[kind][1]}
    assert (worse, [each["empty"] for each in figures.values()]) == ({}, [0.0] * len(FLOORS))


@pytest.mark.skipif(not CORPUS.is_dir(), reason="no talks: set ROSTRA_TEST_DATA")
@pytest.mark.skipif(installed_encoder() is None, reason="needs rostra[meaning]")
def test_questions_in_other_words_are_answered_by_meaning(talks: list[Talk]) -> None:
    questions = [question for question in read_questions() if question.kind in BY_MEANING]
    answering = {question.session for question in questions}
    answers = [talk for talk in talks if talk.slug in answering]
    answers.sort(key=lambda talk: (sum(len(each.text) for each in talk.segments), talk.slug))
    chosen = {talk.slug for talk in answers[:SHORTEST]}
    asked = [question for question in questions if question.session in chosen]
    db, encoder = catalogue(answers[:SHORTEST]), installed_encoder()
    assert encoder
    by_words = judge(rostra(db), asked)
    embed(db, encoder)
    figures = judge(rostra(db, encoder), asked)
    found = {kind: (each["success@1"], each["success@5"]) for kind, each in figures.items()}
    worse = {
        kind: each for kind, each in found.items() if each[0] < BY_MEANING[kind][0] or each[1] < BY_MEANING[kind][1]
    }
    assert (worse, sorted(found)) == ({}, sorted(BY_MEANING))
    assert figures["cross-language"]["success@1"] >= by_words["cross-language"]["success@1"] + 0.3
