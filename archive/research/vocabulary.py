"""The words of a part of the archive, and how often each was said.

What was said is what current transcripts have, translations apart, and without what was heard with doubt. Of whole
years, events, people and languages, words are counted once a publication (`write_counts`); of any other part when
somebody asks.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal, NamedTuple, TypeAlias

from archive.catalogue.current import CURRENT
from archive.index.tokens import fold_each, shown
from archive.search.budget import Budget
from archive.search.filters import STARTED, Filters, Scope
from archive.sqlite import sqlite3

Kind: TypeAlias = Literal["all", "year", "event", "speaker", "language"]
KINDS: tuple[Kind, ...] = ("all", "year", "event", "speaker", "language")
"""Parts whose words are counted once a publication: `archive.search.filters.Filters` has each but the first."""
LEAST = 2
"""How often a word is said in a part of the archive that has it in its list."""

SAID = (
    "FROM segment JOIN transcript ON transcript.id = transcript_id AND transcript.kind <> 'translation'"
    f" JOIN recording ON recording.id = transcript.recording_id AND {CURRENT}"
    " JOIN session ON session.id = session_id AND flags = '[]'"
)
"""SQL for the segments that count, each with its transcript, recording and session."""


@dataclass(slots=True)
class Vocabulary:
    """Words of a part of the archive.

    Attributes:
        counts: how often each word is said, as `archive.index.tokens.shown` writes it.
        size: how many words are said in all.
        complete: whether every word was counted; what `LEAST` leaves out is no fault.
    """

    counts: Counter[str] = field(default_factory=Counter)
    size: int = 0
    complete: bool = True

    def without(self, part: Vocabulary) -> Vocabulary:
        """Return what is left of the whole archive without a part."""
        return Vocabulary(self.counts - part.counts, max(self.size - part.size, 0), self.complete and part.complete)


def read_words(conn: sqlite3.Connection, filters: Filters, scope: Scope, budget: Budget) -> Vocabulary:
    """Return the words of a part of the archive: as they were counted for the publication, else counted now.

    Args:
        conn: a database.
        filters: what the part is.
        scope: the same, as conditions.
        budget: the time that there is to count.
    """
    return _read_counted(conn, filters) or _count(conn, scope, budget)


def is_counted(conn: sqlite3.Connection) -> bool:
    """Return whether a database has the counts of a publication."""
    return bool(conn.execute("SELECT EXISTS (SELECT 1 FROM speech)").fetchone()[0])


def words_by_session(conn: sqlite3.Connection, scope: Scope, budget: Budget) -> dict[int, int]:
    """Return how many words were said in each session in which there were any."""
    found = dict(
        conn.execute(
            "SELECT session.id, sum(words) FROM speech JOIN session ON session.id = session_id"
            f" WHERE words > 0{scope.rows} GROUP BY session.id ORDER BY session.id",
            scope.values,
        ).fetchall()
    )
    return found or dict(_size_by_session(conn, scope, budget))


def _size_by_session(conn: sqlite3.Connection, scope: Scope, budget: Budget) -> Iterator[tuple[int, int]]:
    rows = conn.execute(f"SELECT session.id, text {SAID}{scope.rows} ORDER BY session.id", scope.values)
    for session, said in groupby(rows, key=lambda row: row[0]):
        if budget.is_over():
            return
        if size := sum(len(text.split()) for text in fold_each([text for _, text in said])):
            yield int(session), size


def _read_counted(conn: sqlite3.Connection, filters: Filters) -> Vocabulary | None:
    """Return the words of a part that was counted for the publication; None for any other."""
    chosen = filters.chosen() or {"all": ""}
    if len(chosen) > 1 or not set(chosen) <= set(KINDS):
        return None
    ((kind, value),) = chosen.items()
    rows = conn.execute(_PART, {"kind": kind, "value": value}).fetchall()
    if not rows:
        return None
    found = Vocabulary()
    for number, words in rows:
        counts = conn.execute("SELECT word, count FROM part_word WHERE part_id = ?", (number,))
        found.counts.update(dict(map(tuple, counts)))
        found.size += words
    return found


_PART = (
    "SELECT id, words FROM part WHERE kind = :kind AND (value = :value"
    " OR kind = 'language' AND value LIKE :value || '-%')"
)
ROWS = 2_000
"""Segments between two looks at the clock."""


def _count(conn: sqlite3.Connection, scope: Scope, budget: Budget) -> Vocabulary:
    """Count the words of what a scope searches, until time is up."""
    found = Vocabulary()
    counts: Counter[str] = Counter()
    spoken = " AND (transcript.language = :language OR transcript.language LIKE :language || '-%')"
    language = spoken if scope.language else ""
    rows = conn.execute(f"SELECT text {SAID}{scope.rows}{language}{scope.segments}", scope.values)
    while texts := rows.fetchmany(ROWS):
        if budget.is_over():
            found.complete = False
            break
        counts.update(_words(text for (text,) in texts))
    found.counts, found.size = _shown(counts), counts.total()
    return found


def _words(texts: Iterable[str]) -> list[str]:
    return " ".join(fold_each(list(texts))).split()


def _shown(counts: Counter[str]) -> Counter[str]:
    """Return words as people write them; no two become one."""
    return Counter({shown(word): count for word, count in counts.items()})


def write_counts(conn: sqlite3.Connection) -> None:
    """Count who said how much, and the words of each year, event, person and language, in a database to be published.

    The caller owns the transaction. The words of an event or a person are in memory while it is counted, and those of
    years and languages until the end.
    """
    for table in ("part_word", "part", "speech"):
        conn.execute(f"DELETE FROM {table}")
    whole: defaultdict[tuple[Kind, str], Tally] = defaultdict(Tally)
    for event, sessions in groupby(conn.execute(_SESSIONS).fetchall(), key=lambda row: row[1]):
        gathered = Tally()
        for session, _, year in sessions:
            for each in spoken(conn, session):
                write_speech(conn, session, each)
                told: tuple[tuple[Kind, str | None], ...] = (("all", ""), ("year", year), ("language", each.language))
                for tally in (gathered, *(whole[kind, value] for kind, value in told if value is not None)):
                    tally.add(session, each.words)
        _write_part(conn, "event", event, gathered)
    for (kind, value), tally in whole.items():
        _write_part(conn, kind, value, tally)
    for person, slug in conn.execute(_PEOPLE).fetchall():
        _write_part(conn, "speaker", slug, of_person(conn, person))


@dataclass(slots=True)
class Tally:
    """What is counted of a part: words and sessions."""

    counts: Counter[str] = field(default_factory=Counter)
    sessions: set[int] = field(default_factory=set)

    def add(self, session: int, words: list[str]) -> None:
        """Count words of a session."""
        self.counts.update(words)  # of words, not of counts, which Python would add one by one
        self.sessions.add(session)


def _write_part(conn: sqlite3.Connection, kind: Kind, value: str, tally: Tally) -> None:
    """Write a part, with the words that it has often enough."""
    if not tally.counts:
        return
    added = conn.execute(
        "INSERT INTO part(kind, value, sessions, words, different) VALUES (?, ?, ?, ?, ?)",
        (kind, value, len(tally.sessions), tally.counts.total(), len(tally.counts)),
    ).lastrowid
    often = sorted((shown(word), count) for word, count in tally.counts.items() if count >= LEAST)
    conn.executemany("INSERT INTO part_word VALUES (?, ?, ?)", ((added, *each) for each in often))


class Spoken(NamedTuple):
    """What a voice says in a transcript, or nobody in particular: what is certain of it."""

    transcript: int
    language: str
    speaker: int | None
    segments: int
    words: list[str]
    spoken_ms: int


def spoken(conn: sqlite3.Connection, session: int) -> Iterator[Spoken]:
    """Yield what is said in a session, by transcript and voice."""
    rows = conn.execute(_SPEECH, (session,)).fetchall()
    for (transcript, language, speaker), said in groupby(rows, key=lambda row: tuple(row[:3])):
        texts, lengths = zip(*((text, length) for *_, text, length in said), strict=True)
        yield Spoken(transcript, language, speaker, len(texts), _words(texts), sum(lengths))


def write_speech(conn: sqlite3.Connection, session: int, each: Spoken) -> None:
    """Write who said how much."""
    conn.execute(
        "INSERT INTO speech(session_id, transcript_id, speaker_tag_id, segments, words, spoken_ms)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (session, each.transcript, each.speaker, each.segments, len(each.words), each.spoken_ms),
    )


def of_person(conn: sqlite3.Connection, person: int, without: Collection[int] = ()) -> Tally:
    """Count what a person says, but in some sessions."""
    tally = Tally()
    rows = conn.execute(_OF_PERSON, (person,)).fetchall()
    for session, said in groupby(rows, key=lambda row: row[0]):
        if session not in without:
            tally.add(session, _words(text for _, text in said))
    return tally


_SESSIONS = (
    f"SELECT session.id, event.slug, substr({STARTED}, 1, 4) FROM session JOIN event ON event.id = event_id"
    " ORDER BY event.id, session.id"
)
# In this order, of which SQLite knows nothing before it has counted its tables: from sessions and people to segments.
_SPEECH = (
    "SELECT transcript.id, transcript.language, speaker_tag_id, text, end_ms - start_ms FROM recording"
    " CROSS JOIN transcript ON recording_id = recording.id AND transcript.kind <> 'translation'"
    f" CROSS JOIN segment ON transcript_id = transcript.id AND flags = '[]' WHERE session_id = ? AND {CURRENT}"
    " ORDER BY transcript.id, speaker_tag_id, segment.position"
)
_PEOPLE = "SELECT person.id, slug FROM person WHERE id IN (SELECT person_id FROM speaker_tag) ORDER BY person.id"
_OF_PERSON = (
    "SELECT session_id, text FROM speaker_tag CROSS JOIN segment ON speaker_tag_id = speaker_tag.id AND flags = '[]'"
    " CROSS JOIN transcript ON transcript.id = transcript_id AND transcript.kind <> 'translation'"
    " CROSS JOIN recording ON recording.id = transcript.recording_id"
    f" WHERE person_id = ? AND session_id IS NOT NULL AND {CURRENT} ORDER BY session_id"
)
