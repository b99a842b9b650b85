from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pipelines.blobs import Blob, LocalBlobStore, write_atomic


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_blob_lies_under_the_sha256_of_its_bytes(tmp_path: Path) -> None:
    source = tmp_path / "talk.mp4"
    source.write_bytes(b"x" * 3_000_000)
    store = LocalBlobStore(tmp_path / "media")
    sha = hashlib.sha256(b"x" * 3_000_000).hexdigest()
    assert store.add(source, ".mp4") == Blob(sha, 3_000_000)
    assert store.path(sha, ".mp4").read_bytes() == source.read_bytes()
    assert files(tmp_path / "media") == [f"{sha[:2]}/{sha}.mp4"]


def test_same_bytes_are_kept_once(tmp_path: Path) -> None:
    store = LocalBlobStore(tmp_path / "media")
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(b"same")
        store.add(tmp_path / name, ".wav")
    assert len(files(tmp_path / "media")) == 1


def test_copy_that_fails_leaves_nothing(tmp_path: Path) -> None:
    store = LocalBlobStore(tmp_path / "media")
    with pytest.raises(FileNotFoundError):
        store.add(tmp_path / "absent.wav", ".wav")
    assert files(tmp_path / "media") == []


def test_clean_removes_what_was_half_written(tmp_path: Path) -> None:
    store = LocalBlobStore(tmp_path / "media")
    store.incoming.mkdir(parents=True)
    (store.incoming / ".abc.part").write_bytes(b"half")
    store.clean()
    assert files(tmp_path / "media") == []


def test_atomic_write_that_fails_keeps_the_old_content(tmp_path: Path) -> None:
    target = tmp_path / "settings"
    write_atomic(target, b"old")
    with pytest.raises(TypeError):
        write_atomic(target, "text")  # type: ignore[arg-type]
    assert target.read_bytes() == b"old"
    assert files(tmp_path) == ["settings"]
