"""A driver in a process of its own: ``python -m tests.pipelines.driver ARCHIVE WORKERS SUBJECT=TASK…``."""

from __future__ import annotations

import sys
from pathlib import Path

from pipelines.cli import main
from pipelines.context import open_archive
from pipelines.executors import Local
from pipelines.limits import Limits
from pipelines.runner import run_stage
from tests.pipelines.trials import Trial, Watch


def drive(root: Path, workers: int, *tasks: str) -> None:
    parted = [(subject, task) for subject, _, task in (x.partition("=") for x in tasks)]
    with open_archive(root) as context:
        limits = Limits(grace=context.config.run.patience, patience=0)
        run_stage(context, Trial(parted, root / "kept"), Local(workers, context.layout.work, limits), Watch())


if __name__ == "__main__":
    main(lambda: drive(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]))
