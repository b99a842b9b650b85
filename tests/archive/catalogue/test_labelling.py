from __future__ import annotations

from dataclasses import replace

import pytest

from archive.catalogue.labelling import Turn, labelled, overlaps
from archive.catalogue.transcripts import transcript_version
from metadata.model import Flag, Segment, Transcript, Word


def segment(text: str, *times: tuple[int, int], **more: object) -> Segment:
    """Return a segment whose words have these times."""
    parts = text.split() if " " in text else list(text)
    words = tuple(Word(start_ms=s, end_ms=e, text=t) for t, (s, e) in zip(parts, times, strict=True))
    return Segment(start_ms=times[0][0], end_ms=times[-1][1], text=text, words=words, **more)  # type: ignore[arg-type]


A, B = "Voice 1", "Voice 2"
FOUR = ((0, 500), (500, 1000), (1000, 1500), (1500, 2000))


def parts(*segments: Segment, turns: list[Turn]) -> list[tuple[int, int, str, str | None]]:
    return [(s.start_ms, s.end_ms, s.text, s.speaker) for s in labelled(segments, turns)]


def test_a_segment_is_divided_where_the_voice_changes_and_loses_no_word() -> None:
    turns = [Turn(0, 1000, A), Turn(1000, 2000, B)]
    found = labelled([segment("Any questions? Yes, one.", *FOUR, flags=(Flag.TOO_FAST,), language="en")], turns)
    assert [(s.start_ms, s.end_ms, s.text, s.speaker) for s in found] == [
        (0, 1000, "Any questions?", A),
        (1000, 2000, "Yes, one.", B),
    ]
    assert [[w.text for w in s.words] for s in found] == [["Any", "questions?"], ["Yes,", "one."]]
    assert {(s.flags, s.language) for s in found} == {((Flag.TOO_FAST,), "en")}


def test_text_without_spaces_is_divided_between_its_words() -> None:
    assert parts(segment("はい質問", *FOUR), turns=[Turn(0, 1000, A), Turn(1000, 2000, B)]) == [
        (0, 1000, "はい", A),
        (1000, 2000, "質問", B),
    ]


def test_a_word_is_of_the_voice_that_speaks_for_most_of_it_or_did_before() -> None:
    said = segment("one two three four", *FOUR)
    longer = [Turn(0, 1200, A), Turn(1100, 2000, B)]
    assert parts(said, turns=longer) == [(0, 1000, "one two", A), (1000, 2000, "three four", B)]
    equal = [Turn(0, 1300, A), Turn(1200, 2000, B)]
    assert parts(said, turns=equal) == [(0, 1500, "one two three", A), (1500, 2000, "four", B)]


@pytest.mark.parametrize(
    ("text", "times", "change", "expected"),
    [
        ("He hoped for stew.", ((0, 300), (400, 1000), (1000, 1600), (1600, 2000)), 350, ["He hoped for stew."]),
        ("Yes. I hope so.", ((0, 300), (400, 1000), (1000, 1600), (1600, 2000)), 350, ["Yes.", "I hope so."]),
        ("Slowly it goes on.", ((0, 400), (400, 1000), (1000, 1600), (1600, 2000)), 400, ["Slowly", "it goes on."]),
        ("It goes on so", ((0, 400), (400, 1000), (1000, 1600), (1700, 2000)), 1650, ["It goes on so"]),
        ("It goes on. So", ((0, 400), (400, 1000), (1000, 1600), (1700, 2000)), 1650, ["It goes on.", "So"]),
        ("He hoped", ((0, 300), (400, 1000)), 350, ["He", "hoped"]),
    ],
)
def test_a_short_word_at_the_edge_of_a_sentence_is_the_rests(
    text: str, times: tuple[tuple[int, int], ...], change: int, expected: list[str]
) -> None:
    found = labelled([segment(text, *times)], [Turn(0, change, A), Turn(change, 2000, B)])
    assert [part.text for part in found] == expected


def test_a_short_word_between_words_of_another_voice_is_that_voices() -> None:
    times = ((0, 500), (500, 700), (700, 1500), (1500, 2000))
    turns = [Turn(0, 2000, A), Turn(480, 720, B)]
    assert parts(segment("one two three four", *times), turns=turns) == [(0, 2000, "one two three four", A)]


def test_a_word_near_no_turn_goes_with_its_neighbours() -> None:
    far = ((0, 500), (5000, 5500), (9000, 9500), (9500, 9900))
    assert parts(segment("one two three four", *far), turns=[Turn(9000, 9900, B)]) == [
        (0, 9900, "one two three four", B)
    ]
    assert parts(segment("one two three four", *far), turns=[]) == [(0, 9900, "one two three four", None)]
    assert parts(segment("one two three four", *FOUR), turns=[Turn(2100, 3000, B)]) == [
        (0, 2000, "one two three four", B)
    ], "half a second away is near"


def test_a_segment_whose_words_are_not_its_text_stays_whole() -> None:
    turns = [Turn(0, 1200, A), Turn(1200, 2000, B)]
    corrected = Segment(start_ms=0, end_ms=2000, text="Corrected", words=segment("a b c d", *FOUR).words)
    assert parts(corrected, turns=turns) == [(0, 2000, "Corrected", A)]
    assert parts(Segment(start_ms=0, end_ms=2000, text="No words"), turns=turns) == [(0, 2000, "No words", A)]


def test_overlaps_are_known() -> None:
    turns = [Turn(0, 1000, A), Turn(600, 2000, B), Turn(800, 900, "Voice 3"), Turn(2000, 3000, A), Turn(2900, 4000, B)]
    assert overlaps(turns) == [(600, 1000), (2900, 3000)]
    assert overlaps([]) == []


def test_what_is_said_while_others_speak_is_marked() -> None:
    times = ((0, 400), (400, 1000), (1000, 1600), (1600, 2000))
    said = segment("one two three four", *times)
    turns = [Turn(0, 1000, A), Turn(700, 2000, B)]
    assert [(s.text, bool(s.overlapped)) for s in labelled([said], turns)] == [
        ("one two", False),
        ("three four", False),
    ]
    turns = [Turn(0, 1000, A), Turn(500, 2000, B)]
    assert [(s.text, bool(s.overlapped)) for s in labelled([said], turns)] == [("one two", True), ("three four", False)]
    long = Segment(start_ms=0, end_ms=20_000, text="A long sentence")
    for end, marked in ((10_999, False), (11_000, True)):
        [found] = labelled([long], [Turn(0, 20_000, A), Turn(10_000, end, B)])
        assert bool(found.overlapped) is marked, end


def test_what_nobody_else_speaks_over_is_the_version_that_it_was() -> None:
    said = Transcript(language="en", duration_ms=2000, segments=(segment("one two three four", *FOUR),))
    assert transcript_version("0" * 64, said) == "2786d0bcee37f4ca"
    marked = replace(said, segments=labelled(said.segments, [Turn(0, 2000, A), Turn(0, 2000, B)]))
    assert transcript_version("0" * 64, marked) != transcript_version("0" * 64, said)
