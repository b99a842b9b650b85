"""Whisper's weights run by their makers' own code: the reference that others are measured by. It needs torch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from metadata.model import Transcript
from pipelines.config import Quality, cores
from pipelines.errors import TranscriberError, WeightsError
from pipelines.media.samples import AudioBlock
from pipelines.transcribers.base import Hints, Parameter, Report, signed
from pipelines.transcribers.decoding import Decoded, Request, placed, transcribe, translate
from pipelines.transcribers.models import weights_identity
from pipelines.transcribers.onsets import Spoken
from pipelines.transcribers.sentences import HeardWord
from pipelines.transcribers.speech import Window

if TYPE_CHECKING:
    from whisper import Whisper

BEAM_SIZE: Mapping[Quality, int] = {"best": 10, "balanced": 5, "fast": 1}
SEED = 0
"""Fallback samples, and the same recording is to give the same text."""
TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


@dataclass(frozen=True, slots=True)
class OpenAIWhisper:
    """The reference engine.

    Attributes:
        model: Whisper's name for the weights, or a checkpoint (``.pt``).
        device: ``cpu``, ``cuda`` or ``auto``.
        threads: of the CPU; None is as many as this process may use.
        quality: sets the width of the beam.
    """

    model: str = "base"
    device: str = "auto"
    threads: int | None = None
    quality: Quality = "balanced"

    @property
    def name(self) -> str:
        """Return what a transcript names as its generator."""
        return "openai-whisper"

    @property
    def version(self) -> str:
        """Return the release of openai-whisper.

        Raises:
            TranscriberError: it is not installed.
        """
        try:
            return version("openai-whisper")
        except PackageNotFoundError as error:
            raise _missing() from error

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Return what can change the text. The device is not among it: a GPU that appears redoes no archive."""
        return {
            "model": self.model,
            "weights": weights_identity(self.model, packaged=False),
            "beam_size": BEAM_SIZE[self.quality],
            "revision": 3,  # of this module: raised when the text changes for the same input
        }

    def load(self) -> None:
        """Load the weights.

        Raises:
            WeightsError: there are no such weights.
        """
        _load(self.model, self.device, self.threads)

    def transcribe(self, audio: Iterable[AudioBlock], hints: Hints, report: Report) -> Transcript:
        """Return what is said in consecutive blocks of audio.

        Raises:
            WeightsError: there are no such weights.
            LanguageError: the weights do not know the declared language.
            TranscriberError: it is not installed, or gave up.
        """
        return signed(self, transcribe(self._decoder(), audio, hints, report))

    def translate(self, audio: Iterable[AudioBlock], transcript: Transcript, report: Report) -> Transcript:
        """Return in English what a transcript of this audio says, in segments with the times of its own.

        Raises:
            WeightsError: there are no such weights.
            LanguageError: the weights do not know the transcript's language.
            TranscriberError: the engine gave up.
        """
        return signed(self, translate(self._decoder(), audio, transcript, report))

    def _decoder(self) -> _Decoder:
        return _Decoder(_load(self.model, self.device, self.threads), BEAM_SIZE[self.quality])


def _missing() -> TranscriberError:
    return TranscriberError("openai-whisper is not installed: pip install 'rostra[openai-whisper]'")


@lru_cache(maxsize=1)
def _load(model: str, device: str, threads: int | None) -> Whisper:
    """Load weights once a process."""
    try:
        # An extra, and torch takes seconds to load.
        import torch
        import whisper
    except ImportError as error:
        raise _missing() from error
    torch.set_num_threads(threads or cores())
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return whisper.load_model(model, device=device)
    except Exception as error:  # its hub's client and torch raise whatever their libraries do
        raise WeightsError(
            f"no weights {model!r} for openai-whisper: neither a checkpoint (.pt) nor to be fetched ({error})"
        ) from error


class _Decoder:
    """See `pipelines.transcribers.decoding.Decoder`."""

    workers = 1

    def __init__(self, model: Whisper, beam_size: int) -> None:
        from whisper.tokenizer import LANGUAGES  # loaded with the weights

        self._model, self._beam_size = model, beam_size
        self.languages: Collection[str] = tuple(LANGUAGES) if model.is_multilingual else ("en",)

    def identify(self, window: Window) -> Mapping[str, float]:
        import whisper

        mel = whisper.log_mel_spectrogram(whisper.pad_or_trim(window.samples), self._model.dims.n_mels)
        _, probabilities = self._model.detect_language(mel.to(self._model.device))
        return dict(probabilities)

    def decode(self, windows: Iterable[Window], request: Request) -> Iterator[tuple[Window, Decoded]]:
        for window in windows:
            yield window, Decoded(self._words(window, request, (0.0,)), self.identify(window))

    def decode_with_care(self, window: Window, request: Request) -> list[HeardWord]:
        return self._words(window, request, TEMPERATURES)

    def decode_otherwise(self, window: Window, request: Request) -> Iterator[list[HeardWord]]:
        for temperature in TEMPERATURES[1:]:
            yield self._words(window, request, (temperature,))

    def _words(self, window: Window, request: Request, temperatures: tuple[float, ...]) -> list[HeardWord]:
        import torch

        torch.manual_seed(SEED)
        try:
            found: dict[str, Any] = self._model.transcribe(
                window.samples,
                language=request.code,
                task=request.task,
                temperature=temperatures,
                beam_size=self._beam_size,
                condition_on_previous_text=False,
                initial_prompt=request.prompt,
                carry_initial_prompt=True,
                word_timestamps=True,
                fp16=self._model.device.type == "cuda",
            )
        except RuntimeError as error:  # torch's
            raise TranscriberError(f"the engine failed: {error}") from error
        return placed(
            window,
            (
                Spoken(word["start"], word["end"], word["word"], word["probability"], part["no_speech_prob"])
                for part in found["segments"]
                for word in part["words"]
            ),
        )
