"""Portraits of people: ``rostra portrait``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape

from archive.catalogue.portraits import (
    State,
    delete_portrait,
    named_in_data,
    portraits,
    set_portrait,
    set_state,
)
from archive.connection import transaction
from pipelines.cli.base import archive_option, command, emit, json_option
from pipelines.cli.display import echo, err
from pipelines.errors import SourceError
from pipelines.exchange.portraits import read_portrait
from pipelines.storage.archive_folder import Context, open_archive_readonly, taking_turns, timestamp


@command(
    "rostra portrait noor-okafor noor.jpg --public",
    "rostra portrait noor-okafor https://example.org/noor.jpg",
    "rostra portrait --all",
    "rostra portrait noor-okafor --private",
    name="portrait",
)
@click.argument("person", required=False)
@click.argument("picture", required=False)
@click.option(
    "--all", "everybody", is_flag=True, help="Take the pictures that people's data name (links: rel portrait)."
)
@click.option("--public", is_flag=True, help="Release it.")
@click.option("--private", is_flag=True, help="Take it back.")
@click.option("--delete", is_flag=True, help="Delete it.")
@json_option
@archive_option
def portrait(
    root: Path,
    person: str | None,
    picture: str | None,
    everybody: bool,
    public: bool,
    private: bool,
    delete: bool,
    as_json: bool,
) -> None:
    """Keep, release and delete pictures of people. Without PERSON (the end of their page's address), list them.

    PICTURE is a file or an address; without one, the link that the person's data name is taken. A portrait is cut
    square, loses what a camera wrote beside it, and is private until --public.
    """
    if public + private + delete > 1:
        raise click.UsageError("give one of --public, --private and --delete")
    state: State | None = "public" if public else "private" if private else None
    if person is None and not everybody:
        _list(root, as_json=as_json)
        return
    with taking_turns(root) as context:
        done, failed = _apply(context, person, picture, state, delete=delete)
    if as_json:
        emit({"people": done, "failed": failed})
    else:
        err.print(f"{len(done)} portrait{'' if len(done) == 1 else 's'}: {escape(', '.join(done)) or 'none'}")
        for line in failed:
            err.print(f"  [yellow]![/] {escape(line)}")
        if done:
            err.print("Next: [bold]rostra run[/]")
    if failed:
        raise SystemExit(1)


def _apply(
    context: Context, person: str | None, picture: str | None, state: State | None, *, delete: bool
) -> tuple[list[str], list[str]]:
    """Do what is asked for; return for whom, and what could not be had."""
    if person and delete:
        with transaction(context.db):
            delete_portrait(context.db, person)
        return [person], []
    wanted = [(person, picture)] if person and picture else []
    if not wanted and not (person and state):
        wanted = list(named_in_data(context.db, person))
        if person and not wanted:
            raise SourceError(f"the data of {person} name no picture: name a file or an address")
    done, failed = [], []
    for slug, place in wanted:
        try:
            taken = read_portrait(place, context.config.pull)
        except SourceError as error:
            failed.append(f"{slug}: {error}")
            continue
        with transaction(context.db):
            set_portrait(context.db, slug, taken, source=place, at=timestamp())
        done.append(slug)
    released = done if wanted else [person] if person else []
    for slug in released if state else ():
        with transaction(context.db):
            set_state(context.db, slug, state or "private")
    return released, failed


def _list(root: Path, *, as_json: bool) -> None:
    with open_archive_readonly(root) as context:
        known = portraits(context.db)
        missing = named_in_data(context.db)
    if as_json:
        emit({"portraits": [each._asdict() for each in known], "named": [slug for slug, _ in missing]})
        return
    for each in known:
        echo(f"{each.state:8} {each.bytes:>7,}  {each.person}  {each.name}")
    if missing:
        err.print(f"{len(missing)} more are named in people's data: [bold]rostra portrait --all[/] takes them")
    elif not known:
        err.print("No portraits. Next: [bold]rostra portrait PERSON PICTURE[/]")
