"""Recordings of tones with pauses between them, an engine that hears just those, and a driver for them.

``python -m tests.pipelines.bursts ARCHIVE LONGEST_MS`` transcribes an archive with that engine.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from metadata.model import Segment, Transcript, Word
from pipelines.cli import main
from pipelines.media.samples import SAMPLE_RATE, AudioBlock
from pipelines.run.executors import Local
from pipelines.run.runner import run_stage
from pipelines.stages.transcribe import Transcribe
from pipelines.storage.archive_folder import open_archive
from pipelines.transcribers.base import Hints, Parameter, Report
from pipelines.transcribers.speech import FRAME, Probabilities
from tests.pipelines.trials import Watch

LOUD = 0.05
APART = SAMPLE_RATE // 20


def loud(samples: AudioBlock) -> Probabilities:
    """Find tones, as speech detection finds speech."""
    return (np.abs(samples.reshape(-1, FRAME)).max(axis=1) > LOUD).astype(np.float32)


def bursts(lengths: Sequence[tuple[int, int]]) -> AudioBlock:
    """Return tones, each after a pause: ``(pause, tone)`` in milliseconds; no two have the same pitch."""
    pieces = [np.zeros(0, dtype=np.float32)]
    for number, (pause_ms, tone_ms) in enumerate(lengths):
        times = np.arange(tone_ms * 16) / SAMPLE_RATE
        pieces.append(np.zeros(pause_ms * 16, dtype=np.float32))
        pieces.append((0.5 * np.sin(2 * np.pi * (200 + 10 * number) * times)).astype(np.float32))
    return np.concatenate(pieces)


@dataclass(frozen=True)
class Ear:
    """Says of each tone how often it crosses zero.

    Attributes:
        language: what it takes each recording to be in.
        seconds: how long it takes over each.
    """

    language: str = "en"
    seconds: float = 0.0

    name = "ear"
    version = "1"

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        return {}

    def load(self) -> None:
        pass

    def transcribe(self, audio: Iterable[AudioBlock], hints: Hints, report: Report) -> Transcript:
        samples = np.concatenate([np.zeros(0, dtype=np.float32), *audio])
        time.sleep(self.seconds)
        heard = np.flatnonzero(np.abs(samples) > LOUD)
        pieces = np.split(heard, np.flatnonzero(np.diff(heard) > APART) + 1) if len(heard) else []
        segments = []
        for piece in pieces:
            tone = samples[piece[0] : piece[-1] + 1]
            start_ms, end_ms = int(piece[0]) // 16, int(piece[-1]) // 16
            text = f"{len(tone)} {int(np.count_nonzero(np.diff(tone > 0.01)))}"
            words = (Word(start_ms=start_ms, end_ms=end_ms, text=text),)
            segments.append(Segment(start_ms=start_ms, end_ms=end_ms, text=text, words=words))
        return Transcript(
            language=self.language, duration_ms=len(samples) // 16, segments=tuple(segments), generator=self.name
        )

    def translate(self, audio: Iterable[AudioBlock], transcript: Transcript, report: Report) -> Transcript:
        raise NotImplementedError


def drive(root: Path, longest_ms: int) -> None:
    with open_archive(root) as context:
        stage = Transcribe(Ear(seconds=0.3), longest_ms, loud)
        run_stage(context, stage, Local(1, context.layout.work), Watch())


if __name__ == "__main__":
    main(lambda: drive(Path(sys.argv[1]), int(sys.argv[2])))
