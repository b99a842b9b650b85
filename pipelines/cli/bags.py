"""Bags out and in: ``rostra export bag``, and what ``rostra import`` does with a bag."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.filesize import decimal
from rich.markup import escape

from archive.errors import sqlite_errors
from archive.extracts.parts import RENDITIONS
from archive.extracts.taking_in import THINGS
from pipelines.cli.base import Examples, archive_option, emit, export, json_option, user_name
from pipelines.cli.display import counting_bytes, err, out
from pipelines.errors import BagError
from pipelines.exchange.bagged import TakenIn, import_bag
from pipelines.exchange.bags import export_bag
from pipelines.storage.archive_folder import open_archive_readonly, taking_turns
from pipelines.text import counted

SHOWN = 20


def _kinds(_ctx: click.Context, _option: click.Parameter, text: str) -> tuple[str, ...]:
    """Return the kinds of renditions that are named, with commas."""
    if text in {"all", "none"}:
        return RENDITIONS if text == "all" else ()
    kinds = tuple(filter(None, (each.strip() for each in text.split(","))))
    if strange := [each for each in kinds if each not in RENDITIONS]:
        raise click.BadParameter(f"{strange[0]!r} is none of all, none, {', '.join(RENDITIONS)}")
    return kinds


@export.command(
    "bag",
    cls=Examples,
    examples=(
        "rostra export bag /mnt/disk/talks-2026",
        "rostra export bag /mnt/disk/opening --of winter-school-12/opening",
        "rostra export bag deposit --of winter-school-12 --public --renditions web,poster",
    ),
)
@click.argument("dest", type=click.Path(path_type=Path))
@click.option("--of", "name", metavar="NAME", help="Only this session (its slug, or EVENT/SESSION) or event.")
@click.option("--public", is_flag=True, help="Only what is released, in the form in which it is published.")
@click.option(
    "--renditions",
    default="all",
    show_default=True,
    callback=_kinds,
    help=f"Which files that were made of recordings: all, none, or some of {','.join(RENDITIONS)}.",
)
@json_option
@archive_option
def export_bag_command(
    root: Path, dest: Path, name: str | None, public: bool, renditions: tuple[str, ...], as_json: bool
) -> None:
    """Write a bag (BagIt 1.0, RFC 8493) into DEST, a new folder: files that prove themselves whole.

    It holds recordings, what was made of them, every version of their transcripts, the catalogue's rows, what was done
    to all of that (PREMIS 3.0), and the licences. It is private unless --public is given. Nothing that was withdrawn or
    purged is in it. "rostra import DEST" takes it into an archive again; any tool for BagIt verifies it.
    """
    with open_archive_readonly(root) as context, sqlite_errors(), counting_bytes() as step:
        made = export_bag(context, dest, name, public=public, renditions=renditions, step=step)
    if as_json:
        about = made.about
        emit(
            {"bag": str(made.path), "of": about.scope, "access": about.access, "files": made.files}
            | {"bytes": made.bytes, "tables": about.tables}
        )
        return
    out.print(
        f"A {made.about.access} bag of [bold]{escape(made.about.scope)}[/] in {escape(str(made.path))}:"
        f" {counted(made.files, 'file')}, {decimal(made.bytes)}"
    )
    if not public:
        err.print("[yellow]It holds what is not released:[/] --public makes one that may be given away.")


def import_bags(root: Path, folders: Sequence[Path], *, keep_ours: bool, dry_run: bool, as_json: bool) -> None:
    """Take bags in, one after the other, and say what became of each."""
    told = []
    with taking_turns(root) as context, counting_bytes() as step:
        for folder in folders:
            try:
                done = import_bag(context, folder, keep_ours=keep_ours, dry_run=dry_run, by=user_name(), step=step)
            except BagError as error:
                raise BagError(f"{folder}: {error}") from error
            told.append(_as_dict(folder, done))
            if not as_json:
                _tell(folder, done, dry_run=dry_run)
    if as_json:
        emit(told)
    if any(each["conflicts"] and not keep_ours for each in told):
        sys.exit(1)


def _as_dict(folder: Path, done: TakenIn) -> dict[str, Any]:
    compared = done.compared
    return {
        "bag": str(folder),
        "of": done.about.scope,
        "done": done.done,
        "new": {name: count for name, count in compared.new.items() if count},
        "known": compared.known,
        "conflicts": [{"thing": each.thing, "text": each.text} for each in compared.conflicts],
        "purged": list(compared.purged),
        "kept_back": done.kept_back,
    }


def _tell(folder: Path, done: TakenIn, *, dry_run: bool) -> None:
    compared = done.compared
    out.print(
        f"[bold]{escape(str(folder))}[/]: a bag of {escape(done.about.scope)}, made at {escape(done.about.made_at)}"
    )
    new = [counted(compared.new[name], name) for name in THINGS if name != "series" and compared.new[name]]
    known = sum(compared.known.values())
    would = "would be " if dry_run or not done.done else ""
    out.print(f"  {would}new: {', '.join(new) or 'nothing'}; here already: {known}")
    for each in compared.conflicts[:SHOWN]:
        err.print(f"  [red]✗[/] {escape(each.thing)}: {escape(each.text)}")
    if len(compared.conflicts) > SHOWN:
        err.print(f"  … and {len(compared.conflicts) - SHOWN} more (--json lists all)")
    for sha256 in compared.purged:
        err.print(f"  [yellow]–[/] recording {sha256[:12]} was deleted for good here, and does not come back")
    if compared.conflicts and not done.done and not dry_run:
        err.print("[red]Nothing was taken in:[/] it is otherwise here. --keep-ours takes what is new, and leaves that.")
    elif done.done:
        if done.kept_back:
            err.print(f"  {counted(done.kept_back, 'session')} stays private, as by the default where it comes from")
        err.print("Next: [bold]rostra run[/], which makes what is missing for the site, and publishes.")
