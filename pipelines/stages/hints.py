"""What the catalogue knows of a recording before it is heard."""

from __future__ import annotations

from archive.catalogue.sessions import SessionDescription, describe
from metadata.languages import parse_language
from metadata.terms import terms
from pipelines.config import TranscribeSettings
from pipelines.storage.archive_folder import Context
from pipelines.transcribers.base import Hints


def hints_of(known: SessionDescription, settings: TranscribeSettings, language: str | None = None) -> Hints:
    """Return language and terms for a session's recordings; where no language is declared, those of its event.

    Terms are most telling first: people, the title, the archive's glossary, and what the abstract sets in
    capitals. An engine that takes only so many leaves out the last.

    Args:
        known: what is known of the session.
        settings: the archive's.
        language: what the recording is declared to be in, where it says so itself.
    """
    declared = language or known.language or settings.language
    tag = parse_language(declared) if declared else None
    title = [known.title] if known.title else []
    written = "\n".join(filter(None, [known.subtitle, known.abstract]))
    found = dict.fromkeys([*known.people, *title, *settings.glossary, *(terms(written, tag) if written else ())])
    return Hints(language=tag, terms=tuple(found), expected=() if tag else known.event_languages)


def hints_for(context: Context, session: int) -> Hints:
    """Return language and terms for the recordings of one session."""
    return hints_of(describe(context.db, session), context.config.transcribe)
