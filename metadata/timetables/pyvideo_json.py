"""pyvideo's JSON: one talk a file, or a category's folder, or a checkout of the whole repository.

Source: https://github.com/pyvideo/data. A folder with ``category.json`` and ``videos/`` is an event. A talk
has the day on which it was recorded, but no hour.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from metadata.model import Event, ExternalId, Link, Person, Role, Session
from metadata.names import distinct_names
from metadata.timetables.base import Notice, Reading, Source, TimetableFormat, Written
from metadata.timetables.parts import Notes, event_slug, ids, name_stem, review, said_of_any, unique_links, with_slugs
from metadata.timetables.plain_json import convert

SESSION_FIELDS = frozenset({"title", "day", "planned_ms", "language", "abstract", "people", "links", "external_ids"})
CATEGORY = "category.json"
_DRAFT = frozenset({"2", "draft"})
"""The states of a draft. pyvideo's first data came from a program, richard, that numbers them."""


class _Url(msgspec.Struct):
    url: str | None = None
    label: str | None = None
    rel: str = "website"


class _File(msgspec.Struct):
    url: str | None = None
    type: str | None = None


class _Video(msgspec.Struct):
    title: str
    description: str | None = None
    summary: str | None = None
    category: str | None = None
    duration: float | str | None = None
    id: int | str | None = None
    language: str | None = None
    recorded: str | None = None
    related_urls: list[str | _Url] | None = None
    speakers: list[str] | None = None
    slug: str | None = None
    source_url: str | None = None
    videos: list[_File] | None = None
    state: int | str | None = None


class _Category(msgspec.Struct):
    title: str
    description: str | None = None
    url: str | None = None
    slug: str | None = None
    start_date: str | None = None
    end_date: str | None = None
    generator: str | None = None


def detect(source: Source, /) -> bool:
    """Return whether the file is one talk of pyvideo."""
    raw = source.json
    return isinstance(raw, dict) and "title" in raw and isinstance(raw.get("speakers"), list) and "videos" in raw


def read(source: Source, /) -> Reading:
    """Return the event that a talk names as its category, with only this talk.

    Raises:
        FormatError: the path, and what was expected there.
    """
    notes = Notes(source, html=False)
    video = convert(source, _Video)
    name = notes.line(video.category)
    if name is None:
        notes.note("$.category", "no category: the event is named by the file (--event names another)")
    session = _session(video, source.name, notes)
    event = Event(slug=event_slug(None, name or name_stem(source), None), title=name or name_stem(source))
    return _conclude(event, [session], [None], notes.list, {"title"} if name else set(), complete=False)


def read_folder(name: str, category: Source | None, videos: Sequence[Source]) -> Reading:
    """Return the event of a category's folder.

    Raises:
        FormatError: the file, the path, and what was expected there.
    """
    notes: list[Notice] = []
    if category is None:
        described = _Category(title=name)
        notes.append(Notice(name, f"no {CATEGORY}: the event is named by its folder"))
    else:
        described = convert(category, _Category)
    ours = described.generator == "rostra"
    own = Notes(category or Source(name, b""), html=False)
    sessions, slugs = [], []
    for source in videos:
        each = Notes(source, html=False)
        video = convert(source, _Video)
        sessions.append(_session(video, source.name, each))
        slugs.append(video.slug if ours else None)
        notes += each.list
    days = [] if ours else sorted(session.day for session in sessions if session.day)
    start = own.date(f"{name}/{CATEGORY}", described.start_date) or (days[0] if days else None)
    end = own.date(f"{name}/{CATEGORY}", described.end_date) or (days[-1] if days else None)
    if start and end and end < start:
        own.note(f"{name}/{CATEGORY}", f"ends on {end}, before it starts on {start}: its dates are left out")
        start = end = None
    links = own.link(f"{name}/{CATEGORY}", "website", described.url)
    event = Event(
        slug=event_slug(described.slug if ours else name, described.title, None),
        title=own.line(described.title) or name,
        description=own.block(described.description),
        start_date=start,
        end_date=end,
        links=links,
    )
    said = {
        "title": event.title,
        "description": event.description,
        "start_date": start,
        "end_date": end,
        "links": links,
    }
    fields = {field for field, value in said.items() if value}
    return _conclude(event, sessions, slugs, [*own.list, *notes], fields, complete=True, ours=ours)


def _conclude(
    event: Event,
    sessions: list[Session],
    slugs: Sequence[str | None],
    notes: list[Notice],
    fields: set[str],
    *,
    complete: bool,
    ours: bool = False,
) -> Reading:
    event, notices = review(replace(event, sessions=with_slugs(sessions, slugs)))
    return Reading(
        events=(event,),
        notices=(*notes, *notices),
        event_fields=frozenset(fields),
        session_fields=SESSION_FIELDS | said_of_any(sessions, "release"),
        complete=complete,
        slugs_identify=ours,
    )


def _session(video: _Video, where: str, notes: Notes) -> Session:
    links: list[Link] = []
    for file in video.videos or ():
        links += notes.link(where, "video", file.url)
    for related in video.related_urls or ():
        url = _Url(related) if isinstance(related, str) else related
        links += notes.link(where, url.rel, url.url, None if url.label == url.url else url.label)
    title = notes.line(video.title)
    if title is None:
        notes.note(where, "has no title")
    names = distinct_names(notes.line(name) for name in video.speakers or ())
    people = tuple(Role(person=Person(name=name)) for name in names)
    return Session(
        slug="",
        title=title or "Untitled",
        day=notes.date(where, video.recorded),
        planned_ms=_length(video, where, notes),
        language=notes.language(where, video.language),
        abstract=notes.block(video.summary, video.description),
        people=people,
        links=unique_links(links),
        external_ids=_ids(video),
        release=notes.private(where, "is a draft", title) if str(video.state).lower() in _DRAFT else None,
    )


def _length(video: _Video, where: str, notes: Notes) -> int | None:
    if isinstance(video.duration, str):
        return notes.length(where, video.duration)
    return notes.positive(where, video.duration and video.duration * 1000, video.duration)


def _ids(video: _Video) -> tuple[ExternalId, ...]:
    """Return the ids of a talk: its number, and those of its videos, since most talks have no number."""
    return (*ids(pyvideo=video.id), *(x for file in video.videos or () for x in video_ids(file.url)))


def video_ids(url: str | None) -> tuple[ExternalId, ...]:
    """Return the id that a video has on its platform, from its address."""
    match = re.search(r"(?:youtube\.com/watch\?(?:.*&)?v=|youtu\.be/)([\w-]{11})(?![\w-])", url or "", re.ASCII)
    return ids(youtube=match[1]) if match else ()


def write(event: Event, /) -> Written:
    """Return an event as a category's folder."""
    category: dict[str, Any] = {"title": event.title, "slug": event.slug, "generator": "rostra"}
    website = next((link.url for link in event.links if link.rel == "website" and link.url), None)
    category |= {"description": event.description, "url": website}
    category |= {"start_date": event.start_date, "end_date": event.end_date}
    files = {f"{event.slug}/{CATEGORY}": _dump({name: value for name, value in category.items() if value})}
    for session in event.sessions:
        files[f"{event.slug}/videos/{session.slug}.json"] = _dump(_written(event, session))
    return Written(files)


def _written(event: Event, session: Session) -> dict[str, Any]:
    number = next((x.value for x in session.external_ids if x.scheme == "pyvideo"), "")
    row: dict[str, Any] = {
        "title": session.title,
        "slug": session.slug,
        "category": event.title,
        "description": session.abstract or "",
        "duration": session.planned_ms and session.planned_ms / 1000,
        "language": session.language,
        "recorded": session.day or (session.start or "")[:10] or None,
        "speakers": [role.person.name for role in session.people],
        "tags": [],
        "thumbnail_url": None,
        "related_urls": [_related(link) for link in session.links if link.rel != "video" and link.url],
        "videos": [{"type": "url", "url": link.url} for link in session.links if link.rel == "video"],
    }
    return row | ({"id": int(number)} if number.isascii() and number.isdigit() else {})


def _related(link: Link) -> dict[str, Any]:
    row = {"label": link.title or link.url, "url": link.url}
    return row if link.rel == "website" else row | {"rel": link.rel}


def _dump(value: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(dict(sorted(value.items()))), indent=2) + b"\n"


FORMAT = TimetableFormat(
    name="pyvideo-json",
    title="pyvideo's JSON: one talk a file, or a category's folder, or a checkout of the whole repository",
    suffixes=(".json",),
    media_types=("application/json",),
    release_wishes="`state` of a draft: private",
    detect=detect,
    read=read,
    write=write,
    written_as="pyvideo",
)
