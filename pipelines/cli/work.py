"""How commands have stages run: where, watched by whom, and what is said at the end."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from archive.errors import ArchiveError
from pipelines import config as configuration
from pipelines.cli.display import ProgressObserver, err
from pipelines.errors import ConfigError, PipelineError
from pipelines.run import sizing
from pipelines.run.executors import Executor, InProcess, Local, Pool
from pipelines.run.observers import Log, Metrics, Several, to_journal
from pipelines.run.runner import Observer, RunSummary, Work, due_in, run_stage, run_together
from pipelines.stages import Setup, StageEntry
from pipelines.stages.base import Item
from pipelines.storage.archive_folder import Context


@contextmanager
def observing(*, as_json: bool = False, metrics: Path | None = None) -> Iterator[Observer]:
    """Show a run to people at a terminal, and write it down line by line elsewhere."""
    more = [Metrics(metrics)] if metrics else []
    try:
        if err.is_terminal and not as_json:
            with ProgressObserver() as shown:
                yield Several(shown, *more)
        else:
            yield Several(Log(sys.stderr, as_json=as_json, journal=to_journal()), *more)
    finally:
        for observer in more:
            observer.write()


@contextmanager
def ending_as(*, as_json: bool) -> Iterator[None]:
    """Say what ends a block as the log does, where that is JSON."""
    try:
        yield
    except (PipelineError, ArchiveError) as error:
        if not as_json:
            raise
        Log(sys.stderr, as_json=True).failed(error)
        sys.exit(2)


def run_stages(
    context: Context,
    observer: Observer,
    stages: Iterable[StageEntry],
    setup: Setup | None = None,
    *,
    workers: int | None = None,
    cluster: str | None = None,
) -> RunSummary:
    """Run stages of the pipeline: one after the other, or one beside another where that saves time.

    Args:
        context: the archive, open for writing.
        observer: who is told how it goes.
        stages: which, in order.
        setup: what they are made from; None is the archive's configuration alone.
        workers: how many recordings at once, instead of what the configuration says.
        cluster: the address of a Dask scheduler whose workers do all but moving rows.

    Raises:
        ConfigError: what the cluster needs is not installed, or a setting is wrong.
        PipelineError: something that is no recording's fault ended the run.
    """
    report = RunSummary()
    setup = setup or Setup(config=context.config)
    waiting = deque(stages)
    while waiting:
        entry = waiting.popleft()
        if entry.runs_on == "driver":
            done = run_stage(context, entry.make(setup), InProcess(), observer)
        elif entry.runs_on == "workers":
            done = run_stage(context, entry.make(setup), _below(context, workers, cluster), observer)
        elif not cluster and waiting and waiting[0].beside == entry.name:
            done = _run_beside(context, observer, (entry, waiting.popleft()), setup, workers)
        else:
            done = _run_with_models(context, observer, entry, setup, workers, cluster)
        report.merge(done)
    return report


def _run_with_models(
    context: Context,
    observer: Observer,
    entry: StageEntry,
    setup: Setup,
    workers: int | None,
    cluster: str | None,
    due: list[Item] | None = None,
) -> RunSummary:
    """Run a stage that loads a model, with this machine's processors shared out among its workers."""
    stage = entry.make(setup)
    due = due_in(context, stage) if due is None else due
    if due and not cluster:
        weights = entry.weights_bytes(setup)
        workers = sizing.workers(context.config, len(due), weights=weights, wanted=workers)
        stage = entry.make(replace(setup, threads=sizing.threads(workers, configuration.cores())))
    return run_stage(context, stage, _below(context, workers, cluster), observer, due)


def _run_beside(
    context: Context, observer: Observer, entries: Sequence[StageEntry], setup: Setup, workers: int | None
) -> RunSummary:
    """Run stages that load a model beside each other: the first has all the workers that it needs.

    Children are left for others where processors would be idle (`sizing.others`), and once the first stage has begun
    its last item.
    """
    dues = [due_in(context, entry.make(setup)) for entry in entries]
    if not all(dues):
        report = _run_with_models(context, observer, entries[0], setup, workers, None, dues[0])
        for entry in entries[1:]:  # the first may have left them more
            report.merge(_run_with_models(context, observer, entry, setup, workers, None))
        return report
    weights = entries[0].weights_bytes(setup)
    count = sizing.workers(context.config, len(dues[0]), weights=weights, wanted=workers)
    size = count + sizing.others(count, weights=weights)
    each = sizing.threads(count, configuration.cores())
    works = [
        Work(entry.make(replace(setup, threads=1 if nth else each)), due, size if nth else count)
        for nth, (entry, due) in enumerate(zip(entries, dues, strict=True))
    ]
    with Pool(size, context.layout.work, configuration.limits(context.config)) as pool:
        return run_together(context, pool, works, observer)


def _below(context: Context, workers: int | None, cluster: str | None) -> Executor:
    return _cluster(context, cluster) if cluster else local(context, workers)


def local(context: Context, wanted: int | None = None) -> Local:
    """Return the executor of this machine, with the workers and limits that are configured or wanted."""
    return Local(
        configuration.workers(context.config, wanted), context.layout.work, configuration.limits(context.config)
    )


def _cluster(context: Context, address: str) -> Executor:
    # Dask is an extra, and takes a second to import.
    try:
        from pipelines.run.dask_cluster import Cluster
    except ImportError as error:
        raise ConfigError(f"--cluster needs Dask ({error}): pip install 'rostra[cluster]'") from error
    return Cluster(address, context.config.cluster, configuration.limits(context.config))


def conclude(report: RunSummary, verb: str, *, nothing: str) -> None:
    """Say in one line how many items ended how, stage by stage if there were several, or that there were none."""
    said = {
        stage: ", ".join(f"{count} {verb if status == 'done' else status}" for status, count in sorted(counts.items()))
        for stage, counts in report.stages.items()
    }
    several = len(said) > 1
    err.print("; ".join(f"{stage}: {each}" if several else each for stage, each in said.items()) or nothing)


def finish(report: RunSummary, *, quiet: bool = False) -> None:
    """Leave with exit status 1 if items failed."""
    if not report.failed:
        return
    if not quiet:
        err.print("Some items need attention: [bold]rostra status[/] lists them with their reasons.")
    sys.exit(1)
