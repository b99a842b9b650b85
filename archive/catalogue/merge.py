"""Bringing what is known in step with what a file says, without losing what a person corrected.

Beside each thing stands what the last import said of it (table ``imported``). A field that no longer is what
was said has been corrected by hand, by whatever tool: it stays, and that is told. Every other field becomes
what the file says, if its format can say it. Links and ids are sets: what the last file had and this one has
not goes, what is new comes, the rest stays.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import msgspec

from archive.catalogue.rows import person_slug
from metadata.model import Event, ExternalId, Link, Release, Role, Session
from metadata.times import parse_moment

Said = dict[str, Any]
Thing = TypeVar("Thing", Event, Session)

_SETS = frozenset({"links", "external_ids"})
_EVENT = tuple(field.name for field in fields(Event) if field.name not in {"slug", "sessions"})
_SESSION = tuple(field.name for field in fields(Session) if field.name != "slug")


@dataclass(frozen=True, slots=True)
class Merged:
    """A thing brought in step.

    Attributes:
        value: as it is to be.
        said: what to remember of this import.
        changed: the fields that differ from what was there.
        kept: the fields that a person had corrected, and of which the file says something else.
    """

    value: Any
    said: Said
    changed: tuple[str, ...]
    kept: tuple[str, ...]


def merge(
    ours: Thing,
    theirs: Thing,
    said: Said | None,
    carried: frozenset[str],
    *,
    same_format: bool,
    corrected: frozenset[str] = frozenset(),
) -> Merged:
    """Return a thing of the catalogue's brought in step with a file's.

    Args:
        ours: what the catalogue has.
        theirs: what the file says.
        said: what the last import said, by field; None where none did.
        carried: the fields that the file's format can say.
        same_format: whether the last import was of the same format.
        corrected: the fields of which a person said what they are (see `archive.catalogue.corrections`).
    """
    said = said or {}
    remembered = dict(said)
    changes: dict[str, Any] = {}
    kept = []
    for name in _EVENT if isinstance(ours, Event) else _SESSION:
        if name not in carried:
            continue
        mine, new = getattr(ours, name), getattr(theirs, name)
        if name == "people":
            new = with_known_parts(mine, new, carried)
        elif isinstance(ours, Session) and _says_less(name, ours, new, carried):
            new = mine
        plain_mine, plain_new = plain(name, mine), plain(name, new)
        remembered[name] = plain_new
        if name in _SETS:
            base = said.get(name, []) if same_format else []
            changes[name] = _merge_set(name, mine, new, base)
        elif name not in corrected and (name not in said or plain_mine == said[name]):
            if plain_mine != plain_new:
                changes[name] = new
        elif plain_mine != plain_new:
            kept.append(name)
    changes = {name: value for name, value in changes.items() if value != getattr(ours, name)}
    return Merged(replace(ours, **changes), remembered, tuple(changes), tuple(kept))


def _says_less(name: str, ours: Session, new: Any, carried: frozenset[str]) -> bool:
    """Return whether a file says of a time only what is known better already."""
    if name == "start":
        return bool(ours.start and new) and parse_moment(ours.start or "") == parse_moment(new)  # another offset
    if name == "day":
        return ours.start is not None and "start" not in carried  # it has no hours
    return name == "planned_ms" and ours.planned_ms is not None and new == ours.planned_ms // 1000 * 1000


def first_said(theirs: Event | Session, carried: frozenset[str]) -> Said:
    """Return what to remember of something that is new."""
    names = _EVENT if isinstance(theirs, Event) else _SESSION
    return {name: plain(name, getattr(theirs, name)) for name in names if name in carried}


def is_corrected(ours: Event | Session, said: Said) -> bool:
    """Return whether anything was corrected by hand since it was imported."""
    return any(name not in _SETS and plain(name, getattr(ours, name)) != value for name, value in said.items())


def plain(name: str, value: Any) -> Any:
    """Return a field as JSON holds it; of people only who has which part, as they are described elsewhere."""
    if name == "people":
        return [[person_slug(role.person), role.role, role.affiliation] for role in value]
    return msgspec.json.decode(msgspec.json.encode(value)) if isinstance(value, tuple | Release) else value


def with_known_parts(mine: tuple[Role, ...], new: tuple[Role, ...], carried: frozenset[str]) -> tuple[Role, ...]:
    """Return a file's people as who they are here, with the parts and affiliations that its format cannot say.

    A name alone means the person of that name who has a part in the session already.
    """
    known = {person_slug(role.person): role for role in mine}
    named = {role.person.name: role.person for role in mine}
    parts = []
    for role in new:
        person = role.person
        if person_slug(person) not in known and not person.external_ids:
            person = named.get(person.name, person)
        before = known.get(person_slug(person), role)
        part = role.role if "roles" in carried else before.role
        affiliation = role.affiliation if "affiliations" in carried else before.affiliation
        parts.append(Role(person=person, role=part, affiliation=affiliation))
    return tuple(parts)


def _merge_set(name: str, mine: tuple[Any, ...], new: tuple[Any, ...], base: list[Any]) -> tuple[Any, ...]:
    kind: type[Link | ExternalId] = Link if name == "links" else ExternalId
    before = tuple(msgspec.convert(item, kind) for item in base)
    kept = [item for item in mine if item in new or item not in before]
    added = [item for item in new if item not in mine and item not in before]
    if name == "external_ids":
        schemes = {item.scheme for item in added}
        kept = [item for item in kept if item.scheme not in schemes]
    # The file's order, where it says nothing but what stays.
    return new if set(kept) | set(added) == set(new) and len(kept) + len(added) == len(new) else (*kept, *added)
