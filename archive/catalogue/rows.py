"""Events, sessions and people as rows: from the values of `metadata.model` into the catalogue, and back unchanged."""

from __future__ import annotations

from datetime import UTC
from typing import Any, Literal

from archive.catalogue.announcements import read_announcements, write_announcements
from archive.catalogue.identity import give_identity
from archive.catalogue.mapping import EVENT_FACTS, SESSION_FACTS, columns, read_facts, stored_facts
from archive.errors import UnknownSubjectError
from archive.sqlite import Database, sqlite3
from metadata import times
from metadata.model import (
    Attendance,
    Event,
    ExternalId,
    Figure,
    Link,
    Person,
    Place,
    Qualifier,
    RecordingNote,
    Release,
    Role,
    Session,
)
from metadata.names import same_text
from metadata.timetables.slugs import make_slug

Row = dict[str, Any]
Owner = Literal["event_id", "session_id", "person_id", "recording_id"]


def touch(db: Database) -> None:
    """Note that something which may be published has changed."""
    db.execute("UPDATE catalogue SET content_revision = content_revision + 1")


def write_event(db: Database, event: Event) -> int:
    """Write an event without its sessions, and return its id."""
    series_id = _series_id(db, event.series) if event.series else None
    event_id = _upsert(
        db,
        "event",
        {"slug": event.slug},
        {"series_id": series_id, **stored_facts(event, EVENT_FACTS)},
    )
    db.execute("DELETE FROM event_language WHERE event_id = ?", [event_id])
    for role, languages in (("floor", event.languages), ("interpretation", event.interpreted_into)):
        for language in languages:
            db.execute("INSERT INTO event_language VALUES (?, ?, ?)", [event_id, language, role])
    db.execute("DELETE FROM place WHERE event_id = ?", [event_id])
    for place in event.places:
        _insert(
            db,
            "place",
            {
                "event_id": event_id,
                "kind": place.kind,
                "name": place.name,
                "city": place.city,
                "country": place.country,
            },
        )
    _write_attendance(db, "event_id", event_id, event.attendance)
    write_announcements(db, event_id, event.announcements)
    _write_links(db, "event_id", event_id, event.links)
    _write_external_ids(db, "event_id", event_id, event.external_ids)
    return event_id


def write_session(db: Database, event_id: int, session: Session, position: int, decided_at: str) -> None:
    """Write a session; its people must be there (`write_person`)."""
    places = db.execute("SELECT id, name FROM place WHERE event_id = ?", [event_id]).fetchall() if session.place else ()
    place_id = next((row[0] for row in places if same_text(row[1], session.place)), None)
    session_id = _upsert(
        db,
        "session",
        {"event_id": event_id, "slug": session.slug},
        {
            **stored_facts(session, SESSION_FACTS),
            "place_id": place_id,
            "start_at": session.start,
            "start_utc": _utc(session.start) or session.day,
            "day": session.day,
            "abstract": session.abstract,
            "position": position,
        },
    )
    give_identity(db, session_id, str(_one(db, "SELECT slug FROM event WHERE id = ?", [event_id])), session.slug)
    db.execute("DELETE FROM session_person WHERE session_id = ?", [session_id])
    for index, role in enumerate(session.people):
        _insert(
            db,
            "session_person",
            {
                "session_id": session_id,
                "person_id": person_id(db, person_slug(role.person)),
                "role": role.role,
                "affiliation": role.affiliation,
                "position": index,
            },
        )
    db.execute("DELETE FROM expected_recording WHERE session_id = ?", [session_id])
    for note in session.recordings:
        _write_note(db, session_id, note)
    _write_attendance(db, "session_id", session_id, session.attendance)
    _write_links(db, "session_id", session_id, session.links)
    _write_external_ids(db, "session_id", session_id, session.external_ids)
    if session.release is not None:
        set_release(db, "session_id", session_id, session.release, decided_at=decided_at)


def _write_note(db: Database, session_id: int, note: RecordingNote) -> None:
    """Write what is said of a recording, to the expectation and to the recording where the file has come already."""
    facts = {
        "role": note.role,
        "language": note.language,
        "credit": note.credit,
        "licence": note.licence,
        "synthetic_voice": int(note.synthetic_voice),
    }
    _insert(db, "expected_recording", {"session_id": session_id, "file": note.file, **facts})
    assignments = ", ".join(f"{column} = ?" for column in facts)
    db.execute(
        f"UPDATE recording SET {assignments} WHERE session_id = ? AND original_name = ?",
        [*facts.values(), session_id, note.file],
    )


def person_slug(person: Person) -> str:
    """Return the slug that a person has by key or name."""
    return make_slug(person.key or person.name) or "person"


def person_id(db: Database, slug: str) -> int:
    """Return the id of a person who is in the catalogue."""
    return int(_one(db, "SELECT id FROM person WHERE slug = ?", [slug]))


def write_person(db: Database, slug: str, person: Person) -> int:
    """Write a person under a slug, and return the id."""
    new = _upsert(db, "person", {"slug": slug}, {"name": person.name, "biography": person.biography})
    _write_links(db, "person_id", new, person.links)
    _write_external_ids(db, "person_id", new, person.external_ids)
    return new


def find_person(db: Database, slug: str) -> Person | None:
    """Return a person with all that is known of them, or None."""
    row = _row(db, "SELECT * FROM person WHERE slug = ?", [slug])
    return _read_person(db, row) if row else None


def _series_id(db: Database, title: str) -> int:
    return _upsert(db, "series", {"slug": make_slug(title) or "series"}, {"title": title})


def _write_attendance(db: Database, owner: Owner, owner_id: int, snapshots: tuple[Attendance, ...]) -> None:
    db.execute(f"DELETE FROM attendance WHERE {owner} = ?", [owner_id])
    for position, snapshot in enumerate(snapshots):
        row: Row = {owner: owner_id, "position": position, "measure": snapshot.measure}
        row |= {name: getattr(snapshot, name) for name in ("observed_on", "source", "announcement")}
        for column, figure in (
            ("people", snapshot.people),
            ("countries", snapshot.countries),
            ("places", snapshot.places),
        ):
            if figure is not None:
                row |= {column: figure.count, f"{column}_qualifier": figure.qualifier}
        _insert(db, "attendance", row)


def _write_links(db: Database, owner: Owner, owner_id: int, links: tuple[Link, ...]) -> None:
    db.execute(f"DELETE FROM link WHERE {owner} = ?", [owner_id])
    for position, link in enumerate(links):
        _insert(
            db,
            "link",
            {owner: owner_id, "rel": link.rel, "url": link.url, "title": link.title, "position": position},
        )


def _write_external_ids(db: Database, owner: Owner, owner_id: int, ids: tuple[ExternalId, ...]) -> None:
    db.execute(f"DELETE FROM external_id WHERE {owner} = ?", [owner_id])
    for item in ids:
        _insert(db, "external_id", {owner: owner_id, "scheme": item.scheme, "value": item.value})


def set_release(db: Database, owner: Owner, owner_id: int, release: Release, *, decided_at: str) -> None:
    """Set whether the public may have a session (``session_id``) or a recording (``recording_id``)."""
    row = _row(db, f"SELECT state, until, reason FROM release WHERE {owner} = ?", [owner_id])
    if row and Release(**row) == release:
        return
    values = {"state": release.state, "until": release.until, "reason": release.reason, "decided_at": decided_at}
    _upsert(db, "release", {owner: owner_id}, values)
    touch(db)


def find_event(db: Database, slug: str) -> Event | None:
    """Return an event with everything that belongs to it, or None."""
    row = _row(
        db,
        f"SELECT event.id, {columns('event', EVENT_FACTS)} FROM event LEFT JOIN series ON series.id = series_id"
        " WHERE event.slug = ?",
        [slug],
    )
    if row is None:
        return None
    event_id = row["id"]
    languages = list(db.query("SELECT language, role FROM event_language WHERE event_id = ?", [event_id]))
    return Event(
        **read_facts(row, EVENT_FACTS),
        languages=tuple(x["language"] for x in languages if x["role"] == "floor"),
        interpreted_into=tuple(x["language"] for x in languages if x["role"] == "interpretation"),
        places=tuple(
            Place(name=x["name"], kind=x["kind"], city=x["city"], country=x["country"])
            for x in db.query("SELECT * FROM place WHERE event_id = ? ORDER BY id", [event_id])
        ),
        attendance=read_attendance(db.conn, "event_id", event_id),
        announcements=read_announcements(db, event_id),
        links=_read_links(db, "event_id", event_id),
        external_ids=_read_external_ids(db, "event_id", event_id),
        sessions=tuple(
            _read_session(db, x)
            for x in db.query(
                f"SELECT session.id, {columns('session', SESSION_FACTS)}, start_at, day, abstract FROM session"
                " LEFT JOIN place ON place.id = place_id"
                " WHERE session.event_id = ? ORDER BY session.position, session.id",
                [event_id],
            )
        ),
    )


def read_event(db: Database, slug: str) -> Event:
    """Return an event with everything that belongs to it.

    Raises:
        UnknownSubjectError: there is none of this name.
    """
    event = find_event(db, slug)
    if event is None:
        raise UnknownSubjectError("event", slug)
    return event


def read_session(db: Database, event: str, slug: str) -> Session:
    """Return a session with all that is known of it.

    Raises:
        UnknownSubjectError: there is none.
    """
    found = next((session for session in read_event(db, event).sessions if session.slug == slug), None)
    if found is None:
        raise UnknownSubjectError("session", f"{event}/{slug}")
    return found


def _read_session(db: Database, row: Row) -> Session:
    session_id = row["id"]
    release = _row(db, "SELECT state, until, reason FROM release WHERE session_id = ?", [session_id])
    return Session(
        **read_facts(row, SESSION_FACTS),
        start=row["start_at"],
        day=row["day"],
        abstract=row["abstract"],
        people=tuple(
            Role(person=_read_person(db, x), role=x["role"], affiliation=x["affiliation"])
            for x in db.query(
                "SELECT person.*, role, affiliation FROM session_person JOIN person ON person.id = person_id"
                " WHERE session_id = ? ORDER BY position",
                [session_id],
            )
        ),
        links=_read_links(db, "session_id", session_id),
        attendance=read_attendance(db.conn, "session_id", session_id),
        external_ids=_read_external_ids(db, "session_id", session_id),
        release=Release(**release) if release else None,
        recordings=tuple(
            RecordingNote(
                file=x["file"],
                role=x["role"],
                language=x["language"],
                credit=x["credit"],
                licence=x["licence"],
                synthetic_voice=bool(x["synthetic_voice"]),
            )
            for x in db.query("SELECT * FROM expected_recording WHERE session_id = ?", [session_id])
        ),
    )


def _read_person(db: Database, row: Row) -> Person:
    own = (make_slug(row["name"]) or "person") == row["slug"]
    return Person(
        name=row["name"],
        key=None if own else row["slug"],
        biography=row["biography"],
        links=_read_links(db, "person_id", row["id"]),
        external_ids=_read_external_ids(db, "person_id", row["id"]),
    )


def read_attendance(conn: sqlite3.Connection, owner: Owner, owner_id: int) -> tuple[Attendance, ...]:
    """Return the figures of an event or a session, in the order in which they were given."""
    rows = conn.execute(
        "SELECT measure, observed_on, source, announcement, people, people_qualifier, countries, countries_qualifier,"
        f" places, places_qualifier FROM attendance WHERE {owner} = ? ORDER BY position",
        (owner_id,),
    )
    return tuple(
        Attendance(
            measure=measure,
            observed_on=observed_on,
            source=source,
            announcement=announcement,
            people=Figure(count=people, qualifier=qualifier),
            countries=_figure(*rest[:2]),
            places=_figure(*rest[2:]),
        )
        for measure, observed_on, source, announcement, people, qualifier, *rest in rows
    )


def _figure(count: int | None, qualifier: Qualifier | None) -> Figure | None:
    return None if count is None else Figure(count=count, qualifier=qualifier or "exactly")


def _read_links(db: Database, owner: Owner, owner_id: int) -> tuple[Link, ...]:
    return tuple(
        Link(**row)
        for row in db.query(f"SELECT rel, url, title FROM link WHERE {owner} = ? ORDER BY position", [owner_id])
    )


def _read_external_ids(db: Database, owner: Owner, owner_id: int) -> tuple[ExternalId, ...]:
    return tuple(
        ExternalId(**row)
        for row in db.query(f"SELECT scheme, value FROM external_id WHERE {owner} = ? ORDER BY id", [owner_id])
    )


def _utc(start: str | None) -> str | None:
    """Return a zoned moment as UTC text that sorts."""
    if start is None:
        return None
    return times.parse_moment(start).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _row(db: Database, sql: str, params: list[Any]) -> Row | None:
    return next(iter(db.query(sql, params)), None)


def _one(db: Database, sql: str, params: list[Any]) -> Any:
    found = db.execute(sql, params).fetchone()
    return found[0] if found else None


def _insert(db: Database, table: str, row: Row) -> int:
    columns, marks = ", ".join(row), ", ".join("?" * len(row))
    cursor = db.execute(f"INSERT INTO {table}({columns}) VALUES ({marks})", list(row.values()))
    return int(cursor.lastrowid or 0)


def _upsert(db: Database, table: str, key: Row, values: Row) -> int:
    row = key | values
    columns, marks = ", ".join(row), ", ".join("?" * len(row))
    updates = ", ".join(f"{name} = excluded.{name}" for name in values)
    found = db.execute(
        f"INSERT INTO {table}({columns}) VALUES ({marks})"
        f" ON CONFLICT({', '.join(key)}) DO UPDATE SET {updates} RETURNING id",
        list(row.values()),
    ).fetchone()
    return int(found[0])
