"""When a session last changed, as feeds and harvesters are told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from archive.catalogue.migrations import catalogue_migrations
from archive.sqlite import Database

THEN = "2020-01-01T00:00:00Z"
SHA256 = "a" * 64


@pytest.fixture
def db() -> Iterator[Database]:
    db = Database(memory=True)
    catalogue_migrations.apply(db)
    for statement in (
        "INSERT INTO event(id, slug, title) VALUES (1, 'event', 'Event')",
        "INSERT INTO session(id, event_id, slug, title) VALUES (1, 1, 'one', 'One'), (2, 1, 'two', 'Two')",
        (
            "INSERT INTO recording(id, session_id, sha256, kind, bytes, media_type, suffix, original_name, pulled_at)"
            f" VALUES (1, 1, '{SHA256}', 'audio', 1, 'audio/wav', '.wav', 'a.wav', '{THEN}')"
        ),
        (
            "INSERT INTO transcript(id, recording_id, version, language, kind, generator, parameters_hash, duration_ms,"
            f" created_at) VALUES (1, 1, 'v1', 'en', 'asr', 'x', '-', 1, '{THEN}')"
        ),
        (
            "INSERT INTO redaction(id, recording_id, start_ms, end_ms, reason, decided_by, decided_at)"
            f" VALUES (1, 1, 0, 1, '', 'x', '{THEN}')"
        ),
        f"UPDATE session SET updated_at = '{THEN}'",
    ):
        db.execute(statement)
    yield db
    db.close()


def changed(db: Database) -> list[int]:
    return [row[0] for row in db.execute("SELECT id FROM session WHERE updated_at <> ? ORDER BY id", [THEN])]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE session SET title = 'Another' WHERE id = 1",
        "UPDATE session SET day = '2022-07-23' WHERE id = 1",
        "UPDATE recording SET superseded_by = NULL WHERE id = 1",
        "UPDATE transcript SET is_current = 1 WHERE id = 1",
        (
            "INSERT INTO rendition(recording_id, kind, sha256, suffix, media_type, bytes)"
            f" VALUES (1, 'web', '{SHA256}', '.webm', 'audio/webm', 1)"
        ),
        (
            "INSERT INTO transcript(recording_id, version, language, kind, generator, parameters_hash, duration_ms,"
            f" created_at, is_current) VALUES (1, 'v2', 'en', 'asr', 'x', '-', 1, '{THEN}', 1)"
        ),
        f"INSERT INTO release(session_id, state, decided_at) VALUES (1, 'public', '{THEN}')",
        f"INSERT INTO release(recording_id, state, decided_at) VALUES (1, 'private', '{THEN}')",
        (
            "INSERT INTO redaction(recording_id, start_ms, end_ms, reason, decided_by, decided_at)"
            f" VALUES (1, 0, 9, '', 'x', '{THEN}')"
        ),
        f"UPDATE redaction SET undone_at = '{THEN}' WHERE id = 1",
    ],
)
def test_session_changes_with_what_is_shown_of_it(db: Database, statement: str) -> None:
    db.execute(statement)
    assert changed(db) == [1]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE session SET position = 7",
        "UPDATE recording SET loudness = -20",
        "UPDATE event SET title = 'Another'",
        (
            "INSERT INTO transcript(recording_id, version, language, kind, generator, parameters_hash, duration_ms,"
            f" created_at) VALUES (1, 'v2', 'en', 'asr', 'x', '-', 1, '{THEN}')"
        ),
    ],
)
def test_session_does_not_change_with_what_nobody_sees(db: Database, statement: str) -> None:
    db.execute(statement)
    assert changed(db) == []


def test_new_session_has_changed(db: Database) -> None:
    db.execute("INSERT INTO session(id, event_id, slug, title) VALUES (3, 1, 'three', 'Three')")
    assert changed(db) == [3]
