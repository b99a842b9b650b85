"""What organisers published about events, found by the words in it: apart from what was said, and never among it.

The index is written for a publication alone, and holds what is public. It is small: an event has hundreds of
announcements at most, and hours of speech.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from archive.index.stems import marks
from archive.index.tokens import words
from archive.search.budget import CLOCK, Budget
from archive.search.filters import Filters
from archive.search.query import parse_query, to_fts5, with_stems
from archive.sqlite import sqlite3
from metadata.languages import UNDETERMINED, primary

ONLY = frozenset({"event", "series", "year", "language", "since", "until"})
"""Filters that mean something for announcements; another leaves none."""
BUDGET_S = 0.2
"""Seconds that a search for announcements may take."""
MOST = 200
"""Announcements of one answer."""

_CONDITIONS = {
    "event": "event.slug = :event",
    "series": "event.series_id = (SELECT id FROM series WHERE slug = :series)",
    "year": "substr(published, 1, 4) = :year",
    "language": "(announcement.language = :language OR announcement.language LIKE :language || '-%')",
    "since": "substr(published, 1, 10) >= :since",
    "until": "substr(published, 1, 10) <= :until",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """An announcement that was found, with its event's slug and title."""

    event: str
    event_title: str
    slug: str
    title: str
    text: str | None
    url: str | None
    published: str | None
    source: str | None
    language: str | None


def write_index(conn: sqlite3.Connection) -> None:
    """Index all announcements anew. The caller owns the transaction."""
    conn.execute("INSERT INTO announcement_fts(announcement_fts) VALUES ('delete-all')")
    rows = conn.execute("SELECT id, title, coalesce(text, ''), language FROM announcement ORDER BY id").fetchall()
    conn.executemany(
        "INSERT INTO announcement_fts(rowid, title, text) VALUES (?, ?, ?)",
        ((number, *(_indexed(each, language) for each in texts)) for number, *texts, language in rows),
    )


def _indexed(text: str, language: str | None) -> str:
    spelled = words(text)
    return " ".join([*spelled, *marks(language or UNDETERMINED, spelled)])


def find_announcements(conn: sqlite3.Connection, query: str, filters: Filters, limit: int = MOST) -> list[Announced]:
    """Return the announcements that have all that is asked for, the best first. No query is an error.

    A query that names who spoke, or anything else that only sessions have, finds none.

    Args:
        conn: a published database.
        query: as people type it.
        filters: where to look, beside what the query says of that.
        limit: how many at most.
    """
    understood = parse_query(query)
    chosen = ({"language": understood.language} if understood.language else {}) | filters.chosen()
    if understood.node is None or understood.where is not None or understood.doubtful or not ONLY.issuperset(chosen):
        return []
    spoken = {
        primary(row[0]) for row in conn.execute("SELECT DISTINCT language FROM announcement WHERE language <> ''")
    }
    match = to_fts5(with_stems(understood.node, sorted(spoken)))
    conditions = "".join(f" AND {_CONDITIONS[name]}" for name in chosen)
    rows: list[tuple[Any, ...]] = []
    with Budget(conn, CLOCK, BUDGET_S).spend(1):
        rows = conn.execute(
            "SELECT event.slug, event.title, announcement.slug, announcement.title, text, url, published, source,"
            " language FROM (SELECT rowid AS id, bm25(announcement_fts, 3.0, 1.0) AS cost FROM announcement_fts"
            " WHERE announcement_fts MATCH :match) AS found JOIN announcement USING (id)"
            f" JOIN event ON event.id = event_id WHERE true{conditions} ORDER BY cost, found.id LIMIT :limit",
            {**chosen, "match": match, "limit": limit},
        ).fetchall()
    names = tuple(Announced.__slots__)
    return [Announced(**dict(zip(names, row, strict=True))) for row in rows]
