"""``rostra check``: whether everything is still as it was kept."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.markup import escape

from archive.catalogue.seals import accept, broken_seals
from archive.connection import transaction
from archive.errors import CatalogueDamagedError
from archive.index.passages import rebuild
from pipelines.cli.base import archive_option, command, emit, json_option
from pipelines.cli.display import err, out
from pipelines.storage.archive_folder import open_archive
from pipelines.storage.check import Problem
from pipelines.storage.check import check as look_for_problems
from pipelines.storage.check import mend as prepare


@command("rostra check", "rostra check --quick", "rostra check --mend", "rostra check --json")
@click.option("--quick", is_flag=True, help="Read only what has changed in size or time since the last whole check.")
@click.option("--mend", is_flag=True, help="Build the index anew, and make due again what lost files came from.")
@click.option("--accept", "accepting", is_flag=True, help="Take rows as they are that were changed, and not by Rostra.")
@json_option
@archive_option
def check(root: Path, quick: bool, mend: bool, accepting: bool, as_json: bool) -> None:
    """Check that everything is as it was kept: the database, the search index, every file, and what is published.

    Recordings are compared with their SHA-256, the index with the transcripts, the folders with the catalogue.
    Rows of the catalogue have seals, so that a single byte of a title that has changed is found. --accept seals what
    no backup brings back, after somebody has looked at it.
    --quick trusts what the last whole check has read, if it has the same size and time; only a whole check finds a disk
    that loses bits. Nothing is changed unless --mend is given. It moves damaged files to media/.damaged (in a bucket,
    it removes them), and deletes nothing else. The exit status is 1 if anything is wrong.
    """
    prepared: list[str] = []
    problems: list[Problem] = []
    try:
        with open_archive(root) as context:
            with transaction(context.db):
                broken = broken_seals(context.db) if mend or accepting else []
                if accepting:
                    accept(context.db, broken)
                elif mend and not broken:  # an index of what was there before tells that it was
                    rebuild(context.db)
            with err.status("") as shown:
                for problem in look_for_problems(context, quick=quick, looked=lambda what: shown.update(escape(what))):
                    problems.append(problem)
                    if not as_json:
                        out.print(f"[red]✗[/] {problem.part}: {escape(problem.text)}")
            if mend:
                prepared = prepare(context, problems)
    except CatalogueDamagedError as error:
        problems.append(Problem("database", str(error)))
        if not as_json:
            out.print(f"[red]✗[/] database: {escape(str(error))}")
    if as_json:
        emit([{"part": each.part, "text": each.text, "next": each.next} for each in problems])
    else:
        for part, step in dict.fromkeys((each.part, each.next) for each in problems):
            out.print(f"[bold]{part}[/]: {escape(step)}")
        for name in prepared:
            out.print(f"Due again: {escape(name)}")
        if not problems:
            out.print("Everything is as it was kept.")
    if problems:
        sys.exit(1)
