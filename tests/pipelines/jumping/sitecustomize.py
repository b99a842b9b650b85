"""A wall clock that jumps by hours, forward and back, for every process that has this folder on its PYTHONPATH.

It jumps every three seconds. Dask holds what it has to send for as long as the clock was put back, where that happens
in the milliseconds after it sent something else (`distributed.batched`): the more often, the likelier.
"""

from __future__ import annotations

import time

_real, _monotonic = time.time, time.monotonic


def _jumping() -> float:
    return _real() + (10_000, 0, -10_000, 5_000)[int(_monotonic() / 3) % 4]


time.time = _jumping
