"""Translate: from a transcript and its sound to a second transcript, in English, with the same times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import msgspec

from archive.recordings import add_transcript, read_transcript
from metadata.languages import primary
from metadata.model import Transcript
from pipelines.blobs import BlobStore
from pipelines.context import Context, timestamp
from pipelines.media import stream_audio
from pipelines.stages.base import Artefact, Item, Report, fingerprint
from pipelines.stages.transcribe import leave, recording_of, stored
from pipelines.transcribers.base import Transcriber


@dataclass(frozen=True, slots=True)
class Task:
    """A recording, what is said in it, and where to leave the translation."""

    store: BlobStore
    sha256: str
    suffix: str
    transcript: Transcript
    target: Path


@dataclass(frozen=True, slots=True)
class Translate:
    """The stage, with the engine that it uses."""

    transcriber: Transcriber
    name: ClassVar[str] = "translate"
    unit: ClassVar[str] = "s"

    def items(self, context: Context) -> Iterable[Item]:
        """Return an item for every current transcript that is not in English."""
        engine = (self.transcriber.name, self.transcriber.version, dict(self.transcriber.parameters))
        for row in context.db.query(
            "SELECT transcript.id, transcript.language, version, sha256, suffix, transcript.duration_ms, original_name,"
            " session.slug, event.slug AS event FROM transcript JOIN recording ON recording.id = recording_id"
            " LEFT JOIN session ON session.id = session_id LEFT JOIN event ON event.id = event_id"
            " WHERE is_current = 1 AND superseded_by IS NULL AND transcript.kind <> 'translation' ORDER BY recording.id"
        ):
            if primary(row["language"]) in {"en", "und"}:
                continue
            yield Item(
                subject=row["sha256"],
                label=f"{row['event']}/{row['slug']}" if row["slug"] else row["original_name"],
                fingerprint=fingerprint(row["version"], engine),
                task=Task(
                    context.blobs,
                    row["sha256"],
                    row["suffix"],
                    read_transcript(context.db, row["id"]),
                    context.layout.work / f"{row['sha256']}.translation.json",
                ),
                size=row["duration_ms"] / 1000,
            )

    def work(self, task: Task, report: Report) -> Artefact:
        """Listen to a recording again and leave the translation in a file."""
        recording = stored(task.store, task.sha256, task.suffix)
        return leave(self.transcriber.translate(stream_audio(recording), task.transcript, report), task.target)

    def commit(self, context: Context, item: Item, result: Artefact) -> str | None:
        """Bring the translation into the catalogue, beside the transcript."""
        translation = msgspec.json.decode(result.read(), type=Transcript)
        add_transcript(context.db, recording_of(context, item.subject), translation, created_at=timestamp())
        return None
