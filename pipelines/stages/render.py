"""Render: from a recording to what the site shows of it: see `pipelines.media.renditions`."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from archive.catalogue.recordings import (
    NewRendition,
    current_recordings,
    is_rendition,
    note_loudness,
    recording_id,
    set_renditions,
)
from archive.publication.redaction import hidden
from pipelines.errors import FetchError, GoneError
from pipelines.media.files import probe
from pipelines.media.renditions import VERSION, Span, render
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
class Task(RecordingTask):
    """A recording to render, and from when to when nothing of it may be heard or seen, in milliseconds."""

    hidden: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Render:
    """The stage. ``only`` are the recordings to render, by SHA-256; None is all of them."""

    only: frozenset[str] | None = None
    name: ClassVar[str] = "render"
    unit: ClassVar[str] = "s"

    def items(self, context: Context) -> Iterable[Item]:
        """Return an item for every recording that is not superseded."""
        store, folder = context.blobs, context.layout.work
        for recording in current_recordings(context.db):
            if self.only is not None and recording.sha256 not in self.only:
                continue
            decided, spans = hidden(context.db, recording.sha256)
            yield Item(
                subject=recording.sha256,
                label=recording.label,
                fingerprint=fingerprint(recording.sha256, VERSION, *((decided, spans) if decided else ())),
                task=Task(store, recording.sha256, recording.suffix, folder, spans),
                size=(recording.duration_ms or 0) / 1000,
            )

    def work(self, task: Task, report: Report) -> Made:  # noqa: ARG002 one signature
        """Make the renditions and bring them into the store."""
        recording = task.recording()
        folder = task.folder / f"{task.sha256}.render"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            made = []
            rendered = render(recording, probe(recording), folder, task.hidden)
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

    def commit(self, context: Context, item: Item, result: Made) -> str | None:
        """Note what was made, unless more or less is to be hidden by now: then it is due again."""
        recording = recording_id(context.db, item.subject)
        if recording is None:
            _discard(context, result)
            raise GoneError("its recording was deleted for good meanwhile")
        if hidden(context.db, item.subject)[1] != item.task.hidden:
            _discard(context, result)
            return "it was redacted meanwhile, and is to be rendered again"
        note_loudness(context.db, recording, result.loudness)
        set_renditions(context.db, recording, result.files)
        return None


def _discard(context: Context, made: Made) -> None:
    """Remove what was made, unless it is another recording's, too."""
    for file in made.files:
        if not is_rendition(context.db, file.sha256):
            context.blobs.remove(file.sha256, file.suffix)


def make(setup: Setup) -> Render:  # noqa: ARG001 one signature for all stages
    """Return the stage for a command."""
    return Render()
