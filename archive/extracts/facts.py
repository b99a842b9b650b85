"""What people and other programs want to know of an extract: its files, whose they are, and its names elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from archive.catalogue.recordings import NamedFile, StoredFile, named_files
from archive.extracts.parts import Chosen, withheld
from archive.publication.deciding import Subject
from archive.publication.releases import released
from archive.sqlite import Database
from metadata.model import ReleaseState


class Whose(NamedTuple):
    """What a file belongs to: a session or a recording in words, its licence, and whom to credit."""

    label: str
    licence: str
    credit: str


NOBODY = Whose("", "", "")


class NamedTranscript(NamedTuple):
    """A version of a transcript, and the addresses of its session, where it has one."""

    id: int
    version: str
    language: str
    event: str
    session: str


def is_there(db: Database, subject: Subject) -> bool:
    """Return whether a published database holds a session or an event."""
    return db.execute(f"SELECT 1 FROM {subject.kind} WHERE id = ?", [subject.id]).fetchone() is not None


def files(db: Database, renditions: tuple[str, ...]) -> Iterator[NamedFile]:
    """Yield the files of the store that an extract names: of a published database, renditions alone."""
    chosen = {row[0] for row in db.execute("SELECT sha256 FROM recording WHERE id IN chosen_recording").fetchall()}
    if "provenance" not in db.table_names():
        found: Iterable[NamedFile] = (
            NamedFile(StoredFile(*row[:3]), "", row[3], row[4])
            for row in db.execute(
                "SELECT rendition.sha256, rendition.suffix, rendition.bytes, rendition.kind, recording.sha256"
                " FROM rendition JOIN recording ON recording.id = recording_id ORDER BY 1"
            ).fetchall()
        )
    else:
        found = named_files(db)
    once: dict[StoredFile, NamedFile] = {}
    # A recording that browsers play as it is, is its own rendition: then it is an original.
    for each in sorted(found, key=lambda each: each.is_derived):
        if each.recording in chosen and (not each.is_derived or each.what in renditions):
            once.setdefault(StoredFile(each.file.sha256, each.file.suffix, None), each)
    yield from once.values()


def media_type(file: NamedFile) -> str:
    """Return the media type of a file, as its ending says it."""
    import mimetypes  # which reads the system's tables

    return mimetypes.guess_type(f"x{file.file.suffix}")[0] or "application/octet-stream"


def transcripts(db: Database) -> list[NamedTranscript]:
    """Return every version of the transcripts of an extract."""
    rows = db.execute(
        "SELECT transcript.id, version, transcript.language, coalesce(event.slug, ''), coalesce(session.slug, '')"
        " FROM transcript JOIN recording ON recording.id = recording_id LEFT JOIN session ON session.id = session_id"
        " LEFT JOIN event ON event.id = event_id WHERE recording_id IN chosen_recording ORDER BY transcript.id"
    ).fetchall()
    return [NamedTranscript(*row) for row in rows]


def whose(db: Database) -> dict[str, Whose]:
    """Return what files belong to, by the SHA-256 of recordings and the names of transcripts' versions."""
    found = "coalesce(event.slug || '/' || session.slug, ''), coalesce(licence, ''), coalesce(credit, '')"
    joined = "LEFT JOIN session ON session.id = session_id LEFT JOIN event ON event.id = event_id"
    rows = db.execute(
        f"SELECT sha256, {found} FROM recording {joined} WHERE recording.id IN chosen_recording UNION ALL"
        f" SELECT version, {found} FROM transcript JOIN recording ON recording.id = recording_id {joined}"
        " WHERE recording_id IN chosen_recording"
    ).fetchall()
    return {row[0]: Whose(*row[1:]) for row in rows}


def identifiers(db: Database) -> list[str]:
    """Return the names that events, sessions and recordings of an extract have elsewhere: ``SCHEME:VALUE``."""
    rows = db.execute(
        "SELECT DISTINCT iif(value LIKE scheme || ':%' OR value LIKE '%://%', value, scheme || ':' || value)"
        " FROM external_id WHERE event_id IN chosen_event OR session_id IN chosen_session"
        " OR recording_id IN chosen_recording ORDER BY 1 LIMIT 1000"
    ).fetchall()
    return [str(row[0]) for row in rows]


def may_leave(db: Database, chosen: Chosen, *, default: ReleaseState, now: datetime | None) -> bool:
    """Return whether an extract may still hold what it does.

    Args:
        db: the catalogue, as it is by now.
        chosen: what the extract holds.
        default: what holds for sessions of which nothing is said.
        now: a zoned moment for what is public; None for what only must not be withdrawn or deleted.
    """
    if now is not None:
        out, heard = released(db, default=default, now=now)
        return chosen.session <= set(out) and chosen.recording <= set(heard)
    there = {row[0] for row in db.execute("SELECT id FROM recording").fetchall()}
    without = withheld(db, default=default)
    return (
        not (chosen.session & without.sessions or chosen.recording & without.recordings) and chosen.recording <= there
    )
