"""Where weights run, and in what numbers: by what the machine has."""

from __future__ import annotations

from typing import Protocol

from pipelines.errors import TranscriberError

_NUMBERS = {"cpu": ("int8", "float32"), "cuda": ("float16", "float32")}
"""By device, the best first: GPUs before Volta have no fast float16, and some CPUs no int8
(https://opennmt.net/CTranslate2/quantization.html)."""


class Backend(Protocol):
    """What CTranslate2 tells of this machine; the module ``ctranslate2`` is one."""

    def get_cuda_device_count(self) -> int:
        """Return how many GPUs there are."""

    def get_supported_compute_types(self, device: str) -> set[str]:
        """Return the kinds of numbers that a device computes with."""


def choose(device: str, compute_type: str | None, machine: Backend) -> tuple[str, str]:
    """Return device and compute type: what is asked for, or else the best that is there.

    Raises:
        TranscriberError: a GPU is asked for and there is none.
    """
    gpus = machine.get_cuda_device_count()
    if device == "cuda" and not gpus:
        raise TranscriberError('device = "cuda", but there is no GPU that CTranslate2 can use: say "auto" or "cpu"')
    if device == "auto":
        device = "cuda" if gpus else "cpu"
    if compute_type is None:
        there = machine.get_supported_compute_types(device)
        compute_type = next((numbers for numbers in _NUMBERS[device] if numbers in there), "default")
    return device, compute_type
