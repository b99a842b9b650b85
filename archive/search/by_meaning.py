"""The third tier: what means the same as a query, in whatever words and language (`archive.index.encoder`).

It is asked where words find little, follows what they find, and is marked "about this". The vector of a query is
compared with that of every window (`archive.index.meanings`): for 2,000 hours that takes some hundredths of a second.
What somebody meant as it stands is not looked for in other words: phrases in quotes, words that are to be near each
other, what is left out, and what one person said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from archive.catalogue.current import CURRENT
from archive.index.encoder import DIMENSIONS, Encoder, Vectors
from archive.index.meanings import unpack
from archive.search.asked import Asked
from archive.search.filters import IN_LANGUAGE
from archive.search.hits import Passage, Ranked, read_passages
from archive.search.moments import Moment, Stretch, read_segments
from archive.search.partial import Parts
from archive.search.query import Node, Or, Phrase, Prefix, Word, leaves
from archive.search.rank import FUSED
from archive.search.session_table import Marked, Overview, Real, Whole
from archive.sqlite import sqlite3
from metadata.captions.cues import ends_sentence

LEAST = 0.2
"""The cosine of what is about something at least: texts that have nothing to do with each other reach that rarely."""
OF_THE_BEST = 0.6
"""Of the best cosine, the least that others must have."""
MOST_SAID, WORDS_LEAD = 0.6, 0.9
"""Of what the words of a query count, so much stands in one passage where they lead; and what they count there."""
LISTED_ABOUT = 20
"""Sessions, or moments, that are listed because of what they mean."""
SHOWN_CHARACTERS = 300
"""Of what is said in a window, what is shown at most, or one segment; the rest can be heard."""
LIKE, ALIKE = 4, 0.4
"""Moments of other sessions that are like what is said in one, at most; and the cosine that they have at least."""
TOGETHER = 512
"""Vectors that are compared at once: as numbers of four bytes they fit into a processor's cache."""
LONGEST_QUERY = 500
"""Characters of a query that are understood."""
NO_WORDS: Node = Or(())
"""What is highlighted where no word was found."""

_FIELD = re.compile(r"(?<!\S)-?\w+:(?:\"[^\"]*\"|\S*)")
_OPERATOR = re.compile(r"(?<!\S)(?:OR|AND|NOT|near/\d*)(?!\S)|[()*]")


@dataclass(frozen=True, slots=True)
class Meanings:
    """All windows of a database; arrays have a place for each.

    Attributes:
        encoder: the name of what made their vectors.
        sessions: their sessions' ids.
        transcripts: their transcripts' ids.
        firsts, lasts: from which position to which segments are theirs.
    """

    encoder: str
    sessions: Whole
    transcripts: Whole
    firsts: Whole
    lasts: Whole
    _vectors: npt.NDArray[np.int8]
    _lengths: Vectors

    @classmethod
    def read(cls, conn: sqlite3.Connection) -> Meanings:
        """Read the vectors of current transcripts, of the encoder that made the last of them.

        A database that is older than vectors has none.
        """
        rows = []
        if conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'meaning'").fetchone():
            rows = conn.execute(
                "SELECT session_id, transcript_id, first_position, last_position, vector, encoder FROM meaning"
                " JOIN transcript ON transcript.id = transcript_id JOIN recording ON recording.id = recording_id"
                " WHERE encoder = (SELECT encoder FROM meaning ORDER BY id DESC LIMIT 1)"
                f" AND length(vector) = ? AND session_id IS NOT NULL AND {CURRENT}"
                " ORDER BY session_id, meaning.id",
                (DIMENSIONS,),
            ).fetchall()
        vectors = unpack([row[4] for row in rows], DIMENSIONS)
        columns = np.array([row[:4] for row in rows], dtype=np.int64).reshape(-1, 4)
        squares = np.empty(len(vectors), dtype=np.float32)
        for begin in range(0, len(vectors), TOGETHER):
            some = vectors[begin : begin + TOGETHER].astype(np.float32)
            squares[begin : begin + TOGETHER] = np.einsum("ij,ij->i", some, some)
        sessions, transcripts, firsts, lasts = columns.T
        encoder = rows[0][5] if rows else ""
        return cls(encoder, sessions, transcripts, firsts, lasts, vectors, np.sqrt(np.maximum(squares, 1.0)))

    def __len__(self) -> int:
        """Return how many windows there are."""
        return len(self.sessions)

    def passage(self, window: int) -> Passage:
        """Return where a window is."""
        session, transcript = int(self.sessions[window]), int(self.transcripts[window])
        return Passage(session, transcript, int(self.firsts[window]), int(self.lasts[window]), 0.0)

    def _of(self, session: int) -> tuple[int, Vectors]:
        """Return the first window of a session, and the vectors of all of them, of length 1."""
        begin, end = np.searchsorted(self.sessions, [session, session + 1]).tolist()
        return begin, self._vectors[begin:end].astype(np.float32) / self._lengths[begin:end, None]

    def directions(self) -> tuple[Whole, Vectors]:
        """Return all sessions that have windows, and in which direction each goes from what all speak of."""
        known = np.unique(self.sessions)
        middles = np.array([self._of(int(each))[1].mean(axis=0) for each in known], dtype=np.float32)
        apart = middles - middles.mean(axis=0) if len(known) else np.empty((0, DIMENSIONS), dtype=np.float32)
        lengths = np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-6)
        return known, np.divide(apart, lengths, dtype=np.float32)

    def like(self, session: int, directions: tuple[Whole, Vectors]) -> list[int]:
        """Return the windows of other sessions that are most like one of a session, the best first.

        The sessions that speak of the same as a whole are found first, and in each of them the nearest window.
        """
        known, apart = directions
        place = int(np.searchsorted(known, session))
        if place == len(known) or known[place] != session:
            return []
        near = apart @ apart[place]
        near[place] = -2.0
        found = []
        own = self._of(session)[1]
        for other in np.argsort(-near, kind="stable")[:LIKE].tolist():
            begin, theirs = self._of(int(known[other]))
            cosines = (theirs @ own.T).max(axis=1)
            if other != place and cosines.max() >= ALIKE:
                found.append((float(cosines.max()), begin + int(cosines.argmax())))
        return [window for _, window in sorted(found, reverse=True)]

    def cosines(self, vector: Vectors) -> Vectors:
        """Return how near each window is to a vector of length 1: 1 where they say the same."""
        found = np.empty(len(self), dtype=np.float32)
        room = np.empty((TOGETHER, DIMENSIONS), dtype=np.float32)
        for begin in range(0, len(self), TOGETHER):
            some = self._vectors[begin : begin + TOGETHER]
            np.copyto(room[: len(some)], some)
            found[begin : begin + TOGETHER] = room[: len(some)] @ vector
        return found / self._lengths


@dataclass(frozen=True, slots=True)
class AboutMatches:
    """The sessions that are about what a query asks for.

    Attributes:
        fused: of each session in the overview's order, what it counts by reciprocal rank; 0 where it is none of them.
        windows: those that are near the query, the best first: at most one of a session where sessions are asked for.
    """

    fused: Real
    windows: tuple[int, ...]
    _meanings: Meanings
    _owners: Whole

    def beside(self, exact: Marked) -> Whole:
        """Return where sessions stand that are about a query, beside some that have all of it."""
        return np.flatnonzero((self.fused > 0) & ~exact)

    def of(self, places: Iterable[int]) -> dict[int, int]:
        """Return the best window of each of some sessions that has one."""
        best = {int(self._owners[window]): window for window in reversed(self.windows)}
        return {place: best[place] for place in places if place in best}

    def transcripts(self, places: Iterable[int]) -> list[int]:
        """Return in which transcripts sessions are about a query."""
        return [int(self._meanings.transcripts[window]) for window in self.of(places).values()]

    def moments(self, asked: Asked, windows: Iterable[int], weights: Mapping[Node, float]) -> list[Ranked]:
        """Return what windows are shown by (`telling`); their scores are 0."""
        return telling(asked.conn, [self._meanings.passage(window) for window in windows], weights)


def telling(conn: sqlite3.Connection, windows: Sequence[Passage], weights: Mapping[Node, float]) -> list[Ranked]:
    """Return of each window the sentence that has most of a query, else its first one; their scores are 0.

    Args:
        conn: the database.
        windows: the windows.
        weights: what each term of the query counts; none where there is no query.
    """
    read = list(read_passages(conn, windows))
    segments = read_segments(conn, [_moment(stretch, range(len(stretch.positions))) for _, stretch in read])
    found = []
    for passage, stretch in read:
        texts = [segments[stretch.transcript, position].text for position in stretch.positions]
        best = _most_telling(stretch, list(sentences(texts)), weights)
        found.append(Ranked(passage, stretch, _moment(stretch, best), 0.0))
    return found


def _most_telling(stretch: Stretch, parts: Sequence[tuple[int, ...]], weights: Mapping[Node, float]) -> tuple[int, ...]:
    """Return that of some parts of a stretch whose terms count most, each once; the first of those that count alike."""
    said = [
        ({stretch.locate(span.start)[0] for span in stretch.matcher.spans(node)}, weight)
        for node, weight in weights.items()
    ]
    return max(parts, key=lambda lines: sum(weight for held, weight in said if not held.isdisjoint(lines)))


def _moment(stretch: Stretch, lines: Sequence[int]) -> Moment:
    key = (stretch.transcript, *(stretch.positions[line] for line in lines))
    return Moment(key, tuple(lines), stretch.starts[lines[0]], (0, 0))


def sentences(texts: Sequence[str]) -> Iterator[tuple[int, ...]]:
    """Yield which segments each sentence has; of one that is longer than what is shown, of each part of it.

    >>> list(sentences(["A lighthouse", "stands.", "It burns."]))
    [(0, 1), (2,)]
    """
    part: list[int] = []
    for line, text in enumerate(texts):
        part.append(line)
        following = len(" ".join(texts[part[0] : line + 2]))
        if ends_sentence(text) or following > SHOWN_CHARACTERS:
            yield tuple(part)
            part = []
    if part:
        yield tuple(part)


def no_meaning(overview: Overview) -> AboutMatches:
    """Return that nothing is known to be about a query."""
    nothing = np.empty(0, dtype=np.int64)
    empty = Meanings(
        "", nothing, nothing, nothing, nothing, np.empty((0, DIMENSIONS), dtype=np.int8), np.empty(0, np.float32)
    )
    return AboutMatches(np.zeros(len(overview.ids)), (), empty, nothing)


def can_be_meant(asked: Asked, parts: Parts) -> bool:
    """Whether a query may be answered in other words than its own."""
    if asked.closely or parts.unwanted or any(term.demanded for term in parts.terms):
        return False
    typed = [leaf for term in parts.terms for leaf in leaves(term.typed)]
    if any(isinstance(leaf, Prefix) for leaf in typed):
        return False
    said = [word for leaf in typed if isinstance(leaf, Word | Phrase) for word in _words(leaf)]
    return sum(len(word) > 1 or not word.isascii() for word in said) > 1


def _words(leaf: Word | Phrase) -> tuple[str, ...]:
    return (leaf.text,) if isinstance(leaf, Word) else leaf.words


def words_count(share: float) -> float:
    """Return what words count beside meaning, of 1, where two rankings are fused.

    Args:
        share: of what the words of a query count, what stands in one passage. From `MOST_SAID` on the words lead, and
            what is about the same follows.
    """
    return share if share < MOST_SAID else WORDS_LEAD


def covers(about: Ranked, other: Ranked) -> bool:
    """Whether a window has a moment in it that was found by words."""
    first, last = other.moment.key[1], other.moment.key[-1]
    window = about.passage
    return window.transcript == other.passage.transcript and window.first <= first and last <= window.last


def find_by_meaning(
    asked: Asked, text: str, encoder: Encoder, meanings: Meanings, overview: Overview, *, each_session_once: bool
) -> AboutMatches:
    """Return what is about a query.

    Args:
        asked: where to search.
        text: the query as it was typed.
        encoder: what turns it into a vector.
        meanings: of the database.
        overview: of all sessions.
        each_session_once: whether sessions are asked for, or moments.
    """
    cosines = meanings.cosines(encoder.encode([_plain(text)])[0])
    owners = overview.places(meanings.sessions)
    cosines[~_searched(asked, meanings) | (owners < 0)] = -1.0
    best = np.flatnonzero(cosines >= max(LEAST, OF_THE_BEST * float(cosines.max(initial=0.0))))
    best = best[np.argsort(-cosines[best], kind="stable")]
    sessions, first = np.unique(owners[best], return_index=True)
    order = np.argsort(first)[:LISTED_ABOUT]
    fused = np.zeros(len(overview.ids))
    fused[sessions[order]] = 1 / (FUSED + np.arange(len(order)))
    windows = best[first[order]] if each_session_once else best[:LISTED_ABOUT]
    return AboutMatches(fused, tuple(windows.tolist()), meanings, owners)


def _plain(text: str) -> str:
    """Return what a query asks for, without fields and operators."""
    return " ".join(_OPERATOR.sub(" ", _FIELD.sub(" ", text[:LONGEST_QUERY])).split())


def _searched(asked: Asked, meanings: Meanings) -> npt.NDArray[np.bool_]:
    """Return which windows lie in a scope."""
    found = np.ones(len(meanings), dtype=np.bool_)
    conn, scope = asked.conn, asked.scope
    if scope.rows:
        rows = conn.execute(f"SELECT id FROM session WHERE true{scope.rows}", scope.values).fetchall()
        found &= np.isin(meanings.sessions, [row[0] for row in rows])
    if scope.language:
        rows = conn.execute(f"SELECT id FROM transcript WHERE {IN_LANGUAGE}", scope.values).fetchall()
        found &= np.isin(meanings.transcripts, [row[0] for row in rows])
    return found
