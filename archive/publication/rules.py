"""What makes a row and a column of the catalogue public: one table, from which publications are built.

A table or a column that is not named here is private: it is not in a published database. So whoever adds a column
by a migration decides here, and a test demands that the decision is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from archive.sqlite import sqlite3


@dataclass(frozen=True, slots=True)
class Rule:
    """What of a table is public.

    Attributes:
        rows: a condition in SQL on the rows of the catalogue (schema ``source``). It may use the temporary tables
            ``released_event``, ``released_session``, ``released_recording``, ``voice``, ``redacted_segment`` and
            ``redacted_word``, and tables of the new database (schema ``main``) that stand before this one.
        columns: those that are public, by name, separated by blanks.
        texts: those of them that people wrote: addresses in them lose their keys (`archive.publication.cleaning`).
        made: those that go out in another form: an expression in SQL, by name.
    """

    rows: str
    columns: str
    texts: str = ""
    made: Mapping[str, str] = field(default_factory=dict)

    def selected(self) -> str:
        """Return what is selected of the catalogue, for all columns in order and by their names."""
        texts = set(self.texts.split())
        cleaned = {name: f"iif(instr({name}, '://'), public_text({name}), {name})" for name in texts}
        made = cleaned | dict(self.made)
        return ", ".join(f"{made[name]} AS {name}" if name in made else name for name in self.columns.split())


BIOGRAPHY = """
CASE
  WHEN EXISTS (SELECT 1 FROM source.correction WHERE correction.person_id = person.id AND field = 'biography')
    OR person.id NOT IN (SELECT person_id FROM source.session_person WHERE session_id NOT IN released_session)
    THEN biography
  ELSE (SELECT said ->> 'biography' FROM source.person_source WHERE person_source.person_id = person.id
    AND session_id IN released_session AND said ->> 'biography' IS NOT NULL
    ORDER BY said ->> 'biography' IS biography DESC, person_source.rowid DESC LIMIT 1)
END
"""
"""The life of a person with a part in something hidden is what something released says of it."""
UPDATED_AT = """
(SELECT max(at) FROM (SELECT updated_at AS at
  UNION ALL SELECT strftime('%Y-%m-%dT%H:%M:%SZ', until, iif(length(until) = 10, '+12 hours', '+0 hours'))
    FROM source.release WHERE session_id = session.id AND state = 'embargoed'
  UNION ALL SELECT strftime('%Y-%m-%dT%H:%M:%SZ', until, iif(length(until) = 10, '+12 hours', '+0 hours'))
    FROM source.release_default WHERE event_id = session.event_id AND state = 'embargoed'))
"""
"""A session changes for the public when its embargo ends, too. Of a date, the middle is meant: clocks differ."""
_PERSON = "id IN (SELECT person_id FROM source.session_person WHERE session_id IN released_session)"
_OF_PERSON = "person_id IN (SELECT id FROM main.person)"
_WHOLLY_OUT = "{person} NOT IN (SELECT person_id FROM source.session_person WHERE session_id NOT IN released_session)"
"""Of a person with a part in something hidden, only what something released says goes out, or what was corrected."""
_SAID = (
    "EXISTS (SELECT 1 FROM source.person_source WHERE person_source.person_id = {person}"
    " AND session_id IN released_session AND instr(said, {value}))"
)


def _named(column: str) -> str:
    """Return the expression of a name: without the addresses of people."""
    return f"iif(instr({column}, '@'), public_name({column}), {column})"


def _left(column: str, otherwise: str) -> str:
    """Return the expression of a segment's column: what redactions leave of it."""
    # Most segments are not redacted, and to look first whether one is takes less time.
    left = f"(SELECT redacted_segment.{column} FROM redacted_segment WHERE id = segment.id)"
    return f"coalesce(iif(id IN (SELECT id FROM redacted_segment), {left}, NULL), {otherwise})"


_OF_ALL = (
    "(SELECT sum(one.{0}) FROM source.speaker_tag AS one JOIN voice ON voice.id = one.id"
    " WHERE voice.becomes = speaker_tag.id)"
)
"""The sum of a figure over all voices that are published as one."""

RULES: dict[str, Rule] = {
    "series": Rule(
        "id IN (SELECT series_id FROM source.event WHERE id IN released_event)",
        "id slug title description",
        texts="title description",
    ),
    "event": Rule(
        "id IN released_event",
        "id series_id edition slug title subtitle description mode start_date end_date time_zone",
        texts="title subtitle description",
    ),
    # A language, or a place, of which only hidden sessions make use would tell of them.
    "event_language": Rule(
        "event_id IN released_event AND (language IN (SELECT language FROM source.session"
        " WHERE session.event_id = event_language.event_id AND id IN released_session AND language IS NOT NULL)"
        " OR language NOT IN (SELECT language FROM source.session"
        " WHERE session.event_id = event_language.event_id AND language IS NOT NULL))",
        "event_id language role",
    ),
    "place": Rule(
        "event_id IN released_event AND (id IN (SELECT place_id FROM source.session WHERE id IN released_session)"
        " OR id NOT IN (SELECT place_id FROM source.session WHERE place_id IS NOT NULL))",
        "id event_id kind name city country",
        texts="name",
    ),
    "session": Rule(
        "id IN released_session",
        "id event_id slug title subtitle kind track room place_id start_at start_utc day planned_ms language abstract"
        " position updated_at identity",
        texts="title subtitle track room abstract",
        made={"updated_at": UPDATED_AT},
    ),
    "person": Rule(
        _PERSON,
        "id slug name biography",
        texts="",
        made={
            # A slug is made of the name, and would tell the address that the name may not.
            "slug": "iif(instr(name, '@') AND public_name(name) <> name, 'person-no-' || id, slug)",
            "name": _named("name"),
            "biography": "public_text(" + BIOGRAPHY + ")",
        },
    ),
    "session_person": Rule(
        "session_id IN released_session",
        "session_id person_id role affiliation position",
        made={"affiliation": f"public_text({_named('affiliation')})"},
    ),
    # Organisers published them already; what they took back, or deleted, stays behind.
    "announcement": Rule(
        "event_id IN released_event AND state = 'public'",
        "id event_id slug title text url published source language",
        texts="title text source",
        made={"url": "nullif(public_text(url), '')"},
    ),
    "portrait": Rule(f"state = 'public' AND {_OF_PERSON}", "person_id picture digest"),
    "attendance": Rule(
        "event_id IN released_event OR session_id IN released_session",
        "id event_id session_id observed_on position measure people people_qualifier countries countries_qualifier"
        " places places_qualifier source announcement",
        texts="source",
        made={
            "announcement": "(SELECT slug FROM source.announcement AS one WHERE one.state = 'public'"
            " AND attendance.announcement IN (slug, url, title)"
            " AND one.event_id = coalesce(attendance.event_id,"
            " (SELECT event_id FROM source.session WHERE session.id = attendance.session_id))"
            " ORDER BY attendance.announcement = slug DESC, id LIMIT 1)"
        },
    ),
    "recording": Rule(
        "id IN released_recording",
        "id session_id sha256 kind role language duration_ms bytes media_type suffix streams loudness"
        " credit licence synthetic_voice superseded_by pulled_at elsewhere",
        texts="licence elsewhere",
        made={"credit": f"public_text({_named('credit')})"},
    ),
    "rendition": Rule("recording_id IN released_recording", "id recording_id kind sha256 suffix media_type bytes"),
    "redaction": Rule(
        "recording_id IN released_recording AND undone_at IS NULL",
        "id recording_id start_ms end_ms reason",
        made={"reason": "iif(reason_is_public, public_text(reason), '')"},
    ),
    # What was heard before it was corrected is not public, nor is what was translated from that.
    "transcript": Rule(
        "recording_id IN released_recording AND is_current AND (kind <> 'translation' OR id IN"
        " (SELECT max(id) FROM source.transcript WHERE is_current AND kind = 'translation'"
        " GROUP BY recording_id, language))"
        " AND (kind <> 'translation' OR NOT EXISTS (SELECT 1 FROM source.transcript AS spoken WHERE spoken.is_current"
        " AND spoken.kind <> 'translation' AND spoken.recording_id = transcript.recording_id"
        " AND spoken.id > transcript.id))"
        # Chapters are never current, as nobody says them: those of the newest file are shown.
        " OR recording_id IN released_recording AND id IN (SELECT max(id) FROM source.transcript"
        " WHERE parameters ->> 'track' = 'chapters' GROUP BY recording_id)",
        "id recording_id version language kind generator generator_version parameters parameters_hash duration_ms"
        " is_current created_at",
        made={"parameters": "public_parameters(parameters)"},
    ),
    "segment": Rule(
        "transcript_id IN (SELECT id FROM main.transcript) AND id NOT IN"
        " (SELECT id FROM redacted_segment WHERE text IS NULL)",
        "id transcript_id position start_ms end_ms text speaker_tag_id language confidence flags overlapped",
        made={
            "start_ms": _left("start_ms", "start_ms"),
            "end_ms": _left("end_ms", "end_ms"),
            "text": _left("text", "iif(instr(text, '://'), public_text(text), text)"),
            "speaker_tag_id": "iif(speaker_tag_id IS NULL, NULL,"
            " (SELECT becomes FROM voice WHERE voice.id = speaker_tag_id))",
        },
    ),
    # A vector says as much as its words do: it goes out only where each of them does.
    "meaning": Rule(
        "transcript_id IN (SELECT id FROM main.transcript) AND NOT EXISTS (SELECT 1 FROM redacted_segment"
        " JOIN source.segment USING (id) WHERE redacted_segment.transcript_id = meaning.transcript_id"
        " AND position BETWEEN first_position AND last_position)",
        "id transcript_id first_position last_position encoder vector",
    ),
    "word": Rule(
        "segment_id IN (SELECT id FROM main.segment) AND NOT EXISTS (SELECT 1 FROM redacted_word WHERE"
        " redacted_word.segment_id = word.segment_id AND redacted_word.position = word.position)",
        "segment_id position start_ms end_ms text confidence",
        texts="text",
    ),
    "speaker_tag": Rule(
        "id IN (SELECT speaker_tag_id FROM main.segment)",
        "id recording_id label person_id origin talking_ms turns",
        made={
            "label": "(SELECT voice.label FROM voice WHERE voice.id = speaker_tag.id)",
            "person_id": "(SELECT voice.person_id FROM voice WHERE voice.id = speaker_tag.id)",
            "talking_ms": _OF_ALL.format("talking_ms"),
            "turns": _OF_ALL.format("turns"),
        },
    ),
    # Addresses that were left, as digests; of those that held a name that was taken back, not even that.
    "former_address": Rule(
        "NOT taken_back AND (event_id IN released_event OR session_id IN released_session"
        " OR person_id IN (SELECT id FROM main.person))",
        "id digest event_id session_id person_id",
    ),
    "external_id": Rule(
        "event_id IN released_event OR session_id IN released_session OR recording_id IN released_recording"
        f" OR ({_OF_PERSON} AND ({_WHOLLY_OUT.format(person='person_id')}"
        f" OR {_SAID.format(person='external_id.person_id', value='json_quote(value)')}))",
        "id event_id session_id person_id recording_id scheme value",
        texts="value",
    ),
    "link": Rule(
        "(event_id IN released_event OR session_id IN released_session"
        f" OR ({_OF_PERSON} AND ({_WHOLLY_OUT.format(person='person_id')}"
        f" OR {_SAID.format(person='link.person_id', value='json_quote(coalesce(url, title))')})))"
        # A picture is public only as it was taken and released (`archive.catalogue.portraits`).
        " AND rel <> 'portrait' AND (title IS NOT NULL OR public_text(url) <> '')",
        "id event_id session_id person_id rel url title position",
        texts="title",
        made={"url": "nullif(public_text(url), '')"},
    ),
}
"""The tables that are copied; parents stand before children, and what refers to speakers before speakers."""

DERIVED = ("passage", "passage_fts", "session_fts", "vocabulary")
"""Tables that are not copied but built anew from what was."""

MADE = ("tombstone", "announcement_fts", "speech", "part", "part_word", "earlier_version")
"""Tables that are written for a publication, and are empty in the catalogue."""

VIEWS = ("said",)
"""What reads other tables of the same database, and so can show nothing that is not public."""

PRIVATE = frozenset(
    {
        "attribution", "catalogue", "correction", "expected_recording", "heard_part", "imported", "joined_voice",
        "naming", "person_source", "provenance", "purge", "recording_source", "release", "release_default",
        "revision", "seal", "speaker_turn", "stage_run", "taken_back", "voiceprint",
    }
)  # fmt: skip
"""Tables that never leave the catalogue."""

PRIVATE_COLUMNS: dict[str, frozenset[str]] = {
    "portrait": frozenset({"state", "source", "taken_at"}),
    "announcement": frozenset({"state", "feed", "guid"}),
    "recording": frozenset({"original_name"}),
    "speaker_tag": frozenset({"named_at", "named_by"}),
    "former_address": frozenset({"taken_back"}),
    "redaction": frozenset({"reason_is_public", "decided_by", "decided_at", "undone_by", "undone_at"}),
}
"""Columns of public tables that never leave the catalogue, by table."""


def create_schema(conn: sqlite3.Connection, source: str) -> None:
    """Make the public tables of a migrated catalogue, with their indexes and without private columns.

    Args:
        conn: the new database.
        source: the name of the catalogue's schema, attached to the same connection.
    """
    public = (*RULES, *DERIVED, *MADE)
    statements = conn.execute(
        f"SELECT tbl_name, sql FROM {source}.sqlite_master WHERE sql IS NOT NULL AND type IN ('table', 'index')"
        " ORDER BY type = 'index', rowid"
    ).fetchall()
    for table, statement in statements:
        if table in public:
            conn.execute(statement.replace(NEWER, ""))
    for table, rule in RULES.items():
        named = set(rule.columns.split())
        for (column,) in conn.execute("SELECT name FROM pragma_table_info(?, 'main')", (table,)).fetchall():
            if column not in named:
                conn.execute(f'ALTER TABLE main."{table}" DROP COLUMN "{column}"')
    for view in VIEWS:
        (statement,) = conn.execute(f"SELECT sql FROM {source}.sqlite_master WHERE name = ?", (view,)).fetchone()
        conn.execute(statement)
    for index in ("passage_fts", "session_fts"):
        # Settings of FTS5 are rows and not DDL: https://sqlite.org/fts5.html#the_hashsize_configuration_option.
        conn.execute(f"INSERT INTO main.{index}({index}, rank) VALUES ('hashsize', {HASH_SIZE})")


NEWER = " contentless_delete=1,"
"""What indexes of the catalogue need SQLite 3.43 for. Nothing is deleted from a published one: 3.40 reads it."""
HASH_SIZE = 1 << 26
"""Bytes that FTS5 gathers in memory before it writes."""
