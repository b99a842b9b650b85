"""Hard sound, made of the recordings that have references: what it holds is known, and it is the same every time.

Recordings are dealt out by hash, so that what rules are tuned on is never what they are tested on: a recording, and
all that is made of it, is in ``tuning`` or in ``test``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
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
"""Of each kind of sound without a word."""


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


@dataclass(frozen=True)
class Ingredients:
    """What the cases of a split are made of.

    Attributes:
        folder: of the recordings.
        spoken: recordings of the split, of 4 to 30 seconds.
        music: sound of instruments alone.
    """

    folder: Path
    spoken: tuple[Spoken, ...]
    music: AudioBlock

    def voice(self, spoken: Spoken) -> AudioBlock:
        """Return the sound of a recording."""
        return sound(self.folder / spoken.file)


def ingredients(folder: Path, spoken: Iterable[Spoken], split: Split, music: AudioBlock) -> Ingredients:
    """Return what the cases of a split are made of, of all recordings that have references."""
    own = [each for each in spoken if split_of(each.file) == split]
    short = [each for each in own if 4 <= len(sound(folder / each.file)) / SAMPLE_RATE < 30]
    return Ingredients(folder, tuple(short), music)


def cases(of: Ingredients) -> Iterator[Case]:
    """Yield all cases of a split, each made as it is asked for."""
    yield from in_noise(of)
    yield from crosstalk(of)
    yield from quiet_second(of)
    yield from nothing_said(of)
    yield joined(of)


def in_noise(of: Ingredients) -> Iterator[Case]:
    """Yield every second recording in pink noise as loud as itself, and in noise that is 5 dB louder."""
    for decibels in (0, -5):
        for each in of.spoken[::2]:
            made = noisy(of.voice(each), decibels)
            yield Case(f"noise {decibels} dB", each.file, each.language, made, (each.text,))


def crosstalk(of: Ingredients) -> Iterator[Case]:
    """Yield pairs of English voices, both as loud, at once."""
    english = [each for each in of.spoken if each.language == "en"]
    for one, other in zip(english[::2], english[1::2], strict=False):
        voices = [level(of.voice(each)) for each in (one, other)]
        count = min(map(len, voices))
        made = voices[0][:count] + voices[1][:count]
        yield Case("crosstalk", f"{one.file} + {other.file}", "en", made, (one.text, other.text))


def quiet_second(of: Ingredients) -> Iterator[Case]:
    """Yield a loud voice, and after it one in the same language that is 20 dB quieter."""
    pause = np.zeros(SAMPLE_RATE, np.float32)
    for one, other in pairwise(of.spoken):
        if one.language == other.language:
            loud, quiet = level(of.voice(one), 0.1), level(of.voice(other), 0.01)
            made = np.concatenate([loud, pause, quiet])
            spans = (((len(loud) + len(pause)) / SAMPLE_RATE, len(made) / SAMPLE_RATE),)
            yield Case("quiet second", f"{one.file} + {other.file}", one.language, made, (one.text, other.text), spans)


def nothing_said(of: Ingredients) -> Iterator[Case]:
    """Yield sound without a word that can be made out, of which everything that is heard is invented."""
    voices = [of.voice(each) for each in of.spoken]
    crowd = babble(voices, INVENTED_SECONDS)
    count = len(crowd)
    backwards = np.concatenate([level(voice) for voice in voices])[::-1]
    made = {
        "babble": crowd,
        "reversed babble": crowd[::-1],
        "reversed speech": np.resize(backwards, count),
        "music": np.resize(level(of.music), count),
        "noise": pink(count, 1) * np.float32(LOUDNESS),
    }
    for kind, samples in made.items():
        yield Case(kind, kind, "en", np.ascontiguousarray(samples))


def joined(of: Ingredients) -> Case:
    """Return the English recordings with pauses of 2 to 40 seconds between them, in a quiet room."""
    chance = np.random.default_rng(0)
    parts: list[AudioBlock] = []
    texts: list[str] = []
    for each in of.spoken:
        if each.language == "en":
            pause = chance.normal(0, 1e-4, int(chance.uniform(2, 40) * SAMPLE_RATE))
            parts += [of.voice(each), pause.astype(np.float32)]
            texts.append(each.text)
    return Case("joined", "joined", "en", np.concatenate(parts), (" ".join(texts),))
