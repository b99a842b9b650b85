"""Who may have what: ``rostra release``."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.markup import escape

from archive.catalogue.recordings import StoredFile
from archive.connection import transaction
from archive.publication.deciding import Decision, Effect, Subject, decide, find_subject, track_of
from archive.publication.purging import overwrite_deleted, purge_recording, purge_session
from archive.search.filters import EVERYWHERE
from archive.search.sqlite_search import SqliteSearch
from metadata.model import ReleaseState
from metadata.times import parse_date, parse_moment
from pipelines.cli.base import archive_option, command, emit, json_option, user_name
from pipelines.cli.display import err, out
from pipelines.cli.work import finish, observing
from pipelines.run.executors import InProcess
from pipelines.run.runner import RunSummary, run_stage
from pipelines.stages.publish import Publish
from pipelines.stages.static import Static
from pipelines.storage.archive_folder import Context, now, taking_turns, timestamp
from pipelines.storage.copies import copies, sites

PAGE = 100
QUERY_MS = 60_000


class _Rehearsal(Exception):  # noqa: N818 it is no error
    """Ends a transaction that was only to show what it would do."""


@command(
    "rostra release winter-school-12/opening --public",
    "rostra release winter-school-12 --embargo 2027-01-15",
    'rostra release winter-school-12 --track "Closed circle" --private',
    'rostra release opening --withdraw "The speaker asked for it" --tell',
    "rostra release --query 'speaker:okafor' --private --dry-run",
    "rostra release 5f2b0d5e --withdraw --purge",
)
@click.argument("subjects", nargs=-1, metavar="[SESSION|RECORDING|EVENT]...")
@click.option("--public", "state", flag_value="public", help="Everybody may have it.")
@click.option("--embargo", metavar="DATE", help="Nobody may before DATE begins where the event is; an hour may follow.")
@click.option("--private", "state", flag_value="private", help="Nobody may.")
@click.option(
    "--withdraw", is_flag=False, flag_value="", metavar="[REASON]", help="Nobody may any more: its page says so."
)
@click.option("--as-default", "state", flag_value="default", help="What its track, its event or rostra.toml says.")
@click.option("--query", help="Decide about every session that this query finds, too; see rostra search.")
@click.option("--track", help="Only this track of the EVENT.")
@click.option("--all", "opens_all", is_flag=True, help="Open with an EVENT what was shut by itself, too.")
@click.option("--tell", is_flag=True, help="Let the page say the REASON of a withdrawal.")
@click.option("--purge", is_flag=True, help="With --withdraw: delete files, transcripts and what is known, for good.")
@click.option("--yes", is_flag=True, help="Do not ask before anything is deleted.")
@click.option("--by", help="Who decides.  [default: the user's name on this machine]")
@click.option("--dry-run", is_flag=True, help="Show what would become visible or hidden, and change nothing.")
@click.option("--later", is_flag=True, help="Leave publishing to the next run or publish.")
@json_option
@archive_option
def release(
    root: Path,
    subjects: tuple[str, ...],
    state: str | None,
    embargo: str | None,
    withdraw: str | None,
    query: str | None,
    track: str | None,
    opens_all: bool,
    tell: bool,
    purge: bool,
    yes: bool,
    by: str | None,
    dry_run: bool,
    later: bool,
    as_json: bool,
) -> None:
    """Decide who may have sessions, recordings and events, also while a run is at work; then publish.

    Sessions are named by their slug or EVENT/SESSION, recordings by the beginning of their SHA-256. What is decided
    about an EVENT, or a track of it, is the default of its sessions, also of those to come. It shuts a session that
    was open by itself, and opens none that was shut by itself. No import opens what was shut here.

    What was published before is brought in step at once, in every folder that it was published into. The page of a
    session that was withdrawn says so (status 410), with the REASON only where --tell allows it.
    """
    if not subjects and query is None:
        raise click.UsageError("say what is meant: SESSION, RECORDING or EVENT, or --query")
    if purge and (withdraw is None or dry_run or track):
        raise click.UsageError("--purge goes with --withdraw of sessions and recordings, and not with --dry-run")
    decision = _decision(state, embargo, withdraw, tell=tell, by=by or user_name())
    with taking_turns(root) as context:
        chosen = list(_chosen(context, subjects, query, track))
        if purge:
            _confirm(chosen, yes=yes)
        effect = _decide(context, chosen, decision, opens_all=opens_all, dry_run=dry_run)
        report = RunSummary()
        if not dry_run:
            report = RunSummary() if later else publish_copies(context, as_json=as_json)
            if purge:
                _purge(context, chosen, decision)
                report = publish_copies(context, as_json=as_json)
        published = [str(folder) for folder in (*copies(context), *sites(context))]
    if as_json:
        emit({"dry_run": dry_run} | asdict(effect) | {"published": [] if dry_run or later else published})
    else:
        _tell(effect, dry_run=dry_run, published=bool(published), later=later)
    if report.failed:
        err.print("[red]It is decided, and not yet published:[/] what was public before still is. Run rostra publish.")
        sys.exit(1)


def _decision(state: str | None, embargo: str | None, withdraw: str | None, *, tell: bool, by: str) -> Decision:
    """Return what was asked for, which must be one thing."""
    if [state, embargo, withdraw].count(None) != 2:
        raise click.UsageError("choose one of --public, --embargo DATE, --private, --withdraw [REASON], --as-default")
    if embargo is not None:
        return Decision(state="embargoed", until=_until(embargo), by=by, at=timestamp())
    if withdraw is not None:
        return Decision(state="withdrawn", reason=withdraw, reason_is_public=tell, by=by, at=timestamp())
    known: dict[str | None, ReleaseState | None] = {"public": "public", "private": "private", "default": None}
    return Decision(state=known[state], by=by, at=timestamp())


def _until(text: str) -> str:
    """Return the end of an embargo as the catalogue writes it: a date, or a moment that may lack its offset."""
    if len(text.strip()) <= len("2027-01-15"):
        return parse_date(text).isoformat()
    parse_moment(text, "UTC")  # raises where it is none; without an offset it is one on the event's clocks
    return text.strip().replace(" ", "T")


def _chosen(context: Context, names: Sequence[str], query: str | None, track: str | None) -> Iterator[Subject]:
    if track is not None:
        yield from (track_of(context.db, name, track) for name in names)
        return
    found = (find_subject(context.db, name) for name in names)
    by_query = (find_subject(context.db, name) for name in (_asked(context, query) if query else ()))
    yield from dict.fromkeys([*found, *by_query])


def _asked(context: Context, query: str) -> Iterator[str]:
    """Yield every session that a query finds."""
    search, after = SqliteSearch(context.db.conn, QUERY_MS), None
    while True:
        page = search.sessions(query, EVERYWHERE, limit=PAGE, after=after)
        if not page.complete:
            raise click.UsageError("this query takes too long: make it narrower")
        yield from (f"{each.event}/{each.session}" for each in page.sessions)
        if (after := page.next) is None:
            return


def _decide(
    context: Context, chosen: Sequence[Subject], decision: Decision, *, opens_all: bool, dry_run: bool
) -> Effect:
    default = context.config.publish.default_release
    try:
        with transaction(context.db):
            effect = decide(context.db, chosen, decision, default=default, now=now(), opens_all=opens_all)
            if dry_run:
                raise _Rehearsal  # noqa: TRY301 the transaction's own way to roll back
    except _Rehearsal:
        pass
    return effect


def publish_copies(context: Context, *, as_json: bool) -> RunSummary:
    """Bring every folder in step that this archive was published into; none where it never was."""
    report = RunSummary()
    with observing(as_json=as_json) as observer:
        for folder in copies(context):
            report.merge(run_stage(context, Publish(folder), InProcess(), observer))
        for folder in sites(context):
            report.merge(run_stage(context, Static(folder), InProcess(), observer))
    return report


def publish_taken_back(context: Context, *, as_json: bool) -> None:
    """Publish what is left when words were taken back, and let nothing of them lie in the catalogue's file."""
    report = publish_copies(context, as_json=as_json)
    if not overwrite_deleted(context.db):
        err.print("[yellow]A run reads an old state of the catalogue:[/] its journal is emptied when the run ends.")
    finish(report)


def _confirm(chosen: Sequence[Subject], *, yes: bool) -> None:
    """Ask before something is deleted that nothing brings back."""
    if strange := [each.label for each in chosen if each.kind not in {"session", "recording"}]:
        raise click.UsageError(f"--purge takes sessions and recordings, and {strange[0]} is an event")
    if yes:
        return
    for each in chosen:
        out.print(f"  {each.kind} {escape(each.label)}")
    click.confirm("Delete their files, transcripts and all that is known of them, for good?", abort=True, err=True)


def _purge(context: Context, chosen: Sequence[Subject], decision: Decision) -> None:
    """Delete for good: rows first, then files, then what SQLite keeps of what was deleted."""
    with transaction(context.db):
        files = [
            file
            for each in chosen
            for file in (purge_session if each.kind == "session" else purge_recording)(
                context.db, each.id, by=decision.by, at=decision.at
            )
        ]
    erase(context, files)
    if not overwrite_deleted(context.db):
        err.print("[yellow]A run reads an old state of the catalogue:[/] its journal is emptied when the run ends.")
    err.print("Deleted for good here. Backups have it until the next [bold]rostra backup[/] to each of their places.")
    err.print("Bags and exports that were made before, and the places that it came from, still have it.")


def erase(context: Context, files: Iterable[StoredFile]) -> None:
    """Delete files from the store, and what workers left of them."""
    for file in files:
        context.blobs.remove(file.sha256, file.suffix)
        for left in context.layout.root.glob(f"work*/{file.sha256}*"):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)


def _tell(effect: Effect, *, dry_run: bool, published: bool, later: bool) -> None:
    would = "would be " if dry_run else ""
    for mark, verb, labels in (("+", "visible", effect.visible), ("-", "hidden", effect.hidden)):
        for label in labels:
            out.print(f"{mark} {would}{verb}: {escape(label)}")
    for label in effect.kept:
        out.print(f"· stays as it was decided by itself: {escape(label)} (--all opens it, too)")
    if not (effect.visible or effect.hidden):
        err.print("Nothing becomes visible or hidden by that.")
    if not dry_run and (later or not published):
        err.print("Next: [bold]rostra publish[/]")
