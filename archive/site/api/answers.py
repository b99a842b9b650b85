"""What the API answers with, beside the records themselves. A field that is here stays: others' programs read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Generic, TypeVar

import msgspec

from archive.research import company, speaking
from archive.research.concordance import Line
from archive.research.frequency import Rate
from archive.search.hits import Hit
from archive.search.results import SessionResult, SessionResults
from archive.site.records import Named, Recording, Segment
from archive.site.settings import SiteSettings

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A page of a list. ``next`` is the cursor of the next one, or null after the last."""

    items: tuple[T, ...]
    next: str | None


class RecordingOf(msgspec.Struct, frozen=True, kw_only=True):
    """A recording and the session that it is of."""

    session: Named
    recording: Recording


class TranscriptText(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a version of a transcript. Another version of the same recording has another name."""

    version: str
    language: str
    kind: str
    generator: str
    generator_version: str
    created_at: str
    duration_ms: int
    recording: str
    is_current: bool
    segments: tuple[Segment, ...]
    next: int | None


class CitedDifference(msgspec.Struct, frozen=True, kw_only=True):
    """Words as they were cited, and those that stand there now; empty where there are none."""

    before: str
    after: str


class CitedMoment(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a moment that was cited.

    ``state`` is ``certain``, ``uncertain``, ``lost`` (it is not there any more) or ``withheld`` (its words were taken
    back: then no word is given). ``as_cited`` is empty where the version that was cited does not confirm the words.
    ``notes`` say what has changed: ``words``, ``time``, ``corrected``, ``heard again``, ``recording``; and what is not
    sure: ``unconfirmed``, ``unknown version``.
    """

    state: str
    permanent_url: str
    url: str
    session: Named
    cited_version: str
    version: str | None
    recording: str | None
    start_ms: int | None
    end_ms: int | None
    as_cited: str
    as_now: str
    differences: tuple[CitedDifference, ...]
    notes: tuple[str, ...]


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A moment in which a query was said. ``matches`` are characters of ``text``.

    ``match`` says how much of the query it has: ``all words``, ``some words``, or the same meaning: ``about this``.
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
    match: str
    start_at: str | None
    speaker: str | None


class FoundSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session that was found. ``places`` are where in it, in milliseconds; ``count`` is how often.

    ``match`` says how much of the query it has: ``all words``, ``some words``, or the same meaning: ``about this``.
    ``counted`` says of what ``count`` is: ``moments``, or ``passages`` of about a minute where they are too many to
    look for moments in all.
    """

    event: str
    event_title: str
    session: str
    title: str
    url: str
    start_at: str | None
    duration_ms: int
    match: str
    hits: tuple[Moment, ...]
    count: int
    counted: str
    places: tuple[tuple[int, int], ...]
    score: float


class Facet(msgspec.Struct, frozen=True, kw_only=True):
    """A value to narrow a search down by, and how many sessions it leaves."""

    value: str
    label: str
    sessions: int


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions that were found, ``exact`` of them with all that was asked.

    ``complete`` is false where time ran out.
    """

    query: str
    filters: dict[str, str]
    sort: str
    total: int
    exact: int
    complete: bool
    note: str | None
    suggestion: str | None
    sessions: tuple[FoundSession, ...]
    facets: dict[str, tuple[Facet, ...]]
    next: str | None


class MomentPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of moments, in order of event, session and time. ``complete`` is false where time ran out."""

    items: tuple[Moment, ...]
    complete: bool
    next: str | None


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a concordance."""

    left: str
    match: str
    right: str
    moment: Moment


class Contexts(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a concordance, in order of event, session and time."""

    items: tuple[Context, ...]
    complete: bool
    next: str | None


class Occurrences(msgspec.Struct, frozen=True, kw_only=True):
    """How often something was said in sessions that have something in common."""

    value: str
    label: str
    occurrences: int
    hours: float
    per_hour: float


class Frequencies(msgspec.Struct, frozen=True, kw_only=True):
    """How often something was said, by what sessions have in common."""

    by: str
    items: tuple[Occurrences, ...]
    complete: bool


class Collocate(msgspec.Struct, frozen=True, kw_only=True):
    """A word near a query: how often there, how often in all, and how likely and how much more that is."""

    word: str
    near: int
    in_all: int
    likelihood: float
    log_ratio: float


class Keyword(msgspec.Struct, frozen=True, kw_only=True):
    """A word that one part of the archive says more than another."""

    word: str
    here: int
    there: int
    here_per_million: float
    there_per_million: float
    likelihood: float
    log_ratio: float


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """How much somebody said."""

    person: str | None
    name: str
    sessions: int
    words: int
    hours: float
    words_a_minute: float


class CollocateList(msgspec.Struct, frozen=True, kw_only=True):
    """Words that stand near a query more often than elsewhere, the likeliest first."""

    items: tuple[Collocate, ...]
    complete: bool


class KeywordList(msgspec.Struct, frozen=True, kw_only=True):
    """Words that one part of the archive says more than another, the likeliest first."""

    items: tuple[Keyword, ...]
    complete: bool


class SpeakerList(msgspec.Struct, frozen=True, kw_only=True):
    """Who spoke how much, those who spoke longest first; a person of null stands for all who are not known."""

    items: tuple[Spoken, ...]
    complete: bool


class SaidOften(msgspec.Struct, frozen=True, kw_only=True):
    """A word, and how often it is said."""

    word: str
    count: int


class WordPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the words of a part of the archive, the most frequent first."""

    items: tuple[SaidOften, ...]
    complete: bool
    next: str | None


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """How evenly a query is spread over sessions: 0 is evenly for DP, 1 for Juilland's D."""

    parts: int
    found_in: int
    dp: float
    dp_norm: float
    juilland: float
    complete: bool


def moment(hit: Hit, settings: SiteSettings) -> Moment:
    """Return a hit of a search as the API has it."""
    said = {name: getattr(hit, name) for name in Moment.__struct_fields__}
    return Moment(**said | {"url": settings.absolute(hit.url)})


def found(results: SessionResults, settings: SiteSettings, following: str | None, **asked: Any) -> Found:
    """Return the results of a search and the cursor of the next ones; ``asked`` are its query, filters and sort."""
    facets = results.facets or {}
    return Found(
        **asked,
        total=results.total,
        exact=results.exact,
        complete=results.complete,
        note=results.note,
        suggestion=results.suggestion,
        sessions=tuple(_found_session(each, settings) for each in results.sessions),
        facets={name: tuple(Facet(**each._asdict()) for each in values) for name, values in facets.items()},
        next=following,
    )


def _found_session(result: SessionResult, settings: SiteSettings) -> FoundSession:
    values = {each.name: getattr(result, each.name) for each in fields(result)}
    hits = tuple(moment(hit, settings) for hit in result.hits)
    return FoundSession(**values | {"hits": hits, "url": settings.absolute(result.url)})


def context(line: Line, settings: SiteSettings) -> Context:
    """Return a line of a concordance as the API has it."""
    return Context(left=line.left, match=line.match, right=line.right, moment=moment(line.hit, settings))


def frequency(rate: Rate) -> Occurrences:
    """Return a rate as the API has it."""
    return Occurrences(**rate._asdict())


def collocates(found: Sequence[company.Collocate], *, complete: bool) -> CollocateList:
    """Return words near a query as the API has them."""
    return CollocateList(items=tuple(Collocate(**each._asdict()) for each in found), complete=complete)


def keywords(found: Sequence[company.Keyword], *, complete: bool) -> KeywordList:
    """Return keywords as the API has them."""
    return KeywordList(items=tuple(Keyword(**each._asdict()) for each in found), complete=complete)


def speakers(found: Sequence[speaking.Spoken], *, complete: bool) -> SpeakerList:
    """Return who spoke how much as the API has it."""
    return SpeakerList(items=tuple(Spoken(**each._asdict()) for each in found), complete=complete)
