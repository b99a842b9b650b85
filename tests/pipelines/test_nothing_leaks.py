"""After any sequence of imports, decisions, corrections, redactions, cuts, purges and publications, nothing is public
that was not meant to be: every byte of every published folder and every answer of the site is searched for markers.

A marker is ``zq`` and a number. Each text that a column of the catalogue can hold carries one of its own, so that a
marker that is found says where it came from. What may be public is told here a second time, in plain Python.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import gzip
import itertools
import json
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from archive.catalogue.announcements import Item, apply_feed
from archive.catalogue.corrections import correct_person, correct_session
from archive.catalogue.importing import apply_event
from archive.catalogue.migrations import catalogue_migrations
from archive.catalogue.portraits import delete_portrait, set_portrait, set_state
from archive.catalogue.provenance import note_place
from archive.catalogue.recordings import NewRecording, NewRendition, add_recording, note_source, set_renditions
from archive.catalogue.revisions import current_version
from archive.catalogue.rows import touch
from archive.catalogue.transcripts import add_transcript
from archive.connection import transaction
from archive.index.meanings import set_meanings
from archive.publication import redaction
from archive.publication.deciding import Decision, Subject, decide
from archive.publication.purging import overwrite_deleted, purge_session
from archive.site.app import create_app
from archive.sqlite import Database, sqlite3
from metadata.model import (
    Announcement,
    Attendance,
    Event,
    ExternalId,
    Figure,
    Link,
    Person,
    Place,
    RecordingNote,
    Role,
    Segment,
    Session,
    Transcript,
    Word,
)
from metadata.revising import Edit, apply, words_of
from pipelines.exchange.revisions import Corrected, keep
from pipelines.run.executors import InProcess
from pipelines.run.runner import Silent, run_stage
from pipelines.stages.publish import Publish
from pipelines.stages.static import Static
from pipelines.storage.archive_folder import Context, init, open_archive

MARK = re.compile(rb"zq\d{7}", re.IGNORECASE)
EVENTS, SESSIONS = 2, 3
ZONES = ("Pacific/Auckland", "America/Los_Angeles")
BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
BY = "somebody"

MARKED = {
    "series": "title", "event": "title subtitle description", "place": "name city",
    "session": "title subtitle track room abstract", "person": "name biography slug", "session_person": "affiliation",
    "attendance": "source", "announcement": "title text url source feed guid",
    "portrait": "picture source",
    "recording": "original_name credit licence elsewhere", "transcript": "generator parameters",
    "speaker_tag": "label", "segment": "text", "word": "text", "external_id": "value", "link": "url title",
    "release": "reason decided_by", "release_default": "reason decided_by track", "recording_source": "folder tags",
    "expected_recording": "file credit licence", "provenance": "place about", "imported": "said",
    "correction": "before after corrected_by", "heard_part": "heard",
    "stage_run": "subject label error_text remark worker", "person_source": "said",
    "redaction": "reason decided_by undone_by", "meaning": "vector",
}  # fmt: skip
"""Columns that carry markers. A vector has those of the words that it is made of."""
UNMARKED = {
    "series": "id slug description", "event": "id series_id edition slug mode start_date end_date time_zone",
    "event_language": "event_id language role", "place": "id event_id kind country",
    "session": "id event_id slug kind place_id start_at start_utc day planned_ms language position updated_at identity",
    "person": "id", "session_person": "session_id person_id role position",
    "attendance": "id event_id session_id observed_on position measure people people_qualifier countries"
    " countries_qualifier places places_qualifier announcement",
    "announcement": "id event_id slug published language state", "announcement_fts": "title text",
    "portrait": "person_id digest state taken_at",
    "recording": "id session_id sha256 kind role language duration_ms bytes media_type suffix streams loudness"
    " synthetic_voice superseded_by pulled_at",
    "meaning": "id transcript_id first_position last_position encoder",
    "rendition": "id recording_id kind sha256 suffix media_type bytes",
    "transcript": "id recording_id version language kind generator_version parameters_hash duration_ms is_current"
    " created_at",
    "speaker_tag": "id recording_id person_id origin talking_ms turns named_at named_by",
    "speaker_turn": "id speaker_tag_id start_ms end_ms", "voiceprint": "speaker_tag_id vector",
    "revision": "id transcript_id base_id start_ms end_ms before after revised_by revised_at",
    "attribution": "id recording_id start_ms end_ms speaker_tag_id transcript_id before attributed_by attributed_at"
    " undone_by undone_at",
    "joined_voice": "speaker_tag_id same_as", "naming": "id speaker_tag_id what person_id person_before label_before"
    " decided_by decided_at undone_by undone_at",
    "segment": "id transcript_id position start_ms end_ms speaker_tag_id language confidence flags overlapped",
    "word": "segment_id position start_ms end_ms confidence",
    "external_id": "id event_id session_id person_id recording_id scheme",
    "link": "id event_id session_id person_id rel position", "passage": "id session_id transcript_id first_position"
    " last_position", "passage_fts": "text", "session_fts": "title people abstract text", "vocabulary": "term doc cnt",
    "catalogue": "id content_revision identity",
    "release": "id session_id recording_id state until reason_is_public decided_at",
    "release_default": "id event_id state until reason_is_public decided_at",
    "recording_source": "recording_id started_at cut_from cut_start_ms",
    "expected_recording": "session_id role language synthetic_voice", "provenance": "id recording_id pulled_at",
    "imported": "id event_id session_id person_id format", "correction": "id event_id session_id person_id field"
    " corrected_at", "heard_part": "recording_id fingerprint number",
    "stage_run": "id stage fingerprint status attempt started_at finished_at seconds error_code retried_at",
    "seal": "part number digest",
    "person_source": "session_id person_id", "purge": "id purged_at purged_by what sha256",
    "redaction": "id recording_id start_ms end_ms reason_is_public decided_at undone_at",
    "tombstone": "id event session withdrawn_on reason identity",
    "former_address": "id digest event_id session_id person_id taken_back",
    "taken_back": "id transcript_id start_ms end_ms taken_by taken_at",
    "earlier_version": "id version session_id recording_id language kind created_at replaced prints",
    "speech": "id session_id transcript_id speaker_tag_id segments words spoken_ms",
    "part": "id kind value sessions words different", "part_word": "part_id word count",
}  # fmt: skip
"""Columns that carry none: keys, numbers, times, words of a fixed list, addresses that a tombstone keeps, what is
written from other columns (indexes, tombstones, counts), and names of who decided what in the log of purges. Tables
that are private as a whole (``attribution``, ``naming``, ``revision``, ``voiceprint`` …) are not filled here."""


def test_every_column_is_marked_or_left_unmarked_by_decision() -> None:
    db = Database(memory=True)
    catalogue_migrations.apply(db)
    made = ("_data", "_idx", "_docsize", "_config")
    tables = [
        name for name in db.table_names() if not name.endswith(made) and not name.startswith(("_sqlite", "sqlite"))
    ]
    assert {name: {column.name for column in db[name].columns} for name in tables} == {
        name: set(MARKED.get(name, "").split()) | set(UNMARKED.get(name, "").split()) for name in tables
    }
    assert {*MARKED, *UNMARKED} == set(tables)
    db.close()


class Markers:
    """Gives markers, and remembers those that are never to be public."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self.never: set[bytes] = set()

    def new(self) -> str:
        return f"zq{next(self._numbers):07}"

    def private(self) -> str:
        marker = self.new()
        self.never.add(marker.encode())
        return marker

    def address(self) -> str:
        """Return an address that carries keys."""
        return f"https://{self.private()}:{self.private()}@example.org/{self.new()}?token={self.private()}&page=2"


def forms(data: bytes) -> Iterator[bytes]:
    """Yield data, and what it holds in other forms: compressed, in base64, hexadecimal, and UTF-16."""
    yield data
    yield data.replace(b"\0", b"")
    for start in (match.start() for match in re.finditer(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]", data)):
        try:
            yield gzip.decompress(data[start:]) if data[start] == 0x1F else zlib.decompress(data[start:])
        except (OSError, EOFError, zlib.error):
            continue
    for run in re.findall(rb"[A-Za-z0-9+/_-]{12,}", data):
        plain = run.replace(b"-", b"+").replace(b"_", b"/")
        for shift in range(4):
            part = plain[shift:]
            yield base64.b64decode(part[: len(part) // 4 * 4])
    for run in re.findall(rb"(?:[0-9a-fA-F]{2}){9,}", data):
        yield binascii.unhexlify(run)


def marks(data: bytes) -> set[bytes]:
    return {found.lower() for form in forms(data) for found in MARK.findall(form)}


def plain_marks(*values: object) -> set[bytes]:
    return {found.lower() for value in values if value is not None for found in MARK.findall(str(value).encode())}


class Archive(RuleBasedStateMachine):
    """An archive that people work on, and what the public may have of it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="rostra-leaks-"))
        init(self.folder / "archive", title="Test")
        self._opened = open_archive(self.folder / "archive")
        self.context: Context = self._opened.__enter__()
        self.db = self.context.db
        self.marker = Markers()
        self.now = BEGIN
        self.own: dict[int, tuple[str, str | None]] = {}
        """What was decided of each session by itself: the state, and when an embargo ends."""
        self.whole: dict[int, tuple[str, str | None]] = {}
        self.shut: set[int] = set()
        """Recordings that are private by themselves."""
        self.purged: set[int] = set()
        self.published = False

    def teardown(self) -> None:
        self._opened.__exit__(None, None, None)
        shutil.rmtree(self.folder, ignore_errors=True)

    @initialize(whole=st.booleans())
    def fill(self, whole: bool) -> None:
        """Begin with an archive that holds something of everything, some of it shut."""
        for event in range(EVENTS if whole else 1):
            self.import_timetable(event=event, chosen=set(range(SESSIONS)))
        for number in range(4):
            self.bring_a_recording(number=number, cut=False)
            self.hear(number=number)
        self.redact(number=0, start=500, length=1_000, told=True)
        self.render()
        self.release_session(number=1, state="private", day=1, told=False)
        self.release_session(number=2, state="withdrawn", day=1, told=True)
        self.publish()

    # What people do.

    @rule(event=st.integers(0, EVENTS - 1), chosen=st.sets(st.integers(0, SESSIONS - 1), min_size=1))
    def import_timetable(self, event: int, chosen: set[int]) -> None:
        new = self.marker.new
        sessions = tuple(self.session(event, number) for number in sorted(chosen))
        with transaction(self.db):
            apply_event(
                self.db,
                Event(
                    slug=f"event-{event}", title=f"Event {new()}", subtitle=new(),
                    description=f"{new()} {self.marker.address()}",
                    series=f"Series {new()}", time_zone=ZONES[event],
                    places=(Place(name="Hall 0", city=new()), Place(name="Hall 1", city=new())),
                    attendance=(Attendance(measure="registered", people=Figure(count=7), source=new()),),
                    announcements=self.announcements(),
                    links=(Link(rel="website", url=self.marker.address(), title=new()),),
                    external_ids=(ExternalId(scheme="guid", value=new()),), sessions=sessions,
                ),
                decided_at="2026-05-01T00:00:00Z",
            )  # fmt: skip

    @rule(number=st.integers(0, 9), shown=st.booleans())
    def bring_a_portrait(self, number: int, shown: bool) -> None:
        people = self.rows("SELECT slug FROM person WHERE slug LIKE 'person-%' ORDER BY slug")
        if not people:
            return
        slug = people[number % len(people)]["slug"]
        with transaction(self.db):
            delete_portrait(self.db, slug)
            source, picture = self.marker.private(), self.marker.new()
            set_portrait(self.db, slug, picture.encode(), source=source, at="2026-05-01T00:00:00Z")
            set_state(self.db, slug, "public" if shown else "private")

    def announcements(self) -> tuple[Announcement, ...]:
        """Return an announcement that the public may read, and one that was taken back."""
        new, private = self.marker.new, self.marker.private
        return (
            Announcement(slug="open", title=new(), text=f"{new()} {self.marker.address()}", url=self.marker.address()),
            Announcement(slug="shut", title=private(), text=private(), source=private(), private=True),
        )

    @rule(event=st.integers(0, EVENTS - 1))
    def import_news(self, event: int) -> None:
        slug = f"event-{event}"
        if not self.rows(f"SELECT 1 FROM event WHERE slug = '{slug}'"):
            return
        news = Announcement(slug="news", title=self.marker.new(), source=self.marker.new())
        with transaction(self.db):
            apply_feed(self.db, slug, f"https://{self.marker.private()}/feed", [Item(self.marker.private(), news)])
            touch(self.db)

    def session(self, event: int, number: int) -> Session:
        new = self.marker.new
        everybody = Person(
            name="Noor Okafor", biography=f"Life {new()}", links=(Link(rel="website", url=f"https://example.org/{new()}"),),
            external_ids=(ExternalId(scheme="orcid", value=new()),),
        )  # fmt: skip
        mail = Person(name=f"{self.marker.private()}@{self.marker.private()}.example.org")
        return Session(
            slug=f"session-{number}", title=f"Title {new()}", subtitle=new(), track=f"Track {new()}", room=new(),
            place=f"Hall {number % 2}", abstract=f"About {new()} {self.marker.address()}",
            people=(
                Role(person=everybody, affiliation=new()),
                Role(person=Person(name=f"Person {new()}", key=f"person-{event}-{number}", biography=new())),
                Role(person=mail, role="chair", affiliation=f"{self.marker.private()}@example.org"),
            ),
            links=(Link(rel="reading", url=self.marker.address(), title=f"Book {new()}"),),
            attendance=(Attendance(measure="attended", people=Figure(count=3), source=new()),),
            external_ids=(ExternalId(scheme="guid", value=new()),),
            recordings=(RecordingNote(file=self.marker.private(), credit=self.marker.private()),),
        )  # fmt: skip

    def ids(self) -> list[int]:
        return [row[0] for row in self.db.execute("SELECT id FROM session ORDER BY id").fetchall()]

    def one(self, number: int) -> int | None:
        """Return one of the sessions that there are."""
        known = [each for each in self.ids() if each not in self.purged]
        return known[number % len(known)] if known else None

    def recording(self, number: int) -> tuple[int, int] | None:
        """Return one of the recordings that there are, and its session."""
        rows = self.db.execute(
            "SELECT id, session_id FROM recording WHERE session_id IS NOT NULL ORDER BY id"
        ).fetchall()
        return rows[number % len(rows)] if rows else None

    @rule(number=st.integers(0, 9), cut=st.booleans())
    def bring_a_recording(self, number: int, cut: bool) -> None:
        session = self.one(number)
        if session is None:
            return
        private = self.marker.private
        file = self.folder / "in.wav"
        file.write_bytes(f"original {private()}".encode())
        blob = self.context.blobs.add(file, ".wav")
        with transaction(self.db):
            recording = add_recording(
                self.db,
                NewRecording(
                    sha256=blob.sha256, kind="audio", duration_ms=9_000, bytes=blob.bytes, media_type="audio/wav",
                    suffix=".wav", streams="[]", original_name=f"{private()}.wav",
                    credit=f"By {self.marker.new()} <{private()}@example.org>", licence=f"Licence {self.marker.new()}",
                ),
                session,
                pulled_at="2026-05-01T00:00:00Z",
            )  # fmt: skip
            note_source(self.db, recording, folder=private(), started_at=None, tags=(private(),))
            note_place(
                self.db,
                recording,
                f"/home/{private()}",
                about=json.dumps({"x": private()}),
                pulled_at="2026-05-01T00:00:00Z",
            )
            if cut:
                self.db.execute(
                    "UPDATE recording_source SET cut_from = ?, cut_start_ms = 5 WHERE recording_id = ?",
                    [recording, recording],
                )
            self.db.execute("INSERT INTO heard_part VALUES (?, 'x', 0, ?)", [recording, json.dumps(private())])
            self.db.execute(
                "INSERT INTO stage_run(stage, subject, label, fingerprint, status, started_at, worker, error_text,"
                " remark)"
                " VALUES ('pull', ?, ?, 'x', 'done', '2026-05-01T00:00:00Z', ?, ?, ?)", [private() for _ in range(5)]
            )  # fmt: skip
        self.hear(number)

    @rule(number=st.integers(0, 9))
    def hear(self, number: int) -> None:
        """Hear a recording, again perhaps: other words, and another voice."""
        if (found := self.recording(number)) is None:
            return
        new, segments = self.marker.new, []
        for place in range(3):
            words = tuple(
                Word(start_ms=place * 3_000 + at * 1_000, end_ms=place * 3_000 + at * 1_000 + 900, text=new())
                for at in range(3)
            )  # fmt: skip
            timed = words if place != 1 else ()
            text = " ".join(word.text for word in words)
            segments.append(
                Segment(
                    start_ms=place * 3_000,
                    end_ms=place * 3_000 + 2_900,
                    text=text,
                    words=timed,
                    speaker=f"Voice {new()}",
                )
            )
        transcript = Transcript(
            language="en", duration_ms=9_000, segments=tuple(segments), generator=f"engine {new()}",
            parameters={"model": f"/home/{self.marker.private()}/weights"},
        )  # fmt: skip
        with transaction(self.db):
            added = add_transcript(self.db, found[0], transcript, created_at="2026-05-01T00:00:00Z")
            windows = [(0, 0), (1, 2), (2, 2)]
            vectors = [" ".join(each.text for each in segments[first : last + 1]).encode() for first, last in windows]
            set_meanings(self.db, added, "test", windows, vectors)
        self.render()  # of this archive's sounds nobody can say more than what was heard in them last

    @rule(number=st.integers(0, 9))
    def take_words_back(self, number: int) -> None:
        """Correct the first word of a recording in such a way that no version holds it any more, and render again."""
        found = self.recording(number)
        version = current_version(self.db, found[0]) if found else None
        if version is None or not (words := words_of(version.transcript)):
            return
        with transaction(self.db):
            corrected = Corrected(*apply(version.transcript, [Edit(0, 1, ("somebody",))]))
            by = self.marker.private()
            keep(self.db, version, corrected, by=by, at="2026-05-01T00:00:00Z", taking_back=True)
        self.marker.never.update(mark for mark in plain_marks(words[0]))
        for table, columns in (("segment", "text"), ("word", "text"), ("revision", "before || ' ' || after")):
            held = self.db.execute(f"SELECT {columns} FROM {table} WHERE instr({columns}, ?)", [words[0]]).fetchall()
            assert words[0] == "somebody" or held == []
        self.render()

    @rule()
    def render(self) -> None:
        """Make what is heard of each recording into a file, as far as it is not redacted."""
        for (recording,) in self.db.execute("SELECT id FROM recording").fetchall():
            file = self.folder / "out.webm"
            file.write_bytes(f"recording {recording} ".encode() + b" ".join(sorted(self.words(recording))))
            blob = self.context.blobs.add(file, ".webm")
            with transaction(self.db):
                set_renditions(
                    self.db, recording,
                    (NewRendition(kind="web", sha256=blob.sha256, suffix=".webm", media_type="audio/webm", bytes=9),),
                )  # fmt: skip

    @rule(
        number=st.integers(0, 9),
        state=st.sampled_from(["public", "private", "withdrawn", "embargoed"]),
        day=st.integers(1, 4),
        told=st.booleans(),
    )
    def release_session(self, number: int, state: Any, day: int, told: bool) -> None:
        if (session := self.one(number)) is None:
            return
        self.decide([Subject("session", session, "")], state, day, told)
        self.own[session] = state, f"2026-05-0{day}" if state == "embargoed" else None

    @rule(
        event=st.integers(0, EVENTS - 1),
        state=st.sampled_from(["public", "private", "withdrawn", "embargoed"]),
        day=st.integers(1, 4),
        told=st.booleans(),
    )
    def release_event(self, event: int, state: Any, day: int, told: bool) -> None:
        row = self.db.execute("SELECT id FROM event WHERE slug = ?", [f"event-{event}"]).fetchone()
        if row is None:
            return
        self.decide([Subject("event", row[0], "")], state, day, told)
        until = f"2026-05-0{day}" if state == "embargoed" else None
        self.whole[row[0]] = state, until
        ranks = {"public": 0, "embargoed": 1, "private": 2, "withdrawn": 2}
        for (session,) in self.db.execute("SELECT id FROM session WHERE event_id = ?", [row[0]]).fetchall():
            if session in self.own and ranks[self.own[session][0]] < ranks[state]:
                self.own[session] = state, until

    @rule(number=st.integers(0, 9), shut=st.booleans())
    def release_recording(self, number: int, shut: bool) -> None:
        if (found := self.recording(number)) is None:
            return
        self.decide([Subject("recording", found[0], "")], "private" if shut else "public", 1, False)
        (self.shut.add if shut else self.shut.discard)(found[0])

    def decide(self, subjects: list[Subject], state: Any, day: int, told: bool) -> None:
        reason = self.marker.new() if told and state == "withdrawn" else self.marker.private()
        if state != "withdrawn":
            told = False
        decision = Decision(
            state=state, until=f"2026-05-0{day}" if state == "embargoed" else None, reason=reason,
            reason_is_public=told, by=self.marker.private(), at="2026-05-01T00:00:00Z",
        )  # fmt: skip
        with transaction(self.db):
            decide(self.db, subjects, decision, default="public", now=self.now)

    @rule(hours=st.integers(1, 30))
    def time_goes_by(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(number=st.integers(0, 9))
    def correct(self, number: int) -> None:
        if (session := self.one(number)) is None:
            return
        event, slug = self.db.execute(
            "SELECT event.slug, session.slug FROM session JOIN event ON event.id = event_id WHERE session.id = ?",
            [session],
        ).fetchone()  # fmt: skip
        with transaction(self.db):
            values = {"title": f"Title {self.marker.new()}", "abstract": self.marker.new()}
            correct_session(self.db, event, slug, values, by=self.marker.private(), at="2026-05-01T00:00:00Z")
            person = f"person-{event[-1]}-{slug[-1]}"
            if self.db.execute("SELECT 1 FROM person WHERE slug = ?", [person]).fetchone():
                named = {"name": f"Person {self.marker.new()}"}
                correct_person(self.db, person, named, by=self.marker.private(), at="2026-05-01T00:00:00Z")

    @rule(number=st.integers(0, 9), start=st.integers(0, 8_000), length=st.integers(1, 4_000), told=st.booleans())
    def redact(self, number: int, start: int, length: int, told: bool) -> None:
        if (found := self.recording(number)) is None:
            return
        reason = self.marker.new() if told else self.marker.private()
        with transaction(self.db):
            redaction.redact(
                self.db, found[0], (start, start + length), reason=reason, reason_is_public=told,
                by=self.marker.private(), at="2026-05-01T00:00:00Z",
            )  # fmt: skip

    @rule()
    def undo_a_redaction(self) -> None:
        row = self.db.execute("SELECT max(id) FROM redaction WHERE undone_at IS NULL").fetchone()
        if row[0] is not None:
            with transaction(self.db):
                redaction.undo(self.db, row[0], by=self.marker.private(), at="2026-05-01T00:00:00Z")

    @rule(number=st.integers(0, 9))
    def purge(self, number: int) -> None:
        if (session := self.one(number)) is None:
            return
        self.decide([Subject("session", session, "")], "withdrawn", 1, False)
        before = {each for table in ("session", "recording") for each in self.marks_of(table, session)}
        with transaction(self.db):
            files = purge_session(self.db, session, by=BY, at="2026-05-01T00:00:00Z")
        for file in files:
            self.context.blobs.remove(file.sha256, file.suffix)
        overwrite_deleted(self.db)
        self.own[session] = "withdrawn", None
        self.purged.add(session)
        content = (self.folder / "archive" / "catalogue.db").read_bytes()
        assert before & {found.lower() for found in MARK.findall(content)} == set()

    def marks_of(self, table: str, session: int) -> set[bytes]:
        key = "id" if table == "session" else "session_id"
        return {
            found
            for row in self.db.execute(f"SELECT * FROM {table} WHERE {key} = ?", [session]).fetchall()
            for found in plain_marks(*row)
        }

    # What follows.

    @rule()
    def publish(self) -> None:
        for folder in (None, self.folder / "copy"):
            stage = Publish(folder, grace_seconds=0.0, clock=lambda: self.now)
            assert not run_stage(self.context, stage, InProcess(), Silent()).failed
        self.published = True
        allowed = self.allowed() - self.marker.never
        for folder in (self.context.layout.public, self.folder / "copy"):
            assert self.found_in(folder) - allowed == set()
        assert self.answered() - allowed == set()

    def found_in(self, folder: Path) -> set[bytes]:
        found = {mark for path in folder.rglob("*") if path.is_file() for mark in marks(path.read_bytes())}
        found |= {mark for path in folder.rglob("*") for mark in plain_marks(path.name)}
        [database] = folder.glob("*.db")
        conn = sqlite3.connect(database)
        # Terms of an index are not written out where they begin alike.
        for index in ("passage_fts", "session_fts"):
            conn.execute(f"CREATE VIRTUAL TABLE temp.terms_{index} USING fts5vocab(main, {index}, row)")
            found |= {mark for row in conn.execute(f"SELECT term FROM terms_{index}") for mark in plain_marks(*row)}
        conn.close()
        return found

    def answered(self) -> set[bytes]:
        """Return the markers in all that the site answers, also at addresses of what is hidden."""
        site: Any = create_app(self.context.layout.public)
        paths = ["/", "/search?q=zq*", "/search?q=Title", "/events", "/feed.atom", "/podcast.rss", "/sitemap.xml",
                 "/api/1/events", "/oai?verb=ListRecords&metadataPrefix=oai_dc", "/explore?q=title", "/corpus",
                 "/corpus?q=title", "/downloads", "/schema", "/api/1/vocabulary", "/api/1/speakers",
                 "/corpus.zip?form=csv", "/sitemaps/sessions-1.xml"]  # fmt: skip
        for event, session in itertools.product(range(EVENTS), range(SESSIONS)):
            page = f"/events/event-{event}/session-{session}"
            paths += [
                f"/events/event-{event}",
                page,
                f"{page}/captions.vtt",
                f"{page}/captions.json",
                f"{page}/manifest.json",
            ]
        cited = self.db.execute(
            "SELECT identity, version FROM session JOIN recording ON session_id = session.id"
            " JOIN transcript ON recording_id = recording.id"
        ).fetchall()  # fmt: skip
        paths += [f"/cite/{row[0]}/{row[1]}{form}?t=0,9" for row in cited for form in ("", ".jsonld")]
        paths += [f"/people/{row[0]}" for row in self.db.execute("SELECT slug FROM person").fetchall()]
        paths += [
            f"/data/{table}.json?_size=max" for table in (*MARKED, "tombstone", "said", "speech", "part", "part_word")
        ]
        paths += [
            f"/media/{row[0]}{row[1]}" for row in self.db.execute("SELECT sha256, suffix FROM recording").fetchall()
        ]
        try:
            found: set[bytes] = set()
            for path in paths:
                answer = asyncio.run(site.client.get(path))
                assert answer.status_code in {200, 404, 410, 400}, (path, answer.status_code, answer.text[:300])
                # An address that was asked for may be said again.
                found |= marks(answer.content) - plain_marks(path)
            return found
        finally:
            site.executor.shutdown()

    # What may be public, told a second time.

    def visible(self) -> set[int]:
        rows = self.db.execute(
            "SELECT session.id, event_id, time_zone FROM session JOIN event ON event.id = event_id"
        ).fetchall()
        return {
            session for session, event, zone in rows
            if self.out(*self.own.get(session, self.whole.get(event, ("public", None))), zone)
        }  # fmt: skip

    def out(self, state: str, until: str | None, zone: str) -> bool:
        if state == "embargoed" and until:
            return self.now >= datetime.fromisoformat(until).replace(tzinfo=ZoneInfo(zone))
        return state == "public"

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return list(self.db.query(sql))

    def allowed(self) -> set[bytes]:
        """Return the markers that may be public now."""
        out = self.visible()
        found: set[bytes] = set()
        events = {row["event_id"] for row in self.rows("SELECT id, event_id FROM session") if row["id"] in out}
        for row in self.rows("SELECT * FROM event"):
            if row["id"] in events:
                found |= plain_marks(row["title"], row["subtitle"], row["description"])
                found |= {
                    mark
                    for each in self.rows("SELECT * FROM series")
                    if each["id"] == row["series_id"]
                    for mark in plain_marks(*each.values())
                }
        for row in self.rows("SELECT * FROM place"):
            users = {
                each["id"] for each in self.rows("SELECT id, place_id FROM session") if each["place_id"] == row["id"]
            }
            if row["event_id"] in events and (users & out or not users):
                found |= plain_marks(row["name"], row["city"])
        for row in self.rows("SELECT * FROM session"):
            if row["id"] in out:
                found |= plain_marks(*(row[name] for name in ("title", "subtitle", "track", "room", "abstract")))
        found |= self.allowed_people(out)
        for table in ("attendance", "link", "external_id"):
            for row in self.rows(f"SELECT * FROM {table}"):
                if row.get("event_id") in events or row.get("session_id") in out:
                    found |= plain_marks(*row.values())
        for row in self.rows("SELECT title, text, url, source, event_id FROM announcement WHERE state = 'public'"):
            if row["event_id"] in events:
                found |= plain_marks(*row.values())
        for row in self.rows("SELECT * FROM recording"):
            if row["session_id"] in out and row["id"] not in self.shut and row["superseded_by"] is None:
                found |= plain_marks(row["credit"], row["licence"]) | self.words(row["id"]) | self.voices(row["id"])
                found |= {
                    mark
                    for each in self.rows(
                        f"SELECT reason FROM redaction WHERE recording_id = {row['id']} AND undone_at IS NULL"
                    )
                    for mark in plain_marks(each["reason"])
                }
        return found | {
            mark
            for table in ("release", "release_default")
            for row in self.rows(f"SELECT reason FROM {table} WHERE state = 'withdrawn'")
            for mark in plain_marks(row["reason"])
        }

    def allowed_people(self, out: set[int]) -> set[bytes]:
        found: set[bytes] = set()
        parts = self.rows("SELECT * FROM session_person")
        for person in self.rows("SELECT * FROM person"):
            sessions = {row["session_id"] for row in parts if row["person_id"] == person["id"]}
            if not sessions & out:
                continue
            found |= plain_marks(person["name"], person["slug"])
            found |= {
                mark
                for row in self.rows("SELECT * FROM portrait WHERE state = 'public'")
                if row["person_id"] == person["id"]
                for mark in plain_marks(row["picture"].decode())
            }
            found |= plain_marks(
                *(row["affiliation"] for row in parts if row["person_id"] == person["id"] and row["session_id"] in out)
            )
            said = [
                row
                for row in self.rows("SELECT * FROM person_source")
                if row["person_id"] == person["id"] and row["session_id"] in out
            ]
            found |= {mark for row in said for mark in plain_marks(row["said"])}
            if sessions <= out:
                found |= plain_marks(person["biography"])
                for table in ("link", "external_id"):
                    found |= {
                        mark
                        for row in self.rows(f"SELECT * FROM {table}")
                        if row["person_id"] == person["id"]
                        for mark in plain_marks(*row.values())
                    }
        return found

    def words(self, recording: int) -> set[bytes]:
        """Return the markers of what is said in a recording by now, and not redacted."""
        hidden = self.rows(f"SELECT * FROM redaction WHERE recording_id = {recording} AND undone_at IS NULL")
        found: set[bytes] = set()
        for segment in self.rows(
            "SELECT segment.*, generator FROM segment JOIN transcript ON transcript.id = transcript_id"
            f" WHERE recording_id = {recording} AND is_current"
        ):
            found |= plain_marks(segment["generator"])
            words = self.rows(f"SELECT * FROM word WHERE segment_id = {segment['id']}") or [segment]
            for word in words:
                if not any(word["start_ms"] < each["end_ms"] and word["end_ms"] > each["start_ms"] for each in hidden):
                    found |= plain_marks(word["text"])
        return found

    def voices(self, recording: int) -> set[bytes]:
        return {
            mark
            for row in self.rows(
                "SELECT DISTINCT label FROM segment JOIN transcript ON transcript.id = transcript_id JOIN speaker_tag"
                f" ON speaker_tag.id = speaker_tag_id WHERE transcript.recording_id = {recording} AND is_current"
            )
            for mark in plain_marks(row["label"])
        }


Archive.TestCase.settings = settings(
    max_examples=8, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
TestNothingLeaks = Archive.TestCase


def test_nothing_leaks_into_a_site_of_files() -> None:
    pytest.importorskip("pagefind", reason="no Pagefind: pip install 'rostra[static]'")
    archive = Archive()
    folder = archive.folder / "site"

    def written() -> set[bytes]:
        stage = Static(folder, clock=lambda: archive.now)
        assert not run_stage(archive.context, stage, InProcess(), Silent()).failed
        files = [path for path in folder.rglob("*") if path.is_file()]
        found = {mark for path in files for mark in marks(path.read_bytes())}
        return found | {mark for path in folder.rglob("*") for mark in plain_marks(path.name)}

    try:
        archive.fill(whole=True)
        first = written()
        assert first - (archive.allowed() - archive.marker.never) == set()
        assert {mark for mark in archive.allowed() if mark in first}
        archive.redact(number=1, start=0, length=9_000, told=False)
        archive.release_session(number=0, state="private", day=1, told=False)
        archive.release_session(number=3, state="withdrawn", day=1, told=True)
        archive.release_recording(number=2, shut=True)
        archive.correct(number=4)
        archive.render()
        second = written()
        assert second - (archive.allowed() - archive.marker.never) == set()
        assert first - second
    finally:
        archive.teardown()
