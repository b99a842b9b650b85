"""The archive and its site, from the first day on: ``rostra init``, ``publish`` and ``demo``."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NoReturn

import click
from rich.markup import escape

from archive.errors import sqlite_errors
from archive.publication.releases import next_end
from pipelines import config as configuration
from pipelines.cli.base import archive_option, command, emit, json_option
from pipelines.cli.display import err, out, typed
from pipelines.cli.serve import serve_folder
from pipelines.cli.work import conclude, finish, observing, run_stages
from pipelines.exchange import timetables
from pipelines.run.executors import InProcess
from pipelines.run.observers import Several
from pipelines.run.runner import Observer, RunSummary, Silent, run_stage
from pipelines.stages import Setup, stages_of
from pipelines.stages.base import Item, Outcome, Stage
from pipelines.stages.publish import Publish
from pipelines.stages.static import Static
from pipelines.storage import archive_folder as archives
from pipelines.storage.archive_folder import open_archive, open_archive_readonly, taking_turns


@command("rostra init talks", 'rostra init /srv/archive --title "Winter School"')
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--title", help="What the site calls itself.  [default: the folder's name]")
def init(folder: Path, title: str | None) -> None:
    """Make an archive in FOLDER."""
    new = archives.init(folder, title=title or folder.absolute().name)
    if not new:
        err.print(f"{folder} is an archive already: nothing changed")
        return
    settings = escape(str(archives.Layout(folder).config))
    out.print(f"An archive in [bold]{escape(str(folder))}[/]; its settings are in {settings}")
    out.print(f"Next: [bold]rostra --archive {typed(folder)} pull RECORDING…[/]")


def _of_the_site(_ctx: click.Context, _option: click.Parameter, tag: str | None) -> str | None:
    """Return a language that the site speaks."""
    if tag is None:
        return None
    # The site takes most of a second to import.
    from archive.site.locales import LANGUAGES

    if tag not in LANGUAGES:
        raise click.BadParameter(f"the site speaks {', '.join(LANGUAGES)}")
    return tag


@command(
    "rostra publish",
    "rostra publish --to /srv/www/archive",
    "rostra publish --static /srv/www/talks",
    "rostra publish --static talks --media https://media.example.org/",
    "rostra publish --watch",
)
@click.option("--to", "target", type=click.Path(path_type=Path), help="Another folder than the archive's own.")
@click.option(
    "--static", type=click.Path(path_type=Path), help="Write the site as files for any host into this folder."
)
@click.option("--media", metavar="URL", help="With --static: where recordings are played from, if not from there.")
@click.option("--language", callback=_of_the_site, help="With --static: of its pages.  [default: en]")
@click.option("--watch", is_flag=True, help="Go on, and publish whenever an embargo ends.")
@click.option("--again", is_flag=True, help="Build all of it although nothing has changed, and compare all media.")
@json_option
@archive_option
def publish(
    root: Path,
    target: Path | None,
    static: Path | None,
    media: str | None,
    language: str | None,
    watch: bool,
    again: bool,
    as_json: bool,
) -> None:
    """Build what is released into a database of its own, and swap it in, also while a run is at work.

    Nothing happens where nothing has changed, so that a timer may call it as often as it likes: what was embargoed
    is published by the first call after midnight where its event is. With --watch it goes on by itself.

    What has not changed since the last publication is taken over from it, row by row: the new file has nothing that is
    not released, in no byte. All is built anew where much has changed, where something was redacted or deleted, and
    with --again; what was done is said.

    --static writes every page as a file, with a search that runs in the browser, for hosts that run no program. Only
    what has changed is written again. --media names a folder elsewhere that holds what "rostra publish --to" puts into
    media/ (an empty URL: here again). How a folder was written is kept for the next time.
    """
    if target is not None and static is not None:
        raise click.UsageError("choose --to or --static: they write different things")
    if static is None and (media is not None or language is not None):
        raise click.UsageError("--media and --language go with --static")
    if static is not None:
        _say_what_is_missing(root, static)
        stage: Callable[[bool], Stage] = partial(Static, static, language, _address(media))
    else:
        stage = partial(Publish, target)
    said, began = _Said(), archives.now()
    report = _publish(root, stage(again), as_json=as_json, said=said)
    if as_json:
        folder = target or static or archives.Layout(root).public
        changed = bool(report.counts["done"])
        emit({"folder": str(folder), "changed": changed, "failed": report.failed, "done": said.remark})
    if watch:
        _watch(partial(_publish, root, stage(False), as_json=as_json), partial(_embargo_ended, root), began)
    finish(report, quiet=as_json)


def _address(media: str | None) -> str | None:
    if media and not re.fullmatch(r"https?://[^\s/?#\"'<>;]+(/[^\s?#\"'<>;]*)?", media):
        raise click.UsageError("--media is an address that begins with https:// or http://")
    return media


def _say_what_is_missing(root: Path, folder: Path) -> None:
    """Say where a site of files needs more than what is configured."""
    if not configuration.load(archives.Layout(root).config).site.url:
        err.print(
            f"[yellow]site.url is empty:[/] feeds and lists for search engines in {escape(str(folder))} begin with an"
            " address of this machine. Set it in rostra.toml to where the folder will be."
        )


LOOK_SECONDS = 15.0
"""How often ``--watch`` looks whether an embargo has ended."""


class _Said(Silent):
    """Keeps what a stage says of the item that it did."""

    remark: str | None = None

    def ended(self, item: Item, outcome: Outcome, remark: str | None) -> None:  # noqa: ARG002 one signature
        self.remark = remark


def _publish(root: Path, stage: Stage, *, as_json: bool = False, said: Observer | None = None) -> RunSummary:
    with taking_turns(root) as context, observing(as_json=as_json) as observer:
        report = run_stage(context, stage, InProcess(), Several(observer, said or Silent()))
    if not as_json:
        conclude(report, "published", nothing="Nothing has changed since the last publication.")
    return report


def _embargo_ended(root: Path, since: datetime, until: datetime) -> bool:
    """Return whether an embargo ended between two moments."""
    with open_archive_readonly(root) as context, sqlite_errors():
        end = next_end(context.db, default=context.config.publish.default_release, now=since)
    return end is not None and end <= until


def _watch(
    publish: Callable[[], RunSummary],
    ended: Callable[[datetime, datetime], bool],
    since: datetime,
    *,
    clock: Callable[[], datetime] = archives.now,
    sleep: Callable[[float], None] = time.sleep,
) -> NoReturn:
    """Publish whenever an embargo ends, until interrupted; what could not be published is tried at the next look.

    An embargo may have ended while the last publication was made: ``since`` is when that began.
    """
    err.print("Watching for embargoes that end (Ctrl-C ends it)")
    while True:
        sleep(LOOK_SECONDS)
        until = clock()
        if ended(since, until) and publish().failed:
            continue
        since = until


@command("rostra demo", "rostra demo --no-serve", "rostra demo elsewhere --port 8080")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("demo"))
@click.option("--no-serve", is_flag=True, help="Stop when the archive is built.")
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True)
def demo(folder: Path, no_serve: bool, port: int) -> None:
    """Build an example archive in FOLDER from real speech, and serve it."""
    # The example's makers (a voice, slides) are an extra, which no other command needs.
    from pipelines.demo import SEARCHES, build

    archives.init(folder, title="Rostra demo")
    incoming = folder / "incoming"
    with err.status("making the example's recordings") as spinner:

        def show(file: str, done: int, total: int) -> None:
            spinner.update(f"making the example's recordings: {done} of {total}  {escape(file)}")

        timetable = build(incoming, show)
    with open_archive(folder) as context, observing() as observer:
        timetables.import_timetables(context, [str(timetable)])
        report = run_stages(context, observer, stages_of("pull"), Setup(config=context.config, sources=[incoming]))
        report.merge(run_stages(context, observer, stages_of("run")))
        site = context.config.site
        conclude(report, "done", nothing="Nothing is due: everything was done before.")
    out.print("Three searches to try:")
    for query in SEARCHES:
        out.print(f"  rostra --archive {typed(folder)} search {typed(query)}")
    if report.failed or no_serve:
        out.print(f"To serve it: rostra serve --archive {typed(folder)}")
        finish(report)
        return
    for query in SEARCHES:
        out.print(f"  http://127.0.0.1:{port}/search?q={_in_url(query)}")
    serve_folder(archives.Layout(folder).public, site.names(), "127.0.0.1", port)


def _in_url(query: str) -> str:
    from urllib.parse import quote_plus  # only the demo's last lines make addresses

    return quote_plus(query)
