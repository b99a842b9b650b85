from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import pytest

from pipelines.storage.atomic import write_atomic
from pipelines.storage.blobs import Blob, BlobStore, LocalBlobStore
from pipelines.storage.buckets import WHOLE, BucketBlobStore


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    here = LocalBlobStore(tmp_path / "media")
    return here if request.param == "folder" else BucketBlobStore(request.getfixturevalue("bucket"), here)


@pytest.mark.parametrize("size", [0, 3_000_000, WHOLE + 1], ids=["empty", "small", "in-parts"])
def test_blob_lies_under_the_sha256_of_its_bytes(store: BlobStore, tmp_path: Path, size: int) -> None:
    source = tmp_path / "talk.mp4"
    source.write_bytes(b"x" * size)
    sha = hashlib.sha256(b"x" * size).hexdigest()
    assert store.add(source, ".mp4") == Blob(sha, size)
    assert store.path(sha, ".mp4").read_bytes() == source.read_bytes()
    assert files(tmp_path / "media") == [f"{sha[:2]}/{sha}.mp4"]


def test_same_bytes_are_kept_once(store: BlobStore, tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(b"same")
        store.add(tmp_path / name, ".wav")
    assert len(files(tmp_path / "media")) == 1


def test_copy_that_fails_leaves_nothing(store: BlobStore, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        store.add(tmp_path / "absent.wav", ".wav")
    assert files(tmp_path / "media") == []


def test_blob_that_is_not_there_is_not_found(store: BlobStore) -> None:
    with pytest.raises(FileNotFoundError):
        store.path("0" * 64, ".wav")


def test_store_goes_to_other_processes(store: BlobStore) -> None:
    assert pickle.loads(pickle.dumps(store)) == store  # noqa: S301  # our own


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
