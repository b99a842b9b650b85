"""Where someone speaks, and the windows in which that is decoded.

Silero VAD (Silero Team 2021-, https://github.com/snakers4/silero-vad; version 6 ships inside faster-whisper)
gives a probability for every frame of 512 samples. Whisper hears 30 seconds at once, so speech is packed
into windows of at most that, cut where the speaker pauses; long pauses are left out, and what holds no
speech is never decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipelines.media.samples import SAMPLE_RATE, AudioBlock, stretches

FRAME = 512
"""Samples in a frame: 32 ms."""
FRAMES_PER_SECOND = SAMPLE_RATE / FRAME

Probabilities: TypeAlias = NDArray[np.float32]
"""Of speech, one for each frame, shape ``(n,)``."""
Detector: TypeAlias = Callable[[AudioBlock], Probabilities]
Note: TypeAlias = Callable[[int, AudioBlock, Probabilities], None]
"""Takes the frame that a stretch of a recording begins at, the stretch, and its probabilities of speech."""

# Frames. The thresholds are Silero's own (get_speech_timestamps, threshold and neg_threshold).
_ONSET, _OFFSET = 0.5, 0.35
_WINDOW = int(29.5 * FRAMES_PER_SECOND)
_EARLIEST_CUT = int(18 * FRAMES_PER_SECOND)
_SHORTEST_PAUSE = 3
_LONG_PAUSE = int(2 * FRAMES_PER_SECOND)
_PAD = int(0.4 * FRAMES_PER_SECOND)
_MARGIN = int(0.2 * FRAMES_PER_SECOND)
_LONG_SPEECH = int(1.5 * FRAMES_PER_SECOND)
_LONGEST_WORD_MS = 1_000
_REACH = int(120 * FRAMES_PER_SECOND)
_CHAPTER = int(150 * FRAMES_PER_SECOND)


@dataclass(frozen=True, slots=True)
class WindowPart:
    """A stretch of a recording inside a window; all three count frames."""

    recording: int
    window: int
    length: int


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """What is decoded at once: the ``parts`` of a recording, one after the other.

    Attributes:
        samples: shape ``(frames * FRAME,)``.
        speech: of the same frames.
        parts: in order, without gaps in the window.
    """

    samples: AudioBlock
    speech: Probabilities
    parts: tuple[WindowPart, ...]

    def place(self, start: float, end: float) -> tuple[int, int]:
        """Return where a stretch of the window, in seconds, lies in the recording, in milliseconds.

        Both ends are placed by the part that holds the middle, and kept inside it.
        """
        middle = (start + end) / 2 * FRAMES_PER_SECOND
        part = next((part for part in self.parts if middle < part.window + part.length), self.parts[-1])
        frames = (max(part.window, min(x * FRAMES_PER_SECOND, part.window + part.length)) for x in (start, end))
        first, last = (round((x - part.window + part.recording) / FRAMES_PER_SECOND * 1000) for x in frames)
        return first, max(first, last)

    def speech_between(self, start: float, end: float) -> float:
        """Return the mean probability of speech in a stretch of the window, given in seconds."""
        first = min(int(start * FRAMES_PER_SECOND), len(self.speech) - 1)
        return float(np.mean(self.speech[first : max(first + 1, int(np.ceil(end * FRAMES_PER_SECOND)))]))

    def alone(self) -> Iterator[Window]:
        """Split the window into one for each part."""
        for part in self.parts:
            yield self._cut(part, part.window, part.window + part.length)

    def halves(self) -> tuple[Window, Window]:
        """Split a window of one part in two, where speech is least likely in its middle third, near the middle."""
        (part,) = self.parts
        third = part.length // 3
        off_middle = np.abs(np.arange(third, part.length - third) - part.length / 2) / part.length
        at = third + int(np.argmin(self.speech[third : part.length - third] + 0.1 * off_middle))
        return self._cut(part, 0, at), self._cut(part, at, part.length)

    def unheard(self, words: Iterable[tuple[int, int]]) -> list[Window]:
        """Return the stretches in which someone speaks for long and none of the words is said.

        Args:
            words: start and end of each, in milliseconds of the recording.
        """
        silent = np.ones(len(self.speech), dtype=bool)
        for start, end in words:
            # What a word seems to last beyond a second is often speech that was skipped.
            first, last = (x * FRAMES_PER_SECOND / 1000 for x in (start, min(end, start + _LONGEST_WORD_MS)))
            for part in self.parts:
                silent[self._frames(part, int(first), int(np.ceil(last)))] = False
        return [stretch for part in self.parts for stretch in self._missed(part, silent)]

    def _frames(self, part: WindowPart, first: int, last: int) -> slice:
        """Return the frames of the window that hold a stretch of the recording, so far as it lies in this part."""
        start, end = (min(max(x - part.recording, 0), part.length) for x in (first, last))
        return slice(part.window + start, part.window + end)

    def _missed(self, part: WindowPart, silent: NDArray[np.bool_]) -> Iterator[Window]:
        end = part.window + part.length
        for start, stop in stretches(silent[part.window : end]):
            first, last = start + part.window, stop + part.window
            spoken = np.flatnonzero(self.speech[first:last] >= _ONSET)
            if len(spoken) >= _LONG_SPEECH:
                near = int(first + spoken[0]) - _PAD, int(first + spoken[-1]) + 1 + _PAD
                yield self._cut(part, max(near[0], first), min(near[1], last))

    def _cut(self, part: WindowPart, first: int, last: int) -> Window:
        samples = self.samples[first * FRAME : last * FRAME]
        alone = WindowPart(part.recording + first - part.window, 0, last - first)
        return Window(samples, self.speech[first:last], (alone,))


def detect_speech(samples: AudioBlock) -> Probabilities:
    """Return the probability of speech for each whole frame."""
    # It brings onnxruntime, which takes a second to load, and only workers that decode need it.
    from faster_whisper.vad import get_vad_model

    return np.asarray(get_vad_model()(samples[: len(samples) // FRAME * FRAME]), dtype=np.float32).reshape(-1)


def pass_over(_start: int, _samples: AudioBlock, _speech: Probabilities) -> None:
    """Note nothing of a chapter."""


def windows(blocks: Iterable[AudioBlock], detect: Detector = detect_speech, note: Note = pass_over) -> Iterator[Window]:
    """Pack the speech of a recording into windows, in order.

    About three minutes of sound are held at a time. The last window of each such chapter waits for the
    next one, since more may belong into it.

    Args:
        blocks: of the recording, consecutive.
        detect: where someone speaks.
        note: is given each chapter, whose end the next one may repeat.
    """
    held = np.zeros(0, dtype=np.float32)
    start = 0
    for block in blocks:
        held = np.concatenate([held, block])
        if len(held) < _CHAPTER * FRAME:
            continue
        whole = held[: len(held) // FRAME * FRAME]
        speech = detect(whole)
        note(start, whole, speech)
        packed = list(_packed(whole, speech, start))
        yield from packed[:-1]
        following = packed[-1].parts[0].recording if packed else start + len(whole) // FRAME - _PAD
        held, start = held[(following - start) * FRAME :], following
    if len(held):
        whole = np.pad(held, (0, -len(held) % FRAME))
        speech = detect(whole)
        note(start, whole, speech)
        yield from _packed(whole, speech, start)


def cut(blocks: Iterable[AudioBlock], stretches: Sequence[tuple[int, int]]) -> Iterator[Window]:
    """Cut windows out of a recording: stretches in milliseconds, in order, none longer than a window.

    Whoever cuts knows that someone speaks there, so no speech is looked for.
    """
    reader = iter(blocks)
    held, start = np.zeros(0, dtype=np.float32), 0
    for begin_ms, end_ms in stretches:
        first = max(int(begin_ms * FRAMES_PER_SECOND / 1000) - _MARGIN, 0)
        last = min(int(end_ms * FRAMES_PER_SECOND / 1000) + 1 + _MARGIN, first + _WINDOW)
        while start + len(held) // FRAME < last and (block := next(reader, None)) is not None:
            held = np.concatenate([held, block])
            passed = min(max(first - start, 0), len(held) // FRAME)
            held, start = held[passed * FRAME :], start + passed
        samples = held[(first - start) * FRAME : (last - start) * FRAME]
        samples = np.pad(samples, (0, (last - first) * FRAME - len(samples)))
        yield Window(samples, np.ones(last - first, dtype=np.float32), (WindowPart(first, 0, last - first),))


def spans(speech: Probabilities) -> list[tuple[int, int]]:
    """Return the stretches of speech between pauses, as frames ``[start, end)``.

    A stretch begins where the probability reaches 0.5 and ends where it falls below 0.35; one that fits no
    window is cut where speech is least likely.
    """
    found: list[tuple[int, int]] = []
    begun: int | None = None
    for i, probability in enumerate(speech):
        if begun is None and probability >= _ONSET:
            begun = i
        elif begun is not None and probability < _OFFSET:
            found.append((begun, i))
            begun = None
    if begun is not None:
        found.append((begun, len(speech)))
    merged: list[tuple[int, int]] = []
    for start, end in found:
        if merged and start - merged[-1][1] < _SHORTEST_PAUSE:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return [piece for start, end in merged for piece in _short(speech, start, end)]


def _short(speech: Probabilities, start: int, end: int) -> Iterator[tuple[int, int]]:
    longest = _WINDOW - 2 * _PAD
    while end - start > longest:
        cut = start + longest // 2 + int(np.argmin(speech[start + longest // 2 : start + longest]))
        yield start, cut
        start = cut
    yield start, end


def _packed(samples: AudioBlock, speech: Probabilities, start: int) -> Iterator[Window]:
    """Pack a chapter whose first frame is the recording's frame ``start``."""
    left = spans(speech)
    floor = 0
    while left:
        count = _fitting(left)
        # Two windows meet in the middle of the pause between them.
        ceiling = (left[count - 1][1] + left[count][0]) // 2 if count < len(left) else len(speech)
        stretches = [(max(first - _PAD, floor), min(last + _PAD, ceiling)) for first, last in _joined(left[:count])]
        yield _window(samples, speech, stretches, start)
        left, floor = left[count:], ceiling


def _window(samples: AudioBlock, speech: Probabilities, stretches: Sequence[tuple[int, int]], start: int) -> Window:
    frames = np.concatenate([np.arange(first, last) for first, last in stretches])
    parts: list[WindowPart] = []
    for first, last in stretches:
        offset = parts[-1].window + parts[-1].length if parts else 0
        parts.append(WindowPart(start + first, offset, last - first))
    return Window(samples.reshape(-1, FRAME)[frames].reshape(-1), speech[frames], tuple(parts))


def _fitting(left: Sequence[tuple[int, int]]) -> int:
    """Return how many stretches make the next window: as many as fit, back to the longest late pause."""
    count = 1
    while count < len(left) and _length(left[: count + 1]) <= _WINDOW and left[count][1] - left[0][0] <= _REACH:
        count += 1
    if count == len(left) or left[count][1] - left[0][0] > _REACH:
        return count
    late = [i for i in range(1, count + 1) if _length(left[:i]) >= _EARLIEST_CUT]
    return max(late, key=lambda i: left[i][0] - left[i - 1][1], default=count)


def _length(chosen: Sequence[tuple[int, int]]) -> int:
    return sum(last - first + 2 * _PAD for first, last in _joined(chosen))


def _joined(chosen: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join stretches over short pauses, which stay as they are."""
    joined: list[tuple[int, int]] = []
    for first, last in chosen:
        if joined and first - joined[-1][1] < _LONG_PAUSE:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined
