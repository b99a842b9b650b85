"""The bench of engines goes on where it broke off, and its tables say what it found."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from metadata.model import Flag, Segment, Transcript, Word
from tests.bench import hard, tables
from tests.bench.hard import Case, babble, level, noisy, split_of
from tests.bench.marks import interval, marks, total
from tests.bench.results import Results


def test_results_are_kept_and_not_found_again(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    Results(file).keep("words", "a.flac", "rostra", {"errors": 1})
    later = Results(file)
    assert later.has("words", "a.flac", "rostra")
    assert not later.has("words", "a.flac", "batched")


def test_two_runs_add_to_one_file(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    one, other = Results(file), Results(file)
    one.keep("words", "a.flac", "rostra", 1)
    other.keep("words", "a.flac", "batched", 2)
    assert Results(file).data == {"words": {"a.flac": {"rostra": 1, "batched": 2}}}


def test_what_is_asked_for_again_is_found_once_more(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    Results(file).keep("words", "a.flac", "rostra", 1)
    again = Results(file, frozenset({"rostra"}))
    assert not again.has("words", "a.flac", "rostra")
    again.keep("words", "a.flac", "rostra", 2)
    assert again.has("words", "a.flac", "rostra")
    assert Results(file).data["words"]["a.flac"] == {"rostra": 2}


def found(language: str, **errors: int) -> dict[str, dict[str, object]]:
    return {name: {"language": language, "errors": count, "units": 10} for name, count in errors.items()}


def test_errors_are_summed_by_language_and_in_all() -> None:
    results = {"words": {"a": found("en", rostra=1, openai=2), "b": found("en", rostra=0), "c": found("ja", rostra=5)}}
    rows = [line.split(" | ") for line in tables.summary(results).splitlines()]
    assert [row[:2] for row in rows[2:5]] == [
        ["| English: words wrong, %", "5.0"],
        ["| Japanese: characters wrong, %", "50.0"],
        ["| all languages, %", "20.0"],
    ]
    assert rows[2][-1].strip(" |") == "", "what is not known of all recordings is not summed"


def test_recordings_that_are_worse_than_the_best_peer_are_named() -> None:
    results = {"words": {"a": found("en", rostra=5, openai=4), "b": found("en", rostra=6, openai=5, batched=7)}}
    assert tables.worse(results) == ["a"]


def test_recordings_are_dealt_out_by_their_names_alone() -> None:
    halves = [split_of(f"audio/en/{n}.flac") for n in range(400)]
    assert halves == [split_of(f"en/{n}.flac") for n in range(400)]
    assert 150 < halves.count("test") < 250


def test_hard_sound_is_the_same_every_time_and_as_loud_as_it_says() -> None:
    voice = np.sin(np.arange(32_000) / 9).astype(np.float32)
    for make in (lambda: noisy(voice, -5), lambda: babble([voice, voice[::2]], 3)):
        assert np.array_equal(make(), make())
    noise = noisy(voice, -5) - level(voice)
    assert round(20 * float(np.log10(np.std(noise) / np.std(level(voice))))) == 5
    assert round(float(np.sqrt(np.mean(np.square(babble([voice], 2))))), 3) == hard.LOUDNESS


def spoken(text: str, start_ms: int, *flags: Flag, confidence: float = 0.9) -> Segment:
    words = tuple(
        Word(start_ms=start_ms + 100 * i, end_ms=start_ms + 100 * i + 90, text=part, confidence=confidence)
        for i, part in enumerate(text.split())
    )
    return Segment(start_ms=start_ms, end_ms=words[-1].end_ms, text=text, flags=flags, words=words)


def test_marks_of_a_case_count_what_is_wrong_and_what_is_flagged() -> None:
    case = Case("noise 0 dB", "a", "en", np.zeros(160_000, np.float32), ("the lamp has to burn when nobody is at sea",))
    heard = Transcript(
        language="en",
        duration_ms=10_000,
        segments=(
            spoken("the lamp has to burn", 0),
            spoken("one", 1_000, confidence=0.1),
            spoken("nobody said cheese", 2_000, Flag.LOW_CONFIDENCE),
            Segment(start_ms=4_000, end_ms=7_000, text="", flags=(Flag.NOT_TRANSCRIBED,)),
        ),
    )
    assert marks(case, heard) == {
        "kind": "noise 0 dB", "seconds": 10.0, "segments": 3, "segments flagged": 1, "words": 9, "wrong": 3,
        "flagged": 3, "flagged wrong": 2, "doubtful": 1, "doubtful wrong": 1, "not transcribed": 3.0,
        "units": 10, "errors": 5, "lost in a run": 4,
    }  # fmt: skip


def test_marks_of_speech_that_must_not_be_lost() -> None:
    case = Case("meeting", "a", "en", np.zeros(160_000, np.float32), (), ((0.0, 4.0), (6.0, 8.0)))
    silent = Segment(start_ms=6_000, end_ms=7_500, text="", flags=(Flag.NOT_TRANSCRIBED,))
    found = marks(case, Transcript(language="en", duration_ms=10_000, segments=(spoken("a " * 20, 0), silent)))
    assert (found["spoken"], found["with words"], found["shown"]) == (6.0, 2.0, 3.5)
    assert "errors" not in found


def test_an_interval_is_paired_and_says_what_is_sure() -> None:
    alike = [(k % 3, k % 3, 10) for k in range(30)]
    assert interval(alike) == (0.0, 0.0, 0.0)
    apart, low, high = interval([(1, 2, 10)] * 20 + [(3, 3, 10)] * 10)
    assert low < apart < high < 0
    assert round(apart, 4) == -0.0667


def test_totals_add_up_and_keep_the_longest_loss() -> None:
    found = [{"kind": "joined", "wrong": 2, "lost in a run": 9}, {"kind": "joined", "wrong": 3, "lost in a run": 4}]
    assert total(found) == {"joined": {"wrong": 5, "lost in a run": 9}}
