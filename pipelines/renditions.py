"""What is made of a recording for the site: a form that browsers play, a still picture, and the shape of its sound.

The recording itself is never changed. ffmpeg is run by `pipelines.media`, with its limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from pipelines.errors import BrokenMediaError, ItemError, NoAudioError
from pipelines.media import MediaInfo, convert, stream_audio
from pipelines.transcribers.base import SAMPLE_RATE

Kind = Literal["web", "poster", "peaks"]

VERSION = 1
"""Changes with anything that makes renditions come out otherwise."""
POINTS = 1_000
"""Of the shape of the sound, at most."""
_STEP = SAMPLE_RATE // 10

PLAYED = {
    "video/mp4": ({"h264"}, {"aac", "mp3"}),
    "video/webm": ({"vp8", "vp9", "av1"}, {"opus", "vorbis"}),
    "audio/mp4": (set(), {"aac"}),
    "audio/webm": (set(), {"opus", "vorbis"}),
    "audio/mpeg": (set(), {"mp3"}),
    "audio/flac": (set(), {"flac"}),
    "audio/wav": (set(), {"pcm_s16le", "pcm_u8", "pcm_s24le", "pcm_f32le"}),
}
"""Containers that all current browsers play, with the codecs that they play in them, for pictures and sound.

Source: MDN, "Media type and format guide" and "Codecs in common media types".
"""


@dataclass(frozen=True, slots=True)
class Rendition:
    """A file that was made of a recording."""

    kind: Kind
    path: Path
    media_type: str


def render(path: Path, info: MediaInfo, folder: Path) -> Iterator[Rendition]:
    """Make what the site needs of a recording, into a folder, and yield each.

    A picture or a shape that cannot be made is left out; the form for browsers must come out.

    Raises:
        ItemError: it cannot be put into a form that browsers play.
    """
    if not is_played(info):
        yield _web(path, info, folder)
    if info.kind == "video":
        with suppress(ItemError):
            yield _poster(path, info, folder)
    if info.has_audio:
        with suppress(BrokenMediaError, NoAudioError):
            yield _peaks(path, folder)


def is_played(info: MediaInfo) -> bool:
    """Whether browsers play a recording as it is."""
    pictures, sounds = PLAYED.get(info.media_type, (set(), set()))
    codecs = {"video": pictures, "audio": sounds}
    return info.media_type in PLAYED and all(
        stream.codec in codecs[stream.type] for stream in info.streams if stream.type in codecs
    )


def _web(path: Path, info: MediaInfo, folder: Path) -> Rendition:
    """Put a recording into MP4 (H.264, AAC), its index first, or sound alone into WebM (Opus).

    Streams that are right already are copied; where the container does not take them so, they are encoded.
    """
    video = next((stream.codec for stream in info.streams if stream.type == "video"), None)
    audio = next((stream.codec for stream in info.streams if stream.type == "audio"), None)
    streams: tuple[str, ...]
    if info.kind == "video":
        target, media_type, streams = folder / "web.mp4", "video/mp4", ("V:0", "a:0?")
        pictures = {
            "c:v": "libx264",
            "preset": "veryfast",
            "crf": 23,
            "pix_fmt": "yuv420p",
            "vf": "scale='trunc(min(1920,iw)/2)*2':-2",
        }
        sound = {"c:a": "aac", "b:a": "128k", "ac": 2} if audio else {}
        fixed: dict[str, Any] = {"movflags": "+faststart", "format": "mp4"}
        copies = ({"c:v": "copy"} if video == "h264" else pictures) | ({"c:a": "copy"} if audio == "aac" else sound)
    else:
        target, media_type, streams = folder / "web.webm", "audio/webm", ("a:0",)
        pictures, sound = {}, {"c:a": "libopus", "b:a": "64k", "ac": 2}
        fixed = {"format": "webm"}
        copies = {"c:a": "copy"} if audio == "opus" else sound
    encoded = pictures | sound
    fixed |= {"map_metadata": -1}
    for attempt in [copies, encoded] if copies != encoded else [encoded]:
        try:
            convert(path, target, info, *streams, **fixed, **attempt)
            break
        except BrokenMediaError:
            if attempt == encoded:
                raise
    return Rendition("web", target, media_type)


def _poster(path: Path, info: MediaInfo, folder: Path) -> Rendition:
    """Take a picture from the first tenth that looks like the pictures around it."""
    target = folder / "poster.jpg"
    start = min(60.0, (info.duration_ms or 0) / 10_000)
    convert(
        path,
        target,
        info,
        "V:0",
        start_ms=round(start * 1000),
        vf="thumbnail=n=24,scale='trunc(min(1280,iw)/2)*2':-2",
        format="image2",
        update=1,
        **{"frames:v": 1, "q:v": 4, "c:v": "mjpeg", "pix_fmt": "yuvj420p", "map_metadata": -1},
    )
    return Rendition("poster", target, "image/jpeg")


def _peaks(path: Path, folder: Path) -> Rendition:
    """Write the lowest and highest sample of each stretch, as audiowaveform's JSON does (version 2, 8 bits)."""
    pairs = np.concatenate([_extremes(block) for block in stream_audio(path)])
    step = -(-len(pairs) // POINTS)
    pairs = _padded(pairs, step).reshape(-1, step, 2)
    lows, highs = pairs[:, :, 0].min(axis=1), pairs[:, :, 1].max(axis=1)
    data = np.clip(np.round(np.stack([lows, highs], axis=1) * 127), -128, 127).astype(int).ravel().tolist()
    shape = {
        "version": 2,
        "channels": 1,
        "sample_rate": SAMPLE_RATE,
        "samples_per_pixel": _STEP * step,
        "bits": 8,
        "length": len(data) // 2,
        "data": data,
    }
    target = folder / "peaks.json"
    target.write_bytes(msgspec.json.encode(shape))
    return Rendition("peaks", target, "application/json")


def _extremes(samples: Any) -> Any:
    """Return the lowest and highest of each tenth of a second, shape (tenths, 2)."""
    tenths = _padded(samples, _STEP).reshape(-1, _STEP)
    return np.stack([tenths.min(axis=1), tenths.max(axis=1)], axis=1)


def _padded(values: Any, step: int) -> Any:
    """Return values with the last repeated until they are a multiple of ``step``."""
    missing = -len(values) % step
    return np.concatenate([values, np.repeat(values[-1:], missing, axis=0)]) if missing else values
