"""Index: from current transcripts to passages and full-text indexes, session by session."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from archive.catalogue.sessions import searched_sessions
from archive.index.tokens import FOLDING
from archive.search import sqlite_search as search
from pipelines.stages import Setup
from pipelines.stages.base import Item, Report, fingerprint
from pipelines.storage.archive_folder import Context


@dataclass(frozen=True, slots=True)
class Index:
    """The stage. ``folding`` is the version of what becomes of a text (`archive.index.tokens.FOLDING`)."""

    folding: int = FOLDING
    name: ClassVar[str] = "index"
    unit: ClassVar[str] = ""

    def items(self, context: Context) -> Iterable[Item]:
        """Return an item for every session; its fingerprint changes with anything that is searched, and with how."""
        for each in searched_sessions(context.db):
            searched = (each.title, each.subtitle, each.abstract, each.versions, each.people)
            yield Item(
                subject=f"session/{each.id}",
                label=f"{each.event}/{each.slug}",
                fingerprint=fingerprint(each.id, searched, self.folding),
                task=each.id,
            )

    def work(self, task: int, report: Report) -> None:
        """Do nothing: rows are moved where the catalogue is."""

    def commit(self, context: Context, item: Item, result: None) -> str | None:  # noqa: ARG002 one signature
        """Write the session's passages and its index anew."""
        search.index_session(context.db, item.task)
        return None


def make(setup: Setup) -> Index:  # noqa: ARG001 one signature for all stages
    """Return the stage for a command."""
    return Index()
