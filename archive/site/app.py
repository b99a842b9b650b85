"""Making the site and serving it."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from datasette.app import Datasette

from archive.publication.folder import PLUGIN, SETTINGS, TIME_LIMIT_MS, SiteNames, databases
from archive.site.published import install, read_publication
from archive.site.server import PatientProtocol, raise_file_limit
from archive.site.settings import LOCAL_URL

STARTS_IN_SECONDS = 60
"""How long a process may take until it answers. With uvicorn's own 5, a busy machine would start it for ever anew."""
_TOLD = "ROSTRA_SITE"
"""The variable of the environment that tells the processes of a site what to serve, as JSON."""


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


class _Told(msgspec.Struct, frozen=True):
    """What the processes of a site are told."""

    public: str
    names: SiteNames


def application() -> Any:
    """Return the ASGI application of one process of a site that `serve` serves."""
    told = msgspec.json.decode(os.environ[_TOLD], type=_Told)
    raise_file_limit()
    names = told.names
    return create_app(
        Path(told.public),
        title=names.title,
        url=names.url,
        hub=names.hub,
        contact=names.contact,
        accent=names.accent,
        logo=names.logo,
        database=names.database,
    ).app()


def serve(
    public: Path, host: str, port: int, names: SiteNames, *, proxies: Sequence[str] = (), workers: int = 1
) -> None:
    """Serve the site until interrupted; prints nothing.

    Each process notices a new publication by itself and changes to it between two requests.

    Args:
        public: the published folder.
        host: the address to listen at.
        port: the port to listen at.
        names: what the site calls itself; without an address, it is the one that it listens at.
        proxies: addresses and networks of proxies whose ``X-Forwarded-Proto`` and ``X-Forwarded-For`` are believed.
        workers: processes.

    Raises:
        UnpublishedError: nothing is published there.
    """
    read_publication(public)
    names = msgspec.structs.replace(names, url=names.url or f"http://{host}:{port}")
    os.environ[_TOLD] = msgspec.json.encode(_Told(str(public.absolute()), names)).decode()
    uvicorn.run(
        f"{__name__}:{application.__name__}",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        http=PatientProtocol,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        timeout_worker_healthcheck=STARTS_IN_SECONDS,
        # Players keep connections open for as long as they play: stopping does not wait for them.
        timeout_graceful_shutdown=2,
    )
