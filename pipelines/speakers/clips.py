"""Some seconds of a voice, as a file or from the loudspeaker."""

from __future__ import annotations

import shutil
import subprocess
import wave
from pathlib import Path

import numpy as np

from pipelines.errors import ConfigError
from pipelines.media.files import stream_audio
from pipelines.media.samples import SAMPLE_RATE

HEARD_MS = 6_000
"""What is heard of a voice."""
PLAYERS = (
    ("ffplay", "-nodisp", "-autoexit", "-loglevel", "quiet"),
    ("mpv", "--no-video", "--really-quiet"),
    ("afplay",),
    ("paplay",),
    ("aplay", "--quiet"),
)
"""Programs that play a file, with what makes them do only that."""


def write_clip(recording: Path, span: tuple[int, int], target: Path) -> Path:
    """Write the first seconds of a stretch of a recording as WAV.

    Args:
        recording: its file.
        span: from when to when, in milliseconds.
        target: where to.
    """
    start, end = span
    blocks = list(stream_audio(recording, start_ms=start, end_ms=min(end, start + HEARD_MS)))
    sound = np.concatenate(blocks) if blocks else np.zeros(0, dtype=np.float32)
    with wave.open(str(target), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return target


def play(clip: Path) -> None:
    """Play a file, and return when it is over.

    Raises:
        ConfigError: there is nothing that plays it, or it did not.
    """
    for name, *options in PLAYERS:
        if program := shutil.which(name):
            done = subprocess.run([program, *options, str(clip)], check=False)  # noqa: S603 - our own file
            if done.returncode:
                raise ConfigError(f"{name} does not play here: write files with --hear FOLDER, and play them elsewhere")
            return
    names = ", ".join(name for name, *_ in PLAYERS)
    raise ConfigError(f"nothing on PATH plays sound ({names}): write files with --hear FOLDER instead")
