"""A moment that somebody cited, found in a transcript as it stands now: where, how surely, and what has changed.

Two witnesses say where a moment is: the clock of the version that was cited, compared with the present one
(`archive.anchoring.clocks`), and the words (`archive.anchoring.matching`). Where they agree, or one of them is sure and
the other silent, the place is certain. Where several places fit, or nothing does, that is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from archive.anchoring.clocks import Clock, Mapped
from archive.anchoring.matching import Place, Quote, find
from archive.anchoring.spoken import Spoken

State = Literal["certain", "uncertain", "lost"]
TIGHT_MS = 600
"""A clock that may be off by so little shows the moment without any words."""
SNAP_MS = 600
"""Words that are so near to where the clock has them show the moment to the word."""
NEAR_MS = 8_000
"""How far from the clock's time words are looked for."""
SAME, LIKE = 0.75, 0.5
"""Scores from which words are those that were cited, and from which they are like them."""
APART = 0.2
"""How much better the best place must be than the next, where no clock tells them apart."""
FEW = 5
"""Tokens, with those around them, that name a place by themselves."""


@dataclass(frozen=True, slots=True)
class Cited:
    """What was cited.

    Attributes:
        start_ms, end_ms: on the clock of the version that was cited; None for a moment without an end.
        quote: the words; None where none are given.
        clock: reads times of that version; None where nothing is known of it, so that its times are only a hint.
    """

    start_ms: int
    end_ms: int | None = None
    quote: Quote | None = None
    clock: Clock | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Where a moment is now.

    Attributes:
        state: how sure that is.
        start_ms, end_ms: on the present clock.
        first, end: the tokens that stand there, as ``first:end``; equal where none do.
        score: how much of the quotation is there, from 0 to 1; 0 where there is none.
    """

    state: State
    start_ms: int
    end_ms: int | None
    first: int
    end: int
    score: float = 0.0


def resolve(said: Spoken, cited: Cited, duration_ms: int | None = None) -> Found:
    """Return where a moment is now.

    Args:
        said: what is said in the recording, as it stands now.
        cited: the moment.
        duration_ms: the recording's length, past which nothing is.
    """
    expected = cited.clock.read(cited.start_ms) if cited.clock else None
    if expected and cited.quote is None:
        return _by_clock(said, cited, expected, duration_ms)
    if cited.quote is None:
        return _at(said, "uncertain", cited.start_ms, cited.end_ms)
    if expected:
        near = _near(said, cited.quote, expected)
        if near and _off(said, near, expected) <= SNAP_MS:
            return _of(said, "certain", near, cited)
        if expected.slack_ms <= TIGHT_MS:
            return _by_clock(said, cited, expected, duration_ms)
        if near and near.score >= LIKE:
            return _of(said, "certain" if near.score >= SAME else "uncertain", near, cited)
    return _by_words(said, cited, expected, duration_ms)


def _near(said: Spoken, quote: Quote, expected: Mapped) -> Place | None:
    """Return the place of a quotation nearest to where the clock has it, among those that fit nearly as well."""
    reach = NEAR_MS + expected.slack_ms
    low = said.at(expected.ms - reach)
    span = len(quote.tokens) * 2
    within = (max(low - span, 0), min(said.at(expected.ms + reach) + span, len(said.tokens)))
    places = [place for place in find(said, quote, within=within) if _off(said, place, expected) <= reach]
    if not places:
        return None
    fitting = [place for place in places if place.score >= max(places[0].score - APART / 2, LIKE)]
    return min(fitting, key=lambda place: _off(said, place, expected), default=None)


def _off(said: Spoken, place: Place, expected: Mapped) -> int:
    return abs(said.starts[place.first] - expected.ms)


def _by_words(said: Spoken, cited: Cited, expected: Mapped | None, duration_ms: int | None) -> Found:
    """Return where the words are said, wherever that is: certain where they are many, and nowhere else."""
    quote = cited.quote or Quote(())
    places = find(said, quote)
    if places and places[0].score >= LIKE:
        best = places[0]
        next_best = places[1].score if len(places) > 1 else 0.0
        alone = best.score >= SAME and next_best <= best.score - APART and len(quote.tokens) >= FEW
        if expected is None and alone:
            return _of(said, "certain", best, cited)
        hint = expected.ms if expected else cited.start_ms
        fitting = [place for place in places if place.score >= best.score - APART / 2]
        nearest = min(fitting, key=lambda place: abs(said.starts[place.first] - hint))
        return _of(said, "uncertain", nearest, cited)
    if expected:
        return _by_clock(said, cited, expected, duration_ms)
    return _at(said, "lost", cited.start_ms, cited.end_ms)


def _by_clock(said: Spoken, cited: Cited, expected: Mapped, duration_ms: int | None) -> Found:
    """Return the moment by the clock alone."""
    end = None
    if cited.end_ms is not None and cited.clock:
        read = cited.clock.read(cited.end_ms)
        end = max(read.ms, expected.ms) if read else None
    if expected.ms < 0 or (duration_ms and expected.ms >= duration_ms):
        return _at(said, "lost", max(expected.ms, 0), end)
    state: State = "certain" if expected.slack_ms <= TIGHT_MS else "uncertain"
    return _at(said, state, expected.ms, end)


def _at(said: Spoken, state: State, start_ms: int, end_ms: int | None) -> Found:
    if not said.tokens:
        return Found(state, start_ms, end_ms, 0, 0)
    if end_ms is None:
        first = said.at(start_ms)
        return Found(state, start_ms, None, first, first + 1)
    first, end = said.between(start_ms, end_ms)
    return Found(state, start_ms, end_ms, first, end)


def _of(said: Spoken, state: State, place: Place, cited: Cited) -> Found:
    end_ms = None if cited.end_ms is None else said.ends[place.end - 1]
    return Found(state, said.starts[place.first], end_ms, place.first, place.end, place.score)


def folded(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the folded words of texts in order."""
    from archive.index.tokens import words

    return tuple(word for text in texts for word in words(text))
