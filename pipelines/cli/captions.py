"""What is known of words: ``rostra caption``, ``hints`` and ``export captions``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click
from rich.markup import escape

from archive.catalogue.sessions import find_session
from archive.connection import transaction
from archive.errors import UnknownSubjectError, sqlite_errors
from metadata.captions import WRITERS
from metadata.languages import display_name, parse_language
from pipelines.cli.base import Examples, archive_option, command, emit, export, json_option, session_name
from pipelines.cli.display import echo, err, out
from pipelines.exchange.captions import add_captions, find_recording, only_recording, written
from pipelines.stages.hints import hints_for
from pipelines.storage.archive_folder import open_archive_readonly, taking_turns
from pipelines.storage.atomic import write_atomic


@command(
    "rostra caption talk.vtt --session opening --kind human",
    "rostra caption talk.de.srt --recording 5f2b0d5e --language de",
)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--session", help="The session (its slug, or EVENT/SESSION) whose recording they belong to.")
@click.option("--recording", help="The recording that they belong to: the beginning of its SHA-256.")
@click.option(
    "--kind",
    type=click.Choice(["human", "imported"]),
    default="imported",
    show_default=True,
    help="human: people made or checked them, so that they stand before what a machine hears.",
)
@click.option("--language", help="What they are in.  [default: as the file, its name or the session says]")
@archive_option
def caption(
    root: Path,
    file: Path,
    session: str | None,
    recording: str | None,
    kind: Literal["human", "imported"],
    language: str | None,
) -> None:
    """Add captions or a transcript in FILE to a recording, as a version of its transcript.

    Read are WebVTT, SRT, SBV, TTML, SCC, JSON (of podcasts, of Whisper, and our own), podcasts' HTML and plain
    text. The same file again changes nothing.
    """
    if (session is None) == (recording is None):
        raise click.UsageError("say whose captions they are: either --session or --recording")
    tag = parse_language(language) if language else None
    with taking_turns(root) as context, transaction(context.db):
        if recording is not None:
            subject = find_recording(context.db, recording)
        else:
            name = session or ""
            subject = only_recording(context.db, find_session(context.db, *session_name(name)).id, name)
        added = add_captions(context, file.read_bytes(), file.name, subject, kind=kind, language=tag)
    if not added.new:
        err.print(f"{escape(file.name)}: this transcript is in the archive already")
        return
    facts = [f"{len(added.transcript.segments)} captions", display_name(added.transcript.language)]
    facts.append("current" if added.current else "kept beside the current transcript")
    err.print(f"{escape(file.name)}: {escape(added.transcript.generator)}, {', '.join(facts)}")
    for label, name in added.people.items():
        err.print(f"  {escape(label)} is {escape(name)} of the timetable")


@command("rostra hints opening", "rostra hints winter-school-12/opening --json")
@click.argument("session")
@json_option
@archive_option
def hints(root: Path, session: str, as_json: bool) -> None:
    """Show what the recordings of SESSION (its slug, or EVENT/SESSION) are heard with: language, names and terms.

    They come from the timetable, people first, then the title, transcribe.glossary in rostra.toml and what the
    abstract sets in capitals. Whatever is wrong or missing here is mended there.
    """
    with open_archive_readonly(root) as context, sqlite_errors():
        known = hints_for(context, find_session(context.db, *session_name(session)).id)
    if as_json:
        emit({"language": known.language, "terms": known.terms})
        return
    err.print(f"[dim]{escape(display_name(known.language)) if known.language else 'language to be identified'}[/]")
    for term in known.terms:
        out.print(escape(term))


@export.command(
    "captions",
    cls=Examples,
    examples=(
        "rostra export captions opening --format srt",
        "rostra export captions winter-school-12/opening --format ttml --to captions/",
    ),
)
@click.argument("session")
@click.option("--format", "form", type=click.Choice(sorted(WRITERS)), default="vtt", show_default=True)
@click.option("--to", "target", type=click.Path(path_type=Path), help="A folder, instead of the screen.")
@archive_option
def export_captions(root: Path, session: str, form: str, target: Path | None) -> None:
    """Write the current transcripts of SESSION (its slug, or EVENT/SESSION) in any format.

    Lines and times follow the BBC's and Netflix's guidelines; captions that people timed keep their times. A
    folder gets a file for every recording, the screen the session's main one.
    """
    with open_archive_readonly(root) as context, sqlite_errors():
        found = find_session(context.db, *session_name(session))
        texts = list(written(context, found, form))
    if not texts:
        raise UnknownSubjectError("transcript of session", session)
    if target is None:
        echo(texts[0][1], nl=False)
        return
    target.mkdir(parents=True, exist_ok=True)
    for name, text in texts:
        write_atomic(target / name, text.encode())
        err.print(f"[green]✓[/] {escape(str(target / name))}")
