"""Sound as Rostra hears it: mono samples at one rate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
"""Hz. Whisper's weights were trained at this rate (Radford et al. 2022, section 2.2)."""

AudioBlock: TypeAlias = NDArray[np.float32]
"""Mono samples at `SAMPLE_RATE`, shape ``(n,)``, -1 to 1."""


def stretches(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return where a mask is true: the first frame of each stretch, and the one after its last."""
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False)).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def joined(found: Iterable[tuple[int, int]], gap: int) -> list[tuple[int, int]]:
    """Return stretches in order, those in one that less than ``gap`` frames part."""
    together: list[tuple[int, int]] = []
    for first, last in found:
        if together and first - together[-1][1] < gap:
            together[-1] = (together[-1][0], last)
        else:
            together.append((first, last))
    return together
