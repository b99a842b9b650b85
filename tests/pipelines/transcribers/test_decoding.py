"""Two passes and a judge over a decoder that says what it is told to, by where the speech lies."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest

from metadata.model import Flag, Segment, Transcript
from pipelines.errors import LanguageError
from pipelines.media.samples import AudioBlock
from pipelines.transcribers import decoding
from pipelines.transcribers.base import Hints
from pipelines.transcribers.decoding import Decoded, Decoder, Request, placed
from pipelines.transcribers.onsets import Spoken
from pipelines.transcribers.sentences import HeardWord
from pipelines.transcribers.speech import FRAMES_PER_SECOND, Window, WindowPart


def window(*parts: tuple[int, int]) -> Window:
    """Of parts in seconds, ``(start, length)``, with speech all through."""
    made: list[WindowPart] = []
    for start, length in parts:
        offset = made[-1].window + made[-1].length if made else 0
        made.append(WindowPart(int(start * FRAMES_PER_SECOND), offset, int(length * FRAMES_PER_SECOND)))
    frames = made[-1].window + made[-1].length
    return Window(np.zeros(frames * 512, np.float32), np.ones(frames, np.float32), tuple(made))


def words(window: Window, text: str, *, seconds: float = 0.5, confidence: float = 0.9) -> list[HeardWord]:
    return placed(
        window,
        [Spoken(i * seconds, (i + 1) * seconds, f" {part}", confidence, 0.0) for i, part in enumerate(text.split())],
    )


@dataclass
class Told:
    """A decoder that gives each window the next of its texts: one list for the first pass, one for the second."""

    first: list[list[HeardWord]] = field(default_factory=list)
    careful: list[list[HeardWord]] = field(default_factory=list)
    otherwise: list[list[HeardWord]] = field(default_factory=list)
    spoken: list[dict[str, float]] = field(default_factory=list)
    asked: list[tuple[str, int, Request]] = field(default_factory=list)
    workers: int = 1
    languages: Collection[str] = ("en", "de")

    def identify(self, window: Window) -> Mapping[str, float]:
        self.asked.append(("identify", window.parts[0].recording, Request("")))
        return self.spoken.pop(0)

    def decode(self, windows: Iterable[Window], request: Request) -> Iterator[tuple[Window, Decoded]]:
        for window in windows:
            self.asked.append(("first", window.parts[0].recording, request))
            yield window, Decoded(self.first.pop(0), {request.code: 1.0})

    def decode_with_care(self, window: Window, request: Request) -> list[HeardWord]:
        self.asked.append(("careful", window.parts[0].recording, request))
        return self.careful.pop(0)

    def decode_otherwise(self, window: Window, request: Request) -> Iterator[list[HeardWord]]:
        while self.otherwise:
            self.asked.append(("otherwise", window.parts[0].recording, request))
            yield self.otherwise.pop(0)


def better(decoder: Decoder, window: Window, found: list[HeardWord], terms: tuple[str, ...] = ()) -> str:
    heard = decoding._better(decoder, window, found, Request("en", terms))
    return "".join(word.text for word in heard).strip()


def test_what_is_believed_is_decoded_once() -> None:
    speech = window((10, 4))
    decoder = Told()
    assert better(decoder, speech, words(speech, "All is well and it was said")) == "All is well and it was said"
    assert decoder.asked == []


def test_speech_that_terms_cost_is_decoded_without_them() -> None:
    speech = window((10, 8))
    whole = words(speech, "Then the trains came and a timetable needs one answer so they gave in")
    decoder = Told(careful=[whole])
    assert better(decoder, speech, whole[:4], ("Tobias Quill",)) == "".join(word.text for word in whole).strip()
    assert decoder.asked == [("careful", 312, Request("en"))]


def test_speech_that_stays_without_words_is_decoded_alone() -> None:
    speech = window((0, 10))
    some = words(speech, "He hoped there would be stew")
    later = placed(speech, [Spoken(5, 5.5, " for", 0.9, 0.0), Spoken(5.5, 6, " dinner", 0.9, 0.0)])
    decoder = Told(careful=[some, later])
    assert better(decoder, speech, some) == "He hoped there would be stew for dinner"
    assert [(kind, request.terms) for kind, _, request in decoder.asked] == [("careful", ()), ("careful", ())]


def test_what_is_doubted_alone_is_not_added() -> None:
    speech = window((0, 10))
    some = words(speech, "He hoped there would be stew")
    decoder = Told(careful=[some, words(speech, "la " * 12, confidence=0.2)])
    assert better(decoder, speech, some) == "He hoped there would be stew"


def test_terms_that_are_recited_are_heard_again() -> None:
    speech = window((0, 4))
    terms = ("Noor Okafor", "Bech32", "taproot")
    decoder = Told(careful=[words(speech, "Good evening to all of you here")])
    assert better(decoder, speech, words(speech, "Noor Okafor, Bech32, taproot. and so on"), terms) == (
        "Good evening to all of you here"
    )


def test_what_is_heard_again_is_no_less_suspect_of_another_language() -> None:
    speech = window((0, 4))
    again = words(speech, "If you have seen the film", confidence=0.55)
    first = Decoded(words(speech, "la " * 6, confidence=0.3), {"de": 0.95, "en": 0.05})
    found = decoding._words(Told(careful=[again]), speech, first, Request("en", obeyed=True))
    assert [(word.text, word.foreign) for word in found] == [(word.text, 0.95) for word in again]


def test_a_second_pass_that_is_no_better_changes_nothing() -> None:
    speech = window((0, 5))
    loop = words(speech, "the sea " * 5)
    decoder = Told(careful=[words(speech, "the sea " * 5)])
    assert better(decoder, speech, loop) == ("the sea " * 5).strip()


def test_a_loop_is_left_by_the_first_way_that_leads_out() -> None:
    speech = window((0, 5))
    loop, said = words(speech, "the sea " * 5), words(speech, "the sea was calm and nobody came back")
    decoder = Told(careful=[loop], otherwise=[loop, said, words(speech, "never asked for")])
    assert better(decoder, speech, loop) == "the sea was calm and nobody came back"
    assert [kind for kind, _, _ in decoder.asked] == ["careful", "otherwise", "otherwise"]


def test_a_loop_that_nothing_leads_out_of_stays_to_be_flagged() -> None:
    speech = window((0, 5))
    loop = words(speech, "the sea " * 5)
    decoder = Told(careful=[loop], otherwise=[loop, words(speech, "la " * 12, confidence=0.1), []])
    assert better(decoder, speech, loop) == ("the sea " * 5).strip()
    assert [kind for kind, _, _ in decoder.asked] == ["careful", *["otherwise"] * 3]


def test_words_found_between_others_keep_their_order_and_break_none() -> None:
    speech = window((0, 10))
    before, after = words(speech, "He hoped for"), placed(speech, [Spoken(8, 8.5, " dinner", 0.9, 0.0)])
    found = placed(speech, [Spoken(3, 3, " turnips", 0.9, 0.0), Spoken(3, 3.5, " and", 0.9, 0.0)])
    assert "".join(word.text for word in decoding._with([*before, *after], found)) == " He hoped for turnips and dinner"


def test_the_half_of_a_window_at_a_change_of_language_is_decoded_in_its_own() -> None:
    speech = window((0, 16))
    english = words(speech, "And so we begin our evening with you", seconds=1.0)
    german = words(window((8, 8)), "Guten Abend meine Damen und Herren hier im", seconds=1.0)
    decoder = Told(careful=[english, german], spoken=[{"en": 0.9, "de": 0.1}, {"en": 0.1, "de": 0.9}])
    heard = decoding._in_its_languages(decoder, speech, Request("en"))
    assert [word.language for word in heard] == [None] * 8 + ["de"] * 8
    assert [request.code for kind, _, request in decoder.asked if kind == "careful"] == ["en", "de"]


def test_a_window_all_in_one_language_stays_whole() -> None:
    speech = window((0, 16))
    decoder = Told(
        careful=[words(speech, "eins zwei drei vier " * 3, seconds=1.3)],
        spoken=[{"de": 0.9, "en": 0.1}, {"de": 0.85, "en": 0.1}],
    )
    assert {word.language for word in decoding._in_its_languages(decoder, speech, Request("en"))} == {"de"}
    assert [kind for kind, _, _ in decoder.asked] == ["identify", "identify", "careful"]


def test_windows_beside_another_language_are_looked_at_too() -> None:
    sounds = [0.9, 0.8, 0.2, 0.9, 0.9]
    found = [(window((30 * i, 4)), Decoded([], {"en": p, "de": 1 - p})) for i, p in enumerate(sounds)]
    changes = [each[2] for each in decoding._beside(found, Request("en"))]
    assert changes == [False, True, True, True, False]
    assert not any(each[2] for each in decoding._beside(found, Request("en", obeyed=True)))


def test_parts_are_decoded_in_their_languages() -> None:
    speech = window((0, 4), (20, 4))
    english, german = (
        words(speech, "And so we begin our evening with"),
        words(window((20, 4)), "Guten Abend meine Damen und Herren"),
    )
    decoder = Told(careful=[english, german], spoken=[{"en": 0.9, "de": 0.1}, {"en": 0.1, "de": 0.9}])
    heard = decoding._in_its_languages(decoder, speech, Request("en"))
    assert {word.language for word in heard} == {None, "de"}
    assert [(kind, request.code) for kind, _, request in decoder.asked] == [
        ("identify", ""), ("careful", "en"), ("identify", ""), ("careful", "de"),
    ]  # fmt: skip


def test_expected_languages_are_likelier() -> None:
    noisy = {"it": 0.3, "en": 0.15, "de": 0.05}
    clear = {"it": 0.97, "en": 0.02, "de": 0.01}
    heard = [
        decoding._language(Told(spoken=[dict(spoken)]), None, [window((0, 3))], expected)
        for spoken in (noisy, clear)
        for expected in ((), ("en", "de"))
    ]
    assert heard == [("it", "it"), ("en", "en"), ("it", "it"), ("it", "it")]


def test_a_part_in_a_language_that_nobody_expects_is_decoded_in_it_where_it_is_clear() -> None:
    speech = window((0, 4), (20, 4))
    english = words(speech, "And so we begin our evening with")
    german = words(window((20, 4)), "Guten Abend meine Damen und Herren")
    decoder = Told(careful=[english, german], spoken=[{"en": 0.3, "de": 0.7}, {"en": 0.01, "de": 0.99}])
    decoding._in_its_languages(decoder, speech, Request("en", expected=("en",)))
    assert [request.code for kind, _, request in decoder.asked if kind == "careful"] == ["en", "de"]


def test_declared_language_that_the_weights_lack() -> None:
    with pytest.raises(LanguageError, match="'eo'"):
        decoding.transcribe(Told(), [], Hints("eo"), lambda _seconds: None)


def test_nothing_is_heard_in_no_audio() -> None:
    heard = decoding.transcribe(Told(), [], Hints(), lambda _seconds: None)
    assert (heard.language, heard.duration_ms, heard.segments) == ("und", 0, ())


def silence(seconds: int) -> Iterator[AudioBlock]:
    for _ in range(seconds):
        yield np.zeros(16_000, np.float32)


def test_translation_has_the_times_of_what_was_said_and_leaves_doubts_out() -> None:
    said = (
        Segment(start_ms=1_000, end_ms=4_000, text="Guten Abend."),
        Segment(start_ms=5_000, end_ms=6_000, text="Musik", flags=(Flag.NO_SPEECH,)),
        Segment(start_ms=7_000, end_ms=9_000, text="Thank you.", language="en"),
    )
    decoder = Told(first=[words(window((1, 3)), "Good evening."), words(window((7, 2)), "Thank you.")])
    found = decoding.translate(
        decoder, silence(10), Transcript(language="de", duration_ms=10_000, segments=said), lambda _seconds: None
    )
    assert (found.language, found.kind) == ("en", "translation")
    assert [(x.start_ms, x.end_ms, x.text, x.words) for x in found.segments] == [
        (1_000, 4_000, "Good evening.", ()),
        (7_000, 9_000, "Thank you.", ()),
    ]
    assert [request for _, _, request in decoder.asked] == [
        Request("de", task="translate", obeyed=True), Request("en", task="translate", obeyed=True),
    ]  # fmt: skip
