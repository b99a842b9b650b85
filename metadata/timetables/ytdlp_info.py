"""yt-dlp's `info.json`: one video, or a playlist or channel with its entries.

Source: https://github.com/yt-dlp/yt-dlp#output-template, the fields of an info dictionary. The listing
of a channel may be incomplete, so a video that is missing was not removed.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from metadata.model import Event, Person, Release, Role, Session
from metadata.names import distinct_names
from metadata.timetables.base import Reading, Source, TimetableFormat
from metadata.timetables.parts import Notes, event_slug, ids, review, said_of_any, with_slugs
from metadata.timetables.plain_json import convert
from metadata.timetables.pyvideo_json import video_ids

SESSION_FIELDS = frozenset(
    {"title", "start", "day", "planned_ms", "language", "abstract", "people", "links", "external_ids"}
)

_NOT_LISTED = {
    "premium_only": "for paying viewers only",
    "subscriber_only": "for members only",
    "needs_auth": "behind a login",
}


class _Info(msgspec.Struct):
    id: str
    title: str | None = None
    fulltitle: str | None = None
    description: str | None = None
    duration: float | None = None
    language: str | None = None
    release_timestamp: float | None = None
    timestamp: float | None = None
    upload_date: str | None = None
    webpage_url: str | None = None
    url: str | None = None
    uploader: str | None = None
    channel: str | None = None
    creators: list[str] | None = None
    extractor_key: str | None = None
    playlist_title: str | None = None
    playlist_id: str | None = None
    live_status: str | None = None
    availability: str | None = None
    playlist_count: int | None = None
    entries: list[_Info | None] | None = None


def detect(source: Source, /) -> bool:
    """Return whether the file is an info dictionary, which names the extractor of yt-dlp that made it."""
    raw = source.json
    return isinstance(raw, dict) and "id" in raw and "extractor_key" in raw


def read(source: Source, /) -> Reading:
    """Return a playlist or channel as an event, or one video as the event of the playlist that it came from.

    Raises:
        FormatError: the path, and what was expected there.
    """
    info = convert(source, _Info)
    notes = Notes(source, html=False)
    listed = [info] if info.entries is None else info.entries
    title = info.title if info.entries is not None else info.playlist_title or info.channel or info.uploader
    name = notes.line(title) or notes.line(info.id) or "videos"
    if info.entries is not None and info.playlist_count and info.playlist_count > len(listed):
        notes.note("$.entries", f"{len(listed)} of {info.playlist_count} videos are in this file")
    sessions = []
    for index, entry in enumerate(listed):
        where = "$" if info.entries is None else f"$.entries[{index}]"
        if entry is None:
            notes.note(where, "an entry that could not be fetched: left out")
        elif entry.entries is not None:
            notes.note(where, f"{entry.title!r} is a list of its own: import it by itself")
        else:
            sessions.append(_session(entry, where, notes))
    playlist = info.id if info.entries is not None else info.playlist_id
    event = Event(
        slug=event_slug(None, name, None),
        title=name,
        description=notes.block(info.description) if info.entries is not None else None,
        links=notes.link("$", "website", info.webpage_url) if info.entries is not None else (),
        external_ids=ids(playlist=playlist),
        sessions=with_slugs(sessions),
    )
    event, notices = review(event)
    said = {"title": name, "description": event.description, "links": event.links, "external_ids": playlist}
    return Reading(
        events=(event,),
        notices=(*notes.list, *notices),
        event_fields=frozenset(field for field, value in said.items() if value),
        session_fields=SESSION_FIELDS | said_of_any(sessions, "release"),
        complete=False,
    )


def _session(info: _Info, where: str, notes: Notes) -> Session:
    url = info.webpage_url or info.url
    key = (info.extractor_key or "video").lower()
    start, day = _when(info, where, notes)
    people = info.creators or [info.uploader or info.channel or ""]
    names = distinct_names(notes.line(each) for each in people)
    return Session(
        slug="",
        title=notes.line(info.fulltitle or info.title) or f"Untitled {info.id}"[:200],
        start=start,
        day=day,
        planned_ms=notes.positive(where, info.duration and info.duration * 1000, info.duration),
        language=notes.language(where, info.language),
        abstract=notes.block(info.description),
        people=tuple(Role(person=Person(name=name), role="host") for name in names),
        links=notes.link(where, "video", url),
        external_ids=video_ids(url) or ids(**{key: info.id}),
        release=_release(info, where, notes),
    )


def _release(info: _Info, where: str, notes: Notes) -> Release | None:
    wish = release_wish(info.availability)
    return notes.private(where, wish, notes.line(info.title or info.id)) if wish else None


def release_wish(availability: str | None) -> str | None:
    """Return why a video is not for everybody, by its availability as yt-dlp names it; None where it says nothing."""
    if availability in {None, "", "public"}:
        return None
    return f"is {_NOT_LISTED.get(availability or '', availability)} on its platform"


def _when(info: _Info, where: str, notes: Notes) -> tuple[str | None, str | None]:
    """Return the moment at which a video was released (or streamed, or uploaded), or else the day of the upload."""
    stamp = info.release_timestamp or info.timestamp
    if stamp is not None:
        try:
            return datetime.fromtimestamp(stamp, UTC).isoformat(timespec="seconds"), None
        except (ValueError, OverflowError, OSError):
            notes.note(where, f"{stamp!r} is no timestamp: left out")
    date = info.upload_date or ""
    return None, notes.date(where, f"{date[:4]}-{date[4:6]}-{date[6:8]}" if len(date) == 8 else date)


FORMAT = TimetableFormat(
    name="ytdlp-info",
    title="yt-dlp's `info.json`: one video, or a playlist or channel with its entries",
    suffixes=(".json",),
    media_types=("application/json",),
    release_wishes="`availability` other than public (unlisted, private, for members, behind a login): private",
    detect=detect,
    read=read,
)
