"""What is made of a recording for the site: a form that browsers play, pictures, and the shape of its sound.

The recording itself is never changed. ffmpeg is run by `pipelines.media.files`, with its limits.

Its loudness is measured as EBU R 128 has it. In the form for browsers it is brought to what AES TD1008 recommends
for speech, by one gain for the whole recording and a limiter for its peaks. What browsers play as it is stays so,
unless it is much too quiet or too loud.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from metadata.times import format_timestamp
from pipelines.errors import BrokenMediaError, ItemError, NoAudioError
from pipelines.media.files import MediaInfo, convert, is_interlaced, loudness, mixed_down, probe, stream_audio
from pipelines.media.samples import SAMPLE_RATE

Span = tuple[int, int]
"""From when to when, in milliseconds."""
Kind = Literal["web", "poster", "peaks", "sprite", "previews"]

VERSION = 4
"""Changes with anything that makes renditions come out otherwise."""
POINTS = 1_000
"""Of the shape of the sound, at most."""
_STEP = SAMPLE_RATE // 10
LOUDNESS = -18.0
"""LUFS: for speech (AES TD1008.1.21-9, table 1)."""
TOLERANCE = 6.0
"""LU that a recording which browsers play as it is may be off, before another form is made of it."""
MOST_GAIN = 20.0
"""dB: what would need more is mostly noise."""
_PEAK = 10 ** (-1.5 / 20)
"""That the limiter leaves, of full scale: -1 dBTP (EBU R 128), and half a decibel for what lies between samples."""
PREVIEWS = 100
"""Pictures for seeking, at most."""
PREVIEW_COLUMNS = 10
PREVIEW_WIDTH, PREVIEW_HEIGHT = 160, 90
"""Pixels; pictures of another shape stand in the middle."""
SHORTEST_PREVIEW_MS = 1_000

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


@dataclass(frozen=True, slots=True)
class Rendered:
    """What was made of a recording.

    Attributes:
        loudness: of the recording, in LUFS; None where it is silent, or has no sound.
        gain: by how many decibels the sound of the form for browsers was raised; 0 where there is none.
    """

    files: tuple[Rendition, ...]
    loudness: float | None
    gain: float


def render(path: Path, info: MediaInfo, folder: Path, hidden: Sequence[Span] = ()) -> Rendered:
    """Make what the site needs of a recording, into a folder.

    A picture or a shape that cannot be made is left out; the form for browsers must come out. Where something is
    hidden, all else is made of the form for browsers, in which it is not.

    Args:
        path: the recording.
        info: what it is.
        folder: where files are made.
        hidden: from when to when there is to be silence and a black picture, in milliseconds.

    Raises:
        ItemError: it cannot be put into a form that browsers play.
    """
    files: list[Rendition] = []
    measured = None
    if info.has_audio:
        with suppress(BrokenMediaError):
            measured = loudness(path, info)
    gain = 0.0 if measured is None else min(LOUDNESS - measured, MOST_GAIN)
    fields = info.kind == "video" and is_interlaced(path)
    if hidden or not is_played(info) or fields or abs(gain) > TOLERANCE:
        files.append(_web(path, info, folder, gain, hidden))
    else:
        gain = 0.0
        files.append(_bare(path, info, folder))
    if hidden:
        path, info = files[0].path, probe(files[0].path)
    if info.kind == "video":
        with suppress(ItemError):
            files.append(_poster(path, info, folder))
        with suppress(ItemError):
            files += _previews(path, info, folder)
    if info.has_audio:
        with suppress(BrokenMediaError, NoAudioError):
            files.append(_peaks(path, folder))
    return Rendered(tuple(files), measured, gain)


def is_played(info: MediaInfo) -> bool:
    """Whether browsers play a recording as it is, and can seek in it."""
    pictures, sounds = PLAYED.get(info.media_type, (set(), set()))
    codecs = {"video": pictures, "audio": sounds}
    return (
        info.finished
        and info.steady
        and info.track == 0  # browsers know of no other
        and info.channel is None  # they mix all of them
        and info.media_type in PLAYED
        and all(
            stream.codec in codecs[stream.type] and stream.pixels in {None, *_PIXELS}
            for stream in info.streams
            if stream.type in codecs
        )
    )


_PIXELS = ("yuv420p", "yuvj420p")
"""Formats that every browser decodes; screen recorders and cameras make finer ones."""


def _web(path: Path, info: MediaInfo, folder: Path, gain: float, hidden: Sequence[Span] = ()) -> Rendition:
    """Put a recording into MP4 (H.264, AAC), its index first, or sound alone into WebM (Opus).

    Pictures that are right already are copied, and so is sound that is as loud as it should be and mixed; where the
    container does not take them so, they are encoded.
    """
    video = next((stream for stream in info.streams if stream.type == "video"), None)
    audio = info.heard.codec if info.heard else None
    level = [f"volume={gain:.2f}dB", f"alimiter=limit={_PEAK:.4f}:level=0"] if abs(gain) >= 1 else []
    silence = [f"volume=enable='{_during(hidden)}':volume=0"] if hidden else []
    filters = [*silence, *mixed_down(info), *level]
    louder = {"af": ",".join(filters)} if filters else {}
    streams: tuple[str, ...]
    if video:
        target, media_type, streams = folder / "web.mp4", "video/mp4", ("V:0", f"a:{info.track}?")
        pictures = {
            "c:v": "libx264",
            "preset": "veryfast",
            "crf": 23,
            "pix_fmt": "yuv420p",
            "a53cc": 0,
            "vf": "bwdif=mode=send_frame:deint=interlaced,scale='trunc(min(1920,iw)/2)*2':-2" + _blank(hidden),
        }
        sound = {"c:a": "aac", "b:a": "128k", "ac": 2, **louder} if audio else {}
        fixed: dict[str, Any] = {"movflags": "+faststart", "format": "mp4"}
        right = video.codec == "h264" and video.pixels in _PIXELS and not is_interlaced(path)
        copies = ({"c:v": "copy", "bsf:v": _UNSEEN["h264"]} if right else pictures) | (
            {"c:a": "copy"} if audio == "aac" and not louder else sound
        )
    else:
        target, media_type, streams = folder / "web.webm", "audio/webm", (f"a:{info.track}",)
        pictures, sound = {}, {"c:a": "libopus", "b:a": "64k", "ac": 2, **louder}
        fixed = {"format": "webm"}
        copies = {"c:a": "copy"} if audio == "opus" and not louder else sound
    encoded = pictures | sound
    fixed |= NAMELESS
    for attempt in [copies, encoded] if copies != encoded and not hidden else [encoded]:
        try:
            convert(path, target, info, *streams, **fixed, **attempt)
            break
        except BrokenMediaError:
            if attempt == encoded:
                raise
    return Rendition("web", target, media_type)


MARGIN_MS = 150
"""By how much more is silent and blank than is hidden: filters switch between blocks of samples and pictures."""


def _during(hidden: Sequence[Span]) -> str:
    """Return an expression of ffmpeg's that holds while something is hidden."""
    return "+".join(
        f"between(t,{max(start - MARGIN_MS, 0) / 1000:.3f},{(end + MARGIN_MS) / 1000:.3f})" for start, end in hidden
    )


def _blank(hidden: Sequence[Span]) -> str:
    return f",drawbox=enable='{_during(hidden)}':color=black:t=fill" if hidden else ""


def _bare(path: Path, info: MediaInfo, folder: Path) -> Rendition:
    """Copy the pictures and the sound of a recording that browsers play, and nothing else that is in its file."""
    target = folder / f"web{info.suffix}"
    streams = ("V:0", "a:0?") if info.kind == "video" else ("a:0",)
    convert(path, target, info, *streams, c="copy", format=_MUXERS[info.media_type], **NAMELESS, **_unseen(info))
    return Rendition("web", target, info.media_type)


NAMELESS: dict[str, Any] = {"map_metadata": -1, "map_chapters": -1, "fflags": "+bitexact", "id3v2_version": 0}
"""Leaves out what a file says of itself: where it was made, by whom and with what, and its chapters."""
_MUXERS = {
    "video/mp4": "mp4", "video/webm": "webm", "audio/mp4": "mp4", "audio/webm": "webm", "audio/mpeg": "mp3",
    "audio/flac": "flac", "audio/wav": "wav",
}  # fmt: skip
"""FFmpeg's names for what writes the containers of `PLAYED` (``ffmpeg -muxers``)."""
_UNSEEN = {"h264": "filter_units=remove_types=6", "av1": "filter_units=remove_types=5"}
"""What is in pictures and is none: captions for televisions and whatever programs leave there.

Source: ITU-T H.264, table 7-1 (supplemental enhancement information); AV1 bitstream specification, section 6.2.2 (OBU
type 5, metadata).
"""


def _unseen(info: MediaInfo) -> dict[str, Any]:
    """Return the options that take out of copied pictures what is not seen, and put the index of MP4 first."""
    codec = next((stream.codec for stream in info.streams if stream.type == "video"), "")
    taken = {"bsf:v": _UNSEEN[codec]} if info.kind == "video" and codec in _UNSEEN else {}
    return taken | ({"movflags": "+faststart"} if info.media_type.endswith("/mp4") else {})


_STILL: dict[str, Any] = {
    "format": "image2",
    "update": 1,
    "frames:v": 1,
    "q:v": 4,
    "c:v": "mjpeg",
    "pix_fmt": "yuvj420p",
    "map_metadata": -1,
}
"""One JPEG."""


def _poster(path: Path, info: MediaInfo, folder: Path) -> Rendition:
    """Take a picture from the first tenth that looks like the pictures around it."""
    target = folder / "poster.jpg"
    start = min(60.0, (info.duration_ms or 0) / 10_000)
    shrunk = "thumbnail=n=24,scale='trunc(min(1280,iw)/2)*2':-2"
    try:
        convert(path, target, info, "V:0", start_ms=round(start * 1000), vf=shrunk, **_STILL)
    except BrokenMediaError:  # its only picture is before that
        convert(path, target, info, "V:0", vf=shrunk, **_STILL)
    return Rendition("poster", target, "image/jpeg")


def _previews(path: Path, info: MediaInfo, folder: Path) -> tuple[Rendition, Rendition]:
    """Make small pictures of moments at equal distances, in one sheet, and the WebVTT that says where each is.

    Players know such a file as a thumbnails track: its cues name parts of the sheet (W3C Media Fragments,
    ``xywh``). Pictures are those of key frames, since only these need to be decoded.

    Raises:
        BrokenMediaError: it is too short, or none comes of it.
    """
    length = info.duration_ms or 0
    step = max(-(-length // PREVIEWS), SHORTEST_PREVIEW_MS)
    count = -(-length // step)
    if not count:
        raise BrokenMediaError("too short for previews")
    target = folder / "sprite.jpg"
    rows, columns = -(-count // PREVIEW_COLUMNS), min(count, PREVIEW_COLUMNS)
    box = f"{PREVIEW_WIDTH}:{PREVIEW_HEIGHT}"
    filters = [
        f"fps=1000/{step}:start_time=0:eof_action=pass",
        f"scale={box}:force_original_aspect_ratio=decrease:force_divisible_by=2",
        f"pad={box}:-1:-1",
        # The last key frame's picture stands until the end, however long ago that was.
        "tpad=stop=-1:stop_mode=clone",
        f"trim=end_frame={count}",
        f"tile={columns}x{rows}",
    ]
    convert(path, target, info, "V:0", key_frames=True, vf=",".join(filters), **_STILL)
    name = hashlib.sha256(target.read_bytes()).hexdigest() + target.suffix
    cues = ["WEBVTT\n"]
    for number in range(count):
        x, y = number % columns * PREVIEW_WIDTH, number // columns * PREVIEW_HEIGHT
        start, end = (format_timestamp(min(at * step, length)) for at in (number, number + 1))
        cues.append(f"{start} --> {end}\n{name}#xywh={x},{y},{PREVIEW_WIDTH},{PREVIEW_HEIGHT}\n")
    track = folder / "previews.vtt"
    track.write_text("\n".join(cues), encoding="utf-8")
    return Rendition("sprite", target, "image/jpeg"), Rendition("previews", track, "text/vtt")


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
