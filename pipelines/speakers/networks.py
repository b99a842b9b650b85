"""The diarizer that Rostra comes with: segmentation-3.0 and CAM++, run by onnxruntime.

It hears a recording once, chunk by chunk, and keeps of each chunk who speaks in it and the vectors of its windows. What
it holds grows by less than a megabyte an hour.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.errors import TranscriberError
from pipelines.media.samples import SAMPLE_RATE, AudioBlock
from pipelines.speakers.base import Diarization, Parameter, Report
from pipelines.speakers.clustering import Vectors, Weights, cluster, means, purified
from pipelines.speakers.features import Features
from pipelines.speakers.local import Chunk, activity_of, chunks, windows
from pipelines.speakers.turns import Heard, name_all, turns
from pipelines.speakers.weights import identity, resolve

REVISION = 5
"""Of the way from sound to turns: a later one makes all recordings due again."""
AT_ONCE = 4
"""Chunks that are segmented together."""


@dataclass(frozen=True, slots=True)
class NetworkDiarizer:
    """segmentation-3.0 and CAM++.

    Attributes:
        weights: where they are: see `pipelines.speakers.weights.resolve`.
        threads: how many processors it uses; None is all.
    """

    weights: str = ""
    threads: int | None = None

    @property
    def name(self) -> str:
        """Return what the catalogue names as the origin of turns."""
        return "segmentation-3.0 and CAM++"

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Return what can change the turns."""
        return {"weights": identity(self.weights), "revision": REVISION}

    def load(self) -> None:
        """Load both networks."""
        _sessions(self.weights, self.threads)

    def diarize(self, audio: Iterable[AudioBlock], most: int | None, report: Report) -> Diarization:
        """Return who speaks when."""
        heard: list[Heard] = []
        found: list[np.ndarray[Any, np.dtype[np.float32]]] = []
        seconds: list[float] = []
        end = 0
        divided = chunks(audio)
        while group := list(islice(divided, AT_ONCE)):
            for chunk, each, vectors, lengths in self._hear(group, len(seconds)):
                heard.append(each)
                found.append(vectors)
                seconds.extend(lengths)
                end = chunk.own[1]
            report(end / SAMPLE_RATE)
        vectors = np.concatenate([*found, np.zeros((0, 192), dtype=np.float32)])
        weights: Weights = np.array(seconds)
        labels = cluster(vectors, weights, most)
        voices = purified(vectors, weights, means(vectors, weights, labels)) if len(labels) else vectors[:0]
        return _diarization(heard, vectors, voices, end * 1000 // SAMPLE_RATE)

    def _hear(self, group: list[Chunk], first: int) -> Iterator[tuple[Chunk, Heard, Vectors, list[float]]]:
        """Yield what is heard in chunks; the numbers of their vectors begin at ``first``."""
        segmentation, embedding = _sessions(self.weights, self.threads)
        try:
            [outputs] = segmentation.run(None, {"sound": np.stack([chunk.samples for chunk in group])})
            for chunk, output in zip(group, outputs, strict=True):
                activity = activity_of(output, chunk.samples)
                cut = windows(chunk, activity)
                vectors = _vectors(embedding, [window.features for window in cut])
                marks = tuple((w.speaker, w.centre, w.seconds, first + i) for i, w in enumerate(cut))
                first += len(cut)
                yield chunk, Heard(chunk.start, activity, marks), vectors, [window.seconds for window in cut]
        except _faults() as error:
            raise TranscriberError(f"onnxruntime gave up: {error}") from error


def embed(features: Features, weights: str = "", threads: int | None = None) -> Vectors:
    """Return the vector of one window of features, shape ``(1, 192)``."""
    return _vectors(_sessions(weights, threads)[1], [features])


def _diarization(heard: list[Heard], vectors: Vectors, voices: Vectors, duration_ms: int) -> Diarization:
    """Return turns, with their voices numbered in the order in which they first speak."""
    named = name_all(heard, vectors, voices)
    found = list(turns(heard, named, len(voices), duration_ms))
    order = {voice: number for number, voice in enumerate(dict.fromkeys(turn.voice for turn in found))}
    return Diarization(
        tuple(type(turn)(turn.start_ms, turn.end_ms, order[turn.voice]) for turn in found),
        tuple(tuple(float(x) for x in voices[voice]) for voice in order),
    )


def _vectors(embedding: Any, features: list[np.ndarray[Any, np.dtype[np.float32]]]) -> Vectors:
    if not features:
        return np.zeros((0, 192), dtype=np.float32)
    [found] = embedding.run(None, {"features": np.stack(features)})
    return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9), dtype=np.float32)


@cache
def _sessions(weights: str, threads: int | None) -> tuple[Any, Any]:
    folder = resolve(weights)
    return _session(folder / "segmentation.onnx", threads), _session(folder / "embedding.onnx", threads)


@cache
def _faults() -> tuple[type[Exception], ...]:
    """Return onnxruntime's own errors, which have no base but Exception."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    return tuple(each for each in vars(state).values() if isinstance(each, type) and issubclass(each, Exception))


def _session(path: Path, threads: int | None) -> Any:
    # It takes a second to import, and only workers that diarize need it.
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or os.cpu_count() or 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except _faults() as error:
        raise TranscriberError(
            f"the weights {path} cannot be loaded: copy them anew, unless memory is short ({error})"
        ) from error
