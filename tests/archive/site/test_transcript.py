from __future__ import annotations

from dataclasses import replace

import pytest

from archive.search.moments import GAP
from archive.site.session_page.chapters import propose
from archive.site.session_page.page import TimeSpan, parse_span
from archive.site.session_page.transcript import (
    UNSURE,
    Line,
    Mark,
    Piece,
    hit_marks,
    lit_marks,
    paragraphs,
    place_words,
    unsure_marks,
)

SENTENCE = "It is one of the many sentences that somebody says in the course of an evening."


def line(position: int, text: str = SENTENCE, start_ms: int | None = None, **more: object) -> Line:
    start = position * 5_000 if start_ms is None else start_ms
    values = {"language": None, "flags": (), "speaker": None, "person": None, "end_ms": start + 4_900} | more
    return Line(position=position, start_ms=start, text=text, **values)  # type: ignore[arg-type]


def cut(lines: list[Line]) -> list[list[int]]:
    return [[sentence.line.position for sentence in each.sentences] for each in paragraphs(lines, {})]


def test_paragraph_ends_with_the_speaker_and_names_each_once() -> None:
    said = [line(0, speaker="Ada"), line(1, speaker="Ada"), line(2, speaker="Bo", person="bo"), line(3, speaker="Ada")]
    parts = paragraphs(said, {})
    assert cut(said) == [[0, 1], [2], [3]]
    assert [each.voice and (each.voice.name, each.voice.person, each.voice.colour) for each in parts] == [
        ("Ada", None, 1),
        ("Bo", "bo", 2),
        ("Ada", None, 1),
    ]


def test_speaker_of_a_long_speech_is_named_once() -> None:
    parts = paragraphs([line(n, speaker="Ada") for n in range(40)], {})
    assert len(parts) > 3
    assert [each.voice is not None for each in parts] == [True, *[False] * (len(parts) - 1)]


@pytest.mark.parametrize(
    ("text", "gap_ms", "parts"),
    [
        (SENTENCE * 2, 1_500, 2),
        (SENTENCE * 2, 1_400, 1),
        ("Yes.", 1_500, 1),
        ("Yes.", 4_000, 2),
        ("No", -200, 1),
    ],
)
def test_pause_ends_a_paragraph_that_says_enough(text: str, gap_ms: int, parts: int) -> None:
    assert len(cut([line(0, text), line(1, start_ms=4_900 + gap_ms)])) == parts


def test_long_paragraph_ends_with_a_sentence() -> None:
    texts = ["and on and on, " * 8, "and so it went.", "Next."]
    said = [line(n, texts[min(n // 5, 2)] if n != 5 else texts[1]) for n in range(7)]
    assert cut(said)[0] == [0, 1, 2, 3, 4, 5]


def test_paragraph_without_any_end_is_cut() -> None:
    assert all(len(each) < 40 for each in cut([line(n, "und so weiter") for n in range(400)])[:-1]) is False
    assert max(map(len, cut([line(n, "und so weiter") for n in range(400)]))) <= 80


def test_doubtful_passage_stands_apart_with_its_reasons() -> None:
    said = [line(0), line(1, flags=("no-speech",)), line(2, flags=("no-speech",)), line(3)]
    assert cut(said) == [[0], [1, 2], [3]]
    assert [each.doubts for each in paragraphs(said, {})] == [(), ("no-speech",), ()]


def test_hits_are_marked_over_segments_that_follow_and_that_do_not() -> None:
    lines = {n: line(n, text) for n, text in enumerate(("Ünder a lamp", "light stays", "long after"))}
    over = ((0, 1), ((8, 18),))  # "lamp light" of "Ünder a lamp light stays"
    apart = ((0, 2), ((8, 12), (12 + len(GAP), 16 + len(GAP))))
    assert hit_marks(lines, [over, apart], GAP) == {
        0: [Mark(8, 12, 1), Mark(8, 12, 2)],
        1: [Mark(0, 5, 1)],
        2: [Mark(0, 4, 2)],
    }


def test_marks_cut_a_sentence_into_pieces_without_the_space_around_it() -> None:
    [paragraph] = paragraphs([line(0, "  the lamp has to burn ")], {0: [Mark(6, 10, 1), Mark(2, 14, 0)]})
    assert paragraph.sentences[0].pieces == (
        Piece("the ", None, lit=True),
        Piece("lamp", 1, lit=True),
        Piece(" has", None, lit=True),
        Piece(" to burn", None, lit=False),
    )


def test_doubtful_words_are_marked_in_the_text_of_their_segments() -> None:
    lines = {0: line(0, "to be, or not to be"), 1: line(1, "that is")}
    said = [(0, n * 100, n * 100 + 90, text) for n, text in enumerate(("to", "be,", "or", "not", "to", "be"))]
    marks = unsure_marks(lines, [*said, (1, 900, 950, "that")], {(0, 400), (1, 900)})
    assert marks == {0: [Mark(14, 16, UNSURE)], 1: [Mark(0, 4, UNSURE)]}
    (first, second) = paragraphs(list(lines.values()), {0: [*marks[0], Mark(14, 19, 1)]})[0].sentences
    assert first.pieces == (Piece("to be, or not "), Piece("to", 1, unsure=True), Piece(" be", 1))
    assert second.pieces == (Piece("that is"),)


def test_what_was_not_transcribed_is_a_paragraph_of_its_own() -> None:
    silent = replace(line(1, ""), flags=("not-transcribed",))
    found = paragraphs([line(0, "before"), silent, line(2, "after")], {})
    assert [each.untranscribed for each in found] == [False, True, False]


def test_words_are_found_in_the_text_of_their_segment_in_order() -> None:
    lines = {0: line(0, "to be, or not to be")}
    words = [(0, n * 100, n * 100 + 90, text) for n, text in enumerate((" to", " be,", " perhaps", " to", " be"))]
    assert [(word.start_ms, word.start, word.end) for word in place_words(lines, words)] == [
        (0, 0, 2),
        (100, 3, 6),
        (300, 14, 16),
        (400, 17, 19),
    ]


def test_clip_lights_words_that_have_times_and_else_segments_that_it_covers() -> None:
    lines = {0: line(0, "one two three"), 1: line(1, "four five"), 2: line(2, "six")}
    words = [(0, 0, 1_000, "one"), (0, 1_000, 2_000, "two"), (0, 2_000, 4_900, "three")]
    marks = lit_marks(lines.values(), place_words(lines, words), 1_000, 9_000)
    assert marks == {0: [Mark(4, 13, 0)], 1: [Mark(0, 9, 0)]}


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("61.2,75", TimeSpan(61_200, 75_000)),
        ("1:01.2,1:15", TimeSpan(61_200, 75_000)),
        ("61.2", TimeSpan(61_200, None)),
        ("75,61.2", TimeSpan(75_000, None)),
        ("1h2m,", None),
        ("", None),
        ("soon,later", None),
        ("1,2,3", None),
    ],
)
def test_span_of_an_address_is_read(text: str, span: TimeSpan | None) -> None:
    assert parse_span(text) == span
    if span and span.end_ms:
        assert parse_span(span.text) == span


def test_chapters_are_proposed_where_the_words_change() -> None:
    themes = ("lighthouse keeper lantern harbour", "library catalogue shelf reader", "satellite orbit antenna signal")
    texts = [themes[n // 100].split() for n in range(300)]
    said = [
        line(n, f"{words[n % 4].capitalize()} {words[(n + 1) % 4]}.", start_ms=n * 5_000 + n // 100 * 4_000)
        for n, words in enumerate(texts)
    ]
    chapters = propose(paragraphs(said, {}))
    assert {0, 504_000, 1_008_000} <= {each.start_ms for each in chapters}
    for chapter in chapters:
        theme = themes[chapter.start_ms // 504_000]
        assert set(chapter.title.lower().split(" · ")) <= set(theme.split())
    assert propose(paragraphs(said[:100], {})) == ()
