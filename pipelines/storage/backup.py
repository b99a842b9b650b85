"""Backups: snapshots of the catalogue, and every file that they name, in a vault.

::

    media/ab/abcd….mp4           each file once, under the SHA-256 of its bytes
    catalogues/SHA256.db         the catalogue as it was at one moment
    snapshots/TIME.json          a `Manifest`: what belongs together, written last

A snapshot is there when its manifest is: a backup that breaks off leaves files that the next one finds, and
no snapshot. What `publish` can build again (``public/``) is not kept.

What was deleted for good is to be gone from backups, too. So the first backup after that drops the snapshots from
before, which still hold it, and every file that only they name.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec

from archive.catalogue import snapshot as snapshots
from archive.catalogue.recordings import StoredFile
from archive.catalogue.seals import bring_back, broken_seals
from archive.connection import transaction
from pipelines.errors import BackupError, ConfigError
from pipelines.storage.archive_folder import Context, Layout
from pipelines.storage.atomic import write_atomic
from pipelines.storage.blobs import BlobStore, LocalBlobStore, digest, key
from pipelines.storage.vaults import Vault

MEDIA, CATALOGUES, SNAPSHOTS = "media", "catalogues", "snapshots"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot is made of.

    Attributes:
        made_at: ISO 8601, UTC.
        identity: of the archive, which it keeps wherever it lies.
        catalogue: the SHA-256 of the catalogue's copy.
        catalogue_bytes: its size.
        settings: the text of ``rostra.toml``.
        files: what the catalogue names of the store.
        lost: names of those that were missing or damaged, and are in no earlier snapshot either.
        erased: how often anything had been deleted for good.
    """

    made_at: str
    identity: str
    catalogue: str
    catalogue_bytes: int
    settings: str
    files: tuple[StoredFile, ...]
    lost: tuple[str, ...] = ()
    erased: snapshots.Erased = snapshots.Erased()


@dataclass(frozen=True, slots=True)
class Damage:
    """A file that could not be kept or brought back, in words."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """What a backup or a restoration did.

    Attributes:
        manifest: the snapshot that was made or restored.
        copied: how many files travelled.
        bytes: how many bytes they have.
        removed: files of dropped snapshots.
        forgotten: snapshots that were dropped, since they held what was deleted for good.
        damage: what is missing or broken.
    """

    manifest: Manifest
    copied: int
    bytes: int
    removed: int
    damage: tuple[Damage, ...]
    forgotten: int = 0


Step = Callable[[int, int], None]
"""Called with the bytes that are done, and with all that there are."""


def back_up(context: Context, vault: Vault, *, made_at: str, keep: int, verify: bool, step: Step) -> Done:
    """Bring a snapshot of an archive into a vault; files that are there already stay.

    Others may work on the archive meanwhile. Files are compared with their SHA-256 as they travel, and a damaged
    one never takes the place of a good one.

    Args:
        context: the archive, opened for reading.
        vault: where the backup goes: a new place, or one with snapshots of this archive.
        made_at: ISO 8601, UTC; it names the snapshot.
        keep: how many snapshots stay, this one among them; 0 keeps all.
        verify: whether what is in the vault already is read, too, and compared with its SHA-256.
        step: told how far it is.

    Raises:
        ConfigError: the vault holds something else, or another archive.
        ArchiveError: the catalogue cannot be copied, or is damaged: earlier snapshots stay.
        OSError: the vault cannot be read or written.
    """
    sizes = vault.sizes()
    with scratch_folder() as folder:
        copy = folder / "catalogue.db"
        taken = snapshots.take(context.layout.catalogue, copy)
        _refuse_others(vault, sizes, taken.identity, folder)
        copying = _Copying(vault, context.blobs, sizes, folder, verify, step)
        damage = copying.files(taken.files)
        name = f"{CATALOGUES}/{taken.sha256}.db"
        if sizes.get(name) != taken.bytes:
            vault.put(copy, name)
        manifest = Manifest(
            made_at=made_at,
            identity=taken.identity,
            catalogue=taken.sha256,
            catalogue_bytes=taken.bytes,
            settings=context.layout.config.read_text(encoding="utf-8") if context.layout.config.exists() else "",
            files=taken.files,
            lost=tuple(each.name for each in damage),
            erased=taken.erased,
        )
        written = folder / "manifest.json"
        written.write_bytes(msgspec.json.encode(manifest))
        vault.put(written, _name(made_at))
        forgotten = _before_erasure(vault, manifest, folder)
        removed = _prune(vault, keep, forgotten, folder) if keep or forgotten else 0
    return Done(manifest, copying.copied, copying.bytes, removed, damage, len(forgotten))


@dataclass(slots=True)
class _Copying:
    """Files on their way into a vault."""

    vault: Vault
    blobs: BlobStore
    sizes: dict[str, int]
    folder: Path
    verify: bool
    step: Step
    copied: int = 0
    bytes: int = 0

    def files(self, files: tuple[StoredFile, ...]) -> tuple[Damage, ...]:
        """Copy what the vault lacks, and return what could not be kept."""
        damage = []
        total, done = sum(file.bytes or 0 for file in files), 0
        for file in files:
            self.step(done, total)
            if wrong := self._file(file):
                damage.append(Damage(key(file.sha256, file.suffix), wrong))
            done += file.bytes or 0
        self.step(done, total)
        return tuple(damage)

    def _file(self, file: StoredFile) -> str | None:
        """Copy one file unless the vault has it whole; return what is wrong, if anything is."""
        name = f"{MEDIA}/{key(file.sha256, file.suffix)}"
        if self._holds(name, file) and not (self.verify and self._spoilt(name, file.sha256)):
            return None
        try:
            path = self.blobs.path(file.sha256, file.suffix)
        except FileNotFoundError:
            return "it is gone from the archive"
        if digest(path) != file.sha256:
            return "it has other bytes than when it was kept"
        self.vault.put(path, name)
        self.copied += 1
        self.bytes += file.bytes or 0
        return None

    def _holds(self, name: str, file: StoredFile) -> bool:
        return name in self.sizes and file.bytes in {None, self.sizes[name]}

    def _spoilt(self, name: str, sha256: str) -> bool:
        back = self.folder / "back"
        self.vault.fetch(name, back)
        spoilt = digest(back) != sha256
        back.unlink()
        return spoilt


def manifests(vault: Vault) -> list[Manifest]:
    """Return the snapshots in a vault, oldest first.

    Raises:
        BackupError: one of them cannot be read.
        OSError: the vault cannot be read.
    """
    with scratch_folder() as folder:
        return [_manifest(vault, name, folder) for name in _names(vault.sizes())]


def restore(vault: Vault, root: Path, *, at: str | None, step: Step) -> Done:
    """Make an archive in a new folder from a snapshot. Every file is compared with its SHA-256.

    A restoration that breaks off is begun again in the same folder; files that are there already stay.

    Args:
        vault: where the backup is.
        root: a folder that is new, empty, or left by a restoration of the same snapshot.
        at: the beginning of the snapshot's time, or None for the latest.
        step: told how far it is.

    Raises:
        BackupError: there is no such snapshot, or its catalogue is damaged.
        ConfigError: the folder holds something else.
        OSError: the vault cannot be read, or the folder not be written.
    """
    with scratch_folder() as folder:
        manifest = _manifest(vault, _choose(_names(vault.sizes()), at), folder)
    layout = Layout.at(root)
    marker = root / ".restoring"
    if root.exists() and (not root.is_dir() or (any(root.iterdir()) and not marker.exists())):
        raise ConfigError(f"{root} is not an empty folder: choose a new one to restore into")
    root.mkdir(parents=True, exist_ok=True)
    marker.touch()
    write_atomic(layout.config, manifest.settings.encode())
    store = LocalBlobStore(layout.media)
    copied, size, damage = _bring_back(vault, store, manifest.files, step)
    # The catalogue comes last: a folder without one is no archive yet.
    fetched = root / ".catalogue.part"
    vault.fetch(f"{CATALOGUES}/{manifest.catalogue}.db", fetched)
    if digest(fetched) != manifest.catalogue:
        raise BackupError(f"the catalogue of {manifest.made_at} is damaged in the backup: choose another with --at")
    fetched.replace(layout.catalogue)
    marker.unlink()
    return Done(manifest, copied, size, 0, damage)


def repair(context: Context, vault: Vault, *, step: Step) -> tuple[int, tuple[Damage, ...]]:
    """Bring back what an archive lacks or has damaged, and return how much, and what is still wrong.

    Files come from the vault's store, rows of the catalogue from the latest snapshot that has them as they were.

    Args:
        context: the archive, held for writing.
        vault: where its backup is.
        step: told how far it is.

    Raises:
        ConfigError: the backup is of another archive.
        OSError: the vault cannot be read, or the archive not be written.
    """
    with scratch_folder() as folder:
        sizes = vault.sizes()
        _choose(_names(sizes), None)
        _refuse_others(vault, sizes, snapshots.identity(context.db), folder)
        rows, lost = _bring_rows_back(context, vault, folder)
    copied, _, damage = _bring_back(vault, LocalBlobStore(context.layout.media), snapshots.kept_files(context.db), step)
    return rows + copied, (*lost, *damage)


def _bring_rows_back(context: Context, vault: Vault, folder: Path) -> tuple[int, tuple[Damage, ...]]:
    """Bring back the rows that are not what Rostra wrote; return how many seals are whole again, and what is not."""
    with transaction(context.db):
        broken = left = broken_seals(context.db)
    copy = folder / "catalogue.db"
    for name in reversed(_names(vault.sizes()) if broken else []):
        manifest = _manifest(vault, name, folder)
        vault.fetch(f"{CATALOGUES}/{manifest.catalogue}.db", copy)
        if digest(copy) == manifest.catalogue:
            left = bring_back(context.layout.catalogue, copy, left)
        if not left:
            break
    return len(broken) - len(left), tuple(Damage(str(each), "no snapshot has it as it was written") for each in left)


def _bring_back(
    vault: Vault, store: LocalBlobStore, files: tuple[StoredFile, ...], step: Step
) -> tuple[int, int, tuple[Damage, ...]]:
    """Fetch the files that a store lacks or has damaged; return how many, their bytes, and what is wrong."""
    damage, copied, size = [], 0, 0
    total, done = sum(file.bytes or 0 for file in files), 0
    store.incoming.mkdir(parents=True, exist_ok=True)
    for file in files:
        step(done, total)
        done += file.bytes or 0
        name = key(file.sha256, file.suffix)
        here = store.root / name
        if here.is_file() and digest(here) == file.sha256:
            continue
        fetched = store.incoming / f"{file.sha256}{file.suffix}"
        try:
            vault.fetch(f"{MEDIA}/{name}", fetched)
        except FileNotFoundError:
            damage.append(Damage(name, "it is not in the backup"))
            continue
        if digest(fetched) != file.sha256:
            fetched.unlink()
            damage.append(Damage(name, "it is damaged in the backup"))
            continue
        here.unlink(missing_ok=True)
        store.take(fetched, file.sha256, file.suffix)
        copied += 1
        size += file.bytes or 0
    step(total, total)
    return copied, size, tuple(damage)


def _choose(names: list[str], at: str | None) -> str:
    """Return the name of the latest manifest, or of the latest whose time begins so."""
    if not names:
        raise BackupError("there is no backup at that place: 'rostra backup' makes one")
    matching = [name for name in names if at is None or _time(name).startswith(at)]
    if not matching:
        raise BackupError(f"no snapshot is of {at}; the latest are of {', '.join(map(_time, names[-5:]))}")
    return matching[-1]


def _refuse_others(vault: Vault, sizes: dict[str, int], identity: str, folder: Path) -> None:
    """Raise ConfigError where a vault holds other things than backups of this archive."""
    names = _names(sizes)
    if not names and any(name.split("/")[0] not in {MEDIA, CATALOGUES, SNAPSHOTS} for name in sizes):
        raise ConfigError("that place holds other things than a backup: choose an empty one")
    if names and _manifest(vault, names[-1], folder).identity != identity:
        raise ConfigError("that place holds the backup of another archive: choose another")


def _before_erasure(vault: Vault, made: Manifest, folder: Path) -> set[str]:
    """Return the names of the manifests of snapshots that hold what was deleted for good since."""
    names = _names(vault.sizes())
    return {name for name in names if made.erased.is_missing_from(_manifest(vault, name, folder).erased)}


def _prune(vault: Vault, keep: int, without: set[str], folder: Path) -> int:
    """Remove all but the latest snapshots (0 keeps all), and the files that only they name; return how many files."""
    sizes = vault.sizes()
    wanted = set()
    for name in [name for name in _names(sizes) if name not in without][-keep:]:
        manifest = _manifest(vault, name, folder)
        wanted |= {name, f"{CATALOGUES}/{manifest.catalogue}.db"}
        wanted |= {f"{MEDIA}/{key(file.sha256, file.suffix)}" for file in manifest.files}
    dropped = sorted(sizes.keys() - wanted, key=lambda name: not name.startswith(SNAPSHOTS))
    for name in dropped:  # manifests first: no snapshot is ever without its files
        vault.remove(name)
    return len(dropped)


def _names(sizes: dict[str, int]) -> list[str]:
    return sorted(name for name in sizes if name.startswith(f"{SNAPSHOTS}/") and name.endswith(".json"))


def _name(made_at: str) -> str:
    """Return the name of a snapshot's manifest: not every file system takes the colons of its time."""
    return f"{SNAPSHOTS}/{made_at.replace(':', '')}.json"


def _time(name: str) -> str:
    """Return the time of a snapshot, by which its manifest is named: ``…T080000Z.json`` → ``…T08:00:00Z``."""
    stem = PurePosixPath(name).stem
    return f"{stem[:13]}:{stem[13:15]}:{stem[15:]}"


def _manifest(vault: Vault, name: str, folder: Path) -> Manifest:
    fetched = folder / "manifest"
    vault.fetch(name, fetched)
    try:
        return msgspec.json.decode(fetched.read_bytes(), type=Manifest)
    except msgspec.DecodeError as error:
        raise BackupError(f"{name} in the backup cannot be read ({error})") from error
    finally:
        fetched.unlink()


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give a folder that is gone at the end."""
    with tempfile.TemporaryDirectory(prefix="rostra-") as folder:
        yield Path(folder)
