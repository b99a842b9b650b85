"""Corrections of what was said: ``rostra correct transcript``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import click
from rich.markup import escape

from archive.catalogue import revisions
from archive.catalogue.recordings import current_recordings_of, recordings_of
from archive.catalogue.revisions import Revision, Version
from archive.catalogue.sessions import find_session
from archive.catalogue.speakers import with_names
from archive.connection import transaction
from archive.errors import UnknownSubjectError
from metadata.errors import InvalidTimeError
from metadata.revising import Change
from metadata.times import format_clock, parse_offset
from pipelines.cli.base import Examples, archive_option, emit, json_option, session_name, user_name
from pipelines.cli.correct import correct
from pipelines.cli.display import err, out
from pipelines.cli.release import publish_taken_back
from pipelines.exchange.captions import find_recording
from pipelines.exchange.revisions import Corrected, at_moment, current, from_file, keep, merged
from pipelines.exchange.revisions import undo as take_back
from pipelines.storage.archive_folder import Context, open_archive_readonly, taking_turns, timestamp
from pipelines.text import counted, one_line

ROWS_SHOWN = 20
"""Of so many places each is shown; of more, the first ones."""


@correct.command(
    "transcript",
    cls=Examples,
    examples=(
        "rostra export captions opening --format vtt --to .   # correct the words in opening.vtt, then:",
        "rostra correct transcript opening opening.vtt",
        'rostra correct transcript opening --at 12:31 --from "batch 32" --to Bech32',
        'rostra correct transcript opening --at 12:31 --from "Ann Smith" --to "a guest" --take-back',
        "rostra correct transcript opening --history",
        "rostra correct transcript opening --merge            # after it was transcribed again",
        "rostra correct transcript opening --undo",
    ),
)
@click.argument("session")
@click.argument("file", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--recording", help="Of several recordings, this one: the beginning of its SHA-256.")
@click.option("--at", "moment", help="Where the wrong words are said: 12:31, or 75.2 (seconds).")
@click.option("--from", "before", help="The wrong words, near --at.")
@click.option("--to", "after", help='What is said instead; "" removes them.')
@click.option("--merge", "merging", is_flag=True, help="Make the corrections in what a machine has heard since.")
@click.option("--undo", is_flag=True, help="Take the last correction back.")
@click.option("--history", "listing", is_flag=True, help="List what was corrected: who, when, before and after.")
@click.option("--take-back", "taking_back", is_flag=True, help="Delete what stood there, in every version, for good.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--by", help="Who says so.  [default: the user's name on this machine]")
@json_option
@archive_option
def correct_transcript(
    root: Path,
    session: str,
    file: Path | None,
    recording: str | None,
    moment: str | None,
    before: str | None,
    after: str | None,
    merging: bool,
    undo: bool,
    listing: bool,
    taking_back: bool,
    dry_run: bool,
    by: str | None,
    as_json: bool,
) -> None:
    """Correct what is said in SESSION (its slug, or EVENT/SESSION): with an edited FILE, or words at a moment.

    FILE is captions or text that 'rostra export captions' wrote, with other words in it; only the differences count.
    Words that were not touched keep their times. Of our own JSON, cuts, times and speakers are taken, too. What the
    machine wrote stays in the catalogue, and no later transcription writes over what people wrote.

    With --take-back it does not stay: what is replaced is deleted in every version, and a citation of it says only
    that it was taken back. It is published at once. The sound still says it: 'rostra redact' takes that out.
    """
    asked = [file is not None, moment is not None, merging, undo, listing]
    if sum(asked) != 1:
        raise click.UsageError("give one of FILE, --at with --from and --to, --merge, --undo and --history")
    if moment is not None and (before is None or after is None):
        raise click.UsageError("--at needs --from and --to")
    if taking_back and (file is None) == (moment is None):
        raise click.UsageError("--take-back goes with FILE, or with --at")
    if listing:
        with open_archive_readonly(root) as context:
            _list(revisions.history(context.db, recording_of_session(context, session, recording)), as_json=as_json)
        return
    with taking_turns(root) as context:
        subject = recording_of_session(context, session, recording)
        version = current(context.db, subject, session)
        who = by or user_name()
        if undo:
            _undo(context, version, who, dry_run=dry_run, as_json=as_json)
            return
        base, corrected = version, Corrected(version.transcript, ())
        if file is not None:
            corrected = from_file(
                version.transcript,
                file.read_bytes(),
                file.name,
                with_names(context.db, subject, version.transcript),
            )
        elif moment is not None:
            corrected = at_moment(version.transcript, milliseconds(moment, "--at"), before or "", after or "")
        elif found := merged(context.db, version):
            base, corrected = found
        else:
            err.print("No machine has heard it since it was corrected: nothing is to be merged.")
            return
        if not dry_run:
            with transaction(context.db):
                keep(context.db, base, corrected, by=who, at=timestamp(), taking_back=taking_back)
            if taking_back:
                publish_taken_back(context, as_json=as_json)
    _tell(corrected, dry_run=dry_run, as_json=as_json)


def recording_of_session(context: Context, session: str, recording: str | None) -> int:
    """Return the id of the recording that is meant: the one named, else the session's first that has a transcript."""
    found = find_session(context.db, *session_name(session))
    if recording is not None:
        return find_recording(context.db, recording)
    stand = set(current_recordings_of(context.db, found.id).values())
    every = [each for each in recordings_of(context.db, found.id) if each.id in stand]
    if not every:
        raise UnknownSubjectError("recording", session)
    for each in every:
        if revisions.current_version(context.db, each.id):
            return each.id
    return every[0].id


def milliseconds(moment: str, option: str) -> int:
    """Return a moment that an option gives, in milliseconds.

    Raises:
        click.BadParameter: it is none.
    """
    try:
        return parse_offset(moment)
    except InvalidTimeError as error:
        raise click.BadParameter(str(error), param_hint=option) from None


def _undo(context: Context, version: Version, by: str, *, dry_run: bool, as_json: bool) -> None:
    if dry_run:
        base = revisions.base_of(context.db, version)
        if base:
            revisions.check_undo(context.db, version, base)
        done = [each.change for each in revisions.revisions(context.db, version)] if base else []
        changes = [replace(each, before=each.after, after=each.before) for each in done]
    else:
        with transaction(context.db):
            changes = take_back(context.db, version, by=by, at=timestamp())
    if as_json:
        emit({"changes": [asdict(each) for each in changes], "conflicts": []})
    elif not changes:
        err.print("No correction of this transcript stands: nothing is to be taken back.")
    elif dry_run:
        err.print(f"{counted(len(changes), 'place')} would be as before; nothing was changed.")
    else:
        are = "is as it was" if len(changes) == 1 else "are as they were"
        err.print(f"{counted(len(changes), 'place')} {are} before. Next: [bold]rostra run[/]")


def _tell(corrected: Corrected, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        changes, conflicts = ([asdict(each) for each in part] for part in (corrected.changes, corrected.conflicts))
        emit({"changes": changes, "conflicts": conflicts})
        return
    for each in corrected.changes[:ROWS_SHOWN]:
        err.print(_line(each))
    if len(corrected.changes) > ROWS_SHOWN:
        err.print(f"… and {counted(len(corrected.changes) - ROWS_SHOWN, 'place')} more")
    for each in corrected.conflicts:
        err.print(f"[yellow]?[/] {_line(each)} (what people wrote stands; the machine hears the former)")
    if not corrected.changes:
        err.print("It says so already; it stays.")
    elif dry_run:
        err.print(f"{counted(len(corrected.changes), 'place')} would change; nothing was changed.")
    else:
        err.print(f"{counted(len(corrected.changes), 'place')} changed. Next: [bold]rostra run[/]")


def _list(done: Sequence[Revision], *, as_json: bool) -> None:
    if as_json:
        emit([{**asdict(each.change), "by": each.by, "at": each.at} for each in done])
        return
    for each in done:
        out.print(f"{each.at}  {escape(each.by)}  {_line(each.change)}")
    if not done:
        out.print("Nobody has corrected this transcript.")


def _line(change: Change) -> str:
    before, after = (escape(one_line(text)) or "nothing" for text in (change.before, change.after))
    return f"{format_clock(change.start_ms)}  {before} → {after}"
