"""A driver in a process of its own: ``python -m tests.pipelines.driver ARCHIVE WORKERS|URL SUBJECT=TASK…``.

Limits and certificates are those of the archive's settings, patience being how long an item may take.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pipelines.cli import main
from pipelines.config import Limits
from pipelines.run.executors import Executor, Local
from pipelines.run.runner import run_stage
from pipelines.storage.archive_folder import Context, open_archive
from tests.pipelines.trials import Trial, Watch

LOADING = 30.0
"""Seconds that a worker may take to begin."""


def drive(root: Path, where: str, *tasks: str) -> None:
    parted = [(subject, task) for subject, _, task in (x.partition("=") for x in tasks)]
    with open_archive(root) as context:
        limits = Limits(grace=LOADING, patience=context.config.run.patience - LOADING)
        run_stage(context, Trial(parted, root / "kept"), executor(context, where, limits), Watch())


def executor(context: Context, where: str, limits: Limits) -> Executor:
    if where.isdigit():
        return Local(int(where), context.layout.work, limits)
    # Dask takes longer to import than all else.
    from pipelines.run.dask_cluster import Cluster

    return Cluster(where, context.config.cluster, limits)


if __name__ == "__main__":
    main(lambda: drive(Path(sys.argv[1]), *sys.argv[2:]))
