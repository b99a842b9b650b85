"""The site, served by a process of its own, while it is published again and again."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from archive.catalogue.importing import apply_event
from archive.catalogue.rows import touch
from archive.connection import transaction
from metadata.model import Event, Release, Session
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


PLACES = (
    "/events/coast",
    "/feed.atom",
    "/sitemaps/sessions-1.xml",
    "/api/1/sessions",
    "/data/session.json?_shape=array",
)


def test_what_an_embargo_kept_back_is_there_after_the_next_publication_and_no_restart(tmp_path: Path) -> None:
    """A site tells no time: what is public is what was when it was published, which a timer or --watch does again."""
    begins, ends = datetime(2030, 1, 1, tzinfo=UTC), datetime(2030, 6, 1, tzinfo=UTC)
    init(tmp_path / "archive", title="Test")
    coast = Event(
        slug="coast",
        title="Coast",
        sessions=(
            Session(slug="opening", title="Opening"),
            Session(slug="tides", title="Tides", release=Release(state="embargoed", until=ends.isoformat())),
        ),
    )
    with open_archive(tmp_path / "archive") as context:
        with transaction(context.db):
            apply_event(context.db, coast, decided_at="2026-01-01T00:00:00Z")
        do(context, Publish(clock=lambda: begins))
        with served(tmp_path / "archive") as base, httpx.Client(base_url=base, trust_env=False) as client:
            before = {path: client.get(path) for path in PLACES}
            hidden = client.get("/events/coast/tides")
            harvested = client.get("/oai?verb=ListIdentifiers&metadataPrefix=oai_dc").text
            do(context, Publish(clock=lambda: ends - timedelta(seconds=1)))
            still = {path: client.get(path, headers={"if-none-match": before[path].headers["etag"]}) for path in PLACES}
            do(context, Publish(clock=lambda: ends))
            after = {path: client.get(path, headers={"if-none-match": before[path].headers["etag"]}) for path in PLACES}
            shown = client.get("/events/coast/tides")
            since = re.findall("<responseDate>(.*?)</responseDate>", harvested)[0]
            news = client.get(f"/oai?verb=ListRecords&metadataPrefix=oai_dc&from={since}").text
    assert (hidden.status_code, {path: answer.status_code for path, answer in before.items()}) == (
        404,
        dict.fromkeys(PLACES, 200),
    )
    assert [path for path, answer in before.items() if "tides" in answer.text.lower()] == []
    assert {path: answer.status_code for path, answer in still.items()} == dict.fromkeys(PLACES, 304)
    assert {path: answer.status_code for path, answer in after.items()} == dict.fromkeys(PLACES, 200)
    assert [path for path, answer in after.items() if "tides" not in answer.text.lower()] == []
    # What changed in the second of the last harvest is told again (Opening, on a quick machine).
    assert shown.status_code == 200
    assert re.findall("<dc:title>(.*?)</dc:title>", news) in (["Tides"], ["Opening", "Tides"])
