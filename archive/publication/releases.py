"""Who may have what, and since when: what was decided of sessions and recordings, and what follows from it.

A recording's own release comes first, then its session's, then that of the session's track, of its event, and what
the archive's configuration says. Only a session that is out has recordings that are out, so that a recording's own
release can keep it back, and cannot bring it out alone.

An embargo ends at midnight where the event is, unless it names an hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from archive.catalogue.current import NOT_SUPERSEDED
from archive.sqlite import Database
from metadata.errors import MetadataError
from metadata.model import ReleaseState
from metadata.times import parse_zone

_LAST: tzinfo = timezone(timedelta(hours=-12))
"""Where a day ends last: what holds for an event whose time zone is unknown."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for a session or a recording.

    Attributes:
        id: the row's.
        state: what was decided.
        until: the end of an embargo, as it was written.
        zone: the event's time zone, by IANA's name.
        since: when it was decided, ISO 8601 UTC; None where nobody decided anything.
        reason: why, if anybody said so and the public may know.
    """

    id: int
    state: ReleaseState
    until: str | None = None
    zone: str = "UTC"
    since: str | None = None
    reason: str | None = None

    def is_public(self, now: datetime) -> bool:
        """Return whether it is out at a moment."""
        return is_public(self.state, self.until, now, self.zone)


def is_public(state: ReleaseState, until: str | None, now: datetime, zone: str = "UTC") -> bool:
    """Return whether something in this state is out. An embargo whose end cannot be read holds.

    Args:
        state: what was decided.
        until: the end of an embargo: a date, or a date and an hour (ISO 8601).
        now: a zoned moment.
        zone: where the event is, by IANA's name: a date ends its embargo at midnight there.
    """
    if state != "embargoed":
        return state == "public"
    end = embargo_end(until, zone)
    return end is not None and now >= end


def embargo_end(until: str | None, zone: str) -> datetime | None:
    """Return the moment at which an embargo ends, on the event's clocks; None if it cannot be read."""
    try:
        end = datetime.fromisoformat(until or "")
    except ValueError:
        return None
    return end if end.tzinfo else end.replace(tzinfo=_zone(zone))


def _zone(name: str) -> tzinfo:
    try:
        return parse_zone(name)
    except MetadataError:
        return _LAST


_SESSIONS = """
SELECT session.id, event.time_zone,
  coalesce(own.state, track.state, whole.state) AS state,
  CASE WHEN own.id IS NOT NULL THEN own.until WHEN track.id IS NOT NULL THEN track.until ELSE whole.until END AS until,
  CASE WHEN own.id IS NOT NULL THEN own.decided_at WHEN track.id IS NOT NULL THEN track.decided_at
    ELSE whole.decided_at END AS since,
  CASE WHEN own.id IS NOT NULL THEN iif(own.reason_is_public, own.reason, NULL)
    WHEN track.id IS NOT NULL THEN iif(track.reason_is_public, track.reason, NULL)
    ELSE iif(whole.reason_is_public, whole.reason, NULL) END AS reason
FROM {schema}.session JOIN {schema}.event ON event.id = session.event_id
LEFT JOIN {schema}.release AS own ON own.session_id = session.id
LEFT JOIN {schema}.release_default AS track ON track.event_id = event.id AND track.track = session.track
LEFT JOIN {schema}.release_default AS whole ON whole.event_id = event.id AND whole.track IS NULL
ORDER BY session.id
"""


def sessions(db: Database, *, default: ReleaseState, schema: str = "main") -> list[Standing]:
    """Return what holds for every session, in the order of their ids.

    Args:
        db: the catalogue.
        default: what holds for a session of which nothing is said.
        schema: the name under which the catalogue is attached.
    """
    rows = db.execute(_SESSIONS.format(schema=schema)).fetchall()
    return [Standing(row[0], row[2] or default, row[3], row[1], row[4], row[5] or None) for row in rows]


def released(
    db: Database, *, default: ReleaseState, now: datetime, schema: str = "main"
) -> tuple[list[int], list[int]]:
    """Return the ids of the sessions and of the recordings that the public may have at a moment.

    A recording is out when its session is, no later one supersedes it, and its own release, where it has one,
    does not forbid it.

    Args:
        db: the catalogue.
        default: what holds for a session of which nothing is said.
        now: a zoned moment.
        schema: the name under which the catalogue is attached.
    """
    out = [each for each in sessions(db, default=default, schema=schema) if each.is_public(now)]
    zones = {each.id: each.zone for each in out}
    recordings = [
        row[0]
        for row in db.execute(
            f"SELECT recording.id, state, until, recording.session_id FROM {schema}.recording"
            f" LEFT JOIN {schema}.release ON release.recording_id = recording.id"
            f" WHERE {NOT_SUPERSEDED} ORDER BY recording.id"
        )
        if row[3] in zones and is_public(row[1] or "public", row[2], now, zones[row[3]])
    ]
    return [each.id for each in out], recordings


def unreleased(db: Database, published: Database, *, default: ReleaseState, now: datetime) -> int:
    """Return how many sessions and recordings a published database holds that are not released at a moment."""
    sessions_out, recordings_out = released(db, default=default, now=now)
    held = {row[0] for row in published.execute("SELECT id FROM session").fetchall()}
    heard = {row[0] for row in published.execute("SELECT id FROM recording").fetchall()}
    return len(held - set(sessions_out)) + len(heard - set(recordings_out))


def released_events(
    db: Database, sessions_out: Iterable[int], *, default: ReleaseState, now: datetime, schema: str = "main"
) -> list[int]:
    """Return the ids of the events that are out: those with a session that is, and those of no sessions at all.

    An event of no sessions is out unless its own release, which its sessions would follow, forbids it.
    """
    out = set(sessions_out)
    rows = db.execute(
        f"SELECT event.id, time_zone, state, until, (SELECT json_group_array(id) FROM {schema}.session"
        f" WHERE event_id = event.id) FROM {schema}.event LEFT JOIN {schema}.release_default"
        " ON release_default.event_id = event.id AND release_default.track IS NULL ORDER BY event.id"
    ).fetchall()
    return [
        row[0]
        for row in rows
        if (out & set(_ids(row[4]))) or (row[4] == "[]" and is_public(row[2] or default, row[3], now, row[1]))
    ]


def _ids(array: str) -> Iterator[int]:
    return (int(number) for number in array.strip("[]").split(",") if number)


def next_end(db: Database, *, default: ReleaseState, now: datetime) -> datetime | None:
    """Return when the next embargo ends, in UTC; None if none does."""
    zones = {each.id: each for each in sessions(db, default=default)}
    ends = [embargo_end(each.until, each.zone) for each in zones.values() if each.state == "embargoed"]
    for session, until in db.execute(
        "SELECT recording.session_id, until FROM release JOIN recording ON recording.id = recording_id"
        " WHERE state = 'embargoed' AND recording.session_id IS NOT NULL"
    ).fetchall():
        ends.append(embargo_end(until, zones[session].zone))
    return min((end.astimezone(UTC) for end in ends if end is not None and end > now), default=None)
