"""How often something was said: by what sessions have in common, by who said it, and how evenly over sessions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from archive.catalogue.current import CURRENT
from archive.errors import sqlite_errors
from archive.index.tokens import MARK
from archive.research.asking import Asking, wanted
from archive.research.measures import Dispersion, dispersion
from archive.research.vocabulary import SAID, is_counted, words_by_session
from archive.search.asked import Asked
from archive.search.filters import EVERYWHERE, STARTED, Filters
from archive.search.query import Stemmed, Word

By: TypeAlias = Literal["year", "event", "speaker", "person", "language"]
BYS: tuple[By, ...] = ("year", "event", "speaker", "person", "language")
HOUR_MS = 3_600_000
INSTANCES = "CREATE VIRTUAL TABLE IF NOT EXISTS temp.word_places USING fts5vocab(main, session_fts, instance)"
"""Each place of each word in the session-level index, read from it. Nothing that is published has its name: on a
connection that counted, the name would mean this table."""


class Rate(NamedTuple):
    """How often something was said in sessions that have something in common.

    Attributes:
        value: a year, a slug or a language, by which one can filter.
        label: how it reads.
        occurrences: how often it was said.
        hours: of speech that were searched, by the length of transcripts, or for a speaker by that of what they said.
        per_hour: one by the other; 0 where there is no speech.
    """

    value: str
    label: str
    occurrences: int
    hours: float
    per_hour: float


class Frequencies(Asking):
    """Questions about counts."""

    def frequency(self, query: str, by: By, filters: Filters = EVERYWHERE) -> list[Rate]:
        """Return how often a query was said an hour, by year, event, speaker, person or language.

        By speaker, the hours are those in which somebody speaks; by person, a session counts for each of those who took
        part. The language of a session is that of its first transcript.

        Raises:
            ArchiveError: the database is damaged or cannot be read. No query raises.
        """
        with sqlite_errors():
            asked = self._ask(query, filters)
            if asked is None:
                return []
            counts: Counter[tuple[str, str]] = Counter()
            spoken: Counter[tuple[str, str]] = Counter()
            groups = self._by_speaker(asked) if by == "speaker" else self._by_session(asked, by)
            for value, label, occurrences, duration in groups:
                counts[value, label] += occurrences
                spoken[value, label] += duration
            self.complete = asked.budget.complete
        rates = [
            Rate(*key, counts[key], round(ms / HOUR_MS, 3), round(counts[key] * HOUR_MS / ms, 3) if ms else 0.0)
            for key, ms in spoken.items()
        ]
        return sorted(rates, key=lambda rate: (0 if by == "year" else -rate.per_hour, rate.label, rate.value))

    def dispersion(self, query: str, filters: Filters = EVERYWHERE) -> Dispersion:
        """Return how evenly a query is spread over the sessions in which anything was said.

        Raises:
            ArchiveError: the database is damaged or cannot be read. No query raises.
        """
        with sqlite_errors():
            asked = self._ask(query, filters)
            if asked is None:
                return dispersion((), ())
            said = self._occurrences(asked)
            sizes = words_by_session(self._conn, asked.scope, asked.budget)
            self.complete = asked.budget.complete
        return dispersion([said.get(session, 0) for session in sizes], list(sizes.values()))

    def _by_session(self, asked: Asked, by: By) -> Iterator[tuple[str, str, int, int]]:
        """Yield what a session counts for, how often a query was said in it, and how long it is."""
        said = self._occurrences(asked)
        groups = self._conn.execute(_GROUPS[by].format(asked.scope.rows), asked.scope.values)
        for session, value, label, duration in groups:
            yield value, label, said.get(session, 0), duration

    def _occurrences(self, asked: Asked) -> dict[int, int]:
        """Return how often a query was said in each session: from the index alone where it is a single word."""
        node = wanted(asked)
        if isinstance(node, Word | Stemmed) and not asked.closely:
            return self._of_word(asked, node)
        return {session: len(found) for session, found in self._places(asked).items()}

    def _places(self, asked: Asked) -> dict[int, set[tuple[int, int, int]]]:
        """Return, for each session, where a query was said: transcript, position of the segment, and character."""
        places: defaultdict[int, set[tuple[int, int, int]]] = defaultdict(set)
        for passage, _, _, key in self._matches(asked):
            places[passage.session].add(key)
        return places

    def _by_speaker(self, asked: Asked) -> Iterator[tuple[str, str, int, int]]:
        """Yield slug and name of people who spoke, how often they said something, and how long they spoke."""
        said: Counter[tuple[int, int]] = Counter()
        for found in self._places(asked).values():
            said.update((transcript, position) for transcript, position, _ in found)
        with asked.budget.spend(0.9):
            statement = _COUNTED if is_counted(self._conn) else _SPEAKING
            rows = self._conn.execute(statement.format(asked.scope.rows), asked.scope.values).fetchall()
            counts: Counter[str] = Counter()
            for (transcript, position), times in said.items():
                who = self._conn.execute(_WHO, (transcript, position)).fetchone()
                if who:
                    counts[who[0]] += times
            for slug, name, spoken_ms in rows:
                yield slug, name, counts[slug], spoken_ms

    def _of_word(self, asked: Asked, node: Word | Stemmed) -> dict[int, int]:
        said: Counter[int] = Counter()
        with asked.budget.spend(0.9):
            forms = {node.text}
            if isinstance(node, Stemmed):
                terms = self._conn.execute("SELECT term FROM vocabulary WHERE term < ?", (MARK,))
                known = {term for (term,) in terms}
                forms = node.forms(known)
            self._conn.execute(INSTANCES)
            for form in forms:
                rows = self._conn.execute(
                    "SELECT doc, count(*) FROM temp.word_places WHERE term = ? AND col = 'text' GROUP BY doc", (form,)
                )
                said.update(dict(tuple(row) for row in rows))
        return said


_FIRST = (
    "(SELECT transcript.language FROM recording JOIN transcript ON recording_id = recording.id WHERE"
    f" session_id = session.id AND {CURRENT}"
    " ORDER BY role = 'floor' DESC, recording.id LIMIT 1)"
)
_SPOKEN = (
    "(SELECT total(transcript.duration_ms) FROM recording JOIN transcript ON recording_id = recording.id"
    f" WHERE session_id = session.id AND {CURRENT})"
)
_SPEAKING = (
    f"SELECT person.slug, person.name, total(end_ms - start_ms) {SAID}"
    " JOIN speaker_tag ON speaker_tag.id = speaker_tag_id JOIN person ON person.id = person_id"
    " WHERE true{} GROUP BY person.id"
)
_COUNTED = (
    "SELECT person.slug, person.name, total(spoken_ms) FROM speech JOIN session ON session.id = session_id"
    " JOIN speaker_tag ON speaker_tag.id = speaker_tag_id JOIN person ON person.id = person_id"
    " WHERE true{} GROUP BY person.id"
)
_WHO = (
    "SELECT slug FROM segment JOIN speaker_tag ON speaker_tag.id = speaker_tag_id JOIN person ON person.id = person_id"
    " WHERE transcript_id = ? AND position = ?"
)
_GROUPS: dict[By, str] = {
    "year": f"SELECT session.id, substr({STARTED}, 1, 4) AS value, substr({STARTED}, 1, 4), {_SPOKEN} FROM session"
    " WHERE value IS NOT NULL{}",
    "event": f"SELECT session.id, event.slug, event.title, {_SPOKEN} FROM session JOIN event ON event.id = event_id"
    " WHERE true{}",
    "person": f"SELECT DISTINCT session.id, person.slug, person.name, {_SPOKEN} FROM session"
    " JOIN session_person ON session_id = session.id JOIN person ON person.id = person_id WHERE true{}",
    "language": f"SELECT session.id, {_FIRST} AS value, {_FIRST}, {_SPOKEN} FROM session WHERE value IS NOT NULL{{}}",
}
