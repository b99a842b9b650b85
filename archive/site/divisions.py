"""Where a recording may be entered: its parts, for search engines, podcast players and viewers of libraries.

Nobody has named these parts. Each begins after a pause, is at least a minute long, and is called by its first words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from archive.site.records import Reader, Recording, Segment

PAUSE_MS = 1_500
PART_MS = 60_000
NAME = 80
"""Characters of a part's name."""
MAX_SEGMENTS = 20_000


class Division(NamedTuple):
    """A part of a recording."""

    start_ms: int
    end_ms: int
    title: str


def heard(reader: Reader, recording: Recording) -> tuple[Segment, ...]:
    """Return what was said in a recording, without what is doubtful."""
    if recording.transcript is None:
        return ()
    segments = reader.segments(recording.transcript.version, -1, MAX_SEGMENTS, words=False)
    return tuple(each for each in segments if not each.flags)


def divide(segments: Sequence[Segment], duration_ms: int | None) -> tuple[Division, ...]:
    """Return the parts of a recording, in order; none where nothing was said."""
    if not segments:
        return ()
    begins = list(_beginnings(segments))
    ends = [*(each.start_ms for each in begins[1:]), max(duration_ms or 0, segments[-1].end_ms)]
    return tuple(
        Division(each.start_ms, end_ms, each.text.strip()[:NAME]) for each, end_ms in zip(begins, ends, strict=True)
    )


def _beginnings(segments: Sequence[Segment]) -> Iterator[Segment]:
    last, began = None, 0
    for each in segments:
        after_pause = last is not None and each.start_ms - last.end_ms >= PAUSE_MS
        if last is None or (after_pause and each.start_ms - began >= PART_MS):
            began = each.start_ms
            yield each
        last = each
