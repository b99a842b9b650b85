"""An encoder for tests: a word is a direction, and words that mean the same are the same direction."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from archive.connection import transaction
from archive.index.encoder import DIMENSIONS, Vectors
from archive.index.meanings import pack, read_windows, set_meanings, transcripts_to_embed
from archive.index.tokens import words
from archive.sqlite import Database

SAME = {
    "leuchtturm": "lighthouse", "beacon": "lighthouse", "waerter": "keeper", "warter": "keeper", "guardian": "keeper",
    "charts": "maps", "karten": "maps",
}  # fmt: skip


@dataclass(frozen=True)
class FakeEncoder:
    """Knows which words a text has; it pickles like any encoder."""

    name: str = "fake/1"
    fails: bool = False
    seen: list[str] = field(default_factory=list)

    def load(self) -> None:
        """Load nothing."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the vector of each text."""
        if self.fails:
            raise ValueError("no such word")
        self.seen.extend(texts)
        found = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in zip(found, texts, strict=True):
            for word in words(text):
                row[zlib.crc32(SAME.get(word, word).encode()) % DIMENSIONS] = 1
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1.0)


def embed(db: Database, encoder: FakeEncoder) -> None:
    """Give every current transcript its vectors."""
    with transaction(db):
        for each in transcripts_to_embed(db):
            windows = read_windows(db.conn, each.id)
            vectors = pack(encoder.encode([window.text for window in windows]))
            set_meanings(db, each.id, encoder.name, [(window.first, window.last) for window in windows], vectors)
