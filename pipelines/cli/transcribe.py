"""Whisper without an archive: ``rostra transcribe`` and ``models``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from metadata.captions import FORMATS, WRITERS, writer
from metadata.languages import parse_language
from metadata.model import Transcript
from pipelines.cli.base import command, emit, in_full, json_option
from pipelines.cli.display import echo, err, out, waiting
from pipelines.config import QUALITIES, Quality
from pipelines.errors import ItemError
from pipelines.media.files import probe, stream_audio
from pipelines.speakers.weights import list_weights
from pipelines.storage.atomic import write_atomic
from pipelines.text import file_name
from pipelines.transcribers import engine
from pipelines.transcribers.base import Hints, ignore_progress
from pipelines.transcribers.models import list_models


@command(
    "rostra transcribe talk.mp4",
    "rostra transcribe *.wav --language fr --format vtt --output captions/",
    'rostra transcribe talk.mp4 --hint "Noor Okafor" --json',
    "rostra transcribe vortrag.mp4 --language de --translate --format vtt --output captions/",
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--language", help="What is spoken: a code or an English name.  [default: identified]")
@click.option("--hint", "hints", multiple=True, help="A name or term that may be said; repeat it for more.")
@click.option("--format", "form", type=click.Choice(sorted(WRITERS)), default="txt", show_default=True)
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@click.option(
    "--model", default="base", show_default=True, callback=in_full, help="Whisper's size or a folder of weights."
)
@click.option(
    "--quality",
    type=click.Choice(QUALITIES),
    default="balanced",
    show_default=True,
    help="How often to hear what is unsure again.",
)
@click.option("--engine", "engine_name", default="faster-whisper", show_default=True, help="What runs Whisper.")
@click.option("--output", type=click.Path(path_type=Path), help="A folder for one file each, instead of the screen.")
@click.option("--translate", is_flag=True, help="Add a translation into English, with the same times.")
def transcribe(
    files: tuple[Path, ...],
    language: str | None,
    hints: tuple[str, ...],
    form: str,
    model: str,
    quality: Quality,
    engine_name: str,
    output: Path | None,
    translate: bool,
) -> None:
    """Transcribe FILES, without an archive.

    One file is written as it is; of several, json becomes a list whose entries carry "file", and the others
    follow each other under their names. In json, what could not be transcribed has "file" and "error" alone. A
    translation carries ".en" in its name.
    """
    transcriber = engine(engine_name, model=model, quality=quality)
    known = Hints(parse_language(language) if language else None, hints)
    done: list[tuple[Path, Transcript | str]] = []
    failed = False
    for file in files:
        try:
            with waiting(f"listening to {file.name}"):
                probe(file)
                versions = {file: transcriber.transcribe(stream_audio(file), known, ignore_progress)}
                if translate:
                    english = transcriber.translate(stream_audio(file), versions[file], ignore_progress)
                    versions[file.with_name(file_name(file.stem, f".en{file.suffix}"))] = english
        except (ItemError, OSError) as error:
            err.print(f"[red]✗[/] {escape(str(file))}: {escape(str(error))}")
            failed = True
            done.append((file, str(error)))
            continue
        if output is None:
            done += versions.items()
            continue
        output.mkdir(parents=True, exist_ok=True)
        for name, transcript in versions.items():
            target = output / file_name(name.stem, FORMATS[form].suffix)
            write_atomic(target, writer(form)(transcript).encode())
            err.print(f"[green]✓[/] {escape(str(target))}")
    if output is None:
        _show(done, form, several=len(files) > 1 or translate)
    if failed:
        sys.exit(1)


def _show(done: list[tuple[Path, Transcript | str]], form: str, *, several: bool) -> None:
    """Write transcripts to the screen, and in JSON also why there is none."""
    texts = [(file, writer(form)(found)) for file, found in done if isinstance(found, Transcript)]
    if form == "json" and (several or not texts):
        written = dict(texts)
        entries = [
            {"file": str(file)} | ({"error": found} if isinstance(found, str) else json.loads(written[file]))
            for file, found in done
        ]
        emit(entries if several else entries[0])
    elif not several:
        for _file, text in texts:
            echo(text.rstrip("\n"))
    else:
        for file, text in texts:
            echo(f"== {file}\n\n{text}")


@command("rostra models", "rostra models --json")
@json_option
def models(as_json: bool) -> None:
    """List the weights that are here or in known packages: what they are for, size, languages, licence.

    Whisper's hear words, and two networks tell speakers apart. Any folder with weights in CTranslate2's form is a
    model too, and any other name is asked of the engine's hub.
    """
    found = [*list_models(), *list_weights()]
    if as_json:
        emit([asdict(model) for model in found])
        return
    table = Table("model", "for", "size", "languages", "licence", box=None, pad_edge=False)
    for model in found:
        size = "not installed" if model.bytes is None else f"{model.bytes / 1e6:.0f} MB"
        table.add_row(model.model, model.task, size, str(model.languages or "any"), model.licence)
    out.print(table)
    for model in found:
        if model.bytes is None:
            out.print(f"{model.model}: {escape(model.source)}")
