"""The README's commands for a cluster, as they stand there, given in folders that have nothing in common."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

from pipelines.storage.buckets import Bucket
from tests.pipelines.clusters import free_port
from tests.pipelines.sounds import write_wav

README = Path(__file__).resolve().parents[3] / "pipelines" / "README.md"
SCRIPTS = Path(sys.executable).parent


def commands() -> dict[str, str]:
    """Return the commands of the section, by their first two words."""
    section = README.read_text(encoding="utf-8").partition("## A cluster")[2]
    block = section.partition("```\n")[2].partition("```")[0].replace("\\\n", " ")
    lines = [line.partition("#")[0].strip() for line in block.splitlines()]
    return {" ".join(line.split()[:2]): line for line in lines if line}


@dataclass
class Site:
    """Machines in folders of their own: ``head``, ``node`` and ``desk``, which has the archive ``talks``."""

    folder: Path
    port: int = field(default_factory=free_port)
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        authority = trustme.CA()
        for name in ("head", "node", "desk"):
            own = self.folder / name
            own.mkdir()
            issued = authority.issue_cert("localhost", "127.0.0.1")
            authority.cert_pem.write_to_path(str(own / "ca.pem"))
            issued.private_key_pem.write_to_path(str(own / f"{name}.key"))
            issued.cert_chain_pems[0].write_to_path(str(own / f"{name}.pem"))

    def given(self, command: str, *more: str) -> list[str]:
        """Return a command as it is given here: the machine ``head`` is this one, at a port that is free."""
        program, *words = shlex.split(command.replace("head:8786", f"localhost:{self.port}"))
        return [str(SCRIPTS / program), *words, *more]

    def start(self, where: str, command: str, *more: str, ready: str) -> None:
        log = self.folder / f"{where}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(self.given(command, *more), cwd=self.folder / where, stdout=file, stderr=file)
        self.running.append(process)
        end = time.monotonic() + 60
        while not re.search(ready, log.read_text(errors="replace")):
            assert process.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < end, log.read_text(errors="replace")
            time.sleep(0.1)

    def rostra(self, where: Path, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pipelines", *words]
        return subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)


@contextmanager
def cluster(folder: Path) -> Iterator[Site]:
    """Have the scheduler and a worker run, and the archive lie in ``desk``, whose settings name files beside them."""
    site = Site(folder)
    said = commands()
    try:
        site.start(
            "head", said["dask scheduler"], "--host", "127.0.0.1", "--port", str(site.port), ready="Scheduler at:"
        )
        site.start("node", said["dask worker"], "--no-dashboard", ready="Registered to")
        yield site
    finally:
        for process in site.running:
            process.kill()
            process.wait()


@pytest.fixture
def site(tmp_path: Path, bucket: Bucket) -> Iterator[Site]:  # the bucket's address is in the workers' environment
    with cluster(tmp_path) as site:
        yield site


@pytest.mark.parametrize(("place", "archive", "kept"), [("desk/talks", ".", "shared"), ("", "desk/link", "bucket")])
def test_run_that_the_readme_shows_works_wherever_it_is_given(
    site: Site, bucket: Bucket, place: str, archive: str, kept: str
) -> None:
    desk = site.folder / "desk"
    write_wav(desk / "talk.wav", 5)
    (desk / "link").symlink_to("talks")
    assert site.rostra(desk, "init", "talks").returncode == 0
    (desk / "talks" / "tls").mkdir()
    for name in ("ca.pem", "desk.pem", "desk.key"):
        (desk / name).rename(desk / "talks" / "tls" / name)
    own = "ca = 'tls/ca.pem'\ncertificate = 'tls/desk.pem'\nkey = 'tls/desk.key'\n"
    store = f"[store]\nbucket = 's3://{bucket.name}/media'\n" if kept == "bucket" else ""
    (desk / "talks" / "rostra.toml").write_text(f"[transcribe]\nengine = 'fake'\n{store}[cluster]\n{own}")
    where = [] if archive == "." else ["--archive", archive]
    assert site.rostra(site.folder / place, *where, "pull", str(desk / "talk.wav")).returncode == 0
    words = site.given(commands()["rostra run"])[1:]
    done = site.rostra(site.folder / place, *where, *words)
    assert (done.returncode, done.stderr.count("1 of 1: done")) == (0, 4), done.stderr
    assert site.rostra(desk / "talks", *words).stderr == "Nothing is due.\n"
    assert '"session": "talk"' in site.rostra(site.folder / place, *where, "search", "second", "--json").stdout
    suffixes = {Path(entry["path"]).suffix for entry in bucket.entries()}
    assert suffixes == ({".wav", ".json"} if kept == "bucket" else set())
