"""All sessions at a glance: what a search has to know of each that matches, and reads once for as long as it holds.

Thousands of sessions may match. To ask the database for the year, the people and the passages of each of them
takes longer than to find them; so that is kept in arrays, in which a session stands at the place of its id in
the order of ids.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from archive.catalogue.current import CURRENT
from archive.index.passages import SPANS, TITLE_LANGUAGE
from archive.index.stems import marks
from archive.index.tokens import BARRIER, words
from archive.search.filters import SPEAKERS, STARTED
from archive.search.query import Leaf, Phrase, Prefix, Stemmed, Word
from archive.sqlite import sqlite3
from metadata.languages import UNDETERMINED

LAST_CHARACTER = chr(0x10FFFF)
"""A character that no word has, after all others."""
FACET = 12
"""Values of a facet that are shown."""

Whole: TypeAlias = npt.NDArray[np.int64]
Real: TypeAlias = npt.NDArray[np.float64]
Marked: TypeAlias = npt.NDArray[np.bool_]
NOWHERE: Whole = np.empty((0, 2), dtype=np.int64)

SESSIONS = f"""
SELECT session.id, coalesce(start_utc, {STARTED}, ''), event.slug, event.title, series.slug, series.title, track,
substr({STARTED}, 1, 4), session.kind, session.slug, session.title, {STARTED},
coalesce((SELECT max(transcript.duration_ms) FROM recording JOIN transcript ON recording_id = recording.id
WHERE session_id = session.id AND {CURRENT}), 0), session.subtitle, {TITLE_LANGUAGE}
FROM session JOIN event ON event.id = event_id LEFT JOIN series ON series.id = series_id ORDER BY session.id
"""
# How many words FTS5 has of each column, packed: https://sqlite.org/fts5.html#fts5_data_structures.
SIZES = "SELECT id, sz FROM session_fts_docsize"
PEOPLE = """
SELECT DISTINCT session_id, person.slug, person.name FROM session_person JOIN person ON person.id = person_id
"""
SPEAKING = f"SELECT DISTINCT session_id, slug, name FROM ({SPEAKERS}) WHERE slug <> ''"
TRANSCRIPTS = f"""
SELECT session_id, transcript.id, transcript.language FROM recording
JOIN transcript ON recording_id = recording.id
WHERE {CURRENT} AND session_id IS NOT NULL
"""


class Known(NamedTuple):
    """What a result says of its session: slugs and titles, when it began, and how long its longest transcript is."""

    event: str
    event_title: str
    session: str
    title: str
    start_at: str | None
    duration_ms: int


class FacetValue(NamedTuple):
    """A value to filter by, how it reads, and how many of the sessions that match have it."""

    value: str
    label: str
    sessions: int


@dataclass(frozen=True, slots=True)
class _Facet:
    """Which sessions have which value. ``values`` are values and labels; ``sessions`` and ``which`` go together."""

    values: tuple[tuple[str, str], ...]
    sessions: Whole
    which: Whole

    def count(self, chosen: Marked) -> tuple[FacetValue, ...]:
        """Return the most frequent values of some pairs of a session and a value."""
        counts = np.bincount(self.which[chosen], minlength=len(self.values))
        best = np.argsort(-counts, kind="stable")[:FACET]
        frequent = zip(map(self.values.__getitem__, best.tolist()), counts[best].tolist(), strict=True)
        return tuple(FacetValue(value, label, count) for (value, label), count in frequent if count)


@dataclass(frozen=True, slots=True)
class _Partly:
    """Sessions of which not all transcripts are in a language: ``transcripts`` that are, and ``pairs`` of the facet."""

    transcripts: Whole
    pairs: Whole

    @classmethod
    def of(cls, ids: Whole, languages: _Facet, rows: Sequence[tuple[int, int, str]]) -> _Partly:
        """Return them, of sessions, transcripts and languages."""
        spoken: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
        for session, transcript, language in rows:
            spoken[session].append((transcript, language))
        transcripts: list[int] = []
        pairs: list[int] = []
        for pair, (session, value) in enumerate(zip(ids[languages.sessions].tolist(), languages.which, strict=True)):
            tag, _ = languages.values[value]
            its = [transcript for transcript, language in spoken[session] if _includes(tag, language)]
            if len(its) < len(spoken[session]):
                transcripts += its
                pairs += [pair] * len(its)
        return cls(np.array(transcripts, dtype=np.int64), np.array(pairs, dtype=np.int64))

    def leave_out(self, chosen: Marked, heard: Collection[int]) -> None:
        """Take from the pairs that are chosen those of which no transcript is among some."""
        found = np.zeros(len(chosen), dtype=np.bool_)
        found[self.pairs[np.isin(self.transcripts, list(heard))]] = True
        chosen[self.pairs] &= found[self.pairs]


class TitlesAndPeople:
    """Titles and the people of sessions, to see which of them a query names, and how well.

    They are few words. To rank by them FTS5 would look through all that was said.

    Args:
        texts: of each session its title and people, folded, with a space before and after each word.
        marked: of each session the marks of the stems of its title.
        sizes: how many words of each session are indexed, what was said included.
    """

    def __init__(self, texts: Sequence[str], marked: Iterable[Iterable[str]], sizes: Sequence[int]) -> None:
        self._texts = texts
        self._lengths = np.array(sizes) * (len(sizes) / max(sum(sizes), 1))
        held = [[*text.split(), *its] for text, its in zip(texts, marked, strict=True)]
        self._words = sorted(set(chain.from_iterable(held)))
        self._numbers = {word: number for number, word in enumerate(self._words)}
        which = np.array([self._numbers[word] for word in chain.from_iterable(held)], dtype=np.int64)
        places = np.repeat(np.arange(len(held)), [len(each) for each in held])
        both, counts = np.unique(which * len(held) + places, return_counts=True)
        self._held = np.column_stack([both % max(len(held), 1), counts])
        self._ends: list[int] = np.searchsorted(both, np.arange(len(self._words) + 1) * len(held)).tolist()

    @classmethod
    def read(
        cls, conn: sqlite3.Connection, sessions: Sequence[Sequence[Any]], people: Iterable[Sequence[Any]]
    ) -> TitlesAndPeople:
        """Return them, of rows of `SESSIONS` and `PEOPLE`, as they are indexed."""
        named: defaultdict[int, list[str]] = defaultdict(list)
        for session, _, name in people:
            named[session] += words(name)
        sizes = {session: _added(packed) for session, packed in conn.execute(SIZES)}
        titles = [words(f"{row[10]} {row[13] or ''}") for row in sessions]
        return cls(
            [f" {' '.join([*title, BARRIER, *named[row[0]]])} " for title, row in zip(titles, sessions, strict=True)],
            [marks(row[14], title) for title, row in zip(titles, sessions, strict=True)],
            [sizes.get(row[0], 0) for row in sessions],
        )

    def weights(self, terms: Iterable[Leaf]) -> Real:
        """Return what FTS5 would think of each session for some terms in its title and people; higher is better.

        Source: https://sqlite.org/fts5.html#the_bm25_function
        """
        weights = np.zeros(len(self._texts))
        for held in chain.from_iterable(map(self._named, terms)):
            places, counts = held[:, 0], held[:, 1]
            rarity = max(np.log((len(weights) - len(places) + 0.5) / (len(places) + 0.5)), 1e-6)
            weights[places] += rarity * counts * 2.2 / (counts + 1.2 * (0.25 + 0.75 * self._lengths[places]))
        return weights

    def _named(self, term: Leaf) -> Iterator[Whole]:
        """Yield where sessions stand that a term names, and how often; of a word with its forms, those of each."""
        match term:
            case Word(text):
                yield self._holding(text)
            case Stemmed():
                yield from map(self._holding, term.terms)
            case Phrase(parts):
                yield self._saying(f" {' '.join(parts)} ", parts)
            case Prefix([*parts, last]) if parts:
                yield self._saying(f" {' '.join(parts)} {last}", parts)
            case Prefix([start]):
                first = bisect_left(self._words, start)
                end = bisect_left(self._words, start + LAST_CHARACTER, first)
                held = self._held[self._ends[first] : self._ends[end]]
                places, which = np.unique(held[:, 0], return_inverse=True)
                counts = np.bincount(which, held[:, 1], minlength=len(places))
                yield np.column_stack([places, counts.astype(np.int64)])

    def _holding(self, word: str) -> Whole:
        number = self._numbers.get(word)
        return NOWHERE if number is None else self._held[self._ends[number] : self._ends[number + 1]]

    def _saying(self, wanted: str, parts: Iterable[str]) -> Whole:
        places = reduce(np.intersect1d, (self._holding(part)[:, 0] for part in parts))
        held = [(place, self._texts[place].count(wanted)) for place in places.tolist()]
        return np.array([each for each in held if each[1]], dtype=np.int64).reshape(-1, 2)


def _added(packed: bytes) -> int:
    """Return the sum of SQLite's integers of variable length: https://sqlite.org/fileformat2.html#varint."""
    total = value = 0
    for byte in packed:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            total, value = total + value, 0
    return total


@dataclass(frozen=True, slots=True)
class Overview:
    """All sessions of a catalogue or a published database as they were when it was read.

    Attributes:
        ids: of sessions, in order.
        dates: when each began, ISO 8601; "" where nobody said.
        languages: of current transcripts, BCP-47.
        known: of each session, what is shown of it.
        mixed: where sessions stand that have transcripts in several languages.
        names: of titles and people.
    """

    ids: Whole
    dates: npt.NDArray[np.str_]
    languages: tuple[str, ...]
    known: tuple[Known, ...]
    mixed: Whole
    names: TitlesAndPeople
    _partly: _Partly
    _facets: dict[str, _Facet]
    _firsts: Whole
    _lasts: Whole
    _owners: Whole

    @classmethod
    def read(cls, conn: sqlite3.Connection) -> Overview:
        """Read what a database holds now."""
        rows = conn.execute(SESSIONS).fetchall()
        ids = np.array([row[0] for row in rows], dtype=np.int64)
        people, transcripts = conn.execute(PEOPLE).fetchall(), conn.execute(TRANSCRIPTS).fetchall()
        columns: dict[str, Iterable[Sequence[Any]]] = {
            "event": ((row[0], row[2], row[3]) for row in rows),
            "series": ((row[0], row[4], row[5]) for row in rows),
            "speaker": conn.execute(SPEAKING).fetchall(),
            "person": people,
            "language": _within(transcripts),
            "track": ((row[0], row[6], row[6]) for row in rows),
            "year": ((row[0], row[7], row[7]) for row in rows),
            "kind": ((row[0], row[8], row[8]) for row in rows),
        }
        passages = {session: (first, last) for session, first, last in conn.execute(SPANS)}
        ranges = np.array([passages.get(row[0], (1, 0)) for row in rows], dtype=np.int64).reshape(-1, 2)
        spoken = np.flatnonzero(ranges[:, 1])
        facets = {name: _facet(ids, values) for name, values in columns.items()}
        partly = _Partly.of(ids, facets["language"], transcripts)
        return cls(
            ids,
            np.array([row[1] for row in rows], dtype=np.str_),
            tuple(sorted({language for _, _, language in transcripts})),
            tuple(Known(row[2], row[3], *row[9:13]) for row in rows),
            np.unique(facets["language"].sessions[partly.pairs]),
            TitlesAndPeople.read(conn, rows, people),
            partly,
            facets,
            ranges[:, 0],
            ranges[:, 1],
            spoken[np.argsort(ranges[spoken, 0])],
        )

    @property
    def spoken(self) -> str:
        """The language that most sessions speak, BCP-47."""
        counted = self._facets["language"].count(np.ones(len(self._facets["language"].sessions), dtype=np.bool_))
        return counted[0].value if counted else UNDETERMINED

    def places(self, sessions: Whole) -> Whole:
        """Return where sessions stand, by their ids; -1 for what is none."""
        if not len(self.ids):
            return np.full(len(sessions), -1)
        found = np.minimum(np.searchsorted(self.ids, sessions), len(self.ids) - 1)
        return np.where(self.ids[found] == sessions, found, -1)

    def owners(self, passages: Whole) -> Whole:
        """Return where the sessions of passages stand, by the passages' ids."""
        return self._owners[np.searchsorted(self._firsts[self._owners], passages, side="right") - 1]

    def passages(self, place: int) -> tuple[int, int]:
        """Return the first and the last id of a session's passages; (1, 0) where it has none."""
        return int(self._firsts[place]), int(self._lasts[place])

    @property
    def highest(self) -> int:
        """The highest id of a passage; 0 where there is none."""
        return int(self._lasts.max(initial=0))

    @property
    def count(self) -> int:
        """How many passages there are: those of a session have ids without a gap, and gaps are between sessions."""
        spoken = self._lasts > 0
        return int((self._lasts - self._firsts + 1)[spoken].sum())

    def reach(self, places: Whole) -> tuple[int, int]:
        """Return the first and the last id of all passages of some sessions; (1, 0) where they have none."""
        spoken = places[self._lasts[places] > 0]
        return (int(self._firsts[spoken].min()), int(self._lasts[spoken].max())) if len(spoken) else (1, 0)

    def facets(self, chosen: Marked, heard: Collection[int] | None = None) -> dict[str, tuple[FacetValue, ...]]:
        """Return how many of some sessions have each value that can be filtered by, the most frequent first.

        Args:
            chosen: which sessions.
            heard: where it matters in which language something was said: the transcripts in which it was, at least
                those of the sessions that are `mixed`.
        """
        counted = {name: facet.count(chosen[facet.sessions]) for name, facet in self._facets.items()}
        if heard is not None:
            languages = self._facets["language"]
            spoken = chosen[languages.sessions]
            self._partly.leave_out(spoken, heard)
            counted["language"] = languages.count(spoken)
        return {name: values for name, values in counted.items() if values}


def _within(rows: Sequence[tuple[int, int, str]]) -> Iterator[tuple[int, str, str]]:
    """Yield sessions with each language that includes one of their transcripts', as a search in it does."""
    spoken = {language for _, _, language in rows}
    including = {language: [tag for tag in spoken if _includes(tag, language)] for language in spoken}
    for session, tag in sorted({(session, tag) for session, _, language in rows for tag in including[language]}):
        yield session, tag, tag


def _includes(tag: str, language: str) -> bool:
    """Whether a search in a language finds what is in another: ``en`` has what is in ``en-GB``."""
    return f"{language}-".startswith(f"{tag}-")


def _facet(ids: Whole, rows: Iterable[Sequence[Any]]) -> _Facet:
    """Return a facet from sessions, values and labels; what has no value is passed over."""
    holders: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for session, value, label in rows:
        if value:
            holders[value, label].append(session)
    values = sorted(holders, key=lambda each: each[::-1])
    sessions = np.array([session for value in values for session in holders[value]], dtype=np.int64)
    which = np.repeat(np.arange(len(values)), [len(holders[value]) for value in values])
    return _Facet(tuple(values), np.searchsorted(ids, sessions), which)
