"""What organisers published about events: from feeds, timetables and commands.

An announcement is private once it was taken back. One that was deleted leaves its slug and its feed's id, so that no
feed brings it back. The caller owns the transaction in every function here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count
from typing import Any, Literal, NamedTuple

from archive.errors import UnknownSubjectError
from archive.sqlite import Database
from metadata.model import Announcement
from metadata.timetables.slugs import make_slug

State = Literal["public", "private", "deleted"]
COLUMNS = ("slug", "title", "text", "url", "published", "source", "language")
_FACTS = COLUMNS[1:]


class Item(NamedTuple):
    """An entry of a feed: its id there, and what it says; the slug is proposed."""

    guid: str
    announcement: Announcement


@dataclass(frozen=True, slots=True)
class Announced:
    """What a feed did to an event's announcements, by their slugs.

    Attributes:
        added: those that are new.
        changed: those that say something else now.
        unchanged: how many are as they were.
        gone: those that the feed should still have by its dates, and has no longer; they stay.
        kept: those that were taken back or deleted here, and that stay so.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: int = 0
    gone: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def read_announcements(db: Database, event_id: int) -> tuple[Announcement, ...]:
    """Return an event's announcements in order of time, without those that were deleted."""
    rows = db.query(
        f"SELECT {', '.join(COLUMNS)}, state = 'private' AS private FROM announcement"
        " WHERE event_id = ? AND state <> 'deleted' ORDER BY id",
        [event_id],
    )
    return in_order(Announcement(**row | {"private": bool(row["private"])}) for row in rows)


def in_order(announcements: Iterable[Announcement]) -> tuple[Announcement, ...]:
    """Return announcements in order of time, those of no known day first."""
    return tuple(sorted(announcements, key=lambda each: each.published or ""))


def write_announcements(db: Database, event_id: int, announcements: tuple[Announcement, ...]) -> None:
    """Write an event's announcements; others that it has are forgotten, but for the marks of what was deleted."""
    named = {each.slug for each in announcements}
    for slug in {each.slug for each in read_announcements(db, event_id)} - named:
        db.execute("DELETE FROM announcement WHERE event_id = ? AND slug = ?", [event_id, slug])
    for each in announcements:
        _write(db, event_id, each)


def apply_feed(db: Database, event: str, feed: str, items: Sequence[Item]) -> Announced:
    """Merge what a feed has into an event's announcements: entries are known by their ids there.

    One that was written by hand, and that has the address of an entry, becomes that entry.

    Args:
        db: the catalogue.
        event: the event's slug.
        feed: the feed's address, or its file's name.
        items: its entries, each with an id of its own.

    Raises:
        UnknownSubjectError: there is no such event.
    """
    event_id = find_event_id(db, event)
    known = list(db.query("SELECT * FROM announcement WHERE event_id = ?", [event_id]))
    rows = {row["guid"]: row for row in known if row["guid"]}
    by_hand = {row["url"]: row for row in known if row["url"] and not row["guid"]}
    taken = {row["slug"] for row in known}
    done: dict[str, list[str]] = {name: [] for name in ("added", "changed", "unchanged", "kept")}
    for guid, said in items:
        row = rows.get(guid) or by_hand.pop(said.url, None)
        slug = row["slug"] if row else _free(said.slug, taken)
        taken.add(slug)
        done[_apply(db, event_id, feed, guid, row, replace(said, slug=slug))].append(slug)
    gone = _gone(items, [row for row in rows.values() if row["feed"] == feed and row["state"] != "deleted"])
    return Announced(tuple(done["added"]), tuple(done["changed"]), len(done["unchanged"]), gone, tuple(done["kept"]))


def _apply(
    db: Database, event_id: int, feed: str, guid: str, row: dict[str, Any] | None, said: Announcement
) -> Literal["added", "changed", "unchanged", "kept"]:
    if row and row["state"] == "deleted":
        return "kept"
    same = row is not None and all(row[name] == getattr(said, name) for name in _FACTS)
    if not same or (row and row["feed"] != feed):
        _write(db, event_id, replace(said, private=bool(row and row["state"] == "private")), feed=feed, guid=guid)
    if row and row["state"] == "private":
        return "kept"
    return "unchanged" if same else "changed" if row else "added"


def _gone(items: Sequence[Item], rows: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """Return what a feed has no longer, though it goes back that far."""
    here = {item.guid for item in items}
    days = [item.announcement.day for item in items if item.announcement.day]
    first = min(days, default="")
    missing = [row for row in rows if row["guid"] not in here and (row["published"] or "")[:10] >= first]
    return tuple(row["slug"] for row in missing)


def announce(db: Database, event: str, announcement: Announcement) -> str:
    """Add an announcement, and return the slug that it got.

    Raises:
        UnknownSubjectError: there is no such event.
    """
    event_id = find_event_id(db, event)
    taken = {row["slug"] for row in db.query("SELECT slug FROM announcement WHERE event_id = ?", [event_id])}
    slug = _free(announcement.slug, taken)
    _write(db, event_id, replace(announcement, slug=slug))
    return slug


def set_state(db: Database, event: str, slug: str, state: State) -> bool:
    """Publish an announcement, take it back or delete it, and return whether that changed anything.

    Of one that is deleted no word stays.

    Raises:
        UnknownSubjectError: there is no such announcement.
    """
    event_id = find_event_id(db, event)
    row = next(
        iter(
            db.query(
                "SELECT state FROM announcement WHERE event_id = ? AND slug = ? AND state <> 'deleted'",
                [event_id, slug],
            )
        ),
        None,
    )
    if row is None:
        raise UnknownSubjectError("announcement", f"{event}/{slug}")
    emptied = "".join(f", {name} = {'slug' if name == 'title' else 'NULL'}" for name in _FACTS)
    db.execute(
        f"UPDATE announcement SET state = ?{emptied if state == 'deleted' else ''} WHERE event_id = ? AND slug = ?",
        [state, event_id, slug],
    )
    return bool(row["state"] != state)


def find_event_id(db: Database, slug: str) -> int:
    """Return the id of an event.

    Raises:
        UnknownSubjectError: there is none of this name.
    """
    row = db.execute("SELECT id FROM event WHERE slug = ?", [slug]).fetchone()
    if row is None:
        raise UnknownSubjectError("event", slug)
    return int(row[0])


def proposed_slug(title: str, published: str | None) -> str:
    """Return the slug that is made of a date and a title.

    >>> proposed_slug("Registration is open", "2022-06-01T10:00:00+02:00")
    '2022-06-01-registration-is-open'
    """
    return make_slug(f"{(published or '')[:10]} {title}") or "announcement"


def _free(slug: str, taken: set[str]) -> str:
    return next(each for number in count(1) if (each := slug if number == 1 else f"{slug}-{number}") not in taken)


def _write(
    db: Database, event_id: int, said: Announcement, *, feed: str | None = None, guid: str | None = None
) -> None:
    facts = asdict(said)
    row = {"event_id": event_id, **{name: facts[name] for name in COLUMNS}}
    row["state"] = "private" if said.private else "public"
    row |= {"feed": feed, "guid": guid} if guid else {}
    changed = ", ".join(f"{name} = excluded.{name}" for name in row if name not in {"event_id", "slug"})
    db.execute(
        f"INSERT INTO announcement({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"
        f" ON CONFLICT(event_id, slug) DO UPDATE SET {changed} WHERE state <> 'deleted'",
        list(row.values()),
    )
