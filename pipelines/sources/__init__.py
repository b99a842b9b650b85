"""Where recordings come from: one module for each kind of source. This module chooses it by the source's name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pipelines.errors import AddressError, ConfigError, ItemError
from pipelines.sources import bucket, feed, files, http, sites
from pipelines.sources.base import Found, Shelf, Unreachable

__all__ = ["Found", "Shelf", "find"]


def find(name: str | Path, shelf: Shelf) -> Iterator[Found]:
    """Yield what a source holds: a file, a folder, an address, a feed or a bucket.

    Raises:
        ConfigError: the file or folder does not exist, or the scheme of the address is not one that may be asked.
    """
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", str(name))
    if scheme is None or isinstance(name, Path):
        return files.find(name, shelf)
    if scheme[1].lower() == "s3":
        return bucket.find(name, shelf)
    if scheme[1].lower() in shelf.settings.schemes:
        return _on_the_web(name, shelf)
    known = ", ".join((*shelf.settings.schemes, "s3"))
    raise ConfigError(f"no way to {name}: give a file, a folder, or an address that begins with one of {known}")


def _on_the_web(url: str, shelf: Shelf) -> Iterator[Found]:
    """Yield what an address holds: the episodes of a feed, the videos of a known site, or one file."""
    if feed.is_known(url, shelf):
        yield from feed.find(url, shelf)
        return
    if sites.is_known(url):
        yield from sites.find(url, shelf)
        return
    try:
        seen = http.look(url, shelf.settings)
    except AddressError as error:
        yield Unreachable(place=url, name=url, stamp=("address",), error=error)
    except ItemError as error:
        yield Unreachable(place=url, name=url, stamp=("unreachable",), error=error)
    else:
        if feed.is_feed(seen):
            yield from feed.find(url, shelf)
        else:
            yield http.WebFile(place=url, name=seen.name, stamp=seen.stamp, bytes=seen.size, url=url)
