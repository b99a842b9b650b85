"""Runs stages: asks a stage what is due, has an executor work on it, and stores the result of each item."""

from __future__ import annotations

import os
import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol, TypeAlias

from archive.catalogue import runs
from archive.connection import transaction
from archive.errors import (
    ArchiveError,
    CatalogueBusyError,
    CatalogueDamagedError,
    CatalogueFullError,
    UnknownSubjectError,
)
from pipelines.errors import RULED, TIMEOUT, GoneError, ItemError, disk_full
from pipelines.run.executors import Executor, Pool, Step, Watcher, steps
from pipelines.stages.base import Artefact, Item, Outcome, Spared, Stage
from pipelines.storage.archive_folder import Context, timestamp


class Observer(Watcher, Protocol):
    """Told how a run goes. The command line's observer shows progress bars."""

    def beside(self) -> Observer:
        """Return who is told of another stage that is worked on at the same time."""

    def stage(self, stage: Stage, items: Sequence[Item]) -> None:
        """Note that a stage begins, and what is due in it."""

    def ended(self, item: Item, outcome: Outcome, remark: str | None) -> None:
        """Note that an item has come to its end."""


class Silent:
    """An observer that shows nothing."""

    def beside(self) -> Silent:
        """Return it."""
        return self

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
    """What a run did: outcomes by status, in total and by stage, and the outcomes that need a person's attention."""

    counts: Counter[str] = field(default_factory=Counter)
    stages: dict[str, Counter[str]] = field(default_factory=dict)
    troubles: list[tuple[Item, Outcome]] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether anything failed or was refused."""
        return bool(self.counts["failed"] or self.counts["refused"])

    def add(self, stage: Stage, item: Item, outcome: Outcome) -> None:
        """Count the final outcome of an item."""
        self.counts[outcome.status] += 1
        self.stages.setdefault(stage.name, Counter())[outcome.status] += 1
        if outcome.status != "done":
            self.troubles.append((item, outcome))

    def merge(self, other: RunSummary) -> None:
        """Add another summary to this one."""
        self.counts += other.counts
        self.stages |= other.stages
        self.troubles += other.troubles


def run_stage(
    context: Context, stage: Stage, executor: Executor, observer: Observer, due: list[Item] | None = None
) -> RunSummary:
    """Work on everything that is due in a stage, and try failed items again up to the limit of attempts.

    Args:
        context: the archive, open for writing.
        stage: the stage to run.
        executor: works on the items.
        observer: is told how the run goes.
        due: the result of `due_in`, if the caller has it already; this function empties it.

    Raises:
        PipelineError: no item can be done; unfinished items are due again in the next run.
    """
    report = RunSummary()
    deque(_stage_in_steps(context, stage, executor.map, observer, due, report), maxlen=0)
    return report


@dataclass(slots=True)
class Work:
    """A stage that is run together with others: what is due in it, and how many items of it at once."""

    stage: Stage
    due: list[Item]
    most: int


def run_together(context: Context, pool: Pool, works: Sequence[Work], observer: Observer) -> RunSummary:
    """Work on what is due in several stages at the same time; an idle child goes to the first that has anything to do.

    Args:
        context: the archive, open for writing.
        pool: the children, which the stages share.
        works: the stages; `run_stage` says what becomes of their items.
        observer: is told how the run goes.

    Raises:
        PipelineError: no item can be done; unfinished items are due again in the next run.
    """
    reports = [RunSummary() for _ in works]
    with ExitStack() as stack:
        going: list[Generator[None, None, None]] = []
        for work, report in zip(works, reports, strict=True):
            told = observer.beside() if going else observer
            stage = _stage_in_steps(context, work.stage, partial(steps, pool, work.most), told, work.due, report)
            going.append(stack.enter_context(closing(stage)))
        while going:
            going = [each for each in going if next(each, _ENDED) is not _ENDED]
    summary = RunSummary()
    for report in reports:
        summary.merge(report)
    return summary


_ENDED = object()
Mapping: TypeAlias = Callable[[Stage, Iterator[Item], Watcher], Generator[Step, None, None]]
"""Works on items: an executor's ``map``, or one that says when a while has passed."""


def _stage_in_steps(
    context: Context, stage: Stage, mapping: Mapping, observer: Observer, due: list[Item] | None, report: RunSummary
) -> Generator[None, None, None]:
    """Work on everything that is due in a stage, as `run_stage` says; yield where others may work meanwhile."""
    if due is None:
        due = due_in(context, stage)
    while due:
        observer.stage(stage, due)
        failed = yield from _run_once(context, stage, mapping, observer, due, report)
        # Sources are listed again only where an item is to be tried again. What is still due was given up.
        again = due_in(context, stage) if failed and not due else []
        due = [item for item in again if item.subject in failed and not item.lost]
        for item in due:
            del failed[item.subject]
        for item, outcome in failed.values():
            report.add(stage, item, outcome)


def due_in(context: Context, stage: Stage) -> list[Item]:
    """Return the items that are due in a stage."""
    settled = runs.settled(context.db, stage.name, max_attempts=context.config.run.attempts)
    return [item for item in stage.items(context) if item.lost or not item.is_settled(settled)]


def _run_once(
    context: Context, stage: Stage, mapping: Mapping, observer: Observer, due: list[Item], report: RunSummary
) -> Generator[None, None, dict[str, tuple[Item, Outcome]]]:
    """Work on each due item once. Report final outcomes; return failed items that may be tried again, by subject."""
    ledger = _Ledger(context, stage, observer)
    failed: dict[str, tuple[Item, Outcome]] = {}
    hung = 0
    found = mapping(stage, _taken(due), ledger)
    try:
        for step in found:
            if step is None:
                yield
                continue
            item, outcome = step
            kept = ledger.settle(item, outcome)
            if kept.status == "failed":
                failed[item.subject] = item, kept
            else:
                report.add(stage, item, kept)
            hung = hung + 1 if kept.code == TIMEOUT else 0
            if isinstance(stage, Spared) and hung >= stage.hangs:
                break
    finally:
        found.close()
        ledger.release()
    return failed


def _taken(items: list[Item]) -> Iterator[Item]:
    """Yield items in order, and drop each one, so that finished items do not stay in memory."""
    items.reverse()
    while items:
        yield items.pop()


class _Ledger:
    """Records the beginning and the end of items; a result and its record are stored in one transaction."""

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
        """Store an item's outcome, and return it as it was stored."""
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
                raise  # no item is to blame, and no result could be stored
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
        """Record items that were unfinished when the run ended as interrupted; no attempt is counted."""
        # If the catalogue cannot be written now, the next process that opens it corrects it.
        with suppress(ArchiveError), transaction(self.context.db):
            runs.interrupt_running(self.context.db, finished_at=timestamp(), worker=self.worker, stage=self.stage.name)


def _joined(remarks: Sequence[str]) -> str | None:
    return "; ".join(remarks) or None
