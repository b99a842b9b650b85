"""Runs stages: asks what is due, has an executor do it, and keeps what came of it, item by item."""

from __future__ import annotations

import os
import socket
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from archive.catalogue import runs
from archive.connection import transaction
from archive.errors import (
    ArchiveError,
    CatalogueBusyError,
    CatalogueDamagedError,
    CatalogueFullError,
    UnknownSubjectError,
)
from pipelines.errors import RULED, GoneError, ItemError, disk_full
from pipelines.run.executors import Executor, Watcher
from pipelines.stages.base import Artefact, Item, Outcome, Stage
from pipelines.storage.archive_folder import Context, timestamp


class Observer(Watcher, Protocol):
    """Told how a run goes; the command line's shows progress bars."""

    def stage(self, stage: Stage, items: Sequence[Item]) -> None:
        """Note that a stage begins, and what is due in it."""

    def ended(self, item: Item, outcome: Outcome, remark: str | None) -> None:
        """Note that an item has come to its end."""


class Silent:
    """An observer that shows nothing."""

    def stage(self, stage: Stage, items: Sequence[Item]) -> None:
        """Ignore it."""

    def started(self, item: Item) -> None:
        """Ignore it."""

    def advanced(self, item: Item, done: float) -> None:
        """Ignore it."""

    def ended(self, item: Item, outcome: Outcome, remark: str | None) -> None:
        """Ignore it."""


@dataclass(slots=True)
class RunSummary:
    """What a run did: outcomes by status, in all and by stage, and those that need a person's attention."""

    counts: Counter[str] = field(default_factory=Counter)
    stages: dict[str, Counter[str]] = field(default_factory=dict)
    troubles: list[tuple[Item, Outcome]] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether anything failed or was refused."""
        return bool(self.counts["failed"] or self.counts["refused"])

    def add(self, stage: Stage, item: Item, outcome: Outcome) -> None:
        """Count how an item of a stage went in the end."""
        self.counts[outcome.status] += 1
        self.stages.setdefault(stage.name, Counter())[outcome.status] += 1
        if outcome.status != "done":
            self.troubles.append((item, outcome))

    def merge(self, other: RunSummary) -> None:
        """Add another stage's report to this one."""
        self.counts += other.counts
        self.stages |= other.stages
        self.troubles += other.troubles


def run_stage(
    context: Context, stage: Stage, executor: Executor, observer: Observer, due: list[Item] | None = None
) -> RunSummary:
    """Do whatever is due in a stage, until nothing is: what may be tried again is, up to the limit.

    Args:
        context: the archive, open for writing.
        stage: what to do.
        executor: who does it.
        observer: who is told how it goes.
        due: what `due_in` returned, if it was asked already. It is empty afterwards.

    Raises:
        PipelineError: no item can be done; what was in hand is due again next time.
    """
    report = RunSummary()
    if due is None:
        due = due_in(context, stage)
    while due:
        observer.stage(stage, due)
        failed = _run_once(context, stage, executor, observer, due, report)
        # Places are asked again what they hold only where something is to be tried again.
        again = due_in(context, stage) if failed else []
        due = [item for item in again if item.subject in failed and not item.lost]
        for item in due:
            del failed[item.subject]
        for item, outcome in failed.values():
            report.add(stage, item, outcome)
    return report


def due_in(context: Context, stage: Stage) -> list[Item]:
    """Return what a stage has to do."""
    settled = runs.settled(context.db, stage.name, max_attempts=context.config.run.attempts)
    return [item for item in stage.items(context) if item.lost or not item.is_settled(settled)]


def _run_once(
    context: Context, stage: Stage, executor: Executor, observer: Observer, due: list[Item], report: RunSummary
) -> dict[str, tuple[Item, Outcome]]:
    """Do each due item once, report what needs no more of it, and return what failed, by subject."""
    ledger = _Ledger(context, stage, observer)
    failed = {}
    try:
        for item, outcome in executor.map(stage, _taken(due), ledger):
            kept = ledger.settle(item, outcome)
            if kept.status == "failed":
                failed[item.subject] = item, kept
            else:
                report.add(stage, item, kept)
    finally:
        ledger.release()
    return failed


def _taken(items: list[Item]) -> Iterator[Item]:
    """Yield items in order, and keep none of them."""
    items.reverse()
    while items:
        yield items.pop()


class _Ledger:
    """Writes down what begins and what ends; each result and the note of it are one transaction."""

    def __init__(self, context: Context, stage: Stage, observer: Observer) -> None:
        self.context = context
        self.stage = stage
        self.observer = observer
        self.open: dict[str, int] = {}
        self.worker = f"{socket.gethostname()}:{os.getpid()}"

    def started(self, item: Item) -> None:
        with transaction(self.context.db):
            self.open[item.subject] = runs.begin(
                self.context.db,
                self.stage.name,
                item.subject,
                label=item.label,
                fingerprint=item.fingerprint,
                started_at=timestamp(),
                worker=self.worker,
            )
        self.observer.started(item)

    def advanced(self, item: Item, done: float) -> None:
        self.observer.advanced(item, done)

    def settle(self, item: Item, outcome: Outcome) -> Outcome:
        """Keep the outcome of an item, and return it as it was kept."""
        run_id = self.open.pop(item.subject)
        remarks = list(outcome.warnings)
        if outcome.status == "done":
            began = time.monotonic()
            try:
                with transaction(self.context.db):
                    if (remark := self.stage.commit(self.context, item, outcome.result)) is not None:
                        remarks.insert(0, remark)
                    outcome = replace(outcome, seconds=outcome.seconds + time.monotonic() - began)
                    self._finish(run_id, outcome, remarks)
            except (CatalogueBusyError, CatalogueFullError, CatalogueDamagedError):
                raise  # no item is to blame, and none could be kept
            except UnknownSubjectError as error:
                outcome = replace(outcome, status=GoneError.verdict, code=GoneError.code, text=str(error))
            except (ItemError, ArchiveError, OSError) as error:
                if (full := disk_full(error)) is not None:
                    raise full from error
                verdict, code = (error.verdict, error.code) if isinstance(error, ItemError) else ("failed", "not-kept")
                outcome = replace(outcome, status=verdict, code=code, text=str(error))
        if outcome.status != "done":
            with transaction(self.context.db):
                if outcome.status == "refused" and outcome.code in RULED:
                    runs.note_rules(self.context.db, run_id, item.ruled)
                self._finish(run_id, outcome, remarks)
        if isinstance(outcome.result, Artefact):
            outcome.result.discard()
        self.observer.ended(item, outcome, _joined(remarks))
        return replace(outcome, result=None)

    def _finish(self, run_id: int, outcome: Outcome, remarks: Sequence[str]) -> None:
        runs.finish(
            self.context.db,
            run_id,
            outcome.status,
            finished_at=timestamp(),
            seconds=outcome.seconds,
            code=outcome.code,
            text=outcome.text,
            remark=_joined(remarks),
        )

    def release(self) -> None:
        """Charge nobody for what was in hand when the run ended."""
        # A catalogue that cannot be written now is put right by whoever opens it next.
        with suppress(ArchiveError), transaction(self.context.db):
            runs.interrupt_running(self.context.db, finished_at=timestamp(), worker=self.worker)


def _joined(remarks: Sequence[str]) -> str | None:
    return "; ".join(remarks) or None
