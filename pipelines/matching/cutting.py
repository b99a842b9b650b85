"""Day-long recordings of a room: find where their sessions begin and end, and cut them.

The timetable says roughly when a session began and ended, and people pause before and after it. So a session begins at
the end of the longest pause near its planned start, and ends at the beginning of the longest pause near its planned
end; a pause that is twenty seconds farther away must be one second longer. Without a pause the planned times are used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np

from archive.catalogue.recordings import (
    NewRecording,
    Recording,
    add_recording,
    is_cut_for,
    note_cut,
    read_recording,
)
from archive.catalogue.transcripts import speech
from archive.connection import transaction
from archive.voices.carrying import carry_voices
from pipelines.errors import BrokenMediaError, ConfigError
from pipelines.matching.evidence import FileFacts, Talk, mentions
from pipelines.matching.proposals import file_of, talks
from pipelines.media import files as media
from pipelines.media.samples import SAMPLE_RATE
from pipelines.storage.archive_folder import Context, timestamp
from pipelines.storage.atomic import scratch
from pipelines.transcribers.speech import FRAME, Detector, detect_speech, spans

PAUSE_MS = 2_000
"""A silence of this length is a pause."""
LEAD_MS = 1_000
"""How much of the pause is kept before the first word and after the last."""
EARLY_MS, LATE_MS = 5 * 60_000, 15 * 60_000
"""How much earlier and later than planned a session may begin or end; its start may move by half its length at most."""
_DISTANCE = 20

Pause = tuple[int, int]
"""The beginning and the end of a silence, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A session's part of a recording, in milliseconds, and why it lies there.

    ``encoded`` says that it does not begin at a key frame, so that pictures and sound are encoded anew.
    """

    talk: Talk
    start_ms: int
    end_ms: int
    reasons: tuple[str, ...]
    encoded: bool = False


@dataclass(frozen=True, slots=True)
class Day:
    """A recording that may hold several sessions.

    Attributes:
        path: where it is in the store.
        started: when it began.
        talks: the sessions of its room, in order.
    """

    recording: Recording
    path: Path
    started: datetime
    talks: tuple[Talk, ...]


def plan(day: Sequence[Talk], started: datetime, duration_ms: int, pauses: Sequence[Pause]) -> list[Cut]:
    """Return the parts of a recording that are sessions, in order and without overlap.

    Args:
        day: the sessions of the room. Those without a start, or outside the recording, are left out.
        started: when the recording began, zoned.
        duration_ms: how long it is.
        pauses: in order.
    """
    planned = [(talk, round((talk.start - started) / timedelta(milliseconds=1))) for talk in day if talk.start]
    planned = sorted(((talk, at) for talk, at in planned if -LATE_MS < at < duration_ms), key=lambda each: each[1])
    begun: list[tuple[Talk, int, int, str]] = []
    for talk, at in planned:
        after = begun[-1][2] if begun else -1
        begun.append((talk, at, *_begin(at, talk.planned_ms or LATE_MS, [p for p in pauses if p[1] > after])))
    limits = [*(start for _, _, start, _ in begun), duration_ms][1:]
    found = []
    for (talk, at, start, why), limit in zip(begun, limits, strict=True):
        length = talk.planned_ms or max(limit - at, 0)
        end, because = _end(at + length, [p for p in pauses if start < p[0] < limit], min(limit, duration_ms))
        if start < end:
            found.append(Cut(talk, start, end, (why, because)))
    return found


def _begin(at: int, length: int, pauses: Sequence[Pause]) -> tuple[int, str]:
    early, late = min(EARLY_MS, length // 2), min(LATE_MS, length // 2)
    near = [pause for pause in pauses if at - early <= pause[1] <= at + late]
    if not near:
        return max(at, 0), "begins as planned"
    best = max(near, key=lambda pause: (pause[1] - pause[0]) - abs(pause[1] - at) / _DISTANCE)
    return max(best[1] - LEAD_MS, best[0]), f"begins after a pause of {(best[1] - best[0]) / 1000:.0f} s"


def _end(at: int, pauses: Sequence[Pause], limit: int) -> tuple[int, str]:
    near = [pause for pause in pauses if at - LATE_MS <= pause[0] <= at + LATE_MS]
    if not near:
        return min(max(at, 0), limit), "ends as planned" if at <= limit else "ends with what follows"
    best = max(near, key=lambda pause: (pause[1] - pause[0]) - abs(pause[0] - at) / _DISTANCE)
    end = min(best[0] + LEAD_MS, best[1], limit)
    return end, f"ends before a pause of {(best[1] - best[0]) / 1000:.0f} s"


def day(context: Context, recording: int, *, event: str | None = None, room: str | None = None) -> Day:
    """Return a recording with the sessions of its room.

    The room is the one that the file's name or folder mentions, or the only one that there is.

    Raises:
        ConfigError: it is not known when or in which room it was made.
    """
    whole = read_recording(context.db, recording)
    file = file_of(whole)
    timed = [talk for talk in talks(context, event) if talk.start is not None]
    here = [(talk, began) for talk in timed if (began := _began(file, talk)) and _during(talk, began, file)]
    if not here:
        raise ConfigError(f"{file.name}: no session's time lies in it: is its start known, and the timetable imported?")
    rooms = {talk.room for talk, _ in here}
    wanted = {room} if room else {each for each in rooms if each and mentions(file, each)} or rooms
    chosen = [talk for talk, _ in here if talk.room in wanted]
    if len(wanted) > 1 or not chosen:
        names = ", ".join(sorted(each or "none" for each in rooms))
        raise ConfigError(f"{file.name}: say with --room where it was made: {names}")
    path = context.blobs.path(whole.sha256, whole.suffix)
    return Day(whole, path, here[0][1], tuple(chosen))


def _began(file: FileFacts, talk: Talk) -> datetime | None:
    return next((moment for moment, _ in file.starts(talk)), None)


def _during(talk: Talk, began: datetime, file: FileFacts) -> bool:
    ended = began + timedelta(milliseconds=file.duration_ms or 0)
    return talk.start is not None and began - timedelta(milliseconds=LATE_MS) < talk.start < ended


def heard_pauses(context: Context, recording: int) -> list[Pause] | None:
    """Return the pauses in a recording's current transcript, or None where it has none."""
    heard = speech(context.db, recording)
    if heard is None:
        return None
    return list(between([*heard.spans, (heard.duration_ms, heard.duration_ms)]))


def detected_pauses(path: Path, detect: Detector = detect_speech) -> list[Pause]:
    """Return the pauses in a recording's sound, as speech detection hears them.

    Raises:
        ItemError: the sound cannot be decoded.
    """
    speech: list[Pause] = []
    at = 0
    for block in media.stream_audio(path):
        frames = detect(np.pad(block, (0, -len(block) % FRAME)))
        speech += [(at + _ms(first), at + _ms(last)) for first, last in spans(frames)]
        at += round(len(block) / SAMPLE_RATE * 1000)
    return list(between([*speech, (at, at)]))


def between(speech: Sequence[Pause]) -> Iterator[Pause]:
    """Yield the pauses between stretches of speech, and the pause before the first one."""
    end = 0
    for (_, before), (start, _) in pairwise([(0, 0), *speech]):
        end = max(end, before)
        if start - end >= PAUSE_MS:
            yield end, start


def _ms(frames: int) -> int:
    return round(frames * FRAME / SAMPLE_RATE * 1000)


def at_key_frames(path: Path, cuts: Sequence[Cut]) -> list[Cut]:
    """Move cuts to a key frame where there is one before the first word, so that pictures can be copied.

    Other cuts begin exactly where they should and are encoded anew: no part holds anything from before its beginning.
    """
    return [_at_key_frame(path, cut) for cut in cuts]


def _at_key_frame(path: Path, cut: Cut) -> Cut:
    found = media.key_frame_near(path, cut.start_ms, LEAD_MS)
    return replace(cut, encoded=True) if found is None else replace(cut, start_ms=found)


def is_made(context: Context, recording: int, cut: Cut) -> bool:
    """Whether the session's part of this recording exists already."""
    return is_cut_for(context.db, recording, cut.talk.id)


def part_of(whole: Path, part: Path, cut: Cut) -> Path:
    """Cut a part out of a recording and return its file, in the recording's container where it can be copied."""
    if not cut.encoded:
        try:
            media.cut(whole, part, cut.start_ms, cut.end_ms)
        except BrokenMediaError:
            part.unlink(missing_ok=True)
        else:
            return part
    part = part.with_suffix(".mp4")
    media.cut(whole, part, cut.start_ms, cut.end_ms, encoded=True)
    return part


def make(context: Context, whole: Day, cut: Cut) -> None:
    """Cut a part out of a recording, and add it to the archive as its session's recording.

    What people said of who speaks in the whole holds in the part, too.

    Raises:
        BrokenMediaError: it cannot be cut.
        ToolError: ffmpeg is missing or was killed.
        OSError: there is no room for it.
    """
    recording = whole.recording
    with scratch(context.layout.work) as bare:
        part = bare.with_suffix(recording.suffix)
        try:
            part = part_of(whole.path, part, cut)
            info = media.probe(part)
            blob = context.blobs.add(part, info.suffix)
        finally:
            part.unlink(missing_ok=True)
    new = NewRecording(
        sha256=blob.sha256,
        kind=info.kind,
        duration_ms=info.duration_ms,
        bytes=blob.bytes,
        media_type=info.media_type,
        suffix=info.suffix,
        streams=msgspec.json.encode(info.streams).decode(),
        original_name=recording.original_name,
        role=recording.role,
        language=recording.language,
        credit=recording.credit,
        licence=recording.licence,
        synthetic_voice=recording.synthetic_voice,
    )
    began = whole.started + timedelta(milliseconds=cut.start_ms)
    with transaction(context.db):
        added = add_recording(context.db, new, cut.talk.id, pulled_at=timestamp())
        note_cut(context.db, added, recording, start_ms=cut.start_ms, started_at=began.isoformat())
        carry_voices(context.db, recording.id, added, start_ms=cut.start_ms, end_ms=cut.end_ms, at=timestamp())
