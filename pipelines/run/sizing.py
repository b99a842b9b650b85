"""How this machine's processors and memory are shared among the recordings that are due.

Two processors on one recording are slower than one processor on each of two recordings: the work before the first
window and after the last runs on one processor, and windows are rarely shared out evenly (measured by ``python -m
tests.bench.scale workers``). So there are as many workers as processors, provided that there are as many recordings and
enough memory for as many models.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipelines.config import Config, cores

WORKER_BYTES, THREAD_BYTES = 450_000_000, 150_000_000
"""Memory of a worker, and of each of its threads, without the model, in bytes."""
MODEL_FACTOR, THREAD_FACTOR = 1.5, 1.0
"""Memory of the model, and of each thread's windows, as multiples of the weights' size. With base, one thread took
848 MiB, and two took 1,091 to 1,162 (`tests.bench.scale`)."""
MEMORY_SHARE = 0.75
"""The part of the free memory that all workers together may use."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a machine offers: processors, free memory in bytes, and whether the engine has a GPU."""

    processors: int
    memory: int
    gpu: bool = False

    @classmethod
    def here(cls) -> Capacity:
        """Return what this process may use of this machine."""
        import ctranslate2  # imported here, since it is needed only where something is due

        return cls(cores(), free_memory(), bool(ctranslate2.get_cuda_device_count()))


def workers(
    config: Config, due: int, machine: Capacity | None = None, *, weights: int, wanted: int | None = None
) -> int:
    """Return how many recordings to transcribe at once: as asked, else as configured, else as there is room for.

    Args:
        config: the archive's.
        due: how many recordings there are.
        machine: the machine that transcribes them; None for this one, which is measured only where nothing was chosen.
        weights: the size of what each worker loads, in bytes.
        wanted: what somebody asked for.
    """
    if chosen := wanted or config.run.workers:
        return chosen
    machine = machine or Capacity.here()
    if machine.gpu and config.transcribe.device != "cpu":
        return 1  # one worker fills a GPU with large batches; each further one would load the model again
    for count in range(min(machine.processors, due), 1, -1):
        if count * _child_bytes(threads(count, machine.processors), weights) <= MEMORY_SHARE * machine.memory:
            return count
    return 1


def others(count: int, machine: Capacity | None = None, *, weights: int) -> int:
    """Return how many more children may work on another stage while each of ``count`` works on a recording.

    Where a worker has several processors, they wait for each other for a quarter of the time. A child of one thread
    uses that: one recording was transcribed and its voices told apart in 0.8 times the time on two processors (14.2
    and 16.5 seconds one after the other, 11.5 and 13.0 together). Where each worker has one processor, none is idle
    before the last recordings.

    Args:
        count: workers, as `workers` says.
        machine: the machine; None for this one.
        weights: the size of what the workers and the others load, in bytes.
    """
    machine = machine or Capacity.here()
    each = threads(count, machine.processors)
    if each == 1:
        return 0
    taken = count * _child_bytes(each, weights) + _child_bytes(1, weights)
    return int(taken <= MEMORY_SHARE * machine.memory)


def _child_bytes(threads: int, weights: int) -> float:
    return WORKER_BYTES + MODEL_FACTOR * weights + threads * (THREAD_BYTES + THREAD_FACTOR * weights)


def threads(count: int, processors: int) -> int:
    """Return how many threads each worker gets when the processors are shared among the workers."""
    return max(1, processors // count)


def free_memory() -> int:
    """Return how many bytes of memory are free, within what a container may take."""
    # Half of the machine's memory, on systems that do not report what is free.
    free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    with suppress(OSError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        free = int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1]) * 1024
    with suppress(OSError, ValueError):  # without a limit it says "max"
        free = min(free, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return free
