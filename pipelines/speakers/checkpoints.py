"""Reading the weights in PyTorch's checkpoints without PyTorch.

A checkpoint is a ZIP file: ``data.pkl`` names the tensors, and ``data/KEY`` holds the bytes of each storage
(https://pytorch.org/docs/stable/notes/serialization.html). Pickles can run any code, so this reader knows only the
four names that tensors need and refuses every other.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pipelines.errors import WeightsError

Tensors: TypeAlias = Mapping[str, npt.NDArray[Any]]

_STORAGES: dict[str, type[np.generic]] = {"FloatStorage": np.float32, "LongStorage": np.int64}


def read_tensors(data: bytes, inside: str | None = None) -> Tensors:
    """Return the tensors of a checkpoint by name.

    Args:
        data: the checkpoint's bytes.
        inside: the key under which the tensors lie, where the checkpoint holds more than them.

    Raises:
        WeightsError: it is no checkpoint, or holds something other than tensors.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            [index] = [name for name in archive.namelist() if name.endswith("/data.pkl")]
            found = _Reader(archive, index.removesuffix(".pkl")).load()
        return dict(found if inside is None else found[inside])
    except (zipfile.BadZipFile, pickle.UnpicklingError, ValueError, KeyError, TypeError, EOFError) as error:
        raise WeightsError(f"not a checkpoint with weights: {error}") from error


class _Reader(pickle.Unpickler):
    """An unpickler of tensors, and of nothing else."""

    def __init__(self, archive: zipfile.ZipFile, folder: str) -> None:
        super().__init__(io.BytesIO(archive.read(f"{folder}.pkl")))
        self._archive, self._folder = archive, folder

    def find_class(self, module: str, name: str) -> Any:
        """Return what a name in the pickle stands for."""
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        raise pickle.UnpicklingError(f"it names {module}.{name}")

    def persistent_load(self, pid: Any) -> npt.NDArray[Any]:
        """Return the storage that a reference in the pickle means."""
        _storage, kind, key, _device, count = pid
        return np.frombuffer(self._archive.read(f"{self._folder}/{key}"), dtype=kind, count=count)


def _tensor(
    storage: npt.NDArray[Any], offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_rest: object
) -> npt.NDArray[Any]:
    """Return a tensor from its place in a storage; strides count elements."""
    end = offset + 1 + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if offset < 0 or min(strides, default=0) < 0 or end > len(storage):
        raise pickle.UnpicklingError("a tensor lies outside its storage")
    view = np.lib.stride_tricks.as_strided(
        storage[offset:], shape, tuple(stride * storage.itemsize for stride in strides)
    )
    return np.ascontiguousarray(view).reshape(shape)
