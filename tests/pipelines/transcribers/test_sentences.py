from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from metadata.model import Flag, Segment, Word
from pipelines.transcribers.sentences import (
    LONGEST_MS,
    LONGEST_TEXT,
    SHORTEST_MS,
    HeardWord,
    in_order,
    segment,
    sentences,
    text_of,
)


def said(text: str, *, start_ms: int = 0, word_ms: int = 300) -> list[HeardWord]:
    return [
        HeardWord(start_ms=start_ms + i * word_ms, end_ms=start_ms + (i + 1) * word_ms, text=f" {part}", confidence=0.9)
        for i, part in enumerate(text.split())
    ]


def texts(words: list[HeardWord]) -> list[str]:
    return [text_of(group) for group in sentences(words)]


def test_sentences_end_at_full_stops() -> None:
    words = said('He said "No." Dr. Gray left on 21. July. Why? Because.')
    assert texts(words) == ['He said "No."', "Dr. Gray left on 21. July.", "Why?", "Because."]


def test_sentences_end_at_pauses() -> None:
    assert texts(said("and then") + said("it stopped", start_ms=2_200)) == ["and then", "it stopped"]


def test_sentences_without_spaces() -> None:
    words = [
        HeardWord(start_ms=i * 100, end_ms=i * 100 + 100, text=part, confidence=0.9)
        for i, part in enumerate(["你", "好", "。", "再見", "。"])
    ]
    assert texts(words) == ["你好。", "再見。"]


def test_sentences_without_end_are_cut_at_commas() -> None:
    words = said("word " * 24 + "comma, " + "word " * 30)
    assert texts(words) == [("word " * 24 + "comma,"), ("word " * 30).strip()]


def test_sentences_end_where_the_language_changes() -> None:
    words = said("he said guten Tag")
    german = [*words[:2], *(replace(word, language="de") for word in words[2:])]
    assert texts(german) == ["he said", "guten Tag"]


def test_segment_keeps_the_times_of_its_words() -> None:
    words = [replace(word, language="en") for word in said("Good morning.", start_ms=1_000)]
    assert segment(words, (Flag.TOO_FAST,)) == Segment(
        start_ms=1_000,
        end_ms=1_600,
        text="Good morning.",
        confidence=0.9,
        flags=(Flag.TOO_FAST,),
        language="en",
        words=(
            Word(start_ms=1_000, end_ms=1_300, text="Good", confidence=0.9),
            Word(start_ms=1_300, end_ms=1_600, text="morning.", confidence=0.9),
        ),
    )


def test_one_bad_last_word_changes_no_other_time() -> None:
    words = said("It ended at noon.")
    bad = HeardWord(start_ms=1_200, end_ms=9_000_000, text=" Amen.", confidence=0.1)
    assert in_order([*words, bad])[:-1] == words
    early = HeardWord(start_ms=0, end_ms=10, text=" Amen.", confidence=0.1)
    assert [word.start_ms for word in in_order([*words, early])] == [0, 300, 600, 900, 920]


times = st.integers(min_value=0, max_value=120_000)
heard_words = st.lists(
    st.builds(
        lambda text, times: HeardWord(start_ms=min(times), end_ms=max(times), text=f" {text}", confidence=0.5),
        st.text(alphabet="ab.,?", min_size=1, max_size=12),
        st.tuples(times, times),
    ),
    max_size=80,
)


@given(heard_words)
def test_sentences_lose_nothing_and_run_forward(words: list[HeardWord]) -> None:
    ordered = in_order(words)
    groups = list(sentences(ordered))
    assert [word for group in groups for word in group] == ordered
    segments = [segment(group, ()) for group in groups]
    every = [word for each in segments for word in each.words]
    assert all(before.end_ms <= word.start_ms for before, word in pairwise(every))
    assert all(word.end_ms - word.start_ms >= SHORTEST_MS for word in every)
    for each in segments:
        assert each.start_ms == each.words[0].start_ms
        assert each.end_ms == each.words[-1].end_ms
        assert len(each.words) == 1 or (each.end_ms - each.start_ms <= LONGEST_MS and len(each.text) <= LONGEST_TEXT)
