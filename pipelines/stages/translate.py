"""Translate: from a transcript and its sound to a second transcript, in English, with the same times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from archive.catalogue.recordings import recording_of
from archive.catalogue.transcripts import add_transcript, read_transcript, transcripts_to_translate
from metadata.languages import primary
from metadata.model import Transcript
from pipelines.media.files import ffmpeg_binary, stream_audio
from pipelines.stages import Setup
from pipelines.stages.base import Artefact, Item, Report, fingerprint
from pipelines.stages.recording import RecordingTask
from pipelines.stages.transcribe import its_own_fault, leave, weights_bytes, whisper
from pipelines.storage.archive_folder import Context, timestamp
from pipelines.transcribers.base import Transcriber

__all__ = ["Task", "Translate", "make", "weights_bytes"]


@dataclass(frozen=True, slots=True)
class Task(RecordingTask):
    """A recording, and what is said in it."""

    transcript: Transcript


@dataclass(frozen=True, slots=True)
class Translate:
    """The stage, with the engine that it uses."""

    transcriber: Transcriber
    name: ClassVar[str] = "translate"
    unit: ClassVar[str] = "s"

    def items(self, context: Context) -> Iterable[Item]:
        """Return an item for every current transcript that is not in English."""
        engine = (self.transcriber.name, self.transcriber.version, dict(self.transcriber.parameters))
        store, folder = context.blobs, context.layout.work
        for each in transcripts_to_translate(context.db):
            if primary(each.language) in {"en", "und"}:
                continue
            yield Item(
                subject=each.file.sha256,
                label=each.file.label,
                fingerprint=fingerprint(each.version, engine),
                task=Task(store, each.file.sha256, each.file.suffix, folder, read_transcript(context.db, each.id)),
                size=each.duration_ms / 1000,
            )

    def prepare(self) -> None:
        """Load the engine's weights, and see that there is an ffmpeg."""
        ffmpeg_binary()
        self.transcriber.load()

    def work(self, task: Task, report: Report) -> Artefact:
        """Listen to a recording again and leave the translation in a file."""
        sound = stream_audio(task.recording())
        with its_own_fault():
            return leave(self.transcriber.translate(sound, task.transcript, report), task, "translation")

    def commit(self, context: Context, item: Item, result: Artefact) -> str | None:
        """Bring the translation into the catalogue, beside the transcript."""
        translation = msgspec.json.decode(result.read(), type=Transcript)
        add_transcript(context.db, recording_of(context.db, item.subject), translation, created_at=timestamp())
        return None


def make(setup: Setup) -> Translate:
    """Return the stage for a command, with the configured engine."""
    return Translate(whisper(setup))
