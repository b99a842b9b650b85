"""The archive and its site, from the first day on: ``rostra init``, ``publish``, ``serve`` and ``demo``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape

from pipelines import config as configuration
from pipelines.cli.base import archive_option, command
from pipelines.cli.display import err, out
from pipelines.cli.work import conclude, finish, observing, run_stages
from pipelines.exchange import timetables
from pipelines.run.executors import InProcess
from pipelines.run.runner import run_stage
from pipelines.stages import Setup, stages_of
from pipelines.stages.publish import Publish
from pipelines.storage import archive_folder as archives
from pipelines.storage.archive_folder import open_archive


@command("rostra init talks", 'rostra init /srv/archive --title "Winter School"')
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--title", help="What the site calls itself.  [default: the folder's name]")
def init(folder: Path, title: str | None) -> None:
    """Make an archive in FOLDER."""
    new = archives.init(folder, title=title or folder.absolute().name)
    if not new:
        err.print(f"{folder} is an archive already: nothing changed")
        return
    out.print(f"An archive in [bold]{escape(str(folder))}[/]; its settings are in {archives.Layout(folder).config}")
    out.print(f"Next: [bold]rostra --archive {escape(str(folder))} pull RECORDING…[/]")


@command("rostra publish", "rostra publish --to /srv/www/archive")
@click.option("--to", "target", type=click.Path(path_type=Path), help="Another folder than the archive's own.")
@archive_option
def publish(root: Path, target: Path | None) -> None:
    """Build what is released into a database of its own, and swap it in."""
    with open_archive(root) as context, observing() as observer:
        report = run_stage(context, Publish(target), InProcess(), observer)
        conclude(report, "published", nothing="Nothing has changed since the last publication.")
    finish(report)


@command("rostra serve", "rostra serve --port 8080 --archive talks")
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 serves other machines too.")
@archive_option
def serve(root: Path, port: int, host: str) -> None:
    """Serve the published site. A new publication is noticed without a restart."""
    layout = archives.Layout.at(root)
    _serve(layout, configuration.load(layout.config).site, host, port)


def _serve(layout: archives.Layout, site: configuration.Site, host: str, port: int) -> None:
    # Datasette takes most of a second to import, which only serving is worth.
    from archive.site.app import serve as serve_site

    err.print(f"Serving [bold]{escape(site.title)}[/] at [bold]http://{host}:{port}/[/] (Ctrl-C ends it)")
    serve_site(
        layout.public, host, port, title=site.title, url=site.url or None, hub=site.hub or None, proxies=site.proxies
    )


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
        out.print(f"  rostra --archive {escape(str(folder))} search {escape(_quoted(query))}")
    if report.failed or no_serve:
        out.print(f"To serve it: rostra serve --archive {escape(str(folder))}")
        finish(report)
        return
    for query in SEARCHES:
        out.print(f"  http://127.0.0.1:{port}/search?q={_in_url(query)}")
    _serve(archives.Layout.at(folder), site, "127.0.0.1", port)


def _quoted(query: str) -> str:
    import shlex  # only the demo's last lines quote for a shell

    return shlex.quote(query)


def _in_url(query: str) -> str:
    from urllib.parse import quote_plus  # only the demo's last lines make addresses

    return quote_plus(query)
