"""Queries that a researcher would start from, on Datasette's pages, where they are changed, and saved as CSV or JSON.

Each ends within the time that a visitor's statement has, in archives of any size: what would take longer was counted
for the publication (`archive.research.vocabulary`).
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Query(NamedTuple):
    """A query: what it is called, what it answers and what may be filled in, and its statement."""

    title: str
    about: str
    sql: str

    def for_datasette(self) -> dict[str, Any]:
        """Return the query as Datasette takes it (https://docs.datasette.io/en/stable/sql_queries.html)."""
        return {"title": self.title, "description": self.about, "sql": self.sql.strip()}


_NEWEST = "(SELECT slug FROM event WHERE id IN (SELECT event_id FROM session) ORDER BY start_date DESC LIMIT 1)"

QUERIES: dict[str, Query] = {
    "who-spoke-how-long": Query(
        "Who spoke how long",
        "Everybody whose voice is known: hours, words, sessions. Fill in an event's slug, or nothing.",
        """
SELECT person.name, person.slug AS person, count(DISTINCT session_id) AS sessions,
  round(sum(spoken_ms) / 3600000.0, 2) AS hours, sum(words) AS words,
  round(sum(words) * 60000.0 / max(sum(spoken_ms), 1)) AS words_a_minute
FROM speech JOIN speaker_tag ON speaker_tag.id = speaker_tag_id JOIN person ON person.id = person_id
  JOIN session ON session.id = session_id JOIN event ON event.id = event_id
WHERE :event = '' OR event.slug = :event
GROUP BY person.id ORDER BY sum(spoken_ms) DESC
""",
    ),
    "every-time-it-was-said": Query(
        "Every time it was said",
        "What somebody said with a word in it, between two dates: a word in small letters, a person's slug or nothing,"
        " and dates such as 2022-07-23 or nothing.",
        """
SELECT said.date, said.event, said.title, said.speaker,
  printf('%d:%02d:%02d', start_ms / 3600000, start_ms / 60000 % 60, start_ms / 1000 % 60) AS time, said.text, said.url
FROM (SELECT transcript_id, first_position, last_position FROM passage WHERE id IN
      (SELECT rowid FROM passage_fts WHERE passage_fts MATCH '"' || replace(:word, '"', ' ') || '"')) AS found
  JOIN said ON said.transcript_id = found.transcript_id AND position BETWEEN first_position AND last_position
WHERE said.text LIKE '%' || :word || '%' AND NOT doubtful AND (:person = '' OR said.person = :person)
  AND (:since = '' OR date >= :since) AND (:until = '' OR date <= :until)
GROUP BY segment_id ORDER BY date, said.event, said.session, start_ms
""",
    ),
    "words-that-rise": Query(
        "Which words rise",
        "Words that a year has more often, a million words, than another one. Fill in two years, or nothing for the"
        " first and the last.",
        """
WITH early AS (SELECT * FROM part WHERE kind = 'year' AND value = coalesce(nullif(:from_year, ''),
    (SELECT min(value) FROM part WHERE kind = 'year'))),
  late AS (SELECT * FROM part WHERE kind = 'year' AND value = coalesce(nullif(:to_year, ''),
    (SELECT max(value) FROM part WHERE kind = 'year')))
SELECT later.word, early.value AS from_year, coalesce(earlier.count, 0) AS times_then, late.value AS to_year,
  later.count AS times_now, round(1e6 * coalesce(earlier.count, 0) / early.words, 1) AS per_million_then,
  round(1e6 * later.count / late.words, 1) AS per_million_now,
  round((1e6 * later.count / late.words) / (1e6 * coalesce(earlier.count, 0.5) / early.words), 1) AS times_as_often
FROM late JOIN early JOIN part_word AS later ON later.part_id = late.id
  LEFT JOIN part_word AS earlier ON earlier.part_id = early.id AND earlier.word = later.word
WHERE later.count >= 5 AND early.id <> late.id ORDER BY times_as_often DESC, times_now DESC LIMIT 200
""",
    ),
    "longest-quotes": Query(
        "The longest that anybody spoke without a break",
        "Turns of an event: what one voice says until another one does. Fill in an event's slug, or nothing for the"
        " newest.",
        f"""
WITH spoken AS (
  SELECT said.*, row_number() OVER whole - row_number() OVER each_voice AS turn FROM said
  WHERE event = coalesce(nullif(:event, ''), {_NEWEST}) AND NOT doubtful AND speaker IS NOT NULL
  WINDOW whole AS (PARTITION BY transcript_id ORDER BY position),
    each_voice AS (PARTITION BY transcript_id, speaker ORDER BY position))
SELECT speaker, title, round((max(end_ms) - min(start_ms)) / 60000.0, 1) AS minutes,
  sum(length(text) - length(replace(text, ' ', '')) + 1) AS words, substr(group_concat(text, ' '), 1, 300) AS begins,
  min(url) AS url
FROM spoken GROUP BY transcript_id, speaker, turn ORDER BY minutes DESC LIMIT 100
""",
    ),
    "words-of-a-part": Query(
        "Words of an event, a year, a speaker or a language",
        "What it says more often than the whole archive does. Fill in a kind (event, year, speaker or language) and a"
        " value such as a slug or a year; nothing means the newest event.",
        f"""
WITH one AS (SELECT * FROM part WHERE kind = coalesce(nullif(:kind, ''), 'event')
    AND value = coalesce(nullif(:value, ''), {_NEWEST})),
  whole AS (SELECT * FROM part WHERE kind = 'all')
SELECT here.word, here.count AS times_here, everywhere.count AS times_in_all,
  round(1e6 * here.count / one.words, 1) AS per_million_here,
  round(1e6 * everywhere.count / whole.words, 1) AS per_million_in_all,
  round((1.0 * here.count / one.words) / (1.0 * everywhere.count / whole.words), 1) AS times_as_often
FROM one JOIN whole JOIN part_word AS here ON here.part_id = one.id
  JOIN part_word AS everywhere ON everywhere.part_id = whole.id AND everywhere.word = here.word
WHERE here.count >= 3 ORDER BY times_as_often DESC, times_here DESC LIMIT 200
""",
    ),
    "words-said-nowhere-else": Query(
        "Words that one event says, and no other",
        "Fill in an event's slug, or nothing for the newest.",
        f"""
SELECT here.word, here.count AS times FROM part AS one JOIN part_word AS here ON here.part_id = one.id
  JOIN part AS whole ON whole.kind = 'all'
  JOIN part_word AS everywhere ON everywhere.part_id = whole.id AND everywhere.word = here.word
WHERE one.kind = 'event' AND one.value = coalesce(nullif(:event, ''), {_NEWEST}) AND here.count = everywhere.count
ORDER BY times DESC, here.word LIMIT 200
""",
    ),
    "share-of-speech": Query(
        "Whose voice fills a session",
        "The share of each voice in the time that anybody speaks, session by session. Fill in an event's slug, or"
        " nothing for the newest.",
        f"""
SELECT session.title, coalesce(person.name, label, 'nobody said who') AS voice,
  round(sum(spoken_ms) / 60000.0, 1) AS minutes, sum(words) AS words,
  round(100.0 * sum(spoken_ms) / sum(sum(spoken_ms)) OVER (PARTITION BY session.id), 1) AS percent
FROM speech JOIN session ON session.id = session_id JOIN event ON event.id = event_id
  LEFT JOIN speaker_tag ON speaker_tag.id = speaker_tag_id LEFT JOIN person ON person.id = person_id
WHERE event.slug = coalesce(nullif(:event, ''), {_NEWEST})
GROUP BY session.id, voice ORDER BY session.start_utc, session.title, percent DESC
""",
    ),
    "speed-of-speech": Query(
        "Who speaks fast",
        "Words a minute of everybody who is known to have said a thousand words or more.",
        """
SELECT person.name, round(sum(words) * 60000.0 / sum(spoken_ms)) AS words_a_minute, sum(words) AS words,
  count(DISTINCT session_id) AS sessions
FROM speech JOIN speaker_tag ON speaker_tag.id = speaker_tag_id JOIN person ON person.id = person_id
GROUP BY person.id HAVING sum(words) >= 1000 AND sum(spoken_ms) > 0 ORDER BY words_a_minute DESC
""",
    ),
    "who-meets-whom": Query(
        "Who meets whom",
        "People with a part in the same sessions, how often, and in which sessions.",
        """
SELECT one.name AS one, other.name AS other, count(DISTINCT here.session_id) AS sessions,
  group_concat(DISTINCT session.title) AS titles
FROM session_person AS here JOIN session_person AS there ON there.session_id = here.session_id
    AND there.person_id > here.person_id
  JOIN person AS one ON one.id = here.person_id JOIN person AS other ON other.id = there.person_id
  JOIN session ON session.id = here.session_id
GROUP BY one.id, other.id ORDER BY sessions DESC, one.name LIMIT 500
""",
    ),
    "growth-by-year": Query(
        "How the archive grows",
        "Sessions, recorded hours, people and words, year by year.",
        """
SELECT substr(coalesce(session.start_at, session.day, event.start_date), 1, 4) AS year,
  count(DISTINCT event.id) AS events, count(DISTINCT session.id) AS sessions,
  round(total(duration_ms) / 3600000.0, 1) AS hours,
  (SELECT words FROM part WHERE kind = 'year'
    AND value = substr(coalesce(session.start_at, session.day, event.start_date), 1, 4)) AS words
FROM session JOIN event ON event.id = event_id LEFT JOIN recording ON session_id = session.id AND role = 'floor'
GROUP BY 1 ORDER BY 1
""",
    ),
    "heard-with-doubt": Query(
        "What was heard with doubt",
        "Segments that a machine may have made up or misheard, by session, and how many of all these are.",
        """
SELECT event.title AS event, session.title, transcript.generator, count(*) AS doubtful,
  (SELECT count(*) FROM segment WHERE transcript_id = transcript.id) AS segments,
  min('/events/' || event.slug || '/' || session.slug || '?t=' || start_ms / 1000) AS first
FROM segment JOIN transcript ON transcript.id = transcript_id JOIN recording ON recording.id = recording_id
  JOIN session ON session.id = session_id JOIN event ON event.id = event_id
WHERE flags <> '[]' GROUP BY transcript.id ORDER BY doubtful DESC LIMIT 200
""",
    ),
    "attendance-over-time": Query(
        "Attendance as it was told",
        "Every figure of an event or a session, with the day that it tells of and where it is from.",
        """
SELECT coalesce(event.title, own.title) AS event, session.title AS session, observed_on, measure, people_qualifier,
  people, countries_qualifier, countries, places, source
FROM attendance LEFT JOIN event ON event.id = attendance.event_id LEFT JOIN session ON session.id = session_id
  LEFT JOIN event AS own ON own.id = session.event_id
ORDER BY coalesce(event.start_date, own.start_date), attendance.position, observed_on
""",
    ),
}


def for_datasette() -> dict[str, dict[str, Any]]:
    """Return all queries by name."""
    return {name: query.for_datasette() for name, query in QUERIES.items()}
