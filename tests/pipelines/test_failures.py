"""What may happen to a run at night, each with real processes and real signals."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from archive import db
from archive.errors import CatalogueBusyError, CatalogueFullError
from pipelines.context import Context, init, open_archive
from pipelines.errors import DiskFullError, WorkerError
from pipelines.executors import InProcess, Local
from pipelines.limits import Limits
from pipelines.runner import run_stage
from tests.pipelines.test_cli import rostra
from tests.pipelines.test_kill import alive, children, wait_for
from tests.pipelines.trials import Loading, Trial, Watch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

SOON = Limits(grace=8.0, patience=0.0)


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    init(tmp_path / "archive", title="Test")
    with open_archive(tmp_path / "archive") as context:
        yield context


@pytest.fixture
def root(tmp_path: Path) -> Path:
    init(tmp_path / "archive", title="Test")
    return tmp_path / "archive"


def rows(root: Path) -> list[tuple[str, str, int, str | None]]:
    """Return what the catalogue says of each run: subject, status, attempt and code."""
    # The same SQLite as the driver's: two of them in one process do not see each other's locks.
    with closing(db.sqlite3.connect(root / "catalogue.db", timeout=30)) as conn:
        return conn.execute("SELECT subject, status, attempt, error_code FROM stage_run ORDER BY id").fetchall()


def states(root: Path) -> set[tuple[str, str]]:
    return {(subject, status) for subject, status, _, _ in rows(root)}


def driver(root: Path, workers: int, *tasks: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.pipelines.driver", str(root), str(workers), *tasks],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kept(root: Path) -> list[str]:
    return sorted((root / "kept").read_text().split())


def nothing_left(root: Path, below: list[int]) -> None:
    assert below
    wait_for(lambda: not any(map(alive, below)), 20)


# What an item does to its own process.


@pytest.mark.parametrize("way", ["hang", "hang-natively"])
def test_what_hangs_is_stopped_and_the_others_go_on(context: Context, tmp_path: Path, way: str) -> None:
    stage = Trial([("a", "fine"), ("hung", way), ("b", "fine"), ("c", "fine")], tmp_path / "kept")
    watch = Watch()
    executor = Local(2, context.layout.work, SOON)
    found = {item.subject: outcome for item, outcome in executor.map(stage, stage.items(context), watch)}
    assert {subject: outcome.status for subject, outcome in found.items()} == {
        "a": "done",
        "hung": "failed",
        "b": "done",
        "c": "done",
    }
    assert found["hung"].code == "timeout"


def test_limit_grows_with_the_length_of_the_recording() -> None:
    assert Limits(grace=600, patience=30).seconds(3600) == 600 + 30 * 3600


def test_programs_of_a_child_end_with_it(context: Context, tmp_path: Path) -> None:
    stage = Trial([("a", f"with-program:{tmp_path / 'program'}")], tmp_path / "kept")
    assert [x.code for _, x in Local(1, context.layout.work, SOON).map(stage, stage.items(context), Watch())] == [
        "timeout"
    ]
    wait_for(lambda: not alive(int((tmp_path / "program").read_text())), 10)


def test_poison_is_bounded_over_workers_and_restarts_and_harms_no_other(root: Path) -> None:
    tasks = ["poison=die", *(f"good{n}=fine" for n in range(8))]
    first = driver(root, 3, *tasks, f"hung=hang-once:{root / 'flag'}")
    wait_for(lambda: (root / "flag").exists() and ("poison", "failed") in states(root))
    first.kill()
    first.wait()
    for _ in range(2):
        assert driver(root, 3, *tasks, f"hung=hang-once:{root / 'flag'}").wait() == 0
    assert [row for row in rows(root) if row[1] == "failed"] == [
        ("poison", "failed", attempt, "worker-died") for attempt in (1, 2, 3)
    ]
    assert {row[0] for row in rows(root) if row[1] == "done"} == {"hung", *(f"good{n}" for n in range(8))}


def test_memory_limit_costs_the_item_that_is_over_it_alone(context: Context, tmp_path: Path) -> None:
    stage = Trial([("big", "eat"), ("small", "fine")], tmp_path / "kept")
    executor = Local(1, context.layout.work, Limits(memory=2**30))
    found = {item.subject: outcome.code for item, outcome in executor.map(stage, stage.items(context), Watch())}
    assert found == {"big": "out-of-memory", "small": None}


@pytest.mark.parametrize("fault", ["short", "corrupt"])
def test_artefact_that_is_not_whole_is_made_again(context: Context, tmp_path: Path, fault: str) -> None:
    task = f"leave:{tmp_path / 'heard'}:{fault}:{tmp_path / 'flag'}"
    report = run_stage(context, Trial([("a", task)], tmp_path / "kept"), Local(1, context.layout.work), Watch())
    assert dict(report.counts) == {"done": 1}
    assert rows(context.layout.root) == [("a", "failed", 1, "artefact"), ("a", "done", 2, None)]
    assert (tmp_path / "kept").read_text() == "a=what was heard\n"


# What is nobody's fault.


@pytest.mark.parametrize("fault", ["die", "memory", "hang"])
def test_model_that_does_not_load_ends_the_run_and_charges_nobody(context: Context, tmp_path: Path, fault: str) -> None:
    stage = Loading([("a", "fine"), ("b", "fine")], tmp_path / "kept", fault=fault)
    with pytest.raises(WorkerError):
        run_stage(context, stage, Local(1, context.layout.work, Limits(grace=4.0)), Watch())
    assert rows(context.layout.root) == [("a", "interrupted", 1, None)]


def test_death_while_loading_charges_nobody(context: Context, tmp_path: Path) -> None:
    stage = Loading([("a", "fine")], tmp_path / "kept", fault=f"die-once:{tmp_path / 'flag'}")
    run_stage(context, stage, Local(1, context.layout.work), Watch())
    assert rows(context.layout.root) == [("a", "done", 1, None)]


@pytest.mark.parametrize("executor", ["here", "local"])
def test_full_disk_ends_the_run_and_charges_nobody(context: Context, tmp_path: Path, executor: str) -> None:
    stage = Trial([("a", "disk-full"), ("b", "fine")], tmp_path / "kept")
    with pytest.raises(DiskFullError, match="make some, and run it again"):
        run_stage(context, stage, InProcess() if executor == "here" else Local(1, context.layout.work), Watch())
    assert ("a", "interrupted", 1, None) in rows(context.layout.root)
    assert "failed" not in {status for _, status in states(context.layout.root)}


def fill(path: Path) -> None:
    """Write to a file until the disk is full."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="mounts a small disk")
def test_catalogue_on_a_full_disk_is_whole_and_goes_on_with_room(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], check=False).returncode:
        pytest.skip("may not mount a small disk")
    try:
        init(disk / "archive", title="Test")
        tasks = [(f"item {n}", "fine") for n in range(50)]
        filler = disk / "filler"
        with open_archive(disk / "archive") as context:
            stage = Trial(tasks, tmp_path / "kept")
            fill(filler)
            with pytest.raises(CatalogueFullError, match="check free space"):
                run_stage(context, stage, InProcess(), Watch())
        filler.unlink()
        with open_archive(disk / "archive") as context:
            assert dict(run_stage(context, stage, InProcess(), Watch()).counts)["done"] > 0
            assert context.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            assert "failed" not in {status for _, status in states(disk / "archive")}
    finally:
        subprocess.run(["umount", "-l", disk], check=False)


def test_reader_that_never_ends_hinders_nobody(context: Context, tmp_path: Path) -> None:
    with closing(db.sqlite3.connect(context.layout.catalogue, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM stage_run").fetchone()
        stage = Trial([("a", "fine"), ("b", "fine")], tmp_path / "kept")
        assert dict(run_stage(context, stage, InProcess(), Watch()).counts) == {"done": 2}
        assert reader.execute("SELECT count(*) FROM stage_run").fetchone() == (0,)


def test_other_writer_that_never_ends_ends_the_run_and_charges_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "BUSY_SECONDS", 0.5)
    root = tmp_path / "archive"
    init(root, title="Test")
    tasks = [(f"item {n}", "fine") for n in range(3)]
    with (
        closing(db.sqlite3.connect(root / "catalogue.db", isolation_level=None)) as other,
        open_archive(root) as context,
    ):

        class Meddling(Watch):
            def started(self, item: object) -> None:
                other.execute("BEGIN IMMEDIATE")

        with pytest.raises(CatalogueBusyError, match="in use by another program"):
            run_stage(context, Trial(tasks, tmp_path / "lost"), InProcess(), Meddling())
        other.execute("ROLLBACK")
    with open_archive(root) as context:
        assert dict(run_stage(context, Trial(tasks, tmp_path / "kept"), InProcess(), Watch()).counts) == {"done": 3}
    assert [row[1:] for row in rows(root)] == [("interrupted", 1, None), *[("done", 1, None)] * 3]


def test_clock_that_jumps_stops_nobody(context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    jumps = iter(range(10**9))
    monkeypatch.setattr(time, "time", lambda: real() + 10_000 * next(jumps))
    stage = Trial([("a", "nap"), ("b", "nap")], tmp_path / "kept")
    report = run_stage(context, stage, Local(1, context.layout.work), Watch())
    assert dict(report.counts) == {"done": 2}


# What happens to the driver.


def test_killed_driver_charges_nobody_and_leaves_no_process_that_hangs_natively(root: Path) -> None:
    tasks = ["a=fine", f"hung=hang-once:{root / 'flag'}", "b=fine"]
    run = driver(root, 1, *tasks)
    wait_for((root / "flag").exists)
    below = children(run.pid)
    run.kill()
    run.wait()
    nothing_left(root, below)
    assert driver(root, 1, *tasks).wait() == 0
    assert rows(root) == [
        ("a", "done", 1, None),
        ("hung", "interrupted", 1, None),
        ("hung", "done", 1, None),
        ("b", "done", 1, None),
    ]


def test_child_that_replaced_another_dies_with_its_driver_too(root: Path) -> None:
    run = driver(root, 1, "poison=die", f"hung=hang-once:{root / 'flag'}")
    wait_for((root / "flag").exists)
    below = children(run.pid)
    run.kill()
    run.wait()
    nothing_left(root, below)


def test_children_outlive_the_threads_that_look_after_others(context: Context, tmp_path: Path) -> None:
    """A child is tied to the thread that made it, and that is no thread that ends before the run does."""
    tasks = [("poison 1", "die"), ("poison 2", "die"), ("long", "doze"), ("poison 3", "die"), ("long 2", "doze")]
    stage = Trial(tasks, tmp_path / "kept")
    executor = Local(2, context.layout.work)
    found = {item.subject: outcome.code for item, outcome in executor.map(stage, stage.items(context), Watch())}
    assert found == {subject: "worker-died" if task == "die" else None for subject, task in tasks}


def test_native_hang_ends_by_itself_where_the_kernel_does_not_end_it() -> None:
    code = (
        "from pathlib import Path; from pipelines import children; from pipelines.limits import Limits;"
        "from tests.pipelines.trials import Trial; children.TIMER_SECONDS = 0.5;"
        "children._work(Trial((), Path()), 'hang-natively', Path('/nonexistent/note'), Limits(1.0, 0.0), 0.0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Timeout (0:00:01.500000)!")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_signal_to_end_stops_children_and_charges_nobody(root: Path, number: int, status: int) -> None:
    run = driver(root, 2, "a=fine", f"hung=hang-once:{root / 'flag'}")
    wait_for(lambda: (root / "flag").exists() and ("a", "done") in states(root))
    below = children(run.pid)
    run.send_signal(number)
    assert run.wait(30) == status
    nothing_left(root, below)
    assert set(rows(root)) == {("a", "done", 1, None), ("hung", "interrupted", 1, None)}
    assert list(root.glob("work/*")) == []


def test_second_driver_is_refused_and_harms_nothing(root: Path) -> None:
    first = driver(root, 1, f"hung=hang-once:{root / 'flag'}")
    wait_for((root / "flag").exists)
    second = subprocess.run(
        [sys.executable, "-m", "pipelines", "run", "--archive", root], capture_output=True, text=True, check=False
    )
    assert second.returncode == 2
    assert f"in use by process {first.pid} on " in second.stderr
    assert states(root) == {("hung", "running")}
    first.terminate()
    first.wait()


def test_status_says_what_a_run_is_doing_and_that_it_was_killed(root: Path) -> None:
    run = driver(root, 1, f"hung=hang-once:{root / 'flag'}")
    wait_for((root / "flag").exists)
    during = rostra("status", "--archive", root).stdout
    assert f"at work: process {run.pid} on {socket.gethostname()} since " in during
    assert "  trial hung since " in during
    run.kill()
    run.wait()
    after = rostra("status", "--archive", root).stdout
    assert "A run was killed with 1 in hand, which costs them nothing: rostra run goes on." in after
