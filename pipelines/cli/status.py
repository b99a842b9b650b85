"""How the archive stands, and what to do about it: ``rostra status`` and ``retry``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from archive.catalogue import runs
from archive.catalogue.holdings import holdings, names
from archive.catalogue.recordings import count_without_session
from archive.connection import transaction
from archive.errors import sqlite_errors
from archive.publication.releases import released
from archive.sqlite import Database
from archive.voices.decisions import sessions_with_voices
from metadata.times import format_clock
from pipelines.cli.advice import advice
from pipelines.cli.base import archive_option, command, emit, json_option
from pipelines.cli.display import echo, err, out
from pipelines.stages import STAGES
from pipelines.storage import archive_folder as archives
from pipelines.storage.archive_folder import Context, now, open_archive_readonly, taking_turns, timestamp
from pipelines.text import counted, one_line


@command("rostra status", "rostra status --all", "rostra status --json")
@click.option(
    "--all", "every", is_flag=True, help="List all of it by name, and everything that needs attention or is to be said."
)
@json_option
@archive_option
def status(root: Path, every: bool, as_json: bool) -> None:
    """Say what the archive holds, how far its stages are, what a run is doing, and what needs attention.

    Of much that went wrong in the same way, a few are named; --all and --json list each of them. --all also lists
    events, sessions and people by the names that other commands take.
    """
    with open_archive_readonly(root) as context, sqlite_errors():
        facts = _facts(context)
        named = names(context.db) if every else []
    if as_json:
        emit(facts | ({"names": [each._asdict() for each in named]} if every else {}))
        return
    holds = facts["holds"]
    out.print(f"[bold]{escape(facts['title'])}[/]  {escape(facts['archive'])}")
    out.print(
        f"{counted(holds['events'], 'event')}, {counted(holds['sessions'], 'session')},"
        f" {counted(holds['recordings'], 'recording')} ({format_clock(holds['recorded_ms'])}),"
        f" {counted(holds['transcripts'], 'transcript')}, {counted(holds['segments'], 'segment')}"
    )
    out.print(
        f"released: {counted(holds['released_sessions'], 'session')},"
        f" {counted(holds['released_recordings'], 'recording')}"
    )
    if holds["doubtful"] or holds["untranscribed"]:
        out.print(
            f"in doubt: {counted(holds['doubtful'], 'segment')};"
            f" not transcribed, although somebody may speak: {counted(holds['untranscribed'], 'passage')}"
            f" ({format_clock(holds['untranscribed_ms'])})"
        )
    for each in named:
        echo(f"{each.kind:8} {each.name}  {each.title}")
    _show_stages(facts["stages"])
    _show_run(facts)
    if facts["unmatched"]:
        out.print(
            f"without a session: {counted(facts['unmatched'], 'recording')};"
            " [bold]rostra match[/] says which it could be of"
        )
    if unnamed := facts["unnamed_voices"]:
        out.print(
            f"without a name: {counted(unnamed['voices'], 'voice')} in {counted(unnamed['sessions'], 'session')};"
            " [bold]rostra speakers[/] says whose they could be"
        )
    left = 0
    for show, things in ((_show_troubles, facts["troubles"]), (_show_remarks, facts["remarks"])):
        left += show(things, len(things) if every else ROWS_SHOWN)
    if left:
        out.print(f"[dim]{left} more are like these:[/] rostra status --all [dim]lists them[/]")


ROWS_SHOWN = 8
"""How many of a kind are named before they are gathered."""


def _show_troubles(troubles: Sequence[Any], most: int) -> int:
    """Show what went wrong: one by one where it is little, else by kind; return how many are not named."""
    if len(troubles) <= most:
        for each in troubles:
            out.print(f"{_mark(each)} {each['stage']} {_safe(each['label'])}: {_safe(each['text'])}")
            if each["next"]:
                out.print(f"    [dim]{escape(each['next'])}[/]")
        return 0
    kinds: dict[tuple[str, str, str, str | None], list[Any]] = {}
    for each in sorted(troubles, key=lambda each: each["status"] == "skipped"):
        kinds.setdefault((each["stage"], each["status"], each["code"], each["next"]), []).append(each)
    for (stage, state, code, step), alike in kinds.items():
        named = ", ".join(_safe(each["label"]) for each in alike[:NAMED])
        more = f" and {len(alike) - NAMED} more" if len(alike) > NAMED else ""
        out.print(f"{_mark(alike[0])} {stage}: {len(alike)} {state} ({code}): {named}{more}")
        out.print(f"    {_safe(alike[0]['text'])}" + (f" [dim]· {escape(step)}[/]" if step else ""))
    return sum(max(0, len(alike) - NAMED) for alike in kinds.values())


NAMED = 3
"""How many of those that went wrong in the same way are named."""


def _mark(trouble: Any) -> str:
    return "[yellow]–[/]" if trouble["status"] == "skipped" else "[red]✗[/]"


def _show_remarks(remarks: Sequence[Any], most: int) -> int:
    """Show what is to be said of what went well: of much, one or two of each stage; return how many are left out."""
    by_stage: dict[str, list[Any]] = {}
    for each in remarks:
        by_stage.setdefault(each["stage"], []).append(each)
    share = max(1, most // max(1, len(by_stage))) if len(remarks) > most else len(remarks)
    for each in (each for alike in by_stage.values() for each in alike[:share]):
        out.print(f"[dim]·[/] {each['stage']} {_safe(each['label'])}: [dim]{_safe(each['text'])}[/]")
    return sum(max(0, len(alike) - share) for alike in by_stage.values())


def _safe(text: str) -> str:
    """Return a stranger's words, which file names are, for a terminal."""
    return escape(one_line(text))


STATES = ("done", "skipped", "refused", "failed", "running")
NARROWEST = 56
"""Columns of a terminal into which a table of all states fits."""


def _show_stages(stages: Mapping[str, Mapping[str, int]]) -> None:
    """Write a table of stages and states, or where a terminal is too narrow for one, a line for each stage."""
    if out.width < NARROWEST:
        for stage, counts in stages.items():
            some = [f"{counts[state]} {state}" for state in STATES if counts.get(state)]
            out.print(f"{stage}: {', '.join(some)}")
        return
    table = Table("stage", *STATES, box=None, pad_edge=False)
    for stage, counts in stages.items():
        table.add_row(stage, *(str(counts.get(state, 0)) for state in STATES))
    out.print(table)


def _show_run(facts: dict[str, Any]) -> None:
    owner, in_hand = facts["run"], facts["in_hand"]
    if owner is None:
        if in_hand:
            out.print(f"A run was killed with {len(in_hand)} in hand, which costs them nothing: rostra run goes on.")
        return
    out.print(f"[bold]at work[/]: process {owner['pid']} on {escape(owner['host'])} since {owner['since']}")
    for item in in_hand[:ROWS_SHOWN]:
        again = f", attempt {item['attempt']}" if item["attempt"] > 1 else ""
        out.print(f"  {item['stage']} {_safe(item['label'])} since {item['started_at']}{again}")
    if len(in_hand) > ROWS_SHOWN:
        out.print(f"  and {len(in_hand) - ROWS_SHOWN} more")


def _facts(context: Context) -> dict[str, Any]:
    db = context.db
    sessions, recordings = released(db, default=context.config.publish.default_release, now=now())
    unnamed = [each.unnamed for each in sessions_with_voices(db) if each.unnamed]

    return {
        "archive": str(context.layout.root.absolute()),
        "title": context.config.site.title,
        "holds": {
            **holdings(db)._asdict(),
            "released_sessions": len(sessions),
            "released_recordings": len(recordings),
        },
        "unnamed_voices": {"voices": sum(unnamed), "sessions": len(unnamed)} if unnamed else None,
        "unmatched": count_without_session(db),
        "stages": _by_stage(db),
        "run": asdict(owner) if (owner := archives.owner(context.layout)) else None,
        "in_hand": [asdict(item) for item in runs.in_hand(db)],
        "troubles": [
            asdict(trouble) | {"next": advice(trouble, context.config.run.attempts)} for trouble in runs.troubles(db)
        ],
        "remarks": [asdict(remark) for remark in runs.remarks(db)],
    }


def _by_stage(db: Database) -> dict[str, dict[str, int]]:
    """Return how many subjects stand in which status, in the order of the pipeline; stages of other versions last."""
    counts = runs.counts(db)
    names = [stage.name for stage in STAGES if stage.name in counts]
    return {name: counts[name] for name in [*names, *(set(counts) - set(names))]}


@command("rostra retry", "rostra retry winter-school/opening", "rostra retry --stage transcribe")
@click.argument("subjects", nargs=-1)
@click.option("--stage", type=click.Choice([each.name for each in STAGES]), help="Only what went wrong in this stage.")
@archive_option
def retry(root: Path, subjects: tuple[str, ...], stage: str | None) -> None:
    """Make due again what failed, was refused or was skipped: all of it, or SUBJECTS as 'rostra status' names them."""
    with taking_turns(root) as context:
        chosen = [
            trouble
            for trouble in runs.troubles(context.db)
            if stage in {None, trouble.stage} and (not subjects or {trouble.subject, trouble.label} & set(subjects))
        ]
        unknown = set(subjects) - {name for trouble in chosen for name in (trouble.subject, trouble.label)}
        if unknown:
            raise click.UsageError(
                f"nothing went wrong with {', '.join(sorted(unknown))}: 'rostra status' lists what did, by name"
            )
        with transaction(context.db):
            runs.retry(context.db, chosen, retried_at=timestamp())
    if not chosen:
        err.print("Nothing to try again.")
        return
    err.print(f"{len(chosen)} due again. Next: [bold]rostra run[/], or [bold]rostra pull[/] for what was not pulled.")
