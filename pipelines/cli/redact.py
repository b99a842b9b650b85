"""Minutes that nobody may hear, see or read: ``rostra redact``."""

from __future__ import annotations

import re
import sys
from dataclasses import asdict
from pathlib import Path

import click
from rich.markup import escape

from archive.catalogue.recordings import current_recordings_of
from archive.catalogue.sessions import find_session
from archive.connection import transaction
from archive.publication import redaction
from archive.publication.purging import overwrite_deleted, replace_bytes
from archive.publication.redaction import Redaction, Span
from metadata.times import format_clock, parse_offset
from pipelines.cli.base import archive_option, command, emit, json_option, session_name, user_name
from pipelines.cli.display import err, out
from pipelines.cli.release import erase, publish_copies
from pipelines.cli.work import local, observing
from pipelines.exchange.captions import find_recording
from pipelines.run.runner import RunSummary, run_stage
from pipelines.stages.render import Render
from pipelines.storage.archive_folder import Context, taking_turns, timestamp


@command(
    'rostra redact winter-school-12/opening 12:30-13:05 --why "A name that was not to be said"',
    'rostra redact opening 1:02:10-1:02:14 --why "Asked by the speaker" --tell',
    "rostra redact opening --list",
    "rostra redact opening --undo 3",
)
@click.argument("session")
@click.argument("span", required=False, metavar="[START-END]")
@click.option("--why", help="The reason, for the archive.")
@click.option("--tell", is_flag=True, help="Let the page say the reason, too.")
@click.option("--recording", help="Only this recording of the session: the beginning of its SHA-256.")
@click.option("--list", "listing", is_flag=True, help="List what is taken out, and what was.")
@click.option("--undo", type=int, metavar="NUMBER", help="Publish again what a redaction took out.")
@click.option("--purge", is_flag=True, help="Delete it from the archive itself, too, for good.")
@click.option("--yes", is_flag=True, help="Do not ask before anything is deleted.")
@click.option("--by", help="Who decides.  [default: the user's name on this machine]")
@json_option
@archive_option
def redact(
    root: Path,
    session: str,
    span: str | None,
    why: str | None,
    tell: bool,
    recording: str | None,
    listing: bool,
    undo: int | None,
    purge: bool,
    yes: bool,
    by: str | None,
    as_json: bool,
) -> None:
    """Take minutes of SESSION (its slug, or EVENT/SESSION) out of everything published, also while a run is at work.

    Words, sound and picture from START to END (12:30-13:05) are taken out of every rendition and caption of all its
    recordings, and of search. Transcript and player show that something was. What was published before is withdrawn
    at once; the rendition without it follows. The archive keeps what was said, unless --purge deletes it for good.
    """
    if [span is not None, listing, undo is not None].count(True) != 1:
        raise click.UsageError("say what to take out, START-END, or --list, or --undo NUMBER")
    if span and not why:
        raise click.UsageError("say --why: whoever keeps the archive later must know")
    if purge and not span:
        raise click.UsageError("--purge goes with START-END")
    if purge and not yes:
        click.confirm("Delete these minutes from the archive itself, for good?", abort=True, err=True)
    report = RunSummary()
    with taking_turns(root) as context:
        recordings = _recordings(context, session, recording)
        if not listing:
            report = _change(context, recordings, span, undo, why or "", tell=tell, by=by or user_name(), json=as_json)
        if purge and not report.failed:
            _purge(context, recordings, by=by or user_name())
            report = publish_copies(context, as_json=as_json)
        found = redaction.redactions(context.db, list(recordings.values()))
    if as_json:
        emit([asdict(each) for each in found])
    else:
        for each in found:
            out.print(_line(each))
        if listing and not found:
            out.print("Nothing is taken out of it, and nothing was.")
    if report.failed:
        err.print("[red]Not all of it is rendered or published yet:[/] run rostra run, which says why.")
        sys.exit(1)


def _recordings(context: Context, session: str, recording: str | None) -> dict[str, int]:
    """Return the recordings that are meant: SHA-256 and id."""
    here = current_recordings_of(context.db, find_session(context.db, *session_name(session)).id)
    if recording is not None:
        wanted = find_recording(context.db, recording)
        here = {sha256: each for sha256, each in here.items() if each == wanted}
    if not here:
        raise click.UsageError(f"{session} has no such recording: there is nothing to take out")
    return here


def _change(
    context: Context,
    recordings: dict[str, int],
    span: str | None,
    undo: int | None,
    why: str,
    *,
    tell: bool,
    by: str,
    json: bool,
) -> RunSummary:
    """Decide, publish what is left at once, then render and publish again."""
    at = timestamp()
    with transaction(context.db):
        if undo is not None:
            files = redaction.undo(context.db, undo, by=by, at=at)
        else:
            minutes = _span(span or "")
            files = [
                file
                for each in recordings.values()
                for file in redaction.redact(
                    context.db, each, minutes, reason=why, reason_is_public=tell, by=by, at=at
                )[1]
            ]
    report = publish_copies(context, as_json=json)
    erase(context, files)
    with observing(as_json=json) as observer:
        report.merge(run_stage(context, Render(frozenset(recordings)), local(context, 1), observer))
    report.merge(publish_copies(context, as_json=json))
    return report


def _span(text: str) -> Span:
    start, dash, end = re.sub("[–—]", "-", text).partition("-")
    if not dash:
        raise click.UsageError(f"{text!r}: expected START-END, such as 12:30-13:05")
    span = parse_offset(start), parse_offset(end)
    if span[0] >= span[1]:
        raise click.UsageError(f"{text!r} ends before it begins")
    return span


def _purge(context: Context, recordings: dict[str, int], *, by: str) -> None:
    """Let what was rendered without the minutes take the place of the recording, in the archive itself."""
    with transaction(context.db):
        files = [
            file for each in recordings.values() for file in replace_bytes(context.db, each, by=by, at=timestamp())
        ]
    erase(context, files)
    if not overwrite_deleted(context.db):
        err.print("[yellow]A run reads an old state of the catalogue:[/] its journal is emptied when the run ends.")


def _line(each: Redaction) -> str:
    span = f"{format_clock(each.start_ms)}–{format_clock(each.end_ms)}"
    state = f"taken back {each.undone_at}" if each.undone_at else "taken out"
    return f"{each.id}  {span}  {state}  [dim]{each.sha256[:12]}[/]  {escape(each.reason)}  [dim]{escape(each.by)}[/]"
