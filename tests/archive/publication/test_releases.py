from __future__ import annotations

from datetime import UTC, datetime

import pytest

from archive.catalogue.importing import apply_event
from archive.connection import transaction
from archive.errors import AmbiguousSubjectError, UnknownSubjectError
from archive.publication.cleaning import public_name, public_parameters, public_text
from archive.publication.deciding import CLOSED, Decision, Effect, Subject, decide, find_subject, track_of
from archive.publication.releases import is_public, next_end
from archive.sqlite import Database
from metadata.model import Event, Release, ReleaseState, Session

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
AT = "2026-05-01T12:00:00Z"


@pytest.fixture
def db(catalogue: Database) -> Database:
    sessions = (
        Session(slug="opening", title="Opening", track="Memory"),
        Session(slug="closing", title="Closing"),
        Session(slug="shut", title="Shut", track="Memory", release=Release(state="private")),
    )
    with transaction(catalogue):
        for event in (
            Event(slug="fair", title="Fair", time_zone="Pacific/Auckland", sessions=sessions),
            Event(slug="camp", title="Camp", sessions=(Session(slug="opening", title="Opening"),)),
        ):
            apply_event(catalogue, event, decided_at=AT)
    return catalogue


def decided(
    db: Database, subject: Subject, state: ReleaseState | None, *, opens_all: bool = False, **more: str
) -> Effect:
    decision = Decision(state=state, by="noor", at=AT, **more)  # type: ignore[arg-type]
    with transaction(db):
        return decide(db, [subject], decision, default="public", now=NOW, opens_all=opens_all)


@pytest.mark.parametrize(
    ("zone", "now", "expected"),
    [
        ("Pacific/Auckland", "2026-04-30T11:59:59+00:00", False),  # where it is 23:59:59 on the day before
        ("Pacific/Auckland", "2026-04-30T12:00:00+00:00", True),
        ("America/Los_Angeles", "2026-05-01T06:59:59+00:00", False),
        ("America/Los_Angeles", "2026-05-01T07:00:00+00:00", True),
        ("Nowhere/Land", "2026-05-01T11:59:59+00:00", False),
        ("Nowhere/Land", "2026-05-01T12:00:00+00:00", True),
    ],
)
def test_embargo_ends_at_midnight_where_the_event_is(zone: str, now: str, expected: bool) -> None:
    assert is_public("embargoed", "2026-05-01", datetime.fromisoformat(now), zone) is expected


def test_hour_without_an_offset_is_on_the_events_clocks(db: Database) -> None:
    decided(db, find_subject(db, "closing"), "embargoed", until="2026-05-02T09:30")
    assert next_end(db, default="public", now=NOW) == datetime(2026, 5, 1, 21, 30, tzinfo=UTC)
    assert next_end(db, default="public", now=datetime(2026, 5, 3, tzinfo=UTC)) is None


def test_event_that_is_shut_shuts_its_sessions_and_opening_it_opens_none_that_was_shut_by_itself(db: Database) -> None:
    fair = find_subject(db, "fair")
    assert decided(db, find_subject(db, "fair/opening"), "public") == Effect()
    assert decided(db, fair, "private") == Effect(hidden=("fair/opening", "fair/closing"))
    # What was open by itself was shut by that, and stays so.
    assert decided(db, fair, "public") == Effect(visible=("fair/closing",), kept=("fair/opening", "fair/shut"))
    assert decided(db, fair, "public", opens_all=True) == Effect(visible=("fair/opening", "fair/shut"))


def test_track_has_a_default_of_its_own(db: Database) -> None:
    assert decided(db, track_of(db, "fair", "Memory"), "private") == Effect(hidden=("fair/opening",))
    with transaction(db):
        apply_event(
            db,
            Event(slug="fair", title="Fair", sessions=(Session(slug="new", title="New", track="Memory"),)),
            decided_at=AT,
        )
    assert decided(db, find_subject(db, "fair/new"), "public") == Effect(visible=("fair/new",))
    assert decided(db, find_subject(db, "fair/new"), None) == Effect(hidden=("fair/new",))


@pytest.mark.parametrize(
    ("name", "changed"),
    [("fair", {"opening", "closing"}), ("fair/closing", {"closing"}), ("track", {"opening"})],
)
def test_whoever_asks_for_what_is_new_hears_of_sessions_that_a_decision_opens_or_shuts(
    db: Database, name: str, changed: set[str]
) -> None:
    """Harvesters and feeds ask for what has changed since. What was shut by itself may be decided about once more."""
    subject = track_of(db, "fair", "Memory") if name == "track" else find_subject(db, name)
    for state in ("private", "public", "private", None):
        db.execute("UPDATE session SET updated_at = '2020-01-01T00:00:00Z'")
        decided(db, subject, state)  # type: ignore[arg-type]
        rows = db.execute(
            "SELECT event.slug || '/' || session.slug FROM session JOIN event ON event.id = event_id"
            " WHERE updated_at > '2020-01-01T00:00:00Z'"
        )
        assert {row[0] for row in rows.fetchall()} - {"fair/shut"} == {f"fair/{each}" for each in changed}


def test_no_import_opens_what_a_person_shut(db: Database) -> None:
    decided(db, find_subject(db, "closing"), "withdrawn", reason="asked")
    again = Session(slug="closing", title="Closing", release=Release(state="public"))
    with transaction(db):
        apply_event(db, Event(slug="fair", title="Fair", sessions=(again,)), decided_at=AT)
    assert db.execute(
        "SELECT state FROM release JOIN session ON session_id = session.id WHERE slug = 'closing'"
    ).fetchone() == ("withdrawn",)


def test_names_that_are_unknown_or_ambiguous_are_refused(db: Database) -> None:
    with pytest.raises(UnknownSubjectError, match="no event, session or recording 'nothing'"):
        find_subject(db, "nothing")
    with pytest.raises(
        AmbiguousSubjectError, match="the session fair/opening, or the session camp/opening: write EVENT"
    ):
        find_subject(db, "opening")
    assert set(CLOSED) == {"public", "embargoed", "private", "withdrawn"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://noor:pw@example.org/a", "https://example.org/a"),
        ("see https://example.org/a?page=2&access_token=x&b=1#top now", "see https://example.org/a?page=2&b=1#top now"),
        ("https://bucket.s3.example/x?X-Amz-Signature=1&X-Amz-Credential=2", "https://bucket.s3.example/x"),
        ("https://zoom.example/j/1?pwd=secret", "https://zoom.example/j/1"),
        ("https://example.org/r?u=https://a:b@c.example/", "https://example.org/r?u=https://c.example/"),
        ("https://example.org/r?u=https%3A%2F%2Fa%3Ab%40c.example", "https://example.org/r"),
        ("https://example.org/#access_token=1", "https://example.org/"),
        ("file:///home/noor/talk.mp4", ""),
        ("no address: a@b.example, 1://", "no address: a@b.example, 1://"),
        (None, None),
    ],
)
def test_addresses_lose_their_keys(text: str | None, expected: str | None) -> None:
    assert public_text(text) == expected


@pytest.mark.parametrize("part", ["a://", "://", "https://x/?a=b&", "a"])
def test_time_to_clean_a_text_grows_with_its_length(part: str) -> None:
    assert public_text(part * 50_000 + "https://a:b@c") is not None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("noor@example.org", "Name withheld"),
        ("Noor Okafor <noor@example.org>", "Noor Okafor"),
        ("Noor Okafor (noor@example.org)", "Noor Okafor"),
        ("@noor", "@noor"),
        ("Noor Okafor", "Noor Okafor"),
    ],
)
def test_names_lose_addresses_of_people(name: str, expected: str) -> None:
    assert public_name(name) == expected


def test_parameters_lose_the_folders_of_a_machine() -> None:
    assert public_parameters('{"model": "/home/noor/weights/", "beam": 5}') == '{"model": "weights", "beam": 5}'
