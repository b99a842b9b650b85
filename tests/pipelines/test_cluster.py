"""The same failures on a cluster of separate processes, with certificates on both sides."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines import cluster as clusters
from pipelines.cluster import Cluster
from pipelines.config import Cluster as Certificates
from pipelines.context import Context, init, open_archive
from pipelines.errors import ClusterError, ConfigError, WeightsError
from pipelines.limits import Limits
from pipelines.runner import run_stage
from tests.pipelines.clusters import Processes, certificates, free_port
from tests.pipelines.sounds import write_wav
from tests.pipelines.test_cli import rostra
from tests.pipelines.test_failures import rows
from tests.pipelines.test_kill import alive, children, wait_for
from tests.pipelines.trials import Loading, Trial, Watch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def processes(tmp_path: Path, own: Certificates) -> Iterator[Processes]:
    processes = Processes(tmp_path, own)
    processes.scheduler()
    try:
        yield processes
    finally:
        processes.stop()


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    init(tmp_path / "archive", title="Test")
    with open_archive(tmp_path / "archive") as context:
        yield context


def engine(processes: Processes, context: Context, limits: Limits | None = None) -> Cluster:
    return Cluster(processes.address, processes.certificates, context.layout.work, limits or Limits())


def at_work(pid: int) -> bool:
    """Tell whether a process is a child at work, rather than one that keeps count of what was opened."""
    return alive(pid) and b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()


def states(context: Context) -> list[tuple[str, str, int, str | None]]:
    return sorted(rows(context.layout.root), key=str)


def test_faults_of_items_cost_what_they_cost_on_one_machine(
    processes: Processes, context: Context, tmp_path: Path
) -> None:
    processes.worker()
    processes.worker()
    tasks = [
        ("a", "fine"),
        ("b", "broken"),
        ("c", "die"),
        ("d", f"die-once:{tmp_path / 'flag'}"),
        ("e", "hang-natively"),
        ("f", "warn"),
        ("g", f"leave:{tmp_path / 'heard'}:short:{tmp_path / 'short'}"),
        ("h", "surprise"),
    ]
    watch = Watch()
    limits = Limits(grace=6.0, patience=0.0)
    report = run_stage(context, Trial(tasks, tmp_path / "kept"), engine(processes, context, limits), watch)
    assert dict(report.counts) == {"done": 4, "refused": 1, "failed": 3}
    assert states(context) == [
        ("a", "done", 1, None),
        ("b", "refused", 1, "broken-media"),
        *(("c", "failed", attempt, "worker-died") for attempt in (1, 2, 3)),
        ("d", "done", 2, None),
        ("d", "failed", 1, "worker-died"),
        *(("e", "failed", attempt, "timeout") for attempt in (1, 2, 3)),
        ("f", "done", 1, None),
        ("g", "done", 2, None),
        ("g", "failed", 1, "artefact"),
        *(("h", "failed", attempt, "unexpected") for attempt in (1, 2, 3)),
    ]
    assert watch.remarks["f"] == "parts could not be decoded"
    assert ("e", 0.5) in watch.progress


def test_lost_worker_charges_nobody(processes: Processes, context: Context, tmp_path: Path) -> None:
    first = processes.worker()
    stage = Trial([("a", "fine"), ("b", f"hang-once:{tmp_path / 'flag'}")], tmp_path / "kept")

    def meddle() -> None:
        wait_for((tmp_path / "flag").exists)
        below = children(first.pid)
        first.kill()
        first.wait()
        wait_for(lambda: not any(map(alive, below)), 20)
        processes.worker()

    meddler = threading.Thread(target=meddle)
    meddler.start()
    run_stage(context, stage, engine(processes, context), Watch())
    meddler.join()
    assert states(context) == [("a", "done", 1, None), ("b", "done", 1, None)]


def test_lost_scheduler_is_named_and_charges_nobody(processes: Processes, context: Context, tmp_path: Path) -> None:
    worker = processes.worker()
    stage = Trial([("a", "fine"), ("b", f"hang-once:{tmp_path / 'flag'}")], tmp_path / "kept")
    below: list[int] = []

    def meddle() -> None:
        wait_for((tmp_path / "flag").exists)
        below.extend(children(worker.pid))
        os.kill(processes.all[0].pid, signal.SIGKILL)

    meddler = threading.Thread(target=meddle)
    meddler.start()
    with pytest.raises(ClusterError, match=r"the scheduler at tls://.* was lost; .* charged to nobody: run it again"):
        run_stage(context, stage, engine(processes, context), Watch())
    meddler.join()
    assert states(context) == [("a", "done", 1, None), ("b", "interrupted", 1, None)]


def test_driver_that_ends_stops_the_children_of_others(processes: Processes, context: Context, tmp_path: Path) -> None:
    worker = processes.worker()
    stage = Trial([("a", f"hang-once:{tmp_path / 'flag'}")], tmp_path / "kept")

    class Ending(Watch):
        def advanced(self, item: object, done: float) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_stage(context, stage, engine(processes, context), Ending())
    wait_for(lambda: not any(map(at_work, children(worker.pid))), 20)
    assert states(context) == [("a", "interrupted", 1, None)]


@pytest.mark.parametrize("fault", ["weights", "die"])
def test_model_that_does_not_load_ends_the_run(
    processes: Processes, context: Context, tmp_path: Path, fault: str
) -> None:
    processes.worker()
    stage = (
        Trial([("a", "no-weights")], tmp_path / "kept")
        if fault == "weights"
        else Loading([("a", "fine")], tmp_path / "kept", fault="die")
    )
    with pytest.raises((WeightsError, Exception), match=r"no weights|before it was ready"):
        run_stage(context, stage, engine(processes, context), Watch())
    assert states(context) == [("a", "interrupted", 1, None)]


def test_work_goes_where_its_resource_is(
    processes: Processes, context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "WORKERLESS_SECONDS", 1.0)
    processes.worker("io=1")
    with pytest.raises(ClusterError, match="offers gpu"):
        run_stage(context, Loading([("a", "fine")], tmp_path / "kept"), engine(processes, context), Watch())
    assert states(context) == []
    run_stage(context, Trial([("a", "fine")], tmp_path / "kept"), engine(processes, context), Watch())
    assert states(context) == [("a", "done", 1, None)]


def test_worker_that_does_not_share_the_archive_refuses_nothing(
    processes: Processes, context: Context, tmp_path: Path
) -> None:
    processes.worker()

    class Elsewhere(Watch):
        def started(self, item: object) -> None:
            (context.layout.work / "shared").unlink()

    with pytest.raises(ClusterError, match="must share that file system"):
        run_stage(context, Trial([("a", "fine")], tmp_path / "kept"), engine(processes, context), Elsewhere())
    assert states(context) == [("a", "interrupted", 1, None)]


@pytest.mark.parametrize("stranger", ["plaintext", "another authority"])
def test_stranger_is_refused(processes: Processes, context: Context, tmp_path: Path, stranger: str) -> None:
    other = certificates(tmp_path / "other")
    scheme = "tcp" if stranger == "plaintext" else "tls"
    executor = Cluster(f"{scheme}://127.0.0.1:{processes.port}", other, context.layout.work, Limits())
    with pytest.raises(ClusterError, match="no scheduler answers at"):
        run_stage(context, Trial([("a", "fine")], tmp_path / "kept"), executor, Watch())
    assert states(context) == []


def test_scheduler_that_is_not_there_is_named(context: Context, tmp_path: Path, own: Certificates) -> None:
    address = f"tls://127.0.0.1:{free_port()}"
    with pytest.raises(ClusterError, match=re.escape(f"no scheduler answers at {address}")):
        run_stage(
            context,
            Trial([("a", "fine")], tmp_path / "kept"),
            Cluster(address, own, context.layout.work, Limits()),
            Watch(),
        )


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("tcp://10.0.0.1:8786", "tls://HOST:PORT is needed"),
        ("10.0.0.1:8786", "tls://HOST:PORT is needed"),
        ("tls://10.0.0.1:8786", "cluster.ca: nothing is not a file"),
    ],
)
def test_cluster_needs_certificates_off_this_machine(address: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        clusters.security(Certificates(), address)


def test_run_on_a_cluster_from_the_command_line(processes: Processes, tmp_path: Path) -> None:
    processes.worker()
    root = tmp_path / "talks"
    rostra("init", root)
    own = processes.certificates
    (root / "rostra.toml").write_text(
        "[transcribe]\nengine = 'fake'\n"
        f"[cluster]\nca = '{own.ca}'\ncertificate = '{own.certificate}'\nkey = '{own.key}'\n"
    )
    write_wav(tmp_path / "talk.wav", 5)
    rostra("pull", tmp_path / "talk.wav", "--archive", root)
    done = rostra("run", "--cluster", processes.address, "--archive", root)
    assert done.returncode == 0, done.stderr
    assert "transcribe: done recordings/talk in " in done.stderr
    assert rostra("run", "--cluster", processes.address, "--archive", root).stderr == "Nothing is due.\n"
