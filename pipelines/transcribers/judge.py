"""Which segments are doubtful, and why.

Whisper invents fluent sentences over music and silence, and falls into loops (Koenecke et al. 2024,
"Careless Whisper", https://doi.org/10.1145/3630106.3658996; Radford et al. 2022, section 4.5). No one sign
tells an invention from speech, so each flag needs a strong sign, or a weak one that others support. A flagged
segment is kept: it is shown as doubtful, and left out of search and captions.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Sequence
from itertools import pairwise

from metadata.model import Flag
from pipelines.transcribers.sentences import HeardWord, text_of

COMPRESSION_RATIO = 2.4
"""Above it, text is a loop (Radford et al. 2022, section 4.5)."""
LOG_PROBABILITY = -1.0
"""Mean over a segment's words; below it, the model does not believe itself (same section)."""
DOUBTFUL = 0.6
"""Mean confidence of a segment's words, below which most of them are wrong; chosen on the tuning half of the
recordings (`tests.bench.hard`), by themselves, in pink noise and over each other."""
NOISY_DB = 13.0
"""From the quietest to the loudest of a window. Clean speech has 16 at least, and 30 mostly; speech in noise as loud
as itself has 10, and so has babble, over which the model falls into loops of which it is sure."""
DOUBTED_AROUND, SURE = 0.5, 0.8
"""Where so many of the words around a segment are doubtful, it needs a confidence of the second to be believed."""
ALIKE = 0.6
"""Of a segment's words: so many that a loop beside it has too are the loop's."""
AROUND_MS = 20_000
NO_SPEECH = 0.6
"""The model's own probability of hearing nothing, from which on it counts (same section)."""
FOREIGN = 0.8
"""Probability of another language, from which on it counts where words are weak."""
WORDS_A_SECOND = 9.0
"""The fastest speakers reach about six."""

STOCK_PHRASES = frozenset(
    {
        "thank you",
        "thank you for watching",
        "thanks for watching",
        "thank you so much for watching",
        "please subscribe",
        "please subscribe to my channel",
        "like and subscribe",
        "see you next time",
        "see you in the next video",
        "bye",
        "bye bye",
        "you",
        "subtitles by the amara org community",
        "transcription by castingwords",
        "untertitel der amara org community",
        "untertitel im auftrag des zdf für funk 2017",
        "untertitelung des zdf 2020",
        "vielen dank",
        "vielen dank fürs zuschauen",
        "sous titres réalisés par la communauté d amara org",
        "sous titrage st 501",
        "merci d avoir regardé cette vidéo",
        "subtítulos realizados por la comunidad de amara org",
        "gracias por ver el video",
        "legendas pela comunidade amara org",
        "obrigado por assistir",
        "продолжение следует",
        "субтитры сделал dimatorzok",
        "ご視聴ありがとうございました",
        "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
        "字幕由 amara org 社群提供",
        "اشتركوا في القناة",
    }
)
"""What Whisper is known to say over nothing, in lower case without punctuation. People say some of it too."""


def judge(words: Sequence[HeardWord]) -> tuple[Flag, ...]:
    """Return why a segment of these words is doubtful: nothing, for most."""
    text = text_of(words)
    tests = (
        (Flag.REPETITIVE, _loops(text, 3 if _noisy(words) else 4)),
        (Flag.LOW_CONFIDENCE, _doubtful(words)),
        (Flag.NO_SPEECH, _unheard(words)),
        (Flag.TOO_FAST, _hurries(words)),
        (Flag.WRONG_LANGUAGE, _unsure(words) and _mean([word.foreign for word in words]) > FOREIGN),
        (Flag.STOCK_PHRASE, _plain(text) in STOCK_PHRASES and _supported(words)),
    )
    return tuple(flag for flag, found in tests if found)


def judge_all(groups: Sequence[Sequence[HeardWord]]) -> list[tuple[Flag, ...]]:
    """Judge consecutive segments, also as neighbours: one that is said over and over is a loop."""
    flags = [judge(group) for group in groups]
    _doubt_again_and_again(groups, flags)
    _doubt_beside_loops(groups, flags)
    _doubt_among_doubts(groups, flags)
    return flags


def _doubt_again_and_again(groups: Sequence[Sequence[HeardWord]], flags: list[tuple[Flag, ...]]) -> None:
    texts = [_plain(text_of(group)) for group in groups]
    begun = 0
    for i in range(1, len(groups) + 1):
        if i < len(groups) and texts[i] == texts[begun]:
            continue
        if i - begun >= (4 if len(groups[begun]) > 2 else 6):
            for k in range(begun + 1, i):
                flags[k] = tuple(dict.fromkeys((Flag.REPETITIVE, *flags[k])))
        begun = i


def _doubt_beside_loops(groups: Sequence[Sequence[HeardWord]], flags: list[tuple[Flag, ...]]) -> None:
    """Doubt the ends of a loop, of which the judge saw too little by themselves."""
    said = [_plain(text_of(group)).split() for group in groups]
    for i, j in [*pairwise(range(len(groups))), *pairwise(reversed(range(len(groups))))]:
        if Flag.REPETITIVE not in flags[i] or flags[j] or len(said[j]) < 3:
            continue
        if sum(word in said[i] for word in said[j]) >= ALIKE * len(said[j]) and len(set(said[i])) <= len(said[i]) / 2:
            flags[j] = (Flag.REPETITIVE,)


def _doubt_among_doubts(groups: Sequence[Sequence[HeardWord]], flags: list[tuple[Flag, ...]]) -> None:
    """Doubt what stands among doubtful segments: a voice that is made out for one sentence in a babble is a guess."""
    doubted = [bool(each) for each in flags]
    for i, group in enumerate(groups):
        if doubted[i] or not any(doubted):
            continue
        near = [k for k in range(len(groups)) if k != i and _apart(group, groups[k]) <= AROUND_MS]
        words = sum(len(groups[k]) for k in near)
        doubtful = sum(len(groups[k]) for k in near if doubted[k])
        if doubtful > words * DOUBTED_AROUND and _mean([word.confidence for word in group]) < SURE:
            flags[i] = (Flag.LOW_CONFIDENCE,)


def _apart(one: Sequence[HeardWord], other: Sequence[HeardWord]) -> int:
    return max(other[0].start_ms - one[-1].end_ms, one[0].start_ms - other[-1].end_ms)


def _loops(text: str, times: int) -> bool:
    encoded = text.encode()
    if len(encoded) / len(zlib.compress(encoded)) > COMPRESSION_RATIO:
        return True
    words = _plain(text).split()
    return any(_repeats(words, length) >= (times if length > 1 else 6) for length in range(1, len(words) // times + 1))


def _repeats(words: Sequence[str], length: int) -> int:
    """Return how often the most repeated run of this many words follows itself."""
    longest = run = length
    for i in range(length, len(words)):
        run = run + 1 if words[i] == words[i - length] else length
        longest = max(longest, run)
    return longest // length


def _doubtful(words: Sequence[HeardWord]) -> bool:
    return _unsure(words) or _log_probability(words) < LOG_PROBABILITY


def _noisy(words: Sequence[HeardWord]) -> bool:
    return _mean([word.range_db for word in words]) < NOISY_DB


def _log_probability(words: Sequence[HeardWord]) -> float:
    return sum(math.log(max(word.confidence, 1e-6)) for word in words) / len(words)


def _unheard(words: Sequence[HeardWord]) -> bool:
    # The model's own sign is high for many short windows of clear speech, so it counts only where words are weak.
    detected = _mean([word.speech for word in words])
    silent = _mean([word.no_speech for word in words]) > NO_SPEECH
    return detected < 0.2 or (_unsure(words) and (silent or detected < 0.4))


def _hurries(words: Sequence[HeardWord]) -> bool:
    seconds = (words[-1].end_ms - words[0].start_ms) / 1000
    return len(words) >= 5 and len(words) > seconds * WORDS_A_SECOND


def _unsure(words: Sequence[HeardWord]) -> bool:
    return _mean([word.confidence for word in words]) < DOUBTFUL


def _supported(words: Sequence[HeardWord]) -> bool:
    """Tell whether anything but the phrase itself speaks against it."""
    silent = _mean([word.no_speech for word in words]) > NO_SPEECH
    return silent or _unsure(words) or _mean([word.speech for word in words]) < 0.4


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))
