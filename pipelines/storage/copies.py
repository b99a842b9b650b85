"""The folders that this archive was published into, and whether they are as new as the catalogue."""

from __future__ import annotations

import hashlib
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import msgspec

from archive.catalogue.runs import subjects, subjects_done
from archive.catalogue.snapshot import origin
from archive.publication.build import publication_fingerprint
from pipelines.storage.archive_folder import Context, now
from pipelines.storage.own import CURRENT, DATABASES, SITE

PUBLISH = "publish"
"""The stage that publishes: what it was done to are the folders."""
STATIC = "static"
"""The stage that publishes the site as files."""


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """What a site that was written to files says of itself.

    Attributes:
        origin: tells this archive's sites from those of others.
        written_at: when it was written, ISO 8601 in UTC.
        language: of its pages, BCP-47.
        media: the address of the folder from which it plays; "" for its own.
        files: the SHA-256 of each of its files but for media, by its path in the folder.
        sessions: of each session that it holds, EVENT/SESSION, the recordings and what was taken out of them.
        index: a digest of what its search finds.
        played: the names of the files of its folder of media.
        whole: False while files are moved to their places or removed: any of its files may be there or not, as it was
            or as it will be, and of those with no digest nobody knows. Sessions are then told so that whatever of them
            may be there is taken back with them.
    """

    origin: str = ""
    written_at: str = ""
    language: str = "en"
    media: str = ""
    files: dict[str, str] = {}
    sessions: dict[str, tuple[list[str], list[str]]] = {}
    index: str = ""
    played: list[str] = []
    whole: bool = True


def beside(folder: Path) -> Path:
    """Return the folder in which a site is made for a folder that is not there yet."""
    return folder.with_name(f".{folder.name}.rostra-part")


def read_site(folder: Path) -> Site | None:
    """Return what a site that was written to a folder, or is made for it, says of itself; None where there is none."""
    try:
        here = folder if folder.exists() else beside(folder)
        return msgspec.json.decode((here / SITE).read_bytes(), type=Site)
    except (OSError, msgspec.DecodeError):
        return None


def static_state(context: Context, language: str, media: str, at: datetime | None = None) -> str:
    """Return a digest that changes when a site of files would, at a moment or now."""
    return hashlib.sha256(repr((state(context, at), language, media)).encode()).hexdigest()[:16]


def sites(context: Context) -> dict[Path, tuple[Site, str]]:
    """Return the folders into which this archive's site was written, and with which state each was written last.

    The state is "" where the last writing, the first one too, did not end.
    """
    ours, done = origin(context.db), subjects_done(context.db, STATIC)
    found = {subject: site for subject in subjects(context.db, STATIC) if (site := read_site(Path(subject)))}
    return {
        Path(subject): (site, done.get(subject, "") if site.whole else "")
        for subject, site in found.items()
        if site.origin == ours
    }


def state(context: Context, at: datetime | None = None) -> str:
    """Return a digest that changes when a publication would, at a moment or now: by what it holds, or by its names."""
    default = context.config.publish.default_release
    material = (publication_fingerprint(context.db, default=default, now=at or now()), context.config.site.names())
    return hashlib.sha256(repr(material).encode()).hexdigest()[:16]


def copies(context: Context) -> dict[Path, str]:
    """Return the folders that hold publications of this archive, and with which state each was made last.

    The archive's own comes first, if there is one. Folders that are gone, or hold another archive's, are no copies.
    """
    ours = origin(context.db)
    done = {Path(subject): made for subject, made in subjects_done(context.db, PUBLISH).items()}
    own = context.layout.public
    folders = {own: done.pop(own.resolve(), ""), **done}
    return {folder: made for folder, made in folders.items() if origin_of(folder) in {ours, ""}}


def origin_of(folder: Path) -> str | None:
    """Return whose publication a folder holds; "" where it does not say, None where there is none."""
    current = _current(folder)
    return None if current is None else str(current.get("origin", ""))


def database_of(folder: Path) -> Path | None:
    """Return the database that a folder says is published; None where it says nothing."""
    name = (_current(folder) or {}).get("database")
    return folder / name if isinstance(name, str) and fnmatch(name, DATABASES) else None


def _current(folder: Path) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode((folder / CURRENT).read_bytes(), type=dict[str, Any])
    except (OSError, ValueError):
        return None
