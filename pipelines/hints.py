"""What the catalogue knows of a recording before it is heard."""

from __future__ import annotations

from metadata.languages import parse_language
from metadata.terms import terms
from pipelines.context import Context
from pipelines.transcribers.base import Hints


def hints_for(context: Context, session: int | None, language: str | None = None) -> Hints:
    """Return language and terms for a session's recordings; where no language is declared, those of its event.

    Terms are most telling first: people, the title, the archive's glossary, and what the abstract sets in
    capitals. An engine that takes only so many leaves out the last.

    Args:
        context: the archive.
        session: its id; None for a recording that has none.
        language: what the recording is declared to be in, where it says so itself.
    """
    row = next(
        iter(context.db.query("SELECT title, subtitle, abstract, language FROM session WHERE id = ?", [session])), {}
    )
    people = [
        each["name"]
        for each in context.db.query(
            "SELECT name FROM session_person JOIN person ON person.id = person_id"
            " WHERE session_id = ? ORDER BY position",
            [session],
        )
    ]
    declared = language or row.get("language") or context.config.transcribe.language
    tag = parse_language(declared) if declared else None
    written = "\n".join(filter(None, [row.get("subtitle"), row.get("abstract")]))
    title = [row["title"]] if row else []
    found = dict.fromkeys([*people, *title, *context.config.transcribe.glossary, *terms(written, tag)])
    expected = () if tag else _languages(context, session)
    return Hints(language=tag, terms=tuple(found), expected=expected)


def _languages(context: Context, session: int | None) -> tuple[str, ...]:
    """Return the languages that a session's event is held or interpreted in."""
    rows = context.db.query(
        "SELECT DISTINCT language FROM event_language"
        " WHERE event_id = (SELECT event_id FROM session WHERE id = ?) ORDER BY language",
        [session],
    )
    return tuple(row["language"] for row in rows)
