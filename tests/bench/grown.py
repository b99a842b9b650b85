"""A catalogue grown from real talks to as many segments as are asked for."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archive.catalogue.database import create_catalogue
from archive.connection import transaction
from archive.sqlite import Database
from tests.corpus import read_corpus

SESSION = 700
"""Segments of a session: about an hour."""
EVENT = 40
"""Sessions of an event."""
SEGMENT_MS = 5_000
NEW_WORD = 0.004
"""How often a word of a copy is exchanged for one that is rare: a larger archive has more words, not only more text."""
LANGUAGES = ("en", "en", "en", "en-GB")


@dataclass(frozen=True, slots=True)
class Grown:
    """What was made: the catalogue, and the text of each session's segments."""

    db: Database
    texts: list[list[str]]


def grow(path: Path, segments: int) -> Grown:
    """Fill a new catalogue: the talks as they are, then copies with their segments in another order and new words."""
    db = create_catalogue(path)
    db.execute("PRAGMA synchronous = OFF")
    texts = list(_sessions(segments))
    with transaction(db):
        for number in range(-(-len(texts) // EVENT)):
            year = 2000 + number % 24
            db.execute(
                "INSERT OR IGNORE INTO series(id, slug, title) VALUES (?, ?, ?)", _named(number % 8 + 1, "Series")
            )
            db.execute(
                "INSERT INTO event(id, series_id, slug, title, start_date) VALUES (?, ?, ?, ?, ?)",
                (number + 1, number % 8 + 1, f"event-{number + 1}", f"Event {number + 1}", f"{year}-06-01"),
            )
        for number in range(400):
            db.execute("INSERT INTO person(id, slug, name) VALUES (?, ?, ?)", _named(number + 1, "Person"))
        for number, spoken in enumerate(texts, 1):
            _session(db, number, spoken)
    return Grown(db, texts)


def grown_before(path: Path) -> Grown:
    """Return what `grow` made before, with whatever is indexed of it."""
    db = create_catalogue(path)
    db.execute("PRAGMA synchronous = OFF")
    texts: list[list[str]] = []
    for position, text in db.execute("SELECT position, text FROM segment ORDER BY transcript_id, position"):
        if position == 0:
            texts.append([])
        texts[-1].append(text)
    return Grown(db, texts)


def _named(number: int, kind: str) -> tuple[int, str, str]:
    return number, f"{kind.lower()}-{number}", f"{kind} {number}"


def _session(db: Database, number: int, spoken: list[str]) -> None:
    event = (number - 1) // EVENT + 1
    day = f"{2000 + (event - 1) % 24}-06-{number % 28 + 1:02}"
    db.execute(
        "INSERT INTO session(id, event_id, slug, title, kind, track, start_at, start_utc, position)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            number, event, f"session-{number}", " ".join(spoken[0].split()[:6]),
            ("talk", "panel", "keynote")[number % 3], f"Track {number % 5}",
            f"{day}T10:00:00+00:00", f"{day}T10:00:00Z", number,
        ),
    )  # fmt: skip
    for role in range(2):
        person = (number * 7 + role * 131) % 400 + 1
        db.execute("INSERT OR IGNORE INTO session_person(session_id, person_id) VALUES (?, ?)", (number, person))
    db.execute(
        "INSERT INTO recording(id, session_id, sha256, kind, bytes, media_type, suffix, original_name, pulled_at)"
        " VALUES (?, ?, ?, 'audio', 1, 'audio/flac', '.flac', 'talk.flac', '2022-01-01T00:00:00Z')",
        (number, number, f"{number:064x}"),
    )
    db.execute(
        "INSERT INTO transcript(id, recording_id, version, language, kind, generator, parameters_hash, duration_ms,"
        " is_current, created_at) VALUES (?, ?, ?, ?, 'asr', 'bench', '', ?, 1, '2022-01-01T00:00:00Z')",
        (number, number, f"v{number}", LANGUAGES[number % len(LANGUAGES)], SEGMENT_MS * len(spoken)),
    )
    db.conn.executemany(
        "INSERT INTO segment(transcript_id, position, start_ms, end_ms, text) VALUES (?, ?, ?, ?, ?)",
        ((number, at, at * SEGMENT_MS, (at + 1) * SEGMENT_MS, text) for at, text in enumerate(spoken)),
    )


def _sessions(segments: int) -> Iterator[list[str]]:
    """Yield sessions until there are so many segments."""
    real = [text for talk in read_corpus() for text in talk]
    choose = random.Random(1)  # noqa: S311  the same archive each time
    made = 0
    while made < segments:
        copy = real if made == 0 else [varied(text, choose) for text in choose.sample(real, len(real))]
        for at in range(0, len(copy), SESSION):
            part = copy[at : at + SESSION][: segments - made]
            if part:
                yield part
            made += len(part)
            if made >= segments:
                return


def varied(text: str, choose: random.Random) -> str:
    if choose.random() > NEW_WORD * 8:
        return text
    words = text.split()
    if words:
        words[choose.randrange(len(words))] = f"{choose.choice(words)}{int(choose.paretovariate(0.6)) % 10**6}"
    return " ".join(words)
