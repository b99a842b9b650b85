from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from pipelines.errors import TranscriberError
from pipelines.transcribers.devices import choose


@dataclass(frozen=True)
class Backend:
    """A machine with so many GPUs and these kinds of numbers."""

    gpus: int = 0
    numbers: dict[str, set[str]] = field(default_factory=lambda: {"cpu": {"int8", "float32"}})

    def get_cuda_device_count(self) -> int:
        return self.gpus

    def get_supported_compute_types(self, device: str) -> set[str]:
        return self.numbers[device]


GPU = Backend(1, {"cpu": {"int8", "float32"}, "cuda": {"int8", "float16", "float32"}})
OLD_GPU = Backend(1, {"cpu": {"int8", "float32"}, "cuda": {"int8", "float32"}})


@pytest.mark.parametrize(
    ("machine", "device", "compute_type", "expected"),
    [
        (Backend(), "auto", None, ("cpu", "int8")),
        (GPU, "auto", None, ("cuda", "float16")),
        (GPU, "cpu", None, ("cpu", "int8")),
        (GPU, "auto", "int8", ("cuda", "int8")),
        (OLD_GPU, "auto", None, ("cuda", "float32")),
        (Backend(0, {"cpu": {"float32"}}), "auto", None, ("cpu", "float32")),
        (Backend(0, {"cpu": {"int16"}}), "auto", None, ("cpu", "default")),
    ],
)
def test_weights_run_on_the_best_that_is_there(
    machine: Backend, device: str, compute_type: str | None, expected: tuple[str, str]
) -> None:
    assert choose(device, compute_type, machine) == expected


def test_a_gpu_that_is_asked_for_and_missing() -> None:
    with pytest.raises(TranscriberError, match="no GPU"):
        choose("cuda", None, Backend())
