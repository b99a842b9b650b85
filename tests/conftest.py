"""What tests share: a catalogue, and where real recordings are."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import hypothesis
import pytest

from archive.catalogue.database import create_catalogue, open_catalogue
from archive.sqlite import Database
from pipelines.storage.buckets import Bucket
from tests.pipelines.network import use_endpoint

# How long an example takes says more of the machine than of the code.
hypothesis.settings.register_profile("rostra", deadline=None)
hypothesis.settings.load_profile("rostra")


# A shell that puts tests into the background has them and their children ignore these; what tests send must arrive.
for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

# readline, which pytest imports, tells children how wide the terminal is, and no command would ask anew.
for size in ("COLUMNS", "LINES"):
    os.environ.pop(size, None)


LONG = (
    "archive/publication/test_citations_hold.py::test_moments_are_found_and_nothing_wrong_is_certain[five-hundred]",
    "archive/research/test_tei_schema.py",
    "archive/site/test_api.py::test_schemathesis",
    "archive/site/test_deployment.py",
    "browser/test_reach.py",
    "pipelines/cli/test_redact.py",
    "pipelines/cli/test_terminal.py::test_a_terminal_obeys",
    "pipelines/matching/test_cutting.py::test_cut_from_the_command_line",
    "pipelines/matching/test_cutting.py::test_day_of_real_speech",
    "pipelines/run/test_cluster.py",
    "pipelines/run/test_cluster_network.py",
    "pipelines/run/test_cluster_readme.py",
    "pipelines/run/test_kill.py::test_killed_run",
    "pipelines/run/test_take_down.py",
    "pipelines/storage/test_check_mends.py",
    "pipelines/storage/test_site_killed.py::test_what_was_ended",
    "pipelines/test_nothing_leaks.py::TestNothingLeaks",
    "pipelines/transcribers/test_chunks.py::test_real_speech_in_parts",
    "test_bench_serving.py",
)
"""Tests that take long, by the beginning of their names, beside those of `test_failures` on a cluster."""


FIRST = (
    "pipelines/transcribers/test_faster_whisper.py",
    "pipelines/run/test_failures.py",
    "pipelines/media/test_renditions.py",
    "pipelines/cli/test_cli.py",
    "browser/test_site_in_a_browser.py",
    "browser/test_session_journeys.py",
    "pipelines/sources/test_feed.py",
    "pipelines/exchange/test_bags.py",
    "pipelines/stages/test_stages.py",
    "archive/catalogue/test_spoilt_timetables.py",
)
"""Files that take longest. Several processes share files out, and none shall begin a long one when others are done."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests that `make test` leaves to `make test-long`; where files are shared out, put long ones first."""
    for item in items:
        name = item.nodeid.removeprefix("tests/")
        on_cluster = name.startswith("pipelines/run/test_failures.py") and "cluster" in name
        if name.startswith(LONG) or on_cluster:
            item.add_marker(pytest.mark.long)
    if hasattr(config, "workerinput"):  # of pytest-xdist
        ranks = {f"tests/{name}": rank for rank, name in enumerate(FIRST)}
        items.sort(key=lambda item: ranks.get(item.nodeid.partition("::")[0], len(ranks)))


@pytest.fixture(scope="session")
def blank_catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a catalogue that nothing is in, for copies: its migrations take five times as long."""
    path = tmp_path_factory.mktemp("blank") / "catalogue.db"
    create_catalogue(path).close()
    return path


@pytest.fixture
def catalogue(tmp_path: Path, blank_catalogue: Path) -> Iterator[Database]:
    db = open_catalogue(shutil.copyfile(blank_catalogue, tmp_path / "catalogue.db"))
    yield db
    db.close()


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of real recordings, timetables and captions."""
    default = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    folder = Path(os.environ.get("ROSTRA_TEST_DATA", default))
    if not (folder / "MANIFEST.tsv").is_file():
        pytest.skip("no real recordings here: set ROSTRA_TEST_DATA")
    return folder


@pytest.fixture(scope="session")
def bucket_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Serve S3's protocol, in memory, and return the port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    log = tmp_path_factory.mktemp("moto") / "log"
    with log.open("wb") as file:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-p", str(port)], stdout=file, stderr=subprocess.STDOUT
        )
    try:
        for _ in range(600):
            if server.poll() is not None:
                pytest.fail(log.read_text())
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def bucket(bucket_server: int, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """Return a new bucket."""
    use_endpoint(monkeypatch, bucket_server)
    name = f"talks-{uuid.uuid4().hex[:12]}"
    assert httpx.put(f"http://127.0.0.1:{bucket_server}/{name}", trust_env=False).status_code == 200
    return Bucket(name)
