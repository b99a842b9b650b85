"""The seam between Rostra and whatever tells voices apart.

A diarizer hears a recording and says who speaks when. It knows no names: voices are numbers, and only a person makes a
voice a person. Like engines of speech, diarizers are cheap to make and pickle, and load their weights in ``load``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from pipelines.media.samples import AudioBlock

Parameter: TypeAlias = str | int | float | bool | None
Report: TypeAlias = Callable[[float], None]
"""Called now and then with the seconds of audio that are done."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch in which one voice speaks, in milliseconds. Turns of several voices may overlap."""

    start_ms: int
    end_ms: int
    voice: int


@dataclass(frozen=True, slots=True)
class Diarization:
    """Who speaks when.

    Attributes:
        turns: in order of their beginnings.
        voices: a vector for each voice, by its number: what a voiceprint is made of. Empty where nobody asked.
    """

    turns: tuple[Turn, ...]
    voices: tuple[tuple[float, ...], ...] = ()


class Diarizer(Protocol):
    """What tells voices apart."""

    @property
    def name(self) -> str:
        """What the catalogue names as the origin of turns."""

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Everything that can change the turns, weights included: it goes into the fingerprint."""

    def load(self) -> None:
        """Load the weights, once a process; `diarize` does so too where nobody has.

        Raises:
            TranscriberError: they cannot be loaded.
        """

    def diarize(self, audio: Iterable[AudioBlock], most: int | None, report: Report) -> Diarization:
        """Return who speaks when in consecutive blocks of audio.

        Args:
            audio: the recording's sound.
            most: how many voices there can be at most, or None where nobody knows.
            report: told of the progress.

        Raises:
            TranscriberError: the weights cannot be loaded, or it gave up.
        """
