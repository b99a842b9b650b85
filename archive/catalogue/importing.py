"""Timetables into the catalogue: what is new is added, what differs is changed in place, what is gone is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, Literal

from archive.catalogue.addresses import event_at, free_slug, person_at, session_at
from archive.catalogue.corrections import corrected_fields
from archive.catalogue.merge import Said, first_said, is_corrected, merge, plain, was_taken_back
from archive.catalogue.pairing import pair
from archive.catalogue.people_said import note_people
from archive.catalogue.rows import (
    Owner,
    find_event,
    find_person,
    person_slug,
    read_event,
    set_release,
    touch,
    write_event,
    write_person,
    write_session,
)
from archive.errors import UnknownSubjectError
from archive.sqlite import Database
from metadata.model import Event, ExternalId, Person, Role, Session
from metadata.names import name_key, same_text
from metadata.timetables.base import Reading
from metadata.timetables.slugs import make_slug

__all__ = [
    "Applied",
    "Difference",
    "Retained",
    "apply_event",
    "apply_people",
    "apply_reading",
    "describe_session",
    "find_event",
    "read_event",
    "set_release",
]

Change = Literal["added", "changed", "unchanged"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A session that changed, and in which fields."""

    slug: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Retained:
    """A session that is no longer in the timetable, or a thing corrected by hand, that stays: which, and why."""

    slug: str
    reason: str


@dataclass(frozen=True, slots=True)
class Applied:
    """What an import did to an event.

    Attributes:
        event: what became of the event as a whole.
        slug: which event.
        fields: what changed of the event itself.
        added: sessions that are new, by slug.
        changed: sessions that differ now.
        dropped: sessions that are gone from the timetable, and with nothing attached from the catalogue.
        gone: sessions that are gone from the timetable and stay, with the reason.
        corrected: what a person had corrected and the timetable says otherwise: it stays.
    """

    event: Change
    slug: str
    fields: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    changed: tuple[Difference, ...] = ()
    dropped: tuple[str, ...] = ()
    gone: tuple[Retained, ...] = ()
    corrected: tuple[Retained, ...] = ()


def apply_event(db: Database, event: Event, *, decided_at: str) -> Applied:
    """Merge an event that is given whole into the catalogue; sessions that it does not name stay.

    The caller owns the transaction.

    Args:
        db: the catalogue.
        event: the event.
        decided_at: ISO 8601 UTC, noted beside release states that are new.

    Raises:
        sqlite3.Error: a rule of the schema is broken.
    """
    reading = Reading(events=(event,), complete=False, slugs_identify=True)
    return apply_reading(db, reading, format_name="yaml-event", decided_at=decided_at)[0]


def apply_reading(db: Database, reading: Reading, *, format_name: str, decided_at: str) -> tuple[Applied, ...]:
    """Merge what a file says into the catalogue.

    Sessions keep their identity (see `archive.catalogue.pairing`), and with it their address, recordings and
    transcripts. What was corrected by hand stays (see `archive.catalogue.merge`). Sessions that a complete timetable
    no longer has, and that came from the same format, are dropped if nothing hangs on them. The caller owns
    the transaction.

    Args:
        db: the catalogue.
        reading: what the file says.
        format_name: the format's identifier.
        decided_at: ISO 8601 UTC, noted beside release states that are new.

    Raises:
        sqlite3.Error: a rule of the schema is broken.
    """
    return tuple(_Import(db, reading, format_name, decided_at).apply(event) for event in reading.events)


def apply_people(db: Database, people: tuple[Person, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Add what a file says of people whom the catalogue knows by their ids.

    Returns:
        The names of those whose description changed, and of those whom nobody here knows.
    """
    changed, unknown = [], []
    for person in people:
        slug = next((slug for x in person.external_ids for slug in _slugs_by_id(db, x)), None)
        if slug is None:
            unknown.append(person.name)
        elif _describe(db, slug, person, []):
            changed.append(person.name)
    if changed:
        touch(db)
    return tuple(changed), tuple(unknown)


def describe_session(db: Database, session_id: int, session: Session, *, decided_at: str) -> None:
    """Write what the place that a recording came from says of its session, which no timetable knows.

    Its slug and its place among the event's sessions stay. The caller owns the transaction.

    Raises:
        UnknownSubjectError: there is no such session.
    """
    row = next(iter(db.query("SELECT event_id, slug, position FROM session WHERE id = ?", [session_id])), None)
    if row is None:
        raise UnknownSubjectError("session", str(session_id))
    for person in {person_slug(role.person): role.person for role in session.people}.items():
        if find_person(db, person[0]) is None:
            write_person(db, *person)
    write_session(db, row["event_id"], replace(session, slug=row["slug"]), row["position"], decided_at)
    note_people(db, session_id, session)
    touch(db)


class _Import:
    """One event's import."""

    def __init__(self, db: Database, reading: Reading, format_name: str, decided_at: str) -> None:
        self._db = db
        self._reading = reading
        self._format = format_name
        self._decided_at = decided_at
        self._corrected: list[Retained] = []

    def apply(self, theirs: Event) -> Applied:
        """Merge one event."""
        slug = _find_slug(self._db, theirs)
        ours = find_event(self._db, slug)
        theirs = replace(theirs, slug=slug, sessions=_Names(self._db, ours).resolve(theirs.sessions))
        people_changed = self._describe_people(theirs.sessions)
        event_id, fields = self._write_event(ours, theirs)
        known = list(ours.sessions) if ours else []
        rows = {row["slug"]: row for row in self._db.query(_SESSIONS, [event_id])}
        pairs = self._pair(known, tuple(self._moved(slug, each) for each in theirs.sessions), rows)
        added, changed = [], []
        moved = "places" in fields
        for position, new in enumerate(theirs.sessions):
            if position in pairs:
                session = known[pairs[position]]
                if difference := self._merge_session(event_id, session, new, position, rows[session.slug], again=moved):
                    changed.append(difference)
                note_people(self._db, rows[session.slug]["id"], new)
            else:
                added.append(self._add(event_id, new, position))
        left = [session for index, session in enumerate(known) if index not in set(pairs.values())]
        dropped, gone = self._leave(left, rows)
        if moved:
            for session in left:
                if session.slug not in dropped:
                    write_session(self._db, event_id, session, rows[session.slug]["position"], self._decided_at)
        self._keep_order(left, dropped, rows, len(theirs.sessions))
        different = bool(fields or added or changed or dropped or people_changed)
        if different:
            touch(self._db)
        return Applied(
            "added" if ours is None else "changed" if different else "unchanged",
            slug,
            fields=fields if ours else (),
            added=tuple(added),
            changed=tuple(changed),
            dropped=tuple(dropped),
            gone=tuple(gone),
            corrected=tuple(self._corrected),
        )

    def _moved(self, event: str, session: Session) -> Session:
        """Return a session of a file with the slug that the catalogue has for it now."""
        found = session_at(self._db.conn, event, session.slug) if self._reading.slugs_identify else None
        return replace(session, slug=found[1]) if found else session

    def _pair(self, known: list[Session], new: tuple[Session, ...], rows: dict[str, dict[str, Any]]) -> dict[int, int]:
        """Return which session is which: by what the last file said of each, then by what it was corrected to."""
        by_slug = self._reading.slugs_identify
        formerly = [_as_said(session, rows[session.slug], new) for session in known]
        pairs = pair(formerly, new, by_slug=by_slug)
        if formerly != known:
            ours = [index for index in range(len(known)) if index not in set(pairs.values())]
            theirs = [index for index in range(len(new)) if index not in pairs]
            more = pair([known[index] for index in ours], [new[index] for index in theirs], by_slug=by_slug)
            pairs |= {theirs[one]: ours[other] for one, other in more.items()}
        return pairs

    def _write_event(self, ours: Event | None, theirs: Event) -> tuple[int, tuple[str, ...]]:
        carried = self._reading.event_fields
        if ours is None:
            event_id = write_event(self._db, theirs)
            said = first_said(theirs, carried)
            _remember(self._db, "event_id", event_id, self._format, said)
            return event_id, tuple(said)
        event_id = int(self._db.execute("SELECT id FROM event WHERE slug = ?", [ours.slug]).fetchone()[0])
        before, said_before = _remembered(self._db, "event_id", event_id)
        kept = corrected_fields(self._db, "event_id", event_id)
        merged = merge(ours, theirs, said_before, carried, same_format=before == self._format, corrected=kept)
        if merged.changed:
            write_event(self._db, merged.value)
        self._note_kept(ours.slug, merged.kept)
        if (before, said_before) != (self._format, merged.said):
            _remember(self._db, "event_id", event_id, self._format, merged.said)
        return event_id, merged.changed

    def _note_kept(self, slug: str, fields: tuple[str, ...]) -> None:
        by_hand = [name for name in fields if name != "release"]
        if by_hand:
            self._corrected.append(Retained(slug, f"corrected by hand: {', '.join(by_hand)}"))
        if "release" in fields:
            self._corrected.append(Retained(slug, "decided before: release"))

    def _merge_session(
        self, event_id: int, ours: Session, theirs: Session, position: int, row: dict[str, Any], *, again: bool
    ) -> Difference | None:
        said = json.loads(row["said"]) if row["said"] else None
        same = row["format"] == self._format
        kept = corrected_fields(self._db, "session_id", row["id"])
        merged = merge(ours, theirs, said, self._reading.session_fields, same_format=same, corrected=kept)
        self._note_kept(ours.slug, merged.kept)
        if merged.changed or again:
            write_session(self._db, event_id, merged.value, position, self._decided_at)
        elif row["position"] != position:
            self._db.execute("UPDATE session SET position = ? WHERE id = ?", [position, row["id"]])
        if not same or merged.said != said:
            _remember(self._db, "session_id", row["id"], self._format, merged.said)
        return Difference(ours.slug, merged.changed) if merged.changed else None

    def _add(self, event_id: int, new: Session, position: int) -> str:
        session = replace(new, slug=free_slug(self._db, "session_id", new.slug or "session", event_id))
        write_session(self._db, event_id, session, position, self._decided_at)
        found = self._db.execute("SELECT id FROM session WHERE event_id = ? AND slug = ?", [event_id, session.slug])
        session_id = int(found.fetchone()[0])
        said = first_said(session, self._reading.session_fields)
        _remember(self._db, "session_id", session_id, self._format, said)
        note_people(self._db, session_id, session)
        return session.slug

    def _leave(self, left: list[Session], rows: dict[str, dict[str, Any]]) -> tuple[list[str], list[Retained]]:
        """Drop what is gone from the timetable and has nothing attached; say why the rest stays."""
        dropped, gone = [], []
        for session in left if self._reading.complete else ():
            row = rows[session.slug]
            if row["format"] != self._format:
                continue  # another file's: this one does not speak for it
            if reason := _why_kept(session, row):
                gone.append(Retained(session.slug, reason))
            else:
                self._db.execute("DELETE FROM session WHERE id = ?", [row["id"]])
                dropped.append(session.slug)
        return dropped, gone

    def _keep_order(self, left: list[Session], dropped: list[str], rows: dict[str, dict[str, Any]], end: int) -> None:
        """Let what this file does not name follow what it does."""
        staying = [rows[session.slug] for session in left if session.slug not in dropped]
        for position, row in enumerate(sorted(staying, key=lambda row: (row["position"], row["id"])), end):
            if row["position"] != position:
                self._db.execute("UPDATE session SET position = ? WHERE id = ?", [position, row["id"]])

    def _describe_people(self, sessions: tuple[Session, ...]) -> bool:
        """Write each person once, with all that the file says of them; say whether anyone differs now."""
        people: dict[str, Person] = {}
        for session in sessions:
            for role in session.people:
                slug = person_slug(role.person)
                people[slug] = _joined(people[slug], role.person) if slug in people else role.person
        changed = [_describe(self._db, slug, person, self._corrected) for slug, person in people.items()]
        return any(changed)


_SESSIONS = """
SELECT session.id, session.slug, session.position, imported.format, imported.said,
  (SELECT count(*) FROM recording WHERE recording.session_id = session.id) AS recordings,
  EXISTS (SELECT 1 FROM correction WHERE correction.session_id = session.id) AS corrected
FROM session LEFT JOIN imported ON imported.session_id = session.id
WHERE session.event_id = ?
"""


def _as_said(session: Session, row: dict[str, Any], new: Sequence[Session]) -> Session:
    """Return a session as the last file had it, in what tells sessions apart.

    What was taken back is known again where a new one has it.
    """
    said = json.loads(row["said"]) if row["said"] else {}
    values = {name: said[name] for name in ("title", "room", "start", "day") if name in said}
    for name, value in values.items():
        if isinstance(value, dict):
            texts = (getattr(each, name) for each in new)
            values[name] = next((text for text in texts if was_taken_back(value, text)), getattr(session, name))
    return replace(session, **values)


def _why_kept(session: Session, row: dict[str, Any]) -> str | None:
    said = json.loads(row["said"]) if row["said"] else {}
    if row["recordings"]:
        return "gone from the timetable; it has recordings"
    if session.release and plain("release", session.release) != said.get("release"):
        return f"gone from the timetable; somebody decided that it is {session.release.state}"
    if row["corrected"] or is_corrected(session, said):
        return "gone from the timetable; it was corrected by hand"
    return None


def _find_slug(db: Database, event: Event) -> str:
    """Return the slug of the catalogue's event that shares an id with this one, or this one's own."""
    for external in event.external_ids:
        found = db.execute(
            "SELECT slug FROM event JOIN external_id ON event.id = event_id WHERE scheme = ? AND value = ?",
            [external.scheme, external.value],
        ).fetchall()
        if len(found) == 1 and external.scheme in _GLOBAL:
            return str(found[0][0])
    return event_at(db, event.slug)


_GLOBAL = frozenset({"guid", "playlist"})
"""Kinds of ids that mean the same everywhere; the others count within their event."""


class _Names:
    """Who is who: finds the catalogue's people among a file's, and gives new ones slugs of their own."""

    def __init__(self, db: Database, event: Event | None) -> None:
        self._db = db
        self._by_id: dict[ExternalId, str] = {}
        self._by_name: dict[str, set[str]] = {}
        for session in event.sessions if event else ():
            for role in session.people:
                slug = person_slug(role.person)
                self._by_id |= dict.fromkeys(role.person.external_ids, slug)
                self._by_name.setdefault(name_key(role.person.name), set()).add(slug)
        self._names: dict[str, set[str]] = {}
        self._slugs: dict[tuple[str, str | None, tuple[ExternalId, ...]], str] = {}

    def resolve(self, sessions: tuple[Session, ...]) -> tuple[Session, ...]:
        """Return sessions whose people carry the keys under which the catalogue has them, each once a part."""
        return tuple(
            replace(session, people=self._parts(session.people)) if session.people else session for session in sessions
        )

    def _parts(self, roles: tuple[Role, ...]) -> tuple[Role, ...]:
        parts: dict[tuple[str, str], Role] = {}
        for role in roles:
            slug = self._slug(role.person)
            person = role.person if make_slug(role.person.name) == slug else replace(role.person, key=slug)
            parts.setdefault((slug, role.role), replace(role, person=person))
        return tuple(parts.values())

    def _slug(self, person: Person) -> str:
        known = (person.name, person.key, person.external_ids)
        if known not in self._slugs:
            self._slugs[known] = self._find(person)
        return self._slugs[known]

    def _find(self, person: Person) -> str:
        for external in person.external_ids:
            if slug := self._by_id.get(external):
                return slug
            if external.scheme in _GLOBAL and (slugs := _slugs_by_id(self._db, external)):
                return slugs[0]
        if person.key:
            return person_at(self._db, person_slug(person))
        if not person.external_ids and len(here := self._by_name.get(name_key(person.name), set())) == 1:
            return next(iter(here))
        base = person_slug(person)
        # Two names may have the same letters once they are written in ASCII: they are two people.
        for number in count(1):
            slug = person_at(self._db, base if number == 1 else f"{base}-{number}")
            names = self._known_names(slug)
            if not names or name_key(person.name) in names:
                names.add(name_key(person.name))
                return slug
        raise AssertionError

    def _known_names(self, slug: str) -> set[str]:
        """Return what the person of this slug is called, here and in the last file that named them."""
        if slug not in self._names:
            rows = self._db.execute(
                "SELECT name, json_extract(said, '$.name'), json_extract(before, '$') FROM person"
                " LEFT JOIN imported ON imported.person_id = person.id"
                " LEFT JOIN correction ON correction.person_id = person.id AND field = 'name' WHERE slug = ?",
                [slug],
            )
            self._names[slug] = {name_key(name) for row in rows for name in row if name}
        return self._names[slug]


def _slugs_by_id(db: Database, external: ExternalId) -> list[str]:
    sql = "SELECT slug FROM person JOIN external_id ON person.id = person_id WHERE scheme = ? AND value = ?"
    return [row[0] for row in db.execute(sql, [external.scheme, external.value])]


def _joined(one: Person, other: Person) -> Person:
    return replace(
        one,
        biography=one.biography or other.biography,
        links=tuple(dict.fromkeys((*one.links, *other.links))),
        external_ids=tuple(dict.fromkeys((*one.external_ids, *other.external_ids))),
    )


def _describe(db: Database, slug: str, theirs: Person, corrected: list[Retained]) -> bool:
    """Write what a file says of a person, where nobody corrected it; nothing never replaces something."""
    ours = find_person(db, slug)
    if ours is None:
        new = write_person(db, slug, theirs)
        _remember(db, "person_id", new, "", {"name": theirs.name, "biography": theirs.biography})
        return True
    person_id = int(db.execute("SELECT id FROM person WHERE slug = ?", [slug]).fetchone()[0])
    _, said = _remembered(db, "person_id", person_id)
    said = said or {}
    by_hand = corrected_fields(db, "person_id", person_id)
    now = dict(said)
    values: dict[str, Any] = {}
    for name in ("name", "biography"):
        mine, new_value = getattr(ours, name), getattr(theirs, name)
        if new_value is None:
            continue
        if same_text(mine, new_value):
            new_value = mine
        now[name] = new_value
        if name not in by_hand and (name not in said or said[name] is None or mine == said[name]):
            values[name] = new_value
        elif mine != new_value:
            corrected.append(Retained(slug, f"corrected by hand: {name}"))
    merged = replace(
        ours,
        **values,
        links=tuple(dict.fromkeys((*ours.links, *theirs.links))),
        external_ids=tuple(dict.fromkeys((*ours.external_ids, *theirs.external_ids))),
    )
    if merged != ours:
        write_person(db, slug, merged)
    if now != said:
        _remember(db, "person_id", person_id, "", now)
    return merged != ours


def _remembered(db: Database, owner: Owner, owner_id: int) -> tuple[str | None, Said | None]:
    row = db.execute(f"SELECT format, said FROM imported WHERE {owner} = ?", [owner_id]).fetchone()
    return (row[0], json.loads(row[1])) if row else (None, None)


def _remember(db: Database, owner: Owner, owner_id: int, format_name: str, said: Said) -> None:
    db.execute(
        f"INSERT INTO imported({owner}, format, said) VALUES (?, ?, ?)"
        f" ON CONFLICT({owner}) DO UPDATE SET format = excluded.format, said = excluded.said",
        [owner_id, format_name, json.dumps(said, ensure_ascii=False)],
    )
