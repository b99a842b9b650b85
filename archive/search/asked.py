"""A query as it is looked for: what was understood, where to search, and how long that may take."""

from __future__ import annotations

from dataclasses import dataclass

from archive.search.budget import Budget
from archive.search.filters import Scope
from archive.search.query import Leaf, Node, leaves
from archive.sqlite import sqlite3


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a database.

    Attributes:
        conn: the database.
        budget: of this search.
        scope: where to search.
        node: the words as they were typed; None where there are none.
        wide: the same, or in other forms (`archive.search.hits.with_forms`).
        doubtful: whether to search in what was heard with doubt, and in nothing else.
    """

    conn: sqlite3.Connection
    budget: Budget
    scope: Scope
    node: Node | None
    wide: Node | None
    doubtful: bool

    @property
    def closely(self) -> bool:
        """Whether no index can tell what matches, so that segments are read: what is doubtful, and who speaks."""
        return self.doubtful or bool(self.scope.segments)

    def has(self, *kinds: type[Leaf]) -> bool:
        """Whether a term of some kind is looked for."""
        return any(isinstance(leaf, kinds) for leaf in leaves(self.wide)) if self.wide else False
