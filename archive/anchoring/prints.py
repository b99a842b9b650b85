"""What is kept of an earlier version of a transcript: enough to confirm a quotation, and not the words.

A version's prints are one short digest for every run of `RUN` words, with the time at which the run's last word
begins. Whoever knows what a version said can confirm it, and the clocks of two versions can be compared where they say
the same; the words themselves are not there. What was taken back has no digests: nothing about it can be confirmed.

A digest is the first four bytes of BLAKE2s (RFC 7693), keyed by the version's name, so that no table of digests serves
for two versions. A quotation is confirmed by several digests that follow each other.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2s

import msgspec

from archive.anchoring.spoken import Spoken

RUN = 4
"""Words that one digest is made of. At the beginning, what is missing before the first word counts as empty."""
NEEDED = 3
"""Digests that confirm a quotation, at least; 96 bits."""
NOTHING = 0
"""Stands for a run of which words were taken back."""

Span = tuple[int, int]
"""From when to when, in milliseconds."""


class _Packed(msgspec.Struct, array_like=True, frozen=True):
    digests: bytes
    steps: bytes
    withheld: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Prints:
    """The prints of a version.

    Attributes:
        digests: one for each token, of the run that ends with it.
        starts: when each token begins, in milliseconds.
        withheld: from when to when words were taken back, in order.
    """

    digests: tuple[int, ...]
    starts: tuple[int, ...]
    withheld: tuple[Span, ...] = ()
    places: dict[int, list[int]] = field(default_factory=dict)
    """Where each digest stands."""


def prints_of(said: Spoken, version: str, withheld: Iterable[Span] = ()) -> Prints:
    """Return the prints of what is said in a version, but for the words that were taken back."""
    gone = tuple(sorted(withheld))
    digests = digest_runs(said.tokens, version)
    for place in range(len(digests)) if gone else ():
        start, end = said.starts[max(place - RUN + 1, 0)], said.ends[place]
        if any(start < last and end > first for first, last in gone):
            digests[place] = NOTHING
    return _placed(digests, said.starts, gone)


def digest_runs(tokens: Sequence[str], version: str, *, from_start: bool = True) -> list[int]:
    """Return the digest of each run of words, by the token that it ends with.

    Args:
        tokens: folded words that follow each other.
        version: the name of the version in whose prints they are looked for.
        from_start: whether the words are the first of the transcript; else the first runs are left out.
    """
    key = version.encode()[:32]
    padded = [""] * (RUN - 1) + list(tokens) if from_start else list(tokens)
    runs = ("\0".join(padded[place : place + RUN]) for place in range(len(padded) - RUN + 1))
    return [int.from_bytes(blake2s(run.encode(), digest_size=4, key=key).digest(), "little") or 1 for run in runs]


def pack(prints: Prints) -> bytes:
    """Return prints as bytes; about five a word."""
    steps = array("i", (start - before for start, before in zip(prints.starts, (0, *prints.starts), strict=False)))
    packed = _Packed(_bytes(array("I", prints.digests)), _bytes(steps), prints.withheld)
    return zlib.compress(msgspec.msgpack.encode(packed), 6)


def unpack(data: bytes) -> Prints:
    """Return the prints that `pack` wrote.

    Raises:
        zlib.error: the data is something else.
        msgspec.DecodeError: likewise.
    """
    packed = msgspec.msgpack.decode(zlib.decompress(data), type=_Packed)
    starts, at = [], 0
    for step in _read("i", packed.steps):
        at += step
        starts.append(at)
    return _placed(_read("I", packed.digests), starts, packed.withheld)


def _placed(digests: Sequence[int], starts: Sequence[int], withheld: tuple[Span, ...]) -> Prints:
    places: dict[int, list[int]] = {}
    for place, digest in enumerate(digests):
        if digest != NOTHING:
            places.setdefault(digest, []).append(place)
    return Prints(tuple(digests), tuple(starts), withheld, places)


def _bytes(numbers: array[int]) -> bytes:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _read(kind: str, data: bytes) -> array[int]:
    numbers = array(kind)
    numbers.frombytes(data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def confirmed(prints: Prints, version: str, quote: tuple[Sequence[str], Sequence[str], Sequence[str]]) -> list[int]:
    """Return where a version says a quotation: the positions of its first word; none where that is not certain.

    Every word of the quotation must be in a run whose digest is there, at its place, and no digest that is there may
    contradict. Of a long transcript at least `NEEDED` digests must agree.

    Args:
        prints: the version's.
        version: its name.
        quote: folded words before the quotation, of it, and after it.
    """
    before, exact, after = quote
    tokens = [*before, *exact, *after]
    if not exact:
        return []
    at_start = digest_runs(tokens[: RUN - 1 + len(exact)], version)
    inside = digest_runs(tokens, version, from_start=False)
    first = len(before)
    found = []
    if not before and _agrees(prints, 0, at_start[: len(exact)], needed=min(len(exact), NEEDED)):
        found.append(0)
    for place in _candidates(prints, inside):
        # ``place`` is where the run of the first RUN tokens ends.
        begin = place - (RUN - 1)
        if begin >= 0 and _covers(prints, place, inside, (first, first + len(exact))):
            found.append(begin + first)
    return sorted(set(found))


def _candidates(prints: Prints, runs: Sequence[int]) -> set[int]:
    """Return where a row of runs may begin: where a rare one of them is, as if the whole row were there."""
    there = [(len(prints.places[run]), number, run) for number, run in enumerate(runs) if run in prints.places]
    return {place - number for _, number, run in sorted(there)[:2] for place in prints.places[run][:1000]}


def _agrees(prints: Prints, place: int, runs: Sequence[int], *, needed: int) -> bool:
    there = prints.digests[place : place + len(runs)]
    return len(there) == len(runs) >= needed and all(one == other for one, other in zip(there, runs, strict=True))


def _covers(prints: Prints, place: int, runs: Sequence[int], exact: Span) -> bool:
    """Return whether digests confirm the tokens of a quotation, which begins at a place."""
    covered: set[int] = set()
    agreeing = 0
    for number, run in enumerate(runs):
        at = place + number
        there = prints.digests[at] if 0 <= at < len(prints.digests) else NOTHING
        if there == run:
            agreeing += 1
            covered.update(range(number, number + RUN))
        elif there != NOTHING:
            return False
    return agreeing >= NEEDED and covered.issuperset(range(*exact))
