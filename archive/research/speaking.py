"""Who spoke how much: words and time, by person."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import NamedTuple

from archive.errors import sqlite_errors
from archive.index.tokens import fold_each
from archive.research.asking import Asking
from archive.research.vocabulary import SAID, is_counted
from archive.search.filters import EVERYWHERE, Filters


class Spoken(NamedTuple):
    """How much somebody said.

    Attributes:
        person: the slug; None stands for all who are not known.
        name: the person's, "" for those.
        sessions: in how many they spoke.
        words: how many they said.
        hours: how long they spoke.
        words_a_minute: one by the other; 0 where nobody knows how long.
    """

    person: str | None
    name: str
    sessions: int
    words: int
    hours: float
    words_a_minute: float


class Size(NamedTuple):
    """How large a part of the archive is: sessions in which anything was said, words, and hours in which it was."""

    sessions: int
    words: int
    hours: float


HOUR_MS = 3_600_000


class Speaking(Asking):
    """Questions about speakers."""

    def who_spoke(self, filters: Filters = EVERYWHERE) -> list[Spoken]:
        """Return who spoke how much in a part of the archive, those who spoke longest first.

        Raises:
            ArchiveError: the database is damaged or cannot be read.
        """
        found = []
        for (person, name), rows in groupby(sorted(self._rows(filters)), key=lambda row: row[:2]):
            sessions: Counter[int] = Counter()
            words = spoken_ms = 0
            for _, _, session, said, length in rows:
                sessions[session] += 1
                words, spoken_ms = words + said, spoken_ms + length
            pace = round(words * 60_000 / spoken_ms, 1) if spoken_ms else 0.0
            found.append(Spoken(person or None, name, len(sessions), words, round(spoken_ms / HOUR_MS, 3), pace))
        return sorted(found, key=lambda each: (not each.person, -each.hours, each.name))

    def size(self, filters: Filters = EVERYWHERE) -> Size:
        """Return how large a part of the archive is.

        Raises:
            ArchiveError: the database is damaged or cannot be read.
        """
        rows = self._rows(filters)
        return Size(
            len({row[2] for row in rows}),
            sum(row[3] for row in rows),
            round(sum(row[4] for row in rows) / HOUR_MS, 3),
        )

    def _rows(self, filters: Filters) -> list[tuple[str, str, int, int, int]]:
        """Return slug and name of who speaks, session, words and time, voice by voice."""
        budget = self._begin()
        rows: list[tuple[str, str, int, int, int]] = []
        with sqlite_errors():
            scope = self._scope(filters)
            if scope is None:
                return []
            language = (
                " AND (transcript.language = :language OR transcript.language LIKE :language || '-%')"
                if scope.language
                else ""
            )
            if is_counted(self._conn):
                speaker = scope.segments.replace("segment.", "speech.")
                with budget.spend(0.9):
                    statement = _COUNTED.format(f"{scope.rows}{language}{speaker}")
                    rows = [tuple(row) for row in self._conn.execute(statement, scope.values)]
            else:
                statement = _SAID.format(f"{scope.rows}{language}{scope.segments}")
                for *known, text, length in self._conn.execute(statement, scope.values):
                    if budget.is_over():
                        break
                    person, name, session = known
                    rows.append((person, name, session, len(fold_each([text])[0].split()), length))
        self.complete = budget.complete
        return rows


_WHO = "LEFT JOIN speaker_tag ON speaker_tag.id = {} LEFT JOIN person ON person.id = person_id"
_COUNTED = (
    "SELECT coalesce(person.slug, ''), coalesce(person.name, ''), session.id, words, spoken_ms FROM speech"
    " JOIN session ON session.id = speech.session_id JOIN transcript ON transcript.id = speech.transcript_id "
    + _WHO.format("speech.speaker_tag_id")
    + " WHERE true{}"
)
_SAID = (
    "SELECT coalesce(person.slug, ''), coalesce(person.name, ''), session.id, text, end_ms - start_ms "
    + SAID
    + " "
    + _WHO.format("segment.speaker_tag_id")
    + " WHERE true{}"
)
