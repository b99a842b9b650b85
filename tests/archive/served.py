"""The site on a port of this machine, for clients that speak HTTP."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from archive.site.app import create_app
from archive.site.server import PatientProtocol


@contextmanager
def serving(
    public: Path, protocol: type[PatientProtocol] = PatientProtocol, base: str = "", **settings: Any
) -> Iterator[str]:
    """Serve a published folder at a path, and yield its address, which is the site's own."""
    listening = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}{base}"
    datasette: Any = create_app(public, url=address, time_limit_ms=60_000, **settings)
    server = uvicorn.Server(uvicorn.Config(datasette.app(), http=protocol, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield address
    finally:
        server.should_exit = True
        thread.join()
        datasette.executor.shutdown()


def ask(public: Path, *paths: str, **names: Any) -> list[httpx.Response]:
    """Return what a site of a published folder answers, asked in this process without following redirects."""
    datasette: Any = create_app(public, **names)

    async def read() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=datasette.app())
        async with httpx.AsyncClient(transport=transport, base_url="http://site") as client:
            return [await client.get(path) for path in paths]

    answers = asyncio.run(read())
    datasette.executor.shutdown()
    return answers
