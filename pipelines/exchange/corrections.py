"""Corrections by hand, from what people write on the command line to values of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, get_args

from metadata.errors import InvalidTimeError, MetadataError
from metadata.languages import parse_language
from metadata.model import Event, Person, Role, Session, SessionKind
from metadata.times import parse_date, parse_moment, parse_offset, parse_zone
from metadata.timetables.slugs import MAX_SLUG_LENGTH, is_slug, make_slug
from pipelines.errors import ConfigError

Reader = Callable[[str, Any, str], Any]
"""Takes a text, what there is now, and the event's time zone; returns the value."""


def read(kind: str, ours: Event | Session | Person, written: Sequence[str], zone: str = "UTC") -> dict[str, Any]:
    """Return the values of ``field=value`` texts, by the name that the model has for the field.

    Args:
        kind: ``event``, ``session`` or ``person``.
        ours: what there is now.
        written: the texts; one without a value takes away what may be missing.
        zone: the event's time zone, for hours that carry none.

    Raises:
        ConfigError: a field that the thing does not have, or a value that it cannot have.
    """
    values: dict[str, Any] = {}
    for text in written:
        name, equals, value = text.partition("=")
        known = FIELDS[kind]
        if name == "release":
            raise ConfigError(
                "who may have it is decided with 'rostra release': --public, --embargo DATE, --private or --withdraw"
            )
        if not equals or name not in known:
            raise ConfigError(f"{text!r}: expected FIELD=VALUE, where FIELD is one of {', '.join(known)}")
        field, reader = known[name]
        value = value.strip()
        if not value and field in _NEEDED:
            raise ConfigError(f"{name} cannot be empty")
        try:
            values[field] = reader(value, ours, zone) if value else () if field == "people" else None
        except (MetadataError, ValueError) as error:
            raise ConfigError(f"{name}: {error}") from error
    return values


_NEEDED = frozenset({"title", "name", "kind", "time_zone", "slug"})
TAKEN_BACK = frozenset({"title", "subtitle", "abstract", "description", "room", "slug"})
"""The fields of events and sessions whose former words can be taken back."""


def check_taken_back(fields: Iterable[str]) -> None:
    """Refuse to take back what is no text of an event or a session.

    Raises:
        ConfigError: a field is none.
    """
    if strange := sorted(set(fields) - TAKEN_BACK):
        known = ", ".join(sorted(TAKEN_BACK))
        raise ConfigError(f"--take-back goes with {known}, and not with {strange[0]}: correct that by itself")


def _line(text: str, _ours: Any, _zone: str) -> str:
    return " ".join(text.split())


def _slug(text: str, _ours: Any, _zone: str) -> str:
    if not is_slug(text):
        nearest = f"; the nearest is {near!r}" if (near := make_slug(text)) else ""
        raise ValueError(
            f"expected at most {MAX_SLUG_LENGTH} small letters a-z and digits, with single hyphens between{nearest}"
        )
    return text


def _text(text: str, _ours: Any, _zone: str) -> str:
    return text


def _language(text: str, _ours: Any, _zone: str) -> str:
    return parse_language(text)


def _kind(text: str, _ours: Any, _zone: str) -> str:
    if text not in get_args(SessionKind):
        raise ValueError(f"expected one of {', '.join(get_args(SessionKind))}")
    return text


def _start(text: str, _ours: Any, zone: str) -> str:
    if not {"T", " "} & set(text):
        raise InvalidTimeError(text, "a date and time such as 2022-07-23T18:00")
    return parse_moment(text, zone).isoformat()


def _date(text: str, _ours: Any, _zone: str) -> str:
    return parse_date(text).isoformat()


def _zone(text: str, _ours: Any, _zone: str) -> str:
    return parse_zone(text).key


def _planned(text: str, _ours: Any, _zone: str) -> int:
    compact = text.replace(" ", "")
    length = 0 if compact.isdigit() or ":" in compact else parse_offset(compact)
    if not length:
        raise InvalidTimeError(text, "a length such as 45m or 1h30m")
    return length


def _people(text: str, ours: Session, _zone: str) -> tuple[Role, ...]:
    """Return people in the order that they are written in; those who are there already keep their parts."""
    known = {role.person.name.casefold(): role for role in ours.people}
    names = dict.fromkeys(" ".join(name.split()) for name in text.split(";"))
    return tuple(known.get(name.casefold()) or Role(person=Person(name=name)) for name in names if name)


FIELDS: Mapping[str, Mapping[str, tuple[str, Reader]]] = {
    "event": {
        "title": ("title", _line),
        "subtitle": ("subtitle", _line),
        "description": ("description", _text),
        "start_date": ("start_date", _date),
        "end_date": ("end_date", _date),
        "time_zone": ("time_zone", _zone),
        "slug": ("slug", _slug),
    },
    "session": {
        "title": ("title", _line),
        "subtitle": ("subtitle", _line),
        "people": ("people", _people),
        "start": ("start", _start),
        "planned": ("planned_ms", _planned),
        "room": ("room", _line),
        "track": ("track", _line),
        "kind": ("kind", _kind),
        "language": ("language", _language),
        "abstract": ("abstract", _text),
        "slug": ("slug", _slug),
    },
    "person": {"name": ("name", _line), "biography": ("biography", _text)},
}
"""What can be corrected, by the name that people give it: the model's field, and what reads it."""
