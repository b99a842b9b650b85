"""Sessions in the catalogue: finding one, making one for a recording, and what stages read of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from archive.catalogue.addresses import event_at, free_slug, session_at
from archive.catalogue.current import CURRENT, KEPT
from archive.catalogue.identity import give_identity
from archive.catalogue.rows import touch
from archive.errors import UnknownSubjectError
from archive.sqlite import Database
from metadata.model import RecordingNote
from metadata.names import name_key


@dataclass(frozen=True, slots=True)
class SessionAddress:
    """A session's id, the slugs that its address is made of, and the time zone of its event."""

    id: int
    event: str
    slug: str
    time_zone: str

    @property
    def label(self) -> str:
        """What people call it: ``EVENT/SESSION``."""
        return f"{self.event}/{self.slug}"


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """What is known of a recording's session; all empty for a recording without a session.

    Attributes:
        language: BCP-47, as the timetable declares it.
        people: names, in the timetable's order.
        event_languages: BCP-47, of the whole event.
    """

    title: str | None
    subtitle: str | None
    abstract: str | None
    language: str | None
    people: tuple[str, ...]
    event_languages: tuple[str, ...]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> SessionDescription:
        """Return what a row with the columns `DESCRIPTION` says."""
        return cls(
            title=row["title"],
            subtitle=row["subtitle"],
            abstract=row["abstract"],
            language=row["session_language"],
            people=tuple(msgspec.json.decode(row["people"])),
            event_languages=tuple(msgspec.json.decode(row["event_languages"])),
        )


DESCRIPTION = (
    "session.title, session.subtitle, session.abstract, session.language AS session_language,"
    " (SELECT json_group_array(name) FROM (SELECT name FROM session_person JOIN person ON person.id = person_id"
    " WHERE session_id = session.id ORDER BY session_person.position)) AS people,"
    " (SELECT json_group_array(language) FROM (SELECT DISTINCT language FROM event_language"
    " WHERE event_language.event_id = session.event_id ORDER BY language)) AS event_languages"
)
"""Columns of `SessionDescription`, in a query of one session or of many."""


@dataclass(frozen=True, slots=True)
class SearchedSession:
    """A session with everything that its entry in the search index is made of.

    Attributes:
        versions: of its current transcripts, separated by commas.
        people: names, separated by commas.
    """

    id: int
    event: str
    slug: str
    title: str
    subtitle: str | None
    abstract: str | None
    versions: str | None
    people: str | None


@dataclass(frozen=True, slots=True)
class TimetableSession:
    """A session as its timetable has it.

    Attributes:
        ids: its names elsewhere (`metadata.model.ExternalId`), without their schemes.
        start_at: ISO 8601, as written.
        day: ISO 8601, where no start is known.
    """

    id: int
    event: str
    slug: str
    title: str
    people: tuple[str, ...]
    ids: tuple[str, ...]
    room: str | None
    start_at: str | None
    day: str | None
    planned_ms: int | None
    time_zone: str


class NamedSession(NamedTuple):
    """A session with what it may be called by; ``ids`` are its names elsewhere, without their schemes."""

    id: int
    event: str
    slug: str
    title: str
    ids: tuple[str, ...]


def find_session(db: Database, event: str | None, slug: str) -> SessionAddress:
    """Return a session by its slug, or one that it once had, within an event where one is named.

    Raises:
        UnknownSubjectError: there is none, or several events have one.
    """
    rows = db.execute(
        "SELECT session.id, event.slug, session.slug, time_zone FROM session JOIN event ON event.id = event_id"
        " WHERE session.slug = ? AND (event.slug = ? OR ? IS NULL)",
        [slug, event, event],
    ).fetchall()
    if not rows and (moved := _moved(db, event, slug)):
        return find_session(db, *moved)
    if len(rows) != 1:
        raise UnknownSubjectError("session", f"{event}/{slug}" if event else slug)
    return SessionAddress(*rows[0])


def _moved(db: Database, event: str | None, slug: str) -> tuple[str, str] | None:
    """Return the present slugs of the one session that once had this one."""
    events = [event] if event else [row[0] for row in db.execute("SELECT slug FROM event").fetchall()]
    found = [moved for each in events if (moved := session_at(db.conn, each, slug))]
    return found[0] if len(found) == 1 else None


def describe(db: Database, session: int) -> SessionDescription:
    """Return what is known of a session before its recordings are heard."""
    (row,) = db.query(f"SELECT {DESCRIPTION} FROM session WHERE id = ?", [session])
    return SessionDescription.of(row)


def newest_session_id(db: Database) -> int:
    """Return the highest id of a session, or 0: sessions that are made later have higher ones."""
    return int(db.execute("SELECT coalesce(max(id), 0) FROM session").fetchone()[0])


def unrecorded_sessions(db: Database, slug: str) -> list[SessionAddress]:
    """Return the sessions of this slug that have no recording, and whose title no other of their event has.

    Of two sessions with one title the slugs differ by a number, which nobody means.
    """
    rows = db.execute(
        "SELECT session.id, event.slug, session.slug, time_zone FROM session JOIN event ON event.id = event_id"
        " WHERE session.slug = ? AND session.id NOT IN"
        f" (SELECT session_id FROM recording WHERE session_id IS NOT NULL AND {KEPT})"
        " AND session.title NOT IN (SELECT title FROM session AS twin"
        " WHERE twin.event_id = session.event_id AND twin.id <> session.id)",
        [slug],
    )
    return [SessionAddress(*row) for row in rows.fetchall()]


def named_sessions(db: Database, event: str | None) -> list[NamedSession]:
    """Return the sessions of an event, or of all, with what they may be called by.

    Args:
        db: the catalogue.
        event: the slug of the only event to look in, or None.
    """
    ids = _by_session(db, "SELECT session_id, value FROM external_id WHERE session_id IS NOT NULL")
    rows = db.execute(
        "SELECT session.id, event.slug, session.slug, session.title FROM session JOIN event ON event.id = event_id"
        " WHERE event.slug = :event OR :event IS NULL ORDER BY session.id",
        {"event": event},
    )
    return [
        NamedSession(id_, event_slug, slug, title, tuple(ids.get(id_, ())))
        for id_, event_slug, slug, title in rows.fetchall()
    ]


def session_known_as(db: Database, ids: list[str], addresses: list[str], event: str | None) -> int | None:
    """Return the one session that has one of these ids elsewhere, or links to one of these addresses; else None."""
    rows = db.execute(
        "SELECT DISTINCT session.id FROM session JOIN event ON event.id = event_id"
        " WHERE (event.slug = :event OR :event IS NULL) AND session.id IN ("
        " SELECT session_id FROM external_id WHERE value IN (SELECT value FROM json_each(:ids))"
        " UNION SELECT session_id FROM link WHERE url IN (SELECT value FROM json_each(:addresses)))",
        {
            "event": event,
            "ids": msgspec.json.encode(ids).decode(),
            "addresses": msgspec.json.encode(addresses).decode(),
        },
    ).fetchall()
    return int(rows[0][0]) if len(rows) == 1 else None


def session_links(db: Database, session: int) -> list[str]:
    """Return the addresses that a session links to, in the timetable's order."""
    rows = db.execute("SELECT url FROM link WHERE session_id = ? AND url IS NOT NULL ORDER BY position", [session])
    return [row[0] for row in rows.fetchall()]


def expecting(db: Database, file: str, event: str | None) -> tuple[int, RecordingNote] | None:
    """Return the session whose timetable names a file, and what it says of it, or None.

    Args:
        db: the catalogue.
        file: the file's name; case and Unicode's form do not matter.
        event: the slug of the only event to look in, or None for all.
    """
    # SQLite folds the case of ASCII alone, and file systems keep other letters in either of Unicode's forms.
    alike = "file = ? COLLATE NOCASE" if file.isascii() else "file GLOB '*[^ -~]*' OR file = ?"
    rows = db.query(
        "SELECT expected_recording.*, event.slug AS event FROM expected_recording"
        " JOIN session ON session.id = session_id JOIN event ON event.id = session.event_id"
        f" WHERE {alike}",
        [file],
    )
    for row in rows:
        if name_key(row["file"]) == name_key(file) and event in {None, row["event"]}:
            return row["session_id"], RecordingNote(
                file=row["file"],
                role=row["role"],
                language=row["language"],
                credit=row["credit"],
                licence=row["licence"],
                synthetic_voice=bool(row["synthetic_voice"]),
            )
    return None


def ensure_event(db: Database, slug: str, title: str) -> int:
    """Return the id of an event, made with this title where there is none. The caller owns the transaction."""
    row = db.execute("SELECT id FROM event WHERE slug = ?", [event_at(db, slug)]).fetchone()
    if row is None:
        row = db.execute("INSERT INTO event(slug, title) VALUES (?, ?) RETURNING id", [slug, title]).fetchone()
        touch(db)
    return int(row[0])


def add_session(db: Database, event: int, slug: str, title: str) -> int:
    """Add a session at the end of an event, under this slug or the next free one, and return its id.

    The caller owns the transaction.
    """
    (position,) = db.execute("SELECT count(*) FROM session WHERE event_id = ?", [event]).fetchone()
    slug = free_slug(db, "session_id", slug, event)
    touch(db)
    added = db.execute(
        "INSERT INTO session(event_id, slug, title, position) VALUES (?, ?, ?, ?) RETURNING id",
        [event, slug, title, position],
    )
    session = int(added.fetchone()[0])
    give_identity(db, session, str(db.execute("SELECT slug FROM event WHERE id = ?", [event]).fetchone()[0]), slug)
    return session


def searched_sessions(db: Database) -> list[SearchedSession]:
    """Return every session with what is searched of it, in order of ids."""
    rows = db.execute(
        "SELECT session.id, event.slug, session.slug, session.title, session.subtitle, session.abstract,"
        " (SELECT group_concat(version) FROM (SELECT version FROM transcript JOIN recording"
        f"   ON recording.id = recording_id WHERE recording.session_id = session.id AND {CURRENT}"
        "   ORDER BY transcript.id)),"
        " (SELECT group_concat(name) FROM (SELECT name FROM session_person JOIN person ON person.id = person_id"
        "   WHERE session_id = session.id ORDER BY session_person.position))"
        " FROM session JOIN event ON event.id = event_id ORDER BY session.id"
    )
    return [SearchedSession(*row) for row in rows.fetchall()]


def timetable_sessions(db: Database, event: str | None, *, besides: str) -> list[TimetableSession]:
    """Return the sessions of timetables, in order of ids.

    An event of which no session has a time, a person or an abstract has no timetable: its sessions were made
    from recordings.

    Args:
        db: the catalogue.
        event: the slug of the only event to look in, or None for all.
        besides: the slug of the event to leave out where all are looked in.
    """
    people = _by_session(db, "SELECT session_id, name FROM session_person"
                             " JOIN person ON person.id = person_id ORDER BY position")  # fmt: skip
    ids = _by_session(db, "SELECT session_id, value FROM external_id WHERE session_id IS NOT NULL")
    rows = db.query(
        "SELECT session.id, event.slug AS event, session.slug, session.title, room, start_at, day, planned_ms,"
        " time_zone FROM session JOIN event ON event.id = event_id"
        " WHERE (event.slug = :event OR (:event IS NULL AND event.slug <> :besides)) AND event_id IN ("
        " SELECT event_id FROM session WHERE start_at IS NOT NULL OR abstract IS NOT NULL"
        " OR id IN (SELECT session_id FROM session_person)) ORDER BY session.id",
        {"event": event, "besides": besides},
    )
    return [
        TimetableSession(**row, people=tuple(people.get(row["id"], ())), ids=tuple(ids.get(row["id"], ())))
        for row in rows
    ]


def _by_session(db: Database, sql: str) -> dict[int, list[str]]:
    """Return the second column of a query's rows, gathered by the first."""
    found: dict[int, list[str]] = {}
    for session, value in db.execute(sql).fetchall():
        found.setdefault(session, []).append(value)
    return found
