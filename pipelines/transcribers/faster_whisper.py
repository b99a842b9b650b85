"""Whisper's weights run by CTranslate2, through faster-whisper."""

from __future__ import annotations

import contextlib
import ctypes
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
    from ctranslate2 import StorageView
    from faster_whisper import WhisperModel

BATCH = {"cpu": 4, "cuda": 16}
"""Windows that a worker of the first pass takes at once; on a CPU, twice as many save 4% of its time for 500 MB."""
BEAM_SIZE = 5
QUICK_BEAM_SIZE = 2
"""On a CPU, where a wide beam costs what the encoder does. Over 63 recordings in eight languages, this one with the
wide one where it is not sure, one of 3, and the wide one alone made 253, 257 and 254 errors in 2,823 words."""
SURE = -0.25
"""Mean log probability of a window's tokens; below it, the quick beam's text is not taken."""

_PUNCTUATION = ("\"'“¿([{-", "\"'.。,，!！?？:：”)]}、")
"""What belongs to the word after it, and to the one before, as faster-whisper has it."""
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8
"""As in malloc.h."""
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
            "revision": 9,  # of this module: raised when the text changes for the same input
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
    _keep_memory()
    try:
        return WhisperModel(
            str(weights),
            device=device,
            compute_type=compute_type,
            # Two threads take as long as one to decode a word, so each has windows of its own; weights are shared.
            cpu_threads=1,
            num_workers=(threads or cores()) if device == "cpu" else 1,
        )
    except MemoryError:
        raise
    except Exception as error:  # the hub's client and CTranslate2 raise whatever their libraries do
        if isinstance(weights, Path):
            raise WeightsError(f"the weights in {weights} cannot be loaded: {error}") from error
        raise missing_weights(model, error) from error


def _keep_memory() -> None:
    """Have glibc keep what is freed, for the next window.

    By default it gives every large array back to the kernel and takes it anew, page by page, cleared each time: of
    the encoder's time on a CPU, two fifths went into that (mallopt(3): no mmap, no trimming, one arena).
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):  # where there is another C library
        set_option = ctypes.CDLL(None).mallopt
        for option, value in ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, -1), (_M_ARENA_MAX, 1)):
            set_option(option, value)


class _Decoder:
    """See `pipelines.transcribers.hearing.Decoder`."""

    def __init__(self, model: WhisperModel) -> None:
        self._model = model
        self.batch = BATCH.get(model.model.device, 1)
        self.workers = model.model.num_workers
        self.languages: Collection[str] = model.supported_languages

    def identify(self, window: Window) -> Mapping[str, float]:
        _, _, probabilities = self._model.detect_language(window.samples)
        return dict(probabilities)

    def decode(self, several: Sequence[Window], request: Request) -> list[Decoded]:
        from faster_whisper.tokenizer import Tokenizer  # loaded with the weights
        from faster_whisper.transcribe import get_suppressed_tokens

        model = self._model
        tokenizer = Tokenizer(model.hf_tokenizer, model.model.is_multilingual, task=request.task, language=request.code)
        # Words get their times from attention. Without time tokens, full windows lose less of what is said.
        prompt = model.get_prompt(tokenizer, [], without_timestamps=True, hotwords=request.prompt)
        longest = max(len(window.samples) for window in several) / SAMPLE_RATE
        try:
            encoded = self._encoded(several)
            results = self._generated(encoded, prompt, longest, get_suppressed_tokens(tokenizer, [-1]))
            texts = [
                [{"tokens": result.sequences_ids[0], "start": 0.0, "end": len(window.samples) / SAMPLE_RATE, "seek": 0}]
                for window, result in zip(several, results, strict=True)
            ]
            frames = [len(window.samples) // _FRAME for window in several]
            model.add_word_timestamps(texts, tokenizer, encoded, frames, *_PUNCTUATION, 0.0)
            asked = [i for i, result in enumerate(results) if not request.obeyed or result.scores[0] < SURE]
            languages = self._languages(encoded, asked)
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
                languages.get(i, {}),
            )
            for i, (window, found, result) in enumerate(zip(several, texts, results, strict=True))
        ]

    def _encoded(self, several: Sequence[Window]) -> StorageView:
        from ctranslate2 import StorageView  # loaded with the weights
        from faster_whisper.transcribe import pad_or_trim

        model = self._model
        features = [pad_or_trim(model.feature_extractor(window.samples)[..., :-1]) for window in several]
        if model.model.device == "cuda":
            return model.encode(np.stack(features))
        # Attention takes 72 MB for each window of the base weights, and a CPU is no faster with several at once.
        return StorageView.from_array(np.concatenate([np.asarray(model.encode(one)) for one in features]))

    def _generated(
        self, encoded: StorageView, prompt: list[int], seconds: float, suppressed: Sequence[int]
    ) -> list[Any]:
        """Decode windows with a quick beam, and with a wide one those of which the model is not sure."""
        model = self._model

        def generate(encoded: StorageView, beam_size: int) -> list[Any]:
            found: list[Any] = model.model.generate(
                encoded,
                [prompt] * encoded.shape[0],
                beam_size=beam_size,
                max_length=min(model.max_length, len(prompt) + 32 + int(seconds * _TOKENS_A_SECOND)),
                return_no_speech_prob=True,
                return_scores=True,
                suppress_tokens=suppressed,
            )
            return found

        if model.model.device == "cuda":
            return generate(encoded, BEAM_SIZE)
        results = generate(encoded, QUICK_BEAM_SIZE)
        unsure = [i for i, result in enumerate(results) if result.scores[0] < SURE]
        again = generate(_some(encoded, unsure), BEAM_SIZE) if unsure else ()
        for i, result in zip(unsure, again, strict=True):
            results[i] = result
        return results

    def _languages(self, encoded: StorageView, asked: Sequence[int]) -> dict[int, dict[str, float]]:
        """Return how likely languages are in the windows that are asked for, at least."""
        if not self._model.model.is_multilingual:
            return {i: {"en": 1.0} for i in asked}
        if self._model.model.device == "cuda":
            asked = range(encoded.shape[0])
        elif len(asked) < encoded.shape[0]:
            encoded = _some(encoded, asked)
        found = self._model.model.detect_language(encoded) if asked else ()
        # Languages are tokens: <|de|>.
        return {i: {token[2:-2]: p for token, p in likely} for i, likely in zip(asked, found, strict=True)}

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


def _some(encoded: StorageView, which: Sequence[int]) -> StorageView:
    """Return some windows of those that were encoded on a CPU."""
    from ctranslate2 import StorageView  # loaded with the weights

    return StorageView.from_array(np.asarray(encoded)[list(which)])
