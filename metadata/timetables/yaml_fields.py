"""The fields of our own format, as they are written in YAML: their types, and what they mean.

`metadata.timetables.yaml_event` reads and writes them. The documentation and the messages about mistakes are made from
these types, so a new field is described here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import inspect

from metadata.model import (
    Measure,
    Mode,
    PlaceKind,
    RecordingRole,
    ReleaseState,
    RoleName,
    SessionKind,
)

_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Edition = Annotated[int, msgspec.Meta(ge=1)]
_Languages = Annotated[list[_Text], msgspec.Meta(description="BCP-47 tags, ISO 639 codes or English names")]
_Ids = Annotated[dict[_Text, _Text], msgspec.Meta(description="identifiers in other systems, by the system's name")]


def _described(text: str) -> Any:
    return msgspec.Meta(description=text)


class Strict(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A mapping of the file."""


class LinkFields(Strict):
    """A link; an address alone will do."""

    rel: Annotated[
        _Text, _described("what it is: `website`, `page`, `reading`, `pre-order`, `portrait` (of a person), …")
    ] = "website"
    url: Annotated[_Text | None, _described("an address of the web or of mail")] = None
    title: Annotated[_Text | None, _described("its text; a link has an address, a title or both")] = None


class PlaceFields(Strict):
    """A venue, an online room or a watch party."""

    name: Annotated[_Text, _described("its name")]
    kind: Annotated[PlaceKind, _described("what it is")] = "venue"
    city: Annotated[_Text | None, _described("the city")] = None
    country: Annotated[_Text | None, _described("two capitals of ISO 3166-1, such as `DE`")] = None


class AttendanceFields(Strict):
    """How many took part, on a date. A later figure is another entry, never a correction."""

    measure: Annotated[Measure, _described("what was counted")]
    people: Annotated[_Text, _described("`85`, `1,800`, `about 85`, `over 300` or `under 50`")]
    countries: Annotated[_Text | None, _described("from how many countries, written likewise")] = None
    places: Annotated[_Text | None, _described("in how many places, written likewise")] = None
    observed_on: Annotated[_Text | None, _described("the date of the figure")] = None
    source: Annotated[_Text | None, _described("who gave it")] = None
    announcement: Annotated[
        _Text | None, _described("the slug, address or title of the announcement that it is from")
    ] = None


class AnnouncementFields(Strict):
    """What organisers published about the event."""

    title: Annotated[_Text, _described("its heading")]
    slug: Annotated[_Text | None, _described("tells it apart; without it, the date and the title")] = None
    text: Annotated[_Text | None, _described("plain text; blank lines part paragraphs")] = None
    url: Annotated[_Text | None, _described("its address on the web")] = None
    published: Annotated[_Text | None, _described("such as `2022-06-01` or `2022-06-01T10:00`")] = None
    source: Annotated[_Text | None, _described("who published it")] = None
    language: Annotated[_Text | None, _described("a BCP-47 tag, an ISO 639 code or an English name")] = None
    private: Annotated[bool, _described("whether it was taken back: it is kept, and not shown")] = False


class PersonFields(Strict):
    """Somebody who takes part; a name alone is a speaker."""

    name: Annotated[_Text, _described("the name, kept as it is written")]
    key: Annotated[_Text | None, _described("tells two people of one name apart")] = None
    role: Annotated[RoleName, _described("the part in this session")] = "speaker"
    affiliation: Annotated[_Text | None, _described("the affiliation at that time")] = None
    biography: Annotated[_Text | None, _described("about the person")] = None
    links: Annotated[list[_Text | LinkFields], _described("links about the person")] = []
    external_ids: _Ids = {}


class ReleaseFields(Strict):
    """Whether the public may have a session; one word will do: `public` or `private`."""

    state: Annotated[ReleaseState, _described("what holds")]
    until: Annotated[_Text | None, _described("the date on which an embargoed session opens")] = None
    reason: Annotated[_Text | None, _described("why; a withdrawn session needs one")] = None


class RecordingFields(Strict):
    """A file that `rostra pull` will find; its name alone will do."""

    file: Annotated[_Text, _described("its name, or a path inside the folder that is pulled")]
    role: Annotated[RecordingRole, _described("what it is a recording of")] = "floor"
    language: Annotated[_Text | None, _described("the language spoken in it")] = None
    credit: Annotated[_Text | None, _described("whom to name")] = None
    licence: Annotated[_Text | None, _described("such as `CC-BY-4.0`")] = None
    synthetic_voice: Annotated[bool, _described("whether a machine speaks")] = False


class SessionFields(Strict):
    """One item of the timetable."""

    title: Annotated[_Text, _described("the title, kept as it is written")]
    slug: Annotated[_Text | None, _described("the session in addresses; without it, the title")] = None
    subtitle: Annotated[_Text | None, _described("a second title")] = None
    kind: Annotated[SessionKind, _described("what kind of session it is")] = "talk"
    track: Annotated[_Text | None, _described("the track")] = None
    room: Annotated[_Text | None, _described("the room")] = None
    place: Annotated[_Text | None, _described("the name of one of the event's `places`")] = None
    start: Annotated[_Text | None, _described("such as `2022-07-23T18:00`; without an offset, in `time_zone`")] = None
    day: Annotated[_Text | None, _described("the date, where nobody knows the hour")] = None
    planned: Annotated[_Text | None, _described("the planned length: `45m`, `1h30m`")] = None
    language: Annotated[_Text | None, _described("a BCP-47 tag, an ISO 639 code or an English name")] = None
    abstract: Annotated[_Text | None, _described("what it is about")] = None
    people: Annotated[list[_Text | PersonFields], _described("who takes part")] = []
    links: Annotated[list[_Text | LinkFields], _described("pages and reading lists")] = []
    attendance: Annotated[list[AttendanceFields], _described("how many took part")] = []
    external_ids: _Ids = {}
    release: Annotated[_Text | ReleaseFields | None, _described("whether the public may have it")] = None
    recordings: Annotated[list[_Text | RecordingFields], _described("its files")] = []


class EventFields(Strict):
    """The event: the file as a whole."""

    title: Annotated[_Text, _described("the title, kept as it is written")]
    slug: Annotated[_Text | None, _described("the event in addresses; without it, the title and the year")] = None
    subtitle: Annotated[_Text | None, _described("a second title")] = None
    description: Annotated[_Text | None, _described("what it is about")] = None
    series: Annotated[_Text | None, _described("the series of which it is an edition")] = None
    edition: Annotated[_Edition | None, _described("its number in the series")] = None
    mode: Annotated[Mode, _described("how people take part")] = "in-person"
    start_date: Annotated[_Text | None, _described("the first day, such as `2022-07-23`")] = None
    end_date: Annotated[_Text | None, _described("the last day")] = None
    time_zone: Annotated[_Text, _described("the IANA zone of its times, such as `Europe/Berlin`")] = "UTC"
    languages: _Languages = []
    interpreted_into: _Languages = []
    places: Annotated[list[PlaceFields], _described("where it was")] = []
    attendance: Annotated[list[AttendanceFields], _described("how many took part")] = []
    announcements: Annotated[list[AnnouncementFields], _described("what organisers published about it")] = []
    links: Annotated[list[_Text | LinkFields], _described("pages about the event")] = []
    external_ids: _Ids = {}
    sessions: Annotated[list[SessionFields], _described("the timetable")] = []


OTHER_NAMES = {
    "speaker": "people", "speakers": "people", "presenter": "people", "presenters": "people", "persons": "people",
    "duration": "planned", "length": "planned", "minutes": "planned", "description": "abstract", "date": "day",
    "summary": "abstract", "time": "start", "begin": "start", "starts": "start", "name": "title", "type": "kind",
    "stage": "room", "location": "room", "venue": "places", "venues": "places", "talks": "sessions",
    "timezone": "time_zone", "tz": "time_zone", "lang": "language", "license": "licence", "bio": "biography",
    "url": "links", "start": "start_date", "end": "end_date", "organisation": "affiliation",
    "organization": "affiliation", "company": "affiliation",
}  # fmt: skip
"""Names that people give to fields, in small letters with hyphens, and the fields that they mean."""


@dataclass(frozen=True, slots=True)
class Documented:
    """A field, as documentation lists it.

    Attributes:
        section: the mapping in which it stands: ``event``, ``session``, ``person`` and so on.
        name: of the field.
        allowed: what may stand there, in words.
        default: what holds where it is absent; None where it must be there, and an empty text where nothing does.
        meaning: what it says.
    """

    section: str
    name: str
    allowed: str
    default: str | None
    meaning: str


SECTIONS: dict[str, type[Strict]] = {
    "event": EventFields,
    "session": SessionFields,
    "person": PersonFields,
    "place": PlaceFields,
    "link": LinkFields,
    "attendance": AttendanceFields,
    "announcement": AnnouncementFields,
    "release": ReleaseFields,
    "recording": RecordingFields,
}
"""Every mapping of the format, by what it describes."""

_SECTION_OF: TypeAlias = dict[type, str]


def documented() -> Iterator[Documented]:
    """Yield every field of the format."""
    names = {kind: section for section, kind in SECTIONS.items()}
    for section, kind in SECTIONS.items():
        info = inspect.type_info(kind)
        assert isinstance(info, inspect.StructType)  # noqa: S101 - it is a struct
        for field in info.fields:
            default = field.default if isinstance(field.default, str) else "false" if field.default is False else ""
            yield Documented(
                section,
                field.encode_name,
                _words(field.type, names),
                None if field.required else default,
                _meaning(field.type),
            )


def _meaning(kind: inspect.Type) -> str:
    extra = kind.extra_json_schema if isinstance(kind, inspect.Metadata) else None
    return str((extra or {}).get("description", ""))


def _words(kind: inspect.Type, names: _SECTION_OF) -> str:
    match kind:
        case inspect.Metadata():
            return _words(kind.type, names)
        case inspect.UnionType():
            parts = [_words(each, names) for each in kind.types if not isinstance(each, inspect.NoneType)]
            return " or ".join(parts)
        case inspect.LiteralType():
            return ", ".join(f"`{value}`" for value in kind.values)
        case inspect.ListType():
            return f"list of: {_words(kind.item_type, names)}"
        case inspect.DictType():
            return "mapping of text to text"
        case inspect.StructType():
            return f"[{names[kind.cls]}]"
        case inspect.IntType():
            return "whole number"
        case inspect.BoolType():
            return "`true` or `false`"
    return "text"
