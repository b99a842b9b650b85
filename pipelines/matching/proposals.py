"""Recordings and the sessions that they are of: who fits whom in the catalogue, and bringing them together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

from archive.catalogue.importing import touch
from archive.sqlite import Database
from metadata.times import parse_moment
from pipelines.matching.evidence import File, Match, Talk, Timetable, certain, parse_started, zone_or_utc
from pipelines.storage.archive_folder import Context


@dataclass(frozen=True, slots=True)
class Proposal:
    """A recording that has no session, and those that it could have, the likeliest first."""

    recording: int
    sha256: str
    file: File
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
    people: dict[int, list[str]] = {}
    for row in context.db.query(
        "SELECT session_id, name FROM session_person JOIN person ON person.id = person_id ORDER BY position"
    ):
        people.setdefault(row["session_id"], []).append(row["name"])
    ids: dict[int, list[str]] = {}
    for row in context.db.query("SELECT session_id, value FROM external_id WHERE session_id IS NOT NULL"):
        ids.setdefault(row["session_id"], []).append(row["value"])
    rows = context.db.query(
        "SELECT session.*, event.slug AS event, time_zone FROM session JOIN event ON event.id = event_id"
        " WHERE (event.slug = :event OR (:event IS NULL AND event.slug <> :own)) AND event_id IN ("
        " SELECT event_id FROM session WHERE start_at IS NOT NULL OR abstract IS NOT NULL"
        " OR id IN (SELECT session_id FROM session_person)) ORDER BY session.id",
        {"event": event, "own": context.config.pull.event},
    )
    return [_talk(row, tuple(people.get(row["id"], ())), tuple(ids.get(row["id"], ()))) for row in rows]


def _talk(row: dict[str, Any], people: tuple[str, ...], ids: tuple[str, ...]) -> Talk:
    zone = zone_or_utc(row["time_zone"])
    return Talk(
        id=row["id"],
        label=f"{row['event']}/{row['slug']}",
        title=row["title"],
        people=people,
        ids=ids,
        room=row["room"],
        start=parse_moment(row["start_at"], zone) if row["start_at"] else None,
        day=date.fromisoformat(row["day"]) if row["day"] else None,
        planned_ms=row["planned_ms"],
        zone=zone,
    )


def proposals(context: Context, event: str | None = None, recording: int | None = None) -> Iterator[Proposal]:
    """Yield the recordings that have no session and were not cut into any, or one of them, with what fits."""
    timetable = Timetable(talks(context, event))
    for row in context.db.query(
        "SELECT recording.*, folder, started_at, tags FROM recording"
        " LEFT JOIN recording_source ON recording_source.recording_id = recording.id"
        " WHERE session_id IS NULL AND (recording.id = :one OR :one IS NULL)"
        " AND recording.id NOT IN (SELECT cut_from FROM recording_source WHERE cut_from IS NOT NULL)"
        " ORDER BY started_at, recording.id",
        {"one": recording},
    ):
        file = file_of(row)
        yield Proposal(row["id"], row["sha256"], file, tuple(timetable.matches(file)))


def file_of(row: dict[str, Any]) -> File:
    """Return what a row of recordings with their sources says of one."""
    return File(
        name=row["original_name"],
        folder=row["folder"] or "",
        started=parse_started(row["started_at"]),
        duration_ms=row["duration_ms"],
        tags=msgspec.json.decode(row["tags"] or "[]", type=tuple[str, ...]),
    )


def assign(db: Database, recording: int, session: int) -> None:
    """Make a recording a session's. The caller owns the transaction."""
    db.execute("UPDATE recording SET session_id = ? WHERE id = ?", [session, recording])
    touch(db)


def place(context: Context, recording: int, event: str | None) -> str:
    """Give a recording the session that it certainly is of, if there is one, and say what was done."""
    proposal = next(proposals(context, event, recording))
    if match := proposal.certain:
        assign(context.db, recording, match.talk.id)
        return f"is {match.talk.label}: {', '.join(match.reasons)}"
    many = f"could be {proposal.found[0].talk.label}" if proposal.found else "fits no session"
    return f"{many}: 'rostra match' lists what to decide"
