"""Local speakers: who speaks when within ten seconds of sound, and windows of speech in which one of them is alone.

segmentation-3.0 hears ten seconds at once and tells up to three speakers apart there, two at a time, but not who they
are. So a recording is heard in chunks of ten seconds that overlap. The middle of a chunk is known best; each gives
windows of 1.5 seconds from there, for CAM++ to make vectors of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pipelines.media.samples import SAMPLE_RATE, AudioBlock
from pipelines.speakers.features import SHIFT, Features, features
from pipelines.transcribers.speech import FRAME, Detector, Probabilities, detect_speech

Activity: TypeAlias = npt.NDArray[np.bool_]
"""Who speaks in each frame of a chunk, shape ``(589, 3)``."""

CHUNK = 10 * SAMPLE_RATE
FRAMES = 589
"""Of segmentation in a chunk."""
STEP = 15 * SAMPLE_RATE // 2
"""From the beginning of one chunk to that of the next."""
CLOSE_STEP = 5 * SAMPLE_RATE
"""The same in the first minute: a short recording leaves little else to tell voices by."""
CLOSELY = 60 * SAMPLE_RATE
FRAME_SHIFT = 270
"""Samples from one frame of segmentation to the next."""
FIRST_CENTRE = 495
"""Samples from a chunk's beginning to the middle of its first frame, which is 991 samples long."""
WINDOW = 150
"""Frames of features in a window, of 10 ms."""
SHORTEST = 24
"""Frames of features of which a window can be made; they are repeated until it is full."""
CERTAIN = 0.9
"""Mean probability of what segmentation says while a local speaker is active, below which it is unsure."""
HEARD = 0.1
"""Least probability of speech that the transcript's detector gives near somebody who speaks, and on average while
somebody does: it is 0.03 at most for humming, and 0.18 for whispering."""
LEVEL = 0.06
"""Root mean square at which the detector hears a local speaker: it hears no whispering that is quieter."""
SOME, PLAINLY = 120, 0.5
"""Frames of segmentation in the middle of what a local speaker says, two seconds, and the probability of speech there
from which the detector need not hear all of it."""
NEAR = 15
"""Frames of that detector that are near, before and after: half a second."""
CLASSES = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]], dtype=bool)
"""Who speaks in each class of segmentation-3.0's output, in its order (https://arxiv.org/abs/2310.13025)."""


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Ten seconds of a recording.

    Attributes:
        start: its first sample in the recording.
        own: the samples of the recording for which it is responsible: from the first to before the second.
        samples: shape ``(CHUNK,)``, silent after the recording's end.
    """

    start: int
    own: tuple[int, int]
    samples: AudioBlock


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A stretch of one local speaker alone, as CAM++ hears it.

    Attributes:
        speaker: the local one.
        centre: its middle, as a frame of the chunk's segmentation.
        seconds: of speech in it.
        features: shape ``(WINDOW, 80)``, without their mean.
    """

    speaker: int
    centre: int
    seconds: float
    features: Features


def chunks(blocks: Iterable[AudioBlock]) -> Iterator[Chunk]:
    """Divide a recording into chunks. The last one ends where the recording does, unless that is shorter."""
    held, start, done = np.zeros(0, dtype=np.float32), 0, 0
    for block in blocks:
        held = np.concatenate([held, block])
        # A chunk waits for one more sample, which shows that it is not the last.
        while len(held) > CHUNK:
            step = CLOSE_STEP if start < CLOSELY else STEP
            end = start + (CHUNK + step) // 2
            yield Chunk(start, (done, end), held[:CHUNK])
            held, start, done = held[step:], start + step, end
    if start + len(held) <= done:
        return
    yield Chunk(start, (done, start + len(held)), np.pad(held, (0, CHUNK - len(held))))


def activity_of(
    log_probabilities: npt.NDArray[np.float32], samples: AudioBlock, detect: Detector = detect_speech
) -> Activity:
    """Return who speaks in samples, from segmentation's output, shape ``(589, 7)``.

    Segmentation takes music and humming for somebody's speech, and is unsure of it. A local speaker of whom it is
    unsure speaks only where the transcript's detector hears something near, and not at all where that hears next to
    nothing all the while: nothing else has words.
    """
    active = np.array(CLASSES[log_probabilities.argmax(axis=-1)])
    certain = np.exp(log_probabilities.max(axis=-1))
    for speaker in np.flatnonzero(active.any(axis=0)):
        its = active[:, speaker]
        if certain[its].mean() < CERTAIN:
            active[:, speaker] = its & _has_words(its, samples, detect)
    return active


def _has_words(active: npt.NDArray[np.bool_], samples: AudioBlock, detect: Detector) -> npt.NDArray[np.bool_]:
    """Return in which frames of segmentation the detector hears speech near; none where it does not while active."""
    frames = np.flatnonzero(active)
    some = frames[max(len(frames) - SOME, 0) // 2 :][:SOME]
    if _heard(some, samples, detect)[1].mean() >= PLAINLY:
        return np.ones_like(active)
    near, its = _heard(frames, samples, detect)
    return near >= HEARD if its.mean() >= HEARD else np.zeros_like(active)


def _heard(frames: npt.NDArray[np.intp], samples: AudioBlock, detect: Detector) -> tuple[Probabilities, Probabilities]:
    """Return how likely speech is near each frame of a chunk, so far as it is heard, and in some of them themselves."""
    middles = (np.arange(FRAMES) * FRAME_SHIFT + FIRST_CENTRE) // FRAME
    # The detector needs to hear what comes before.
    first, end = max(middles[frames[0]] - 2 * NEAR, 0), middles[frames[-1]] + NEAR + 1
    sound = samples[first * FRAME : end * FRAME]
    sound = np.pad(sound, (0, -len(sound) % FRAME))
    places = np.clip(middles - first, 0, len(sound) // FRAME - 1)
    power = np.square(sound).reshape(-1, FRAME).mean(axis=1)[places[frames]].mean()
    found = detect(sound * np.float32(LEVEL / max(np.sqrt(power), 1e-5)))
    near = np.lib.stride_tricks.sliding_window_view(np.pad(found, NEAR), 2 * NEAR + 1).max(axis=1)
    return near[places], found[places[frames]]


def windows(chunk: Chunk, activity: Activity) -> list[Window]:
    """Return windows in which a local speaker is alone, evenly over what the chunk is responsible for."""
    first, end = ((at - chunk.start) // SHIFT for at in chunk.own)
    if end <= first:
        return []
    heard = features(chunk.samples[first * SHIFT : end * SHIFT + FIRST_CENTRE])[: end - first]
    frames = np.clip(
        (np.arange(first, first + len(heard)) * SHIFT + 200 - FIRST_CENTRE) // FRAME_SHIFT, 0, len(activity) - 1
    )
    alone = activity & (activity.sum(axis=1, keepdims=True) == 1)
    found = []
    for speaker in range(activity.shape[1]):
        its = np.flatnonzero(alone[frames, speaker])
        for rows in _cut(its):
            window = heard[rows[np.arange(WINDOW) % len(rows)]]
            seconds = min(WINDOW, len(its)) / 100
            found.append(Window(speaker, int(np.median(frames[rows])), seconds, window - window.mean(axis=0)))
    return found


def _cut(rows: npt.NDArray[np.intp]) -> list[npt.NDArray[np.intp]]:
    """Return as many windows as fit into rows, evenly spread; too few rows make none."""
    if len(rows) < SHORTEST:
        return []
    count = max(1, round(len(rows) / WINDOW))
    starts = np.linspace(0, max(len(rows) - WINDOW, 0), count).round().astype(int)
    return [rows[start : start + WINDOW] for start in starts]
