"""Rostra's engine beside its peers, on recordings with references: words, invented words, names, times, memory.

``python -m tests.bench.asr [--language L …] [--only TEXT] [--model NAME] [--runs N] [--without PEER …] [--memory]
[--json FILE]``

All run the same weights with the language declared: Rostra as the pipeline runs it, from the file to segments;
faster-whisper with its defaults (``in order``: beam 5, with the previous text as context) and in its
``BatchedInferencePipeline`` (``batched``: 8 at once, beam 5), both in int8; and, where it is installed and the
weights can be converted (see `tests.bench.convert`), openai-whisper with its defaults. Engines take turns file by
file, and times are medians of ``--runs``. Text is normalised as in Radford et al. 2022, appendix C; Chinese,
Japanese and Korean are scored by characters. Text that Rostra itself doubts is not counted as said. The
recordings are those of ``MANIFEST.tsv`` in the folder that ``ROSTRA_TEST_DATA`` names (by default
``../shared/data``).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
from rich.console import Console
from rich.table import Table
from whisper_normalizer.basic import BasicTextNormalizer
from whisper_normalizer.english import EnglishTextNormalizer

from metadata.languages import word_separator
from metadata.model import Transcript
from pipelines.config import cores
from pipelines.media import stream_audio
from pipelines.transcribers import Hints, engine
from pipelines.transcribers.base import SAMPLE_RATE, AudioBlock, ignore_progress
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


def heard(model: str, path: Path, language: str | None, terms: tuple[str, ...] = ()) -> Transcript:
    """Return what Rostra hears, as the pipeline runs it."""
    return engine("faster-whisper", model=model).transcribe(stream_audio(path), Hints(language, terms), ignore_progress)


def engines(model: str, scratch: Path) -> dict[str, Engine]:
    """Return Rostra and those of its peers that can run here: file in, text out."""
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    made = WhisperModel(str(resolve_weights(model)), device="cpu", compute_type="int8", cpu_threads=cores())
    batched = BatchedInferencePipeline(made)

    def joined(parts: Iterable[str], language: str) -> str:
        return word_separator(language).join(part.strip() for part in parts)

    def rostra(path: Path, language: str) -> str:
        return joined((x.text for x in heard(model, path, language).segments if not x.flags), language)

    def in_order(path: Path, language: str) -> str:
        return joined((x.text for x in made.transcribe(str(path), language=language, beam_size=5)[0]), language)

    def in_batches(path: Path, language: str) -> str:
        found, _ = batched.transcribe(str(path), language=language, beam_size=5, batch_size=8)
        return joined((x.text for x in found), language)

    found: dict[str, Engine] = {"rostra": rostra, "in order": in_order, "batched": in_batches}
    if find_spec("whisper"):
        found["openai"] = openai(model, scratch)
    return found


def openai(model: str, scratch: Path) -> Engine:
    """Return openai-whisper with its defaults, on the same weights."""
    import torch
    import whisper

    from tests.bench.convert import convert

    torch.save(convert(Path(resolve_weights(model))), scratch / "weights.pt")
    torch.set_num_threads(cores())
    made = whisper.load_model(str(scratch / "weights.pt"), device="cpu")

    def run(path: Path, language: str) -> str:
        audio = np.concatenate(list(stream_audio(path)))  # its own decoding wants ffmpeg on PATH
        return str(made.transcribe(audio, language=language, fp16=False)["text"])

    return run


def measure(run: Engine, recording: Recording) -> Score:
    """Return how an engine did on a recording."""
    begun = time.perf_counter()
    text = run(DATA / recording.path, recording.language)
    seconds = time.perf_counter() - begun
    return Score(*errors(recording.language, recording.reference, text), round(seconds, 2), text)


def repeated(runs: Sequence[Score]) -> Score:
    """Return the first of several runs with the median of their times."""
    return replace(runs[0], seconds=statistics.median(score.seconds for score in runs))


def cues(path: Path) -> list[tuple[int, int]]:
    """Return start and end, in milliseconds, of the cues of a WebVTT file."""
    stamp = r"(\d\d):(\d\d):(\d\d)\.(\d{3})"
    found = re.findall(f"{stamp} --> {stamp}", path.read_text(encoding="utf-8"))
    numbers = [tuple(map(int, parts)) for parts in found]
    return [tuple(((h * 60 + m) * 60 + s) * 1000 + ms for h, m, s, ms in (x[:4], x[4:])) for x in numbers]  # type: ignore[misc]


def invented(model: str) -> dict[str, int]:
    """Return how many unflagged words are heard where nobody speaks, by recording."""
    music = "audio/en/music_silence_speech.flac"
    counts = {}
    for name, language, spoken in (
        (music, "en", cues(DATA / f"{music}.ref.vtt")),
        ("audio/zxx/empty_wt.wav", None, []),
    ):
        words = [w for x in heard(model, DATA / name, language).segments if not x.flags for w in x.words]
        counts[name] = sum(
            not any(start - 500 <= (word.start_ms + word.end_ms) / 2 <= end + 500 for start, end in spoken)
            for word in words
        )
    return counts


def times(model: str) -> dict[str, float]:
    """Return by how many milliseconds the first words of cues miss their starts: median and 95th percentile."""
    name = "audio/fr/asterisk_prompts_fr.flac"
    words = [w for x in heard(model, DATA / name, "fr").segments if not x.flags for w in x.words]
    missed = []
    for start, end in cues(DATA / f"{name}.ref.vtt"):
        inside = [word.start_ms for word in words if start - 300 <= (word.start_ms + word.end_ms) / 2 <= end]
        missed += [abs(min(inside) - start)] if inside else []
    return {
        "cues": len(missed),
        "median": float(np.median(missed)),
        "percentile_95": float(np.percentile(missed, 95)),
    }


SAID = {"audio/en/hotwords.mp3": ("ComfyUI",)}
NOT_SAID = ("Noor Okafor", "Ayşe Demir", "Bech32", "taproot", "Datasette")
SILENT_ON = ("audio/en/gb0_bush_radio_address.flac", "audio/en/cold_corpus.flac", "audio/en/fleurs-en-002.ogg")


def names(model: str) -> dict[str, int]:
    """Return how many names are heard without and with hints, and how many hints where nobody said them."""

    def count(path: str, terms: tuple[str, ...], hints: tuple[str, ...]) -> int:
        text = " ".join(x.text for x in heard(model, DATA / path, "en", hints).segments if not x.flags).casefold()
        return sum(term.casefold() in text for term in terms)

    return {
        "said": sum(map(len, SAID.values())),
        "without_hints": sum(count(path, terms, ()) for path, terms in SAID.items()),
        "with_hints": sum(count(path, terms, terms) for path, terms in SAID.items()),
        "false": sum(count(path, NOT_SAID, NOT_SAID) for path in SILENT_ON),
    }


def sparse(seconds: int) -> Iterator[AudioBlock]:
    """Yield a recording of this length: half a minute of speech in every ten, and faint noise."""
    speech = next(stream_audio(DATA / "audio/en/gb0_bush_radio_address.flac"))
    noise = np.random.default_rng(0).normal(0, 1e-4, 30 * SAMPLE_RATE).astype(np.float32)
    for start in range(0, seconds, 30):
        yield speech if start % 600 == 0 else noise


def peak(seconds: int, model: str) -> int:
    """Return the most memory, in bytes, that a process of its own takes for a recording of this length."""
    command = [sys.executable, "-m", "tests.bench.asr", "--model", model, "--peak", str(seconds)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def own_peak(seconds: int, model: str) -> int:
    """Transcribe a long recording and return the most memory that this process took, in bytes."""
    engine("faster-whisper", model=model).transcribe(sparse(seconds), Hints("en"), ignore_progress)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


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


def summary(chosen: Sequence[Recording], results: Mapping[str, Sequence[Score]]) -> dict[str, object]:
    """Return errors, units and seconds by language and engine, with the best peer of each recording as one more."""
    peers = [name for name in results if name != "rostra"]

    def add(numbers: Sequence[int]) -> dict[str, object]:
        best = [min(results[name][i].errors for name in peers) for i in numbers]
        return {
            "seconds": round(sum(chosen[i].seconds for i in numbers)),
            "units": sum(results["rostra"][i].units for i in numbers),
            "errors": {name: sum(scores[i].errors for i in numbers) for name, scores in results.items()}
            | {"best peer by file": sum(best)},
            "took": {name: round(sum(scores[i].seconds for i in numbers), 1) for name, scores in results.items()},
        }

    languages = dict.fromkeys(recording.language for recording in chosen)
    return (
        {
            language: add([i for i, recording in enumerate(chosen) if recording.language == language])
            for language in languages
        }
        | {"all": add(range(len(chosen)))}
        | {"over a minute": add([i for i, x in enumerate(chosen) if x.seconds > 60])}
    )


def all_languages() -> list[str]:
    """Return the languages of the manifest."""
    with (DATA / "MANIFEST.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return sorted({row["language"] for row in rows if row["kind"] in KINDS})


def main() -> int:
    """Run every engine on every recording that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--language", nargs="+", metavar="L", help="by default all")
    parser.add_argument("--only", default="", metavar="TEXT", help="recordings whose path holds this text")
    parser.add_argument("--model", default="base")
    parser.add_argument("--runs", type=int, default=1, help="of each engine on each recording")
    parser.add_argument("--without", nargs="+", default=[], metavar="PEER", help="peers to leave out")
    parser.add_argument("--memory", action="store_true", help="measure 10 minutes and 4 hours too")
    parser.add_argument("--peak", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    if not (DATA / "MANIFEST.tsv").is_file():
        print(f"no recordings in {DATA}: name their folder in ROSTRA_TEST_DATA", file=sys.stderr)
        return 2
    if options.peak:
        print(own_peak(options.peak, options.model))
        return 0
    chosen = list(recordings(options.language or all_languages(), options.only))
    with tempfile.TemporaryDirectory() as scratch:
        runs = {n: run for n, run in engines(options.model, Path(scratch)).items() if n not in options.without}
        for run in runs.values():  # load the weights before anything is timed
            run(DATA / chosen[0].path, chosen[0].language)
        results: dict[str, list[Score]] = {name: [] for name in runs}
        for recording in chosen:
            turns = [{name: measure(run, recording) for name, run in runs.items()} for _ in range(options.runs)]
            for name in runs:
                results[name].append(repeated([turn[name] for turn in turns]))
    Console(width=160).print(report(chosen, results))
    found: dict[str, object] = {
        "model": options.model,
        "cores": cores(),
        "runs": options.runs,
        "summary": summary(chosen, results),
        "invented": invented(options.model),
        "times_ms": times(options.model),
        "names": names(options.model),
    }
    if options.memory:
        found["peak_bytes"] = {str(seconds): peak(seconds, options.model) for seconds in (600, 4 * 3600)}
    print(json.dumps(found, ensure_ascii=False, indent=1))
    if options.json:
        files = [
            {"path": recording.path, "language": recording.language, "units": results["rostra"][i].units}
            | {"errors": {name: scores[i].errors for name, scores in results.items()}}
            | {"took": {name: scores[i].seconds for name, scores in results.items()}}
            for i, recording in enumerate(chosen)
        ]
        text = json.dumps(found | {"files": files}, ensure_ascii=False, indent=1)
        options.json.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
