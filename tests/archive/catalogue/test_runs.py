from __future__ import annotations

from archive.catalogue.runs import (
    InHand,
    Remark,
    Status,
    Trouble,
    begin,
    counts,
    finish,
    in_hand,
    interrupt_running,
    remarks,
    retry,
    settled,
    troubles,
)
from archive.sqlite import Database

WHEN = "2022-07-01T00:00:00Z"


def run(db: Database, subject: str, status: Status | None, *, fingerprint: str = "f") -> int:
    run_id = begin(db, "transcribe", subject, label=subject, fingerprint=fingerprint, started_at=WHEN, worker="w")
    if status:
        finish(db, run_id, status, finished_at=WHEN, seconds=1.0, code="code", text="why")
    return run_id


def test_settled_is_what_ended_well_or_for_good(catalogue: Database) -> None:
    for subject, status in (("a", "done"), ("b", "skipped"), ("c", "refused"), ("d", "failed"), ("e", "interrupted")):
        run(catalogue, subject, status)
    run(catalogue, "f", None)
    assert settled(catalogue, "transcribe", max_attempts=3) == {("a", "f"), ("b", "f"), ("c", "f")}
    assert settled(catalogue, "index", max_attempts=3) == set()


def test_settled_after_as_many_failures_as_are_allowed(catalogue: Database) -> None:
    for _ in range(2):
        run(catalogue, "a", "failed")
    run(catalogue, "a", "interrupted")
    assert settled(catalogue, "transcribe", max_attempts=3) == set()
    run(catalogue, "a", "failed")
    assert settled(catalogue, "transcribe", max_attempts=3) == {("a", "f")}


def test_another_fingerprint_is_due_again_and_starts_at_the_first_attempt(catalogue: Database) -> None:
    run(catalogue, "a", "failed")
    run(catalogue, "a", "failed")
    latest = run(catalogue, "a", "failed", fingerprint="g")
    rows = catalogue.execute("SELECT attempt FROM stage_run ORDER BY id").fetchall()
    assert [row[0] for row in rows] == [1, 2, 1]
    assert latest == 3


def test_interruption_charges_nobody(catalogue: Database) -> None:
    run(catalogue, "a", None)
    assert interrupt_running(catalogue, finished_at=WHEN) == 1
    run(catalogue, "a", None)
    rows = catalogue.execute("SELECT status, attempt FROM stage_run ORDER BY id").fetchall()
    assert [tuple(row) for row in rows] == [("interrupted", 1), ("running", 1)]


def test_troubles_are_judged_by_the_latest_run(catalogue: Database) -> None:
    run(catalogue, "a", "failed")
    run(catalogue, "a", "done")
    run(catalogue, "b", "done")
    run(catalogue, "b", "refused")
    assert troubles(catalogue) == [Trouble("transcribe", "b", "b", "refused", "code", "why", 1)]
    assert counts(catalogue) == {"transcribe": {"done": 1, "refused": 1}}


def test_retried_is_due_again_from_the_first_attempt_and_stays_listed(catalogue: Database) -> None:
    for _ in range(3):
        run(catalogue, "a", "failed")
    run(catalogue, "b", "refused")
    run(catalogue, "c", "refused")
    found = {trouble.subject: trouble for trouble in troubles(catalogue)}
    retry(catalogue, [found["a"], found["b"]], retried_at=WHEN)
    assert settled(catalogue, "transcribe", max_attempts=3) == {("c", "f")}
    assert {trouble.subject: trouble.retried for trouble in troubles(catalogue)} == {"a": True, "b": True, "c": False}
    run(catalogue, "a", "failed")
    assert troubles(catalogue)[0] == Trouble("transcribe", "a", "a", "failed", "code", "why", 1)


def test_retry_leaves_what_went_well_alone(catalogue: Database) -> None:
    run(catalogue, "a", "failed")
    (trouble,) = troubles(catalogue)
    run(catalogue, "a", "done")
    retry(catalogue, [trouble], retried_at=WHEN)
    assert settled(catalogue, "transcribe", max_attempts=3) == {("a", "f")}


def test_remarks_are_those_of_the_latest_run(catalogue: Database) -> None:
    for subject, remark in (("a", "parts are lost"), ("b", "parts are lost"), ("b", None)):
        run_id = begin(catalogue, "transcribe", subject, label=subject, fingerprint="f", started_at=WHEN, worker="w")
        finish(catalogue, run_id, "done", finished_at=WHEN, seconds=1.0, remark=remark)
    assert remarks(catalogue) == [Remark("transcribe", "a", "a", "parts are lost")]


def test_in_hand_is_what_runs(catalogue: Database) -> None:
    run(catalogue, "a", "done")
    run(catalogue, "b", None)
    assert in_hand(catalogue) == [InHand("transcribe", "b", "b", 1, WHEN, "w")]
