"""A scheduler in a network of its own, whose link is cut and restored."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.config import Certificates, Limits
from pipelines.run.dask_cluster import Cluster
from pipelines.run.runner import run_stage
from pipelines.storage.archive_folder import init, open_archive
from tests.pipelines.clusters import Processes, certificates
from tests.pipelines.run.test_failures import rows
from tests.pipelines.run.test_kill import wait_for
from tests.pipelines.trials import Trial, Watch

NAMESPACE, OUTER, INNER, HERE, THERE = "rostra-test", "rostra-out", "rostra-in", "10.213.77.1", "10.213.77.2"


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@pytest.fixture
def network() -> Iterator[tuple[str, ...]]:
    """Return a command that runs another in a network that one link leads to."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("ip"):
        pytest.skip("makes network namespaces, which needs root and iproute2")
    try:
        ip("netns", "add", NAMESPACE)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"may not make a network namespace: {error.stderr.decode().strip()}")
    try:
        ip("link", "add", OUTER, "type", "veth", "peer", "name", INNER, "netns", NAMESPACE)
        ip("addr", "add", f"{HERE}/30", "dev", OUTER)
        ip("link", "set", OUTER, "up")
        ip("-n", NAMESPACE, "addr", "add", f"{THERE}/30", "dev", INNER)
        ip("-n", NAMESPACE, "link", "set", INNER, "up")
        yield ("ip", "netns", "exec", NAMESPACE)
    finally:
        subprocess.run(["ip", "link", "del", OUTER], check=False, capture_output=True)
        subprocess.run(["ip", "netns", "del", NAMESPACE], check=False, capture_output=True)


def test_cut_link_that_is_restored_charges_nobody_and_loses_nothing(tmp_path: Path, network: tuple[str, ...]) -> None:
    own: Certificates = certificates(tmp_path / "certificates")
    processes = Processes(tmp_path, own, host=THERE, inside=network)
    init(tmp_path / "archive", title="Test")
    tasks = [(f"item {number}", "doze") for number in range(4)]

    def meddle() -> None:
        wait_for((tmp_path / "kept").exists)
        ip("link", "set", OUTER, "down")
        time.sleep(4)
        ip("link", "set", OUTER, "up")

    try:
        processes.scheduler()
        processes.worker("gpu=1 io=2")
        meddler = threading.Thread(target=meddle)
        meddler.start()
        with open_archive(tmp_path / "archive") as context:
            executor = Cluster(processes.address, own, Limits())
            run_stage(context, Trial(tasks, tmp_path / "kept"), executor, Watch())
        meddler.join()
    finally:
        processes.stop()
    assert sorted(rows(tmp_path / "archive")) == [(subject, "done", 1, None) for subject, _ in tasks]
