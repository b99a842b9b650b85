from __future__ import annotations

import numpy as np
import pytest

from pipelines.media.samples import SAMPLE_RATE
from pipelines.speakers.base import Diarization, Turn
from tests.bench import diarization_tables

pytest.importorskip("pyannote.metrics")
from tests.bench import diarization, mixes


def test_words_are_wrong_where_their_voice_is_another_speaker() -> None:
    said = [["good", "morning"], ["thank", "you", "all"]]
    assert diarization.by_speaker(said, said[::-1]) == 0, "voices have no names"
    assert diarization.by_speaker(said, [["good", "morning", "thank", "you", "all"]]) == 2 + 2, (
        "two that are in another's, and two that nobody has"
    )
    assert diarization.by_speaker(said, [["good"], ["thank", "you", "all"], ["morning"]]) == 1 + 1
    assert diarization.by_speaker([], []) == 0


def test_what_is_measured_becomes_a_table(tmp_path) -> None:  # type: ignore[no-untyped-def]
    turns = (mixes.Turn(0, 2, "a"), mixes.Turn(2, 4, "b"))
    sample = mixes.Sample("two", "held out", np.zeros(4 * SAMPLE_RATE, np.float32), turns)
    path = diarization.write(sample, tmp_path)
    right, one = Diarization((Turn(0, 2000, 0), Turn(2000, 4000, 1))), Diarization((Turn(0, 4000, 0),))
    found = [
        diarization.measure(lambda _path, _most, each=each: (each, 0.1), sample, path)  # type: ignore[misc]
        for each in (right, one)
    ]
    assert [each["voices"] for each in found] == [2, 1]
    assert [diarization_tables.rate([each]) for each in found] == [0, 50]
    kept = {"turns": {"two": {"rostra": found[1] | {"kind": "held out"}}}}
    assert "held out (1): error rate, % | 50.0 |" in diarization_tables.section(kept)
    assert "counts wrongly: two (1 of 2)" in diarization_tables.section(kept)
