"""What is said in a transcript, as a row of folded words with times, and as it is written."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from archive.index.tokens import fold_each
from metadata.model import Word


@dataclass(frozen=True, slots=True)
class Spoken:
    """A transcript's words.

    Attributes:
        tokens: folded words, as search has them (see `archive.index.tokens`), so that case, accents and punctuation do
            not count; in scripts without spaces each is one character.
        starts, ends: of each, in milliseconds of the recording; starts never decrease.
        of: of each, the position of the written word that it comes from.
        written: the words as they are written.
    """

    tokens: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    of: tuple[int, ...]
    written: tuple[str, ...]

    def text(self, first: int, end: int) -> str:
        """Return what is written for the tokens ``first:end``."""
        return " ".join(self.written[self.of[first] : self.of[end - 1] + 1]) if first < end else ""

    def whole(self, first: int, end: int) -> tuple[int, int]:
        """Return the tokens ``first:end`` with those that are written in one word with them."""
        while first and self.of[first - 1] == self.of[first]:
            first -= 1
        while first < end < len(self.tokens) and self.of[end] == self.of[end - 1]:
            end += 1
        return first, end

    def between(self, start_ms: int, end_ms: int) -> tuple[int, int]:
        """Return the tokens, as ``first:end``, of which most is said from one time to another."""
        first, end = bisect_left(self.starts, start_ms), bisect_left(self.starts, end_ms)
        if first and self.ends[first - 1] - start_ms > start_ms - self.starts[first - 1]:
            first -= 1  # more of it is said after than before
        if end - 1 > first and end_ms - self.starts[end - 1] < self.ends[end - 1] - end_ms:
            end -= 1
        return first, max(end, first)

    def at(self, ms: int) -> int:
        """Return the last token that has begun at a time; the first where none has."""
        return max(bisect_right(self.starts, ms) - 1, 0)


def spoken(words: Iterable[Word]) -> Spoken:
    """Return words in a row. A word of several tokens shares its time among them by length."""
    kept = [word for word in words if word.text.strip()]
    tokens: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    of: list[int] = []
    latest = 0
    for number, (word, folded) in enumerate(zip(kept, fold_each([word.text for word in kept]), strict=True)):
        parts = folded.split()
        for token, start, end in _timed(parts, word.start_ms, word.end_ms):
            latest = max(latest, start)
            tokens.append(token)
            starts.append(latest)
            ends.append(max(end, latest))
            of.append(number)
    return Spoken(tuple(tokens), tuple(starts), tuple(ends), tuple(of), tuple(word.text.strip() for word in kept))


def _timed(parts: Sequence[str], start_ms: int, end_ms: int) -> Iterable[tuple[str, int, int]]:
    if len(parts) == 1:
        return ((parts[0], start_ms, end_ms),)
    whole, before, timed = max(sum(map(len, parts)), 1), 0, []
    for part in parts:
        after = before + len(part)
        span = end_ms - start_ms
        timed.append((part, start_ms + span * before // whole, start_ms + span * after // whole))
        before = after
    return timed
