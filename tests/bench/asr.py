"""Rostra's engine beside its peers, on recordings with references: words, times, inventions, names, speed, memory.

``python -m tests.bench.asr [MEASURE …] [--engine NAME …] [--again NAME …] [--language L …] [--only TEXT]
[--model NAME] [--json FILE]``

The measures, all but the last five by default:

* ``words``: errors by recording, text normalised as in Radford et al. 2022, appendix C; Chinese, Japanese and
  Korean are scored by characters.
* ``times``: by how much the first words of passages, and segments, miss their known starts.
* ``invented``: words heard where nobody speaks, in music and silence.
* ``names``: recall of names with and without hints, and hints that appear where nobody said them.
* ``hard``: what Rostra makes of sound that is hard (`tests.bench.hard`): noise, babble, crosstalk, a quiet second
  voice, speech backwards, music, pauses, meetings. ``--split`` names the half of the recordings that it is made of:
  rules are tuned on one, and tested on the other; ``--only`` names kinds.
* ``quality``: errors, and seconds of computing, of each quality that Rostra has, on the recordings of ``--split``.
* ``speed``: recordings over a minute, from the file to words with times (Rostra's: in the catalogue); engines take
  turns, and times are medians of three.
* ``cost``: what the parts of Rostra's stage take of its computing time.
* ``memory``: the most that driver and worker take for 10 minutes and for 4 hours.

All engines run the same weights with the language declared (see `tests.bench.engines`). ``--json`` names a file
that results are added to as they come: what is in it is not measured again unless ``--again`` names its engine, so
that a run that broke off goes on. The recordings are those of ``MANIFEST.tsv`` in the folder that
``ROSTRA_TEST_DATA`` names (by default ``../shared/data``). ``tests.bench.tables`` reads the file.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
from whisper_normalizer.basic import BasicTextNormalizer
from whisper_normalizer.english import EnglishTextNormalizer

from metadata.languages import word_separator
from pipelines.config import QUALITIES
from pipelines.media.files import stream_audio
from pipelines.media.samples import SAMPLE_RATE
from pipelines.run.executors import Executor, InProcess, Local
from pipelines.run.runner import Silent, run_stage
from pipelines.stages.base import Stage
from pipelines.stages.pull import Pull
from pipelines.stages.transcribe import Transcribe
from pipelines.storage.archive_folder import Context, init, open_archive
from pipelines.transcribers import Hints, decoding, engine
from pipelines.transcribers.base import ignore_progress
from pipelines.transcribers.faster_whisper import _Decoder
from tests.bench.engines import ENGINES, Engine, Heard, Said, available, transcribe, trusted
from tests.bench.hard import SPLITS, Case, Split, Spoken, cases, ingredients, sound, split_of
from tests.bench.marks import marks
from tests.bench.results import Results
from tests.bench.truth import NAMED, NAMELESS, cues, passages

KINDS = {"speech", "composite", "silence-music"}
DATA = Path(os.environ.get("ROSTRA_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
LONG_SECONDS = 60
MUSIC = "audio/en/music_silence_speech.flac"
SILENCE = "audio/zxx/empty_wt.wav"
TALK = "audio/en/gb0_bush_radio_address.flac"
PROMPTS = "audio/fr/asterisk_prompts_fr.flac"
MUSIC_SECONDS = 25
"""At the beginning of `MUSIC`, before anybody speaks."""
MEETINGS = ("audio/en/ami_dev00.flac", "audio/en/ami_trn01.flac", "audio/en/ami_trn02.flac")


@dataclass(frozen=True, slots=True)
class Recording:
    """A row of the manifest with a reference."""

    path: str
    language: str
    seconds: float
    reference: str


@dataclass
class Bench:
    """What was asked for."""

    model: str
    engines: list[str]
    recordings: list[Recording]
    results: Results
    split: Split = "test"
    only: str = ""
    heard: dict[tuple[str, str], Heard] = field(default_factory=dict)

    def engine(self, name: str) -> Engine:
        """Return an engine with its weights loaded."""
        return loaded(name, self.model)

    def timed(self, name: str, path: str, language: str) -> Heard:
        """Return what an engine hears in a recording, with the times of words; once for all measures."""
        if (name, path) not in self.heard:
            self.heard[name, path] = self.engine(name)(DATA / path, language, True)
        return self.heard[name, path]

    def missing(self, measure: str, subject: str) -> list[str]:
        """Return the engines of which this is not known yet."""
        return [name for name in self.engines if not self.results.has(measure, subject, name)]


def recordings(languages: Sequence[str], only: str) -> Iterator[Recording]:
    """Yield the recordings under ``audio/`` in these languages, or all, that have a reference as text."""
    with (DATA / "MANIFEST.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            references = [name.strip() for name in row["reference"].split(";") if name.strip().endswith(".ref.txt")]
            wanted = row["kind"] in KINDS and (not languages or row["language"] in languages) and only in row["path"]
            if wanted and references:
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


def words(bench: Bench) -> None:
    for recording in bench.recordings:
        for name in bench.missing("words", recording.path):
            text = bench.engine(name)(DATA / recording.path, recording.language, False).text(recording.language)
            missed, units = errors(recording.language, recording.reference, text)
            found = {"language": recording.language, "errors": missed, "units": units}
            bench.results.keep("words", recording.path, name, found)
            print(f"{recording.path} {name}: {missed} of {units}", flush=True)


def times(bench: Bench) -> None:
    """Keep, for every passage whose start is known, by how many milliseconds an engine's first word misses it."""
    for path, language in ((PROMPTS, "fr"), (MUSIC, "en")):
        if not (engines := bench.missing("times", path)):
            continue
        known = list(passages(DATA / path, DATA / f"{path}.ref.vtt"))
        for name in engines:
            heard = bench.timed(name, path, language)
            found = {
                "words": [first.start_ms - p.start_ms if (first := p.first_of(heard.words)) else None for p in known],
                "segments": [x.start_ms - p.start_ms if (x := p.first_of(heard.segments)) else None for p in known],
                "written": [first.start_ms - p.cue_ms if (first := p.first_of(heard.words)) else None for p in known],
                "outside": sum(outside(word, [(p.cue_ms, p.end_ms) for p in known], 300) for word in heard.words),
            }
            bench.results.keep("times", path, name, found)
            print(f"{path} {name}: median {np.median(np.abs([x for x in found['words'] if x is not None])):.0f} ms")


def outside(word: Said, spoken: Sequence[tuple[int, int]], margin: int) -> bool:
    """Tell whether a word begins or ends further than so many milliseconds from where someone speaks."""
    return not any(start - margin <= word.start_ms and word.end_ms <= end + margin for start, end in spoken)


def invented(bench: Bench) -> None:
    """Keep how many words are heard where nobody speaks."""
    for path, language in ((MUSIC, "en"), (SILENCE, "en")):
        spoken = list(cues(DATA / f"{path}.ref.vtt")) if path == MUSIC else []
        for name in bench.missing("invented", path):
            heard = bench.timed(name, path, language)
            middles = [(word.start_ms + word.end_ms) / 2 for word in heard.words]
            count = sum(not any(start - 500 <= at <= end + 500 for start, end in spoken) for at in middles)
            bench.results.keep("invented", path, name, count)
            print(f"{path} {name}: {count} words invented", flush=True)


def names(bench: Bench) -> None:
    """Keep how many names Rostra hears without hints and with, and how many hints where nobody said them."""
    everything = [name for said in NAMED.values() for name in said]
    languages = {recording.path: recording.language for recording in recordings((), "")} | dict(NAMELESS)
    for path in [*NAMED, *(path for path, _ in NAMELESS if path not in NAMED)]:
        if "rostra" not in bench.missing("names", path):
            continue
        said = NAMED.get(path, ())
        others = tuple(name for name in everything if name not in said)

        def heard(terms: tuple[str, ...], path: str = path) -> str:
            return trusted(transcribe(bench.model, DATA / path, languages.get(path, "en"), terms)).text(" ").casefold()

        plain, hinted, misled = heard(()), heard(said), heard((*others[:20],))
        found = {
            "said": len(said),
            "without": sum(name.casefold() in plain for name in said),
            "with": sum(name.casefold() in hinted for name in said),
            "false": sum(name.casefold() in misled and name.casefold() not in plain for name in others[:20]),
        }
        bench.results.keep("names", path, "rostra", found)
        print(f"{path}: {found}", flush=True)


def hard(bench: Bench) -> None:
    """Keep what Rostra makes of the hard cases of a split."""
    spoken = [Spoken(each.path, each.language, each.reference) for each in recordings((), "")]
    music = sound(DATA / MUSIC)[: MUSIC_SECONDS * SAMPLE_RATE]
    made = ingredients(DATA, spoken, bench.split, music)
    for case in (*cases(made), *(meetings() if bench.split == "test" else ())):
        subject = f"{bench.split}: {case.kind}: {case.name}"
        if bench.only in case.kind and "rostra" in bench.missing("hard", subject):
            hints = Hints(case.language)
            heard = engine("faster-whisper", model=bench.model).transcribe([case.samples], hints, ignore_progress)
            found = marks(case, heard)
            bench.results.keep("hard", subject, "rostra", found)
            print(f"{subject}: {found}", flush=True)


def quality(bench: Bench) -> None:
    """Keep errors and computing of each quality, which take turns."""
    engines = {each: engine("faster-whisper", model=bench.model, quality=each) for each in QUALITIES}
    for recording in bench.recordings:
        if split_of(recording.path) != bench.split or bench.results.has("quality", recording.path, "fast"):
            continue
        samples, hints = sound(DATA / recording.path), Hints(recording.language)
        for each, made in engines.items():
            before = sum(resources())
            heard = trusted(made.transcribe([samples], hints, ignore_progress)).text(recording.language)
            computed = round(sum(resources()) - before, 2)
            missed, of = errors(recording.language, recording.reference, heard)
            found = {"errors": missed, "units": of, "computed": computed, "of": recording.seconds}
            bench.results.keep("quality", recording.path, each, found)
            print(f"{recording.path} {each}: {found}", flush=True)


def meetings() -> Iterator[Case]:
    """Yield the recordings of meetings, with when somebody speaks in them."""
    for path in MEETINGS:
        turns = (line.split() for line in (DATA / path).with_suffix(".rttm").read_text(encoding="utf-8").splitlines())
        spans = tuple((float(turn[3]), float(turn[3]) + float(turn[4])) for turn in turns if turn)
        yield Case("meeting", path, "en", sound(DATA / path), (), spans)


def speed(bench: Bench) -> None:
    """Keep the medians of three of the seconds that engines take, turn by turn, and of those that they compute.

    Each has a process of its own, so that what one does there (how it keeps memory, threads that wait) is no
    other's gain or loss.
    """
    with ExitStack() as stack:
        processes = {
            name: stack.enter_context(ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")))
            for name in bench.engines
        }
        for recording in bench.recordings:
            if recording.seconds < LONG_SECONDS or not bench.missing("speed", recording.path):
                continue
            taken: dict[str, list[tuple[float, float]]] = {name: [] for name in bench.engines}
            for _ in range(3):
                for name, turns in taken.items():
                    turns.append(processes[name].submit(turn, name, bench.model, recording).result())
            for name, turns in taken.items():
                took, computed = (round(statistics.median(each), 2) for each in zip(*turns, strict=True))
                found = {"of": recording.seconds, "took": took, "computed": computed}
                bench.results.keep("speed", recording.path, name, found)
                print(f"{recording.path} {name}: {turns}", flush=True)


def turn(name: str, model: str, recording: Recording) -> tuple[float, float]:
    """Return what a recording takes an engine whose weights are loaded; of Rostra's, the whole stage."""
    if name == "rostra":
        with pulled(DATA / recording.path, recording.language) as context:
            stage = Transcribe(engine("faster-whisper", model=model))
            stage.prepare()
            return timed(lambda: finish(context, stage, InProcess()))
    run = loaded(name, model)
    return timed(lambda: run(DATA / recording.path, recording.language, True))


@cache
def loaded(name: str, model: str) -> Engine:
    return ENGINES[name](model)


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that a call takes, and those that this process and its children compute in it."""
    begun, before = time.perf_counter(), sum(resources())
    run()
    return time.perf_counter() - begun, sum(resources()) - before


@contextmanager
def pulled(path: Path, language: str) -> Iterator[Context]:
    """Give a new archive that holds one recording, declared to be in a language."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "archive"
        init(root, title="Bench")
        settings = root / "rostra.toml"
        text = settings.read_text(encoding="utf-8")
        settings.write_text(text.replace('# language = ""', f'language = "{language}"'), encoding="utf-8")
        with open_archive(root) as context:
            run_stage(context, Pull([path]), InProcess(), Silent())
            yield context


def finish(context: Context, stage: Stage, executor: Executor) -> None:
    report = run_stage(context, stage, executor, Silent())
    if report.failed or not next(context.db.query("SELECT count(*) AS n FROM segment"))["n"]:
        raise SystemExit(f"nothing was transcribed: {[outcome.text for _, outcome in report.troubles]}")


def cost(bench: Bench) -> None:
    """Keep the seconds of computing that the parts of the stage take; what the others leave is the model's."""
    from faster_whisper.feature_extractor import FeatureExtractor
    from faster_whisper.vad import SileroVADModel

    for recording in bench.recordings:
        if recording.seconds < LONG_SECONDS or "rostra" not in bench.missing("cost", recording.path):
            continue
        spent: Counter[str] = Counter()
        with (
            pulled(DATA / recording.path, recording.language) as context,
            metered(FeatureExtractor, "__call__", "features", spent),
            metered(SileroVADModel, "__call__", "detection", spent),
            metered(Transcribe, "commit", "database", spent),
            metered(_Decoder, "_encode", "workers", spent),
            metered(_Decoder, "_draft", "workers", spent),
            metered(_Decoder, "_finish", "workers", spent),
            metered(decoding, "_words", "workers", spent),
        ):
            stage = Transcribe(engine("faster-whisper", model=bench.model))
            stage.prepare()
            before, own = resources(), time.thread_time()
            finish(context, stage, InProcess())
            whole, children = (now - then for now, then in zip(resources(), before, strict=True))
            own = time.thread_time() - own
        spent["decoding"] = children
        # The catalogue is this thread's, features those of the engine's workers; speech is detected in another. The
        # model itself computes in threads of CTranslate2's, which no thread of Python's is charged for.
        spent["judge, sentences and the rest"] = own + spent.pop("workers") - spent["features"] - spent["database"]
        spent["model"] = whole + children - sum(spent.values())
        bench.results.keep("cost", recording.path, "rostra", {name: round(took, 2) for name, took in spent.items()})
        share = 1 - (spent["model"] + spent["features"]) / sum(spent.values())
        print(f"{recording.path}: {dict(spent)}, not the model: {100 * share:.1f}%", flush=True)


@contextmanager
def metered(owner: Any, name: str, part: str, spent: Counter[str]) -> Iterator[None]:
    """Add to a part the time that the calling thread computes in a method."""
    method = getattr(owner, name)

    def run(*arguments: Any, **named: Any) -> Any:
        begun = time.thread_time()
        try:
            return method(*arguments, **named)
        finally:
            spent[part] += time.thread_time() - begun

    setattr(owner, name, run)
    try:
        yield
    finally:
        setattr(owner, name, method)


def resources() -> tuple[float, float]:
    """Return the seconds of computing of this process with all its threads, and of its children."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    own, children = (each.ru_utime + each.ru_stime for each in used)
    return own, children


TEN_MINUTES = 600


def joined(seconds: int, folder: Path) -> Path:
    """Write a recording of this length: one talk after the other, so that no batch is short of windows."""
    talk = (np.concatenate(list(stream_audio(DATA / TALK))) * 32_767).astype("<i2")
    path = folder / "joined.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        for start in range(0, seconds * SAMPLE_RATE, len(talk)):
            file.writeframes(talk[: seconds * SAMPLE_RATE - start].tobytes())
    return path


def memory(bench: Bench) -> None:
    """Keep the most memory, in bytes, that recordings of two lengths take."""
    for seconds in (TEN_MINUTES, 24 * TEN_MINUTES):
        if "rostra" in bench.missing("memory", str(seconds)):
            command = [sys.executable, "-m", "tests.bench.asr", "--model", bench.model, "--peak", str(seconds)]
            used = int(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
            bench.results.keep("memory", str(seconds), "rostra", {"model": bench.model, "bytes": used})
            print(f"{seconds} s: {used / 2**20:.0f} MiB", flush=True)


def own_peak(seconds: int, model: str) -> int:
    """Take a long recording through the stage and return the most memory, in bytes, that driver and worker took."""
    with tempfile.TemporaryDirectory() as scratch, pulled(joined(seconds, Path(scratch)), "en") as context:
        finish(context, Transcribe(engine("faster-whisper", model=model)), Local(1, Path(scratch) / "work"))
    used = sum(resource.getrusage(of).ru_maxrss for of in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return used if sys.platform == "darwin" else used * 1024


MEASURES: dict[str, Callable[[Bench], None]] = {
    "words": words,
    "times": times,
    "invented": invented,
    "names": names,
    "hard": hard,
    "quality": quality,
    "speed": speed,
    "cost": cost,
    "memory": memory,
}


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measures", nargs="*", metavar="MEASURE")
    parser.add_argument("--engine", nargs="+", choices=list(ENGINES), metavar="NAME", help="by default all")
    parser.add_argument("--again", nargs="+", default=[], choices=list(ENGINES), metavar="NAME")
    parser.add_argument("--language", nargs="+", default=[], metavar="L", help="by default all")
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="recordings whose path, or cases whose kind, holds this"
    )
    parser.add_argument("--split", choices=SPLITS, default="test", help="the half that hard cases are made of")
    parser.add_argument("--model", default="base")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--peak", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if unknown := set(options.measures) - set(MEASURES):
        parser.error(f"no such measure: {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    if not (DATA / "MANIFEST.tsv").is_file():
        print(f"no recordings in {DATA}: name their folder in ROSTRA_TEST_DATA", file=sys.stderr)
        return 2
    if options.peak:
        print(own_peak(options.peak, options.model))
        return 0
    bench = Bench(
        options.model,
        options.engine or available(),
        list(recordings(options.language, options.only)),
        Results(options.json, frozenset(options.again)),
        options.split,
        options.only,
    )
    for measure in options.measures or ["words", "times", "invented", "names"]:
        MEASURES[measure](bench)
    return 0


if __name__ == "__main__":
    sys.exit(main())
