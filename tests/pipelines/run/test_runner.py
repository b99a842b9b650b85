from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.catalogue.runs import Remark, begin, remarks
from archive.connection import transaction
from pipelines.config import Limits
from pipelines.errors import LockedError, WeightsError
from pipelines.run.executors import InProcess, Local, Pool
from pipelines.run.runner import Work, due_in, run_stage, run_together
from pipelines.storage.archive_folder import Context, init, open_archive
from tests.pipelines.trials import Trial, Watch


class Other(Trial):
    """Another stage of the same kind."""

    name = "other"


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    init(tmp_path / "archive", title="Test")
    with open_archive(tmp_path / "archive") as context:
        yield context


def runs(context: Context) -> list[tuple[str, str, int, str | None]]:
    rows = context.db.execute("SELECT subject, status, attempt, error_code FROM stage_run ORDER BY id").fetchall()
    return [tuple(row) for row in rows]


def test_nothing_is_due_after_a_run(context: Context, tmp_path: Path) -> None:
    stage = Trial([("a", "fine"), ("b", "broken"), ("c", "silent")], tmp_path / "kept")
    watch = Watch()
    report = run_stage(context, stage, InProcess(), watch)
    assert dict(report.counts) == {"done": 1, "refused": 1, "skipped": 1}
    assert report.failed
    again = run_stage(context, stage, InProcess(), watch)
    assert dict(again.counts) == {}
    assert not again.failed
    assert watch.over == [("a", "done"), ("b", "refused"), ("c", "skipped")]
    assert (tmp_path / "kept").read_text() == "a=fine\n"


def test_changed_fingerprint_is_due_again(context: Context, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    run_stage(context, Trial([("a", "fine"), ("b", "fine")], kept), InProcess(), Watch())
    run_stage(context, Trial([("a", "fine"), ("b", "other")], kept), InProcess(), Watch())
    assert kept.read_text() == "a=fine\nb=fine\nb=other\n"


def test_result_that_cannot_be_kept_fails_its_item_alone(context: Context, tmp_path: Path) -> None:
    stage = Trial([("a", "uncommittable"), ("b", "fine")], tmp_path / "kept")
    report = run_stage(context, stage, InProcess(), Watch())
    assert dict(report.counts) == {"done": 1, "failed": 1}
    assert (tmp_path / "kept").read_text() == "b=fine\n"


def test_model_that_does_not_load_ends_the_run_and_charges_no_item(context: Context, tmp_path: Path) -> None:
    stage = Trial([("a", "no-weights"), ("b", "fine")], tmp_path / "kept")
    with pytest.raises(WeightsError):
        run_stage(context, stage, Local(2, context.layout.work), Watch())
    assert {row[1] for row in runs(context)} <= {"interrupted", "done"}
    assert ("a", "interrupted", 1, None) in runs(context)


@pytest.mark.parametrize(("size", "orders"), [(2, ["axby", "axyb"]), (1, ["abxy"])])
def test_a_stage_beside_another_has_the_children_that_are_left(
    context: Context, tmp_path: Path, size: int, orders: list[str]
) -> None:
    kept, watch = tmp_path / "kept", Watch()
    main, other = Trial([("a", "nap"), ("b", "nap")], kept), Other([("x", "nap"), ("y", "nap")], kept)
    works = [Work(main, due_in(context, main), 1), Work(other, due_in(context, other), size)]
    with Pool(size, context.layout.work, Limits()) as pool:
        report = run_together(context, pool, works, watch)
    assert report.stages == {"trial": {"done": 2}, "other": {"done": 2}}
    assert "".join(watch.begun) in orders
    assert all(row[1] == "done" for row in runs(context))
    assert not due_in(context, main)


def test_what_ends_one_of_two_stages_ends_both_and_charges_no_item(context: Context, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    main, other = Trial([("a", "hang")], kept), Other([("x", "no-weights")], kept)
    works = [Work(main, due_in(context, main), 1), Work(other, due_in(context, other), 1)]
    with pytest.raises(WeightsError), Pool(2, context.layout.work, Limits()) as pool:
        run_together(context, pool, works, Watch())
    assert [row[:2] for row in runs(context)] == [("a", "interrupted"), ("x", "interrupted")]
    assert not pool.children[0].note.exists()


def test_second_run_at_once_is_refused_and_names_the_first(context: Context) -> None:
    with pytest.raises(LockedError, match=r"in use by process \d+ on \S+ since"), open_archive(context.layout.root):
        pass


def test_what_a_dead_driver_left_is_put_right(tmp_path: Path) -> None:
    root = tmp_path / "archive"
    init(root, title="Test")
    with open_archive(root) as context:
        with transaction(context.db):
            begin(context.db, "trial", "a", label="a", fingerprint="f", started_at="2022-01-01", worker="dead")
        (context.layout.work / "half.json").write_text("{")
        (context.layout.media / ".incoming").mkdir()
        (context.layout.media / ".incoming" / ".half.part").write_text("half")
    with open_archive(root) as context:
        assert runs(context) == [("a", "interrupted", 1, None)]
        assert list(context.layout.work.iterdir()) == []
        assert not (context.layout.media / ".incoming").exists()


@pytest.mark.parametrize("executor", ["here", "local"])
def test_warning_of_an_item_reaches_the_catalogue_and_the_observer(
    context: Context, tmp_path: Path, executor: str
) -> None:
    stage = Trial([("a", "warn"), ("b", "fine")], tmp_path / "kept")
    watch = Watch()
    run_stage(context, stage, InProcess() if executor == "here" else Local(1, context.layout.work), watch)
    assert remarks(context.db) == [Remark("trial", "a", "a", "parts could not be decoded")]
    assert watch.remarks == {"a": "parts could not be decoded", "b": None}
