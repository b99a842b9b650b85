"""For researchers: every moment of a query, its concordance, its frequency, and the words that go with it."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, TypeAlias

from archive.catalogue.current import CURRENT
from archive.errors import sqlite_errors
from archive.index.tokens import BARRIER, MARK, shown
from archive.search.budget import CLOCK, Budget
from archive.search.filters import EVERYWHERE, STARTED, Filters, Scope, read_scope
from archive.search.hits import (
    Hit,
    Passage,
    Ranked,
    moment_hits,
    read_closely,
    read_languages,
    read_passages,
)
from archive.search.query import Node, Stemmed, Word, parse_query, to_fts5
from archive.search.spellings import as_written
from archive.sqlite import sqlite3
from metadata.errors import InvalidLanguageError
from metadata.languages import parse_language

By: TypeAlias = Literal["year", "event", "speaker", "person", "language"]
BYS: tuple[By, ...] = ("year", "event", "speaker", "person", "language")

CONTEXT = 70
"""Characters on each side of a word in a concordance."""
SAMPLED = 400
"""Passages from which the words that go with a query are taken."""
TOGETHER = 3
"""Passages in which a word must go with a query."""
OFTENER = 2
"""How many times as often as elsewhere it must stand there: below are the words that stand everywhere."""
HOUR_MS = 3_600_000
INSTANCES = "CREATE VIRTUAL TABLE IF NOT EXISTS temp.said USING fts5vocab(main, session_fts, instance)"
"""Each place of each word in the session-level index, read from it."""


class Line(NamedTuple):
    """A line of a concordance: what matched, what is said around it, and where."""

    left: str
    match: str
    right: str
    hit: Hit


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


class Companion(NamedTuple):
    """A word that goes with a query.

    Attributes:
        word: folded, as people write it (`archive.index.tokens.shown`).
        passages: of those that were looked at, how many have it.
        strength: the log-likelihood ratio (Dunning 1993), as it would be for chance: 10.8 is one in a thousand.
    """

    word: str
    passages: int
    strength: float


@dataclass(frozen=True, slots=True)
class _Asked:
    """A query, ready to be looked for."""

    node: Node
    scope: Scope
    doubtful: bool

    @property
    def closely(self) -> bool:
        """Whether no index can tell what matches: what is doubtful, and who speaks."""
        return self.doubtful or bool(self.scope.segments)


class Research:
    """Questions to the catalogue or a published database that need all matches, not the best.

    Args:
        conn: an open connection; nothing is written through it.
        budget_ms: milliseconds that one question may take; what is found until then is the answer.
        clock: seconds that only grow.
    """

    def __init__(self, conn: sqlite3.Connection, budget_ms: int = 5_000, *, clock: Callable[[], float] = CLOCK) -> None:
        self._conn = conn
        self._budget_ms = budget_ms
        self._clock = clock
        self.complete = True
        """Whether the last answer is whole."""

    def moments(self, query: str, filters: Filters = EVERYWHERE, *, limit: int = 1_000_000) -> Iterator[Hit]:
        """Yield every moment of a query, in order of event, session and time; their scores are 0.

        Raises:
            ArchiveError: the database is damaged or cannot be read. No query raises.
        """
        with sqlite_errors():
            asked, budget = self._ask(query, filters)
            if asked is None:
                return
            seen: set[tuple[int, ...]] = set()
            for passage, stretch in read_passages(self._conn, self._passages(asked, budget), asked.scope):
                if len(seen) >= limit or budget.is_over():
                    self.complete = False
                    return
                found = []
                for moment in sorted(stretch.moments(asked.node), key=lambda moment: moment.first):
                    if moment.key not in seen and len(seen) < limit:
                        seen.add(moment.key)
                        found.append(Ranked(passage, stretch, moment, 0.0))
                yield from moment_hits(self._conn, found, asked.node)
            self.complete = budget.complete

    def concordance(self, query: str, filters: Filters = EVERYWHERE, *, limit: int = 1_000) -> list[Line]:
        """Return what was said on both sides of every match, in order of event, session and time."""
        lines = []
        for hit in self.moments(query, filters, limit=limit):
            whole = f"{hit.before} {hit.text} {hit.after}"
            ahead = len(hit.before) + 1
            for start, end in hit.matches:
                left, right = whole[: ahead + start], whole[ahead + end :]
                lines.append(Line(_end(left), hit.text[start:end], _beginning(right), hit))
        return lines

    def frequency(self, query: str, by: By, filters: Filters = EVERYWHERE) -> list[Rate]:
        """Return how often a query was said an hour, by year, event, speaker, person or language.

        By speaker, the hours are those in which somebody speaks; by person, a session counts for each of those who took
        part. The language of a session is that of its first transcript.

        Raises:
            ArchiveError: the database is damaged or cannot be read. No query raises.
        """
        with sqlite_errors():
            asked, budget = self._ask(query, filters)
            if asked is None:
                return []
            counts: Counter[tuple[str, str]] = Counter()
            spoken: Counter[tuple[str, str]] = Counter()
            groups = self._by_speaker(asked, budget) if by == "speaker" else self._by_session(asked, by, budget)
            for value, label, occurrences, duration in groups:
                counts[value, label] += occurrences
                spoken[value, label] += duration
            self.complete = budget.complete
        rates = [
            Rate(*key, counts[key], round(ms / HOUR_MS, 3), round(counts[key] * HOUR_MS / ms, 3) if ms else 0.0)
            for key, ms in spoken.items()
        ]
        return sorted(rates, key=lambda rate: (0 if by == "year" else -rate.per_hour, rate.label, rate.value))

    def _by_session(self, asked: _Asked, by: By, budget: Budget) -> Iterator[tuple[str, str, int, int]]:
        """Yield what a session counts for, how often a query was said in it, and how long it is."""
        said = self._occurrences(asked, budget)
        groups = self._conn.execute(_GROUPS[by].format(asked.scope.rows), asked.scope.values)
        for session, value, label, duration in groups:
            yield value, label, said.get(session, 0), duration

    def companions(self, query: str, filters: Filters = EVERYWHERE, *, limit: int = 30) -> list[Companion]:
        """Return the words that stand in the same passages as a query more often than chance would have it.

        Raises:
            ArchiveError: the database is damaged or cannot be read. No query raises.
        """
        with sqlite_errors():
            asked, budget = self._ask(query, filters)
            if asked is None:
                return []
            beside: Counter[str] = Counter()
            passages: Counter[str] = Counter()
            own: set[str] = set()
            matching = self._passages(asked, budget)
            for _, stretch in read_passages(self._conn, matching[:: -(-len(matching) // SAMPLED) or 1], asked.scope):
                if budget.is_over():
                    break
                spans = stretch.matcher.spans(asked.node)
                own.update(word for span in spans for word in stretch.text[slice(*span)].split())
                spoken = stretch.text.split()
                beside.update(spoken)
                passages.update(set(spoken))
            self.complete = budget.complete
            here = sum(beside.values())
            (everywhere,) = self._conn.execute("SELECT total(cnt) FROM vocabulary").fetchone()
            frequent = json.dumps([word for word, found in passages.items() if found >= TOGETHER])
            known = self._conn.execute(
                "SELECT term, cnt FROM vocabulary WHERE term IN (SELECT value FROM json_each(?))", (frequent,)
            ).fetchall()
        found = [
            Companion(shown(word), passages[word], round(_likelihood(beside[word], here, count, everywhere), 1))
            for word, count in known
            if word not in own and word != BARRIER and beside[word] * everywhere > OFTENER * count * here
        ]
        return sorted(found, key=lambda companion: (-companion.strength, companion.word))[:limit]

    def _ask(self, query: str, filters: Filters) -> tuple[_Asked | None, Budget]:
        budget = Budget(self._conn, self._clock, self._budget_ms / 1000)
        self.complete = True
        understood = parse_query(query)
        try:
            named = filters.language or understood.language
            filters = replace(filters, language=parse_language(named) if named else None)
        except InvalidLanguageError:
            return None, budget
        if understood.node is None:
            return None, budget
        scope = read_scope(self._conn, filters, understood.where)
        languages = read_languages(self._conn, scope)
        _, node = as_written(self._conn, understood.node, languages, doubtful=understood.doubtful)
        return _Asked(node, scope, understood.doubtful), budget

    def _passages(self, asked: _Asked, budget: Budget) -> list[Passage]:
        if asked.closely:
            return read_closely(self._conn, budget, asked.node, asked.scope, doubtful=asked.doubtful)
        rows: list[tuple[int, int, int, int, float]] = []
        with budget.spend(0.5):
            rows = self._conn.execute(
                "SELECT session_id, transcript_id, first_position, last_position, 0.0 FROM passage WHERE id IN"
                f" (SELECT rowid FROM passage_fts WHERE passage_fts MATCH :query{asked.scope.passages}) ORDER BY id",
                asked.scope.values | {"query": to_fts5(asked.node)},
            ).fetchall()
        return [Passage(*row) for row in rows]

    def _occurrences(self, asked: _Asked, budget: Budget) -> dict[int, int]:
        """Return how often a query was said in each session: from the index alone where it is a single word."""
        if isinstance(asked.node, Word | Stemmed) and not asked.closely:
            return self._of_word(asked.node, budget)
        return {session: len(found) for session, found in self._places(asked, budget).items()}

    def _places(self, asked: _Asked, budget: Budget) -> dict[int, set[tuple[int, int, int]]]:
        """Return, for each session, where a query was said: transcript, position of the segment, and character."""
        places: defaultdict[int, set[tuple[int, int, int]]] = defaultdict(set)
        for passage, stretch in read_passages(self._conn, self._passages(asked, budget), asked.scope):
            if budget.is_over():
                break
            for place in stretch.matcher.places(asked.node):
                line, character = stretch.locate(place[0].start)
                places[passage.session].add((passage.transcript, stretch.positions[line], character))
        return places

    def _by_speaker(self, asked: _Asked, budget: Budget) -> Iterator[tuple[str, str, int, int]]:
        """Yield slug and name of people who spoke, how often they said something, and how long they spoke."""
        said: Counter[tuple[int, int]] = Counter()
        for found in self._places(asked, budget).values():
            said.update((transcript, position) for transcript, position, _ in found)
        with budget.spend(0.9):
            rows = self._conn.execute(_SPEAKING.format(asked.scope.rows), asked.scope.values).fetchall()
            counts: Counter[str] = Counter()
            for (transcript, position), times in said.items():
                who = self._conn.execute(_WHO, (transcript, position)).fetchone()
                if who:
                    counts[who[0]] += times
            for slug, name, spoken_ms in rows:
                yield slug, name, counts[slug], spoken_ms

    def _of_word(self, node: Word | Stemmed, budget: Budget) -> dict[int, int]:
        said: Counter[int] = Counter()
        with budget.spend(0.9):
            forms = {node.text}
            if isinstance(node, Stemmed):
                terms = self._conn.execute("SELECT term FROM vocabulary WHERE term < ?", (MARK,))
                known = {term for (term,) in terms}
                forms = node.forms(known)
            self._conn.execute(INSTANCES)
            for form in forms:
                rows = self._conn.execute(
                    "SELECT doc, count(*) FROM temp.said WHERE term = ? AND col = 'text' GROUP BY doc", (form,)
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
    "SELECT person.slug, person.name, total(end_ms - start_ms) FROM segment"
    " JOIN transcript ON transcript.id = transcript_id JOIN recording ON recording.id = transcript.recording_id"
    " JOIN session ON session.id = session_id JOIN speaker_tag ON speaker_tag.id = speaker_tag_id"
    f" JOIN person ON person.id = person_id WHERE {CURRENT}{{}} GROUP BY person.id"
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


def _end(text: str) -> str:
    return text.lstrip() if len(text) <= CONTEXT else text[-CONTEXT:].partition(" ")[2]


def _beginning(text: str) -> str:
    return text.rstrip() if len(text) <= CONTEXT else text[:CONTEXT].rpartition(" ")[0]


def _likelihood(here: int, size: int, everywhere: int, whole: float) -> float:
    """Return twice the log of how much likelier a word's counts are by two rates than by one."""
    rest, rest_size = max(everywhere - here, 0), max(whole - size, 1.0)
    rate = (here + rest) / (size + rest_size)
    return 2 * sum(
        count * math.log(count / (amount * rate)) for count, amount in ((here, size), (rest, rest_size)) if count
    )
