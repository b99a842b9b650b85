"""For how long and how often somebody speaks: in a recording, at an event, anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from archive.site.session_page.transcript import Paragraph
from archive.sqlite import sqlite3

MOST = 12
"""Speakers of an event that are listed."""


class Talker(NamedTuple):
    """Somebody who speaks. ``turns`` is how often they begin to, or None where nobody counted."""

    name: str
    person: str | None
    talking_ms: int
    turns: int | None


def in_recording(paragraphs: Sequence[Paragraph]) -> tuple[Talker, ...]:
    """Return who speaks in a transcript, those who speak longest first; nobody where it does not say who speaks."""
    lengths: dict[tuple[str, str | None], list[int]] = {}
    said = (each for each in paragraphs if not each.doubts and not each.redacted)
    for voice, run in groupby(said, key=lambda each: each.speaking):
        if voice:
            its = sum(line.end_ms - line.start_ms for each in run for line, _ in each.sentences)
            lengths.setdefault((voice.name, voice.person), []).append(its)
    talkers = (Talker(*key, sum(its), len(its)) for key, its in lengths.items())
    return tuple(sorted(talkers, key=lambda each: -each.talking_ms))


def at_event(conn: sqlite3.Connection, event: str) -> tuple[Talker, ...]:
    """Return the people who speak at an event, those who speak longest first."""
    if not _counted(conn):
        return ()
    rows = conn.execute(
        f"SELECT name, slug, sum(spoken_ms), sum(turns) FROM ({_SPOKEN}"
        " WHERE session_id IN (SELECT session.id FROM session JOIN event ON event.id = event_id WHERE event.slug = ?)"
        " GROUP BY speaker_tag_id) GROUP BY slug ORDER BY sum(spoken_ms) DESC, name LIMIT ?",
        (event, MOST),
    )
    return tuple(Talker(*row) for row in rows)


def by_person(conn: sqlite3.Connection, person: str) -> Talker | None:
    """Return for how long and how often somebody is known to speak, or None where they are not."""
    if not _counted(conn):
        return None
    row = conn.execute(
        f"SELECT name, slug, sum(spoken_ms), sum(turns) FROM ({_SPOKEN} WHERE slug = ? GROUP BY speaker_tag_id)"
        " GROUP BY slug",
        (person,),
    ).fetchone()
    return Talker(*row) if row else None


def _counted(conn: sqlite3.Connection) -> bool:
    """Whether the publication says who said how much: an older Rostra's does not."""
    return bool(conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'speech'").fetchone())


_SPOKEN = (
    "SELECT name, slug, sum(spoken_ms) AS spoken_ms, turns FROM speech"
    " JOIN transcript ON transcript.id = transcript_id AND is_current AND kind <> 'translation'"
    " JOIN speaker_tag ON speaker_tag.id = speaker_tag_id JOIN person ON person.id = person_id"
)
