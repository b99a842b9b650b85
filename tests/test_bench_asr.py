"""The bench of engines goes on where it broke off, and its tables say what it found."""

from __future__ import annotations

from pathlib import Path

from tests.bench import tables
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
