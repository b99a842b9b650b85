"""Making the site and serving it."""

from __future__ import annotations

import base64
import os
import socket
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec
import uvicorn
from datasette.app import Datasette

from archive.errors import NotListeningError
from archive.publication.folder import PLUGIN, SETTINGS, TIME_LIMIT_MS, SiteNames, databases
from archive.site.published import install, read_publication
from archive.site.server import PatientProtocol, raise_file_limit
from archive.site.settings import LOCAL_URL
from archive.site.workers import run_workers

_BACKLOG = 2048
"""Connections that wait to be taken, as uvicorn has it."""


def create_app(
    public: Path,
    *,
    title: str | None = None,
    url: str | None = None,
    hub: str | None = None,
    contact: str | None = None,
    accent: str | None = None,
    logo: bytes | None = None,
    database: bool = False,
    static: bool = False,
    media: str = "",
    time_limit_ms: int = TIME_LIMIT_MS,
) -> Datasette:
    """Return the site over a published folder, as a Datasette; ``.app()`` of it is the ASGI application.

    Args:
        public: the folder that publishing writes: ``current.json``, the database it names, ``media/``.
        title: what this archive calls itself, beside Rostra's own name.
        url: the site's own address, with which canonical addresses begin.
        hub: the WebSub hub that feeds name.
        contact: the mail address of who runs the archive.
        accent: the colour of links and buttons, ``#rrggbb``.
        logo: the picture that leads the header.
        database: whether visitors may take the published database away.
        static: whether its pages are written to files (`archive.site.frozen`).
        media: the address of the folder from which such pages play, if it is another.
        time_limit_ms: milliseconds that one search, or one query in SQL, may take.

    Raises:
        UnpublishedError: nothing is published there.
    """
    read_publication(public)  # before Datasette starts its threads
    config = {"public": str(public), "url": url or LOCAL_URL, "title": title or "", "hub": hub or ""}
    config |= {"contact": contact or "", "accent": accent or "", "logo": base64.b64encode(logo or b"").decode()}
    config |= {"static": "yes" if static else "", "media": media}
    settings = SETTINGS | {"sql_time_limit_ms": time_limit_ms, "allow_download": database}
    datasette = Datasette(
        metadata={"plugins": {PLUGIN: config}, "title": title or "Rostra", "databases": databases()}, settings=settings
    )
    install(datasette, public)
    datasette.remove_database("_memory")  # Datasette's, for want of a file among its arguments
    return datasette


def _server(public: Path, names: SiteNames, proxies: tuple[str, ...]) -> uvicorn.Server:
    """Return the server of one process."""
    raise_file_limit()
    site = create_app(
        public,
        title=names.title,
        url=names.url,
        hub=names.hub,
        contact=names.contact,
        accent=names.accent,
        logo=names.logo,
        database=names.database,
    )
    config = uvicorn.Config(
        site.app(),
        http=PatientProtocol,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        backlog=_BACKLOG,
        # Players keep connections open for as long as they play: stopping does not wait for them.
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config)


def serve(
    public: Path,
    host: str,
    port: int,
    names: SiteNames,
    *,
    proxies: Sequence[str] = (),
    workers: int = 1,
    ready: Callable[[str], None] = lambda _address: None,
) -> None:
    """Serve the site until a signal says to stop; prints nothing.

    Each process notices a new publication by itself and changes to it between two requests.

    Args:
        public: the published folder.
        host: the address to listen at.
        port: the port to listen at; 0 for any that is free.
        names: what the site calls itself; without an address, it is the one that it listens at.
        proxies: addresses and networks of proxies whose ``X-Forwarded-Proto`` and ``X-Forwarded-For`` are believed.
        workers: processes.
        ready: what to do with the address as soon as it is listened at.

    Raises:
        UnpublishedError: nothing is published there.
        NotListeningError: nobody can listen at this address, or somebody else does.
        NotStartedError: none of several processes could start.
    """
    read_publication(public)
    with _listening(host, port) as listening:
        here = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"  # RFC 3986, section 3.2.2
        ready(here)
        names = msgspec.structs.replace(names, url=names.url or here)
        make = partial(_server, public.absolute(), names, tuple(proxies))
        if workers > 1:
            run_workers(make, listening, workers)
        else:
            make().run(sockets=[listening])


def _listening(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        number = error.errno or 0  # names that nobody knows have numbers of their own, below 0
        reason = os.strerror(number) if number > 0 else str(error.strerror).partition(" (")[0]
        raise NotListeningError(host, port, reason) from None
