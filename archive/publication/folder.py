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


LOGO_BYTES = 64 << 10
"""The largest logo: it travels in a variable of the environment, and every page waits for it."""
_LOGOS = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"RIFF", "image/webp"))


def logo_type(data: bytes) -> str | None:
    """Return the media type of a logo by how it begins; None where it is no picture that browsers show."""
    known = next((media_type for begins, media_type in _LOGOS if data.startswith(begins)), None)
    if known == "image/webp" and data[8:12] != b"WEBP":
        return None
    return known or ("image/svg+xml" if data.lstrip()[:1] == b"<" and b"<svg" in data[:4096] else None)


class SiteNames(msgspec.Struct, frozen=True, kw_only=True):
    """What a site calls itself, and how it looks; "" for what nobody said.

    Attributes:
        title: its title.
        url: its address.
        hub: the WebSub hub of its feeds.
        contact: the mail address of who runs the archive, which is public.
        accent: its accent colour, ``#rrggbb``.
        logo: a picture, as `logo_type` knows it.
        database: whether visitors may take the published database away.
    """

    title: str = ""
    url: str = ""
    hub: str = ""
    contact: str = ""
    accent: str = ""
    logo: bytes = b""
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
