"""Pull captions alone: the words of recordings that stay where they are, on the sites that have them.

It is what `pipelines.stages.pull` is with ``--captions-only``. A recording gets its place in the catalogue, and its
captions come into the store; `pipelines.stages.captions` adds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import msgspec

from archive.catalogue.importing import describe_session
from archive.catalogue.provenance import note_place
from archive.catalogue.sessions import newest_session_id, session_known_as
from metadata.captions import SUFFIXES, podcast_chapters
from metadata.model import Session, TranscriptKind
from pipelines.errors import BrokenMediaError, CaptionsError, ConfigError
from pipelines.exchange.captioned import Names, recording_for
from pipelines.sources import Shelf, find
from pipelines.stages.base import Item, Report, fingerprint
from pipelines.stages.companions import Companion, Task, companion
from pipelines.storage.archive_folder import Context, timestamp


@dataclass(frozen=True, slots=True)
class PulledCaptions:
    """The captions of a recording, in the store, and what its place says of it."""

    name: str
    address: str
    companions: tuple[Companion, ...]
    about: Session | None = None
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class PullWords:
    """The stage. ``kind`` is that of the captions; ``event`` and ``session`` are slugs, or None to match."""

    sources: Sequence[str | Path]
    event: str | None = None
    session: str | None = None
    kind: TranscriptKind = "imported"
    name: ClassVar[str] = "pull"
    unit: ClassVar[str] = ""

    def items(self, context: Context) -> Iterable[Item]:
        """Return an item for every recording that a site or a feed has."""
        shelf = Shelf(context.layout.sources, context.config.pull)
        found = {each.place: each for source in self.sources for each in find(source, shelf)}
        for each in found.values():
            yield Item(
                subject=each.place,
                label=each.name,
                fingerprint=fingerprint("captions", each.place, *each.stamp, self.event, self.session, self.kind),
                task=Task(each, shelf, context.blobs),
                lost=each.failed,
            )

    def work(self, task: Task, report: Report) -> PulledCaptions | None:  # noqa: ARG002 one signature
        """Bring the captions of a recording into the store."""
        found = task.found
        if found.empty:
            return None
        with found.fetch_captions(task.shelf) as fetched:
            others = (".info.json", podcast_chapters.FORMAT.suffix)
            texts = [each for each in fetched.companions if not each.name.endswith(others)]
            if not any(each.suffix in SUFFIXES for each in texts):
                raise CaptionsError(f"it has no captions by people{f' ({fetched.remark})' if fetched.remark else ''}")
            try:
                kept = tuple(companion(task.store, path) for path in fetched.companions)
            except OSError as error:
                raise BrokenMediaError(f"cannot be copied: {error.strerror or error}") from error
        return PulledCaptions(found.name, fetched.address, kept, found.about, fetched.remark)

    def commit(self, context: Context, item: Item, result: PulledCaptions | None) -> str | None:
        """Give the recording its place in its session, and note what came with it."""
        if result is None:
            return "it can be read again"
        newest = newest_session_id(context.db)
        try:
            recording = self._recording(context, result)
        except ConfigError as error:
            raise CaptionsError(str(error)) from error
        session = newest_session_id(context.db)
        if result.about is not None and session > newest:
            describe_session(context.db, session, result.about, decided_at=timestamp())
        known = {"session": result.about, "companions": result.companions, "kind": self.kind}
        about = msgspec.json.encode({name: value for name, value in known.items() if value}).decode()
        note_place(context.db, recording, item.subject, about=about, pulled_at=timestamp())
        return result.remark

    def _recording(self, context: Context, words: PulledCaptions) -> int:
        names = Names(context, self.event)
        if self.session:
            return names.recording_in(self.session, words.address)
        ids = [each.value for each in words.about.external_ids] if words.about else []
        links = [each.url for each in words.about.links if each.url] if words.about else []
        session = session_known_as(context.db, ids, [*links, words.address], self.event)
        if session is not None:
            return recording_for(context, session, name=words.name, address=words.address)
        return names.recording_of(Path(words.name), address=words.address)
