"""Reports of a run for machines: journal lines, JSON lines, Prometheus metrics, and a command at the end."""

from __future__ import annotations

import json
import os
import shlex
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from metadata.times import format_clock
from pipelines.config import FILE_NAME
from pipelines.errors import ConfigError
from pipelines.run.runner import Observer, RunSummary
from pipelines.stages.base import Item, Outcome, Stage
from pipelines.storage.archive_folder import timestamp
from pipelines.text import one_line, to_json

PRIORITIES = {"failed": 3, "refused": 4}
"""The priorities of journal lines by outcome; every other outcome is information (6). Source: sd-daemon(3)."""


class Several:
    """Tells several observers."""

    def __init__(self, *observers: Observer) -> None:
        self.observers = observers

    def beside(self) -> Several:
        """Return the same of each."""
        return Several(*(observer.beside() for observer in self.observers))

    def stage(self, stage: Stage, items: Sequence[Item]) -> None:
        """Pass it on."""
        for observer in self.observers:
            observer.stage(stage, items)

    def started(self, item: Item) -> None:
        """Pass it on."""
        for observer in self.observers:
            observer.started(item)

    def advanced(self, item: Item, done: float) -> None:
        """Pass it on."""
        for observer in self.observers:
            observer.advanced(item, done)

    def ended(self, item: Item, outcome: Outcome, remark: str | None) -> None:
        """Pass it on."""
        for observer in self.observers:
            observer.ended(item, outcome, remark)


class Log:
    """Writes a line for every stage that begins and every item that ends.

    Args:
        stream: where the lines are written.
        as_json: write one JSON object a line instead of words.
        journal: begin each line with its priority, which systemd's journal removes again.
    """

    def __init__(self, stream: TextIO, *, as_json: bool = False, journal: bool = False) -> None:
        self.stream = stream
        self.as_json = as_json
        self.journal = journal
        self.name = ""
        self.ends = self.due = 0

    def beside(self) -> Log:
        """Return another that writes into the same stream."""
        return copy(self)

    def stage(self, stage: Stage, items: Sequence[Item]) -> None:
        """Write how many items are due."""
        self.name, self.ends, self.due = stage.name, 0, len(items)
        size = sum(item.size for item in items)
        of = f", {format_clock(int(size * 1000))} of sound" if stage.unit == "s" else ""
        self._write({"event": "stage", "due": len(items), "size": size}, f"{len(items)} due{of}")

    def started(self, item: Item) -> None:
        """Write nothing: the end of the item is reported."""

    def advanced(self, item: Item, done: float) -> None:
        """Write nothing: progress does not belong in a journal."""

    def ended(self, item: Item, outcome: Outcome, remark: str | None) -> None:
        """Write the item's outcome, and how far the stage is."""
        self.ends += 1
        facts = {
            "event": "item",
            "number": self.ends,
            "due": self.due,
            "subject": item.subject,
            "label": item.label,
            "status": outcome.status,
            "code": outcome.code,
            "text": outcome.text,
            "remark": remark,
            "size": item.size,
            "seconds": round(outcome.seconds, 3),
        }
        why = "; ".join(part for part in (outcome.text, remark) if part)
        words = f"{self.ends} of {self.due}: {outcome.status} {item.label} in {outcome.seconds:.1f} s"
        words += f": {why}" if why else ""
        self._write(facts, words, PRIORITIES.get(outcome.status, 6))

    def failed(self, error: Exception) -> None:
        """Write what ended the run."""
        self._write({"event": "error", "text": str(error)}, str(error), PRIORITIES["failed"])

    def _write(self, facts: dict[str, Any], words: str, priority: int = 6) -> None:
        if self.as_json:
            line = to_json({"time": timestamp(), "stage": self.name} | facts)
        else:
            line = (f"<{priority}>" if self.journal else "") + one_line(f"{self.name}: {words}")
        print(line, file=self.stream, flush=True)


def to_journal() -> bool:
    """Tell whether standard error goes to systemd's journal. Source: systemd.exec(5), JOURNAL_STREAM."""
    try:
        found = os.fstat(2)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


class Metrics:
    """Keeps a file for Prometheus' textfile collector, which node_exporter reads.

    Args:
        path: the file, ``….prom``; it is replaced at once, at most every second.

    Raises:
        ConfigError: prometheus-client is not installed, or there is no such folder.
    """

    def __init__(self, path: Path) -> None:
        try:
            import prometheus_client  # an extra
        except ImportError as error:
            raise ConfigError(f"--metrics needs prometheus-client ({error}): pip install 'rostra[metrics]'") from error
        if not path.absolute().parent.is_dir():
            raise ConfigError(f"--metrics: there is no folder {path.absolute().parent}")
        self._write_to = prometheus_client.write_to_textfile
        self.path = path
        self.registry = prometheus_client.CollectorRegistry()

        def metric(kind: Any, name: str, text: str, *labels: str) -> Any:
            return kind(f"rostra_{name}", text, labels, registry=self.registry)

        gauge, counter = prometheus_client.Gauge, prometheus_client.Counter
        self.due = metric(gauge, "due_items", "Items that are due, those in hand included.", "stage")
        self.due_audio = metric(gauge, "due_audio_seconds", "Seconds of audio that are due.", "stage")
        self.in_hand = metric(gauge, "items_in_hand", "Items that are being worked on.", "stage")
        self.items = metric(counter, "items", "Attempts that came to an end, by how.", "stage", "status")
        self.audio = metric(counter, "audio_seconds", "Seconds of audio that are done.", "stage")
        self.work = metric(counter, "work_seconds", "Seconds that workers spent.", "stage")
        self.written = metric(gauge, "written_timestamp_seconds", "When this file was written.")
        self.name, self.timed = "", False
        self._next = 0.0

    def beside(self) -> Metrics:
        """Return another that keeps the same file."""
        return copy(self)

    def stage(self, stage: Stage, items: Sequence[Item]) -> None:
        """Count what is due."""
        self.name = stage.name
        self.due.labels(self.name).set(len(items))
        self.timed = stage.unit == "s"
        if self.timed:
            self.due_audio.labels(self.name).set(sum(item.size for item in items))
        self.write()

    def started(self, item: Item) -> None:  # noqa: ARG002 one signature
        """Count what is in hand."""
        self.in_hand.labels(self.name).inc()

    def advanced(self, item: Item, done: float) -> None:  # noqa: ARG002 one signature
        """Write at intervals: an old file then means that the run is stuck or gone."""
        if time.monotonic() >= self._next:
            self.write()

    def ended(self, item: Item, outcome: Outcome, remark: str | None) -> None:  # noqa: ARG002 one signature
        """Count what ended."""
        self.due.labels(self.name).dec()
        self.in_hand.labels(self.name).dec()
        self.items.labels(self.name, outcome.status).inc()
        self.work.labels(self.name).inc(outcome.seconds)
        if self.timed:
            self.due_audio.labels(self.name).dec(item.size)
            self.audio.labels(self.name).inc(item.size if outcome.status == "done" else 0)
        self.advanced(item, item.size)

    def write(self) -> None:
        """Replace the file. If that fails, the run goes on; the file's age shows the failure."""
        self._next = time.monotonic() + 1
        self.written.set_to_current_time()
        with suppress(OSError):
            self._write_to(str(self.path), self.registry)


@dataclass(slots=True)
class Notification:
    """What is told at the end of a run."""

    archive: str
    report: RunSummary = field(default_factory=RunSummary)
    error: str | None = None

    def as_json(self) -> str:
        """Return the notification as the command gets it on its standard input."""
        troubles = [
            {"label": item.label, "status": outcome.status, "code": outcome.code, "text": outcome.text}
            for item, outcome in self.report.troubles
        ]
        return json.dumps(
            {"archive": self.archive, "counts": self.report.counts, "error": self.error, "troubles": troubles}
        )


NOTICE_SECONDS = 60


@contextmanager
def notifying(command: str, archive: Path) -> Iterator[Notification]:
    """Run the user's command when the block ends, unless nothing was due. Its failure does not fail the run."""
    notice = Notification(str(archive.absolute()))
    try:
        yield notice
    except BaseException as error:
        notice.error = str(error) or type(error).__name__
        raise
    finally:
        if command and (notice.error or notice.report.counts):
            _notify(command, notice)


def _is_strange(settings: Path) -> str | None:
    """Return why a file of settings may say what somebody else wants run, if it may."""
    try:
        facts = settings.stat()
    except OSError:
        return None
    if hasattr(os, "getuid") and facts.st_uid not in {os.getuid(), 0}:
        return f"{settings} belongs to another user: take it over, or do not run what it says"
    return f"anybody may write {settings}: chmod o-w" if facts.st_mode & stat.S_IWOTH else None


def _notify(command: str, notice: Notification) -> None:
    if fault := _is_strange(Path(notice.archive) / FILE_NAME):
        print(f"rostra: run.notify was not run: {fault}", file=sys.stderr)  # noqa: T201
        return
    try:
        done = subprocess.run(  # noqa: S603 the user's own command, without a shell
            shlex.split(command),
            input=notice.as_json(),
            text=True,
            timeout=NOTICE_SECONDS,
            check=False,
            cwd=notice.archive,
        )
        fault = f"exit status {done.returncode}" if done.returncode else None
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        fault = str(error)
    if fault:
        print(f"rostra: the notification was not sent ({fault}): see run.notify", file=sys.stderr)  # noqa: T201
