"""Rows for tests: events, sessions and transcripts, written straight into the tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate

from archive.catalogue.migrations import catalogue_migrations
from archive.sqlite import Database, sqlite3

SEGMENT_MS = 5_000
PATIENT_MS = 60_000
"""A budget of time that is not what a test is about: a busy machine must not make it fail."""


def blank() -> Database:
    """Return an empty catalogue in memory, which leaves transactions to the caller."""
    db = Database(sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False))
    db.execute("PRAGMA foreign_keys = ON")
    catalogue_migrations.apply(db)
    return db


def add_event(db: Database, slug: str = "gathering", **columns: str) -> int:
    return _insert(db, "event", slug=slug, title=columns.pop("title", slug.title()), **columns)


def add_session(db: Database, event: int, slug: str = "talk", people: Sequence[str] = (), **columns: object) -> int:
    session = _insert(db, "session", event_id=event, slug=slug, title=columns.pop("title", slug.title()), **columns)
    for position, name in enumerate(people):
        person = _insert(db, "person", slug=f"{name}-{session}", name=name)
        _insert(db, "session_person", session_id=session, person_id=person, position=position)
    return session


def add_transcript(
    db: Database,
    session: int,
    texts: Iterable[str],
    *,
    language: str = "en",
    doubtful: Sequence[int] = (),
    current: bool = True,
    recording: int | None = None,
) -> int:
    """Add a transcript, on a recording of its own unless one is named: a segment a text, 5 s each."""
    if recording is None:
        number = db.execute("SELECT count(*) FROM recording").fetchone()[0]
        recording = _insert(
            db,
            "recording",
            session_id=session,
            sha256=f"{number:064x}",
            kind="audio",
            bytes=1,
            media_type="audio/flac",
            suffix=".flac",
            original_name="talk.flac",
            pulled_at="2022-07-23T10:00:00Z",
        )
    texts = list(texts)
    version = f"v{db.execute('SELECT count(*) FROM transcript').fetchone()[0] + 1}"
    transcript = _insert(
        db,
        "transcript",
        recording_id=recording,
        version=version,
        language=language,
        kind="asr",
        generator="test",
        parameters_hash="",
        duration_ms=SEGMENT_MS * len(texts),
        is_current=int(current),
        created_at="2022-07-23T10:00:00Z",
    )
    db.conn.executemany(
        "INSERT INTO segment(transcript_id, position, start_ms, end_ms, text, flags) VALUES (?, ?, ?, ?, ?, ?)",
        (
            (transcript, at, at * SEGMENT_MS, (at + 1) * SEGMENT_MS, text, '["repetitive"]' if at in doubtful else "[]")
            for at, text in enumerate(texts)
        ),
    )
    return transcript


def add_words(db: Database, transcript: int, position: int, *texts: str, spoken_ms: int = 400) -> None:
    """Give a segment words that follow each other from its start, each as long as the others."""
    segment, start = db.execute(
        "SELECT id, start_ms FROM segment WHERE transcript_id = ? AND position = ?", [transcript, position]
    ).fetchone()
    starts = accumulate((spoken_ms for _ in texts[1:]), initial=start)
    for number, (at, text) in enumerate(zip(starts, texts, strict=True)):
        _insert(db, "word", segment_id=segment, position=number, start_ms=at, end_ms=at + spoken_ms, text=text)


def _insert(db: Database, table: str, **columns: object) -> int:
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    return int(
        db.conn.execute(f"INSERT INTO {table}({names}) VALUES ({marks})", tuple(columns.values())).lastrowid or 0
    )
