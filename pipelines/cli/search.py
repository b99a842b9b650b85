"""``rostra search``, over the private catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from archive.errors import sqlite_errors
from archive.research import Research
from archive.search.exports import format_of, write_moments
from archive.search.sqlite_search import Filters, Hit, SqliteSearch
from metadata.languages import parse_language
from metadata.times import format_clock
from pipelines.cli.base import Query, archive_option, command, emit, json_option
from pipelines.cli.display import err, out
from pipelines.storage.archive_folder import open_archive_readonly
from pipelines.storage.atomic import write_atomic
from pipelines.text import counted

EXPORT_MS = 3_600_000
"""How long an export may take."""


@command(
    'rostra search "the best of times"',
    "rostra search lighthouse -fog --limit 5",
    "rostra search 'tide* OR current' --json",
    "rostra search lighthouse speaker:okafor after:2022 --export moments.csv",
    cls=Query,
)
@click.argument("query", nargs=-1, required=True)
@click.option("--event", help="Only this event (its slug).")
@click.option("--language", help="Only transcripts in this language.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Hits at most.")
@click.option(
    "--export",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write every moment to a file: .csv, .jsonl or .parquet.",
)
@json_option
@archive_option
def search(
    root: Path,
    query: tuple[str, ...],
    event: str | None,
    language: str | None,
    limit: int,
    file: Path | None,
    as_json: bool,
) -> None:
    """Search everything that was said, in the private catalogue.

    Words must all occur; where few moments have all, those follow that have most (not with exact:yes). "quotes" mean
    exactly that phrase; OR, -not, prefix* and near/10 work as usual, and fields such as speaker:NAME,NAME, year:2022 or
    doubtful:yes say where to look.
    """
    text = _as_query(Query.words(query))
    if file:
        _export(root, text, file, Filters(event=event, language=language))
        return
    with open_archive_readonly(root) as context, sqlite_errors():
        results = SqliteSearch(context.db.conn).search(
            text, event=event, language=parse_language(language) if language else None, limit=limit
        )
    if results.note:
        err.print(f"[yellow]{escape(results.note)}[/]")
    if results.suggestion:
        err.print(f"Did you mean [bold]{escape(results.suggestion)}[/]?")
    if as_json:
        emit([_hit(hit) for hit in results.hits])
        return
    for hit in results.hits:
        out.print(f"[bold]{escape(hit.title)}[/]  {format_clock(hit.start_ms)}  [dim]{escape(hit.url)}[/]{_how(hit)}")
        out.print(f"  {_marked(hit)}")
    out.print(f"[dim]{results.total} found in {counted(results.sessions, 'session')}[/]")


def _export(root: Path, text: str, file: Path, filters: Filters) -> None:
    """Write all moments of a query, however long that takes."""
    form = format_of(file)
    if form is None:
        raise click.UsageError(f"{file}: write to a file that ends in .csv, .jsonl or .parquet")
    with open_archive_readonly(root) as context:
        hits = list(Research(context.db.conn, EXPORT_MS).moments(text, filters))
    write_atomic(file, write_moments(hits, form))
    err.print(f"{len(hits)} moments in [bold]{escape(str(file))}[/]")


def _as_query(words: tuple[str, ...]) -> str:
    """Join arguments; one that a shell's quotes kept together is a phrase only when it stands beside others."""
    if len(words) == 1:
        return words[0]
    return " ".join(f'"{word}"' if " " in word and '"' not in word else word for word in words)


def _hit(hit: Hit) -> dict[str, Any]:
    keys = (
        "event",
        "session",
        "title",
        "language",
        "start_ms",
        "end_ms",
        "text",
        "url",
        "score",
        "match",
        "start_at",
        "speaker",
    )
    return {key: getattr(hit, key) for key in keys}


def _how(hit: Hit) -> str:
    return "" if hit.match == "all words" else f"  [yellow]{hit.match}[/]"


def _marked(hit: Hit) -> str:
    parts, at = [], 0
    for start, end in hit.matches:
        parts += [escape(hit.text[at:start]), f"[reverse]{escape(hit.text[start:end])}[/]"]
        at = end
    return "".join([*parts, escape(hit.text[at:])])
