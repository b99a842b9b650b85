"""Which recordings and transcripts are current, as conditions in SQL.

The same conditions hold in the catalogue and in a published database. They are fragments and not views, because
SQLite cannot flatten a view of two tables on the right side of a LEFT JOIN
(https://sqlite.org/optoverview.html#subquery_flattening).
"""

from __future__ import annotations

NOT_SUPERSEDED = "superseded_by IS NULL"
"""Holds for a row of ``recording`` that no other recording has replaced."""

KEPT = "recording.elsewhere IS NULL"
"""Holds for a row of ``recording`` whose file is in the store. Of others only the words are here."""

CURRENT = f"is_current = 1 AND {NOT_SUPERSEDED}"
"""Holds for a row of ``transcript`` joined with its ``recording``: the current version of a current recording.

A recording has one current transcript of what is spoken, and may have current translations beside it.
"""


def successors(schema: str) -> str:
    """Return the beginning of a query of ``later(id, step)``: a recording, and those that took its place in turn."""
    return (
        "WITH RECURSIVE later(id, step) AS (VALUES (?, 0) UNION SELECT superseded_by, step + 1"
        f" FROM {schema}.recording JOIN later USING (id) WHERE superseded_by IS NOT NULL AND step < 100)"
    )
