"""How long a recording is.

Most containers state it, and a file that has less was not copied whole. Some have no place for it, and FFmpeg estimates
it: from the first bit rates of raw frames, from the first and the last time in a transport stream, from the last page
of an Ogg file. Such estimates can be wrong by any factor, most of all where files were joined (``cat a.ts b.ts``); here
what there is is counted.
"""

from __future__ import annotations

import re
import struct
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
from av.container import InputContainer
from av.stream import Stream

RAW_FRAMES = frozenset({"aac", "ac3", "eac3", "mp3"})
"""Demuxers of frames without a container."""
STREAMS = frozenset({"mpeg", "mpegts"})
"""Demuxers of streams that can begin anywhere, and whose clock may jump."""
JUMP_SECONDS = 10
"""A clock that goes on so much later has jumped, as for ffmpeg (``-dts_delta_threshold``). What is less is a gap."""
BACK_SECONDS = Fraction(1, 10)
"""A clock that goes back by more than this has jumped."""


@dataclass(frozen=True, slots=True)
class Length:
    """How long a recording is, in milliseconds, and what its frames are like: see `pipelines.media.files.MediaInfo`."""

    ms: int | None
    steady: bool = True
    changes: bool = False


def measure(path: Path, container: InputContainer, track: int) -> Length:
    """Return a recording's length; the file is read through where it does not state one.

    Args:
        path: the recording.
        container: the same, opened; it is left anywhere.
        track: which of its tracks of sound is heard, counted from 0.
    """
    names = set(container.format.name.split(","))
    if RAW_FRAMES & names:
        return _of_raw_frames(path, container)
    if STREAMS & names:
        return Length(_of_streams(container, track) or stated_ms(container))
    if "ogg" in names and (joined := _of_chain(path)) is not None:
        return Length(joined)
    return Length(stated_ms(container))


def stated_ms(container: InputContainer) -> int | None:
    """Return the length that a container states, or else where its last packet ends."""
    if container.duration is not None and container.duration > 0:
        return round(container.duration * 1000 / av.time_base)
    return _last_ms(container)


def _of_raw_frames(path: Path, container: InputContainer) -> Length:
    length, sizes, formats = Fraction(0), set(), set()
    with suppress(av.error.FFmpegError):  # what was read so far is what there is
        container.seek(0)
    with suppress(av.error.FFmpegError):
        for packet in container.demux(container.streams.audio[0]):
            if packet.duration and packet.time_base is not None:
                length += packet.duration * packet.time_base
                sizes.add(packet.size)
                formats.add(_format(bytes(packet)[:4]))
    counted = None if _states_length(path) else round(length * 1000)
    changes = len(formats) > 1
    # Padding makes frames of one bit rate differ by a byte (ISO/IEC 11172-3, 2.4.2.3), or by four in layer I.
    steady = not sizes or (max(sizes) - min(sizes) <= 4 and not changes)
    return Length(counted or stated_ms(container), steady, changes)


def _format(header: bytes) -> tuple[int, int, bool] | None:
    """Return version and layer, sample rate and whether it is mono, of a frame of MP3 (ISO/IEC 11172-3, 2.4.1.3)."""
    return (header[1], header[2] & 0x0C, header[3] >> 6 == 3) if len(header) == 4 else None


def _states_length(path: Path) -> bool:
    """Tell whether the first frame of an MP3 says how many there are, as those of LAME, Xing and Fraunhofer do.

    Sources: https://gabriel.mp3-tech.org/mp3infotag.html; ID3v2.4.0, section 3.1, for the size of what is before it.
    """
    with path.open("rb") as file:
        head = file.read(10)
        size = sum((byte & 0x7F) << 7 * (3 - place) for place, byte in enumerate(head[6:10]))
        file.seek(10 + size if head.startswith(b"ID3") else 0)
        return re.search(rb"Xing|Info|VBRI", file.read(256)) is not None


@dataclass(slots=True)
class _Clock:
    """Counts how long a stream lasts whose times may jump, in seconds; ``end`` is where its last packet ended."""

    length: Fraction
    end: Fraction

    def pass_on(self, at: Fraction, lasts: Fraction) -> None:
        gap = at - self.end
        self.length += lasts + (gap if -BACK_SECONDS <= gap <= JUMP_SECONDS else 0)
        self.end = at + lasts


def _of_streams(container: InputContainer, track: int) -> int | None:
    """Return how long the longer of the sound and the pictures lasts, gaps included and jumps not."""
    first = Fraction(container.start_time or 0, av.time_base)
    counted: list[Stream] = [*container.streams.audio[track : track + 1], *container.streams.video[:1]]
    clocks: dict[int, _Clock] = {}
    with suppress(av.error.FFmpegError):  # what was read so far is what there is
        container.seek(0)
    with suppress(av.error.FFmpegError):
        for packet in container.demux(*counted):
            time = packet.pts if packet.dts is None else packet.dts
            if time is not None and packet.time_base is not None:
                at = time * packet.time_base
                clock = clocks.setdefault(packet.stream.index, _Clock(max(at - first, Fraction(0)), at))
                clock.pass_on(at, (packet.duration or 0) * packet.time_base)
    return round(max((clock.length for clock in clocks.values()), default=Fraction(0)) * 1000) or None


def _last_ms(container: InputContainer) -> int | None:
    """Return the end of the last packet, for containers that were never finished (browsers' recordings)."""
    end = 0.0
    try:
        for packet in container.demux():
            if packet.pts is not None and packet.time_base is not None:
                end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    except av.error.FFmpegError:
        pass  # what was read so far is what there is
    return round(end * 1000) or None


_PAGE = struct.Struct("<4sBBqIIIB")
"""An Ogg page (RFC 3533, 6): pattern, version, type, granule position, stream, number, checksum, segments."""
_BEGINS = 0x02


@dataclass(slots=True)
class _Link:
    """One of the files that were joined to an Ogg file: its stream of sound, with the times of its pages."""

    stream: int | None = None
    rate: int = 0
    skipped: int = 0
    first: int | None = None
    last: int = 0
    has_data: bool = False

    @property
    def seconds(self) -> Fraction:
        # A stream that was recorded from its middle on begins with another time than 0.
        begin = self.first if self.first is not None and self.first > 2 * self.rate else self.skipped
        return Fraction(max(self.last - begin, 0), self.rate or 1)


def _of_chain(path: Path) -> int | None:
    """Return the length of an Ogg file that several were joined to (RFC 3533, section 4); None if it is one alone."""
    links = [_Link()]
    with path.open("rb") as file:
        while len(head := file.read(_PAGE.size)) == _PAGE.size:
            pattern, _, kind, granule, stream, _, _, segments = _PAGE.unpack(head)
            if pattern != b"OggS":
                break
            size = sum(file.read(segments))
            if kind & _BEGINS:
                if links[-1].has_data:
                    links.append(_Link())
                _begin(links[-1], stream, file.read(min(size, 64)))
                size -= min(size, 64)
            else:
                _go_on(links[-1], stream, granule)
            file.seek(size, 1)
    known = [link for link in links if link.rate]
    return round(sum((link.seconds for link in known), Fraction(0)) * 1000) if len(known) > 1 else None


def _begin(link: _Link, stream: int, head: bytes) -> None:
    """Note a stream of sound by what its first packet says: RFC 7845, 5.1; Vorbis I, 4.2.2; RFC 9639, 10.1; Speex."""
    rate, skipped = 0, 0
    if head.startswith(b"OpusHead") and len(head) >= 12:
        rate, skipped = 48_000, int.from_bytes(head[10:12], "little")
    elif head.startswith(b"\x01vorbis") and len(head) >= 16:
        rate = int.from_bytes(head[12:16], "little")
    elif head.startswith(b"\x7fFLAC") and len(head) >= 30:
        rate = int.from_bytes(head[27:30], "big") >> 4
    elif head.startswith(b"Speex") and len(head) >= 40:
        rate = int.from_bytes(head[36:40], "little")
    if rate and not link.rate:
        link.stream, link.rate, link.skipped = stream, rate, skipped


def _go_on(link: _Link, stream: int, granule: int) -> None:
    link.has_data = True
    if stream == link.stream and granule > 0:
        link.first = granule if link.first is None else link.first
        link.last = granule
