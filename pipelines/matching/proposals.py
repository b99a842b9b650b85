"""Recordings and the sessions that they are of: who fits whom in the catalogue, and bringing them together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from archive.catalogue.recordings import Recording, assign, recordings_without_session
from archive.catalogue.sessions import TimetableSession, add_session, ensure_event, timetable_sessions
from archive.sqlite import Database
from metadata.times import parse_moment
from metadata.timetables.slugs import make_slug
from pipelines.matching.evidence import FileFacts, Match, Talk, Timetable, certain, parse_started, zone_or_utc
from pipelines.storage.archive_folder import Context


@dataclass(frozen=True, slots=True)
class MatchProposal:
    """A recording that has no session, and those that it could have, the likeliest first."""

    recording: int
    sha256: str
    file: FileFacts
    found: tuple[Match, ...]

    @property
    def certain(self) -> Match | None:
        """The match that needs nobody's word, if there is one."""
        return certain(self.found)


def talks(context: Context, event: str | None = None) -> list[Talk]:
    """Return the sessions of timetables: of one event, or of all but the one of recordings without any.

    An event of which no session has a time, a person or an abstract has no timetable: its sessions were made
    from recordings.
    """
    return [_talk(each) for each in timetable_sessions(context.db, event, besides=context.config.pull.event)]


def _talk(session: TimetableSession) -> Talk:
    zone = zone_or_utc(session.time_zone)
    return Talk(
        id=session.id,
        label=f"{session.event}/{session.slug}",
        title=session.title,
        people=session.people,
        ids=session.ids,
        room=session.room,
        start=parse_moment(session.start_at, zone) if session.start_at else None,
        day=date.fromisoformat(session.day) if session.day else None,
        planned_ms=session.planned_ms,
        zone=zone,
    )


def proposals(context: Context, event: str | None = None, recording: int | None = None) -> Iterator[MatchProposal]:
    """Yield the recordings that have no session and were not cut into any, or one of them, with what fits."""
    timetable = Timetable(talks(context, event))
    for each in recordings_without_session(context.db, recording):
        file = file_of(each)
        yield MatchProposal(each.id, each.sha256, file, tuple(timetable.matches(file)))


def file_of(recording: Recording) -> FileFacts:
    """Return what is known of a recording as evidence."""
    return FileFacts(
        name=recording.original_name,
        folder=recording.folder,
        started=parse_started(recording.started_at),
        duration_ms=recording.duration_ms,
        tags=recording.tags,
    )


def place(context: Context, recording: int, event: str | None) -> str:
    """Give a recording the session that it certainly is of, if there is one, and say what was done."""
    proposal = next(proposals(context, event, recording))
    if match := proposal.certain:
        assign(context.db, recording, match.talk.id)
        return f"is {match.talk.label}: {', '.join(match.reasons)}"
    many = f"could be {proposal.found[0].talk.label}" if proposal.found else "fits no session"
    return f"{many}: 'rostra match' lists what to decide"


def new_session(db: Database, event: str, stem: str) -> int:
    """Make a session for a recording that no timetable knows, and its event if need be; return its id."""
    event_id = ensure_event(db, event, re.sub(r"-+", " ", event).capitalize())
    title = re.sub(r"[_\s]+", " ", stem).strip() or "Recording"
    return add_session(db, event_id, make_slug(stem) or "recording", title)
