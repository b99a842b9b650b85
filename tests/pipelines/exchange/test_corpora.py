"""Corpora that are packed with each publication."""

from __future__ import annotations

import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from archive.catalogue.recordings import NewRecording, add_recording
from archive.catalogue.sessions import add_session, ensure_event
from archive.catalogue.transcripts import add_transcript
from archive.connection import transaction
from archive.publication.deciding import Decision, Subject, decide
from archive.publication.folder import CORPORA
from archive.research.corpus import Selection
from archive.research.subcorpus import Subcorpus
from metadata.model import EXAMPLE_TRANSCRIPT, Segment
from pipelines.config import Config, PublishSettings, Site
from pipelines.exchange.corpora import export_corpus, source
from pipelines.run.executors import InProcess
from pipelines.run.runner import RunSummary, Silent, run_stage
from pipelines.stages.publish import Publish
from pipelines.storage.archive_folder import Context, init, open_archive


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    """Two sessions, in each of which its own name is said."""
    init(tmp_path / "archive", title="Talks")
    with open_archive(tmp_path / "archive") as opened:
        event = None
        with transaction(opened.db):
            event = ensure_event(opened.db, "meetup", "Meetup")
            for number, slug in enumerate(("open", "closed"), start=1):
                session = add_session(opened.db, event, slug, slug.title())
                found = NewRecording(
                    sha256=f"{number:064x}",
                    kind="audio",
                    duration_ms=900,
                    bytes=1,
                    media_type="audio/wav",
                    suffix=".wav",
                    streams="[]",
                    original_name=f"{slug}.wav",
                )
                recording = add_recording(opened.db, found, session, pulled_at="2026-11-01T00:00:00Z")
                said = (Segment(start_ms=0, end_ms=900, text=f"I say {slug}"),)
                add_transcript(
                    opened.db, recording, replace(EXAMPLE_TRANSCRIPT, segments=said), created_at="2026-11-01T00:00:00Z"
                )
        yield opened


def publish(context: Context, *forms: str, database: bool = False) -> RunSummary:
    settings = PublishSettings(corpora=forms)  # type: ignore[arg-type]  # what a file may say
    config = msgspec.structs.replace(context.config, publish=settings, site=Site(title="Talks", database=database))
    return run_stage(replace(context, config=config), Publish(grace_seconds=0.0), InProcess(), Silent())


def packed(context: Context) -> dict[str, str]:
    """Return what is packed: by the form's name, all of its text."""
    found = {}
    for path in (context.layout.public / CORPORA).glob("*"):
        with zipfile.ZipFile(path) as file:
            found[path.stem.partition("-")[2]] = "".join(file.read(name).decode() for name in file.namelist())
    return found


def test_corpora_are_packed_once_a_publication_and_hold_what_is_public(context: Context) -> None:
    assert not publish(context, "csv", "tei").failed
    first = packed(context)
    assert {form: "I say open" in text.replace("</w>", " ") for form, text in first.items()} == {
        "csv": True,
        "tei": False,
    }
    assert all("closed" in text for text in first.values())
    stamps = {path: path.stat().st_mtime_ns for path in (context.layout.public / CORPORA).iterdir()}
    publish(context, "csv", "tei")
    assert {path: path.stat().st_mtime_ns for path in (context.layout.public / CORPORA).iterdir()} == stamps
    (session,) = context.db.execute("SELECT id FROM session WHERE slug = 'closed'").fetchone()
    private = Decision(state="private", by="Noor", at="2026-11-02T00:00:00Z")
    with transaction(context.db):
        decide(context.db, [Subject("session", session, "closed")], private, default="public", now=datetime.now(UTC))
    publish(context, "csv", "tei")
    assert packed(context).keys() == {"csv", "tei"}
    assert not any("closed" in text.lower() for text in packed(context).values())


def test_what_a_killed_publication_did_not_pack_is_packed_by_the_next(context: Context) -> None:
    publish(context, "text")
    for path in (context.layout.public / CORPORA).iterdir():
        path.unlink()
    publish(context, "text")
    assert "I say open" in packed(context)["text"]


KILLED = """
import os, signal, sys
from pathlib import Path
from archive.research.corpus import Selection
from archive.research.subcorpus import Subcorpus
from pipelines.exchange.corpora import export_corpus, source

with source(Path(sys.argv[1])) as of:
    die = lambda _: os.kill(os.getpid(), signal.SIGKILL)
    export_corpus(of, Subcorpus(Selection()), ["csv"], Path(sys.argv[2]), seen=die)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process")
def test_what_a_killed_publication_had_begun_to_pack_is_gone_after_the_next(context: Context) -> None:
    """It may hold what was withdrawn since, and must not be in the way of the withdrawal."""
    publish(context, "csv")
    public = context.layout.public
    (whole,) = (public / CORPORA).iterdir()
    killed = subprocess.run([sys.executable, "-c", KILLED, public, whole], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [*(public / CORPORA).rglob("*.csv")] != []
    assert not publish(context, "csv").failed
    assert [path.name for path in (public / CORPORA).iterdir()] == [whole.name]


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process")
def test_corpus_that_was_killed_is_written_by_the_next_and_leaves_nothing_beside_it(
    context: Context, tmp_path: Path
) -> None:
    publish(context)
    target = tmp_path / "out" / "corpus"
    killed = subprocess.run([sys.executable, "-c", KILLED, context.layout.public, target], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert target.exists() is False
    (left,) = target.parent.iterdir()
    with source(context.layout.public) as of:
        export_corpus(of, Subcorpus(Selection()), ["csv"], target)
        # As if it had been killed between taking the old one away and putting the new one there.
        target.rename(target.with_name(".corpus.old"))
        export_corpus(of, Subcorpus(Selection()), ["jsonl"], target)
    assert left.exists() is False
    assert [path.name for path in target.parent.iterdir()] == ["corpus"]
    assert (target / "segments.jsonl").exists()


def test_corpus_is_written_into_the_folder_that_somebody_is_in(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(context)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with source(context.layout.public) as of:
        export_corpus(of, Subcorpus(Selection()), ["csv"], Path())
    assert (tmp_path / "here" / "segments.csv").exists()


def test_forms_that_are_no_longer_wanted_go(context: Context) -> None:
    publish(context, "csv", "jsonl")
    publish(context, "csv", database=True)
    assert packed(context).keys() == {"csv"}
    assert b'"allow_download": true' in (context.layout.public / "settings.json").read_bytes()
    publish(context)
    assert not (context.layout.public / CORPORA).exists()
    assert b'"allow_download": false' in (context.layout.public / "settings.json").read_bytes()
    assert Config().site.database is False
