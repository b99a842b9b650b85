"""Transcribe: from a recording's sound to a transcript in the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from archive.recordings import add_transcript
from metadata.model import Transcript
from pipelines.context import Context, timestamp
from pipelines.errors import EngineError, ToolError, TranscriberError
from pipelines.hints import KNOWN, hints_of
from pipelines.media import ffmpeg_binary, stream_audio
from pipelines.stages.base import Artefact, Item, Report, fingerprint
from pipelines.stages.recording import RecordingTask
from pipelines.transcribers.base import Hints, Transcriber


@dataclass(frozen=True, slots=True)
class Task(RecordingTask):
    """A recording to listen to, and what is known of it."""

    hints: Hints


@dataclass(frozen=True, slots=True)
class Transcribe:
    """The stage, with the engine that it uses."""

    transcriber: Transcriber
    name: ClassVar[str] = "transcribe"
    unit: ClassVar[str] = "s"

    def items(self, context: Context) -> Iterable[Item]:
        """Return an item for every recording; its fingerprint changes with the engine, the model and the hints.

        A recording that was cut into sessions is heard in its parts.
        """
        engine = (self.transcriber.name, self.transcriber.version, dict(self.transcriber.parameters))
        store, folder = context.blobs, context.layout.work
        for row in context.db.query(
            "SELECT sha256, suffix, duration_ms, original_name, recording.language, session.slug, event.slug AS event,"
            f" {KNOWN}"
            " FROM recording LEFT JOIN session ON session.id = session_id LEFT JOIN event ON event.id = event_id"
            " WHERE superseded_by IS NULL"
            " AND recording.id NOT IN (SELECT cut_from FROM recording_source WHERE cut_from IS NOT NULL)"
            " ORDER BY event.start_date, session.start_utc, session.position, recording.id"
        ):
            hints = hints_of(row, context.config.transcribe, row["language"])
            yield Item(
                subject=row["sha256"],
                label=f"{row['event']}/{row['slug']}" if row["slug"] else row["original_name"],
                fingerprint=fingerprint(row["sha256"], engine, hints.language, hints.terms),
                task=Task(store, row["sha256"], row["suffix"], folder, hints),
                size=(row["duration_ms"] or 0) / 1000,
            )

    def prepare(self) -> None:
        """Load the engine's weights, and see that there is an ffmpeg."""
        ffmpeg_binary()
        self.transcriber.load()

    def work(self, task: Task, report: Report) -> Artefact:
        """Listen to a recording and leave its transcript in a file."""
        sound = stream_audio(task.recording())
        with its_own_fault():
            transcript = self.transcriber.transcribe(sound, task.hints, report)
        return leave(transcript, task)

    def commit(self, context: Context, item: Item, result: Artefact) -> str | None:
        """Bring the transcript into the catalogue as the current one."""
        transcript, recording = keep(context, item, result)
        context.db.execute(
            "UPDATE recording SET duration_ms = ? WHERE id = ? AND duration_ms IS NULL",
            [transcript.duration_ms, recording],
        )
        return None if transcript.segments else "nobody speaks in it"


@contextmanager
def its_own_fault() -> Iterator[None]:
    """Blame the recording for what engine and ffmpeg stumble over: both were in order when this process began."""
    try:
        yield
    except (TranscriberError, ToolError) as error:
        raise EngineError(str(error)) from error


def leave(transcript: Transcript, task: RecordingTask) -> Artefact:
    """Write a transcript where the driver finds it."""
    return Artefact.write(task.folder / f"{task.sha256}.json", msgspec.json.encode(transcript))


def keep(context: Context, item: Item, artefact: Artefact) -> tuple[Transcript, int]:
    """Bring a transcript that a worker left into the catalogue, and return it with its recording's id."""
    transcript = msgspec.json.decode(artefact.read(), type=Transcript)
    recording = context.db.execute("SELECT id FROM recording WHERE sha256 = ?", [item.subject]).fetchone()[0]
    add_transcript(context.db, recording, transcript, created_at=timestamp())
    return transcript, recording
