from __future__ import annotations

import json
import os
import sqlite3
import wave
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from archive.catalogue.importing import apply_event
from archive.connection import transaction
from archive.errors import ArchiveError
from metadata.model import Event, Person, Role, Session
from pipelines.cli import cli
from pipelines.errors import ConfigError, WeightsError
from pipelines.run.executors import InProcess
from pipelines.run.runner import run_stage
from pipelines.speakers.fake import FakeDiarizer
from pipelines.stages.diarize import Diarize
from pipelines.stages.index import Index
from pipelines.stages.publish import Publish
from pipelines.stages.pull import Pull
from pipelines.stages.transcribe import Transcribe
from pipelines.storage.archive_folder import init, open_archive
from pipelines.transcribers import FakeTranscriber
from tests.pipelines.sounds import write_wav
from tests.pipelines.trials import Watch

NOOR, KEN = Person(name="Noor Okafor"), Person(name="Ken Watanabe")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return an archive with a talk of 40 seconds: one voice for 32 of them, another for 8."""
    init(tmp_path / "archive", title="Test")
    write_wav(tmp_path / "talk.wav", 40)
    roles = (Role(person=NOOR), Role(person=KEN, role="chair"))
    event = Event(
        slug="school",
        title="School",
        sessions=(Session(slug="talk", title="Talk", people=roles), Session(slug="other", title="Other")),
    )
    with open_archive(tmp_path / "archive") as context:
        with transaction(context.db):
            apply_event(context.db, event, decided_at="2026-01-01T00:00:00Z")
        for stage in (
            Pull([tmp_path / "talk.wav"], "school", "talk"),
            Transcribe(FakeTranscriber()),
            Diarize(FakeDiarizer((4_000, 16_000)), voiceprints=True),
        ):
            assert not run_stage(context, stage, InProcess(), Watch()).failed
    return tmp_path / "archive"


def run(root: Path, *arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["speakers", "--archive", str(root), *map(str, arguments)])


def voices(root: Path) -> dict[str, str | None]:
    return {each["label"]: each["person"] for each in json.loads(run(root, "school/talk", "--json").stdout)}


def test_voices_are_listed_with_proposals_and_how_to_confirm_them(root: Path) -> None:
    said = run(root, "talk")
    assert said.exit_code == 0, said.output
    assert [line.split() for line in said.stdout.splitlines()] == [
        ["voice", "is", "talks", "for", "turns", "hear", "it", "at"],
        ["Voice", "2", "Noor", "Okafor?", "0:32", "2", "0:04"],
        ["Voice", "1", "—", "0:08", "2", "0:00"],
    ]
    assert (
        "Voice 2 may be Noor Okafor: it speaks for 80% of the time, and the timetable has one speaker; nothing that is"
        " said tells more, and somebody may have stood in for them: listen first." in said.stderr
    )
    assert 'rostra speakers school/talk --confirm "Voice 2"' in said.stderr


def test_json_has_every_fact(root: Path) -> None:
    first, second = json.loads(run(root, "talk", "--json").stdout)
    assert {key: first[key] for key in ("label", "person", "name", "origin", "talking_ms", "turns", "longest")} == {
        "label": "Voice 2", "person": None, "name": None, "origin": "sound", "talking_ms": 32_000, "turns": 2,
        "longest": [4_000, 20_000],
    }  # fmt: skip
    assert first["proposal"] == {
        "person": "noor-okafor", "name": "Noor Okafor", "heard_ms": None,
        "reason": "speaks for 80% of the time, and the timetable has one speaker", "weak": True,
    }  # fmt: skip
    assert second["proposal"] is None


def test_nobody_is_named_until_a_person_says_so(root: Path) -> None:
    assert voices(root) == {"Voice 2": None, "Voice 1": None}
    assert run(root, "talk", "--confirm", "voice 2").exit_code == 0
    assert voices(root) == {"Voice 2": "noor-okafor", "Voice 1": None}
    assert run(root, "talk", "--name", "Voice 1=Ken Watanabe", "--name", "Voice 2=").exit_code == 0
    assert voices(root) == {"Voice 2": None, "Voice 1": "ken-watanabe"}
    assert run(root, "talk", "--name", "Ken Watanabe=noor-okafor").exit_code == 0
    assert voices(root) == {"Voice 2": None, "Voice 1": "noor-okafor"}


def test_captions_name_people_or_nobody(root: Path) -> None:
    def second(*more: str) -> str:
        arguments = ["export", "captions", "talk", "--format", "srt", "--archive", str(root), *more]
        done = CliRunner().invoke(cli, arguments)
        assert done.exit_code == 0, done.output
        return done.stdout.split("\n\n")[1].splitlines()[2]

    run(root, "talk", "--confirm", "Voice 2")
    assert second() == "Noor Okafor: Somebody says something at second 4."
    assert second("--no-speakers") == "Somebody says something at second 4."


def rostra(root: Path, *arguments: str | Path) -> str:
    done = CliRunner().invoke(cli, [*map(str, arguments), "--archive", str(root)])
    assert done.exit_code == 0, done.output
    return done.stdout


def speaking(root: Path) -> list[tuple[int, str | None]]:
    found = json.loads(rostra(root, "export", "captions", "talk", "--format", "json"))
    return [(each["start_ms"] // 1000, each["speaker"]) for each in found["segments"]]


def test_who_speaks_is_corrected_for_a_segment_or_a_stretch_and_taken_back(root: Path) -> None:
    before = speaking(root)
    assert before[:4] == [(0, "Voice 1"), (4, "Voice 2"), (8, "Voice 2"), (12, "Voice 2")]
    correct = ("correct", "speaker", "school/talk")
    rostra(root, *correct, "--at", "0:05", "--is", "Ken Watanabe")
    rostra(root, *correct, "--at", "0:08", "--until", "0:16", "--is", "Voice 1", "--by", "Maria")
    assert speaking(root)[:4] == [(0, "Voice 1"), (4, "Ken Watanabe"), (8, "Voice 1"), (12, "Voice 1")]
    assert [(each["before"], each["after"]) for each in json.loads(rostra(root, *correct, "--history", "--json"))] == [
        ("Voice 2", "Ken Watanabe"),
        ("Voice 2", "Voice 1"),
    ]
    rostra(root, *correct, "--undo")
    assert "Maria  0:08 to 0:16  Voice 2 → Voice 1  (taken back)" in rostra(root, *correct, "--history")
    rostra(root, *correct, "--undo")
    assert speaking(root) == before


def test_words_and_speakers_that_people_edited_stay_when_voices_are_heard_again(root: Path, tmp_path: Path) -> None:
    run(root, "talk", "--confirm", "Voice 2")
    before = speaking(root)
    said = json.loads(rostra(root, "export", "captions", "talk", "--format", "json"))
    said["segments"][1] |= {"speaker": "Ken Watanabe", "text": "Ken says this.", "words": []}
    said["segments"][2] |= {"speaker": "A guest"}
    edited = tmp_path / "talk.json"
    edited.write_text(json.dumps(said))
    rostra(root, "correct", "transcript", "talk", edited)
    wanted = [(0, "Voice 1"), (4, "Ken Watanabe"), (8, "A guest"), (12, "Noor Okafor"), *before[4:]]
    assert speaking(root) == wanted
    with open_archive(root) as context:
        again = Diarize(FakeDiarizer((40_000,), voices=1))
        assert run_stage(context, again, InProcess(), Watch()).stages == {"diarize": {"done": 1}}
    assert speaking(root) == [(0, "Noor Okafor"), *wanted[1:4], *((start, "Noor Okafor") for start, _ in before[4:])]
    assert "Ken says this." in rostra(root, "export", "captions", "talk")
    rostra(root, "correct", "transcript", "talk", "--undo")
    assert {who for _, who in speaking(root)} == {"Noor Okafor"}
    assert "Ken says this." not in rostra(root, "export", "captions", "talk")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--undo",), "name a session"),
        (("talk", "--forget", "noor-okafor"), "name a session, or --forget somebody"),
        (("talk", "--confirm", "Voice 1"), "nobody is proposed for Voice 1: name it with --name 'Voice 1=PERSON'"),
        (("talk", "--name", "Voice 1"), "write VOICE=PERSON"),
    ],
)
def test_what_is_not_meant_says_what_is(root: Path, arguments: tuple[str, ...], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        CliRunner().invoke(cli, ["speakers", "--archive", str(root), *arguments], catch_exceptions=False)
    assert voices(root) == {"Voice 2": None, "Voice 1": None}


def test_an_unknown_voice_or_person_changes_nothing(root: Path) -> None:
    assert run(root, "talk", "--name", "Voice 2=noor-okafor", "--name", "Voice 9=noor-okafor").exit_code != 0
    assert run(root, "talk", "--name", "Voice 2=Nobody Here").exit_code != 0
    assert voices(root) == {"Voice 2": None, "Voice 1": None}


def test_some_seconds_of_each_voice_can_be_heard(root: Path, tmp_path: Path) -> None:
    found = json.loads(run(root, "talk", "--hear", tmp_path / "voices", "--json").stdout)
    lengths = {}
    for each in found:
        with wave.open(each["clip"]) as file:
            lengths[each["label"]] = round(file.getnframes() / file.getframerate(), 1)
    assert lengths == {"Voice 2": 6.0, "Voice 1": 4.0}


def test_forgetting_somebody_deletes_what_is_known_of_their_voice(root: Path) -> None:
    run(root, "talk", "--confirm", "Voice 2")
    done = run(root, "--forget", "noor-okafor")
    assert done.exit_code == 0, done.output
    assert voices(root) == {"Voice 2": None, "Voice 1": None}
    with open_archive(root) as context:
        assert context.db.execute("SELECT count(*) FROM voiceprint").fetchone() == (1,)


def prints(root: Path) -> list[bytes]:
    with open_archive(root) as context:
        return [bytes(row[0]) for row in context.db.execute("SELECT vector FROM voiceprint ORDER BY 1").fetchall()]


def test_what_was_forgotten_is_in_no_byte_of_the_catalogue(root: Path) -> None:
    run(root, "talk", "--confirm", "Voice 2")
    before = prints(root)
    assert run(root, "--forget", "Noor Okafor").exit_code == 0
    [gone] = set(before) - set(prints(root))
    assert not any(gone in path.read_bytes() for path in root.glob("catalogue.db*"))


def test_no_backup_has_voiceprints_and_what_it_restores_hears_them_again(root: Path, tmp_path: Path) -> None:
    """Confirmed names, corrections, refusals and joined voices are in it."""
    run(root, "talk", "--confirm", "Voice 2")
    rostra(root, "correct", "speaker", "talk", "--at", "0:01", "--is", "Ken Watanabe")
    before, said, names = prints(root), speaking(root), voices(root)
    rostra(root, "backup", tmp_path / "vault")
    assert before
    for path in (tmp_path / "vault").rglob("*.db"):
        assert not any(vector in path.read_bytes() for vector in before)
    done = CliRunner().invoke(cli, ["restore", str(tmp_path / "vault"), str(tmp_path / "again")])
    assert done.exit_code == 0, done.output
    assert (speaking(tmp_path / "again"), voices(tmp_path / "again")) == (said, names)
    checked = [CliRunner().invoke(cli, ["check", "--archive", str(each)]).output for each in (root, tmp_path / "again")]
    assert checked[0] == checked[1]
    with open_archive(tmp_path / "again") as context:
        again = Diarize(FakeDiarizer((4_000, 16_000)), voiceprints=True)
        assert run_stage(context, again, InProcess(), Watch()).stages == {"diarize": {"done": 1}}
    assert (prints(tmp_path / "again"), speaking(tmp_path / "again")) == (before, said)


def history(root: Path) -> list[tuple[str, str, str, bool]]:
    found = json.loads(run(root, "talk", "--history", "--json").stdout)
    return [(each["what"], each["before"], each["after"], each["undone_at"] is not None) for each in found]


def test_what_is_refused_is_not_proposed_until_that_is_taken_back(root: Path) -> None:
    assert "may be" not in run(root, "talk", "--reject", "Voice 2").stderr
    assert "may be" not in run(root, "talk").stderr
    assert "Taken back: Voice 2 is not Noor Okafor" in run(root, "talk", "--undo").stderr
    assert "Voice 2 may be Noor Okafor" in run(root, "talk").stderr


def test_two_voices_that_are_one_person_are_joined_for_good_and_taken_apart(root: Path) -> None:
    before = speaking(root)
    assert run(root, "talk", "--join", "Voice 1=Voice 2").exit_code == 0
    assert {who for _, who in speaking(root)} == {None}, "one voice alone needs no label"
    assert run(root, "talk", "--name", "Voice 2=Ken Watanabe").exit_code == 0
    assert {who for _, who in speaking(root)} == {"Ken Watanabe"}
    [voice] = json.loads(run(root, "talk", "--json").stdout)
    assert (voice["talking_ms"], voice["person"]) == (40_000, "ken-watanabe")
    with open_archive(root) as context:
        again = Diarize(FakeDiarizer((4_000, 16_000), revision=2))
        assert run_stage(context, again, InProcess(), Watch()).stages == {"diarize": {"done": 1}}
    assert {who for _, who in speaking(root)} == {"Ken Watanabe"}, "they are heard as two again, and stay one"
    for _ in range(2):
        assert run(root, "talk", "--undo").exit_code == 0
    assert speaking(root) == before
    assert history(root) == [("joined", "", "Voice 2", True), ("named", "", "Ken Watanabe", True)]


def test_voices_of_two_people_are_not_joined(root: Path) -> None:
    run(root, "talk", "--confirm", "Voice 2")
    run(root, "talk", "--name", "Voice 1=Ken Watanabe")
    with pytest.raises(ArchiveError, match="Voice 1 is Ken Watanabe, and Voice 2 is Noor Okafor: unname one"):
        CliRunner().invoke(
            cli, ["speakers", "--archive", str(root), "talk", "--join", "Voice 1=Voice 2"], catch_exceptions=False
        )
    assert voices(root) == {"Voice 2": "noor-okafor", "Voice 1": "ken-watanabe"}


def test_a_voice_is_called_by_words_that_name_nobody(root: Path) -> None:
    assert run(root, "talk", "--call", "Voice 1=A student").exit_code == 0
    assert speaking(root)[0] == (0, "A student")
    with open_archive(root) as context:
        again = Diarize(FakeDiarizer((4_000, 16_000), revision=2))
        assert run_stage(context, again, InProcess(), Watch()).stages == {"diarize": {"done": 1}}
    assert speaking(root)[0] == (0, "A student")
    assert run(root, "talk", "--call", "A student=voice 2").exit_code != 0
    assert run(root, "talk", "--undo").exit_code == 0
    assert speaking(root)[0] == (0, "Voice 1")


def test_without_a_session_those_with_voices_are_listed(root: Path) -> None:
    said = run(root)
    assert said.stdout.splitlines()[1].split() == ["school/talk", "2", "2", "1"]
    assert "rostra speakers school/talk" in said.stderr
    assert json.loads(run(root, "--json").stdout) == [
        {"id": 1, "label": "school/talk", "voices": 2, "unnamed": 2, "proposed": 1}
    ]


def test_a_voice_is_played(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    player = tmp_path / "bin" / "ffplay"
    player.parent.mkdir()
    player.write_text(f'#!/bin/sh\nfor last; do :; done\ncp "$last" {tmp_path}/played.wav\n')
    player.chmod(0o755)
    monkeypatch.setenv("PATH", f"{player.parent}:{os.environ['PATH']}")
    assert run(root, "talk", "--play", "Voice 2").exit_code == 0
    with wave.open(str(tmp_path / "played.wav")) as file:
        assert file.getnframes() == 6 * file.getframerate()


def test_a_session_says_why_nobody_knows_who_speaks_and_what_brings_it(root: Path) -> None:
    with open_archive(root) as context:
        failing = Diarize(FakeDiarizer(fails=WeightsError("no weights"), revision=2))
        assert run_stage(context, failing, InProcess(), Watch()).failed
    said = run(root, "talk")
    assert "! who speaks is not known, and all else is: no weights" in said.stderr
    assert "rostra retry --stage diarize tries again" in " ".join(said.stderr.split())


def test_a_session_without_voices_says_how_to_get_them(root: Path) -> None:
    said = run(root, "other")
    assert said.stdout == ""
    assert "[speakers] enabled = true" in said.stderr


def published(root: Path) -> bytes:
    with open_archive(root) as context:
        for stage in (Index(), Publish()):
            assert not run_stage(context, stage, InProcess(), Watch()).failed
    return b"".join(path.read_bytes() for path in sorted((root / "public").glob("*.db")))


def test_nothing_that_nobody_confirmed_and_no_voiceprint_is_published(root: Path) -> None:
    """Neither is what was refused, how a voice was called before, or who said so."""
    rostra(root, "correct", "session", "school/talk", "people=Noor Okafor; Ken Watanabe; Grace Hopper")
    run(root, "talk", "--name", "Voice 1=Grace Hopper", "--by", "zqeditor")
    rostra(root, "correct", "session", "school/talk", "people=Noor Okafor; Ken Watanabe")
    assert "may be Noor Okafor" in run(root, "talk").stderr or "Noor Okafor?" in run(root, "talk").stdout
    run(root, "talk", "--call", "Voice 2=zqbefore", "--by", "zqeditor")
    run(root, "talk", "--call", "zqbefore=The guest", "--by", "zqeditor")
    rostra(root, "release", "school", "--public")
    data = published(root)
    assert b"The guest" in data
    for secret in (b"zqbefore", b"zqeditor", b"Grace Hopper", *prints(root)):
        assert secret not in data
    with closing(sqlite3.connect(next((root / "public").glob("*.db")))) as conn:
        assert conn.execute("SELECT label, person_id FROM speaker_tag ORDER BY id").fetchall() == [
            ("Voice 1", None), ("The guest", None),
        ]  # fmt: skip
