"""Transcribe: from a recording's sound to a transcript in the catalogue."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import msgspec

from archive.recordings import add_transcript
from metadata.languages import parse_language
from metadata.model import Transcript
from pipelines.blobs import write_atomic
from pipelines.config import Config
from pipelines.context import Context, timestamp
from pipelines.errors import BrokenMediaError
from pipelines.media import stream_audio
from pipelines.stages.base import Item, Report, fingerprint
from pipelines.transcribers.base import Hints, Transcriber


@dataclass(frozen=True, slots=True)
class Task:
    """A recording to listen to, what is known of it, and where to leave the transcript."""

    recording: Path
    hints: Hints
    target: Path


@dataclass(frozen=True, slots=True)
class Artefact:
    """A transcript in a file, and the SHA-256 that tells whether it is whole."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class Transcribe:
    """The stage, with the engine that it uses."""

    transcriber: Transcriber
    name: ClassVar[str] = "transcribe"
    unit: ClassVar[str] = "s"

    def items(self, context: Context) -> Iterable[Item]:
        """Return an item for every recording; its fingerprint changes with the engine, the model and the hints."""
        engine = (self.transcriber.name, self.transcriber.version, dict(self.transcriber.parameters))
        for row in context.db.query(
            "SELECT recording.id, sha256, suffix, duration_ms, original_name,"
            " coalesce(recording.language, session.language) AS language,"
            " session.id AS session, session.title, session.slug, event.slug AS event"
            " FROM recording LEFT JOIN session ON session.id = session_id LEFT JOIN event ON event.id = event_id"
            " ORDER BY event.start_date, session.start_utc, session.position, recording.id"
        ):
            hints = hints_for(context, row["session"], row["title"], row["language"])
            yield Item(
                subject=row["sha256"],
                label=f"{row['event']}/{row['slug']}" if row["slug"] else row["original_name"],
                fingerprint=fingerprint(row["sha256"], engine, hints.language, hints.terms),
                task=Task(
                    context.blobs.path(row["sha256"], row["suffix"]),
                    hints,
                    context.layout.work / f"{row['sha256']}.transcript.json",
                ),
                size=(row["duration_ms"] or 0) / 1000,
            )

    def work(self, task: Task, report: Report) -> Artefact:
        """Listen to a recording and leave its transcript in a file."""
        if not task.recording.is_file():
            raise BrokenMediaError("its file is missing from the store: pull it again")
        transcript = self.transcriber.transcribe(stream_audio(task.recording), task.hints, report)
        return leave(transcript, task.target)

    def commit(self, context: Context, item: Item, result: Artefact) -> str | None:
        """Bring the transcript into the catalogue as the current one."""
        transcript, recording = keep(context, item, result)
        context.db.execute(
            "UPDATE recording SET duration_ms = ? WHERE id = ? AND duration_ms IS NULL",
            [transcript.duration_ms, recording],
        )
        return None if transcript.segments else "nobody speaks in it"


def leave(transcript: Transcript, target: Path) -> Artefact:
    """Write a transcript where the driver finds it."""
    data = msgspec.json.encode(transcript)
    write_atomic(target, data)
    return Artefact(target, hashlib.sha256(data).hexdigest())


def keep(context: Context, item: Item, artefact: Artefact) -> tuple[Transcript, int]:
    """Bring a transcript that a worker left into the catalogue, and return it with its recording's id."""
    data = artefact.path.read_bytes()
    if hashlib.sha256(data).hexdigest() != artefact.sha256:
        raise OSError(f"{artefact.path.name} is not what its worker wrote")
    transcript = msgspec.json.decode(data, type=Transcript)
    recording = context.db.execute("SELECT id FROM recording WHERE sha256 = ?", [item.subject]).fetchone()[0]
    add_transcript(context.db, recording, transcript, created_at=timestamp())
    artefact.path.unlink()
    return transcript, recording


def hints_for(context: Context, session: int | None, title: str | None, language: str | None) -> Hints:
    """Return what the catalogue knows of a recording before it is heard: people first, then terms and title."""
    people = [
        row["name"]
        for row in context.db.query(
            "SELECT name FROM session_person JOIN person ON person.id = person_id"
            " WHERE session_id = ? ORDER BY position",
            [session],
        )
    ]
    terms = dict.fromkeys([*people, *context.config.transcribe.glossary, *([title] if title else [])])
    return Hints(language=_language(context.config, language), terms=tuple(terms))


def _language(config: Config, declared: str | None) -> str | None:
    wanted = declared or config.transcribe.language
    return parse_language(wanted) if wanted else None
