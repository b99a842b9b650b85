from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from archive.catalogue.database import open_catalogue
from archive.connection import transaction
from pipelines.cli import cli
from pipelines.errors import BackupError, ConfigError
from pipelines.storage.archive_folder import init, open_archive, open_archive_readonly
from pipelines.storage.backup import Done, back_up, manifests, repair, restore
from pipelines.storage.blobs import digest, key
from pipelines.storage.buckets import Bucket
from pipelines.storage.vaults import BucketVault, FolderVault, Vault
from tests.pipelines.command import rostra

TIMES = ("2026-11-01T08:00:00Z", "2026-11-02T08:00:00Z", "2026-11-03T08:00:00Z")


def silent(_done: int, _total: int) -> None:
    pass


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return an archive of two recordings."""
    root = tmp_path / "talks"
    init(root, title="Talks")
    for number in (1, 2):
        add(root, number)
    return root


def add(root: Path, number: int) -> str:
    """Add a recording, without its sound: a backup does not look into files."""
    source = root.parent / f"{number}.wav"
    source.write_bytes(bytes([number]) * 100_000)
    with open_archive(root) as context:
        blob = context.blobs.add(source, ".wav")
        with transaction(context.db):
            context.db.execute(
                "INSERT INTO recording(sha256, kind, bytes, media_type, suffix, original_name, pulled_at)"
                " VALUES (?, 'audio', ?, 'audio/wav', '.wav', ?, '2026-11-01T00:00:00Z')",
                [blob.sha256, blob.bytes, source.name],
            )
    return blob.sha256


@pytest.fixture(params=["folder", "bucket"])
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Vault:
    """Return an empty vault of either kind."""
    if request.param == "folder":
        return FolderVault(tmp_path / "vault")
    return BucketVault(Bucket(request.getfixturevalue("bucket").name, "backups/talks"))


def backed_up(root: Path, vault: Vault, made_at: str = TIMES[0], *, keep: int = 0, verify: bool = False) -> Done:
    with open_archive_readonly(root) as context:
        return back_up(context, vault, made_at=made_at, keep=keep, verify=verify, step=silent)


def tables(root: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of a catalogue, by table."""
    with closing(sqlite3.connect(root / "catalogue.db")) as conn:
        names = [
            row[0]
            for row in conn.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY 1"
            )
        ]
        return {name: conn.execute(f'SELECT * FROM "{name}" ORDER BY 1, 2').fetchall() for name in names}


def files(root: Path) -> dict[str, str]:
    return {path.name: digest(path) for path in sorted((root / "media").glob("*/*"))}


def test_restored_archive_is_equal_under_another_path(archive: Path, vault: Vault, tmp_path: Path) -> None:
    done = backed_up(archive, vault)
    assert (done.copied, done.bytes, done.damage) == (2, 200_000, ())
    brought = restore(vault, tmp_path / "elsewhere" / "talks", at=None, step=silent)
    assert (brought.copied, brought.damage) == (2, ())
    assert tables(tmp_path / "elsewhere" / "talks") == tables(archive)
    assert files(tmp_path / "elsewhere" / "talks") == files(archive)
    assert (tmp_path / "elsewhere/talks/rostra.toml").read_bytes() == (archive / "rostra.toml").read_bytes()


def test_second_backup_copies_what_is_new_alone(archive: Path, vault: Vault) -> None:
    backed_up(archive, vault)
    new = add(archive, 3)
    done = backed_up(archive, vault, TIMES[1])
    assert (done.copied, done.bytes) == (1, 100_000)
    assert f"media/{key(new, '.wav')}" in vault.sizes()
    assert [each.made_at for each in manifests(vault)] == list(TIMES[:2])


def test_earlier_snapshot_is_restored_by_its_day(archive: Path, vault: Vault, tmp_path: Path) -> None:
    before = tables(archive)
    backed_up(archive, vault)
    add(archive, 3)
    backed_up(archive, vault, TIMES[1])
    restore(vault, tmp_path / "old", at="2026-11-01", step=silent)
    assert tables(tmp_path / "old") == before
    with pytest.raises(BackupError, match="no snapshot is of 2025"):
        restore(vault, tmp_path / "none", at="2025", step=silent)


def test_backup_is_of_one_moment_while_others_write(archive: Path, vault: Vault, tmp_path: Path) -> None:
    db = open_catalogue(archive / "catalogue.db")
    try:
        with transaction(db):
            db.execute("INSERT INTO event(slug, title) VALUES ('half', 'Half written')")
            backed_up(archive, vault)
    finally:
        db.close()
    restore(vault, tmp_path / "back", at=None, step=silent)
    assert tables(tmp_path / "back")["event"] == []
    assert tables(archive)["event"] != []


@pytest.mark.parametrize("verify", [False, True])
def test_damage_in_the_vault_is_found_and_mended(archive: Path, vault: Vault, tmp_path: Path, verify: bool) -> None:
    backed_up(archive, vault)
    name = min(each for each in vault.sizes() if each.startswith("media/"))
    size = vault.sizes()[name]
    bad = tmp_path / "bad"
    bad.write_bytes(b"?" * (size if verify else size - 1))
    vault.put(bad, name)
    done = backed_up(archive, vault, TIMES[1], verify=verify)
    assert done.copied == 1
    assert restore(vault, tmp_path / "back", at=None, step=silent).damage == ()


def test_damaged_file_never_takes_the_place_of_a_good_one(archive: Path, vault: Vault, tmp_path: Path) -> None:
    backed_up(archive, vault)
    path = min((archive / "media").glob("*/*.wav"))
    good = path.read_bytes()
    path.write_bytes(b"!" + good[1:])
    assert backed_up(archive, vault, TIMES[1]).damage == ()  # the vault has it whole
    fresh = FolderVault(tmp_path / "fresh")
    [damage] = backed_up(archive, fresh).damage
    assert damage.name == key(path.stem, ".wav")
    assert damage.text == "it has other bytes than when it was kept"
    with open_archive(archive) as context:
        assert repair(context, vault, step=silent) == (1, ())
    assert path.read_bytes() == good


def test_repair_brings_back_what_is_gone(archive: Path, vault: Vault) -> None:
    backed_up(archive, vault)
    whole = files(archive)
    for path in (archive / "media").glob("*/*.wav"):
        path.unlink()
    with open_archive(archive) as context:
        assert repair(context, vault, step=silent) == (2, ())
    assert files(archive) == whole


def test_old_snapshots_are_dropped_with_what_only_they_name(archive: Path, vault: Vault, tmp_path: Path) -> None:
    backed_up(archive, vault)
    with open_archive(archive) as context, transaction(context.db):
        context.db.execute("DELETE FROM recording WHERE original_name = '1.wav'")
    done = backed_up(archive, vault, TIMES[1], keep=1)
    assert done.removed == 3  # a manifest, a catalogue and a recording
    assert [each.made_at for each in manifests(vault)] == [TIMES[1]]
    assert restore(vault, tmp_path / "back", at=None, step=silent).damage == ()


def purge(root: Path, sha256: str) -> None:
    asked = ["release", sha256, "--withdraw", "--purge", "--yes", "--archive", str(root)]
    done = CliRunner().invoke(cli, asked)
    assert done.exit_code == 0, done.output


def test_backup_after_a_purge_holds_nothing_of_it(archive: Path, vault: Vault, tmp_path: Path) -> None:
    backed_up(archive, vault)
    [sha256] = [row[2] for row in tables(archive)["recording"] if "1.wav" in row]
    purge(archive, str(sha256))
    done = backed_up(archive, vault, TIMES[1])
    assert (done.forgotten, done.removed) == (1, 3)  # a manifest, a catalogue and a recording
    assert [each.made_at for each in manifests(vault)] == [TIMES[1]]
    for name in vault.sizes():
        vault.fetch(name, tmp_path / "fetched")
        assert str(sha256) not in name
        assert b"1.wav" not in (tmp_path / "fetched").read_bytes()
    assert backed_up(archive, vault, TIMES[2]).forgotten == 0
    assert [each.made_at for each in manifests(vault)] == list(TIMES[1:])
    restore(vault, tmp_path / "back", at=None, step=silent)
    assert tables(tmp_path / "back") == tables(archive)


def test_older_archive_drops_no_newer_snapshot(archive: Path, tmp_path: Path) -> None:
    vault = FolderVault(tmp_path / "vault")
    older = shutil.copytree(archive, tmp_path / "older")
    purge(archive, str(tables(archive)["recording"][0][2]))
    backed_up(archive, vault)
    assert backed_up(older, vault, TIMES[1]).forgotten == 0
    assert [each.made_at for each in manifests(vault)] == list(TIMES[:2])


def test_restoration_that_broke_off_goes_on(archive: Path, vault: Vault, tmp_path: Path) -> None:
    backed_up(archive, vault)
    target = tmp_path / "back"

    class BrokenError(Exception):
        pass

    def breaks(done: int, _total: int) -> None:
        if done:
            raise BrokenError

    with pytest.raises(BrokenError):
        restore(vault, target, at=None, step=breaks)
    assert not (target / "catalogue.db").exists()
    done = restore(vault, target, at=None, step=silent)
    assert done.copied == 1  # the other one was there
    assert tables(target) == tables(archive)


def test_vault_of_another_archive_or_of_other_things_is_refused(archive: Path, vault: Vault, tmp_path: Path) -> None:
    backed_up(archive, vault)
    init(tmp_path / "other", title="Other")
    with pytest.raises(ConfigError, match="another archive"):
        backed_up(tmp_path / "other", vault, TIMES[1])
    assert [each.made_at for each in manifests(vault)] == [TIMES[0]]
    home = tmp_path / "home"
    home.mkdir()
    (home / "letter.txt").write_text("mine")
    with pytest.raises(ConfigError, match="other things"):
        backed_up(archive, FolderVault(home))
    assert (home / "letter.txt").read_text() == "mine"


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[100] ^= 0xFF
    path.write_bytes(data)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("spoil", [flip, cut_short, Path.unlink], ids=["flipped", "truncated", "deleted"])
def test_restoration_names_what_the_backup_has_damaged(
    archive: Path, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    vault = FolderVault(tmp_path / "vault")
    backed_up(archive, vault)
    path = min((vault.root / "media").glob("*/*"))
    spoil(path)
    done = restore(vault, tmp_path / "back", at=None, step=silent)
    assert [each.name for each in done.damage] == [f"{path.parent.name}/{path.name}"]
    assert done.copied == 1
    catalogue = next((vault.root / "catalogues").iterdir())
    flip(catalogue)
    with pytest.raises(BackupError, match="is damaged in the backup"):
        restore(vault, tmp_path / "again", at=None, step=silent)


def test_commands_make_list_and_restore(archive: Path, tmp_path: Path) -> None:
    made = rostra("backup", tmp_path / "vault", "--json", "--archive", archive)
    assert made.returncode == 0, made.stderr
    said = json.loads(made.stdout)
    assert (said["files"], said["copied"], said["damage"]) == (2, 2, [])
    listed = json.loads(rostra("backup", tmp_path / "vault", "--list", "--json", "--archive", archive).stdout)
    assert listed == [{"made_at": said["made_at"], "files": 2, "lost": []}]
    back = rostra("restore", tmp_path / "vault", tmp_path / "back")
    assert back.returncode == 0, back.stderr
    assert tables(tmp_path / "back") == tables(archive)
    assert rostra("status", "--archive", tmp_path / "back").returncode == 0
    shutil.rmtree(tmp_path / "back/media")
    mended = rostra("restore", tmp_path / "vault", "--repair", "--archive", tmp_path / "back")
    assert (mended.returncode, mended.stdout) == (0, "Repaired: 2.\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("backup", "{archive}/media/x", "--archive", "{archive}"), "is inside the archive"),
        (("backup", "ftp://host/x", "--archive", "{archive}"), "give a folder or s3://bucket/folder"),
        (("restore", "{archive}/../nothing", "{archive}/../new"), "there is no backup at that place"),
        (("restore", "{archive}/../nothing"), "name a new folder"),
        (("backup", "{archive}/../v", "--archive", "{archive}/../no"), "no archive at"),
    ],
)
def test_mistakes_are_answered_with_what_to_do(archive: Path, arguments: tuple[str, ...], said: str) -> None:
    done = rostra(*(each.format(archive=archive) for each in arguments))
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
