"""What is said is corrected by hand, stays so, and can be taken back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archive.catalogue.recordings import NewRecording, add_recording
from archive.catalogue.revisions import current_version
from archive.catalogue.sessions import add_session, ensure_event
from archive.catalogue.transcripts import add_transcript
from archive.connection import transaction
from metadata.revising import words_of
from pipelines.storage.archive_folder import init, open_archive, open_archive_readonly
from tests.metadata.test_revising import said
from tests.pipelines.command import rostra

HEARD = said("the batch 32 format", "of the lightening network", "you you you", flagged=2)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return an archive with a session that a machine has heard."""
    root = tmp_path / "talks"
    init(root, title="Talks")
    with open_archive(root) as context, transaction(context.db):
        session = add_session(context.db, ensure_event(context.db, "meetup", "Meetup"), "money", "Money")
        recording = add_recording(
            context.db,
            NewRecording(
                sha256="ab" * 32,
                kind="audio",
                duration_ms=20_000,
                bytes=10,
                media_type="audio/wav",
                suffix=".wav",
                streams="[]",
                original_name="money.wav",
            ),
            session,
            pulled_at="2026-11-01T00:00:00Z",
        )
        add_transcript(context.db, recording, HEARD, created_at="2026-11-01T00:00:00Z")
    return root


def text(root: Path) -> list[str]:
    with open_archive_readonly(root) as context:
        version = current_version(context.db, 1)
        assert version is not None
        return [segment.text for segment in version.transcript.segments]


def corrected(root: Path, *arguments: str | Path) -> dict[str, Any]:
    done = rostra("correct", "transcript", "money", *arguments, "--json", "--by", "Noor", "--archive", root)
    assert done.returncode == 0, done.stderr
    said_so: dict[str, Any] = json.loads(done.stdout)
    return said_so


@pytest.mark.parametrize("form", ["vtt", "srt", "ttml", "txt", "json"])
def test_edited_file_corrects_the_words_that_were_edited(archive: Path, tmp_path: Path, form: str) -> None:
    done = rostra("export", "captions", "money", "--format", form, "--to", tmp_path / "out", "--archive", archive)
    assert done.returncode == 0, done.stderr
    [path] = (tmp_path / "out").iterdir()
    path.write_text(path.read_text().replace("batch 32", "Bech32").replace("lightening", "Lightning"))
    said_so = corrected(archive, path)
    assert text(archive) == ["the Bech32 format", "of the Lightning network", "you you you"]
    if form != "json":
        assert [(each["before"], each["after"]) for each in said_so["changes"]] == [
            ("batch 32", "Bech32"),
            ("lightening", "Lightning"),
        ]
    assert corrected(archive, path)["changes"] == []


def test_words_at_a_moment_are_corrected_kept_in_history_and_taken_back(archive: Path) -> None:
    change = {"start_ms": 1000, "end_ms": 3000, "before": "batch 32", "after": "Bech32"}
    once = ("--at", "0:02", "--from", "batch 32", "--to", "Bech32")
    assert corrected(archive, *once, "--dry-run")["changes"] == [change]
    assert text(archive) == [segment.text for segment in HEARD.segments]
    assert corrected(archive, *once) == {"changes": [change], "conflicts": []}
    assert text(archive)[0] == "the Bech32 format"
    [entry] = json.loads(rostra("correct", "transcript", "money", "--history", "--json", "--archive", archive).stdout)
    assert {name: entry[name] for name in (*change, "by")} == change | {"by": "Noor"}
    back = change | {"before": "Bech32", "after": "batch 32"}
    assert corrected(archive, "--undo", "--dry-run")["changes"] == [back]
    assert text(archive)[0] == "the Bech32 format"
    assert corrected(archive, "--undo")["changes"] == [back]
    assert text(archive) == [segment.text for segment in HEARD.segments]
    for more in ((), ("--dry-run",)):
        done = rostra("correct", "transcript", "money", "--undo", *more, "--archive", archive)
        told = " ".join(done.stderr.split())
        assert told == "No correction of this transcript stands: nothing is to be taken back."


def hear_again(root: Path, *texts: str) -> None:
    again = replace(said(*texts), generator="another model")
    with open_archive(root) as context, transaction(context.db):
        add_transcript(context.db, 1, again, created_at="2026-11-02T00:00:00Z")


def test_transcription_does_not_write_over_corrections_and_is_merged(archive: Path) -> None:
    corrected(archive, "--at", "2", "--from", "batch 32", "--to", "Bech32")
    corrected(archive, "--at", "6", "--from", "lightening", "--to", "Lightning")
    hear_again(archive, "so the batch 32 formats", "of the lighting network")
    assert text(archive) == ["the Bech32 format", "of the Lightning network", "you you you"]
    said_so = corrected(archive, "--merge")
    assert text(archive) == ["so the Bech32 formats", "of the Lightning network"]
    assert [(each["before"], each["after"]) for each in said_so["conflicts"]] == [("lighting", "Lightning")]
    hear_again(archive, "and yet another")
    assert text(archive) == ["so the Bech32 formats", "of the Lightning network"]


def test_what_a_machine_wrote_stays_in_the_catalogue(archive: Path) -> None:
    corrected(archive, "--at", "2", "--from", "batch 32", "--to", "Bech32")
    with open_archive_readonly(archive) as context:
        rows = context.db.execute("SELECT text FROM segment WHERE transcript_id = 1 ORDER BY position").fetchall()
        version = current_version(context.db, 1)
    assert [row[0] for row in rows] == [segment.text for segment in HEARD.segments]
    assert version is not None
    assert len(words_of(version.transcript)) == len(words_of(HEARD)) - 1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--at", "2", "--from", "batch 33", "--to", "x"), "is not said within 10 seconds of 0:02"),
        (("--at", "15", "--from", "the batch", "--to", "x"), "is not said within 10 seconds of 0:15"),
        (("--at", "soon", "--from", "a", "--to", "x"), "cannot read 'soon' as a time"),
        (("--at", "2", "--from", "batch"), "--at needs --from and --to"),
        ((), "give one of FILE"),
        (("--undo", "--merge"), "give one of FILE"),
        (("{tmp}/other.txt",), "is it another's?"),
        (("--history", "--recording", "ff"), "no recording 'ff'"),
    ],
)
def test_mistakes_are_told(archive: Path, tmp_path: Path, arguments: tuple[str, ...], reason: str) -> None:
    (tmp_path / "other.txt").write_text("Nothing of this was ever said by anybody here today.\n")
    given = [each.format(tmp=tmp_path) for each in arguments]
    done = rostra("correct", "transcript", "money", *given, "--archive", archive)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert reason in " ".join(done.stderr.split())
    assert text(archive) == [segment.text for segment in HEARD.segments]
