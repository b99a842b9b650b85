"""Sound as Rostra hears it: mono samples at one rate."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
"""Hz. Whisper's weights were trained at this rate (Radford et al. 2022, section 2.2)."""

AudioBlock: TypeAlias = NDArray[np.float32]
"""Mono samples at `SAMPLE_RATE`, shape ``(n,)``, -1 to 1."""
