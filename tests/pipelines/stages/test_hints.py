from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner

from archive.catalogue.importing import apply_event
from archive.connection import transaction
from metadata.model import EXAMPLE_EVENT, EXAMPLE_SESSION
from pipelines.cli import cli
from pipelines.run.executors import InProcess
from pipelines.run.runner import run_stage
from pipelines.stages.hints import hints_for
from pipelines.stages.pull import Pull
from pipelines.stages.transcribe import Transcribe
from pipelines.storage.archive_folder import init, open_archive
from pipelines.transcribers import FakeTranscriber
from pipelines.transcribers.base import Hints
from tests.pipelines.sounds import write_wav
from tests.pipelines.trials import Watch

SESSION = replace(
    EXAMPLE_SESSION,
    abstract="How Radio Lighthouse packs BagIt. Nobody can search it yet.",
    recordings=(),
    language="en",
)
EXPECTED = ("Noor Okafor", SESSION.title, "OAI-PMH", "Radio Lighthouse", "BagIt")


def test_hints_shown_are_those_that_a_recording_is_heard_with(tmp_path: Path) -> None:
    root = tmp_path / "talks"
    init(root, title="Test")
    settings = root / "rostra.toml"
    settings.write_text(settings.read_text().replace("# glossary = []", 'glossary = ["OAI-PMH"]'))
    with open_archive(root) as context:
        with transaction(context.db):
            apply_event(context.db, replace(EXAMPLE_EVENT, sessions=(SESSION,)), decided_at="2022-07-01T00:00:00Z")
        write_wav(tmp_path / f"{SESSION.slug}.wav", 1)
        run_stage(context, Pull([tmp_path / f"{SESSION.slug}.wav"]), InProcess(), Watch())
        (item,) = Transcribe(FakeTranscriber()).items(context)
        assert item.task.hints == hints_for(context, 1) == Hints("en", EXPECTED)
    shown = CliRunner().invoke(cli, ["hints", SESSION.slug, "--json", "--archive", str(root)]).stdout
    assert json.loads(shown) == {"language": "en", "terms": list(EXPECTED)}


def test_languages_of_the_event_are_expected_where_none_is_declared(tmp_path: Path) -> None:
    root = tmp_path / "talks"
    init(root, title="Test")
    sessions = (replace(SESSION, language=None), replace(SESSION, slug="declared"))
    with open_archive(root) as context:
        with transaction(context.db):
            event = replace(EXAMPLE_EVENT, sessions=sessions)
            apply_event(context.db, event, decided_at="2022-07-01T00:00:00Z")
        ids = {row["slug"]: row["id"] for row in context.db.query("SELECT id, slug FROM session")}
        undeclared, declared = hints_for(context, ids[SESSION.slug]), hints_for(context, ids["declared"])
        assert (undeclared.language, undeclared.expected) == (None, ("ar", "en", "es"))
        assert (declared.language, declared.expected) == ("en", ())
