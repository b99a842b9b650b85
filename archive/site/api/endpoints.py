"""The endpoints of the API, in one table. Each reads on one connection and returns one of the types of the answers.

Lists are in order of what names their items, and a cursor is the name of the last item that was seen: it holds from
one publication to the next, and whatever it says, it means a place in the list. `cursors` has those of other lists.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET

from archive import urls
from archive.catalogue.current import NOT_SUPERSEDED
from archive.research import Research
from archive.search.sqlite_search import SqliteSearch
from archive.site.api import answers, questions
from archive.site.api.answers import Page
from archive.site.api.cursors import count_of, cursor_of, place_of
from archive.site.cited.addresses import Address, BadAddressError, parse
from archive.site.cited.reading import Shown
from archive.site.cited.reading import read as cited
from archive.site.queries import Tombstone
from archive.site.records import Event, Named, Person, Reader, Session

T = TypeVar("T")
MOST_LINES = 100_000
"""Moments of which some are drawn."""
BUDGET_MS = 2_000
"""What one question to all moments may take."""


class Asked(NamedTuple):
    """A request: what reads, what the address names, what the query says, and a search over the same connection.

    ``publication`` names what all of it is about.
    """

    reader: Reader
    path: Mapping[str, str]
    query: Any
    search: SqliteSearch
    publication: str

    def window(self) -> tuple[int, int]:
        """Return which items are asked for of a list whose cursors count: from the first until before the second."""
        begin = count_of(self.publication, self.query.cursor)
        return begin, begin + self.query.limit


class Endpoint(NamedTuple):
    """One address of the API.

    Attributes:
        path: after ``/api/1``, with names in braces.
        summary: what it answers, in a line.
        query: the parameters that it takes.
        answer: the type of its answer.
        read: makes the answer; None where there is nothing.
        is_long: whether it may take seconds.
    """

    path: str
    summary: str
    query: type[questions.Nothing]
    answer: Any
    read: Callable[[Asked], Any]
    is_long: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """What the path names."""
        return tuple(re.findall(r"{(\w+)}", self.path))

    @property
    def pattern(self) -> str:
        """A regular expression for the path after ``/api/1``."""
        return re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", self.path) + "$"


def _events(asked: Asked) -> Page[Event]:
    query = asked.query
    items = asked.reader.events("WHERE event.slug > ? ORDER BY event.slug LIMIT ?", (query.cursor, query.limit + 1))
    return _page(items, query.limit, lambda last: last.slug)


def _event(asked: Asked) -> Event | None:
    return asked.reader.event(asked.path["event"])


_CONDITIONS = {
    "event": "event.slug = :event",
    "series": "series.slug = :series",
    "person": "session.id IN (SELECT session_id FROM session_person JOIN person ON person.id = person_id"
    " WHERE slug = :person)",
    "track": "session.track = :track",
    "language": "(session.language = :language OR session.id IN (SELECT session_id FROM recording JOIN transcript"
    " ON recording_id = recording.id WHERE is_current = 1 AND transcript.language = :language))",
    "recorded": "EXISTS (SELECT 1 FROM recording WHERE session_id = session.id) = :recorded",
    "updated_since": "session.updated_at >= :updated_since",
}


def _sessions(asked: Asked) -> Page[Session]:
    said = {name: getattr(asked.query, name) for name in _CONDITIONS}
    chosen = {name: value for name, value in said.items() if value is not UNSET}
    event, _, session = asked.query.cursor.partition("/")
    values = chosen | {"at_event": event, "at_session": session, "limit": asked.query.limit + 1}
    conditions = " AND ".join(
        ["(event.slug, session.slug) > (:at_event, :at_session)", *(_CONDITIONS[name] for name in chosen)]
    )
    items = asked.reader.sessions(f"WHERE {conditions} ORDER BY event.slug, session.slug LIMIT :limit", values)
    return _page(items, asked.query.limit, lambda last: f"{last.event.slug}/{last.slug}")


def _session(asked: Asked) -> Session | None:
    return asked.reader.session(asked.path["event"], asked.path["session"])


_OF_RECORDING = "session.id IN (SELECT session_id FROM recording WHERE sha256 = ?)"


def _recordings(asked: Asked) -> Page[answers.RecordingOf]:
    query = asked.query
    names = asked.reader.conn.execute(
        f"SELECT DISTINCT sha256 FROM recording WHERE session_id IS NOT NULL AND {NOT_SUPERSEDED}"
        " AND sha256 > ? ORDER BY sha256 LIMIT ?",
        (query.cursor, query.limit + 1),
    ).fetchall()
    items = tuple(_recording_of(asked.reader, row["sha256"]) for row in names)
    return _page(tuple(filter(None, items)), query.limit, lambda last: last.recording.sha256)


def _recording(asked: Asked) -> answers.RecordingOf | None:
    return _recording_of(asked.reader, asked.path["sha256"])


def _recording_of(reader: Reader, sha256: str) -> answers.RecordingOf | None:
    for session in reader.sessions(f"WHERE {_OF_RECORDING}", (sha256,)):
        for recording in session.recordings:
            if recording.sha256 == sha256:
                named = Named(slug=session.slug, title=session.title, url=session.url)
                return answers.RecordingOf(session=named, recording=recording)
    return None


def _people(asked: Asked) -> Page[Person]:
    query = asked.query
    items = asked.reader.people("WHERE slug > ? ORDER BY slug LIMIT ?", (query.cursor, query.limit + 1))
    return _page(items, query.limit, lambda last: last.slug)


def _person(asked: Asked) -> Person | None:
    return asked.reader.person(asked.path["person"])


def _transcript(asked: Asked) -> answers.TranscriptText | None:
    row = asked.reader.conn.execute(
        "SELECT version, transcript.language, transcript.kind, generator, generator_version, created_at,"
        " transcript.duration_ms, sha256, is_current FROM transcript JOIN recording ON recording.id = recording_id"
        " WHERE version = ?",
        (asked.path["version"],),
    ).fetchone()
    if row is None:
        return None
    query = asked.query
    segments = asked.reader.segments(row["version"], query.cursor - 1, query.limit + 1, words=query.words)
    more = len(segments) > query.limit
    named = dict(zip(row.keys(), row, strict=True))
    recording, current = named.pop("sha256"), bool(named.pop("is_current"))
    return answers.TranscriptText(
        **named,
        recording=recording,
        is_current=current,
        segments=segments[: query.limit],
        next=segments[query.limit].position if more else None,
    )


def _cited(asked: Asked) -> answers.CitedMoment | Tombstone | None:
    named = asked.path
    try:
        address = parse(named["identity"], named["version"], lambda name: str(getattr(asked.query, name)))
    except BadAddressError as error:
        raise questions.BadQuestionError(str(error)) from None
    found = cited(asked.reader.conn, address)
    return found if found is None or isinstance(found, Tombstone) else _told(asked.reader, address, found)


def _told(reader: Reader, address: Address, found: Shown) -> answers.CitedMoment:
    outcome, site = found.outcome, reader.settings
    gone = outcome.state == "withheld"
    placed = outcome.stand is not None and outcome.state != "lost"
    card, changed = found.page.card, outcome.differences
    return answers.CitedMoment(
        state=outcome.state,
        permanent_url=site.absolute(urls.permanent_url(address.identity) if gone else address.path),
        url=site.absolute(found.path if placed else found.session_path),
        session=Named(slug=card.slug, title=card.title, url=site.absolute(found.session_path)),
        cited_version=outcome.cited_version,
        version=outcome.stand.version if outcome.stand else None,
        recording=outcome.stand.sha256 if outcome.stand else None,
        start_ms=outcome.start_ms if placed else None,
        end_ms=outcome.end_ms if placed else None,
        as_cited=outcome.as_cited,
        as_now=outcome.as_now,
        differences=tuple(answers.CitedDifference(before=each.before, after=each.after) for each in changed),
        notes=outcome.notes,
    )


def _search(asked: Asked) -> answers.Found:
    query, settings = asked.query, asked.reader.settings
    filters = query.filters()
    place = place_of(asked.publication, query.cursor)
    results = asked.search.sessions(query.q, filters, sort=query.sort, limit=query.limit, after=place)
    following = cursor_of(asked.publication, results.next)
    return answers.found(results, settings, following, query=query.q, filters=filters.chosen(), sort=query.sort)


def _moments(asked: Asked) -> answers.MomentPage:
    query, research = asked.query, Research(asked.reader.conn, BUDGET_MS)
    begin, end = asked.window()
    found = research.moments(query.q, query.filters(), limit=end + 1) if query.q else iter(())
    hits = list(islice(found, begin, end + 1))
    items = tuple(answers.moment(hit, asked.reader.settings) for hit in hits[: query.limit])
    following = cursor_of(asked.publication, end if len(hits) > query.limit else None)
    return answers.MomentPage(items=items, complete=research.complete or following is not None, next=following)


def _concordance(asked: Asked) -> answers.Contexts:
    query, research = asked.query, Research(asked.reader.conn, BUDGET_MS)
    begin, end = asked.window()
    drawn = {} if query.sample is UNSET else {"limit": MOST_LINES, "sample": query.sample, "seed": query.seed}
    found = research.concordance(query.q, query.filters(), **({"limit": end + 1} | drawn)) if query.q else []
    lines = found[begin:]
    items = tuple(answers.context(line, asked.reader.settings) for line in lines[: query.limit])
    following = cursor_of(asked.publication, end if len(lines) > query.limit else None)
    return answers.Contexts(items=items, complete=research.complete or following is not None, next=following)


def _frequency(asked: Asked) -> answers.Frequencies:
    query, research = asked.query, Research(asked.reader.conn, BUDGET_MS)
    rates = research.frequency(query.q, query.by, query.filters()) if query.q else []
    return answers.Frequencies(by=query.by, items=tuple(map(answers.frequency, rates)), complete=research.complete)


def _collocates(asked: Asked) -> answers.CollocateList:
    query, research = asked.query, Research(asked.reader.conn, BUDGET_MS)
    found = (
        research.collocates(query.q, query.filters(), window=query.window, side=query.side, limit=query.limit)
        if query.q
        else []
    )
    return answers.collocates(found, complete=research.complete)


def _keywords(asked: Asked) -> answers.KeywordList:
    query, research = asked.query, Research(asked.reader.conn, BUDGET_MS)
    found = research.keywords(query.filters(), query.reference(), limit=query.limit)
    return answers.keywords(found, complete=research.complete)


def _dispersion(asked: Asked) -> answers.Spread:
    query, research = asked.query, Research(asked.reader.conn, BUDGET_MS)
    found = research.dispersion(query.q, query.filters())
    return answers.Spread(**found._asdict(), complete=research.complete)


def _speakers(asked: Asked) -> answers.SpeakerList:
    research = Research(asked.reader.conn, BUDGET_MS)
    found = research.who_spoke(asked.query.filters())
    return answers.speakers(found, complete=research.complete)


def _vocabulary(asked: Asked) -> answers.WordPage:
    query, research = asked.query, Research(asked.reader.conn, BUDGET_MS)
    begin, end = asked.window()
    found = research.vocabulary(query.filters(), limit=end + 1)
    items = tuple(answers.SaidOften(word=word, count=count) for word, count in found[begin:end])
    following = cursor_of(asked.publication, end if len(found) > end else None)
    return answers.WordPage(items=items, complete=research.complete, next=following)


def _page(items: tuple[T, ...], limit: int, name: Callable[[T], str]) -> Page[T]:
    kept = items[:limit]
    return Page(items=kept, next=name(kept[-1]) if len(items) > limit else None)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("/events", "All events, by slug.", questions.Items, Page[Event], _events),
    Endpoint("/events/{event}", "One event.", questions.Nothing, Event, _event),
    Endpoint(
        "/sessions",
        "Sessions, by the slugs of their event and their own.",
        questions.Sessions,
        Page[Session],
        _sessions,
    ),
    Endpoint("/sessions/{event}/{session}", "One session with its recordings.", questions.Nothing, Session, _session),
    Endpoint(
        "/recordings",
        "Recordings, by the SHA-256 of their bytes.",
        questions.Items,
        Page[answers.RecordingOf],
        _recordings,
    ),
    Endpoint("/recordings/{sha256}", "One recording.", questions.Nothing, answers.RecordingOf, _recording),
    Endpoint("/people", "People, by slug.", questions.Items, Page[Person], _people),
    Endpoint("/people/{person}", "One person.", questions.Nothing, Person, _person),
    Endpoint(
        "/transcripts/{version}",
        "A version of a transcript, in pages, with or without words.",
        questions.Segments,
        answers.TranscriptText,
        _transcript,
    ),
    Endpoint(
        "/cite/{identity}/{version}",
        "A moment that was cited: where it is now, and what has changed.",
        questions.Cited,
        answers.CitedMoment,
        _cited,
    ),
    Endpoint("/search", "Sessions in which something was said.", questions.Search, answers.Found, _search),
    Endpoint(
        "/moments",
        "Every moment in which something was said.",
        questions.Moments,
        answers.MomentPage,
        _moments,
        is_long=True,
    ),
    Endpoint(
        "/concordance",
        "What is said around every match.",
        questions.Concordance,
        answers.Contexts,
        _concordance,
        is_long=True,
    ),
    Endpoint(
        "/frequency",
        "How often something was said an hour.",
        questions.Frequency,
        answers.Frequencies,
        _frequency,
        is_long=True,
    ),
    Endpoint(
        "/collocates",
        "Words near a query.",
        questions.Collocates,
        answers.CollocateList,
        _collocates,
        is_long=True,
    ),
    Endpoint(
        "/keywords",
        "Words that one part of the archive says more than another.",
        questions.Keywords,
        answers.KeywordList,
        _keywords,
        is_long=True,
    ),
    Endpoint(
        "/dispersion",
        "How evenly a query is spread over sessions.",
        questions.Part,
        answers.Spread,
        _dispersion,
        is_long=True,
    ),
    Endpoint("/speakers", "Who spoke how much.", questions.Part, answers.SpeakerList, _speakers, is_long=True),
    Endpoint(
        "/vocabulary",
        "The words of a part of the archive.",
        questions.Vocabulary,
        answers.WordPage,
        _vocabulary,
        is_long=True,
    ),
)


def is_complete(answer: Any) -> bool:
    """Return whether an answer is whole, and would be the same another time."""
    return bool(getattr(answer, "complete", True))


def encode(answer: Any) -> bytes:
    """Return an answer as JSON."""
    return msgspec.json.encode(answer)


def find(path: str) -> tuple[Endpoint, dict[str, str]] | None:
    """Return the endpoint of a path after ``/api/1``, and what the path names."""
    for endpoint in ENDPOINTS:
        if match := re.match(endpoint.pattern, path):
            return endpoint, match.groupdict()
    return None


def address(endpoint: Endpoint) -> str:
    """Return the whole path of an endpoint, with names in braces."""
    return urls.API + endpoint.path
