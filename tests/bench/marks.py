"""What a transcript of hard sound is worth: words that are wrong, flagged, invented or lost, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jiwer
import numpy as np
from whisper_normalizer.basic import BasicTextNormalizer
from whisper_normalizer.english import EnglishTextNormalizer

from metadata.languages import word_separator
from metadata.model import Flag, Segment, Transcript
from tests.bench.hard import Case

RESAMPLES = 10_000


@dataclass(frozen=True, slots=True)
class Judged:
    """A word that was heard: whether it is wrong, stands in a flagged segment, or is doubtful by itself."""

    wrong: bool
    flagged: bool
    doubtful: bool


def marks(case: Case, transcript: Transcript) -> dict[str, Any]:
    """Return what is found of a case: counts of words and segments, and seconds."""
    segments = [each for each in transcript.segments if each.text.strip()]
    words = list(judged(case, segments))
    silent = [each for each in transcript.segments if Flag.NOT_TRANSCRIBED in each.flags]
    return {
        "kind": case.kind,
        "seconds": round(len(case.samples) / 16_000, 1),
        "segments": len(segments),
        "segments flagged": sum(bool(each.flags) for each in segments),
        "words": len(words),
        "wrong": sum(each.wrong for each in words),
        "flagged": sum(each.flagged for each in words),
        "flagged wrong": sum(each.flagged and each.wrong for each in words),
        "doubtful": sum(each.doubtful and not each.flagged for each in words),
        "doubtful wrong": sum(each.doubtful and not each.flagged and each.wrong for each in words),
        "not transcribed": round(sum(each.end_ms - each.start_ms for each in silent) / 1000, 1),
        **_heard(case, segments),
        **_covered(case, segments, silent),
    }


def judged(case: Case, segments: Sequence[Segment]) -> Iterator[Judged]:
    """Yield the words of segments; of languages that write no spaces, the characters."""
    heard = [
        (part, segment, word)
        for segment in segments
        for word in segment.words
        for part in units(case.language, word.text)
    ]
    right = _right(case, [part for part, _, _ in heard])
    for (_, segment, word), fits in zip(heard, right, strict=True):
        yield Judged(not fits, bool(segment.flags), word.doubtful)


def units(language: str, text: str) -> list[str]:
    """Return the words of a text as they are compared; of languages that write no spaces, the characters."""
    normalise = EnglishTextNormalizer() if language == "en" else BasicTextNormalizer()
    plain = str(normalise(text))
    return plain.split() if word_separator(language) else list(plain.replace(" ", ""))


def _right(case: Case, heard: Sequence[str]) -> list[bool]:
    """Tell of each word that was heard whether it is said; where several speak at once, by any of them."""
    if len(case.texts) > 1 and not case.spans:
        said = {unit for text in case.texts for unit in units(case.language, text)}
        return [each in said for each in heard]
    right = [False] * len(heard)
    said_in_order = units(case.language, " ".join(case.texts))
    if heard and said_in_order:
        output: Any = jiwer.process_words(" ".join(said_in_order), " ".join(heard))
        for chunk in output.alignments[0]:
            if chunk.type == "equal":
                right[chunk.hyp_start_idx : chunk.hyp_end_idx] = [True] * (chunk.hyp_end_idx - chunk.hyp_start_idx)
    return right


def _heard(case: Case, segments: Iterable[Segment]) -> dict[str, int]:
    """Return the errors of what is not flagged, and the longest run of words that were lost; nothing of crosstalk."""
    if not case.texts or (len(case.texts) > 1 and not case.spans):
        return {}
    said = units(case.language, " ".join(case.texts))
    separator = word_separator(case.language)
    found = units(case.language, separator.join(each.text.strip() for each in segments if not each.flags))
    if not found:
        return {"units": len(said), "errors": len(said), "lost in a run": len(said)}
    output: Any = jiwer.process_words(" ".join(said), " ".join(found))
    lost = [each.ref_end_idx - each.ref_start_idx for each in output.alignments[0] if each.type == "delete"]
    errors = output.substitutions + output.deletions + output.insertions
    return {"units": len(said), "errors": errors, "lost in a run": max(lost, default=0)}


def _covered(case: Case, segments: Iterable[Segment], silent: Iterable[Segment]) -> dict[str, float]:
    """Return the seconds of speech that must not be lost, of those with words, and of those with words or a mark."""
    if not case.spans:
        return {}
    length = max(int(100 * len(case.samples) / 16_000), 1)
    words = [(word.start_ms, word.end_ms) for each in segments for word in each.words]
    spoken = _filled(length, [(int(start * 1000), int(end * 1000)) for start, end in case.spans])
    with_words = _filled(length, words)
    shown = with_words | _filled(length, [(each.start_ms, each.end_ms) for each in silent])
    return {
        "spoken": round(int(spoken.sum()) / 100, 1),
        "with words": round(int((spoken & with_words).sum()) / 100, 1),
        "shown": round(int((spoken & shown).sum()) / 100, 1),
    }


def _filled(length: int, stretches: Iterable[tuple[int, int]]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return hundredths of a second; up to half a second between two words belongs to what they say."""
    filled = np.zeros(length, dtype=bool)
    last = -10_000
    for start, end in sorted(stretches):
        filled[(last if start - last <= 500 else start) // 10 : end // 10 + 1] = True
        last = max(last, end)
    return filled


def interval(pairs: Sequence[tuple[int, int, int]]) -> tuple[float, float, float]:
    """Return by how much the first of two engines has a higher word error, with a 95% interval: a paired bootstrap.

    Recordings are drawn anew (Bisani and Ney 2004, "Bootstrap estimates for confidence intervals in ASR performance
    evaluation", https://doi.org/10.1109/ICASSP.2004.1326009).

    Args:
        pairs: of each recording the errors of both, and its number of words.
    """
    table = np.array(pairs, dtype=float).reshape(-1, 3)
    drawn = np.random.default_rng(0).integers(0, len(table), (RESAMPLES, len(table)))
    one, other, count = (table[:, i][drawn].sum(axis=1) for i in range(3))
    low, high = np.percentile((one - other) / count, [2.5, 97.5])
    return float((table[:, 0] - table[:, 1]).sum() / table[:, 2].sum()), float(low), float(high)


def total(found: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Return the sums by kind; of runs of lost words, the longest."""
    sums: dict[str, dict[str, float]] = {}
    for each in found:
        of_kind = sums.setdefault(each["kind"], {})
        for name, value in each.items():
            if name == "lost in a run":
                of_kind[name] = max(of_kind.get(name, 0), value)
            elif name != "kind":
                of_kind[name] = round(of_kind.get(name, 0) + value, 1)
    return sums
