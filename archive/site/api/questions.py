"""What a request may say in its query: every parameter has a type, and one that nobody knows is refused."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from archive.research.company import WIDEST, WINDOW
from archive.search.filters import Filters
from archive.site.cited.addresses import MOST_AROUND, MOST_LETTERS

MAX_ITEMS = 100


class BadQuestionError(Exception):
    """A parameter is unknown, twice there, or not what it may be."""


Limit = Annotated[int, Meta(ge=1, le=MAX_ITEMS, description="How many items one answer may have.")]
Cursor = Annotated[str, Meta(description="Where to go on: `next` of the answer before, or nothing to begin.")]
_MARK = "Where to go on: `next` of the answer before, or nothing to begin. It holds for one publication."
Mark = Annotated[str, Meta(description=_MARK, pattern=r"^([0-9a-z]+:.+)?$", max_length=200)]
Count = Annotated[
    str,
    Meta(
        description=f"{_MARK} A number alone passes over so many items.",
        pattern=r"^([0-9]{1,6}|[0-9a-z]+:[0-9]{1,6})?$",
        max_length=200,
    ),
]
Words = Annotated[
    str,
    Meta(
        description="A query in the language of the search page.",
        max_length=2_000,
        examples=["archive", '"an exact phrase" -without', "speaker:noor lighthouse"],
    ),
]
Day = Annotated[
    str,
    Meta(
        pattern=r"^\d{4}-\d{2}-\d{2}$", description="The first or the last day, which counts.", examples=["2022-07-23"]
    ),
]
Offset = Annotated[
    int, Meta(ge=0, le=1_000_000, description="How many items to pass over: `next` of the answer before.")
]


class Nothing(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """No parameters."""


class Items(Nothing, frozen=True, kw_only=True):
    """A page of a list."""

    limit: Limit = 20
    cursor: Cursor = ""


class Sessions(Items, frozen=True, kw_only=True):
    """A page of sessions, all of them or those that have something in common."""

    event: Annotated[str, Meta(description="Slug of an event.")] | UnsetType = UNSET
    series: Annotated[str, Meta(description="Slug of a series.")] | UnsetType = UNSET
    person: Annotated[str, Meta(description="Slug of a person who has a part in it.")] | UnsetType = UNSET
    track: Annotated[str, Meta(description="Title of a track.")] | UnsetType = UNSET
    language: Annotated[str, Meta(description="BCP-47 tag of a planned or a spoken language.")] | UnsetType = UNSET
    recorded: Annotated[bool, Meta(description="Whether there is a recording.")] | UnsetType = UNSET
    updated_since: (
        Annotated[
            str,
            Meta(
                pattern=r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?$",
                description="A moment or day in UTC.",
                examples=["2026-11-20", "2026-11-20T10:00:00Z"],
            ),
        ]
        | UnsetType
    ) = UNSET


class Segments(Nothing, frozen=True, kw_only=True):
    """A page of a transcript."""

    limit: Annotated[int, Meta(ge=1, le=1_000, description="How many segments one answer may have.")] = 200
    cursor: Offset = 0
    words: Annotated[bool, Meta(description="Whether every word comes with its times.")] = False


class Cited(Nothing, frozen=True, kw_only=True):
    """The moment of a citation."""

    t: Annotated[
        str,
        Meta(
            pattern=r"^[0-9]{1,6}(\.[0-9]{1,3})?(,[0-9]{1,6}(\.[0-9]{1,3})?)?$",
            description="Seconds, as `61.2` or `61.2,75` (W3C Media Fragments).",
            max_length=21,
            examples=["61.2", "61.2,75"],
        ),
    ]
    words: Annotated[str, Meta(description="The words as they were cited.", max_length=MOST_LETTERS)] = ""
    before: Annotated[str, Meta(description="Words before them.", max_length=MOST_AROUND)] = ""
    after: Annotated[str, Meta(description="Words after them.", max_length=MOST_AROUND)] = ""


class Filtered(Nothing, frozen=True, kw_only=True):
    """A query, and where to look."""

    q: Words = ""
    event: Annotated[str, Meta(description="Slug of an event.")] | UnsetType = UNSET
    series: Annotated[str, Meta(description="Slug of a series.")] | UnsetType = UNSET
    person: Annotated[str, Meta(description="Slug of somebody who took part.")] | UnsetType = UNSET
    speaker: Annotated[str, Meta(description="Slug of somebody who said it.")] | UnsetType = UNSET
    language: Annotated[str, Meta(description="BCP-47 tag of the language in which it was said.")] | UnsetType = UNSET
    track: Annotated[str, Meta(description="Title of a track.")] | UnsetType = UNSET
    year: Annotated[str, Meta(description="Year of the session.")] | UnsetType = UNSET
    kind: Annotated[str, Meta(description="Kind of session.")] | UnsetType = UNSET
    since: Day | UnsetType = UNSET
    until: Day | UnsetType = UNSET

    def filters(self) -> Filters:
        """Return the filters."""
        return Filters(
            event=self.event or None,
            series=self.series or None,
            person=self.person or None,
            speaker=self.speaker or None,
            language=self.language or None,
            track=self.track or None,
            year=self.year or None,
            kind=self.kind or None,
            since=self.since or None,
            until=self.until or None,
        )


class Search(Filtered, frozen=True, kw_only=True):
    """A search for sessions."""

    sort: Annotated[Literal["relevance", "date"], Meta(description="Best first, or newest first.")] = "relevance"
    limit: Limit = 10
    cursor: Mark = ""


class Moments(Filtered, frozen=True, kw_only=True):
    """A page of all moments of a query."""

    limit: Limit = 20
    cursor: Count = ""


class Concordance(Moments, frozen=True, kw_only=True):
    """A page of a concordance."""

    sample: Annotated[int, Meta(ge=1, le=10_000, description="So many lines, drawn at random.")] | UnsetType = UNSET
    seed: Annotated[int, Meta(ge=0, le=10**9, description="The same lines are drawn for the same seed.")] = 0


class Frequency(Filtered, frozen=True, kw_only=True):
    """How often something was said, and by what to divide."""

    by: Annotated[
        Literal["year", "event", "speaker", "person", "language"], Meta(description="What sessions have in common.")
    ] = "year"


class Collocates(Filtered, frozen=True, kw_only=True):
    """Words near a query."""

    window: Annotated[int, Meta(ge=1, le=WIDEST, description="How many words on a side are near.")] = WINDOW
    side: Annotated[Literal["both", "left", "right"], Meta(description="On which side of it.")] = "both"
    limit: Limit = 30


class Part(Filtered, frozen=True, kw_only=True):
    """A part of the archive."""


class Vocabulary(Filtered, frozen=True, kw_only=True):
    """Words of a part of the archive."""

    limit: Limit = 100
    cursor: Count = ""


class Keywords(Filtered, frozen=True, kw_only=True):
    """A part of the archive, and another one that it is compared with; without one, all the rest."""

    vs_event: Annotated[str, Meta(description="Slug of an event to compare with.")] | UnsetType = UNSET
    vs_speaker: Annotated[str, Meta(description="Slug of a speaker to compare with.")] | UnsetType = UNSET
    vs_language: Annotated[str, Meta(description="BCP-47 tag of a language to compare with.")] | UnsetType = UNSET
    vs_year: Annotated[str, Meta(description="Year to compare with.")] | UnsetType = UNSET
    limit: Limit = 50

    def reference(self) -> Filters | None:
        """Return what the part is compared with."""
        filters = Filters(
            event=self.vs_event or None,
            speaker=self.vs_speaker or None,
            language=self.vs_language or None,
            year=self.vs_year or None,
        )
        return filters if filters.chosen() else None


PLACED = (Search, Moments, Vocabulary)
"""Questions whose cursor holds for one publication."""
Q = TypeVar("Q", bound=Nothing)


def read_question(request: Any, kind: type[Q]) -> Q:
    """Return what a request asks.

    Raises:
        BadQuestionError: with the parameter's name and what it may be.
    """
    given: dict[str, str] = {}
    for name in request.args:
        values = request.args.getlist(name)
        if len(values) > 1:
            raise BadQuestionError(f"`{name}` is given {len(values)} times: give it once")
        given[name] = values[0]
    if unknown := sorted(set(given) - set(kind.__struct_fields__)):
        known = ", ".join(f"`{name}`" for name in kind.__struct_fields__) or "none"
        raise BadQuestionError(f"no parameter is called `{unknown[0]}`; there are: {known}")
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise BadQuestionError(str(error).replace("$.", "")) from None
