"""Pull: from files to recordings in the store, each under the SHA-256 of its bytes.

The same bytes are one recording, under whatever name they come. What is not a recording is refused with
the reason. A recording goes to the session whose timetable names its file; else to the one whose slug is
the file's name; else, where there is a timetable, to the one that it certainly is of, and to none until
somebody decides (`pipelines.matching`); and without a timetable to a session of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from slugify import slugify

from archive.db import Database
from archive.errors import UnknownSubjectError
from archive.events import touch
from archive.recordings import NewRecording, add_recording, recording_id
from pipelines import matching
from pipelines.blobs import Blob, BlobStore
from pipelines.context import Context, timestamp
from pipelines.errors import BrokenMediaError, ConfigError
from pipelines.media import MediaInfo, probe
from pipelines.stages.base import Item, Report, fingerprint

COMPANIONS = frozenset(
    {".vtt", ".srt", ".sbv", ".ttml", ".json", ".xml", ".yaml", ".yml", ".md", ".nfo", ".csv", ".ics", ".rss"}
)
"""What lies beside recordings in a folder and is passed over there; named by itself, it is refused."""


@dataclass(frozen=True, slots=True)
class Task:
    """A file to bring into a store."""

    source: Path
    store: BlobStore


@dataclass(frozen=True, slots=True)
class Pulled:
    """A file that is in the store now, and what it is."""

    name: str
    folder: str
    blob: Blob
    info: MediaInfo


@dataclass(frozen=True, slots=True)
class Pull:
    """The stage. ``event`` and ``session`` are slugs that the caller chose, or None to match."""

    sources: Sequence[Path]
    event: str | None = None
    session: str | None = None
    name: ClassVar[str] = "pull"
    unit: ClassVar[str] = ""

    def items(self, context: Context) -> Iterable[Item]:
        """Return an item for every file; one that has not changed since keeps its fingerprint."""
        seen: set[Path] = set()
        for path in expand(self.sources):
            if path in seen:
                continue
            seen.add(path)
            facts = path.stat()
            yield Item(
                subject=str(path),
                label=path.name,
                fingerprint=fingerprint(str(path), facts.st_size, facts.st_mtime_ns, self.event, self.session),
                task=Task(path, context.blobs),
            )

    def work(self, task: Task, report: Report) -> Pulled:  # noqa: ARG002 one signature for all stages
        """Probe a file and copy it into the store."""
        info = probe(task.source)
        try:
            blob = task.store.add(task.source, info.suffix)
        except OSError as error:
            raise BrokenMediaError(f"cannot be copied: {error.strerror or error}") from error
        return Pulled(task.source.name, task.source.parent.name, blob, info)

    def commit(self, context: Context, item: Item, result: Pulled) -> str | None:  # noqa: ARG002 one signature
        """Add the recording to the catalogue and to its session."""
        if recording_id(context.db, result.blob.sha256) is not None:
            return f"already in the archive as {_where(context.db, result.blob.sha256)}"
        session_id, note = self._session(context, result.name)
        info = result.info
        recording = add_recording(
            context.db,
            NewRecording(
                sha256=result.blob.sha256,
                kind=info.kind,
                duration_ms=info.duration_ms,
                bytes=result.blob.bytes,
                media_type=info.media_type,
                suffix=info.suffix,
                streams=msgspec.json.encode(info.streams).decode(),
                original_name=result.name,
                **note,
            ),
            session_id,
            pulled_at=timestamp(),
        )
        context.db.execute(
            "INSERT INTO recording_source(recording_id, folder, started_at, tags) VALUES (?, ?, ?, ?)",
            [recording, result.folder, info.started_at, msgspec.json.encode(info.tags).decode()],
        )
        if session_id is not None:
            return None
        return matching.place(context, recording, self.event)

    def _session(self, context: Context, name: str) -> tuple[int | None, dict[str, Any]]:
        """Return the session that a file belongs to, if its name says so, and what its timetable says of the file."""
        db, stem = context.db, Path(name).stem
        if self.session:
            return find_session(db, self.event, self.session), {}
        for row in db.query(
            "SELECT expected_recording.*, event.slug AS event FROM expected_recording"
            " JOIN session ON session.id = session_id JOIN event ON event.id = session.event_id"
            " WHERE file = ? COLLATE NOCASE",
            [name],
        ):
            if self.event in {None, row["event"]}:
                note = {key: row[key] for key in ("role", "language", "credit", "licence")}
                return row["session_id"], note | {"synthetic_voice": bool(row["synthetic_voice"])}
        matches = [
            row["id"]
            for row in db.query(
                "SELECT session.id, event.slug AS event FROM session JOIN event ON event.id = event_id"
                " WHERE session.slug = ? AND session.id NOT IN"
                " (SELECT session_id FROM recording WHERE session_id IS NOT NULL)",
                [slugify(stem)],
            )
            if self.event in {None, row["event"]}
        ]
        if len(matches) == 1:
            return matches[0], {}
        if matching.talks(context, self.event):
            return None, {}
        return new_session(db, self.event or context.config.pull.event, stem), {}


def expand(sources: Sequence[Path]) -> Iterator[Path]:
    """Yield the files that sources name, folders walked in order of name; hidden files are passed over.

    Raises:
        ConfigError: there is no such file or folder.
    """
    for source in sources:
        path = source.expanduser().absolute()
        if path.is_dir():
            yield from sorted(
                file
                for file in path.rglob("*")
                if file.is_file()
                and not any(part.startswith(".") for part in file.relative_to(path).parts)
                and file.suffix.lower() not in COMPANIONS
            )
        elif path.exists():
            yield path
        else:
            raise ConfigError(f"no file or folder {source}")


def find_session(db: Database, event: str | None, slug: str) -> int:
    """Return the id of a session by its slug, within an event where one is named.

    Raises:
        UnknownSubjectError: there is none, or several events have one.
    """
    rows = list(
        db.query(
            "SELECT session.id FROM session JOIN event ON event.id = event_id"
            " WHERE session.slug = ? AND (event.slug = ? OR ? IS NULL)",
            [slug, event, event],
        )
    )
    if len(rows) != 1:
        raise UnknownSubjectError("session", f"{event}/{slug}" if event else slug)
    return int(rows[0]["id"])


def new_session(db: Database, event: str, stem: str) -> int:
    """Make a session for a recording that no timetable knows, and its event if need be; return its id."""
    row = next(iter(db.query("SELECT id FROM event WHERE slug = ?", [event])), None)
    if row is None:
        title = re.sub(r"-+", " ", event).capitalize()
        event_id = int(
            db.execute("INSERT INTO event(slug, title) VALUES (?, ?) RETURNING id", [event, title]).fetchone()[0]
        )
    else:
        event_id = row["id"]
    base = slugify(stem) or "recording"
    taken = {x["slug"] for x in db.query("SELECT slug FROM session WHERE event_id = ?", [event_id])}
    slug, number = base, 2
    while slug in taken:
        slug, number = f"{base}-{number}", number + 1
    title = re.sub(r"[_\s]+", " ", stem).strip() or "Recording"
    touch(db)
    return int(
        db.execute(
            "INSERT INTO session(event_id, slug, title, position) VALUES (?, ?, ?, ?) RETURNING id",
            [event_id, slug, title, len(taken)],
        ).fetchone()[0]
    )


def _where(db: Database, sha256: str) -> str:
    row = next(
        iter(
            db.query(
                "SELECT event.slug AS event, session.slug AS session, original_name FROM recording"
                " LEFT JOIN session ON session.id = session_id LEFT JOIN event ON event.id = event_id"
                " WHERE sha256 = ?",
                [sha256],
            )
        )
    )
    return f"{row['event']}/{row['session']} ({row['original_name']})" if row["session"] else row["original_name"]
