"""What makes a row and a column of the catalogue public: one table, from which publications are built.

A table or a column that is not named here is private: it is not in a published database. So whoever adds a column
by a migration decides here, and a test demands that the decision is made.
"""

from __future__ import annotations

from dataclasses import dataclass

from archive.sqlite import sqlite3


@dataclass(frozen=True, slots=True)
class Rule:
    """What of a table is public.

    Attributes:
        rows: a condition in SQL on the rows of the catalogue (schema ``source``). It may use the temporary tables
            ``released_event``, ``released_session`` and ``released_recording``, and tables of the new database
            (schema ``main``) that stand before this one.
        columns: those that are public, by name, separated by blanks.
    """

    rows: str
    columns: str


RULES: dict[str, Rule] = {
    "series": Rule(
        "id IN (SELECT series_id FROM source.event WHERE id IN released_event)",
        "id slug title description",
    ),
    "event": Rule(
        "id IN released_event",
        "id series_id edition slug title subtitle description mode start_date end_date time_zone",
    ),
    "event_language": Rule("event_id IN released_event", "event_id language role"),
    "place": Rule("event_id IN released_event", "id event_id kind name city country"),
    "session": Rule(
        "id IN released_session",
        "id event_id slug title subtitle kind track room place_id start_at start_utc day planned_ms language abstract"
        " position updated_at",
    ),
    "person": Rule(
        "id IN (SELECT person_id FROM source.session_person WHERE session_id IN released_session)",
        "id slug name biography",
    ),
    "session_person": Rule("session_id IN released_session", "session_id person_id role affiliation position"),
    "attendance": Rule(
        "event_id IN released_event OR session_id IN released_session",
        "id event_id session_id observed_on position measure people people_qualifier countries countries_qualifier"
        " places places_qualifier source",
    ),
    "recording": Rule(
        "id IN released_recording",
        "id session_id sha256 kind role language duration_ms bytes media_type suffix streams loudness original_name"
        " credit licence synthetic_voice superseded_by pulled_at",
    ),
    "rendition": Rule("recording_id IN released_recording", "id recording_id kind sha256 suffix media_type bytes"),
    "transcript": Rule(
        "recording_id IN released_recording",
        "id recording_id version language kind generator generator_version parameters parameters_hash duration_ms"
        " is_current created_at",
    ),
    "speaker_tag": Rule("recording_id IN released_recording", "id recording_id label person_id"),
    "segment": Rule(
        "transcript_id IN (SELECT id FROM main.transcript)",
        "id transcript_id position start_ms end_ms text speaker_tag_id language confidence flags",
    ),
    "word": Rule(
        "segment_id IN (SELECT id FROM main.segment)",
        "segment_id position start_ms end_ms text confidence",
    ),
    "external_id": Rule(
        "event_id IN released_event OR session_id IN released_session"
        " OR person_id IN (SELECT id FROM main.person) OR recording_id IN released_recording",
        "id event_id session_id person_id recording_id scheme value",
    ),
    "link": Rule(
        "event_id IN released_event OR session_id IN released_session OR person_id IN (SELECT id FROM main.person)",
        "id event_id session_id person_id rel url title position",
    ),
}
"""The tables that are copied; parents stand before children."""

DERIVED = ("passage", "passage_fts", "session_fts", "vocabulary")
"""Tables that are not copied but built anew from what was."""

PRIVATE = frozenset(
    {
        "catalogue", "correction", "expected_recording", "heard_part", "imported", "provenance", "recording_source",
        "release", "stage_run",
    }
)  # fmt: skip
"""Tables that never leave the catalogue."""

PRIVATE_COLUMNS: dict[str, frozenset[str]] = {}
"""Columns of public tables that never leave the catalogue, by table."""


def create_schema(conn: sqlite3.Connection, source: str) -> None:
    """Make the public tables of a migrated catalogue, with their indexes and without private columns.

    Args:
        conn: the new database.
        source: the name of the catalogue's schema, attached to the same connection.
    """
    public = (*RULES, *DERIVED)
    statements = conn.execute(
        f"SELECT tbl_name, sql FROM {source}.sqlite_master WHERE sql IS NOT NULL AND type IN ('table', 'index')"
        " ORDER BY type = 'index', rowid"
    ).fetchall()
    for table, statement in statements:
        if table in public:
            conn.execute(statement)
    for table, rule in RULES.items():
        named = set(rule.columns.split())
        for (column,) in conn.execute("SELECT name FROM pragma_table_info(?, 'main')", (table,)).fetchall():
            if column not in named:
                conn.execute(f'ALTER TABLE main."{table}" DROP COLUMN "{column}"')
    for index in ("passage_fts", "session_fts"):
        # Settings of FTS5 are rows and not DDL: https://sqlite.org/fts5.html#the_hashsize_configuration_option.
        conn.execute(f"INSERT INTO main.{index}({index}, rank) VALUES ('hashsize', {HASH_SIZE})")


HASH_SIZE = 1 << 26
"""Bytes that FTS5 gathers in memory before it writes."""
