"""What a published folder says to whoever serves it: ``rostra serve FOLDER``, or Datasette alone.

Datasette reads ``metadata.json`` and ``settings.json`` of a folder that it is given
(https://docs.datasette.io/en/stable/settings.html#configuration-directory-mode).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from archive.connection import CACHE_KIB
from archive.publication.documentation import TABLES, metadata

METADATA, SETTINGS_FILE = "metadata.json", "settings.json"
PLUGIN = "rostra"
TIME_LIMIT_MS = 1_000
SETTINGS: dict[str, int | bool] = {
    "default_allow_sql": True,
    "num_sql_threads": 8,
    "sql_time_limit_ms": TIME_LIMIT_MS,
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

Reading in SQL is open to everyone, because the file holds only what is public; one query takes at most a second.
Suggesting facets makes a large table slow to open.
"""


CORPORA = "corpora"
"""The folder of a publication that holds what was packed for researchers."""


def corpus_file(database: str, form: str) -> str:
    """Return the name of a corpus of a published database: another publication has others."""
    return f"{database.removeprefix('catalogue-').removesuffix('.db')}-{form}.zip"


class SiteNames(msgspec.Struct, frozen=True, kw_only=True):
    """What a site calls itself: its title, its address, and the WebSub hub of its feeds; "" for none.

    ``database`` says whether visitors may take the published database away.
    """

    title: str = ""
    url: str = ""
    hub: str = ""
    database: bool = False


class _Plugins(msgspec.Struct):
    rostra: SiteNames = SiteNames()


DATABASE = "data"
"""What Datasette calls the published database, whichever file it is: its own pages are at ``/data``."""


def databases() -> dict[str, Any]:
    """Return what Datasette tells of the published database and its tables."""
    about = "All that is published. Begin with the view said, or with a query below; /schema tells of every column."
    return {DATABASE: {"description": about, "tables": {name: metadata(name) for name in TABLES}}}


class _Metadata(msgspec.Struct):
    title: str = "Rostra"
    plugins: _Plugins = msgspec.field(default_factory=_Plugins)
    databases: dict[str, Any] = msgspec.field(default_factory=databases)


def files(names: SiteNames) -> dict[str, bytes]:
    """Return the files that a published folder holds for whoever serves it, by name."""
    told = _Metadata(names.title or "Rostra", _Plugins(names))
    return {
        METADATA: msgspec.json.format(msgspec.json.encode(told)),
        SETTINGS_FILE: msgspec.json.format(msgspec.json.encode(SETTINGS | {"allow_download": names.database})),
    }


def read_names(folder: Path) -> SiteNames:
    """Return what the site of a published folder calls itself; nothing, where the folder does not say."""
    try:
        return msgspec.json.decode((folder / METADATA).read_bytes(), type=_Metadata).plugins.rostra
    except (OSError, msgspec.DecodeError):
        return SiteNames()
