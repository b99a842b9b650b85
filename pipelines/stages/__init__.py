"""The pipeline: `STAGES` lists every stage, one line each, in the order in which they work.

To add a stage, write a module beside this one and a line in `STAGES`. The module has the stage's name. It holds

- a class with the attributes and methods of `pipelines.stages.base.Stage`,
- ``make(setup: Setup) -> Stage``, which makes the stage for a command, and
- ``weights_bytes(setup: Setup) -> int``, the size of what each worker loads, if the stage runs on ``models``.

``rostra pull``, ``run``, ``status`` and ``retry``, their help, and the table in ``pipelines/README.md`` follow from the
line. A module is imported when its stage is used, so that commands that run no stage start at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from metadata.model import TranscriptKind
from pipelines.config import Config, Quality

if TYPE_CHECKING:  # the module of `Stage` belongs to this package, which is imported first
    from pipelines.stages.base import Stage

RunsOn = Literal["driver", "workers", "models"]
"""Where a stage works: in the driver, which has the catalogue; in worker processes; or in those that load a model."""
Command = Literal["pull", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What stages are made from.

    Attributes:
        config: the archive's.
        sources: files, folders and addresses, for stages of ``rostra pull``.
        event: the slug that ``rostra pull`` was given, or None.
        session: likewise.
        kind: of the captions that come with recordings: ``human`` where people made or checked them.
        captions_only: whether ``rostra pull`` brings captions and leaves the recordings where they are.
        model: Whisper's size or a folder of weights, instead of the configured one.
        quality: what a recording is worth, instead of what is configured.
        threads: how many processors each worker has, or None where nothing is computed.
    """

    config: Config
    sources: Sequence[str | Path] = ()
    event: str | None = None
    session: str | None = None
    kind: TranscriptKind = "imported"
    captions_only: bool = False
    model: str | None = None
    quality: Quality | None = None
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class StageEntry:
    """One stage of the pipeline.

    Attributes:
        name: what the command line and the catalogue call it: the name of its module in this package.
        runs_on: where it works.
        summary: what it does, for help and documentation.
        command: the command that runs it.
        beside: the stage that it is worked on beside, where that runs, too, and processors would be idle: the work of
            the one needs nothing of the other's.
        option: the help of the option ``--NAME`` that a run needs to include it, or None if every run does.
    """

    name: str
    runs_on: RunsOn
    summary: str
    command: Command = "run"
    beside: str | None = None
    option: str | None = None

    def make(self, setup: Setup) -> Stage:
        """Return the stage.

        Raises:
            ConfigError: a setting is wrong.
        """
        stage: Stage = import_module(f"{__name__}.{self.name}").make(setup)
        return stage

    def weights_bytes(self, setup: Setup) -> int:
        """Return the size of what each worker of a stage on ``models`` loads."""
        size: int = import_module(f"{__name__}.{self.name}").weights_bytes(setup)
        return size


STAGES = (
    StageEntry("pull", "workers", "brings recordings into the store", "pull"),
    StageEntry("captions", "driver", "adds captions that came with recordings", "pull"),
    StageEntry("transcribe", "models", "turns what is said into text"),
    StageEntry("diarize", "models", "tells who speaks when, if [speakers] enabled", beside="transcribe"),
    StageEntry("translate", "models", "translates into English", option="Translate what is not in English, too."),
    StageEntry("render", "workers", "makes what the site plays and shows of recordings"),
    StageEntry("embed", "driver", "makes vectors of what is said, for a search by meaning, if [meaning] enabled"),
    StageEntry("index", "driver", "makes sessions and transcripts searchable"),
    StageEntry("publish", "driver", "builds the public database from what is released, and swaps it in"),
)
"""The pipeline, in order."""


def stages_of(command: Command, *, only: str | None = None, asked: Sequence[str] = ()) -> Iterator[StageEntry]:
    """Yield the stages that a command runs, in order.

    Args:
        command: which.
        only: the name of the one stage to run, or None for all.
        asked: the names of stages to include although not every run does.
    """
    for stage in STAGES:
        if stage.command == command and (stage.name == only if only else stage.option is None or stage.name in asked):
            yield stage
