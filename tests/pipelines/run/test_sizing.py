from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.config import Config, Run, TranscribeSettings
from pipelines.run.sizing import Capacity, others, threads, workers
from pipelines.transcribers.models import bytes_of

GB = 1_000_000_000
LAPTOP, SERVER = Capacity(2, 6 * GB), Capacity(16, 120 * GB)


@pytest.mark.parametrize(
    ("machine", "due", "model", "expected"),
    [
        (LAPTOP, 30, "base", 2),
        (LAPTOP, 1, "base", 1),
        (LAPTOP, 30, "large-v3", 1),
        (SERVER, 300, "base", 16),
        (SERVER, 3, "base", 3),
        (SERVER, 300, "large-v3", 10),
        (SERVER, 300, "somebody/finetuned", 10),
        (Capacity(8, 2 * GB), 300, "base", 1),
        (Capacity(8, 100_000_000), 300, "base", 1),
        (Capacity(16, 120 * GB, gpu=True), 300, "base", 1),
    ],
)
def test_as_many_work_at_once_as_there_is_work_processors_and_memory_for(
    machine: Capacity, due: int, model: str, expected: int
) -> None:
    assert workers(Config(), due, machine, weights=bytes_of(model)) == expected


def test_what_is_asked_for_comes_before_what_is_configured_and_that_before_the_machine() -> None:
    config = Config(run=Run(workers=3))
    assert workers(config, 1, LAPTOP, weights=bytes_of("base"), wanted=5) == 5
    assert workers(config, 1, LAPTOP, weights=bytes_of("base")) == 3


@pytest.mark.parametrize(
    ("machine", "workers", "expected"),
    [
        (LAPTOP, 1, 1),
        (LAPTOP, 2, 0),
        (Capacity(1, 6 * GB), 1, 0),
        (SERVER, 3, 1),
        (SERVER, 16, 0),
        (Capacity(2, 2 * GB), 1, 0),
        (Capacity(16, 120 * GB, gpu=True), 1, 1),
    ],
)
def test_another_stage_is_worked_on_beside_workers_of_several_processors_where_memory_allows_it(
    machine: Capacity, workers: int, expected: int
) -> None:
    assert others(workers, machine, weights=bytes_of("base")) == expected


def test_gpu_that_is_not_to_be_used_counts_for_nothing() -> None:
    config = Config(transcribe=TranscribeSettings(device="cpu"))
    assert workers(config, 300, Capacity(4, 120 * GB, gpu=True), weights=bytes_of("base")) == 4


def test_processors_are_shared_out_and_everybody_has_one() -> None:
    assert [threads(count, 16) for count in (1, 3, 16, 20)] == [16, 5, 1, 1]


def test_weights_are_as_large_as_their_files(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(bytes(1000))
    (tmp_path / "config.json").write_bytes(bytes(24))
    assert bytes_of(str(tmp_path)) == 1024
    assert bytes_of("base") == pytest.approx(145_000_000, rel=0.05)


def test_this_machine_has_processors_and_memory() -> None:
    here = Capacity.here()
    assert here.processors >= 1
    assert here.memory > 50_000_000
