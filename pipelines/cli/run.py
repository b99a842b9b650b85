"""``rostra run``: whatever is due."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from pipelines.cli.base import archive_option, command, in_full
from pipelines.cli.work import conclude, ending_as, finish, observing, run_stages
from pipelines.config import QUALITIES, Quality
from pipelines.run.observers import notifying
from pipelines.stages import STAGES, Setup, stages_of
from pipelines.storage.archive_folder import open_archive

STAGES_OF_RUN = [stage for stage in STAGES if stage.command == "run"]


def _stages_help() -> str:
    """Return a paragraph of help that keeps its lines, one a stage."""
    width = max(len(stage.name) for stage in STAGES_OF_RUN)
    return "\n".join(["\b", "Stages:", *(f"  {stage.name:{width}}  {stage.summary}" for stage in STAGES_OF_RUN)])


def _options(function: Callable[..., None]) -> Callable[..., None]:
    """Add ``--only``, and an option for each stage that not every run includes."""
    for stage in reversed(STAGES_OF_RUN):
        if stage.option:
            function = click.option(f"--{stage.name}", is_flag=True, help=stage.option)(function)
    names = click.Choice([stage.name for stage in STAGES_OF_RUN])
    return click.option("--only", type=names, help="Run one stage alone.")(function)


@command(
    "rostra run",
    "rostra run --only transcribe --workers 2",
    "rostra run --translate",
    "rostra run --cluster tls://head:8786",
    more=_stages_help(),
)
@_options
@click.option("--workers", type=click.IntRange(1, 1024), help="Recordings to transcribe at once.")
@click.option("--model", callback=in_full, help="Whisper's size or a folder of weights, for this run.")
@click.option("--quality", type=click.Choice(QUALITIES), help="How often to hear what is unsure again, for this run.")
@click.option("--cluster", metavar="URL", help="Work on Dask workers behind this scheduler: tls://HOST:8786.")
@click.option("--log-json", is_flag=True, help="Say how it goes as JSON lines on standard error.")
@click.option("--metrics", type=click.Path(path_type=Path), help="A file for Prometheus' textfile collector.")
@archive_option
def run(
    root: Path,
    only: str | None,
    workers: int | None,
    model: str | None,
    quality: Quality | None,
    cluster: str | None,
    log_json: bool,
    metrics: Path | None,
    **stages: bool,
) -> None:
    """Do whatever is due, stage by stage. Running it again does what is left."""
    with (
        ending_as(as_json=log_json),
        open_archive(root) as context,
        notifying(context.config.run.notify, root) as notice,
        observing(as_json=log_json, metrics=metrics) as observer,
    ):
        chosen = stages_of("run", only=only, asked=[name for name, asked in stages.items() if asked])
        setup = Setup(config=context.config, model=model, quality=quality)
        report = run_stages(context, observer, chosen, setup, workers=workers, cluster=cluster)
        notice.report = report
        if not log_json:
            conclude(report, "done", nothing="Nothing is due.")
    finish(report, quiet=log_json)
