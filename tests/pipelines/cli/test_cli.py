from __future__ import annotations

import json
import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib import import_module
from pathlib import Path

import pytest
from click import Command, Context, Group
from click.testing import CliRunner

from archive.catalogue import runs
from pipelines.cli import base, cli
from pipelines.stages.pull import Pull
from pipelines.storage.archive_folder import init, open_archive
from tests.pipelines.sounds import write_silent_video, write_wav

COMMANDS = cli.list_commands(Context(cli))


def rostra(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the real command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "pipelines", *map(str, arguments)], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an archive of two recordings, transcribed by the engine that needs no weights."""
    root = tmp_path_factory.mktemp("cli") / "talks"
    assert rostra("init", root, "--title", "Talks").returncode == 0
    settings = root / "rostra.toml"
    settings.write_text(settings.read_text().replace('# engine = "faster-whisper"', 'engine = "fake"'))
    folder = root.parent / "in"
    folder.mkdir()
    write_wav(folder / "first.wav", 5)
    write_wav(folder / "second.wav", 9)
    assert rostra("pull", folder, "--archive", root).returncode == 0
    done = rostra("run", "--archive", root)
    assert done.returncode == 0, done.stderr
    return root


def modules(command: Command) -> set[str]:
    """Return the modules that a command's code is in, and that of its commands."""
    below = command.commands.values() if isinstance(command, Group) else ()
    return {str(command.callback.__module__)}.union(*map(modules, below))


def test_commands_are_where_they_are_looked_for() -> None:
    for module in {each for entry in base.COMMANDS.values() for each in entry.modules}:
        import_module(f"pipelines.cli.{module}")
    found = {(module, name) for name, command in cli.commands.items() for module in modules(command)}
    listed = {(f"pipelines.cli.{module}", name) for name, entry in base.COMMANDS.items() for module in entry.modules}
    assert found == listed | {("pipelines.cli.base", group) for group in ("explore", "export")}
    assert base.COMMANDS.keys() == cli.commands.keys()


def test_list_of_commands_is_in_order_and_cuts_no_line_short() -> None:
    text = rostra("--help").stdout.partition("Commands:\n")[2]
    assert text.splitlines() == [f"  {name:<12}{entry.line}" for name, entry in base.COMMANDS.items()]
    assert (max(map(len, text.splitlines())) <= 80, COMMANDS) == (True, sorted(COMMANDS))


@pytest.mark.parametrize("arguments", ["--help", "--version", "serve --help", "status --help"])
def test_help_waits_for_nothing_that_it_does_not_need(arguments: str) -> None:
    heavy = {"av", "ctranslate2", "dask", "datasette", "faster_whisper", "numpy", "obstore", "pandas", "pyarrow"}
    program = f"""
import sys
from pipelines.__main__ import main
sys.argv = ["rostra", *{arguments.split()!r}]
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {each.partition(".")[0] for each in done.stderr.split()} & heavy == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples(name: str) -> None:
    text = CliRunner().invoke(cli, [name, "--help"]).output
    assert "Examples:" in text
    assert f"rostra {name}" in text


def test_every_command_is_in_the_readme() -> None:
    readme = (Path(__file__).resolve().parents[3] / "README.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"rostra {name}" not in readme] == []


def test_search_gives_hits_as_json(archive: Path) -> None:
    done = rostra("search", "second 4", "--json", "--archive", archive)
    hits = json.loads(done.stdout)
    assert [list(hit) for hit in hits] == [
        [
            "event",
            "session",
            "title",
            "language",
            "start_ms",
            "end_ms",
            "text",
            "url",
            "score",
            "match",
            "start_at",
            "speaker",
        ]
    ] * len(hits)
    assert {hit["session"] for hit in hits} == {"first", "second"}
    assert all(hit["start_ms"] >= 4000 for hit in hits)


def test_search_writes_every_moment_to_a_file(archive: Path, tmp_path: Path) -> None:
    done = rostra("search", "second 4", "--export", tmp_path / "moments.jsonl", "--archive", archive)
    rows = [json.loads(line) for line in (tmp_path / "moments.jsonl").read_text().splitlines()]
    assert {row["session"] for row in rows} == {"first", "second"}
    assert f"{len(rows)} moments" in " ".join(done.stderr.split())
    assert rostra("search", "second", "--export", tmp_path / "moments.doc", "--archive", archive).returncode == 2


@pytest.mark.parametrize("query", ["re-use", "state-of-the-art", "a AND", "OR x", "(foo", "NOT", '"', "*", "\x00", "-"])
def test_no_query_fails(archive: Path, query: str) -> None:
    done = CliRunner().invoke(cli, ["search", "--json", "--archive", str(archive), "--", query])
    assert done.exception is None
    assert isinstance(json.loads(done.stdout), list)


def test_words_behind_a_minus_are_left_out_and_options_that_are_none_refused(archive: Path) -> None:
    found, none = (
        json.loads(rostra("search", "second", *more, "--json", "--archive", archive).stdout)
        for more in ((), ("-second",))
    )
    assert (bool(found), none) == (True, [])
    wrong = rostra("search", "second", "--limt", "5", "--archive", archive)
    assert (wrong.returncode, "Did you mean '--limit'?" in wrong.stderr) == (2, True)
    assert rostra("search", "-h").stdout.startswith("Usage: ")


def test_command_that_was_mistyped_is_named() -> None:
    wrong = rostra("serach", "tide")
    assert (wrong.returncode, "Did you mean 'search'?" in wrong.stderr) == (2, True)


def test_status_as_json_counts_what_there_is(archive: Path) -> None:
    facts = json.loads(rostra("status", "--json", "--archive", archive).stdout)
    assert facts["title"] == "Talks"
    assert facts["holds"] == {
        "events": 1,
        "sessions": 2,
        "people": 0,
        "recordings": 2,
        "recorded_ms": 14000,
        "transcripts": 2,
        "segments": 5,
        "doubtful": 0,
        "untranscribed": 0,
        "untranscribed_ms": 0,
        "released_sessions": 2,
        "released_recordings": 2,
    }
    assert facts["stages"] == {
        "pull": {"done": 2},
        "transcribe": {"done": 2},
        "render": {"done": 2},
        "index": {"done": 2},
        "publish": {"done": 1},
    }
    assert facts["troubles"] == []


def test_status_counts_in_words(archive: Path) -> None:
    said = rostra("status", "--archive", archive).stdout.splitlines()
    assert said[1:3] == [
        "1 event, 2 sessions, 2 recordings (0:14), 2 transcripts, 5 segments",
        "released: 2 sessions, 2 recordings",
    ]


def test_status_lets_no_file_name_write_to_the_terminal(tmp_path: Path) -> None:
    init(tmp_path / "talks", title="Talks")
    (tmp_path / "new\nline\x1b[2J.wav").write_text("no sound")
    rostra("pull", tmp_path / "new\nline\x1b[2J.wav", "--archive", tmp_path / "talks")
    said = rostra("status", "--archive", tmp_path / "talks").stdout
    assert "pull new\\nline\\x1b[2J.wav: not a recording but text" in said


def test_run_again_says_that_nothing_is_due(archive: Path) -> None:
    done = rostra("run", "--archive", archive)
    assert (done.returncode, done.stderr) == (0, "Nothing is due.\n")


def test_archive_is_found_by_option_by_environment_and_by_folder(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for arguments in (["--archive", str(archive), "status"], ["status", "--archive", str(archive)]):
        assert "Talks" in CliRunner().invoke(cli, arguments).output
    monkeypatch.setenv("ROSTRA_ARCHIVE", str(archive))
    assert "Talks" in CliRunner().invoke(cli, ["status"]).output
    monkeypatch.delenv("ROSTRA_ARCHIVE")
    monkeypatch.chdir(archive)
    assert "Talks" in CliRunner().invoke(cli, ["status"]).output


def test_what_is_refused_is_listed_with_its_reason_and_exits_1(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "talk.mp4").write_text("text\n" * 100)
    done = rostra("pull", tmp_path / "talk.mp4", "--archive", archive)
    assert done.returncode == 1
    assert "talk.mp4" in done.stderr
    assert "rostra status" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["status", "--archive", "/nowhere"], "no archive at /nowhere: make one: rostra init /nowhere"),
        (["frobnicate"], "No such command 'frobnicate'"),
        (["transcribe", "absent.wav", "--language", "no such tongue"], "unknown language 'no such tongue'"),
        (["transcribe", "absent.wav", "--engine", "magic"], "unknown engine 'magic'"),
    ],
)
def test_wrong_usage_exits_2_and_says_what_to_do(arguments: list[str], message: str) -> None:
    done = rostra(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_commands_that_are_shown_can_be_copied(tmp_path: Path) -> None:
    folder = tmp_path / "l'été [1] 東京"
    made = rostra("init", folder).stdout
    missing = rostra("status", "--archive", tmp_path / "not there").stderr
    assert str(folder / "rostra.toml") in made
    assert shlex.split(made.partition("Next: rostra ")[2])[:3] == ["--archive", str(folder), "pull"]
    assert shlex.split(missing.partition("make one: rostra ")[2]) == ["init", str(tmp_path / "not there")]


def test_transcribe_needs_no_archive(tmp_path: Path) -> None:
    write_wav(tmp_path / "talk.wav", 5)
    done = rostra("transcribe", tmp_path / "talk.wav", "--json", "--engine", "fake", "--language", "French")
    assert done.returncode == 0
    transcript = json.loads(done.stdout)
    assert list(transcript) == ["language", "duration_ms", "segments"]
    assert (transcript["language"], transcript["duration_ms"]) == ("fr", 5000)
    assert list(transcript["segments"][0]) == [
        "start_ms",
        "end_ms",
        "text",
        "speaker",
        "language",
        "confidence",
        "flags",
        "words",
    ]
    assert list(transcript["segments"][0]["words"][0]) == ["start_ms", "end_ms", "text", "confidence"]


def test_transcribe_with_a_translation_writes_both(tmp_path: Path) -> None:
    write_wav(tmp_path / "talk.wav", 5)
    done = rostra(
        "transcribe", tmp_path / "talk.wav", "--engine", "fake", "--language", "fr", "--translate", "--json",
        "--output", tmp_path / "out",
    )  # fmt: skip
    assert done.returncode == 0
    original, english = (json.loads((tmp_path / "out" / name).read_bytes()) for name in ("talk.json", "talk.en.json"))
    assert (original["language"], english["language"]) == ("fr", "en")
    assert [(x["start_ms"], x["end_ms"]) for x in english["segments"]] == [
        (x["start_ms"], x["end_ms"]) for x in original["segments"]
    ]


def test_transcribe_of_several_goes_on_past_the_broken_ones(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", 5)
    write_silent_video(tmp_path / "silent.mp4")
    (tmp_path / "text.mp4").write_text("text\n" * 100)
    files = [tmp_path / name for name in ("text.mp4", "silent.mp4", "a.wav", "absent.wav")]
    done = rostra("transcribe", *files, "--json", "--engine", "fake")
    assert done.returncode == 1
    entries = json.loads(done.stdout)
    assert [entry["file"] for entry in entries] == [str(file) for file in files]
    assert ["error" in entry for entry in entries] == [True, True, False, True]
    assert entries[2]["segments"]
    assert [name for name in ("text.mp4", "silent.mp4", "absent.wav") if name not in done.stderr] == []
    assert "Traceback" not in done.stderr


def test_transcribe_says_in_json_why_there_is_no_transcript(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("text\n" * 100)
    done = rostra("transcribe", tmp_path / "text.mp4", "--json", "--engine", "fake")
    assert done.returncode == 1
    assert json.loads(done.stdout) == {"file": str(tmp_path / "text.mp4"), "error": "not a recording but text"}


def test_transcribe_writes_a_file_for_each(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", 5)
    done = rostra("transcribe", tmp_path / "a.wav", "--format", "vtt", "--engine", "fake", "--output", tmp_path / "out")
    assert done.returncode == 0
    assert (tmp_path / "out" / "a.vtt").read_text().startswith("WEBVTT\n")


def test_import_says_what_changes_and_a_rehearsal_changes_nothing(tmp_path: Path) -> None:
    root = tmp_path / "talks"
    init(root, title="Talks")
    timetable = tmp_path / "event.yaml"
    timetable.write_text("title: Winter School\nsessions:\n  - title: Opening\n")
    rehearsal = rostra("import", timetable, "--dry-run", "--archive", root)
    assert (rehearsal.returncode, rehearsal.stderr) == (
        0,
        f"{timetable} (yaml-event)\n  winter-school: event would be added; sessions: 1 would be added\n",
    )
    assert json.loads(rostra("status", "--json", "--archive", root).stdout)["holds"]["events"] == 0
    rostra("import", timetable, "--archive", root)
    assert json.loads(rostra("status", "--json", "--archive", root).stdout)["holds"]["sessions"] == 1


def test_import_writes_an_example_that_imports(tmp_path: Path) -> None:
    root = tmp_path / "talks"
    init(root, title="Talks")
    example = rostra("import", "--example")
    assert (example.returncode, example.stderr) == (0, "")
    timetable = tmp_path / "event.yaml"
    timetable.write_text(example.stdout)
    assert rostra("import", timetable, "--archive", root).returncode == 0
    assert json.loads(rostra("status", "--json", "--archive", root).stdout)["holds"]["sessions"] == 1
    nothing = rostra("import", "--archive", root)
    assert (nothing.returncode, "rostra import --example" in nothing.stderr) == (2, True)


def test_broken_timetable_writes_nothing(tmp_path: Path) -> None:
    root = tmp_path / "talks"
    init(root, title="Talks")
    timetable = tmp_path / "event.yaml"
    timetable.write_text("title: Winter School\nsessions:\n  - start: tomorrow\n    title: x\n")
    done = rostra("import", timetable, "--archive", root)
    assert done.returncode == 2
    assert "event.yaml" in done.stderr
    assert "$.sessions[0].start" in done.stderr
    assert json.loads(rostra("status", "--json", "--archive", root).stdout)["holds"]["events"] == 0


def test_retry_makes_due_again_what_was_refused(tmp_path: Path) -> None:
    root = tmp_path / "talks"
    init(root, title="Talks")
    (tmp_path / "talk.mp4").write_text("text\n" * 100)
    assert rostra("pull", tmp_path / "talk.mp4", "--archive", root).returncode == 1
    assert rostra("pull", tmp_path / "talk.mp4", "--archive", root).stderr == "Nothing new to pull.\n"
    status = rostra("status", "--archive", root).stdout
    assert "✗ pull talk.mp4: not a recording but text\n    nothing to do, unless it should be" in status
    wrong = rostra("retry", "other.mp4", "--archive", root)
    assert wrong.returncode == 2
    assert "nothing went wrong with other.mp4: 'rostra status' lists what did" in wrong.stderr
    done = rostra("retry", "talk.mp4", "--stage", "pull", "--archive", root)
    assert (done.returncode, done.stderr.split(".")[0]) == (0, "1 due again")
    assert "due again: pull it" in rostra("status", "--archive", root).stdout
    assert rostra("pull", tmp_path / "talk.mp4", "--archive", root).returncode == 1
    assert json.loads(rostra("status", "--json", "--archive", root).stdout)["troubles"][0]["attempt"] == 1
    assert rostra("retry", "--stage", "index", "--archive", root).stderr == "Nothing to try again.\n"


def test_a_file_waits_for_its_session_and_is_pulled_once_that_is_there(tmp_path: Path) -> None:
    root, sound = tmp_path / "talks", tmp_path / "a.wav"
    init(root, title="Talks")
    write_wav(sound, 2)
    timetable = tmp_path / "event.yaml"
    timetable.write_text("title: School\nsessions:\n  - {title: Opening, start: 2026-11-23T09:00:00Z}\n")

    def pulled() -> int:
        return int(json.loads(rostra("status", "--json", "--archive", root).stdout)["holds"]["recordings"])

    for name in ("opening", "school/opening"):
        for more in ((), ("--watch",), ("--captions-only",)):
            source = tmp_path if "--watch" in more else sound if not more else "https://example.org/feed.xml"
            refused = rostra("pull", source, "--session", name, *more, "--archive", root)
            assert refused.returncode == 2
            assert f"no session '{name}' in this archive: 'rostra status --all' lists what there is" in refused.stderr
    assert pulled() == 0
    # An archive of an earlier version has noted that it skipped the file.
    with open_archive(root) as context:
        [item] = Pull([sound], session="opening").items(context)
        run = runs.begin(
            context.db, "pull", item.subject, label="a.wav", fingerprint=item.fingerprint, started_at="", worker=""
        )
        runs.finish(context.db, run, "skipped", finished_at="", seconds=0.0, code="gone", text="no session 'opening'")
        context.db.conn.commit()
    assert rostra("import", timetable, "--archive", root).returncode == 0
    assert rostra("pull", sound, "--session", "opening", "--archive", root).returncode == 0
    assert pulled() == 1
    assert rostra("pull", sound, "--session", "opening", "--archive", root).stderr == "Nothing new to pull.\n"


def test_status_of_an_older_catalogue_brings_it_up_to_date(tmp_path: Path) -> None:
    root = tmp_path / "talks"
    init(root, title="Talks")
    with closing(sqlite3.connect(root / "catalogue.db")) as conn, conn:
        conn.execute("ALTER TABLE stage_run DROP COLUMN remark")
        conn.execute("ALTER TABLE stage_run DROP COLUMN retried_at")
        conn.execute("DELETE FROM _sqlite_migrations WHERE name = 'm0002_remarks_and_retries'")
    done = rostra("status", "--archive", root)
    assert (done.returncode, done.stderr) == (0, "")


def test_models_lists_what_packages_carry() -> None:
    listed = json.loads(rostra("models", "--json").stdout)
    assert [(model["model"], model["task"], model["languages"], model["licence"]) for model in listed] == [
        ("base", "words", 99, "MIT"),
        ("tiny.en", "words", 1, "MIT"),
        ("segmentation-3.0", "speakers", None, "MIT"),
        ("CAM++ zh-en", "speakers", None, "Apache-2.0"),
    ]
    shown = rostra("models").stdout
    assert all(model["model"] in shown for model in listed)
    assert all(model["bytes"] or model["source"] in shown for model in listed)
