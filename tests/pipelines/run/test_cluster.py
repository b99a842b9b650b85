"""What only a cluster can suffer; what it shares with a single machine is in ``test_failures.py``."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.config import Certificates, Limits
from pipelines.errors import ClusterError, ConfigError
from pipelines.run import remote
from pipelines.run.dask_cluster import Cluster
from pipelines.run.runner import run_stage
from pipelines.storage.archive_folder import Context, init, open_archive
from pipelines.storage.buckets import Bucket
from tests.pipelines.cli.test_cli import rostra
from tests.pipelines.clusters import Processes, certificates, free_port
from tests.pipelines.run.test_failures import driver, rows
from tests.pipelines.run.test_kill import alive, children, wait_for
from tests.pipelines.sounds import write_wav
from tests.pipelines.trials import Loading, Trial, Watch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def processes(tmp_path: Path, own: Certificates) -> Iterator[Processes]:
    processes = Processes(tmp_path, own)
    try:
        processes.scheduler()
        yield processes
    finally:
        processes.stop()


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    init(tmp_path / "archive", title="Test")
    with open_archive(tmp_path / "archive") as context:
        yield context


def engine(processes: Processes) -> Cluster:
    return Cluster(processes.address, processes.certificates, Limits())


def states(context: Context) -> list[tuple[str, str, int, str | None]]:
    return sorted(rows(context.layout.root), key=str)


def test_lost_worker_charges_nobody_and_leaves_nothing_at_work(
    processes: Processes, context: Context, tmp_path: Path
) -> None:
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
    run_stage(context, stage, engine(processes), Watch())
    meddler.join()
    assert states(context) == [("a", "done", 1, None), ("b", "done", 1, None)]


def test_lost_scheduler_is_named_and_charges_nobody(processes: Processes, context: Context, tmp_path: Path) -> None:
    processes.worker()
    stage = Trial([("a", "fine"), ("b", f"hang-once:{tmp_path / 'flag'}")], tmp_path / "kept")

    def meddle() -> None:
        wait_for((tmp_path / "flag").exists)
        os.kill(processes.all[0].pid, signal.SIGKILL)

    meddler = threading.Thread(target=meddle)
    meddler.start()
    with pytest.raises(ClusterError, match=r"the scheduler at tls://.* was lost; .* charged to nobody: run it again"):
        run_stage(context, stage, engine(processes), Watch())
    meddler.join()
    assert states(context) == [("a", "done", 1, None), ("b", "interrupted", 1, None)]


def test_work_goes_where_its_resource_is(processes: Processes, context: Context, tmp_path: Path) -> None:
    processes.worker("io=1")
    hasty = replace(engine(processes), workerless_seconds=1.0)
    with pytest.raises(ClusterError, match="offers gpu"):
        run_stage(context, Loading([("a", "fine")], tmp_path / "kept"), hasty, Watch())
    assert states(context) == []
    run_stage(context, Trial([("a", "fine")], tmp_path / "kept"), engine(processes), Watch())
    assert states(context) == [("a", "done", 1, None)]


def test_model_is_loaded_by_no_more_children_than_there_are_gpus(
    processes: Processes, context: Context, tmp_path: Path
) -> None:
    processes.worker("gpu=1 io=1")
    run_stage(context, Trial([("io", "fine")], tmp_path / "kept"), engine(processes), Watch())
    tasks = [(f"item {number}", "pid") for number in range(6)]
    run_stage(context, Loading(tasks, tmp_path / "loaded"), engine(processes), Watch())
    loaded = {line.partition("=")[2] for line in (tmp_path / "loaded").read_text().splitlines()}
    assert len(loaded) == 1


def test_clock_of_a_cluster_that_jumps_stops_nobody(root: Path, own: Certificates, tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(Path(__file__).parents[1] / "jumping")}
    processes = Processes(tmp_path, own, environment=environment)
    (root / "rostra.toml").write_text(f"{processes.settings}[run]\npatience = 2\n")
    tasks = ["a=nap", "b=nap", f"hung=hang-once:{root / 'flag'}", "c=nap"]
    try:
        processes.scheduler()
        processes.worker()
        assert driver(root, processes.address, *tasks, **environment).wait() == 0
    finally:
        processes.stop()
    assert sorted(rows(root)) == [
        *((subject, "done", 1, None) for subject in "abc"),
        ("hung", "done", 2, None),
        ("hung", "failed", 1, "timeout"),
    ]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    init(tmp_path / "archive", title="Test")
    return tmp_path / "archive"


# Strangers.


@pytest.mark.parametrize("stranger", ["plaintext", "another authority"])
def test_stranger_is_refused(processes: Processes, context: Context, tmp_path: Path, stranger: str) -> None:
    other = certificates(tmp_path / "other")
    scheme = "tcp" if stranger == "plaintext" else "tls"
    executor = Cluster(f"{scheme}://127.0.0.1:{processes.port}", other, Limits())
    with pytest.raises(ClusterError, match="no scheduler answers at"):
        run_stage(context, Trial([("a", "fine")], tmp_path / "kept"), executor, Watch())
    assert states(context) == []


def test_scheduler_that_is_not_there_is_named(context: Context, tmp_path: Path, own: Certificates) -> None:
    address = f"tls://127.0.0.1:{free_port()}"
    with pytest.raises(ClusterError, match=re.escape(f"no scheduler answers at {address}")):
        run_stage(
            context,
            Trial([("a", "fine")], tmp_path / "kept"),
            Cluster(address, own, Limits(), connect_seconds=1.0),
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
        remote.is_secured(Certificates(), address)


# Machines that share a file system, and machines that do not.


def make_archive(root: Path, processes: Processes, bucket: str = "") -> None:
    (root / "rostra.toml").write_text(
        f"[transcribe]\nengine = 'fake'\n[store]\nbucket = '{bucket}'\n{processes.settings}"
    )
    write_wav(root.parent / "talk.wav", 5)
    assert rostra("pull", root.parent / "talk.wav", "--archive", root).returncode == 0


def without(folder: Path) -> tuple[str, ...]:
    """Return a command that runs another where a folder of this machine is not to be seen."""
    command = (
        "unshare",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        f"mount -t tmpfs none '{folder}' && exec \"$@\"",
        "-",
    )
    try:
        subprocess.run([*command, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"hides a folder from a worker, which needs namespaces of users and mounts: {error}")
    return command


def test_run_on_machines_that_share_the_archive(processes: Processes, root: Path) -> None:
    make_archive(root, processes)
    processes.worker()
    done = rostra("run", "--cluster", processes.address, "--archive", root)
    assert done.returncode == 0, done.stderr
    assert "transcribe: 1 of 1: done recordings/talk in " in done.stderr
    assert "render: 1 of 1: done recordings/talk in " in done.stderr
    assert rostra("run", "--cluster", processes.address, "--archive", root).stderr == "Nothing is due.\n"


def test_run_on_machines_that_share_nothing_but_a_bucket(processes: Processes, root: Path, bucket: Bucket) -> None:
    make_archive(root, processes, f"s3://{bucket.name}")
    for _ in range(2):
        processes.worker(before=without(root))
    done = rostra("run", "--cluster", processes.address, "--archive", root)
    assert done.returncode == 0, done.stderr
    assert [row[1:] for row in rows(root) if "/" not in row[0]] == [("done", 1, None)] * 2
    assert "second 4." in rostra("search", "second", "--json", "--archive", root).stdout
    published = {path.suffix for path in (root / "public" / "media").iterdir()}
    assert published == {Path(entry["path"]).suffix for entry in bucket.entries()}
    assert {".wav", ".json"} <= published
    left = [path for path in root.parent.glob("scratch-*/**/*") if path.is_file() and path.suffix in published]
    assert left == []


def test_machine_that_does_not_see_the_recordings_ends_the_run_and_charges_nobody(
    processes: Processes, root: Path
) -> None:
    make_archive(root, processes)
    processes.worker(before=without(root))
    done = rostra("run", "--cluster", processes.address, "--archive", root)
    assert done.returncode == 2
    assert (
        f"does not see {root / 'media'}: share that folder with every worker, or keep media in a bucket" in done.stderr
    )
    assert [row[1:] for row in rows(root)][-1] == ("interrupted", 1, None)
