"""Making the site and serving it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvicorn
from datasette.app import Datasette

from archive.connection import CACHE_KIB
from archive.site.published import install, read_publication
from archive.site.server import PatientProtocol, raise_file_limit
from archive.site.settings import LOCAL_URL, PLUGIN

TIME_LIMIT_MS = 1_000
SETTINGS: dict[str, int | bool] = {
    "default_allow_sql": True,
    "num_sql_threads": 8,
    "cache_size_kb": CACHE_KIB,
    "max_returned_rows": 1_000,
    "default_page_size": 50,
    "suggest_facets": False,
    "default_facet_size": 20,
    "facet_time_limit_ms": 200,
    "allow_download": False,
    "max_csv_mb": 50,
}
"""Datasette's, where ours differ from its own or must not change with them.

Reading in SQL is open to everyone, because the file holds only what is public; one query takes at most a
second, and eight may run before a page has to wait. Suggesting facets makes a large table slow to open.
"""


def create_app(
    public: Path,
    *,
    title: str | None = None,
    url: str | None = None,
    hub: str | None = None,
    time_limit_ms: int = TIME_LIMIT_MS,
) -> Datasette:
    """Return the site over a published folder, as a Datasette; ``.app()`` of it is the ASGI application.

    Args:
        public: the folder that publishing writes: ``current.json``, the database it names, ``media/``.
        title: what this archive calls itself, beside Rostra's own name.
        url: the site's own address, with which canonical addresses begin.
        hub: the WebSub hub that feeds name.
        time_limit_ms: milliseconds that one search, or one query in SQL, may take.

    Raises:
        UnpublishedError: nothing is published there.
    """
    read_publication(public)  # before Datasette starts its threads
    config = {"public": str(public), "url": url or LOCAL_URL, "title": title or "", "hub": hub or ""}
    settings = SETTINGS | {"sql_time_limit_ms": time_limit_ms}
    datasette = Datasette(metadata={"plugins": {PLUGIN: config}, "title": title or "Rostra"}, settings=settings)
    install(datasette, public)
    datasette.remove_database("_memory")  # Datasette's, for want of a file among its arguments
    return datasette


def serve(
    public: Path,
    host: str,
    port: int,
    *,
    title: str | None = None,
    url: str | None = None,
    hub: str | None = None,
    proxies: Sequence[str] = (),
) -> None:
    """Serve the site until interrupted; prints nothing.

    Args:
        public: the published folder.
        host: the address to listen at.
        port: the port to listen at.
        title: what this archive calls itself.
        url: the site's own address; None for the one that it listens at.
        hub: the WebSub hub that feeds name.
        proxies: addresses and networks of proxies whose ``X-Forwarded-Proto`` and ``X-Forwarded-For`` are believed.

    Raises:
        UnpublishedError: nothing is published there.
    """
    raise_file_limit()
    application: Any = create_app(public, title=title, url=url or f"http://{host}:{port}", hub=hub).app()
    uvicorn.run(
        application,
        host=host,
        port=port,
        http=PatientProtocol,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        # Players keep connections open for as long as they play: stopping does not wait for them.
        timeout_graceful_shutdown=2,
    )
