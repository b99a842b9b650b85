"""What the catalogue knows of a recording before it is heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from metadata.languages import parse_language
from metadata.terms import terms
from pipelines.config import Transcribe
from pipelines.storage.archive_folder import Context
from pipelines.transcribers.base import Hints

KNOWN = (
    "session.title, session.subtitle, session.abstract, session.language AS session_language,"
    " (SELECT json_group_array(name) FROM (SELECT name FROM session_person JOIN person ON person.id = person_id"
    " WHERE session_id = session.id ORDER BY session_person.position)) AS people,"
    " (SELECT json_group_array(language) FROM (SELECT DISTINCT language FROM event_language"
    " WHERE event_language.event_id = session.event_id ORDER BY language)) AS event_languages"
)
"""Columns of what is known of a session, in a query of one or of many."""


def hints_of(known: Mapping[str, Any], settings: Transcribe, language: str | None = None) -> Hints:
    """Return language and terms for a session's recordings; where no language is declared, those of its event.

    Terms are most telling first: people, the title, the archive's glossary, and what the abstract sets in
    capitals. An engine that takes only so many leaves out the last.

    Args:
        known: the columns `KNOWN`, all NULL for a recording without a session.
        settings: the archive's.
        language: what the recording is declared to be in, where it says so itself.
    """
    declared = language or known["session_language"] or settings.language
    tag = parse_language(declared) if declared else None
    people: Sequence[str] = msgspec.json.decode(known["people"])
    title = [known["title"]] if known["title"] else []
    written = "\n".join(filter(None, [known["subtitle"], known["abstract"]]))
    found = dict.fromkeys([*people, *title, *settings.glossary, *(terms(written, tag) if written else ())])
    expected = () if tag else tuple(msgspec.json.decode(known["event_languages"]))
    return Hints(language=tag, terms=tuple(found), expected=expected)


def hints_for(context: Context, session: int) -> Hints:
    """Return language and terms for the recordings of one session."""
    (known,) = context.db.query(f"SELECT {KNOWN} FROM session WHERE id = ?", [session])
    return hints_of(known, context.config.transcribe)
