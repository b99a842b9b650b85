"""Bags that Rostra made, taken into an archive, which may hold some of what is in them.

A bag is a stranger's folder until it has been looked through: nothing in it is followed out of it, fetched, run or
believed. Only files are read that Rostra writes, within limits; all of them must have the digests that the manifests
say, and every row must pass the rules of the catalogue.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import bagit
import msgspec

from archive.catalogue.recordings import StoredFile
from archive.catalogue.snapshot import kept_files
from archive.connection import transaction
from archive.errors import sqlite_errors
from archive.extracts import rows
from archive.extracts.parts import PARTS
from archive.extracts.taking_in import Comparison, beside, compare, take_in
from archive.sqlite import Database
from pipelines.errors import BagError
from pipelines.exchange.bags import ABOUT, CATALOGUE, FORMAT, MEDIA, About, Step, quiet
from pipelines.storage.archive_folder import Context, timestamp
from pipelines.storage.blobs import key

DECLARED = "bagit.txt"
MAX_FILES = 1_000_000
MAX_TAG_BYTES = 256 << 20
"""Of a manifest, which is read whole."""
MAX_ABOUT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of a bag.

    Attributes:
        about: what it says of itself.
        compared: what is new, known, or otherwise here.
        kept_back: how many sessions are kept back here by a decision, as they were by a default where they come from.
        done: whether anything was changed: not where something is otherwise here, and nobody said what holds.
    """

    about: About
    compared: Comparison
    kept_back: int
    done: bool


def is_bag(place: str) -> bool:
    """Return whether a place that somebody names is the folder of a bag."""
    return "://" not in place and (Path(place).expanduser() / DECLARED).is_file()


def import_bag(
    context: Context,
    folder: Path,
    *,
    keep_ours: bool = False,
    dry_run: bool = False,
    by: str,
    step: Step = lambda _done, _total: None,
) -> TakenIn:
    """Take a bag into an archive: all of it, what is new of it, or nothing.

    Args:
        context: the archive, opened for turns.
        folder: the bag's.
        keep_ours: whether what is new comes although something is otherwise here, which stays as it is.
        dry_run: whether to say what would change, and change nothing.
        by: who takes it in.
        step: told how far it is.

    Raises:
        BagError: it is no bag of Rostra's, is not whole, or could do harm.
        ExtractError: its rows break a rule of the catalogue.
        CatalogueVersionError: a newer Rostra made it.
        OSError: it cannot be read, or there is no room for it.
    """
    root = folder.expanduser().absolute()
    look_through(root, largest=context.config.pull.max_bytes)
    about = _about(root / "data" / ABOUT)
    _validate(root)
    with _extract(context, root, about) as extract, beside(context.db, extract):
        with transaction(context.db):
            compared = compare(context.db)
        if dry_run or (compared.conflicts and not keep_ours):
            return TakenIn(about, compared, 0, done=False)
        _bring_files(context, root / "data" / MEDIA, compared.files, step)
        with sqlite_errors(), transaction(context.db):
            compared = compare(context.db)  # others may have written meanwhile
            if compared.conflicts and not keep_ours:
                return TakenIn(about, compared, 0, done=False)
            kept = take_in(
                context.db,
                theirs=about.default_release,
                ours=context.config.publish.default_release,
                by=by,
                at=timestamp(),
            )
    return TakenIn(about, compared, len(kept), done=True)


def look_through(root: Path, *, largest: int) -> None:
    """Raise BagError where a folder holds what no bag of Rostra's does, before anything in it is read.

    Args:
        root: the folder.
        largest: bytes of one file that are allowed.
    """
    for count, (path, facts) in enumerate(_entries(root), 1):
        name = path.relative_to(root).as_posix()
        if stat.S_ISLNK(facts.st_mode):
            raise BagError(f"{name!r} is a symbolic link: a bag holds files, and leads nowhere else")
        if not stat.S_ISREG(facts.st_mode) and not stat.S_ISDIR(facts.st_mode):
            raise BagError(f"{name!r} is neither a file nor a folder")
        if path.parent == root and stat.S_ISREG(facts.st_mode) and facts.st_size > MAX_TAG_BYTES:
            raise BagError(f"{name!r} has {facts.st_size} bytes: more than a bag's own files have")
        if facts.st_size > largest:
            raise BagError(f"{name!r} has {facts.st_size} bytes: more than pull.max_gigabytes allows")
        if count > MAX_FILES:
            raise BagError(f"there are more than {MAX_FILES:,} files in it")
    if (root / "fetch.txt").exists():
        raise BagError("it has a fetch.txt: files that are elsewhere are not fetched; complete the bag first")
    if (root / DECLARED).read_bytes().strip() not in _DECLARATIONS:
        raise BagError(f"{DECLARED} does not declare a bag of version 0.97 or 1.0 in UTF-8")


_DECLARATIONS = {f"BagIt-Version: {number}\nTag-File-Character-Encoding: UTF-8".encode() for number in ("0.97", "1.0")}


def _entries(root: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield everything below a folder, following no link."""
    folders = [root]
    while folders:
        with os.scandir(folders.pop()) as found:
            for entry in found:
                facts = entry.stat(follow_symlinks=False)
                yield Path(entry.path), facts
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))


def _about(path: Path) -> About:
    if not path.is_file():
        raise BagError(f"it has no data/{ABOUT}: Rostra takes in bags that 'rostra export bag' made")
    if path.stat().st_size > MAX_ABOUT_BYTES:
        raise BagError(f"data/{ABOUT} is too long")
    try:
        about = msgspec.json.decode(path.read_bytes(), type=About)
    except msgspec.DecodeError as error:
        raise BagError(f"data/{ABOUT} is not what Rostra writes ({error})") from error
    if about.format != FORMAT:
        raise BagError(f"it has the format {about.format}, which this Rostra does not know: upgrade with pip")
    if about.access == "public":
        raise BagError("it is public: it holds what was released and no originals, and makes no archive")
    return about


def _validate(root: Path) -> None:
    """Raise BagError where a bag is not whole, by its own manifests."""
    try:
        with quiet():
            bag = bagit.Bag(str(root))
            if "sha256" not in bag.algorithms and "sha512" not in bag.algorithms:
                raise BagError("it has no manifest with SHA-256 or SHA-512")
            bag.validate()
    except (bagit.BagError, UnicodeError, ValueError) as error:
        raise BagError(f"it is not whole: {error}") from error


@contextmanager
def _extract(context: Context, root: Path, about: About) -> Iterator[Path]:
    """Give a catalogue of a bag's rows, which is gone at the end."""
    folder = root / "data" / CATALOGUE
    with tempfile.TemporaryDirectory(prefix=".bag-", dir=context.layout.root) as scratch:
        path = Path(scratch) / "catalogue.db"
        for table in about.tables:
            if table not in PARTS or not (folder / f"{table}.jsonl").is_file():
                raise BagError(f"it has no rows of {table!r}, which data/{ABOUT} names")
        db = rows.make_catalogue(path, folder, about.migrations, list(about.tables))
        try:
            _demand_files(db, root / "data" / MEDIA)
        finally:
            db.close()
        yield path


def _demand_files(db: Database, folder: Path) -> None:
    """Raise BagError where a bag lacks a file that its rows name."""
    missing = [key(file.sha256, file.suffix) for file in kept_files(db)]
    missing = [name for name in missing if not (folder / name).is_file()]
    if missing:
        raise BagError(f"it lacks {len(missing)} files that its rows name, as data/{MEDIA}/{missing[0]}")


def _demand_bytes(path: Path, sha256: str, file: StoredFile) -> None:
    """Raise BagError where a file has other bytes than its name promises."""
    if sha256 != file.sha256:
        raise BagError(f"{path.name} has other bytes than its name says")


def _bring_files(context: Context, folder: Path, files: tuple[StoredFile, ...], step: Step) -> None:
    """Copy files into the store, all or none, and compare each with the name that its bytes should have."""
    paths = {file: folder / key(file.sha256, file.suffix) for file in files}
    sizes = {file: path.stat().st_size for file, path in paths.items()}
    total, done = sum(sizes.values()), 0
    free = shutil.disk_usage(context.layout.root).free
    if not context.config.store.bucket and total > free:
        raise BagError(f"it holds {total} bytes that are new, and {free} are free where the archive is")
    brought: list[tuple[str, str]] = []
    try:
        for file, path in paths.items():
            step(done, total)
            added = context.blobs.add(path, file.suffix)
            brought.append((added.sha256, file.suffix))
            _demand_bytes(path, added.sha256, file)
            done += sizes[file]
    except BaseException:
        for each in brought:
            context.blobs.remove(*each)
        raise
    step(total, total)
