from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive.catalogue.database import create_catalogue
from archive.catalogue.importing import apply_event, set_release
from archive.catalogue.migrations import catalogue_migrations
from archive.catalogue.recordings import NewRecording, add_recording
from archive.catalogue.transcripts import add_transcript
from archive.connection import open_readonly, transaction
from archive.errors import ArchiveError, CatalogueDamagedError
from archive.index.tokens import FOLDING
from archive.publication.build import build, publication_fingerprint
from archive.publication.releases import is_public, released
from archive.publication.rules import DERIVED, MADE, PRIVATE, PRIVATE_COLUMNS, RULES, Rule
from archive.sqlite import Database, sqlite3
from metadata.model import (
    EXAMPLE_TRANSCRIPT,
    Attendance,
    Event,
    ExternalId,
    Figure,
    Link,
    Person,
    RecordingNote,
    Release,
    ReleaseState,
    Role,
    Segment,
    Session,
    Word,
)

NOW = datetime(2022, 7, 23, 12, tzinfo=UTC)
WHEN = "2022-07-01T00:00:00Z"


def session(name: str, release: Release | None) -> Session:
    """Return a session with its name in every field that could leak it."""
    return Session(
        slug=name,
        title=f"{name} title",
        subtitle=f"{name} subtitle",
        track=f"{name} track",
        room=f"{name} room",
        abstract=f"{name} abstract",
        people=(
            Role(
                person=Person(
                    name=f"{name} person", biography=f"{name} life", links=(Link(rel="website", title=f"{name} site"),)
                ),
                affiliation=f"{name} affiliation",
            ),
        ),
        links=(Link(rel="reading", title=f"{name} book"),),
        attendance=(Attendance(measure="attended", people=Figure(count=1), source=f"{name} source"),),
        external_ids=(ExternalId(scheme="guid", value=f"{name} guid"),),
        release=release,
        recordings=(RecordingNote(file=f"{name} file"),),
    )


def fill(db: Database, *events: Event) -> None:
    """Put events into a catalogue, each session with a recording and a transcript that say its name."""
    with transaction(db):
        for event in events:
            apply_event(db, event, decided_at=WHEN)
    for row in list(db.query("SELECT id, slug FROM session")):
        text = f"{row['slug']} words"
        spoken = Segment(
            start_ms=0,
            end_ms=900,
            text=text,
            words=(Word(start_ms=0, end_ms=900, text=f"{row['slug']} word"),),
            speaker=f"{row['slug']} voice",
        )
        with transaction(db):
            recording = add_recording(
                db,
                NewRecording(
                    sha256=f"{row['id']:064x}",
                    kind="audio",
                    duration_ms=900,
                    bytes=1,
                    media_type="audio/wav",
                    suffix=".wav",
                    streams="[]",
                    original_name=f"{row['slug']} file",
                    credit=f"{row['slug']} credit",
                ),
                row["id"],
                pulled_at=WHEN,
            )
            add_transcript(db, recording, replace(EXAMPLE_TRANSCRIPT, segments=(spoken,)), created_at=WHEN)


STATES = {
    "openly": Release(state="public"),
    "unsaid": None,
    "ripe": Release(state="embargoed", until="2022-07-23"),
    "unripe": Release(state="embargoed", until="2022-07-24"),
    "hidden": Release(state="private", reason="a reason that is private"),
    "pulledback": Release(state="withdrawn", reason="a reason of withdrawal"),
}


@pytest.fixture
def catalogue_path(tmp_path: Path) -> Path:
    path = tmp_path / "catalogue.db"
    db = create_catalogue(path)
    mixed = Event(slug="mixed", title="Mixed", sessions=tuple(session(name, state) for name, state in STATES.items()))
    secret = Event(
        slug="secret-event",
        title="Secretly gathered",
        series="Secretly serial",
        sessions=(session("confidential", Release(state="private")),),
    )
    fill(db, mixed, secret, Event(slug="empty", title="Empty"))
    db.close()
    return path


def test_only_what_is_released_is_in_the_file_in_any_form(catalogue_path: Path, tmp_path: Path) -> None:
    built = build(catalogue_path, tmp_path / "public.db", default="public", now=NOW)
    content = built.path.read_bytes().lower()
    for name in ("openly", "unsaid", "ripe"):
        assert f"{name} title".encode() in content
        assert f"{name} words".encode() in content
    for name in (b"unripe", b"hidden", b"pulledback title", b"pulledback w", b"secret", b"confidential", b"a reason"):
        assert name not in content
    db = open_readonly(built.path, immutable=True)
    assert [row["slug"] for row in db.query("SELECT slug FROM event ORDER BY slug")] == ["empty", "mixed"]
    assert db.execute("SELECT count(*) FROM passage").fetchone()[0] == 3
    db.close()
    assert built.counts["session"] == built.counts["recording"] == built.counts["transcript"] == 3


@pytest.mark.parametrize(("default", "expected"), [("public", 3), ("private", 2)])
def test_default_holds_where_nothing_is_said(catalogue_path: Path, default: ReleaseState, expected: int) -> None:
    db = open_readonly(catalogue_path)
    sessions, recordings = released(db, default=default, now=NOW)
    db.close()
    assert len(sessions) == len(recordings) == expected


def test_recording_can_be_held_back_alone(catalogue_path: Path, tmp_path: Path) -> None:
    db = create_catalogue(catalogue_path)
    recording = db.execute("SELECT id FROM recording WHERE original_name = 'openly file'").fetchone()[0]
    with transaction(db):
        set_release(db, "recording_id", recording, Release(state="private"), decided_at=WHEN)
    db.close()
    built = build(catalogue_path, tmp_path / "public.db", default="public", now=NOW)
    content = built.path.read_bytes()
    assert b"openly title" in content
    assert b"openly words" not in content


def own_tables(db: Database) -> set[str]:
    """The tables of a schema, without those that SQLite, sqlite-utils and FTS5 make for themselves."""
    starts, ends = ("sqlite_", "_sqlite"), ("_data", "_idx", "_docsize", "_config")
    return {name for name in db.table_names() if not name.endswith(ends) and not name.startswith(starts)}


def test_every_table_and_column_is_public_or_private_by_decision() -> None:
    db = Database(memory=True)
    catalogue_migrations.apply(db)
    assert own_tables(db) == {*RULES, *DERIVED, *MADE, *PRIVATE}
    for table, rule in RULES.items():
        public, private = set(rule.columns.split()), PRIVATE_COLUMNS.get(table, frozenset())
        assert {column.name for column in db[table].columns} == public | private, table
        assert not public & private
    db.close()


def columns_of(path: Path) -> dict[str, list[str]]:
    db = Database(path)
    found = {table: [column.name for column in db[table].columns] for table in own_tables(db)}
    db.close()
    return found


def test_published_tables_have_the_columns_that_the_rules_name(catalogue_path: Path, tmp_path: Path) -> None:
    build(catalogue_path, tmp_path / "public.db", default="public", now=NOW)
    found = columns_of(tmp_path / "public.db")
    assert found.keys() == {*RULES, *DERIVED, *MADE}
    assert {table: " ".join(found[table]) for table in RULES} == {name: rule.columns for name, rule in RULES.items()}


def with_a_new_column(path: Path) -> None:
    """As a migration of tomorrow adds a column, and an import fills it."""
    db = create_catalogue(path)
    db.execute("ALTER TABLE session ADD COLUMN level TEXT")
    db.execute("UPDATE session SET level = 'beginners'")
    db.conn.commit()
    db.close()


def test_new_column_is_private_until_a_rule_names_it(catalogue_path: Path, tmp_path: Path) -> None:
    with_a_new_column(catalogue_path)
    built = build(catalogue_path, tmp_path / "public.db", default="public", now=NOW)
    assert "level" not in columns_of(built.path)["session"]
    assert b"beginners" not in built.path.read_bytes()


def test_new_column_that_a_rule_names_is_published(
    catalogue_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_a_new_column(catalogue_path)
    rule = RULES["session"]
    monkeypatch.setitem(RULES, "session", Rule(rule.rows, f"{rule.columns} level"))
    built = build(catalogue_path, tmp_path / "public.db", default="public", now=NOW)
    db = Database(built.path)
    assert {row["level"] for row in db.query("SELECT level FROM session")} == {"beginners"}
    db.close()


def test_same_content_gives_the_same_file(catalogue_path: Path, tmp_path: Path) -> None:
    first = build(catalogue_path, tmp_path / "one.db", default="public", now=NOW)
    second = build(catalogue_path, tmp_path / "two.db", default="public", now=NOW)
    assert first.digest == second.digest


def test_fingerprint_changes_with_content_and_with_the_hour_of_release(catalogue_path: Path) -> None:
    db = create_catalogue(catalogue_path)
    before = publication_fingerprint(db, default="public", now=NOW)
    assert publication_fingerprint(db, default="public", now=NOW) == before
    later = publication_fingerprint(db, default="public", now=NOW.replace(day=25))
    with transaction(db):
        set_release(db, "session_id", 1, Release(state="private"), decided_at=WHEN)
    assert len({before, later, publication_fingerprint(db, default="public", now=NOW)}) == 3
    assert publication_fingerprint(db, default="public", now=NOW, folding=FOLDING + 1) not in {before, later}


def test_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "catalogue.db").write_text("no database " * 1000)
    with pytest.raises(CatalogueDamagedError):
        build(tmp_path / "catalogue.db", tmp_path / "public.db", default="public", now=NOW)
    assert [path.name for path in tmp_path.iterdir()] == ["catalogue.db"]


@pytest.mark.parametrize(
    ("state", "until", "expected"),
    [
        ("public", None, True),
        ("private", None, False),
        ("withdrawn", None, False),
        ("embargoed", "2022-07-23T11:59:00+00:00", True),
        ("embargoed", "2022-07-23T14:01:00+02:00", False),
        ("embargoed", "someday", False),
        ("embargoed", None, False),
    ],
)
def test_release_state_is_public_or_not(state: ReleaseState, until: str | None, expected: bool) -> None:
    assert is_public(state, until, NOW) is expected


def test_published_database_is_sound(catalogue_path: Path, tmp_path: Path) -> None:
    built = build(catalogue_path, tmp_path / "public.db", default="public", now=NOW)
    conn = sqlite3.connect(built.path)
    assert conn.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert conn.execute("PRAGMA foreign_key_check").fetchall() == []
    conn.close()


def test_voice_of_someone_who_is_not_published_is_only_a_label(tmp_path: Path) -> None:
    catalogue = tmp_path / "catalogue.db"
    db = create_catalogue(catalogue)
    fill(db, Event(slug="e", title="E", sessions=(session("open", None),)))
    with transaction(db):
        apart = db.execute("INSERT INTO person(slug, name) VALUES ('apart', 'Apart') RETURNING id").fetchone()[0]
        db.execute("UPDATE speaker_tag SET person_id = ?", [apart])
    db.close()
    build(catalogue, tmp_path / "out.db", default="public", now=NOW)
    published = open_readonly(tmp_path / "out.db", immutable=True)
    assert published.execute("SELECT label, person_id FROM speaker_tag").fetchall() == [("open voice", None)]
    published.close()


@pytest.mark.parametrize(
    ("table", "rule", "message"),
    [
        ("session", "1", "is in it and not released"),
        ("recording", "1", "is in it and not released"),
        ("session", "0", r"session \d+ is not in it"),
        ("recording", "0", r"recording \d+ is not in it"),
        ("segment", "0", r"transcript \d+ is not whole"),
    ],
)
def test_build_that_breaks_a_rule_is_refused_before_it_can_be_shown(
    catalogue_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str, rule: str, message: str
) -> None:
    monkeypatch.setitem(RULES, table, Rule(rule, RULES[table].columns))
    with pytest.raises(ArchiveError, match=message):
        build(catalogue_path, tmp_path / "public.db", default="public", now=NOW)
    assert not (tmp_path / "public.db").exists()


def test_session_changes_for_the_public_when_its_embargo_ends(catalogue_path: Path, tmp_path: Path) -> None:
    db = Database(sqlite3.connect(catalogue_path))
    db.execute("UPDATE session SET updated_at = ?", [WHEN])
    db.close()
    built = build(catalogue_path, tmp_path / "public.db", default="public", now=NOW)
    db = open_readonly(built.path, immutable=True)
    changed = dict(db.execute("SELECT slug, updated_at FROM session").fetchall())
    db.close()
    assert changed == {"openly": WHEN, "unsaid": WHEN, "ripe": "2022-07-23T12:00:00Z"}


def test_an_ordinary_sqlite_reads_what_is_published(catalogue_path: Path, tmp_path: Path) -> None:
    # Python's own, which may be as old as 3.40 and knows no words of ours.
    import sqlite3 as ordinary

    built = build(catalogue_path, tmp_path / "public.db", default="public", now=NOW)
    conn = ordinary.connect(f"file:{built.path}?mode=ro&immutable=1", uri=True)
    said = conn.execute("SELECT date, event, session, speaker, start_ms, end_ms, text, doubtful, url FROM said")
    assert sorted(said) == [
        (None, "mixed", name, f"{name} voice", 0, 900, f"{name} words", 0, f"/events/mixed/{name}?t=0")
        for name in ("openly", "ripe", "unsaid")
    ]
    found = conn.execute(
        "SELECT said.session, said.text FROM passage_fts JOIN passage ON passage.id = passage_fts.rowid"
        " JOIN said ON said.transcript_id = passage.transcript_id"
        " AND said.position BETWEEN first_position AND last_position WHERE passage_fts MATCH 'ripe'"
    )
    assert found.fetchall() == [("ripe", "ripe words")]
    assert conn.execute("SELECT rowid FROM session_fts WHERE session_fts MATCH 'title : openly'").fetchone()
    assert conn.execute("SELECT cnt FROM vocabulary WHERE term = 'words'").fetchone() == (3,)
    counted = conn.execute("SELECT word, count FROM part_word JOIN part ON part.id = part_id WHERE kind = 'all'")
    assert counted.fetchall() == [("words", 3)]
    assert conn.execute("SELECT sum(words) FROM speech").fetchone() == (6,)
    conn.close()
