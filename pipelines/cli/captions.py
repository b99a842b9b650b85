"""What is known of words: ``rostra caption``, ``hints`` and ``export captions``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import click
from rich.markup import escape

from archive.catalogue.revisions import corrected_words
from archive.catalogue.sessions import find_session
from archive.errors import UnknownSubjectError, sqlite_errors
from metadata.captions import FORMATS, READERS, WRITERS
from metadata.languages import display_name, parse_language
from pipelines.cli.base import Examples, archive_option, command, emit, export, json_option, session_name
from pipelines.cli.display import echo, err, out
from pipelines.exchange.captioned import Names, Told, add_files, caption_files, recording_for
from pipelines.exchange.captions import find_recording, written
from pipelines.exchange.revisions import corrected_terms
from pipelines.stages.hints import hints_for
from pipelines.storage.archive_folder import Context, open_archive_readonly, taking_turns
from pipelines.storage.atomic import write_atomic
from pipelines.storage.own import refuse_kept
from pipelines.text import counted, one_line


@command(
    "rostra caption talk.vtt --session opening --kind human",
    "rostra caption talk.de.srt --recording 5f2b0d5e --language de",
    "rostra caption captions/ --event winter-school-12 --kind human",
    "rostra caption talk.vtt --session opening --at https://youtu.be/dQw4w9WgXcQ",
    more=f"Formats that are read: {', '.join(FORMATS[name].title for name in READERS)}.",
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--session", help="The session (its slug, or EVENT/SESSION) whose recording they belong to.")
@click.option("--recording", help="The recording that they belong to: the beginning of its SHA-256.")
@click.option("--event", help="The event (its slug) whose sessions they belong to, by their names.")
@click.option("--at", "address", help="The address that plays the session's recording, where none is here.")
@click.option(
    "--kind",
    type=click.Choice(["human", "imported"]),
    default="imported",
    show_default=True,
    help="human: people made or checked them, so that they stand before what a machine hears.",
)
@click.option("--language", help="What they are in.  [default: as the file, its name or the session says]")
@json_option
@archive_option
def caption(
    root: Path,
    files: tuple[Path, ...],
    session: str | None,
    recording: str | None,
    event: str | None,
    address: str | None,
    kind: Literal["human", "imported"],
    language: str | None,
    as_json: bool,
) -> None:
    """Add captions or transcripts in FILES, which may be folders, as versions of recordings' transcripts.

    Without --session or --recording, each file's name says whose it is: that of a recording's file, a session's slug
    or title, or its id on another site in brackets. A session needs no recording here: its words are searched and
    read, and lead to the second on the site of its links, or of --at. Where there is no timetable, a name that nobody
    knows makes a session.

    The same file again changes nothing.
    """
    if session and recording:
        raise click.UsageError("say whose captions they are once: either --session or --recording")
    if address and not session:
        raise click.UsageError("--at says where one session is played: name it with --session")
    tag = parse_language(language) if language else None
    with taking_turns(root) as context:
        subject_of = _subject_of(context, session, recording, event, address)
        paths = list(caption_files(files))
        told = []
        with err.status("") as shown:
            for each in add_files(context, paths, subject_of, kind=kind, language=tag):
                told.append(each)
                shown.update(f"{len(told)} of {len(paths)}: {escape(one_line(each.path.name))}")
    if as_json:
        emit([_as_json(each) for each in told])
    else:
        _tell_all(told)
    if any(each.fault for each in told):
        sys.exit(1)


def _subject_of(
    context: Context, session: str | None, recording: str | None, event: str | None, address: str | None
) -> Callable[[Path], int]:
    """Return what tells whose captions a file holds."""
    if recording is not None:
        subject = find_recording(context.db, recording)
        return lambda _path: subject
    if session is not None:
        named, slug = session_name(session)
        found = find_session(context.db, named or event, slug)
        return lambda _path: recording_for(context, found.id, name=session, address=address)
    return Names(context, event).recording_of


def _tell_all(told: Sequence[Told]) -> None:
    """Say what became of files: of each where they are few, and of all where they are many."""
    few = len(told) <= ROWS_SHOWN
    for each in told:
        if each.added is None and (few or each.fault):
            mark = "[red]✗[/]" if each.fault else "[yellow]–[/]"
            err.print(f"{mark} {escape(one_line(each.path.name))}: {escape(one_line(each.reason))}")
        elif few:
            _tell(each)
    if not few or not told:
        new = sum(each.added is not None and each.added.new for each in told)
        known = sum(each.added is not None and not each.added.new for each in told)
        faults = sum(each.fault for each in told)
        others = len(told) - new - known - faults
        err.print(f"{new} added, {known} in the archive already, {faults} refused, {others} passed over")
        if new:
            err.print("Next: [bold]rostra run[/], which makes them searchable.")


ROWS_SHOWN = 12
"""Of so many files each is told of by itself."""


def _tell(told: Told) -> None:
    added, name = told.added, escape(one_line(told.path.name))
    if added is None or not added.new:
        err.print(f"{name}: this transcript is in the archive already")
        return
    facts = [counted(len(added.transcript.segments), "caption"), display_name(added.transcript.language)]
    facts.append("current" if added.current else "kept beside the current transcript")
    err.print(f"{name}: {escape(added.transcript.generator)}, {', '.join(facts)}")
    for label, person in added.people.items():
        err.print(f"  {escape(label)} is {escape(person)} of the timetable")


def _as_json(told: Told) -> dict[str, Any]:
    added = told.added
    facts = {"file": str(told.path), "status": "refused" if told.fault else "skipped", "reason": told.reason or None}
    if added is None:
        return facts
    return facts | {
        "status": "added" if added.new else "unchanged",
        "language": added.transcript.language,
        "kind": added.transcript.kind,
        "captions": len(added.transcript.segments),
        "current": added.current,
        "people": added.people,
    }


@command("rostra hints opening", "rostra hints winter-school-12/opening --json", "rostra hints --corrections")
@click.argument("session", required=False)
@click.option("--corrections", is_flag=True, help="List names and terms that people wrote in corrections.")
@json_option
@archive_option
def hints(root: Path, session: str | None, corrections: bool, as_json: bool) -> None:
    """Show what the recordings of SESSION (its slug, or EVENT/SESSION) are heard with: language, names and terms.

    They come from the timetable, people first, then the title, transcribe.glossary in rostra.toml and what the
    abstract sets in capitals. Whatever is wrong or missing here is mended there.

    With --corrections: what people wrote where a machine had heard something else, and the glossary does not have.
    Nothing is taken over by itself, as another glossary makes every recording due to be transcribed again.
    """
    if corrections and session is not None:
        raise click.UsageError("--corrections lists those of the whole archive: leave SESSION out")
    if not corrections and session is None:
        raise click.UsageError("say a SESSION, or --corrections")
    if session is None:
        _suggest(root, as_json=as_json)
        return
    with open_archive_readonly(root) as context, sqlite_errors():
        known = hints_for(context, find_session(context.db, *session_name(session)).id)
    if as_json:
        emit({"language": known.language, "terms": known.terms})
        return
    err.print(f"[dim]{escape(display_name(known.language)) if known.language else 'language to be identified'}[/]")
    for term in known.terms:
        out.print(escape(term))


def _suggest(root: Path, *, as_json: bool) -> None:
    """Show which names and terms of corrections the glossary lacks."""
    with open_archive_readonly(root) as context, sqlite_errors():
        found = corrected_terms(corrected_words(context.db), context.config.transcribe.glossary)
    if as_json:
        emit([each._asdict() for each in found])
        return
    for each in found:
        out.print(f"{escape(each.term)}  [dim]{counted(each.times, 'time')}, {counted(each.sessions, 'session')}[/]")
    if found:
        err.print("Those that may be said again belong into transcribe.glossary in rostra.toml.")
    else:
        err.print("No correction has a name or a term that the glossary lacks.")


@export.command(
    "captions",
    cls=Examples,
    examples=(
        "rostra export captions opening --format srt --no-speakers",
        "rostra export captions winter-school-12/opening --format ttml --to captions/",
    ),
)
@click.argument("session")
@click.option("--format", "form", type=click.Choice(sorted(WRITERS)), default="vtt", show_default=True)
@click.option("--speakers/--no-speakers", default=True, help="Whether they say who speaks.  [default: they do]")
@click.option("--to", "target", type=click.Path(path_type=Path), help="A folder, instead of the screen.")
@archive_option
def export_captions(root: Path, session: str, form: str, speakers: bool, target: Path | None) -> None:
    """Write the current transcripts of SESSION (its slug, or EVENT/SESSION) in any format.

    Lines and times follow the BBC's and Netflix's guidelines; captions that people timed keep their times. A
    folder gets a file for every recording, the screen the session's main one. WebVTT, TTML, ASS and JSON have a
    place for who speaks; in SRT and text the name stands before what is said.
    """
    with open_archive_readonly(root) as context, sqlite_errors():
        found = find_session(context.db, *session_name(session))
        texts = list(written(context, found, form, speakers=speakers))
    if not texts:
        raise UnknownSubjectError("transcript of session", session)
    if target is None:
        echo(texts[0][1], nl=False)
        return
    refuse_kept(target)
    target.mkdir(parents=True, exist_ok=True)
    for name, text in texts:
        write_atomic(target / name, text.encode())
        err.print(f"[green]✓[/] {escape(str(target / name))}")
