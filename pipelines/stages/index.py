"""Index: from current transcripts to passages and full-text indexes, session by session."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from archive.index.tokens import FOLDING
from archive.search import sqlite_search as search
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
        for row in context.db.query(
            "SELECT session.id, session.title, session.subtitle, session.abstract, session.slug, event.slug AS event,"
            " (SELECT group_concat(version) FROM (SELECT version FROM transcript JOIN recording"
            "   ON recording.id = recording_id WHERE recording.session_id = session.id AND is_current"
            "   AND superseded_by IS NULL ORDER BY transcript.id)) AS versions,"
            " (SELECT group_concat(name) FROM (SELECT name FROM session_person JOIN person ON person.id = person_id"
            "   WHERE session_id = session.id ORDER BY session_person.position)) AS people"
            " FROM session JOIN event ON event.id = event_id ORDER BY session.id"
        ):
            searched = (row["title"], row["subtitle"], row["abstract"], row["versions"], row["people"])
            yield Item(
                subject=f"session/{row['id']}",
                label=f"{row['event']}/{row['slug']}",
                fingerprint=fingerprint(row["id"], searched, self.folding),
                task=row["id"],
            )

    def work(self, task: int, report: Report) -> None:
        """Do nothing: rows are moved where the catalogue is."""

    def commit(self, context: Context, item: Item, result: None) -> str | None:  # noqa: ARG002 one signature
        """Write the session's passages and its index anew."""
        search.index_session(context.db, item.task)
        return None
