"""pretalx's API: pages of submissions or talks, and of speakers, as its REST interface returns them.

Source: https://docs.pretalx.org/api/resources/. A page of speakers describes people; their sessions are
in another file. Ids (``code``) connect the two.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from metadata.model import Event, Link, Person, Role, Session
from metadata.times import parse_moment
from metadata.timetables.base import Reading, Source, TimetableFormat
from metadata.timetables.parts import (
    NOT_RECORDED,
    Notes,
    event_slug,
    ids,
    name_stem,
    review,
    said_of_any,
    unique_links,
    with_slugs,
)
from metadata.timetables.plain_json import convert

_Text = str | int | dict[str, Any] | None
"""A text, a text in several languages, an object with a name, or its number if the API was not asked to expand it."""

SESSION_FIELDS = frozenset(
    {"title", "kind", "track", "room", "start", "planned_ms", "language", "abstract", "people", "links", "external_ids"}
)
_STANDING = frozenset({"accepted", "confirmed"})


class _Speaker(msgspec.Struct):
    code: str
    name: str
    biography: str | None = None
    avatar_url: str | None = None


class _Slot(msgspec.Struct):
    start: str | None = None
    end: str | None = None
    room: _Text = None


class _Resource(msgspec.Struct):
    resource: str | None = None
    description: str | None = None


class _Submission(msgspec.Struct):
    code: str
    title: str
    speakers: list[_Speaker | str] = []
    submission_type: _Text = None
    track: _Text = None
    state: str = "confirmed"
    abstract: str | None = None
    description: str | None = None
    duration: int | None = None
    content_locale: str | None = None
    do_not_record: bool | None = None
    slot: _Slot | None = None
    slots: list[_Slot | int] = []
    resources: list[_Resource | int] = []


def detect(source: Source, /) -> bool:
    """Return whether the file is a list, or a page with ``results``, of things with a ``code``."""
    entries = _entries(source.json)
    return bool(entries) and all(
        isinstance(entry, dict) and "code" in entry and ("title" in entry or "submissions" in entry)
        for entry in entries
    )


def _entries(raw: object) -> list[Any]:
    if isinstance(raw, dict):
        raw = raw.get("results")
    return raw if isinstance(raw, list) else []


def read(source: Source, /) -> Reading:
    """Return the event of a page. A page does not name its event, so the file's name is taken.

    Raises:
        FormatError: the path, and what was expected there.
    """
    page, path = source.json, "$"
    complete = True
    if isinstance(page, dict):
        complete = not page.get("next") and not page.get("previous")
        path = "$.results"
    entries = _entries(page)
    notes = Notes(source)
    if "submissions" in entries[0]:
        speakers = convert(source, list[_Speaker], entries, path)
        people = tuple(person for speaker in speakers for person in [_person(speaker, notes)] if person)
        return Reading(events=(), people=people, notices=tuple(notes.list), complete=False)
    notes.note("", "pretalx does not say which event this is: it is named by the file (--event names another)")
    read = [
        _session(submission, f"{path}[{index}]", notes)
        for index, submission in enumerate(convert(source, list[_Submission], entries, path))
    ]
    sessions = with_slugs([session for session in read if session])
    stem = name_stem(source)
    event, notices = review(Event(slug=event_slug(stem, stem, None), title=stem, sessions=sessions))
    return Reading(
        events=(event,),
        notices=(*notes.list, *notices),
        event_fields=frozenset(),
        session_fields=SESSION_FIELDS | said_of_any(sessions, "release"),
        complete=complete,
    )


def _session(submission: _Submission, where: str, notes: Notes) -> Session | None:
    title = notes.line(submission.title) or "Untitled"
    if submission.state not in _STANDING:
        notes.note(where, f"{title!r} is {submission.state}: left out")
        return None
    wish = notes.private(where, NOT_RECORDED, title) if submission.do_not_record else None
    slots = [slot for slot in submission.slots if isinstance(slot, _Slot)]
    slot = submission.slot or (slots[0] if slots else _Slot())
    if len(slots) > 1:
        notes.note(where, f"{title!r} has {len(slots)} slots: only the first is taken")
    numbers = [submission.submission_type, submission.track, slot.room, *submission.slots, *submission.resources]
    if any(isinstance(each, int) for each in numbers):
        notes.note_once(
            where,
            "things are given by number alone: ask the API with ?expand=speakers,submission_type,track,slots.room",
        )
    links: list[Link] = []
    for resource in submission.resources:
        if isinstance(resource, int):
            continue
        links += notes.link(where, "attachment", resource.resource, resource.description)
    roles = []
    for speaker in submission.speakers:
        if isinstance(speaker, str):
            notes.note(where, f"the speaker {speaker!r} is given by code alone: ask the API with ?expand=speakers")
        elif person := _person(speaker, notes):
            roles.append(Role(person=person))
    start = notes.moment(where, slot.start, notes.source.time_zone)
    return Session(
        slug="",
        title=title,
        kind=notes.kind(where, _text(submission.submission_type)),
        track=notes.line(_text(submission.track)),
        room=notes.line(_text(slot.room)),
        start=start,
        planned_ms=_length(submission, slot, start, where, notes),
        language=notes.language(where, submission.content_locale),
        abstract=notes.block(submission.abstract, submission.description),
        people=tuple(roles),
        links=unique_links(links),
        external_ids=ids(code=submission.code),
        release=wish,
    )


def _length(submission: _Submission, slot: _Slot, start: str | None, where: str, notes: Notes) -> int | None:
    if submission.duration or not start or not slot.end:
        return notes.positive(where, submission.duration and submission.duration * 60_000, submission.duration)
    end = notes.moment(where, slot.end, notes.source.time_zone)
    length = (parse_moment(end) - parse_moment(start)) / timedelta(milliseconds=1) if end else None
    return notes.positive(where, length, slot.end)


def _person(speaker: _Speaker, notes: Notes) -> Person | None:
    name = notes.line(speaker.name)
    if name is None:
        return None
    picture = speaker.avatar_url if str(speaker.avatar_url).startswith(("https://", "http://")) else None
    links = (Link(rel="portrait", url=picture),) if picture else ()
    return Person(name=name, biography=notes.block(speaker.biography), links=links, external_ids=ids(code=speaker.code))


def _text(value: object) -> str | None:
    """Return a text; of one in several languages, the English one or else the first."""
    if isinstance(value, dict):
        return _text(value["name"]) if "name" in value else _text(value.get("en") or next(iter(value.values()), None))
    return value if isinstance(value, str) else None


FORMAT = TimetableFormat(
    name="pretalx-api",
    title="pretalx's API: pages of submissions or talks, and of speakers, as its REST interface returns them",
    suffixes=(".json",),
    media_types=("application/json",),
    release_wishes="`do_not_record`: private, since the session asks not to be recorded",
    detect=detect,
    read=read,
)
