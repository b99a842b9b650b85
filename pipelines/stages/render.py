"""Render: from a recording to what the site shows of it: see `pipelines.media.renditions`."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from archive.catalogue.recordings import (
    NewRendition,
    current_recordings,
    note_loudness,
    recording_of,
    set_renditions,
)
from pipelines.errors import FetchError
from pipelines.media.files import probe
from pipelines.media.renditions import VERSION, render
from pipelines.stages import Setup
from pipelines.stages.base import Item, Report, fingerprint
from pipelines.stages.recording import RecordingTask
from pipelines.storage.archive_folder import Context


@dataclass(frozen=True, slots=True)
class Made:
    """What was made of a recording and is in the store now; see `pipelines.media.renditions.Rendered`."""

    files: tuple[NewRendition, ...]
    loudness: float | None


@dataclass(frozen=True, slots=True)
class Render:
    """The stage."""

    name: ClassVar[str] = "render"
    unit: ClassVar[str] = "s"

    def items(self, context: Context) -> Iterable[Item]:
        """Return an item for every recording that is not superseded."""
        store, folder = context.blobs, context.layout.work
        for recording in current_recordings(context.db):
            yield Item(
                subject=recording.sha256,
                label=recording.label,
                fingerprint=fingerprint(recording.sha256, VERSION),
                task=RecordingTask(store, recording.sha256, recording.suffix, folder),
                size=(recording.duration_ms or 0) / 1000,
            )

    def work(self, task: RecordingTask, report: Report) -> Made:  # noqa: ARG002 one signature
        """Make the renditions and bring them into the store."""
        recording = task.recording()
        folder = task.folder / f"{task.sha256}.render"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            made = []
            rendered = render(recording, probe(recording), folder)
            for rendition in rendered.files:
                try:
                    blob = task.store.add(rendition.path, rendition.path.suffix)
                except OSError as error:
                    raise FetchError(f"cannot be kept: {error.strerror or error}") from error
                made.append(
                    NewRendition(
                        kind=rendition.kind,
                        sha256=blob.sha256,
                        suffix=rendition.path.suffix,
                        media_type=rendition.media_type,
                        bytes=blob.bytes,
                    )
                )
            return Made(tuple(made), rendered.loudness)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def commit(self, context: Context, item: Item, result: Made) -> None:
        """Note what was made."""
        recording = recording_of(context.db, item.subject)
        note_loudness(context.db, recording, result.loudness)
        set_renditions(context.db, recording, result.files)


def make(setup: Setup) -> Render:  # noqa: ARG001 one signature for all stages
    """Return the stage for a command."""
    return Render()
