"""Diarize: from a recording's sound to who speaks when, and a transcript whose words have their voices.

The stage never costs a transcript: whatever is missing or goes wrong here is one item's failure, in what weights and
onnxruntime are concerned, too, and indexing and publishing go on. It is switched on in ``rostra.toml``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import msgspec
import numpy as np

from archive.catalogue.recordings import recording_of
from archive.catalogue.speakers import forget_voiceprints, recordings_to_diarize, set_turns
from archive.connection import transaction
from pipelines.errors import SpeakersError, ToolError, TranscriberError
from pipelines.speakers.base import Diarization, Diarizer
from pipelines.speakers.channels import hear
from pipelines.speakers.networks import NetworkDiarizer
from pipelines.speakers.weights import NETWORKS
from pipelines.stages import Setup
from pipelines.stages.base import Artefact, Item, Report, fingerprint
from pipelines.stages.recording import RecordingTask
from pipelines.storage.archive_folder import Context, timestamp

UNNAMED = 8
"""Voices that a session may have beside the people in its timetable: those who ask, and who hands them over."""
PACE = 30.0
"""Seconds of sound that are heard in a second at the very least: a diarizer that hangs is not waited for as long as an
engine of speech."""


@dataclass(frozen=True, slots=True)
class Task(RecordingTask):
    """A recording to listen to, and how many voices it can have."""

    most: int | None


@dataclass(frozen=True, slots=True)
class Diarize:
    """The stage, with what tells voices apart, and whether it is switched on and keeps voiceprints."""

    diarizer: Diarizer
    enabled: bool = True
    voiceprints: bool = False
    name: ClassVar[str] = "diarize"
    unit: ClassVar[str] = "s"
    hangs: ClassVar[int] = 2

    def items(self, context: Context) -> Iterable[Item]:
        """Return an item for every recording that has no transcript with speakers of its own."""
        if not self.voiceprints:
            with transaction(context.db):
                forget_voiceprints(context.db)
        if not self.enabled:
            return
        made_by = (self.diarizer.name, dict(self.diarizer.parameters), self.voiceprints)
        store, folder = context.blobs, context.layout.work
        for each in recordings_to_diarize(context.db):
            most = each.people + UNNAMED if each.people else None
            yield Item(
                subject=each.file.sha256,
                label=each.file.label,
                fingerprint=fingerprint(each.file.sha256, made_by, most),
                task=Task(store, each.file.sha256, each.file.suffix, folder, most),
                size=(each.file.duration_ms or 0) / 1000,
                pace=PACE,
            )

    def work(self, task: Task, report: Report) -> Artefact:
        """Listen to a recording and leave who speaks when in a file.

        Weights are loaded here, once a process, and not before: where that fails, kills the process or takes too long,
        it is one item's failure, too, and ends no run. So an error of a disk is no cause of what is raised: a full or
        unwritable cache is not the archive's disk, which would end it.
        """
        if broken := self._broken():
            raise SpeakersError(f"who speaks is not known, and all else is: {broken}")
        try:
            found = hear(self.diarizer, task.recording(), task.most, report)
        except (TranscriberError, ToolError, ImportError) as error:
            raise SpeakersError(f"who speaks is not known, and all else is: {error}") from error
        kept = found if self.voiceprints else Diarization(found.turns)
        return Artefact.write(task.folder / f"{task.sha256}.turns.json", msgspec.json.encode(kept))

    def _broken(self) -> str:
        """Load the weights, and return why they cannot be, or nothing."""
        try:
            self.diarizer.load()
        except (TranscriberError, ImportError, OSError, RuntimeError) as error:
            return str(error) or type(error).__name__
        return ""

    def commit(self, context: Context, item: Item, result: Artefact) -> str | None:
        """Note who speaks when, and label the transcript."""
        found = msgspec.json.decode(result.read(), type=Diarization)
        turns = [(turn.start_ms, turn.end_ms, turn.voice) for turn in found.turns]
        prints = [np.asarray(vector, dtype="<f4").tobytes() for vector in found.voices]
        voices = set_turns(context.db, recording_of(context.db, item.subject), turns, prints, at=timestamp())
        return None if voices else "nobody speaks in it"


def make(setup: Setup) -> Diarize:
    """Return the stage for a command, as it is configured."""
    settings = setup.config.speakers
    return Diarize(NetworkDiarizer(settings.weights, setup.threads), settings.enabled, settings.voiceprints)


def weights_bytes(_setup: Setup) -> int:
    """Return the size of both networks."""
    return sum(network.bytes for network in NETWORKS)
