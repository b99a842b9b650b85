"""Speech as samples: spoken by the packaged voice, or read from other people's clips."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import av
import numpy as np
from numpy.typing import NDArray

from pipelines.errors import ConfigError

Samples: TypeAlias = NDArray[np.float32]
"""One channel, shape ``(n,)``, -1 to 1."""

_LEAD_SECONDS = 0.5
_PAUSE_SECONDS = 0.9
_PEAK = 0.8
_SEED = 1859


@dataclass(frozen=True, slots=True)
class DemoAudio:
    """One recording's samples at ``rate`` Hz; ``starts`` are the seconds at which its parts begin."""

    samples: Samples
    rate: int
    starts: tuple[float, ...]


def speak(paragraphs: Sequence[str]) -> DemoAudio:
    """Return the paragraphs as the synthetic voice says them.

    Raises:
        ConfigError: the voice is not installed.
    """
    voice = _voice()
    return join([voice(paragraph, seed=_SEED) for paragraph in paragraphs], voice.sample_rate)


def decode(data: bytes) -> tuple[Samples, int]:
    """Return the samples of a recording, its channels mixed to one, and their rate in Hz."""
    with av.open(io.BytesIO(data), "r") as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler(format="flt", layout="mono", rate=stream.rate)
        frames = [frame for heard in container.decode(stream) for frame in resampler.resample(heard)]
        frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.float32), stream.rate


def join(parts: Sequence[Samples], rate: int) -> DemoAudio:
    """Return the parts one after the other with pauses between them, equally loud."""
    starts, pieces, length = [], [_silence(_LEAD_SECONDS, rate)], round(_LEAD_SECONDS * rate)
    for part in parts:
        starts.append(length / rate)
        pieces += [_level(part), _silence(_PAUSE_SECONDS, rate)]
        length += len(part) + len(pieces[-1])
    return DemoAudio(samples=np.concatenate(pieces), rate=rate, starts=tuple(starts))


def _silence(seconds: float, rate: int) -> Samples:
    return np.zeros(round(seconds * rate), np.float32)


def _level(samples: Samples) -> Samples:
    return (samples * (_PEAK / max(float(np.abs(samples).max()), 1e-6))).astype(np.float32)


@cache
def _voice() -> Any:
    try:
        # Lazy: the voice is an extra that only the example needs.
        from hibari import Hibari
    except ImportError:
        raise ConfigError("the example needs a voice to speak its talks: pip install 'rostra[demo]'") from None
    return Hibari()
