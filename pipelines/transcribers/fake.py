"""An engine without weights, for tests of everything around engines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from metadata.languages import UNDETERMINED
from metadata.model import Segment, Transcript, Word
from pipelines.media.samples import SAMPLE_RATE, AudioBlock
from pipelines.transcribers.base import Hints, Parameter, Report

SEGMENT_MS = 4_000
_VOICES = ("Somebody", "says", "something", "at", "second")


@dataclass(frozen=True, slots=True)
class FakeTranscriber:
    """Says one sentence for every four seconds of audio, always the same; it pickles like any engine.

    Attributes:
        sentences: said in turn, from the first again when they run out; by default each names its second.
        fails: raised instead, once the audio is read.
        revision: part of the fingerprint, so that a test can change it.
        deaf: hears nothing at all.
    """

    sentences: tuple[str, ...] = ()
    fails: Exception | None = None
    revision: int = 1
    deaf: bool = False

    @property
    def name(self) -> str:
        """Return what a transcript names as its generator."""
        return "fake"

    @property
    def version(self) -> str:
        """Return a version."""
        return "1"

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Return what can change the text."""
        return {"sentences": "\n".join(self.sentences), "revision": self.revision}

    def load(self) -> None:
        """There is nothing to load."""

    def transcribe(self, audio: Iterable[AudioBlock], hints: Hints, report: Report) -> Transcript:
        """Read the audio and return as many sentences as it is long.

        Raises:
            Exception: the one that ``fails`` holds.
        """
        samples = 0
        for block in audio:
            samples += len(block)
            report(samples / SAMPLE_RATE)
        if self.fails is not None:
            raise self.fails
        duration_ms = samples * 1000 // SAMPLE_RATE
        return Transcript(
            language=hints.language or UNDETERMINED,
            duration_ms=duration_ms,
            segments=tuple(self._segment(start) for start in range(0, 0 if self.deaf else duration_ms, SEGMENT_MS)),
            generator=self.name,
            generator_version=self.version,
            parameters=dict(self.parameters),
        )

    def translate(self, audio: Iterable[AudioBlock], transcript: Transcript, report: Report) -> Transcript:
        """Read the audio and return the transcript as it is, for English."""
        for _block in audio:
            report(transcript.duration_ms / 1000)
        segments = tuple(replace(segment, words=()) for segment in transcript.segments)
        return replace(transcript, language="en", kind="translation", segments=segments)

    def _segment(self, start_ms: int) -> Segment:
        index = start_ms // SEGMENT_MS
        default = " ".join((*_VOICES, f"{start_ms // 1000}."))
        text = self.sentences[index % len(self.sentences)] if self.sentences else default
        parts = text.split()
        word_ms = (SEGMENT_MS - 1_000) // max(len(parts), 1)
        words = tuple(
            Word(start_ms=start_ms + i * word_ms, end_ms=start_ms + (i + 1) * word_ms, text=part, confidence=0.9)
            for i, part in enumerate(parts)
        )
        end_ms = words[-1].end_ms if words else start_ms
        return Segment(start_ms=start_ms, end_ms=end_ms, text=text, confidence=0.9, words=words)
