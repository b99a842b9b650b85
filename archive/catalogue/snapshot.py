"""A whole copy of the catalogue at one moment, made while others write, and what files it names."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from archive.catalogue.recordings import StoredFile, named_files
from archive.connection import open_readonly
from archive.errors import CatalogueDamagedError, sqlite_errors
from archive.sqlite import Database, sqlite3


@dataclass(frozen=True, slots=True)
class Erased:
    """How often something was deleted for good: recordings and sessions, and words of transcripts."""

    purges: int = 0
    words: int = 0

    def is_missing_from(self, earlier: Erased) -> bool:
        """Return whether an earlier copy of the catalogue may still hold what was deleted."""
        return earlier.purges < self.purges or earlier.words < self.words


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy of the catalogue.

    Attributes:
        sha256: of the copy's bytes, in hexadecimal.
        bytes: its size.
        identity: of the archive: 32 hexadecimal digits that it keeps wherever it lies.
        files: all files of the store that the copy names: recordings, what came with them, renditions.
        erased: what was deleted for good, and is not in the copy.
    """

    sha256: str
    bytes: int
    identity: str
    files: tuple[StoredFile, ...]
    erased: Erased


def take(catalogue: Path, target: Path) -> Snapshot:
    """Copy a catalogue into one file, without voiceprints, through SQLite's backup API, and check the copy.

    The copy is of one moment, whoever writes meanwhile. Source: https://sqlite.org/backup.html.

    Raises:
        CatalogueMissingError: there is no catalogue.
        CatalogueDamagedError: the copy is not sound, so the catalogue is not.
        ArchiveError: it cannot be read, or the copy cannot be written.
    """
    source = open_readonly(catalogue)
    try:
        with sqlite_errors():
            copy = sqlite3.connect(target)
            try:
                source.conn.backup(copy)
                _leave_voiceprints_out(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
                verdict = copy.execute("PRAGMA quick_check").fetchone()[0]
            finally:
                copy.close()
    finally:
        source.close()
    if verdict != "ok":
        raise CatalogueDamagedError(f"{catalogue} is damaged ({verdict}): restore it from a backup")
    return read(target)


def _leave_voiceprints_out(copy: sqlite3.Connection) -> None:
    """Take voiceprints, which are a biometric, out of a copy: whoever restores it hears the voices again.

    So no backup has any, and whoever forgets somebody need not look there.
    """
    tables = {row[0] for row in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()}
    if not {"voiceprint", "seal"} <= tables:
        return  # an older Rostra's, which is copied before it is migrated
    copy.execute("PRAGMA secure_delete = ON")
    heard = (
        "stage = 'diarize' AND subject IN (SELECT sha256 FROM recording JOIN speaker_tag ON recording_id = recording.id"
        " JOIN voiceprint ON speaker_tag_id = speaker_tag.id)"
    )
    copy.execute(f"DELETE FROM seal WHERE part = 'stage_run' AND number IN (SELECT id FROM stage_run WHERE {heard})")
    copy.execute(f"DELETE FROM stage_run WHERE {heard}")
    copy.execute("DELETE FROM voiceprint")
    copy.execute("DELETE FROM seal WHERE part = 'voiceprint'")
    copy.commit()


def read(path: Path) -> Snapshot:
    """Return what a copy of the catalogue is, and which files it names.

    Raises:
        ArchiveError: it cannot be read.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    db = open_readonly(path, immutable=True)
    try:
        with sqlite_errors():
            return Snapshot(digest, path.stat().st_size, identity(db), kept_files(db), erased(db))
    finally:
        db.close()


def erased(db: Database) -> Erased:
    """Return how often something was deleted for good."""
    return Erased(*db.execute("SELECT (SELECT count(*) FROM purge), (SELECT count(*) FROM taken_back)").fetchone())


def origin(db: Database) -> str:
    """Return what tells an archive's publications from those of others: 16 hexadecimal digits that say nothing else."""
    return hashlib.sha256(identity(db).encode()).hexdigest()[:16]


def identity(db: Database) -> str:
    """Return what tells an archive from all others: 32 hexadecimal digits, drawn when it was made."""
    return str(db.execute("SELECT identity FROM catalogue").fetchone()[0])


def kept_files(db: Database) -> tuple[StoredFile, ...]:
    """Return all files of the store that the catalogue names, once each, in order of their digests."""
    return tuple(dict.fromkeys(each.file for each in named_files(db)))
