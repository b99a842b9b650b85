"""A diarizer without weights, for tests of everything around it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipelines.media.samples import SAMPLE_RATE, AudioBlock
from pipelines.speakers.base import Diarization, Parameter, Report, Turn


@dataclass(frozen=True, slots=True)
class FakeDiarizer:
    """Hears voices in turn, for as long as it is told; it pickles like any diarizer.

    Attributes:
        lasts: milliseconds of each turn; they begin again when they run out.
        voices: how many speak in turn.
        fails: raised instead, once the audio is read.
        revision: part of the fingerprint, so that a test can change it.
    """

    lasts: tuple[int, ...] = (4_000,)
    voices: int = 2
    fails: Exception | None = None
    revision: int = 1

    @property
    def name(self) -> str:
        """Return a name."""
        return "fake"

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Return what can change the turns."""
        return {"revision": self.revision}

    def load(self) -> None:
        """There is nothing to load."""

    def diarize(self, audio: Iterable[AudioBlock], most: int | None, report: Report) -> Diarization:
        """Read the audio and return turns to its end; each voice's vector points in its own direction.

        Raises:
            Exception: the one that ``fails`` holds.
        """
        duration_ms = sum(len(block) for block in audio) * 1000 // SAMPLE_RATE
        report(duration_ms / 1000)
        if self.fails is not None:
            raise self.fails
        voices = min(self.voices, most or self.voices)
        turns: list[Turn] = []
        at = 0
        while at < duration_ms:
            end = min(at + self.lasts[len(turns) % len(self.lasts)], duration_ms)
            turns.append(Turn(at, end, len(turns) % voices))
            at = end
        return Diarization(tuple(turns), tuple(tuple(float(i == v) for i in range(192)) for v in range(voices)))
