"""What was done, to what, with which inputs, and how it went: the state of the pipeline.

Work is due when no run with the same fingerprint has settled it. A run that a dead driver left behind is
*interrupted*: it charges nobody an attempt. One that a person wants tried again is *retried*: it stays as
history, settles nothing and counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from archive.sqlite import Database

Status = Literal["done", "skipped", "refused", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """The latest run of something that did not go well. ``retried`` says that a person wants it tried again."""

    stage: str
    subject: str
    label: str
    status: Status
    code: str
    text: str
    attempt: int
    retried: bool = False


@dataclass(frozen=True, slots=True)
class Remark:
    """What is to be said of something that went well."""

    stage: str
    subject: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class InHand:
    """Something that is being worked on, unless its driver is dead."""

    stage: str
    subject: str
    label: str
    attempt: int
    started_at: str
    worker: str


def settled(db: Database, stage: str, *, max_attempts: int) -> set[tuple[str, str]]:
    """Return (subject, fingerprint) of all that needs no more work: settled, or tried often enough.

    What was skipped because what it belongs to was not there may find it there now, and is due.
    """
    rows = db.execute(
        "SELECT subject, fingerprint FROM stage_run WHERE stage = ? AND retried_at IS NULL"
        " GROUP BY subject, fingerprint"
        " HAVING sum(status IN ('done', 'skipped', 'refused') AND error_code IS NOT 'gone') > 0"
        " OR sum(status = 'failed') >= ?",
        [stage, max_attempts],
    )
    return {(row[0], row[1]) for row in rows.fetchall()}


def begin(db: Database, stage: str, subject: str, *, label: str, fingerprint: str, started_at: str, worker: str) -> int:
    """Note that work begins, and return the run's id. Failed attempts with this fingerprint count."""
    attempt = db.execute(
        "SELECT 1 + count(*) FROM stage_run WHERE stage = ? AND subject = ? AND fingerprint = ? AND status = 'failed'"
        " AND retried_at IS NULL",
        [stage, subject, fingerprint],
    ).fetchone()[0]
    cursor = db.execute(
        "INSERT INTO stage_run(stage, subject, label, fingerprint, status, attempt, started_at, worker)"
        " VALUES (?, ?, ?, ?, 'running', ?, ?, ?)",
        [stage, subject, label, fingerprint, attempt, started_at, worker],
    )
    return int(cursor.lastrowid or 0)


def finish(
    db: Database,
    run_id: int,
    status: Status,
    *,
    finished_at: str,
    seconds: float,
    code: str | None = None,
    text: str | None = None,
    remark: str | None = None,
) -> None:
    """Note how a run ended. ``seconds`` is how long it took."""
    db.execute(
        "UPDATE stage_run SET status = ?, finished_at = ?, seconds = ?, error_code = ?, error_text = ?, remark = ?"
        " WHERE id = ?",
        [status, finished_at, round(seconds, 3), code, text, remark, run_id],
    )


def note_rules(db: Database, run_id: int, fingerprint: str) -> None:
    """Note that a run went by rules, which are in this fingerprint: under others its subject is due again."""
    db.execute("UPDATE stage_run SET fingerprint = ? WHERE id = ?", [fingerprint, run_id])


def interrupt_running(db: Database, *, finished_at: str, worker: str = "", stage: str = "") -> int:
    """Mark the runs that no driver watches any more, or that one did of a stage, and return how many there were."""
    cursor = db.execute(
        "UPDATE stage_run SET status = 'interrupted', finished_at = ?1 WHERE status = 'running' AND ?2 IN (worker, '')"
        " AND ?3 IN (stage, '')",
        [finished_at, worker, stage],
    )
    return int(cursor.rowcount)


def subjects(db: Database, stage: str) -> list[str]:
    """Return what a stage was begun with, in order, however that ended."""
    rows = db.execute("SELECT subject FROM stage_run WHERE stage = ? GROUP BY subject ORDER BY min(id)", [stage])
    return [str(row[0]) for row in rows.fetchall()]


def subjects_done(db: Database, stage: str) -> dict[str, str]:
    """Return what a stage has done, in order, each with the fingerprint that it was done with last."""
    rows = db.execute(
        "SELECT subject, fingerprint FROM stage_run WHERE stage = ? AND status = 'done' ORDER BY id", [stage]
    )
    return dict(rows.fetchall())


_LATEST = "SELECT max(id) FROM stage_run WHERE status <> 'interrupted' GROUP BY stage, subject"


def troubles(db: Database) -> list[Trouble]:
    """Return what failed, was refused or was skipped, judged by the latest run of each subject."""
    rows = db.query(
        "SELECT stage, subject, label, status, coalesce(error_code, '') AS code, coalesce(error_text, '') AS text,"
        f" attempt, retried_at IS NOT NULL AS retried FROM stage_run WHERE id IN ({_LATEST})"
        " AND status IN ('failed', 'refused', 'skipped') ORDER BY stage, label"
    )
    return [Trouble(**{**row, "retried": bool(row["retried"])}) for row in rows]


def remarks(db: Database) -> list[Remark]:
    """Return what is to be said of what went well, judged by the latest run of each subject."""
    rows = db.query(
        f"SELECT stage, subject, label, remark AS text FROM stage_run WHERE id IN ({_LATEST}) AND status = 'done'"
        " AND remark IS NOT NULL ORDER BY stage, label"
    )
    return [Remark(**row) for row in rows]


def in_hand(db: Database) -> list[InHand]:
    """Return what is being worked on, by the catalogue."""
    rows = db.query(
        "SELECT stage, subject, label, attempt, started_at, coalesce(worker, '') AS worker FROM stage_run"
        " WHERE status = 'running' ORDER BY id"
    )
    return [InHand(**row) for row in rows]


def retry(db: Database, troubles: Iterable[Trouble], *, retried_at: str) -> None:
    """Make things due again: what was tried before settles nothing any more, and counts for nothing."""
    for trouble in troubles:
        db.execute(
            "UPDATE stage_run SET retried_at = ? WHERE stage = ? AND subject = ? AND retried_at IS NULL"
            " AND status IN ('failed', 'refused', 'skipped')",
            [retried_at, trouble.stage, trouble.subject],
        )


def make_due(db: Database, stage: str, subject: str, *, retried_at: str) -> None:
    """Make something due again that was done: what came of it is lost. The caller owns the transaction."""
    db.execute(
        "UPDATE stage_run SET retried_at = ? WHERE stage = ? AND subject = ? AND retried_at IS NULL",
        [retried_at, stage, subject],
    )


def counts(db: Database) -> dict[str, dict[str, int]]:
    """Return how many subjects stand in which status, by stage, in the order in which stages come to work."""
    table: dict[str, dict[str, int]] = {}
    for row in db.query(
        f"SELECT stage, status, count(*) AS n FROM stage_run WHERE id IN ({_LATEST}) GROUP BY stage, status"
        " ORDER BY min(id)"
    ):
        table.setdefault(row["stage"], {})[row["status"]] = row["n"]
    return table
