"""From local speakers and voices to turns: who of a recording's voices speaks in each frame.

Each local speaker gets the voice that its windows are most like, no two of a chunk the same one. Where single windows
are clearly of another voice, they get that: segmentation takes two similar speakers for one at times. Where chunks
overlap, they are averaged, the middle of each weighing most, and as many voices speak as the chunks heard speakers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pipelines.media.samples import SAMPLE_RATE
from pipelines.speakers.base import Turn
from pipelines.speakers.clustering import Vectors
from pipelines.speakers.local import FIRST_CENTRE, FRAME_SHIFT, Activity

Named: TypeAlias = npt.NDArray[np.int16]
"""The voice of each local speaker in each frame of a chunk, or -1, shape ``(589, 3)``."""

CLEARLY = 0.1
"""By how much a window must be more like another voice to get that."""
SLAB = 20_000
"""Frames that are put together at once: more than five minutes."""
AT_ONCE = 3
"""Voices that may speak at once, as many as chunks tell apart."""
SHORTEST_MS = 100
"""Turns and gaps that are too short to be any."""


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What was heard in a chunk.

    Attributes:
        start: its first sample in the recording.
        activity: of its local speakers.
        windows: the local speaker, the middle as a frame, the seconds and the number of the vector of each window.
    """

    start: int
    activity: Activity
    windows: tuple[tuple[int, int, float, int], ...] = field(default=())

    @property
    def offset(self) -> int:
        """Its first frame, on the recording's grid of frames."""
        return round(self.start / FRAME_SHIFT)


def name_all(heard: Sequence[Heard], vectors: Vectors, voices: Vectors) -> list[Named]:
    """Return the voices of all local speakers. Who is too short for a window gets the voice of who it overlaps."""
    named = [_name(each, vectors, voices) for each in heard]
    for _ in range(2):
        for number, each in enumerate(heard):
            near = [other for other in (number - 1, number + 1) if 0 <= other < len(heard)]
            for speaker in np.flatnonzero(each.activity.any(axis=0) & (named[number] < 0).all(axis=0)):
                votes = sum(
                    (_overlap(heard[o], named[o], each, int(speaker), len(voices)) for o in near), np.zeros(len(voices))
                )
                if len(votes) and votes.max() > 0:
                    named[number][:, speaker] = votes.argmax()
    return named


def turns(heard: Sequence[Heard], named: Sequence[Named], voices: int, duration_ms: int) -> Iterator[Turn]:
    """Yield the turns of all voices, in order of their beginnings."""
    frames = -(-duration_ms * SAMPLE_RATE // 1000 // FRAME_SHIFT)
    begun: dict[int, int] = {}
    found: list[tuple[int, int, int]] = []
    before = np.zeros(voices, dtype=bool)
    for first in range(0, frames, SLAB):
        last = min(first + SLAB, frames)
        speaking = _put_together(heard, named, voices, first, last)
        steps = np.diff(np.concatenate([before[None], speaking]).astype(np.int8), axis=0)
        for frame, voice in zip(*np.nonzero(steps), strict=True):
            if steps[frame, voice] > 0:
                begun[int(voice)] = first + int(frame)
            else:
                found.append((begun.pop(int(voice)), first + int(frame), int(voice)))
        before = speaking[-1]
    found += [(start, frames, voice) for voice, start in begun.items()]
    yield from _smoothed(found, duration_ms)


def _name(heard: Heard, vectors: Vectors, voices: Vectors) -> Named:
    named = np.full(heard.activity.shape, -1, dtype=np.int16)
    speakers = sorted({window[0] for window in heard.windows})
    if not speakers or not len(voices):
        return named
    likeness = {s: [(w, voices @ vectors[w[3]]) for w in heard.windows if w[0] == s] for s in speakers}
    whole = [
        np.average([like for _, like in likeness[s]], axis=0, weights=[w[2] for w, _ in likeness[s]]) for s in speakers
    ]
    for speaker, voice in zip(speakers, _assigned(np.array(whole)), strict=True):
        named[:, speaker] = voice
        best = [int(like.argmax()) if like.max() - like[voice] > CLEARLY else voice for _, like in likeness[speaker]]
        if any(each != voice for each in best):
            centres = np.array([window[1] for window, _ in likeness[speaker]])
            nearest = np.abs(np.arange(len(named))[:, None] - centres).argmin(axis=1)
            named[:, speaker] = np.array(best)[nearest]
    return named


def _assigned(likeness: npt.NDArray[np.float64]) -> tuple[int, ...]:
    """Return the voice of each local speaker: the likest in all, no two the same unless there are too few voices."""
    count, voices = likeness.shape
    if count > voices:
        return tuple(int(voice) for voice in likeness.argmax(axis=1))
    # Only the likest voices of each can be in the best choice, so that few choices are tried.
    few = sorted({int(v) for row in likeness for v in np.argsort(-row)[:count]})
    return max(permutations(few, count), key=lambda choice: sum(likeness[s, v] for s, v in enumerate(choice)))


def _overlap(other: Heard, named: Named, heard: Heard, speaker: int, voices: int) -> npt.NDArray[np.float64]:
    """Return for how many frames each voice speaks in another chunk while a local speaker speaks in this one."""
    shift = heard.offset - other.offset
    length = len(heard.activity)
    here = slice(max(0, -shift), min(length, length - shift))
    there = slice(here.start + shift, here.stop + shift)
    speaking = other.activity[there] & heard.activity[here, speaker, None] & (named[there] >= 0)
    return np.bincount(named[there][speaking], minlength=voices).astype(np.float64)


def _put_together(
    heard: Sequence[Heard], named: Sequence[Named], voices: int, first: int, last: int
) -> npt.NDArray[np.bool_]:
    """Return who speaks in the recording's frames from ``first`` to before ``last``, shape ``(frames, voices)``."""
    votes = np.zeros((last - first, voices), dtype=np.float32)
    count, weight = np.zeros(last - first, dtype=np.float32), np.zeros(last - first, dtype=np.float32)
    for each, its in zip(heard, named, strict=True):
        length = len(each.activity)
        start, end = max(each.offset, first), min(each.offset + length, last)
        if start >= end:
            continue
        chunk, slab = slice(start - each.offset, end - each.offset), slice(start - first, end - first)
        window = np.hamming(length)[chunk].astype(np.float32)
        speaking = np.zeros((end - start, voices), dtype=bool)
        frames, speakers = np.nonzero(each.activity[chunk] & (its[chunk] >= 0))
        speaking[frames, its[chunk][frames, speakers]] = True
        votes[slab] += speaking * window[:, None]
        count[slab] += each.activity[chunk].sum(axis=1) * window
        weight[slab] += window
    many = np.rint(count / np.maximum(weight, 1e-6))
    found = np.zeros(votes.shape, dtype=bool)
    order = np.argsort(-votes, axis=1)[:, :AT_ONCE]
    for rank in range(order.shape[1]):
        voice = order[:, rank]
        frames = np.flatnonzero((many > rank) & (votes[np.arange(len(votes)), voice] > 0))
        found[frames, voice[frames]] = True
    return found


def _smoothed(found: Iterable[tuple[int, int, int]], duration_ms: int) -> list[Turn]:
    """Return turns in milliseconds, without gaps and turns that are too short."""
    by_voice: dict[int, list[list[int]]] = {}
    for start, end, voice in sorted(found):
        first, last = (round((frame * FRAME_SHIFT + FIRST_CENTRE - FRAME_SHIFT // 2) / 16) for frame in (start, end))
        its = by_voice.setdefault(voice, [])
        if its and first - its[-1][1] < SHORTEST_MS:
            its[-1][1] = last
        else:
            its.append([first if start else 0, last])
    return sorted(
        (
            Turn(start, min(end, duration_ms), voice)
            for voice, its in by_voice.items()
            for start, end in its
            if min(end, duration_ms) - start >= SHORTEST_MS
        ),
        key=lambda turn: (turn.start_ms, turn.voice),
    )
