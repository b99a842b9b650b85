"""What commands share: the group, examples in help, the options that several have, JSON on the screen."""

from __future__ import annotations

import getpass
import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from pipelines.text import to_json

Command = TypeVar("Command", bound=Callable[..., Any])


class Entry(NamedTuple):
    """A command in the table of all: the line that tells what it is for, and the modules that register it."""

    line: str
    modules: tuple[str, ...]


COMMANDS = {
    "announce": Entry("Keep what organisers published about an event.", ("announcements",)),
    "backup": Entry("Keep a snapshot of the archive elsewhere.", ("backup",)),
    "caption": Entry("Add captions or transcripts that others made.", ("captions",)),
    "check": Entry("Check that all is as it was kept, and say what mends it.", ("check",)),
    "cite": Entry("Cite a session, or a moment of it, by an address that stays.", ("cite",)),
    "correct": Entry("Correct a title, a name, an hour, or words, by hand.", ("correct", "revise", "attribute")),
    "cut": Entry("Cut the recording of a whole day into its sessions.", ("recordings",)),
    "demo": Entry("Build an example archive from real speech, and serve it.", ("site",)),
    "explore": Entry("Count and compare what was said, and by whom.", ("explore",)),
    "export": Entry(
        "Write the archive in the formats of other programs.", ("bags", "captions", "corpus", "timetables")
    ),
    "hints": Entry("Show what a session's recordings are heard with.", ("captions",)),
    "import": Entry("Import timetables, from files or web addresses.", ("timetables",)),
    "init": Entry("Make an archive.", ("site",)),
    "match": Entry("Say of which sessions recordings could be, and why.", ("recordings",)),
    "models": Entry("List the weights of models that are here, or in reach.", ("transcribe",)),
    "portrait": Entry("Keep, release and delete pictures of people.", ("portraits",)),
    "publish": Entry("Publish what is released, as a site or as files.", ("site",)),
    "pull": Entry("Copy recordings into the archive.", ("recordings",)),
    "redact": Entry("Take minutes of a session out of all that is published.", ("redact",)),
    "release": Entry("Decide who may have sessions, recordings and events.", ("release",)),
    "restore": Entry("Make an archive from a backup.", ("backup",)),
    "retry": Entry("Make due again what failed, was refused or was skipped.", ("status",)),
    "run": Entry("Do whatever is due: transcribe, index, publish.", ("run",)),
    "search": Entry("Search everything that was said.", ("search",)),
    "serve": Entry("Serve the published site.", ("serve",)),
    "speakers": Entry("List the voices of a session, and say who they are.", ("speakers",)),
    "status": Entry("Say how the archive stands, and what needs attention.", ("status",)),
    "transcribe": Entry("Transcribe files, without an archive.", ("transcribe",)),
}
"""Every command. What the list of them says stands here, so that nothing is imported for it."""


class Commands(click.Group):
    """All commands. What one of them needs is imported when it is asked for: search would wait for the others'."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None where there is none of that name."""
        entries = [COMMANDS[cmd_name]] if cmd_name in COMMANDS else COMMANDS.values()  # of all, one may be meant
        for module in {module for entry in entries for module in entry.modules}:
            import_module(f"pipelines.cli.{module}")
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Return the names of all commands, in order."""
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.line) for name, entry in COMMANDS.items()])


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


class Query(Examples):
    """A command that takes words, which a minus leaves out as in *-fog*; its options begin with two, but for ``-h``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep click from taking words for options."""
        return super().parse_args(ctx, [f"{_LEFT_OUT}{arg}" if _MINUS.match(arg) else arg for arg in args])

    @staticmethod
    def words(given: Iterable[str]) -> tuple[str, ...]:
        """Return words as they were given."""
        return tuple(word.removeprefix(_LEFT_OUT) for word in given)


_MINUS = re.compile(r"-[^-].")
_LEFT_OUT = "\0"
"""What no argument of a program can hold."""


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="rostra", prog_name="rostra")
@click.option("--archive", "folder", type=click.Path(path_type=Path), help="The archive's folder, for any command.")
@click.pass_context
def cli(ctx: click.Context, folder: Path | None) -> None:
    """Rostra: an archive for recorded sessions.

    From recordings to an answer: pull, transcribe with Whisper, index, publish.
    """
    ctx.obj = folder


def command(
    *examples: str, name: str | None = None, more: str = "", cls: type[Examples] = Examples
) -> Callable[[Callable[..., Any]], click.Command]:
    """Register a command with examples for its help, which goes on with ``more`` after the function's docstring."""

    def register(function: Callable[..., Any]) -> click.Command:
        about = f"{inspect.cleandoc(function.__doc__ or '')}\n\n{more}"
        return cli.command(name, cls=cls, examples=examples, help=about.strip())(function)

    return register


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


def in_full(_ctx: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    """Return weights that are named on the command line: a path in full, where there is one from here."""
    from pipelines.config import existing_from  # takes a while to import, which most commands need not wait for

    return name and existing_from(Path.cwd(), name)


json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON, for scripts.")


def emit(value: Any) -> None:
    """Write a value as JSON to standard output."""
    click.echo(to_json(value, indent=2))


class ExamplesGroup(Examples, click.Group):
    """A group of commands whose help ends in examples."""


@cli.group(cls=ExamplesGroup, examples=("rostra export timetable winter-school-12 --format schedule.xml",))
def export() -> None:
    """Write what the catalogue holds into files of other programs."""


@cli.group(
    cls=ExamplesGroup, examples=("rostra explore frequency tide --by speaker", "rostra explore keywords --year 2022")
)
def explore() -> None:
    """Count and compare what was said: who said it, how often, with what, and more than whom."""


def user_name() -> str:
    """Return who asks: the user's name on this machine."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def session_name(name: str) -> tuple[str | None, str]:
    """Return the event's slug, if it is given, and the session's."""
    event, slash, slug = name.rpartition("/")
    return (event if slash else None), slug
