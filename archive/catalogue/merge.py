"""Merging what a file says into what is known, without losing what a person corrected or decided.

Beside each thing stands what the last import said of it (table ``imported``). A field that differs was corrected
by hand, by whatever tool: it stays, and the report says so. Every other field becomes what the file says, if the format
can say it. Links, ids and announcements are sets: what the last file had and this one has not is removed, what is new
is added, and the rest stays.

Texts that are canonically equivalent (UAX 15) are the same: a file that spells them in another way changes nothing.

A release follows rules of its own, so that no import publishes what a person or an earlier file kept back (`_release`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import msgspec

from archive.catalogue.rows import person_slug
from metadata.model import Announcement, Event, ExternalId, Link, Release, Role, Session
from metadata.names import composed, name_key, same_text
from metadata.times import parse_moment

Said = dict[str, Any]
Thing = TypeVar("Thing", Event, Session)

_SETS = frozenset({"links", "external_ids", "announcements"})
_EVENT = tuple(field.name for field in fields(Event) if field.name not in {"slug", "sessions"})
_SESSION = tuple(field.name for field in fields(Session) if field.name != "slug")


@dataclass(frozen=True, slots=True)
class Merged:
    """An event or a session after a merge.

    Attributes:
        value: as it is to be.
        said: what to remember of this import.
        changed: the fields that differ from what was there.
        kept: the fields that keep their value, since a person decided it, although the file says something else.
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
    """Return a thing of the catalogue's with what a file says of it.

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
        mine, new = getattr(ours, name), _as_known(getattr(ours, name), getattr(theirs, name))
        if name == "release":
            chosen = _release(mine, new, said.get(name), same_format=same_format, by_hand=name in corrected)
            remembered |= {} if new is None else {name: plain(name, new)}
            changes[name] = chosen
            kept += [name] if new and chosen and (new.state, new.until) != (chosen.state, chosen.until) else []
            continue
        if name == "people":
            new = with_known_parts(mine, new, carried)
        elif isinstance(ours, Session) and _says_less(name, ours, new, carried):
            new = mine
        plain_mine, plain_new = plain(name, mine), plain(name, new)
        remembered[name] = said[name] if was_taken_back(said.get(name), plain_new) else plain_new
        if name == "announcements":
            base = said.get(name, []) if same_format else []
            changes[name] = _merge_announcements(mine, new, base)
        elif name in _SETS:
            base = said.get(name, []) if same_format else []
            changes[name] = _merge_set(name, mine, new, base)
        elif name not in corrected and (name not in said or plain_mine == said[name]):
            if plain_mine != plain_new:
                changes[name] = new
        elif plain_mine != plain_new:
            kept.append(name)
    changes = {name: value for name, value in changes.items() if value != getattr(ours, name)}
    return Merged(replace(ours, **changes), remembered, tuple(changes), tuple(kept))


_CLOSED = {"public": 0, "embargoed": 1, "private": 2, "withdrawn": 2}


def _release(
    mine: Release | None, new: Release | None, said: Any, *, same_format: bool, by_hand: bool
) -> Release | None:
    """Return the release that holds after an import.

    A file that says nothing changes nothing: a wish that is no longer there does not publish a session. What a person
    decided stays, unless the file has a new wish that keeps the session back further. What an earlier file kept back
    is opened by a file of the same format only.

    Args:
        mine: what holds now; None where nobody has decided anything.
        new: what the file says.
        said: what the last import said, as `plain` has it.
        same_format: whether the last import was of the same format.
        by_hand: whether the decision is a correction.
    """
    if new is None or mine == new:
        return mine
    if mine is None:
        return new
    closes = _CLOSED[new.state] > _CLOSED[mine.state]
    if by_hand or plain("release", mine) != said:
        return new if closes and plain("release", new) != said else mine
    return new if closes or same_format else mine


def _as_known(mine: Any, new: Any) -> Any:
    """Return what a file says, in the spelling of what is known where the two are canonically equivalent."""
    if mine == new:
        return new
    if isinstance(new, str):
        return mine if isinstance(mine, str) and same_text(mine, new) else new
    if isinstance(new, tuple) and isinstance(mine, tuple):
        known = {_spelling(item): item for item in mine}
        return tuple(known.get(_spelling(item), item) for item in new)
    return new


def _spelling(value: Any) -> str:
    return composed(msgspec.json.encode(value).decode())


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
    said = {name: plain(name, getattr(theirs, name)) for name in names if name in carried}
    # A file that says nothing of a release has decided nothing about it.
    return {name: value for name, value in said.items() if name != "release" or value is not None}


def is_corrected(ours: Event | Session, said: Said) -> bool:
    """Return whether anything was corrected by hand since it was imported."""
    return any(name not in _SETS and plain(name, getattr(ours, name)) != value for name, value in said.items())


def taken_back(text: str) -> dict[str, str]:
    """Return what is remembered of a text that a file said and a person took back: its digest, which knows it again."""
    return {"taken_back": hashlib.sha256(composed(text).encode()).hexdigest()}


def was_taken_back(said: Any, text: Any) -> bool:
    """Return whether a text is one that was taken back."""
    return isinstance(said, dict) and isinstance(text, str) and said == taken_back(text)


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
    named = {name_key(role.person.name): role.person for role in mine}
    parts = []
    for role in new:
        person = role.person
        if person_slug(person) not in known and not person.external_ids:
            person = named.get(name_key(person.name), person)
        before = known.get(person_slug(person), role)
        part = role.role if "roles" in carried else before.role
        affiliation = role.affiliation if "affiliations" in carried else before.affiliation
        affiliation = _as_known(before.affiliation, affiliation)
        parts.append(Role(person=person, role=part, affiliation=affiliation))
    return tuple(parts)


def _merge_announcements(
    mine: tuple[Announcement, ...], new: tuple[Announcement, ...], base: list[Any]
) -> tuple[Announcement, ...]:
    """Return announcements, each known by its slug, as a file has those that it wrote; what others wrote stays.

    What was taken back or deleted since the last file stays so: nothing that is known of it is the file's any more.
    """
    before = {each.slug: each for item in base for each in (msgspec.convert(item, Announcement),)}
    named, known = {each.slug for each in new}, {each.slug: each for each in mine}
    added = [each for each in new if each.slug not in known and each.slug not in before]
    written = {each.slug: each for each in new if known.get(each.slug) == before.get(each.slug, each)}
    stays = [each for each in mine if each.slug in named or each != before.get(each.slug)]
    return (*(written.get(each.slug, each) for each in stays), *added)


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
