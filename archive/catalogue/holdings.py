"""How much the catalogue holds."""

from __future__ import annotations

from typing import NamedTuple

from archive.catalogue.current import NOT_SUPERSEDED
from archive.sqlite import Database


class Holdings(NamedTuple):
    """How much there is; ``recorded_ms`` in milliseconds. What was superseded does not count."""

    events: int
    sessions: int
    people: int
    recordings: int
    recorded_ms: int
    transcripts: int
    segments: int


def holdings(db: Database) -> Holdings:
    """Return how much there is."""
    row = db.execute(
        "SELECT (SELECT count(*) FROM event), (SELECT count(*) FROM session), (SELECT count(*) FROM person),"
        " count(*), coalesce(sum(duration_ms), 0), (SELECT count(*) FROM transcript WHERE is_current),"
        " (SELECT count(*) FROM segment JOIN transcript ON transcript.id = transcript_id WHERE is_current)"
        f" FROM recording WHERE {NOT_SUPERSEDED}"
    ).fetchone()
    return Holdings(*row)


def revision(db: Database) -> str:
    """Return what changes with the content of the catalogue, with what was run on it, and with the size of its file."""
    row = db.execute(
        "SELECT (SELECT content_revision FROM catalogue), (SELECT coalesce(max(id), 0) FROM stage_run), page_count"
        " FROM pragma_page_count"
    ).fetchone()
    return "/".join(map(str, row))
