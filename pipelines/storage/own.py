"""What Rostra keeps for itself in a folder, so that nothing of it is taken for a recording from elsewhere.

Two kinds of folders are Rostra's: archives, and publications, which ``rostra publish --to`` makes anywhere. People
may keep recordings beside what is Rostra's in either.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from archive.publication.folder import CORPORA, METADATA, SETTINGS_FILE
from pipelines.errors import ConfigError
from pipelines.storage.archive_folder import Layout

CURRENT = "current.json"
"""The file of a publication that names its database."""
DATABASES = "catalogue-*.db"
SITE = ".rostra.json"
"""The file of a site that was written to files: which files are Rostra's, and how they were made."""
MEDIA = "media"
"""The folder of a publication that holds its recordings and renditions."""
_JOURNALS = ("", "-wal", "-shm", "-journal")
"""What SQLite puts after a database's name (https://sqlite.org/tempfiles.html)."""


def kept_in(folder: Path) -> frozenset[str]:
    """Return the names of what Rostra keeps for itself in a folder: none, unless it is an archive or a publication."""
    layout = Layout(folder)
    if layout.catalogue.is_file() and (layout.config.is_file() or layout.media.is_dir()):
        files = {f"{layout.catalogue.name}{ending}" for ending in _JOURNALS}
        parts = (layout.config, layout.media, layout.public, layout.work, layout.sources, layout.lock, layout.owner)
        turns = {path.name for path in folder.glob(f"{layout.work.name}-*") if path.name.rpartition("-")[2].isdecimal()}
        return frozenset(files | turns | {part.name for part in parts})
    if (folder / CURRENT).is_file() and (databases := {path.name for path in folder.glob(DATABASES)}):
        return frozenset({CURRENT, MEDIA, CORPORA, METADATA, SETTINGS_FILE, *databases})
    if (folder / SITE).is_file():
        names = {Path(name).parts[0] for name in written_files(folder)}
        return frozenset({SITE, MEDIA, *names})
    return frozenset()


def written_files(folder: Path) -> frozenset[str]:
    """Return the names of the files of a site that was written to a folder; none where its list cannot be read."""
    try:
        return frozenset(msgspec.json.decode((folder / SITE).read_bytes(), type=_Written).files)
    except (OSError, msgspec.DecodeError):
        return frozenset()


class _Written(msgspec.Struct):
    files: dict[str, str] = {}


def keeper(path: Path) -> Path | None:
    """Return the archive or the publication that keeps a file or a folder for itself, or None.

    Symbolic links are followed first: what counts is where a file is, not how it is reached.
    """
    real = path.resolve()
    inside = real
    for parent in real.parents:
        if inside.name in kept_in(parent):
            return parent
        inside = parent
    return None


def refuse_kept(target: Path) -> None:
    """Raise ConfigError where something would be written among what an archive or a publication keeps for itself."""
    if folder := keeper(target):
        raise ConfigError(f"{target} is among what Rostra keeps in {folder}: choose another place")
