"""Whisper's weights run by CTranslate2, through faster-whisper.

Each window of speech (see `pipelines.transcribers.speech`) is decoded by itself: the text of the one before
is not carried into it, since that is how loops begin, while the terms that are hoped for are given to every
one. What the judge doubts, or leaves speech without words, is decoded once more, stretch by stretch and
without terms, and the better of both is kept. Speech that still has no words is decoded alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metadata.languages import UNDETERMINED, parse_language, primary
from metadata.model import Transcript
from pipelines.config import cores
from pipelines.errors import LanguageError, TranscriberError, WeightsError
from pipelines.transcribers.base import SAMPLE_RATE, AudioBlock, Hints, Parameter, Report
from pipelines.transcribers.judge import judge_all
from pipelines.transcribers.models import missing_weights, resolve_weights, weights_identity
from pipelines.transcribers.sentences import HeardWord, in_order, segment, sentences, text_of
from pipelines.transcribers.speech import FRAMES_PER_SECOND, Window, windows

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

BEAM_SIZE = 5
WORDS_A_SECOND = 2.5
"""As people speak: it weighs speech that has no words against words that are doubted."""
SEED = 0
"""Fallback samples, and the same recording is to give the same text."""
IDENTIFYING_WINDOWS = 4
"""How many windows are heard to identify a language: the first alone is often a greeting or a jingle."""

_WHISPER_CODES = {"nb": "no", "jv": "jw", "fil": "tl", "cmn": "zh"}
_MOST_TERMS = 60


@dataclass(frozen=True, slots=True)
class FasterWhisper:
    """The default engine.

    Attributes:
        model: Whisper's name for the weights, or a folder (see `pipelines.transcribers.models`).
        device: ``cpu``, ``cuda`` or ``auto``.
        compute_type: CTranslate2's; None is ``int8`` on a CPU and ``float16`` on a GPU.
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
            "revision": 2,  # of this module: raised when the text changes for the same input
        }

    def transcribe(self, audio: Iterable[AudioBlock], hints: Hints, report: Report) -> Transcript:
        """Return what is said in consecutive blocks of audio.

        Raises:
            WeightsError: there are no such weights.
            LanguageError: the weights do not know the declared language.
            TranscriberError: the engine gave up.
        """
        model = _load(self.model, self.device, self.compute_type, self.threads)
        tape = _Tape(audio)
        speech = windows(tape)
        first = list(islice(speech, IDENTIFYING_WINDOWS))
        language, code = _language(model, hints.language, first)
        heard: list[HeardWord] = []
        for window in chain(first, speech):
            heard += _hear(model, window, code, hints.terms)
            report((window.parts[-1].recording + window.parts[-1].length) / FRAMES_PER_SECOND)
        groups = list(sentences(in_order(heard)))
        report(tape.samples / SAMPLE_RATE)
        return Transcript(
            language=language,
            duration_ms=round(tape.samples * 1000 / SAMPLE_RATE),
            segments=tuple(segment(group, flags) for group, flags in zip(groups, judge_all(groups), strict=True)),
            generator=self.name,
            generator_version=self.version,
            parameters=dict(self.parameters),
        )


class _Tape:
    """Blocks of audio, counted as they pass."""

    def __init__(self, blocks: Iterable[AudioBlock]) -> None:
        self._blocks = blocks
        self.samples = 0

    def __iter__(self) -> Iterator[AudioBlock]:
        for block in self._blocks:
            self.samples += len(block)
            yield block


@lru_cache(maxsize=1)
def _load(model: str, device: str, compute_type: str | None, threads: int | None) -> WhisperModel:
    """Load weights, once a process."""
    # The engine takes a second to import, and the driver never needs it.
    import ctranslate2
    from faster_whisper import WhisperModel

    weights = resolve_weights(model)
    if device == "auto":
        device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
    try:
        return WhisperModel(
            str(weights),
            device=device,
            compute_type=compute_type or ("float16" if device == "cuda" else "int8"),
            cpu_threads=threads or cores(),
        )
    except Exception as error:  # the hub's client and CTranslate2 raise whatever their libraries do
        if isinstance(weights, Path):
            raise WeightsError(f"the weights in {weights} cannot be loaded: {error}") from error
        raise missing_weights(model, error) from error


def _language(model: WhisperModel, declared: str | None, first: Sequence[Window]) -> tuple[str, str]:
    """Return the language as a tag and as Whisper's code: the declared one, or the likeliest over some windows."""
    if declared is not None:
        code = _WHISPER_CODES.get(primary(declared), primary(declared))
        if code not in model.supported_languages:
            raise LanguageError(
                f"the weights do not know {declared!r}: leave the language out to have it identified, "
                "or choose other weights"
            )
        return declared, code
    if not first:
        return UNDETERMINED, "en"
    likely: dict[str, float] = {}
    for window in first if len(model.supported_languages) > 1 else ():
        _, _, probabilities = model.detect_language(window.samples)
        for code, probability in probabilities:
            likely[code] = likely.get(code, 0.0) + probability
    code = max(likely, key=likely.__getitem__, default="en")
    return parse_language(code), code


def _hear(model: WhisperModel, window: Window, code: str, terms: tuple[str, ...]) -> list[HeardWord]:
    """Decode a window, and again with more care if the result is doubtful or speech is missing from it."""
    words = _decode(model, window, code, terms)
    if (len(window.parts) > 1 or terms) and (_doubts(window, words) or _recites(words, terms)):
        again = [word for part in window.alone() for word in _decode(model, part, code, ())]
        if _recites(words, terms) or _doubts(window, again) < _doubts(window, words):
            words = again
    return _complete(model, window, words, code)


def _complete(model: WhisperModel, window: Window, words: list[HeardWord], code: str) -> list[HeardWord]:
    """Add what is heard in the stretches that were passed over, so far as it is believed."""
    for missed in _unheard(window, words):
        found = _decode(model, missed, code, ())
        if found and not any(judge_all(list(sentences(found)))):
            words = sorted([*words, *found], key=lambda word: word.start_ms)
    return words


def _decode(model: WhisperModel, window: Window, code: str, terms: tuple[str, ...]) -> list[HeardWord]:
    import ctranslate2  # loaded with the weights

    ctranslate2.set_random_seed(SEED)
    try:
        segments, _ = model.transcribe(
            window.samples,
            language=code,
            task="transcribe",
            beam_size=BEAM_SIZE,
            condition_on_previous_text=False,
            # Time tokens stay on, although words get their times from attention: without them the model runs on
            # past the end of short windows, at several times the cost.
            without_timestamps=False,
            word_timestamps=True,
            hotwords=_prompt(terms),
        )
        return [_word(window, found, word) for found in segments for word in found.words or ()]
    except RuntimeError as error:  # CTranslate2's
        raise TranscriberError(f"the engine failed: {error}") from error


def _word(window: Window, found: Any, word: Any) -> HeardWord:
    start_ms, end_ms = window.place(word.start, word.end)
    return HeardWord(
        start_ms=start_ms,
        end_ms=end_ms,
        text=word.word,
        confidence=min(max(float(word.probability), 0.0), 1.0),
        speech=window.speech_between(word.start, word.end),
        no_speech=min(max(float(found.no_speech_prob), 0.0), 1.0),
    )


def _prompt(terms: tuple[str, ...]) -> str | None:
    """Return the terms as Whisper takes them: as if they had just been said."""
    return ", ".join(terms[:_MOST_TERMS]) + "." if terms else None


def _doubts(window: Window, words: Sequence[HeardWord]) -> float:
    """Return how many words stand in segments that the judge doubts, or would fill the speech that has none."""
    groups = list(sentences(words))
    doubted = sum(len(group) for group, flags in zip(groups, judge_all(groups), strict=True) if flags)
    missed = sum(len(stretch.speech) for stretch in _unheard(window, words))
    return doubted + WORDS_A_SECOND * missed / FRAMES_PER_SECOND


def _unheard(window: Window, words: Sequence[HeardWord]) -> list[Window]:
    return window.unheard((word.start_ms, word.end_ms) for word in words)


def _recites(words: Sequence[HeardWord], terms: tuple[str, ...]) -> bool:
    """Tell whether three terms that follow each other in the prompt do so in the text: it was read out, not heard."""
    text = text_of(words).casefold()
    triples = zip(terms, terms[1:], terms[2:], strict=False)
    return any(", ".join(triple).casefold() in text for triple in triples)
