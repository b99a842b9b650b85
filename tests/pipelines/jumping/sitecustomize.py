"""A wall clock that jumps by hours, forward and back, for every process that has this folder on its PYTHONPATH."""

from __future__ import annotations

import time

_real, _monotonic = time.time, time.monotonic


def _jumping() -> float:
    return _real() + (10_000, 0, -10_000, 5_000)[int(_monotonic() * 2) % 4]


time.time = _jumping
