"""Recordings too long for one task: parts of them that begin and end in pauses, and the transcript joined of theirs.

A recording is divided evenly, and each cut is moved to the longest pause near it. Whoever hears a part looks for
its pauses in the part's own sound: the neighbour on the other side looks in the same sound and finds the same,
so that parts need nothing of each other, and may be heard at once on several machines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from metadata.languages import UNDETERMINED
from metadata.model import Segment, Transcript
from pipelines.errors import SeamError
from pipelines.media.samples import SAMPLE_RATE, AudioBlock
from pipelines.transcribers.script import in_one_script
from pipelines.transcribers.speech import FRAME, Detector, detect_speech, spans

LONGEST_MS = 4 * 3_600_000
"""What is heard in one task."""
REACH_MS = 150_000
"""How far from its place a cut is moved to a pause, unless parts are too short for that."""
TOLERANCE_MS = 1_000
"""By how much neighbours may differ in where they meet: rounding differs between processors, and it is a pause."""

_MS = SAMPLE_RATE // 1000


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a recording, in milliseconds: from about where to about where.

    Attributes:
        number: from 0.
        of: how many there are.
        end_ms: None is the recording's end, wherever that is.
        reach_ms: how far its pauses are looked for.
    """

    number: int = 0
    of: int = 1
    start_ms: int = 0
    end_ms: int | None = None
    reach_ms: int = 0

    @property
    def first_ms(self) -> int:
        """Where the sound begins that has to be decoded."""
        return self.start_ms - self.reach_ms if self.number else 0

    @property
    def last_ms(self) -> int | None:
        """Where it ends."""
        return None if self.end_ms is None else self.end_ms + self.reach_ms


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard in a part, with the times of the part.

    Attributes:
        start_ms: where in the recording the part begins.
        end_ms: where the next one does; None for the last.
    """

    transcript: Transcript
    start_ms: int = 0
    end_ms: int | None = None


def divide(duration_ms: int | None, longest_ms: int = LONGEST_MS) -> tuple[Chunk, ...]:
    """Divide a recording evenly into as few parts as can be, none of them much longer than ``longest_ms``."""
    count = -(-(duration_ms or 0) // longest_ms)
    if duration_ms is None or count < 2:
        return (Chunk(),)
    reach = min(REACH_MS, duration_ms // count // 4)
    cuts = [duration_ms * number // count for number in range(count)]
    ends = [*cuts[1:], None]
    return tuple(Chunk(number, count, *cut, reach) for number, cut in enumerate(zip(cuts, ends, strict=True)))


class ChunkAudio:
    """The sound of a part: what it is given, without what lies outside of the part's pauses.

    Args:
        audio: consecutive blocks from `Chunk.first_ms` to `Chunk.last_ms`.
        part: which.
        detect: where someone speaks.

    Attributes:
        start_ms: where the part begins, once the first block was given.
        end_ms: where it ends, once the last was.
    """

    def __init__(self, audio: Iterable[AudioBlock], part: Chunk, detect: Detector = detect_speech) -> None:
        self._tape = _Tape(audio)
        self._part = part
        self._detect = detect
        self.start_ms = 0
        self.end_ms: int | None = None

    def __iter__(self) -> Iterator[AudioBlock]:
        """Give the sound in blocks."""
        part, around = self._part, 2 * self._part.reach_ms * _MS
        left = None if part.last_ms is None else (part.last_ms - part.first_ms) * _MS - around
        if part.number:
            before = self._tape.read(around)
            at = pause(before, self._detect)
            self.start_ms = part.first_ms + at // _MS
            left = None if left is None else left - len(before)
            yield before[at:]
        yield from self._tape.blocks(left)
        if part.end_ms is not None:
            after = self._tape.read(around)
            at = pause(after, self._detect)
            self.end_ms = part.end_ms - part.reach_ms + at // _MS
            yield after[:at]


def pause(samples: AudioBlock, detect: Detector = detect_speech) -> int:
    """Return the middle of the longest pause, as a number of samples; of equal ones, of that nearest the middle.

    Where nobody pauses it is where speech is least likely.
    """
    if not len(samples):
        return 0
    speech = detect(np.pad(samples, (0, -len(samples) % FRAME)))
    stretches = spans(speech)
    edges = [0, *(edge for stretch in stretches for edge in stretch), len(speech)]
    first, last = max(
        zip(edges[::2], edges[1::2], strict=True),
        key=lambda gap: (gap[1] - gap[0], -abs(gap[0] + gap[1] - len(speech))),
    )
    at = (first + last) // 2 if last > first else int(np.argmin(speech))
    return min(at * FRAME, len(samples))


def join(heard: Sequence[Heard]) -> Transcript:
    """Return the transcript of a recording from those of its parts, in order.

    Its language is that of the first part in which someone speaks, as it is of a recording that is heard at once.

    Raises:
        SeamError: two parts do not meet.
    """
    for before, after in pairwise(heard):
        if before.end_ms is None or abs(before.end_ms - after.start_ms) > TOLERANCE_MS:
            raise SeamError(
                f"its parts do not meet: one ends at {before.end_ms} ms, the next begins at {after.start_ms}"
            )
    transcripts = [each.transcript for each in heard]
    spoken = (each.language for each in transcripts if each.language != UNDETERMINED)
    language = next(spoken, UNDETERMINED)
    whole = replace(
        transcripts[0],
        language=language,
        duration_ms=max(
            each.start_ms + each.transcript.duration_ms
            for each in heard
            if each.transcript.duration_ms or not each.start_ms
        ),
        segments=tuple(segment for each in heard for segment in _placed(each, language)),
    )
    return in_one_script(whole)


def _placed(heard: Heard, language: str) -> Iterator[Segment]:
    """Yield the segments of a part with the times of the recording, and with their language where it is another."""
    own = None if heard.transcript.language in {language, UNDETERMINED} else heard.transcript.language
    by = heard.start_ms
    for segment in heard.transcript.segments:
        words = tuple(replace(word, start_ms=word.start_ms + by, end_ms=word.end_ms + by) for word in segment.words)
        yield replace(
            segment,
            start_ms=segment.start_ms + by,
            end_ms=segment.end_ms + by,
            words=words,
            language=segment.language or own,
        )


class _Tape:
    """Blocks of audio that are read in lengths of one's choice."""

    def __init__(self, audio: Iterable[AudioBlock]) -> None:
        self._audio = iter(audio)
        self._held = np.zeros(0, dtype=np.float32)

    def blocks(self, count: int | None) -> Iterator[AudioBlock]:
        """Yield as many samples as are asked for, or all, so far as there are any."""
        while count is None or count > 0:
            if not len(self._held):
                block = next(self._audio, None)
                if block is None:
                    return
                self._held = block
            given, self._held = self._held[:count], self._held[len(self._held) if count is None else count :]
            count = None if count is None else count - len(given)
            yield given

    def read(self, count: int) -> AudioBlock:
        """Return as many samples as are asked for, so far as there are any."""
        return np.concatenate([np.zeros(0, dtype=np.float32), *self.blocks(count)])
