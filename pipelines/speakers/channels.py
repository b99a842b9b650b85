"""Interviews with a microphone and a channel of the sound for each of two speakers.

Who speaks is then known better from the channels than from the voices. Channels are told to be two speakers' by when
they are active: where somebody is heard in either, the one is active while the other is not. In most recordings with
two channels both are active at once, since they are the same sound or one room's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pipelines.media.files import probe, stream_audio
from pipelines.media.samples import SAMPLE_RATE, AudioBlock
from pipelines.speakers.base import Diarization, Diarizer, Report, Turn

Active: TypeAlias = npt.NDArray[np.bool_]
"""Whether each channel is active in each frame, shape ``(frames, 2)``."""

FRAME = SAMPLE_RATE // 10
BELOW_DB = 20.0
"""How far below the level of its loud tenth of all frames a channel is still active: a voice from the other microphone
is quieter than that."""
QUIET_DB = -55.0
"""Mean power of a frame, of full scale, below which nobody is heard in it."""
APART = -0.5
"""The correlation of the activity of two channels, where either is active, below which they are two speakers'."""
LEAST = 30
"""Frames in which each of the two must be active alone."""
SOON, TOGETHER = 1_800, 0.5
"""After how many frames channels are given up that are both active in more than such a part of them: decoding takes
time, and a recording of two channels is an interview seldom."""
MARGIN = 3
"""Frames before and after those in which a channel is active that are heard as well."""


def hear(diarizer: Diarizer, path: Path, most: int | None, report: Report) -> Diarization:
    """Return who speaks when in a recording; where each of two channels is a speaker's, from the channels.

    Raises:
        ItemError: it cannot be decoded, as `pipelines.media.files.stream_audio` says.
        TranscriberError: the diarizer gave up.
    """
    info = probe(path)
    if info.heard and info.heard.channels == 2 and info.channel is None:
        with closing(stream_audio(path, channel=0)) as left, closing(stream_audio(path, channel=1)) as right:
            active = separate(zip(left, right, strict=False))
        if active is not None:
            return by_channel(diarizer, lambda number: stream_audio(path, channel=number), active, report)
    return diarizer.diarize(stream_audio(path), most, report)


def separate(blocks: Iterable[tuple[AudioBlock, ...]]) -> Active | None:
    """Return when each of two channels is active; None where they are not two speakers', which shows soon mostly."""
    levels = np.zeros((0, 2))
    for some in _levels(blocks):
        levels = np.concatenate([levels, some])
        if len(levels) - len(some) < SOON <= len(levels) and _active(levels).all(axis=1).mean() > TOGETHER:
            return None
    active = _active(levels)
    heard = active[active.any(axis=1)]
    alone = heard & ~heard[:, ::-1]
    apart = min(alone.sum(axis=0)) >= LEAST and np.corrcoef(heard.T.astype(float))[0, 1] <= APART
    return active if apart else None


def _active(levels: npt.NDArray[np.float64]) -> Active:
    if not len(levels):
        return np.zeros((0, 2), dtype=bool)
    return np.asarray(levels >= np.maximum(np.quantile(levels, 0.9, axis=0) - BELOW_DB, QUIET_DB))


def by_channel(
    diarizer: Diarizer, channel: Callable[[int], Iterable[AudioBlock]], active: Active, report: Report
) -> Diarization:
    """Return who speaks when, if each channel is a speaker's.

    Args:
        diarizer: what hears when somebody speaks in a channel.
        channel: opens one by its number.
        active: when each is active: what is heard elsewhere is the other speaker.
        report: told of the progress, both channels together.
    """
    seconds = len(active) * FRAME / SAMPLE_RATE
    turns, voices = [], []
    for number in (0, 1):
        sound = _gated(channel(number), active[:, number], active[:, 1 - number])
        found = diarizer.diarize(sound, 1, lambda done, nth=number: report((done + nth * seconds) / 2))  # type: ignore[misc]
        others = active[:, 1 - number] & ~active[:, number]
        turns += [replace(turn, voice=number) for each in found.turns if (turn := _trimmed(each, others))]
        voices.append(found.voices[:1])
    turns.sort(key=lambda turn: (turn.start_ms, turn.voice))
    order = list(dict.fromkeys(turn.voice for turn in turns))
    return Diarization(
        tuple(replace(turn, voice=order.index(turn.voice)) for turn in turns),
        tuple(vector for number in order for vector in voices[number]),
    )


def _trimmed(turn: Turn, others: npt.NDArray[np.bool_]) -> Turn | None:
    """Return a turn without what only the other speaker says at its beginning and end; None where nothing is left."""
    first = turn.start_ms * 16 // FRAME
    own = np.flatnonzero(~others[first : -(-turn.end_ms * 16 // FRAME)])
    if not len(own):
        return None
    start, end = ((first + int(frame)) * FRAME // 16 for frame in (own[0], own[-1] + 1))
    return Turn(max(turn.start_ms, start), min(turn.end_ms, end), turn.voice)


def _gated(
    blocks: Iterable[AudioBlock], active: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]
) -> Iterator[AudioBlock]:
    """Yield a channel's sound with silence where it is not active, or nearly so and the other one is not."""
    near = active | ((np.convolve(active, np.ones(2 * MARGIN + 1), "same") > 0) & ~other)
    at = 0
    for block in blocks:
        frames = np.minimum((at + np.arange(len(block))) // FRAME, max(len(near) - 1, 0))
        yield np.where(near[frames], block, np.float32(0)) if len(near) else block
        at += len(block)


def _levels(blocks: Iterable[tuple[AudioBlock, ...]]) -> Iterator[npt.NDArray[np.float64]]:
    """Yield the mean power of each whole frame in decibels, shape ``(frames, 2)``."""
    held = np.zeros((2, 0), dtype=np.float32)
    for pair in blocks:
        length = min(map(len, pair))
        held = np.concatenate([held, np.stack([block[:length] for block in pair])], axis=1)
        frames = held.shape[1] // FRAME
        cut = held[:, : frames * FRAME].reshape(2, frames, FRAME)
        yield 10 * np.log10(np.square(cut, dtype=np.float64).mean(axis=2).T + 1e-10)
        held = held[:, frames * FRAME :]
