"""What people see while Rostra works: progress on standard error, results on standard output."""

from __future__ import annotations

import logging
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click
from rich.console import Console, ConsoleOptions, RenderableType
from rich.filesize import decimal
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.segment import Segment
from rich.text import Text

from metadata.times import format_clock
from pipelines.text import one_line, visible

if TYPE_CHECKING:  # every command shows something, and few of them run stages
    from pipelines.stages.base import Item, Outcome, Stage


class Harmless(Console):
    """Shows nothing that a terminal would obey, whichever command prints it; Rostra's own colours and bars stay."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """Yield what is shown, with the text of strangers made visible."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text))


out = Harmless(highlight=False, soft_wrap=True)
err = Harmless(stderr=True, highlight=False, soft_wrap=True)


class Warnings(logging.Handler):
    """Shows warnings of any part of Rostra, or of a library, as a line."""

    def emit(self, record: logging.LogRecord) -> None:
        """Show one."""
        err.print(f"[yellow]–[/] {escape(one_line(record.getMessage()))}")


def typed(argument: object) -> str:
    """Return an argument of a command that is shown to be copied: as a shell takes it."""
    return escape(shlex.quote(str(argument)))


def echo(text: str, *, nl: bool = True) -> None:
    """Write what a command is asked for to standard output: as it is, but to a terminal as one may see it."""
    click.echo(visible(text) if sys.stdout.isatty() else text, nl=nl)


MARKS = {"done": "[green]✓[/]", "skipped": "[yellow]–[/]", "refused": "[red]✗[/]", "failed": "[red]✗[/]"}


ESTIMATED = 0.02
"""How much of the sound must be done before the rest is estimated from it: until then, models load."""


class _Amount(ProgressColumn):
    """How much audio, or how many bytes, are done, how fast, and how long the rest takes at that speed."""

    def render(self, task: Task) -> Text:
        unit = task.fields.get("unit")
        if not unit or not task.total:
            return Text("")
        done, total = (_amount(value, unit) for value in (task.completed, task.total))
        elapsed = task.elapsed or 0.0
        if elapsed < 1 or task.completed < ESTIMATED * task.total:
            return Text(f"· {done} of {total}")
        speed = task.completed / elapsed
        fast = f"{speed:.1f}× real time" if unit == "s" else f"{decimal(int(speed))}/s"
        left = format_clock(int((task.total - task.completed) / speed * 1000))
        return Text(f"· {done} of {total} · {fast} · {left} left")


def _amount(value: float, unit: str) -> str:
    return format_clock(int(value * 1000)) if unit == "s" else decimal(int(value))


class ProgressObserver:
    """Shows each stage as a bar, and each item that ends as a line.

    Args:
        console: where.
        quiet: whether to show nothing.
    """

    def __init__(self, console: Console = err, *, quiet: bool = False) -> None:
        self.console = console
        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[count]}"),
            _Amount(),
            TextColumn("· {task.fields[state]}"),
            console=console,
            transient=True,
            disable=quiet or not console.is_terminal,
        )
        self.quiet = quiet
        self.lines = True
        self.unit = ""
        self.items = 0
        self.size = 0.0
        self.partial: dict[str, float] = {}
        self.in_hand = self.wrong = 0
        self.task = self.progress.add_task("", visible=False, count="", state="")
        self.count = 0

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def beside(self) -> ProgressObserver:
        """Return another that shows its bar below this one's."""
        other = copy(self)
        other.task = self.progress.add_task("", visible=False, count="", state="")
        return other

    def stage(self, stage: Stage, items: Sequence[Item]) -> None:
        """Begin a bar: in the stage's unit where sizes are known, else in items."""
        self.progress.remove_task(self.task)
        self.lines = stage.name != "index"  # which has one for every session, and nothing to say of it
        known = stage.unit == "s" or all(item.size for item in items)
        self.unit, self.size, self.partial, self.count = stage.unit if known else "", 0.0, {}, 0
        self.items = len(items)
        total = sum(item.size for item in items) if self.unit else float(len(items))
        self.in_hand = self.wrong = 0
        self.task = self.progress.add_task(stage.name, total=total or None, unit=self.unit, count="", state="")
        self._draw()

    def started(self, item: Item) -> None:  # noqa: ARG002 one signature
        """Count what is in hand."""
        self.in_hand += 1
        self._draw()

    def advanced(self, item: Item, done: float) -> None:
        """Move the bar within an item."""
        self.partial[item.subject] = min(done, item.size)
        self._draw()

    def ended(self, item: Item, outcome: Outcome, remark: str | None) -> None:
        """Move the bar past an item, and say how it went."""
        self.partial.pop(item.subject, None)
        self.in_hand -= 1
        self.wrong += outcome.status in {"failed", "refused"}
        self.size += item.size
        self.count += 1
        self._draw()
        if not self.quiet and (self.lines or outcome.status != "done"):
            self.console.print(_line(item, outcome, remark, timed=self.unit == "s"))

    def _draw(self) -> None:
        done = self.size + sum(self.partial.values()) if self.unit else self.count
        wrong = f" · [red]{self.wrong} failed[/]" if self.wrong else ""
        count, state = f"{self.count} of {self.items}", f"{self.in_hand} at work{wrong}"
        self.progress.update(self.task, completed=done, count=count, state=state)


def _line(item: Item, outcome: Outcome, remark: str | None, *, timed: bool) -> str:
    parts = [f"{MARKS.get(outcome.status, '?')} {escape(one_line(item.label))}"]
    if timed and outcome.status == "done" and item.size >= 1 and outcome.seconds:
        speed = item.size / outcome.seconds
        parts.append(f"[dim]{format_clock(int(item.size * 1000))} in {outcome.seconds:.1f} s, {speed:.1f}×[/]")
    if outcome.text:
        parts.append(escape(one_line(outcome.text)))
    if remark:
        parts.append(f"[dim]{escape(one_line(remark))}[/]")
    return "  ".join(parts)


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Show that something is going on, for as long as a block takes."""
    with err.status(escape(one_line(text))):
        yield


@contextmanager
def counting_bytes() -> Iterator[Callable[[int, int], None]]:
    """Show how many bytes of files have travelled: give what is called with those done, and with all that there are."""
    columns = (TextColumn("files"), BarColumn(bar_width=24), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
