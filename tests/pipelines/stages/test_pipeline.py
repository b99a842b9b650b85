from __future__ import annotations

from pathlib import Path

import pytest

import pipelines.stages
from pipelines.config import Config, TranscribeSettings
from pipelines.stages import STAGES, Setup, StageEntry, stages_of
from pipelines.stages.base import Prepares, Spared, fingerprint
from pipelines.stages.captions import Captions
from pipelines.stages.pull import Pull
from pipelines.stages.transcribe import whisper

SETUP = Setup(
    config=Config(transcribe=TranscribeSettings(engine="fake")), sources=["talk.mp4", "https://example.org/talk.mp4"]
)


def names(stages: object) -> list[str]:
    return [stage.name for stage in stages]  # type: ignore[attr-defined]


@pytest.mark.parametrize("entry", STAGES, ids=lambda entry: entry.name)
def test_each_line_of_the_pipeline_is_the_stage_in_its_module(entry: StageEntry) -> None:
    stage = entry.make(SETUP)
    assert stage.name == entry.name
    assert isinstance(stage, Prepares) is (entry.runs_on == "models" and not isinstance(stage, Spared))


@pytest.mark.parametrize("entry", [each for each in STAGES if each.runs_on == "models"], ids=lambda entry: entry.name)
def test_a_stage_with_a_model_says_how_large_that_is(entry: StageEntry) -> None:
    small, large = (entry.weights_bytes(Setup(config=Config(), model=model)) for model in ("tiny", "large-v3"))
    assert (small, large) == (33_956_313, 33_956_313) if entry.name == "diarize" else 0 < small < large


def test_every_module_with_a_stage_has_its_line() -> None:
    folder = Path(str(pipelines.stages.__file__)).parent
    found = {path.stem for path in folder.glob("*.py") if "\ndef make(setup: Setup)" in path.read_text()}
    assert found == {stage.name for stage in STAGES}


def test_commands_run_their_stages_in_order() -> None:
    assert names(stages_of("pull")) == ["pull", "captions"]
    assert names(stages_of("run")) == ["transcribe", "diarize", "render", "embed", "index", "publish"]
    assert names(stages_of("run", asked=["translate"])) == [
        "transcribe",
        "diarize",
        "translate",
        "render",
        "embed",
        "index",
        "publish",
    ]
    assert names(stages_of("run", only="translate")) == ["translate"]


def test_what_a_command_is_asked_for_reaches_its_stages() -> None:
    setup = Setup(config=Config(), sources=SETUP.sources, event="school", session="talk")
    pull, captions = (stage.make(setup) for stage in stages_of("pull"))
    assert pull == Pull(["talk.mp4", "https://example.org/talk.mp4"], "school", "talk")
    assert captions == Captions([Path("talk.mp4")])


def test_another_quality_makes_another_transcript() -> None:
    settings = Config(transcribe=TranscribeSettings(quality="best"))
    made = [whisper(Setup(config=settings, quality=quality)).parameters for quality in (None, "fast", "best")]
    assert [each["quality"] for each in made] == ["best", "fast", "best"]
    assert fingerprint(made[0]) == fingerprint(made[2]) != fingerprint(made[1])
