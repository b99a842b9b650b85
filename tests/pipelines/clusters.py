"""A Dask cluster of separate processes on this machine, with certificates on both sides."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import trustme

from pipelines.config import Certificates


def certificates(folder: Path) -> Certificates:
    """Write an authority's certificate and one of its own for this machine."""
    folder.mkdir(exist_ok=True)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    issued = authority.issue_cert("localhost", "127.0.0.1")
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    issued.cert_chain_pems[0].write_to_path(str(folder / "certificate.pem"))
    return Certificates(*(str(folder / f"{name}.pem") for name in ("ca", "certificate", "key")))


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass
class Processes:
    """A scheduler and its workers."""

    folder: Path
    certificates: Certificates
    port: int = 0  # the scheduler's, once it has one
    host: str = "127.0.0.1"
    inside: tuple[str, ...] = ()  # a command that runs the scheduler elsewhere
    environment: dict[str, str] = field(default_factory=dict)
    all: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"tls://{self.host}:{self.port}"

    @property
    def settings(self) -> str:
        """Return what an archive's settings say of it."""
        own = self.certificates
        return f"[cluster]\nca = '{own.ca}'\ncertificate = '{own.certificate}'\nkey = '{own.key}'\n"

    def start(self, *arguments: str, ready: str, before: tuple[str, ...] = ()) -> re.Match[str]:
        """Start a process, and return that in its log which says that it is ready."""
        own = self.certificates
        tls = ["--tls-ca-file", own.ca, "--tls-cert", own.certificate, "--tls-key", own.key]
        log = self.folder / f"{arguments[0]}-{len(self.all)}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*before, sys.executable, "-m", f"distributed.cli.dask_{arguments[0]}", *arguments[1:], *tls],
                stdout=file,
                stderr=file,
                cwd=Path(__file__).resolve().parents[2],
                env=os.environ | {"DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "true"} | self.environment,
            )
        self.all.append(process)
        end = time.monotonic() + 60
        while not (said := re.search(ready, log.read_text(errors="replace"))):
            assert process.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < end, log.read_text(errors="replace")
            time.sleep(0.1)
        return said

    def scheduler(self) -> None:
        """Start a scheduler, at a port that is free."""
        said = self.start(
            *("scheduler", "--protocol", "tls", "--host", self.host, "--port", "0", "--no-dashboard"),
            ready=r"Scheduler at:\s+\S+:(\d+)\s",
            before=self.inside,
        )
        self.port = int(said[1])

    def worker(self, resources: str = "gpu=1 io=1", before: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
        """Start a worker, with a command before it that runs another elsewhere."""
        self.start(
            *("worker", self.address, "--no-nanny", "--no-dashboard", "--nthreads", "2"),
            *("--resources", resources, "--local-directory", str(self.folder / f"scratch-{len(self.all)}")),
            ready="Registered to",
            before=before,
        )
        return self.all[-1]

    def stop(self) -> None:
        for process in self.all:
            process.kill()
            process.wait()
