"""Transcribe: from a recording's sound to a transcript in the catalogue.

A long recording is heard in parts (see `pipelines.transcribers.chunks`), each an item of its own. What was heard in
them waits in the catalogue until it is all there, so that a run which was killed does only what is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from archive.catalogue.recordings import note_duration, read_recording, recording_of, recordings_to_transcribe
from archive.catalogue.speakers import label_transcript
from archive.catalogue.transcripts import add_transcript, count_captions, keep_part, take_parts
from archive.publication.taking_back import keep_back
from metadata.captions import FORMATS
from metadata.model import Transcript
from metadata.times import format_clock
from pipelines.errors import EngineError, ToolError, TranscriberError
from pipelines.media.files import ffmpeg_binary, stream_audio
from pipelines.stages import Setup
from pipelines.stages.base import Artefact, Item, Report, fingerprint
from pipelines.stages.hints import hints_of
from pipelines.stages.recording import RecordingTask
from pipelines.storage.archive_folder import Context, timestamp
from pipelines.transcribers import engine
from pipelines.transcribers.base import Hints, Transcriber
from pipelines.transcribers.chunks import LONGEST_MS, Chunk, ChunkAudio, Heard, divide, join
from pipelines.transcribers.models import bytes_of
from pipelines.transcribers.speech import Detector, detect_speech

MISSING_MS, MISSING = 2_000, 0.05
"""How much of its length a recording's sound may lack, as containers only estimate it: so long, or such a part."""


@dataclass(frozen=True, slots=True)
class Task(RecordingTask):
    """A part of a recording to listen to, and what is known of it.

    Attributes:
        whole: the fingerprint that all parts of the recording have in common.
    """

    hints: Hints
    part: Chunk
    whole: str


@dataclass(frozen=True, slots=True)
class Transcribe:
    """The stage, with the engine that it uses, what it hears in one task, and what finds the pauses between."""

    transcriber: Transcriber
    longest_ms: int = LONGEST_MS
    detect: Detector = detect_speech
    name: ClassVar[str] = "transcribe"
    unit: ClassVar[str] = "s"

    def items(self, context: Context) -> Iterable[Item]:
        """Return an item for every recording; its fingerprint changes with the engine, the model and the hints.

        A recording that was cut into sessions is heard in its parts; one whose captions people made and timed is not
        heard at all, unless ``transcribe.always`` says so.
        """
        engine = (self.transcriber.name, self.transcriber.version, dict(self.transcriber.parameters))
        store, folder = context.blobs, context.layout.work
        settings = context.config.transcribe
        for (sha256, suffix, duration_ms, label), language, session in recordings_to_transcribe(
            context.db, always=settings.always, untimed=FORMATS["txt"].title
        ):
            hints = hints_of(session, settings, language)
            whole = fingerprint(sha256, engine, hints.language, hints.terms, hints.expected)
            for part in divide(duration_ms, self.longest_ms):
                divided = part.of > 1
                end_ms = duration_ms if part.end_ms is None else part.end_ms
                yield Item(
                    subject=f"{sha256}#{part.number + 1}/{part.of}" if divided else sha256,
                    label=f"{label}, part {part.number + 1} of {part.of}" if divided else label,
                    fingerprint=fingerprint(whole, part) if divided else whole,
                    task=Task(store, sha256, suffix, folder, hints, part, whole),
                    size=((end_ms or 0) - part.start_ms) / 1000,
                )

    def prepare(self) -> None:
        """Load the engine's weights, and see that there is an ffmpeg."""
        ffmpeg_binary()
        self.transcriber.load()

    def work(self, task: Task, report: Report) -> Artefact:
        """Listen to a recording, or a part of it, and leave what was heard in a file."""
        part = task.part
        audio = stream_audio(task.recording(), start_ms=part.first_ms, end_ms=part.last_ms)
        sound = ChunkAudio(audio, part, self.detect)
        with its_own_fault():
            transcript = self.transcriber.transcribe(sound, task.hints, report)
        return leave(Heard(transcript, sound.start_ms, sound.end_ms), task, f"{part.number}.heard")

    def commit(self, context: Context, item: Item, result: Artefact) -> str | None:
        """Bring the transcript into the catalogue as the current one, once all parts of it are there."""
        task: Task = item.task
        there: list[str] | None = [result.read().decode()]
        recording = recording_of(context.db, task.sha256)
        if there and task.part.of > 1:
            keep_part(context.db, recording, task.whole, task.part.number, there[0])
            there = take_parts(context.db, recording, task.whole, task.part.of)
        if there is None:
            return None
        transcript = join([msgspec.json.decode(each, type=Heard) for each in there])
        added = add_transcript(context.db, recording, transcript, created_at=timestamp())
        keep_back(context.db, added, at=timestamp())
        label_transcript(context.db, recording, at=timestamp())
        note_duration(context.db, recording, transcript.duration_ms)
        return "; ".join(_remarks(context, recording, transcript)) or None


def _remarks(context: Context, recording: int, transcript: Transcript) -> Iterator[str]:
    if all(segment.flags for segment in transcript.segments):
        stands = count_captions(context.db, recording)
        kept = f", although it has captions ({stands}), which stay: does its sound play?" if stands else ""
        yield f"{'nothing certain was heard' if transcript.segments else 'nobody speaks'} in it{kept}"
    claimed = read_recording(context.db, recording).duration_ms or 0
    if claimed - transcript.duration_ms > max(MISSING_MS, MISSING * claimed):
        heard = format_clock(transcript.duration_ms)
        yield f"its sound ends at {heard} of the {format_clock(claimed)} that it should last: was it copied whole?"


@contextmanager
def its_own_fault() -> Iterator[None]:
    """Blame the recording for what engine and ffmpeg stumble over: both were in order when this process began."""
    try:
        yield
    except (TranscriberError, ToolError) as error:
        raise EngineError(str(error)) from error


def leave(heard: Heard | Transcript, task: RecordingTask, name: str) -> Artefact:
    """Write what was heard where the driver finds it, under a name of its own among the recording's."""
    return Artefact.write(task.folder / f"{task.sha256}.{name}.json", msgspec.json.encode(heard))


def make(setup: Setup) -> Transcribe:
    """Return the stage for a command, with the configured engine."""
    return Transcribe(whisper(setup))


def whisper(setup: Setup) -> Transcriber:
    """Return the configured engine, with as many threads as a worker has processors.

    Raises:
        ConfigError: there is no such engine.
    """
    settings = setup.config.transcribe
    threads: dict[str, int] = {} if setup.threads is None else {"threads": setup.threads}
    return engine(
        settings.engine,
        model=setup.model or settings.model,
        device=settings.device,
        quality=setup.quality or settings.quality,
        **threads,
    )


def weights_bytes(setup: Setup) -> int:
    """Return the size of Whisper's weights."""
    return bytes_of(setup.model or setup.config.transcribe.model)
