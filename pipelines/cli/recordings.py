"""Recordings and the sessions they are of: ``rostra pull``, ``match`` and ``cut``."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NoReturn

import click
from rich.markup import escape

from archive.catalogue.addresses import event_at
from archive.catalogue.recordings import assign
from archive.catalogue.sessions import find_session
from archive.connection import transaction
from archive.errors import sqlite_errors
from metadata.times import format_clock
from pipelines.cli.base import archive_option, command, emit, json_option, session_name
from pipelines.cli.display import err, out, waiting
from pipelines.cli.work import conclude, ending_as, finish, observing, run_stages
from pipelines.errors import LockedError
from pipelines.exchange.captions import find_recording
from pipelines.matching import cutting
from pipelines.matching.proposals import MatchProposal, new_session, proposals
from pipelines.sources.watched import LOOK_SECONDS, Watched
from pipelines.stages import Setup, stages_of
from pipelines.storage.archive_folder import Context, open_archive, open_archive_readonly, taking_turns


@command(
    "rostra pull talk.mp4",
    "rostra pull ~/recordings --event winter-school-12",
    "rostra pull a.wav --session q-a",
    "rostra pull https://example.org/podcast.xml",
    "rostra pull s3://bucket/folder",
    "rostra pull https://media.ccc.de/c/37c3 --captions-only --kind human",
    "rostra pull --watch ~/recordings",
)
@click.argument("sources", nargs=-1, required=True)
@click.option("--event", help="The event (its slug) that the recordings belong to.")
@click.option("--session", help="The session (its slug, or EVENT/SESSION) that the recordings belong to.")
@click.option(
    "--kind",
    type=click.Choice(["human", "imported"]),
    default="imported",
    show_default=True,
    help="Of the captions that come with them; human: people made or checked them.",
)
@click.option(
    "--captions-only", is_flag=True, help="Leave recordings where sites and feeds have them, and pull their captions."
)
@click.option("--watch", is_flag=True, help="Go on pulling what arrives in folders, once it has stopped growing.")
@click.option("--log-json", is_flag=True, help="Say how it goes as JSON lines on standard error.")
@archive_option
def pull(
    root: Path,
    sources: tuple[str, ...],
    event: str | None,
    session: str | None,
    kind: Literal["human", "imported"],
    captions_only: bool,
    watch: bool,
    log_json: bool,
) -> None:
    """Copy recordings into the archive: SOURCES are files, folders, addresses, podcast feeds and S3 buckets.

    The same bytes are one recording, whatever they are called. What is not a recording is refused with the
    reason, and the others go on. Captions beside a recording, talk.vtt or talk.de.vtt beside talk.mp4, or that a site
    or a feed gives with it, become its transcript until it has a better one. What archives keep for themselves is
    passed over: an archive's folder may hold recordings beside it.
    """
    if captions_only and (here := [source for source in sources if "://" not in source]):
        raise click.UsageError(f"--captions-only is for addresses; for files: rostra caption {shlex.quote(here[0])}")
    if session:
        named, session = session_name(session)
        event = named or event
    with ending_as(as_json=log_json):
        if watch:
            _watch(root, [Path(source) for source in sources], event, session, as_json=log_json)
        with open_archive(root) as context, observing(as_json=log_json) as observer:
            _must_be_there(context, event, session)
            setup = Setup(
                config=context.config,
                sources=sources,
                event=event,
                session=session,
                kind=kind,
                captions_only=captions_only,
            )
            report = run_stages(context, observer, stages_of("pull"), setup)
            if not log_json:
                conclude(report, "pulled", nothing="Nothing new to pull.")
    finish(report, quiet=log_json)


def _must_be_there(context: Context, event: str | None, session: str | None) -> None:
    """Say that there is no such session before anything is copied for it."""
    if session:
        find_session(context.db, event, session)


def _watch(root: Path, folders: list[Path], event: str | None, session: str | None, *, as_json: bool) -> NoReturn:
    """Pull what arrives until interrupted; the archive is free for other work in between."""
    if strange := [str(folder) for folder in folders if not folder.is_dir()]:
        raise click.UsageError(f"--watch takes folders, and {strange[0]} is none")
    with open_archive_readonly(root) as context:  # what is wrong is said at once, not when something arrives
        _must_be_there(context, event, session)
    watched = Watched(folders)
    if not as_json:
        err.print(f"Watching {escape(', '.join(map(str, folders)))} (Ctrl-C ends it)")
    while True:
        if ready := watched.look(time.monotonic()):
            try:
                with open_archive(root) as context, observing(as_json=as_json) as observer:
                    setup = Setup(config=context.config, sources=ready, event=event, session=session)
                    run_stages(context, observer, stages_of("pull"), setup)
                watched.took(ready)
            except LockedError:
                pass  # another run is at work: it is tried again at the next look
        time.sleep(LOOK_SECONDS)


@command("rostra match", "rostra match --apply", "rostra match --event winter-school-12 --json")
@click.option("--event", help="Only this event's sessions (its slug).")
@click.option("--apply", "apply_", is_flag=True, help="Apply what is certain, and at a terminal ask about the rest.")
@json_option
@archive_option
def match(root: Path, event: str | None, apply_: bool, as_json: bool) -> None:
    """Say which sessions the recordings that have none could be of, and why.

    Names of files, times, rooms, titles and speakers speak for a session. What is certain is marked; whatever
    else there is waits for one key of somebody's.
    """
    if apply_:
        with taking_turns(root) as context:
            found = list(proposals(context, event_at(context.db, event) if event else None))
            for proposal in found:
                _decide(context, proposal, None if as_json or not sys.stdin.isatty() else click.getchar)
    else:
        with open_archive_readonly(root) as context, sqlite_errors():
            found = list(proposals(context, event_at(context.db, event) if event else None))
            if not as_json:
                for proposal in found:
                    _list_proposal(proposal)
    if as_json:
        emit([_proposal(each) for each in found])
    elif not found:
        err.print("Every recording has its session.")


def _decide(context: Context, proposal: MatchProposal, ask: Callable[[], str] | None) -> None:
    """Apply a match that is certain; else list what there is, and ask for a key if somebody is there."""
    if chosen := proposal.certain:
        with transaction(context.db):
            assign(context.db, proposal.recording, chosen.talk.id)
        out.print(f"[green]✓[/] {escape(proposal.file.name)}  {escape(chosen.talk.label)}")
        return
    _list_proposal(proposal)
    choices = {str(number): each.talk.id for number, each in enumerate(proposal.found[:9], start=1)}
    while ask:
        out.print("  [bold]a number[/], [bold]n[/] for a session of its own, or [bold]s[/] to leave it:", end=" ")
        key = ask().lower()
        out.print(escape(key))
        if key == "s":
            return
        if key in choices or key == "n":
            with transaction(context.db):
                stem = Path(proposal.file.name).stem
                own = choices.get(key) or new_session(context.db, context.config.pull.event, stem)
                assign(context.db, proposal.recording, own)
            return


def _list_proposal(proposal: MatchProposal) -> None:
    length = format_clock(proposal.file.duration_ms or 0)
    out.print(f"[bold]{escape(proposal.file.name)}[/]  {length}  [dim]{proposal.sha256[:12]}[/]")
    for number, each in enumerate(proposal.found[:9], start=1):
        mark = "[green]✓[/]" if each is proposal.certain else f"{number}"
        out.print(f"  {mark} {each.score:.2f} {escape(each.talk.label)}  [dim]{escape(', '.join(each.reasons))}[/]")
    if not proposal.found:
        out.print("  [dim]nothing fits[/]")


def _proposal(proposal: MatchProposal) -> dict[str, Any]:
    certain = proposal.certain
    return {
        "recording": proposal.sha256,
        "file": proposal.file.name,
        "certain": certain.talk.label if certain else None,
        "sessions": [
            {"session": each.talk.label, "score": round(each.score, 3), "reasons": each.reasons}
            for each in proposal.found
        ],
    }


@command("rostra cut 5f2b0d5e", 'rostra cut 5f2b0d5e --room "Main hall" --apply')
@click.argument("recording")
@click.option("--event", help="Only this event's sessions (its slug).")
@click.option("--room", help="Where it was made.  [default: the room that its name or folder says]")
@click.option("--apply/--dry-run", "apply_", default=False, help="Cut, or say where.  [default: --dry-run]")
@archive_option
def cut(root: Path, recording: str, event: str | None, room: str | None, apply_: bool) -> None:
    """Cut a RECORDING of a whole day (the beginning of its SHA-256) into the sessions that it holds.

    The timetable says about when each began and ended, pauses in speech say when. Each part begins and ends just
    there: where no key frame lies before the first word, it is encoded anew, so that it has nothing of the session
    before. The whole recording stays in the archive, without a session.
    """
    with open_archive(root) as context:
        subject = find_recording(context.db, recording)
        event = event_at(context.db, event) if event else None
        whole = cutting.day(context, subject, event=event, room=room)
        pauses = cutting.heard_pauses(context, subject)
        if pauses is None:
            with waiting("listening for pauses"):
                pauses = cutting.detected_pauses(whole.path)
        cuts = cutting.plan(whole.talks, whole.started, whole.recording.duration_ms or 0, pauses)
        for each in cutting.at_key_frames(whole.path, cuts):
            times = f"{format_clock(each.start_ms)}–{format_clock(each.end_ms)}"
            made = cutting.is_made(context, subject, each)
            if apply_ and not made:
                with waiting(f"cutting {each.talk.label}"):
                    cutting.make(context, whole, each)
                made = True
            mark = "[green]✓[/]" if made else "•"
            out.print(f"{mark} {times}  {escape(each.talk.label)}  [dim]{escape(', '.join(each.reasons))}[/]")
    if not apply_:
        err.print("Nothing was cut: add [bold]--apply[/] if this is right.")
