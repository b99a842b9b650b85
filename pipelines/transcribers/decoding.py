"""From audio to segments, whatever runs the weights: two passes and a judge.

Each window of speech (see `pipelines.transcribers.speech`) is decoded by itself: the text of the one before is
not carried into it, since that is how loops begin, while the terms that are hoped for are given to every one.
The first pass decodes many windows at once. What the judge doubts, or leaves speech without words, is decoded
once more with care, stretch by stretch and without terms, and the better of both is kept. Speech that still has
no words is decoded alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby, islice, tee
from typing import Literal, Protocol

from metadata.languages import UNDETERMINED, parse_language, primary
from metadata.model import Flag, Segment, Transcript
from pipelines.errors import LanguageError
from pipelines.media.samples import SAMPLE_RATE, AudioBlock
from pipelines.transcribers.base import Hints, Report
from pipelines.transcribers.judge import judge, judge_all
from pipelines.transcribers.loudness import Sounds, dynamic_range, thorough
from pipelines.transcribers.onsets import Spoken, held
from pipelines.transcribers.prefetch import parallel_map, prefetch
from pipelines.transcribers.script import in_one_script
from pipelines.transcribers.sentences import HeardWord, in_order, segment, sentences, text_of
from pipelines.transcribers.speech import FRAMES_PER_SECOND, Window, cut, detect_speech, windows

WORDS_A_SECOND = 2.5
"""As people speak: it weighs speech that has no words against words that are doubted."""
IDENTIFYING_WINDOWS = 4
"""How many windows are heard to identify a language: the first alone is often a greeting or a jingle."""
_WINDOWS_AHEAD = 2
MOST_TERMS = 60
UNEXPECTED = 0.1
"""What a language counts that its event does not have: short or noisy speech sounds like many."""
OWN, OTHER = 0.5, 0.8
"""A window less likely than the first to be in the recording's language is looked at part by part; a part more
likely than the second to be in another is decoded in that."""
LONGEST_OF_ONE_LANGUAGE = 10
"""Seconds: halves of a longer part may be in different ones. In less than five, languages are mistaken for others."""

_WHISPER_CODES = {"nb": "no", "jv": "jw", "fil": "tl", "cmn": "zh"}


@dataclass(frozen=True, slots=True)
class Request:
    """How a window is to be decoded: Whisper's code of its language, terms that may be said, and into what.

    A language that is ``obeyed`` was declared. Where it was not, codes that are ``expected`` are likelier than others.
    """

    code: str
    terms: tuple[str, ...] = ()
    task: Literal["transcribe", "translate"] = "transcribe"
    obeyed: bool = False
    expected: tuple[str, ...] = ()

    @property
    def prompt(self) -> str | None:
        """The terms as Whisper takes them: as if they had just been said."""
        return ", ".join(self.terms[:MOST_TERMS]) + "." if self.terms else None


@dataclass(frozen=True, slots=True)
class Decoded:
    """The words of a window, and how likely each language is in it, by Whisper's codes.

    ``languages`` is empty where the one that is obeyed is not in doubt.
    """

    words: list[HeardWord]
    languages: Mapping[str, float]


class Decoder(Protocol):
    """Loaded weights.

    Attributes:
        workers: how many threads may call it at once.
        languages: Whisper's codes of those that the weights know.
    """

    workers: int
    languages: Collection[str]

    def identify(self, window: Window) -> Mapping[str, float]:
        """Return how likely each language is, by Whisper's codes."""

    def decode(self, windows: Iterable[Window], request: Request) -> Iterator[tuple[Window, Decoded]]:
        """Yield each window with what it holds, in order; how many are taken at once is the engine's affair."""

    def decode_with_care(self, window: Window, request: Request) -> list[HeardWord]:
        """Return the words of a window, with the engine's safest settings."""

    def decode_otherwise(self, window: Window, request: Request) -> Iterator[list[HeardWord]]:
        """Yield the words of a window that stays in a loop, heard in other ways, the most faithful first.

        The same window gives the same words, whatever was heard before.
        """


def transcribe(decoder: Decoder, audio: Iterable[AudioBlock], hints: Hints, report: Report) -> Transcript:
    """Return what is said in consecutive blocks of audio.

    Raises:
        LanguageError: the weights do not know the declared language.
        TranscriberError: the engine gave up.
    """
    tape, sounds = _Tape(audio), Sounds()
    heard: list[HeardWord] = []
    # Speech is looked for while the windows before are decoded.
    with prefetch(windows(tape, thorough(detect_speech), sounds.note), _WINDOWS_AHEAD) as speech:
        first = list(islice(speech, IDENTIFYING_WINDOWS if hints.language is None else 0))
        expected = tuple(code for tag in hints.expected if (code := _whisper_code(tag)) in decoder.languages)
        language, code = _language(decoder, hints.language, first, expected)
        request = Request(code, hints.terms, obeyed=hints.language is not None, expected=expected)

        def words_of(each: tuple[Window, Decoded, bool]) -> tuple[float, list[HeardWord]]:
            window, decoded, changes = each
            end = window.parts[-1].recording + window.parts[-1].length
            return end / FRAMES_PER_SECOND, _words(decoder, window, decoded, request, changes=changes)

        found = _beside(decoder.decode(chain(first, speech), request), request)
        for seconds, words in parallel_map(words_of, found, decoder.workers):
            heard += words
            report(seconds)
    words_heard = in_order(heard)
    report(tape.samples / SAMPLE_RATE)
    duration_ms = round(tape.samples * 1000 / SAMPLE_RATE)
    said = _segments(words_heard)
    silent = _marks(sounds.without_words((word.start_ms, word.end_ms) for word in words_heard), duration_ms)
    segments = tuple(sorted([*said, *silent], key=lambda each: each.start_ms))
    return in_one_script(Transcript(language=language, duration_ms=duration_ms, segments=segments), hints.terms)


def _segments(words: Sequence[HeardWord]) -> list[Segment]:
    groups = list(sentences(words))
    return [segment(group, flags) for group, flags in zip(groups, judge_all(groups), strict=True)]


def _marks(stretches: Iterable[tuple[int, int]], duration_ms: int) -> Iterator[Segment]:
    """Yield a segment without text for each stretch in which somebody may speak and no word was found."""
    for start_ms, end_ms in stretches:
        yield Segment(start_ms=start_ms, end_ms=min(end_ms, duration_ms), text="", flags=(Flag.NOT_TRANSCRIBED,))


def _words(
    decoder: Decoder, window: Window, decoded: Decoded, request: Request, *, changes: bool = False
) -> list[HeardWord]:
    """Return the words of a window after the first pass, or better ones; its language ``changes`` or may."""
    likely = _weighed(decoded.languages, request.expected)
    if changes or _foreign(decoded, request):
        return _in_its_languages(decoder, window, request)
    words = _better(decoder, window, _suspected(decoded.words, likely, request.code), request)
    return _suspected(words, likely, request.code)  # what was heard again is no less so


def placed(window: Window, words: Iterable[Spoken]) -> list[HeardWord]:
    """Return the words of a window as words of the recording, held to the sound that they are."""
    range_db = dynamic_range(window.samples)
    return [_placed(window, word, range_db) for word in held(list(words), window.samples)]


def _placed(window: Window, word: Spoken, range_db: float) -> HeardWord:
    start_ms, end_ms = window.place(word.start, word.end)
    return HeardWord(
        start_ms=start_ms,
        end_ms=end_ms,
        text=word.text,
        confidence=min(max(float(word.confidence), 0.0), 1.0),
        speech=window.speech_between(word.start, word.end),
        no_speech=min(max(float(word.no_speech), 0.0), 1.0),
        range_db=range_db,
    )


def translate(decoder: Decoder, audio: Iterable[AudioBlock], transcript: Transcript, report: Report) -> Transcript:
    """Return a transcript in English, in segments with the times of their own; those that were doubtful are left out.

    Whisper's weights translate into English alone (Radford et al. 2022, section 2.3).

    Raises:
        LanguageError: the weights do not know the transcript's language.
        TranscriberError: the engine gave up.
    """
    said = [found for found in transcript.segments if not found.flags]
    translated: list[Segment] = []
    stretches = cut(audio, [(found.start_ms, found.end_ms) for found in said])
    with prefetch(zip(said, stretches, strict=True), _WINDOWS_AHEAD) as pairs:
        for language, group in groupby(pairs, key=lambda pair: pair[0].language or transcript.language):
            originals, windows_of = tee(group)
            request = Request(_code(decoder, language), task="translate", obeyed=True)
            found = decoder.decode((window for _, window in windows_of), request)
            for (original, _), (_, decoded) in zip(originals, found, strict=True):
                translated += _translation(original, decoded.words)
                report(original.end_ms / 1000)
    return Transcript(language="en", duration_ms=transcript.duration_ms, segments=tuple(translated), kind="translation")


def _translation(original: Segment, words: list[HeardWord]) -> Iterator[Segment]:
    if words:
        timed = [replace(word, start_ms=original.start_ms, end_ms=original.end_ms) for word in words]
        made = segment(timed, tuple(flag for flag in judge(words) if flag is Flag.REPETITIVE))
        yield replace(made, words=())


class _Tape:
    """Blocks of audio, counted as they pass."""

    def __init__(self, blocks: Iterable[AudioBlock]) -> None:
        self._blocks = blocks
        self.samples = 0

    def __iter__(self) -> Iterator[AudioBlock]:
        for block in self._blocks:
            self.samples += len(block)
            yield block


def _language(
    decoder: Decoder, declared: str | None, first: Sequence[Window], expected: Collection[str]
) -> tuple[str, str]:
    """Return the language as a tag and as Whisper's code: the declared one, or the likeliest over some windows."""
    if declared is not None:
        return declared, _code(decoder, declared)
    if not first:
        return UNDETERMINED, "en"
    likely: dict[str, float] = {}
    asked = first if len(decoder.languages) > 1 else ()
    for window, found in zip(asked, parallel_map(decoder.identify, asked, decoder.workers), strict=True):
        for code, probability in _weighed(found, expected).items():
            likely[code] = likely.get(code, 0.0) + probability * len(window.speech)
    code = max(likely, key=likely.__getitem__, default="en")
    return parse_language(code), code


def _weighed(likely: Mapping[str, float], expected: Collection[str]) -> Mapping[str, float]:
    """Return how likely each language is where these are expected; none is, where it is not known."""
    if not expected:
        return likely
    weighed = {code: p if code in expected else p * UNEXPECTED for code, p in likely.items()}
    return {code: p / (sum(weighed.values()) or 1.0) for code, p in weighed.items()}


def _whisper_code(language: str) -> str:
    return _WHISPER_CODES.get(primary(language), primary(language))


def _code(decoder: Decoder, language: str) -> str:
    code = _whisper_code(language)
    if code not in decoder.languages:
        raise LanguageError(
            f"the weights do not know {language!r}: leave the language out to have it identified, "
            "or choose other weights"
        )
    return code


def _in_its_languages(decoder: Decoder, window: Window, request: Request) -> list[HeardWord]:
    """Decode the parts of a window, each in its language."""
    heard: list[HeardWord] = []
    for code, part in (each for alone in window.alone() for each in _by_language(decoder, alone, request)):
        if code == request.code:
            heard += _better(decoder, part, decoder.decode_with_care(part, request), request)
        else:
            other = Request(code, request.terms)
            words = _better(decoder, part, decoder.decode_with_care(part, other), other)
            heard += [replace(word, language=parse_language(code)) for word in words]
    return heard


def _by_language(decoder: Decoder, part: Window, request: Request) -> list[tuple[str, Window]]:
    """Return a part with the language that it is in, or its halves, and theirs, where they are in different ones."""
    if len(part.speech) >= LONGEST_OF_ONE_LANGUAGE * FRAMES_PER_SECOND:
        pieces = [piece for half in part.halves() for piece in _by_language(decoder, half, request)]
        if len({code for code, _ in pieces}) > 1:
            return pieces
        return [(pieces[0][0], part)]
    languages = _weighed(decoder.identify(part), request.expected)
    code = max(languages, key=languages.__getitem__, default=request.code)
    return [(code if languages.get(code, 0.0) >= OTHER else request.code, part)]


def _beside(found: Iterable[tuple[Window, Decoded]], request: Request) -> Iterator[tuple[Window, Decoded, bool]]:
    """Yield windows with what they hold, and whether another language begins or ends in them.

    Where a window beside one is in another language, the change may lie in this one, which still sounds like what
    most of it is in.
    """
    held: tuple[Window, Decoded] | None = None
    foreign = [False, False]  # the one before what is held, and that itself
    for each in found:
        following = _foreign(each[1], request)
        if held is not None:
            yield *held, foreign[1] or foreign[0] or following
        held, foreign = each, [foreign[1], following]
    if held is not None:
        yield *held, any(foreign)


def _foreign(decoded: Decoded, request: Request) -> bool:
    likely = _weighed(decoded.languages, request.expected)
    return not request.obeyed and likely.get(request.code, 1.0) < OWN


def _suspected(words: Sequence[HeardWord], likely: Mapping[str, float], code: str) -> list[HeardWord]:
    """Return the words with the probability that another language is spoken than they were decoded in."""
    foreign = max((p for other, p in likely.items() if other != code), default=0.0)
    return [replace(word, foreign=foreign) for word in words]


def _better(decoder: Decoder, window: Window, words: list[HeardWord], request: Request) -> list[HeardWord]:
    """Return the words, or better ones if they are doubtful or speech is missing from them."""
    plain = Request(request.code)
    if _doubts(window, words) or _recites(words, request.terms):
        again = [word for part in window.alone() for word in decoder.decode_with_care(part, plain)]
        if _recites(words, request.terms) or _doubts(window, again) < _doubts(window, words):
            words = again
    if _loops(words):
        words = _out_of_the_loop(decoder, window, words, plain)
    for missed in _unheard(window, words):
        found = decoder.decode_with_care(missed, plain)
        if found and not any(judge_all(list(sentences(found)))):
            words = _with(words, found)
    return words


def _out_of_the_loop(decoder: Decoder, window: Window, words: list[HeardWord], plain: Request) -> list[HeardWord]:
    """Return what is heard of a window in the first way that does not loop, or its words, which will be flagged."""
    for otherwise in decoder.decode_otherwise(window, plain):
        if otherwise and not _loops(otherwise) and _doubts(window, otherwise) <= _doubts(window, words):
            return otherwise
    return words


def _loops(words: Sequence[HeardWord]) -> bool:
    return any(Flag.REPETITIVE in flags for flags in judge_all(list(sentences(words))))


def _with(words: Sequence[HeardWord], found: Sequence[HeardWord]) -> list[HeardWord]:
    """Put what was found between words into its place; each keeps the order in which it was decoded."""
    at = bisect_right([word.start_ms for word in words], found[0].start_ms)
    return [*words[:at], *found, *words[at:]]


def _doubts(window: Window, words: Sequence[HeardWord]) -> float:
    """Return how many words of what the judge doubts are wrong, or would fill the speech that has none."""
    groups = list(sentences(words))
    doubted = sum(_wrong(group, flags) for group, flags in zip(groups, judge_all(groups), strict=True) if flags)
    missed = sum(len(stretch.speech) for stretch in _unheard(window, words))
    return doubted + WORDS_A_SECOND * missed / FRAMES_PER_SECOND


def _wrong(words: Sequence[HeardWord], flags: Collection[Flag]) -> float:
    """Return how many words are wrong: as their confidence has it, or all where that is not what is doubted."""
    return sum(1 - word.confidence for word in words) if set(flags) == {Flag.LOW_CONFIDENCE} else float(len(words))


def _unheard(window: Window, words: Sequence[HeardWord]) -> list[Window]:
    return window.unheard((word.start_ms, word.end_ms) for word in words)


def _recites(words: Sequence[HeardWord], terms: tuple[str, ...]) -> bool:
    """Tell whether three terms that follow each other in the prompt do so in the text: it was read out, not heard."""
    text = text_of(words).casefold()
    triples = zip(terms, terms[1:], terms[2:], strict=False)
    return any(", ".join(triple).casefold() in text for triple in triples)
