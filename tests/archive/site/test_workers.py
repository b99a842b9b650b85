"""The processes of a site: begun anew when they are killed, and ended with whoever began them, even as they start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from uvicorn import Server

from tests.archive.processes import workers_of
from tests.archive.published_folder import publish

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc")

RUN = """
import socket
from archive.errors import NotStartedError
from archive.site.workers import run_workers
from tests.archive.site.test_workers import {make}
try:
    run_workers({make}, socket.create_server(("127.0.0.1", 0)), 2)
except NotStartedError as error:
    print(error, flush=True)
"""


def never_ready() -> Server:
    print("starting", flush=True)
    time.sleep(600)
    raise AssertionError


def broken() -> Server:
    raise SystemExit(1)


@contextmanager
def supervising(make: str) -> Iterator[subprocess.Popen[str]]:
    """Run processes that `make` makes, in a group of their own, as a terminal does."""
    command = [sys.executable, "-c", RUN.format(make=make)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_processes_end_at_once_while_they_start(number: signal.Signals) -> None:
    with supervising("never_ready") as process:
        assert process.stdout
        assert [process.stdout.readline() for _ in range(2)] == ["starting\n"] * 2
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=300)  # each of them sleeps for twice as long
        assert (process.returncode, out, err) == (0, "", "")


def test_site_that_cannot_start_says_so() -> None:
    with supervising("broken") as process:
        out, err = process.communicate(timeout=300)
    assert (process.returncode, out, err) == (0, "the site could not start: what is printed above says why\n", "")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Two processes of a site that answer, with whoever began them, and their address."""
    from tests.archive.site.test_deployment import free_port  # which imports far more than these tests need

    publish(public := tmp_path / "public")
    address = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "pipelines", "serve", str(public), "--port", str(port), "--workers", "2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True)
    try:
        until_answered(address)
        yield process, address
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=300)


def until_answered(address: str, *, answered: bool = True) -> None:
    """Wait until a site answers, or until nobody does."""
    while True:
        try:
            httpx.get(f"{address}/-/health", timeout=60)
        except httpx.TransportError:
            if not answered:
                return
        else:
            if answered:
                return
        time.sleep(0.05)


def test_processes_end_when_whoever_began_them_is_killed(site: tuple[subprocess.Popen[bytes], str]) -> None:
    process, address = site
    process.kill()
    process.wait()
    until_answered(address, answered=False)


def test_killed_process_is_begun_anew(site: tuple[subprocess.Popen[bytes], str]) -> None:
    process, address = site
    for _ in range(2):
        before = workers_of(process.pid)
        os.kill(before[0], signal.SIGKILL)
        while not (len(now := workers_of(process.pid)) == 2 and before[0] not in now):
            time.sleep(0.05)
        until_answered(address)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serving_ends_well_when_it_is_told_to(
    site: tuple[subprocess.Popen[bytes], str], number: signal.Signals
) -> None:
    process, _ = site
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    err = process.communicate(timeout=300)[1].decode()
    assert (process.returncode, len(err.splitlines())) == (0, 1), err


def test_address_that_is_taken_is_told(site: tuple[subprocess.Popen[bytes], str], tmp_path: Path) -> None:
    port = site[1].rpartition(":")[2]
    command = [sys.executable, "-m", "pipelines", "serve", str(tmp_path / "public"), "--port", port]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "choose another --port" in done.stderr) == (2, True), done.stderr
    assert "Serving" not in done.stderr


@pytest.mark.parametrize("proxy", ["nginx", "10.0.0.7/8", "10.0.0.0/33", "unix:", ""])
def test_proxy_that_nobody_can_be_is_told(tmp_path: Path, proxy: str) -> None:
    command = [sys.executable, "-m", "pipelines", "serve", str(tmp_path), "--proxy", "::1", "--proxy", proxy]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, f"{proxy!r} is neither an address" in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_archive_is_served_like_its_publication_at_the_address_that_is_said(tmp_path: Path, host: str) -> None:
    publish(tmp_path / "public")
    (tmp_path / "rostra.toml").write_text('[site]\ntitle = "Talks"\n')
    command = [sys.executable, "-m", "pipelines", "serve", str(tmp_path), "--port", "0", "--host", host]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        address = said.partition(" at ")[2].partition("/ ")[0]
        until_answered(address)
        page = httpx.get(f"{address}/events").text
        process.terminate()
    assert said.startswith(f"Serving Talks at http://{'[::1]' if ':' in host else host}:")
    assert f'<link rel="canonical" href="{address}/events">' in page
    assert process.returncode == 0
