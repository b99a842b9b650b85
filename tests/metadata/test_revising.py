from __future__ import annotations

import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from metadata.model import Flag, Segment, Transcript, Word
from metadata.revising import Change, Edit, apply, edits, edits_of, merge, restructured, words_of

WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "ef", "gh"]), max_size=12)


def said(*texts: str, flagged: int | None = None) -> Transcript:
    """Return segments of a word a second, each followed by a second of silence."""
    segments, at = [], 0
    for number, text in enumerate(texts):
        words = []
        for word in text.split():
            words.append(Word(start_ms=at, end_ms=at + 1000, text=word, confidence=0.5))
            at += 1000
        flags = (Flag.REPETITIVE,) if number == flagged else ()
        segments.append(
            Segment(start_ms=words[0].start_ms, end_ms=at, text=text, words=tuple(words), flags=flags, confidence=0.5)
        )
        at += 1000
    return Transcript(language="en", duration_ms=at, segments=tuple(segments))


def test_only_words_that_were_touched_lose_their_times() -> None:
    base = said("the batch 32 format", "then and more", flagged=0)
    new, changes = apply(base, edits(words_of(base), ["the", "Bech32", "format", "then", "and", "much", "more"]))
    assert [segment.text for segment in new.segments] == ["the Bech32 format", "then and much more"]
    assert new.segments[0].words == (
        base.segments[0].words[0],
        Word(start_ms=1000, end_ms=3000, text="Bech32"),
        base.segments[0].words[3],
    )
    assert (new.segments[0].flags, new.segments[0].confidence) == ((), None)
    assert changes == (Change(1000, 3000, "batch 32", "Bech32"), Change(7000, 7000, "", "much"))


def test_segment_that_is_not_touched_stays_as_it_is() -> None:
    base = said("one two", "three four", flagged=0)
    new, _ = apply(base, [Edit(3, 4, ("five",))])
    assert new.segments[0] is base.segments[0]


def test_segment_without_words_is_gone() -> None:
    base = said("one two", "three")
    new, changes = apply(base, [Edit(2, 3, ())])
    assert [segment.text for segment in new.segments] == ["one two"]
    assert changes == (Change(3000, 4000, "three", ""),)


def test_what_captions_leave_out_is_not_taken_for_removed() -> None:
    base = said("one two", "you you you", "three four", flagged=1)
    edited = said("one too", "three four")
    assert edits_of(base, edited) == [Edit(1, 2, ("too",))]
    across = said("one 2 3 four")
    new, _ = apply(base, edits_of(base, across))
    assert [segment.text for segment in new.segments] == ["one 2 3", "you you you", "four"]


@given(WORDS, WORDS)
def test_edits_make_one_text_of_another(before: list[str], after: list[str]) -> None:
    base = said(" ".join(before) or "x")
    new, _ = apply(base, edits(words_of(base), after))
    assert words_of(new) == after
    times = [(word.start_ms, word.end_ms) for segment in new.segments for word in segment.words]
    assert times == sorted(times)
    assert all(start <= end for start, end in times)


@given(WORDS, WORDS)
def test_merge_with_a_side_that_changed_nothing_is_the_other(base: list[str], other: list[str]) -> None:
    theirs = edits(base, other)
    assert merge(base, [], theirs) == ([], [])
    moved, conflicts = merge(base, theirs, [])
    assert (moved, conflicts) == (theirs, [])


def test_merge_takes_both_sides_and_people_s_words_where_they_meet() -> None:
    base = ["the", "batch", "32", "format", "of", "the", "lightening", "network"]
    ours = edits(base, ["the", "Bech32", "format", "of", "the", "Lightning", "network"])
    theirs_text = ["so", "the", "batch", "32", "formats", "of", "the", "lighting", "network"]
    moved, conflicts = merge(base, ours, edits(base, theirs_text))
    result, _ = apply(said(" ".join(theirs_text)), moved)
    assert words_of(result) == ["so", "the", "Bech32", "formats", "of", "the", "Lightning", "network"]
    assert conflicts == [(Edit(6, 7, ("Lightning",)), Edit(6, 7, ("lighting",)))]


def test_merge_says_nothing_where_the_machine_hears_now_what_people_wrote() -> None:
    base = ["the", "batch", "32", "format"]
    both = edits(base, ["the", "Bech32", "format"])
    assert merge(base, both, both) == ([], [])


@given(WORDS, WORDS, WORDS)
def test_merge_always_gives_a_text_that_can_be_made(base: list[str], ours: list[str], theirs: list[str]) -> None:
    moved, _ = merge(base, edits(base, ours), edits(base, theirs))
    assert all(0 <= edit.first <= edit.end <= len(theirs) for edit in moved)
    assert all(one.end <= other.first for one, other in itertools.pairwise(moved))
    apply(said(" ".join(theirs) or "x"), [edit for edit in moved if edit.end <= max(len(theirs), 1)])


def test_segments_are_split_moved_and_named() -> None:
    base = said("one two", "three four five", flagged=1)
    whole = base.segments[1]
    halves = (
        replace(whole, text="three", end_ms=4000, words=whole.words[:1], speaker="Noor"),
        replace(whole, text="four five", start_ms=4000, words=whole.words[1:], speaker="Jonas"),
    )
    new, changes = restructured(base, replace(base, segments=(base.segments[0], *halves)))
    assert new.segments == (base.segments[0], *(replace(half, flags=(), confidence=None) for half in halves))
    assert changes == (Change(3000, 6000, "three four five", "Noor: three\nJonas: four five"),)
