"""A published folder's site, written to files."""

from __future__ import annotations

import asyncio
import functools
import http.server
import shutil
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from archive.connection import open_readonly
from archive.publication.folder import SiteNames
from archive.site.frozen import hosting, search
from archive.site.frozen.places import Places
from archive.site.frozen.walk import Walk
from archive.sqlite import sqlite3


def write(public: Path, folder: Path, names: SiteNames, *, gone: tuple[str, ...] = (), language: str = "en") -> Walk:
    """Write the site over a published folder to files; return the walk that was made for it."""
    walk = Walk(public, names, Places(), language)

    async def all_files() -> None:
        async for file in walk.files(gone):
            _put(folder / file.name, file.data)

    with ThreadPoolExecutor(1) as thread:  # where a browser is driven, a loop runs already
        thread.submit(lambda: asyncio.run(all_files())).result()
    db = open_readonly(next(public.glob("catalogue-*.db")), immutable=True)
    db.conn.row_factory = sqlite3.Row
    with tempfile.TemporaryDirectory() as work:
        for name, data in search.write_index(list(search.documents(db.conn, Places(), language)), Path(work)):
            _put(folder / name, data)
    db.close()
    for name, data in hosting.files(walk.gone, Places(), walk.settings.base).items():
        _put(folder / name, data)
    shutil.copytree(public / "media", folder / "media")
    return walk


def _put(path: Path, data: bytes) -> None:
    assert not path.exists(), path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of players that have heard enough."""


@contextmanager
def serving_files(folder: Path, port: int = 0) -> Iterator[str]:
    """Serve a folder as ``python -m http.server`` does, and yield its address."""
    with answering(_Server(("127.0.0.1", port), functools.partial(_Quiet, directory=str(folder)))) as address:
        yield address


@contextmanager
def answering(server: http.server.HTTPServer) -> Iterator[str]:
    """Let a server answer until the block ends, and yield its address."""
    with server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
