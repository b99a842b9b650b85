"""A publication that is made of the last one has what one that is built anew has, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import ascii_lowercase

import pytest

from archive.catalogue.announcements import announce, set_state
from archive.catalogue.corrections import correct_event, correct_person, correct_session
from archive.catalogue.database import create_catalogue
from archive.catalogue.recordings import NewRecording, add_recording
from archive.catalogue.revisions import current_version, revise
from archive.catalogue.rows import find_person, touch, write_person
from archive.catalogue.sessions import add_session, ensure_event
from archive.catalogue.speakers import voices_of
from archive.catalogue.transcripts import add_transcript
from archive.connection import transaction
from archive.publication import changes, redaction
from archive.publication.build import Built, build
from archive.publication.deciding import Decision, Kind, Subject, decide
from archive.publication.purging import purge_session
from archive.publication.taking_back import take_words_back, versions_like
from archive.sqlite import Database, sqlite3
from archive.voices.decisions import forget_person, name_voice
from metadata.model import EXAMPLE_TRANSCRIPT, Announcement, Flag, Person, ReleaseState, Role, Segment, Transcript, Word
from metadata.revising import Edit, apply, words_of
from tests.archive.published_rows import holds, published_rows

AT = "2022-07-01T00:00:00Z"
NOW = datetime(2022, 7, 23, 12, tzinfo=UTC)
COMMON = ("the", "sea", "of", "a", "light", "house", "keeper", "and", "they", "say", "nobody", "C++", "don't", "Wi-Fi")
LANGUAGES = ("en", "en-GB", "de")


class Archive:
    """A catalogue in which people change things at random, and the words that were ever in it."""

    def __init__(self, folder: Path, seed: int, sessions: int = 9) -> None:
        self.path, self.folder = folder / "catalogue.db", folder
        self.choose = random.Random(seed)  # noqa: S311  the same changes each time
        self.now, self.built = NOW, 0
        self.words: list[str] = []
        self.db: Database = create_catalogue(self.path)
        with transaction(self.db):
            for name in ("Noor", "Ines", "Tove"):
                write_person(self.db, name.lower(), Person(name=f"{name} {self.word()}"))
            for number in range(sessions):
                self.event = ensure_event(self.db, f"event-{number % 3}", self.text())
                if self.choose.random() < 0.6:
                    self.db.execute(
                        "UPDATE event SET start_date = ? WHERE id = ?", [f"202{number % 3}-06-01", self.event]
                    )
                self.new_session()

    def word(self) -> str:
        """Return a word that nobody said before."""
        word = "".join(self.choose.choices(ascii_lowercase, k=12))
        self.words.append(word)
        return word

    def text(self) -> str:
        """Return words that others say too, and one that nobody else does."""
        return " ".join([*self.choose.choices(COMMON, k=self.choose.randrange(2, 9)), self.word()])

    def transcript(self) -> Transcript:
        """Return what somebody says, in so many segments that there may be two passages."""
        segments = []
        for number in range(self.choose.choice((1, 3, 18, 35))):
            text, start = self.text(), number * 1_000
            spoken = text.split()
            words = tuple(
                Word(start_ms=start + at * 50, end_ms=start + at * 50 + 50, text=word) for at, word in enumerate(spoken)
            )
            segments.append(
                Segment(
                    start_ms=start, end_ms=start + 900, text=text, words=words if self.choose.random() < 0.7 else (),
                    speaker=self.choose.choice((None, "A", "B")),
                    flags=(Flag.REPETITIVE,) if self.choose.random() < 0.1 else (),
                )
            )  # fmt: skip
        return replace(
            EXAMPLE_TRANSCRIPT, segments=tuple(segments), language=self.choose.choice(LANGUAGES),
            duration_ms=1_000 * len(segments), kind=self.choose.choice(("asr", "human")),
        )  # fmt: skip

    def one(self, query: str) -> int | None:
        """Return one of the numbers that a query finds, at random."""
        found = [row[0] for row in self.db.execute(query).fetchall()]
        return self.choose.choice(found) if found else None

    def session(self) -> tuple[str, str] | None:
        """Return the address of a session, at random."""
        number = self.one("SELECT id FROM session")
        query = "SELECT event.slug, session.slug FROM session JOIN event ON event.id = event_id WHERE session.id = ?"
        row = self.db.execute(query, [number]).fetchone()
        return (row[0], row[1]) if row else None

    # What people do: each method is one change.

    def title(self) -> None:
        if found := self.session():
            correct_session(self.db, *found, {"title": self.text()}, by="x", at=AT)

    def people(self) -> None:
        if found := self.session():
            person = find_person(self.db, self.choose.choice(("noor", "ines", "tove"))) or Person(name=self.word())
            correct_session(self.db, *found, {"people": (Role(person=person),)}, by="x", at=AT)

    def release(self) -> None:
        states: tuple[ReleaseState, ...] = ("public", "public", "private", "withdrawn", "embargoed")
        decision = Decision(
            state=self.choose.choice(states), until=(self.now + timedelta(days=2)).date().isoformat(),
            reason=self.word(), by="x", at=AT,
        )  # fmt: skip
        kinds: tuple[Kind, ...] = ("session", "session", "session", "recording", "event")
        kind = self.choose.choice(kinds)
        if number := self.one(f"SELECT id FROM {kind}"):
            decide(self.db, [Subject(kind, number, "")], decision, default="public", now=self.now)

    def pass_time(self) -> None:
        self.now += timedelta(days=1)

    def new_session(self) -> None:
        event = self.one("SELECT id FROM event") or ensure_event(self.db, self.word(), self.text())
        session = add_session(self.db, event, self.word(), self.text())
        self.db.execute(
            "UPDATE session SET start_utc = ?, start_at = ? WHERE id = ?",
            [moment := f"202{self.choose.randrange(4)}-06-0{self.choose.randrange(1, 9)}T10:00:00Z", moment, session],
        )
        for _ in range(self.choose.choice((0, 1, 1, 2))):
            sha256 = f"{self.choose.getrandbits(256):064x}"
            recording = add_recording(
                self.db,
                NewRecording(
                    sha256=sha256, kind="audio", duration_ms=900, bytes=1, media_type="audio/wav", suffix=".wav",
                    streams="[]", original_name="file",
                ),
                session,
                pulled_at=AT,
            )  # fmt: skip
            add_transcript(self.db, recording, self.transcript(), created_at=AT)

    def new_version(self) -> None:
        if recording := self.one("SELECT id FROM recording"):
            add_transcript(self.db, recording, self.transcript(), created_at=AT)

    def translate(self) -> None:
        if recording := self.one("SELECT id FROM recording"):
            add_transcript(self.db, recording, replace(self.transcript(), kind="translation"), created_at=AT)

    def correct(self, *, forget: bool = False) -> None:
        version = current_version(self.db, self.one("SELECT id FROM recording") or 0)
        if version is None or not words_of(version.transcript):
            return
        first = self.choose.randrange(len(words_of(version.transcript)))
        before = versions_like(self.db, version.recording)
        corrected, changes = apply(version.transcript, [Edit(first, first + 1, (self.word(), "light"))])
        revise(self.db, version, corrected, changes, by="x", at=AT)
        if forget:
            take_words_back(self.db, version, before, changes, by="x", at=AT)

    def forget_words(self) -> None:
        self.correct(forget=True)

    def redact(self) -> None:
        if recording := self.one("SELECT id FROM recording"):
            redaction.redact(
                self.db, recording, (500, 1_500), reason=self.word(), reason_is_public=False, by="x", at=AT
            )

    def undo_redaction(self) -> None:
        if number := self.one("SELECT id FROM redaction WHERE undone_at IS NULL"):
            redaction.undo(self.db, number, by="x", at=AT)

    def name(self) -> None:
        if voices := voices_of(self.db, self.one("SELECT id FROM session") or 0):
            person = self.choose.choice([row[0] for row in self.db.execute("SELECT slug FROM person").fetchall()])
            name_voice(self.db, self.choose.choice(voices), person, by="x", at=AT)

    def forget(self) -> None:
        if row := self.db.execute("SELECT slug FROM person ORDER BY random() LIMIT 1").fetchone():
            forget_person(self.db, row[0], by="x", at=AT)

    def rename(self) -> None:
        slugs = [row[0] for row in self.db.execute("SELECT slug FROM person ORDER BY id").fetchall()]
        if slugs:
            correct_person(self.db, self.choose.choice(slugs), {"name": f"Ada {self.word()}"}, by="x", at=AT)

    def event_changes(self) -> None:
        number = self.one("SELECT id FROM event")
        row = self.db.execute("SELECT slug FROM event WHERE id = ?", [number]).fetchone()
        values = self.choose.choice(
            ({"title": self.text()}, {"slug": self.word()}, {"start_date": f"202{self.choose.randrange(4)}-05-01"})
        )
        if row:
            correct_event(self.db, row[0], values, by="x", at=AT)

    def announce(self) -> None:
        if row := self.db.execute("SELECT slug FROM event ORDER BY id LIMIT 1").fetchone():
            announce(self.db, row[0], Announcement(slug=self.word(), title=self.text(), text=self.text()))
            touch(self.db)

    def take_announcement_back(self) -> None:
        row = self.db.execute(
            "SELECT event.slug, announcement.slug FROM announcement JOIN event ON event.id = event_id"
            " WHERE state = 'public' LIMIT 1"
        ).fetchone()
        if row:
            set_state(self.db, row[0], row[1], "private")
            touch(self.db)

    def purge(self) -> None:
        if session := self.one("SELECT session_id FROM release WHERE session_id AND state = 'withdrawn'"):
            purge_session(self.db, session, by="x", at=AT)

    def delete_event(self) -> None:
        if self.choose.random() < 0.3 and (event := self.one("SELECT id FROM event")):
            self.db.execute("DELETE FROM event WHERE id = ?", [event])
            touch(self.db)

    CHANGES = (
        title, title, people, release, release, pass_time, new_session, new_version, translate, correct, forget_words,
        redact, undo_redaction, name, name, forget, rename, event_changes, announce, take_announcement_back, purge,
        delete_event,
    )  # fmt: skip

    def publish(self, last: Path | str) -> Built:
        """Publish what is released now, from the last publication or anew."""
        self.built += 1
        return build(self.path, self.folder / f"{self.built}.db", default="public", now=self.now, last=last)


@pytest.fixture
def new_archive(tmp_path: Path) -> Iterator[Callable[..., Archive]]:
    made: list[Archive] = []

    def make(seed: int = 0, sessions: int = 9) -> Archive:
        made.append(Archive(tmp_path, seed, sessions))
        return made[-1]

    yield make
    for each in made:
        each.db.close()


@pytest.mark.parametrize("seed", range(5))
def test_publication_made_of_the_last_equals_one_that_is_built_anew(
    new_archive: Callable[..., Archive], seed: int
) -> None:
    archive = new_archive(seed)
    last = archive.publish("the first")
    taken_over = 0
    for step in range(8):
        done = archive.choose.choices(archive.CHANGES, k=archive.choose.randrange(1, 4))
        with transaction(archive.db):
            for change in done:
                change(archive)
        names = [change.__name__ for change in done]
        made, anew = archive.publish(last.path), archive.publish("to compare")
        taken_over += not made.anew
        assert made.anew in {"", "what is redacted has changed"} or "was deleted" in made.anew, (step, names)
        rows, expected = published_rows(made.path), published_rows(anew.path)
        assert {name: found for name, found in rows.items() if found != expected[name]} == {}, (step, names)
        assert made.counts == anew.counts
        leaked = {word for word in archive.words if holds(made.path, word)} - {
            word for word in archive.words if holds(anew.path, word)
        }
        assert not leaked, (step, names)
        last = made
    assert taken_over >= 3


def test_only_what_changed_is_written_anew(new_archive: Callable[..., Archive]) -> None:
    archive = new_archive()
    last = archive.publish("the first")
    assert (last.anew, last.changed) == ("the first", 0)
    with transaction(archive.db):
        archive.title()
    made = archive.publish(last.path)
    assert (made.anew, made.changed) == ("", 1)
    again = archive.publish(made.path)
    assert (again.anew, again.changed, again.digest) == ("", 0, made.digest)


def test_word_that_was_withdrawn_was_there_before(new_archive: Callable[..., Archive]) -> None:
    archive = new_archive()
    last = archive.publish("the first")
    with transaction(archive.db):
        archive.db.execute(
            "INSERT INTO release(session_id, state, reason, decided_at) SELECT session_id, 'withdrawn', 'so', ?"
            " FROM recording LIMIT 1",
            [AT],
        )
    made = archive.publish(last.path)
    gone = {word for word in archive.words if holds(last.path, word)} - {
        word for word in archive.words if holds(made.path, word)
    }
    assert (made.anew, made.changed) == ("", 1)
    assert gone


def test_session_that_comes_between_others_is_found_in_its_place(new_archive: Callable[..., Archive]) -> None:
    archive = new_archive()
    last = archive.publish("the first")
    for _ in range(3):
        with transaction(archive.db):
            archive.new_session()
            # Behind the first of all: where nothing stands before, there is no room.
            archive.db.execute(
                "UPDATE session SET start_utc = '2029', event_id = (SELECT id FROM event ORDER BY start_date IS NULL,"
                " start_date, id LIMIT 1) WHERE id = (SELECT max(id) FROM session)"
            )
        last = archive.publish(last.path)
        assert not last.anew
    assert published_rows(last.path) == published_rows(archive.publish("to compare").path)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("UPDATE segment SET text = text || ' more'", ""),
        ("DELETE FROM event WHERE id = 1", "an event was deleted"),
        ("DELETE FROM transcript", "a transcript was deleted"),
        (
            "INSERT INTO redaction(recording_id, start_ms, end_ms, reason) SELECT id, 0, 500, '' FROM recording",
            "what is redacted has changed",
        ),
    ],
)
def test_publication_is_built_anew_where_something_is_gone_for_good(
    new_archive: Callable[..., Archive], change: str, why: str
) -> None:
    archive = new_archive()
    last = archive.publish("the first")
    with transaction(archive.db):
        archive.db.execute(change)
    made = archive.publish(last.path)
    assert made.anew == why
    assert published_rows(made.path) == published_rows(archive.publish("to compare").path)


def test_publication_is_built_anew_where_much_has_changed(
    new_archive: Callable[..., Archive], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = new_archive()
    last = archive.publish("the first")
    monkeypatch.setattr(changes, "FEW", 2)
    with transaction(archive.db):
        archive.db.execute("UPDATE session SET title = title || ' anew' WHERE id < 4")
    assert archive.publish(last.path).anew == "3 sessions have changed"


def test_publication_of_another_version_is_no_basis(new_archive: Callable[..., Archive]) -> None:
    archive = new_archive()
    last = archive.publish("the first")
    with closing(sqlite3.connect(last.path)) as conn:
        conn.execute("PRAGMA user_version = 1")
    assert archive.publish(last.path).anew == "another version of Rostra made the last publication"


def test_publication_that_is_no_database_is_no_basis(new_archive: Callable[..., Archive]) -> None:
    archive = new_archive()
    archive.publish("the first")
    (archive.folder / "broken.db").write_bytes(b"no database" * 1_000)
    made = archive.publish(archive.folder / "broken.db")
    assert made.anew
    assert published_rows(made.path) == published_rows(archive.publish("to compare").path)
    assert sorted(path.suffix for path in archive.folder.iterdir() if "last" in path.name) == []
