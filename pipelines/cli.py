"""The command line: it gathers what a command needs, has it done, and says how it went.

Exit status: 0 done, 1 some items failed or were refused (they are listed), 2 usage or configuration,
130 interrupted (143 by SIGTERM, 129 by a terminal that went).
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeVar

import click
import msgspec
from rich.markup import escape
from rich.table import Table

from archive import runs
from archive.db import transaction
from archive.errors import ArchiveError, UnknownSubjectError, sqlite_errors
from archive.exports import format_of, write_moments
from archive.release import released
from archive.research import Research
from archive.search import Filters, Hit, SqliteSearch
from metadata.captions import FORMATS, WRITERS, writer
from metadata.errors import MetadataError
from metadata.languages import display_name, parse_language
from metadata.model import Transcript
from metadata.times import format_clock
from metadata.timetables import WRITERS as TIMETABLE_WRITERS
from pipelines import config as configuration
from pipelines import context as archives
from pipelines import cutting, timetables
from pipelines.advice import advice
from pipelines.blobs import write_atomic
from pipelines.captions import add_captions, find_recording, only_recording, written
from pipelines.context import Context, now, open_archive, open_archive_readonly, timestamp
from pipelines.display import ProgressObserver, err, out, waiting
from pipelines.errors import ConfigError, ItemError, LockedError, PipelineError
from pipelines.executors import Executor, InProcess, Local
from pipelines.hints import hints_for
from pipelines.matching import Proposal, assign, proposals
from pipelines.media import probe, stream_audio
from pipelines.observers import Log, Metrics, Several, notifying, to_journal
from pipelines.runner import Observer, Report, run_stage
from pipelines.sources.watched import LOOK_SECONDS, Watched
from pipelines.stages.base import Stage
from pipelines.stages.captions import Captions
from pipelines.stages.index import Index
from pipelines.stages.publish import Publish
from pipelines.stages.pull import Pull, find_session, new_session
from pipelines.stages.render import Render
from pipelines.stages.transcribe import Transcribe
from pipelines.stages.translate import Translate
from pipelines.timetables import Imported
from pipelines.transcribers import engine
from pipelines.transcribers.base import Hints, ignore_progress
from pipelines.transcribers.models import list_models

EXPORT_MS = 3_600_000
"""How long an export may take."""
STAGES = ("transcribe", "translate", "render", "index", "publish")
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


@command(
    "rostra import event.yaml",
    "rostra import https://events.example.org/schedule.xml --dry-run",
    "rostra import talks.ics --event winter-school-12",
    "rostra import ~/pyvideo-data --json",
    name="import",
)
@click.argument("sources", nargs=-1, required=True)
@click.option("--event", help="The event (its slug) that they describe, where they do not say.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@json_option
@archive_option
def import_(root: Path, sources: tuple[str, ...], event: str | None, dry_run: bool, as_json: bool) -> None:
    """Bring the catalogue in step with timetables: SOURCES are files, web addresses, or folders of pyvideo's.

    The format is detected. Sessions are recognised when they are moved or renamed, and keep their recordings;
    what was corrected by hand stays. All SOURCES are applied, or none.
    """
    with open_archive(root) as context:
        done = timetables.import_timetables(context, sources, event=event, dry_run=dry_run)
    if as_json:
        emit(timetables.as_json(done, dry_run=dry_run))
        return
    for each in done:
        _tell(each, dry_run=dry_run)


SHOWN = 12


def _tell(done: Imported, *, dry_run: bool) -> None:
    """Say what an import did, or would do."""
    would = "would be " if dry_run else ""
    err.print(f"[bold]{escape(done.source)}[/] ({done.format})")
    for event in done.applied:
        counts = [
            f"{len(slugs)} {would}{verb}"
            for slugs, verb in ((event.added, "added"), (event.changed, "changed"), (event.dropped, "dropped"))
            if slugs
        ]
        stays = [f"{len(event.gone)} gone and kept"] if event.gone else []
        fields = f" ({', '.join(event.fields)})" if event.fields else ""
        sessions = ", ".join([*counts, *stays]) or "none changed"
        err.print(f"  {escape(event.slug)}: event {would}{event.event}{escape(fields)}; sessions: {sessions}")
        lines = [f"~ {each.slug}: {', '.join(each.fields)}" for each in event.changed]
        lines += [f"- {slug}" for slug in event.dropped]
        lines += [f"! {each.slug}: {each.reason}" for each in (*event.gone, *event.corrected)]
        _list(lines)
    if done.described:
        err.print(f"  people {would}described: {len(done.described)}")
    _list([f"? {name}: described here, and in no session" for name in done.unknown])
    _list([f"? {notice.where + ': ' if notice.where else ''}{notice.text}" for notice in done.notices])


def _list(lines: list[str]) -> None:
    for line in lines[:SHOWN]:
        err.print(f"    {escape(line)}")
    if len(lines) > SHOWN:
        err.print(f"    … and {len(lines) - SHOWN} more (--json lists all)")


class ExamplesGroup(Examples, click.Group):
    """A group of commands whose help ends in examples."""


@cli.group(cls=ExamplesGroup, examples=("rostra export timetable winter-school-12 --format schedule.xml",))
def export() -> None:
    """Write what the catalogue holds into files of other programs."""


@export.command(
    "timetable",
    cls=Examples,
    examples=(
        "rostra export timetable winter-school-12 --format schedule.xml",
        "rostra export timetable winter-school-12 --format pyvideo --output data/",
    ),
)
@click.argument("event")
@click.option("--format", "form", type=click.Choice(list(TIMETABLE_WRITERS)), default="yaml", show_default=True)
@click.option("--output", type=click.Path(path_type=Path), help="A file, or a folder.  [default: the screen]")
@archive_option
def export_timetable(root: Path, event: str, form: str, output: Path | None) -> None:
    """Write EVENT (its slug) as a timetable. What the format cannot hold is said."""
    with open_archive_readonly(root) as context, sqlite_errors():
        written = timetables.export_timetable(context, event, form)
    for line in written.unsaid:
        err.print(f"[yellow]–[/] {escape(line)}")
    if output is not None:
        for path in timetables.save(written, output):
            err.print(f"[green]✓[/] {escape(str(path))}")
    elif len(written.files) == 1:
        click.echo(next(iter(written.files.values())), nl=False)
    else:
        raise click.UsageError(f"{form} is several files: --output names a folder for them")


@command(
    "rostra pull talk.mp4",
    "rostra pull ~/recordings --event winter-school-12",
    "rostra pull a.wav --session q-a",
    "rostra pull https://example.org/podcast.xml",
    "rostra pull s3://bucket/folder",
    "rostra pull --watch ~/recordings",
)
@click.argument("sources", nargs=-1, required=True)
@click.option("--event", help="The event (its slug) that the recordings belong to.")
@click.option("--session", help="The session (its slug) that the recordings belong to.")
@click.option("--watch", is_flag=True, help="Go on pulling what arrives in folders, once it has stopped growing.")
@archive_option
def pull(root: Path, sources: tuple[str, ...], event: str | None, session: str | None, watch: bool) -> None:
    """Copy recordings into the archive: SOURCES are files, folders, addresses, podcast feeds and S3 buckets.

    The same bytes are one recording, whatever they are called. What is not a recording is refused with the
    reason, and the others go on. Captions beside a recording, talk.vtt or talk.de.vtt beside talk.mp4, become
    its transcript until it has a better one.
    """
    if watch:
        _watch(root, [Path(source) for source in sources], event, session)
    with open_archive(root) as context, _observing() as observer:
        report = run_stage(context, Pull(sources, event, session), _local(context), observer)
        report.merge(run_stage(context, Captions(_local_paths(sources)), InProcess(), observer))
        _conclude(report, "pulled", nothing="Nothing new to pull.")
    _exit(report)


def _local_paths(sources: Sequence[str]) -> list[Path]:
    return [Path(source) for source in sources if "://" not in source]


def _watch(root: Path, folders: list[Path], event: str | None, session: str | None) -> NoReturn:
    """Pull what arrives until interrupted; the archive is free for other work in between."""
    if strange := [str(folder) for folder in folders if not folder.is_dir()]:
        raise click.UsageError(f"--watch takes folders, and {strange[0]} is none")
    with open_archive_readonly(root):
        pass  # a wrong archive is said at once, not when something arrives
    watched = Watched(folders)
    err.print(f"Watching {escape(', '.join(map(str, folders)))} (Ctrl-C ends it)")
    while True:
        if ready := watched.look(time.monotonic()):
            try:
                with open_archive(root) as context, _observing() as observer:
                    run_stage(context, Pull(ready, event, session), _local(context), observer)
                watched.took(ready)
            except LockedError:
                pass  # another run is at work: it is tried again at the next look
        time.sleep(LOOK_SECONDS)


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

    Read are WebVTT, SRT, SBV, TTML, SCC, JSON (of podcasts, of Whisper, and our own) and plain text. The same
    file again changes nothing.
    """
    if (session is None) == (recording is None):
        raise click.UsageError("say whose captions they are: either --session or --recording")
    tag = parse_language(language) if language else None
    with open_archive(root) as context, transaction(context.db):
        if recording is not None:
            subject = find_recording(context.db, recording)
        else:
            name = session or ""
            subject = only_recording(context.db, find_session(context.db, *_session_name(name)), name)
        added = add_captions(context, file.read_bytes(), file.name, subject, kind=kind, language=tag)
    if not added.new:
        err.print(f"{escape(file.name)}: this transcript is in the archive already")
        return
    facts = [f"{len(added.transcript.segments)} captions", display_name(added.transcript.language)]
    facts.append("current" if added.current else "kept beside the current transcript")
    err.print(f"{escape(file.name)}: {escape(added.transcript.generator)}, {', '.join(facts)}")
    for label, name in added.people.items():
        err.print(f"  {escape(label)} is {escape(name)} of the timetable")


def _session_name(name: str) -> tuple[str | None, str]:
    """Return the event's slug, if it is given, and the session's."""
    event, slash, slug = name.rpartition("/")
    return (event if slash else None), slug


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
        with open_archive(root) as context:
            found = list(proposals(context, event))
            for proposal in found:
                _decide(context, proposal, None if as_json or not sys.stdin.isatty() else click.getchar)
    else:
        with open_archive_readonly(root) as context, sqlite_errors():
            found = list(proposals(context, event))
            if not as_json:
                for proposal in found:
                    _list_proposal(proposal)
    if as_json:
        emit([_proposal(each) for each in found])
    elif not found:
        err.print("Every recording has its session.")


def _decide(context: Context, proposal: Proposal, ask: Callable[[], str] | None) -> None:
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


def _list_proposal(proposal: Proposal) -> None:
    length = format_clock(proposal.file.duration_ms or 0)
    out.print(f"[bold]{escape(proposal.file.name)}[/]  {length}  [dim]{proposal.sha256[:12]}[/]")
    for number, each in enumerate(proposal.found[:9], start=1):
        mark = "[green]✓[/]" if each is proposal.certain else f"{number}"
        out.print(f"  {mark} {each.score:.2f} {escape(each.talk.label)}  [dim]{escape(', '.join(each.reasons))}[/]")
    if not proposal.found:
        out.print("  [dim]nothing fits[/]")


def _proposal(proposal: Proposal) -> dict[str, Any]:
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
        known = hints_for(context, find_session(context.db, *_session_name(session)))
    if as_json:
        emit({"language": known.language, "terms": known.terms})
        return
    err.print(f"[dim]{escape(display_name(known.language)) if known.language else 'language to be identified'}[/]")
    for term in known.terms:
        out.print(escape(term))


@command("rostra cut 5f2b0d5e", 'rostra cut 5f2b0d5e --room "Main hall" --apply')
@click.argument("recording")
@click.option("--event", help="Only this event's sessions (its slug).")
@click.option("--room", help="Where it was made.  [default: the room that its name or folder says]")
@click.option("--apply/--dry-run", "apply_", default=False, help="Cut, or say where.  [default: --dry-run]")
@archive_option
def cut(root: Path, recording: str, event: str | None, room: str | None, apply_: bool) -> None:
    """Cut a RECORDING of a whole day (the beginning of its SHA-256) into the sessions that it holds.

    The timetable says about when each began and ended, pauses in speech say when. Nothing is encoded anew:
    pictures begin at the last key frame before. The whole recording stays in the archive, without a session.
    """
    with open_archive(root) as context:
        subject = find_recording(context.db, recording)
        whole = cutting.day(context, subject, event=event, room=room)
        pauses = cutting.heard_pauses(context, subject)
        if pauses is None:
            with waiting("listening for pauses"):
                pauses = cutting.detected_pauses(whole.path)
        cuts = cutting.plan(whole.talks, whole.started, whole.row["duration_ms"] or 0, pauses)
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
        found = find_session(context.db, *_session_name(session))
        texts = list(written(context, {"id": found, "slug": _session_name(session)[1]}, form))
    if not texts:
        raise UnknownSubjectError("transcript of session", session)
    if target is None:
        click.echo(texts[0][1], nl=False)
        return
    target.mkdir(parents=True, exist_ok=True)
    for name, text in texts:
        write_atomic(target / name, text.encode())
        err.print(f"[green]✓[/] {escape(str(target / name))}")


@command(
    "rostra run",
    "rostra run --only transcribe --workers 2",
    "rostra run --translate",
    "rostra run --cluster tls://head:8786",
)
@click.option("--only", type=click.Choice(STAGES), help="Run one stage alone.")
@click.option("--workers", type=click.IntRange(1, 1024), help="Recordings to transcribe at once.")
@click.option("--model", help="Whisper's size or a folder of weights, for this run.")
@click.option("--translate", is_flag=True, help="Translate what is not in English, too.")
@click.option("--cluster", metavar="URL", help="Transcribe on Dask workers behind this scheduler: tls://HOST:8786.")
@click.option("--log-json", is_flag=True, help="Say how it goes as JSON lines on standard error.")
@click.option("--metrics", type=click.Path(path_type=Path), help="A file for Prometheus' textfile collector.")
@archive_option
def run(
    root: Path,
    only: str | None,
    workers: int | None,
    model: str | None,
    translate: bool,
    cluster: str | None,
    log_json: bool,
    metrics: Path | None,
) -> None:
    """Do whatever is due: transcribe, render for the site, index, publish. Running it again does what is left."""
    with (
        open_archive(root) as context,
        notifying(context.config.run.notify, root) as notice,
        _observing(as_json=log_json, metrics=metrics) as observer,
    ):
        report = _run(context, observer, only=only, workers=workers, model=model, translate=translate, cluster=cluster)
        notice.report = report
        if not log_json:
            _conclude(report, "done", nothing="Nothing is due.")
    _exit(report, quiet=log_json)


@contextmanager
def _observing(*, as_json: bool = False, metrics: Path | None = None) -> Iterator[Observer]:
    """Show a run to people at a terminal, and write it down line by line elsewhere."""
    more = [Metrics(metrics)] if metrics else []
    try:
        if err.is_terminal and not as_json:
            with ProgressObserver() as shown:
                yield Several(shown, *more)
        else:
            yield Several(Log(sys.stderr, as_json=as_json, journal=to_journal()), *more)
    finally:
        for observer in more:
            observer.write()


def _run(
    context: Context,
    observer: Observer,
    *,
    only: str | None = None,
    workers: int | None = None,
    model: str | None = None,
    cluster: str | None = None,
    translate: bool = False,
) -> Report:
    settings = context.config.transcribe
    count = configuration.workers(context.config, workers)
    transcriber = engine(
        settings.engine,
        model=model or settings.model,
        device=settings.device,
        threads=None if cluster else max(1, configuration.cores() // count),
    )
    here = InProcess()
    plan: dict[str, tuple[Stage, Executor]] = {
        "transcribe": (Transcribe(transcriber), _cluster(context, cluster) if cluster else _local(context, workers)),
        "translate": (Translate(transcriber), _local(context, workers)),
        "render": (Render(), _local(context, workers)),
        "index": (Index(), here),
        "publish": (Publish(), here),
    }
    report = Report()
    for name, (stage, executor) in plan.items():
        if only == name or (only is None and (translate or name != "translate")):
            report.merge(run_stage(context, stage, executor, observer))
    return report


def _local(context: Context, wanted: int | None = None) -> Local:
    return Local(
        configuration.workers(context.config, wanted), context.layout.work, configuration.limits(context.config)
    )


def _cluster(context: Context, address: str) -> Executor:
    # Dask is an extra, and takes a second to import.
    try:
        from pipelines.cluster import Cluster
    except ImportError as error:
        raise ConfigError(f"--cluster needs Dask ({error}): pip install 'rostra[cluster]'") from error
    return Cluster(address, context.config.cluster, context.layout.work, configuration.limits(context.config))


def _conclude(report: Report, verb: str, *, nothing: str) -> None:
    if not report.counts:
        err.print(nothing)
        return
    parts = [f"{count} {verb if status == 'done' else status}" for status, count in sorted(report.counts.items())]
    err.print(", ".join(parts))


def _exit(report: Report, *, quiet: bool = False) -> None:
    if not report.failed:
        return
    if not quiet:
        err.print("Some items need attention: [bold]rostra status[/] lists them with their reasons.")
    sys.exit(1)


@command("rostra publish", "rostra publish --to /srv/www/archive")
@click.option("--to", "target", type=click.Path(path_type=Path), help="Another folder than the archive's own.")
@archive_option
def publish(root: Path, target: Path | None) -> None:
    """Build what is released into a database of its own, and swap it in."""
    with open_archive(root) as context, _observing() as observer:
        report = run_stage(context, Publish(target), InProcess(), observer)
        _conclude(report, "published", nothing="Nothing has changed since the last publication.")
    _exit(report)


@command("rostra status", "rostra status --json")
@json_option
@archive_option
def status(root: Path, as_json: bool) -> None:
    """Say what the archive holds, how far its stages are, what a run is doing, and what needs attention."""
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
    _show_run(facts)
    if facts["unmatched"]:
        out.print(
            f"{facts['unmatched']} recordings have no session yet: [bold]rostra match[/] says which they could be of"
        )
    for trouble in facts["troubles"]:
        mark = "[yellow]–[/]" if trouble["status"] == "skipped" else "[red]✗[/]"
        out.print(f"{mark} {trouble['stage']} {escape(trouble['label'])}: {escape(trouble['text'])}")
        if trouble["next"]:
            out.print(f"    [dim]{escape(trouble['next'])}[/]")
    for remark in facts["remarks"]:
        out.print(f"[dim]·[/] {remark['stage']} {escape(remark['label'])}: [dim]{escape(remark['text'])}[/]")


def _show_run(facts: dict[str, Any]) -> None:
    owner, in_hand = facts["run"], facts["in_hand"]
    if owner is None:
        if in_hand:
            out.print(f"A run was killed with {len(in_hand)} in hand, which costs them nothing: rostra run goes on.")
        return
    out.print(f"[bold]at work[/]: process {owner['pid']} on {escape(owner['host'])} since {owner['since']}")
    for item in in_hand:
        again = f", attempt {item['attempt']}" if item["attempt"] > 1 else ""
        out.print(f"  {item['stage']} {escape(item['label'])} since {item['started_at']}{again}")


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
            "recordings": count("SELECT count(*) FROM recording WHERE superseded_by IS NULL"),
            "recorded_ms": count("SELECT coalesce(sum(duration_ms), 0) FROM recording WHERE superseded_by IS NULL"),
            "transcripts": count("SELECT count(*) FROM transcript WHERE is_current"),
            "segments": count(
                "SELECT count(*) FROM segment JOIN transcript ON transcript.id = transcript_id WHERE is_current"
            ),
            "released_sessions": len(sessions),
            "released_recordings": len(recordings),
        },
        "unmatched": count(
            "SELECT count(*) FROM recording WHERE session_id IS NULL"
            " AND id NOT IN (SELECT cut_from FROM recording_source WHERE cut_from IS NOT NULL)"
        ),
        "stages": runs.counts(db),
        "run": asdict(owner) if (owner := archives.owner(context.layout)) else None,
        "in_hand": [asdict(item) for item in runs.in_hand(db)],
        "troubles": [
            asdict(trouble) | {"next": advice(trouble, context.config.run.attempts)} for trouble in runs.troubles(db)
        ],
        "remarks": [asdict(remark) for remark in runs.remarks(db)],
    }


@command("rostra retry", "rostra retry winter-school/opening", "rostra retry --stage transcribe")
@click.argument("subjects", nargs=-1)
@click.option("--stage", help="Only what went wrong in this stage.")
@archive_option
def retry(root: Path, subjects: tuple[str, ...], stage: str | None) -> None:
    """Make due again what failed, was refused or was skipped: all of it, or SUBJECTS as 'rostra status' names them."""
    with open_archive(root) as context:
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


@command(
    'rostra search "the best of times"',
    "rostra search lighthouse -fog --limit 5",
    "rostra search 'tide* OR current' --json",
    "rostra search lighthouse speaker:okafor after:2022 --export moments.csv",
)
@click.argument("query", nargs=-1, required=True)
@click.option("--event", help="Only this event (its slug).")
@click.option("--language", help="Only transcripts in this language.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Hits at most.")
@click.option(
    "--export",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write every moment to a file: .csv, .jsonl or .parquet.",
)
@json_option
@archive_option
def search(
    root: Path,
    query: tuple[str, ...],
    event: str | None,
    language: str | None,
    limit: int,
    file: Path | None,
    as_json: bool,
) -> None:
    """Search everything that was said, in the private catalogue.

    Words must all occur; "quotes" mean exactly that phrase; OR, -not, prefix* and near/10 work as usual, and
    fields such as speaker:NAME, year:2022 or doubtful:yes say where to look.
    """
    text = _as_query(query)
    if file:
        _export(root, text, file, Filters(event=event, language=language))
        return
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


def _export(root: Path, text: str, file: Path, filters: Filters) -> None:
    """Write all moments of a query, however long that takes."""
    form = format_of(file)
    if form is None:
        raise click.UsageError(f"{file}: write to a file that ends in .csv, .jsonl or .parquet")
    with open_archive_readonly(root) as context:
        hits = list(Research(context.db.conn, EXPORT_MS).moments(text, filters))
    write_atomic(file, write_moments(hits, form))
    err.print(f"{len(hits)} moments in [bold]{escape(str(file))}[/]")


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
            target = output / f"{name.stem}{FORMATS[form].suffix}"
            write_atomic(target, writer(form)(transcript).encode())
            err.print(f"[green]✓[/] {escape(str(target))}")
    _show(done, form, several=len(files) > 1 or translate)
    if failed:
        sys.exit(1)


def _show(done: list[tuple[Path, Transcript]], form: str, *, several: bool) -> None:
    texts = [(file, writer(form)(transcript)) for file, transcript in done]
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
    with open_archive(folder) as context, _observing() as observer:
        timetables.import_timetables(context, [str(timetable)])
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


class _Ended(KeyboardInterrupt):
    """A signal asked this process to end.

    Attributes:
        number: the signal's.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def _end(number: int, _frame: object) -> None:
    raise _Ended(number)


def _heed_signals() -> None:
    """Have a service manager or a lost terminal end a run as Ctrl-C does; what nohup ignores stays ignored."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)


def main(function: Callable[[], object] = lambda: cli(standalone_mode=False)) -> None:
    """Run the command line, and turn errors that people can mend into one line and an exit status."""
    _heed_signals()
    # Of a worker process that is killed, multiprocessing says that it left semaphores; it removes them, too.
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker:UserWarning")
    try:
        function()
    except (click.exceptions.Abort, KeyboardInterrupt) as error:
        ended = error.__context__ if isinstance(error, click.exceptions.Abort) else error
        err.print("\nInterrupted: what was finished is kept; run it again to go on.")
        sys.exit(128 + (ended.number if isinstance(ended, _Ended) else signal.SIGINT))
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
