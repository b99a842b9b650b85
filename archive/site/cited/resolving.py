"""What becomes of the address of a moment: where it is now, what was cited, what stands there, and what has changed.

Everything comes from the address and the published database. Words of an address are shown as cited only where the
version that it names confirms them: who makes up a quotation is not shown it on the archive's page. Where words were
taken back or redacted, none is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from archive.anchoring.clocks import SAME, Clock, compare
from archive.anchoring.matching import Quote
from archive.anchoring.prints import Prints, confirmed, prints_of, unpack
from archive.anchoring.resolving import Cited, Found, resolve
from archive.anchoring.spoken import Spoken, spoken
from archive.catalogue.identity import has_identities
from archive.catalogue.transcripts import said_segments
from archive.index.tokens import words as tokens_of
from archive.site.cited.addresses import ELLIPSIS, END, LONG, Address
from archive.site.queries import Tombstone
from archive.site.session_page.page import TimeSpan
from archive.sqlite import sqlite3
from metadata.revising import edits, timed_words

State = Literal["certain", "uncertain", "lost", "withheld"]
Note = Literal["words", "time", "corrected", "heard again", "recording", "unconfirmed", "unknown version"]
"""What has changed, or is not sure."""
APART_MS = 1_000
"""A shift that is worth telling."""
NEAR_MS = 2_000
"""How far words may be from the time of their address."""
VERBATIM = 0.9
"""From which score words that nobody confirms are what was said."""
WORD_MS = 350
"""About how long a word takes."""


class Stand(NamedTuple):
    """The transcript in which a moment stands now, and the recording that it is of."""

    id: int
    version: str
    language: str
    kind: str
    recording: int
    sha256: str
    duration_ms: int | None
    revises: str | None


class Difference(NamedTuple):
    """Words as they were cited, and those that stand there now; "" for none."""

    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What becomes of a moment.

    Attributes:
        state: how sure its place is; ``withheld`` where words were taken back.
        session: its id.
        stand: where it stands now; None where no transcript of it is published.
        cited_version: the full name of the version that was cited; "" where nobody knows it.
        cited_at: when that version was made, ISO 8601 UTC.
        start_ms, end_ms: on the clock of the recording as it is now.
        as_cited: the words, where the version that is named confirms them; "" otherwise.
        as_now: the words that stand there now.
        differences: between the two.
        notes: what has changed, and what is not sure.
    """

    state: State
    session: int
    stand: Stand | None = None
    cited_version: str = ""
    cited_at: str = ""
    start_ms: int = 0
    end_ms: int | None = None
    as_cited: str = ""
    as_now: str = ""
    differences: tuple[Difference, ...] = ()
    notes: tuple[Note, ...] = ()


class _Version(NamedTuple):
    """A version that was cited: current, or known by its prints."""

    version: str
    recording: int
    created_at: str
    kind: str
    language: str
    replaced: int
    prints: bytes | None


def identity_of(conn: sqlite3.Connection, session: int) -> str | None:
    """Return what names a session for good; None where an older Rostra published it."""
    if not has_identities(conn):
        return None
    identity: str | None = conn.execute("SELECT identity FROM session WHERE id = ?", (session,)).fetchone()[0]
    return identity


def session_of(conn: sqlite3.Connection, identity: str) -> int | Tombstone | None:
    """Return the id of the session that an identity names, what is left of it, or None."""
    if not conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'earlier_version'").fetchone():
        return None  # an older Rostra published it
    row = conn.execute("SELECT id FROM session WHERE identity = ?", (identity,)).fetchone()
    if row:
        return int(row[0])
    grave = conn.execute("SELECT withdrawn_on, reason FROM tombstone WHERE identity = ?", (identity,)).fetchone()
    return Tombstone(withdrawn_on=grave[0], reason=grave[1]) if grave else None


def look_up(conn: sqlite3.Connection, address: Address) -> Outcome | Tombstone | None:
    """Return what becomes of a moment; what is left of a session that was withdrawn; None where there is neither."""
    session = session_of(conn, address.identity)
    if session is None or isinstance(session, Tombstone):
        return session
    version = _version(conn, session, address.version)
    if version is None:
        return _anywhere(conn, session, address)
    return _in_known(conn, session, address, version)


def read_spoken(conn: sqlite3.Connection, transcript: int) -> Spoken:
    """Return what is said in a transcript."""
    return spoken(word for _, segment in said_segments(conn, transcript) for word in timed_words(segment))


def _version(conn: sqlite3.Connection, session: int, name: str) -> _Version | None:
    """Return the version of a session's transcripts whose name begins so; None where there is not just one."""
    rows = conn.execute(
        "SELECT version, recording_id, created_at, transcript.kind, transcript.language, 0, NULL FROM transcript"
        " JOIN recording ON recording.id = recording_id WHERE session_id = ?1 AND instr(version, ?2) = 1"
        " UNION ALL SELECT version, recording_id, created_at, kind, language, replaced, prints FROM earlier_version"
        " WHERE session_id = ?1 AND instr(version, ?2) = 1",
        (session, name),
    ).fetchall()
    return _Version(*rows[0]) if len(rows) == 1 else None


def _stands(conn: sqlite3.Connection, session: int) -> list[Stand]:
    rows = conn.execute(
        "SELECT transcript.id, version, transcript.language, transcript.kind, recording_id, sha256,"
        " recording.duration_ms, parameters ->> 'revises' FROM transcript"
        " JOIN recording ON recording.id = recording_id WHERE session_id = ? AND is_current"
        " ORDER BY transcript.kind = 'translation', role <> 'floor', recording.id, transcript.id DESC",
        (session,),
    )
    return [Stand(*row) for row in rows]


def _in_known(conn: sqlite3.Connection, session: int, address: Address, version: _Version) -> Outcome:
    """Return a moment of a version that stands, or of which prints are left."""
    told = Outcome(state="lost", session=session, cited_version=version.version, cited_at=version.created_at)
    prints = unpack(version.prints) if version.prints is not None else None
    span = address.span
    if prints and _meets(prints.withheld, span.start_ms, span.end_ms):
        return replace(told, state="withheld")
    stands = _stands(conn, session)
    stand = _successor(stands, version) if prints else next(e for e in stands if e.version == version.version)
    if stand is None:
        return told
    said = read_spoken(conn, stand.id)
    same = prints is None
    if prints:
        now = prints_of(said, version.version)
        clock, starts, same = compare(prints, now), prints.starts, prints.digests == now.digests
        places = _confirmed(prints, version.version, address)
    else:
        clock, starts, places = SAME, said.starts, _verbatim(said, address)
    if _is_redacted(conn, stand, clock, span):
        return replace(told, state="withheld")
    place = min(places, key=lambda each: abs(starts[each] - span.start_ms), default=None)
    start_ms = span.start_ms if place is None else starts[place]
    found = _resolved(said, address, clock, start_ms, stand)
    near = abs(start_ms - span.start_ms) <= NEAR_MS
    if prints is None and place is not None and near:
        found = replace(found, start_ms=span.start_ms, end_ms=span.end_ms)
    sure = near and (place is not None or not address.parts or found.score >= VERBATIM)
    return _outcome(conn, told, address, version, _Place(stand, said, found, sure, place is not None, same))


def _successor(stands: list[Stand], version: _Version) -> Stand | None:
    """Return the transcript that stands in the place of a version: of the same recording and language, if there is."""
    same = [each for each in stands if each.recording == version.recording] or stands
    alike = [each for each in same if (each.kind == "translation") == (version.kind == "translation")] or same
    return next((each for each in alike if each.language == version.language), alike[0] if alike else None)


def _anywhere(conn: sqlite3.Connection, session: int, address: Address) -> Outcome | None:
    """Return where the words of a version that nobody knows are said now: that is never certain."""
    best: _Place | None = None
    for stand in _stands(conn, session) if address.parts else ():
        said = read_spoken(conn, stand.id)
        found = resolve(said, Cited(address.span.start_ms, address.span.end_ms, _quote(address)), stand.duration_ms)
        if found.state != "lost" and (best is None or found.score > best.found.score):
            best = _Place(stand, said, found, False, bool(_verbatim(said, address)), True)
    if best is None:
        return None
    unknown = _Version("", best.stand.recording, "", best.stand.kind, best.stand.language, 0, None)
    return _outcome(conn, Outcome(state="lost", session=session), address, unknown, best)


def _resolved(said: Spoken, address: Address, clock: Clock, start_ms: int, stand: Stand) -> Found:
    """Return where a moment is whose words begin at a time of the version that was cited, which a clock reads."""
    shift = start_ms - address.span.start_ms
    end_ms = None if address.span.end_ms is None else address.span.end_ms + shift
    found = resolve(said, Cited(start_ms, end_ms, _quote(address), clock), stand.duration_ms)
    if len(address.parts) > 1 and end_ms is not None:
        return _to_the_end(said, address, clock, end_ms, stand, found)
    return found


def _to_the_end(said: Spoken, address: Address, clock: Clock, end_ms: int, stand: Stand, begun: Found) -> Found:
    """Return the whole of a quotation that is named by its beginning and its end."""
    last = tuple(tokens_of(address.parts[1]))
    begins_ms = max(end_ms - WORD_MS * len(last), 0)
    ended = resolve(said, Cited(begins_ms, end_ms, Quote(last), clock), stand.duration_ms)
    if ended.end <= begun.first or ended.end_ms is None:
        return begun
    worse: Literal["certain", "uncertain", "lost"] = "uncertain" if ended.state != "certain" else begun.state
    return Found(worse, begun.start_ms, ended.end_ms, begun.first, ended.end, min(begun.score, ended.score))


def _quote(address: Address) -> Quote | None:
    """Return the words of an address by which it is found: its beginning, where it is named by both ends."""
    if not address.parts:
        return None
    exact, before, after = (tuple(tokens_of(text)) for text in (address.parts[0], address.before, address.after))
    return Quote(exact, before, after if len(address.parts) == 1 else ()) if exact else None


def _confirmed(prints: Prints, version: str, address: Address) -> list[int]:
    """Return where a version says the words of an address: the positions of the first."""
    quote = _quote(address)
    if quote is None:
        return []
    places = confirmed(prints, version, (quote.before, quote.exact, quote.after))
    if len(address.parts) == 1:
        return places
    ends = confirmed(prints, version, ((), tuple(tokens_of(address.parts[1])), ()))
    return [place for place in places if any(end > place for end in ends)]


def _verbatim(said: Spoken, address: Address) -> list[int]:
    """Return where a transcript says just the words of an address: the positions of the first."""
    runs = [tuple(tokens_of(part)) for part in address.parts]
    if not runs or not all(runs):
        return []
    places = _runs(said, runs[0])
    ends = _runs(said, runs[-1])
    return [place for place in places if any(end >= place for end in ends)]


def _runs(said: Spoken, run: tuple[str, ...]) -> list[int]:
    return [
        place
        for place, token in enumerate(said.tokens)
        if token == run[0] and said.tokens[place : place + len(run)] == run
    ]


class _Place(NamedTuple):
    """Where a moment was found, and how that is known.

    Attributes:
        sure: whether nothing speaks against it.
        confirmed: whether its words are known to be cited.
        same: whether the version that was cited says what stands there now, in all of the recording.
    """

    stand: Stand
    said: Spoken
    found: Found
    sure: bool
    confirmed: bool
    same: bool


def _outcome(conn: sqlite3.Connection, told: Outcome, address: Address, version: _Version, place: _Place) -> Outcome:
    """Return what is to be told of a moment that was found."""
    stand, said, found, sure, known, same = place
    if found.state != "lost" and _meets(_redactions(conn, stand.recording), found.start_ms, found.end_ms):
        return replace(told, state="withheld")
    cited = address.words if known else ""
    now = "" if found.state == "lost" else _shown(said, found, ends=len(address.parts) > 1)
    told = replace(
        told,
        state="uncertain" if found.state == "certain" and not sure else found.state,
        stand=stand,
        start_ms=found.start_ms,
        end_ms=found.end_ms,
        as_cited=cited,
        as_now=now,
        differences=_differences(cited, now) if cited else (),
    )
    return replace(told, notes=tuple(_notes(address, version, told, known=known, same=same)))


def _shown(said: Spoken, found: Found, *, ends: bool) -> str:
    """Return the words that stand at a place; of many, those at both ends."""
    words = said.text(found.first, found.end).split()
    if len(words) > LONG or (ends and len(words) > 2 * END):
        return " ".join([*words[:END], ELLIPSIS, *words[-END:]])
    return " ".join(words)


def _differences(cited: str, now: str) -> tuple[Difference, ...]:
    """Return what differs between two texts, but for case, accents and punctuation."""
    before, after = cited.split(), now.split()
    changes = edits([" ".join(tokens_of(word)) for word in before], [" ".join(tokens_of(word)) for word in after])
    told, ahead = [], 0
    for edit in changes:
        first, length = edit.first + ahead, len(edit.words)
        told.append(Difference(" ".join(before[edit.first : edit.end]), " ".join(after[first : first + length])))
        ahead += length - (edit.end - edit.first)
    return tuple(each for each in told if tokens_of(each.before) or tokens_of(each.after))


def _notes(address: Address, version: _Version, told: Outcome, *, known: bool, same: bool) -> Iterator[Note]:
    """Yield what has changed, and what is not sure."""
    if not version.version:
        yield "unknown version"
    elif told.stand and not same:
        yield "corrected" if told.stand.revises else "heard again"
    if version.replaced:
        yield "recording"
    if address.parts and not known:
        yield "unconfirmed"
    if told.differences:
        yield "words"
    if told.state != "lost" and abs(told.start_ms - address.span.start_ms) > APART_MS:
        yield "time"


def _is_redacted(conn: sqlite3.Connection, stand: Stand, clock: Clock, span: TimeSpan) -> bool:
    """Return whether a span of the version that was cited lies where the recording is redacted now."""
    first, last = clock.read(span.start_ms), clock.read(span.end_ms or span.start_ms)
    return first is not None and last is not None and _meets(_redactions(conn, stand.recording), first.ms, last.ms)


def _redactions(conn: sqlite3.Connection, recording: int) -> list[tuple[int, int]]:
    rows = conn.execute("SELECT start_ms, end_ms FROM redaction WHERE recording_id = ?", (recording,))
    return [(row[0], row[1]) for row in rows]


def _meets(spans: list[tuple[int, int]] | tuple[tuple[int, int], ...], start_ms: int, end_ms: int | None) -> bool:
    last = start_ms + 1 if end_ms is None else max(end_ms, start_ms + 1)
    return any(start_ms < end and last > start for start, end in spans)


def find_published(conn: sqlite3.Connection, event: str | None, slug: str) -> list[tuple[str, str]]:
    """Return the slugs of the events and sessions that a session's slug may mean."""
    rows = conn.execute(
        "SELECT event.slug, session.slug FROM session JOIN event ON event.id = event_id WHERE session.slug = ?1"
        " AND (event.slug = ?2 OR ?2 IS NULL) LIMIT 9",
        (slug, event),
    )
    return [(row[0], row[1]) for row in rows]
