"""What it costs to publish after one change, against building all of the publication anew.

``python -m tests.bench.publishing [--sessions 2000] [--archive DIR] [--only new|title|withdrawal]``

An archive is grown from real talks and published. Then come a new session with an hour of speech, another title for one
that is there, and the withdrawal of the new session, each followed by ``rostra publish`` and, in turn, by
``rostra publish --again`` into another folder: seconds of processors and seconds until it is served, and the ratio.
Both publications must have the same rows, and neither a byte of what was taken back. An archive that was made before
is used again (``--archive``).
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import msgspec

from archive.catalogue.corrections import correct_session
from archive.catalogue.database import open_catalogue
from archive.catalogue.recordings import NewRecording, add_recording
from archive.catalogue.rows import set_release
from archive.catalogue.sessions import add_session
from archive.catalogue.transcripts import add_transcript
from archive.connection import open_readonly, transaction
from archive.publication.rules import RULES
from archive.sqlite import Database
from metadata.model import EXAMPLE_TRANSCRIPT, Release, Segment
from pipelines.storage.archive_folder import init
from pipelines.storage.copies import database_of
from pipelines.storage.own import CURRENT
from tests.archive.published_rows import holds
from tests.bench.grown import EVENT, SEGMENT_MS, SESSION, grow

MARK = "zqxvobjk"
"""How words begin that nothing but this benchmark says."""
AT = "2022-08-01T00:00:00Z"
TABLES = {
    **{table: f"SELECT * FROM {table} ORDER BY 1, 2" for table in RULES},
    "speech": "SELECT session_id, transcript_id, speaker_tag_id, segments, words, spoken_ms FROM speech ORDER BY 1, 2",
    "part": "SELECT kind, value, sessions, words, different FROM part ORDER BY 1, 2",
    "part_word": "SELECT kind, value, word, count FROM part_word JOIN part ON part.id = part_id ORDER BY 1, 2, 3",
    "passage": "SELECT session_id, transcript_id, first_position, last_position FROM passage ORDER BY id",
    "passage_fts": "SELECT term, doc, cnt FROM temp.passage_words ORDER BY 1",
    "session_fts": "SELECT term, doc, cnt FROM vocabulary ORDER BY 1",
}


def published(folder: Path) -> Path:
    """Return the database that is published in a folder."""
    found = database_of(folder)
    assert found is not None, f"nothing is published in {folder}"
    return found


def tables(database: Path) -> dict[str, str]:
    """Return a digest of the rows of every table, without numbers that only say when they were written."""
    found = {}
    with closing(open_readonly(database, immutable=True)) as db:
        db.execute("CREATE VIRTUAL TABLE temp.passage_words USING fts5vocab(main, passage_fts, row)")
        for table, query in TABLES.items():
            digest = hashlib.sha256()
            for row in db.execute(query):
                digest.update(repr(tuple(row)).encode())
            found[table] = digest.hexdigest()
    return found


def publish(root: Path, folder: Path, *options: str) -> tuple[float, float, str]:
    """Publish in a process of its own; return seconds of processors, seconds until it is served, and what it says."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.time()
    done = subprocess.run(
        [sys.executable, "-m", "pipelines", "publish", "--archive", str(root), "--to", str(folder), "--json", *options],
        check=True, capture_output=True, env=os.environ,
    )  # fmt: skip
    took, after = (folder / CURRENT).stat().st_mtime - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, took, str(msgspec.json.decode(done.stdout)["done"])


def new(db: Database) -> None:
    """Add a session to an event in the middle, with an hour of speech."""
    session = add_session(db, 1 + count(db) // EVENT // 2, MARK, f"{MARK}title")
    recording = NewRecording(
        sha256=f"{count(db):064x}", kind="audio", duration_ms=1, bytes=1, media_type="audio/flac", suffix=".flac",
        streams="[]", original_name="talk.flac",
    )  # fmt: skip
    said = db.execute("SELECT text FROM segment ORDER BY id LIMIT ? OFFSET ?", [SESSION, SESSION * 7]).fetchall()
    segments = tuple(
        Segment(start_ms=at * SEGMENT_MS, end_ms=(at + 1) * SEGMENT_MS, text=f"{text} {MARK}{at % 50}said")
        for at, (text,) in enumerate(said)
    )
    transcript = replace(EXAMPLE_TRANSCRIPT, segments=segments, duration_ms=SEGMENT_MS * len(segments))
    add_transcript(db, add_recording(db, recording, session, pulled_at=AT), transcript, created_at=AT)


def title(db: Database) -> None:
    """Give a session another title."""
    correct_session(db, "event-3", "session-100", {"title": f"{MARK}renamed"}, by="bench", at=AT)


def withdrawal(db: Database) -> None:
    """Withdraw the session that is new."""
    (session,) = db.execute("SELECT id FROM session WHERE slug = ?", [MARK]).fetchone()
    set_release(db, "session_id", session, Release(state="withdrawn", reason="because"), decided_at=AT)


def count(db: Database) -> int:
    return int(db.execute("SELECT count(*) FROM session").fetchone()[0])


CHANGES: dict[str, tuple[Callable[[Database], None], tuple[str, ...]]] = {
    "new": (new, ()),
    "title": (title, ()),
    "withdrawal": (withdrawal, tuple(f"{MARK}{each}said" for each in range(50))),
}
"""What changes, and the words that are in no byte after it."""


def measure(root: Path, other: Path, name: str) -> None:
    change, gone = CHANGES[name]
    with closing(open_catalogue(root / "catalogue.db")) as db, transaction(db):
        change(db)
    some, all_of_it = publish(root, root / "public"), publish(root, other, "--again")
    made, anew = published(root / "public"), published(other)
    here, there = tables(made), tables(anew)
    different = [table for table, digest in here.items() if there[table] != digest]
    assert not different, f"other rows than a full build: {different}"
    assert not any(holds(made, word) for word in gone), "what was withdrawn is in the file"
    for (spent, took, said), how in ((some, "from the last"), (all_of_it, "anew")):
        print(f"{name}, {how}: {spent:.1f} s of processors, {took:.1f} s ({said})")
    print(
        f"{name}: {some[0] / all_of_it[0]:.1%} of the processors, {some[1] / all_of_it[1]:.1%} of the time", flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=2_000)
    parser.add_argument("--archive", type=Path, help="where it is, or is to be; a temporary folder otherwise")
    parser.add_argument("--only", choices=CHANGES, help="one of the changes; the archive is published already")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rostra-publishing-") as folder:
        root = options.archive or Path(folder) / "archive"
        if not (root / "catalogue.db").exists():
            init(root, title="Grown")
            grow(root / "catalogue.db", options.sessions * SESSION).db.close()
        if options.only is None:
            publish(root, root / "public")
        for name in [options.only] if options.only else CHANGES:
            measure(root, Path(folder) / "anew", name)


if __name__ == "__main__":
    main()
