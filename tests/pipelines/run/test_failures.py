"""What may happen to a run at night, each with real processes and real signals: on this machine, and on a cluster.

The cluster is a scheduler and two workers in processes of their own, with certificates on both sides. What only a
cluster can suffer is in ``test_cluster.py``.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeAlias

import pytest

from archive import connection as db
from archive.errors import CatalogueBusyError, CatalogueFullError
from pipelines.config import Limits
from pipelines.errors import DiskFullError, WorkerError
from pipelines.run.dask_cluster import Cluster
from pipelines.run.executors import Executor, InProcess, Local
from pipelines.run.runner import run_stage
from pipelines.stages.base import Stage
from pipelines.stages.publish import Publish
from pipelines.stages.pull import Pull
from pipelines.stages.render import Render
from pipelines.storage.archive_folder import Context, init, open_archive, open_archive_readonly
from tests.pipelines.cli.test_cli import rostra
from tests.pipelines.clusters import Processes, certificates
from tests.pipelines.run.test_kill import alive, children, wait_for
from tests.pipelines.sounds import write_wav
from tests.pipelines.trials import Loading, Trial, Watch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

SOON = Limits(grace=30.0, patience=-27.0)
"""Half a minute to load, and three seconds for an item, whose size here is 1."""

Engine: TypeAlias = Callable[..., Executor]


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    folder = tmp_path_factory.mktemp("cluster")
    processes = Processes(folder, certificates(folder / "certificates"))
    try:
        processes.scheduler()
        processes.worker()
        processes.worker()
        yield processes
    finally:
        processes.stop()


@pytest.fixture(params=["local", "cluster"])
def where(request: pytest.FixtureRequest) -> str:
    """Return how many workers there are on this machine, or the address of a cluster."""
    return "2" if request.param == "local" else str(request.getfixturevalue("machines").address)


@pytest.fixture
def engine(request: pytest.FixtureRequest, where: str, root: Path) -> Engine:
    def make(limits: Limits | None = None) -> Executor:
        if where.isdigit():
            return Local(int(where), root / "work", limits or Limits())
        return Cluster(where, request.getfixturevalue("machines").certificates, limits or Limits())

    return make


@pytest.fixture
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    init(tmp_path / "archive", title="Test")
    if "machines" in request.fixturenames or "cluster" in request.node.name:
        settings = request.getfixturevalue("machines").settings
        (tmp_path / "archive" / "rostra.toml").write_text(settings)
    return tmp_path / "archive"


@pytest.fixture
def context(root: Path) -> Iterator[Context]:
    with open_archive(root) as context:
        yield context


def rows(root: Path) -> list[tuple[str, str, int, str | None]]:
    """Return what the catalogue says of each run: subject, status, attempt and code."""
    # The same SQLite as the driver's: two of them in one process do not see each other's locks.
    with closing(db.sqlite3.connect(root / "catalogue.db", timeout=30)) as conn:
        return conn.execute("SELECT subject, status, attempt, error_code FROM stage_run ORDER BY id").fetchall()


def states(root: Path) -> set[tuple[str, str]]:
    return {(subject, status) for subject, status, _, _ in rows(root)}


def driver(root: Path, where: str, *tasks: str, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.pipelines.driver", str(root), where, *tasks],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=os.environ | environment,
    )


def at_work(pid: int) -> bool:
    """Tell whether a process is a child at work, rather than one that keeps count of what was opened."""
    with suppress(OSError):
        return alive(pid) and b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def parent(pid: int) -> int:
    """Return who began a process: the driver, or a cluster's worker."""
    found = re.search(r"^PPid:\s+(\d+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1])


# What an item does to its own process.


def test_item_that_raises_or_dies_costs_itself_an_attempt(context: Context, tmp_path: Path, engine: Engine) -> None:
    tasks = [
        ("fine", "fine"),
        ("broken", "broken"),
        ("silent", "silent"),
        ("surprising", "surprise"),
        ("poison", "die"),
        ("unlucky", f"die-once:{tmp_path / 'flag'}"),
        ("doubtful", "warn"),
    ]
    watch = Watch()
    report = run_stage(context, Trial(tasks, tmp_path / "kept"), engine(), watch)
    assert dict(report.counts) == {"done": 3, "refused": 1, "skipped": 1, "failed": 2}
    assert sorted(rows(context.layout.root), key=str) == [
        ("broken", "refused", 1, "broken-media"),
        ("doubtful", "done", 1, None),
        ("fine", "done", 1, None),
        *(("poison", "failed", attempt, "worker-died") for attempt in (1, 2, 3)),
        ("silent", "skipped", 1, "no-audio"),
        *(("surprising", "failed", attempt, "unexpected") for attempt in (1, 2, 3)),
        ("unlucky", "done", 2, None),
        ("unlucky", "failed", 1, "worker-died"),
    ]
    assert watch.remarks["doubtful"] == "parts could not be decoded"


def test_what_hangs_is_stopped_with_its_programs_and_the_others_go_on(
    context: Context, tmp_path: Path, engine: Engine
) -> None:
    ways = [
        ("hung", "hang"),
        ("hung natively", "hang-natively"),
        ("with a program", f"with-program:{tmp_path / 'pid'}"),
    ]
    tasks = [("a", "fine"), *ways, ("b", "fine")]
    stage, watch = Trial(tasks, tmp_path / "kept"), Watch()
    found = {item.subject: outcome.code for item, outcome in engine(SOON).map(stage, stage.items(context), watch)}
    assert found == {"a": None, "b": None} | {subject: "timeout" for subject, _ in ways}
    assert ("hung", 0.5) in watch.progress
    wait_for(lambda: not alive(int((tmp_path / "pid").read_text())), 10)


def test_limit_grows_with_the_length_of_the_recording() -> None:
    assert Limits(grace=600, patience=30).seconds(3600) == 600 + 30 * 3600


def test_poison_is_bounded_over_workers_and_restarts_and_harms_no_other(root: Path, where: str) -> None:
    tasks = ["poison=die", *(f"good{n}=fine" for n in range(8)), f"hung=hang-once:{root / 'flag'}"]
    first = driver(root, where, *tasks)
    wait_for(lambda: (root / "flag").exists() and ("poison", "failed") in states(root))
    first.kill()
    first.wait()
    for _ in range(2):
        assert driver(root, where, *tasks).wait() == 0
    assert [row for row in rows(root) if row[1] == "failed"] == [
        ("poison", "failed", attempt, "worker-died") for attempt in (1, 2, 3)
    ]
    assert {row[0] for row in rows(root) if row[1] == "done"} == {"hung", *(f"good{n}" for n in range(8))}


def test_memory_limit_costs_the_item_that_is_over_it_alone(context: Context, tmp_path: Path, engine: Engine) -> None:
    stage = Trial([("big", "eat"), ("small", "fine")], tmp_path / "kept")
    outcomes = engine(Limits(memory=2**30)).map(stage, stage.items(context), Watch())
    assert {item.subject: outcome.code for item, outcome in outcomes} == {"big": "out-of-memory", "small": None}


@pytest.mark.parametrize("fault", ["short", "corrupt"])
def test_artefact_that_is_not_whole_is_made_again(context: Context, tmp_path: Path, engine: Engine, fault: str) -> None:
    task = f"leave:{tmp_path / 'heard'}:{fault}:{tmp_path / 'flag'}"
    report = run_stage(context, Trial([("a", task)], tmp_path / "kept"), engine(), Watch())
    assert dict(report.counts) == {"done": 1}
    assert rows(context.layout.root) == [("a", "failed", 1, "artefact"), ("a", "done", 2, None)]
    assert (tmp_path / "kept").read_text() == "a=what was heard\n"
    assert not (tmp_path / "heard").exists()


# What is nobody's fault.


@pytest.mark.parametrize("fault", ["die", "memory", "engine-memory", "hang"])
def test_model_that_does_not_load_ends_the_run_and_charges_nobody(
    context: Context, tmp_path: Path, engine: Engine, fault: str
) -> None:
    stage = Loading([("a", "fine")], tmp_path / "kept", fault=fault)
    with pytest.raises(WorkerError):
        run_stage(context, stage, engine(Limits(grace=3.0 if fault == "hang" else 30.0)), Watch())
    assert rows(context.layout.root) == [("a", "interrupted", 1, None)]


def test_death_while_loading_charges_nobody(context: Context, tmp_path: Path, engine: Engine) -> None:
    stage = Loading([("a", "fine")], tmp_path / "kept", fault=f"die-once:{tmp_path / 'flag'}")
    run_stage(context, stage, engine(), Watch())
    assert rows(context.layout.root) == [("a", "done", 1, None)]


def test_full_disk_of_a_worker_ends_the_run_and_charges_nobody(
    context: Context, tmp_path: Path, engine: Engine
) -> None:
    stage = Trial([("a", "disk-full"), ("b", "fine")], tmp_path / "kept")
    with pytest.raises(DiskFullError, match="make some, and run it again"):
        run_stage(context, stage, engine(), Watch())
    assert ("a", "interrupted", 1, None) in rows(context.layout.root)
    assert "failed" not in {status for _, status in states(context.layout.root)}


def fill(path: Path) -> None:
    """Write to a file until the disk is full."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Return a disk of four megabytes."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("mounts a small disk, which needs root")
    path = tmp_path / "disk"
    path.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", path], check=False).returncode:
        pytest.skip("may not mount a small disk")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=False)


def test_catalogue_on_a_full_disk_is_whole_and_goes_on_with_room(disk: Path, tmp_path: Path) -> None:
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


def test_store_without_room_ends_the_run_and_charges_nobody(
    root: Path, disk: Path, context: Context, tmp_path: Path, engine: Engine
) -> None:
    context.layout.media.rmdir()
    context.layout.media.symlink_to(disk, target_is_directory=True)
    steps: list[tuple[Stage, Executor]] = [
        (Pull([write_wav(tmp_path / "talk.wav", 20)]), Local(1, context.layout.work)),
        (Render(), engine()),
        (Publish(disk / "public"), InProcess()),
    ]
    for stage, executor in steps:
        fill(disk / "filler")
        with pytest.raises((DiskFullError, CatalogueFullError)):
            run_stage(context, stage, executor, Watch())
        (disk / "filler").unlink()
        assert dict(run_stage(context, stage, executor, Watch()).counts) == {"done": 1}
    assert [row[1:] for row in rows(root)] == [("interrupted", 1, None), ("done", 1, None)] * 3


def test_disk_for_reading_alone_ends_the_run_charges_nobody_and_is_read(disk: Path, tmp_path: Path) -> None:
    root = disk / "archive"
    init(root, title="Test")
    stage = Pull([write_wav(tmp_path / "talk.wav", 5)])
    with open_archive(root) as context:
        executor = Local(1, context.layout.work)
        context.layout.media.rmdir()
        (disk / "media").mkdir()
        subprocess.run(["mount", "--bind", disk / "media", disk / "media"], check=True)
        subprocess.run(["mount", "-o", "remount,ro,bind", disk / "media"], check=True)
        context.layout.media.symlink_to(disk / "media", target_is_directory=True)
        with pytest.raises(DiskFullError, match="mount it for writing"):
            run_stage(context, stage, executor, Watch())
        subprocess.run(["umount", disk / "media"], check=True)
        assert dict(run_stage(context, stage, executor, Watch()).counts) == {"done": 1}
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with open_archive_readonly(root) as context:
        assert context.db.execute("SELECT count(*) FROM recording").fetchone() == (1,)


def test_reader_that_never_ends_hinders_nobody(context: Context, tmp_path: Path, engine: Engine) -> None:
    with closing(db.sqlite3.connect(context.layout.catalogue, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM stage_run").fetchone()
        stage = Trial([("a", "fine"), ("b", "fine")], tmp_path / "kept")
        assert dict(run_stage(context, stage, engine(), Watch()).counts) == {"done": 2}
        assert reader.execute("SELECT count(*) FROM stage_run").fetchone() == (0,)


def test_other_writer_that_never_ends_ends_the_run_and_charges_nobody(
    root: Path, tmp_path: Path, engine: Engine
) -> None:
    tasks = [(f"item {n}", "fine") for n in range(3)]
    with (
        closing(db.sqlite3.connect(root / "catalogue.db", isolation_level=None)) as other,
        open_archive(root, patience=0.5) as context,
    ):

        class Meddling(Watch):
            def started(self, item: object) -> None:
                other.execute("BEGIN IMMEDIATE")

        with pytest.raises(CatalogueBusyError, match="in use by another program"):
            run_stage(context, Trial(tasks, tmp_path / "lost"), engine(), Meddling())
        other.execute("ROLLBACK")
    with open_archive(root) as context:
        assert dict(run_stage(context, Trial(tasks, tmp_path / "kept"), engine(), Watch()).counts) == {"done": 3}
    assert [row[1:] for row in rows(root)] == [("interrupted", 1, None), *[("done", 1, None)] * 3]


# What happens to the driver.


def test_killed_driver_charges_nobody_and_leaves_nothing_at_work(
    request: pytest.FixtureRequest, root: Path, where: str
) -> None:
    tasks = ["a=fine", f"hung=hang-once:{root / 'flag'}", "b=fine"]
    run = driver(root, where, *tasks)
    wait_for(lambda: (root / "flag").exists() and {("a", "done"), ("b", "done")} <= states(root))
    hung = int((root / "flag").read_text())
    assert at_work(hung)
    run.kill()
    run.wait()
    wait_for(lambda: not alive(hung), 30)
    assert driver(root, where, *tasks).wait() == 0
    assert sorted(rows(root)) == [
        ("a", "done", 1, None),
        ("b", "done", 1, None),
        ("hung", "done", 1, None),
        ("hung", "interrupted", 1, None),
    ]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_signal_to_end_stops_children_and_charges_nobody(root: Path, where: str, number: int, status: int) -> None:
    run = driver(root, where, "a=fine", f"hung=hang-once:{root / 'flag'}")
    wait_for(lambda: (root / "flag").exists() and ("a", "done") in states(root))
    hung = int((root / "flag").read_text())
    run.send_signal(number)
    assert run.wait(30) == status
    wait_for(lambda: not alive(hung), 30)
    assert set(rows(root)) == {("a", "done", 1, None), ("hung", "interrupted", 1, None)}
    assert list(root.glob("work/*")) == []


def test_second_driver_is_refused_and_harms_nothing(root: Path, where: str) -> None:
    first = driver(root, where, f"hung=hang-once:{root / 'flag'}")
    wait_for((root / "flag").exists)
    second = subprocess.run(
        [sys.executable, "-m", "pipelines", "run", "--archive", root], capture_output=True, text=True, check=False
    )
    assert second.returncode == 2
    assert f"in use by process {first.pid} on " in second.stderr
    assert states(root) == {("hung", "running")}
    first.terminate()
    first.wait()


def test_clock_that_jumps_stops_nobody(root: Path) -> None:
    jumping = str(Path(__file__).parents[1] / "jumping")
    tasks = ["a=nap", "b=nap", f"hung=hang-once:{root / 'flag'}", "c=nap"]
    (root / "rostra.toml").write_text("[run]\npatience = 2\n")
    assert driver(root, "2", *tasks, PYTHONPATH=jumping).wait() == 0
    assert sorted(rows(root)) == [
        *((subject, "done", 1, None) for subject in "abc"),
        ("hung", "done", 2, None),
        ("hung", "failed", 1, "timeout"),
    ]


def test_processes_that_are_stopped_for_a_while_go_on_and_charge_nobody(root: Path, where: str) -> None:
    settings = "" if where.isdigit() else (root / "rostra.toml").read_text()
    (root / "rostra.toml").write_text(f"{settings}[run]\npatience = 2\n")
    run = driver(root, where, f"a=nap:{root / 'pid'}", "b=fine")
    wait_for(lambda: (root / "pid").exists() and (root / "pid").read_text())
    child = int((root / "pid").read_text())
    supervisor = parent(child)
    for pid in (child, supervisor):
        os.kill(pid, signal.SIGSTOP)
    time.sleep(3)
    for pid in (supervisor, child):
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.5)  # in which the supervisor sees that its child is late
    assert run.wait() == 0
    assert sorted(rows(root)) == [("a", "done", 1, None), ("b", "done", 1, None)]


def test_child_that_replaced_another_dies_with_its_driver_too(root: Path) -> None:
    run = driver(root, "1", "poison=die", f"hung=hang-once:{root / 'flag'}")
    wait_for((root / "flag").exists)
    below = children(run.pid)
    assert below
    run.kill()
    run.wait()
    wait_for(lambda: not any(map(alive, below)), 20)


def test_children_outlive_the_threads_that_look_after_others(context: Context, tmp_path: Path) -> None:
    """A child is tied to the thread that made it, and that is no thread that ends before the run does."""
    tasks = [("poison 1", "die"), ("poison 2", "die"), ("long", "nap"), ("poison 3", "die"), ("long 2", "nap")]
    stage = Trial(tasks, tmp_path / "kept")
    executor = Local(2, context.layout.work)
    found = {item.subject: outcome.code for item, outcome in executor.map(stage, stage.items(context), Watch())}
    assert found == {subject: "worker-died" if task == "die" else None for subject, task in tasks}


LIMITED = (
    "from pathlib import Path; from pipelines.run import children; from pipelines.config import Limits;"
    "from tests.pipelines.trials import Trial; children.TIMER_SECONDS = 0.5;"
    "work = lambda task, note: children._work(Trial((), Path()), task, Path(note), Limits(1.0, 0.0), 0.0);"
)


def test_native_hang_ends_by_itself_where_the_kernel_does_not_end_it() -> None:
    code = f"{LIMITED} children.TIED = False; work('hang-natively', '/nonexistent/note')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Timeout (0:00:01.500000)!")


def test_item_that_stands_still_for_longer_than_it_may_take_goes_on(tmp_path: Path) -> None:
    code = f"{LIMITED} print(work('nap', {str(tmp_path / 'note')!r}).status)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as run:
        wait_for((tmp_path / "note").exists)
        run.send_signal(signal.SIGSTOP)
        time.sleep(3)
        run.send_signal(signal.SIGCONT)
        assert run.communicate(timeout=60) == ("done\n", None)


def test_child_watches_its_driver_where_the_kernel_does_not() -> None:
    watching = (
        "import os, threading, time; from pipelines.run.children import _watch_driver;"
        "threading.Thread(target=_watch_driver, args=(os.getppid(),), daemon=True).start();"
        "print(os.getpid(), flush=True); time.sleep(600)"
    )
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {watching!r}])"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        child = int(run.stdout.readline())
        assert alive(child)
        run.kill()
        wait_for(lambda: not alive(child), 20)


def test_status_says_what_a_run_is_doing_and_that_it_was_killed(root: Path) -> None:
    run = driver(root, "1", f"hung=hang-once:{root / 'flag'}")
    wait_for((root / "flag").exists)
    during = rostra("status", "--archive", root).stdout
    assert f"at work: process {run.pid} on {socket.gethostname()} since " in during
    assert "  trial hung since " in during
    run.kill()
    run.wait()
    after = rostra("status", "--archive", root).stdout
    assert "A run was killed with 1 in hand, which costs them nothing: rostra run goes on." in after
