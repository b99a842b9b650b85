from __future__ import annotations

import pickle

import numpy as np
import pytest

from metadata.model import Segment, Transcript, Word
from pipelines.errors import ConfigError, TranscriberError
from pipelines.media.samples import SAMPLE_RATE
from pipelines.transcribers import FakeTranscriber, FasterWhisper, Hints, Transcriber, engine
from pipelines.transcribers.base import ignore_progress


def silence(seconds: int) -> list[np.ndarray[tuple[int], np.dtype[np.float32]]]:
    return [np.zeros(SAMPLE_RATE, dtype=np.float32) for _ in range(seconds)]


def test_fake_says_a_sentence_every_four_seconds() -> None:
    told: list[float] = []
    found = FakeTranscriber(sentences=("Good morning.", "Goodbye.")).transcribe(
        silence(9), Hints(language="en"), told.append
    )
    assert found == Transcript(
        language="en",
        duration_ms=9_000,
        segments=tuple(
            Segment(
                start_ms=start,
                end_ms=start + 3_000,
                text=" ".join(texts),
                confidence=0.9,
                words=tuple(
                    Word(
                        start_ms=start + i * 3_000 // len(texts),
                        end_ms=start + (i + 1) * 3_000 // len(texts),
                        text=text,
                        confidence=0.9,
                    )
                    for i, text in enumerate(texts)
                ),
            )
            for start, texts in ((0, ("Good", "morning.")), (4_000, ("Goodbye.",)), (8_000, ("Good", "morning.")))
        ),
        generator="fake",
        generator_version="1",
        parameters={"sentences": "Good morning.\nGoodbye.", "revision": 1},
    )
    assert told == [float(second) for second in range(1, 10)]


def test_fake_fails_as_told() -> None:
    with pytest.raises(TranscriberError, match="out of memory"):
        FakeTranscriber(fails=TranscriberError("out of memory")).transcribe(silence(1), Hints(), ignore_progress)


@pytest.mark.parametrize("made", [FakeTranscriber(sentences=("One.",)), FasterWhisper(model="tiny.en", threads=1)])
def test_engine_travels_to_a_worker(made: Transcriber) -> None:
    there = pickle.loads(pickle.dumps(made))  # noqa: S301
    assert there == made
    assert there.parameters == made.parameters


def test_engine_by_name() -> None:
    assert engine("faster-whisper", model="small") == FasterWhisper(model="small")


def test_engine_unknown() -> None:
    with pytest.raises(ConfigError, match="choose one of fake, faster-whisper"):
        engine("kaldi")


def test_engine_unknown_option() -> None:
    with pytest.raises(ConfigError, match="colour"):
        engine("faster-whisper", colour="blue")
