"""What is known of the recordings beyond their text: where passages begin, and the names that are said in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines.media.files import stream_audio
from pipelines.media.samples import SAMPLE_RATE
from tests.bench.engines import Said

_FRAME = SAMPLE_RATE // 100
_QUIET_DB = 30


@dataclass(frozen=True, slots=True)
class Passage:
    """A clip that was joined into a recording, in milliseconds.

    Attributes:
        cue_ms: where the clip begins.
        start_ms: where it is first heard: the silence that it begins with is over.
        end_ms: where the clip ends.
    """

    cue_ms: int
    start_ms: int
    end_ms: int

    def first_of(self, found: Sequence[Said]) -> Said | None:
        """Return the first that lies in the clip by its middle, or None."""
        return next((x for x in found if self.cue_ms - 300 <= (x.start_ms + x.end_ms) / 2 <= self.end_ms), None)


def cues(path: Path) -> Iterator[tuple[int, int]]:
    """Yield start and end, in milliseconds, of the cues of a WebVTT file."""
    stamp = r"(\d\d):(\d\d):(\d\d)\.(\d{3})"
    for match in re.finditer(f"{stamp} --> {stamp}", path.read_text(encoding="utf-8")):
        numbers = [int(number) for number in match.groups()]
        start, end = (((h * 60 + m) * 60 + s) * 1000 + ms for h, m, s, ms in (numbers[:4], numbers[4:]))
        yield start, end


def passages(recording: Path, reference: Path) -> Iterator[Passage]:
    """Yield the clips of a recording that was joined from studio clips.

    Their first sound is what comes within 30 dB of their loud parts; before it they are 50 dB and more quieter,
    so that any threshold between gives the same.
    """
    samples = np.concatenate(list(stream_audio(recording)))
    for start, end in cues(reference):
        clip = samples[start * SAMPLE_RATE // 1000 : end * SAMPLE_RATE // 1000]
        power = np.mean(clip[: len(clip) // _FRAME * _FRAME].reshape(-1, _FRAME) ** 2, axis=1)
        decibels = 10 * np.log10(power + 1e-12)
        first = int(np.argmax(decibels > np.percentile(decibels, 95) - _QUIET_DB))
        yield Passage(start, start + first * 10, end)


NAMED = {
    "audio/en/hotwords.mp3": ("ComfyUI",),
    "audio/en/fleurs-en-002.ogg": ("Sintra", "Byron"),
    "audio/en/sense_and_sensibility_01_austen_64kb-0870.wav": ("Dashwood",),
    "audio/en/LJ001-0007.flac": ("Gutenberg",),
    "audio/en/picovoice_test.wav": ("Quilter",),
    "audio/de/fleurs-de-000.ogg": ("Kowloon", "Hongkong"),
    "audio/de/fleurs-de-004.ogg": ("Mekka",),
    "audio/de/librivox_simplicissimus.mp3": ("Grimmelshausen", "Simplicissimus", "Melchior Sternfels", "Fuchshaim"),
    "audio/es/fleurs-es-001.ogg": ("Oravec",),
    "audio/es/fleurs-es-004.ogg": ("Carpanedo",),
    "audio/fr/fleurs-fr-001.ogg": ("USOC",),
    "audio/fr/fleurs-fr-004.ogg": ("Mashhad",),
    "audio/pt/fleurs-pt-000.ogg": ("Bieber",),
    "audio/pt/fleurs-pt-002.ogg": ("Giancarlo", "Fisichella"),
    "audio/pt/fleurs-pt-003.ogg": ("Goethe", "Fichte", "Schlegel"),
}
"""Names that the references say are said."""

NAMELESS = (
    ("audio/en/gb0_bush_radio_address.flac", "en"),
    ("audio/en/cold_corpus.flac", "en"),
    ("audio/en/earnings22_1_4482311_3_62.flac", "en"),
    ("audio/fr/fleurs-fr-003.ogg", "fr"),
    ("audio/es/fleurs-es-002.ogg", "es"),
    ("audio/de/fleurs-de-003.ogg", "de"),
)
"""Recordings in which none of those names is said, with their languages."""
