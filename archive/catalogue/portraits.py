"""Portraits of people: small pictures, which are private until somebody releases them.

A picture is kept in the catalogue itself: it has a few kilobytes. The caller owns the transaction in every function.
"""

from __future__ import annotations

import hashlib
from typing import Literal, NamedTuple

from archive.catalogue.rows import touch
from archive.errors import UnknownSubjectError
from archive.sqlite import Database

State = Literal["public", "private"]
REL = "portrait"
"""The link of a person's data that leads to a picture; such links are never public."""


class Portrait(NamedTuple):
    """A portrait: whose (the slug and the name), who may have it, where it came from, and its size in bytes."""

    person: str
    name: str
    state: State
    source: str
    bytes: int


def set_portrait(db: Database, person: str, picture: bytes, *, source: str, at: str) -> None:
    """Keep a picture of somebody. A new one has the state of the old one; the first is private.

    Args:
        db: the catalogue.
        person: the slug.
        picture: JPEG, without metadata.
        source: where it came from: an address, or a file's name.
        at: ISO 8601 UTC.

    Raises:
        UnknownSubjectError: there is no such person.
    """
    db.execute(
        "INSERT INTO portrait(person_id, picture, digest, source, taken_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT(person_id) DO UPDATE SET picture = excluded.picture, digest = excluded.digest,"
        " source = excluded.source, taken_at = excluded.taken_at WHERE digest <> excluded.digest",
        [_person_id(db, person), picture, hashlib.sha256(picture).hexdigest()[:12], source, at],
    )
    touch(db)


def set_state(db: Database, person: str, state: State) -> None:
    """Release a portrait, or take it back.

    Raises:
        UnknownSubjectError: there is no such person, or no portrait.
    """
    row = db.execute(
        "UPDATE portrait SET state = ? WHERE person_id = ? RETURNING 1", [state, _person_id(db, person)]
    ).fetchone()
    if row is None:
        raise UnknownSubjectError("portrait", person)
    touch(db)


def delete_portrait(db: Database, person: str) -> None:
    """Delete a portrait, if there is one.

    Raises:
        UnknownSubjectError: there is no such person.
    """
    db.execute("DELETE FROM portrait WHERE person_id = ?", [_person_id(db, person)])
    touch(db)


def portraits(db: Database) -> list[Portrait]:
    """Return all portraits, by name."""
    rows = db.execute(
        "SELECT slug, name, state, source, length(picture) FROM portrait JOIN person ON person.id = person_id"
        " ORDER BY name, slug"
    )
    return [Portrait(*row) for row in rows.fetchall()]


def named_in_data(db: Database, person: str | None = None) -> list[tuple[str, str]]:
    """Return whose data name a picture, and its address; of all who have no portrait, or of one person.

    Raises:
        UnknownSubjectError: there is no such person.
    """
    which = "NOT EXISTS (SELECT 1 FROM portrait WHERE portrait.person_id = person.id)" if person is None else "id = ?"
    rows = db.execute(
        f"SELECT slug, (SELECT url FROM link WHERE link.person_id = person.id AND rel = '{REL}' AND url <> ''"
        f" ORDER BY position LIMIT 1) AS url FROM person WHERE {which} AND url IS NOT NULL ORDER BY slug",
        [] if person is None else [_person_id(db, person)],
    )
    return rows.fetchall()


def _person_id(db: Database, slug: str) -> int:
    row = db.execute("SELECT id FROM person WHERE slug = ?", [slug]).fetchone()
    if row is None:
        raise UnknownSubjectError("person", slug)
    return int(row[0])
