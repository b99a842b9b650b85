"""What a person corrected by hand: names, titles, hours; who did it, when, and what stood there before.

A corrected field is its corrector's: no import writes over it again (see `archive.catalogue.merge`).
Addresses, which are made of slugs, stay as they are until the slug is corrected, but for those of people, which follow
their names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from archive.catalogue.addresses import move_event, move_person, move_session, person_at
from archive.catalogue.merge import plain
from archive.catalogue.rows import (
    Owner,
    find_person,
    person_slug,
    read_event,
    read_session,
    touch,
    write_event,
    write_person,
    write_session,
)
from archive.errors import UnknownSubjectError
from archive.sqlite import Database
from metadata.model import Event, Person, Session


@dataclass(frozen=True, slots=True)
class Correction:
    """A field, what it was and what it is now, as JSON has them; ``at`` is ISO 8601 UTC."""

    field: str
    before: Any
    after: Any
    by: str
    at: str


def correct_event(db: Database, slug: str, values: Mapping[str, Any], *, by: str, at: str) -> list[Correction]:
    """Correct fields of an event, and return what changed. The caller owns the transaction.

    Raises:
        UnknownSubjectError: there is no such event.
        AddressTakenError: the slug is another's, or once was.
    """
    ours = read_event(db, slug)
    owner = _id(db, "SELECT id FROM event WHERE slug = ?", [slug])
    done = _note(db, "event_id", owner, ours, values, by, at)
    if done:
        if "slug" in values:
            move_event(db, owner, values["slug"])
        write_event(db, replace(ours, **values))
        touch(db)
    return done


def correct_session(
    db: Database, event: str, slug: str, values: Mapping[str, Any], *, by: str, at: str
) -> list[Correction]:
    """Correct fields of a session, and return what changed; people who are new are added.

    The caller owns the transaction.

    Raises:
        UnknownSubjectError: there is no such session.
        AddressTakenError: the slug is another's of the event, or once was.
    """
    ours = read_session(db, event, slug)
    sql = "SELECT session.{} FROM session JOIN event ON event.id = event_id WHERE event.slug = ? AND session.slug = ?"
    owner = _id(db, sql.format("id"), [event, slug])
    done = _note(db, "session_id", owner, ours, values, by, at)
    if done:
        new = replace(ours, **values)
        for role in new.people:
            if find_person(db, person_slug(role.person)) is None:
                write_person(db, person_slug(role.person), role.person)
        event_id, position = (
            _id(db, sql.format("event_id"), [event, slug]),
            _id(db, sql.format("position"), [event, slug]),
        )
        if "slug" in values:
            move_session(db, owner, new.slug)
        write_session(db, event_id, new, position, at)
        touch(db)
    return done


def correct_person(
    db: Database, slug: str, values: Mapping[str, Any], *, by: str, at: str, taken_back: bool = False
) -> list[Correction]:
    """Correct fields of a person, and return what changed. The caller owns the transaction.

    Their address follows the name: see `archive.catalogue.addresses`. With ``taken_back`` the old one leads nowhere.

    Raises:
        UnknownSubjectError: there is no such person.
    """
    slug = person_at(db, slug)
    ours = find_person(db, slug)
    if ours is None:
        raise UnknownSubjectError("person", slug)
    owner = _id(db, "SELECT id FROM person WHERE slug = ?", [slug])
    done = _note(db, "person_id", owner, ours, values, by, at)
    if done:
        write_person(db, slug, replace(ours, **values))
        touch(db)
    if "name" in values:
        move_person(db, owner, ours.name, values["name"], taken_back=taken_back)
    return done


def corrections(db: Database, owner: Owner, owner_id: int) -> list[Correction]:
    """Return what was corrected of an event, a session or a person, the oldest first."""
    rows = db.execute(
        f"SELECT field, before, after, corrected_by, corrected_at FROM correction WHERE {owner} = ? ORDER BY id",
        [owner_id],
    )
    return [Correction(row[0], json.loads(row[1]), json.loads(row[2]), row[3], row[4]) for row in rows.fetchall()]


def corrected_fields(db: Database, owner: Owner, owner_id: int) -> frozenset[str]:
    """Return the fields of an event, a session or a person that no import may write."""
    rows = db.execute(f"SELECT DISTINCT field FROM correction WHERE {owner} = ?", [owner_id])
    return frozenset(row[0] for row in rows.fetchall())


def _note(
    db: Database,
    owner: Owner,
    owner_id: int,
    ours: Event | Session | Person,
    values: Mapping[str, Any],
    by: str,
    at: str,
) -> list[Correction]:
    """Note every value that somebody vouches for; return those that differ from what is there."""
    known = corrected_fields(db, owner, owner_id)
    changed = []
    for field, value in values.items():
        one = Correction(field, plain(field, getattr(ours, field)), plain(field, value), by, at)
        if one.before != one.after:
            changed.append(one)
        elif field in known:
            continue
        db.execute(
            f"INSERT INTO correction({owner}, field, before, after, corrected_by, corrected_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [owner_id, field, _json(one.before), _json(one.after), by, at],
        )
    return changed


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _id(db: Database, sql: str, values: list[Any]) -> int:
    return int(db.execute(sql, values).fetchone()[0])
