"""A wall clock that jumps by hours every half second, for every process that has this folder on its PYTHONPATH.

It jumps forward and back for Rostra and all that it uses, but for Dask and what that waits by: put back within
milliseconds of a message, Dask holds its next one until the clock is there again (`distributed.batched`).
"""

from __future__ import annotations

import sys
import time

_real, _monotonic = time.time, time.monotonic
_SPARED = ("dask", "distributed", "tornado")


def _jumping() -> float:
    asking = str(sys._getframe(1).f_globals.get("__name__"))
    if asking.partition(".")[0] in _SPARED:
        return _real()
    return _real() + (10_000, 0, -10_000, 5_000)[int(_monotonic() * 2) % 4]


time.time = _jumping
