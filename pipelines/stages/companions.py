"""What stages bring from a source, and what comes with it: captions, and what its place knows of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipelines.sources import Found, Shelf
from pipelines.storage.blobs import BlobStore


@dataclass(frozen=True, slots=True)
class Task:
    """A file to bring into a store, and what its transfer has to go by."""

    found: Found
    shelf: Shelf
    store: BlobStore


@dataclass(frozen=True, slots=True)
class Companion:
    """What came with a file, in the store: captions, or what its place knows of it.

    Attributes:
        codec: FFmpeg's name of what they were, if they are subtitles of the file itself; else None.
        title: what that calls them.
        track: why they do not say all that is said, see `pipelines.media.subtitles.Subtitles.part`.
    """

    name: str
    sha256: str
    suffix: str
    codec: str | None = None
    title: str | None = None
    track: str | None = None


def companion(store: BlobStore, path: Path, codec: str | None = None, **said: str | None) -> Companion:
    """Bring what came with a recording into the store.

    Raises:
        OSError: it cannot be read, or there is no room for it.
    """
    suffix = "".join(path.suffixes[-2:])
    return Companion(path.name, store.add(path, suffix).sha256, suffix, codec, **said)
