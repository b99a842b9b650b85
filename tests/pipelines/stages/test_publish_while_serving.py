"""The site, served by a process of its own, while it is published again and again."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from archive.catalogue.rows import touch
from archive.connection import transaction
from pipelines.run.executors import InProcess
from pipelines.run.runner import run_stage
from pipelines.stages.index import Index
from pipelines.stages.publish import Publish
from pipelines.stages.pull import Pull
from pipelines.stages.render import Render
from pipelines.stages.transcribe import Transcribe
from pipelines.storage.archive_folder import Context, init, open_archive
from pipelines.transcribers import FakeTranscriber
from tests.pipelines.sounds import write_wav
from tests.pipelines.trials import Watch

PUBLICATIONS = 4
CLIENTS = 16


@contextmanager
def served(root: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "pipelines", "--archive", str(root), "serve", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        for _ in range(600):
            assert server.poll() is None, server.communicate()[1].decode()
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.communicate()


class Crowd(threading.Thread):
    """Many readers at once, until told to stop; counts answers by status, and keeps what was seen of the title."""

    def __init__(self, base: str, paths: list[str]) -> None:
        super().__init__()
        self.base, self.paths = base, paths
        self.over = threading.Event()
        self.answers: Counter[int] = Counter()
        self.failures: list[str] = []
        self.titles: set[str] = set()

    def run(self) -> None:
        asyncio.run(self._all())

    async def _all(self) -> None:
        async with httpx.AsyncClient(base_url=self.base, timeout=30, trust_env=False) as client:
            await asyncio.gather(*(self._read(client, number) for number in range(CLIENTS)))

    async def _read(self, client: httpx.AsyncClient, number: int) -> None:
        while not self.over.is_set():
            for path in self.paths[number % len(self.paths) :] + self.paths[: number % len(self.paths)]:
                try:
                    answer = await client.get(path)
                except httpx.HTTPError as error:
                    self.failures.append(f"{path}: {error!r}")
                    continue
                self.answers[answer.status_code] += 1
                if answer.status_code != 200:
                    self.failures.append(f"{path}: {answer.status_code}")
                if path == "/data/session.json?_shape=array":
                    self.titles |= {row["title"] for row in answer.json()}


def rename(context: Context, title: str) -> None:
    with transaction(context.db):
        context.db.execute("UPDATE session SET title = ? WHERE id = 1", [title])
        touch(context.db)


def do(context: Context, *stages: Pull | Transcribe | Index | Publish) -> None:
    for stage in stages:
        assert not run_stage(context, stage, InProcess(), Watch()).failed


def test_no_request_fails_while_the_site_is_published_again_and_again(tmp_path: Path) -> None:
    init(tmp_path / "archive", title="Test")
    write_wav(tmp_path / "talk.wav", 9)
    with open_archive(tmp_path / "archive") as context:
        do(context, Pull([tmp_path / "talk.wav"]), Transcribe(FakeTranscriber()), Render(), Index(), Publish())
        media = next((context.layout.public / "media").iterdir()).name
        paths = [
            "/",
            "/search?q=second",
            "/events/recordings/talk",
            "/events/recordings/talk/captions.vtt",
            f"/media/{media}",
            "/data/session.json?_shape=array",
        ]
        with served(tmp_path / "archive") as base:
            crowd = Crowd(base, paths)
            crowd.start()
            try:
                for number in range(PUBLICATIONS):
                    rename(context, f"Title {number}")
                    do(context, Index(), Publish())
                newest = httpx.get(f"{base}/data/session.json?_shape=array", trust_env=False).json()[0]["title"]
            finally:
                crowd.over.set()
                crowd.join()
    assert crowd.failures == []
    assert set(crowd.answers) == {200}
    assert crowd.answers[200] > PUBLICATIONS * CLIENTS
    assert newest == f"Title {PUBLICATIONS - 1}"
    assert len(crowd.titles) > 1
