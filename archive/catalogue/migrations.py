"""The schema, as numbered migrations that are never edited once released.

`schema.sql` beside this file is generated from a fresh catalogue (``python -m archive.catalogue.migrations``).
Tables that carry CHECK constraints, STRICT types or full-text indexes cannot be said in sqlite-utils'
``create()``, so their DDL is SQL here; sqlite-utils runs it, and records that it ran.

`CONTENT` and `PRIVATE` are the tables of the first migration, and stay as they are: what is published follows
from the migrated catalogue and `archive.publication.rules`.
"""

from __future__ import annotations

from pathlib import Path

from archive.catalogue.identity import give_identity
from archive.sqlite import Database, Migrations

catalogue_migrations = Migrations("rostra")

SCHEMA_FILE = Path(__file__).with_name("schema.sql")

CONTENT = (
    """
CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  slug TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL,
  description TEXT
) STRICT
""",
    """
CREATE TABLE event (
  id INTEGER PRIMARY KEY,
  series_id INTEGER REFERENCES series(id),
  edition INTEGER CHECK (edition > 0),
  slug TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL,
  subtitle TEXT,
  description TEXT,
  mode TEXT NOT NULL DEFAULT 'in-person' CHECK (mode IN ('in-person', 'online', 'hybrid')),
  start_date TEXT CHECK (start_date IS date(start_date)),
  end_date TEXT CHECK (end_date IS date(end_date) AND end_date >= start_date),
  time_zone TEXT NOT NULL DEFAULT 'UTC'
) STRICT
""",
    "CREATE INDEX event_series ON event(series_id)",
    "CREATE INDEX event_date ON event(start_date, id)",
    """
CREATE TABLE event_language (
  event_id INTEGER NOT NULL REFERENCES event(id) ON DELETE CASCADE,
  language TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('floor', 'interpretation')),
  PRIMARY KEY (event_id, language, role)
) STRICT, WITHOUT ROWID
""",
    """
CREATE TABLE place (
  id INTEGER PRIMARY KEY,
  event_id INTEGER NOT NULL REFERENCES event(id) ON DELETE CASCADE,
  kind TEXT NOT NULL DEFAULT 'venue' CHECK (kind IN ('venue', 'online', 'watch-party')),
  name TEXT NOT NULL,
  city TEXT,
  country TEXT CHECK (length(country) = 2),
  UNIQUE (event_id, kind, name, city, country)
) STRICT
""",
    """
CREATE TABLE session (
  id INTEGER PRIMARY KEY,
  event_id INTEGER NOT NULL REFERENCES event(id) ON DELETE CASCADE,
  slug TEXT NOT NULL,
  title TEXT NOT NULL,
  subtitle TEXT,
  kind TEXT NOT NULL DEFAULT 'talk',
  track TEXT,
  room TEXT,
  place_id INTEGER REFERENCES place(id) ON DELETE SET NULL,
  start_at TEXT,
  start_utc TEXT,
  day TEXT CHECK (day IS date(day)),
  planned_ms INTEGER CHECK (planned_ms > 0),
  language TEXT,
  abstract TEXT,
  position INTEGER NOT NULL DEFAULT 0,
  UNIQUE (event_id, slug)
) STRICT
""",
    "CREATE INDEX session_order ON session(event_id, start_utc, position)",
    "CREATE INDEX session_newest ON session(start_utc)",
    "CREATE INDEX session_place ON session(place_id)",
    """
CREATE TABLE person (
  id INTEGER PRIMARY KEY,
  slug TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  biography TEXT
) STRICT
""",
    """
CREATE TABLE session_person (
  session_id INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
  person_id INTEGER NOT NULL REFERENCES person(id) ON DELETE CASCADE,
  role TEXT NOT NULL DEFAULT 'speaker',
  affiliation TEXT,
  position INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (session_id, person_id, role)
) STRICT, WITHOUT ROWID
""",
    "CREATE INDEX session_person_person ON session_person(person_id)",
    """
CREATE TABLE attendance (
  id INTEGER PRIMARY KEY,
  event_id INTEGER REFERENCES event(id) ON DELETE CASCADE,
  session_id INTEGER REFERENCES session(id) ON DELETE CASCADE,
  observed_on TEXT CHECK (observed_on IS date(observed_on)),
  position INTEGER NOT NULL DEFAULT 0,
  measure TEXT NOT NULL CHECK (measure IN ('registered', 'attended', 'watched')),
  people INTEGER NOT NULL CHECK (people >= 0),
  people_qualifier TEXT NOT NULL DEFAULT 'exactly' CHECK (people_qualifier IN ('exactly', 'about', 'over', 'under')),
  countries INTEGER CHECK (countries >= 0),
  countries_qualifier TEXT CHECK (countries_qualifier IN ('exactly', 'about', 'over', 'under')),
  places INTEGER CHECK (places >= 0),
  places_qualifier TEXT CHECK (places_qualifier IN ('exactly', 'about', 'over', 'under')),
  source TEXT,
  CHECK ((event_id IS NULL) <> (session_id IS NULL))
) STRICT
""",
    "CREATE INDEX attendance_event ON attendance(event_id, observed_on)",
    "CREATE INDEX attendance_session ON attendance(session_id, observed_on)",
    """
CREATE TABLE recording (
  id INTEGER PRIMARY KEY,
  session_id INTEGER REFERENCES session(id) ON DELETE SET NULL,
  sha256 TEXT NOT NULL UNIQUE CHECK (length(sha256) = 64),
  kind TEXT NOT NULL CHECK (kind IN ('video', 'audio')),
  role TEXT NOT NULL DEFAULT 'floor' CHECK (role IN ('floor', 'interpretation', 'screen')),
  language TEXT,
  duration_ms INTEGER,
  bytes INTEGER NOT NULL,
  media_type TEXT NOT NULL,
  suffix TEXT NOT NULL,
  streams TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(streams)),
  loudness REAL,
  original_name TEXT NOT NULL,
  credit TEXT,
  licence TEXT,
  synthetic_voice INTEGER NOT NULL DEFAULT 0 CHECK (synthetic_voice IN (0, 1)),
  superseded_by INTEGER REFERENCES recording(id) ON DELETE SET NULL,
  pulled_at TEXT NOT NULL
) STRICT
""",
    "CREATE INDEX recording_session ON recording(session_id)",
    "CREATE INDEX recording_superseded ON recording(superseded_by)",
    """
CREATE TABLE rendition (
  id INTEGER PRIMARY KEY,
  recording_id INTEGER NOT NULL REFERENCES recording(id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('web', 'poster', 'peaks', 'sprite', 'previews')),
  sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
  suffix TEXT NOT NULL,
  media_type TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  UNIQUE (recording_id, kind)
) STRICT
""",
    "CREATE INDEX rendition_sha256 ON rendition(sha256)",
    """
CREATE TABLE transcript (
  id INTEGER PRIMARY KEY,
  recording_id INTEGER NOT NULL REFERENCES recording(id) ON DELETE CASCADE,
  version TEXT NOT NULL UNIQUE,
  language TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('asr', 'human', 'imported', 'translation')),
  generator TEXT NOT NULL,
  generator_version TEXT NOT NULL DEFAULT '',
  parameters TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(parameters)),
  parameters_hash TEXT NOT NULL,
  duration_ms INTEGER NOT NULL,
  is_current INTEGER NOT NULL DEFAULT 0 CHECK (is_current IN (0, 1)),
  created_at TEXT NOT NULL
) STRICT
""",
    "CREATE INDEX transcript_recording ON transcript(recording_id)",
    """
CREATE UNIQUE INDEX transcript_current ON transcript(recording_id)
  WHERE is_current = 1 AND kind <> 'translation'
""",
    # A voice in a recording. Only someone, or the timetable, makes it a person.
    """
CREATE TABLE speaker_tag (
  id INTEGER PRIMARY KEY,
  recording_id INTEGER NOT NULL REFERENCES recording(id) ON DELETE CASCADE,
  label TEXT NOT NULL,
  person_id INTEGER REFERENCES person(id) ON DELETE SET NULL,
  UNIQUE (recording_id, label)
) STRICT
""",
    "CREATE INDEX speaker_tag_person ON speaker_tag(person_id)",
    """
CREATE TABLE segment (
  id INTEGER PRIMARY KEY,
  transcript_id INTEGER NOT NULL REFERENCES transcript(id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  start_ms INTEGER NOT NULL CHECK (start_ms >= 0),
  end_ms INTEGER NOT NULL CHECK (end_ms >= start_ms),
  text TEXT NOT NULL,
  speaker_tag_id INTEGER REFERENCES speaker_tag(id) ON DELETE SET NULL,
  language TEXT,
  confidence REAL CHECK (confidence BETWEEN 0 AND 1),
  flags TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(flags)),
  UNIQUE (transcript_id, position)
) STRICT
""",
    "CREATE INDEX segment_speaker ON segment(speaker_tag_id) WHERE speaker_tag_id IS NOT NULL",
    "CREATE INDEX segment_doubtful ON segment(transcript_id, position) WHERE flags <> '[]'",
    """
CREATE TABLE word (
  segment_id INTEGER NOT NULL REFERENCES segment(id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  start_ms INTEGER NOT NULL CHECK (start_ms >= 0),
  end_ms INTEGER NOT NULL CHECK (end_ms >= start_ms),
  text TEXT NOT NULL,
  confidence REAL CHECK (confidence BETWEEN 0 AND 1),
  PRIMARY KEY (segment_id, position)
) STRICT, WITHOUT ROWID
""",
    """
CREATE TABLE external_id (
  id INTEGER PRIMARY KEY,
  event_id INTEGER REFERENCES event(id) ON DELETE CASCADE,
  session_id INTEGER REFERENCES session(id) ON DELETE CASCADE,
  person_id INTEGER REFERENCES person(id) ON DELETE CASCADE,
  recording_id INTEGER REFERENCES recording(id) ON DELETE CASCADE,
  scheme TEXT NOT NULL,
  value TEXT NOT NULL,
  CHECK ((event_id IS NOT NULL) + (session_id IS NOT NULL) + (person_id IS NOT NULL)
       + (recording_id IS NOT NULL) = 1)
) STRICT
""",
    "CREATE UNIQUE INDEX external_id_event ON external_id(event_id, scheme, value) WHERE event_id IS NOT NULL",
    "CREATE UNIQUE INDEX external_id_session ON external_id(session_id, scheme, value) WHERE session_id IS NOT NULL",
    "CREATE UNIQUE INDEX external_id_person ON external_id(person_id, scheme, value) WHERE person_id IS NOT NULL",
    """
CREATE UNIQUE INDEX external_id_recording ON external_id(recording_id, scheme, value)
  WHERE recording_id IS NOT NULL
""",
    "CREATE INDEX external_id_value ON external_id(scheme, value)",
    """
CREATE TABLE link (
  id INTEGER PRIMARY KEY,
  event_id INTEGER REFERENCES event(id) ON DELETE CASCADE,
  session_id INTEGER REFERENCES session(id) ON DELETE CASCADE,
  person_id INTEGER REFERENCES person(id) ON DELETE CASCADE,
  rel TEXT NOT NULL,
  url TEXT,
  title TEXT,
  position INTEGER NOT NULL DEFAULT 0,
  CHECK ((event_id IS NOT NULL) + (session_id IS NOT NULL) + (person_id IS NOT NULL) = 1),
  CHECK (url IS NOT NULL OR title IS NOT NULL)
) STRICT
""",
    "CREATE INDEX link_event ON link(event_id, position)",
    "CREATE INDEX link_session ON link(session_id, position)",
    "CREATE INDEX link_person ON link(person_id, position)",
    # Passages: runs of segments, each sharing its first ones with the run before, so that a phrase over
    # a segment's edge is found. Rows are in the order of events, sessions and time.
    """
CREATE TABLE passage (
  id INTEGER PRIMARY KEY,
  session_id INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
  transcript_id INTEGER NOT NULL REFERENCES transcript(id) ON DELETE CASCADE,
  first_position INTEGER NOT NULL,
  last_position INTEGER NOT NULL,
  CHECK (last_position >= first_position)
) STRICT
""",
    "CREATE INDEX passage_session ON passage(session_id)",
    "CREATE INDEX passage_transcript ON passage(transcript_id, first_position)",
    """
CREATE VIRTUAL TABLE passage_fts USING fts5(
  text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2'
)
""",
    "INSERT INTO passage_fts(passage_fts, rank) VALUES ('hashsize', 67108864)",
    """
CREATE VIRTUAL TABLE session_fts USING fts5(
  title, people, abstract, text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2'
)
""",
    "INSERT INTO session_fts(session_fts, rank) VALUES ('hashsize', 67108864)",
    # Every word of every session, with how many sessions and how often in all: read from the index, kept nowhere.
    "CREATE VIRTUAL TABLE vocabulary USING fts5vocab(session_fts, row)",
)

PRIVATE = (
    # One row: how often content has changed, so that publishing knows whether anything has.
    """
CREATE TABLE catalogue (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  content_revision INTEGER NOT NULL
) STRICT
""",
    "INSERT INTO catalogue(id, content_revision) VALUES (1, 0)",
    """
CREATE TABLE release (
  id INTEGER PRIMARY KEY,
  session_id INTEGER UNIQUE REFERENCES session(id) ON DELETE CASCADE,
  recording_id INTEGER UNIQUE REFERENCES recording(id) ON DELETE CASCADE,
  state TEXT NOT NULL CHECK (state IN ('public', 'embargoed', 'private', 'withdrawn')),
  until TEXT,
  reason TEXT,
  decided_at TEXT NOT NULL,
  CHECK ((session_id IS NULL) <> (recording_id IS NULL)),
  CHECK (state <> 'embargoed' OR until IS NOT NULL),
  CHECK (state <> 'withdrawn' OR reason IS NOT NULL)
) STRICT
""",
    # What a recording's file said of itself, and what it was cut from.
    """
CREATE TABLE recording_source (
  recording_id INTEGER PRIMARY KEY REFERENCES recording(id) ON DELETE CASCADE,
  folder TEXT NOT NULL DEFAULT '',
  started_at TEXT,
  tags TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(tags)),
  cut_from INTEGER REFERENCES recording(id) ON DELETE SET NULL,
  cut_start_ms INTEGER CHECK (cut_start_ms >= 0)
) STRICT
""",
    "CREATE INDEX recording_source_cut_from ON recording_source(cut_from)",
    """
CREATE TABLE expected_recording (
  session_id INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
  file TEXT NOT NULL,
  role TEXT NOT NULL DEFAULT 'floor',
  language TEXT,
  credit TEXT,
  licence TEXT,
  synthetic_voice INTEGER NOT NULL DEFAULT 0 CHECK (synthetic_voice IN (0, 1)),
  PRIMARY KEY (session_id, file)
) STRICT, WITHOUT ROWID
""",
    "CREATE INDEX expected_recording_file ON expected_recording(file)",
    # Where recordings came from, pull by pull, and what was said of them there: places may be private.
    """
CREATE TABLE provenance (
  id INTEGER PRIMARY KEY,
  recording_id INTEGER NOT NULL REFERENCES recording(id) ON DELETE CASCADE,
  place TEXT NOT NULL,
  about TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(about)),
  pulled_at TEXT NOT NULL
) STRICT
""",
    "CREATE INDEX provenance_recording ON provenance(recording_id)",
    "CREATE INDEX provenance_place ON provenance(place)",
    # What the last import said of each thing, as JSON by field: what differs from it was corrected by hand.
    """
CREATE TABLE imported (
  id INTEGER PRIMARY KEY,
  event_id INTEGER UNIQUE REFERENCES event(id) ON DELETE CASCADE,
  session_id INTEGER UNIQUE REFERENCES session(id) ON DELETE CASCADE,
  person_id INTEGER UNIQUE REFERENCES person(id) ON DELETE CASCADE,
  format TEXT NOT NULL,
  said TEXT NOT NULL CHECK (json_valid(said)),
  CHECK ((event_id IS NOT NULL) + (session_id IS NOT NULL) + (person_id IS NOT NULL) = 1)
) STRICT
""",
    # What people corrected by hand, and what stood there before: imports keep away from it.
    """
CREATE TABLE correction (
  id INTEGER PRIMARY KEY,
  event_id INTEGER REFERENCES event(id) ON DELETE CASCADE,
  session_id INTEGER REFERENCES session(id) ON DELETE CASCADE,
  person_id INTEGER REFERENCES person(id) ON DELETE CASCADE,
  field TEXT NOT NULL,
  before TEXT NOT NULL CHECK (json_valid(before)),
  after TEXT NOT NULL CHECK (json_valid(after)),
  corrected_by TEXT NOT NULL,
  corrected_at TEXT NOT NULL,
  CHECK ((event_id IS NOT NULL) + (session_id IS NOT NULL) + (person_id IS NOT NULL) = 1)
) STRICT
""",
    "CREATE INDEX correction_event ON correction(event_id) WHERE event_id IS NOT NULL",
    "CREATE INDEX correction_session ON correction(session_id) WHERE session_id IS NOT NULL",
    "CREATE INDEX correction_person ON correction(person_id) WHERE person_id IS NOT NULL",
    # What was heard in parts of a long recording, until all of them are there to be joined.
    """
CREATE TABLE heard_part (
  recording_id INTEGER NOT NULL REFERENCES recording(id) ON DELETE CASCADE,
  fingerprint TEXT NOT NULL,
  number INTEGER NOT NULL CHECK (number >= 0),
  heard TEXT NOT NULL CHECK (json_valid(heard)),
  PRIMARY KEY (recording_id, fingerprint, number)
) STRICT
""",
    """
CREATE TABLE stage_run (
  id INTEGER PRIMARY KEY,
  stage TEXT NOT NULL,
  subject TEXT NOT NULL,
  label TEXT NOT NULL DEFAULT '',
  fingerprint TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('running', 'done', 'skipped', 'refused', 'failed', 'interrupted')),
  attempt INTEGER NOT NULL DEFAULT 1 CHECK (attempt > 0),
  started_at TEXT NOT NULL,
  finished_at TEXT,
  seconds REAL,
  worker TEXT,
  error_code TEXT,
  error_text TEXT
) STRICT
""",
    "CREATE INDEX stage_run_subject ON stage_run(stage, subject, fingerprint)",
    "CREATE INDEX stage_run_status ON stage_run(status, stage)",
)


def execute_all(db: Database, statements: tuple[str, ...]) -> None:
    """Run DDL statement by statement, inside whatever transaction is open (``executescript`` would end it)."""
    for statement in statements:
        db.execute(statement)


@catalogue_migrations()
def m0001_catalogue(db: Database) -> None:
    """Everything that the first release knows."""
    execute_all(db, CONTENT + PRIVATE)


@catalogue_migrations()
def m0002_remarks_and_retries(db: Database) -> None:
    """What a run had to remark on something that went well, and when a person asked for another try."""
    execute_all(
        db,
        (
            "ALTER TABLE stage_run ADD COLUMN remark TEXT",
            "ALTER TABLE stage_run ADD COLUMN retried_at TEXT",
        ),
    )


@catalogue_migrations()
def m0003_identity(db: Database) -> None:
    """What tells an archive from all others, wherever its folder lies: backups are kept apart by it."""
    execute_all(
        db,
        (
            "ALTER TABLE catalogue ADD COLUMN identity TEXT NOT NULL DEFAULT ''",
            "UPDATE catalogue SET identity = lower(hex(randomblob(16)))",
        ),
    )


_SESSION_FACTS = "slug, title, subtitle, kind, track, room, place_id, start_at, day, planned_ms, language, abstract"
_OF_RECORDING = "(SELECT session_id FROM recording WHERE id = new.recording_id)"
_CHANGES = (
    ("session_inserted", "INSERT ON session", "new.id"),
    ("session_changed", f"UPDATE OF {_SESSION_FACTS} ON session", "new.id"),
    ("recording_inserted", "INSERT ON recording", "new.session_id"),
    ("recording_changed", "UPDATE OF session_id, superseded_by ON recording", "new.session_id"),
    ("rendition_inserted", "INSERT ON rendition", _OF_RECORDING),
    ("transcript_inserted", "INSERT ON transcript WHEN new.is_current", _OF_RECORDING),
    ("transcript_chosen", "UPDATE OF is_current ON transcript WHEN new.is_current", _OF_RECORDING),
    ("release_inserted", "INSERT ON release", f"coalesce(new.session_id, {_OF_RECORDING})"),
    ("release_changed", "UPDATE ON release", f"coalesce(new.session_id, {_OF_RECORDING})"),
)
"""What changes a session for those who have seen it: a name, when it happens, and the session's id."""
NOW = "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')"


def _noting(name: str, when: str, session: str) -> str:
    """Return a trigger that notes when a session changed."""
    return f"CREATE TRIGGER {name} AFTER {when} BEGIN UPDATE session SET updated_at = {NOW} WHERE id = {session}; END"


@catalogue_migrations()
def m0004_when_sessions_changed(db: Database) -> None:
    """When a session last changed: feeds and harvesters ask for what is new since they last did."""
    known = (
        "SELECT max(at) FROM (SELECT pulled_at AS at FROM recording WHERE session_id = session.id"
        " UNION ALL SELECT created_at FROM transcript WHERE recording_id IN"
        " (SELECT id FROM recording WHERE session_id = session.id))"
    )
    triggers = tuple(_noting(*change) for change in _CHANGES)
    execute_all(
        db,
        (
            "ALTER TABLE session ADD COLUMN updated_at TEXT",
            f"UPDATE session SET updated_at = coalesce(({known}), {NOW})",
            "CREATE INDEX session_updated ON session(updated_at)",
            *triggers,
        ),
    )


@catalogue_migrations()
def m0005_releases(db: Database) -> None:
    """Who decided a release and whether its reason may be told, defaults, what was taken back, and where it lies."""
    execute_all(
        db,
        (
            """
ALTER TABLE release ADD COLUMN reason_is_public INTEGER NOT NULL DEFAULT 0 CHECK (reason_is_public IN (0, 1))
""",
            "ALTER TABLE release ADD COLUMN decided_by TEXT",
            # What holds for an event's sessions, or for those of one of its tracks, that have no release of their own.
            """
CREATE TABLE release_default (
  id INTEGER PRIMARY KEY,
  event_id INTEGER NOT NULL REFERENCES event(id) ON DELETE CASCADE,
  track TEXT,
  state TEXT NOT NULL CHECK (state IN ('public', 'embargoed', 'private', 'withdrawn')),
  until TEXT,
  reason TEXT,
  reason_is_public INTEGER NOT NULL DEFAULT 0 CHECK (reason_is_public IN (0, 1)),
  decided_at TEXT NOT NULL,
  decided_by TEXT,
  CHECK (state <> 'embargoed' OR until IS NOT NULL),
  CHECK (state <> 'withdrawn' OR reason IS NOT NULL)
) STRICT
""",
            "CREATE UNIQUE INDEX release_default_of ON release_default(event_id, coalesce(track, ''))",
            # Written in a publication alone: the address of what was withdrawn, and nothing of what it was.
            """
CREATE TABLE tombstone (
  id INTEGER PRIMARY KEY,
  event TEXT NOT NULL,
  session TEXT,
  withdrawn_on TEXT NOT NULL,
  reason TEXT
) STRICT
""",
            "CREATE UNIQUE INDEX tombstone_address ON tombstone(event, coalesce(session, ''))",
            # What was deleted for good. It names no content: of files it has the SHA-256, so that none comes back.
            """
CREATE TABLE purge (
  id INTEGER PRIMARY KEY,
  purged_at TEXT NOT NULL,
  purged_by TEXT NOT NULL,
  what TEXT NOT NULL CHECK (what IN ('session', 'recording')),
  sha256 TEXT CHECK (length(sha256) = 64)
) STRICT
""",
            "CREATE INDEX purge_sha256 ON purge(sha256)",
            # What a session's timetable says of a person who has a part in it, as JSON: others may not be public.
            """
CREATE TABLE person_source (
  session_id INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
  person_id INTEGER NOT NULL REFERENCES person(id) ON DELETE CASCADE,
  said TEXT NOT NULL CHECK (json_valid(said)),
  UNIQUE (session_id, person_id)
) STRICT
""",
            "CREATE INDEX person_source_person ON person_source(person_id)",
        ),
    )


@catalogue_migrations()
def m0006_recordings_elsewhere(db: Database) -> None:
    """Where a recording is played that has no file here: an address, or nothing where nobody said; NULL for others."""
    execute_all(db, ("ALTER TABLE recording ADD COLUMN elsewhere TEXT",))


@catalogue_migrations()
def m0007_redactions(db: Database) -> None:
    """Minutes of recordings that are taken out of everything published."""
    execute_all(
        db,
        (
            """
CREATE TABLE redaction (
  id INTEGER PRIMARY KEY,
  recording_id INTEGER NOT NULL REFERENCES recording(id) ON DELETE CASCADE,
  start_ms INTEGER NOT NULL CHECK (start_ms >= 0),
  end_ms INTEGER NOT NULL CHECK (end_ms > start_ms),
  reason TEXT NOT NULL,
  reason_is_public INTEGER NOT NULL DEFAULT 0 CHECK (reason_is_public IN (0, 1)),
  decided_by TEXT NOT NULL DEFAULT '',
  decided_at TEXT NOT NULL DEFAULT '',
  undone_by TEXT,
  undone_at TEXT
) STRICT
""",
            "CREATE INDEX redaction_recording ON redaction(recording_id, start_ms)",
        ),
    )


@catalogue_migrations()
def m0008_redactions_change_sessions(db: Database) -> None:
    """A session changes when minutes of it are taken out, or put back."""
    execute_all(
        db,
        (
            _noting("redaction_inserted", "INSERT ON redaction", _OF_RECORDING),
            _noting("redaction_undone", "UPDATE OF undone_at ON redaction", _OF_RECORDING),
        ),
    )


@catalogue_migrations()
def m0009_revisions(db: Database) -> None:
    """What people corrected in transcripts, place by place: who, when, and the words before and after."""
    execute_all(
        db,
        (
            """
CREATE TABLE revision (
  id INTEGER PRIMARY KEY,
  transcript_id INTEGER NOT NULL REFERENCES transcript(id) ON DELETE CASCADE,
  base_id INTEGER NOT NULL REFERENCES transcript(id) ON DELETE CASCADE,
  start_ms INTEGER NOT NULL CHECK (start_ms >= 0),
  end_ms INTEGER NOT NULL CHECK (end_ms >= start_ms),
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  revised_by TEXT NOT NULL,
  revised_at TEXT NOT NULL
) STRICT
""",
            "CREATE INDEX revision_transcript ON revision(transcript_id)",
            "CREATE INDEX revision_base ON revision(base_id)",
        ),
    )


@catalogue_migrations()
def m0010_voices(db: Database) -> None:
    """Voices that were heard: when they speak, for how long, who named them, and voiceprints where they are kept."""
    execute_all(
        db,
        (
            """
ALTER TABLE speaker_tag ADD COLUMN origin TEXT NOT NULL DEFAULT 'captions' CHECK (origin IN ('captions', 'sound'))
""",
            "ALTER TABLE speaker_tag ADD COLUMN talking_ms INTEGER CHECK (talking_ms >= 0)",
            "ALTER TABLE speaker_tag ADD COLUMN turns INTEGER CHECK (turns >= 0)",
            "ALTER TABLE speaker_tag ADD COLUMN named_by TEXT",
            "ALTER TABLE speaker_tag ADD COLUMN named_at TEXT",
            """
CREATE TABLE speaker_turn (
  id INTEGER PRIMARY KEY,
  speaker_tag_id INTEGER NOT NULL REFERENCES speaker_tag(id) ON DELETE CASCADE,
  start_ms INTEGER NOT NULL CHECK (start_ms >= 0),
  end_ms INTEGER NOT NULL CHECK (end_ms > start_ms)
) STRICT
""",
            "CREATE INDEX speaker_turn_tag ON speaker_turn(speaker_tag_id, start_ms)",
            # A biometric: it is kept only where the organisers have switched voiceprints on.
            """
CREATE TABLE voiceprint (
  speaker_tag_id INTEGER PRIMARY KEY REFERENCES speaker_tag(id) ON DELETE CASCADE,
  vector BLOB NOT NULL
) STRICT
""",
        ),
    )


@catalogue_migrations()
def m0011_research(db: Database) -> None:
    """What researchers read: everything that was said as one view, who said how much, and words by part.

    The tables are written for a publication, and are empty in the catalogue.
    """
    execute_all(
        db,
        (
            """
CREATE TABLE speech (
  id INTEGER PRIMARY KEY,
  session_id INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
  transcript_id INTEGER NOT NULL REFERENCES transcript(id) ON DELETE CASCADE,
  speaker_tag_id INTEGER REFERENCES speaker_tag(id) ON DELETE CASCADE,
  segments INTEGER NOT NULL,
  words INTEGER NOT NULL,
  spoken_ms INTEGER NOT NULL,
  UNIQUE (transcript_id, speaker_tag_id)
) STRICT
""",
            "CREATE INDEX speech_session ON speech(session_id)",
            "CREATE INDEX speech_speaker ON speech(speaker_tag_id)",
            """
CREATE TABLE part (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('all', 'year', 'event', 'speaker', 'language')),
  value TEXT NOT NULL,
  sessions INTEGER NOT NULL,
  words INTEGER NOT NULL,
  different INTEGER NOT NULL,
  UNIQUE (kind, value)
) STRICT
""",
            """
CREATE TABLE part_word (
  part_id INTEGER NOT NULL REFERENCES part(id) ON DELETE CASCADE,
  word TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (part_id, word)
) STRICT, WITHOUT ROWID
""",
            """
CREATE VIEW said AS
SELECT
  substr(coalesce(session.start_at, event.start_date), 1, 10) AS date,
  event.slug AS event,
  session.slug AS session,
  session.title AS title,
  person.slug AS person,
  coalesce(person.name, speaker_tag.label) AS speaker,
  coalesce(segment.language, transcript.language) AS language,
  segment.start_ms AS start_ms,
  segment.end_ms AS end_ms,
  segment.text AS text,
  segment.confidence AS confidence,
  segment.flags <> '[]' AS doubtful,
  recording.role AS recording,
  '/events/' || event.slug || '/' || session.slug || '?t=' || (segment.start_ms / 1000) AS url,
  transcript.version AS transcript,
  segment.position AS position,
  segment.id AS segment_id,
  transcript.id AS transcript_id,
  session.id AS session_id
FROM segment
  JOIN transcript ON transcript.id = segment.transcript_id
  JOIN recording ON recording.id = transcript.recording_id
  JOIN session ON session.id = recording.session_id
  JOIN event ON event.id = session.event_id
  LEFT JOIN speaker_tag ON speaker_tag.id = segment.speaker_tag_id
  LEFT JOIN person ON person.id = speaker_tag.person_id
WHERE transcript.is_current = 1 AND transcript.kind <> 'translation' AND recording.superseded_by IS NULL
""",
        ),
    )


@catalogue_migrations()
def m0012_overlaps(db: Database) -> None:
    """Segments during which others speak."""
    execute_all(
        db,
        ("ALTER TABLE segment ADD COLUMN overlapped INTEGER NOT NULL DEFAULT 0 CHECK (overlapped IN (0, 1))",),
    )


@catalogue_migrations()
def m0013_citations(db: Database) -> None:
    """What citations need: what names a session for good, and what is left of earlier versions of transcripts."""
    execute_all(
        db,
        (
            "ALTER TABLE session ADD COLUMN identity TEXT CHECK (length(identity) = 12)",
            "ALTER TABLE tombstone ADD COLUMN identity TEXT",
            "CREATE INDEX tombstone_identity ON tombstone(identity)",
            # Where words were taken back: in no version are they any more, and nothing about them is confirmed.
            """
CREATE TABLE taken_back (
  id INTEGER PRIMARY KEY,
  transcript_id INTEGER NOT NULL REFERENCES transcript(id) ON DELETE CASCADE,
  start_ms INTEGER NOT NULL CHECK (start_ms >= 0),
  end_ms INTEGER NOT NULL CHECK (end_ms > start_ms),
  taken_by TEXT NOT NULL,
  taken_at TEXT NOT NULL
) STRICT
""",
            "CREATE INDEX taken_back_transcript ON taken_back(transcript_id)",
            # Written in a publication alone: what confirms a quotation from a version that is not current.
            """
CREATE TABLE earlier_version (
  id INTEGER PRIMARY KEY,
  version TEXT NOT NULL UNIQUE,
  session_id INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
  recording_id INTEGER REFERENCES recording(id) ON DELETE CASCADE,
  language TEXT NOT NULL,
  kind TEXT NOT NULL,
  created_at TEXT NOT NULL,
  prints BLOB NOT NULL
) STRICT
""",
            "CREATE INDEX earlier_version_session ON earlier_version(session_id)",
            "CREATE INDEX earlier_version_recording ON earlier_version(recording_id)",
        ),
    )
    for session, event, slug in db.execute(
        "SELECT session.id, event.slug, session.slug FROM session JOIN event ON event.id = event_id ORDER BY session.id"
    ).fetchall():
        give_identity(db, session, event, slug)
    db.execute("CREATE UNIQUE INDEX session_identity ON session(identity)")


@catalogue_migrations()
def m0014_announcements(db: Database) -> None:
    """What organisers published about events; a figure of attendance may name the announcement that it is from."""
    execute_all(
        db,
        (
            """
CREATE TABLE announcement (
  id INTEGER PRIMARY KEY,
  event_id INTEGER NOT NULL REFERENCES event(id) ON DELETE CASCADE,
  slug TEXT NOT NULL,
  title TEXT NOT NULL,
  text TEXT,
  url TEXT,
  published TEXT,
  source TEXT,
  language TEXT,
  state TEXT NOT NULL DEFAULT 'public' CHECK (state IN ('public', 'private', 'deleted')),
  feed TEXT,
  guid TEXT,
  UNIQUE (event_id, slug)
) STRICT
""",
            # Filled in a publication alone, as `archive.search.announcements` writes it.
            """
CREATE VIRTUAL TABLE announcement_fts USING fts5(
  title, text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2'
)
""",
            "ALTER TABLE attendance ADD COLUMN announcement TEXT",
        ),
    )


@catalogue_migrations()
def m0015_attributions(db: Database) -> None:
    """Whose words people said that they are, in stretches of a recording: it counts more than what a machine heard."""
    execute_all(
        db,
        (
            # No speaker's tag stands for nobody whom anybody knows. A transcript is the version that people edited.
            """
CREATE TABLE attribution (
  id INTEGER PRIMARY KEY,
  recording_id INTEGER NOT NULL REFERENCES recording(id) ON DELETE CASCADE,
  start_ms INTEGER NOT NULL CHECK (start_ms >= 0),
  end_ms INTEGER NOT NULL CHECK (end_ms > start_ms),
  speaker_tag_id INTEGER REFERENCES speaker_tag(id) ON DELETE CASCADE,
  transcript_id INTEGER REFERENCES transcript(id) ON DELETE SET NULL,
  before TEXT NOT NULL,
  attributed_by TEXT NOT NULL,
  attributed_at TEXT NOT NULL,
  undone_by TEXT,
  undone_at TEXT
) STRICT
""",
            "CREATE INDEX attribution_recording ON attribution(recording_id)",
            "CREATE INDEX attribution_speaker ON attribution(speaker_tag_id)",
            "CREATE INDEX attribution_transcript ON attribution(transcript_id)",
        ),
    )


@catalogue_migrations()
def m0016_seals(db: Database) -> None:
    """Digests of what Rostra wrote, by which damage is found (`archive.catalogue.seals`).

    The row without a table says for how many migrations everything was sealed.
    """
    execute_all(
        db,
        (
            """
CREATE TABLE seal (
  part TEXT NOT NULL,
  number INTEGER NOT NULL,
  digest INTEGER NOT NULL,
  PRIMARY KEY (part, number)
) STRICT, WITHOUT ROWID
""",
        ),
    )


@catalogue_migrations()
def m0017_portraits(db: Database) -> None:
    """Pictures of people, small and without metadata, which are private until somebody releases them."""
    execute_all(
        db,
        (
            """
CREATE TABLE portrait (
  person_id INTEGER PRIMARY KEY REFERENCES person(id) ON DELETE CASCADE,
  picture BLOB NOT NULL,
  digest TEXT NOT NULL CHECK (length(digest) = 12),
  state TEXT NOT NULL DEFAULT 'private' CHECK (state IN ('public', 'private')),
  source TEXT NOT NULL,
  taken_at TEXT NOT NULL
) STRICT
""",
        ),
    )


@catalogue_migrations()
def m0018_other_cuts_and_former_addresses(db: Database) -> None:
    """Whether another cut took a recording's place since a version of its transcript, and addresses that were left.

    A former address is kept as a digest: it leads on whoever has it, and tells nobody else what it was.
    """
    execute_all(
        db,
        (
            "ALTER TABLE earlier_version ADD COLUMN replaced INTEGER NOT NULL DEFAULT 0 CHECK (replaced IN (0, 1))",
            """
CREATE TABLE former_address (
  id INTEGER PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE CHECK (length(digest) = 32),
  event_id INTEGER REFERENCES event(id) ON DELETE CASCADE,
  session_id INTEGER REFERENCES session(id) ON DELETE CASCADE,
  person_id INTEGER REFERENCES person(id) ON DELETE CASCADE,
  taken_back INTEGER NOT NULL DEFAULT 0 CHECK (taken_back IN (0, 1)),
  CHECK ((event_id IS NOT NULL) + (session_id IS NOT NULL) + (person_id IS NOT NULL) = 1)
) STRICT
""",
            "CREATE INDEX former_address_event ON former_address(event_id)",
            "CREATE INDEX former_address_session ON former_address(session_id)",
            "CREATE INDEX former_address_person ON former_address(person_id)",
        ),
    )


@catalogue_migrations()
def m0019_meanings(db: Database) -> None:
    """What is said in about a minute of a transcript, as a vector of an encoder: a byte a number."""
    execute_all(
        db,
        (
            """
CREATE TABLE meaning (
  id INTEGER PRIMARY KEY,
  transcript_id INTEGER NOT NULL REFERENCES transcript(id) ON DELETE CASCADE,
  first_position INTEGER NOT NULL,
  last_position INTEGER NOT NULL,
  encoder TEXT NOT NULL,
  vector BLOB NOT NULL,
  CHECK (last_position >= first_position)
) STRICT
""",
            "CREATE INDEX meaning_transcript ON meaning(transcript_id, first_position)",
        ),
    )


@catalogue_migrations()
def m0020_namings(db: Database) -> None:
    """What people said of voices: who they are, who they are not, which two are one, and what they are called.

    Each can be taken back. A voice that is joined with another speaks as that one, also when it is heard again.
    """
    execute_all(
        db,
        (
            """
CREATE TABLE joined_voice (
  speaker_tag_id INTEGER PRIMARY KEY REFERENCES speaker_tag(id) ON DELETE CASCADE,
  same_as INTEGER NOT NULL REFERENCES speaker_tag(id) ON DELETE CASCADE CHECK (same_as <> speaker_tag_id)
) STRICT
""",
            "CREATE INDEX joined_voice_same ON joined_voice(same_as)",
            # Of a name, nobody is said by no person. Before stands what is taken back to, or the voice that one joined.
            """
CREATE TABLE naming (
  id INTEGER PRIMARY KEY,
  speaker_tag_id INTEGER NOT NULL REFERENCES speaker_tag(id) ON DELETE CASCADE,
  what TEXT NOT NULL CHECK (what IN ('named', 'refused', 'joined', 'called')),
  person_id INTEGER REFERENCES person(id) ON DELETE CASCADE,
  person_before INTEGER REFERENCES person(id) ON DELETE SET NULL,
  label_before TEXT,
  decided_by TEXT NOT NULL,
  decided_at TEXT NOT NULL,
  undone_by TEXT,
  undone_at TEXT
) STRICT
""",
            "CREATE INDEX naming_speaker ON naming(speaker_tag_id)",
            "CREATE INDEX naming_person ON naming(person_id)",
            "CREATE INDEX naming_before ON naming(person_before)",
        ),
    )


@catalogue_migrations()
def m0021_days_of_sessions(db: Database) -> None:
    """What was said in a session of which only the day is known was said on that day, not on its event's first."""
    (view,) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'said'").fetchone()
    began = "coalesce(session.start_at, {}event.start_date)"
    execute_all(db, ("DROP VIEW said", view.replace(began.format(""), began.format("session.day, "))))


def dump_schema(db: Database) -> str:
    """Return the DDL of every table and index in order of creation, without SQLite's and FTS5's own."""
    rows = db.query(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        " AND name NOT LIKE '\\_sqlite%' ESCAPE '\\' AND name NOT GLOB '*_fts_*' ORDER BY rowid"
    )
    return (
        "-- Generated: python -m archive.catalogue.migrations\n\n"
        + "\n\n".join(f"{row['sql'].strip()};" for row in rows)
        + "\n"
    )


def write_schema() -> None:
    """Write `schema.sql` anew."""
    db = Database(memory=True)
    catalogue_migrations.apply(db)
    SCHEMA_FILE.write_text(dump_schema(db), encoding="utf-8")


if __name__ == "__main__":
    write_schema()
