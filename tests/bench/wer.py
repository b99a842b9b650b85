"""Word error of Rostra's engine beside plain faster-whisper, on recordings with references.

``python -m tests.bench.wer [--language en de …] [--only TEXT] [--model NAME] [--json FILE]``

Both run the same weights in int8 with the language declared; plain faster-whisper has its defaults (beam 5, in
order, with the previous text as context). Text is normalised as in Radford et al. 2022, appendix C; Chinese
and Japanese are scored by characters. Text that Rostra itself doubts is not counted as said. The recordings are
those of ``MANIFEST.tsv`` in the folder that ``ROSTRA_TEST_DATA`` names (by default ``../shared/data``).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jiwer
from rich.console import Console
from rich.table import Table
from whisper_normalizer.basic import BasicTextNormalizer
from whisper_normalizer.english import EnglishTextNormalizer

from metadata.languages import word_separator
from pipelines.media import stream_audio
from pipelines.transcribers import Hints, engine
from pipelines.transcribers.base import ignore_progress
from pipelines.transcribers.models import resolve_weights

KINDS = {"speech", "composite", "silence-music"}
DATA = Path(os.environ.get("ROSTRA_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))

Engine = Callable[[Path, str], str]


@dataclass(frozen=True, slots=True)
class Recording:
    """A row of the manifest with a reference."""

    path: str
    language: str
    seconds: float
    reference: str


@dataclass(frozen=True, slots=True)
class Score:
    """Errors of one engine on one recording: substitutions, deletions and insertions against ``units``."""

    errors: int
    units: int
    seconds: float
    text: str


def recordings(languages: Sequence[str], only: str) -> Iterator[Recording]:
    """Yield the recordings under ``audio/`` in these languages that have a reference as text."""
    with (DATA / "MANIFEST.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            references = [name.strip() for name in row["reference"].split(";") if name.strip().endswith(".ref.txt")]
            if row["kind"] in KINDS and row["language"] in languages and references and only in row["path"]:
                text = (DATA / references[0]).read_text(encoding="utf-8")
                yield Recording(row["path"], row["language"], float(row["seconds"]), text)


def errors(language: str, reference: str, text: str) -> tuple[int, int]:
    """Return errors and the number of words (characters) in the reference, after normalising both."""
    normalise = EnglishTextNormalizer() if language == "en" else BasicTextNormalizer()
    expected, found = normalise(reference), normalise(text)
    if word_separator(language):
        output: Any = jiwer.process_words(expected, found)
    else:
        output = jiwer.process_characters(expected.replace(" ", ""), found.replace(" ", ""))
    units = output.hits + output.substitutions + output.deletions
    return output.substitutions + output.deletions + output.insertions, units


def rostra(model: str) -> Engine:
    """Return the project's engine: file in, text out, as the pipeline runs it."""
    made = engine("faster-whisper", model=model)

    def run(path: Path, language: str) -> str:
        transcript = made.transcribe(stream_audio(path), Hints(language=language), ignore_progress)
        return word_separator(language).join(segment.text for segment in transcript.segments if not segment.flags)

    return run


def plain(model: str) -> Engine:
    """Return faster-whisper as its own documentation runs it."""
    from faster_whisper import WhisperModel

    made = WhisperModel(str(resolve_weights(model)), device="cpu", compute_type="int8", cpu_threads=os.cpu_count() or 1)

    def run(path: Path, language: str) -> str:
        segments, _ = made.transcribe(str(path), language=language, beam_size=5)
        return word_separator(language).join(segment.text.strip() for segment in segments)

    return run


def measure(run: Engine, recording: Recording) -> Score:
    """Return how an engine did on a recording."""
    begun = time.perf_counter()
    text = run(DATA / recording.path, recording.language)
    seconds = time.perf_counter() - begun
    return Score(*errors(recording.language, recording.reference, text), round(seconds, 2), text)


def rate(scores: Sequence[Score]) -> str:
    """Return the error of all together, in percent."""
    return f"{100 * sum(score.errors for score in scores) / max(sum(score.units for score in scores), 1):.1f}"


def report(chosen: Sequence[Recording], results: dict[str, list[Score]]) -> Table:
    """Return a table by recording, then by language, then of everything."""
    table = Table("recording", "s", "words", *(f"{name} %" for name in results), *(f"{name} s" for name in results))

    def add(title: str, numbers: Sequence[int], end: bool = False) -> None:
        columns = {name: [scores[i] for i in numbers] for name, scores in results.items()}
        length = sum(chosen[i].seconds for i in numbers)
        units = sum(score.units for score in next(iter(columns.values())))
        times = [f"{sum(score.seconds for score in scores):.1f}" for scores in columns.values()]
        table.add_row(title, f"{length:.0f}", str(units), *map(rate, columns.values()), *times, end_section=end)

    for i, recording in enumerate(chosen):
        add(recording.path.removeprefix("audio/"), [i], end=i == len(chosen) - 1)
    for language in dict.fromkeys(recording.language for recording in chosen):
        add(f"all in {language}", [i for i, recording in enumerate(chosen) if recording.language == language])
    add("all", range(len(chosen)))
    return table


def main() -> int:
    """Run both engines on every recording that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--language", nargs="+", default=["en", "de"], metavar="L")
    parser.add_argument("--only", default="", metavar="TEXT", help="recordings whose path holds this text")
    parser.add_argument("--model", default="base")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    if not (DATA / "MANIFEST.tsv").is_file():
        print(f"no recordings in {DATA}: name their folder in ROSTRA_TEST_DATA", file=sys.stderr)
        return 2
    chosen = list(recordings(options.language, options.only))
    engines = {"rostra": rostra(options.model), "plain": plain(options.model)}
    for run in engines.values():  # load the weights before anything is timed
        run(DATA / chosen[0].path, chosen[0].language)
    results: dict[str, list[Score]] = {name: [] for name in engines}
    for recording in chosen:
        for name, run in engines.items():
            results[name].append(measure(run, recording))
    Console(width=120).print(report(chosen, results))
    if options.json:
        rows = [
            {"recording": asdict(recording), **{name: asdict(scores[i]) for name, scores in results.items()}}
            for i, recording in enumerate(chosen)
        ]
        options.json.write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
