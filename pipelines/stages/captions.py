"""Captions: from files that lie beside recordings to transcripts of kind ``imported``.

A file belongs to the recording of the same name in its folder, ``talk.vtt`` or ``talk.de.vtt`` to ``talk.mp4``.
The stage runs after `pull`, which brings the recordings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from archive.recordings import recording_id
from metadata.errors import MetadataError, UnknownFormatError
from pipelines.captions import add_captions, beside
from pipelines.context import Context
from pipelines.errors import BrokenMediaError, CaptionsError
from pipelines.sources.files import expand
from pipelines.stages.base import Item, Report, fingerprint


@dataclass(frozen=True, slots=True)
class Task:
    """A file of captions, and the recording beside it."""

    captions: Path
    media: Path


@dataclass(frozen=True, slots=True)
class Captions:
    """The stage, over the same sources as `pull`."""

    sources: Sequence[Path]
    name: ClassVar[str] = "captions"
    unit: ClassVar[str] = ""

    def items(self, context: Context) -> Iterable[Item]:  # noqa: ARG002 one signature for all stages
        """Return an item for every file beside a recording; one that has not changed since keeps its fingerprint."""
        for media in dict.fromkeys(path for source in self.sources for path in expand(source)):
            for path in beside(media):
                facts, whose = path.stat(), media.stat()
                yield Item(
                    subject=str(path),
                    label=path.name,
                    fingerprint=fingerprint(
                        str(path), facts.st_size, facts.st_mtime_ns, str(media), whose.st_size, whose.st_mtime_ns
                    ),
                    task=Task(path, media),
                )

    def work(self, task: Task, report: Report) -> tuple[bytes, str]:  # noqa: ARG002 one signature for all stages
        """Return the file's bytes, and the SHA-256 of the recording's."""
        try:
            with task.media.open("rb") as file:
                return task.captions.read_bytes(), hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise BrokenMediaError(f"cannot be read: {error.strerror or error}") from error

    def commit(self, context: Context, item: Item, result: tuple[bytes, str]) -> str | None:
        """Add the captions to the recording, if it is in the archive."""
        data, sha256 = result
        recording = recording_id(context.db, sha256)
        if recording is None:
            raise CaptionsError(f"the recording beside it, {item.task.media.name}, is not in the archive")
        try:
            added = add_captions(context, data, item.label, recording, kind="imported")
        except UnknownFormatError:
            return "holds no captions, and is passed over"
        except MetadataError as error:
            raise CaptionsError(str(error).removeprefix(f"{item.label}: ")) from error
        named = ", ".join(f"{label} is {name}" for label, name in added.people.items())
        return "; ".join(filter(None, [f"captions of {item.task.media.name}", named]))
