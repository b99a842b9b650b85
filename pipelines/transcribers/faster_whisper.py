"""Whisper's weights run by CTranslate2, through faster-whisper."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from itertools import chain, islice
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from metadata.model import Transcript
from pipelines.config import Quality, cores
from pipelines.errors import TranscriberError, WeightsError
from pipelines.media.samples import SAMPLE_RATE, AudioBlock
from pipelines.transcribers.base import Hints, Parameter, Report, signed
from pipelines.transcribers.decoding import Decoded, Request, placed, transcribe, translate
from pipelines.transcribers.devices import choose
from pipelines.transcribers.models import missing_weights, resolve_weights, weights_identity
from pipelines.transcribers.onsets import Spoken
from pipelines.transcribers.prefetch import parallel_map
from pipelines.transcribers.sentences import HeardWord
from pipelines.transcribers.speech import Window

if TYPE_CHECKING:
    from ctranslate2 import StorageView
    from ctranslate2.models import WhisperGenerationResult
    from faster_whisper import WhisperModel
    from faster_whisper.tokenizer import Tokenizer

Item = TypeVar("Item")

BATCH = {"cpu": 3, "cuda": 16}
"""Windows that a worker decodes at once. On a CPU, four save 3% of its computing over hours, none over minutes, and
take 100 MB more."""
_SHARES = 2
"""The last windows on a CPU make so many batches. They are the same for any number of threads, and so is the text."""
_STRETCH = 2 * _SHARES * BATCH["cpu"]
"""Windows for each thread of a CPU, after which all that was begun is finished, and the heap is all but empty. It ends
with a batch, wherever it ends, so that these are the same for any number of threads."""
BEAM_SIZE = 5
QUICK_BEAM_SIZE = 2
"""On a CPU, where a wide beam costs what the encoder does. Over 63 recordings in eight languages, this one made 270
errors in 2,823 words, 237 with the wide one where it is not sure, and the wide one alone 241."""
SURE: Mapping[Quality, float] = {"best": 1.0, "balanced": -0.15, "fast": -9.0}
"""Mean log probability of a window's tokens; below it, the window is heard again, with a wide beam in the whole
context. Over 60 recordings in nine languages, the quick beam made 213 errors in 1,949 words, and the whole context
175, whether all windows were heard again or the less sure half of them. No choice by likelihood did better on both
halves of these recordings."""
BETTER = 0.05
"""By so much the short context must be likelier than the whole one to be taken, where ``best`` compares them."""
_DOUBTFUL = -0.25
"""Below it, the language is in question too."""

_PUNCTUATION = ("\"'“¿([{-", "\"'.。,，!！?？:：”)]}、")
"""What belongs to the word after it, and to the one before, as faster-whisper has it."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -3, -4, -8
"""As in malloc.h."""
_LARGE, _MOST = 4 << 20, 65_536
"""Bytes of an array that has no place in a heap that is full, and how many of these there may be (glibc's default)."""
_FRAME = SAMPLE_RATE // 100
_WHOLE_CONTEXT, _LEAST_CONTEXT, _SILENCE = 3000, 1000, 100
"""Frames, of 10 ms. The encoder was trained on 30 seconds, filled up with silence, and attention takes the square of
them. With a second of silence after the speech, and 10 seconds at least, 63 recordings in eight languages had 237
errors in 2,823 words and took two thirds of the computing, against 253 with all 30."""
_WAYS_OUT: tuple[dict[str, float], ...] = ({}, {"repetition_penalty": 1.15}, {"no_repeat_ngram_size": 4})
"""Options for a window that stays in a loop, in the whole context, in turn."""
_ALL_BUT_WHOLE = 2900
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
        quality: how often a window is heard again, on a CPU (see `SURE`); a GPU hears all with a wide beam at once.
    """

    model: str = "base"
    device: str = "auto"
    compute_type: str | None = None
    threads: int | None = None
    quality: Quality = "balanced"

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
            "quality": self.quality,
            "revision": 13,  # of this module: raised when the text changes for the same input
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
        return _Decoder(_load(self.model, self.device, self.compute_type, self.threads), SURE[self.quality])


@lru_cache(maxsize=1)
def _load(model: str, device: str, compute_type: str | None, threads: int | None) -> WhisperModel:
    """Load weights, once a process."""
    # oneDNN keeps what it compiles for every shape, and windows have all lengths: 50 to 100 MB for an hour of speech,
    # which takes no longer without.
    os.environ.setdefault("DNNL_PRIMITIVE_CACHE_CAPACITY", "0")
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
    """Have glibc keep what is freed, for the next window, until `_bound_memory`.

    By default it gives every large array back to the kernel and takes it anew, page by page, cleared each time: of
    the encoder's time on a CPU, two fifths went into that (mallopt(3): no mmap, no trimming, one arena).
    """
    for option, value in ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, -1), (_M_ARENA_MAX, 1)):
        _ask_libc("mallopt", option, value)


def _bound_memory() -> None:
    """Have glibc give the kernel what is free, and no longer let the heap grow for large arrays.

    The gaps between arrays of all lengths would add up over hours, to half of what is in use. What fits into no gap
    is now taken from the kernel and given back.
    """
    _ask_libc("mallopt", _M_MMAP_THRESHOLD, _LARGE)
    _ask_libc("mallopt", _M_MMAP_MAX, _MOST)
    _ask_libc("malloc_trim", 0)


def _ask_libc(function: str, *arguments: int) -> None:
    with contextlib.suppress(AttributeError, OSError, TypeError):  # where there is another C library
        getattr(ctypes.CDLL(None), function)(*arguments)


class _Decoder:
    """See `pipelines.transcribers.decoding.Decoder`.

    On a CPU, the three steps of the first pass are taken beside each other: windows are encoded one by one, as they
    come, decoded in batches, and finished one by one, so that no thread waits for another that has more to do.
    """

    def __init__(self, model: WhisperModel, sure: float = SURE["balanced"]) -> None:
        self._model = model
        self._sure = sure
        self.workers = model.model.num_workers
        self.languages: Collection[str] = model.supported_languages

    def identify(self, window: Window) -> Mapping[str, float]:
        with _failures():
            # Short speech sounds like another language where the rest of the 30 seconds is missing.
            return self._languages(self._model.encode(self._features(window, _WHOLE_CONTEXT)))[0]

    def decode(self, windows: Iterable[Window], request: Request) -> Iterator[tuple[Window, Decoded]]:
        asked = _Asked.of(self._model, request)
        if self._model.model.device == "cuda":
            for batch in _shared_out(windows, BATCH["cuda"], 1):
                yield from self._hear(asked, batch)
            return
        remaining = iter(windows)
        for stretch, first in enumerate(remaining):
            if stretch:
                _bound_memory()
            yield from self._overlapped(asked, chain([first], islice(remaining, _STRETCH * self.workers - 1)))

    def _overlapped(self, asked: _Asked, windows: Iterable[Window]) -> Iterator[tuple[Window, Decoded]]:
        """Take windows through the steps of the first pass, beside each other."""
        with ThreadPoolExecutor(self.workers) as encoding, ThreadPoolExecutor(self.workers) as finishing:

            def draft(several: Sequence[Future[_Encoded]]) -> list[Future[tuple[Window, Decoded]]]:
                drafts = self._draft(asked, [each.result() for each in several])
                return [finishing.submit(self._finish, asked, each) for each in drafts]

            encoded = (encoding.submit(self._encode, window) for window in windows)
            for begun in parallel_map(draft, _shared_out(encoded, BATCH["cpu"], _SHARES), self.workers):
                yield from (each.result() for each in begun)

    def _hear(self, asked: _Asked, several: Sequence[Window]) -> list[tuple[Window, Decoded]]:
        """Take windows through all steps at once."""
        with _failures():
            encoded = self._model.encode(np.stack([self._features(window, _WHOLE_CONTEXT) for window in several]))
            return self._timed(asked, several, encoded, self._generated(asked, several, encoded, BEAM_SIZE))

    def _encode(self, window: Window) -> _Encoded:
        frames = max(len(window.samples) // _FRAME + _SILENCE, _LEAST_CONTEXT) // 2 * 2
        with _failures():
            return _Encoded(window, self._model.encode(self._features(window, min(frames, _WHOLE_CONTEXT))))

    def _draft(self, asked: _Asked, several: Sequence[_Encoded]) -> list[_Draft]:
        """Decode windows with a quick beam."""
        with _failures():
            encoded = _together([each.stored for each in several])
            windows = [each.window for each in several]
            return list(zip(several, self._generated(asked, windows, encoded, QUICK_BEAM_SIZE), strict=True))

    def _finish(self, asked: _Asked, draft: _Draft) -> tuple[Window, Decoded]:
        """Hear a window again where the model is not sure of it, and find when its words are said."""
        encoded, result = draft
        window, stored = encoded.window, encoded.stored
        with _failures():
            if result.scores[0] < self._sure:
                short, stored = stored, self._whole(encoded)
                (result,) = self._generated(asked, [window], stored, BEAM_SIZE)
                if self._sure > 0 and short is not stored:
                    (other,) = self._generated(asked, [window], short, BEAM_SIZE)
                    if other.scores[0] > result.scores[0] + BETTER:
                        stored, result = short, other
            return self._timed(asked, [window], stored, [result])[0]

    def _whole(self, encoded: _Encoded) -> StorageView:
        """Return a window encoded in the whole context, which is all but there where it is long."""
        if encoded.stored.shape[1] * 2 >= _ALL_BUT_WHOLE:
            return encoded.stored
        return self._model.encode(self._features(encoded.window, _WHOLE_CONTEXT))

    def _features(self, window: Window, frames: int) -> NDArray[np.float32]:
        from faster_whisper.audio import pad_or_trim  # loaded with the weights

        features: NDArray[np.float32] = pad_or_trim(self._model.feature_extractor(window.samples)[..., :-1], frames)
        return features

    def _generated(
        self, asked: _Asked, several: Sequence[Window], encoded: StorageView, beam_size: int, **options: float
    ) -> list[WhisperGenerationResult]:
        seconds = max(len(window.samples) for window in several) / SAMPLE_RATE
        longest = len(asked.prompt) + 32 + int(seconds * _TOKENS_A_SECOND)
        found: list[WhisperGenerationResult] = self._model.model.generate(
            encoded,
            [asked.prompt] * len(several),
            beam_size=beam_size,
            max_length=min(self._model.max_length, longest),
            return_no_speech_prob=True,
            return_scores=True,
            suppress_tokens=asked.suppressed,
            **options,
        )
        return found

    def _timed(
        self,
        asked: _Asked,
        several: Sequence[Window],
        encoded: StorageView,
        results: Sequence[WhisperGenerationResult],
    ) -> list[tuple[Window, Decoded]]:
        """Return windows with their words, when these are said, and how likely languages are if that is in doubt."""
        texts = [
            [{"tokens": result.sequences_ids[0], "start": 0.0, "end": len(window.samples) / SAMPLE_RATE, "seek": 0}]
            for window, result in zip(several, results, strict=True)
        ]
        frames = [len(window.samples) // _FRAME for window in several]
        self._model.add_word_timestamps(texts, asked.tokenizer, encoded, frames, *_PUNCTUATION, 0.0)
        doubted = not asked.request.obeyed or any(result.scores[0] < _DOUBTFUL for result in results)
        languages = self._languages(encoded) if doubted else [{}] * len(several)
        return [
            (
                window,
                Decoded(
                    placed(
                        window,
                        (
                            Spoken(word["start"], word["end"], word["word"], word["probability"], result.no_speech_prob)
                            for word in found[0]["words"]
                        ),
                    ),
                    likely,
                ),
            )
            for window, found, result, likely in zip(several, texts, results, languages, strict=True)
        ]

    def _languages(self, encoded: StorageView) -> list[dict[str, float]]:
        """Return how likely languages are in each window."""
        if not self._model.model.is_multilingual:
            return [{"en": 1.0}] * encoded.shape[0]
        # Languages are tokens: <|de|>.
        return [{token[2:-2]: p for token, p in likely} for likely in self._model.model.detect_language(encoded)]

    def decode_with_care(self, window: Window, request: Request) -> list[HeardWord]:
        with _failures():
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

    def decode_otherwise(self, window: Window, request: Request) -> Iterator[list[HeardWord]]:
        # CTranslate2 seeds its generator once for each of its threads: what a temperature samples would depend on what
        # was heard before. A penalty on what was said leads out of a loop, too, and is the same every time.
        asked = _Asked.of(self._model, request)
        with _failures():
            whole = self._model.encode(self._features(window, _WHOLE_CONTEXT))
        for options in _WAYS_OUT:
            with _failures():
                results = self._generated(asked, [window], whole, BEAM_SIZE, **options)
                ((_, decoded),) = self._timed(asked, [window], whole, results)
            yield decoded.words


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request, as CTranslate2 takes it."""

    request: Request
    tokenizer: Tokenizer
    prompt: list[int]
    suppressed: Sequence[int]

    @classmethod
    def of(cls, model: WhisperModel, request: Request) -> _Asked:
        from faster_whisper.tokenizer import Tokenizer  # loaded with the weights
        from faster_whisper.transcribe import get_suppressed_tokens

        tokenizer = Tokenizer(model.hf_tokenizer, model.model.is_multilingual, task=request.task, language=request.code)
        # Words get their times from attention. Without time tokens, full windows lose less of what is said.
        prompt = model.get_prompt(tokenizer, [], without_timestamps=True, hotwords=request.prompt)
        return cls(request, tokenizer, prompt, get_suppressed_tokens(tokenizer, [-1]))


@dataclass(frozen=True, slots=True)
class _Encoded:
    """A window, and what the encoder makes of it: shape ``(1, frames, dimensions)``."""

    window: Window
    stored: StorageView


_Draft: TypeAlias = "tuple[_Encoded, WhisperGenerationResult]"


@contextlib.contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # CTranslate2's
        raise TranscriberError(f"the engine failed: {error}") from error


def _shared_out(items: Iterable[Item], batch: int, shares: int) -> Iterator[list[Item]]:
    """Yield batches, as even as can be where too few items are left to fill so many."""
    iterator = iter(items)
    while several := list(islice(iterator, batch * shares)):
        size = ceil(len(several) / shares)
        yield from (several[i : i + size] for i in range(0, len(several), size))


def _together(stored: Sequence[StorageView]) -> StorageView:
    """Return what was encoded window by window as one batch, on a CPU.

    What follows the speech of the shorter ones is silence, as their last frame is.
    """
    from ctranslate2 import StorageView  # loaded with the weights

    several = [np.asarray(each) for each in stored]
    longest = max(each.shape[1] for each in several)
    alike = [np.pad(each, ((0, 0), (0, longest - each.shape[1]), (0, 0)), mode="edge") for each in several]
    return StorageView.from_array(np.concatenate(alike))
