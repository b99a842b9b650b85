from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from pipelines.speakers.features import features
from tests.pipelines.speakers.signals import glide

REFERENCE = json.loads((Path(__file__).parents[2] / "cases" / "speakers" / "reference.json").read_text())


def test_features_are_those_of_kaldi() -> None:
    found = features(glide(2))
    assert found.shape == (REFERENCE["frames"], 80)
    for frame, bands in REFERENCE["features"].items():
        np.testing.assert_allclose(found[int(frame)], bands, atol=1e-3)


def test_a_frame_needs_25_milliseconds() -> None:
    assert features(glide(0.0249)).shape == (0, 80)
    assert features(glide(0.025)).shape == (1, 80)
    assert features(glide(0.035)).shape == (2, 80)


def test_silence_has_the_floor_in_every_band() -> None:
    assert set(features(np.zeros(1600, dtype=np.float32)).ravel().tolist()) == {float(np.log(np.float32(2**-23)))}
