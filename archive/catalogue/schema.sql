-- Generated: python -m archive.catalogue.migrations

CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");

CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  slug TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL,
  description TEXT
) STRICT;

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
) STRICT;

CREATE INDEX event_series ON event(series_id);

CREATE INDEX event_date ON event(start_date, id);

CREATE TABLE event_language (
  event_id INTEGER NOT NULL REFERENCES event(id) ON DELETE CASCADE,
  language TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('floor', 'interpretation')),
  PRIMARY KEY (event_id, language, role)
) STRICT, WITHOUT ROWID;

CREATE TABLE place (
  id INTEGER PRIMARY KEY,
  event_id INTEGER NOT NULL REFERENCES event(id) ON DELETE CASCADE,
  kind TEXT NOT NULL DEFAULT 'venue' CHECK (kind IN ('venue', 'online', 'watch-party')),
  name TEXT NOT NULL,
  city TEXT,
  country TEXT CHECK (length(country) = 2),
  UNIQUE (event_id, kind, name, city, country)
) STRICT;

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
  position INTEGER NOT NULL DEFAULT 0, updated_at TEXT, identity TEXT CHECK (length(identity) = 12),
  UNIQUE (event_id, slug)
) STRICT;

CREATE INDEX session_order ON session(event_id, start_utc, position);

CREATE INDEX session_newest ON session(start_utc);

CREATE INDEX session_place ON session(place_id);

CREATE TABLE person (
  id INTEGER PRIMARY KEY,
  slug TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  biography TEXT
) STRICT;

CREATE TABLE session_person (
  session_id INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
  person_id INTEGER NOT NULL REFERENCES person(id) ON DELETE CASCADE,
  role TEXT NOT NULL DEFAULT 'speaker',
  affiliation TEXT,
  position INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (session_id, person_id, role)
) STRICT, WITHOUT ROWID;

CREATE INDEX session_person_person ON session_person(person_id);

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
  source TEXT, announcement TEXT,
  CHECK ((event_id IS NULL) <> (session_id IS NULL))
) STRICT;

CREATE INDEX attendance_event ON attendance(event_id, observed_on);

CREATE INDEX attendance_session ON attendance(session_id, observed_on);

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
, elsewhere TEXT) STRICT;

CREATE INDEX recording_session ON recording(session_id);

CREATE INDEX recording_superseded ON recording(superseded_by);

CREATE TABLE rendition (
  id INTEGER PRIMARY KEY,
  recording_id INTEGER NOT NULL REFERENCES recording(id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('web', 'poster', 'peaks', 'sprite', 'previews')),
  sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
  suffix TEXT NOT NULL,
  media_type TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  UNIQUE (recording_id, kind)
) STRICT;

CREATE INDEX rendition_sha256 ON rendition(sha256);

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
) STRICT;

CREATE INDEX transcript_recording ON transcript(recording_id);

CREATE UNIQUE INDEX transcript_current ON transcript(recording_id)
  WHERE is_current = 1 AND kind <> 'translation';

CREATE TABLE speaker_tag (
  id INTEGER PRIMARY KEY,
  recording_id INTEGER NOT NULL REFERENCES recording(id) ON DELETE CASCADE,
  label TEXT NOT NULL,
  person_id INTEGER REFERENCES person(id) ON DELETE SET NULL, origin TEXT NOT NULL DEFAULT 'captions' CHECK (origin IN ('captions', 'sound')), talking_ms INTEGER CHECK (talking_ms >= 0), turns INTEGER CHECK (turns >= 0), named_by TEXT, named_at TEXT,
  UNIQUE (recording_id, label)
) STRICT;

CREATE INDEX speaker_tag_person ON speaker_tag(person_id);

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
  flags TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(flags)), overlapped INTEGER NOT NULL DEFAULT 0 CHECK (overlapped IN (0, 1)),
  UNIQUE (transcript_id, position)
) STRICT;

CREATE INDEX segment_speaker ON segment(speaker_tag_id) WHERE speaker_tag_id IS NOT NULL;

CREATE INDEX segment_doubtful ON segment(transcript_id, position) WHERE flags <> '[]';

CREATE TABLE word (
  segment_id INTEGER NOT NULL REFERENCES segment(id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  start_ms INTEGER NOT NULL CHECK (start_ms >= 0),
  end_ms INTEGER NOT NULL CHECK (end_ms >= start_ms),
  text TEXT NOT NULL,
  confidence REAL CHECK (confidence BETWEEN 0 AND 1),
  PRIMARY KEY (segment_id, position)
) STRICT, WITHOUT ROWID;

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
) STRICT;

CREATE UNIQUE INDEX external_id_event ON external_id(event_id, scheme, value) WHERE event_id IS NOT NULL;

CREATE UNIQUE INDEX external_id_session ON external_id(session_id, scheme, value) WHERE session_id IS NOT NULL;

CREATE UNIQUE INDEX external_id_person ON external_id(person_id, scheme, value) WHERE person_id IS NOT NULL;

CREATE UNIQUE INDEX external_id_recording ON external_id(recording_id, scheme, value)
  WHERE recording_id IS NOT NULL;

CREATE INDEX external_id_value ON external_id(scheme, value);

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
) STRICT;

CREATE INDEX link_event ON link(event_id, position);

CREATE INDEX link_session ON link(session_id, position);

CREATE INDEX link_person ON link(person_id, position);

CREATE TABLE passage (
  id INTEGER PRIMARY KEY,
  session_id INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
  transcript_id INTEGER NOT NULL REFERENCES transcript(id) ON DELETE CASCADE,
  first_position INTEGER NOT NULL,
  last_position INTEGER NOT NULL,
  CHECK (last_position >= first_position)
) STRICT;

CREATE INDEX passage_session ON passage(session_id);

CREATE INDEX passage_transcript ON passage(transcript_id, first_position);

CREATE VIRTUAL TABLE passage_fts USING fts5(
  text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2'
);

CREATE VIRTUAL TABLE session_fts USING fts5(
  title, people, abstract, text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2'
);

CREATE VIRTUAL TABLE vocabulary USING fts5vocab(session_fts, row);

CREATE TABLE catalogue (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  content_revision INTEGER NOT NULL
, identity TEXT NOT NULL DEFAULT '') STRICT;

CREATE TABLE release (
  id INTEGER PRIMARY KEY,
  session_id INTEGER UNIQUE REFERENCES session(id) ON DELETE CASCADE,
  recording_id INTEGER UNIQUE REFERENCES recording(id) ON DELETE CASCADE,
  state TEXT NOT NULL CHECK (state IN ('public', 'embargoed', 'private', 'withdrawn')),
  until TEXT,
  reason TEXT,
  decided_at TEXT NOT NULL, reason_is_public INTEGER NOT NULL DEFAULT 0 CHECK (reason_is_public IN (0, 1)), decided_by TEXT,
  CHECK ((session_id IS NULL) <> (recording_id IS NULL)),
  CHECK (state <> 'embargoed' OR until IS NOT NULL),
  CHECK (state <> 'withdrawn' OR reason IS NOT NULL)
) STRICT;

CREATE TABLE recording_source (
  recording_id INTEGER PRIMARY KEY REFERENCES recording(id) ON DELETE CASCADE,
  folder TEXT NOT NULL DEFAULT '',
  started_at TEXT,
  tags TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(tags)),
  cut_from INTEGER REFERENCES recording(id) ON DELETE SET NULL,
  cut_start_ms INTEGER CHECK (cut_start_ms >= 0)
) STRICT;

CREATE INDEX recording_source_cut_from ON recording_source(cut_from);

CREATE TABLE expected_recording (
  session_id INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
  file TEXT NOT NULL,
  role TEXT NOT NULL DEFAULT 'floor',
  language TEXT,
  credit TEXT,
  licence TEXT,
  synthetic_voice INTEGER NOT NULL DEFAULT 0 CHECK (synthetic_voice IN (0, 1)),
  PRIMARY KEY (session_id, file)
) STRICT, WITHOUT ROWID;

CREATE INDEX expected_recording_file ON expected_recording(file);

CREATE TABLE provenance (
  id INTEGER PRIMARY KEY,
  recording_id INTEGER NOT NULL REFERENCES recording(id) ON DELETE CASCADE,
  place TEXT NOT NULL,
  about TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(about)),
  pulled_at TEXT NOT NULL
) STRICT;

CREATE INDEX provenance_recording ON provenance(recording_id);

CREATE INDEX provenance_place ON provenance(place);

CREATE TABLE imported (
  id INTEGER PRIMARY KEY,
  event_id INTEGER UNIQUE REFERENCES event(id) ON DELETE CASCADE,
  session_id INTEGER UNIQUE REFERENCES session(id) ON DELETE CASCADE,
  person_id INTEGER UNIQUE REFERENCES person(id) ON DELETE CASCADE,
  format TEXT NOT NULL,
  said TEXT NOT NULL CHECK (json_valid(said)),
  CHECK ((event_id IS NOT NULL) + (session_id IS NOT NULL) + (person_id IS NOT NULL) = 1)
) STRICT;

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
) STRICT;

CREATE INDEX correction_event ON correction(event_id) WHERE event_id IS NOT NULL;

CREATE INDEX correction_session ON correction(session_id) WHERE session_id IS NOT NULL;

CREATE INDEX correction_person ON correction(person_id) WHERE person_id IS NOT NULL;

CREATE TABLE heard_part (
  recording_id INTEGER NOT NULL REFERENCES recording(id) ON DELETE CASCADE,
  fingerprint TEXT NOT NULL,
  number INTEGER NOT NULL CHECK (number >= 0),
  heard TEXT NOT NULL CHECK (json_valid(heard)),
  PRIMARY KEY (recording_id, fingerprint, number)
) STRICT;

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
, remark TEXT, retried_at TEXT) STRICT;

CREATE INDEX stage_run_subject ON stage_run(stage, subject, fingerprint);

CREATE INDEX stage_run_status ON stage_run(status, stage);

CREATE INDEX session_updated ON session(updated_at);

CREATE TRIGGER session_inserted AFTER INSERT ON session BEGIN UPDATE session SET updated_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now') WHERE id = new.id; END;

CREATE TRIGGER session_changed AFTER UPDATE OF slug, title, subtitle, kind, track, room, place_id, start_at, day, planned_ms, language, abstract ON session BEGIN UPDATE session SET updated_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now') WHERE id = new.id; END;

CREATE TRIGGER recording_inserted AFTER INSERT ON recording BEGIN UPDATE session SET updated_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now') WHERE id = new.session_id; END;

CREATE TRIGGER recording_changed AFTER UPDATE OF session_id, superseded_by ON recording BEGIN UPDATE session SET updated_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now') WHERE id = new.session_id; END;

CREATE TRIGGER rendition_inserted AFTER INSERT ON rendition BEGIN UPDATE session SET updated_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now') WHERE id = (SELECT session_id FROM recording WHERE id = new.recording_id); END;

CREATE TRIGGER transcript_inserted AFTER INSERT ON transcript WHEN new.is_current BEGIN UPDATE session SET updated_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now') WHERE id = (SELECT session_id FROM recording WHERE id = new.recording_id); END;

CREATE TRIGGER transcript_chosen AFTER UPDATE OF is_current ON transcript WHEN new.is_current BEGIN UPDATE session SET updated_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now') WHERE id = (SELECT session_id FROM recording WHERE id = new.recording_id); END;

CREATE TRIGGER release_inserted AFTER INSERT ON release BEGIN UPDATE session SET updated_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now') WHERE id = coalesce(new.session_id, (SELECT session_id FROM recording WHERE id = new.recording_id)); END;

CREATE TRIGGER release_changed AFTER UPDATE ON release BEGIN UPDATE session SET updated_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now') WHERE id = coalesce(new.session_id, (SELECT session_id FROM recording WHERE id = new.recording_id)); END;

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
) STRICT;

CREATE UNIQUE INDEX release_default_of ON release_default(event_id, coalesce(track, ''));

CREATE TABLE tombstone (
  id INTEGER PRIMARY KEY,
  event TEXT NOT NULL,
  session TEXT,
  withdrawn_on TEXT NOT NULL,
  reason TEXT
, identity TEXT) STRICT;

CREATE UNIQUE INDEX tombstone_address ON tombstone(event, coalesce(session, ''));

CREATE TABLE purge (
  id INTEGER PRIMARY KEY,
  purged_at TEXT NOT NULL,
  purged_by TEXT NOT NULL,
  what TEXT NOT NULL CHECK (what IN ('session', 'recording')),
  sha256 TEXT CHECK (length(sha256) = 64)
) STRICT;

CREATE INDEX purge_sha256 ON purge(sha256);

CREATE TABLE person_source (
  session_id INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
  person_id INTEGER NOT NULL REFERENCES person(id) ON DELETE CASCADE,
  said TEXT NOT NULL CHECK (json_valid(said)),
  UNIQUE (session_id, person_id)
) STRICT;

CREATE INDEX person_source_person ON person_source(person_id);

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
) STRICT;

CREATE INDEX redaction_recording ON redaction(recording_id, start_ms);

CREATE TRIGGER redaction_inserted AFTER INSERT ON redaction BEGIN UPDATE session SET updated_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now') WHERE id = (SELECT session_id FROM recording WHERE id = new.recording_id); END;

CREATE TRIGGER redaction_undone AFTER UPDATE OF undone_at ON redaction BEGIN UPDATE session SET updated_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now') WHERE id = (SELECT session_id FROM recording WHERE id = new.recording_id); END;

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
) STRICT;

CREATE INDEX revision_transcript ON revision(transcript_id);

CREATE INDEX revision_base ON revision(base_id);

CREATE TABLE speaker_turn (
  id INTEGER PRIMARY KEY,
  speaker_tag_id INTEGER NOT NULL REFERENCES speaker_tag(id) ON DELETE CASCADE,
  start_ms INTEGER NOT NULL CHECK (start_ms >= 0),
  end_ms INTEGER NOT NULL CHECK (end_ms > start_ms)
) STRICT;

CREATE INDEX speaker_turn_tag ON speaker_turn(speaker_tag_id, start_ms);

CREATE TABLE voiceprint (
  speaker_tag_id INTEGER PRIMARY KEY REFERENCES speaker_tag(id) ON DELETE CASCADE,
  vector BLOB NOT NULL
) STRICT;

CREATE TABLE speech (
  id INTEGER PRIMARY KEY,
  session_id INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
  transcript_id INTEGER NOT NULL REFERENCES transcript(id) ON DELETE CASCADE,
  speaker_tag_id INTEGER REFERENCES speaker_tag(id) ON DELETE CASCADE,
  segments INTEGER NOT NULL,
  words INTEGER NOT NULL,
  spoken_ms INTEGER NOT NULL,
  UNIQUE (transcript_id, speaker_tag_id)
) STRICT;

CREATE INDEX speech_session ON speech(session_id);

CREATE INDEX speech_speaker ON speech(speaker_tag_id);

CREATE TABLE part (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('all', 'year', 'event', 'speaker', 'language')),
  value TEXT NOT NULL,
  sessions INTEGER NOT NULL,
  words INTEGER NOT NULL,
  different INTEGER NOT NULL,
  UNIQUE (kind, value)
) STRICT;

CREATE TABLE part_word (
  part_id INTEGER NOT NULL REFERENCES part(id) ON DELETE CASCADE,
  word TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (part_id, word)
) STRICT, WITHOUT ROWID;

CREATE INDEX tombstone_identity ON tombstone(identity);

CREATE TABLE taken_back (
  id INTEGER PRIMARY KEY,
  transcript_id INTEGER NOT NULL REFERENCES transcript(id) ON DELETE CASCADE,
  start_ms INTEGER NOT NULL CHECK (start_ms >= 0),
  end_ms INTEGER NOT NULL CHECK (end_ms > start_ms),
  taken_by TEXT NOT NULL,
  taken_at TEXT NOT NULL
) STRICT;

CREATE INDEX taken_back_transcript ON taken_back(transcript_id);

CREATE TABLE earlier_version (
  id INTEGER PRIMARY KEY,
  version TEXT NOT NULL UNIQUE,
  session_id INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
  recording_id INTEGER REFERENCES recording(id) ON DELETE CASCADE,
  language TEXT NOT NULL,
  kind TEXT NOT NULL,
  created_at TEXT NOT NULL,
  prints BLOB NOT NULL
, replaced INTEGER NOT NULL DEFAULT 0 CHECK (replaced IN (0, 1))) STRICT;

CREATE INDEX earlier_version_session ON earlier_version(session_id);

CREATE INDEX earlier_version_recording ON earlier_version(recording_id);

CREATE UNIQUE INDEX session_identity ON session(identity);

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
) STRICT;

CREATE VIRTUAL TABLE announcement_fts USING fts5(
  title, text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2'
);

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
) STRICT;

CREATE INDEX attribution_recording ON attribution(recording_id);

CREATE INDEX attribution_speaker ON attribution(speaker_tag_id);

CREATE INDEX attribution_transcript ON attribution(transcript_id);

CREATE TABLE seal (
  part TEXT NOT NULL,
  number INTEGER NOT NULL,
  digest INTEGER NOT NULL,
  PRIMARY KEY (part, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE portrait (
  person_id INTEGER PRIMARY KEY REFERENCES person(id) ON DELETE CASCADE,
  picture BLOB NOT NULL,
  digest TEXT NOT NULL CHECK (length(digest) = 12),
  state TEXT NOT NULL DEFAULT 'private' CHECK (state IN ('public', 'private')),
  source TEXT NOT NULL,
  taken_at TEXT NOT NULL
) STRICT;

CREATE TABLE former_address (
  id INTEGER PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE CHECK (length(digest) = 32),
  event_id INTEGER REFERENCES event(id) ON DELETE CASCADE,
  session_id INTEGER REFERENCES session(id) ON DELETE CASCADE,
  person_id INTEGER REFERENCES person(id) ON DELETE CASCADE,
  taken_back INTEGER NOT NULL DEFAULT 0 CHECK (taken_back IN (0, 1)),
  CHECK ((event_id IS NOT NULL) + (session_id IS NOT NULL) + (person_id IS NOT NULL) = 1)
) STRICT;

CREATE INDEX former_address_event ON former_address(event_id);

CREATE INDEX former_address_session ON former_address(session_id);

CREATE INDEX former_address_person ON former_address(person_id);

CREATE TABLE meaning (
  id INTEGER PRIMARY KEY,
  transcript_id INTEGER NOT NULL REFERENCES transcript(id) ON DELETE CASCADE,
  first_position INTEGER NOT NULL,
  last_position INTEGER NOT NULL,
  encoder TEXT NOT NULL,
  vector BLOB NOT NULL,
  CHECK (last_position >= first_position)
) STRICT;

CREATE INDEX meaning_transcript ON meaning(transcript_id, first_position);

CREATE TABLE joined_voice (
  speaker_tag_id INTEGER PRIMARY KEY REFERENCES speaker_tag(id) ON DELETE CASCADE,
  same_as INTEGER NOT NULL REFERENCES speaker_tag(id) ON DELETE CASCADE CHECK (same_as <> speaker_tag_id)
) STRICT;

CREATE INDEX joined_voice_same ON joined_voice(same_as);

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
) STRICT;

CREATE INDEX naming_speaker ON naming(speaker_tag_id);

CREATE INDEX naming_person ON naming(person_id);

CREATE INDEX naming_before ON naming(person_before);

CREATE VIEW said AS
SELECT
  substr(coalesce(session.start_at, session.day, event.start_date), 1, 10) AS date,
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
WHERE transcript.is_current = 1 AND transcript.kind <> 'translation' AND recording.superseded_by IS NULL;
