"""Addresses that were left: what they lead to, kept as digests, so that nobody is told what they were.

An address is made of a slug, and a slug of a name. When a person's name is corrected, the address follows, and the old
one leads on. The slug that it was made of is nowhere any more: its digest finds the new one for whoever has the old.
Where the name was taken back, the digest is not published either.
"""

from __future__ import annotations

import hashlib
import json
from itertools import count

from archive.catalogue.rows import Owner, touch
from archive.sqlite import Database, sqlite3
from metadata.timetables.slugs import make_slug

DIGITS = 32


def address_digest(owner: Owner, slug: str, within: int | None = None) -> str:
    """Return what is kept of a former address; of a session's, within its event."""
    material = "\0".join([owner, slug, *([str(within)] if within is not None else [])])
    return hashlib.sha256(material.encode()).hexdigest()[:DIGITS]


def lead_on(conn: sqlite3.Connection, owner: Owner, slug: str, within: int | None = None) -> str | None:
    """Return the present slug of what was once at an address; None where nothing was.

    Args:
        conn: a catalogue or a publication.
        owner: what it is of: ``event_id``, ``session_id`` or ``person_id``.
        slug: the former one.
        within: of a session, the id of its event.
    """
    if not conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'former_address'").fetchone():
        return None  # an older Rostra published it
    table = owner.removesuffix("_id")
    row = conn.execute(
        f"SELECT slug FROM former_address JOIN {table} ON {table}.id = former_address.{owner} WHERE digest = ?",
        (address_digest(owner, slug, within),),
    ).fetchone()
    return str(row[0]) if row else None


def person_at(db: Database, slug: str) -> str:
    """Return the slug that a person has now who once had this one."""
    if db.execute("SELECT 1 FROM person WHERE slug = ?", [slug]).fetchone():
        return slug
    return lead_on(db.conn, "person_id", slug) or slug


def move_person(db: Database, person: int, before: str, now: str, *, taken_back: bool = False) -> None:
    """Let a person's address follow a corrected name, if it was made of the name before.

    The caller owns the transaction.

    Args:
        db: the catalogue.
        person: the id.
        before: the name that was corrected.
        now: the name.
        taken_back: whether the old address leads nowhere in what is published: nor do those before it.
    """
    slug = str(db.execute("SELECT slug FROM person WHERE id = ?", [person]).fetchone()[0])
    old, base = make_slug(before) or "person", make_slug(now) or "person"
    number = slug.removeprefix(old).removeprefix("-")
    made_of_it = slug.startswith(old) and (not number or number.isdigit())
    if taken_back:
        db.execute("UPDATE former_address SET taken_back = 1 WHERE person_id = ?", [person])
    if not made_of_it or slug == base:
        return
    names = (base if nth == 1 else f"{base}-{nth}" for nth in count(1))
    new = next(name for name in names if _is_free(db, name, person))
    db.execute("DELETE FROM former_address WHERE digest = ?", [address_digest("person_id", new)])
    db.execute("UPDATE person SET slug = ? WHERE id = ?", [new, person])
    db.execute(
        "INSERT INTO former_address(digest, person_id, taken_back) VALUES (?, ?, ?)"
        " ON CONFLICT(digest) DO UPDATE SET person_id = excluded.person_id, taken_back = excluded.taken_back",
        [address_digest("person_id", slug), person, int(taken_back)],
    )
    _rename_in_imports(db, person, slug, new)
    touch(db)


def _is_free(db: Database, slug: str, person: int) -> bool:
    """Return whether nobody else has a slug, or once had it."""
    found = db.execute(
        "SELECT 1 FROM person WHERE slug = ?1 AND id <> ?2 UNION ALL"
        " SELECT 1 FROM former_address WHERE digest = ?3 AND person_id <> ?2",
        [slug, person, address_digest("person_id", slug)],
    )
    return found.fetchone() is None


def _rename_in_imports(db: Database, person: int, slug: str, new: str) -> None:
    """Let what the last imports said of sessions name a person by the slug of now: it is the same person."""
    rows = db.execute(
        "SELECT id, said FROM imported WHERE session_id IN (SELECT session_id FROM session_person WHERE person_id = ?)",
        [person],
    ).fetchall()
    for number, text in rows:
        said = json.loads(text)
        people = [[new if each[0] == slug else each[0], *each[1:]] for each in said.get("people", ())]
        if people != said.get("people", people):
            db.execute(
                "UPDATE imported SET said = ? WHERE id = ?",
                [json.dumps(said | {"people": people}, ensure_ascii=False), number],
            )
