from __future__ import annotations

import os
import shutil
import sys
import unicodedata
import wave
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from archive.catalogue.importing import apply_event, set_release
from archive.connection import open_readonly, transaction
from archive.index.tokens import FOLDING
from archive.index.verify import verify
from archive.search.sqlite_search import SqliteSearch
from metadata.model import EXAMPLE_EVENT, EXAMPLE_SESSION, Event, RecordingNote, Release, Session
from pipelines.errors import ConfigError
from pipelines.run.executors import InProcess, Local
from pipelines.run.runner import RunSummary, run_stage
from pipelines.stages.base import Stage
from pipelines.stages.captions import Captions
from pipelines.stages.index import Index
from pipelines.stages.publish import Publish
from pipelines.stages.pull import Pull
from pipelines.stages.render import Render
from pipelines.stages.transcribe import Transcribe
from pipelines.stages.translate import Translate
from pipelines.storage.archive_folder import Context, init, open_archive
from pipelines.transcribers import FakeTranscriber
from tests.archive.build import PATIENT_MS
from tests.pipelines.media.test_renditions import TONE, ffmpeg
from tests.pipelines.sounds import write_silent_video, write_wav
from tests.pipelines.trials import Watch

WHEN = "2022-07-01T00:00:00Z"


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    init(tmp_path / "archive", title="Test")
    with open_archive(tmp_path / "archive") as context:
        yield context


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    folder.mkdir()
    return folder


def do(context: Context, stage: Stage) -> RunSummary:
    return run_stage(context, stage, InProcess(), Watch())


def do_all(context: Context, transcriber: FakeTranscriber) -> dict[str, int]:
    stages = (Transcribe(transcriber), Render(), Index(), Publish(grace_seconds=0.0))
    return {stage.name: sum(do(context, stage).counts.values()) for stage in stages}


def sessions(context: Context) -> list[tuple[str, str, str | None]]:
    rows = context.db.execute(
        "SELECT event.slug, session.slug, recording.original_name FROM session JOIN event ON event.id = event_id"
        " LEFT JOIN recording ON session_id = session.id ORDER BY session.id, recording.id"
    ).fetchall()
    return [tuple(row) for row in rows]


def samples(path: Path) -> bytes:
    with wave.open(str(path)) as file:
        return file.readframes(file.getnframes())


def published_media(context: Context) -> list[str]:
    return sorted(path.name for path in (context.layout.public / "media").iterdir())


def test_recording_with_several_tracks_says_which_is_heard(context: Context, folder: Path) -> None:
    ffmpeg(*TONE, *TONE, "-t", "1", "-map", "0", "-map", "1", folder / "screen.mkv")
    watch = Watch()
    run_stage(context, Pull([folder]), InProcess(), watch)
    [remark] = watch.remarks.values()
    assert remark == "of its 2 tracks of sound, number 1 is heard: the file has it by default"


@pytest.mark.skipif(sys.platform == "darwin", reason="its file system takes no such names")
def test_recording_whose_name_is_not_utf8_is_taken_with_its_captions(context: Context, folder: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.wav"))
    write_wav(path, 1)
    path.with_suffix(".vtt").write_text("WEBVTT\n\n00:00.000 --> 00:01.000\nWelcome\n")
    assert dict(run_stage(context, Pull([folder]), Local(1, context.layout.work), Watch()).counts) == {"done": 1}
    assert dict(do(context, Captions([folder])).counts) == {"done": 1}
    assert sessions(context) == [("recordings", "caf-xe9", "caf\\xe9.wav")]
    assert not do(context, Pull([folder])).counts


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "mp3", "flac"])
def test_recording_that_was_not_copied_whole_is_heard_and_says_so(context: Context, folder: Path, suffix: str) -> None:
    whole = ffmpeg(*TONE, "-t", "20", "-movflags", "+faststart", folder / f"talk.{suffix}")
    watch = Watch()
    run_stage(context, Pull([whole]), InProcess(), watch)
    run_stage(context, Transcribe(FakeTranscriber()), InProcess(), watch)
    assert set(watch.remarks.values()) == {None}
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    run_stage(context, Pull([whole]), InProcess(), watch)
    run_stage(context, Transcribe(FakeTranscriber()), InProcess(), watch)
    [remark] = [remark for remark in watch.remarks.values() if remark and "its sound ends at 0:" in remark]
    assert "of the 0:20 that it should last: was it copied whole?" in remark


def troubles(report: RunSummary) -> dict[str, tuple[str, str | None]]:
    return {item.label: (outcome.status, outcome.code) for item, outcome in report.troubles}


def test_pull_takes_a_folder_and_refuses_what_is_no_recording(context: Context, folder: Path) -> None:
    write_wav(folder / "Opening talk.wav", 1)
    (folder / "sub").mkdir()
    shutil.copy(folder / "Opening talk.wav", folder / "sub" / "copy.wav")
    write_silent_video(folder / "silent.mp4")
    (folder / "text.mp4").write_text("not a recording\n" * 20)
    (folder / "empty.mp4").touch()
    (folder / "captions.vtt").write_text("WEBVTT\n")
    (folder / ".hidden.wav").write_bytes(b"x")
    report = do(context, Pull([folder]))
    assert dict(report.counts) == {"done": 3, "refused": 2}
    assert troubles(report) == {"text.mp4": ("refused", "not-media"), "empty.mp4": ("refused", "not-media")}
    assert sessions(context) == [
        ("recordings", "opening-talk", "Opening talk.wav"),
        ("recordings", "silent", "silent.mp4"),
    ]
    stored = [path for path in context.layout.media.rglob("*") if path.is_file()]
    assert sorted(path.suffix for path in stored) == [".mp4", ".wav"]


def test_pull_again_does_nothing_until_a_file_changes(context: Context, folder: Path) -> None:
    write_wav(folder / "a.wav", 1)
    assert dict(do(context, Pull([folder])).counts) == {"done": 1}
    assert dict(do(context, Pull([folder])).counts) == {}
    write_wav(folder / "a.wav", 2)
    assert dict(do(context, Pull([folder])).counts) == {"done": 1}
    assert context.db.execute("SELECT count(*) FROM recording").fetchone()[0] == 2


def test_file_with_other_bytes_takes_the_place_of_the_old_one(context: Context, folder: Path) -> None:
    write_wav(folder / "talk.wav", 5)
    do(context, Pull([folder]))
    do_all(context, FakeTranscriber(("Old words.",)))
    old = published_media(context)
    write_wav(folder / "talk.wav", 6)
    do(context, Pull([folder]))
    do_all(context, FakeTranscriber(("New words.",)))
    rows = context.db.execute("SELECT session_id, superseded_by FROM recording ORDER BY id").fetchall()
    assert [tuple(row) for row in rows] == [(1, 2), (1, None)]
    assert [SqliteSearch(context.db.conn, PATIENT_MS).search(query).sessions for query in ("old", "new")] == [0, 1]
    assert verify(context.db) == []
    assert [Path(name).suffix for name in published_media(context)].count(".wav") == 1
    assert not set(published_media(context)) & set(old)
    public = next(context.layout.public.glob("*.db")).read_bytes()
    assert (b"Old words" in public, b"New words" in public) == (False, True)


def test_old_bytes_that_come_back_are_current_again(context: Context, folder: Path) -> None:
    for seconds in (5, 6, 5):
        write_wav(folder / "talk.wav", seconds)
        do(context, Pull([folder]))
        do_all(context, FakeTranscriber())
    rows = context.db.execute("SELECT session_id, superseded_by FROM recording ORDER BY id").fetchall()
    assert [tuple(row) for row in rows] == [(1, None), (1, 1)]
    assert [Path(name).suffix for name in published_media(context)].count(".wav") == 1


def test_changed_copy_leaves_the_recording_that_lies_elsewhere_too(context: Context, folder: Path) -> None:
    write_wav(folder / "a.wav", 5)
    shutil.copy(folder / "a.wav", folder / "b.wav")
    do(context, Pull([folder]))
    write_wav(folder / "b.wav", 6)
    do(context, Pull([folder]))
    rows = context.db.execute("SELECT session_id, superseded_by FROM recording ORDER BY id").fetchall()
    assert [tuple(row) for row in rows] == [(1, None), (2, None)]


def test_pull_goes_by_the_timetable_then_by_name(context: Context, folder: Path) -> None:
    event = replace(
        EXAMPLE_EVENT,
        sessions=(
            replace(
                EXAMPLE_SESSION,
                recordings=(RecordingNote(file="CAM1_0001.wav", language="fr", credit="Us", synthetic_voice=True),),
            ),
            Session(slug="second-talk", title="Second"),
        ),
    )
    with transaction(context.db):
        apply_event(context.db, event, decided_at=WHEN)
    write_wav(folder / "cam1_0001.WAV", 1)
    write_wav(folder / "Second talk.wav", 2)
    write_wav(folder / "third.wav", 3)
    assert dict(do(context, Pull([folder])).counts) == {"done": 3}
    assert sessions(context) == [
        (event.slug, EXAMPLE_SESSION.slug, "cam1_0001.WAV"),
        (event.slug, "second-talk", "Second talk.wav"),
    ]
    waiting = context.db.execute("SELECT original_name FROM recording WHERE session_id IS NULL").fetchall()
    assert waiting == [("third.wav",)]
    noted = context.db.execute("SELECT language, credit, synthetic_voice FROM recording WHERE language = 'fr'")
    assert [tuple(x) for x in noted.fetchall()] == [("fr", "Us", 1)]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("name", ["Übersicht.wav", "übersicht.WAV"])
def test_pull_finds_a_file_of_the_timetable_in_another_spelling(
    context: Context, folder: Path, form: Literal["NFC", "NFD"], name: str
) -> None:
    note = RecordingNote(file="Übersicht.wav", credit="Us")
    session = Session(slug="opening", title="Opening", recordings=(note,))
    with transaction(context.db):
        apply_event(context.db, Event(slug="days", title="Days", sessions=(session,)), decided_at=WHEN)
    write_wav(folder / unicodedata.normalize(form, name), 1)
    do(context, Pull([folder]))
    rows = context.db.execute(
        "SELECT session.slug, credit FROM recording JOIN session ON session.id = session_id"
    ).fetchall()
    assert [tuple(row) for row in rows] == [("opening", "Us")]


def test_pull_into_a_session_that_does_not_exist_is_refused_with_the_reason(context: Context, folder: Path) -> None:
    write_wav(folder / "a.wav", 1)
    report = do(context, Pull([folder / "a.wav"], "no-event", "no-session"))
    assert [outcome.text for _, outcome in report.troubles][-1:] == [
        "no session 'no-event/no-session' in this archive: 'rostra status --all' lists what there is"
    ]
    assert context.db.execute("SELECT count(*) FROM recording").fetchone()[0] == 0


def test_source_that_is_not_there_is_named(context: Context, folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"no file or folder .*absent\.wav"):
        list(Pull([folder / "absent.wav"]).items(context))


def test_recording_goes_all_the_way_to_a_hit_in_the_public_database(context: Context, folder: Path) -> None:
    write_wav(folder / "talk.wav", 9)
    do(context, Pull([folder]))
    heard = FakeTranscriber(("Nobody has what nobody", "can find at all.", "The last words."))
    assert do_all(context, heard) == {"transcribe": 1, "render": 1, "index": 1, "publish": 1}
    current = msgspec.json.decode((context.layout.public / "current.json").read_bytes())
    db = open_readonly(context.layout.public / current["database"], immutable=True)
    results = SqliteSearch(db.conn, PATIENT_MS).search('"nobody can find"')
    assert [(hit.session, hit.url.startswith("/events/recordings/talk?t=")) for hit in results.hits] == [("talk", True)]
    assert SqliteSearch(db.conn, PATIENT_MS).search("last words").sessions == 1
    sha, suffix = db.execute("SELECT sha256, suffix FROM rendition WHERE kind = 'web'").fetchone()
    assert samples(context.layout.public / "media" / f"{sha}{suffix}") == samples(folder / "talk.wav")
    db.close()


def test_renditions_are_published_with_their_recording_and_leave_with_it(context: Context, folder: Path) -> None:
    write_silent_video(folder / "silent.mp4")
    do(context, Pull([folder]))
    assert dict(do(context, Render()).counts) == {"done": 1}
    assert dict(do(context, Render()).counts) == {}
    do(context, Publish(grace_seconds=0.0))
    rows = [tuple(row) for row in context.db.execute("SELECT kind, media_type FROM rendition ORDER BY id").fetchall()]
    assert rows == [
        ("web", "video/mp4"),
        ("poster", "image/jpeg"),
        ("sprite", "image/jpeg"),
        ("previews", "text/vtt"),
    ]
    assert [Path(name).suffix for name in published_media(context)].count(".mp4") == 1
    assert len(published_media(context)) == 4
    with transaction(context.db):
        set_release(context.db, "session_id", 1, Release(state="private"), decided_at=WHEN)
    do(context, Publish(grace_seconds=0.0))
    assert published_media(context) == []


def test_running_again_does_nothing(context: Context, folder: Path) -> None:
    write_wav(folder / "talk.wav", 5)
    do(context, Pull([folder]))
    do_all(context, FakeTranscriber())
    before = {path: path.stat().st_mtime_ns for path in context.layout.public.rglob("*")}
    assert do_all(context, FakeTranscriber()) == {"transcribe": 0, "render": 0, "index": 0, "publish": 0}
    assert {path: path.stat().st_mtime_ns for path in context.layout.public.rglob("*")} == before


def test_publication_that_was_deleted_is_made_again(context: Context, folder: Path) -> None:
    write_wav(folder / "talk.wav", 5)
    do(context, Pull([folder]))
    do_all(context, FakeTranscriber())
    before = sorted(context.layout.public.rglob("*"))
    shutil.rmtree(context.layout.public)
    assert do_all(context, FakeTranscriber()) == {"transcribe": 0, "render": 0, "index": 0, "publish": 1}
    assert sorted(context.layout.public.rglob("*")) == before


def test_another_engine_setting_redoes_what_depends_on_it(context: Context, folder: Path) -> None:
    write_wav(folder / "talk.wav", 5)
    do(context, Pull([folder]))
    do_all(context, FakeTranscriber())
    assert do_all(context, FakeTranscriber(("New words.",))) == {"transcribe": 1, "render": 0, "index": 1, "publish": 1}
    rows = context.db.execute("SELECT is_current FROM transcript ORDER BY id").fetchall()
    assert [row[0] for row in rows] == [0, 1]


def test_renamed_session_is_indexed_and_published_again(context: Context, folder: Path) -> None:
    event = Event(slug="e", title="E", sessions=(Session(slug="talk", title="Old title"),))
    with transaction(context.db):
        apply_event(context.db, event, decided_at=WHEN)
    write_wav(folder / "talk.wav", 5)
    do(context, Pull([folder]))
    do_all(context, FakeTranscriber())
    renamed = replace(event, sessions=(Session(slug="talk", title="New title"),))
    with transaction(context.db):
        apply_event(context.db, renamed, decided_at=WHEN)
    done = do_all(context, FakeTranscriber())
    assert done["index"] == done["publish"] == 1
    assert SqliteSearch(context.db.conn, PATIENT_MS).search("New title").sessions == 1


def test_video_without_sound_is_skipped_and_the_others_go_on(context: Context, folder: Path) -> None:
    write_silent_video(folder / "silent.mp4")
    write_wav(folder / "talk.wav", 5)
    do(context, Pull([folder]))
    report = do(context, Transcribe(FakeTranscriber()))
    assert dict(report.counts) == {"done": 1, "skipped": 1}
    assert not report.failed


def test_recording_lost_from_the_store_fails_alone_with_the_reason(context: Context, folder: Path) -> None:
    write_wav(folder / "a.wav", 5)
    write_wav(folder / "b.wav", 6)
    do(context, Pull([folder]))
    lost = next(path for path in context.layout.media.rglob("*.wav"))
    lost.unlink()
    report = do(context, Transcribe(FakeTranscriber()))
    assert dict(report.counts) == {"done": 1, "refused": 1}
    assert report.troubles[0][1].text == "its file is missing from the store: pull it again"


def test_withdrawn_session_leaves_the_public_folder(context: Context, folder: Path) -> None:
    write_wav(folder / "stays.wav", 5)
    write_wav(folder / "goes.wav", 6)
    do(context, Pull([folder]))
    do_all(context, FakeTranscriber())
    assert len(published_media(context)) == 4
    goes = context.db.execute("SELECT id FROM session WHERE slug = 'goes'").fetchone()[0]
    with transaction(context.db):
        set_release(context.db, "session_id", goes, Release(state="withdrawn", reason="asked"), decided_at=WHEN)
    assert dict(do(context, Publish(grace_seconds=0.0)).counts) == {"done": 1}
    assert len(published_media(context)) == 2
    [database] = context.layout.public.glob("*.db")
    db = open_readonly(database, immutable=True)
    assert [row["slug"] for row in db.query("SELECT slug FROM session")] == ["stays"]
    assert list(db.query("SELECT * FROM tombstone")) == [
        {
            "id": 1,
            "event": "recordings",
            "session": "goes",
            "withdrawn_on": WHEN[:10],
            "reason": None,
            "identity": "3e76385171b6",
        }
    ]
    db.close()


def test_publication_that_cannot_be_built_leaves_the_old_one(context: Context, folder: Path) -> None:
    write_wav(folder / "a.wav", 5)
    do(context, Pull([folder]))
    do_all(context, FakeTranscriber())
    before = sorted(context.layout.public.rglob("*"))
    with transaction(context.db):
        context.db.execute("UPDATE catalogue SET content_revision = content_revision + 1")
    with context.db.conn:
        context.db.execute("PRAGMA foreign_keys = OFF")
        context.db.execute("INSERT INTO session_person(session_id, person_id) VALUES (1, 99)")
    report = do(context, Publish(grace_seconds=0.0))
    assert dict(report.counts) == {"failed": 1}
    assert "refers to a person that is not in it" in (report.troubles[0][1].text or "")
    assert sorted(context.layout.public.rglob("*")) == before


def test_translation_stands_beside_the_transcript(context: Context, folder: Path) -> None:
    write_wav(folder / "vortrag.wav", 9)
    do(context, Pull([folder]))
    context.db.execute("UPDATE recording SET language = 'de'")
    transcriber = FakeTranscriber()
    do_all(context, transcriber)
    assert do(context, Translate(transcriber)).counts == {"done": 1}
    assert do(context, Translate(transcriber)).counts == {}
    do(context, Translate(replace(transcriber, revision=2)))  # its text is the same, and so is its version
    rows = context.db.execute(
        "SELECT kind, transcript.language, is_current, count(segment.id), min(start_ms), max(end_ms) FROM transcript"
        " JOIN segment ON transcript_id = transcript.id GROUP BY transcript.id ORDER BY transcript.id"
    ).fetchall()
    assert [tuple(row) for row in rows] == [
        ("asr", "de", 1, 3, 0, 11_000),
        ("translation", "en", 1, 3, 0, 11_000),
    ]
    assert not do(context, Index()).failed


def test_sessions_are_indexed_anew_when_words_are_folded_in_another_way(context: Context) -> None:
    with transaction(context.db):
        apply_event(context.db, EXAMPLE_EVENT, decided_at=WHEN)
    assert not do(context, Index()).failed
    assert sum(do(context, Index()).counts.values()) == 0
    assert sum(do(context, Index(folding=FOLDING + 1)).counts.values()) == len(EXAMPLE_EVENT.sessions)
