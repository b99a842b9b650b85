"""How much the catalogue holds."""

from __future__ import annotations

import json
from typing import NamedTuple

from archive.catalogue.current import NOT_SUPERSEDED
from archive.sqlite import Database
from metadata.model import Flag


class Holdings(NamedTuple):
    """How much there is; times in milliseconds. What was superseded does not count.

    Attributes:
        doubtful: segments with text that is kept out of search.
        untranscribed: stretches in which somebody may speak and no word was understood.
    """

    events: int
    sessions: int
    people: int
    recordings: int
    recorded_ms: int
    transcripts: int
    segments: int
    doubtful: int
    untranscribed: int
    untranscribed_ms: int


def holdings(db: Database) -> Holdings:
    """Return how much there is."""
    doubts = db.execute(
        "SELECT count(*) FILTER (WHERE flags <> ?1), count(*) FILTER (WHERE flags = ?1),"
        " coalesce(sum(end_ms - start_ms) FILTER (WHERE flags = ?1), 0) FROM segment"
        " JOIN transcript ON transcript.id = transcript_id WHERE is_current AND flags <> '[]'",
        [json.dumps([Flag.NOT_TRANSCRIBED])],
    ).fetchone()
    row = db.execute(
        "SELECT (SELECT count(*) FROM event), (SELECT count(*) FROM session), (SELECT count(*) FROM person),"
        " count(*), coalesce(sum(duration_ms), 0), (SELECT count(*) FROM transcript WHERE is_current),"
        " (SELECT count(*) FROM segment JOIN transcript ON transcript.id = transcript_id WHERE is_current)"
        f" FROM recording WHERE {NOT_SUPERSEDED}"
    ).fetchone()
    return Holdings(*row, *doubts)


class Named(NamedTuple):
    """What commands call something, and its title: an event, a session (``EVENT/SESSION``) or a person."""

    kind: str
    name: str
    title: str


def names(db: Database) -> list[Named]:
    """Return everything that commands name by a slug: each event with its sessions after it, then people."""
    rows = db.execute(
        "SELECT 'event', slug, title FROM (SELECT slug, title, slug AS at, 0 AS id, 0 AS part FROM event"
        " UNION ALL SELECT event.slug || '/' || session.slug, session.title, event.slug, session.id, 1"
        " FROM session JOIN event ON event.id = event_id) ORDER BY at, part, id"
    ).fetchall()
    found = [Named("session" if "/" in name else kind, name, title) for kind, name, title in rows]
    people = db.execute("SELECT 'person', slug, name FROM person ORDER BY slug").fetchall()
    return [*found, *(Named(*row) for row in people)]


def revision(db: Database) -> str:
    """Return what changes with the content of the catalogue, with what was run on it, and with the size of its file."""
    row = db.execute(
        "SELECT (SELECT content_revision FROM catalogue), (SELECT coalesce(max(id), 0) FROM stage_run), page_count"
        " FROM pragma_page_count"
    ).fetchone()
    return "/".join(map(str, row))
