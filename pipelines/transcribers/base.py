"""The seam between Rostra and whatever turns speech into text.

To add an engine: write a module beside this one with a class that has `Transcriber`'s attributes and
methods, and one line in the registry in ``pipelines/transcribers/__init__.py``. Load weights in
``load``, not in ``__init__``: the driver makes an engine to read its fingerprint, and only the worker
uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from metadata.model import Transcript
from pipelines.media.samples import AudioBlock

Parameter: TypeAlias = str | int | float | bool | None
Report: TypeAlias = Callable[[float], None]
"""Called now and then with the seconds of audio that are done."""


@dataclass(frozen=True, slots=True)
class Hints:
    """What is known of a recording before it is heard.

    Attributes:
        language: a BCP-47 tag that is obeyed, or None to identify it.
        terms: names and terms that may be said, most telling first; they bias every window.
        expected: languages that are likelier than others, as BCP-47 tags, where none is declared.
    """

    language: str | None = None
    terms: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()


class Transcriber(Protocol):
    """An engine. Engines are cheap to make and pickle; weights are loaded at first use."""

    @property
    def name(self) -> str:
        """What a transcript names as its generator."""

    @property
    def version(self) -> str:
        """The engine's release."""

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Everything that can change the text, weights included: it goes into the fingerprint."""

    def load(self) -> None:
        """Load the weights, once a process; `transcribe` does so too where nobody has.

        Raises:
            TranscriberError: they cannot be loaded.
        """

    def transcribe(self, audio: Iterable[AudioBlock], hints: Hints, report: Report) -> Transcript:
        """Return what is said in consecutive blocks of audio.

        Raises:
            TranscriberError: the weights cannot be loaded, or the engine gave up.
        """

    def translate(self, audio: Iterable[AudioBlock], transcript: Transcript, report: Report) -> Transcript:
        """Return in English what a transcript of this audio says, in segments with the times of its own.

        Raises:
            LanguageError: the weights do not know the transcript's language.
            TranscriberError: as above.
        """


def signed(engine: Transcriber, transcript: Transcript) -> Transcript:
    """Return a transcript with the name, version and parameters of the engine that made it."""
    return replace(
        transcript, generator=engine.name, generator_version=engine.version, parameters=dict(engine.parameters)
    )


def ignore_progress(_seconds: float) -> None:
    """Report to nobody."""
