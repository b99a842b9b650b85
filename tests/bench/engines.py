"""Rostra and its peers behind one seam, on the same weights: a file and its language in, timed words out.

* ``rostra``: the default engine as the pipeline runs it.
* ``in order``: faster-whisper with its defaults: beam 5, with the previous text as context.
* ``batched``: faster-whisper's ``BatchedInferencePipeline``: 8 at once, beam 5.
* ``openai``: openai-whisper with its defaults, on the same weights converted (see `tests.bench.convert`).

The first three run in int8. Peers give word times only where they are asked to, which costs them time; what they
give without is asked for where words are counted.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from metadata.languages import word_separator
from metadata.model import Transcript
from pipelines.config import cores
from pipelines.media.files import stream_audio
from pipelines.transcribers import Hints, engine
from pipelines.transcribers.base import ignore_progress
from pipelines.transcribers.models import resolve_weights


@dataclass(frozen=True, slots=True)
class Said:
    """A segment or a word, with its times in milliseconds."""

    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What an engine hears; Rostra's doubtful segments are left out, as they are of captions and search."""

    segments: tuple[Said, ...]
    words: tuple[Said, ...] = ()

    def text(self, language: str) -> str:
        return word_separator(language).join(segment.text.strip() for segment in self.segments)


Engine = Callable[[Path, str, bool], Heard]
"""Takes a file, its language, and whether times of words are wanted."""


def rostra(model: str) -> Engine:
    def run(path: Path, language: str, _words: bool) -> Heard:
        return trusted(transcribe(model, path, language))

    return run


def transcribe(model: str, path: Path, language: str | None, terms: tuple[str, ...] = ()) -> Transcript:
    """Return what Rostra hears, as the pipeline runs it."""
    return engine("faster-whisper", model=model).transcribe(stream_audio(path), Hints(language, terms), ignore_progress)


def trusted(transcript: Transcript) -> Heard:
    """Return what Rostra does not doubt."""
    segments = [segment for segment in transcript.segments if not segment.flags]
    return Heard(
        tuple(Said(segment.start_ms, segment.end_ms, segment.text) for segment in segments),
        tuple(Said(word.start_ms, word.end_ms, word.text) for segment in segments for word in segment.words),
    )


@cache
def _weights(model: str) -> Any:
    from faster_whisper import WhisperModel

    return WhisperModel(str(resolve_weights(model)), device="cpu", compute_type="int8", cpu_threads=cores())


def in_order(model: str) -> Engine:
    made = _weights(model)

    def run(path: Path, language: str, words: bool) -> Heard:
        return _heard(made.transcribe(str(path), language=language, beam_size=5, word_timestamps=words)[0])

    return run


def batched(model: str) -> Engine:
    from faster_whisper import BatchedInferencePipeline

    made = BatchedInferencePipeline(_weights(model))

    def run(path: Path, language: str, words: bool) -> Heard:
        found, _ = made.transcribe(str(path), language=language, beam_size=5, batch_size=8, word_timestamps=words)
        return _heard(found)

    return run


def openai(model: str) -> Engine:
    import torch
    import whisper

    from tests.bench.convert import convert

    with tempfile.TemporaryDirectory() as scratch:
        checkpoint = Path(scratch) / "weights.pt"
        torch.save(convert(Path(resolve_weights(model))), checkpoint)
        made = whisper.load_model(str(checkpoint), device="cpu")
    torch.set_num_threads(cores())

    def run(path: Path, language: str, words: bool) -> Heard:
        audio = np.concatenate(list(stream_audio(path)))  # its own decoding wants ffmpeg on PATH
        found = made.transcribe(audio, language=language, fp16=False, word_timestamps=words)
        return Heard(
            tuple(_said(part["start"], part["end"], part["text"]) for part in found["segments"]),
            tuple(_said(w["start"], w["end"], w["word"]) for part in found["segments"] for w in part.get("words", ())),
        )

    return run


ENGINES: dict[str, Callable[[str], Engine]] = {
    "rostra": rostra,
    "in order": in_order,
    "batched": batched,
    "openai": openai,
}
"""Each takes Whisper's name for the weights, and loads them."""


def available() -> list[str]:
    """Return the names of the engines that are installed."""
    return [name for name in ENGINES if name != "openai" or find_spec("whisper")]


def _heard(segments: Iterable[Any]) -> Heard:
    found = list(segments)
    return Heard(
        tuple(_said(segment.start, segment.end, segment.text) for segment in found),
        tuple(_said(word.start, word.end, word.word) for segment in found for word in segment.words or ()),
    )


def _said(start: float, end: float, text: str) -> Said:
    return Said(round(start * 1000), round(end * 1000), text.strip())
