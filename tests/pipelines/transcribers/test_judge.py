from __future__ import annotations

import pytest

from metadata.model import Flag
from pipelines.transcribers.judge import judge, judge_all
from pipelines.transcribers.sentences import HeardWord


def said(
    text: str,
    *,
    confidence: float = 0.9,
    speech: float = 0.95,
    no_speech: float = 0.05,
    foreign: float = 0.0,
    range_db: float = 30.0,
    start_ms: int = 0,
    word_ms: int = 300,
) -> list[HeardWord]:
    return [
        HeardWord(
            start_ms=start_ms + i * word_ms,
            end_ms=start_ms + (i + 1) * word_ms,
            text=f" {part}",
            confidence=confidence,
            speech=speech,
            no_speech=no_speech,
            foreign=foreign,
            range_db=range_db,
        )
        for i, part in enumerate(text.split())
    ]


@pytest.mark.parametrize(
    ("words", "flags"),
    [
        (said("And so, my fellow Americans, ask not what your country can do for you."), ()),
        (said("No, no, no, no, I would not say that."), ()),
        (said("It is clear and it was said.", no_speech=0.9), ()),
        (said("Thank you."), ()),
        (said("we will, " * 5), (Flag.REPETITIVE,)),
        (said("the end of the world and the end of the road and " * 9), (Flag.REPETITIVE,)),
        (said("the sea the sea shall sing", confidence=0.3), (Flag.LOW_CONFIDENCE,)),
        (said("a sentence over music", speech=0.1), (Flag.NO_SPEECH,)),
        (said("a sentence over music", confidence=0.5, no_speech=0.8), (Flag.LOW_CONFIDENCE, Flag.NO_SPEECH)),
        (said("far too many words in no time at all", word_ms=50), (Flag.TOO_FAST,)),
        (said("Geh aus mein Herz und suche Freud", foreign=0.97), ()),
        (
            said("Guy house mine hearts and soup", confidence=0.5, foreign=0.97),
            (Flag.LOW_CONFIDENCE, Flag.WRONG_LANGUAGE),
        ),
        (said("half of this was guessed by the model", confidence=0.59), (Flag.LOW_CONFIDENCE,)),
        (said("most of this was heard by the model", confidence=0.61), ()),
        (said("thank you very much " * 3, confidence=0.8), ()),
        (said("thank you very much " * 3, confidence=0.8, range_db=9), (Flag.REPETITIVE,)),
        (said("Thanks for watching!", no_speech=0.8), (Flag.STOCK_PHRASE,)),
        (
            said("Thanks for watching!", confidence=0.3, speech=0.1),
            (Flag.LOW_CONFIDENCE, Flag.NO_SPEECH, Flag.STOCK_PHRASE),
        ),
    ],
)
def test_judge(words: list[HeardWord], flags: tuple[Flag, ...]) -> None:
    assert judge(words) == flags


def test_judge_all_doubts_a_sentence_that_returns_and_returns() -> None:
    once, again = said("Good evening everyone."), said("This is the news.")
    assert judge_all([once, again, again, again, again, once]) == [
        (),
        (),
        (Flag.REPETITIVE,),
        (Flag.REPETITIVE,),
        (Flag.REPETITIVE,),
        (),
    ]


def test_judge_all_lets_people_agree() -> None:
    assert judge_all([said("Yes.")] * 4) == [()] * 4


def test_judge_all_doubts_a_guess_among_guesses() -> None:
    guess = said("it was not heard what they say in there", confidence=0.4)
    clear = said("one voice in the crowd", confidence=0.65, start_ms=3_000)
    alone = said("one voice in the crowd", confidence=0.65, start_ms=60_000)
    certain = said("one voice in the crowd", confidence=0.9, start_ms=5_000)
    doubts = (Flag.LOW_CONFIDENCE,)
    assert judge_all([guess, clear, certain, alone]) == [doubts, doubts, (), ()]
    assert judge_all([clear, certain, alone]) == [(), (), ()]


def test_judge_all_doubts_the_ends_of_a_loop() -> None:
    before, loop = said("Good evening everyone."), said("and for the first time in the past " * 5)
    rest = said("and for the first time in the first time in", confidence=0.96)
    assert judge_all([before, loop, rest]) == [(), (Flag.REPETITIVE,), (Flag.REPETITIVE,)]
    assert judge_all([rest, loop, before]) == [(Flag.REPETITIVE,), (Flag.REPETITIVE,), ()]
