"""Whisper's weights run by CTranslate2, through faster-whisper."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from metadata.model import Transcript
from pipelines.config import cores
from pipelines.errors import TranscriberError, WeightsError
from pipelines.transcribers.base import SAMPLE_RATE, AudioBlock, Hints, Parameter, Report, signed
from pipelines.transcribers.devices import choose
from pipelines.transcribers.hearing import Decoded, Request, hear, placed, translate
from pipelines.transcribers.models import missing_weights, resolve_weights, weights_identity
from pipelines.transcribers.onsets import Spoken
from pipelines.transcribers.sentences import HeardWord
from pipelines.transcribers.speech import Window

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

BATCH = {"cpu": 8, "cuda": 16}
"""Windows of the first pass; on a CPU more gain nothing."""
BEAM_SIZE = 5

_PUNCTUATION = ("\"'“¿([{-", "\"'.。,，!！?？:：”)]}、")
"""What belongs to the word after it, and to the one before, as faster-whisper has it."""
_FRAME = SAMPLE_RATE // 100
_TOKENS_A_SECOND = 12
"""Nobody says more, in any script: it bounds what a window that never ends can cost."""


@dataclass(frozen=True, slots=True)
class FasterWhisper:
    """The default engine.

    Attributes:
        model: Whisper's name for the weights, or a folder (see `pipelines.transcribers.models`).
        device: ``cpu``, ``cuda`` or ``auto``.
        compute_type: CTranslate2's; None is ``int8`` on a CPU and ``float16`` on a GPU, where it has them.
        threads: of the CPU; None is as many as this process may use.
    """

    model: str = "base"
    device: str = "auto"
    compute_type: str | None = None
    threads: int | None = None

    @property
    def name(self) -> str:
        """Return what a transcript names as its generator."""
        return "faster-whisper"

    @property
    def version(self) -> str:
        """Return the release of faster-whisper."""
        return version("faster-whisper")

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Return what can change the text. The device is not among it: a GPU that appears redoes no archive."""
        return {
            "model": self.model,
            "weights": weights_identity(self.model),
            "compute_type": self.compute_type or "auto",
            "beam_size": BEAM_SIZE,
            "revision": 7,  # of this module: raised when the text changes for the same input
        }

    def load(self) -> None:
        """Load the weights.

        Raises:
            WeightsError: there are no such weights.
        """
        _load(self.model, self.device, self.compute_type, self.threads)

    def transcribe(self, audio: Iterable[AudioBlock], hints: Hints, report: Report) -> Transcript:
        """Return what is said in consecutive blocks of audio.

        Raises:
            WeightsError: there are no such weights.
            LanguageError: the weights do not know the declared language.
            TranscriberError: the engine gave up.
        """
        return signed(self, hear(self._decoder(), audio, hints, report))

    def translate(self, audio: Iterable[AudioBlock], transcript: Transcript, report: Report) -> Transcript:
        """Return in English what a transcript of this audio says, in segments with the times of its own.

        Raises:
            WeightsError: there are no such weights.
            LanguageError: the weights do not know the transcript's language.
            TranscriberError: the engine gave up.
        """
        return signed(self, translate(self._decoder(), audio, transcript, report))

    def _decoder(self) -> _Decoder:
        return _Decoder(_load(self.model, self.device, self.compute_type, self.threads))


@lru_cache(maxsize=1)
def _load(model: str, device: str, compute_type: str | None, threads: int | None) -> WhisperModel:
    """Load weights, once a process."""
    # The engine takes a second to import, and the driver never needs it.
    import ctranslate2
    from faster_whisper import WhisperModel

    weights = resolve_weights(model)
    device, compute_type = choose(device, compute_type, ctranslate2)
    try:
        return WhisperModel(
            str(weights),
            device=device,
            compute_type=compute_type,
            cpu_threads=threads or cores(),
        )
    except MemoryError:
        raise
    except Exception as error:  # the hub's client and CTranslate2 raise whatever their libraries do
        if isinstance(weights, Path):
            raise WeightsError(f"the weights in {weights} cannot be loaded: {error}") from error
        raise missing_weights(model, error) from error


class _Decoder:
    """See `pipelines.transcribers.hearing.Decoder`."""

    def __init__(self, model: WhisperModel) -> None:
        self._model = model
        self.batch = BATCH.get(model.model.device, 1)
        self.languages: Collection[str] = model.supported_languages

    def identify(self, window: Window) -> Mapping[str, float]:
        _, _, probabilities = self._model.detect_language(window.samples)
        return dict(probabilities)

    def decode(self, several: Sequence[Window], request: Request) -> list[Decoded]:
        from faster_whisper.tokenizer import Tokenizer  # loaded with the weights
        from faster_whisper.transcribe import get_suppressed_tokens, pad_or_trim

        model = self._model
        tokenizer = Tokenizer(model.hf_tokenizer, model.model.is_multilingual, task=request.task, language=request.code)
        # Words get their times from attention. Without time tokens, full windows lose less of what is said.
        prompt = model.get_prompt(tokenizer, [], without_timestamps=True, hotwords=request.prompt)
        longest = max(len(window.samples) for window in several) / SAMPLE_RATE
        try:
            features = [pad_or_trim(model.feature_extractor(window.samples)[..., :-1]) for window in several]
            encoded = model.encode(np.stack(features))
            results = model.model.generate(
                encoded,
                [prompt] * len(several),
                beam_size=BEAM_SIZE,
                max_length=min(model.max_length, len(prompt) + 32 + int(longest * _TOKENS_A_SECOND)),
                return_no_speech_prob=True,
                suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
            )
            texts = [
                [{"tokens": result.sequences_ids[0], "start": 0.0, "end": len(window.samples) / SAMPLE_RATE, "seek": 0}]
                for window, result in zip(several, results, strict=True)
            ]
            frames = [len(window.samples) // _FRAME for window in several]
            model.add_word_timestamps(texts, tokenizer, encoded, frames, *_PUNCTUATION, 0.0)
            languages = self._languages(encoded, len(several))
        except RuntimeError as error:  # CTranslate2's
            raise TranscriberError(f"the engine failed: {error}") from error
        return [
            Decoded(
                placed(
                    window,
                    (
                        Spoken(word["start"], word["end"], word["word"], word["probability"], result.no_speech_prob)
                        for word in found[0]["words"]
                    ),
                ),
                likely,
            )
            for window, found, result, likely in zip(several, texts, results, languages, strict=True)
        ]

    def _languages(self, encoded: Any, count: int) -> list[dict[str, float]]:
        if not self._model.model.is_multilingual:
            return [{"en": 1.0}] * count
        # Languages are tokens: <|de|>.
        return [{token[2:-2]: p for token, p in found} for found in self._model.model.detect_language(encoded)]

    def decode_with_care(self, window: Window, request: Request) -> list[HeardWord]:
        try:
            segments, _ = self._model.transcribe(
                window.samples,
                language=request.code,
                task=request.task,
                beam_size=BEAM_SIZE,
                # CTranslate2 seeds its generator once for each of its threads, so that what is sampled depends on
                # what was heard before; the same recording is to give the same text, and nothing is sampled.
                temperature=0.0,
                condition_on_previous_text=False,
                # With time tokens, the model runs on past the end of a short stretch less often.
                without_timestamps=False,
                word_timestamps=True,
                hotwords=request.prompt,
            )
            return placed(
                window,
                (
                    Spoken(word.start, word.end, word.word, word.probability, found.no_speech_prob)
                    for found in segments
                    for word in found.words or ()
                ),
            )
        except RuntimeError as error:  # CTranslate2's
            raise TranscriberError(f"the engine failed: {error}") from error
