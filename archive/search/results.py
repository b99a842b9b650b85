"""What a search answers: moments, and sessions with their moments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from archive.search.hits import Hit, Match
from archive.search.session_table import FacetValue

Sort: TypeAlias = Literal["relevance", "date"]
FEWER = 10
"""Results with all that is asked for, below which those with most of it are looked for as well."""
PARTLY = "Nothing has all of these words: what follows has some of them."
ABOUT = "Nothing has these words: what follows may be about the same, in other words."


@dataclass(frozen=True, slots=True)
class Results:
    """One page of moments.

    Attributes:
        hits: best first.
        total: how many hits all pages have; an upper bound where more passages match than are all listed.
        sessions: how many sessions they are from.
        note: what a reader should know, in whole sentences.
        complete: False where the time budget ended the search.
        suggestion: a query that would find something, where nothing has all that this one asks for.
    """

    hits: tuple[Hit, ...]
    total: int
    sessions: int
    note: str | None
    complete: bool
    suggestion: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionResult:
    """A session that matches.

    Attributes:
        event, session: slugs.
        event_title, title: the event's and the session's titles.
        url: the session's page.
        start_at: when it began, ISO 8601 with an offset, or its day, or its event's; None where nobody said.
        duration_ms: of its longest transcript; 0 where it has none.
        match: how much of the query it has.
        hits: the best moments, the best first, or one that stands for the session as a whole.
        count: its moments, or the passages that match; 0 where none does, but the session as a whole.
        counted: which of them: ``passages`` (of about a minute) where they are too many to look for moments in all.
        places: from when to when each of them lasts, milliseconds, in order; the first hundreds at most.
        score: higher is better; comparable within one search only.
    """

    event: str
    event_title: str
    session: str
    title: str
    url: str
    start_at: str | None
    duration_ms: int
    match: Match = "all words"
    hits: tuple[Hit, ...]
    count: int
    counted: Literal["moments", "passages"] = "moments"
    places: tuple[tuple[int, int], ...]
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionResults:
    """One page of the sessions that match.

    Attributes:
        sessions: in order: those that have all that is asked for come first, whichever the order.
        total: how many sessions all pages have.
        exact: how many of them have all that is asked for.
        facets: by name of a filter, values with how many sessions have them, the most frequent first.
        note: what a reader should know, in whole sentences.
        suggestion: a query that would find something, where nothing has all that this one asks for.
        complete: False where the time budget ended the search.
        next: the key of the next page; None on the last.
    """

    sessions: tuple[SessionResult, ...] = ()
    total: int = 0
    exact: int = 0
    facets: dict[str, tuple[FacetValue, ...]] | None = None
    note: str | None = None
    suggestion: str | None = None
    complete: bool = True
    next: str | None = None
