"""Deciding who may have what: the events, sessions and recordings that a name means, and what a decision changes.

A decision about an event, or one of its tracks, is the default of its sessions. Where it keeps back more than what was
decided of a session before, it holds for that session too; where it keeps back less, the session keeps what it has,
so that opening an event opens nothing that somebody had shut.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from archive.catalogue.addresses import event_at, session_at
from archive.catalogue.rows import Owner, touch
from archive.errors import AmbiguousSubjectError, UnknownSubjectError
from archive.publication.releases import released
from archive.sqlite import Database
from metadata.model import ReleaseState

Kind = Literal["event", "track", "session", "recording"]
CLOSED: dict[str, int] = {"public": 0, "embargoed": 1, "private": 2, "withdrawn": 2}
"""How far each state keeps something back."""
SHORTEST_DIGEST = 6
"""Digits of a SHA-256 that name a recording, at least."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is decided about: an event, a track of one, a session or a recording; ``id`` is the event's for tracks."""

    kind: Kind
    id: int
    label: str
    track: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What somebody decides.

    Attributes:
        state: what holds from now on; None takes back what was decided, so that the default holds again.
        until: the end of an embargo: a date, or a date and an hour (ISO 8601).
        reason: of a withdrawal, or why something is private.
        reason_is_public: whether the page that was withdrawn may say it.
        by: who decides.
        at: when, ISO 8601 UTC.
    """

    state: ReleaseState | None
    until: str | None = None
    reason: str | None = None
    reason_is_public: bool = False
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What a decision changes, by label.

    Attributes:
        visible: what the public may have from now on.
        hidden: what it may have no longer.
        kept: sessions that keep an earlier decision, which keeps back more.
    """

    visible: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def find_subject(db: Database, name: str) -> Subject:
    """Return what a name means: EVENT, EVENT/SESSION, SESSION, or the beginning of a recording's SHA-256.

    Raises:
        UnknownSubjectError: nothing has this name.
        AmbiguousSubjectError: several things have it.
    """
    event, slash, slug = name.rpartition("/")
    found = (
        list(_sessions_named(db, event, slug)) if slash else [*_events_named(db, name), *_sessions_named(db, "", name)]
    )
    if not found and len(name) >= SHORTEST_DIGEST and set(name) <= set("0123456789abcdef"):
        found = list(_recordings_named(db, name))
    if not found:
        raise UnknownSubjectError("event, session or recording", name)
    if len(found) > 1:
        raise AmbiguousSubjectError(name, [f"the {each.kind} {each.label}" for each in found])
    return found[0]


def track_of(db: Database, event: str, track: str) -> Subject:
    """Return a track of an event, which need not have sessions yet.

    Raises:
        UnknownSubjectError: there is no such event.
    """
    [*found] = _events_named(db, event)
    if not found:
        raise UnknownSubjectError("event", event)
    return Subject("track", found[0].id, f"{event}, track {track}", track)


def _events_named(db: Database, slug: str) -> Iterable[Subject]:
    rows = db.execute("SELECT id, slug FROM event WHERE slug = ?", [event_at(db, slug)]).fetchall()
    return (Subject("event", *row) for row in rows)


def _sessions_named(db: Database, event: str, slug: str) -> Iterable[Subject]:
    rows = db.execute(
        "SELECT session.id, event.slug FROM session JOIN event ON event.id = event_id"
        " WHERE session.slug = ? AND ? IN (event.slug, '') ORDER BY session.id",
        [slug, event],
    ).fetchall()
    if not rows and event and (moved := session_at(db.conn, event, slug)) and moved != (event, slug):
        return _sessions_named(db, *moved)
    return (Subject("session", row[0], f"{row[1]}/{slug}") for row in rows)


def _recordings_named(db: Database, digits: str) -> Iterable[Subject]:
    rows = db.execute(f"{_RECORDINGS} WHERE sha256 GLOB ? || '*'", [digits]).fetchall()
    return (Subject("recording", row[0], row[1]) for row in rows)


_RECORDINGS = """
SELECT recording.id, coalesce(event.slug || '/' || session.slug, original_name)
  || ', recording ' || substr(sha256, 1, 12), session_id
FROM recording LEFT JOIN session ON session.id = session_id LEFT JOIN event ON event.id = session.event_id
"""


def decide(
    db: Database,
    subjects: Sequence[Subject],
    decision: Decision,
    *,
    default: ReleaseState,
    now: datetime,
    opens_all: bool = False,
) -> Effect:
    """Decide about several things, and return what that changes. The caller owns the transaction.

    Args:
        db: the catalogue.
        subjects: what is decided about.
        decision: what holds from now on.
        default: what holds for a session of which nothing is said.
        now: the moment at which visibility is compared.
        opens_all: whether a decision about an event opens also what was shut by itself.
    """
    before = _visible(db, default, now)
    kept: list[int] = []
    for subject in subjects:
        if subject.kind == "recording":
            _decide_row(db, "recording_id", subject.id, decision)
        elif subject.kind == "session":
            _decide_session(db, subject.id, decision)
        else:
            kept += _decide_default(db, subject, decision, opens_all=opens_all)
    touch(db)
    after = _visible(db, default, now)
    changed = {session for label, session in (before | after).items() if (label in before) != (label in after)}
    db.conn.executemany("UPDATE session SET updated_at = ? WHERE id = ?", [(decision.at, each) for each in changed])
    labels = dict(db.execute(_SESSION_LABELS).fetchall())
    return Effect(
        visible=tuple(label for label in after if label not in before),
        hidden=tuple(label for label in before if label not in after),
        kept=tuple(labels[session] for session in dict.fromkeys(kept)),
    )


_FROM_SESSIONS = "event.slug || '/' || session.slug FROM session JOIN event ON event.id = event_id"
_SESSION_LABELS = f"SELECT session.id, {_FROM_SESSIONS}"
_SESSION_LABELS_ONLY = f"SELECT {_FROM_SESSIONS}"


def undecided_public(db: Database, labels: Iterable[str], *, default: ReleaseState, now: datetime) -> tuple[str, ...]:
    """Return those of some sessions (EVENT/SESSION) that are out, although no person decided that they are."""
    out = _visible(db, default, now)
    decided = {
        row[0]
        for row in db.execute(
            f"{_SESSION_LABELS_ONLY} JOIN release ON session_id = session.id WHERE decided_by IS NOT NULL"
        ).fetchall()
    }
    return tuple(label for label in labels if label in out and label not in decided)


def _visible(db: Database, default: ReleaseState, now: datetime) -> dict[str, int]:
    """Return the labels of what is out, in order, each with its session."""
    out, recordings = released(db, default=default, now=now)
    named = dict(db.execute(_SESSION_LABELS).fetchall())
    heard = {row[0]: (row[1], row[2]) for row in db.execute(_RECORDINGS).fetchall()}
    return {named[each]: each for each in out} | dict(heard[each] for each in recordings)


def _decide_session(db: Database, session: int, decision: Decision) -> None:
    """Decide about a session, and note it as the correction that it is: no import opens it again."""
    before = _said(db, session)
    _decide_row(db, "session_id", session, decision)
    db.execute(
        "INSERT INTO correction(session_id, field, before, after, corrected_by, corrected_at)"
        " VALUES (?, 'release', ?, ?, ?, ?)",
        [session, before, _said(db, session), decision.by, decision.at],
    )


def _said(db: Database, session: int) -> str:
    """Return a session's own release as corrections hold it: JSON."""
    row = db.execute("SELECT state, until, reason FROM release WHERE session_id = ?", [session]).fetchone()
    return json.dumps(row and dict(zip(("state", "until", "reason"), row, strict=True)), ensure_ascii=False)


def _decide_row(db: Database, owner: Owner, owner_id: int, decision: Decision) -> None:
    db.execute(f"DELETE FROM release WHERE {owner} = ?", [owner_id])
    if decision.state is not None:
        _insert(db, "release", {owner: owner_id}, decision)


def _decide_default(db: Database, subject: Subject, decision: Decision, *, opens_all: bool) -> list[int]:
    """Set the default of an event or a track, and return the sessions that keep what they have."""
    db.execute("DELETE FROM release_default WHERE event_id = ? AND track IS ?", [subject.id, subject.track])
    if decision.state is None:
        return []
    _insert(db, "release_default", {"event_id": subject.id, "track": subject.track}, decision)
    closed = CLOSED[decision.state]
    if subject.track is None:
        for row_id, state in db.execute(
            "SELECT id, state FROM release_default WHERE event_id = ? AND track IS NOT NULL", [subject.id]
        ).fetchall():
            if CLOSED[state] < closed or opens_all:
                db.execute("DELETE FROM release_default WHERE id = ?", [row_id])
    kept = []
    for session, state in db.execute(
        "SELECT session.id, state FROM session JOIN release ON session_id = session.id"
        " WHERE event_id = ? AND ? IN (track, '')",
        [subject.id, subject.track or ""],
    ).fetchall():
        if CLOSED[state] < closed or (opens_all and CLOSED[state] > closed):
            _decide_session(db, session, decision)
        elif CLOSED[state] > closed:
            kept.append(session)
    return kept


def _insert(db: Database, table: str, owner: dict[str, Any], decision: Decision) -> None:
    reason = decision.reason or ("" if decision.state == "withdrawn" else None)
    row = owner | {
        "state": decision.state,
        "until": decision.until,
        "reason": reason,
        "reason_is_public": int(decision.reason_is_public),
        "decided_at": decision.at,
        "decided_by": decision.by,
    }
    db.execute(f"INSERT INTO {table}({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values()))
