"""Hard sound, made of the recordings that have references: what it holds is known, and it is the same every time.

Recordings are dealt out by hash, so that what rules are tuned on is never what they are tested on: a recording, and
all that is made of it, is in ``tuning`` or in ``test``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from pipelines.media.files import stream_audio
from pipelines.media.samples import SAMPLE_RATE, AudioBlock

Split: TypeAlias = Literal["tuning", "test"]
SPLITS: tuple[Split, ...] = ("tuning", "test")
LOUDNESS = 0.05
"""Root mean square to which voices are brought before they are mixed: -26 dB of full scale."""
INVENTED_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Spoken:
    """A recording and what is said in it.

    Attributes:
        file: relative to the folder of recordings.
    """

    file: str
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Case:
    """Sound that is hard to hear, with what a transcript of it is held against.

    Attributes:
        kind: what makes it hard.
        texts: what is said; several where several speak at once; none where no word can be made out.
        spans: where somebody who must not be lost speaks, in seconds.
    """

    kind: str
    name: str
    language: str
    samples: AudioBlock
    texts: tuple[str, ...] = ()
    spans: tuple[tuple[float, float], ...] = ()


def split_of(file: str) -> Split:
    """Return where a recording belongs, by the hash of its path under ``audio/``."""
    return SPLITS[hashlib.sha256(file.removeprefix("audio/").encode()).digest()[0] % 2]


@cache
def sound(path: Path) -> AudioBlock:
    """Return all samples of a recording."""
    return np.concatenate([np.zeros(0, np.float32), *stream_audio(path)])


def level(samples: AudioBlock, loudness: float = LOUDNESS) -> AudioBlock:
    """Bring sound to a root mean square."""
    return samples * np.float32(loudness / max(float(np.sqrt(np.mean(np.square(samples)))), 1e-6))


def pink(count: int, seed: int) -> AudioBlock:
    """Return noise whose power falls by 3 dB an octave, with a root mean square of 1."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(size=count))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 20))
    return level(np.fft.irfft(spectrum, count).astype(np.float32), 1.0)


def noisy(samples: AudioBlock, decibels: float, seed: int = 0) -> AudioBlock:
    """Return a voice in pink noise that it is so much louder than."""
    return level(samples) + pink(len(samples), seed) * np.float32(LOUDNESS * 10 ** (-decibels / 20))


def babble(voices: Sequence[AudioBlock], seconds: int, seed: int = 0) -> AudioBlock:
    """Return eight voices at once, each reading what all recordings say, from another place."""
    tape = np.concatenate([level(voice) for voice in voices])
    places = np.random.default_rng(seed).integers(0, len(tape), 8)
    count = seconds * SAMPLE_RATE
    mixed = sum(np.resize(np.roll(tape, -int(place)), count) for place in places)
    return level(np.asarray(mixed, dtype=np.float32))


class Kitchen:
    """Makes the cases of one split.

    Args:
        folder: of the recordings.
        spoken: all recordings that have references.
        music: sound of instruments alone.
    """

    def __init__(self, folder: Path, spoken: Sequence[Spoken], split: Split, music: AudioBlock) -> None:
        self.folder = folder
        self.short = [
            each
            for each in spoken
            if split_of(each.file) == split and 4 * SAMPLE_RATE < len(sound(folder / each.file)) < 30 * SAMPLE_RATE
        ]
        self.music = music

    def voice(self, spoken: Spoken) -> AudioBlock:
        return sound(self.folder / spoken.file)

    def cases(self) -> Iterator[Case]:
        """Yield all cases, each made as it is asked for."""
        yield from self._in_noise()
        yield from self._crosstalk()
        yield from self._quiet_second()
        yield from self._nothing_said()
        yield self._joined()

    def _in_noise(self) -> Iterator[Case]:
        for decibels in (0, -5):
            for each in self.short:
                made = noisy(self.voice(each), decibels)
                yield Case(f"noise {decibels} dB", each.file, each.language, made, (each.text,))

    def _crosstalk(self) -> Iterator[Case]:
        english = [each for each in self.short if each.language == "en"]
        for one, other in zip(english[::2], english[1::2], strict=False):
            voices = [level(self.voice(each)) for each in (one, other)]
            count = min(map(len, voices))
            made = voices[0][:count] + voices[1][:count]
            yield Case("crosstalk", f"{one.file} + {other.file}", "en", made, (one.text, other.text))

    def _quiet_second(self) -> Iterator[Case]:
        """A loud voice, and after it one that is 20 dB quieter."""
        pause = np.zeros(SAMPLE_RATE, np.float32)
        for one, other in zip(self.short, self.short[1:], strict=False):
            if one.language != other.language:
                continue
            loud, quiet = level(self.voice(one), 0.1), level(self.voice(other), 0.01)
            made = np.concatenate([loud, pause, quiet])
            spans = (((len(loud) + len(pause)) / SAMPLE_RATE, len(made) / SAMPLE_RATE),)
            yield Case("quiet second", f"{one.file} + {other.file}", one.language, made, (other.text,), spans)

    def _nothing_said(self) -> Iterator[Case]:
        """Sound without a word that can be made out, of which everything that is heard is invented."""
        crowd = babble([self.voice(each) for each in self.short], INVENTED_SECONDS)
        count = len(crowd)
        backwards = np.concatenate([level(self.voice(each)) for each in self.short])[::-1][:count]
        made = {
            "babble": crowd,
            "reversed babble": crowd[::-1],
            "reversed speech": backwards,
            "music": np.resize(level(self.music), count),
            "pink noise": pink(count, 1) * np.float32(LOUDNESS),
        }
        for kind, samples in made.items():
            yield Case(kind, kind, "en", np.ascontiguousarray(samples))

    def _joined(self) -> Case:
        """The English ones with pauses of 2 to 40 seconds between them, in a quiet room."""
        chance = np.random.default_rng(0)
        parts, texts = [], []
        for each in self.short:
            if each.language == "en":
                pause = chance.normal(0, 1e-4, int(chance.uniform(2, 40) * SAMPLE_RATE))
                parts += [self.voice(each), pause.astype(np.float32)]
                texts.append(each.text)
        return Case("joined", "joined", "en", np.concatenate(parts), (" ".join(texts),))
