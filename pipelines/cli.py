"""The command line: it gathers what a command needs, has it done, and says how it went.

Exit status: 0 done, 1 some items failed or were refused (they are listed), 2 usage or configuration,
130 interrupted.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec
from rich.markup import escape
from rich.table import Table

from archive import runs
from archive.db import transaction
from archive.errors import ArchiveError, sqlite_errors
from archive.events import apply_event
from archive.release import released
from archive.search import Hit, SqliteSearch
from metadata.captions import WRITERS
from metadata.errors import MetadataError
from metadata.languages import parse_language
from metadata.model import Transcript
from metadata.times import format_clock
from metadata.timetables import read_timetable
from pipelines import config as configuration
from pipelines import context as archives
from pipelines.blobs import write_atomic
from pipelines.context import Context, now, open_archive, open_archive_readonly, timestamp
from pipelines.display import ProgressObserver, err, out, waiting
from pipelines.errors import ItemError, PipelineError
from pipelines.executors import Executor, InProcess, Local
from pipelines.media import probe, stream_audio
from pipelines.runner import Report, run_stage
from pipelines.stages.base import Stage
from pipelines.stages.index import Index
from pipelines.stages.publish import Publish
from pipelines.stages.pull import Pull
from pipelines.stages.transcribe import Transcribe
from pipelines.stages.translate import Translate
from pipelines.transcribers import engine
from pipelines.transcribers.base import Hints, ignore_progress
from pipelines.transcribers.models import list_models

STAGES = ("transcribe", "translate", "index", "publish")
Command = TypeVar("Command", bound=Callable[..., Any])


class Examples(click.Command):
    """A command whose help ends in examples, kept as they are written."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self.examples = examples

    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"  {line}\n")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="rostra", prog_name="rostra")
@click.option("--archive", "folder", type=click.Path(path_type=Path), help="The archive's folder, for any command.")
@click.pass_context
def cli(ctx: click.Context, folder: Path | None) -> None:
    """Rostra: an archive for recorded sessions.

    From recordings to an answer: pull, transcribe with Whisper, index, publish.
    """
    ctx.obj = folder


def command(*examples: str, name: str | None = None) -> Callable[[Command], click.Command]:
    """Register a command with examples for its help."""
    return cli.command(name, cls=Examples, examples=examples)


def archive_option(function: Command) -> Command:
    """Add ``--archive``, which also stands in ROSTRA_ARCHIVE or before the command's name."""

    @click.option(
        "--archive",
        "folder",
        type=click.Path(path_type=Path),
        envvar="ROSTRA_ARCHIVE",
        show_envvar=True,
        help="The archive's folder.  [default: this folder]",
    )
    @click.pass_context
    @wraps(function)
    def wrapper(ctx: click.Context, /, *args: Any, folder: Path | None, **options: Any) -> Any:
        return ctx.invoke(function, *args, root=folder or ctx.obj or Path(), **options)

    return wrapper  # type: ignore[return-value]


json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON, for scripts.")


def emit(value: Any) -> None:
    """Write a value as JSON to standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


@command("rostra init talks", 'rostra init /srv/archive --title "Winter School"')
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--title", help="What the site calls itself.  [default: the folder's name]")
def init(folder: Path, title: str | None) -> None:
    """Make an archive in FOLDER."""
    new = archives.init(folder, title=title or folder.absolute().name)
    if not new:
        err.print(f"{folder} is an archive already: nothing changed")
        return
    out.print(f"An archive in [bold]{escape(str(folder))}[/]; its settings are in {archives.Layout(folder).config}")
    out.print(f"Next: [bold]rostra --archive {escape(str(folder))} pull RECORDING…[/]")


@command("rostra import event.yaml", "rostra import talks/*.yaml --dry-run", name="import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@archive_option
def import_(root: Path, files: tuple[Path, ...], dry_run: bool) -> None:
    """Bring timetables into the catalogue: FILES, each checked whole before anything is written."""
    with open_archive(root) as context:
        for file in files:
            _import_file(context, file, dry_run=dry_run)


class _RehearsalError(Exception):
    """Ends a transaction that was only to show what it would do."""


def _import_file(context: Context, file: Path, *, dry_run: bool = False) -> None:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise click.UsageError(f"{file}: {error.strerror}") from error
    event = read_timetable(data, file.name)
    try:
        with transaction(context.db):
            applied = apply_event(context.db, event, decided_at=timestamp())
            if dry_run:
                raise _RehearsalError  # noqa: TRY301 the transaction's own way to roll back
    except _RehearsalError:
        pass
    added, changed = len(applied.added), len(applied.changed)
    would = "would be " if dry_run else ""
    err.print(
        f"{escape(event.title)}: event {would}{applied.event};"
        f" {added} sessions {would}added, {changed} {would}changed, {len(event.sessions)} in all"
    )


@command("rostra pull talk.mp4", "rostra pull ~/recordings --event winter-school-12", "rostra pull a.wav --session q-a")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--event", help="The event (its slug) that the recordings belong to.")
@click.option("--session", help="The session (its slug) that the recordings belong to.")
@archive_option
def pull(root: Path, sources: tuple[Path, ...], event: str | None, session: str | None) -> None:
    """Copy recordings into the archive: SOURCES are files, or folders that are walked.

    The same bytes are one recording, whatever they are called. What is not a recording is refused with the
    reason, and the others go on.
    """
    with open_archive(root) as context, ProgressObserver() as observer:
        report = run_stage(context, Pull(sources, event, session), _local(context), observer)
        _conclude(report, "pulled", nothing="Nothing new to pull.")
    _exit(report)


@command(
    "rostra run",
    "rostra run --only transcribe --workers 2",
    "rostra run --model /models/large-v3",
    "rostra run --translate",
)
@click.option("--only", type=click.Choice(STAGES), help="Run one stage alone.")
@click.option("--workers", type=click.IntRange(1, 1024), help="Recordings to transcribe at once.")
@click.option("--model", help="Whisper's size or a folder of weights, for this run.")
@click.option("--translate", is_flag=True, help="Translate what is not in English, too.")
@archive_option
def run(root: Path, only: str | None, workers: int | None, model: str | None, translate: bool) -> None:
    """Do whatever is due: transcribe, index, publish. Running it again does what is left."""
    with open_archive(root) as context, ProgressObserver() as observer:
        report = _run(context, observer, only=only, workers=workers, model=model, translate=translate)
        _conclude(report, "done", nothing="Nothing is due.")
    _exit(report)


def _run(
    context: Context,
    observer: ProgressObserver,
    *,
    only: str | None = None,
    workers: int | None = None,
    model: str | None = None,
    translate: bool = False,
) -> Report:
    settings = context.config.transcribe
    count = configuration.workers(context.config, workers)
    transcriber = engine(
        settings.engine,
        model=model or settings.model,
        device=settings.device,
        threads=max(1, configuration.cores() // count),
    )
    here = InProcess()
    plan: dict[str, tuple[Stage, Executor]] = {
        "transcribe": (Transcribe(transcriber), _local(context, workers)),
        "translate": (Translate(transcriber), _local(context, workers)),
        "index": (Index(), here),
        "publish": (Publish(), here),
    }
    report = Report()
    for name, (stage, executor) in plan.items():
        if only == name or (only is None and (translate or name != "translate")):
            report.merge(run_stage(context, stage, executor, observer))
    return report


def _local(context: Context, wanted: int | None = None) -> Local:
    return Local(configuration.workers(context.config, wanted), context.layout.work)


def _conclude(report: Report, verb: str, *, nothing: str) -> None:
    if not report.counts:
        err.print(nothing)
        return
    parts = [f"{count} {verb if status == 'done' else status}" for status, count in sorted(report.counts.items())]
    err.print(", ".join(parts))


def _exit(report: Report) -> None:
    if report.failed:
        err.print("Some items need attention: [bold]rostra status[/] lists them with their reasons.")
        sys.exit(1)


@command("rostra publish", "rostra publish --to /srv/www/archive")
@click.option("--to", "target", type=click.Path(path_type=Path), help="Another folder than the archive's own.")
@archive_option
def publish(root: Path, target: Path | None) -> None:
    """Build what is released into a database of its own, and swap it in."""
    with open_archive(root) as context, ProgressObserver() as observer:
        report = run_stage(context, Publish(target), InProcess(), observer)
        _conclude(report, "published", nothing="Nothing has changed since the last publication.")
    _exit(report)


@command("rostra status", "rostra status --json")
@json_option
@archive_option
def status(root: Path, as_json: bool) -> None:
    """Say what the archive holds, how far its stages are, and what needs attention."""
    with open_archive_readonly(root) as context, sqlite_errors():
        facts = _facts(context)
    if as_json:
        emit(facts)
        return
    holds = facts["holds"]
    out.print(f"[bold]{escape(facts['title'])}[/]  {escape(facts['archive'])}")
    out.print(
        f"{holds['events']} events, {holds['sessions']} sessions, {holds['recordings']} recordings"
        f" ({format_clock(holds['recorded_ms'])}), {holds['transcripts']} transcripts, {holds['segments']} segments"
    )
    out.print(f"released: {holds['released_sessions']} sessions, {holds['released_recordings']} recordings")
    table = Table("stage", "done", "skipped", "refused", "failed", "running", box=None, pad_edge=False)
    for stage, counts in facts["stages"].items():
        shown = [str(counts.get(x, 0)) for x in ("done", "skipped", "refused", "failed", "running")]
        table.add_row(stage, *shown)
    out.print(table)
    for trouble in facts["troubles"]:
        mark = "[yellow]–[/]" if trouble["status"] == "skipped" else "[red]✗[/]"
        out.print(f"{mark} {trouble['stage']} {escape(trouble['label'])}: {escape(trouble['text'])}")
    if any(x["status"] == "failed" for x in facts["troubles"]):
        out.print("What failed is tried again by [bold]rostra run[/], up to run.attempts in rostra.toml.")


def _facts(context: Context) -> dict[str, Any]:
    db = context.db
    sessions, recordings = released(db, default=context.config.publish.default_release, now=now())

    def count(sql: str) -> int:
        return int(db.execute(sql).fetchone()[0])

    return {
        "archive": str(context.layout.root.absolute()),
        "title": context.config.site.title,
        "holds": {
            "events": count("SELECT count(*) FROM event"),
            "sessions": count("SELECT count(*) FROM session"),
            "people": count("SELECT count(*) FROM person"),
            "recordings": count("SELECT count(*) FROM recording"),
            "recorded_ms": count("SELECT coalesce(sum(duration_ms), 0) FROM recording"),
            "transcripts": count("SELECT count(*) FROM transcript WHERE is_current"),
            "segments": count(
                "SELECT count(*) FROM segment JOIN transcript ON transcript.id = transcript_id WHERE is_current"
            ),
            "released_sessions": len(sessions),
            "released_recordings": len(recordings),
        },
        "stages": runs.counts(db),
        "troubles": [asdict(trouble) for trouble in runs.troubles(db)],
    }


@command(
    'rostra search "the best of times"',
    "rostra search lighthouse -fog --limit 5",
    "rostra search 'tide* OR current' --json",
)
@click.argument("query", nargs=-1, required=True)
@click.option("--event", help="Only this event (its slug).")
@click.option("--language", help="Only transcripts in this language.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Hits at most.")
@json_option
@archive_option
def search(
    root: Path, query: tuple[str, ...], event: str | None, language: str | None, limit: int, as_json: bool
) -> None:
    """Search everything that was said, in the private catalogue.

    Words must all occur; "quotes" mean exactly that phrase; OR, -not and prefix* work as usual.
    """
    text = _as_query(query)
    with open_archive_readonly(root) as context, sqlite_errors():
        results = SqliteSearch(context.db.conn).search(
            text, event=event, language=parse_language(language) if language else None, limit=limit
        )
    if results.note:
        err.print(f"[yellow]{escape(results.note)}[/]")
    if as_json:
        emit([_hit(hit) for hit in results.hits])
        return
    for hit in results.hits:
        out.print(f"[bold]{escape(hit.title)}[/]  {format_clock(hit.start_ms)}  [dim]{escape(hit.url)}[/]")
        out.print(f"  {_marked(hit)}")
    out.print(f"[dim]{results.total} found in {results.sessions} sessions[/]")


def _as_query(words: tuple[str, ...]) -> str:
    """Join arguments; one that a shell's quotes kept together is a phrase only when it stands beside others."""
    if len(words) == 1:
        return words[0]
    return " ".join(f'"{word}"' if " " in word and '"' not in word else word for word in words)


def _hit(hit: Hit) -> dict[str, Any]:
    keys = ("event", "session", "title", "language", "start_ms", "end_ms", "text", "url", "score")
    return {key: getattr(hit, key) for key in keys}


def _marked(hit: Hit) -> str:
    parts, at = [], 0
    for start, end in hit.matches:
        parts += [escape(hit.text[at:start]), f"[reverse]{escape(hit.text[start:end])}[/]"]
        at = end
    return "".join([*parts, escape(hit.text[at:])])


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
@click.option("--model", default="base", show_default=True, help="Whisper's size or a folder of weights.")
@click.option("--engine", "engine_name", default="faster-whisper", show_default=True, help="What runs Whisper.")
@click.option("--output", type=click.Path(path_type=Path), help="A folder for one file each, instead of the screen.")
@click.option("--translate", is_flag=True, help="Add a translation into English, with the same times.")
def transcribe(
    files: tuple[Path, ...],
    language: str | None,
    hints: tuple[str, ...],
    form: str,
    model: str,
    engine_name: str,
    output: Path | None,
    translate: bool,
) -> None:
    """Transcribe FILES, without an archive.

    One file is written as it is; of several, json becomes a list whose entries carry "file", and the others
    follow each other under their names. A translation carries ".en" in its name.
    """
    transcriber = engine(engine_name, model=model)
    known = Hints(parse_language(language) if language else None, hints)
    done: list[tuple[Path, Transcript]] = []
    failed = False
    for file in files:
        try:
            with waiting(f"listening to {file.name}"):
                probe(file)
                versions = {file: transcriber.transcribe(stream_audio(file), known, ignore_progress)}
                if translate:
                    english = transcriber.translate(stream_audio(file), versions[file], ignore_progress)
                    versions[file.with_name(f"{file.stem}.en{file.suffix}")] = english
        except (ItemError, OSError) as error:
            err.print(f"[red]✗[/] {escape(str(file))}: {escape(str(error))}")
            failed = True
            continue
        if output is None:
            done += versions.items()
            continue
        output.mkdir(parents=True, exist_ok=True)
        for name, transcript in versions.items():
            target = output / f"{name.stem}{WRITERS[form].suffix}"
            write_atomic(target, WRITERS[form].write(transcript).encode())
            err.print(f"[green]✓[/] {escape(str(target))}")
    _show(done, form, several=len(files) > 1 or translate)
    if failed:
        sys.exit(1)


def _show(done: list[tuple[Path, Transcript]], form: str, *, several: bool) -> None:
    texts = [(file, WRITERS[form].write(transcript)) for file, transcript in done]
    if not several:
        for _file, text in texts:
            click.echo(text.rstrip("\n"))
    elif form == "json":
        emit([{"file": str(file)} | json.loads(text) for file, text in texts])
    else:
        for file, text in texts:
            click.echo(f"== {file}\n\n{text}")


@command("rostra models", "rostra models --json")
@json_option
def models(as_json: bool) -> None:
    """List the weights that are here or in known packages: size, languages, licence.

    Any folder with weights in CTranslate2's form is a model too, and any other name is asked of the engine's hub.
    """
    found = list_models()
    if as_json:
        emit([asdict(model) for model in found])
        return
    table = Table("model", "size", "languages", "licence", "", box=None, pad_edge=False)
    for model in found:
        size = "not installed" if model.bytes is None else f"{model.bytes / 1e6:.0f} MB"
        where = escape(model.source) if model.bytes is None else ""
        table.add_row(model.model, size, str(model.languages), model.licence, where)
    out.print(table)


@command("rostra serve", "rostra serve --port 8080 --archive talks")
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 serves other machines too.")
@archive_option
def serve(root: Path, port: int, host: str) -> None:
    """Serve the published site. A new publication is noticed without a restart."""
    layout = archives.Layout(root)
    _serve(layout, configuration.load(layout.config).site.title, host, port)


def _serve(layout: archives.Layout, title: str, host: str, port: int) -> None:
    # Datasette takes most of a second to import, which only serving is worth.
    from archive.site.app import serve as serve_site

    err.print(f"Serving [bold]{escape(title)}[/] at [bold]http://{host}:{port}/[/] (Ctrl-C ends it)")
    serve_site(layout.public, host=host, port=port, title=title)


@command("rostra demo", "rostra demo --no-serve", "rostra demo elsewhere --port 8080")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("demo"))
@click.option("--no-serve", is_flag=True, help="Stop when the archive is built.")
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True)
def demo(folder: Path, no_serve: bool, port: int) -> None:
    """Build an example archive in FOLDER from real speech, and serve it."""
    # The example's makers (a voice, slides) are an extra, which no other command needs.
    from pipelines.demo import SEARCHES, build

    archives.init(folder, title="Rostra demo")
    incoming = folder / "incoming"
    with err.status("making the example's recordings") as spinner:

        def show(file: str, done: int, total: int) -> None:
            spinner.update(f"making the example's recordings: {done} of {total}  {escape(file)}")

        timetable = build(incoming, show)
    with open_archive(folder) as context, ProgressObserver() as observer:
        _import_file(context, timetable)
        report = run_stage(context, Pull([incoming]), _local(context), observer)
        report.merge(_run(context, observer))
        title = context.config.site.title
        _conclude(report, "done", nothing="Nothing is due: everything was done before.")
    out.print("Three searches to try:")
    for query in SEARCHES:
        out.print(f"  rostra --archive {escape(str(folder))} search {escape(_quoted(query))}")
    if report.failed or no_serve:
        out.print(f"To serve it: rostra serve --archive {escape(str(folder))}")
        _exit(report)
        return
    for query in SEARCHES:
        out.print(f"  http://127.0.0.1:{port}/search?q={_in_url(query)}")
    _serve(archives.Layout(folder), title, "127.0.0.1", port)


def _quoted(query: str) -> str:
    import shlex  # only the demo's last lines quote for a shell

    return shlex.quote(query)


def _in_url(query: str) -> str:
    from urllib.parse import quote_plus  # only the demo's last lines make addresses

    return quote_plus(query)


def main() -> None:
    """Run the command line, and turn errors that people can mend into one line and an exit status."""
    try:
        cli(standalone_mode=False)
    except click.exceptions.Abort:
        err.print("\nInterrupted: what was finished is kept; run it again to go on.")
        sys.exit(130)
    except KeyboardInterrupt:
        err.print("\nInterrupted: what was finished is kept; run it again to go on.")
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (PipelineError, ArchiveError, MetadataError) as error:
        err.print(f"[red]rostra:[/] {escape(str(error))}")
        sys.exit(2)
    except (OSError, msgspec.MsgspecError) as error:
        err.print(f"[red]rostra:[/] {escape(str(error))}")
        sys.exit(2)


if __name__ == "__main__":
    main()
