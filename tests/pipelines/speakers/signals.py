"""A sound that any program can make to the bit: a sum of sines that glide."""

from __future__ import annotations

import numpy as np

from pipelines.media.samples import SAMPLE_RATE, AudioBlock


def glide(seconds: float) -> AudioBlock:
    """Return the sound, 16 kHz."""
    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    voice = sum(np.sin(2 * np.pi * 110 * part * (at + 0.05 * np.sin(3 * at))) / part for part in range(1, 20))
    return np.asarray(0.1 * voice * (0.6 + 0.4 * np.sin(7 * at)), dtype=np.float32)
