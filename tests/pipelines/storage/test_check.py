from __future__ import annotations

import json
import os
import shlex
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from archive.catalogue.corrections import correct_session
from archive.catalogue.database import open_catalogue
from archive.connection import transaction
from pipelines.cli import cli
from pipelines.storage.archive_folder import open_archive
from pipelines.storage.seen import Seen
from tests.pipelines.command import rostra


def problems(archive: Path, *options: str) -> tuple[int, list[tuple[str, str]]]:
    done = rostra("check", "--json", *options, "--archive", archive)
    return done.returncode, [(each["part"], each["text"]) for each in json.loads(done.stdout)]


def media(archive: Path) -> Path:
    return max((archive / "media").glob("*/*.wav"))


def shorten(archive: Path) -> Path:
    path = media(archive)
    path.write_bytes(path.read_bytes()[:-100])
    return path


def alter(archive: Path) -> Path:
    path = media(archive)
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.unlink()  # what is published is the same file
    path.write_bytes(data)
    return path


def lose(archive: Path) -> Path:
    path = media(archive)
    path.unlink()
    return path


def leave(archive: Path) -> Path:
    path = archive / "media" / "ab" / "note.txt"
    path.parent.mkdir(exist_ok=True)
    path.write_text("to do")
    return path


def unpublish(archive: Path) -> Path:
    path = max((archive / "public" / "media").glob("*.wav"))
    path.unlink()
    return path


def rewrite(archive: Path) -> Path:
    (path,) = (archive / "public").glob("catalogue-*.db")
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("UPDATE session SET title = 'Other'")
        conn.commit()
    return path


@pytest.mark.parametrize("damage", ["flipped", "truncated", "emptied", "deleted", "database"])
def test_damage_in_a_copy_of_the_publication_is_named_and_mended(archive: Path, damage: str) -> None:
    copy = archive.parent / "a copy"
    assert CliRunner().invoke(cli, ["publish", "--to", str(copy), "--archive", str(archive)]).exit_code == 0
    path = next(copy.glob("*.db")) if damage == "database" else max((copy / "media").glob("*.wav"))
    whole = path.read_bytes()
    spoilt = {"truncated": whole[:-1], "emptied": b"", "deleted": b""}.get(damage, whole[:-9] + b"!" + whole[-8:])
    path.unlink()  # it is a link to the store
    if damage != "deleted":
        path.write_bytes(spoilt)
    done = CliRunner().invoke(cli, ["check", "--json", "--archive", str(archive)])
    [told] = json.loads(done.stdout)
    assert (done.exit_code, told["part"], str(path) in told["text"]) == (1, "public", True)
    assert told["next"] == f"rostra publish --again --to '{copy}'"
    mended = CliRunner().invoke(cli, [*shlex.split(told["next"])[1:], "--archive", str(archive)])
    assert (mended.exit_code, path.read_bytes() == whole) == (0, True)
    assert json.loads(CliRunner().invoke(cli, ["check", "--json", "--archive", str(archive)]).stdout) == []


def test_copy_of_an_older_state_is_named_with_the_command_for_it(archive: Path) -> None:
    copy = archive.parent / "a copy"
    assert CliRunner().invoke(cli, ["publish", "--to", str(copy), "--archive", str(archive)]).exit_code == 0
    with open_archive(archive) as context, transaction(context.db):
        event, slug = context.db.execute(
            "SELECT event.slug, session.slug FROM session JOIN event ON event.id = event_id"
        ).fetchone()
        correct_session(context.db, event, slug, {"abstract": "New."}, by="somebody", at="2026-01-01T00:00:00Z")
    found = json.loads(CliRunner().invoke(cli, ["check", "--json", "--archive", str(archive)]).stdout)
    told = {each["text"]: each["next"] for each in found if each["part"] == "copy"}
    older = f"{copy} was published from an older state of the archive"
    assert told[older] == f"remove that folder, or rostra publish --to '{copy}'"


def test_what_was_just_run_is_as_it_was_kept(archive: Path) -> None:
    assert problems(archive) == (0, [])
    assert "Everything is as it was kept." in rostra("check", "--quick", "--archive", archive).stdout


@pytest.mark.parametrize(
    ("damage", "part", "text"),
    [
        (shorten, "media", "bytes of"),
        (alter, "media", "has other bytes than when it was kept"),
        (lose, "media", "is gone"),
        (leave, "orphan", "is no recording, no rendition"),
        (unpublish, "public", "is gone"),
        (rewrite, "public", "is not what was published"),
    ],
)
def test_damaged_files_are_named(archive: Path, damage: Callable[[Path], Path], part: str, text: str) -> None:
    path = damage(archive)
    status, found = problems(archive)
    assert status == 1
    assert [(kind, text in what, str(path) in what) for kind, what in found if kind == part] == [(part, True, True)]


def test_quick_compares_sizes_only(archive: Path) -> None:
    alter(archive)
    assert problems(archive, "--quick") == (0, [])
    shorten(archive)
    assert problems(archive, "--quick")[0] == 1


def test_an_index_that_misses_words_is_mended(archive: Path) -> None:
    db = open_catalogue(archive / "catalogue.db")
    db.conn.execute("DELETE FROM passage_fts WHERE rowid = 1")
    db.conn.commit()
    db.close()
    assert problems(archive) == (1, [("index", "passage 1 has no text")])
    said = rostra("check", "--archive", archive)
    assert (said.returncode, "rostra check --mend" in said.stdout) == (1, True)
    assert problems(archive, "--mend") == (0, [])


def test_a_broken_catalogue_is_told(archive: Path) -> None:
    path = archive / "catalogue.db"
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (size,) = conn.execute("PRAGMA page_size").fetchone()
        (root,) = conn.execute("SELECT rootpage FROM sqlite_master WHERE name = 'segment'").fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    status, found = problems(archive)
    assert status == 1
    assert {part for part, _ in found} == {"database"}


def test_quick_check_reads_what_was_touched_since_the_last_whole_one_and_nothing_else(archive: Path) -> None:
    assert problems(archive) == (0, [])
    path = media(archive)
    before = path.stat()
    altered = bytearray(path.read_bytes())
    altered[1000] ^= 1
    path.write_bytes(altered)
    code, [(part, text)] = problems(archive, "--quick")
    assert (code, part, text.endswith(f"has other bytes than when it was kept: {path}")) == (1, "media", True)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert problems(archive, "--quick") == (0, []), "a disk that loses bits keeps the time"
    code, found = problems(archive)
    assert (code, [part for part, _ in found]) == (1, ["media"])


def test_quick_check_of_an_archive_that_was_never_checked_compares_sizes(archive: Path) -> None:
    alter(archive)
    assert problems(archive, "--quick") == (0, [])
    path = shorten(archive)
    code, [(part, text)] = problems(archive, "--quick")
    assert (code, part) == (1, "media")
    assert f"bytes of {path.stat().st_size + 100}" in text


def test_quick_check_looks_at_a_database_that_has_changed(archive: Path) -> None:
    assert problems(archive) == (0, [])
    with closing(sqlite3.connect(archive / "catalogue.db")) as db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("UPDATE catalogue SET content_revision = content_revision + 1")
        db.execute("INSERT INTO passage(session_id, transcript_id, first_position, last_position) VALUES (1, 1, 0, 0)")
        db.commit()
    code, found = problems(archive, "--quick")
    assert (code, ("rows", "catalogue: row 1 was changed, and not by Rostra") in found) == (1, True)


def test_a_file_of_two_names_is_read_once_and_only_for_what_it_should_be(tmp_path: Path) -> None:
    stored, published, other = (tmp_path / name for name in ("stored", "published", "other"))
    stored.write_bytes(b"sound")
    other.write_bytes(b"sound")
    os.link(stored, published)
    seen = Seen.at(tmp_path / "checked.json", quick=False)
    assert not seen.spares(stored, "ab")
    seen.note(stored, "ab")
    assert seen.spares(published, "ab")
    assert not seen.spares(published, "cd")
    assert not seen.spares(other, "ab")
