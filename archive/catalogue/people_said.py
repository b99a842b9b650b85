"""What each session's timetable says of its people: of a person in several sessions, some may be hidden.

A person's life, links and ids are gathered from all sessions in `archive.catalogue.importing`. What only a hidden
session says of a person is not public, although the person is: see `archive.publication.rules`.
"""

from __future__ import annotations

import json

from archive.catalogue.rows import person_slug
from archive.sqlite import Database
from metadata.model import Person, Session


def note_people(db: Database, session_id: int, session: Session) -> None:
    """Keep what a session's timetable says of its people, who must be in the catalogue, in place of what it said."""
    said: dict[str, list[Person]] = {}
    for role in session.people:
        said.setdefault(person_slug(role.person), []).append(role.person)
    db.execute("DELETE FROM person_source WHERE session_id = ?", [session_id])
    for slug, people in said.items():
        db.execute(
            "INSERT INTO person_source(session_id, person_id, said) SELECT ?, id, ? FROM person WHERE slug = ?",
            [session_id, _as_json(people), slug],
        )


def _as_json(people: list[Person]) -> str:
    links = [link.url or link.title for person in people for link in person.links]
    ids = [each.value for person in people for each in person.external_ids]
    biography = next((person.biography for person in people if person.biography), None)
    return json.dumps({"biography": biography, "links": links, "ids": ids}, ensure_ascii=False)
