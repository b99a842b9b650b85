"""What pages read that list people, series, languages, tracks and places, and those of each."""

from __future__ import annotations

from dataclasses import dataclass

from archive.site.queries import Card, EventCard, as_dict, event_cards, session_cards
from archive.sqlite import sqlite3

SESSIONS_SHOWN = 500
"""Sessions that a page lists; the rest is found by search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of an index: where it leads, what it is called, how much there is of it, and a person's picture."""

    key: str
    label: str
    sessions: int
    recorded_ms: int
    portrait: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesPage:
    """A series with its editions, the first first, and the figures of each."""

    slug: str
    title: str
    description: str | None
    editions: tuple[tuple[EventCard, int | None, int], ...]


_RECORDED = (
    "coalesce(sum((SELECT max(duration_ms) FROM recording WHERE session_id = session.id AND role = 'floor')), 0)"
)


def people(conn: sqlite3.Connection) -> tuple[Entry, ...]:
    """Return everyone, by name."""
    rows = conn.execute(
        "SELECT person.slug AS key, person.name AS label, count(*) AS sessions, sum(recorded) AS recorded_ms,"
        " (SELECT digest FROM portrait WHERE person_id = person.id) AS portrait FROM"
        " (SELECT DISTINCT session_id, person_id, coalesce((SELECT max(duration_ms) FROM recording"
        " WHERE recording.session_id = session_person.session_id AND role = 'floor'), 0) AS recorded"
        " FROM session_person) JOIN person ON person.id = person_id GROUP BY person.id"
        " ORDER BY person.name COLLATE NOCASE, person.id"
    )
    return tuple(Entry(**as_dict(row)) for row in rows)


def series(conn: sqlite3.Connection) -> tuple[Entry, ...]:
    """Return all series, by title."""
    rows = conn.execute(
        f"SELECT series.slug AS key, series.title AS label, count(session.id) AS sessions, {_RECORDED} AS recorded_ms"
        " FROM series JOIN event ON series_id = series.id LEFT JOIN session ON event_id = event.id"
        " GROUP BY series.id ORDER BY series.title"
    )
    return tuple(Entry(**as_dict(row)) for row in rows)


def tracks(conn: sqlite3.Connection) -> tuple[Entry, ...]:
    """Return the tracks of all events, by name."""
    rows = conn.execute(
        f"SELECT track AS key, track AS label, count(*) AS sessions, {_RECORDED} AS recorded_ms FROM session"
        " WHERE track IS NOT NULL AND track <> '' GROUP BY track ORDER BY track COLLATE NOCASE"
    )
    return tuple(Entry(**as_dict(row)) for row in rows)


def languages(conn: sqlite3.Connection) -> tuple[Entry, ...]:
    """Return the languages in which sessions were spoken or planned, the most frequent first."""
    rows = conn.execute(
        "SELECT language AS key, language AS label, count(*) AS sessions, sum(recorded) AS recorded_ms FROM"
        " (SELECT session.language AS language, coalesce((SELECT max(duration_ms) FROM recording"
        "  WHERE session_id = session.id AND role = 'floor'), 0) AS recorded, session.id AS id FROM session"
        "  WHERE session.language IS NOT NULL"
        " UNION SELECT coalesce(transcript.language, recording.language), coalesce(recording.duration_ms, 0),"
        "  session_id FROM recording JOIN transcript ON recording_id = recording.id AND is_current"
        "  AND transcript.kind <> 'translation' WHERE session_id IS NOT NULL"
        "  AND coalesce(transcript.language, recording.language) IS NOT"
        "  (SELECT language FROM session WHERE id = session_id))"
        " GROUP BY language ORDER BY sessions DESC, language"
    )
    return tuple(Entry(**as_dict(row)) for row in rows)


def places(conn: sqlite3.Connection) -> tuple[tuple[str | None, str | None, tuple[tuple[str, str, str], ...]], ...]:
    """Return countries and cities, by country, with the name of each place there, and its event's slug and title."""
    rows = conn.execute(
        "SELECT country, city, name, event.slug, event.title FROM place JOIN event ON event.id = event_id"
        " WHERE kind <> 'online' ORDER BY country IS NULL, country, city IS NULL, city, start_date DESC, name"
    )
    found: dict[tuple[str | None, str | None], list[tuple[str, str, str]]] = {}
    for row in rows:
        found.setdefault((row["country"], row["city"]), []).append((row["name"], row["slug"], row["title"]))
    return tuple((country, city, tuple(there)) for (country, city), there in found.items())


def series_page(conn: sqlite3.Connection, slug: str) -> SeriesPage | None:
    """Return a series."""
    row = conn.execute("SELECT id, slug, title, description FROM series WHERE slug = ?", (slug,)).fetchone()
    if row is None:
        return None
    events = event_cards(conn, "WHERE series_id = ? ORDER BY start_date, id", (row["id"],))
    figures = {
        each["slug"]: (each["edition"], each["recorded_ms"])
        for each in conn.execute(
            f"SELECT event.slug, edition, {_RECORDED} AS recorded_ms FROM event"
            " LEFT JOIN session ON event_id = event.id WHERE series_id = ? GROUP BY event.id",
            (row["id"],),
        )
    }
    return SeriesPage(
        slug=row["slug"],
        title=row["title"],
        description=row["description"],
        editions=tuple((each, *figures[each.slug]) for each in events),
    )


def of_track(conn: sqlite3.Connection, track: str) -> tuple[Card, ...]:
    """Return the sessions of a track, the latest first."""
    return session_cards(
        conn,
        "WHERE session.track = ? ORDER BY session.start_utc DESC, session.id DESC LIMIT ?",
        (track, SESSIONS_SHOWN),
    )


def in_language(conn: sqlite3.Connection, language: str) -> tuple[Card, ...]:
    """Return the sessions that were spoken, or planned, in a language, the latest first."""
    return session_cards(
        conn,
        "WHERE session.language = ?1 OR EXISTS (SELECT 1 FROM recording JOIN transcript ON recording_id = recording.id"
        " AND is_current AND transcript.kind <> 'translation' WHERE session_id = session.id"
        " AND transcript.language = ?1) ORDER BY session.start_utc DESC, session.id DESC LIMIT ?2",
        (language, SESSIONS_SHOWN),
    )


def companions(conn: sqlite3.Connection, person: str) -> tuple[Entry, ...]:
    """Return with whom somebody shared sessions, the most frequent first."""
    rows = conn.execute(
        "SELECT other.slug AS key, other.name AS label, count(DISTINCT theirs.session_id) AS sessions, 0 AS recorded_ms"
        " FROM person AS own JOIN session_person AS mine ON mine.person_id = own.id"
        " JOIN session_person AS theirs ON theirs.session_id = mine.session_id AND theirs.person_id <> own.id"
        " JOIN person AS other ON other.id = theirs.person_id WHERE own.slug = ?"
        " GROUP BY other.id ORDER BY sessions DESC, other.name LIMIT 20",
        (person,),
    )
    return tuple(Entry(**as_dict(row)) for row in rows)
