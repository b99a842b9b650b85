"""Hits: what a reader sees of a passage that matches, or of a session that does as a whole."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar

from archive.catalogue.current import CURRENT, NOT_SUPERSEDED
from archive.index.passages import LONGEST_PHRASE
from archive.index.tokens import BARRIER, RECORD, fold, fold_records
from archive.search.budget import Budget
from archive.search.filters import IN_LANGUAGE, STARTED, Scope
from archive.search.matcher import Matcher
from archive.search.moments import Excerpt, Moment, Segments, Stretch, excerpts, highlights
from archive.search.query import Leaf, Node, Or, Phrase, Prefix, Stemmed, Word, leaves, to_fts5
from archive.sqlite import sqlite3
from archive.urls import session_url
from metadata.languages import UNDETERMINED

T = TypeVar("T")
Match: TypeAlias = Literal["all words", "some words", "about this"]
"""How much of a query something has: all that is asked for, most of its words, or the same in other words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A moment in which the query was said, or a session that is about it (then at 0, with its abstract).

    Attributes:
        event, session: slugs.
        event_title, title: the event's and the session's titles.
        language: BCP-47, of the segment where it says, else of the transcript.
        start_ms: where the first matching word begins, or its segment where words have no times.
        end_ms: where the last segment of the hit ends.
        text: the segments that the match lies in; an ellipsis stands for segments between them.
        matches: characters ``(start, end)`` of ``text`` to highlight, in order and apart.
        before, after: the ends of the neighbouring segments' text, or "".
        url: the session's page at this moment.
        score: higher is better; comparable within one search only.
        transcript: the version that the text stands in; None where the session has none.
        positions: of the segments of the text in that transcript, in order; none for a session as a whole.
        match: how much of the query it has.
        start_at: when the session began, ISO 8601 with an offset, or its day, or its event's; None where nobody said.
        speaker: who speaks where the match begins: a person's name, else what the transcript calls the voice.
    """

    event: str
    event_title: str
    session: str
    title: str
    language: str
    start_ms: int
    end_ms: int
    text: str
    matches: tuple[tuple[int, int], ...]
    before: str
    after: str
    url: str
    score: float
    transcript: str | None
    match: Match = "all words"
    positions: tuple[int, ...] = ()
    start_at: str | None = None
    speaker: str | None = None


class Passage(NamedTuple):
    """A passage that matches. ``doubtful``: it is a segment that was heard with doubt."""

    session: int
    transcript: int
    first: int
    last: int
    score: float
    doubtful: bool = False


class Ranked(NamedTuple):
    """A moment of a passage, with a score of its own."""

    passage: Passage
    stretch: Stretch
    moment: Moment
    score: float


IN_SESSION = """
SELECT rowid FROM passage_fts WHERE passage_fts MATCH :query
AND rowid BETWEEN (SELECT min(id) FROM passage WHERE session_id = :session)
AND (SELECT max(id) FROM passage WHERE session_id = :session)
AND +rowid IN (SELECT id FROM passage WHERE session_id = :session)
"""


PASSAGES_A_STATEMENT = 50
"""Passages that are read by one statement."""
# As one value a passage: to make a row of each segment takes thrice as long. How many of them are not to be found
# stands before the texts.
_TEXTS = f"""
(SELECT count(CASE WHEN (flags = '[]') <> {{}} THEN 1 END) || char({ord(RECORD)})
|| group_concat(text, char({ord(RECORD)}) ORDER BY position) FROM segment
WHERE segment.transcript_id = {{}} AND position BETWEEN {{}} AND {{}})
"""
TEXTS = "SELECT {} FROM json_each(?) AS wanted ORDER BY wanted.key".format(
    _TEXTS.format("wanted.value ->> 3", "wanted.value ->> 0", "wanted.value ->> 1", "wanted.value ->> 2")
)
INDEXED = (
    "SELECT passage.id, session_id, transcript_id, first_position, last_position, {} FROM passage"
    " WHERE id IN (SELECT value FROM json_each(?))"
).format(_TEXTS.format("1", "passage.transcript_id", "first_position", "last_position"))
EACH = (
    "SELECT position, CASE WHEN (flags = '[]') = :clear{} THEN text END FROM segment"
    " WHERE transcript_id = :of AND position BETWEEN :start AND :stop ORDER BY position"
)


OF_IDS = (
    "SELECT id, session_id, transcript_id, first_position, last_position FROM passage"
    " WHERE id IN (SELECT value FROM json_each(?))"
)
SPEAKER_PASSAGES = 10_000
"""Passages that are read to see who said what in them."""


def read_passages(
    conn: sqlite3.Connection, passages: Sequence[Passage], scope: Scope | None = None
) -> Iterator[tuple[Passage, Stretch]]:
    """Yield passages with the words of their segments, in order: of those alone that a scope searches."""
    if scope and scope.segments:
        yield from ((passage, _read_each(conn, passage, scope)) for passage in passages)
        return
    for some in _together(passages):
        wanted = [[each.transcript, each.first, each.last, not each.doubtful] for each in some]
        for passage, (texts,) in zip(some, conn.execute(TEXTS, (json.dumps(wanted),)).fetchall(), strict=True):
            yield passage, _stretch(conn, passage, texts)


def read_indexed(
    conn: sqlite3.Connection, wanted: Sequence[int], scope: Scope | None = None
) -> Iterator[tuple[Passage, Stretch]]:
    """Yield passages, by their ids in the index, as `read_passages` does; their scores are 0."""
    if scope and scope.segments:
        found = conn.execute(OF_IDS, (json.dumps(wanted),)).fetchall()
        passages = {each[0]: Passage(each[1], each[2], each[3], each[4], 0.0) for each in found}
        yield from read_passages(conn, [passages[each] for each in wanted], scope)
        return
    for some in _together(wanted):
        rows = {row[0]: row[1:] for row in conn.execute(INDEXED, (json.dumps(some),))}
        for session, transcript, first, last, texts in map(rows.__getitem__, some):
            passage = Passage(session, transcript, first, last, 0.0)
            yield passage, _stretch(conn, passage, texts)


def _together(each: Sequence[T]) -> Iterator[Sequence[T]]:
    return (each[begin : begin + PASSAGES_A_STATEMENT] for begin in range(0, len(each), PASSAGES_A_STATEMENT))


def _stretch(conn: sqlite3.Connection, passage: Passage, joined: str) -> Stretch:
    hidden, _, texts = joined.partition(RECORD)
    if hidden == "0" and texts.count(RECORD) == passage.last - passage.first:
        return Stretch(passage.transcript, range(passage.first, passage.last + 1), fold_records(texts))
    return _read_each(conn, passage)


def _read_each(conn: sqlite3.Connection, passage: Passage, scope: Scope | None = None) -> Stretch:
    """Return the words of a passage, segment by segment."""
    values = (scope.values if scope else {}) | {
        "clear": not passage.doubtful,
        "of": passage.transcript,
        "start": passage.first,
        "stop": passage.last,
    }
    rows = conn.execute(EACH.format(scope.segments if scope else ""), values).fetchall()
    folded = [BARRIER if text is None else fold(text) for _, text in rows]
    return Stretch(passage.transcript, [at for at, _ in rows], folded)


def read_languages(conn: sqlite3.Connection, scope: Scope) -> list[str]:
    """Return the languages in whose forms the words of a query may stand."""
    if scope.language:
        return [scope.language]
    return [tag for (tag,) in conn.execute("SELECT DISTINCT language FROM transcript WHERE is_current = 1")]


def read_doubtful(conn: sqlite3.Connection, budget: Budget, node: Node, scope: Scope) -> list[Passage]:
    """Return the segments that were heard with doubt in which a query matches, in order, each as a passage.

    They are in no index: there are few of them, and they are read one by one.
    """
    condition = f" AND {IN_LANGUAGE}" if scope.language else ""
    found: list[Passage] = []
    with budget.spend(0.8):
        rows = conn.execute(
            "SELECT session.id, transcript.id, segment.position, segment.text FROM segment"
            " JOIN transcript ON transcript.id = transcript_id JOIN recording ON recording.id = recording_id"
            " JOIN session ON session.id = session_id"
            f" WHERE flags <> '[]' AND {CURRENT}{scope.rows}{condition}{scope.segments}"
            " ORDER BY session.id, transcript.id, segment.position",
            scope.values,
        )
        for session, transcript, position, text in rows:
            if Matcher(fold(text)).places(node):
                found.append(Passage(session, transcript, position, position, 2.0, doubtful=True))
    return found


def read_said_by(conn: sqlite3.Connection, budget: Budget, node: Node, scope: Scope) -> list[Passage]:
    """Return the passages in which those whose words a scope searches say what a query asks for, in order.

    No index knows who speaks: passages that match whoever speaks, and in which one of them does, are read one by one.
    """
    rows: list[tuple[int, int, int, int]] = []
    with budget.spend(0.5):
        rows = conn.execute(
            "SELECT session_id, transcript_id, first_position, last_position FROM passage WHERE id IN"
            f" (SELECT rowid FROM passage_fts WHERE passage_fts MATCH :query{scope.passages} LIMIT :most) ORDER BY id",
            scope.values | {"query": to_fts5(node), "most": SPEAKER_PASSAGES},
        ).fetchall()
    found = []
    for passage, stretch in read_passages(conn, [Passage(*row, 2.0) for row in rows], scope):
        if budget.is_over():
            break
        if stretch.matcher.places(node):
            found.append(passage)
    return found


def read_closely(
    conn: sqlite3.Connection, budget: Budget, node: Node, scope: Scope, *, doubtful: bool
) -> list[Passage]:
    """Return the passages in which a query matches, where no index can tell."""
    return (read_doubtful if doubtful else read_said_by)(conn, budget, node, scope)


def passages_of(conn: sqlite3.Connection, wanted: Sequence[int]) -> list[Passage]:
    """Return passages by their ids in the index, in no order."""
    rows = conn.execute(OF_IDS, (json.dumps(wanted),))
    return [Passage(session, transcript, first, last, 0.0) for _, session, transcript, first, last in rows]


def moments_in(
    conn: sqlite3.Connection, budget: Budget, nodes: tuple[Node, Node], passages: Sequence[Passage]
) -> dict[int, int]:
    """Return how many moments sessions have, by id, of a query as it was typed and with other forms of its words.

    Each transcript is read once. Sessions for which there was no time are left out.

    Args:
        conn: the database.
        budget: the time that there is.
        nodes: the query in both forms.
        passages: all that match, of any sessions.
    """
    of: defaultdict[int, list[Passage]] = defaultdict(list)
    for each in passages:
        of[each.transcript].append(each)
    reach = [
        its[0]._replace(first=min(each.first for each in its), last=max(each.last for each in its))
        for its in of.values()
    ]
    # Where every word is a match by itself, it does not matter in which passage it stands.
    node, wide = nodes
    apart = all(isinstance(each, Word | Stemmed) for each in (wide.nodes if isinstance(wide, Or) else (wide,)))
    keys: defaultdict[int, set[tuple[int, ...]]] = defaultdict(set)
    late: set[int] = set()
    for whole, stretch in read_passages(conn, reach):
        for part in (whole,) if apart else of[whole.transcript]:
            keys[whole.session] |= stretch.keys(wide, part.first, part.last)
            if not apart and node != wide:
                keys[whole.session] |= stretch.keys(node, part.first, part.last)
        if budget.is_over():
            late.add(whole.session)
    return {session: len(its) for session, its in keys.items() if session not in late}


def moment_hits(
    conn: sqlite3.Connection,
    moments: Sequence[Ranked],
    node: Node,
    segments: Segments | None = None,
    match: Match = "all words",
) -> list[Hit]:
    """Return moments with their text, highlighted, and where they are from; ``segments`` are theirs, if read before."""
    owners = {(each.passage.session, each.passage.transcript) for each in moments}
    rows = conn.execute(
        "SELECT transcript.id, event.slug, event.title, session.slug, session.title, version, transcript.language,"
        f" {STARTED} FROM json_each(?) AS wanted CROSS JOIN transcript ON transcript.id = wanted.value ->> 1"
        " JOIN session ON session.id = wanted.value ->> 0 JOIN event ON event.id = event_id",
        (json.dumps(sorted(owners)),),
    )
    known = {row[0]: tuple(row[1:]) for row in rows}
    found = excerpts(conn, [(each.stretch, each.moment) for each in moments], node, segments)
    return [_hit(known[each.passage.transcript], what, each, match) for each, what in zip(moments, found, strict=True)]


def _hit(known: tuple[str, str, str, str, str, str, str | None], found: Excerpt, ranked: Ranked, match: Match) -> Hit:
    event, event_title, session, title, version, language, start_at = known
    return Hit(
        event=event,
        event_title=event_title,
        session=session,
        title=title,
        language=found.language or language,
        start_ms=found.start_ms,
        end_ms=found.end_ms,
        text=found.text,
        matches=found.matches,
        before=found.before,
        after=found.after,
        url=session_url(event, session, found.start_ms),
        score=ranked.score,
        transcript=version,
        positions=ranked.moment.key[1:],
        match=match,
        start_at=start_at,
        speaker=found.speaker,
    )


def session_hit(
    conn: sqlite3.Connection,
    session: int,
    score: float,
    node: Node | None,
    match: Match = "all words",
    scope: Scope | None = None,
) -> Hit:
    """Return a session's best moment, or its abstract where nothing of the query was said in it.

    Where a query has no words and asks for somebody, the moment is the first in which they say something of length.
    """
    if node is None and scope is not None and scope.said_by:
        return _said(conn, session, score, scope)
    terms = _terms(node) if node else ()
    weights: defaultdict[int, float] = defaultdict(float)
    for term in terms:
        found = conn.execute(IN_SESSION, {"query": to_fts5(term), "session": session}).fetchall()
        for (passage,) in found:
            weights[passage] += 1 / len(found)  # a word that is rare here tells more
    if not weights:
        return _about(conn, session, score, node, match)
    best = max(weights, key=lambda passage: (weights[passage], -passage))
    ((passage, stretch),) = read_indexed(conn, [best])
    wanted = Or(terms)
    return moment_hits(conn, [Ranked(passage, stretch, stretch.moments(wanted)[0], score)], wanted, match=match)[0]


ENOUGH_MS = 4_000
"""How long what somebody says lasts, from which it tells something of them."""


def _said(conn: sqlite3.Connection, session: int, score: float, scope: Scope) -> Hit:
    about = _about(conn, session, score, None, "all words")
    row = conn.execute(
        "SELECT segment.start_ms, segment.end_ms, text, position, version, coalesce(segment.language,"
        " transcript.language), coalesce(person.name, label) FROM segment JOIN transcript"
        " ON transcript.id = transcript_id JOIN recording ON recording.id = transcript.recording_id"
        " JOIN speaker_tag ON speaker_tag.id = segment.speaker_tag_id LEFT JOIN person ON person.id = person_id"
        f" WHERE recording.session_id = :shown AND {CURRENT} AND flags = '[]'{scope.said_by}"
        " ORDER BY segment.end_ms - segment.start_ms < :enough, transcript.id, position LIMIT 1",
        {**scope.values, "shown": session, "enough": ENOUGH_MS},
    ).fetchone()
    if row is None:
        return about
    start_ms, end_ms, text, position, version, language, speaker = row
    return replace(
        about,
        start_ms=start_ms,
        end_ms=end_ms,
        text=text,
        positions=(position,),
        transcript=version,
        language=language,
        speaker=speaker,
        url=session_url(about.event, about.session, start_ms),
    )


def _about(conn: sqlite3.Connection, session: int, score: float, node: Node | None, match: Match) -> Hit:
    known: dict[str, Any] = {**known_of(conn, session)}
    abstract, language, version = conn.execute(
        "SELECT abstract, coalesce(session.language, transcript.language), version FROM session"
        f" LEFT JOIN recording ON recording.session_id = session.id AND {NOT_SUPERSEDED}"
        " LEFT JOIN transcript ON recording_id = recording.id AND is_current = 1"
        " WHERE session.id = ? ORDER BY version IS NULL, recording.id LIMIT 1",
        (session,),
    ).fetchone()
    text = abstract or known["title"]
    return Hit(
        **known,
        language=language or UNDETERMINED,
        start_ms=0,
        end_ms=0,
        text=text,
        matches=highlights(text, node) if node else (),
        before="",
        after="",
        url=session_url(known["event"], known["session"], 0),
        score=score,
        transcript=version,
        match=match,
    )


def known_of(conn: sqlite3.Connection, session: int) -> dict[str, Any]:
    """Return the slugs and titles of a session and its event, and when it began, as `Hit` names them."""
    row = conn.execute(
        f"SELECT event.slug, event.title, session.slug, session.title, {STARTED} FROM session"
        " JOIN event ON event.id = event_id WHERE session.id = ?",
        (session,),
    ).fetchone()
    return dict(zip(("event", "event_title", "session", "title", "start_at"), row, strict=True))


def _terms(node: Node) -> tuple[Leaf, ...]:
    """Return the terms that are looked for, each short enough to stand in one passage."""
    return tuple(
        Phrase(leaf.words[:LONGEST_PHRASE])
        if isinstance(leaf, Phrase | Prefix) and len(leaf.words) > LONGEST_PHRASE
        else leaf
        for leaf in dict.fromkeys(leaves(node))
    )
