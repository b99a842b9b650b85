"""Corrections of who speaks: ``rostra correct speaker``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
from rich.markup import escape

from archive.connection import transaction
from archive.voices.attributions import Attribution, attribute, attributions, said_within, take_back
from metadata.times import format_clock
from pipelines.cli.base import Examples, archive_option, emit, json_option, user_name
from pipelines.cli.correct import correct
from pipelines.cli.display import err, out
from pipelines.cli.revise import milliseconds, recording_of_session
from pipelines.errors import ConfigError
from pipelines.storage.archive_folder import Context, open_archive_readonly, taking_turns, timestamp


@correct.command(
    "speaker",
    cls=Examples,
    examples=(
        'rostra correct speaker opening --at 12:31 --is "Noor Okafor"',
        'rostra correct speaker opening --at 12:31 --until 13:05 --is "Voice 2"',
        "rostra correct speaker opening --at 12:31 --is new       # somebody else, whom nobody knows",
        'rostra correct speaker opening --at 12:31 --is ""        # nobody knows who',
        "rostra correct speaker opening --history",
        "rostra correct speaker opening --undo",
    ),
)
@click.argument("session")
@click.option("--recording", help="Of several recordings, this one: the beginning of its SHA-256.")
@click.option("--at", "moment", help="When they speak: 12:31, or 751.2 (seconds).")
@click.option("--until", help="Until when.  [default: to the end of the segment that is said then]")
@click.option("--is", "who", help='A voice, somebody of the catalogue, new for another voice, or "" for nobody.')
@click.option("--undo", is_flag=True, help="Take the last correction back.")
@click.option("--history", "listing", is_flag=True, help="List what was corrected: who, when, before and after.")
@click.option("--by", help="Who says so.  [default: the user's name on this machine]")
@json_option
@archive_option
def correct_speaker(
    root: Path,
    session: str,
    recording: str | None,
    moment: str | None,
    until: str | None,
    who: str | None,
    undo: bool,
    listing: bool,
    by: str | None,
    as_json: bool,
) -> None:
    """Correct who speaks in SESSION (its slug, or EVENT/SESSION): in a segment, or a stretch.

    What you say holds for these seconds, whatever is heard or transcribed later, and wins over captions, too. 'rostra
    speakers' lists the voices; it names a voice everywhere at once.
    """
    if sum([moment is not None, undo, listing]) != 1 or (moment is None) is not (who is None):
        raise click.UsageError("give one of --at with --is, --undo and --history")
    if listing:
        with open_archive_readonly(root) as context:
            _tell(attributions(context.db, recording_of_session(context, session, recording)), as_json=as_json)
        return
    with taking_turns(root) as context:
        subject = recording_of_session(context, session, recording)
        with transaction(context.db):
            if moment is not None and who is not None:
                span = _span(context, subject, moment, until)
                done = attribute(context.db, subject, span, who, by=by or user_name(), at=timestamp())
            else:
                undone = take_back(context.db, subject, by=by or user_name(), at=timestamp())
                if undone is None:
                    raise ConfigError("nobody has corrected who speaks here: nothing is to be taken back")
                done = undone
    _tell([done], as_json=as_json)
    err.print("Next: [bold]rostra run[/]")


def _span(context: Context, recording: int, moment: str, until: str | None) -> tuple[int, int]:
    """Return the stretch that is meant.

    Raises:
        ConfigError: nothing is said at the moment, or the stretch ends before it begins.
    """
    start = milliseconds(moment, "--at")
    if until is not None:
        end = milliseconds(until, "--until")
        if end <= start:
            raise ConfigError(f"--until {until} is not after --at {moment}")
        return start, end
    found = said_within(context.db, recording, (start, start + 1))
    if not found:
        raise ConfigError(f"nothing is said at {format_clock(start)}: give --until as well, or another moment")
    return found[-1].start_ms, found[-1].end_ms


def _tell(done: list[Attribution], *, as_json: bool) -> None:
    if as_json:
        emit([asdict(each) for each in done])
        return
    for each in done:
        before, after = (escape(name) or "nobody" for name in (each.before, each.after))
        times = f"{format_clock(each.start_ms)} to {format_clock(each.end_ms)}"
        undone = "  (taken back)" if each.undone_at else ""
        out.print(f"{each.at}  {escape(each.by)}  {times}  {before} → {after}{undone}")
    if not done:
        out.print("Nobody has corrected who speaks here.")
