from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from archive.catalogue.provenance import note_place
from archive.catalogue.transcripts import read_transcript
from archive.connection import transaction
from metadata.captions import read_captions
from metadata.captions.base import Source
from metadata.errors import FormatError
from metadata.model import TranscriptKind
from pipelines.config import Config
from pipelines.config import TranscribeSettings as Settings
from pipelines.exchange.captions import add_captions, beside, find_recording, language_in
from pipelines.run.executors import InProcess
from pipelines.run.runner import RunSummary, run_stage
from pipelines.stages.captions import Captions
from pipelines.stages.pull import Pull
from pipelines.stages.transcribe import Transcribe
from pipelines.storage.archive_folder import Context, init, open_archive
from pipelines.transcribers import FakeTranscriber
from tests.pipelines.command import rostra
from tests.pipelines.sounds import write_wav
from tests.pipelines.trials import Watch

TALK = "WEBVTT\nLanguage: en\n\n00:01.000 --> 00:02.500\n<v Ada>Hello there.\n"


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    init(tmp_path / "archive", title="Test")
    with open_archive(tmp_path / "archive") as context:
        yield context


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    write_wav(folder / "talk.wav", 10)
    return folder


def pull(context: Context, folder: Path) -> RunSummary:
    run_stage(context, Pull([folder]), InProcess(), Watch())
    return run_stage(context, Captions([folder]), InProcess(), Watch())


def versions(context: Context) -> list[tuple[str, str, int]]:
    rows = context.db.execute("SELECT kind, language, is_current FROM transcript ORDER BY id").fetchall()
    return [tuple(row) for row in rows]


def test_captions_beside_a_recording_are_its_transcript_until_it_is_heard(context: Context, folder: Path) -> None:
    (folder / "talk.vtt").write_text(TALK)
    (folder / "talkative.vtt").write_text(TALK)
    assert dict(pull(context, folder).counts) == {"done": 1}
    assert versions(context) == [("imported", "en", 1)]
    assert dict(pull(context, folder).counts) == {}
    run_stage(context, Transcribe(FakeTranscriber()), InProcess(), Watch())
    assert versions(context) == [("imported", "en", 0), ("asr", "und", 1)]


def test_captions_of_a_file_with_the_same_bytes_are_not_hung_on_the_first(context: Context, folder: Path) -> None:
    (folder / "talk.vtt").write_text(TALK)
    (folder / "zz-panel.wav").write_bytes((folder / "talk.wav").read_bytes())
    (folder / "zz-panel.vtt").write_text(TALK.replace("Hello there.", "Another panel."))
    assert dict(pull(context, folder).counts) == {"done": 2}
    texts = context.db.execute("SELECT text FROM segment").fetchall()
    assert [row[0] for row in texts] == ["Hello there."]
    [remark] = context.db.execute("SELECT remark FROM stage_run WHERE label = 'zz-panel.vtt'").fetchone()
    assert remark.startswith("is passed over: zz-panel.wav holds the same bytes as talk.wav, whose captions these may")


def test_captions_stay_where_a_machine_hears_nothing(context: Context, folder: Path) -> None:
    (folder / "talk.vtt").write_text(TALK)
    pull(context, folder)
    run_stage(context, Transcribe(FakeTranscriber(deaf=True)), InProcess(), Watch())
    assert versions(context) == [("imported", "en", 1), ("asr", "und", 0)]
    [remark] = context.db.execute("SELECT remark FROM stage_run WHERE stage = 'transcribe'").fetchone()
    assert remark == "nobody speaks in it, although it has captions (1), which stay: does its sound play?"


def test_captions_beside_a_recording_are_peoples_where_somebody_says_so(context: Context, folder: Path) -> None:
    (folder / "talk.vtt").write_text(TALK)
    run_stage(context, Pull([folder], kind="human"), InProcess(), Watch())
    run_stage(context, Captions([folder], "human"), InProcess(), Watch())
    assert versions(context) == [("human", "en", 1)]
    run_stage(context, Transcribe(FakeTranscriber()), InProcess(), Watch())
    assert versions(context) == [("human", "en", 1)]
    assert not run_stage(context, Captions([folder], "human"), InProcess(), Watch()).counts


def test_captions_that_a_site_gave_are_found_where_pull_left_them(context: Context, folder: Path) -> None:
    run_stage(context, Pull([folder]), InProcess(), Watch())
    given = []
    for name, text in (("recording.en.vtt", TALK), ("recording.info.json", '{"id": "x"}')):
        (folder / name).write_text(text)
        given.append({"name": name, "sha256": context.blobs.add(folder / name, ".x").sha256, "suffix": ".x"})
    with transaction(context.db):
        about = msgspec.json.encode({"companions": given}).decode()
        note_place(context.db, 1, "https://a.example/talk", about=about, pulled_at="2024-01-01T00:00:00Z")
    assert dict(run_stage(context, Captions([]), InProcess(), Watch()).counts) == {"done": 1}
    assert versions(context) == [("imported", "en", 1)]
    assert dict(run_stage(context, Captions([]), InProcess(), Watch()).counts) == {}


@pytest.mark.parametrize(
    ("name", "kind", "always", "heard"),
    [
        ("talk.vtt", "human", False, 0),
        ("talk.vtt", "human", True, 1),
        ("talk.vtt", "imported", False, 1),
        ("talk.txt", "human", False, 1),
    ],
)
def test_what_people_captioned_is_heard_only_if_asked_for(
    context: Context, folder: Path, name: str, kind: TranscriptKind, always: bool, heard: int
) -> None:
    run_stage(context, Pull([folder]), InProcess(), Watch())
    text = TALK if name.endswith(".vtt") else "Hello there.\n\nHow are you?\n"
    with transaction(context.db):
        add_captions(context, text.encode(), name, 1, kind=kind)
    settings = replace(context, config=Config(transcribe=Settings(always=always)))
    assert len(list(Transcribe(FakeTranscriber()).items(settings))) == heard


def test_captions_in_another_language_are_a_translation(context: Context, folder: Path) -> None:
    (folder / "talk.de.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nHallo.\n")
    run_stage(context, Pull([folder]), InProcess(), Watch())
    with transaction(context.db):
        context.db.execute("UPDATE recording SET language = 'en'")
    run_stage(context, Captions([folder]), InProcess(), Watch())
    assert versions(context) == [("translation", "de", 1)]


def test_broken_captions_beside_a_recording_are_refused_alone(context: Context, folder: Path) -> None:
    (folder / "talk.srt").write_text("1\n00:00:01,000 --> never\nHello.\n")
    (folder / "talk.vtt").write_text(TALK)
    report = pull(context, folder)
    assert [(item.label, outcome.code) for item, outcome in report.troubles] == [("talk.srt", "captions")]
    assert "line 2" in (report.troubles[0][1].text or "")
    assert versions(context) == [("imported", "en", 1)]


def test_files_beside_a_recording_that_are_no_captions_are_passed_over(context: Context, folder: Path) -> None:
    (folder / "talk.json").write_text('{"title": "Talk"}')
    (folder / "talk.txt").write_text("Notes for the talk.")
    report = pull(context, folder)
    assert (dict(report.counts), report.failed) == ({"done": 1}, False)
    assert versions(context) == []


def test_data_for_programs_beside_a_recording_is_passed_over(context: Context, folder: Path) -> None:
    sheet = "WEBVTT\n\n00:00.000 --> 00:05.000\nsheet.jpg#xywh=0,0,160,90\n"
    (folder / "talk.vtt").write_text(sheet, encoding="utf-8")
    (folder / "talk.tsv").write_text("title\tstart\nTalk\t2022-07-23\n", encoding="utf-8")
    assert not pull(context, folder).failed
    assert versions(context) == []


def test_captions_of_another_recording_are_refused_and_nothing_is_written(context: Context, folder: Path) -> None:
    pull(context, folder)
    late = TALK.replace("00:01.000 --> 00:02.500", "10:00.000 --> 10:01.000")
    for text in (late, "WEBVTT\n\n", "WEBVTT\n\nx --> y\n"):
        with pytest.raises(FormatError), transaction(context.db):
            add_captions(context, text.encode(), "talk.vtt", 1, kind="human")
    assert versions(context) == []
    assert context.db.execute("SELECT count(*) FROM speaker_tag").fetchone()[0] == 0


def test_captions_are_kept_as_they_were_written(context: Context, folder: Path) -> None:
    pull(context, folder)
    with transaction(context.db):
        added = add_captions(context, TALK.encode(), "talk.vtt", 1, kind="human")
    assert (added.new, added.current, added.people) == (True, True, {})
    stored = read_transcript(context.db, 1)
    assert stored == added.transcript
    assert [(each.start_ms, each.end_ms, each.speaker, each.text) for each in stored.segments] == [
        (1000, 2500, "Ada", "Hello there.")
    ]


def test_text_is_laid_along_what_was_heard(context: Context, folder: Path) -> None:
    pull(context, folder)
    run_stage(context, Transcribe(FakeTranscriber(("One two three.", "Four five six."))), InProcess(), Watch())
    heard = read_transcript(context.db, 1).segments[:2]
    with transaction(context.db):
        added = add_captions(context, b"One, two, three!\n\nFour five six.\n", "talk.txt", 1, kind="human")
    assert [(each.start_ms, each.end_ms) for each in added.transcript.segments] == [
        (each.words[0].start_ms, each.words[-1].end_ms) for each in heard
    ]
    with pytest.raises(FormatError, match="only 0% of its words"), transaction(context.db):
        add_captions(context, b"Quite another speech.", "talk.txt", 1, kind="human")


def test_files_beside_a_recording_have_its_name(folder: Path) -> None:
    for name in ("talk.vtt", "talk.pt-BR.SRT", "talk.final.vtt", "talk2.vtt", "talk.md", "TALK.json"):
        (folder / name).touch()
    assert [path.name for path in beside(folder / "talk.wav")] == ["TALK.json", "talk.pt-BR.SRT", "talk.vtt"]
    assert [language_in(name) for name in ("a.de.vtt", "a.vtt", "v1.2.vtt", "a.English.vtt")] == [
        "de",
        None,
        None,
        "en",
    ]


def test_caption_and_export_from_the_command_line(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "talks"
    init(root, title="Talks")
    rostra("pull", folder, "--archive", root)
    file = tmp_path / "by-hand.vtt"
    file.write_text(TALK)
    first = rostra("caption", file, "--session", "talk", "--kind", "human", "--archive", root)
    again = rostra("caption", file, "--session", "recordings/talk", "--kind", "human", "--archive", root)
    assert (first.returncode, first.stderr) == (0, "by-hand.vtt: WebVTT, 1 caption, English, current\n")
    assert (again.returncode, again.stderr) == (0, "by-hand.vtt: this transcript is in the archive already\n")
    assert rostra("export", "captions", "talk", "--archive", root).stdout == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\n<v Ada>Hello there.\n"
    )
    done = rostra("export", "captions", "talk", "--format", "ttml", "--to", tmp_path / "out", "--archive", root)
    assert done.returncode == 0
    written = (tmp_path / "out" / "talk.ttml").read_bytes()
    assert [each.speaker for each in read_captions(written, Source(name="talk.ttml")).segments] == ["Ada"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--session", "nowhere"], "no session 'nowhere'"),
        (["--recording", "ffff"], "no recording 'ffff'"),
        (["--session", "talk", "--recording", "ffff"], "either --session or --recording"),
        (["--at", "https://youtu.be/x"], "name it with --session"),
        (["--session", "talk", "--language", "no such tongue"], "unknown language"),
    ],
)
def test_caption_for_nothing_says_what_is_wrong(
    folder: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    root = tmp_path / "talks"
    init(root, title="Talks")
    (folder / "talk.vtt").write_text(TALK)
    done = rostra("caption", folder / "talk.vtt", *arguments, "--archive", root)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_recording_is_found_by_the_beginning_of_its_name(context: Context, folder: Path) -> None:
    pull(context, folder)
    sha = context.db.execute("SELECT sha256 FROM recording").fetchone()[0]
    assert find_recording(context.db, sha[:8].upper()) == 1


def test_captions_lie_beside_a_recording_in_either_spelling_of_its_name(tmp_path: Path) -> None:
    decomposed = {unicodedata.normalize("NFD", name) for name in ("Übersicht.srt", "ÜBERSICHT.de.vtt")}
    for name in (*decomposed, "Ubersicht.srt"):
        (tmp_path / name).touch()
    assert {path.name for path in beside(tmp_path / "Übersicht.wav")} == decomposed


def test_captions_of_every_format_that_is_read_are_no_recordings(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "talks"
    init(root, title="Talks")
    scc = "Scenarist_SCC V1.0\n\n00:00:00:00\t9420 9470 c8e5 ecec ef80 942c 942f\n\n00:00:01:00\t942c\n"
    for name, text in (("talk.scc", scc), ("talk.final.vtt", TALK)):
        (folder / name).write_text(text)
    done = rostra("pull", folder, "--archive", root)
    assert done.returncode == 0, done.stderr
    assert "refused" not in done.stderr
    assert "talk.LANGUAGE.vtt would be taken" in done.stderr
