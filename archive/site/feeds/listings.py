"""What a feed is of: a title, a page, and the sessions of one kind of listing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from archive import urls
from archive.search.results import SessionResult, SessionResults
from archive.site.labels import day
from archive.site.records import Reader, Session
from metadata.times import format_clock

ENTRIES = 50
"""Sessions on a page of an Atom feed; the next page is linked (RFC 5005)."""
EPISODES = 1_000
"""Episodes of a podcast: programs that play them know no second page."""


class Listing(NamedTuple):
    """Sessions that belong together.

    Attributes:
        title: for readers.
        page: the path of the page that shows the same.
        sessions: the newest first.
        more: whether there are others after these.
        language: BCP-47, where all of it is in one.
        description: what it is, in a sentence or more.
        complete: False when a search ran out of time.
        results: how each of the sessions was found; none where nobody searched.
        changed: when what it is of last changed, where it has no sessions and that is known.
    """

    title: str
    page: str
    sessions: tuple[Session, ...]
    more: bool = False
    language: str | None = None
    description: str | None = None
    complete: bool = True
    results: tuple[SessionResult, ...] = ()
    changed: datetime | None = None

    def updated(self, built_at: str) -> datetime | str:
        """Return when it last changed: when all was built, ISO 8601, where it has nothing that says so."""
        return max((each.updated for each in self.sessions), default=self.changed or built_at)

    @property
    def entries(self) -> Iterator[tuple[Session, SessionResult | None]]:
        """The sessions, each with how it was found."""
        return zip(self.sessions, self.results or (None,) * len(self.sessions), strict=True)


class Of(NamedTuple):
    """A kind of listing: how the thing is found by its key, and its sessions."""

    path: Callable[[str], str]
    thing: str
    sessions: str


KINDS: Mapping[str, Of] = {
    "events": Of(
        urls.event_url,
        "SELECT title, description FROM event WHERE slug = ?",
        "event.slug = ?1",
    ),
    "series": Of(
        urls.series_url,
        "SELECT title, description FROM series WHERE slug = ?",
        "series.slug = ?1",
    ),
    "people": Of(
        urls.person_url,
        "SELECT name AS title, biography AS description FROM person WHERE slug = ?",
        "session.id IN (SELECT session_id FROM session_person JOIN person ON person.id = person_id WHERE slug = ?1)",
    ),
    "tracks": Of(
        urls.track_url,
        "SELECT track AS title, NULL AS description FROM session WHERE track = ? LIMIT 1",
        "session.track = ?1",
    ),
    "languages": Of(
        urls.language_url,
        "SELECT language AS title, NULL AS description FROM"
        " (SELECT language FROM session UNION SELECT language FROM transcript WHERE is_current = 1)"
        " WHERE language = ?",
        "(session.language = ?1 OR session.id IN (SELECT session_id FROM recording JOIN transcript"
        " ON recording_id = recording.id WHERE is_current = 1 AND transcript.language = ?1))",
    ),
}
"""By the first part of the address. The key is given once, as ?1."""

_RECORDED = (
    "EXISTS (SELECT 1 FROM recording JOIN rendition ON recording_id = recording.id AND rendition.kind = 'web'"
    " WHERE session_id = session.id)"
)
_NEWEST = "ORDER BY {} DESC, session.id DESC LIMIT ?2 OFFSET ?3"


def everything(reader: Reader, page: int, *, recorded: bool) -> Listing:
    """Return all sessions."""
    name = reader.settings.name
    return _page(reader, Listing(name, urls.HOME, ()), "1", "", page, recorded=recorded)


def listing(reader: Reader, kind: str, key: str, page: int, *, recorded: bool) -> Listing | None:
    """Return the sessions of one event, series, person, track or language; None if there is none of this key."""
    of = KINDS[kind]
    known = reader.conn.execute(of.thing, (key,)).fetchone()
    if known is None:
        return None
    empty = Listing(
        known["title"],
        of.path(key),
        (),
        language=key if kind == "languages" else None,
        description=known["description"],
    )
    return _page(reader, empty, of.sessions, key, page, recorded=recorded)


def found(reader: Reader, results: SessionResults, title: str, page: str) -> Listing:
    """Return the sessions that a search has found, in its order."""
    read = [(reader.session(each.event, each.session), each) for each in results.sessions]
    entries = [(session, each) for session, each in read if session]
    return Listing(
        title,
        page,
        tuple(session for session, _ in entries),
        complete=results.complete,
        results=tuple(each for _, each in entries),
    )


def how_found(result: SessionResult) -> str:
    """Return how a session was found: ``some words · Noor Okafor · 23 July 2022 · 0:12: Debts …``."""
    hit = next(iter(result.hits), None)
    facts = [result.match, hit.speaker if hit else None, day(result.start_at[:10]) if result.start_at else None]
    if hit is None or not hit.end_ms:  # a session that is about it, not a moment
        return " · ".join(filter(None, facts))
    return " · ".join(filter(None, [*facts, f"{format_clock(hit.start_ms)}: {hit.text}"]))


def _page(reader: Reader, empty: Listing, condition: str, key: str, page: int, *, recorded: bool) -> Listing:
    most = EPISODES if recorded else ENTRIES
    # ?1 is bound in every statement, so that what stands after it keeps its number.
    among = f"WHERE {condition} AND ?1 IS NOT NULL"
    where = f"{among} AND {_RECORDED}" if recorded else among
    newest = _NEWEST.format("session.start_utc" if recorded else "session.updated_at")
    read = reader.sessions(f"{where} {newest}", (key, most + 1, (page - 1) * most))
    # A podcast that has no episode yet changed when its sessions did, of which none is recorded.
    latest = f"{among} {_NEWEST.format('session.updated_at')}"
    others = () if read else reader.sessions(latest, (key, 1, 0))
    changed = others[0].updated if others else None
    return empty._replace(sessions=read[:most], more=len(read) > most, changed=changed)


def asked_page(request: Any) -> int:
    """Return the page that an address names, 1 where it names none."""
    text = (request.args.get("page") or "").strip()
    return max(int(text), 1) if text.isascii() and text.isdigit() and len(text) < 7 else 1
