"""``rostra backup`` and ``rostra restore``: an archive that outlives its disk."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.filesize import decimal
from rich.markup import escape

from pipelines.cli.base import archive_option, command, emit, json_option
from pipelines.cli.display import counting_bytes, err, out, typed
from pipelines.errors import ConfigError
from pipelines.storage.archive_folder import open_archive, open_archive_readonly, timestamp
from pipelines.storage.backup import Damage, Done, Manifest, back_up, manifests, repair, restore
from pipelines.storage.vaults import FolderVault, Vault, vault
from pipelines.text import counted


@command(
    "rostra backup /mnt/disk/talks",
    "rostra backup s3://bucket/talks --keep 30",
    "rostra backup /mnt/disk/talks --list",
    name="backup",
)
@click.argument("place", metavar="DEST")
@click.option("--keep", type=click.IntRange(1), help="Drop all but the latest N snapshots.  [default: keep all]")
@click.option("--verify", is_flag=True, help="Read everything in the backup, and compare it with its SHA-256.")
@click.option("--list", "listing", is_flag=True, help="List the snapshots that are there, and make none.")
@json_option
@archive_option
def backup(root: Path, place: str, keep: int | None, verify: bool, listing: bool, as_json: bool) -> None:
    """Keep a snapshot of the archive at DEST, a folder or s3://bucket/folder.

    Others may go on working on the archive meanwhile. Files that are there already are not copied again. After a purge,
    snapshots from before it are dropped, since they hold what was purged. The exit status is 1 if a file is lost or
    damaged.
    """
    kept = vault(place)
    if listing:
        _list(manifests(kept), as_json)
        return
    _refuse_inside(root, kept)
    with open_archive_readonly(root) as context, counting_bytes() as step:
        done = back_up(context, kept, made_at=timestamp(), keep=keep or 0, verify=verify, step=step)
    if as_json:
        emit(_as_dict(done))
    else:
        _tell(done.damage)
        out.print(
            f"Kept [bold]{done.manifest.made_at}[/]: {len(done.manifest.files)} files,"
            f" {done.copied} of them new ({decimal(done.bytes)})"
            + (f"; dropped {done.removed} files of older snapshots" if done.removed else "")
        )
        if done.forgotten:
            err.print(f"Dropped {counted(done.forgotten, 'snapshot')} from before something was deleted for good.")
    if done.damage:
        sys.exit(1)


@command(
    "rostra restore /mnt/disk/talks talks",
    "rostra restore s3://bucket/talks talks --at 2026-11-03",
    "rostra restore /mnt/disk/talks --repair --archive talks",
    name="restore",
)
@click.argument("place", metavar="SOURCE")
@click.argument("target", metavar="[FOLDER]", type=click.Path(path_type=Path), required=False)
@click.option("--at", help="The snapshot of this time, or of the latest on this day.  [default: the latest]")
@click.option(
    "--repair", "mending", is_flag=True, help="Bring back files and rows that an existing archive lacks or has damaged."
)
@json_option
@archive_option
def restore_command(root: Path, place: str, target: Path | None, at: str | None, mending: bool, as_json: bool) -> None:
    """Make an archive in FOLDER, which must be new, from a backup at SOURCE.

    Every file is compared with its SHA-256. The exit status is 1 if the backup lacks one, or has it damaged. A
    restoration that was interrupted goes on when it is run again.
    """
    if mending:
        with open_archive(root) as context, counting_bytes() as step:
            copied, damage = repair(context, vault(place), step=step)
        _conclude_repair(copied, damage, as_json)
        return
    if target is None:
        raise ConfigError("name a new folder for the archive, or give --repair to mend the one that is here")
    with counting_bytes() as step:
        done = restore(vault(place), target, at=at, step=step)
    if as_json:
        emit(_as_dict(done))
    else:
        _tell(done.damage)
        out.print(
            f"Restored [bold]{done.manifest.made_at}[/] in {escape(str(target))}: {len(done.manifest.files)} files"
        )
        out.print(f"Next: [bold]rostra --archive {typed(target)} publish[/]")
    if done.damage:
        sys.exit(1)


def _conclude_repair(copied: int, damage: tuple[Damage, ...], as_json: bool) -> None:
    if as_json:
        emit({"repaired": copied, "damage": [{"file": each.name, "text": each.text} for each in damage]})
    else:
        _tell(damage)
        out.print(f"Repaired: {copied}." if copied else "Nothing that the backup has was missing or damaged.")
    if damage:
        sys.exit(1)


def _refuse_inside(root: Path, kept: Vault) -> None:
    """Raise ConfigError where a backup would lie in the archive that it is of."""
    if isinstance(kept, FolderVault) and kept.root.resolve().is_relative_to(root.resolve()):
        raise ConfigError(f"{kept.root} is inside the archive: choose a place on another disk")


def _list(found: list[Manifest], as_json: bool) -> None:
    rows = [{"made_at": each.made_at, "files": len(each.files), "lost": list(each.lost)} for each in found]
    if as_json:
        emit(rows)
        return
    for each in found:
        lost = f", {len(each.lost)} lost" if each.lost else ""
        size = decimal(each.catalogue_bytes + sum(file.bytes or 0 for file in each.files))
        out.print(f"{each.made_at}  {len(each.files)} files, {size}{lost}")
    if not found:
        out.print("No backup is there yet.")


def _tell(damage: tuple[Damage, ...]) -> None:
    for each in damage:
        err.print(f"[red]✗[/] {escape(each.name)}: {escape(each.text)}")


def _as_dict(done: Done) -> dict[str, object]:
    return {
        "made_at": done.manifest.made_at,
        "files": len(done.manifest.files),
        "copied": done.copied,
        "bytes": done.bytes,
        "removed": done.removed,
        "forgotten": done.forgotten,
        "damage": [{"file": each.name, "text": each.text} for each in done.damage],
    }
