"""Addresses that were left: what they lead to, kept as digests, so that nobody is told what they were.

An address is made of a slug, and a slug of a name. When a person's name is corrected, the address follows; that of an
event or a session is corrected by itself. The old one leads on. The slug that it was made of is nowhere any more: its
digest finds the new one for whoever has the old. Where it was taken back, the digest is not published either.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from itertools import count

from archive.catalogue.rows import Owner, touch
from archive.errors import AddressTakenError, UnknownSubjectError
from archive.sqlite import Database, sqlite3
from metadata.timetables.slugs import make_slug

DIGITS = 32


def address_digest(owner: Owner, slug: str, identity: str | None = None) -> str:
    """Return what is kept of a former address; of a session's, with its identity: other events have the same slugs."""
    material = "\0".join([owner, slug, *([identity] if identity is not None else [])])
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
    if owner == "session_id":
        rows = conn.execute(
            "SELECT slug, digest, identity FROM session JOIN former_address ON session_id = session.id"
            " WHERE session.event_id = ?",
            (within,),
        ).fetchall()
        return next((row[0] for row in rows if row[1] == address_digest(owner, slug, row[2])), None)
    table = owner.removesuffix("_id")
    row = conn.execute(
        f"SELECT slug FROM former_address JOIN {table} ON {table}.id = former_address.{owner} WHERE digest = ?",
        (address_digest(owner, slug),),
    ).fetchone()
    return str(row[0]) if row else None


def person_at(db: Database, slug: str) -> str:
    """Return the slug that a person has now who once had this one."""
    return present(db.conn, "person_id", slug) or slug


def event_at(db: Database, slug: str) -> str:
    """Return the slug that an event has now that once had this one."""
    return present(db.conn, "event_id", slug) or slug


def session_at(conn: sqlite3.Connection, event: str, session: str) -> tuple[str, str] | None:
    """Return the slugs of the event and the session that are, or once were, at an address; None where none was."""
    found = present(conn, "event_id", event)
    if found is None:
        return None
    (within,) = conn.execute("SELECT id FROM event WHERE slug = ?", (found,)).fetchone()
    slug = present(conn, "session_id", session, within)
    return None if slug is None else (found, slug)


def present(conn: sqlite3.Connection, owner: Owner, slug: str, within: int | None = None) -> str | None:
    """Return the slug of what has this slug, or else once had it (see `lead_on`); None where nothing did."""
    inside = "" if within is None else " AND event_id = ?2"
    values = (slug,) if within is None else (slug, within)
    if conn.execute(f"SELECT 1 FROM {owner.removesuffix('_id')} WHERE slug = ?1{inside}", values).fetchone():
        return slug
    return lead_on(conn, owner, slug, within)


def move_event(db: Database, event: int, new: str) -> None:
    """Give an event another slug; the old address leads on. The caller owns the transaction.

    Raises:
        AddressTakenError: another event has this address, or once had it.
    """
    (slug,) = db.execute("SELECT slug FROM event WHERE id = ?", [event]).fetchone()
    known = present(db.conn, "event_id", new)
    if known not in {None, slug}:
        raise AddressTakenError(new, str(known))
    digests = [address_digest("event_id", each) for each in (new, slug)]
    _move(db, "event_id", event, new, digests)


def move_session(db: Database, session: int, new: str) -> None:
    """Give a session another slug; the old address leads on. The caller owns the transaction.

    Raises:
        AddressTakenError: another session of its event has this address, or once had it.
    """
    row = db.execute("SELECT event_id, slug, identity FROM session WHERE id = ?", [session]).fetchone()
    event, slug, identity = row
    known = present(db.conn, "session_id", new, event)
    if known not in {None, slug}:
        raise AddressTakenError(new, str(known))
    _move(db, "session_id", session, new, [address_digest("session_id", each, identity) for each in (new, slug)])


def _move(db: Database, owner: Owner, number: int, new: str, digests: list[str]) -> None:
    """Write a slug, and the digest of the one before; that of the new one leads nowhere else any more."""
    db.execute("DELETE FROM former_address WHERE digest = ?", [digests[0]])
    db.execute(f"UPDATE {owner.removesuffix('_id')} SET slug = ? WHERE id = ?", [new, number])
    if digests[0] != digests[1]:
        db.execute(f"INSERT INTO former_address(digest, {owner}) VALUES (?, ?)", [digests[1], number])
    touch(db)


def free_slug(db: Database, owner: Owner, slug: str, within: int | None = None, own: str | None = None) -> str:
    """Return a slug that no other has, or once had: this one, or this one with a number.

    Args:
        db: the catalogue.
        owner: what it is for: ``event_id`` or ``session_id``.
        slug: the one that is wanted.
        within: of a session, the id of its event.
        own: the present slug of what it is for, which may have had the other before.
    """
    return next(each for each in _numbered(slug) if present(db.conn, owner, each, within) in {None, own})


def _numbered(base: str) -> Iterator[str]:
    return (base if number == 1 else f"{base}-{number}" for number in count(1))


def thing_at(db: Database, event: str, session: str | None = None) -> tuple[Owner, int]:
    """Return what is, or once was, at an address: of what kind it is, and its id.

    Raises:
        UnknownSubjectError: nothing is there, or was.
    """
    if session is None:
        row = db.execute("SELECT id FROM event WHERE slug = ?", [event_at(db, event)]).fetchone()
    else:
        sql = (
            "SELECT session.id FROM session JOIN event ON event.id = event_id WHERE (event.slug, session.slug) = (?, ?)"
        )
        row = db.execute(sql, session_at(db.conn, event, session) or (event, session)).fetchone()
    if row is None:
        raise UnknownSubjectError("event" if session is None else "session", "/".join(filter(None, (event, session))))
    return "event_id" if session is None else "session_id", int(row[0])


def slug_for(db: Database, title: str, event: str, session: str | None = None) -> str:
    """Return the slug that an event, or a session of it, may have for a title; with a number where it is another's."""
    if session is None:
        return free_slug(db, "event_id", make_slug(title) or "event", own=event)
    return free_slug(db, "session_id", make_slug(title) or "session", thing_at(db, event)[1], session)


def holds(slug: str, before: str, now: str) -> bool:
    """Return whether a slug holds a word of a title that the corrected title has not."""
    lost = set(make_slug(before).split("-")) - set(make_slug(now).split("-"))
    return not lost.isdisjoint(slug.split("-"))


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
    new = next(name for name in _numbered(base) if _is_free(db, name, person))
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
