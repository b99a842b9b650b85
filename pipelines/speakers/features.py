"""The features that CAM++ was trained on: logarithms of the energy in 80 bands, 100 times a second.

They are Kaldi's filter banks (https://kaldi-asr.org/doc/feat.html) with its usual settings and without dither: frames
of 25 ms every 10 ms, whole ones only, without their mean, with emphasis of what is high, under Povey's window.
"""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pipelines.media.samples import SAMPLE_RATE, AudioBlock

Features: TypeAlias = npt.NDArray[np.float32]
"""Shape ``(frames, 80)``."""

SHIFT = SAMPLE_RATE // 100
"""Samples from one frame to the next."""
LENGTH = SAMPLE_RATE // 40
"""Samples in a frame."""
BANDS = 80
_FFT = 512
_LOWEST_HZ = 20.0
_EMPHASIS = 0.97
_FLOOR = float(np.finfo(np.float32).eps)


def features(samples: AudioBlock) -> Features:
    """Return the features of sound at full scale 1; less than a frame has none."""
    if len(samples) < LENGTH:
        return np.zeros((0, BANDS), dtype=np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, LENGTH)[::SHIFT]
    parts = np.square(frames @ _spectrum())
    power = parts[:, : _FFT // 2 + 1] + parts[:, _FFT // 2 + 1 :]
    return np.asarray(np.log(np.maximum(power @ _bank(), _FLOOR)), dtype=np.float32)


@cache
def _spectrum() -> npt.NDArray[np.float32]:
    """Return what a frame is multiplied by: its spectrum's even and odd parts come out, shape ``(400, 514)``.

    Taking off the mean, emphasis, the window and the Fourier transform are all linear; one product of matrices takes
    half the time of one after the other.
    """
    angles = 2 * np.pi / _FFT * np.outer(np.arange(LENGTH), np.arange(_FFT // 2 + 1))
    waves = np.concatenate([np.cos(angles), np.sin(angles)], axis=1) * (np.hanning(LENGTH) ** 0.85)[:, None]
    emphasis = np.eye(LENGTH) - _EMPHASIS * np.eye(LENGTH, k=-1)
    emphasis[0, 0] -= _EMPHASIS
    heard = emphasis.T @ waves
    return np.asarray(heard - heard.mean(axis=0), dtype=np.float32)


@cache
def _bank() -> npt.NDArray[np.float32]:
    """Return the weight of each line of the spectrum in each band, shape ``(257, 80)``: triangles on the mel scale."""
    low, high = _mel(np.array([_LOWEST_HZ, SAMPLE_RATE / 2]))
    edges = np.linspace(low, high, BANDS + 2)
    lines = _mel(np.arange(_FFT // 2 + 1) * SAMPLE_RATE / _FFT)[:, None]
    rise = (lines - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - lines) / (edges[2:] - edges[1:-1])
    return np.asarray(np.maximum(np.minimum(rise, fall), 0), dtype=np.float32)


def _mel(hertz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return 1127 * np.log1p(hertz / 700)
