"""Reading a corpus: which transcripts, and each of them with its session."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from archive.catalogue.current import CURRENT
from archive.errors import sqlite_errors
from archive.research.asking import Asking
from archive.research.corpus.base import CorpusWord, Document, Part, Utterance
from archive.search.filters import EVERYWHERE, Filters, Scope
from archive.sqlite import sqlite3
from archive.urls import absolute, session_url


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What of an archive goes into a corpus.

    Attributes:
        filters: what sessions must be; of a speaker, only what they said themselves.
        query: sessions in which this was said; "" for all.
        translations: whether translations go in as well.
    """

    filters: Filters = EVERYWHERE
    query: str = ""
    translations: bool = False


@dataclass(frozen=True, slots=True)
class Chosen:
    """The transcripts of a selection, in order, and what of them is said by whom; how many segments there are."""

    transcripts: tuple[int, ...]
    segments: int
    scope: Scope | None
    complete: bool = True


class _Choosing(Asking):
    """Chooses sessions by what is said in them."""

    def choose(self, selection: Selection) -> Chosen:
        with sqlite_errors():
            scope, matching = self._scope_of(selection)
            if scope is None:
                return Chosen((), 0, None)
            where = "" if selection.translations else " AND transcript.kind <> 'translation'"
            if scope.language:
                where += " AND (transcript.language = :language OR transcript.language LIKE :language || '-%')"
            if matching is not None:
                where += " AND session.id IN (SELECT value FROM json_each(:matching))"
            values = scope.values | {"matching": json.dumps(matching)}
            said = f"(SELECT count(*) FROM segment WHERE transcript_id = transcript.id{scope.segments})"
            rows = self._conn.execute(_CHOSEN.format(said, f"{scope.rows}{where}"), values).fetchall()
        found = [(number, count) for number, count in map(tuple, rows) if count]
        return Chosen(
            tuple(number for number, _ in found), sum(count for _, count in found), scope, complete=self.complete
        )

    def _scope_of(self, selection: Selection) -> tuple[Scope | None, list[int] | None]:
        """Return the conditions of a selection, and the sessions in which its query was said, if it has one."""
        if not selection.query:
            return self._scope(selection.filters), None
        asked = self._ask(selection.query, selection.filters)
        if asked is None:
            return None, None
        matching = sorted({passage.session for passage in self._passages(asked)})
        self.complete = asked.budget.complete
        return asked.scope, matching


def choose(conn: sqlite3.Connection, selection: Selection, budget_ms: int = 3_600_000) -> Chosen:
    """Return the transcripts of a selection, in order of event, session and recording.

    Raises:
        ArchiveError: the database is damaged or cannot be read.
    """
    return _Choosing(conn, budget_ms).choose(selection)


def documents(
    conn: sqlite3.Connection, chosen: Chosen, home: str, seen: Callable[[Document], None] = lambda _document: None
) -> Iterator[Document]:
    """Yield the transcripts that were chosen, each read when it is its turn.

    Args:
        conn: the database.
        chosen: the transcripts.
        home: the address of the site, with which addresses begin.
        seen: is told of each when it was written.
    """
    for transcript in chosen.transcripts:
        document = read_document(conn, transcript, chosen.scope, home)
        yield document
        seen(document)


def read_document(conn: sqlite3.Connection, transcript: int, scope: Scope | None, home: str) -> Document:
    """Return a transcript with what is known of its session, and of its words those that a scope searches."""
    with sqlite_errors():
        known = _row(conn, _KNOWN, {"transcript": transcript})
        people = conn.execute(_PEOPLE, (known["session_id"],)).fetchall()
        segments = f" AND {scope.segments.removeprefix(' AND ')}" if scope and scope.segments else ""
        values = (scope.values if scope else {}) | {"transcript": transcript}
        words: defaultdict[int, list[CorpusWord]] = defaultdict(list)
        for segment, start_ms, end_ms, text, confidence in conn.execute(_WORDS, values):
            word = CorpusWord(start_ms=start_ms, end_ms=end_ms, text=text, confidence=confidence)
            words[segment].append(word)
        said = conn.execute(_SEGMENTS.format(segments), values).fetchall()
    url = absolute(home, session_url(known["event"], known["session"]))
    kept = {name: value for name, value in known.items() if name != "session_id"}
    return Document(
        **kept,
        url=url,
        people=tuple(Part(person=slug, name=name, role=role, affiliation=of) for slug, name, role, of in people),
        utterances=tuple(
            Utterance(
                position=position,
                start_ms=start_ms,
                end_ms=end_ms,
                speaker=speaker,
                person=person,
                language=language,
                text=text,
                confidence=confidence,
                flags=tuple(json.loads(flags)),
                overlapped=bool(overlapped),
                words=tuple(words[segment]),
            )
            for (
                segment,
                position,
                start_ms,
                end_ms,
                speaker,
                person,
                language,
                text,
                confidence,
                flags,
                overlapped,
            ) in said
        ),
    )


def _row(conn: sqlite3.Connection, statement: str, values: dict[str, Any]) -> dict[str, Any]:
    found = conn.execute(statement, values)
    return dict(zip((each[0] for each in found.description), found.fetchone(), strict=True))


_CHOSEN = (
    "SELECT transcript.id, {} FROM transcript JOIN recording ON recording.id = recording_id"
    " JOIN session ON session.id = session_id JOIN event ON event.id = event_id"
    f" WHERE {CURRENT}{{}}"
    " ORDER BY event.start_date IS NULL, event.start_date, event.id, start_utc IS NULL, start_utc, session.position,"
    " session.id, recording.id, transcript.id"
)
_KNOWN = """
SELECT session.id AS session_id, version AS document, event.slug AS event, event.title AS event_title,
  session.slug AS session, session.title AS title,
  substr(coalesce(session.start_at, session.day, event.start_date), 1, 10) AS date, session.start_at AS start_at,
  session.track AS track, session.room AS room, session.kind AS session_kind, transcript.language AS language,
  recording.role AS recording, transcript.kind AS kind, trim(generator || ' ' || generator_version) AS generator,
  coalesce(recording.duration_ms, transcript.duration_ms) AS duration_ms, recording.licence AS licence,
  recording.credit AS credit
FROM transcript JOIN recording ON recording.id = recording_id JOIN session ON session.id = session_id
  JOIN event ON event.id = event_id
WHERE transcript.id = :transcript
"""
_PEOPLE = (
    "SELECT person.slug, person.name, session_person.role, affiliation FROM session_person"
    " JOIN person ON person.id = person_id WHERE session_id = ? ORDER BY session_person.position, person.slug, role"
)
_SEGMENTS = (
    "SELECT segment.id, position, start_ms, end_ms, coalesce(person.name, label), person.slug,"
    " coalesce(segment.language, transcript.language), text, confidence, flags, overlapped FROM segment"
    " JOIN transcript ON transcript.id = transcript_id"
    " LEFT JOIN speaker_tag ON speaker_tag.id = speaker_tag_id LEFT JOIN person ON person.id = person_id"
    " WHERE transcript_id = :transcript{} ORDER BY position"
)
_WORDS = (
    "SELECT segment_id, word.start_ms, word.end_ms, word.text, word.confidence FROM word"
    " JOIN segment ON segment.id = segment_id WHERE transcript_id = :transcript ORDER BY segment_id, word.position"
)
