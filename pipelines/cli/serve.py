"""``rostra serve``, which imports little: every process of the site begins with it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click
from rich.markup import escape

from archive.publication.folder import SiteNames, read_names
from pipelines import config as configuration
from pipelines.cli.base import archive_option, command
from pipelines.cli.display import err
from pipelines.storage import archive_folder as archives


def _proxies(_ctx: click.Context, _option: click.Parameter, named: tuple[str, ...]) -> tuple[str, ...]:
    """Return addresses of proxies."""
    for each in named:
        if not configuration.is_proxy(each):
            raise click.BadParameter(f"{each!r} {configuration.NO_PROXY}")
    return named


@command(
    "rostra serve",
    "rostra serve --port 8080 --archive talks",
    "rostra serve /srv/www/archive --host 0.0.0.0 --workers 4",
)
@click.argument(
    "published", metavar="[FOLDER]", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False)
)
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 serves other machines too.")
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes; one a core.")
@click.option(
    "--proxy",
    "proxies",
    multiple=True,
    callback=_proxies,
    help="Address or network of a proxy before the site that is believed.",
)
@archive_option
def serve(root: Path, published: Path | None, port: int, host: str, workers: int, proxies: tuple[str, ...]) -> None:
    """Serve the published site, the archive's own or the one in FOLDER. A new publication is noticed without a restart.

    FOLDER is one that "rostra publish --to FOLDER" made, which needs nothing else of the archive, or an archive.
    """
    if published is not None and archives.Layout(published).config.is_file():
        root, published = published, None
    if published is not None:
        serve_folder(published, read_names(published), host, port, proxies=proxies, workers=workers)
        return
    layout = archives.Layout(root)
    site = configuration.load(layout.config).site
    serve_folder(layout.public, site.names(), host, port, proxies=(*site.proxies, *proxies), workers=workers)


def serve_folder(
    public: Path, names: SiteNames, host: str, port: int, *, proxies: tuple[str, ...] = (), workers: int = 1
) -> None:
    """Serve a published folder until it is interrupted, and say where."""
    with suppress(KeyboardInterrupt):  # which is how it ends
        # Datasette takes most of a second to import, which only serving is worth.
        from archive.site.app import serve as serve_site

        def ready(address: str) -> None:
            called = f"[bold]{escape(names.title)}[/] " if names.title else ""
            err.print(f"Serving {called}at [bold]{escape(address)}/[/] (Ctrl-C ends it)")

        serve_site(public, host, port, names, proxies=proxies, workers=workers, ready=ready)
