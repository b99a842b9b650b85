"""Which channel of a track of sound is heard alone, because mixing the channels would lose what is in it.

Two channels of opposite phase cancel each other. FFmpeg's mix to one channel leaves out the one for low frequencies
(https://ffmpeg.org/ffmpeg-resampler.html, ``lfe_mix_level``), which recorders use as an ordinary third or fourth one.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice

import av
import av.error
import numpy as np
import numpy.typing as npt
from av.container import InputContainer

PLACES = 20
"""Where a track is listened to, for a second each."""
MOST_CHANNELS = 8
"""FFmpeg knows no layout for more, and mixes nothing down by itself."""
QUIET = 1e-6
"""Mean square of samples (-60 dB of full scale) below which nobody is heard in a channel."""
LOST = 1 / 16
"""The loudest channel is heard alone if the mix has less than this part of its power (-12 dB)."""
_USUALLY_LOW = {3: 2, 6: 3, 7: 3, 8: 3}
"""Where the channel of low frequencies is in FFmpeg's usual layouts: 2.1, 5.1, 6.1, 7.1 (``ffmpeg -layouts``)."""
LOST_LOW = 1 / 1000
"""The same for a channel of low frequencies (-30 dB): in music and films it may well be the loudest."""


@dataclass(slots=True)
class _Power:
    """Sums of squared samples: of each channel, shape ``(channels,)``, and of the sum of all but the low ones."""

    channels: npt.NDArray[np.float64]
    mixed: float = 0.0
    samples: int = 0
    low: tuple[bool, ...] = field(default=())

    def loudest(self) -> int | None:
        """Return the channel that the mix loses, counted from 0; None if it loses none."""
        if not self.samples:
            return None
        loudest = int(np.argmax(self.channels))
        power = float(self.channels[loudest])
        if power / self.samples < QUIET:
            return None
        return loudest if self.mixed < power * (LOST_LOW if self.low[loudest] else LOST) else None


def lost_channel(container: InputContainer, track: int) -> int | None:
    """Return the channel of a track that must be heard alone, counted from 0; None if the mix of all is right.

    The track is listened to for a second at a time, in places all over the recording; what cannot be decoded is
    passed over. The container is at its beginning again afterwards.

    Args:
        container: an opened recording.
        track: which of its tracks of sound, counted from 0.
    """
    stream = container.streams.audio[track]
    if not 2 <= stream.channels <= MOST_CHANNELS:
        return None
    power = _Power(np.zeros(stream.channels))
    length = container.duration or 0
    # A recording that does not say how long it is cannot be sought in: its beginning must do.
    places, seconds = (PLACES, 1.0) if length else (1, float(PLACES))
    for place in range(places):
        try:
            if place:
                container.seek(length * place // places)
            _listen(container, stream, seconds, power)
        except av.error.FFmpegError:
            break  # what was heard so far is what there is
    with suppress(av.error.FFmpegError):
        container.seek(0)
    return power.loudest()


def _listen(container: InputContainer, stream: av.AudioStream, seconds: float, power: _Power) -> None:
    """Add the power of some seconds of sound from where the container is."""
    left = seconds
    for packet in islice(container.demux(stream), round(200 * seconds)):
        with suppress(av.error.FFmpegError, ValueError):
            for frame in packet.decode():
                if isinstance(frame, av.AudioFrame) and len(frame.layout.channels) == len(power.channels):
                    _add(frame, power)
                    left -= frame.samples / (frame.sample_rate or 1)
        if left <= 0:
            return


def _add(frame: av.AudioFrame, power: _Power) -> None:
    low = _low(frame.layout)
    each = samples_of(frame)
    power.channels += np.square(each).sum(axis=1)
    power.mixed += float(np.square(each[~np.array(low)].sum(axis=0)).sum())
    power.samples += frame.samples
    power.low = low


def _low(layout: av.AudioLayout) -> tuple[bool, ...]:
    """Tell of each channel whether it is one of low frequencies."""
    names = [channel.name for channel in layout.channels]
    if set(names) == {"NONE"}:  # the file says only how many there are: FFmpeg then takes the usual layout
        return tuple(number == _USUALLY_LOW.get(len(names)) for number in range(len(names)))
    return tuple(name.startswith("LFE") for name in names)


def samples_of(frame: av.AudioFrame) -> npt.NDArray[np.float64]:
    """Return a frame's samples, shape ``(channels, n)``, full scale 1.

    Raises:
        ValueError: they are of 64 bits, which NumPy is not given.
    """
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, len(frame.layout.channels)).T
    if samples.dtype.kind == "u":
        samples = samples.astype(np.int16) * 256 - 2**15
    whole = 2.0 ** (8 * samples.dtype.itemsize - 1) if samples.dtype.kind == "i" else 1.0
    return np.clip(np.nan_to_num(samples.astype(np.float64) / whole), -8.0, 8.0)
