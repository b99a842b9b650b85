from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from metadata.captions import Source, read_captions
from metadata.captions.align import align
from metadata.model import Segment, Transcript, Word


def heard(text: str, *, start_ms: int = 10_000, word_ms: int = 500) -> Transcript:
    words = tuple(
        Word(start_ms=start_ms + number * word_ms, end_ms=start_ms + (number + 1) * word_ms - 100, text=word)
        for number, word in enumerate(text.split())
    )
    segment = Segment(start_ms=start_ms, end_ms=words[-1].end_ms, text=text, words=words)
    return Transcript(language="en", duration_ms=60_000, segments=(segment,))


def plain(text: str) -> Transcript:
    return read_captions(text.encode(), Source(name="talk.txt", duration_ms=60_000))


def test_text_gets_the_times_at_which_its_words_were_heard() -> None:
    aligned = align(plain("Nobody has what nobody can find. The Bech32 format, then!"), heard(
        "nobody has what nobody can find the batch 32 format then"
    ))  # fmt: skip
    assert [(each.start_ms, each.end_ms, each.text) for each in aligned.transcript.segments] == [
        (10_000, 12_900, "Nobody has what nobody can find."),
        (13_000, 15_400, "The Bech32 format, then!"),
    ]
    assert aligned.shared == 0.9
    assert aligned.transcript.segments[1].words[1] == Word(start_ms=13_400, end_ms=14_500, text="Bech32")


def test_another_text_shares_little() -> None:
    assert align(plain("Something else entirely was said."), heard("nobody has what nobody can find")).shared == 0.0


@given(st.lists(st.sampled_from(["one", "two", "three", "Four.", "five!", "six"]), min_size=1, max_size=30), st.data())
def test_aligned_words_are_in_order(words: list[str], data: st.DataObject) -> None:
    said = data.draw(st.lists(st.sampled_from(words), min_size=1, max_size=30))
    aligned = align(plain(" ".join(words)), heard(" ".join(said)))
    flat = [word for segment in aligned.transcript.segments for word in segment.words]
    assert [word.text for word in flat] == words
    assert all(0 <= word.start_ms <= word.end_ms <= 60_000 for word in flat)
    assert all(before.end_ms <= word.start_ms for before, word in pairwise(flat))
