"""Writing the example's recordings: AAC in MP4, with slides as H.264 where there are any."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
import numpy as np
from av.container import OutputContainer

from pipelines.demo.sound import DemoAudio
from pipelines.errors import ToolError

if TYPE_CHECKING:
    from PIL.Image import Image

_CONTAINER_OPTIONS = {"movflags": "+faststart", "fflags": "+bitexact"}
_BITEXACT = {"flags": "+bitexact"}
_AUDIO_BITS = 64_000
_BLOCK = 1024  # samples of an AAC frame
_FRAMES_A_SECOND = 5
_KEYFRAME_SECONDS = 4
_VIDEO_CODECS = {
    "libx264": {"crf": "26", "preset": "medium", "tune": "stillimage", "threads": "1"},
    "libvpx-vp9": {"crf": "36", "b": "0", "deadline": "good", "cpu-used": "4", "threads": "1"},
}
"""Most widely played first; one thread, so that every run gives the same bytes."""


def read_note(path: Path) -> str | None:
    """Return what `write` noted in a recording, or None where there is no readable one."""
    try:
        with av.open(str(path)) as container:
            return container.metadata.get("comment")
    except (OSError, av.FFmpegError):
        return None


def write(path: Path, sound: DemoAudio, slides: Sequence[Image], note: str) -> None:
    """Write a recording in one step, with ``note`` in its metadata; a slide begins with each part of the sound."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".making-") as scratch:
        unfinished = Path(scratch) / path.name
        with av.open(str(unfinished), "w", format="mp4", options=_CONTAINER_OPTIONS) as container:
            container.metadata["comment"] = note
            _mux(container, sound, slides)
        unfinished.replace(path)


def _mux(container: OutputContainer, sound: DemoAudio, slides: Sequence[Image]) -> None:
    video = _add_video(container, slides[0].size) if slides else None
    audio = container.add_stream("aac", rate=sound.rate, layout="mono", options=_BITEXACT)
    audio.bit_rate = _AUDIO_BITS
    frames_shown = 0
    for start in range(0, len(sound.samples), _BLOCK):
        while video and frames_shown / _FRAMES_A_SECOND <= start / sound.rate:
            image = slides[_showing(sound.starts, frames_shown / _FRAMES_A_SECOND)]
            frame = av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24")
            frame.pts, frame.time_base = frames_shown, Fraction(1, _FRAMES_A_SECOND)
            container.mux(video.encode(frame))
            frames_shown += 1
        block = av.AudioFrame.from_ndarray(sound.samples[None, start : start + _BLOCK], format="fltp", layout="mono")
        block.sample_rate, block.pts, block.time_base = sound.rate, start, Fraction(1, sound.rate)
        container.mux(audio.encode(block))
    for stream in (audio, video):
        if stream:
            container.mux(stream.encode(None))


def _add_video(container: OutputContainer, size: tuple[int, int]) -> av.VideoStream:
    codec = next((name for name in _VIDEO_CODECS if name in av.codecs_available), None)
    if codec is None:
        raise ToolError(f"this PyAV encodes none of {', '.join(_VIDEO_CODECS)}: pip install --force-reinstall av")
    stream = cast(
        "av.VideoStream", container.add_stream(codec, rate=_FRAMES_A_SECOND, options=_VIDEO_CODECS[codec] | _BITEXACT)
    )
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    stream.codec_context.gop_size = _FRAMES_A_SECOND * _KEYFRAME_SECONDS
    return stream


def _showing(starts: Sequence[float], at: float) -> int:
    return max(int(np.searchsorted(starts, at, side="right")) - 1, 0)
