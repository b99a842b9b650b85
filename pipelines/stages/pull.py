"""Pull: from wherever recordings are to recordings in the store, each under the SHA-256 of its bytes.

The same bytes are one recording, under whatever name they come. What is not a recording is refused with
the reason. A recording goes to the session whose timetable names its file; else to the one whose slug is
the file's name; else, where there is a timetable, to the one that it certainly is of, and to none until
somebody decides (`pipelines.matching.proposals`); and without a timetable to a session of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from slugify import slugify

from archive.catalogue import runs
from archive.catalogue.addresses import event_at
from archive.catalogue.importing import describe_session
from archive.catalogue.provenance import note_place, replaced_at, supersede
from archive.catalogue.recordings import (
    NewRecording,
    add_recording,
    assign,
    bring_here,
    elsewhere_of,
    last_said_ms,
    note_source,
    recording_id,
    recording_label,
)
from archive.catalogue.sessions import (
    expecting,
    find_session,
    newest_session_id,
    unrecorded_sessions,
)
from archive.publication.purging import is_purged
from archive.sqlite import Database
from archive.voices.carrying import carry_to_successor
from metadata.model import Session, TranscriptKind
from metadata.timetables.slugs import make_slug
from pipelines.errors import BrokenMediaError, LimitError, PurgedError
from pipelines.exchange.captions import TOLERANCE_MS
from pipelines.matching import proposals as matching
from pipelines.media.files import MediaInfo, probe
from pipelines.media.subtitles import extract
from pipelines.sources import Shelf, find
from pipelines.stages import Setup
from pipelines.stages.base import Item, Report, Stage, fingerprint
from pipelines.stages.companions import Companion, Task, companion
from pipelines.stages.words import PullWords
from pipelines.storage.archive_folder import Context, timestamp
from pipelines.storage.blobs import Blob

BYTES_A_SECOND = 3_000_000.0
"""What a transfer is reckoned with, so that its time can be limited as that of other work."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """A file that is in the store now, what it is, and what its place says of it.

    Attributes:
        spoken: BCP-47 language of the sound, where it has subtitles in that language.
        licence: as its place says it; what a timetable says comes before.
    """

    name: str
    folder: str
    blob: Blob
    info: MediaInfo
    about: Session | None = None
    companions: tuple[Companion, ...] = ()
    spoken: str | None = None
    remark: str | None = None
    licence: str | None = None


@dataclass(frozen=True, slots=True)
class Pull:
    """The stage. ``event`` and ``session`` are slugs that the caller chose, or None to match.

    ``kind`` is that of the captions which come with recordings.
    """

    sources: Sequence[str | Path]
    event: str | None = None
    session: str | None = None
    kind: TranscriptKind = "imported"
    name: ClassVar[str] = "pull"
    unit: ClassVar[str] = "B"

    def items(self, context: Context) -> Iterable[Item]:
        """Return an item for every file; one that has not changed since keeps its fingerprint."""
        settings = context.config.pull
        shelf = Shelf(context.layout.sources, settings)
        rules = fingerprint(settings.max_bytes, settings.max_ms, settings.schemes, settings.private_hosts)
        settled = runs.settled(context.db, self.name, max_attempts=context.config.run.attempts)
        seen: set[str] = set()
        given_up: set[str] = set()
        for found in (found for source in self.sources for found in find(source, shelf)):
            if found.place in seen:
                continue
            seen.add(found.place)
            item = Item(
                subject=found.place,
                label=found.name,
                fingerprint=fingerprint(found.place, *found.stamp, self.event, self.session),
                task=Task(found, shelf, context.blobs),
                size=found.bytes or 0,
                pace=BYTES_A_SECOND,
                lost=found.failed,
                rules=rules,
            )
            if item.is_settled(settled):
                given_up.add(found.shelf_name)
            yield item
        shelf.clear(given_up)

    def work(self, task: Task, report: Report) -> Pulled | None:
        """Bring a file here, probe it, and copy it into the store."""
        found, settings = task.found, task.shelf.settings
        if found.empty:
            return None
        if found.bytes is not None and found.bytes > settings.max_bytes:
            raise LimitError(f"it is larger than {settings.max_gigabytes:g} GB, see pull.max_gigabytes in rostra.toml")
        with found.fetch(replace(task.shelf, report=report)) as fetched:
            info = probe(fetched.path)
            if (info.duration_ms or 0) > settings.max_ms:
                raise LimitError(f"it is longer than {settings.max_hours:g} h, see pull.max_hours in rostra.toml")
            try:
                blob = task.store.add(fetched.path, info.suffix)
                own, spoken, unread = _subtitles(task, fetched.path, info)
                companions = (*own, *(companion(task.store, path) for path in fetched.companions))
            except OSError as error:
                raise BrokenMediaError(f"cannot be copied: {error.strerror or error}") from error
        folder = Path(found.place).parent.name if found.place.startswith("/") else ""
        remark = _joined(_of_tracks(info), *unread, fetched.remark)
        return Pulled(found.name, folder, blob, info, found.about, companions, spoken, remark, found.licence)

    def commit(self, context: Context, item: Item, result: Pulled | None) -> str | None:
        """Add the recording to the catalogue and to its session."""
        if result is None:
            return "it can be read again"
        place, sha256 = item.subject, result.blob.sha256
        if is_purged(context.db, sha256):
            context.blobs.remove(sha256, result.info.suffix)
            raise PurgedError("a recording of just these bytes was deleted from this archive for good")
        old, known = replaced_at(context.db, place, sha256), recording_id(context.db, sha256)
        if known is not None:
            self._note(context, known, item, result, old)
            return _joined(f"already in the archive as {recording_label(context.db, known)}", result.remark)
        newest = newest_session_id(context.db)
        session_id, note = self._session(context, result.name) if old is None else (None, {})
        if result.about is not None and session_id is not None and session_id > newest:
            describe_session(context.db, session_id, result.about, decided_at=timestamp())
        info = result.info
        new = NewRecording(
            sha256=sha256,
            kind=info.kind,
            duration_ms=info.duration_ms,
            bytes=result.blob.bytes,
            media_type=info.media_type,
            suffix=info.suffix,
            streams=msgspec.json.encode(info.streams).decode(),
            original_name=result.name,
            **{**note, "licence": note.get("licence") or result.licence},
        )
        recording = _brought_here(context.db, session_id, new)
        if recording is None:
            recording = add_recording(context.db, new, session_id, pulled_at=timestamp())
        note_source(context.db, recording, folder=result.folder, started_at=info.started_at, tags=info.tags)
        remark = None
        if old is not None:
            remark = "it takes the place of what was there before"
        elif session_id is None:
            remark = matching.place(context, recording, self._event(context))
        self._note(context, recording, item, result, old)
        return _joined(remark, result.remark)

    def _note(self, context: Context, recording: int, item: Item, result: Pulled, old: int | None) -> None:
        """Note where a recording came from, and let it take the place of what was there before."""
        known = {"session": result.about, "companions": result.companions, "spoken": result.spoken}
        known |= {"kind": self.kind} if self.kind != "imported" and result.companions else {}
        about = msgspec.json.encode({name: value for name, value in known.items() if value}).decode()
        note_place(context.db, recording, item.subject, about=about, pulled_at=timestamp())
        if old is not None:
            supersede(context.db, old, recording)
            carry_to_successor(context.db, old, recording, at=timestamp())
            if self.session:
                assign(context.db, recording, find_session(context.db, self.event, self.session).id)

    def _event(self, context: Context) -> str | None:
        """Return the slug that the event of the command has now."""
        return event_at(context.db, self.event) if self.event else None

    def _session(self, context: Context, name: str) -> tuple[int | None, dict[str, Any]]:
        """Return the session that a file belongs to, if its name says so, and what its timetable says of the file."""
        db, stem = context.db, Path(name).stem
        if self.session:
            return find_session(db, self.event, self.session).id, {}
        event = self._event(context)
        if expected := expecting(db, name, event):
            session, said = expected
            note = {key: getattr(said, key) for key in ("role", "language", "credit", "licence", "synthetic_voice")}
            return session, note
        named = dict.fromkeys((slugify(stem), make_slug(stem)))  # a timetable's slugs may be longer than ours
        found = (each for slug in named for each in unrecorded_sessions(db, slug))
        matches = [each.id for each in found if event in {None, each.event}]
        if len(matches) == 1:
            return matches[0], {}
        if matching.talks(context, event):
            return None, {}
        return matching.new_session(db, event or context.config.pull.event, stem), {}


def _brought_here(db: Database, session: int | None, new: NewRecording) -> int | None:
    """Make a file that of its session's recording that was elsewhere, if what was said there fits into it."""
    waiting = elsewhere_of(db, session) if session is not None and new.role == "floor" else None
    if waiting is None or (new.duration_ms and last_said_ms(db, waiting) > new.duration_ms + TOLERANCE_MS):
        return None
    bring_here(db, waiting, new, pulled_at=timestamp())
    return waiting


def _subtitles(task: Task, path: Path, info: MediaInfo) -> tuple[tuple[Companion, ...], str | None, tuple[str, ...]]:
    """Bring the subtitles of a recording into the store; return them, its language, and what could not be read."""
    folder = task.shelf.folder / f"{task.found.shelf_name}.subtitles"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        found = extract(path, info, folder)
        kept = (companion(task.store, each.path, each.codec, title=each.title, track=each.part) for each in found.files)
        return tuple(kept), found.spoken, found.unread
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _of_tracks(info: MediaInfo) -> str | None:
    """Say where there is more sound than is heard: a screen recorder's microphone may be a track of its own."""
    tracks = sum(stream.type == "audio" for stream in info.streams)
    track = f"of its {tracks} tracks of sound, number {info.track + 1} is heard: {info.why}" if tracks > 1 else None
    return _joined(track, _of_channels(info))


def _of_channels(info: MediaInfo) -> str | None:
    """Say which channel is heard where the mix of all would lose what is said in it."""
    if info.channel is None or info.heard is None:
        return None
    return (
        f"of its {info.heard.channels} channels, number {info.channel + 1} is heard alone:"
        " a mix of all of them would lose what is in it"
    )


def _joined(*remarks: str | None) -> str | None:
    return "; ".join(filter(None, remarks)) or None


def make(setup: Setup) -> Stage:
    """Return the stage for a command."""
    if setup.captions_only:
        return PullWords(setup.sources, setup.event, setup.session, setup.kind)
    return Pull(setup.sources, setup.event, setup.session, setup.kind)
