"""Counting and comparing what was said: ``rostra explore``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click
import numpy as np
from rich.markup import escape
from rich.table import Table

from archive.research import Research
from archive.research.asking import with_tag
from archive.research.company import SIDES, WIDEST, WINDOW, Collocate, Keyword, Side
from archive.research.frequency import BYS, By, Rate
from archive.research.speaking import Spoken
from archive.research.subcorpus import DATES
from archive.search.exports import to_csv
from archive.search.filters import Filters, unmatched
from archive.search.session_table import FACET, Overview
from archive.sqlite import sqlite3
from pipelines.cli.base import Examples, archive_option, emit, explore, json_option
from pipelines.cli.display import err, out
from pipelines.exchange.corpora import source
from pipelines.storage.atomic import write_atomic

PATIENCE_MS = 3_600_000
"""How long a question may take."""
SHOWN = 50
"""Rows on the screen; a file and JSON have all."""

Command = TypeVar("Command", bound=Callable[..., Any])
_FILTERS = ("event", "series", "speaker", "person", "language", "track", "kind", "year", "since", "until")


def question(name: str, *examples: str) -> Callable[[Command], Command]:
    """Register a question: its filters, where to read, and how its answer is written."""

    def register(function: Command) -> Command:
        @wraps(function)
        def asked(root: Path, private: bool, as_json: bool, file: Path | None, **options: Any) -> None:
            filters = Filters(**{each: options.pop(each) for each in _FILTERS})
            with source(root, private=private) as of:
                for part in (filters, options.get("than")):
                    if part is not None:
                        _must_exist(of.db.conn, part)
                research = Research(of.db.conn, PATIENCE_MS)
                columns, rows = function(research, filters, **options)
            _tell(columns, list(rows), file, as_json=as_json)

        wrapped: Any = archive_option(asked)
        for each in reversed(_FILTERS):
            wrapped = click.option(
                f"--{each}",
                help=f"Only this {each}."
                if each not in {"since", "until"}
                else f"Only {'from this day on' if each == 'since' else 'up to this day'}.",
            )(wrapped)
        wrapped = click.option(
            "--private", is_flag=True, help="All that the archive holds, not only what is published."
        )(json_option(wrapped))
        path = click.Path(path_type=Path, dir_okay=False)
        wrapped = click.option("--csv", "file", type=path, help="Write a file instead, with every row.")(wrapped)
        explore.command(name, cls=Examples, examples=examples)(wrapped)
        return function

    return register


def _must_exist(conn: sqlite3.Connection, filters: Filters) -> None:
    """Refuse a name of nothing, and say what there is: how often nobody says a word is no answer.

    Raises:
        UsageError: no session has one of these values. Days may have none.
    """
    tagged = with_tag(filters)
    missing = ["language"] if tagged is None else [name for name in unmatched(conn, tagged, None) if name not in DATES]
    for name in missing:
        overview = Overview.read(conn)
        known = overview.facets(np.ones(len(overview.ids), dtype=np.bool_)).get(name, ())
        there = ", ".join(each.value for each in known) + (", and more" if len(known) == FACET else "")
        raise click.UsageError(f"--{name} {filters.chosen()[name]}: no session has it, but {there or 'none has any'}")


def _tell(columns: Sequence[str], rows: Sequence[Sequence[Any]], file: Path | None, *, as_json: bool) -> None:
    if as_json:
        emit([dict(zip(columns, row, strict=True)) for row in rows])
    elif file is not None:
        write_atomic(file, to_csv(columns, rows).encode())
        err.print(f"{len(rows)} rows in [bold]{escape(str(file))}[/]")
    elif not rows:
        err.print("Nothing was found.")
    else:
        table = Table(box=None, pad_edge=False)
        for number, column in enumerate(columns):
            is_number = isinstance(rows[0][number], int | float)
            table.add_column(column.replace("_", " "), justify="right" if is_number else "left", overflow="fold")
        for row in rows[:SHOWN]:
            table.add_row(*("" if value is None else escape(str(value)) for value in row))
        out.print(table)
        if len(rows) > SHOWN:
            err.print(f"[dim]{len(rows) - SHOWN} more: --csv FILE writes all[/]")


Answer = tuple[Sequence[str], Iterable[Sequence[Any]]]


@question(
    "frequency", "rostra explore frequency tide", "rostra explore frequency tide lighthouse --by speaker --csv said.csv"
)
@click.argument("queries", metavar="QUERY…", nargs=-1, required=True)
@click.option("--by", type=click.Choice(BYS), default="year", show_default=True, help="What to divide by.")
def frequency(research: Research, filters: Filters, queries: tuple[str, ...], by: By) -> Answer:
    """How often each QUERY was said, and how often in an hour of speech."""
    found = [(query, *rate) for query in queries for rate in research.frequency(query, by, filters)]
    return ("query", by, *Rate._fields[1:]), found


@question("collocates", "rostra explore collocates lighthouse --window 3 --side right")
@click.argument("query")
@click.option("--window", type=click.IntRange(1, WIDEST), default=WINDOW, show_default=True, help="Words on a side.")
@click.option("--side", type=click.Choice(SIDES), default="both", show_default=True, help="On which side.")
def collocates(research: Research, filters: Filters, query: str, window: int, side: Side) -> Answer:
    """The words that stand near QUERY more often than elsewhere."""
    return Collocate._fields, research.collocates(query, filters, window=window, side=side, limit=10_000)


def _part(_context: click.Context, _option: click.Parameter, value: str | None) -> Filters | None:
    """Return the part of the archive that ``event=SLUG`` or the like means."""
    name, equals, wanted = (value or "").partition("=")
    if value is not None and (not equals or name not in _FILTERS):
        raise click.UsageError(f"--than {value}: say what to compare with, such as event=SLUG or year=2022")
    return Filters(**{name: wanted}) if value is not None else None


@question("keywords", "rostra explore keywords --year 2022", "rostra explore keywords --event one --than event=other")
@click.option(
    "--than",
    callback=_part,
    help="Another part to compare with, such as event=winter-school-11.  [default: all the rest]",
)
@click.option("--rarer", is_flag=True, help="What it says less, instead.")
def keywords(research: Research, filters: Filters, than: Filters | None, rarer: bool) -> Answer:
    """The words that a part of the archive says more than another."""
    return Keyword._fields, research.keywords(filters, than, limit=10_000, rarer=rarer)


@question("dispersion", "rostra explore dispersion tide --series winter-school")
@click.argument("query")
def dispersion(research: Research, filters: Filters, query: str) -> Answer:
    """How evenly QUERY is spread over sessions: Gries' deviation of proportions, and Juilland's D."""
    found = research.dispersion(query, filters)
    return type(found)._fields, [found]


@question("speakers", "rostra explore speakers --event winter-school-12")
def speakers(research: Research, filters: Filters) -> Answer:
    """Who spoke how much: words and hours."""
    return Spoken._fields, research.who_spoke(filters)


@question("concordance", "rostra explore concordance tide --sample 50 --seed 7 --csv lines.csv")
@click.argument("query")
@click.option("--sample", type=click.IntRange(1), help="So many lines, drawn at random.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="The same lines for the same seed.")
def concordance(research: Research, filters: Filters, query: str, sample: int | None, seed: int) -> Answer:
    """What was said on both sides of every match of QUERY, with who said it and when."""
    columns = ("left", "match", "right", "speaker", "date", "event", "session", "start_ms")
    lines = research.concordance(query, filters, limit=1_000_000, sample=sample, seed=seed)
    rows = (
        (*line[:3], hit.speaker, (hit.start_at or "")[:10], hit.event, hit.session, hit.start_ms)
        for line in lines
        for hit in [line.hit]
    )
    return columns, rows
