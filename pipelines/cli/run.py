"""``rostra run``: whatever is due."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.base import archive_option, command, in_full
from pipelines.cli.work import conclude, ending_as, finish, observing, run_stages
from pipelines.run.observers import notifying
from pipelines.storage.archive_folder import open_archive

STAGES = ("transcribe", "translate", "render", "index", "publish")


@command(
    "rostra run",
    "rostra run --only transcribe --workers 2",
    "rostra run --translate",
    "rostra run --cluster tls://head:8786",
)
@click.option("--only", type=click.Choice(STAGES), help="Run one stage alone.")
@click.option("--workers", type=click.IntRange(1, 1024), help="Recordings to transcribe at once.")
@click.option("--model", callback=in_full, help="Whisper's size or a folder of weights, for this run.")
@click.option("--translate", is_flag=True, help="Translate what is not in English, too.")
@click.option("--cluster", metavar="URL", help="Work on Dask workers behind this scheduler: tls://HOST:8786.")
@click.option("--log-json", is_flag=True, help="Say how it goes as JSON lines on standard error.")
@click.option("--metrics", type=click.Path(path_type=Path), help="A file for Prometheus' textfile collector.")
@archive_option
def run(
    root: Path,
    only: str | None,
    workers: int | None,
    model: str | None,
    translate: bool,
    cluster: str | None,
    log_json: bool,
    metrics: Path | None,
) -> None:
    """Do whatever is due: transcribe, render for the site, index, publish. Running it again does what is left."""
    with (
        ending_as(as_json=log_json),
        open_archive(root) as context,
        notifying(context.config.run.notify, root) as notice,
        observing(as_json=log_json, metrics=metrics) as observer,
    ):
        report = run_stages(
            context, observer, only=only, workers=workers, model=model, translate=translate, cluster=cluster
        )
        notice.report = report
        if not log_json:
            conclude(report, "done", nothing="Nothing is due.")
    finish(report, quiet=log_json)
