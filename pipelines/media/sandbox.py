"""Programs that work on hostile input, held to limits by the operating system.

A small Python process sets the limits (`setrlimit(2)`) and then becomes the program: no code runs between
a fork of this process and its ``exec``, which threads could deadlock.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

MEMORY_BYTES = 4 << 30
"""Address space that a program may have; most of it is never used."""

_LAUNCH = """
import os, resource, signal, sys
memory, seconds = int(sys.argv[1]), int(sys.argv[2])
for kind, soft, hard in (
    (resource.RLIMIT_AS, memory, memory),
    (resource.RLIMIT_CPU, seconds, seconds + 5),  # SIGXCPU, and SIGKILL for whoever ignores it
    (resource.RLIMIT_CORE, 0, 0),
):
    try:
        resource.setrlimit(kind, (soft, hard))
    except (ValueError, OSError):
        pass  # a lower one holds already, or this system has none
if sys.platform == 'linux':
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: it ends with whoever began it
os.execv(sys.argv[3], sys.argv[3:])
"""


def limited(command: Sequence[str], *, cpu_seconds: float, memory: int = MEMORY_BYTES) -> list[str]:
    """Return a command that runs another, whose program must be a path, within limits.

    Args:
        command: what to run.
        cpu_seconds: how long it may compute, over all its threads; it is killed then.
        memory: how many bytes of address space it may have; it gets no more then.
    """
    return [sys.executable, "-I", "-S", "-c", _LAUNCH, str(memory), str(max(1, round(cpu_seconds))), *command]
