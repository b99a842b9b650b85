"""The folders that this archive was published into, and whether they are as new as the catalogue."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from archive.catalogue.runs import subjects_done
from archive.catalogue.snapshot import origin
from archive.publication.build import publication_fingerprint
from pipelines.storage.archive_folder import Context, now
from pipelines.storage.own import CURRENT

PUBLISH = "publish"
"""The stage that publishes: what it was done to are the folders."""


def state(context: Context) -> str:
    """Return a digest that changes when a publication would: by what it holds, or by what its site is called."""
    default = context.config.publish.default_release
    material = (publication_fingerprint(context.db, default=default, now=now()), context.config.site.names())
    return hashlib.sha256(repr(material).encode()).hexdigest()[:16]


def copies(context: Context) -> dict[Path, str]:
    """Return the folders that hold publications of this archive, and with which state each was made last.

    The archive's own comes first, if there is one. Folders that are gone, or hold another archive's, are no copies.
    """
    ours = origin(context.db)
    done = {Path(subject): made for subject, made in subjects_done(context.db, PUBLISH).items()}
    own = context.layout.public
    folders = {own: done.pop(own.absolute(), ""), **done}
    return {folder: made for folder, made in folders.items() if origin_of(folder) in {ours, ""}}


def origin_of(folder: Path) -> str | None:
    """Return whose publication a folder holds; "" where it does not say, None where there is none."""
    try:
        found = msgspec.json.decode((folder / CURRENT).read_bytes())
        return str(found.get("origin", ""))
    except (OSError, ValueError, AttributeError):
        return None
