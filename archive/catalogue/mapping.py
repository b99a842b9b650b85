"""Which columns hold what is said of a noun: one mapping between rows and values, for catalogue and site.

A field of `metadata.model.SessionFacts` or `EventFacts` is the column of the same name. So a new one is written, read
and shown once a migration has added the column and `archive.publication.rules` says that it is public.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from metadata.model import EventFacts, SessionFacts

SESSION_FACTS = tuple(field.name for field in fields(SessionFacts))
EVENT_FACTS = tuple(field.name for field in fields(EventFacts))
_JOINED = {"place": "place.name", "series": "series.title"}
"""Facts that stand in a table of their own."""


def columns(table: str, facts: tuple[str, ...]) -> str:
    """Return facts as columns of a query of a table, joined with ``place`` and ``series`` where those are facts."""
    return ", ".join(f"{_JOINED.get(name, f'{table}.{name}')} AS {name}" for name in facts)


def read_facts(row: Mapping[str, Any], facts: tuple[str, ...]) -> dict[str, Any]:
    """Return the facts in a row, by name."""
    return {name: row[name] for name in facts}


def stored_facts(value: SessionFacts | EventFacts, facts: tuple[str, ...]) -> dict[str, Any]:
    """Return the facts that stand in columns of the noun's own table, but for the slug, which is its key."""
    return {name: getattr(value, name) for name in facts if name not in {*_JOINED, "slug"}}
