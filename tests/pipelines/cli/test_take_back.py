"""Words that are taken back by a correction are in no version any more, nor in anything that is published."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from archive.catalogue.provenance import supersede
from archive.catalogue.recordings import NewRecording, add_recording
from archive.catalogue.transcripts import add_transcript
from archive.connection import transaction
from metadata.model import Word
from pipelines.run.executors import InProcess
from pipelines.run.runner import Silent, run_stage
from pipelines.stages.transcribe import Transcribe
from pipelines.storage.archive_folder import init, open_archive
from pipelines.transcribers.fake import FakeTranscriber
from tests.metadata.test_revising import said
from tests.pipelines.cli.test_cite import published, told
from tests.pipelines.cli.test_revise import archive  # a fixture
from tests.pipelines.command import rostra
from tests.pipelines.exchange.test_corrections import rostra as inside
from tests.pipelines.sounds import write_wav
from tests.pipelines.test_nothing_leaks import forms

NAME = "zqsecretname"
LONG = (
    f"good evening and welcome to all who came my guest {NAME} wants no name in any record",
    "so we talk about the harbour and the boats that lie there over the winter",
    "and about the people who mend the nets before they leave again in spring",
)

__all__ = ["archive"]


def holding(folder: Path, words: str) -> list[str]:
    """Return the files of a folder that hold words in some form."""
    return [
        path.name
        for path in sorted(folder.rglob("*"))
        if path.is_file() and any(words.encode() in form.lower() for form in forms(path.read_bytes()))
    ]


@pytest.fixture
def named(archive: Path) -> Path:  # the fixture
    """Return an archive in whose recordings a name is said: heard twice, corrected once, and in another cut."""
    with open_archive(archive) as context, transaction(context.db):
        first = said(*LONG)
        again = said(*(text.replace("harbour", "harvard") for text in LONG))
        add_transcript(context.db, 1, first, created_at="2026-11-02T00:00:00Z")
        add_transcript(context.db, 1, replace(again, generator="another"), created_at="2026-11-03T00:00:00Z")
        cut = NewRecording(
            sha256="cd" * 32, kind="audio", duration_ms=20_000, bytes=10, media_type="audio/wav", suffix=".wav",
            streams="[]", original_name="cut.wav",
        )  # fmt: skip
        new = add_recording(context.db, cut, 1, pulled_at="2026-11-03T00:00:00Z")
        supersede(context.db, 1, new)
        add_transcript(context.db, new, shifted(first), created_at="2026-11-04T00:00:00Z")
    return published(archive)


def shifted(transcript):  # type: ignore[no-untyped-def]
    """Return a transcript half a second later."""

    def later(each: Word) -> Word:
        return replace(each, start_ms=each.start_ms + 500, end_ms=each.end_ms + 500)

    segments = tuple(
        replace(each, start_ms=each.start_ms + 500, end_ms=each.end_ms + 500, words=tuple(map(later, each.words)))
        for each in transcript.segments
    )
    return replace(transcript, segments=segments, duration_ms=transcript.duration_ms + 500)


def test_words_that_are_taken_back_are_nowhere(named: Path) -> None:
    there = told(named, "money", "--words", f"my guest {NAME} wants no name", "--style", "link")["address"]
    beside = told(named, "money", "--words", "the harbour and the boats that lie", "--style", "link")["address"]
    assert told(named, there)["as_cited"] == f"my guest {NAME} wants no name"
    assert holding(named / "public", NAME)

    done = rostra(
        "correct", "transcript", "money", "--at", "0:09", "--from", NAME, "--to", "somebody", "--take-back", "--json",
        "--archive", named,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [each["after"] for each in json.loads(done.stdout)["changes"]] == ["somebody"]

    assert holding(named / "public", NAME) == []
    assert holding(named, NAME) == [], "the catalogue keeps it in a file"
    assert told(named, there) == {"state": "withheld", "session": "meetup/money"}
    after = told(named, beside)
    assert (after["state"], after["as_cited"]) == ("certain", "the harbour and the boats that lie")
    assert NAME not in rostra("correct", "transcript", "money", "--history", "--archive", named).stdout
    for more in ((), ("--dry-run",)):
        undone = rostra("correct", "transcript", "money", "--undo", *more, "--archive", named)
        assert (undone.returncode != 0, "nothing brings them back" in " ".join(undone.stderr.split())) == (True, True)


def test_words_that_were_taken_back_stay_so_when_the_recording_is_heard_again(tmp_path: Path) -> None:
    root, again = tmp_path / "talks", tmp_path / "again.vtt"
    init(root, title="Talks")
    settings = root / "rostra.toml"
    settings.write_text(settings.read_text().replace('# engine = "faster-whisper"', 'engine = "fake"'))
    write_wav(tmp_path / "talk.wav", 12)
    for command in (("pull", tmp_path / "talk.wav"), ("run",)):
        assert rostra(*command, "--archive", root).returncode == 0
    done = rostra(
        "correct", "transcript", "talk", "--at", "0:04", "--from", "Somebody says something at second 4.",
        "--to", "", "--take-back", "--archive", root,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr

    with open_archive(root) as context:
        report = run_stage(context, Transcribe(FakeTranscriber(revision=2)), InProcess(), Silent())
        assert dict(report.counts) == {"done": 1}
    again.write_text("WEBVTT\n\n00:04.100 --> 00:07.900\nSecond 4, it was\n\n00:09.000 --> 00:11.000\nSecond 8\n")
    assert rostra("caption", again, "--session", "talk", "--archive", root).returncode == 0
    with open_archive(root) as context:
        rows = context.db.execute("SELECT text FROM segment WHERE start_ms BETWEEN 3000 AND 7900").fetchall()
        assert [text for (text,) in rows if "4" in text] == []
        (kept,) = context.db.execute("SELECT count(*) FROM segment WHERE text LIKE '%second 8%'").fetchone()
    assert kept == 4
    merged = rostra("correct", "transcript", "talk", "--merge", "--archive", root)
    assert merged.returncode == 0, merged.stderr
    assert "second 4" not in rostra("export", "captions", "talk", "--format", "txt", "--archive", root).stdout


def test_a_correction_keeps_what_stood_there_unless_it_is_taken_back(named: Path) -> None:
    rostra("correct", "transcript", "money", "--at", "0:09", "--from", NAME, "--to", "somebody", "--archive", named)
    published(named)
    assert holding(named / "public", NAME) == []
    assert holding(named, NAME) != []


def test_taking_back_needs_a_correction(named: Path) -> None:
    for arguments in (("--undo",), ("--history",), ("--merge",)):
        done = rostra("correct", "transcript", "money", *arguments, "--take-back", "--archive", named)
        assert (done.returncode, "--take-back goes with" in done.stderr) == (2, True)


def test_titles_and_texts_that_are_taken_back_are_nowhere(archive: Path, tmp_path: Path) -> None:
    timetable = tmp_path / "timetable.yaml"
    timetable.write_text(
        f"title: {NAME} days\nslug: {NAME}-days\nsessions:\n  - title: An evening with {NAME}\n"
        f"    subtitle: {NAME} speaks\n    abstract: All of {NAME}.\n    room: Hall {NAME}\n"
    )
    done = inside("import", timetable, "--archive", archive)
    assert done.exit_code == 0, done.stderr
    old = f"{NAME}-days/an-evening-with-{NAME}"
    done = inside("correct", "session", old, f"title={NAME} at night", "--archive", archive)
    assert f"slug={NAME}-at-night" in "".join(done.stderr.split()), done.stderr
    inside("release", old, "--public", "--later", "--archive", archive)
    inside("publish", "--archive", archive)
    assert holding(archive / "public", NAME)
    for arguments in (
        ("session", old, "title=An evening", "subtitle=", "abstract=", "room=", "--take-back"),
        ("event", f"{NAME}-days", "title=Days", "--take-back"),
    ):
        done = inside("correct", *arguments, "--archive", archive)
        assert done.exit_code == 0, done.stderr
    assert holding(archive, NAME) == []
    done = inside("import", timetable, "--json", "--archive", archive)
    assert done.exit_code == 0, done.stderr
    with open_archive(archive) as context:
        rows = context.db.execute("SELECT event.slug, session.slug FROM session JOIN event ON event.id = event_id")
        assert rows.fetchall() == [("meetup", "money"), ("days", "an-evening")]
        assert context.db.execute("SELECT DISTINCT before FROM correction WHERE field <> 'release'").fetchall() == [
            ("null",)
        ]
    inside("publish", "--archive", archive)
    assert holding(archive, NAME) == [], "the timetable says it again"


def test_only_texts_are_taken_back(archive: Path) -> None:
    done = inside("correct", "session", "money", "language=de", "--take-back", "--archive", archive)
    assert str(done.exception).startswith("--take-back goes with abstract, description, room, slug, subtitle, title")
