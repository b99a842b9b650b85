"""Sounds with known turns, made of recordings of single speakers, and excerpts of meetings with an RTTM.

Rules of diarization were tuned on `tuned`. What they are worth is told by `held_out`: other speakers, languages, seeds,
rooms and noise, and other kinds of sound. Those of them that rules were changed for are named in ``tests/README.md``.
Some of its voices are recordings that are played faster or slower, with their pitch, which makes other speakers of
them.

References are cut to the speech that Silero finds in the recordings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from pipelines.media.samples import SAMPLE_RATE, AudioBlock
from pipelines.transcribers.speech import FRAME, FRAMES_PER_SECOND, detect_speech, spans
from tests.bench.hard import pink
from tests.bench.sounds import LEVEL, OTHERS, VOICES, read_sound
from tests.corpus import DATA

EXCERPTS = ("ami_dev00", "ami_trn01", "ami_trn02", "picovoice_falcon_3spk")
READERS = ("1688", "1998", "2033", "2414", "1089", "1995", "lj", "austen")
"""Speakers of one kind of recording, whom no difference of microphones tells apart."""
LIVELY = tuple(name for name in OTHERS if not name.startswith(("picovoice", "ru")))
"""Those of the others who have more than a few seconds."""
FASTER, SLOWER = 1.14, 0.88
"""Speeds that make another speaker of a reader."""
ALTERED = (f"lj*{SLOWER}", f"austen*{FASTER}", f"2033*{FASTER}", f"1998*{SLOWER}", f"bush*{FASTER}")
MEN = ("1688", "corpus", f"1089*{SLOWER}", f"bush*{FASTER}")
Room: TypeAlias = Literal["", "small", "hall"]
NONE: Room = ""
SMALL: Room = "small"
Medium: TypeAlias = Literal["", "telephone", "MP3", "stereo"]


class Turn(NamedTuple):
    """A stretch of speech, in seconds."""

    start: float
    end: float
    speaker: str


@dataclass(frozen=True, slots=True)
class Sample:
    """Sound, and who speaks when in it.

    Attributes:
        kind: excerpts, mixes that rules were tuned on, or mixes that are held out.
        sound: shape ``(samples,)``, or ``(2, samples)``.
        most: how many voices are said to be in it at most.
        texts: who says what, in order, where the words are known.
    """

    name: str
    kind: Literal["excerpt", "tuned", "held out"]
    sound: AudioBlock
    turns: tuple[Turn, ...]
    medium: Medium = ""
    most: int | None = None
    texts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a mix is made.

    Attributes:
        noise: decibels below speech; it is white in what was tuned on, and pink elsewhere.
        room: an echo for each speaker: a small room, or a hall.
        main: speaks for half a minute at a time.
        shares: how often each speaks, beside the first; none for all alike.
        seldom: says one thing of three seconds in all.
        quiet, whisper: one who is 20 dB quieter, and one who whispers.
        pace: how much faster or slower turns are, their pitch kept.
        music: plays in pauses.
        silence: seconds without a sound in the middle.
    """

    name: str
    speakers: tuple[str, ...]
    seconds: float
    seed: int
    overlap: bool = False
    noise: float | None = None
    room: Room = NONE
    main: str | None = None
    held_out: bool = False
    shares: tuple[float, ...] = ()
    seldom: str | None = None
    quiet: str | None = None
    whisper: str | None = None
    pace: float = 0.0
    music: bool = False
    silence: float = 0.0
    medium: Medium = ""
    most: int | None = None


def tuned() -> Iterator[Recipe]:
    """Yield the mixes that rules were tuned on."""
    for count in range(1, 13):
        random = np.random.default_rng(count)
        for hard in (False, True):
            who = tuple(random.choice(sorted(VOICES), count, replace=False).tolist())
            name = f"mix of {count}, {'hard' if hard else 'clean'}"
            both = hard and count > 1  # nobody speaks over themselves
            noise, room = (20.0, SMALL) if hard else (None, NONE)
            yield Recipe(name, who, 120 + 15 * count, 100 * hard + count, both, noise, room)
    for count in range(2, 9):
        who = tuple(np.random.default_rng(count).choice(READERS, count, replace=False).tolist())
        yield Recipe(f"mix of {count} readers", who, 150, 200 + count, count % 2 == 0, 25.0 if count % 2 else None)
    for seed, main, others in (
        (1, "bush", ("2414",)),
        (2, "simplicissimus", ("1998", "2033")),
        (3, "sonnet", ("1688", "kennedy", "fleurs pt")),
        (4, "lj", ("1089", "fleurs es")),
    ):
        echo = SMALL if seed > 2 else NONE
        yield Recipe(f"mix: lecture {seed}", (main, *others), 360, 300 + seed, False, 25.0, echo, main)


def held_out() -> Iterator[Recipe]:
    """Yield the mixes of other speakers and kinds."""
    for count in range(2, 13):
        random = np.random.default_rng(1000 + count)
        who = tuple(random.choice(sorted(OTHERS), count, replace=False).tolist())
        yield Recipe(f"{count} others", who, 120 + 15 * count, 1000 + count, count % 3 == 0, held_out=True)
        who = tuple(random.choice(sorted(OTHERS), count, replace=False).tolist())
        yield Recipe(
            f"{count} others in a hall", who, 120 + 15 * count, 1100 + count, True, 15.0, "hall", held_out=True
        )
    four, six = LIVELY[::3][:4], LIVELY[:6]
    kinds = (
        Recipe("altered readers", ALTERED, 240, 1201),
        Recipe("men", MEN, 240, 1202, noise=20.0),
        Recipe("unequal", six, 400, 1203, shares=(30, 10, 5, 3, 2, 1)),
        Recipe("one says three seconds", four, 300, 1204, seldom=four[-1]),
        Recipe("telephone", four, 200, 1205, noise=25.0, medium="telephone"),
        Recipe("two on the telephone", ("corpus", "fleurs en 1"), 180, 1206, True, medium="telephone"),
        Recipe("a channel a speaker", ("fleurs es 3", "fleurs pt 1"), 180, 1207, medium="stereo"),
        Recipe("music in between", four, 240, 1208, music=True),
        Recipe("long silence", four[:3], 200, 1209, silence=300.0),
        Recipe("a quiet one", four, 240, 1210, noise=40.0, quiet=four[1]),
        Recipe("a whispering one", four[:3], 200, 1211, whisper=four[1]),
        Recipe("changing speeds", four, 240, 1212, pace=0.15),
        Recipe("MP3 at 32 kbit/s", six, 240, 1213, medium="MP3"),
        Recipe("more than the timetable says", six, 240, 1214, most=3),
        Recipe("fewer than the timetable says", four[:2], 200, 1215, most=14),
        Recipe("one for 40 minutes", ("corpus",), 2400, 1216, noise=25.0),
        Recipe("one for 40 minutes, in a hall", (f"bush*{SLOWER}",), 2400, 1217, noise=20.0, room="hall"),
        Recipe("a panel of 6 for an hour", six, 3600, 1218, True, 25.0, shares=(3, 2, 2, 1, 1, 1)),
        Recipe("a lecture with questions", LIVELY[6:10], 900, 1219, noise=25.0, main=LIVELY[6]),
    )
    yield from (replace(each, held_out=True) for each in kinds)


def mixed(recipe: Recipe) -> Sample:
    """Make a mix: turns of 2 to 12 seconds that end in pauses where there are any."""
    random = np.random.default_rng(recipe.seed)
    sound = np.zeros((2, int((recipe.seconds + recipe.silence + 60) * SAMPLE_RATE)), dtype=np.float32)
    rooms = {name: int(random.integers(1 << 30)) for name in recipe.speakers}
    readers = {name: _read(name) for name in recipe.speakers}
    heard = dict.fromkeys(recipe.speakers, 0.0)
    turns: list[Turn] = []
    at, last, silence = 0.5, "", recipe.silence
    while at < recipe.seconds + recipe.silence:
        name = _next(recipe, heard, last, random)
        speech, said = readers[name](_length(recipe, name, random))
        if recipe.pace:
            speech, said = _paced(speech, said, random.uniform(1 - recipe.pace, 1 + recipe.pace))
        if name == recipe.whisper:
            speech = _whispered(speech)
        speech = speech * LEVEL / max(float(np.sqrt(np.mean(np.square(speech)))), 1e-6)
        speech *= 10 ** ((random.uniform(-3, 3) - 20 * (name in (recipe.quiet, recipe.whisper))) / 20)
        if recipe.room:
            speech = _in_room(speech, np.random.default_rng(rooms[name]), recipe.room)
        if recipe.overlap and last and random.random() < 0.3:
            at = max(0.0, at - random.uniform(0.4, 2.0))
        first = int(at * SAMPLE_RATE)
        channel = recipe.speakers.index(name) % 2
        sound[channel, first : first + len(speech)] += speech
        turns += [Turn(at + start, at + end, name) for start, end in said]
        heard[name] += len(speech) / SAMPLE_RATE
        at, last = at + len(speech) / SAMPLE_RATE + random.uniform(0.1, 0.9), name
        if recipe.music and random.random() < 0.25:
            music = _music()[: int(random.uniform(4, 12) * SAMPLE_RATE)]
            sound[0, int(at * SAMPLE_RATE) :][: len(music)] += music
            at += len(music) / SAMPLE_RATE + 0.3
        if silence and at > recipe.seconds / 2:
            at, silence = at + silence, 0.0
    sound = sound[:, : int((at + 0.5) * SAMPLE_RATE)]
    whole = sound if recipe.medium == "stereo" else sound.sum(axis=0)
    if recipe.noise is not None:
        size = whole.shape[-1]
        noise = (
            np.resize(pink(60 * SAMPLE_RATE, recipe.seed), size)
            if recipe.held_out
            else random.normal(size=size).astype(np.float32)
        )
        whole += noise * np.float32(LEVEL * 10 ** (-recipe.noise / 20))
    kind: Literal["held out", "tuned"] = "held out" if recipe.held_out else "tuned"
    return Sample(recipe.name, kind, whole, tuple(sorted(turns)), recipe.medium, recipe.most)


def excerpts() -> Iterator[Sample]:
    """Yield the real excerpts."""
    for name in EXCERPTS:
        path = DATA / "audio" / "en" / f"{name}.flac"
        fields = (line.split() for line in path.with_suffix(".rttm").read_text(encoding="utf-8").splitlines())
        turns = tuple(Turn(float(f[3]), float(f[3]) + float(f[4]), f[7]) for f in fields)
        yield Sample(name, "excerpt", read_sound(path), turns)


@cache
def _speech(path: Path) -> tuple[tuple[float, float], ...]:
    sound = read_sound(path)
    found = spans(detect_speech(np.pad(sound, (0, -len(sound) % FRAME))))
    return tuple((start / FRAMES_PER_SECOND, end / FRAMES_PER_SECOND) for start, end in found)


Said: TypeAlias = list[tuple[float, float]]


def _read(name: str) -> Callable[[float], tuple[AudioBlock, Said]]:
    """Return what gives the next stretch of a speaker's recordings, and where there is speech in it."""
    voice, _, speed = name.partition("*")
    factor = float(speed or 1)
    files = sorted((DATA / "audio").glob((VOICES | OTHERS)[voice]))
    place, at = 0, 0.0

    def read(seconds: float) -> tuple[AudioBlock, Said]:
        nonlocal place, at
        path = files[place % len(files)]
        speech = _speech(path)
        first = max(at, speech[0][0])
        last = min(first + seconds, speech[-1][1])
        pauses = [end for _, end in speech if first + seconds / 2 < end <= last + 0.5]
        last = pauses[-1] if pauses else last
        place, at = (place, last + 0.01) if last < speech[-1][1] - 0.8 else (place + 1, 0.0)
        said = [
            (max(start, first) - first, min(end, last) - first) for start, end in speech if start < last and end > first
        ]
        sound = read_sound(path)[int(first * SAMPLE_RATE) : int(last * SAMPLE_RATE)].copy()
        return (_resampled(sound, factor), _scaled(said, factor)) if speed else (sound, said)

    return read


def _length(recipe: Recipe, name: str, random: np.random.Generator) -> float:
    if name == recipe.main:
        return 30.0
    return 3.0 if name == recipe.seldom else random.uniform(2, 12)


def _next(recipe: Recipe, heard: dict[str, float], last: str, random: np.random.Generator) -> str:
    others = [name for name in recipe.speakers if name != last] or list(recipe.speakers)
    if recipe.seldom:
        spoken = sum(heard.values()) > recipe.seconds / 2 and not heard[recipe.seldom]
        return recipe.seldom if spoken else str(random.choice([name for name in others if name != recipe.seldom]))
    if recipe.shares:
        shares = np.array([share for name, share in zip(recipe.speakers, recipe.shares, strict=True) if name != last])
        return str(random.choice(others, p=shares / shares.sum()))
    if recipe.main:
        if (last and last != recipe.main) or random.random() < 0.6:
            return recipe.main
        others = [name for name in recipe.speakers if name != recipe.main]
    if recipe.main or random.random() < 0.5:
        return min(others, key=lambda name: heard[name])
    return str(random.choice(others))


def _in_room(speech: AudioBlock, random: np.random.Generator, room: str) -> AudioBlock:
    """Return speech with the echo of a room: noise that decays in 0.2 to 0.5 seconds, or in 0.6 to 1.2 in a hall."""
    lengths, decays = ((0.15, 0.4), (0.2, 0.5)) if room == "small" else ((0.5, 0.9), (0.6, 1.2))
    length = int(SAMPLE_RATE * random.uniform(*lengths))
    decay = np.exp(-6.9 * np.arange(length) / SAMPLE_RATE / random.uniform(*decays))
    echo = (random.normal(size=length) * decay * (0.08 if room == "small" else 0.04)).astype(np.float32)
    echo[0] = 1
    size = 1 << (len(speech) + length).bit_length()
    wet = np.fft.irfft(np.fft.rfft(speech, size) * np.fft.rfft(echo, size), size)[: len(speech)]
    return np.asarray(wet / np.sqrt(np.mean(np.square(wet)) / np.mean(np.square(speech))), dtype=np.float32)


def _scaled(said: Said, factor: float) -> Said:
    return [(start / factor, end / factor) for start, end in said]


def _resampled(sound: AudioBlock, factor: float) -> AudioBlock:
    """Return sound as many times as fast, and as high."""
    size = int(len(sound) / factor)
    return np.asarray(np.interp(np.arange(size) * factor, np.arange(len(sound)), sound), dtype=np.float32)


def _paced(sound: AudioBlock, said: Said, factor: float) -> tuple[AudioBlock, Said]:
    """Return speech as many times as fast, as high as before: stretches of it overlap where they are most alike."""
    size, reach = SAMPLE_RATE // 25, SAMPLE_RATE // 100
    fade = np.hanning(2 * size).astype(np.float32)
    made = np.zeros(int(len(sound) / factor) + 4 * size, dtype=np.float32)
    padded = np.pad(sound, (reach, 2 * size + 2 * reach))
    follows = padded[reach : reach + size]
    for start in range(0, int(len(sound) / factor), size):
        near = padded[int(start * factor) :][: size + 2 * reach]
        if len(near) < size + 2 * reach:
            break
        place = int(start * factor) + int(np.correlate(near, follows, "valid").argmax())
        cut = padded[place : place + 2 * size]
        made[start : start + len(cut)] += cut * fade[: len(cut)]
        follows = np.pad(padded[place + size : place + 2 * size], (0, size))[:size]
    return made[: int(len(sound) / factor)], _scaled(said, factor)


def _whispered(sound: AudioBlock) -> AudioBlock:
    """Return speech without a voice: noise with the outline of its spectrum."""
    size, step = 512, 128
    window = np.hanning(size).astype(np.float32)
    noise = np.random.default_rng(len(sound)).normal(size=len(sound)).astype(np.float32)
    made = np.zeros(len(sound) + size, dtype=np.float32)
    for start in range(0, len(sound) - size, step):
        outline = np.fft.irfft(np.log(np.abs(np.fft.rfft(sound[start : start + size] * window)) + 1e-6))
        outline[20:-20] = 0
        spectrum = np.fft.rfft(noise[start : start + size] * window) * np.exp(np.fft.rfft(outline).real)
        made[start : start + size] += np.fft.irfft(spectrum).astype(np.float32) * window
    return made[: len(sound)]


@cache
def _music() -> AudioBlock:
    """Return the music of the recording that begins with it."""
    path = DATA / "audio" / "en" / "music_silence_speech.flac"
    found = read_sound(path)[: 15 * SAMPLE_RATE]
    return np.asarray(found * LEVEL / max(float(np.sqrt(np.mean(np.square(found)))), 1e-6), dtype=np.float32)


Made: TypeAlias = tuple[str, Callable[[], Sample]]
"""The name of a sample, and what makes it."""


def named(names: Sequence[str]) -> Iterator[Made]:
    """Yield each sample whose name begins with one of these, or whose kind it is; all where there are none."""
    for sample in excerpts():
        if _asked(sample.name, "excerpt", names):
            yield sample.name, partial(_itself, sample)
    for recipe in (*tuned(), *held_out()):
        if _asked(recipe.name, "held out" if recipe.held_out else "tuned", names):
            yield recipe.name, partial(mixed, recipe)


def spoken() -> Iterator[Made]:
    """Yield mixes of whole English sentences whose words are known, by 3 to 7 speakers."""
    for number, who in enumerate((SENTENCES[:3], SENTENCES[2:6], SENTENCES[1:7], tuple(SENTENCES))):
        name = f"sentences of {len(who)}"
        yield name, partial(_read_out, name, who, number)


SENTENCES = ("lj", "1089", "austen", "kennedy", "fleurs en 1", "fleurs en 2", "picovoice en")


def _read_out(name: str, who: Sequence[str], seed: int) -> Sample:
    """Make a mix of each speaker's first four recordings, as a whole and in any order, a second apart."""
    random = np.random.default_rng(seed)
    files = [(voice, path) for voice in who for path in sorted((DATA / "audio").glob((VOICES | OTHERS)[voice]))[:4]]
    at, turns, texts = 0.5, [], []
    parts: list[AudioBlock] = [np.zeros(SAMPLE_RATE // 2, np.float32)]
    for voice, path in (files[number] for number in random.permutation(len(files))):
        sound = read_sound(path)
        parts += [
            sound * np.float32(LEVEL / max(float(np.sqrt(np.mean(np.square(sound)))), 1e-6)),
            np.zeros(SAMPLE_RATE, np.float32),
        ]
        turns += [Turn(at + start, at + end, voice) for start, end in _speech(path)]
        texts.append((voice, path.with_name(f"{path.name}.ref.txt").read_text(encoding="utf-8")))
        at += len(sound) / SAMPLE_RATE + 1
    return Sample(name, "held out", np.concatenate(parts).astype(np.float32), tuple(turns), texts=tuple(texts))


def _itself(sample: Sample) -> Sample:
    return sample


def _asked(name: str, kind: str, names: Sequence[str]) -> bool:
    return not names or kind in names or name.startswith(tuple(names))
