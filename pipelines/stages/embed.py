"""Embed: from current transcripts to vectors of what is said in them, for a search by meaning.

The stage never costs a transcript, nor the search by words: where the extra is not installed, or the encoder gives up,
that is one item's refusal, and indexing and publishing go on. It is switched on in ``rostra.toml``; where it is
switched off again, the vectors are deleted. It reads the catalogue while it works, and takes no turn at it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from archive.connection import open_readonly, transaction
from archive.index.encoder import Encoder, installed_encoder
from archive.index.meanings import (
    WINDOW_MS,
    Window,
    forget_meanings,
    pack,
    read_windows,
    set_meanings,
    transcripts_to_embed,
)
from pipelines.errors import MeaningError
from pipelines.stages import Setup
from pipelines.stages.base import Item, Report, fingerprint
from pipelines.storage.archive_folder import Context

BATCH = 64
"""Windows between two reports: about an hour of speech."""
ABSENT = "the extra is not installed: pip install 'rostra[meaning]', or set enabled = false in rostra.toml, [meaning]"


@dataclass(frozen=True, slots=True)
class Task:
    """A transcript, by its id, and the catalogue that has it."""

    catalogue: Path
    transcript: int


@dataclass(frozen=True, slots=True)
class Embedded:
    """The vectors of a transcript: from which position to which each is, and its bytes."""

    windows: tuple[tuple[int, int], ...]
    vectors: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Embed:
    """The stage, with the encoder, or None where there is none, and whether it is switched on."""

    encoder: Encoder | None
    enabled: bool = True
    name: ClassVar[str] = "embed"
    unit: ClassVar[str] = "s"

    def items(self, context: Context) -> Iterable[Item]:
        """Return an item for every current transcript, whoever wrote it."""
        if not self.enabled:
            with transaction(context.db):
                forget_meanings(context.db, self.name)
            return
        made_by = (self.encoder.name if self.encoder else None, WINDOW_MS)
        for each in transcripts_to_embed(context.db):
            yield Item(
                subject=f"transcript/{each.id}",
                label=each.label,
                fingerprint=fingerprint(each.version, made_by),
                task=Task(context.layout.catalogue, each.id),
                size=each.duration_ms / 1000,
            )

    def work(self, task: Task, report: Report) -> Embedded:
        """Make the vectors of a transcript, where the catalogue is."""
        if self.encoder is None:
            raise MeaningError(ABSENT)
        windows = _read(task)
        vectors: list[bytes] = []
        for begin in range(0, len(windows), BATCH):
            part = windows[begin : begin + BATCH]
            try:
                vectors += pack(self.encoder.encode([window.text for window in part]))
            except Exception as error:  # another's code, and no transcript is to be lost over it
                raise MeaningError(f"what is said is found by its words alone: {error}") from error
            report(WINDOW_MS / 1000 * len(vectors))
        return Embedded(tuple((window.first, window.last) for window in windows), tuple(vectors))

    def commit(self, context: Context, item: Item, result: Embedded) -> str | None:
        """Keep the vectors."""
        name = self.encoder.name if self.encoder else ""
        set_meanings(context.db, item.task.transcript, name, result.windows, result.vectors)
        return None


def _read(task: Task) -> list[Window]:
    db = open_readonly(task.catalogue)
    try:
        return read_windows(db.conn, task.transcript)
    finally:
        db.close()


def make(setup: Setup) -> Embed:
    """Return the stage for a command, as it is configured."""
    return Embed(installed_encoder(), setup.config.meaning.enabled)
