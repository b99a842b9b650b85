"""How this machine is shared out among the recordings that are due.

Two processors on one recording are slower than one on each of two: some work comes before the first window and after
the last, and windows seldom come out even (``python -m tests.bench.scale workers`` measures it). So there are as many
workers as processors, where there are as many recordings and there is memory for as many models.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipelines.config import Config, cores

WORKER_BYTES, THREAD_BYTES = 450_000_000, 150_000_000
"""What a worker, and each of its threads, takes beside its model."""
MODEL_FACTOR, THREAD_FACTOR = 1.5, 1.0
"""What the model takes, and each thread's windows in it, as multiples of its weights' size. With base, one thread took
848 MiB, and two took 1,091 to 1,162 (`tests.bench.scale`)."""
MEMORY_SHARE = 0.75
"""Of the memory that is free, what workers may take together."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """What there is to share out: processors, free memory in bytes, and whether the engine has a GPU."""

    processors: int
    memory: int
    gpu: bool = False

    @classmethod
    def here(cls) -> Capacity:
        """Return what this process may use of this machine."""
        import ctranslate2  # which is needed only where something is due

        return cls(cores(), free_memory(), bool(ctranslate2.get_cuda_device_count()))


def workers(
    config: Config, due: int, machine: Capacity | None = None, *, weights: int, wanted: int | None = None
) -> int:
    """Return how many recordings to transcribe at once: as asked, as configured, or as there is room for.

    Args:
        config: the archive's.
        due: how many recordings there are.
        machine: that does them; None is this one, which is looked at only where nothing was chosen.
        weights: the size of what each worker loads, in bytes.
        wanted: what somebody asked for.
    """
    if chosen := wanted or config.run.workers:
        return chosen
    machine = machine or Capacity.here()
    if machine.gpu and config.transcribe.device != "cpu":
        return 1  # which gives it large batches; more would each load the model
    for count in range(min(machine.processors, due), 1, -1):
        each = THREAD_BYTES + THREAD_FACTOR * weights
        one = WORKER_BYTES + MODEL_FACTOR * weights + threads(count, machine.processors) * each
        if count * one <= MEMORY_SHARE * machine.memory:
            return count
    return 1


def threads(count: int, processors: int) -> int:
    """Return how many processors each of so many workers has."""
    return max(1, processors // count)


def free_memory() -> int:
    """Return how many bytes of memory are free, within what a container may take."""
    # Half of what there is, on systems that do not tell.
    free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    with suppress(OSError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        free = int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1]) * 1024
    with suppress(OSError, ValueError):  # without a limit it says "max"
        free = min(free, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return free
