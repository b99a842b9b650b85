"""Recordings as files: what is in them, and their sound.

A recording is hostile input. It is opened by a list of containers that recordings come in, so that no
playlist, subtitle or image is followed or taken for one, and with the protocol for local files alone, so
that nothing inside it makes FFmpeg read another file or the network
(https://ffmpeg.org/ffmpeg-protocols.html, "Protocol Options"; https://ffmpeg.org/ffmpeg-formats.html,
``format_whitelist``), and ffmpeg runs within limits of time and memory. PyAV looks into files in this
process; decoding runs in ffmpeg, whose death costs no more than one recording.
"""

from __future__ import annotations

import codecs
import logging
import math
import re
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal, cast

import av
import av.error
import ffmpeg
import imageio_ffmpeg
import numpy as np
from av.container import InputContainer
from av.stream import Disposition

from metadata.model import MediaKind
from pipelines.errors import (
    NO_ROOM_TEXTS,
    BrokenMediaError,
    DiskFullError,
    ItemCrashError,
    NoAudioError,
    NotMediaError,
    ToolError,
)
from pipelines.media.channels import lost_channel, samples_of
from pipelines.media.lengths import measure
from pipelines.media.samples import SAMPLE_RATE, AudioBlock
from pipelines.media.sandbox import limited

logger = logging.getLogger(__name__)

BLOCK_SECONDS = 30
"""Length of the blocks of `stream_audio`, but for the last."""


THREADS = 2
"""That ffmpeg may use for each of its jobs: recordings, not threads, are what is done at once."""
DECODE_SECONDS = 120.0
"""Computing time for decoding sound, beyond the recording's own length."""
LEAST_RATE = 100
"""Bytes a second, below what any codec for speech takes: a recording that is longer than its container says is no
longer than this allows. What wrong timestamps make of two seconds is weeks of silence otherwise."""
SILENT = 0.001
"""The highest sample, as a part of full scale (-60 dB), of a track that nobody is heard in."""
PLACES = 20
MOST_TRACKS = 16
"""How many tracks are listened to, and where, to find the one that is heard."""
PICTURES = 5
"""How many are looked at, all over a recording, to see whether they are interlaced."""
RENDER_SECONDS = 600.0
RENDER_FACTOR = 20.0
"""Time for a conversion, on the clock and in computing: a part for any, and a multiple of the length."""


@dataclass(frozen=True, slots=True)
class _Container:
    """How a container is named: ``(media type, suffix)`` for recordings with pictures and for sound alone."""

    video: tuple[str, str]
    audio: tuple[str, str]


def _only(media_type: str, suffix: str) -> _Container:
    return _Container((media_type, suffix), (media_type, suffix))


CONTAINERS = {
    "mov": _Container(("video/mp4", ".mp4"), ("audio/mp4", ".m4a")),
    "matroska": _Container(("video/x-matroska", ".mkv"), ("audio/x-matroska", ".mka")),
    "webm": _Container(("video/webm", ".webm"), ("audio/webm", ".weba")),
    "ogg": _Container(("video/ogg", ".ogv"), ("audio/ogg", ".ogg")),
    "asf": _Container(("video/x-ms-wmv", ".wmv"), ("audio/x-ms-wma", ".wma")),
    "aac": _only("audio/aac", ".aac"),
    "ac3": _only("audio/ac3", ".ac3"),
    "aiff": _only("audio/aiff", ".aiff"),
    "amr": _only("audio/amr", ".amr"),
    "au": _only("audio/basic", ".au"),
    "avi": _only("video/vnd.avi", ".avi"),
    "caf": _only("audio/x-caf", ".caf"),
    "eac3": _only("audio/eac3", ".eac3"),
    "flac": _only("audio/flac", ".flac"),
    "flv": _only("video/x-flv", ".flv"),
    "mp3": _only("audio/mpeg", ".mp3"),
    "mpeg": _only("video/mpeg", ".mpg"),
    "mpegts": _only("video/mp2t", ".ts"),
    "mxf": _only("application/mxf", ".mxf"),
    "w64": _only("audio/x-w64", ".w64"),
    "wav": _only("audio/wav", ".wav"),
    "wv": _only("audio/x-wavpack", ".wv"),
}
"""FFmpeg's demuxers that Rostra opens (``ffmpeg -demuxers``), by their first name; media types are IANA's, or
those that browsers know."""

SUFFIXES = frozenset(suffix for each in CONTAINERS.values() for _, suffix in (each.video, each.audio)) | {
    ".3gp", ".aif", ".m2ts", ".m4b", ".m4v", ".mov", ".mp2", ".mpeg", ".mts", ".oga", ".opus", ".qt", ".wave",
}  # fmt: skip
"""How the names of recordings end, with the dot."""

_TAGS = ("title", "comment", "purl", "episode_id")
"""The metadata that tells which session a recording is of (https://ffmpeg.org/doxygen/trunk/group__metadata__api.html)."""

_FORMATS = ",".join(CONTAINERS)
_OPEN = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}

_CONTAINER_MAGIC = re.compile(
    rb"....(ftyp|moov|mdat|wide|free|skip)|\x1a\x45\xdf\xa3|RIFF....(WAVE|AVI )|RF64|riff.{12}\x2e\x91\xcf\x11|OggS"
    rb"|fLaC|ID3|FORM....AIF[FC]|\x30\x26\xb2\x75\x8e\x66\xcf\x11|FLV\x01|caff|#!AMR|\.snd|wvpk|\x00\x00\x01\xba",
    re.DOTALL,
)
_IMAGE_MAGIC = re.compile(
    rb"\x89PNG|\xff\xd8\xff|GIF8|RIFF....WEBP|BM.{4}\0{4}|II\*\0|MM\0\*|....ftyp(avif|avis|heic|heix|mif1|msf1)",
    re.DOTALL,
)
_PLAYLIST = re.compile(rb"\s*(#EXTM3U|ffconcat|\[playlist\]|<\?xml[^>]*>\s*<(MPD|SmoothStreamingMedia))", re.IGNORECASE)
_SUBTITLES = re.compile(rb"(\xef\xbb\xbf)?\s*(WEBVTT|\d+\s+\d\d:\d\d:\d\d,\d{3} -->|\[Script Info\]|Scenarist_SCC)")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamInfo:
    """One stream of a recording; what its type has no use for is None.

    ``pixels`` is FFmpeg's name of their format (``ffmpeg -pix_fmts``), ``language`` and ``title`` are as the file says
    them. ``marks`` are FFmpeg's names of what the file says that subtitles are for (``ffmpeg -dispositions``).
    """

    type: Literal["audio", "video", "subtitle"]
    codec: str
    channels: int | None = None
    rate: int | None = None
    width: int | None = None
    height: int | None = None
    pixels: str | None = None
    language: str | None = None
    title: str | None = None
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaInfo:
    """What a recording is.

    Attributes:
        kind: ``video`` where there are moving pictures; a cover image is none.
        media_type: as a web server should name it.
        suffix: the usual one for the container, with its dot, whatever the file was called.
        duration_ms: as the container states it, or else as counted (see `pipelines.media.lengths`); decoding may find
            less.
        has_audio: whether there is a stream of sound.
        track: which of its tracks of sound is heard, counted from 0: the one that the file has by default, or the
            loudest where that is silent.
        heard: that track; None where there is no sound.
        why: where there are several, why that one, in words.
        channel: which channel of that track is heard alone, counted from 0, because the mix of all loses it; None where
            all are mixed.
        starts_ms: what its container's clock shows at its beginning.
        sound_starts_ms: when its sound begins, on the clock of whatever plays it, which shows 0 at the beginning.
        finished: whether its container says how long it is: what browsers record does not, and players cannot seek.
        steady: False for raw frames of sound whose sizes differ (MP3 of variable bit rate), in which players guess
            where a second is and seek to another one, or whose format changes, where players stop.
        streams: in the file's order.
        started_at: when the recording began, ISO 8601, as the container claims it.
        tags: what the container says of it in words: its title, and where it came from.
        chapters: the container's own: when each begins and ends, milliseconds, and its title.
    """

    kind: MediaKind
    media_type: str
    suffix: str
    duration_ms: int | None
    has_audio: bool
    streams: tuple[StreamInfo, ...]
    track: int = 0
    heard: StreamInfo | None = None
    why: str = ""
    channel: int | None = None
    starts_ms: int = 0
    sound_starts_ms: int = 0
    finished: bool = True
    steady: bool = True
    changes: bool = False
    started_at: str | None = None
    tags: tuple[str, ...] = ()
    chapters: tuple[tuple[int, int, str], ...] = ()


def probe(path: Path) -> MediaInfo:
    """Look into a recording, and decode the beginning of one stream to see that it is one.

    Raises:
        NotMediaError: it is something else: the message says what.
        BrokenMediaError: it is a recording that cannot be read.
    """
    with _opened(path) as container:
        streams = tuple(_streams(container))
        kinds = {stream.type for stream in streams}
        if not kinds & {"audio", "video"}:
            raise NotMediaError("not a recording: it has neither sound nor pictures")
        track, why = _heard(container)
        if not _decodes(container, track):
            raise _not_read(path, "none of its sound or pictures can be decoded")
        kind: MediaKind = "video" if "video" in kinds else "audio"
        media_type, suffix = _names(path, container, kind)
        length = measure(path, container, track)
        return MediaInfo(
            kind=kind,
            media_type=media_type,
            suffix=suffix,
            duration_ms=length.ms,
            starts_ms=max(0, (container.start_time or 0) * 1000 // av.time_base),
            sound_starts_ms=_sound_starts_ms(container, track) if "audio" in kinds else 0,
            steady=length.steady,
            changes=length.changes,
            has_audio="audio" in kinds,
            streams=streams,
            track=track,
            heard=_stream(container.streams.audio[track]) if "audio" in kinds else None,
            why=why,
            channel=lost_channel(container, track) if "audio" in kinds else None,
            finished=bool(container.duration and container.duration > 0),
            started_at=container.metadata.get("creation_time"),
            chapters=tuple(_chapters(container)),
            tags=tuple(container.metadata[key][:500] for key in _TAGS if key in container.metadata),
        )


def ffmpeg_binary() -> str:
    """Return the ffmpeg to run: the one on PATH, else the one that imageio-ffmpeg carries.

    Raises:
        ToolError: there is neither.
    """
    if found := shutil.which("ffmpeg"):
        return found
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise ToolError("no ffmpeg on PATH: install it, or 'pip install imageio-ffmpeg'") from error


def convert(
    path: Path,
    target: Path,
    info: MediaInfo,
    *streams: str,
    start_ms: int = 0,
    key_frames: bool = False,
    least_seconds: float = RENDER_SECONDS,
    **options: Any,
) -> None:
    """Make another file of a recording with ffmpeg.

    Args:
        path: the recording.
        target: the file to write, over what is there.
        info: what the recording is; its length limits the time.
        streams: which of its streams, in ffmpeg's words: ``V:0``, ``a:0?``.
        start_ms: where to begin.
        key_frames: decode no other pictures, which is many times faster.
        least_seconds: how long even the shortest recording may take.
        options: those of ffmpeg's output.

    Raises:
        BrokenMediaError: nothing comes of it, or it takes far longer than its length warrants.
        DiskFullError: there is no room for what comes of it.
        ItemCrashError: ffmpeg was killed.
        ToolError: ffmpeg is missing.
    """
    source = _input(start_ms, **({"skip_frame": "nokey"} if key_frames else {}))
    chosen = [source[stream] for stream in streams]
    output = ffmpeg.output(*chosen, f"file:{target.absolute()}", threads=THREADS, **options)
    _convert(path, output, _allowed_seconds(info, least_seconds), [target])


def write_streams(path: Path, targets: Mapping[str, Path], info: MediaInfo, **options: Any) -> None:
    """Write some of a recording's streams into a file each, reading the recording once.

    Their times are on the clock of whatever plays the recording. Versions of ffmpeg differ in what they take for its
    beginning, and so are told.

    Args:
        path: the recording.
        targets: the files to write, over what is there, by the streams in ffmpeg's words: ``s:0``.
        info: what the recording is; its length limits the time.
        options: those of ffmpeg's outputs, the same for all.

    Raises:
        BrokenMediaError: nothing comes of one of them, or they take far longer than its length warrants.
        DiskFullError: there is no room for what comes of it.
        ItemCrashError: ffmpeg was killed.
        ToolError: ffmpeg is missing.
    """
    source, begin = _input(), f"{-info.starts_ms / 1000:.3f}"
    outputs = [
        ffmpeg.output(source[stream], f"file:{target.absolute()}", output_ts_offset=begin, **options)
        for stream, target in targets.items()
    ]
    _convert(path, ffmpeg.merge_outputs(*outputs), _allowed_seconds(info), list(targets.values()), "-copyts")


def _allowed_seconds(info: MediaInfo, least: float = RENDER_SECONDS) -> float:
    return least + RENDER_FACTOR * (info.duration_ms or 0) / 1000


def _convert(path: Path, output: Any, seconds: float, targets: Sequence[Path], *arguments: str) -> None:
    command = _compiled(output, path, "-y", *arguments)
    with _running(command, cpu_seconds=seconds) as (process, _, complaints):
        try:
            code = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise BrokenMediaError(f"converting it took more than {seconds:.0f} s") from None
    _judge(code)
    if code or not all(target.exists() and target.stat().st_size for target in targets):
        _blame_the_disk(complaints)
        raise BrokenMediaError(f"cannot be converted: {complaints[-1] if complaints else 'no reason given'}")


def stream_audio(
    path: Path, *, start_ms: int = 0, end_ms: int | None = None, channel: int | None = None
) -> Generator[AudioBlock, None, None]:
    """Decode the track of sound that is heard, in blocks of `BLOCK_SECONDS`, in constant memory.

    Sample ``i`` of all blocks together is what a player plays at ``start_ms + i / 16`` milliseconds: a late
    start and gaps are filled with silence. What cannot be decoded in the middle is passed over. The sound
    before ``start_ms`` is decoded too, since few containers lead to a moment exactly; where the recording
    ends before that, there is none. A ``channel``, counted from 0, is heard alone.

    Raises:
        NotMediaError: it is not a recording.
        NoAudioError: it has no sound.
        BrokenMediaError: nothing can be decoded (perhaps only once the blocks are asked for).
        ItemCrashError: ffmpeg was killed.
        ToolError: ffmpeg is missing.
    """
    info = probe(path)
    if not info.has_audio:
        raise NoAudioError("no sound in this recording, so there is nothing to transcribe")
    if channel is not None:
        info = replace(info, channel=channel)
    longest_ms = (info.duration_ms or 0) + path.stat().st_size * 1000 // LEAST_RATE
    last_ms = longest_ms if end_ms is None else min(end_ms, longest_ms)
    return _blocks(path, info, start_ms, max(start_ms, last_ms))


def loudness(path: Path, info: MediaInfo) -> float | None:
    """Return the integrated loudness of the track that is heard, in LUFS (EBU R 128), or None where it is silent.

    Raises:
        BrokenMediaError: it cannot be decoded.
        ItemCrashError: ffmpeg was killed.
        ToolError: ffmpeg is missing.
    """
    filters = [*mixed_down(info), "ebur128=framelog=verbose"]
    output = _input().output(
        "pipe:1", map=f"0:a:{info.track}", vn=None, sn=None, dn=None, af=",".join(filters), format="null"
    )
    with _running(_compiled(output, path, level="info"), cpu_seconds=_decode_seconds(info)) as (process, pipe, said):
        pipe.read()
        code = process.wait()
    _judge(code)
    found = re.findall(r"I:\s+(-?[\d.]+|nan|-inf) LUFS", "\n".join(said))
    if not found:
        raise BrokenMediaError(f"its loudness cannot be measured: {said[-1] if said else 'no reason given'}")
    # What is as quiet as the gate counts for nothing (ITU-R BS.1770-5, annex 1).
    return float(found[-1]) if found[-1] not in {"nan", "-inf"} and float(found[-1]) > -70 else None


def _decode_seconds(info: MediaInfo) -> float:
    return DECODE_SECONDS + (info.duration_ms or 0) / 1000


def is_interlaced(path: Path) -> bool:
    """Tell whether any of a few pictures of a recording is made of two fields: what comes first may be a title.

    Raises:
        NotMediaError, BrokenMediaError: it is not a recording, or cannot be read.
    """
    with _opened(path) as container, suppress(av.error.FFmpegError):
        for place in range(PICTURES):
            if place:
                container.seek((container.duration or 0) * place // PICTURES)
            if _first_picture_interlaced(container):
                return True
    return False


def _first_picture_interlaced(container: InputContainer) -> bool:
    for packet in islice(container.demux(video=0), 500):
        with suppress(av.error.FFmpegError):
            for frame in packet.decode():
                return bool(getattr(frame, "interlaced_frame", False))
    return False


def key_frame_near(path: Path, at_ms: int, within_ms: int) -> int | None:
    """Return where a key frame is at a moment or soon after, in milliseconds; sound alone may begin anywhere.

    Args:
        path: the recording.
        at_ms: the moment.
        within_ms: how much later it may be.

    Returns:
        None where there is none: whoever begins there must encode the pictures anew.

    Raises:
        NotMediaError, BrokenMediaError: it is not a recording, or cannot be read.
    """
    with _opened(path) as container:
        pictures = _pictures(container)
        if pictures is None or at_ms <= 0:
            return max(at_ms, 0)
        first_ms = (container.start_time or 0) * 1000 / av.time_base
        try:
            _seek(container, at_ms)
            for packet in islice(container.demux(pictures), MOST_PACKETS):
                if packet.pts is None or packet.time_base is None:
                    continue
                here_ms = float(packet.pts * packet.time_base) * 1000 - first_ms
                if here_ms > at_ms + within_ms + REORDERED_MS:
                    return None
                if packet.is_keyframe and at_ms <= here_ms <= at_ms + within_ms:
                    return math.ceil(here_ms)
        except av.error.FFmpegError as error:
            raise _not_read(path, error.strerror or str(error)) from error
    return None


MOST_PACKETS = 5_000
REORDERED_MS = 1_000
"""By how much pictures may stand in another order in a file than in time."""


def cut(path: Path, target: Path, start_ms: int, end_ms: int, *, encoded: bool = False) -> None:
    """Bring a part of a recording into a file of its own: nothing before it and nothing after it.

    Args:
        path: the recording.
        target: the file to write, whose suffix says what container; MP4 where it is encoded.
        start_ms: where it begins: where nothing is encoded, at a key frame (see `key_frame_near`).
        end_ms: where it ends.
        encoded: whether pictures and sound are encoded anew, and may begin anywhere.

    Raises:
        BrokenMediaError: its streams cannot be copied, or begin elsewhere when they are.
        DiskFullError: there is no room for them.
        ToolError: ffmpeg is missing, or was killed.
    """
    if encoded:
        # Some containers lead to a moment only roughly: what comes before it is decoded, and left out then.
        early_ms = min(start_ms, EARLY_MS)
        sought, coding = start_ms - early_ms, _ENCODED | {"ss": f"{early_ms / 1000:.3f}"}
    else:
        # A key frame's time is rounded up, and one that is looked for a little later is still that.
        sought = start_ms + (1 if start_ms else 0)
        coding = {"c": "copy", "avoid_negative_ts": "make_zero", "copypriorss:a": 0}
    source = ffmpeg.input(
        f"file:{path.absolute()}",
        protocol_whitelist="file,pipe",
        format_whitelist=_FORMATS,
        ss=f"{sought / 1000:.3f}",
    )
    output = ffmpeg.output(
        *(source[kind] for kind in ("V?", "a?")),
        f"file:{target.absolute()}",
        t=f"{max(end_ms - start_ms - (0 if encoded else _reordered_ms(path)), 1) / 1000:.3f}",
        map_metadata=-1,
        map_chapters=-1,
        fflags="+bitexact",
        f=_MUXERS.get(target.suffix, target.suffix[1:]),
        **coding,
    )
    command = output.global_args("-nostdin", "-hide_banner", "-loglevel", "error", "-y").compile(cmd=ffmpeg_binary())
    seconds = RENDER_SECONDS + RENDER_FACTOR * (end_ms - start_ms) / 1000
    with _running(command, cpu_seconds=seconds) as (process, out, complaints):
        out.read()
        code = process.wait()
    if code < 0:
        raise ToolError(f"ffmpeg was killed by signal {-code} while cutting")
    if code:
        _blame_the_disk(complaints)
        reason = complaints[-1] if complaints else "no reason given"
        raise BrokenMediaError(f"cannot be cut{'' if encoded else ' without encoding it anew'}: {reason}")
    if not encoded and start_ms and _first_picture(path, start_ms + 1) != _first_picture(target, 0):
        raise BrokenMediaError("cannot be cut without encoding it anew: its pictures begin elsewhere then")


EARLY_MS = 30_000
_ENCODED: dict[str, Any] = {
    "c:v": "libx264", "preset": "veryfast", "crf": 20, "pix_fmt": "yuv420p", "a53cc": 0,
    "vf": "bwdif=mode=send_frame:deint=interlaced,scale='trunc(iw/2)*2':'trunc(ih/2)*2'", "c:a": "aac", "b:a": "160k",
    "movflags": "+faststart",
}  # fmt: skip
"""How parts are encoded that begin where pictures cannot be copied from."""


def _reordered_ms(path: Path) -> int:
    """Return by how much the last pictures that are copied may lie behind the end, as they are stored earlier."""
    with _opened(path) as container:
        pictures = _pictures(container)
        if pictures is None:
            return 0
        return round(1000 * pictures.codec_context.has_b_frames / float(pictures.average_rate or 25))


def _first_picture(path: Path, at_ms: int) -> bytes | None:
    """Return the key frame at a moment or before it, as it is stored; None where there are no pictures."""
    with _opened(path) as container:
        pictures = _pictures(container)
        if pictures is None:
            return None
        if at_ms:
            _seek(container, at_ms)
        packets = islice(container.demux(pictures), MOST_PACKETS)
        return next((bytes(packet) for packet in packets if packet.is_keyframe), None)


def _pictures(container: InputContainer) -> av.VideoStream | None:
    """Return the moving pictures, if there are any; a cover is none."""
    moving = (stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic)
    return next(moving, None)


def _seek(container: InputContainer, at_ms: int) -> None:
    """Go to the last key frame before a moment on the player's clock."""
    container.seek(at_ms * av.time_base // 1000 + (container.start_time or 0))


_MUXERS = {
    ".mkv": "matroska", ".mka": "matroska", ".weba": "webm", ".m4a": "mp4", ".ogv": "ogg", ".wmv": "asf",
    ".wma": "asf", ".aac": "adts", ".mpg": "mpeg", ".ts": "mpegts",
}  # fmt: skip
"""FFmpeg's names for what writes a container, where they are not its suffix (``ffmpeg -muxers``)."""


def _decoder(path: Path, info: MediaInfo) -> list[str]:
    """Return the command that writes the sound as raw samples to its output, from the first sample that there is.

    Neither silence before it nor a span is asked of ffmpeg: where the format changes in the middle of a recording,
    ffmpeg makes its filters anew, and they would begin again.
    """
    # Timestamps are made true first: https://ffmpeg.org/ffmpeg-resampler.html, option async. Where raw frames change
    # their format, those of older versions of ffmpeg are not.
    filters = [f"aresample={SAMPLE_RATE}{'' if info.changes else ':async=1'}", *mixed_down(info)]
    fixed = {"vn": None, "sn": None, "dn": None, "ac": 1, "ar": SAMPLE_RATE, "format": "f32le"}
    return _compiled(_input().output("pipe:1", map=f"0:a:{info.track}", af=",".join(filters), **fixed), path)


def mixed_down(info: MediaInfo) -> list[str]:
    """Return the filter for a channel that is heard alone, or for more channels than FFmpeg knows a layout for."""
    if info.channel is not None:
        return [f"pan=mono|c0=c{info.channel}"]
    channels = (info.heard.channels if info.heard else None) or 1
    if channels <= 8:
        return []
    return ["pan=mono|c0=" + "+".join(f"{1 / channels:.6f}*c{i}" for i in range(channels))]


def _input(start_ms: int = 0, **options: Any) -> Any:
    """Return a recording as ffmpeg's input: opened as a recording or not at all, and from this disk alone."""
    return ffmpeg.input(
        _PLACE,
        protocol_whitelist="file,pipe",
        format_whitelist=_FORMATS,
        threads=THREADS,
        **({"ss": f"{start_ms / 1000:.3f}"} if start_ms else {}),
        **options,
    )


_PLACE = "file:recording"
"""Stands for the recording's path until the command is made: ffmpeg-python takes none that is not UTF-8."""


def _compiled(output: Any, path: Path, *arguments: str, level: str = "error") -> list[str]:
    command: list[str] = output.global_args("-nostdin", "-hide_banner", "-loglevel", level, *arguments).compile(
        cmd=ffmpeg_binary()
    )
    return [f"file:{path.absolute()}" if argument == _PLACE else argument for argument in command]


def _judge(code: int) -> None:
    """Raise where a signal ended ffmpeg: for its own limit or fault the recording is to blame, else nobody knows."""
    if code >= 0:
        return
    if -code == signal.SIGXCPU:
        raise BrokenMediaError("decoding it took far longer than its length warrants")
    if -code in {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL}:
        raise BrokenMediaError(f"ffmpeg crashes on it (signal {-code})")
    raise ItemCrashError(f"ffmpeg was killed by signal {-code} while decoding")


def _blame_the_disk(complaints: Iterable[str]) -> None:
    """Raise where ffmpeg says that no room is left for what it writes."""
    if any(text in line for line in complaints for text in NO_ROOM_TEXTS):
        raise DiskFullError("no room is left on the disk for what ffmpeg writes: make some, and run it again")


def _blocks(path: Path, info: MediaInfo, start_ms: int, end_ms: int) -> Generator[AudioBlock, None, None]:
    sample = np.dtype("<f4").itemsize
    first, last = (at * SAMPLE_RATE // 1000 for at in (start_ms, end_ms))
    at = info.sound_starts_ms * SAMPLE_RATE // 1000
    silent = True
    yield from _silence(min(at, last) - first)
    with _running(_decoder(path, info), cpu_seconds=_decode_seconds(info)) as (process, output, complaints):
        while at < last and (data := output.read(min(BLOCK_SECONDS * SAMPLE_RATE, last - at) * sample)):
            samples = np.frombuffer(data[: len(data) // sample * sample], dtype="<f4")[max(first - at, 0) :]
            at += len(data) // sample
            silent = False
            if len(samples):
                yield np.clip(np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0), -1.0, 1.0).astype(np.float32)
        code = process.wait() if at < last else 0
    reason = complaints[-1] if complaints else "no reason given"
    _judge(code)
    if silent and not start_ms and last:
        raise BrokenMediaError(f"no sound can be decoded: {reason}")
    if complaints:
        logger.warning("parts of the sound could not be decoded: %s", reason)


def _silence(samples: int) -> Iterator[AudioBlock]:
    """Yield so many samples of silence, in blocks."""
    whole = BLOCK_SECONDS * SAMPLE_RATE
    for begin in range(0, samples, whole):
        yield np.zeros(min(whole, samples - begin), dtype=np.float32)


@contextmanager
def _running(
    command: list[str], *, cpu_seconds: float
) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes], deque[str]]]:
    """Run a program; its last complaints are gathered while it runs, and it never outlives the block."""
    try:
        process = subprocess.Popen(  # noqa: S603  # no shell, and no word of it is a stranger's
            limited(command, cpu_seconds=cpu_seconds),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )
    except OSError as error:
        raise ToolError(f"{command[0]} does not run: {error.strerror}") from error
    output, errors = cast("IO[bytes]", process.stdout), cast("IO[bytes]", process.stderr)
    complaints: deque[str] = deque(maxlen=20)
    # A thread drains the errors, since a full pipe would stop ffmpeg while we wait for its output.
    drain = threading.Thread(target=_gather, args=(errors, complaints), daemon=True)
    drain.start()
    with output, errors:
        try:
            yield process, output, complaints
        finally:
            process.kill()
            process.wait()
            drain.join()


_ADDRESS = re.compile(r"\[[^\[\]]* @ 0x[0-9a-f]+\]\s*")
"""Where in ffmpeg's memory a complaint comes from, which it puts before it: another place each time."""


def _gather(pipe: IO[bytes], lines: deque[str]) -> None:
    while line := pipe.readline(1_000):
        lines.append(_ADDRESS.sub("", line.decode("utf-8", "replace")).strip())


# PyAV before 19 refuses tags that are not UTF-8 unless told otherwise; 19 keeps them, and cannot be told.
_TOLERANT: dict[str, Any] = {} if int(av.__version__.split(".")[0]) >= 19 else {"metadata_errors": "replace"}


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    if not path.is_file():
        raise BrokenMediaError("cannot be read: no such file" if not path.exists() else "cannot be read: not a file")
    try:
        container = av.open(f"file:{path.absolute()}", options=_OPEN, **_TOLERANT)
    except av.error.FFmpegError as error:
        raise _not_read(path, error.strerror or str(error)) from error
    with closing(container):
        yield container


MOST_CHAPTERS = 500


def _chapters(container: InputContainer) -> Iterator[tuple[int, int, str]]:
    """Yield the chapters that a container names; those without a title are numbered, and a lone one is none."""
    found, begins = container.chapters()[:MOST_CHAPTERS], Fraction(container.start_time or 0, av.time_base)
    for number, each in enumerate(found if len(found) > 1 else (), 1):
        base = each["time_base"] or Fraction(0)
        start, end = (max(0, round((each[edge] * base - begins) * 1000)) for edge in ("start", "end"))
        title = " ".join(each["metadata"].get("title", "")[:300].split())
        yield start, max(end, start + 1), title or str(number)


def _streams(container: InputContainer) -> Iterator[StreamInfo]:
    for stream in container.streams:
        if (found := _stream(stream)) is not None:
            yield found


def _stream(stream: Any) -> StreamInfo | None:
    context = stream.codec_context
    if context is None and stream.type == "subtitle":  # FFmpeg has no decoder for them, nor tells here what they are
        return _subtitle_stream(stream, "unknown")
    if context is None or stream.disposition & Disposition.attached_pic:
        return None
    codec = context.codec.canonical_name
    language = None if stream.language in {"und", ""} else stream.language
    if isinstance(stream, av.AudioStream):
        return StreamInfo(
            type="audio", codec=codec, channels=stream.channels, rate=stream.sample_rate, language=language
        )
    if isinstance(stream, av.VideoStream):
        width, height, pixels = stream.width, stream.height, stream.pix_fmt
        return StreamInfo(type="video", codec=codec, width=width, height=height, pixels=pixels, language=language)
    return _subtitle_stream(stream, codec) if stream.type == "subtitle" else None


_HANDLER = re.compile(r"handler|core media|gpac", re.IGNORECASE)


def _subtitle_stream(stream: Any, codec: str) -> StreamInfo:
    language = None if stream.language in {"und", ""} else stream.language
    # QuickTime has a name for what handles a track, where programs write one for people, or what they are called.
    titles = [stream.metadata.get(key, "") for key in ("title", "name", "handler_name")]
    title = " ".join(next((each for each in titles if each and not _HANDLER.search(each)), "").split())[:200]
    marks = tuple(mark.name for mark in Disposition if mark.name and stream.disposition & mark)
    return StreamInfo(type="subtitle", codec=codec, language=language, title=title or None, marks=marks)


def _heard(container: InputContainer) -> tuple[int, str]:
    """Return which track of sound is heard, and why where there are several.

    A camera may have a track for a microphone that nobody plugged in, and a screen recorder one for what the
    computer plays. Tracks are listened to for a second at a time, in places all over the recording.
    """
    tracks = container.streams.audio
    if len(tracks) < 2:
        return 0, ""
    usual = next((n for n, track in enumerate(tracks) if track.disposition & Disposition.default), None)
    levels = _levels(container, tracks[:MOST_TRACKS])
    loudest = max(levels, key=lambda number: levels[number], default=0)
    if levels.get(usual or 0, 0.0) > SILENT or levels.get(loudest, 0.0) <= SILENT:
        return (0, "it is the first") if usual is None else (usual, "the file has it by default")
    return loudest, "the one that the file has by default is silent" if usual is not None else "the first is silent"


def _levels(container: InputContainer, tracks: Sequence[av.AudioStream]) -> dict[int, float]:
    """Return the highest sample that was heard of each track that can be decoded, as a part of full scale."""
    levels: dict[int, float] = {}
    length = container.duration or 0
    # One that does not say how long it is cannot be sought in: its beginning must do.
    places, seconds = (PLACES, 1) if length else (1, PLACES)
    for place in range(places):
        left = {track.index: float(seconds) for track in tracks}
        try:
            if place:
                container.seek(length * place // places)
            for packet in islice(container.demux(*tracks), 200 * seconds * len(tracks)):
                for frame in _frames(packet):
                    number = tracks.index(packet.stream)
                    levels[number] = max(levels.get(number, 0.0), _peak(frame))
                    left[packet.stream.index] -= frame.samples / (frame.sample_rate or 1)
                if max(left.values()) <= 0:
                    break
        except av.error.FFmpegError:
            break  # what was heard so far is what there is
    with suppress(av.error.FFmpegError):
        container.seek(0)
    return levels


def _frames(packet: Any) -> list[av.AudioFrame]:
    try:
        return cast("list[av.AudioFrame]", packet.decode())
    except av.error.FFmpegError:
        return []


def _peak(frame: av.AudioFrame) -> float:
    try:
        return float(np.abs(samples_of(frame)).max(initial=0.0))
    except ValueError:
        return 1.0  # samples of 64 bits, which NumPy is not given


def _decodes(container: InputContainer, track: int) -> bool:
    """Tell whether a frame comes out of the sound, or of the pictures where there is none."""
    pictures = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    stream = next(iter([*container.streams.audio[track:], *pictures]))
    try:
        # A damaged start is passed over, but not without end.
        for packet in islice(container.demux(stream), 500):
            try:
                if packet.decode():
                    return True
            except av.error.FFmpegError:
                continue
    except av.error.FFmpegError:
        return False
    return False


def _sound_starts_ms(container: InputContainer, track: int) -> int:
    """Return how long after the recording's beginning the first sample of its sound is."""
    stream = container.streams.audio[track]
    start = stream.start_time
    if not start:  # Matroska does not say it ahead
        with suppress(av.error.FFmpegError):
            container.seek(0)
            start = next((packet.pts for packet in islice(container.demux(stream), 10) if packet.pts is not None), None)
    if start is None or container.start_time is None:
        return 0
    at = start * (stream.time_base or 0) - Fraction(container.start_time, av.time_base)
    return max(0, round(at * 1000))


def _names(path: Path, container: InputContainer, kind: MediaKind) -> tuple[str, str]:
    """Return media type and suffix; FFmpeg has one demuxer for MP4 and QuickTime, and one for Matroska and WebM."""
    name = container.format.name.split(",")[0]
    if name == "matroska" and b"webm" in _head(path)[:100]:
        name = "webm"  # the EBML header's DocType: RFC 8794, section 11.2.6
    if name == "mov" and kind == "video" and container.metadata.get("major_brand") == "qt  ":
        return "video/quicktime", ".mov"
    found = CONTAINERS[name]
    return found.video if kind == "video" else found.audio


def _not_read(path: Path, reason: str) -> NotMediaError | BrokenMediaError:
    """Return the error for a file that FFmpeg will not read: by its first bytes, broken or something else."""
    head = _head(path)
    if not head:
        return NotMediaError("not a recording: the file is empty")
    for what, pattern in (
        ("a playlist", _PLAYLIST),
        ("subtitles: a recording is needed beside them", _SUBTITLES),
        ("an image", _IMAGE_MAGIC),
    ):
        if pattern.match(head):
            return NotMediaError(f"not a recording but {what}")
    if _CONTAINER_MAGIC.match(head):
        return BrokenMediaError(f"the recording is damaged or incomplete: {reason}")
    if b"\0" not in head and _is_text(head):
        return NotMediaError("not a recording but text")
    return NotMediaError("not a recording, or in a format that Rostra does not read")


def _is_text(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # the last character may be cut
    except UnicodeDecodeError:
        return False
    return True


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(4096)
    except OSError as error:
        raise BrokenMediaError(f"cannot be read: {error.strerror}") from error
