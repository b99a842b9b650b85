"""Timetables in and out: ``rostra import`` and ``rostra export timetable``."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec
from rich.markup import escape

from archive.errors import sqlite_errors
from metadata.times import parse_zone
from metadata.timetables import WRITERS as TIMETABLE_WRITERS
from metadata.timetables.yaml_event import EXAMPLE_YAML
from pipelines.cli.announcements import tell_feed
from pipelines.cli.bags import import_bags
from pipelines.cli.base import Examples, archive_option, command, emit, export, json_option
from pipelines.cli.display import echo, err
from pipelines.exchange import timetables
from pipelines.exchange.announcements import import_announcements
from pipelines.exchange.bagged import is_bag
from pipelines.exchange.timetables import Imported
from pipelines.storage.archive_folder import open_archive_readonly, taking_turns


@command(
    "rostra import event.yaml",
    "rostra import https://events.example.org/schedule.xml --dry-run",
    "rostra import talks.ics --event winter-school-12",
    "rostra import ~/pyvideo-data --json",
    "rostra import /mnt/disk/winter-school-12-bag",
    "rostra import https://example.org/news/feed.atom --announcements winter-school-12",
    "rostra import --example > event.yaml",
    name="import",
)
@click.argument("sources", nargs=-1)
@click.option("--event", help="The event (its slug) that SOURCES describe, where they do not name it.")
@click.option("--announcements", metavar="EVENT", help="Import feeds of news about EVENT (its slug): RSS, Atom, JSON.")
@click.option("--about", help="With --announcements: only entries with these words in title, text or a category.")
@click.option("--time-zone", help="The zone of times that name none, such as Europe/Berlin.  [default: UTC]")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option(
    "--keep-ours", is_flag=True, help="Of a bag: take what is new, and leave what is otherwise here as it is."
)
@click.option("--example", is_flag=True, help="Write an example of an event by hand, in YAML, and import nothing.")
@json_option
@archive_option
def import_(
    root: Path,
    sources: tuple[str, ...],
    event: str | None,
    announcements: str | None,
    about: str | None,
    time_zone: str | None,
    dry_run: bool,
    keep_ours: bool,
    example: bool,
    as_json: bool,
) -> None:
    """Import timetables into the catalogue: SOURCES are files, web addresses, or folders of pyvideo's.

    A SOURCE may also be the folder of a bag that "rostra export bag" made. Its sessions, recordings and transcripts
    come back as they were. Where something of it is otherwise here, that is listed, and nothing of the bag is taken.

    The format is detected. Sessions that were moved or renamed are recognised, and keep their recordings. Corrections
    by hand stay. A session whose timetable asks that it is not recorded or shown becomes private. All SOURCES are
    applied, or none.
    """
    if example:
        click.echo(EXAMPLE_YAML, nl=False)
        return
    if not sources:
        raise click.UsageError("name a file, an address or a folder; `rostra import --example` writes an example")
    if about is not None and not announcements:
        raise click.UsageError("--about goes with --announcements EVENT")
    if any(is_bag(place) for place in sources):
        if not all(is_bag(place) for place in sources) or event or time_zone or announcements:
            raise click.UsageError("import bags by themselves: they say what they are of")
        import_bags(root, [Path(place) for place in sources], keep_ours=keep_ours, dry_run=dry_run, as_json=as_json)
        return
    zone = parse_zone(time_zone).key if time_zone else None
    if announcements:
        _import_feeds(root, sources, announcements, about, zone, dry_run=dry_run, as_json=as_json)
        return
    with taking_turns(root) as context:
        done = timetables.import_timetables(context, sources, event=event, time_zone=zone, dry_run=dry_run)
    if as_json:
        emit(timetables.as_json(done, dry_run=dry_run))
        return
    for each in done:
        _tell(each, dry_run=dry_run)


def _import_feeds(
    root: Path,
    sources: tuple[str, ...],
    event: str,
    about: str | None,
    zone: str | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    with taking_turns(root) as context:
        done = [
            import_announcements(context, each, event, about=about, time_zone=zone, dry_run=dry_run) for each in sources
        ]
    if as_json:
        emit({"dry_run": dry_run, "imported": msgspec.to_builtins(done)})
        return
    for each in done:
        tell_feed(each, _list, dry_run=dry_run)


ROWS_SHOWN = 12


def _tell(done: Imported, *, dry_run: bool) -> None:
    """Say what an import did, or would do."""
    would = "would be " if dry_run else ""
    err.print(f"[bold]{escape(done.source)}[/] ({done.format})")
    for event in done.applied:
        counts = [
            f"{len(slugs)} {would}{verb}"
            for slugs, verb in ((event.added, "added"), (event.changed, "changed"), (event.dropped, "dropped"))
            if slugs
        ]
        stays = [f"{len(event.gone)} gone and kept"] if event.gone else []
        fields = f" ({', '.join(event.fields)})" if event.fields else ""
        sessions = ", ".join([*counts, *stays]) or "none changed"
        err.print(f"  {escape(event.slug)}: event {would}{event.event}{escape(fields)}; sessions: {sessions}")
        lines = [f"~ {each.slug}: {', '.join(each.fields)}" for each in event.changed]
        lines += [f"- {slug}" for slug in event.dropped]
        lines += [f"! {each.slug}: {each.reason}" for each in (*event.gone, *event.corrected)]
        _list(lines)
    if done.still_public:
        names = escape(" ".join(done.still_public))
        err.print("  [yellow]gone from the timetable, and still public.[/] To hide them, or to say that they stay:")
        err.print(f"    [bold]rostra release {names} --private[/]  or  --public")
    if done.described:
        err.print(f"  people {would}described: {len(done.described)}")
    _list([f"? {name}: described here, and in no session" for name in done.unknown])
    _list([f"? {notice.where + ': ' if notice.where else ''}{notice.text}" for notice in done.notices])


def _list(lines: list[str]) -> None:
    for line in lines[:ROWS_SHOWN]:
        err.print(f"    {escape(line)}")
    if len(lines) > ROWS_SHOWN:
        err.print(f"    … and {len(lines) - ROWS_SHOWN} more (--json lists all)")


@export.command(
    "timetable",
    cls=Examples,
    examples=(
        "rostra export timetable winter-school-12 --format schedule.xml",
        "rostra export timetable winter-school-12 --format pyvideo --output data/",
    ),
)
@click.argument("event")
@click.option("--format", "form", type=click.Choice(list(TIMETABLE_WRITERS)), default="yaml", show_default=True)
@click.option("--output", type=click.Path(path_type=Path), help="A file, or a folder.  [default: the screen]")
@archive_option
def export_timetable(root: Path, event: str, form: str, output: Path | None) -> None:
    """Write EVENT (its slug) as a timetable. What the format cannot hold is said."""
    with open_archive_readonly(root) as context, sqlite_errors():
        written = timetables.export_timetable(context, event, form)
    for line in written.unsaid:
        err.print(f"[yellow]–[/] {escape(line)}")
    if output is not None:
        for path in timetables.save(written, output):
            err.print(f"[green]✓[/] {escape(str(path))}")
    elif len(written.files) == 1:
        _show(next(iter(written.files.values())))
    else:
        raise click.UsageError(f"{form} is several files: --output names a folder for them")


def _show(file: bytes) -> None:
    """Write a file to standard output: its bytes, but to a terminal as text."""
    if sys.stdout.isatty():
        echo(file.decode(errors="replace"), nl=False)
    else:
        click.echo(file, nl=False)
